package topn

import (
	"encoding/binary"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Snapshot implements operator.Operator. A flush has gone before, so the best rows are what was put out last.
func (t *best) Snapshot(w state.Writer) error {
	if !t.idle.Never() {
		saveClock(w, t.env.Subtask, t.clock())
	}
	p := t.partitions
	dirty := p.Dirty()
	if p.NeedsBase() {
		dirty += 4*p.Len() + 4096
	}
	extra := 0
	if t.record.Loose > 0 {
		extra = 1
	}
	c := t.saved.NewChunk(extra)
	base := t.inc.Base(p.Len(), dirty)
	var slots []int32
	if base {
		p.TakeDeleted(t.saved.NewChunk(extra), 0)
		p.TakeDirty(nil)
		slots = p.Slots(nil)
	} else {
		p.TakeDeleted(c, 0)
		slots = p.TakeDirty(nil)
	}
	deleted := c.Rows()
	p.AppendRows(c, slots, 0)
	words, stride := p.Values()
	for i, slot := range slots {
		c.Time[deleted+i] = words[int(slot)*stride+t.words.time]
	}
	if extra > 0 {
		t.appendLoose(c.Bytes[t.saved.ExtraBytes()], slots)
	}
	if base || c.Rows() > 0 {
		w.Keyed(rowTable, base, c)
	}
	return nil
}

// appendLoose appends the loose values of partitions.
func (t *best) appendLoose(dst *column.Bytes, slots []int32) {
	words, stride := t.partitions.Values()
	at := t.words.record + t.record.Loose
	var refs [bestChanges]int64
	for len(slots) > 0 {
		n := min(len(slots), len(refs))
		for i, slot := range slots[:n] {
			refs[i] = words[int(slot)*stride+at]
		}
		t.blobs.warm(refs[:n], 1)
		for _, r := range refs[:n] {
			dst.Append(t.blobs.at(r))
		}
		slots = slots[n:]
	}
}

// restore reads the best rows of this subtask's keys. The time between the snapshot and now does not count as idle.
func (t *best) restore(r state.Reader) error {
	taken, err := loadClock(r)
	if err != nil {
		return err
	}
	extra, loose := 0, make([]column.Appender, t.schema.NumFields())
	if t.record.Loose > 0 {
		extra = 1
		for i, f := range t.schema.Fields() {
			loose[i] = column.NewAppender(f.Type)
		}
	}
	err = r.Keyed(rowTable, t.env.Keys, func(c *state.Chunk) error {
		if err := t.saved.CheckChunk(c, extra); err != nil {
			return err
		}
		full := t.fill(c)
		for i := range c.Rows() {
			if err := t.load(full, i, loose); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || t.idle.Never() {
		return err
	}
	words, stride := t.partitions.Values()
	for _, slot := range t.partitions.Slots(nil) {
		w := words[int(slot)*stride : int(slot)*stride+t.words.all]
		w[t.words.seen] = max(1, w[t.words.seen]+t.clock()-taken)
		t.idle.Wait(w, slot)
	}
	return nil
}

// fill gives a chunk the words that are not saved.
func (t *best) fill(c *state.Chunk) *state.Chunk {
	full := *c
	full.Words = append([][]int64(nil), c.Words...)
	zeros := make([]int64, c.Rows())
	for range t.words.all - t.saved.Values() {
		full.Words = append(full.Words, zeros)
	}
	return &full
}

// load reads row i of a chunk.
func (t *best) load(c *state.Chunk, i int, loose []column.Appender) error {
	words, stride := t.partitions.Values()
	free := func(slot int32) {
		if t.record.Loose > 0 {
			t.blobs.free(words[int(slot)*stride+t.words.record+t.record.Loose])
		}
	}
	slot := t.partitions.Seek(c, i)
	if slot >= 0 {
		free(slot)
	}
	if c.Deleted != nil && c.Deleted[i] {
		if slot >= 0 {
			t.partitions.Delete(slot)
		}
		return nil
	}
	slot, err := t.partitions.Put(c, i)
	if err != nil {
		return err
	}
	words, stride = t.partitions.Values()
	at := int(slot)*stride + t.words.record
	w := words[at : at+t.record.Size+1]
	w[t.record.Flags] = w[t.record.Flags]&^(1<<ordered.OwnBits-1) | bestThere
	w[t.record.Size] = c.Time[i]
	t.record.Complete(w)
	if t.record.Loose == 0 {
		return nil
	}
	p := c.Bytes[t.saved.ExtraBytes()].At(i)
	for _, a := range loose {
		a.Reset()
	}
	if !t.record.TakeLoose(p, loose) {
		return fault.Internalf("stored state holds a row that cannot be decoded").
			WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
	}
	w[t.record.Loose] = t.blobs.put(p)
	return nil
}

// saveClock saves the wall-clock time of a snapshot, loadClock gives the latest of all subtasks.
func saveClock(w state.Writer, subtask int, now int64) {
	key := binary.BigEndian.AppendUint32(nil, uint32(subtask))
	w.Global(clockTable, key, binary.LittleEndian.AppendUint64(nil, uint64(now)))
}

func loadClock(r state.Reader) (taken int64, err error) {
	err = r.Global(clockTable, func(_, value []byte) error {
		if len(value) != 8 {
			return fault.Internalf("stored time of a top-N cannot be decoded").
				WithHint("start the pipeline from an empty state directory")
		}
		taken = max(taken, int64(binary.LittleEndian.Uint64(value)))
		return nil
	})
	return taken, err
}

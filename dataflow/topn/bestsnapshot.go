package topn

import (
	"encoding/binary"

	"wadi/dataflow/fault"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Snapshot implements operator.Operator. A flush has gone before, so the best rows are what was put out last.
func (t *best) Snapshot(w state.Writer) error {
	if !t.idle.Never() {
		saveClock(w, t.env.Subtask, t.clock())
	}
	c, slots, base := t.partitions.TakeChanges(t.saved, t.record.Extra(), &t.inc)
	words, stride := t.partitions.Values()
	deleted := c.Rows() - len(slots)
	for i, slot := range slots {
		c.Time[deleted+i] = words[int(slot)*stride+t.words.time]
	}
	if t.record.Loose > 0 {
		t.record.AppendLoose(words[min(t.words.record, len(words)):], stride, slots, c.Bytes[t.saved.ExtraBytes()])
	}
	if base || c.Rows() > 0 {
		w.Keyed(rowTable, base, c)
	}
	return nil
}

// restore reads the best rows of this subtask's keys. The time between the snapshot and now does not count as idle.
func (t *best) restore(r state.Reader) error {
	taken, err := loadClock(r)
	if err != nil {
		return err
	}
	err = r.Keyed(rowTable, t.env.Keys, func(c *state.Chunk) error {
		if err := t.saved.CheckChunk(c, t.record.Extra()); err != nil {
			return err
		}
		for i := range c.Rows() {
			if err := t.load(c, i); err != nil {
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

// load reads row i of a chunk.
func (t *best) load(c *state.Chunk, i int) error {
	if old := t.partitions.Seek(c, i); old >= 0 { // from an earlier checkpoint
		t.record.Free(t.at(old))
		t.partitions.Delete(old)
	}
	if c.Deleted != nil && c.Deleted[i] {
		return nil
	}
	slot, err := t.partitions.Put(c, i)
	if err != nil {
		return err
	}
	w := t.at(slot)
	w[t.record.Flags] = w[t.record.Flags]&^(1<<ordered.OwnBits-1) | bestThere
	w[t.record.Size] = c.Time[i]
	t.record.Complete(w)
	if t.record.Loose == 0 {
		return nil
	}
	return t.record.TakeLoose(w, c.Bytes[t.saved.ExtraBytes()].At(i))
}

// at is the record of a partition, and its time.
func (t *best) at(slot int32) []int64 {
	words, stride := t.partitions.Values()
	at := int(slot)*stride + t.words.record
	return words[at : at+t.record.Size+1]
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

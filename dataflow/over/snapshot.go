package over

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"

	"wadi/dataflow/fault"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Tables of the operator's state: the rows, pending ones and those that later rows need; per key how far its partition is;
// the accumulators of each frame that lets no row go; and the progress of event time.
const (
	rowTable       = "rows"
	partitionTable = "partitions"
	progressTable  = "progress"
)

func (o *over) aggregateTable(i int) string { return fmt.Sprintf("aggregates-%d", i) }

// Snapshot implements operator.Operator.
func (o *over) Snapshot(w state.Writer) error {
	o.progress.Save(w, progressTable, o.env.Subtask, o.env.Keys)
	o.rows.Save(w, rowTable)
	if o.spec.PerTime {
		w.Expire(rowTable, o.progress.Watermark)
		return nil
	}
	if !o.idle.Never() && !o.near {
		saveClock(w, &o.env)
	}
	t := o.partitions
	dirty := t.Dirty()
	if o.lost() {
		dirty += 4*t.Len() + 4096
	}
	base := o.inc.Base(t.Len(), dirty)
	slots := t.TakeDirty(nil)
	chunk := o.layout.NewChunk(1)
	if t.TakeDeleted(chunk, 0); base {
		slots, chunk = t.Slots(slots[:0]), o.layout.NewChunk(1)
	}
	t.AppendRows(chunk, slots, 0)
	var buf []byte
	for _, s := range slots {
		buf = o.encode(buf[:0], o.parts[s])
		chunk.Bytes[o.layout.ExtraBytes()].Append(buf)
	}
	if base || chunk.Rows() > 0 {
		w.Keyed(partitionTable, base, chunk)
	}
	for i := range o.frames {
		o.saveAggregates(w, i, slots, base)
	}
	return nil
}

// saveAggregates writes the accumulators of the partitions that have changed; those of bounded frames are made again from
// the rows.
func (o *over) saveAggregates(w state.Writer, i int, slots []int32, base bool) {
	f := &o.frames[i]
	if f.set == nil || !f.running {
		return
	}
	f.groups.Table.TakeDirty(nil)
	chunk := f.set.NewChunk(o.layout)
	if f.groups.Table.TakeDeleted(chunk, 0); base {
		chunk = f.set.NewChunk(o.layout)
	}
	var groups []int32
	for _, s := range slots {
		if g := o.parts[s].frames[i].group; g >= 0 {
			groups = append(groups, g)
		}
	}
	f.groups.Save(chunk, groups, 0)
	if base || chunk.Rows() > 0 {
		w.Keyed(o.aggregateTable(i), base, chunk)
	}
}

// lost reports whether it is no longer known which keys have been forgotten, so that all have to be written.
func (o *over) lost() bool {
	if o.idle.Never() {
		return false
	}
	lost := o.partitions.NeedsBase()
	for i := range o.frames {
		if f := &o.frames[i]; f.set != nil && f.running {
			lost = lost || f.groups.Table.NeedsBase()
		}
	}
	return lost
}

// encode writes how far a partition is; rows are known by their positions.
func (o *over) encode(buf []byte, p *partition) []byte {
	put := func(v int64) { buf = binary.AppendVarint(buf, v) }
	put(p.base)
	put(p.next)
	for _, f := range p.frames {
		put(f.lo)
		put(f.hi)
	}
	for _, s := range p.scans {
		put(s.at)
		put(s.count)
		put(int64(len(s.pins)))
		for _, id := range s.pins {
			put(o.word(id, positionWord))
		}
	}
	return buf
}

// restored is a partition that was read back, with the positions of the rows that it keeps.
type restored struct {
	*partition
	pins [][]int64
}

func (o *over) decode(p *partition, b []byte) (r restored, ok bool) {
	ok = true
	take := func() int64 {
		v, n := binary.Varint(b)
		if n <= 0 {
			ok, n = false, 0
		}
		b = b[n:]
		return v
	}
	*p = *o.newPartition(p.slot)
	r.partition = p
	p.base, p.next = take(), take()
	for i := range p.frames {
		p.frames[i].lo, p.frames[i].hi = take(), take()
	}
	for i := range p.scans {
		p.scans[i].at, p.scans[i].count = take(), take()
		n := take()
		if n < 0 || n > int64(len(b)) {
			return r, false
		}
		var pins []int64
		for range n {
			pins = append(pins, take())
		}
		r.pins = append(r.pins, pins)
	}
	return r, ok && len(b) == 0
}

func damaged() error {
	return fault.Internalf("stored state of a partition of ordered rows cannot be decoded").
		WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
}

func (o *over) restore(r state.Reader) (err error) {
	if o.progress, err = ordered.LoadProgress(r, progressTable, o.env.Keys); err != nil {
		return err
	}
	loaded, err := o.rows.Load(r, rowTable, o.env.Keys, func(hash uint64, time int64) bool {
		return !o.spec.PerTime || !o.progress.Passed(hash, time)
	})
	if err != nil {
		return err
	}
	var placed []int32
	for _, l := range loaded {
		own := o.rows.Own(l.ID)
		own[pinsWord] = 0
		if own[positionWord] == 0 {
			o.pending.push(l.ID)
		} else {
			placed = append(placed, l.ID)
		}
	}
	if o.spec.PerTime {
		return nil
	}
	parts, err := o.restorePartitions(r)
	if err != nil {
		return err
	}
	for i := range o.frames {
		if err := o.restoreAggregates(r, i); err != nil {
			return err
		}
	}
	slices.SortFunc(placed, func(a, b int32) int { return cmp.Compare(o.word(a, positionWord), o.word(b, positionWord)) })
	if err := o.rejoin(placed, parts); err != nil {
		return err
	}
	return o.resumeIdle(r)
}

func (o *over) restorePartitions(r state.Reader) (map[int32]restored, error) {
	parts := map[int32]restored{}
	err := r.Keyed(partitionTable, o.env.Keys, func(c *state.Chunk) error {
		if err := o.layout.CheckChunk(c, 1); err != nil {
			return err
		}
		for i := range c.Rows() {
			if c.Deleted != nil && c.Deleted[i] {
				if slot := o.partitions.Seek(c, i); slot >= 0 {
					o.partitions.Delete(slot)
					o.parts[slot] = nil
					delete(parts, slot)
				}
				continue
			}
			slot, err := o.partitions.Put(c, i)
			if err != nil {
				return err
			}
			p, ok := o.decode(o.part(slot), c.Bytes[o.layout.ExtraBytes()].At(i))
			if !ok {
				return damaged()
			}
			parts[slot] = p
		}
		return nil
	})
	return parts, err
}

func (o *over) restoreAggregates(r state.Reader, i int) error {
	f := &o.frames[i]
	if f.set == nil || !f.running {
		return nil
	}
	return r.Keyed(o.aggregateTable(i), o.env.Keys, func(c *state.Chunk) error {
		if err := f.set.Check(o.layout, c); err != nil {
			return err
		}
		for i := range c.Rows() {
			if _, err := f.groups.Load(c, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// rejoin puts rows, in the order of their positions, back into their partitions and makes these whole.
func (o *over) rejoin(placed []int32, parts map[int32]restored) error {
	kept := map[int32]map[int64]int32{}
	ok := true
	o.find(placed, func(p *partition, id int32) {
		at := o.word(id, positionWord)
		if kept[p.slot] == nil {
			kept[p.slot] = map[int64]int32{}
		}
		kept[p.slot][at] = id
		if at >= p.base {
			ok = ok && at == p.end()
			p.rows = append(p.rows, id)
		}
	})
	for slot := range int32(len(o.parts)) {
		p := o.parts[slot]
		if p == nil {
			continue
		}
		for i, pins := range parts[slot].pins {
			for _, at := range pins {
				id, found := kept[slot][at]
				if ok = ok && found; ok {
					p.scans[i].pins = append(p.scans[i].pins, o.pin(id))
				}
			}
		}
		if !ok || p.next < p.base || p.next > p.end() {
			return damaged()
		}
		if err := o.reaccumulate(p); err != nil {
			return err
		}
		if p.next < p.end() {
			p.waiting = true
			o.waiting = append(o.waiting, p)
		}
	}
	return nil
}

// reaccumulate fills the accumulators of bounded frames.
func (o *over) reaccumulate(p *partition) error {
	for i := range o.frames {
		f, c := &o.frames[i], &p.frames[i]
		if f.set == nil {
			continue
		}
		lo, hi := c.lo, c.hi
		if !f.running {
			if lo < p.base || lo > hi || hi > p.end() {
				return damaged()
			}
			c.lo, c.hi = lo, lo
		}
		if err := o.accumulate(p, i, lo, hi); err != nil {
			return err
		}
		c.lo, c.hi = lo, hi
	}
	return nil
}

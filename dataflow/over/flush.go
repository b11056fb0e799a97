package over

import (
	"bytes"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
)

// flush puts out what has changed since the last flush, and takes back what has been idle for too long.
func (u *updating) flush(now int64, out operator.Emitter) error {
	u.idle.Expired(max(now, 1), u.partitions, u.clear)
	for i := range u.changed {
		c := &u.changed[i]
		if err := u.refresh(c); err != nil {
			return err
		}
		if err := u.emitChanges(c, out); err != nil {
			return err
		}
		if w := u.words(c.slot); w[rootWord] == 0 {
			u.dropPartition(c.slot)
		} else {
			w[changedWord] = 0
		}
	}
	u.changed = u.changed[:0]
	u.metrics.StateBytes.Store(u.size() + u.shown.memory())
	return u.emit(out)
}

// clear takes all rows out of a partition.
func (u *updating) clear(slot int32) {
	w := u.words(slot)
	c := u.change(w, slot)
	root := int32(w[rootWord])
	for _, id := range u.tree.AppendRange(u.view.rows[:0], root, 0, u.tree.Len(root)) {
		u.leave(c, id)
	}
	w[rootWord] = 0
}

func (u *updating) dropPartition(slot int32) {
	for i := range u.frames {
		if f := &u.frames[i]; f.set != nil {
			u.forget(f, slot)
		}
	}
	u.partitions.Delete(slot)
}

// refresh computes the results of the rows that the changes of a partition reach and collects those that are new.
func (u *updating) refresh(c *change) error {
	u.pieces, u.fresh = u.pieces[:0], u.fresh[:0]
	w := u.words(c.slot)
	root := int32(w[rootWord])
	if root == 0 {
		return nil
	}
	u.ranges = u.ranges[:0]
	for _, s := range c.places {
		r := u.affected(root, s)
		if n := len(u.ranges); n > 0 && r.from <= u.ranges[n-1].until {
			u.ranges[n-1].until = max(r.until, u.ranges[n-1].until)
		} else if r.from < r.until {
			u.ranges = append(u.ranges, r)
		}
	}
	for _, r := range u.ranges {
		if err := u.evaluate(c.slot, r); err != nil {
			return err
		}
	}
	return nil
}

// evaluate computes the results of a range of a partition's rows.
func (u *updating) evaluate(slot int32, r span) error {
	w := u.words(slot)
	if err := u.look(slot, w, r); err != nil {
		return err
	}
	p := u.view
	for at := r.from; at < r.until; {
		u.results.Reset()
		first := at
		for ; at < r.until && at-first < maxRows; at++ {
			if err := u.put(p, at); err != nil {
				return err
			}
		}
		for i := range int(at - first) {
			u.collect(p.row(first+int64(i)), i)
		}
	}
	for i := range u.frames {
		switch f := &u.frames[i]; {
		case f.set == nil:
		case f.running:
			w[heldWord+i] = p.frames[i].hi - 1
		default:
			u.forget(f, slot)
		}
	}
	return nil
}

// collect keeps row i of the results for a row if it differs from what was put out.
func (u *updating) collect(id int32, i int) {
	from := len(u.fresh)
	u.fresh = ordered.AppendRow(u.fresh, u.columns, i)
	if old, ok := u.shown.get(id); ok && bytes.Equal(old, u.fresh[from:]) {
		u.fresh = u.fresh[:from]
		return
	}
	u.pieces = append(u.pieces, piece{id, from, len(u.fresh)})
}

// emitChanges puts out a partition's changes: what leaves, then what comes. They go into one batch if they fit.
func (u *updating) emitChanges(c *change, out operator.Emitter) error {
	if n := u.out.Rows() + len(c.gone) + 2*len(u.pieces); u.out.Rows() > 0 && n > maxRows {
		if err := u.emit(out); err != nil {
			return err
		}
	}
	for _, id := range c.gone {
		old, _ := u.shown.get(id)
		if err := u.write(id, old, column.Retract, out); err != nil {
			return err
		}
		u.shown.drop(id)
		u.rows.Free(id, true)
	}
	for _, p := range u.pieces {
		if old, ok := u.shown.get(p.id); ok {
			if err := u.write(p.id, old, column.Retract, out); err != nil {
				return err
			}
		}
	}
	for _, p := range u.pieces {
		u.shown.set(p.id, u.fresh[p.from:p.until])
		if err := u.write(p.id, u.fresh[p.from:p.until], column.Insert, out); err != nil {
			return err
		}
	}
	return nil
}

// write appends a row with its results to the output.
func (u *updating) write(id int32, results []byte, change column.Change, out operator.Emitter) error {
	if u.out.Rows() >= maxRows {
		if err := u.emit(out); err != nil {
			return err
		}
	}
	u.rows.Append(id, u.outRow)
	if !ordered.TakeRow(results, u.outCall) {
		panic("over: results that were kept cannot be decoded")
	}
	u.out.AppendTime(u.rows.Time(id), change)
	return nil
}

// emit puts out what is held.
func (u *updating) emit(out operator.Emitter) error {
	if u.out.Rows() == 0 {
		return nil
	}
	err := out.Emit(u.out.Batch())
	u.out.Reset()
	return err
}

// look makes the view of a partition from which the results of a range of its rows follow, with the frames standing at the
// first of them.
func (u *updating) look(slot int32, w []int64, r span) error {
	root := int32(w[rootWord])
	v := u.reach(root, w, r)
	p := u.view
	p.slot, p.base, p.next, p.head = slot, v.from, r.from, 0
	p.rows = u.tree.AppendRange(p.rows[:0], root, v.from-1, v.until-1)
	u.number(root, p)
	u.peers.slot = -1
	for i := range u.frames {
		f, c := &u.frames[i], &p.frames[i]
		*c = cursor{v.from, v.from, -1}
		if !f.running {
			continue
		}
		hi := u.edge(root, r.from, f.Unit, f.To, true)
		if *c = (cursor{1, hi, -1}); f.set == nil {
			continue
		}
		c.group = u.accumulators(f, slot)
		held := w[heldWord+i]
		if held >= hi && rebuilds(held, hi) {
			u.forget(f, slot)
			c.group, held = u.accumulators(f, slot), 0
		}
		for ; held >= hi; held-- {
			if err := u.feed(f, c.group, p.row(held), column.Retract); err != nil {
				return err
			}
		}
		c.hi = held + 1
	}
	for i := range u.calls {
		if c := &u.calls[i]; c.scans {
			u.seed(root, &p.scans[i], c, r.from)
		}
	}
	return nil
}

// rebuilds reports whether accumulators that hold rows behind a position are sooner made again than these taken back.
func rebuilds(held, hi int64) bool { return hi-1 < held-(hi-1) }

// number writes positions, groups and peers into the rows of a view. Groups count from the first row of the view, unless
// dense ranks, which are known for rows in front of a change, need them from the first of the partition.
func (u *updating) number(root int32, p *partition) {
	if len(p.rows) == 0 {
		return
	}
	first := u.rows.Own(p.rows[0])
	group, peer := int64(1), int64(1)
	if p.base > 1 {
		group = max(1, first[groupWord])
		peer = u.edge(root, p.base, graph.Groups, graph.Bound{Kind: graph.CurrentRow}, false)
	}
	rows := p.rows
	p.rows = p.rows[:1]
	first[positionWord], first[groupWord], first[peerWord] = p.base, group, peer
	for _, id := range rows[1:] {
		u.join(p, id)
	}
}

// seed makes what a call remembers of the rows before the first of a range.
func (u *updating) seed(root int32, s *scan, c *call, from int64) {
	until := from
	if c.frame >= 0 {
		f := &u.frames[c.frame]
		until = u.edge(root, from, f.Unit, f.To, true)
	}
	s.at, s.count, s.pins = until, 0, s.pins[:0]
	keep := int64(1)
	switch c.kind {
	case lag:
		keep = c.n
		fallthrough
	case lastValue:
		for at := until - 1; at >= 1 && int64(len(s.pins)) < keep; at-- {
			if id := u.tree.At(root, at-1); !u.isNull(id, c.Args[0]) {
				s.pins = append(s.pins, id)
			}
		}
		for i, j := 0, len(s.pins)-1; i < j; i, j = i+1, j-1 {
			s.pins[i], s.pins[j] = s.pins[j], s.pins[i]
		}
		return
	}
	n := c.n // of first_value 1
	if !c.IgnoreNulls {
		s.count = until - 1
		if n < until {
			s.pins = append(s.pins, u.tree.At(root, n-1))
		}
		return
	}
	for at := int64(1); at < until && s.count < n; at++ {
		if id := u.tree.At(root, at-1); !u.isNull(id, c.Args[0]) {
			if s.count++; s.count == n {
				s.pins = append(s.pins, id)
			}
		}
	}
}

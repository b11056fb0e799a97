package agg

import (
	"encoding/binary"

	"wadi/dataflow/column"
)

// distinct feeds another aggregate with each distinct value once: with an insert when the value appears in the group and
// a retraction when its last row is gone. Words: the group's set, then the other aggregate's.
type distinct struct {
	args []int
	call Call
	acc  accumulator

	slots, rows []int32
	deltas      []int64
	values      []column.Vector
	cols        []column.Vector
	change      []column.Change
	in          input
}

// distinctSide is the sets of distinct and what the other aggregate keeps, which may be nothing.
type distinctSide struct {
	set   *multiset
	inner side
}

func newDistinct(c *Call, acc accumulator) accumulator {
	return &distinct{args: c.Args, call: *c, acc: acc}
}

func (a *distinct) words() int       { return 1 + a.acc.words() }
func (a *distinct) invertible() bool { return a.acc.invertible() }

func (a *distinct) newSide() side {
	return &distinctSide{set: newMultiset(a.call.ArgTypes, nil), inner: a.acc.newSide()}
}

func (a *distinct) inner(s states) states {
	return states{w: s.w[min(1, len(s.w)):], stride: s.stride, side: s.side.(*distinctSide).inner}
}

func (a *distinct) update(s states, in *input) error {
	a.values = a.values[:0]
	for _, c := range a.args {
		a.values = append(a.values, in.cols[c])
	}
	a.slots, a.rows, a.deltas = notNull(in, a.values, a.slots[:0], a.rows[:0], a.deltas[:0])
	n := a.values[0].Len()
	s.side.(*distinctSide).set.apply(s, a.values, n, a.slots, a.rows, a.deltas)
	return a.pass(s, in.cols, n, a.slots, a.rows)
}

// pass hands on the rows that made a value appear or vanish. A value may do both within one batch, in different rows.
func (a *distinct) pass(s states, cols []column.Vector, n int, slots, rows []int32) error {
	m := s.side.(*distinctSide).set
	a.in.cols, a.in.slots, a.in.rows = cols, a.in.slots[:0], a.in.rows[:0]
	a.change = resize(a.change, n)
	for i, j := range m.crossed {
		a.in.slots = append(a.in.slots, slots[j])
		a.in.rows = append(a.in.rows, rows[j])
		a.change[rows[j]] = m.change[i]
	}
	a.in.change = a.change
	return a.acc.update(a.inner(s), &a.in)
}

func (a *distinct) merge(s states, to []int32, src states, from []int32, sign int64) error {
	m := s.side.(*distinctSide).set
	m.copyFrom(src.side.(*distinctSide).set, src, to, from, sign)
	a.values = m.copiedValues(a.values)
	m.apply(s, a.values, len(m.groups), m.groups, m.all, m.deltas)
	for i, c := range a.args {
		for len(a.cols) <= c {
			a.cols = append(a.cols, nil)
		}
		a.cols[c] = a.values[i]
	}
	return a.pass(s, a.cols, len(m.groups), m.groups, m.all)
}

func (a *distinct) result(s states, slots []int32, out column.Appender) error {
	return a.acc.result(a.inner(s), slots, out)
}

func (d *distinctSide) readAhead(s states, slots []int32) { d.set.readAhead(s, slots) }

func (d *distinctSide) free(w []int64) {
	d.set.free(w)
	if d.inner != nil {
		d.inner.free(w[1:])
	}
}

func (d *distinctSide) save(w []int64, buf []byte) []byte {
	if d.inner == nil {
		return d.set.save(w, buf)
	}
	at := len(buf)
	buf = d.inner.save(w[1:], append(buf, 0, 0, 0, 0))
	binary.LittleEndian.PutUint32(buf[at:], uint32(len(buf)-at-4))
	return d.set.save(w, buf)
}

func (d *distinctSide) load(slot int32, w []int64, data []byte) bool {
	if d.inner != nil {
		if len(data) < 4 {
			return false
		}
		n := uint64(binary.LittleEndian.Uint32(data))
		if data = data[4:]; n > uint64(len(data)) || !d.inner.load(slot, w[1:], data[:n]) {
			return false
		}
		data = data[n:]
	}
	return d.set.load(slot, w, data)
}

func (d *distinctSide) reset() {
	d.set.reset()
	if d.inner != nil {
		d.inner.reset()
	}
}

func (d *distinctSide) size() int64 {
	n := d.set.size()
	if d.inner != nil {
		n += d.inner.size()
	}
	return n
}

package over

import (
	"math"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
)

// frame is the frame that some calls share, with the aggregates among them.
type frame struct {
	graph.Frame
	// bounded frames let rows go at their beginning.
	bounded bool
	set     *agg.Set
	groups  *agg.Groups
	calls   []int
	out     []column.Appender
}

// move moves the frame on to the row at a position.
func (o *over) move(p *partition, i int, at int64) error {
	f, c := &o.frames[i], &p.frames[i]
	lo, hi := c.lo, c.hi
	for hi < p.end() && o.within(p, f.Unit, f.To, at, hi) {
		hi++
	}
	if f.bounded {
		for lo < hi && o.before(p, f.Unit, f.From, at, lo) {
			lo++
		}
	}
	if f.set != nil {
		if err := o.accumulate(p, i, lo, hi); err != nil {
			return err
		}
	}
	c.lo, c.hi = lo, hi
	return nil
}

// within reports whether the row at r lies before the end of the frame of the row at a position.
func (o *over) within(p *partition, unit graph.FrameUnit, b graph.Bound, at, r int64) bool {
	if b.Kind == graph.UnboundedFollowing {
		return true
	}
	return o.distance(p, unit, b, at, r) <= 0
}

// before reports whether it lies before its beginning.
func (o *over) before(p *partition, unit graph.FrameUnit, b graph.Bound, at, r int64) bool {
	if b.Kind == graph.UnboundedPreceding {
		return false
	}
	return o.distance(p, unit, b, at, r) < 0
}

// distance tells whether the row at r lies before (-1), at (0) or behind (1) a bound of the row at a position.
func (o *over) distance(p *partition, unit graph.FrameUnit, b graph.Bound, at, r int64) int {
	n := int64(0)
	switch b.Kind {
	case graph.Preceding:
		n = -b.N
	case graph.Following:
		n = b.N
	case graph.UnboundedPreceding:
		return 1
	case graph.UnboundedFollowing:
		return -1
	}
	switch {
	case unit == graph.Rows:
		return compare(r, add(at, n))
	case unit == graph.Groups || b.Kind == graph.CurrentRow:
		return compare(o.group(p, r), add(o.group(p, at), n))
	}
	x, y := o.rows.Own(p.row(r)), o.rows.Own(p.row(at))
	if c := compare(x[classWord], y[classWord]); c != 0 || x[classWord] != 0 {
		return c
	}
	return compare(x[valueWord], add(y[valueWord], n))
}

func compare(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// add saturates.
func add(a, b int64) int64 {
	s := a + b
	if b > 0 && s < a {
		return math.MaxInt64
	}
	if b < 0 && s > a {
		return math.MinInt64
	}
	return s
}

// accumulate adds the rows that enter a frame and takes back those that leave it.
func (o *over) accumulate(p *partition, i int, lo, hi int64) error {
	f, c := &o.frames[i], &p.frames[i]
	if c.group < 0 {
		o.slot = f.groups.Table.FindOrInsertFrom(o.partitions, []int32{p.slot}, o.slot)
		c.group = o.slot[0]
	}
	for r := max(c.hi, lo); r < hi; r++ { // those that have left again were never in it
		if err := o.feed(f, c.group, p.row(r), column.Insert); err != nil {
			return err
		}
	}
	for r := c.lo; r < min(lo, c.hi); r++ {
		if err := o.feed(f, c.group, p.row(r), column.Retract); err != nil {
			return err
		}
	}
	return nil
}

// feed adds one row to accumulators, or takes it back.
func (o *over) feed(f *frame, group, id int32, change column.Change) error {
	o.one.Reset()
	row := o.rows.Row(id)
	for i, needed := range o.needed {
		if !needed {
			row = ordered.Skip(row, o.in.Field(i).Type)
			continue // nobody looks at the column
		}
		row = take(row, o.oneCols[i])
	}
	o.one.AppendTime(o.rows.Time(id), change)
	b := *o.one.Batch()
	if !f.bounded {
		b.Change = nil
	}
	o.slot = append(o.slot[:0], group)
	if !f.bounded {
		f.groups.Table.MarkDirty(o.slot)
	}
	return f.groups.Update(&b, o.slot, zero)
}

var zero = []int32{0}

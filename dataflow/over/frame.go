package over

import (
	"cmp"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
)

// frame is the frame that some calls share, with the aggregates among them.
type frame struct {
	graph.Frame
	// running frames begin at the first row. Others let rows go at their beginning.
	running bool
	// values is set if there are calls that have a value of a row of the frame.
	values bool
	// retracts says that accumulators take rows back.
	retracts bool
	set      *agg.Set
	groups   *agg.Groups
	calls    []int
	out      []column.Appender
}

// move moves the frame on to the row at a position.
func (e *evaluator) move(p *partition, i int, at int64) error {
	f, c := &e.frames[i], &p.frames[i]
	lo, hi := c.lo, c.hi
	for hi < p.end() && e.within(p, f, at, hi) {
		hi++
	}
	if !f.running {
		for lo < hi && e.side(p, f.Unit, f.From, at, lo) < 0 {
			lo++
		}
	}
	if f.set != nil {
		if err := e.accumulate(p, i, lo, hi); err != nil {
			return err
		}
	}
	c.lo, c.hi = lo, hi
	return nil
}

// within reports whether the row at r lies before the end of the frame of the row at a position.
func (e *evaluator) within(p *partition, f *frame, at, r int64) bool {
	return e.side(p, f.Unit, f.To, at, r) <= 0
}

// side tells whether the row at r lies before (-1), at (0) or behind (1) a bound of the row at a position.
func (e *evaluator) side(p *partition, unit graph.FrameUnit, b graph.Bound, at, r int64) int {
	switch {
	case b.Kind == graph.UnboundedPreceding:
		return 1
	case b.Kind == graph.UnboundedFollowing:
		return -1
	case unit == graph.Rows:
		return cmp.Compare(r, add(at, b.Distance()))
	case unit == graph.Groups || b.Kind == graph.CurrentRow:
		return cmp.Compare(e.group(p, r), add(e.group(p, at), b.Distance()))
	}
	return e.measure.compare(e.rows.Own(p.row(r)), e.rows.Own(p.row(at)), b)
}

// accumulate adds the rows that enter a frame and takes back those that leave it.
func (e *evaluator) accumulate(p *partition, i int, lo, hi int64) error {
	f, c := &e.frames[i], &p.frames[i]
	if c.group < 0 {
		e.slot = f.groups.Table.FindOrInsertFrom(e.partitions, []int32{p.slot}, e.slot)
		c.group = e.slot[0]
	}
	for r := max(c.hi, lo); r < hi; r++ { // those that have left again were never in it
		if err := e.feed(f, c.group, p.row(r), column.Insert); err != nil {
			return err
		}
	}
	for r := c.lo; r < min(lo, c.hi); r++ {
		if err := e.feed(f, c.group, p.row(r), column.Retract); err != nil {
			return err
		}
	}
	return nil
}

// feed adds one row to accumulators, or takes it back.
func (e *evaluator) feed(f *frame, group, id int32, change column.Change) error {
	e.one.Reset()
	row := e.rows.Row(id)
	for i, needed := range e.needed {
		if !needed {
			row = ordered.Skip(row, e.in.Field(i).Type)
			continue // nobody looks at the column
		}
		row = take(row, e.oneCols[i])
	}
	e.one.AppendTime(e.rows.Time(id), change)
	b := *e.one.Batch()
	if !f.retracts {
		b.Change = nil
	}
	e.slot = append(e.slot[:0], group)
	if f.running {
		f.groups.Table.MarkDirty(e.slot)
	}
	return f.groups.Update(&b, e.slot, zero)
}

var zero = []int32{0}

// excluded gives the positions of the frame's rows that are left out for the row at a position; that of keep, which may be
// among them, stays.
func (e *evaluator) excluded(p *partition, f *frame, c *cursor, at int64) (from, until, keep int64) {
	keep = -1
	switch f.Exclude {
	case graph.NoExclusion:
		return 0, 0, keep
	case graph.ExcludeCurrentRow:
		from, until = at, at+1
	case graph.ExcludeTies:
		keep = at
		fallthrough
	case graph.ExcludeGroup:
		from, until = e.word(p.row(at), peerWord), e.lastPeer(p, at)+1
	}
	return max(from, c.lo), min(until, c.hi), keep
}

// result appends the aggregates of a frame for the row at a position. What the frame excludes is taken back for as long.
func (e *evaluator) result(p *partition, i int, at int64) error {
	f, c := &e.frames[i], &p.frames[i]
	from, until, keep := e.excluded(p, f, c, at)
	change := func(change column.Change) error {
		for r := from; r < until; r++ {
			if r == keep {
				continue
			}
			if err := e.feed(f, c.group, p.row(r), change); err != nil {
				return err
			}
		}
		return nil
	}
	if from < until {
		if err := change(column.Retract); err != nil {
			return err
		}
	}
	e.slot = append(e.slot[:0], c.group)
	if err := f.groups.Result(e.slot, f.out); err != nil || from >= until {
		return err
	}
	return change(column.Insert)
}

package unnest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// call is one list, map or series, of the input row at hand.
type call struct {
	spec *graph.UnnestCall
	out  []column.Appender
	// taken counts the values that out has been given, or will be when picked is copied, for the rows at hand.
	taken int

	// list is the column of lists or maps; next and end are what is left of the row's elements, null that one null is.
	list      *column.List
	next, end int32
	null      bool
	// picked are the elements to copy to out.
	picked []int32

	// series makes the values between the bounds, unless one of them is null.
	series *expr.Series
	bounds [3]column.Vector
	empty  bool
}

func newCall(spec *graph.UnnestCall, in *arrow.Schema) (call, error) {
	c := call{spec: spec}
	for _, a := range spec.Args {
		if a >= in.NumFields() {
			return c, fault.Internalf("unnest of column %d of %d", a, in.NumFields())
		}
	}
	dt := in.Field(spec.Args[0]).Type
	switch spec.Kind {
	case graph.UnnestList:
		if l, ok := dt.(*arrow.ListType); ok {
			c.out = []column.Appender{column.NewAppender(l.Elem())}
			return c, nil
		}
	case graph.UnnestMap:
		if m, ok := dt.(*arrow.MapType); ok {
			c.out = []column.Appender{column.NewAppender(m.KeyType()), column.NewAppender(m.ItemType())}
			return c, nil
		}
	case graph.UnnestSeries:
		c.out = []column.Appender{column.NewAppender(dt)}
		c.series = expr.NewSeries(dt, spec.Including)
		return c, nil
	}
	return c, fault.Internalf("no unnest of kind %d of %s", spec.Kind, dt)
}

// open takes over the columns of a batch.
func (c *call) open(b *column.Batch) {
	if c.series == nil {
		c.list = b.Cols[c.spec.Args[0]].(*column.List)
		return
	}
	for i, a := range c.spec.Args {
		c.bounds[i] = b.Cols[a]
	}
}

// start goes to input row r.
func (c *call) start(r int32) error {
	if c.series != nil {
		return c.startSeries(int(r))
	}
	c.next, c.end, c.null = 0, 0, false
	if c.list.Valid.IsValid(int(r)) {
		c.next, c.end = c.list.Offsets[r], c.list.Offsets[r+1]
	} else {
		c.null = c.spec.NullRow
	}
	return nil
}

func (c *call) startSeries(r int) error {
	c.empty = false
	for _, v := range c.bounds {
		c.empty = c.empty || !v.Validity().IsValid(r)
	}
	if c.empty {
		return nil
	}
	ok := false
	if every, is := c.bounds[2].(*column.Fixed[arrow.MonthDayNanoInterval]); is {
		ok = c.series.Every(column.Integer(c.bounds[0], r), column.Integer(c.bounds[1], r), every.Values[r])
	} else {
		ok = c.series.Count(column.Integer(c.bounds[0], r), column.Integer(c.bounds[1], r), column.Integer(c.bounds[2], r))
	}
	if ok {
		return nil
	}
	// The place is the operator's.
	return fault.Userf(fault.CodeInvalid, fault.Span{}, "%s", c.series.BadStep()).WithHint("leave such rows out, or give a step that leads from start to stop")
}

// take gives out up to n of the values that are left, and tells how many it gave.
func (c *call) take(n int) int {
	c.taken = 0
	switch {
	case c.series != nil:
		if !c.empty {
			c.taken = c.series.Append(c.out[0], n)
		}
	case c.null && n > 0:
		c.null = false
		c.copy()
		c.appendNulls(1)
		c.taken = 1
	default:
		c.taken = min(n, int(c.end-c.next))
		for range c.taken {
			c.picked = append(c.picked, c.next)
			c.next++
		}
	}
	return c.taken
}

// pad makes up for what take gave less than n.
func (c *call) pad(n int) {
	if n == c.taken {
		return
	}
	c.copy()
	c.appendNulls(n - c.taken)
	c.taken = n
}

func (c *call) appendNulls(n int) {
	for range n {
		for _, o := range c.out {
			o.AppendNull()
		}
	}
}

// copy puts the elements picked so far into out.
func (c *call) copy() {
	if len(c.picked) == 0 {
		return
	}
	if c.spec.Kind == graph.UnnestMap {
		entries := c.list.Elem.(*column.Struct)
		for i, o := range c.out {
			o.AppendSel(entries.Children[i], c.picked)
		}
	} else {
		c.out[0].AppendSel(c.list.Elem, c.picked)
	}
	c.picked = c.picked[:0]
}

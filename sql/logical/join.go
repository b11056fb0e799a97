package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// JoinBy is how a join is computed, which follows from its inputs and its condition.
type JoinBy uint8

// The ways to join.
const (
	// ByKey keeps the rows of both sides: an updating join.
	ByKey JoinBy = iota
	// ByWindow matches results of the same window.
	ByWindow
	// ByInterval matches rows whose event times are near each other.
	ByInterval
	// ByRows looks up, for each row of one side, those of the other, which stand in the query. Package rewrite makes it a
	// lateral query.
	ByRows
)

// JoinKey is one pair of values that must be equal, each over its own side's columns.
type JoinKey struct {
	Left, Right *expr.Node
	// NullSafe: null equals null.
	NullSafe bool
}

// On is what a Join is made from.
type On struct {
	Kind graph.JoinKind
	// Conds are the terms of the condition, over the left columns followed by the right ones.
	Conds []*expr.Node
	// NullAware makes an anti join a NOT IN; the first of Conds is then the comparison.
	NullAware bool
	// AcrossWindows joins come from subqueries and set operations: results of the same window match as results of others do,
	// unless the condition compares the windows.
	AcrossWindows bool
	// LeftTime is as in graph.JoinOn.
	LeftTime bool
	// TTL is as in graph.JoinSpec.
	TTL int64
	// Pinned joins belong to a view, as in Group.
	Pinned bool
}

// Join puts rows of two relations together. Its columns are those of the left side and then, but for semi and anti joins,
// those of the right one.
type Join struct {
	base
	On
	Left, Right Node
	By          JoinBy
	// Keys and Residual are what Conds come to: equalities, and what has to be true of a pair beside them. Residual has no
	// term that an interval join checks by itself.
	Keys     []JoinKey
	Residual []*expr.Node
	// Lower and Upper are as in graph.IntervalJoinSpec.
	Lower, Upper int64
}

// NewJoin makes a Join and decides how it is computed.
func NewJoin(left, right Node, on On, span fault.Span) *Join {
	j := &Join{On: on, Left: left, Right: right}
	j.base.span = span
	j.split()
	j.decide()
	j.base.schema = j.columns()
	j.base.props = j.properties()
	return j
}

// Inputs implements Node.
func (j *Join) Inputs() []Node { return []Node{j.Left, j.Right} }

// WithInputs implements Node.
func (j *Join) WithInputs(in []Node) Node { return NewJoin(in[0], in[1], j.On, j.span) }

// RightColumns reports whether the right side's columns are in the output.
func (j *Join) RightColumns() bool { return j.Kind != graph.SemiJoin && j.Kind != graph.AntiJoin }

// Side says which sides of a join an expression looks at.
type Side uint8

// The sides, to be combined.
const (
	LeftSide Side = 1 << iota
	RightSide
)

// SideOf gives the sides of the columns in an expression, when the left one has this many columns.
func SideOf(n *expr.Node, left int) Side {
	var s Side
	n.Walk(func(x *expr.Node) bool {
		if x.Kind == expr.Column {
			if x.Index < left {
				s |= LeftSide
			} else {
				s |= RightSide
			}
		}
		return true
	})
	return s
}

// Shift moves the columns of an expression by some places.
func Shift(n *expr.Node, by int) *expr.Node {
	return n.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			x.Index += by
		}
		return x
	})
}

// split divides the terms into keys and the rest.
func (j *Join) split() {
	n := j.Left.Schema().NumFields()
	for _, c := range j.Conds {
		for _, term := range spread(c) {
			if k, ok := KeyOf(term, n); ok {
				j.Keys = append(j.Keys, k)
			} else {
				j.Residual = append(j.Residual, term)
			}
		}
	}
}

// spread turns the equality of two windows into that of their ends, which hash faster and mean the same.
func spread(c *expr.Node) []*expr.Node {
	if c.Kind != expr.Call || c.Name != "eq" || !arrow.TypeEqual(c.Args[0].Type, expr.Window) || !arrow.TypeEqual(c.Args[1].Type, expr.Window) {
		return []*expr.Node{c}
	}
	var out []*expr.Node
	for _, part := range []string{"start", "end"} {
		l, errL := expr.FieldOf(c.Args[0], part, c.Span)
		r, errR := expr.FieldOf(c.Args[1], part, c.Span)
		if errL != nil || errR != nil {
			return []*expr.Node{c}
		}
		eq := *c
		eq.Args = []*expr.Node{l, r}
		out = append(out, &eq)
	}
	return out
}

// KeyOf recognises left = right and left IS NOT DISTINCT FROM right, when the left side has this many columns.
func KeyOf(c *expr.Node, left int) (JoinKey, bool) {
	if c.Kind != expr.Call || c.Name != "eq" && c.Name != "is_not_distinct_from" || !arrow.TypeEqual(c.Args[0].Type, c.Args[1].Type) {
		return JoinKey{}, false
	}
	a, b := c.Args[0], c.Args[1]
	if SideOf(a, left) == RightSide {
		a, b = b, a
	}
	if SideOf(a, left) != LeftSide || SideOf(b, left) != RightSide {
		return JoinKey{}, false
	}
	return JoinKey{a, Shift(b, -left), c.Name == "is_not_distinct_from"}, true
}

// decide chooses how the join is computed.
func (j *Join) decide() {
	if _, ok := j.ConstantSide(); ok {
		j.By = ByRows
		return
	}
	l, r := j.Left.Properties(), j.Right.Properties()
	if l.Mode != graph.Append || r.Mode != graph.Append || j.NullAware {
		return
	}
	if l.Window != nil && r.Window != nil && *l.Window == *r.Window &&
		(!j.AcrossWindows && EndsApart(*l.Window) || j.comparesWindows(l, r)) {
		j.By = ByWindow
		return
	}
	j.interval(l, r)
}

// ConstantSide gives the side whose rows stand in the query, if none of them has to be there without a match.
func (j *Join) ConstantSide() (Side, bool) {
	switch j.Kind {
	case graph.InnerJoin, graph.LeftJoin, graph.SemiJoin, graph.AntiJoin:
		if Constant(j.Right) {
			return RightSide, true
		}
	}
	return LeftSide, (j.Kind == graph.InnerJoin || j.Kind == graph.RightJoin) && Constant(j.Left)
}

// comparesWindows reports whether a key says that the windows of both sides end at the same time.
func (j *Join) comparesWindows(left, right Properties) bool {
	for _, k := range j.Keys {
		l, okL := left.WindowPart(k.Left)
		r, okR := right.WindowPart(k.Right)
		if okL && okR && l == r && l.Identifies(*left.Window) {
			return true
		}
	}
	return false
}

// columns is the output: a side that may be padded with nulls can be null throughout.
func (j *Join) columns() *arrow.Schema {
	var fields []arrow.Field
	for _, f := range j.Left.Schema().Fields() {
		f.Nullable = f.Nullable || j.Kind == graph.RightJoin || j.Kind == graph.FullJoin
		fields = append(fields, f)
	}
	if j.RightColumns() {
		for _, f := range j.Right.Schema().Fields() {
			f.Nullable = f.Nullable || j.Kind == graph.LeftJoin || j.Kind == graph.FullJoin
			fields = append(fields, f)
		}
	}
	return arrow.NewSchema(fields, nil)
}

func (j *Join) properties() Properties {
	l, r := j.Left.Properties(), j.Right.Properties()
	n := j.Left.Schema().NumFields()
	var p Properties
	// A side keeps what is known of its columns as long as it is never padded.
	keepLeft := j.Kind != graph.RightJoin && j.Kind != graph.FullJoin
	keepRight := j.RightColumns() && (j.Kind == graph.InnerJoin || j.Kind == graph.RightJoin)
	switch j.By {
	case ByKey:
		p.Mode = (&graph.JoinSpec{JoinOn: graph.JoinOn{Kind: j.Kind}}).Mode(l.Mode, r.Mode)
		p.State = StateTTL
		if j.TTL <= 0 {
			p.State = StateUnbounded
		}
		if p.Mode == graph.Updating {
			p.Key = j.key(l.Key, r.Key)
		}
		if !j.RightColumns() {
			p.TimeColumns = l.TimeColumns
		}
		return p
	case ByRows:
		return j.lookUp()
	case ByWindow:
		p.Window = l.Window
		if j.Kind == graph.FullJoin {
			p.Padded = Padded{l.WindowColumns, shiftedWindows(r.WindowColumns, n)}
		}
	}
	p.State = StateWindow
	if j.By == ByInterval {
		// The event time of a pair is the later one; where that is always the same side's, rows stay results of its window.
		keepLeft = keepLeft && (j.Upper <= 0 || !j.RightColumns())
		keepRight = keepRight && j.Lower >= 0
		switch {
		case keepLeft && l.Window != nil:
			p.Window = l.Window
			keepRight = keepRight && (r.Window == nil || *r.Window == *l.Window)
		case keepRight:
			p.Window = r.Window
		}
	}
	if keepLeft {
		p.WindowColumns = append(p.WindowColumns, l.WindowColumns...)
		p.TimeColumns = append(p.TimeColumns, l.TimeColumns...)
	}
	if keepRight {
		p.WindowColumns = append(p.WindowColumns, shiftedWindows(r.WindowColumns, n)...)
		p.TimeColumns = append(p.TimeColumns, shifted(r.TimeColumns, n)...)
	}
	return p
}

// lookUp gives the properties of the side that meets constant rows: it stays what it is.
func (j *Join) lookUp() Properties {
	p, by := j.Left.Properties(), 0
	if side, _ := j.ConstantSide(); side == LeftSide {
		p, by = j.Right.Properties(), j.Left.Schema().NumFields()
	}
	p.State = StateNone
	p.WindowColumns, p.TimeColumns = shiftedWindows(p.WindowColumns, by), shifted(p.TimeColumns, by)
	if p.Key = shifted(p.Key, by); j.RightColumns() {
		p.Key = nil
	}
	return p
}

// key finds what identifies a row of an updating join: a left row's key, and the right's unless a left row has at most one
// match.
func (j *Join) key(left, right []int) []int {
	if !j.RightColumns() {
		return left
	}
	if left == nil || right == nil {
		return nil
	}
	if (j.Kind == graph.InnerJoin || j.Kind == graph.LeftJoin) && j.covers(right) {
		return left
	}
	return append(append([]int(nil), left...), shifted(right, j.Left.Schema().NumFields())...)
}

// covers reports whether the join keys name all these columns of the right side.
func (j *Join) covers(columns []int) bool {
	for _, c := range columns {
		found := false
		for _, k := range j.Keys {
			found = found || k.Right.Kind == expr.Column && k.Right.Index == c && !k.NullSafe
		}
		if !found {
			return false
		}
	}
	return true
}

func shifted(columns []int, by int) []int {
	var out []int
	for _, c := range columns {
		out = append(out, c+by)
	}
	return out
}

package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// overFunctions are the functions that only OVER has, with the most arguments that each takes. Those of the whole partition
// need all its rows.
var overFunctions = map[string]struct {
	args  int
	whole bool
}{
	"lag": {3, false}, "lead": {3, false}, "first_value": {1, false}, "last_value": {1, false}, "nth_value": {2, false},
	"ntile": {1, true}, "percent_rank": {0, true}, "cume_dist": {0, true},
}

// function is a call with OVER that is no rank: its arguments over the SELECT's columns, and how it is called.
type function struct {
	args   []*expr.Node
	filter *expr.Node
	call   graph.OverCall
	whole  bool
	// framed is set for a written frame.
	framed bool
}

// overFunction binds the arguments of a call with OVER.
func (p *place) overFunction(name string, e *ast.Call) (*function, bool) {
	f, own := overFunctions[name]
	if !own {
		c, ok := p.bindCall(name, e)
		if !ok {
			return nil, false
		}
		out := &function{args: c.Args, filter: c.Filter}
		out.call.Call = agg.Call{Name: c.Name, Distinct: c.Distinct, OrderBy: c.OrderBy, Params: c.Params, Filter: -1, Type: c.Type, Nullable: c.Nullable, Span: e.Span()}
		return out, true
	}
	if e.Distinct || e.Filter != nil || len(e.OrderBy) > 0 || len(e.WithinGroup) > 0 {
		p.b.errorf(fault.CodeInvalid, e.Span(), "%s takes neither DISTINCT, FILTER nor ORDER BY", name).WithHint("write them into OVER, or into a subquery")
		return nil, false
	}
	if len(e.Args) > f.args || len(e.Args) == 0 && f.args > 0 || name == "nth_value" && len(e.Args) < 2 {
		p.b.errorf(fault.CodeInvalid, e.Span(), "%s does not take %d arguments", name, len(e.Args)).WithHint("it takes up to %d", f.args)
		return nil, false
	}
	list := make([]ast.Expr, len(e.Args))
	for i, a := range e.Args {
		list[i] = a.Value
	}
	args := p.all(list)
	if args == nil && len(list) > 0 {
		return nil, false
	}
	out := &function{whole: f.whole}
	out.call.IgnoreNulls = e.Nulls == ast.IgnoreNulls
	out.call.Call = agg.Call{Name: name, Filter: -1, Type: arrow.PrimitiveTypes.Int64, Span: e.Span()}
	return out, p.overArguments(out, name, args)
}

// overArguments tells values from positions, and finds the type of the result.
func (p *place) overArguments(f *function, name string, args []*expr.Node) bool {
	position := 1
	switch name {
	case "percent_rank", "cume_dist":
		f.call.Type = arrow.PrimitiveTypes.Float64
		return true
	case "ntile":
		position = 0
	default:
		f.args = args[:1]
		f.call.Type, f.call.Nullable = args[0].Type, true
	}
	if len(args) > position {
		n := expr.Fold(args[position])
		v, ok := n.Value.(int64)
		if !ok || n.Kind != expr.Literal {
			p.b.errorf(fault.CodeInvalid, args[position].Span, "the position that %s takes must be a whole number", name).WithHint("write a number, as in %s(x, 2)", name)
			return false
		}
		if v < 1 && (name == "ntile" || name == "nth_value") {
			p.b.errorf(fault.CodeInvalid, args[position].Span, "%s counts from 1", name).WithHint("write a positive number")
			return false
		}
		f.call.Params = []any{v}
	}
	if len(args) == 3 {
		d := p.castTo(args[2], args[0].Type, false, args[2].Span)
		if d == nil {
			return false
		}
		f.args = []*expr.Node{args[0], d}
	}
	for _, a := range f.args {
		f.call.ArgTypes = append(f.call.ArgTypes, a.Type)
	}
	return true
}

// frame reads the frame of a window; without one it reaches from the first row to those equal to the current one, or over
// the whole partition if there is no order.
func (b *Binder) frame(w *ast.WindowSpec) (graph.Frame, bool) {
	if w.Frame == nil {
		out := graph.Frame{Unit: graph.Range, From: graph.Bound{Kind: graph.UnboundedPreceding}, To: graph.Bound{Kind: graph.CurrentRow}}
		if len(w.OrderBy) == 0 {
			out = graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.UnboundedPreceding}, To: graph.Bound{Kind: graph.UnboundedFollowing}}
		}
		return out, true
	}
	f := w.Frame
	if f.Exclude != ast.ExcludeNoOthers {
		b.unsupported(f.Span(), "EXCLUDE %s is not supported", f.Exclude).WithHint("leave EXCLUDE out")
		return graph.Frame{}, false
	}
	out := graph.Frame{Unit: map[ast.FrameUnits]graph.FrameUnit{ast.FrameRows: graph.Rows, ast.FrameRange: graph.Range, ast.FrameGroups: graph.Groups}[f.Units]}
	from, okFrom := b.bound(f.Start, f.Units)
	to, okTo := b.bound(f.End, f.Units)
	out.From, out.To = from, to
	if okFrom && okTo && (from.Kind > to.Kind || from.Kind == graph.UnboundedFollowing || to.Kind == graph.UnboundedPreceding) {
		b.errorf(fault.CodeInvalid, f.Span(), "the frame ends before it starts").WithHint("write the earlier bound first")
		return out, false
	}
	return out, okFrom && okTo
}

func (b *Binder) bound(x ast.FrameBound, units ast.FrameUnits) (graph.Bound, bool) {
	out := graph.Bound{Kind: map[ast.BoundKind]graph.BoundKind{
		ast.UnboundedPreceding: graph.UnboundedPreceding, ast.Preceding: graph.Preceding, ast.CurrentRow: graph.CurrentRow,
		ast.Following: graph.Following, ast.UnboundedFollowing: graph.UnboundedFollowing,
	}[x.Kind]}
	if x.Offset == nil {
		return out, true
	}
	var n int64
	if units == ast.FrameRange {
		d, err := b.duration(x.Offset)
		if err != nil {
			b.errs = append(b.errs, err)
			return out, false
		}
		n = d
	} else {
		v, ok := b.rows(x.Offset, units.String())
		if !ok {
			return out, false
		}
		n = v
	}
	if n < 0 {
		b.errorf(fault.CodeInvalid, x.Offset.Span(), "the bound of a frame must not be negative").WithHint("write PRECEDING instead of FOLLOWING, or the other way round")
		return out, false
	}
	out.N = n
	return out, true
}

// computeFunction adds the column of a function over rows to an append stream.
func (b *Binder) computeFunction(in logical.Node, c *overCall, keys []*expr.Node, order []sortTerm, move func(*expr.Node) *expr.Node) logical.Node {
	f := c.function
	p := in.Properties()
	if p.Mode == graph.Updating {
		b.unsupported(c.span, "%s OVER rows that are updated is not supported", f.call.Name).
			WithHint("OVER needs rows that are only appended; of updated ones row_number, rank and dense_rank work")
		return nil
	}
	cols := &columns{in: in, span: c.span}
	spec := graph.OverSpec{}
	for _, k := range keys {
		if _, is := windowColumn(k, p.WindowColumns); is {
			spec.PerTime = true
			if p.Window.Kind != logical.Session {
				continue
			}
		}
		spec.Keys = append(spec.Keys, cols.add(k))
	}
	if !spec.PerTime {
		if len(order) == 0 || order[0].desc || !isEventTime(order[0].value, p.TimeColumns) {
			b.unsupported(c.span, "%s OVER needs ORDER BY the event time, ascending", f.call.Name).
				WithHint("write OVER (PARTITION BY … ORDER BY ts) with ts the column of WATERMARK FOR, or put a window into PARTITION BY")
			return nil
		}
		order = order[1:]
		if f.whole || f.call.Frame.To.Kind == graph.UnboundedFollowing {
			b.unsupported(c.span, "%s over all rows to come is not supported", f.call.Name).WithHint("end the frame at CURRENT ROW, or put a window into PARTITION BY")
			return nil
		}
	}
	if spec.PerTime && f.framed && f.call.Frame.Unit == graph.Range && (f.call.Frame.From.N > 0 || f.call.Frame.To.N > 0) {
		b.unsupported(c.span, "a RANGE frame with a distance is not supported inside a window").WithHint("use ROWS or GROUPS")
		return nil
	}
	for _, t := range order {
		spec.Order = append(spec.Order, graph.Order{Column: cols.add(t.value), Desc: t.desc, NullsFirst: t.nullsFirst})
	}
	call := f.call
	call.Args, call.ArgTypes = nil, nil
	for _, a := range f.args {
		if a = move(a); a == nil {
			return nil
		}
		call.Args, call.ArgTypes = append(call.Args, cols.add(a)), append(call.ArgTypes, a.Type)
	}
	if f.filter != nil {
		n := move(f.filter)
		if n == nil {
			return nil
		}
		call.Filter = cols.add(n)
	}
	spec.Calls = []graph.OverCall{call}
	return logical.NewOver(cols.node(), spec, c.span)
}

// isEventTime reports whether an expression is the row's event time.
func isEventTime(n *expr.Node, columns []int) bool {
	if n.Kind == expr.RowTime {
		return true
	}
	for _, c := range columns {
		if n.Kind == expr.Column && n.Index == c {
			return true
		}
	}
	return false
}

// columns are a relation's columns and values computed behind them.
type columns struct {
	in     logical.Node
	exprs  []*expr.Node
	fields []arrow.Field
	span   fault.Span
}

// add gives the column of a value.
func (c *columns) add(n *expr.Node) int {
	if c.exprs == nil {
		c.fields = c.in.Schema().Fields()
		for i, f := range c.fields {
			c.exprs = append(c.exprs, expr.NewColumn(i, f).At(c.span))
		}
	}
	for i, e := range c.exprs {
		if expr.Equal(e, n) {
			return i
		}
	}
	c.exprs, c.fields = append(c.exprs, n), append(c.fields, arrow.Field{Name: "key"})
	return len(c.exprs) - 1
}

// node is the relation with what was added.
func (c *columns) node() logical.Node {
	if len(c.exprs) <= c.in.Schema().NumFields() {
		return c.in
	}
	return logical.NewProject(c.in, c.exprs, c.fields, c.span)
}

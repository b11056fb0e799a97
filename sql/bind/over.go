package bind

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
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

// onlyOver reports whether a name is that of one of them.
func onlyOver(name string) bool {
	_, is := overFunctions[name]
	return is
}

// function is a call with OVER that is no rank: its arguments over the SELECT's columns, and how it is called.
type function struct {
	args   []*expr.Node
	filter *expr.Node
	call   graph.OverCall
	// whole functions look at the whole partition, unframed ones at no frame.
	whole, unframed bool
}

// same reports whether two functions over the same rows have the same results.
func (f *function) same(o *function) bool {
	if (f.filter == nil) != (o.filter == nil) || f.filter != nil && !expr.Equal(f.filter, o.filter) || len(f.args) != len(o.args) {
		return false
	}
	for i := range f.args {
		if !expr.Equal(f.args[i], o.args[i]) {
			return false
		}
	}
	a, b := f.call, o.call
	return a.Name == b.Name && a.Distinct == b.Distinct && a.IgnoreNulls == b.IgnoreNulls && a.Frame == b.Frame &&
		slices.Equal(a.OrderBy, b.OrderBy) && slices.Equal(a.Params, b.Params) && arrow.TypeEqual(a.Type, b.Type)
}

// overFunction binds the arguments of a call with OVER.
func (p *place) overFunction(name string, e *ast.Call, w *ast.WindowSpec) (*function, bool) {
	f, own := overFunctions[name]
	if !own {
		if e.Nulls == ast.IgnoreNulls {
			p.b.errorf(fault.CodeInvalid, e.Span(), "%s OVER takes no IGNORE NULLS", name).WithHint("write %s(x) FILTER (WHERE x IS NOT NULL) OVER (…)", name)
			return nil, false
		}
		ordered := *e
		if len(e.OrderBy) == 0 && len(e.WithinGroup) == 0 && !e.Distinct && p.b.opts.Aggregates.Ordered(name) {
			ordered.OrderBy = w.OrderBy // rows come to the aggregate in the order of the window
		}
		c, ok := p.bindCall(name, &ordered)
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
		err := p.b.errorf(fault.CodeInvalid, e.Span(), "%s does not take %d %s", name, len(e.Args), map[bool]string{true: "argument", false: "arguments"}[len(e.Args) == 1])
		switch {
		case name == "nth_value":
			err.WithHint("write nth_value(x, 2)")
		case f.args == 0:
			err.WithHint("write %s()", name)
		default:
			err.WithHint("it takes up to %d", f.args)
		}
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
	out := &function{whole: f.whole, unframed: !strings.HasSuffix(name, "_value")}
	out.call.IgnoreNulls = e.Nulls == ast.IgnoreNulls
	out.call.Call = agg.Call{Name: name, Filter: -1, Type: arrow.PrimitiveTypes.Int64, Span: e.Span()}
	return out, p.overArguments(out, name, args)
}

// withDefault gives the value of lag or lead and its default a common type; a text that stands there is one of the value's.
func (p *place) withDefault(f *function, value, otherwise *expr.Node) bool {
	text := value.Type.ID() == arrow.STRING
	if s, is := otherwise.Value.(string); is && !text && otherwise.Kind == expr.Literal {
		if otherwise = p.constant(s, value.Type, otherwise.Span, otherwise.Span); otherwise == nil {
			return false
		}
	}
	if !text && otherwise.Type.ID() == arrow.STRING {
		p.b.errorf(expr.CodeTypeMismatch, otherwise.Span, "the default of %s is %s, and the value %s", f.call.Name, expr.TypeName(otherwise.Type), expr.TypeName(value.Type)).
			WithHint("CAST one of them")
		return false
	}
	both := p.function("coalesce", f.call.Span, value, otherwise)
	if both == nil {
		return false
	}
	f.args, f.call.Type = both.Args, both.Type
	return true
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
	if len(args) == 3 && !p.withDefault(f, args[0], args[2]) {
		return false
	}
	for _, a := range f.args {
		f.call.ArgTypes = append(f.call.ArgTypes, a.Type)
	}
	return true
}

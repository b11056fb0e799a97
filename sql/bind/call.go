package bind

import (
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// While a SELECT is bound, aggregate calls and window calls stand in its expressions as columns with these indexes and
// up; grouping replaces them by columns of the aggregation.
// Calls of unnest, calls with OVER and scalar subqueries, until they are computed, and columns of the query around a subquery have indexes below these.
const (
	firstUnnest = 1 << 24
	firstOver   = 1 << 25
	firstOuter  = 1 << 26
	firstScalar = 1 << 27
	firstCall   = 1 << 28
	firstWindow = 1 << 29
)

// collected is the aggregate and window calls of one SELECT.
type collected struct {
	calls   []*logical.Call
	windows []windowCall
}

// windowCall is a call that makes a time window, as written.
type windowCall struct {
	window graph.Window
	name   string
	span   fault.Span
}

func (p *place) call(e *ast.Call) *expr.Node {
	if len(e.Name) != 1 {
		p.b.unsupported(e.Name.Span(), "functions have no qualified names").WithHint("write %s(…)", e.Name.Last().Name)
		return nil
	}
	name := strings.ToLower(e.Name[0].Name)
	switch {
	case e.Over != nil:
		return p.over(name, e)
	case ranks[name] != 0 || onlyOver(name) && !p.b.opts.Aggregates.Has(name):
		arguments := map[bool]string{true: "x"}[overFunctions[name].args > 0]
		p.b.errorf(CodeAggregate, e.Span(), "%s needs OVER", name).WithHint("write %s(%s) OVER (PARTITION BY … ORDER BY …)", name, arguments)
		return nil
	case name == groupingCall:
		return p.grouping(e)
	case windowForms[name].example != "":
		return p.window(name, e)
	case name == "row_time" && len(e.Args) == 0:
		return &expr.Node{Kind: expr.RowTime, Name: name, Type: expr.Timestamp}
	case name == "row_time":
		p.b.errorf(fault.CodeInvalid, e.Span(), "row_time takes no arguments").WithHint("write row_time()")
		return nil
	case name == "unnest":
		return p.unnest(e)
	case name == "metadata":
		p.b.errorf(fault.CodeInvalid, e.Span(), "metadata() stands only in a column's definition").
			WithHint("declare the column as: name TYPE METADATA FROM 'key'")
		return nil
	case p.b.opts.Aggregates.Has(name) && !p.b.opts.Functions.Has(name):
		return p.aggregate(name, e)
	}
	return p.scalar(name, e)
}

func (p *place) scalar(name string, e *ast.Call) *expr.Node {
	// What stands for an operator has no name in the language.
	if !p.b.opts.Functions.Has(name) || p.b.opts.Functions.IsOperator(name) {
		p.unknownFunction(name, e)
		return nil
	}
	if !p.plain(name, e) {
		return nil
	}
	args := make([]ast.Expr, len(e.Args))
	for i, a := range e.Args {
		if _, star := a.Value.(*ast.Star); star || a.Name != nil {
			p.b.errorf(fault.CodeInvalid, a.Span(), "%s takes values, one after the other", name).WithHint("write %s(a, b)", name)
			return nil
		}
		args[i] = a.Value
	}
	bound := p.all(args)
	if bound == nil && len(args) > 0 {
		return nil
	}
	if name == "to_json" && len(args) == 1 && p.isJSON(args[0], bound[0]) {
		return bound[0]
	}
	return p.function(name, e.Span(), bound...)
}

// plain refuses the clauses that only aggregates have.
func (p *place) plain(name string, e *ast.Call) bool {
	switch {
	case e.Distinct:
		p.b.errorf(CodeAggregate, e.Span(), "%s is not an aggregate and takes no DISTINCT", name).WithHint("leave DISTINCT out")
	case e.Filter != nil:
		p.b.errorf(CodeAggregate, e.Filter.Span(), "%s is not an aggregate and takes no FILTER", name).WithHint("use CASE WHEN … THEN … END")
	case len(e.OrderBy) > 0 || len(e.WithinGroup) > 0:
		p.b.errorf(CodeAggregate, e.Span(), "%s is not an aggregate and takes no ORDER BY", name).WithHint("leave ORDER BY out")
	case e.Nulls != ast.NullsUntreated:
		p.b.unsupported(e.Span(), "IGNORE NULLS and RESPECT NULLS are not supported").WithHint("use coalesce")
	default:
		return true
	}
	return false
}

func (p *place) unknownFunction(name string, e *ast.Call) {
	err := p.b.errorf(expr.CodeUnknownFunction, e.Name.Span(), "there is no function %q", name)
	names := []string{"tumble", "hop", "cumulate", "session", "row_time", "unnest", "row_number", "rank", "dense_rank"}
	for over := range overFunctions {
		names = append(names, over)
	}
	for _, n := range p.b.opts.Aggregates.Names() {
		names = append(append(names, n), p.b.opts.Aggregates.Aliases(n)...)
	}
	names = append(names, p.b.opts.Functions.Callable()...)
	if instead := spelledElsewhere[name]; instead != "" {
		err.WithHint("write %s", instead)
		return
	}
	slices.Sort(names)
	if near := fault.Nearest(name, names); near != "" {
		err.WithHint("did you mean %q?", near)
		return
	}
	err.WithHint("the functions are listed in the documentation under SQL functions")
}

// aggregate binds an aggregate call and gives the column that stands for it.
func (p *place) aggregate(name string, e *ast.Call) *expr.Node {
	for _, o := range p.scope.outer {
		if o.call == e {
			o.use(e)
			return expr.NewColumn(o.index, o.field).At(e.Span())
		}
	}
	if p.ofOuter(e) {
		return p.outerAggregate(name, e)
	}
	switch {
	case p.inAggregate:
		p.b.errorf(CodeAggregate, e.Span(), "an aggregate cannot stand inside another").
			WithHint("aggregate in a subquery in FROM, and once more above it")
		return nil
	case p.aggregates == nil:
		err := p.b.errorf(CodeAggregate, e.Span(), "aggregates cannot stand in %s", p.clause)
		if p.clause == "WHERE" {
			err.WithHint("conditions on aggregates belong in HAVING")
		} else {
			err.WithHint("compute it in a subquery in FROM")
		}
		return nil
	case len(e.OrderBy) > 0 && len(e.WithinGroup) > 0:
		p.b.errorf(CodeAggregate, e.WithinGroup[0].Span(), "%s has two orders", name).WithHint("write either ORDER BY or WITHIN GROUP")
		return nil
	case e.Nulls != ast.NullsUntreated && !keepsNulls[name]:
		p.b.errorf(CodeAggregate, e.Span(), "%s takes no IGNORE NULLS and no RESPECT NULLS", name).
			WithHint("it leaves nulls out; those with nulls are array_agg, first_value, last_value and nth_value")
		return nil
	}
	call, ok := p.bindCall(name, e)
	if !ok {
		return nil
	}
	return p.aggregates.add(call)
}

// keepsNulls are the aggregates for which a null is a value, unless IGNORE NULLS is written.
var keepsNulls = map[string]bool{"array_agg": true, "first_value": true, "last_value": true, "nth_value": true}

// ofOuter reports whether an aggregate names columns, and all of them are those of the query around, whose aggregate it is then.
func (p *place) ofOuter(e *ast.Call) bool {
	if len(p.scope.outer) == 0 {
		return false
	}
	some, all := false, true
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ColumnRef:
			c, _, err := p.scope.find(n.Path)
			some, all = true, all && err == nil && c.frame != nil
		case *ast.Query:
			all = false
		}
		return all
	})
	return some && all
}

// outerAggregate tells a query around of an aggregate of it, on the first try. On the second it is among the frame's columns.
// The query may be more than one subquery away; those between carry the aggregate as any column.
func (p *place) outerAggregate(name string, e *ast.Call) *expr.Node {
	var frames []*frame
	for f := p.scope.outer[0].frame; f != nil; f = f.further() {
		frames = append(frames, f)
	}
	// The columns that it names are those of the query around, and not named here.
	used, refs := make([][]bool, len(frames)), make([]map[ast.Node]bool, len(frames))
	for i, f := range frames {
		used[i], refs[i] = slices.Clone(f.used), maps.Clone(f.refs)
	}
	call, ok := p.bindCall(name, e)
	if !ok {
		return nil
	}
	var owner *frame
	same := true
	outer := *call
	value := func(n *expr.Node) *expr.Node {
		if n == nil {
			return nil
		}
		return n.Map(func(x *expr.Node) *expr.Node {
			for _, o := range p.scope.outer {
				if x.Kind == expr.Column && x.Index == o.index {
					for o.frame.from[o.at].frame != nil {
						o = o.frame.from[o.at]
					}
					same = same && (owner == nil || owner == o.frame)
					owner = o.frame
					return owner.values[o.at]
				}
			}
			return x
		})
	}
	outer.Args = nil
	for _, a := range call.Args {
		outer.Args = append(outer.Args, value(a))
	}
	outer.Filter = value(call.Filter)
	if !same || owner == nil || owner.calls == nil || owner.exact != nil {
		p.b.unsupported(e.Span(), "%s looks at columns of the query around alone, so that it is that query's aggregate", name).
			WithHint("compute it in a subquery in FROM of the query around, and name its column here")
		if same && owner != nil && owner.where {
			p.b.errs[len(p.b.errs)-1].WithHint("conditions on aggregates of the query around belong in its HAVING")
		}
		return nil
	}
	n := owner.calls.add(&outer)
	for i, f := range frames {
		f.used, f.refs = used[i], refs[i]
	}
	owner.refs[e], owner.again = true, true
	if !slices.ContainsFunc(owner.named, func(c scopeColumn) bool { return c.call == e }) {
		owner.named = append(owner.named, scopeColumn{field: arrow.Field{Name: name + "()", Type: n.Type, Nullable: n.Nullable}, index: n.Index, hidden: true, call: e})
	}
	return expr.NewLiteral(n.Type, nil).At(e.Span())
}

// add gives the column that stands for a call; equal calls share one.
func (c *collected) add(call *logical.Call) *expr.Node {
	at := -1
	for i, o := range c.calls {
		if o.Equal(call) {
			at = i
		}
	}
	if at < 0 {
		at = len(c.calls)
		c.calls = append(c.calls, call)
	}
	return &expr.Node{Kind: expr.Column, Index: firstCall + at, Name: call.Name, Type: call.Type, Nullable: call.Nullable, Span: call.Span}
}

func (p *place) bindCall(name string, e *ast.Call) (*logical.Call, bool) {
	inner := *p
	inner.inAggregate, inner.clause = !p.inOver, "the arguments of "+name // OVER may be over aggregates
	var args []*expr.Node
	ok := true
	for _, a := range e.Args {
		if star, is := a.Value.(*ast.Star); is {
			if name != "count" || len(e.Args) != 1 || len(star.Qualifier) > 0 || len(star.Except) > 0 || len(star.Replace) > 0 {
				p.b.errorf(fault.CodeInvalid, star.Span(), "* stands only in count(*)").WithHint("name a column")
				return nil, false
			}
			break
		}
		if a.Name != nil {
			p.b.errorf(fault.CodeInvalid, a.Span(), "%s has no named arguments", name).WithHint("write %s(x)", name)
			return nil, false
		}
		n := inner.expr(a.Value)
		ok = ok && n != nil
		args = append(args, n)
	}
	if len(e.Args) == 0 && name != "count" && len(e.WithinGroup) == 0 {
		p.b.errorf(fault.CodeInvalid, e.Span(), "%s needs an argument", name).WithHint("write %s(x)", name)
		return nil, false
	}
	var order []*expr.Node
	for _, o := range append(e.OrderBy[:len(e.OrderBy):len(e.OrderBy)], e.WithinGroup...) {
		n := inner.expr(o.Expr)
		ok = ok && n != nil
		order = append(order, n)
	}
	var filter *expr.Node
	if e.Filter != nil {
		inner.clause = "FILTER"
		filter = inner.condition(e.Filter)
		ok = ok && filter != nil
	}
	if !ok {
		return nil, false
	}
	if e.Nulls == ast.IgnoreNulls && len(args) > 0 {
		known := p.function("is_not_null", e.Span(), args[0])
		if filter != nil {
			known = p.function("and", e.Span(), filter, known)
		}
		filter = known
	}
	if (name == "min" || name == "max") && len(args) == 1 && len(order) == 0 && (args[0].Type.ID() == arrow.STRUCT || args[0].Type.ID() == arrow.LIST) {
		return p.extreme(name, e, args[0], filter)
	}
	return p.resolveCall(name, e, args, order, filter)
}

// extreme is min or max of structs or lists: the first of them in their order.
func (p *place) extreme(name string, e *ast.Call, arg, filter *expr.Node) (*logical.Call, bool) {
	known := p.function("is_not_null", e.Span(), arg)
	if filter != nil {
		known = p.function("and", e.Span(), filter, known)
	}
	first := *e
	first.Distinct = false
	first.OrderBy = []*ast.OrderItem{{Place: e.Place, Expr: e.Args[0].Value, Desc: name == "max"}}
	return p.resolveCall("first_value", &first, []*expr.Node{arg}, []*expr.Node{arg}, known)
}

// resolveCall finds the aggregate's types and casts the arguments.
func (p *place) resolveCall(name string, e *ast.Call, args, order []*expr.Node, filter *expr.Node) (*logical.Call, bool) {
	span := e.Span()
	if len(args) == 1 && !args[0].Span.IsZero() {
		span = args[0].Span
	}
	r, err := p.b.opts.Aggregates.ResolveOrdered(useOf(name, e, args, order, span))
	if err != nil {
		if fault.Is(err, fault.CodeUnsupported) {
			moved := *fault.As(err)
			moved.Span = e.Name.Span()
			err = &moved
		}
		p.b.report(err, span)
		return nil, false
	}
	all := append(args[:len(args):len(args)], order...)
	call := &logical.Call{Name: r.Name, Distinct: e.Distinct, OrderBy: r.OrderBy, Params: r.Params, Filter: filter, Type: r.Type, Nullable: r.Nullable, Span: e.Span()}
	for i, at := range r.Args {
		a := all[at]
		if !arrow.TypeEqual(a.Type, r.ArgTypes[i]) {
			if a = p.castTo(a, r.ArgTypes[i], false, a.Span); a == nil {
				return nil, false
			}
		}
		call.Args = append(call.Args, a)
	}
	return call, true
}

// useOf describes a call to package agg.
func useOf(name string, e *ast.Call, args, order []*expr.Node, span fault.Span) agg.Use {
	u := agg.Use{Name: name, Distinct: e.Distinct, WithinGroup: len(e.WithinGroup) > 0, Span: span}
	for _, a := range args {
		folded := expr.Fold(a)
		u.Args = append(u.Args, agg.Argument{Type: a.Type, Literal: folded.Kind == expr.Literal, Value: folded.Value})
	}
	for i, o := range append(e.OrderBy[:len(e.OrderBy):len(e.OrderBy)], e.WithinGroup...) {
		key := agg.SortKey{Type: order[i].Type, Same: -1, Desc: o.Desc, NullsFirst: nullsFirst(o)}
		for k, a := range args {
			if key.Same < 0 && expr.Equal(a, order[i]) {
				key.Same = k
			}
		}
		u.OrderBy = append(u.OrderBy, key)
	}
	return u
}

// nullsFirst says where nulls are: last ascending, first descending, unless it is written.
func nullsFirst(o *ast.OrderItem) bool {
	return o.Nulls == ast.NullsFirst || o.Nulls == ast.NullsUnspecified && o.Desc
}

// condition binds an expression that must be a boolean.
func (p *place) condition(e ast.Expr) *expr.Node {
	n := p.expr(e)
	if n == nil {
		return nil
	}
	switch n.Type.ID() {
	case arrow.BOOL:
		return n
	case arrow.NULL:
		return p.castTo(n, arrow.FixedWidthTypes.Boolean, false, e.Span())
	}
	p.b.errorf(expr.CodeTypeMismatch, e.Span(), "%s needs a BOOLEAN, not %s", p.clause, expr.TypeName(n.Type)).
		WithHint("compare the value with something")
	return nil
}

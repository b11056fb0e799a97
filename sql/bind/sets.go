package bind

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// groupingCall is grouping(a, b): the bits, the last argument's lowest, of the arguments that are not grouped by. It stands in
// expressions until the grouping set is known.
const groupingCall = "grouping"

// maxSets bounds the grouping sets of one SELECT, each of which is an aggregation of its own.
const maxSets = 64

// groupingSets expands GROUPING SETS, ROLLUP and CUBE into lists of group expressions; nil when there are none.
func groupingSets(gb *ast.GroupBy) [][]ast.Expr {
	found := false
	if gb == nil {
		return nil
	}
	sets := [][]ast.Expr{nil}
	for _, e := range gb.Items {
		gs, ok := e.(*ast.GroupingSets)
		found = found || ok
		choices := [][]ast.Expr{members(e)}
		if ok {
			choices = expand(gs)
		}
		sets = product(sets, choices)
		if len(sets) > maxSets {
			break
		}
	}
	if !found {
		return nil
	}
	return sets
}

// members are the expressions of one item: those of a row, none of ().
func members(e ast.Expr) []ast.Expr {
	if r, ok := e.(*ast.Row); ok {
		return r.Items
	}
	return []ast.Expr{e}
}

func product(sets, choices [][]ast.Expr) [][]ast.Expr {
	var out [][]ast.Expr
	for _, s := range sets {
		for _, c := range choices {
			if len(out) > maxSets {
				return out
			}
			out = append(out, append(s[:len(s):len(s)], c...))
		}
	}
	return out
}

// expand gives the sets of one construct, the largest first.
func expand(gs *ast.GroupingSets) [][]ast.Expr {
	var out [][]ast.Expr
	switch gs.Kind {
	case ast.Rollup:
		for n := len(gs.Items); n >= 0; n-- {
			var set []ast.Expr
			for _, e := range gs.Items[:n] {
				set = append(set, members(e)...)
			}
			out = append(out, set)
		}
	case ast.Cube:
		out = [][]ast.Expr{nil}
		for _, e := range gs.Items {
			out = product(out, [][]ast.Expr{members(e), nil})
		}
	default:
		for _, e := range gs.Items {
			if inner, ok := e.(*ast.GroupingSets); ok {
				out = append(out, expand(inner)...)
			} else {
				out = append(out, members(e))
			}
		}
	}
	return out
}

// groupedBySets plans one aggregation for each grouping set and puts their results together; what the SELECT computes of them
// is computed over the whole.
func (b *Binder) groupedBySets(s *ast.Select, p *place, whole *grouping, sets [][]ast.Expr, items []*item, having, qualify *expr.Node, ok bool) *relation {
	if len(sets) > maxSets {
		b.unsupported(s.GroupBy.Span(), "more than %d grouping sets are not supported", maxSets).WithHint("name the sets that are needed in GROUPING SETS (…)")
		return nil
	}
	at := *p
	at.clause, at.grouped, at.overs, at.unnests = "GROUP BY", false, nil, nil
	bound := make([]*grouping, len(sets))
	for i, set := range sets {
		bound[i] = &grouping{b: b, in: whole.in, span: whole.span}
		before := len(b.errs)
		for _, e := range set {
			ok = bound[i].bindItem(e, &at, visible(items)) && ok
		}
		if len(b.errs) > before {
			return nil
		}
		bound[i].empty = len(bound[i].exprs) == 0
		for _, c := range p.scope.carried(s.Span()) {
			bound[i].add(c.node, c.field)
		}
	}
	if !ok {
		return nil
	}
	for _, g := range bound {
		for i, e := range g.exprs {
			whole.add(e, g.fields[i])
		}
	}
	for _, n := range p.beyond(items, having, qualify) {
		whole.addParts(n)
	}
	nodes := make([]logical.Node, len(bound))
	for i, g := range bound {
		for k, e := range whole.exprs {
			if !g.groupsBy(e) && k < len(whole.fields) {
				g.absent = append(g.absent, e)
			}
		}
		if nodes[i] = b.groupingSet(s, p, g, whole); nodes[i] == nil {
			return nil
		}
	}
	whole.windowed, whole.keyOf = make([]bool, len(whole.exprs)), make([]int, len(whole.exprs))
	for i := range whole.keyOf {
		whole.keyOf[i] = i
	}
	u := groups{logical.NewUnion(nodes, s.Span()), len(whole.exprs)}
	return b.overGroups(s, p, whole, u, u.Node, items, having, qualify)
}

// addParts adds what an expression needs of the results of a grouping set beside the group expressions and the aggregates:
// grouping(…), which differs between the sets, and a window of which only a part is grouped by.
func (g *grouping) addParts(n *expr.Node) {
	if n == nil || slices.ContainsFunc(g.exprs, func(e *expr.Node) bool { return expr.Equal(e, n) }) {
		return
	}
	if n.Kind == expr.Call && n.Name == groupingCall || n.Kind == expr.Column && n.Index >= firstWindow {
		g.exprs = append(g.exprs, n)
		return
	}
	for _, a := range n.Args {
		g.addParts(a)
	}
}

// groupsBy reports whether an expression is one of the group expressions.
func (g *grouping) groupsBy(n *expr.Node) bool {
	return slices.ContainsFunc(g.exprs, func(e *expr.Node) bool { return expr.Equal(e, n) })
}

// groupingSet plans the aggregation of one set. Its columns are the expressions of all sets together, null where this one has
// them not, and the aggregates.
func (b *Binder) groupingSet(s *ast.Select, p *place, g, whole *grouping) logical.Node {
	if !g.joinFirst(p) || !g.split(p.aggregates.windows) {
		return nil
	}
	agg := g.aggregate(p.aggregates.calls)
	var node logical.Node = agg
	if g.empty && p.scope.outer != nil {
		node = b.completed(p, g, agg)
	}
	var exprs []*expr.Node
	var fields []arrow.Field
	for i, e := range whole.exprs {
		n := g.over(p, agg, e)
		if n == nil {
			return nil
		}
		f := arrow.Field{Name: e.Name}
		if i < len(whole.fields) {
			f = whole.fields[i]
		}
		exprs, fields = append(exprs, n), append(fields, f)
	}
	for i := agg.FirstCall(); i < agg.Schema().NumFields(); i++ {
		f := node.Schema().Field(i)
		exprs, fields = append(exprs, expr.NewColumn(i, f).At(s.Span())), append(fields, f)
	}
	return logical.NewProject(node, exprs, fields, s.Span())
}

// grouping binds grouping(a, b).
func (p *place) grouping(e *ast.Call) *expr.Node {
	if p.aggregates == nil || p.inAggregate {
		p.b.errorf(CodeAggregate, e.Span(), "grouping() cannot stand in %s", p.clause).WithHint("use it in the select list or in HAVING")
		return nil
	}
	if !p.plain(groupingCall, e) {
		return nil
	}
	if len(e.Args) == 0 || len(e.Args) > 31 {
		p.b.errorf(fault.CodeInvalid, e.Span(), "grouping() takes 1 to 31 group expressions").WithHint("write grouping(x)")
		return nil
	}
	n := &expr.Node{Kind: expr.Call, Name: groupingCall, Type: arrow.PrimitiveTypes.Int32, Span: e.Span()}
	for _, a := range e.Args {
		x := p.expr(a.Value)
		if x == nil {
			return nil
		}
		n.Args = append(n.Args, x)
	}
	return n
}

// grouping is the value of grouping(…) in this set.
func (g *grouping) grouping(n *expr.Node) *expr.Node {
	var bits int64
	for _, a := range n.Args {
		bits <<= 1
		switch {
		case g.groupsBy(a):
		case slices.ContainsFunc(g.absent, func(e *expr.Node) bool { return expr.Equal(e, a) }):
			bits |= 1
		default:
			g.b.errorf(CodeGrouping, a.Span, "grouping() takes expressions of GROUP BY").WithHint("add it to GROUP BY, or leave it out here")
			return nil
		}
	}
	return expr.NewLiteral(n.Type, bits).At(n.Span)
}

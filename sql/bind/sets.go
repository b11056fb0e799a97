package bind

import (
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

// groupedBySets plans one aggregation for each grouping set and puts their results together.
func (b *Binder) groupedBySets(s *ast.Select, p *place, whole *grouping, sets [][]ast.Expr, items []*item, having *expr.Node, ok bool) *relation {
	switch {
	case len(sets) > maxSets:
		b.unsupported(s.GroupBy.Span(), "more than %d grouping sets are not supported", maxSets).WithHint("name the sets that are needed in GROUPING SETS (…)")
		return nil
	case len(p.overs.list) > 0 || s.Qualify != nil:
		b.unsupported(s.GroupBy.Span(), "grouping sets beside OVER are not supported").WithHint("group in a subquery in FROM")
		return nil
	case len(p.unnests.list) > 0:
		b.unsupported(p.unnests.list[0].span, "grouping sets beside unnest are not supported").WithHint("group in a subquery in FROM")
		return nil
	}
	at := *p
	at.clause, at.overs, at.unnests = "GROUP BY", nil, nil
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
	}
	if !ok {
		return nil
	}
	if p.scope.outer != nil {
		p.scope.outer[0].frame.again = true
		b.unsupported(s.GroupBy.Span(), "grouping sets in a subquery that depends on the query around it are not supported").
			WithHint("group in a subquery in FROM that names no columns of the query around, and compare in WHERE")
		return nil
	}
	var nodes []logical.Node
	var first *relation
	for i, g := range bound {
		for _, o := range bound {
			g.lacks(o)
		}
		r := b.groupingSet(s, p, g, items, having)
		if r == nil {
			return nil
		}
		if i == 0 {
			first = r
		}
		nodes = append(nodes, r.node)
	}
	u := logical.NewUnion(nodes, s.Span())
	return (&relation{node: u, scope: first.scope, spans: first.spans}).refreshed()
}

// lacks remembers the group expressions of another set that this one has not.
func (g *grouping) lacks(o *grouping) {
	for _, e := range o.exprs {
		known := false
		for _, k := range append(g.exprs[:len(g.exprs):len(g.exprs)], g.absent...) {
			known = known || expr.Equal(k, e)
		}
		if !known {
			g.absent = append(g.absent, e)
		}
	}
}

// groupingSet plans the aggregation of one set.
func (b *Binder) groupingSet(s *ast.Select, p *place, g *grouping, items []*item, having *expr.Node) *relation {
	if !g.joinFirst(p) || !g.split(p.aggregates.windows) {
		return nil
	}
	agg := g.aggregate(p.aggregates.calls)
	after := map[int]bool{}
	g.needs(p, having, after)
	for _, it := range items {
		g.needs(p, it.node, after)
	}
	node, resolve := p.scalars.join(b, agg, after, func(n *expr.Node) *expr.Node { return g.over(p, agg, n) })
	if node == nil {
		return nil
	}
	if having != nil {
		cond := g.over(p, agg, having)
		if cond == nil {
			return nil
		}
		node = logical.NewFilter(node, resolve(cond), s.Having.Span())
	}
	own := make([]*item, len(items))
	for i, it := range items {
		c := *it
		if c.node = g.over(p, agg, it.node); c.node == nil {
			return nil
		}
		c.node = resolve(c.node)
		own[i] = &c
	}
	return b.projected(node, own, s.Span())
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
		here, absent := false, false
		for _, e := range g.exprs {
			here = here || expr.Equal(e, a)
		}
		for _, e := range g.absent {
			absent = absent || expr.Equal(e, a)
		}
		switch {
		case here:
		case absent:
			bits |= 1
		default:
			g.b.errorf(CodeGrouping, a.Span, "grouping() takes expressions of GROUP BY").WithHint("add it to GROUP BY, or leave it out here")
			return nil
		}
	}
	return expr.NewLiteral(n.Type, bits).At(n.Span)
}

package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// Where filters a relation that a query's FROM has just made. Terms move into the joins below: to the sides that they look
// at, or into the condition of an inner join; and an outer join whose padded rows no term would let through becomes a
// narrower one. Joins that are shared are left alone.
func (c *Context) Where(in logical.Node, terms []*expr.Node, shared func(logical.Node) bool, span fault.Span) logical.Node {
	w := &where{Context: c, span: span, shared: shared, narrow: true}
	w.down = w.put
	return w.put(in, terms)
}

// Movable reports whether an expression may be computed elsewhere: it is the same each time and looks at columns alone.
func (c *Context) Movable(n *expr.Node) bool {
	ok := !c.volatile(n)
	n.Walk(func(x *expr.Node) bool {
		ok = ok && x.Kind != expr.RowTime
		return ok
	})
	return ok
}

// Conjuncts splits the terms of an AND.
func Conjuncts(n *expr.Node) []*expr.Node { return conjuncts(n) }

// where moves terms into joins.
type where struct {
	*Context
	span   fault.Span
	shared func(logical.Node) bool
	// narrow lets outer joins become narrower, which may change the mode of what they put out.
	narrow bool
	// down puts terms over the side of a join.
	down func(logical.Node, []*expr.Node) logical.Node
}

// filter keeps terms above a relation.
func (w *where) filter(in logical.Node, terms []*expr.Node) logical.Node {
	if len(terms) == 0 {
		return in
	}
	return logical.NewFilter(in, w.all(terms), w.span)
}

// put puts terms over a relation, or into the joins that it consists of.
func (w *where) put(in logical.Node, terms []*expr.Node) logical.Node {
	if len(terms) == 0 {
		return in
	}
	switch in := in.(type) {
	case *logical.Join:
		if !w.shared(in) {
			return w.join(in, terms)
		}
	case *logical.Asof:
		if !w.shared(in) {
			return w.asof(in, terms)
		}
	case *logical.Lookup:
		if !w.shared(in) {
			return w.lookup(in, terms)
		}
	case *logical.Project:
		_, join := in.Input.(*logical.Join)
		_, keeps := kept(in.Input)
		if (join || keeps) && !w.shared(in) && in.EventTime == nil {
			return w.project(in, terms)
		}
	case *logical.Unnest, *logical.Lateral:
		if !w.shared(in) {
			return w.keeping(in, terms)
		}
	}
	return w.filter(in, terms)
}

// project is for the columns that USING makes.
func (w *where) project(in *logical.Project, terms []*expr.Node) logical.Node {
	return w.through(in, terms, in.Exprs, func(t *expr.Node) bool { return w.Movable(t) && !w.volatileColumns(in, t) })
}

// through puts the terms that may go there below a relation whose columns are expressions over its one input.
func (w *where) through(in logical.Node, terms, exprs []*expr.Node, may func(*expr.Node) bool) logical.Node {
	var below, above []*expr.Node
	for _, t := range terms {
		if may(t) {
			below = append(below, substitute(t, exprs))
		} else {
			above = append(above, t)
		}
	}
	if len(below) > 0 {
		in = in.WithInputs([]logical.Node{w.put(in.Inputs()[0], below)})
	}
	return w.filter(in, above)
}

// kept gives what an unnest or a lateral query keeps of its input.
func kept(n logical.Node) ([]*expr.Node, bool) {
	switch n := n.(type) {
	case *logical.Unnest:
		return n.Keep, true
	case *logical.Lateral:
		return n.Keep, true
	}
	return nil, false
}

// keeping puts terms that look at nothing but what is kept of its input below.
func (w *where) keeping(in logical.Node, terms []*expr.Node) logical.Node {
	keep, _ := kept(in)
	return w.through(in, terms, keep, func(t *expr.Node) bool { return w.Movable(t) && looksAt(t, keep) })
}

// looksAt reports whether a term looks at columns that are kept as they are, and at no others.
func looksAt(t *expr.Node, keep []*expr.Node) bool {
	ok := true
	t.Walk(func(x *expr.Node) bool {
		ok = ok && (x.Kind != expr.Column || x.Index < len(keep) && cheap(keep[x.Index]))
		return ok
	})
	return ok
}

func (w *where) volatileColumns(in *logical.Project, t *expr.Node) bool {
	found := false
	t.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.Column && w.volatile(in.Exprs[x.Index])
		return !found
	})
	return found
}

func (w *where) join(in *logical.Join, terms []*expr.Node) logical.Node {
	n := in.Left.Schema().NumFields()
	on := in.On
	if w.narrow && in.RightColumns() {
		on.Kind = narrowed(on.Kind, terms, n)
	}
	var left, right, above []*expr.Node
	pair := append([]*expr.Node(nil), on.Conds...)
	for _, t := range terms {
		side := logical.SideOf(t, n)
		switch {
		case !w.Movable(t):
			above = append(above, t)
		case side == logical.LeftSide && keeps(on.Kind, logical.LeftSide):
			left = append(left, t)
		case side == logical.RightSide && keeps(on.Kind, logical.RightSide):
			right = append(right, logical.Shift(t, -n))
		case side == logical.LeftSide|logical.RightSide && on.Kind == graph.InnerJoin:
			pair = append(pair, t)
		default:
			above = append(above, t)
		}
	}
	on.Conds = pair
	l, r := in.Left, in.Right
	if len(left) > 0 {
		l = w.down(l, left)
	}
	if len(right) > 0 {
		r = w.down(r, right)
	}
	return w.filter(logical.NewJoin(l, r, on, in.Span()), above)
}

// keeps reports whether a join has every row of a side's matches as it is, so that a filter on it may go below.
func keeps(k graph.JoinKind, side logical.Side) bool {
	switch k {
	case graph.InnerJoin:
		return true
	case graph.LeftJoin, graph.SemiJoin, graph.AntiJoin:
		return side == logical.LeftSide
	case graph.RightJoin:
		return side == logical.RightSide
	}
	return false
}

// narrowed is the kind of an outer join when rows that these terms are not true of do not count.
func narrowed(k graph.JoinKind, terms []*expr.Node, left int) graph.JoinKind {
	var rejected logical.Side
	for _, t := range terms {
		for _, side := range []logical.Side{logical.LeftSide, logical.RightSide} {
			if rejects(t, side, left) {
				rejected |= side
			}
		}
	}
	// Rows without a right side are in left and full joins, those without a left one in right and full joins.
	noRight, noLeft := k == graph.LeftJoin || k == graph.FullJoin, k == graph.RightJoin || k == graph.FullJoin
	noRight = noRight && rejected&logical.RightSide == 0
	noLeft = noLeft && rejected&logical.LeftSide == 0
	switch {
	case noRight && noLeft:
		return graph.FullJoin
	case noRight:
		return graph.LeftJoin
	case noLeft:
		return graph.RightJoin
	}
	return graph.InnerJoin
}

// rejects reports whether a condition is surely not true when all columns of a side are null.
func rejects(t *expr.Node, side logical.Side, left int) bool {
	if strict(t, side, left) {
		return true
	}
	if t.Kind != expr.Call {
		return false
	}
	switch t.Name {
	case "is_not_null", "is_true", "is_false", "is_not_unknown":
		return strict(t.Args[0], side, left)
	case "and":
		for _, a := range t.Args {
			if rejects(a, side, left) {
				return true
			}
		}
		return false
	case "or":
		for _, a := range t.Args {
			if !rejects(a, side, left) {
				return false
			}
		}
		return true
	}
	return false
}

// nullIn names functions whose result is null when any argument is.
var nullIn = map[string]bool{
	"eq": true, "neq": true, "lt": true, "lteq": true, "gt": true, "gteq": true, "add": true, "subtract": true, "multiply": true,
	"divide": true, "modulo": true, "negate": true, "not": true, "like": true, "not_like": true, "ilike": true, "not_ilike": true,
	"abs": true, "lower": true, "upper": true,
}

// strict reports whether an expression is surely null when all columns of a side are.
func strict(n *expr.Node, side logical.Side, left int) bool {
	switch n.Kind {
	case expr.Column:
		return (n.Index < left) == (side == logical.LeftSide)
	case expr.Cast, expr.TryCast, expr.Field:
		return strict(n.Args[0], side, left)
	case expr.Call:
		if n.Name == "in_list" || n.Name == "not_in_list" {
			return strict(n.Args[0], side, left)
		}
		if !nullIn[n.Name] {
			return false
		}
		for _, a := range n.Args {
			if strict(a, side, left) {
				return true
			}
		}
	}
	return false
}

// OnSides puts the terms of a condition that look at one side alone below a new join, where that changes nothing.
func (c *Context) OnSides(left, right logical.Node, on logical.On, span fault.Span) *logical.Join {
	w := &where{Context: c, span: span, shared: func(logical.Node) bool { return true }}
	n := left.Schema().NumFields()
	var pair, l, r []*expr.Node
	for _, t := range on.Conds {
		switch side := logical.SideOf(t, n); {
		case on.NullAware || !w.Movable(t):
			pair = append(pair, t)
		case side == logical.LeftSide && (on.Kind == graph.InnerJoin || on.Kind == graph.RightJoin || on.Kind == graph.SemiJoin):
			l = append(l, t)
		case side == logical.RightSide && on.Kind != graph.RightJoin && on.Kind != graph.FullJoin:
			r = append(r, logical.Shift(t, -n))
		default:
			pair = append(pair, t)
		}
	}
	on.Conds = pair
	return logical.NewJoin(w.filter(left, l), w.filter(right, r), on, span)
}

// demandJoin tells the sides of a join what is read of them: at least one column each, so that rows can be counted.
func (p *pruner) demandJoin(n *logical.Join, mine need) {
	left := n.Left.Schema().NumFields()
	both := need{}
	for i, u := range mine {
		both.column(i).merge(u)
	}
	for _, c := range n.Conds {
		both.read(c, whole)
	}
	l, r := p.of(n.Left), p.of(n.Right)
	for i, u := range both {
		if i < left {
			l.column(i).merge(u)
		} else {
			r.column(i - left).merge(u)
		}
	}
	for _, side := range []need{l, r} {
		if len(side) == 0 {
			side.column(0).merge(&use{})
		}
	}
}

// rebuildJoin keeps of each side exactly what is needed, since a join keeps its rows.
func (p *pruner) rebuildJoin(n *logical.Join) pruned {
	l, atLeft := p.slim(n.Left, n.Span())
	r, atRight := p.slim(n.Right, n.Span())
	both := pruned{at: atLeft}
	for _, c := range atRight {
		if c >= 0 {
			c += l.Schema().NumFields()
		}
		both.at = append(both.at, c)
	}
	on := n.On
	on.Conds = both.moveAll(n.Conds)
	both.node = logical.NewJoin(l, r, on, n.Span())
	both.at = both.at[:n.Schema().NumFields()]
	return both
}

// slim rebuilds one side of a join with the columns that some reader needs. Those of the join's own readers are what counts,
// but a shared side is slimmed alike for all, so that it stays shared.
func (p *pruner) slim(n logical.Node, span fault.Span) (logical.Node, []int) {
	at, kept := make([]int, n.Schema().NumFields()), 0
	for i := range at {
		at[i] = -1
		if _, used := p.needs[n][i]; used {
			at[i] = kept
			kept++
		}
	}
	return p.visit(n).pick(at, kept, span), at
}

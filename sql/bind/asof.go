package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// asof binds left ASOF JOIN right: each left row with the nearest right one by a comparison.
func (b *Binder) asof(t *ast.Join, left, right *relation, e *env) *relation {
	kind := joinKinds[t.Kind]
	switch {
	case t.Kind != ast.InnerJoin && t.Kind != ast.LeftJoin:
		b.unsupported(t.Span(), "an ASOF JOIN is INNER or LEFT").WithHint("put the table whose rows are kept on the left of ASOF LEFT JOIN")
		return nil
	case t.Natural:
		b.unsupported(t.Span(), "an ASOF JOIN cannot be NATURAL").WithHint("write USING (k, ts): the last column is compared, the others are equal")
		return nil
	}
	return b.on(t, left, right, kind, e, func(left, right *relation, terms []*expr.Node) *relation {
		return b.nearest(left, right, kind, terms, t.Span())
	})
}

// comparison is the term of an ASOF JOIN that says which rows are near: left op right.
type comparison struct {
	op          string
	left, right *expr.Node
}

// turned maps comparisons to those of the swapped sides.
var turned = map[string]string{"lt": "gt", "lteq": "gteq", "gt": "lt", "gteq": "lteq"}

// comparisonOf recognises a comparison of the two sides of a join.
func comparisonOf(n *expr.Node, left int) (comparison, bool) {
	if n.Kind != expr.Call || turned[n.Name] == "" {
		return comparison{}, false
	}
	x, y, op := n.Args[0], n.Args[1], n.Name
	if logical.SideOf(x, left) == logical.RightSide {
		x, y, op = y, x, turned[op]
	}
	ok := logical.SideOf(x, left) == logical.LeftSide && logical.SideOf(y, left) == logical.RightSide
	return comparison{op, x, y}, ok
}

// equality recognises what a key of the right side has to equal: something of the left side, or the same for all rows.
func equality(t *expr.Node, left int) (logical.JoinKey, bool) {
	if k, ok := logical.KeyOf(t, left); ok {
		return k, true
	}
	if t.Kind != expr.Call || t.Name != "eq" || !arrow.TypeEqual(t.Args[0].Type, t.Args[1].Type) {
		return logical.JoinKey{}, false
	}
	x, y := t.Args[0], t.Args[1]
	if logical.SideOf(x, left) == logical.RightSide {
		x, y = y, x
	}
	if logical.SideOf(x, left) != 0 || logical.SideOf(y, left) != logical.RightSide {
		return logical.JoinKey{}, false
	}
	return logical.JoinKey{Left: x, Right: logical.Shift(y, -left)}, true
}

// sorted are the terms of a join by what they look at.
type sorted struct {
	keys                           []logical.JoinKey
	left, right, compared, between []*expr.Node
}

// sortTerms tells terms over both sides apart.
func sortTerms(terms []*expr.Node, left int) sorted {
	var s sorted
	for _, t := range terms {
		if k, ok := logical.KeyOf(t, left); ok {
			s.keys = append(s.keys, k)
			continue
		}
		if _, ok := comparisonOf(t, left); ok {
			s.compared = append(s.compared, t)
			continue
		}
		switch logical.SideOf(t, left) {
		case logical.RightSide:
			s.right = append(s.right, t)
		case logical.LeftSide | logical.RightSide:
			s.between = append(s.between, t)
		default:
			s.left = append(s.left, t)
		}
	}
	return s
}

// nearest plans an ASOF JOIN: by event time if that is what is compared, on streams that only append, else with all pairs.
func (b *Binder) nearest(left, right *relation, kind graph.JoinKind, terms []*expr.Node, span fault.Span) *relation {
	n := left.node.Schema().NumFields()
	s := sortTerms(terms, n)
	switch {
	case len(s.between) > 0:
		b.unsupported(s.between[0].Span, "the condition of an ASOF JOIN consists of equalities and one comparison").
			WithHint("put this into WHERE to check the pair that was found, or filter the table in a subquery before it is joined")
		return nil
	case len(s.compared) == 0:
		b.errorf(fault.CodeInvalid, span, "the ASOF JOIN does not say which row is the nearest").WithHint("add a comparison of the two tables: AND a.ts >= b.ts")
		return nil
	}
	near, byTime := logical.Nearest{}, false
	if l, r := left.node.Properties(), right.node.Properties(); l.Mode == graph.Append && r.Mode == graph.Append {
		near, byTime = nearestByTime(s.compared, n, l, r)
	}
	switch {
	case byTime && !(near.Forward && kind == graph.LeftJoin && len(s.left) > 0):
		return b.nearestInTime(left, right, kind, s, near, span)
	case len(s.compared) > 1:
		b.unsupported(s.compared[1].Span, "an ASOF JOIN has one comparison, and bounds of the distance in event time").
			WithHint("the nearest row is that of one comparison; put others into WHERE")
		return nil
	}
	return b.nearestOfAll(left, right, kind, terms, s, span)
}

// nearestByTime reads the comparisons as: the last right row at or before the left one's event time, or the first at or
// after it, perhaps at most so far away.
func nearestByTime(compared []*expr.Node, n int, left, right logical.Properties) (logical.Nearest, bool) {
	var lower, upper *logical.Distance
	for _, c := range compared {
		d, ok := logical.DistanceOf(c, n, left, right)
		switch {
		case ok && d.Upper && upper == nil:
			upper = &d
		case ok && !d.Upper && lower == nil:
			lower = &d
		default:
			return logical.Nearest{}, false
		}
	}
	near := logical.Nearest{Ended: -1}
	switch {
	case upper != nil && (upper.At == 0 || upper.At == -1) && (lower == nil || lower.At < upper.At):
		near.Strict = upper.At != 0
		if lower != nil {
			near.Reach = -lower.At
		}
		return near, true
	case lower != nil && (lower.At == 0 || lower.At == 1) && (upper == nil || upper.At > lower.At):
		near.Forward, near.Strict = true, lower.At != 0
		if upper != nil {
			near.Reach = upper.At
		}
		return near, true
	}
	return near, false
}

// nearestInTime joins append streams by event time.
func (b *Binder) nearestInTime(left, right *relation, kind graph.JoinKind, s sorted, near logical.Nearest, span fault.Span) *relation {
	n := left.node.Schema().NumFields()
	near.Kind, near.Keys = kind, s.keys
	l, r := left.node, right.node
	if kind == graph.InnerJoin {
		l = b.filtered(l, s.left)
	} else {
		near.Residual = s.left
	}
	for i, t := range s.right {
		s.right[i] = logical.Shift(t, -n)
	}
	r = b.filtered(r, s.right)
	return b.nearestRelation(left, right, logical.NewAsof(l, r, near, span))
}

// nearestRelation is the result of a join of nearest rows.
func (b *Binder) nearestRelation(left, right *relation, a *logical.Asof) *relation {
	b.fresh[a] = true
	return (&relation{node: a, scope: beside(left, right)}).refreshed()
}

// filtered keeps the rows of which all terms are true.
func (b *Binder) filtered(in logical.Node, terms []*expr.Node) logical.Node {
	if len(terms) == 0 {
		return in
	}
	p := &place{b: b, scope: &scope{}}
	cond := terms[0]
	for _, t := range terms[1:] {
		cond = p.function("and", cond.Span.Join(t.Span), cond, t)
	}
	return logical.NewFilter(in, cond, cond.Span)
}

// nearestOfAll joins every left row with every right row that the comparison allows, and keeps of these the nearest. Right
// rows that are equal count once; of those that are equally near the first by the order of their columns counts.
func (b *Binder) nearestOfAll(left, right *relation, kind graph.JoinKind, terms []*expr.Node, s sorted, span fault.Span) *relation {
	n := left.node.Schema().NumFields()
	c, _ := comparisonOf(s.compared[0], n)
	r := right.node
	if p := r.Properties(); p.Mode == graph.Append || p.Key == nil {
		d := b.distinct(&relation{node: r, scope: scopeOf("", r)}, span)
		if d == nil {
			return nil
		}
		r = d.node
	}
	pairs := b.joined(&relation{node: b.concrete(left.node), scope: left.scope}, &relation{node: b.concrete(r), scope: right.scope}, kind, terms, span)
	var keys []*expr.Node
	for i, f := range pairs.node.Schema().Fields()[:n] {
		keys = append(keys, expr.NewColumn(i, f).At(span))
	}
	order := []sortTerm{{value: c.right, desc: c.op == "gteq" || c.op == "gt"}}
	for i, f := range pairs.node.Schema().Fields()[n:] {
		order = append(order, sortTerm{value: expr.NewColumn(n+i, f).At(span)})
	}
	delete(b.fresh, pairs.node) // no filter may go below the ranking
	b.warn(CodeCost, s.compared[0].Span, "the ASOF JOIN keeps every pair that this comparison allows").
		WithHint("compare the event times of two streams that are only appended to, and it keeps one row of each key")
	return b.kept(pairs, b.rank(pairs.node, keys, order, logical.Ranking{Rank: graph.Rank, Limit: 1}, span), pairs.node.Schema().NumFields(), span)
}

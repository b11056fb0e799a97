package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// asof filters a join of nearest rows. Terms on the left side go below it; those on the right one stay above, since they do
// not say which right row is the nearest, but may make an outer join an inner one.
func (w *where) asof(in *logical.Asof, terms []*expr.Node) logical.Node {
	n := in.Left.Schema().NumFields()
	k := in.Nearest
	if w.narrow {
		k.Kind = narrowed(k.Kind, terms, n)
	}
	left, above := w.onLeft(terms, n)
	l := in.Left
	if len(left) > 0 {
		l = w.down(l, left)
	}
	return w.filter(logical.NewAsof(l, in.Right, k, in.Span()), above)
}

// demandAsof tells the sides of a join of nearest rows what is read of them.
func (p *pruner) demandAsof(n *logical.Asof, mine need) {
	left := n.Left.Schema().NumFields()
	l, r := p.of(n.Left), p.of(n.Right)
	both := need{}
	for i, u := range mine {
		both.column(i).merge(u)
	}
	for _, t := range n.Residual {
		both.read(t, whole)
	}
	for i, u := range both {
		if i < left {
			l.column(i).merge(u)
		} else {
			r.column(i - left).merge(u)
		}
	}
	for _, k := range n.Keys {
		l.read(k.Left, whole)
		r.read(k.Right, whole)
	}
	for _, o := range n.Order {
		r.column(o.Column).merge(whole)
	}
	if n.Ended >= 0 {
		r.column(n.Ended).merge(whole)
	}
	for _, side := range []need{l, r} {
		if len(side) == 0 {
			side.column(0).merge(&use{})
		}
	}
}

// rebuildAsof keeps of each side exactly what is needed, since rows wait in the operator.
func (p *pruner) rebuildAsof(n *logical.Asof) pruned {
	l, atLeft := p.slim(n.Left, n.Span())
	r, atRight := p.slim(n.Right, n.Span())
	both := pruned{at: append([]int(nil), atLeft...)}
	for _, c := range atRight {
		if c >= 0 {
			c += l.Schema().NumFields()
		}
		both.at = append(both.at, c)
	}
	k := n.Nearest
	k.Residual = both.moveAll(n.Residual)
	k.Keys = make([]logical.JoinKey, len(n.Keys))
	for i, key := range n.Keys {
		k.Keys[i] = logical.JoinKey{Left: pruned{at: atLeft}.move(key.Left), Right: pruned{at: atRight}.move(key.Right), NullSafe: key.NullSafe}
	}
	k.Order = append([]graph.Order(nil), n.Order...)
	for i := range k.Order {
		k.Order[i].Column = atRight[k.Order[i].Column]
	}
	if k.Ended >= 0 {
		k.Ended = atRight[k.Ended]
	}
	both.node = logical.NewAsof(l, r, k, n.Span())
	return both
}

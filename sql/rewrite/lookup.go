package rewrite

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/sql/logical"
)

// lookup filters a lookup. Terms on the input go below it; those on the table stay above, and may make an outer join an
// inner one.
func (w *where) lookup(in *logical.Lookup, terms []*expr.Node) logical.Node {
	n := in.Input.Schema().NumFields()
	a := in.Asked
	if w.narrow {
		a.Kind = narrowed(a.Kind, terms, n)
	}
	below, above := w.onLeft(terms, n)
	input := in.Input
	if len(below) > 0 {
		input = w.down(input, below)
	}
	return w.filter(logical.NewLookup(input, a, in.Span()), above)
}

// onLeft tells the terms that look at a left side of n columns, and may be computed elsewhere, from the others.
func (w *where) onLeft(terms []*expr.Node, n int) (left, others []*expr.Node) {
	for _, t := range terms {
		if w.Movable(t) && logical.SideOf(t, n) == logical.LeftSide {
			left = append(left, t)
		} else {
			others = append(others, t)
		}
	}
	return left, others
}

// demandLookup tells the input of a lookup what is read of it.
func (p *pruner) demandLookup(n *logical.Lookup, mine need) {
	in := p.of(n.Input)
	for i, u := range p.ofBoth(n, mine) {
		if i < n.Input.Schema().NumFields() {
			in.column(i).merge(u)
		}
	}
	for _, k := range n.Keys {
		in.read(k, whole)
	}
}

// ofBoth is what is read of the input's columns and the table's, the residual condition included.
func (p *pruner) ofBoth(n *logical.Lookup, mine need) need {
	both := need{}
	for i, u := range mine {
		both.column(i).merge(u)
	}
	for _, t := range n.Residual {
		both.read(t, whole)
	}
	return both
}

// rebuildLookup keeps of the table its key and what is needed.
func (p *pruner) rebuildLookup(n *logical.Lookup) pruned {
	in := p.visit(n.Input)
	left := n.Input.Schema().NumFields()
	at := make([]int, n.Schema().NumFields())
	for i := range left {
		at[i] = i
		if in.at != nil {
			at[i] = in.at[i]
		}
	}
	both := p.ofBoth(n, p.needs[n])
	t := *n.Table
	t.Metadata, t.PrimaryKey = nil, make([]int, len(n.Table.PrimaryKey))
	var fields []arrow.Field
	var metadata []string
	columns := need{}
	for i, f := range n.Table.Schema.Fields() {
		u, used := both[left+i]
		key := slices.Index(n.Table.PrimaryKey, i)
		if at[left+i] = -1; !used && key < 0 {
			continue
		}
		at[left+i] = in.node.Schema().NumFields() + len(fields)
		if key >= 0 {
			t.PrimaryKey[key] = len(fields)
			u = whole
		}
		columns[len(fields)] = u
		if n.Table.Metadata != nil {
			metadata = append(metadata, n.Table.Metadata[i])
		}
		fields = append(fields, f)
	}
	t.Schema, t.Metadata = arrow.NewSchema(fields, nil), metadata
	t.Needed = paths(t.Schema, columns)
	a := n.Asked
	a.Table = &t
	a.Keys = in.moveAll(n.Keys)
	a.Residual = pruned{at: at}.moveAll(n.Residual)
	return pruned{logical.NewLookup(in.node, a, n.Span()), at}
}

package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// throughOver moves conditions on keys below functions over rows, where they leave out whole partitions. What is pinned or
// what others read as well stays as it is.
func (p *pusher) throughOver(in *logical.Over, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if in.Pinned || p.consumers[in] > 1 {
		return p.filter(in, conds, origin)
	}
	return p.through(in, conds, origin, func(c *expr.Node) *expr.Node {
		if !onlyColumns(c, in.Spec.Keys) || p.volatile(c) {
			return nil
		}
		return c
	})
}

// demandOver tells the input of functions over rows what is read of it.
func (p *pruner) demandOver(n *logical.Over, mine need) {
	in := p.of(n.Input)
	for i, u := range mine {
		if i < n.Input.Schema().NumFields() {
			in.column(i).merge(u)
		}
	}
	for _, k := range n.Spec.Keys {
		in.column(k).merge(whole)
	}
	for _, o := range n.Spec.Order {
		in.column(o.Column).merge(whole)
	}
	for _, c := range n.Spec.Calls {
		for _, a := range c.Args {
			in.column(a).merge(whole)
		}
		if c.Filter >= 0 {
			in.column(c.Filter).merge(whole)
		}
	}
	if len(in) == 0 {
		in.column(0).merge(whole)
	}
}

// rebuildOver keeps of the input what is needed, since rows wait in the operator.
func (p *pruner) rebuildOver(n *logical.Over) pruned {
	input, at := p.slim(n.Input, n.Span())
	move := func(columns []int) []int {
		out := make([]int, len(columns))
		for i, c := range columns {
			out[i] = at[c]
		}
		return out
	}
	spec := n.Spec
	spec.Keys = move(n.Spec.Keys)
	spec.Order = append([]graph.Order(nil), n.Spec.Order...)
	for i := range spec.Order {
		spec.Order[i].Column = at[spec.Order[i].Column]
	}
	spec.Calls = append([]graph.OverCall(nil), n.Spec.Calls...)
	for i := range spec.Calls {
		c := &spec.Calls[i]
		c.Args = move(c.Args)
		if c.Filter >= 0 {
			c.Filter = at[c.Filter]
		}
	}
	for i := range spec.Calls {
		at = append(at, input.Schema().NumFields()+i)
	}
	return pruned{logical.NewOver(input, spec, n.Pinned, n.Span()), at}
}

package physical

import (
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// assign lays out an assignment of windows. Those of sessions have become aggregations before.
func (p *planner) assign(n *logical.Assign) []int {
	node := graph.Node{
		Description: describeWindow(n.Window), Spec: &graph.AssignSpec{Window: n.Window}, Out: withText(n.Schema()),
		Mode: n.Properties().Mode, Span: n.Span(),
	}
	return []int{p.add("assign", p.meaningOf(n).base, node, forward(p.build(n.Input)))}
}

func (p *planner) assignMeaning(n *logical.Assign) meaning {
	in := p.meaningOf(n.Input)
	m := meaning{base: digest("assign", in.rows(), windowDigest(n.Window))}
	for _, c := range in.columns {
		m.columns = append(m.columns, digest("of", m.base, c))
	}
	m.columns = append(m.columns, digest("window", m.base))
	return m
}

package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/sql/logical"
)

// mergeLateral lets a lateral query compute what it keeps and looks at straight from its input's input.
func (m *merger) mergeLateral(n *logical.Lateral) logical.Node {
	in, ok := m.absorbable(n.Input)
	if !ok || !m.worth(n.Exprs(), in) {
		return n
	}
	return m.mergeLateral(n.Map(in.Input, func(e *expr.Node) *expr.Node { return substitute(e, in.Exprs) }))
}

// demandLateral tells the input of a lateral query what is read of it.
func (p *pruner) demandLateral(n *logical.Lateral, mine need) {
	in := p.of(n.Input)
	for i, u := range mine {
		if i < len(n.Keep) {
			in.read(n.Keep[i], u)
		}
	}
	for _, o := range n.Outer {
		in.read(o, whole)
	}
}

// rebuildLateral keeps of the input only what is read.
func (p *pruner) rebuildLateral(n *logical.Lateral) pruned {
	in := p.visit(n.Input)
	mine := p.needs[n]
	s := n.Small
	s.Keep, s.KeepFields = nil, nil
	at := make([]int, n.Schema().NumFields())
	for i := range n.Keep {
		if at[i] = -1; mine[i] != nil {
			at[i] = len(s.Keep)
			s.Keep, s.KeepFields = append(s.Keep, n.Keep[i]), append(s.KeepFields, n.KeepFields[i])
		}
	}
	for i := len(n.Keep); i < len(at); i++ {
		at[i] = i - len(n.Keep) + len(s.Keep)
	}
	return pruned{logical.NewLateral(n.Input, s, n.Span()).Map(in.node, in.move), at}
}

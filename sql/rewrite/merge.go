package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/sql/logical"
)

// mergeProjections computes projections of projections in one step, and drops those that change nothing. A projection that
// several queries read is computed once for all of them, unless it only picks columns.
var mergeProjections = Rule{
	Name: "merge-projections",
	Doc:  "compute projections of projections in one step",
	Apply: func(c *Context, roots []logical.Node) []logical.Node {
		m := &merger{Context: c, consumers: map[logical.Node]int{}}
		before := logical.Consumers(roots)
		return logical.Rewrite(roots, func(old, n logical.Node) logical.Node {
			out := m.merge(n)
			m.consumers[out] += before[old]
			return out
		})
	},
}

type merger struct {
	*Context
	// consumers counts who reads a node that has been rewritten.
	consumers map[logical.Node]int
}

func (m *merger) merge(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Project:
		return m.mergeProject(n)
	case *logical.Aggregate:
		return m.mergeAggregate(n)
	case *logical.Unnest:
		return m.mergeUnnest(n)
	case *logical.Lateral:
		return m.mergeLateral(n)
	}
	return n
}

func (m *merger) mergeProject(n *logical.Project) logical.Node {
	in, ok := m.absorbable(n.Input)
	if !ok || n.EventTime != nil {
		return n
	}
	if !m.worth(n.Exprs, in) {
		return n
	}
	exprs := make([]*expr.Node, len(n.Exprs))
	for i, e := range n.Exprs {
		exprs[i] = substitute(e, in.Exprs)
	}
	return m.mergeProject(logical.NewProject(in.Input, exprs, n.Schema().Fields(), n.Span()))
}

// mergeAggregate lets an aggregation compute its keys and arguments straight from its input's input.
func (m *merger) mergeAggregate(n *logical.Aggregate) logical.Node {
	in, ok := m.absorbable(n.Input)
	if !ok {
		return n
	}
	all := append([]*expr.Node(nil), n.Keys...)
	for _, c := range n.Calls {
		all = append(all, c.Args...)
		if c.Filter != nil {
			all = append(all, c.Filter)
		}
	}
	if !m.worth(all, in) {
		return n
	}
	g := n.Group
	g.Keys = substituteAll(g.Keys, in.Exprs)
	g.Calls = make([]*logical.Call, len(n.Calls))
	for i, c := range n.Calls {
		moved := *c
		moved.Args = substituteAll(c.Args, in.Exprs)
		if c.Filter != nil {
			moved.Filter = substitute(c.Filter, in.Exprs)
		}
		g.Calls[i] = &moved
	}
	return m.mergeAggregate(logical.NewAggregate(in.Input, g, n.Span()))
}

func substituteAll(list, columns []*expr.Node) []*expr.Node {
	out := make([]*expr.Node, len(list))
	for i, n := range list {
		out[i] = substitute(n, columns)
	}
	return out
}

// absorbable gives the projection below, if it may be computed by whoever reads it.
func (m *merger) absorbable(n logical.Node) (*logical.Project, bool) {
	p, ok := n.(*logical.Project)
	if !ok || p.EventTime != nil {
		return nil, false
	}
	if m.consumers[p] > 1 {
		for _, e := range p.Exprs {
			if !cheap(e) {
				return nil, false
			}
		}
	}
	return p, true
}

// worth reports whether the expressions stay small, and random ones single, when in's are put into them.
func (m *merger) worth(exprs []*expr.Node, in *logical.Project) bool {
	uses := make([]int, len(in.Exprs))
	size := 0
	for _, e := range exprs {
		size += weigh(e, uses)
	}
	for i, n := range uses {
		if n == 0 {
			continue
		}
		size += n * weigh(in.Exprs[i], make([]int, in.Input.Schema().NumFields()))
		if n > 1 && m.volatile(in.Exprs[i]) {
			return false
		}
	}
	return size <= maxSize
}

package rewrite

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/sql/logical"
)

// throughKept moves conditions that look at nothing but what an unnest or a lateral query keeps of its input below it. Rows are
// made once for all readers, so one that others read as well stays as it is.
func (p *pusher) throughKept(in logical.Node, keep, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if p.consumers[in] > 1 {
		return p.filter(in, conds, origin)
	}
	return p.through(in, conds, origin, func(c *expr.Node) *expr.Node {
		uses := make([]int, in.Schema().NumFields())
		weigh(c, uses)
		ok := !p.volatile(c)
		for i, n := range uses {
			ok = ok && (n == 0 || i < len(keep) && !p.volatile(keep[i]))
		}
		if !ok {
			return nil
		}
		return substitute(c, keep)
	})
}

// mergeUnnest lets an unnest compute what it keeps and its lists straight from its input's input.
func (m *merger) mergeUnnest(n *logical.Unnest) logical.Node {
	in, ok := m.absorbable(n.Input)
	if !ok || !m.worth(n.Exprs(), in) {
		return n
	}
	return m.mergeUnnest(n.Map(in.Input, func(e *expr.Node) *expr.Node { return substitute(e, in.Exprs) }))
}

// demandUnnest tells the input of an unnest what is read of it: lists in any case, since they say how many rows there are.
func (p *pruner) demandUnnest(n *logical.Unnest, mine need) {
	in := p.of(n.Input)
	for i, u := range mine {
		if i < len(n.Keep) {
			in.read(n.Keep[i], u)
		}
	}
	for _, c := range n.Calls {
		for _, a := range c.Args {
			in.read(a, whole)
		}
	}
}

// rebuildUnnest repeats of the input only what is read.
func (p *pruner) rebuildUnnest(n *logical.Unnest) pruned {
	in := p.visit(n.Input)
	mine := p.needs[n]
	u := n.Unnesting
	u.Keep, u.KeepFields = nil, nil
	at := make([]int, n.Schema().NumFields())
	for i := range n.Keep {
		if _, used := mine[i]; !used {
			at[i] = -1
			continue
		}
		at[i] = len(u.Keep)
		u.Keep, u.KeepFields = append(u.Keep, n.Keep[i]), append(u.KeepFields, n.KeepFields[i])
	}
	for i := len(n.Keep); i < len(at); i++ {
		at[i] = i - len(n.Keep) + len(u.Keep)
	}
	if last := len(at) - 1; u.Ordinality {
		if _, used := mine[last]; !used {
			u.Ordinality, at[last] = false, -1
		}
	}
	return pruned{logical.NewUnnest(n.Input, u, n.Span()).Map(in.node, in.move), at}
}

// rebuildValues leaves out the columns that nobody reads, but for one that says how many rows there are.
func (p *pruner) rebuildValues(n *logical.Values) pruned {
	mine := p.needs[n]
	at, kept := make([]int, n.Schema().NumFields()), 0
	for i := range at {
		_, used := mine[i]
		if at[i] = -1; used || len(mine) == 0 && i == 0 {
			at[i] = kept
			kept++
		}
	}
	if kept == len(at) {
		return pruned{node: n}
	}
	rows := make([][]*expr.Node, len(n.Rows))
	var fields []arrow.Field
	for i, to := range at {
		if to < 0 {
			continue
		}
		fields = append(fields, n.Schema().Field(i))
		for r := range rows {
			rows[r] = append(rows[r], n.Rows[r][i])
		}
	}
	return pruned{logical.NewValues(rows, fields, n.Span()), at}
}

// rebuildSeries counts the values only if someone reads the count.
func (p *pruner) rebuildSeries(n *logical.Series) pruned {
	if _, used := p.needs[n][1]; used || !n.Spec.Ordinality {
		return pruned{node: n}
	}
	spec := n.Spec
	spec.Ordinality = false
	return pruned{logical.NewSeries(spec, n.Schema().Field(0).Name, n.Span()), []int{0, -1}}
}

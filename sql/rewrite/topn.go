package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// rankAll lets rankings that keep all rows compute only the ranks that have changed.
var rankAll = Rule{
	Name: "rank-all",
	Doc:  "rank all rows as a function over rows",
	Apply: func(_ *Context, roots []logical.Node) []logical.Node {
		return logical.Rewrite(roots, func(_, n logical.Node) logical.Node {
			t, ok := n.(*logical.TopN)
			if !ok || t.Limit >= 0 || t.Offset > 0 || !t.WithRank || t.PerTime {
				return n
			}
			return logical.NewOver(t.Input, graph.OverSpec{
				Keys: t.Keys, Order: t.Order, Calls: []graph.OverCall{logical.RankCall(t.Rank, t.Span())}, Updating: true,
				FlushInterval: t.Flush, TTL: t.TTL,
			}, t.Pinned, t.Span())
		})
	},
}

// throughTopN turns conditions on the rank into its limit, and moves those on keys below, where they leave out whole groups.
// A ranking that is pinned or that others read as well stays as it is.
func (p *pusher) throughTopN(in *logical.TopN, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if in.Pinned || p.consumers[in] > 1 {
		return p.filter(in, conds, origin)
	}
	r := in.Ranking
	var below, above []*expr.Node
	for _, c := range conds {
		n, exact, ok := RankBound(c, in)
		switch {
		case ok:
			if r.Limit < 0 || n < r.Limit {
				r.Limit = max(n, 0)
			}
			if !exact {
				above = append(above, c)
			}
		case onlyColumns(c, r.Keys) && !p.volatile(c):
			below = append(below, c)
		default:
			above = append(above, c)
		}
	}
	input := in.Input
	if len(below) > 0 {
		input = p.push(input, below, origin)
	}
	return p.filter(logical.NewTopN(input, r, in.Span()), above, origin)
}

// RankBound reads rank <= n, rank < n and rank = n; exact tells whether the limit says all of it.
func RankBound(c *expr.Node, in *logical.TopN) (n int64, exact, ok bool) {
	if !in.WithRank || in.Offset != 0 || in.WithTies || c.Kind != expr.Call || len(c.Args) != 2 {
		return 0, false, false
	}
	name, rank, value := c.Name, c.Args[0], c.Args[1]
	if rank.Kind == expr.Literal {
		rank, value = value, rank
		name = map[string]string{"gt": "lt", "gteq": "lteq", "eq": "eq"}[name]
	}
	v, isInt := value.Value.(int64)
	if rank.Kind != expr.Column || rank.Index != in.Schema().NumFields()-1 || value.Kind != expr.Literal || !isInt {
		return 0, false, false
	}
	switch name {
	case "lteq":
		return v, true, true
	case "lt":
		return v - 1, true, v > -1<<62
	case "eq":
		return v, v == 1 && in.Rank == graph.RowNumber, true
	}
	return 0, false, false
}

// greatest is the greatest number of a column IN (numbers).
func greatest(c *expr.Node, column int) (n int64, ok bool) {
	if c.Args[0].Kind != expr.Column || c.Args[0].Index != column {
		return 0, false
	}
	for _, a := range c.Args[1:] {
		v, is := a.Value.(int64)
		if a.Kind != expr.Literal || a.Value != nil && !is {
			return 0, false
		}
		n = max(n, v)
	}
	return n, true
}

// onlyColumns reports whether a condition looks at some of these columns and at nothing else.
func onlyColumns(c *expr.Node, columns []int) bool {
	some, ok := false, true
	c.Walk(func(x *expr.Node) bool {
		switch x.Kind {
		case expr.Column:
			found := false
			for _, k := range columns {
				found = found || k == x.Index
			}
			some, ok = true, ok && found
		case expr.RowTime:
			ok = false
		}
		return ok
	})
	return some && ok
}

// demandTopN tells the input of a ranking what is read of it.
func (p *pruner) demandTopN(n *logical.TopN, mine need) {
	in := p.of(n.Input)
	width := n.Input.Schema().NumFields()
	for i, u := range mine {
		if i < width {
			in.column(i).merge(u)
		}
	}
	for _, k := range n.Keys {
		in.column(k).merge(whole)
	}
	for _, o := range n.Order {
		in.column(o.Column).merge(whole)
	}
	if len(in) == 0 {
		in.column(0).merge(whole)
	}
}

// rebuildTopN keeps of the input what is needed, since a ranking keeps its rows, and counts ranks only if they are read.
func (p *pruner) rebuildTopN(n *logical.TopN) pruned {
	input, at := p.slim(n.Input, n.Span())
	r := n.Ranking
	r.Keys = make([]int, len(n.Keys))
	for i, k := range n.Keys {
		r.Keys[i] = at[k]
	}
	r.Order = make([]graph.Order, len(n.Order))
	for i, o := range n.Order {
		o.Column = at[o.Column]
		r.Order[i] = o
	}
	if n.WithRank {
		if _, used := p.needs[n][len(at)]; used {
			at = append(at, input.Schema().NumFields())
		} else {
			r.WithRank, at = false, append(at, -1)
		}
	}
	return pruned{logical.NewTopN(input, r, n.Span()), at}
}

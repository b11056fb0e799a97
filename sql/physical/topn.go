package physical

import (
	"fmt"
	"strings"

	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// topN lays out a ranking: a shuffle by its keys, and the operator.
func (p *planner) topN(n *logical.TopN) []int {
	from := p.build(n.Input)
	in := make([]input, len(from))
	for i, f := range from {
		in[i] = input{from: f, kind: graph.Shuffle, keys: n.Keys}
	}
	spec := &graph.TopNSpec{
		Keys: n.Keys, Order: n.Order, Rank: n.Rank, Limit: n.Limit, Offset: n.Offset, WithRank: n.WithRank, WithTies: n.WithTies, PerTime: n.PerTime,
	}
	if !n.PerTime {
		spec.FlushInterval, spec.TTL = n.Flush, n.TTL
	}
	node := graph.Node{Description: describeTopN(n), MaxParallelism: unsharded(n.Keys), Spec: spec, Out: n.Schema(), Mode: n.Properties().Mode, Span: n.Span()}
	return []int{p.add("top", p.meaningOf(n).base, node, in)}
}

func (p *planner) topNMeaning(n *logical.TopN) meaning {
	in := p.meaningOf(n.Input)
	parts := []string{"top", in.rows(), fmt.Sprint(n.Keys, n.Order, n.Rank, n.Limit, n.Offset, n.WithRank, n.WithTies, n.PerTime)}
	m := meaning{base: digest(append(parts, in.columns...)...)}
	for _, c := range in.columns {
		m.columns = append(m.columns, digest("of", m.base, c))
	}
	if n.WithRank {
		m.columns = append(m.columns, digest("rank", m.base))
	}
	return m
}

func describeTopN(n *logical.TopN) string {
	var b strings.Builder
	switch {
	case n.Limit < 0:
		b.WriteString(n.RankName())
	case n.Rank == graph.RowNumber:
		fmt.Fprintf(&b, "top %d", n.Limit)
	default:
		fmt.Fprintf(&b, "%s up to %d", n.RankName(), n.Offset+n.Limit)
	}
	if n.Offset > 0 {
		fmt.Fprintf(&b, " after %d", n.Offset)
	}
	if n.WithTies {
		b.WriteString(" with ties")
	}
	s := n.Input.Schema()
	for i, k := range n.Keys {
		b.WriteString(map[bool]string{true: " by ", false: ", "}[i == 0] + s.Field(k).Name)
	}
	if n.PerTime {
		b.WriteString(" in each window")
	}
	for i, o := range n.Order {
		b.WriteString(map[bool]string{true: " order by ", false: ", "}[i == 0] + orderText(s, o))
	}
	return shorten(b.String())
}

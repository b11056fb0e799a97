package logical

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Ranking says which rows a TopN keeps, as graph.TopNSpec does; keys and order are columns of the input.
type Ranking struct {
	Keys  []int
	Order []graph.Order
	Rank  graph.RankKind
	// Limit is negative for no limit.
	Limit, Offset      int64
	WithRank, WithTies bool
	PerTime            bool
	Flush, TTL         int64
	// Pinned rankings belong to a view, as in Group.
	Pinned bool
}

// TopN ranks the rows of each key and keeps those whose rank is in (Offset, Offset+Limit]. Its columns are the input's and,
// with WithRank, the rank.
type TopN struct {
	base
	Ranking
	Input Node
}

// NewTopN makes a TopN.
func NewTopN(in Node, r Ranking, span fault.Span) *TopN {
	fields := in.Schema().Fields()
	if r.WithRank {
		fields = append(fields, arrow.Field{Name: rankName(r.Rank), Type: arrow.PrimitiveTypes.Int64})
	}
	p := in.Properties()
	if r.PerTime {
		p.State, p.Key = StateWindow, nil
		return &TopN{base: base{arrow.NewSchema(fields, nil), p, span}, Ranking: r, Input: in}
	}
	out := Properties{Mode: graph.Updating, Key: p.staying(r.Keys), TimeColumns: p.TimeColumns}
	out.State = stateOfRows(p.Mode, len(r.Keys) > 0, r.TTL)
	if len(r.Keys) == 0 && r.Limit >= 0 && p.Mode == graph.Append { // no more rows than are put out, like one group
		out.State = StateTTL
	}
	switch {
	case r.Rank != graph.RowNumber || r.WithTies:
	case r.Limit == 1 && r.Offset == 0 && len(r.Keys) > 0:
		out.Key = r.Keys
	case r.WithRank && (r.Limit >= 0 || out.Key == nil):
		out.Key = append(slices.Clone(r.Keys), len(fields)-1)
	}
	return &TopN{base: base{arrow.NewSchema(fields, nil), out, span}, Ranking: r, Input: in}
}

// stateOfRows says what bounds the rows of partitions that are kept whole: idle keys are forgotten, and the rows of a
// changelog go when it takes them back, as its own operators do with idle keys.
func stateOfRows(in graph.Mode, keys bool, ttl int64) StateBound {
	if ttl > 0 && (keys || in == graph.Updating) {
		return StateTTL
	}
	return StateUnbounded
}

// RankCall is a rank as a function over ordered rows.
func RankCall(k graph.RankKind, span fault.Span) graph.OverCall {
	return graph.OverCall{Call: agg.Call{Name: rankName(k), Filter: -1, Type: arrow.PrimitiveTypes.Int64, Span: span}}
}

func rankName(k graph.RankKind) string {
	switch k {
	case graph.Rank:
		return "rank"
	case graph.DenseRank:
		return "dense_rank"
	}
	return "row_number"
}

// RankName is the function that numbers the rows.
func (r *Ranking) RankName() string { return rankName(r.Rank) }

// Inputs implements Node.
func (t *TopN) Inputs() []Node { return []Node{t.Input} }

// WithInputs implements Node.
func (t *TopN) WithInputs(in []Node) Node { return NewTopN(in[0], t.Ranking, t.span) }

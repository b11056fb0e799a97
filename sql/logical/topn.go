package logical

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

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
	out := Properties{Mode: graph.Updating, Key: p.Key, State: StateTTL}
	if r.TTL <= 0 {
		out.State = StateUnbounded
	}
	switch {
	case r.Rank != graph.RowNumber || r.WithTies:
	case r.Limit == 1 && r.Offset == 0 && len(r.Keys) > 0:
		out.Key = r.Keys
	case r.WithRank:
		out.Key = append(slices.Clone(r.Keys), len(fields)-1)
	}
	return &TopN{base: base{arrow.NewSchema(fields, nil), out, span}, Ranking: r, Input: in}
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

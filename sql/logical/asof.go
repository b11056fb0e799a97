package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Nearest says which right row counts for a left one, as graph.AsofJoinSpec does.
type Nearest struct {
	// Kind is InnerJoin or LeftJoin.
	Kind graph.JoinKind
	// Keys are equalities.
	Keys []JoinKey
	// Residual are terms over the left columns followed by the right ones that have to be true of the pair that was found.
	Residual        []*expr.Node
	Forward, Strict bool
	Reach           int64
	// Order is over right columns.
	Order             []graph.Order
	Latest, Versioned bool
	// Ended is a right column, −1 for none.
	Ended int
	TTL   int64
}

// Asof puts beside each row of an append stream the one right row of its key that is nearest in event time. Its columns are
// those of the left side and then those of the right one.
type Asof struct {
	base
	Nearest
	Left, Right Node
}

// NewAsof makes an Asof.
func NewAsof(left, right Node, n Nearest, span fault.Span) *Asof {
	fields := left.Schema().Fields()
	for _, f := range right.Schema().Fields() {
		f.Nullable = f.Nullable || n.Kind == graph.LeftJoin
		fields = append(fields, f)
	}
	p := Properties{State: StateWindow}
	if !n.Versioned && n.Reach == 0 && (n.Forward || len(n.Keys) > 0) {
		p.State = StateUnbounded
	}
	if l := left.Properties(); !n.Forward {
		// The event time is the left row's.
		p.Window, p.WindowColumns, p.TimeColumns = l.Window, l.WindowColumns, l.TimeColumns
	}
	return &Asof{base: base{arrow.NewSchema(fields, nil), p, span}, Nearest: n, Left: left, Right: right}
}

// Inputs implements Node.
func (a *Asof) Inputs() []Node { return []Node{a.Left, a.Right} }

// WithInputs implements Node.
func (a *Asof) WithInputs(in []Node) Node { return NewAsof(in[0], in[1], a.Nearest, a.span) }

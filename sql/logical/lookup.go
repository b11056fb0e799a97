package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Asked says what a Lookup asks, as graph.LookupJoinSpec does.
type Asked struct {
	Kind graph.JoinKind
	// Keys are over the input's columns, one for each column of Table.PrimaryKey.
	Keys []*expr.Node
	// Residual are terms over the input's columns followed by the table's.
	Residual             []*expr.Node
	Table                *graph.SourceSpec
	CacheBytes, CacheTTL int64
	// Description is a line about the table for people.
	Description string
}

// Lookup asks a table outside which row belongs to each row of its input. Its columns are those of the input and then those
// of the table.
type Lookup struct {
	base
	Asked
	Input Node
}

// NewLookup makes a Lookup.
func NewLookup(in Node, a Asked, span fault.Span) *Lookup {
	fields := in.Schema().Fields()
	for _, f := range a.Table.Schema.Fields() {
		f.Nullable = f.Nullable || a.Kind == graph.LeftJoin
		fields = append(fields, f)
	}
	p := in.Properties()
	p.State = StateNone
	return &Lookup{base: base{arrow.NewSchema(fields, nil), p, span}, Asked: a, Input: in}
}

// Inputs implements Node.
func (l *Lookup) Inputs() []Node { return []Node{l.Input} }

// WithInputs implements Node.
func (l *Lookup) WithInputs(in []Node) Node { return NewLookup(in[0], l.Asked, l.span) }

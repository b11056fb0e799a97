package logical

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Over computes functions over the ordered rows of each key. Its columns are the input's, then one for each call; keys,
// order and the arguments of calls are columns of the input.
type Over struct {
	base
	Spec  graph.OverSpec
	Input Node
	// Pinned functions belong to a view, as in Group.
	Pinned bool
}

// NewOver makes an Over.
func NewOver(in Node, spec graph.OverSpec, pinned bool, span fault.Span) *Over {
	fields := in.Schema().Fields()
	plain := len(fields)
	for _, c := range spec.Calls {
		fields = append(fields, arrow.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable})
	}
	p := in.Properties()
	if spec.Updating {
		p = updatingOver(p, &spec, plain)
	} else {
		p.State = stateOver(&spec)
	}
	return &Over{base: base{arrow.NewSchema(fields, nil), p, span}, Spec: spec, Input: in, Pinned: pinned}
}

// stateOver says what bounds what is kept for results by event time: little of each key.
func stateOver(spec *graph.OverSpec) StateBound {
	_, near := spec.Near()
	switch {
	case spec.PerTime || near || len(spec.Keys) == 0:
		return StateWindow
	case spec.TTL > 0:
		return StateTTL
	}
	return StateUnbounded
}

// updatingOver is the properties of results that change: all rows of a key are kept until it is idle.
func updatingOver(in Properties, spec *graph.OverSpec, columns int) Properties {
	out := Properties{Mode: graph.Updating, Key: in.staying(spec.Keys), TimeColumns: in.TimeColumns, State: stateOfRows(in.Mode, len(spec.Keys) > 0, spec.TTL)}
	for i, c := range spec.Calls {
		if c.Name == "row_number" && out.Key == nil {
			out.Key = append(slices.Clone(spec.Keys), columns+i)
		}
	}
	return out
}

// Inputs implements Node.
func (o *Over) Inputs() []Node { return []Node{o.Input} }

// WithInputs implements Node.
func (o *Over) WithInputs(in []Node) Node { return NewOver(in[0], o.Spec, o.Pinned, o.span) }

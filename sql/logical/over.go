package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Over computes functions over the ordered rows of each key of an append stream. Its columns are the input's, then one for
// each call; keys, order and the arguments of calls are columns of the input.
type Over struct {
	base
	Spec  graph.OverSpec
	Input Node
}

// NewOver makes an Over.
func NewOver(in Node, spec graph.OverSpec, span fault.Span) *Over {
	fields := in.Schema().Fields()
	p := in.Properties()
	p.State = StateWindow
	for _, c := range spec.Calls {
		fields = append(fields, arrow.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable})
		near := c.Frame.Unit == graph.Range && c.Frame.From.Kind != graph.UnboundedPreceding
		if !spec.PerTime && !near && len(spec.Keys) > 0 {
			p.State = StateUnbounded
		}
	}
	return &Over{base: base{arrow.NewSchema(fields, nil), p, span}, Spec: spec, Input: in}
}

// Inputs implements Node.
func (o *Over) Inputs() []Node { return []Node{o.Input} }

// WithInputs implements Node.
func (o *Over) WithInputs(in []Node) Node { return NewOver(in[0], o.Spec, o.span) }

package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// UnnestCall is one list, map or series over the columns of the input, as graph.UnnestCall says.
type UnnestCall struct {
	Kind      graph.UnnestKind
	Args      []*expr.Node
	Including bool
	NullRow   bool
	// Names are those of the columns that it makes.
	Names []string
}

// types are those of the columns that the call makes.
func (c *UnnestCall) types() []arrow.DataType {
	switch dt := c.Args[0].Type.(type) {
	case *arrow.ListType:
		return []arrow.DataType{dt.Elem()}
	case *arrow.MapType:
		return []arrow.DataType{dt.KeyType(), dt.ItemType()}
	}
	return []arrow.DataType{c.Args[0].Type}
}

// Unnesting is what an Unnest puts out.
type Unnesting struct {
	// Keep is computed for every input row and stands in front of its rows; KeepFields names it.
	Keep       []*expr.Node
	KeepFields []arrow.Field
	Calls      []UnnestCall
	// Ordinality and Outer are as in graph.UnnestSpec.
	Ordinality, Outer bool
}

// Unnest makes a row for each element of the lists of every input row.
type Unnest struct {
	base
	Unnesting
	Input Node
}

// NewUnnest makes an Unnest.
func NewUnnest(in Node, u Unnesting, span fault.Span) *Unnest {
	fields := make([]arrow.Field, 0, len(u.Keep)+len(u.Calls)+1)
	for i, k := range u.Keep {
		fields = append(fields, arrow.Field{Name: u.KeepFields[i].Name, Type: k.Type, Nullable: k.Nullable, Metadata: u.KeepFields[i].Metadata})
	}
	for _, c := range u.Calls {
		for i, dt := range c.types() {
			// The entries of one map have keys; elements may be null, and so may what has ended before its neighbours.
			key := (c.Kind == graph.UnnestMap && i == 0 || c.Kind == graph.UnnestSeries) && len(u.Calls) == 1 && !u.Outer
			fields = append(fields, arrow.Field{Name: c.Names[i], Type: dt, Nullable: !key})
		}
	}
	p := in.Properties().project(u.Keep)
	key := p.Key
	if p.Key = nil; u.Ordinality {
		if fields = append(fields, ordinality(u.Outer)); key != nil {
			p.Key = append(key, len(fields)-1)
		}
	}
	return &Unnest{base: base{arrow.NewSchema(fields, nil), p, span}, Unnesting: u, Input: in}
}

// FirstCall is the column of the first call.
func (u *Unnest) FirstCall() int { return len(u.Keep) }

// Inputs implements Node.
func (u *Unnest) Inputs() []Node { return []Node{u.Input} }

// WithInputs implements Node.
func (u *Unnest) WithInputs(in []Node) Node { return NewUnnest(in[0], u.Unnesting, u.span) }

// Map is the same unnest over another input, with f applied to every expression over it.
func (u *Unnest) Map(in Node, f func(*expr.Node) *expr.Node) *Unnest {
	out := u.Unnesting
	out.Keep = mapped(u.Keep, f)
	out.Calls = append([]UnnestCall(nil), u.Calls...)
	for i := range out.Calls {
		out.Calls[i].Args = mapped(out.Calls[i].Args, f)
	}
	return NewUnnest(in, out, u.span)
}

func mapped(list []*expr.Node, f func(*expr.Node) *expr.Node) []*expr.Node {
	out := make([]*expr.Node, len(list))
	for i, n := range list {
		out[i] = f(n)
	}
	return out
}

// Exprs are all expressions over the input.
func (u *Unnest) Exprs() []*expr.Node {
	all := append([]*expr.Node(nil), u.Keep...)
	for _, c := range u.Calls {
		all = append(all, c.Args...)
	}
	return all
}

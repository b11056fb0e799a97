package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Assign gives every row its time windows: a row for each window that holds its event time, which becomes the window's
// end − 1 ns. Its columns are the input's, then the window struct. In a session, rows come when it is over.
type Assign struct {
	base
	Windows
	Input Node
}

// Windows is what an Assign does.
type Windows struct {
	Window graph.Window
	// Keys are the columns within which rows make sessions; other windows have none.
	Keys []int
}

// NewAssign makes an Assign.
func NewAssign(in Node, w Windows, span fault.Span) *Assign {
	fields := append(in.Schema().Fields(), arrow.Field{Name: "window", Type: expr.Window})
	at := len(fields) - 1
	p := Properties{Mode: in.Properties().Mode, Window: &w.Window, WindowColumns: []WindowColumn{{Column: at}}}
	if key := in.Properties().Key; key != nil {
		p.Key = append(key[:len(key):len(key)], at)
	}
	if w.Window.Kind == Session {
		p.State = StateWindow
	}
	return &Assign{base: base{arrow.NewSchema(fields, nil), p, span}, Windows: w, Input: in}
}

// Inputs implements Node.
func (a *Assign) Inputs() []Node { return []Node{a.Input} }

// WithInputs implements Node.
func (a *Assign) WithInputs(in []Node) Node { return NewAssign(in[0], a.Windows, a.span) }

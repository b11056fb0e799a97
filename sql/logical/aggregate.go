package logical

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Call is one aggregate over expressions of the input.
type Call struct {
	// Name is the aggregate's primary name.
	Name     string
	Distinct bool
	// Args are coerced to the types that the aggregate takes; count(*) has none.
	Args []*expr.Node
	// OrderBy and Params are as in agg.Call, over Args.
	OrderBy []agg.Order
	Params  []any
	// Filter is the condition of FILTER (WHERE …), or nil.
	Filter   *expr.Node
	Type     arrow.DataType
	Nullable bool
	Span     fault.Span
}

// Equal reports whether two calls compute the same.
func (c *Call) Equal(o *Call) bool {
	if c.Name != o.Name || c.Distinct != o.Distinct || len(c.Args) != len(o.Args) || !expr.Equal(c.Filter, o.Filter) ||
		!slices.Equal(c.OrderBy, o.OrderBy) || !slices.Equal(c.Params, o.Params) {
		return false
	}
	for i := range c.Args {
		if !expr.Equal(c.Args[i], o.Args[i]) {
			return false
		}
	}
	return true
}

// Group is what an Aggregate computes and how. Keys and Calls may be empty.
type Group struct {
	Keys []*expr.Node
	// KeyFields names the key columns.
	KeyFields []arrow.Field
	Calls     []*Call
	// Window is nil for an updating aggregate. Of is the window that the results belong to, which differs from Window when
	// the results of a hop are grouped once more by their window.
	Window, Of *graph.Window
	// Flush, TTL and Single are as in graph.UpdatingAggregateSpec.
	Flush, TTL int64
	Single     bool
	// Pinned aggregates belong to a view: filters stay above, so that another reader of the view does not change it.
	Pinned bool
}

// Aggregate groups by key and perhaps by window. Its columns are the keys, then the window struct if there is one, then
// the aggregates.
type Aggregate struct {
	base
	Group
	Input Node
}

// NewAggregate makes an Aggregate.
func NewAggregate(in Node, g Group, span fault.Span) *Aggregate {
	fields := make([]arrow.Field, 0, len(g.Keys)+len(g.Calls)+1)
	props := Properties{Mode: graph.Updating, State: StateTTL}
	for i, k := range g.Keys {
		fields = append(fields, arrow.Field{Name: g.KeyFields[i].Name, Type: k.Type, Nullable: k.Nullable, Metadata: g.KeyFields[i].Metadata})
		props.Key = append(props.Key, i)
	}
	if g.Window != nil {
		props = g.windowed(in.Properties())
		fields = append(fields, arrow.Field{Name: "window", Type: expr.Window})
	} else if g.TTL <= 0 {
		props.State = StateUnbounded
	}
	same := map[string]int{}
	for _, c := range g.Calls {
		name := c.Name
		if same[name]++; same[name] > 1 {
			name = fmt.Sprintf("%s_%d", name, same[name])
		}
		fields = append(fields, arrow.Field{Name: name, Type: c.Type, Nullable: c.Nullable})
	}
	return &Aggregate{base: base{arrow.NewSchema(fields, nil), props, span}, Group: g, Input: in}
}

// windowed is what is known of the results of a window: which columns hold it.
func (g *Group) windowed(in Properties) Properties {
	props := Properties{Mode: graph.Append, State: StateWindow, Window: g.Of}
	if g.Of == nil {
		props.Window = g.Window
	}
	if in.Window != nil && *props.Window == *in.Window {
		for i, k := range g.Keys {
			part, ok := in.WindowPart(k)
			if ok {
				props.WindowColumns = append(props.WindowColumns, WindowColumn{i, part})
			}
			if ok && part == WindowTime {
				props.TimeColumns = append(props.TimeColumns, i)
			}
		}
	}
	if *props.Window == *g.Window {
		props.WindowColumns = append(props.WindowColumns, WindowColumn{Column: len(g.Keys)})
	}
	return props
}

// FirstCall is the column of the first aggregate.
func (a *Aggregate) FirstCall() int {
	if a.Window != nil {
		return len(a.Keys) + 1
	}
	return len(a.Keys)
}

// Inputs implements Node.
func (a *Aggregate) Inputs() []Node { return []Node{a.Input} }

// WithInputs implements Node.
func (a *Aggregate) WithInputs(in []Node) Node { return NewAggregate(in[0], a.Group, a.span) }

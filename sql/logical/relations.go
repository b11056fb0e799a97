package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// base holds what all nodes have.
type base struct {
	schema *arrow.Schema
	props  Properties
	span   fault.Span
}

func (b *base) Schema() *arrow.Schema  { return b.schema }
func (b *base) Properties() Properties { return b.props }
func (b *base) Span() fault.Span       { return b.span }

// Scan reads a connector table: the declared columns that the connector or the format fills.
type Scan struct {
	base
	Spec *graph.SourceSpec
	// MaxParallelism bounds the subtasks; Description is a line for people.
	MaxParallelism int
	Description    string
}

// NewScan makes a Scan; mode is Updating for tables in a changelog format.
func NewScan(spec *graph.SourceSpec, mode graph.Mode, maxParallelism int, description string, span fault.Span) *Scan {
	props := Properties{Mode: mode}
	if mode == graph.Updating {
		props.Key = spec.PrimaryKey
	}
	return &Scan{base: base{spec.Schema, props, span}, Spec: spec, MaxParallelism: maxParallelism, Description: description}
}

// Inputs implements Node.
func (s *Scan) Inputs() []Node { return nil }

// WithInputs implements Node.
func (s *Scan) WithInputs([]Node) Node { return s }

// WithNeeded is the same scan that reads only these dotted paths.
func (s *Scan) WithNeeded(paths []string) *Scan {
	c, spec := *s, *s.Spec
	spec.Needed = paths
	c.Spec = &spec
	return &c
}

// Watermark makes the watermarks of a table. Filters are never moved below it, so that a query cannot change them.
type Watermark struct {
	base
	Input Node
	// Expr, Delay and Idle are as in graph.WatermarkSpec.
	Expr        *expr.Node
	Delay, Idle int64
	// Table is the table's name.
	Table string
}

// NewWatermark makes a Watermark.
func NewWatermark(in Node, table string, e *expr.Node, delay, idle int64, span fault.Span) *Watermark {
	return &Watermark{base: base{in.Schema(), in.Properties(), span}, Input: in, Expr: e, Delay: delay, Idle: idle, Table: table}
}

// Inputs implements Node.
func (w *Watermark) Inputs() []Node { return []Node{w.Input} }

// WithInputs implements Node.
func (w *Watermark) WithInputs(in []Node) Node {
	return NewWatermark(in[0], w.Table, w.Expr, w.Delay, w.Idle, w.span)
}

// Project computes columns. In a table's own projection it sets the event time as well.
type Project struct {
	base
	Input Node
	Exprs []*expr.Node
	// EventTime, EventTimeColumn and DropBadTime are as in graph.ProjectSpec.
	EventTime       *expr.Node
	EventTimeColumn string
	DropBadTime     bool
	// timeColumn is the output column that EventTime is; −1 when it is none.
	timeColumn int
}

// NewProject makes a Project; fields gives a name, and perhaps metadata, for each expression.
func NewProject(in Node, exprs []*expr.Node, fields []arrow.Field, span fault.Span) *Project {
	out := make([]arrow.Field, len(exprs))
	for i, e := range exprs {
		out[i] = arrow.Field{Name: fields[i].Name, Type: e.Type, Nullable: e.Nullable, Metadata: fields[i].Metadata}
	}
	return &Project{base: base{arrow.NewSchema(out, nil), in.Properties().project(exprs), span}, Input: in, Exprs: exprs, timeColumn: -1}
}

// NewTimeProject makes the projection of a table that declares its event time. timeColumn is the output column with the
// same value, or −1.
func NewTimeProject(in Node, exprs []*expr.Node, fields []arrow.Field, eventTime *expr.Node, name string, drop bool, timeColumn int, span fault.Span) *Project {
	p := NewProject(in, exprs, fields, span)
	p.EventTime, p.EventTimeColumn, p.DropBadTime, p.timeColumn = eventTime, name, drop, timeColumn
	p.props.TimeColumns = nil
	if timeColumn >= 0 {
		p.props.TimeColumns = []int{timeColumn}
	}
	return p
}

// Inputs implements Node.
func (p *Project) Inputs() []Node { return []Node{p.Input} }

// WithInputs implements Node.
func (p *Project) WithInputs(in []Node) Node { return p.With(in[0], p.Exprs, p.schema.Fields()) }

// With is the same projection with other columns. The time column is lost unless the columns are as many as before.
func (p *Project) With(in Node, exprs []*expr.Node, fields []arrow.Field) *Project {
	if p.EventTime == nil {
		return NewProject(in, exprs, fields, p.span)
	}
	t := p.timeColumn
	if len(exprs) != len(p.Exprs) {
		t = -1
	}
	return NewTimeProject(in, exprs, fields, p.EventTime, p.EventTimeColumn, p.DropBadTime, t, p.span)
}

// Pruned is a table's projection with fewer columns; at maps the old ones to the new, −1 for those left out.
func (p *Project) Pruned(in Node, exprs []*expr.Node, fields []arrow.Field, eventTime *expr.Node, at []int) *Project {
	t := p.timeColumn
	if t >= 0 {
		t = at[t]
	}
	return NewTimeProject(in, exprs, fields, eventTime, p.EventTimeColumn, p.DropBadTime, t, p.span)
}

// Filter keeps the rows for which Cond is true.
type Filter struct {
	base
	Input Node
	Cond  *expr.Node
}

// NewFilter makes a Filter.
func NewFilter(in Node, cond *expr.Node, span fault.Span) *Filter {
	p := in.Properties()
	p.State = StateNone
	return &Filter{base: base{in.Schema(), p, span}, Input: in, Cond: cond}
}

// Inputs implements Node.
func (f *Filter) Inputs() []Node { return []Node{f.Input} }

// WithInputs implements Node.
func (f *Filter) WithInputs(in []Node) Node { return NewFilter(in[0], f.Cond, f.span) }

// Union puts streams together; all inputs have the same types.
type Union struct {
	base
	In []Node
}

// NewUnion makes a Union; names come from the first input.
func NewUnion(in []Node, span fault.Span) *Union {
	fields := append([]arrow.Field(nil), in[0].Schema().Fields()...)
	first := in[0].Properties()
	props := Properties{Window: first.Window, WindowColumns: first.WindowColumns, TimeColumns: first.TimeColumns}
	for i, n := range in {
		for c, f := range n.Schema().Fields() {
			fields[c].Nullable = fields[c].Nullable || f.Nullable
		}
		q := n.Properties()
		if q.Mode == graph.Updating {
			props.Mode = graph.Updating
		}
		if i > 0 && (props.Window == nil || q.Window == nil || *q.Window != *props.Window) {
			props.Window, props.WindowColumns = nil, nil
		}
		props.WindowColumns = commonWindows(props.WindowColumns, q.WindowColumns)
		props.TimeColumns = common(props.TimeColumns, q.TimeColumns)
	}
	return &Union{base: base{arrow.NewSchema(fields, nil), props, span}, In: in}
}

func common(a, b []int) []int {
	var out []int
	for _, c := range a {
		if contains(b, c) {
			out = append(out, c)
		}
	}
	return out
}

// Inputs implements Node.
func (u *Union) Inputs() []Node { return u.In }

// WithInputs implements Node.
func (u *Union) WithInputs(in []Node) Node { return NewUnion(in, u.span) }

// Sink writes streams into a table. Several inserts into one table are several inputs of one Sink.
type Sink struct {
	base
	In             []Node
	Spec           *graph.SinkSpec
	MaxParallelism int
	Description    string
	// Anonymous sinks belong to a bare SELECT: two of them are never one.
	Anonymous bool
}

// NewSink makes a Sink.
func NewSink(in []Node, spec *graph.SinkSpec, maxParallelism int, description string, anonymous bool, span fault.Span) *Sink {
	props := Properties{}
	for _, n := range in {
		if n.Properties().Mode == graph.Updating {
			props.Mode = graph.Updating
		}
	}
	return &Sink{base: base{spec.Schema, props, span}, In: in, Spec: spec, MaxParallelism: maxParallelism, Description: description, Anonymous: anonymous}
}

// Inputs implements Node.
func (s *Sink) Inputs() []Node { return s.In }

// WithInputs implements Node.
func (s *Sink) WithInputs(in []Node) Node {
	return NewSink(in, s.Spec, s.MaxParallelism, s.Description, s.Anonymous, s.span)
}

// Package operators makes operators from a program's nodes: the one type switch from settings to code.
package operators

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/asof"
	"wadi/dataflow/assign"
	"wadi/dataflow/connector"
	"wadi/dataflow/constant"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/join"
	"wadi/dataflow/lookup"
	"wadi/dataflow/operator"
	"wadi/dataflow/over"
	"wadi/dataflow/project"
	"wadi/dataflow/session"
	"wadi/dataflow/topn"
	"wadi/dataflow/unnest"
	"wadi/dataflow/updating"
	"wadi/dataflow/watermark"
	"wadi/dataflow/window"
)

// Library is everything that operators are made from.
type Library struct {
	Connectors *connector.Registry
	Functions  *expr.Functions
	Aggregates *agg.Functions
}

// Source implements engine.Constructor.
func (l Library) Source(n *graph.Node, env operator.Env) (operator.Source, error) {
	switch spec := n.Spec.(type) {
	case *graph.SourceSpec:
		return l.read(spec, env)
	case *graph.ValuesSpec:
		return constant.NewValues(spec, n.Out, l.Functions, env)
	case *graph.SeriesSpec:
		return constant.NewSeries(spec, n.Out, l.Functions, env)
	}
	return nil, fault.Internalf("no source for %T", n.Spec)
}

// read opens the source of a table.
func (l Library) read(spec *graph.SourceSpec, env operator.Env) (operator.Source, error) {
	d, ok := l.Connectors.Lookup(spec.Connector)
	if !ok || d.NewSource == nil {
		return nil, fault.Internalf("no source connector %q", spec.Connector)
	}
	return d.NewSource(connector.SourceConfig{
		Spec: spec, Env: env,
		NewDecoder: func() (format.Decoder, error) {
			return format.NewDecoder(spec)
		},
	})
}

// Operator implements engine.Constructor.
func (l Library) Operator(p *graph.Program, node int, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	n := &p.Nodes[node]
	if mode == graph.Updating && appendOnly(n.Spec) {
		return nil, fault.Internalf("rows come to a %T that may be taken back", n.Spec)
	}
	switch spec := n.Spec.(type) {
	case *graph.ProjectSpec:
		return project.New(spec, in, n.Out, l.Functions, env)
	case *graph.WatermarkSpec:
		return watermark.New(spec, in, l.Functions, p.WatermarkGranularity(node), env)
	case *graph.WindowAggregateSpec:
		return window.New(spec, in, env)
	case *graph.AssignSpec:
		return assign.New(spec, in, n.Out, env)
	case *graph.UpdatingAggregateSpec:
		return updating.New(spec, in, mode, env)
	case *graph.SessionAggregateSpec:
		return session.New(spec, in, env)
	case *graph.JoinSpec:
		ins, modes, err := ports(p, node)
		if err != nil {
			return nil, err
		}
		return join.NewUpdating(spec, ins, modes, l.Functions, env)
	case *graph.WindowJoinSpec:
		ins, _, err := ports(p, node)
		if err != nil {
			return nil, err
		}
		return join.NewWindow(spec, ins, l.Functions, env)
	case *graph.IntervalJoinSpec:
		ins, _, err := ports(p, node)
		if err != nil {
			return nil, err
		}
		return join.NewInterval(spec, ins, l.Functions, env)
	case *graph.AsofJoinSpec:
		ins, modes, err := ports(p, node)
		if err != nil {
			return nil, err
		}
		return asof.New(spec, ins, modes, l.Functions, env)
	case *graph.LookupJoinSpec:
		return l.lookup(spec, in, mode, env)
	case *graph.TopNSpec:
		return topn.New(spec, in, mode, env)
	case *graph.OverSpec:
		return over.New(spec, in, mode, env)
	case *graph.UnnestSpec:
		return unnest.New(spec, in, n.Out, env)
	case *graph.LateralSpec:
		return unnest.NewLateral(spec, in, n.Out, l.Functions, env)
	case *graph.SinkSpec:
		return l.sink(spec, in, mode, env)
	}
	return nil, fault.Internalf("no operator for %T", n.Spec)
}

// appendOnly reports whether an operator cannot take rows back: it answers once the watermark has passed.
func appendOnly(spec graph.Spec) bool {
	switch spec.(type) {
	case *graph.WindowAggregateSpec, *graph.SessionAggregateSpec:
		return true
	}
	return false
}

// ports describes the rows that come into the two inputs of a join.
func ports(p *graph.Program, node int) (in [2]*arrow.Schema, modes [2]graph.Mode, err error) {
	for _, e := range p.In(node) {
		if e.Input < 0 || e.Input >= len(in) {
			return in, modes, fault.Internalf("an edge leads to input %d of a join", e.Input)
		}
	}
	for port := range in {
		in[port], modes[port] = p.Input(node, port)
	}
	if in[0] == nil || in[1] == nil {
		return in, modes, fault.Internalf("a join has only one input")
	}
	return in, modes, nil
}

func (l Library) lookup(spec *graph.LookupJoinSpec, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	d, ok := l.Connectors.Lookup(spec.Table.Connector)
	if !ok || d.NewLookup == nil {
		return nil, fault.Internalf("no lookup connector %q", spec.Table.Connector)
	}
	if env.Metrics == nil {
		env.Metrics = &operator.Metrics{}
	}
	table, err := d.NewLookup(connector.LookupConfig{
		Table: &spec.Table, Env: env,
		NewDecoder: func() (format.Decoder, error) { return format.NewDecoder(&spec.Table) },
	})
	if err != nil {
		return nil, err
	}
	op, err := lookup.New(spec, in, mode, table, l.Functions, env)
	if err != nil {
		table.Close()
	}
	return op, err
}

func (l Library) sink(spec *graph.SinkSpec, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	d, ok := l.Connectors.Lookup(spec.Connector)
	if !ok || d.NewSink == nil {
		return nil, fault.Internalf("no sink connector %q", spec.Connector)
	}
	return d.NewSink(connector.SinkConfig{
		Spec: spec, In: in, InMode: mode, Env: env,
		NewEncoder: func() (format.Encoder, error) {
			return format.NewEncoder(spec.Format, in, mode, spec.PrimaryKey)
		},
	})
}

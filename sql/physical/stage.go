package physical

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// stage lays out a projection, a filter, or a projection of a filter as one ProjectSpec.
func (p *planner) stage(n logical.Node) []int {
	spec := &graph.ProjectSpec{}
	below := n
	if pr, ok := n.(*logical.Project); ok {
		spec.Exprs = pr.Exprs
		spec.EventTime, spec.EventTimeColumn, spec.DropBadTime = pr.EventTime, pr.EventTimeColumn, pr.DropBadTime
		below = pr.Input
	}
	if f, ok := below.(*logical.Filter); ok && spec.EventTime == nil {
		spec.Filter = f.Cond
		below = f.Input
	}
	return p.apply(spec, n.Schema().Fields(), below, n.Properties().Mode, n.Span())
}

// apply adds a ProjectSpec over a relation, unless it would change nothing but names.
func (p *planner) apply(spec *graph.ProjectSpec, fields []arrow.Field, below logical.Node, mode graph.Mode, span fault.Span) []int {
	from := p.build(below)
	in := p.program.Nodes[from[0]].Out
	if spec.Exprs == nil {
		return []int{p.project(spec, in, mode, span, from)}
	}
	concrete(spec, fields)
	if inPlace(spec.Exprs, in.NumFields()) {
		if spec.Filter == nil && spec.EventTime == nil {
			return from
		}
		if sameNames(fields, in.Fields()) {
			spec.Exprs = nil
			return []int{p.project(spec, in, mode, span, from)}
		}
	}
	return []int{p.project(spec, arrow.NewSchema(fields, nil), mode, span, from)}
}

// sameNames reports whether two rows look the same to a format.
func sameNames(a, b []arrow.Field) bool {
	for i := range a {
		if a[i].Name != b[i].Name || expr.IsJSON(a[i]) != expr.IsJSON(b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// concrete gives expressions of the type of a bare NULL a type that batches have: TEXT.
func concrete(spec *graph.ProjectSpec, fields []arrow.Field) {
	copied := false
	for i, e := range spec.Exprs {
		if e.Type.ID() != arrow.NULL {
			continue
		}
		if !copied {
			spec.Exprs, copied = append([]*expr.Node(nil), spec.Exprs...), true
		}
		spec.Exprs[i] = expr.NewLiteral(arrow.BinaryTypes.String, nil).At(e.Span)
		fields[i].Type, fields[i].Nullable = arrow.BinaryTypes.String, true
	}
}

// inPlace reports whether the expressions are all columns of the input, each at its place.
func inPlace(exprs []*expr.Node, columns int) bool {
	if len(exprs) != columns {
		return false
	}
	for i, e := range exprs {
		if e.Kind != expr.Column || e.Index != i {
			return false
		}
	}
	return true
}

// arguments collects the columns that an aggregation needs of its input: keys first, then arguments and filters, each
// expression once.
type arguments struct {
	exprs  []*expr.Node
	fields []arrow.Field
}

func (a *arguments) add(e *expr.Node, f arrow.Field) int {
	for i, o := range a.exprs {
		if expr.Equal(o, e) && o.Nullable == e.Nullable {
			return i
		}
	}
	a.exprs = append(a.exprs, e)
	a.fields = append(a.fields, arrow.Field{Name: f.Name, Type: e.Type, Nullable: e.Nullable, Metadata: f.Metadata})
	return len(a.exprs) - 1
}

// aggregate lays out an aggregation: a projection to keys, arguments and filters, a shuffle by key, and the operator.
func (p *planner) aggregate(n *logical.Aggregate) []int {
	args := &arguments{exprs: []*expr.Node{}}
	keys := make([]int, len(n.Keys))
	for i, k := range n.Keys {
		keys[i] = args.add(k, n.KeyFields[i])
	}
	calls := make([]agg.Call, len(n.Calls))
	for i, c := range n.Calls {
		calls[i] = agg.Call{Name: c.Name, Distinct: c.Distinct, OrderBy: c.OrderBy, Params: c.Params, Filter: -1, Type: c.Type, Nullable: c.Nullable, Span: c.Span}
		for k, a := range c.Args {
			at := args.add(a, arrow.Field{Name: argumentName(a, fmt.Sprintf("arg%d_%d", i, k))})
			calls[i].Args = append(calls[i].Args, at)
			calls[i].ArgTypes = append(calls[i].ArgTypes, a.Type)
		}
		if c.Filter != nil {
			calls[i].Filter = args.add(c.Filter, arrow.Field{Name: fmt.Sprintf("filter%d", i)})
		}
	}
	spec := &graph.ProjectSpec{Exprs: args.exprs}
	below := n.Input
	if f, ok := below.(*logical.Filter); ok {
		spec.Filter, below = f.Cond, f.Input
	}
	from := p.apply(spec, args.fields, below, n.Input.Properties().Mode, n.Span())
	in := make([]input, len(from))
	for i, f := range from {
		in[i] = input{from: f, kind: graph.Shuffle, keys: keys}
	}
	node := graph.Node{Description: describeAggregate(n), MaxParallelism: unsharded(keys), Out: n.Schema(), Mode: n.Properties().Mode, Span: n.Span()}
	name := "updating"
	switch {
	case n.Window != nil && n.Window.Kind == logical.Session:
		name = "session"
		node.Spec = &graph.SessionAggregateSpec{Gap: n.Window.Width, Keys: keys, Aggs: calls}
	case n.Window != nil:
		name = "window"
		node.Spec = &graph.WindowAggregateSpec{Window: *n.Window, Keys: keys, Aggs: calls}
	default:
		node.Spec = &graph.UpdatingAggregateSpec{Keys: keys, Aggs: calls, FlushInterval: n.Flush, TTL: n.TTL, Single: n.Single}
	}
	return []int{p.add(name, p.meaningOf(n).base, node, in)}
}

// unsharded gives the bound of an aggregation: without keys there is one group, so one subtask.
func unsharded(keys []int) int {
	if len(keys) == 0 {
		return 1
	}
	return 0
}

// argumentName names a column for people; plain columns keep theirs.
func argumentName(e *expr.Node, otherwise string) string {
	if e.Kind == expr.Column || e.Kind == expr.Field {
		return e.Name
	}
	return otherwise
}

// contents spells all that a node is, so that equal spellings are one node.
func contents(n *graph.Node, in []input) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%T %d %d ", n.Spec, n.MaxParallelism, n.Mode)
	switch s := n.Spec.(type) {
	case *graph.SourceSpec:
		fmt.Fprintf(&b, "%s %s %q %v %s %v", s.Table, s.Connector, options(s.Options), s.Format, s.Schema, s.Needed)
	case *graph.ProjectSpec:
		b.WriteString(projectText(s))
	case *graph.WatermarkSpec:
		fmt.Fprintf(&b, "%s %d %d", exprText(s.Expr), s.Delay, s.Idle)
	case *graph.WindowAggregateSpec:
		fmt.Fprintf(&b, "%v %v %s", s.Window, s.Keys, callsText(s.Aggs))
	case *graph.AssignSpec:
		fmt.Fprintf(&b, "%v", s.Window)
	case *graph.SessionAggregateSpec:
		fmt.Fprintf(&b, "%d %v %s", s.Gap, s.Keys, callsText(s.Aggs))
	case *graph.OverSpec:
		fmt.Fprintf(&b, "%s %d %d", overText(s), s.FlushInterval, s.TTL)
	case *graph.ValuesSpec:
		b.WriteString(valuesText(s.Rows))
	case *graph.SeriesSpec:
		fmt.Fprintf(&b, "%s %t", seriesText(s), s.Ordinality)
	case *graph.UnnestSpec:
		b.WriteString(unnestText(s))
	case *graph.LateralSpec:
		fmt.Fprintf(&b, "%v %d %s", s.Keep, s.Kind, stepsText(s.Steps))
	case *graph.TopNSpec:
		fmt.Fprintf(&b, "%v", *s)
	case *graph.JoinSpec:
		fmt.Fprintf(&b, "%s %d", joinText(&s.JoinOn), s.TTL)
	case *graph.WindowJoinSpec:
		b.WriteString(joinText(&s.JoinOn))
	case *graph.IntervalJoinSpec:
		fmt.Fprintf(&b, "%s %d %d", joinText(&s.JoinOn), s.Lower, s.Upper)
	case *graph.LookupJoinSpec:
		t := &s.Table
		fmt.Fprintf(&b, "%d %v %s %s %s %q %v %s %v %v %v %d %d", s.Kind, s.Keys, exprText(s.Residual), t.Table, t.Connector, options(t.Options), t.Format, t.Schema,
			t.Metadata, t.Needed, t.PrimaryKey, s.CacheBytes, s.CacheTTL)
	case *graph.AsofJoinSpec:
		fmt.Fprintf(&b, "%s %t %t %d %v %t %t %d %d", joinText(&s.JoinOn), s.Forward, s.Strict, s.Reach, s.Order, s.Latest, s.Versioned, s.Ended, s.TTL)
	case *graph.UpdatingAggregateSpec:
		fmt.Fprintf(&b, "%v %s %d %d %t", s.Keys, callsText(s.Aggs), s.FlushInterval, s.TTL, s.Single)
	}
	if n.Out != nil {
		fmt.Fprintf(&b, " %s", n.Out)
	}
	for _, e := range in {
		fmt.Fprintf(&b, " <- %d %d %d %v", e.from, e.port, e.kind, e.keys)
	}
	return b.String()
}

func callsText(calls []agg.Call) string {
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "%s %t %v %v %#v %d %s;", c.Name, c.Distinct, c.Args, c.OrderBy, c.Params, c.Filter, c.Type)
	}
	return b.String()
}

func projectText(s *graph.ProjectSpec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "filter %s time %s %s %t", exprText(s.Filter), exprText(s.EventTime), s.EventTimeColumn, s.DropBadTime)
	if s.Exprs == nil {
		b.WriteString(" all")
	}
	for _, e := range s.Exprs {
		b.WriteString("; " + exprText(e))
	}
	return b.String()
}

// exprText spells an expression completely: digests stand for what is below.
func exprText(n *expr.Node) string {
	if n == nil {
		return "-"
	}
	if n.Kind == expr.Column {
		return fmt.Sprintf("$%d", n.Index)
	}
	parts := []string{fmt.Sprint(n.Kind), typeText(n.Type), fmt.Sprint(n.Index)}
	switch n.Kind {
	case expr.Call:
		parts = append(parts, n.Name)
	case expr.Literal:
		parts = append(parts, fmt.Sprintf("%T %v", n.Value, n.Value))
	}
	for _, a := range n.Args {
		parts = append(parts, exprText(a))
	}
	return digest(parts...)
}

package wire

import (
	"maps"
	"slices"

	"wadi/dataflow/agg"
	"wadi/dataflow/graph"
)

func (e *encoder) spec(n *graph.Node, msg *Node) {
	switch s := n.Spec.(type) {
	case *graph.SourceSpec:
		msg.Spec = &Node_Source{e.source(s)}
	case *graph.ProjectSpec:
		msg.Spec = &Node_Project{e.project(s)}
	case *graph.WatermarkSpec:
		msg.Spec = &Node_Watermark{&WatermarkSpec{Expr: e.expr(s.Expr), Delay: s.Delay, Idle: s.Idle}}
	case *graph.WindowAggregateSpec:
		msg.Spec = &Node_WindowAggregate{&WindowAggregateSpec{
			Window: e.window(s.Window), Keys: e.uints(s.Keys), Aggs: e.calls(s.Aggs),
		}}
	case *graph.AssignSpec:
		msg.Spec = &Node_Assign{&AssignSpec{Window: e.window(s.Window)}}
	case *graph.UpdatingAggregateSpec:
		msg.Spec = &Node_UpdatingAggregate{&UpdatingAggregateSpec{
			Keys: e.uints(s.Keys), Aggs: e.calls(s.Aggs), FlushInterval: s.FlushInterval, Ttl: s.TTL, Single: s.Single,
		}}
	case *graph.SessionAggregateSpec:
		msg.Spec = &Node_SessionAggregate{&SessionAggregateSpec{Gap: s.Gap, Keys: e.uints(s.Keys), Aggs: e.calls(s.Aggs)}}
	case *graph.JoinSpec:
		msg.Spec = &Node_Join{&JoinSpec{On: e.joinOn(s.JoinOn), Ttl: s.TTL}}
	case *graph.WindowJoinSpec:
		msg.Spec = &Node_WindowJoin{&WindowJoinSpec{On: e.joinOn(s.JoinOn)}}
	case *graph.IntervalJoinSpec:
		msg.Spec = &Node_IntervalJoin{&IntervalJoinSpec{On: e.joinOn(s.JoinOn), Lower: s.Lower, Upper: s.Upper}}
	case *graph.AsofJoinSpec:
		msg.Spec = &Node_AsofJoin{e.asofJoin(s)}
	case *graph.LookupJoinSpec:
		msg.Spec = &Node_LookupJoin{e.lookupJoin(s)}
	case *graph.TopNSpec:
		msg.Spec = &Node_TopN{e.topN(s)}
	case *graph.OverSpec:
		msg.Spec = &Node_Over{e.over(s)}
	case *graph.ValuesSpec:
		msg.Spec = &Node_Values{e.values(s)}
	case *graph.SeriesSpec:
		msg.Spec = &Node_Series{e.series(s)}
	case *graph.UnnestSpec:
		msg.Spec = &Node_Unnest{e.unnest(s)}
	case *graph.LateralSpec:
		msg.Spec = &Node_Lateral{e.lateral(s)}
	case *graph.SinkSpec:
		msg.Spec = &Node_Sink{&SinkSpec{
			Table: s.Table, Connector: s.Connector, Options: options(s.Options), Format: e.format(s.Format),
			Schema: e.schema(s.Schema), PrimaryKey: e.uints(s.PrimaryKey),
		}}
	default:
		e.fail("the operator %q has the unknown kind %T", n.ID, n.Spec)
	}
}

func (e *encoder) source(s *graph.SourceSpec) *SourceSpec {
	return &SourceSpec{
		Table: s.Table, Connector: s.Connector, Options: options(s.Options), Format: e.format(s.Format),
		Schema: e.schema(s.Schema), Metadata: stringsOf(s.Metadata), Needed: stringsOf(s.Needed),
		PrimaryKey: e.uints(s.PrimaryKey),
	}
}

func (e *encoder) project(s *graph.ProjectSpec) *ProjectSpec {
	p := &ProjectSpec{
		Filter: e.expr(s.Filter), EventTime: e.expr(s.EventTime), EventTimeColumn: s.EventTimeColumn, DropBadTime: s.DropBadTime,
	}
	if s.Exprs != nil {
		p.Exprs = &Exprs{Exprs: e.exprs(s.Exprs)}
	}
	return p
}

func (e *encoder) format(f graph.FormatSpec) *FormatSpec {
	return &FormatSpec{
		Name: f.Name, Options: options(f.Options), DropBadData: f.DropBadData, Framing: f.Framing, MaxLength: f.MaxLength,
	}
}

func (e *encoder) calls(calls []agg.Call) []*AggregateCall {
	out := make([]*AggregateCall, len(calls))
	for i, c := range calls {
		out[i] = &AggregateCall{
			Name: c.Name, Distinct: c.Distinct, Args: e.uints(c.Args), Type: e.dataType(c.Type), Nullable: c.Nullable,
			Span: e.span(c.Span),
		}
		if len(c.Args) != len(c.ArgTypes) {
			e.fail("the aggregate %q has %d arguments of %d types", c.Name, len(c.Args), len(c.ArgTypes))
		}
		for _, t := range c.ArgTypes {
			out[i].ArgTypes = append(out[i].ArgTypes, e.dataType(t))
		}
		if c.Filter >= 0 {
			f := e.uint(c.Filter)
			out[i].Filter = &f
		}
		for _, o := range c.OrderBy {
			if o.Arg >= len(c.Args) {
				e.fail("the aggregate %q is ordered by argument %d of %d", c.Name, o.Arg, len(c.Args))
			}
			out[i].OrderBy = append(out[i].OrderBy, &AggregateOrder{Arg: e.uint(o.Arg), Desc: o.Desc, NullsFirst: o.NullsFirst})
		}
		for _, v := range c.Params {
			if v == nil {
				e.fail("the aggregate %q has a null parameter", c.Name)
			}
			out[i].Params = append(out[i].Params, e.value(v))
		}
	}
	return out
}

func options(m map[string]string) []*KeyValue {
	var out []*KeyValue
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, &KeyValue{Key: k, Value: m[k]})
	}
	return out
}

// stringsOf keeps the difference between nil and empty.
func stringsOf(s []string) *Strings {
	if s == nil {
		return nil
	}
	return &Strings{Values: slices.Clone(s)}
}

func (d *decoder) spec(n *Node) graph.Spec {
	switch s := n.Spec.(type) {
	case *Node_Source:
		return d.source(s.Source)
	case *Node_Project:
		return d.project(s.Project)
	case *Node_Watermark:
		return &graph.WatermarkSpec{
			Expr: d.expr(s.Watermark.GetExpr()), Delay: s.Watermark.GetDelay(), Idle: s.Watermark.GetIdle(),
		}
	case *Node_WindowAggregate:
		return &graph.WindowAggregateSpec{
			Window: d.window(s.WindowAggregate.GetWindow()), Keys: d.ints(s.WindowAggregate.GetKeys()),
			Aggs: d.calls(s.WindowAggregate.GetAggs()),
		}
	case *Node_Assign:
		return &graph.AssignSpec{Window: d.window(s.Assign.GetWindow())}
	case *Node_UpdatingAggregate:
		u := s.UpdatingAggregate
		return &graph.UpdatingAggregateSpec{
			Keys: d.ints(u.GetKeys()), Aggs: d.calls(u.GetAggs()), FlushInterval: u.GetFlushInterval(), TTL: u.GetTtl(), Single: u.GetSingle(),
		}
	case *Node_SessionAggregate:
		a := s.SessionAggregate
		if a.GetGap() <= 0 {
			d.fail("a session has the gap %d", a.GetGap())
		}
		return &graph.SessionAggregateSpec{Gap: a.GetGap(), Keys: d.ints(a.GetKeys()), Aggs: d.calls(a.GetAggs())}
	case *Node_Join:
		return &graph.JoinSpec{JoinOn: d.joinOn(s.Join.GetOn()), TTL: s.Join.GetTtl()}
	case *Node_WindowJoin:
		return &graph.WindowJoinSpec{JoinOn: d.joinOn(s.WindowJoin.GetOn())}
	case *Node_IntervalJoin:
		return &graph.IntervalJoinSpec{
			JoinOn: d.joinOn(s.IntervalJoin.GetOn()), Lower: s.IntervalJoin.GetLower(), Upper: s.IntervalJoin.GetUpper(),
		}
	case *Node_AsofJoin:
		return d.asofJoin(s.AsofJoin)
	case *Node_LookupJoin:
		return d.lookupJoin(s.LookupJoin)
	case *Node_TopN:
		return d.topN(s.TopN)
	case *Node_Over:
		return d.over(s.Over)
	case *Node_Values:
		return d.values(s.Values)
	case *Node_Series:
		return d.series(s.Series)
	case *Node_Unnest:
		return d.unnest(s.Unnest)
	case *Node_Lateral:
		return d.lateral(s.Lateral)
	case *Node_Sink:
		return d.sink(s.Sink)
	}
	d.fail("the operator %q has no kind", n.GetId())
	return nil
}

func (d *decoder) source(s *SourceSpec) *graph.SourceSpec {
	spec := &graph.SourceSpec{
		Table: s.GetTable(), Connector: s.GetConnector(), Options: d.options(s.GetOptions()), Format: d.format(s.GetFormat()),
		Schema: d.schema(s.GetSchema()), Metadata: listOf(s.GetMetadata()), Needed: listOf(s.GetNeeded()),
		PrimaryKey: d.ints(s.GetPrimaryKey()),
	}
	if spec.Schema == nil {
		d.fail("the source %q has no columns", spec.Table)
		return spec
	}
	if spec.Metadata != nil && len(spec.Metadata) != spec.Schema.NumFields() {
		d.fail("the source %q has metadata of %d columns, not %d", spec.Table, len(spec.Metadata), spec.Schema.NumFields())
	}
	d.columns(spec.PrimaryKey, spec.Schema.NumFields())
	return spec
}

func (d *decoder) sink(s *SinkSpec) graph.Spec {
	spec := &graph.SinkSpec{
		Table: s.GetTable(), Connector: s.GetConnector(), Options: d.options(s.GetOptions()), Format: d.format(s.GetFormat()),
		Schema: d.schema(s.GetSchema()), PrimaryKey: d.ints(s.GetPrimaryKey()),
	}
	if spec.Schema == nil {
		d.fail("the sink %q has no columns", spec.Table)
		return spec
	}
	d.columns(spec.PrimaryKey, spec.Schema.NumFields())
	return spec
}

func (d *decoder) columns(cols []int, n int) {
	for _, c := range cols {
		if c >= n {
			d.fail("there is no column %d among %d", c, n)
		}
	}
}

func (d *decoder) project(s *ProjectSpec) graph.Spec {
	spec := &graph.ProjectSpec{
		Filter: d.expr(s.GetFilter()), EventTime: d.expr(s.GetEventTime()),
		EventTimeColumn: s.GetEventTimeColumn(), DropBadTime: s.GetDropBadTime(),
	}
	if s.GetExprs() != nil {
		spec.Exprs = d.exprs(s.Exprs.Exprs)
	}
	return spec
}

func (d *decoder) format(f *FormatSpec) graph.FormatSpec {
	return graph.FormatSpec{
		Name: f.GetName(), Options: d.options(f.GetOptions()), DropBadData: f.GetDropBadData(), Framing: f.GetFraming(),
		MaxLength: f.GetMaxLength(),
	}
}

func (d *decoder) calls(calls []*AggregateCall) []agg.Call {
	if len(calls) == 0 {
		return nil
	}
	out := make([]agg.Call, len(calls))
	for i, c := range calls {
		if len(c.GetArgs()) != len(c.GetArgTypes()) {
			d.fail("an aggregate has %d arguments of %d types", len(c.GetArgs()), len(c.GetArgTypes()))
		}
		out[i] = agg.Call{
			Name: c.GetName(), Distinct: c.GetDistinct(), Args: d.ints(c.GetArgs()), Filter: -1, Type: d.dataType(c.GetType()),
			Nullable: c.GetNullable(), Span: d.span(c.GetSpan()),
		}
		for _, t := range c.GetArgTypes() {
			out[i].ArgTypes = append(out[i].ArgTypes, d.dataType(t))
		}
		if c != nil && c.Filter != nil {
			out[i].Filter = d.int(*c.Filter)
		}
		d.order(c, &out[i])
	}
	return out
}

// order reads the order inside an aggregate and its parameters.
func (d *decoder) order(msg *AggregateCall, c *agg.Call) {
	for _, o := range msg.GetOrderBy() {
		arg := d.int(o.GetArg())
		if arg >= len(c.Args) {
			d.fail("an aggregate is ordered by argument %d of %d", arg, len(c.Args))
		}
		c.OrderBy = append(c.OrderBy, agg.Order{Arg: arg, Desc: o.GetDesc(), NullsFirst: o.GetNullsFirst()})
	}
	for _, v := range msg.GetParams() {
		p := d.value(v)
		if p == nil {
			d.fail("an aggregate has a null parameter")
		}
		c.Params = append(c.Params, p)
	}
}

func (d *decoder) options(kvs []*KeyValue) map[string]string {
	if len(kvs) == 0 {
		return nil
	}
	m := make(map[string]string, len(kvs))
	for _, kv := range kvs {
		if _, twice := m[kv.GetKey()]; twice {
			d.fail("the option %q stands twice", kv.GetKey())
		}
		m[kv.GetKey()] = kv.GetValue()
	}
	return m
}

func listOf(s *Strings) []string {
	if s == nil {
		return nil
	}
	out := make([]string, len(s.Values))
	copy(out, s.Values)
	return out
}

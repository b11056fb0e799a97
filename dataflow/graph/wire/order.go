package wire

import (
	"wadi/dataflow/agg"
	"wadi/dataflow/graph"
)

func (e *encoder) topN(s *graph.TopNSpec) *TopNSpec {
	if s.Rank < graph.RowNumber || s.Rank > graph.DenseRank {
		e.fail("no rank has the kind %d", s.Rank)
	}
	if s.Offset < 0 {
		e.fail("a top-N has the offset %d", s.Offset)
	}
	return &TopNSpec{
		Keys: e.uints(s.Keys), Order: e.order(s.Order), Rank: RankKind(s.Rank), Limit: s.Limit, Offset: s.Offset,
		WithRank: s.WithRank, WithTies: s.WithTies, PerTime: s.PerTime, FlushInterval: s.FlushInterval, Ttl: s.TTL,
	}
}

func (e *encoder) order(order []graph.Order) []*Order {
	var out []*Order
	for _, o := range order {
		out = append(out, &Order{Column: e.uint(o.Column), Desc: o.Desc, NullsFirst: o.NullsFirst})
	}
	return out
}

func (e *encoder) over(s *graph.OverSpec) *OverSpec {
	msg := &OverSpec{
		Keys: e.uints(s.Keys), Order: e.order(s.Order), PerTime: s.PerTime, Updating: s.Updating, FlushInterval: s.FlushInterval,
		Ttl: s.TTL,
	}
	for i := range s.Calls {
		c := &s.Calls[i]
		msg.Calls = append(msg.Calls, &OverCall{
			Call: e.calls([]agg.Call{c.Call})[0], Frame: e.frame(c.Frame), IgnoreNulls: c.IgnoreNulls,
		})
	}
	return msg
}

func (e *encoder) frame(f graph.Frame) *Frame {
	if f == (graph.Frame{}) {
		return nil
	}
	if f.Unit < graph.Rows || f.Unit > graph.Groups {
		e.fail("no frame has the unit %d", f.Unit)
	}
	if f.Exclude > graph.ExcludeTies {
		e.fail("no frame excludes %d", f.Exclude)
	}
	return &Frame{Unit: FrameUnit(f.Unit), From: e.bound(f.From), To: e.bound(f.To), Exclude: Exclusion(f.Exclude)}
}

func (e *encoder) bound(b graph.Bound) *FrameBound {
	if b.Kind < graph.UnboundedPreceding || b.Kind > graph.UnboundedFollowing {
		e.fail("no bound of a frame has the kind %d", b.Kind)
	}
	if b.N < 0 {
		e.fail("a frame reaches %d far", b.N)
	}
	return &FrameBound{Kind: BoundKind(b.Kind), N: b.N}
}

func (d *decoder) topN(s *TopNSpec) graph.Spec {
	if s.GetRank() <= 0 || s.GetRank() > RankKind_RANK_KIND_DENSE_RANK {
		d.fail("no rank has the kind %d", s.GetRank())
	}
	if s.GetOffset() < 0 {
		d.fail("a top-N has the offset %d", s.GetOffset())
	}
	return &graph.TopNSpec{
		Keys: d.ints(s.GetKeys()), Order: d.orderBy(s.GetOrder()), Rank: graph.RankKind(s.GetRank() & 0xff),
		Limit: s.GetLimit(), Offset: s.GetOffset(), WithRank: s.GetWithRank(), WithTies: s.GetWithTies(),
		PerTime: s.GetPerTime(), FlushInterval: s.GetFlushInterval(), TTL: s.GetTtl(),
	}
}

func (d *decoder) orderBy(order []*Order) []graph.Order {
	var out []graph.Order
	for _, o := range order {
		out = append(out, graph.Order{Column: d.int(o.GetColumn()), Desc: o.GetDesc(), NullsFirst: o.GetNullsFirst()})
	}
	return out
}

func (d *decoder) over(s *OverSpec) graph.Spec {
	spec := &graph.OverSpec{
		Keys: d.ints(s.GetKeys()), Order: d.orderBy(s.GetOrder()), PerTime: s.GetPerTime(), Updating: s.GetUpdating(),
		FlushInterval: s.GetFlushInterval(), TTL: s.GetTtl(),
	}
	for _, c := range s.GetCalls() {
		spec.Calls = append(spec.Calls, graph.OverCall{
			Call: d.calls([]*AggregateCall{c.GetCall()})[0], Frame: d.frame(c.GetFrame()), IgnoreNulls: c.GetIgnoreNulls(),
		})
	}
	return spec
}

func (d *decoder) frame(f *Frame) graph.Frame {
	if f == nil {
		return graph.Frame{}
	}
	if f.Unit <= 0 || f.Unit > FrameUnit_FRAME_UNIT_GROUPS {
		d.fail("no frame has the unit %d", f.Unit)
	}
	if f.Exclude < 0 || f.Exclude > Exclusion_EXCLUSION_TIES {
		d.fail("no frame excludes %d", f.Exclude)
	}
	return graph.Frame{
		Unit: graph.FrameUnit(f.Unit & 0xff), From: d.bound(f.From), To: d.bound(f.To), Exclude: graph.Exclusion(f.Exclude & 0xff),
	}
}

func (d *decoder) bound(b *FrameBound) graph.Bound {
	if b.GetKind() <= 0 || b.GetKind() > BoundKind_BOUND_KIND_UNBOUNDED_FOLLOWING || b.GetN() < 0 {
		d.fail("no frame has the bound %d, %d", b.GetKind(), b.GetN())
	}
	return graph.Bound{Kind: graph.BoundKind(b.GetKind() & 0xff), N: b.GetN()}
}

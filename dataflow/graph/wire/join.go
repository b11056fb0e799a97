package wire

import (
	"slices"

	"wadi/dataflow/graph"
)

// Kinds of join have the same numbers in a program and in its message; lastJoinKind is the last.
const lastJoinKind = graph.AntiJoin

func (e *encoder) joinOn(j graph.JoinOn) *JoinOn {
	if j.Kind < graph.InnerJoin || j.Kind > lastJoinKind {
		e.fail("no join has the kind %d", j.Kind)
	}
	if len(j.LeftKeys) != len(j.RightKeys) || j.NullSafe != nil && len(j.NullSafe) != len(j.LeftKeys) {
		e.fail("a join has %d keys on the left, %d on the right", len(j.LeftKeys), len(j.RightKeys))
	}
	return &JoinOn{
		Kind: JoinKind(j.Kind), LeftKeys: e.uints(j.LeftKeys), RightKeys: e.uints(j.RightKeys),
		NullSafe: slices.Clone(j.NullSafe), NullAware: j.NullAware, Residual: e.expr(j.Residual), LeftTime: j.LeftTime,
	}
}

func (d *decoder) joinOn(j *JoinOn) graph.JoinOn {
	on := graph.JoinOn{
		LeftKeys: d.ints(j.GetLeftKeys()), RightKeys: d.ints(j.GetRightKeys()), NullSafe: slices.Clone(j.GetNullSafe()),
		NullAware: j.GetNullAware(), Residual: d.expr(j.GetResidual()), LeftTime: j.GetLeftTime(),
	}
	if k := j.GetKind(); k <= 0 || int64(k) > int64(lastJoinKind) {
		d.fail("no join has the kind %d", k)
	} else {
		on.Kind = graph.JoinKind(k)
	}
	if len(on.LeftKeys) != len(on.RightKeys) || on.NullSafe != nil && len(on.NullSafe) != len(on.LeftKeys) {
		d.fail("a join has %d keys on the left, %d on the right", len(on.LeftKeys), len(on.RightKeys))
	}
	return on
}

func (e *encoder) asofJoin(s *graph.AsofJoinSpec) *AsofJoinSpec {
	msg := &AsofJoinSpec{
		On: e.joinOn(s.JoinOn), Forward: s.Forward, Strict: s.Strict, Order: e.order(s.Order),
		Versioned: s.Versioned, Latest: s.Latest, Reach: s.Reach, Ttl: s.TTL,
	}
	if s.Ended >= 0 {
		ended := e.uint(s.Ended)
		msg.Ended = &ended
	}
	return msg
}

func (d *decoder) asofJoin(s *AsofJoinSpec) graph.Spec {
	spec := &graph.AsofJoinSpec{
		JoinOn: d.joinOn(s.GetOn()), Forward: s.GetForward(), Strict: s.GetStrict(), Order: d.orderBy(s.GetOrder()),
		Versioned: s.GetVersioned(), Latest: s.GetLatest(), Ended: -1, Reach: s.GetReach(), TTL: s.GetTtl(),
	}
	if spec.Reach < 0 || spec.TTL < 0 {
		d.fail("a join reaches %d far and remembers ends for %d", spec.Reach, spec.TTL)
	}
	if s != nil && s.Ended != nil {
		spec.Ended = d.int(*s.Ended)
	}
	return spec
}

func (e *encoder) lookupJoin(s *graph.LookupJoinSpec) *LookupJoinSpec {
	if s.Kind < graph.InnerJoin || s.Kind > lastJoinKind {
		e.fail("no join has the kind %d", s.Kind)
	}
	return &LookupJoinSpec{
		Kind: JoinKind(s.Kind), Keys: e.uints(s.Keys), Residual: e.expr(s.Residual), Table: e.source(&s.Table),
		CacheBytes: s.CacheBytes, CacheTtl: s.CacheTTL,
	}
}

func (d *decoder) lookupJoin(s *LookupJoinSpec) graph.Spec {
	spec := &graph.LookupJoinSpec{
		Keys: d.ints(s.GetKeys()), Residual: d.expr(s.GetResidual()), Table: *d.source(s.GetTable()),
		CacheBytes: s.GetCacheBytes(), CacheTTL: s.GetCacheTtl(),
	}
	if k := s.GetKind(); k <= 0 || int64(k) > int64(lastJoinKind) {
		d.fail("no join has the kind %d", k)
	} else {
		spec.Kind = graph.JoinKind(k)
	}
	if len(spec.Keys) != len(spec.Table.PrimaryKey) {
		d.fail("a lookup by %d keys asks a table with %d", len(spec.Keys), len(spec.Table.PrimaryKey))
	}
	return spec
}

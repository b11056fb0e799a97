package wire

import (
	"slices"

	"wadi/dataflow/graph"
)

func (e *encoder) lateral(s *graph.LateralSpec) *LateralSpec {
	if s.Kind < graph.InnerJoin || s.Kind > lastJoinKind {
		e.fail("no lateral query has the kind %d", s.Kind)
	}
	msg := &LateralSpec{Keep: e.uints(s.Keep), Kind: JoinKind(s.Kind)}
	for i := range s.Steps {
		msg.Steps = append(msg.Steps, e.step(&s.Steps[i]))
	}
	return msg
}

func (e *encoder) step(s *graph.LateralStep) *LateralStep {
	msg := &LateralStep{Out: e.schema(s.Out)}
	switch {
	case s.Unnest != nil:
		msg.Step = &LateralStep_Unnest{e.unnest(s.Unnest)}
	case s.Project != nil:
		msg.Step = &LateralStep_Project{e.project(s.Project)}
	case s.Aggregate != nil:
		a := s.Aggregate
		msg.Step = &LateralStep_Aggregate{&LateralAggregate{Keys: e.uints(a.Keys), Aggs: e.calls(a.Aggs), Single: a.Single}}
	case s.Top != nil:
		t := e.topN(&graph.TopNSpec{
			Keys: s.Top.Keys, Order: s.Top.Order, Rank: s.Top.Rank, Limit: s.Top.Limit, Offset: s.Top.Offset,
			WithRank: s.Top.WithRank, WithTies: s.Top.WithTies,
		})
		msg.Step = &LateralStep_Top{&LateralTop{
			Keys: t.Keys, Order: t.Order, Rank: t.Rank, Limit: t.Limit, Offset: t.Offset, WithRank: t.WithRank, WithTies: t.WithTies,
		}}
	case s.Match != nil:
		m := s.Match
		if len(m.Keys) != len(m.RowKeys) || m.NullSafe != nil && len(m.NullSafe) != len(m.Keys) {
			e.fail("rows are matched by %d and %d keys", len(m.Keys), len(m.RowKeys))
		}
		msg.Step = &LateralStep_Match{&LateralMatch{
			Rows: e.values(&graph.ValuesSpec{Rows: m.Rows}).Rows, Keep: e.uints(m.Keep), Keys: e.uints(m.Keys), RowKeys: e.uints(m.RowKeys),
			NullSafe: slices.Clone(m.NullSafe),
		}}
	case s.Lateral != nil:
		msg.Step = &LateralStep_Lateral{e.lateral(s.Lateral)}
	case s.Pad:
		msg.Step = &LateralStep_Pad{true}
	default:
		e.fail("a step of a lateral query is empty")
	}
	return msg
}

func (d *decoder) lateral(msg *LateralSpec) graph.Spec {
	s := &graph.LateralSpec{Keep: d.ints(msg.GetKeep()), Kind: graph.JoinKind(msg.GetKind())}
	if s.Kind < graph.InnerJoin || s.Kind > lastJoinKind {
		d.fail("no lateral query has the kind %d", msg.GetKind())
	}
	for _, m := range msg.GetSteps() {
		s.Steps = append(s.Steps, d.step(m))
	}
	return s
}

func (d *decoder) step(msg *LateralStep) graph.LateralStep {
	s := graph.LateralStep{Out: d.schema(msg.GetOut())}
	if s.Out == nil {
		d.fail("a step of a lateral query has no columns")
	}
	switch m := msg.GetStep().(type) {
	case *LateralStep_Unnest:
		s.Unnest = d.unnest(m.Unnest).(*graph.UnnestSpec)
	case *LateralStep_Project:
		s.Project = d.project(m.Project).(*graph.ProjectSpec)
	case *LateralStep_Aggregate:
		a := m.Aggregate
		s.Aggregate = &graph.LateralAggregate{Keys: d.ints(a.GetKeys()), Aggs: d.calls(a.GetAggs()), Single: a.GetSingle()}
	case *LateralStep_Top:
		t, ok := d.topN(&TopNSpec{
			Keys: m.Top.GetKeys(), Order: m.Top.GetOrder(), Rank: m.Top.GetRank(), Limit: m.Top.GetLimit(), Offset: m.Top.GetOffset(),
			WithRank: m.Top.GetWithRank(), WithTies: m.Top.GetWithTies(),
		}).(*graph.TopNSpec)
		if ok {
			s.Top = &graph.LateralTop{
				Keys: t.Keys, Order: t.Order, Rank: t.Rank, Limit: t.Limit, Offset: t.Offset, WithRank: t.WithRank, WithTies: t.WithTies,
			}
		}
	case *LateralStep_Match:
		s.Match = d.match(m.Match)
	case *LateralStep_Lateral:
		s.Lateral = d.lateral(m.Lateral).(*graph.LateralSpec)
	case *LateralStep_Pad:
		s.Pad = m.Pad
	default:
		d.fail("a step of a lateral query is empty")
	}
	return s
}

func (d *decoder) match(msg *LateralMatch) *graph.LateralMatch {
	m := &graph.LateralMatch{Keep: d.ints(msg.GetKeep()), Keys: d.ints(msg.GetKeys()), RowKeys: d.ints(msg.GetRowKeys()), NullSafe: slices.Clone(msg.GetNullSafe())}
	m.Rows = d.values(&ValuesSpec{Rows: msg.GetRows()}).(*graph.ValuesSpec).Rows
	if len(m.Keys) != len(m.RowKeys) || m.NullSafe != nil && len(m.NullSafe) != len(m.Keys) {
		d.fail("rows are matched by %d and %d keys", len(m.Keys), len(m.RowKeys))
	}
	for _, r := range m.Rows {
		d.columns(m.RowKeys, len(r))
	}
	return m
}

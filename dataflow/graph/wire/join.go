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
		NullSafe: slices.Clone(j.NullSafe), NullAware: j.NullAware, Residual: e.expr(j.Residual),
	}
}

func (d *decoder) joinOn(j *JoinOn) graph.JoinOn {
	on := graph.JoinOn{
		LeftKeys: d.ints(j.GetLeftKeys()), RightKeys: d.ints(j.GetRightKeys()), NullSafe: slices.Clone(j.GetNullSafe()),
		NullAware: j.GetNullAware(), Residual: d.expr(j.GetResidual()),
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

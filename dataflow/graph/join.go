package graph

import "wadi/dataflow/expr"

// JoinKind says which rows a join puts out beside pairs, or instead of them.
type JoinKind uint8

// The kinds of join. Left, Right and Full also put out rows of that side without a match, with nulls for the other's
// columns. Semi puts out the left rows that have a match, Anti those that have none, each once and without right columns.
const (
	InnerJoin JoinKind = iota + 1
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin
	AntiJoin
)

// String gives "inner", "left", and so on.
func (k JoinKind) String() string {
	switch k {
	case InnerJoin:
		return "inner"
	case LeftJoin:
		return "left"
	case RightJoin:
		return "right"
	case FullJoin:
		return "full"
	case SemiJoin:
		return "semi"
	case AntiJoin:
		return "anti"
	}
	return "unknown"
}

// JoinOn is what every join has: which rows match and what is put out. The output columns are those of the left input (0)
// and then, but for Semi and Anti, those of the right one (1); the event time of a pair is the later of the two rows', of
// any other row its own.
//
// Both inputs are shuffled by their keys (with NullAware, by the keys but for the first). Without keys every pair is
// compared, on one subtask.
type JoinOn struct {
	Kind JoinKind
	// LeftKeys and RightKeys are input columns that must be equal, pair by pair, of the same type but for the width of an
	// integer.
	LeftKeys, RightKeys []int
	// NullSafe says for which keys null equals null (IS NOT DISTINCT FROM); nil for none. Else null equals nothing.
	NullSafe []bool
	// NullAware makes an Anti join a NOT IN: the first key pair is the compared value, the others say for which rows on the
	// right. A null on either side of the comparison makes the result unknown, and the left row is not put out.
	NullAware bool
	// Residual, if set, must be true of a pair as well: a BOOL over the left columns followed by the right ones.
	Residual *expr.Node
	// LeftTime gives pairs the event time of the left row: the right one is a value that the left row is computed with.
	LeftTime bool
}

// JoinSpec joins without regard to time: an updating join. Either input may be a changelog. An inner join of two append
// streams is an append stream, every other one is a changelog.
type JoinSpec struct {
	JoinOn
	// TTL is the wall-clock time, ns, after which a row that has neither come nor matched is forgotten; 0 for never. What
	// was put out because of it stays.
	TTL int64
}

// WindowJoinSpec joins two append streams whose rows match only if their event times are equal: results of the same
// windows. The output is an append stream: pairs go out at once, rows without a match when the watermark says that none
// can come. Rows behind the watermark are late.
type WindowJoinSpec struct {
	JoinOn
}

// IntervalJoinSpec joins two append streams whose rows match only if the right row's event time lies in
// [left + Lower, left + Upper], ns. Everything else is as in WindowJoinSpec.
type IntervalJoinSpec struct {
	JoinOn
	// Lower is at most Upper; either may be negative.
	Lower, Upper int64
}

// Mode gives the mode of the output for inputs of these modes.
func (s *JoinSpec) Mode(left, right Mode) Mode {
	if s.Kind == InnerJoin && left == Append && right == Append {
		return Append
	}
	return Updating
}

func (*JoinSpec) spec()         {}
func (*WindowJoinSpec) spec()   {}
func (*IntervalJoinSpec) spec() {}

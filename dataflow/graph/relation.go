package graph

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
)

// ValuesSpec is a source of rows that stand in the program. Their event time is the Unix epoch, and the input ends behind
// the last of them.
type ValuesSpec struct {
	// Rows have one expression for each column of the output, of its type; they look at no columns.
	Rows [][]*expr.Node
}

// SeriesSpec is a source that makes the values of generate_series or range as they are read. The output columns are the
// value and then, with Ordinality, its number from 1. Event times and the end are as for ValuesSpec.
type SeriesSpec struct {
	// Start, Stop and Step look at no columns: BIGINTs, or a DATE or TIMESTAMP twice and an INTERVAL. If one is null, there
	// are no values.
	Start, Stop, Step *expr.Node
	// Including says whether Stop is one of the values.
	Including  bool
	Ordinality bool
}

// UnnestKind is what an UnnestCall goes through.
type UnnestKind uint8

// The kinds: the elements of a list, the keys and values of a map, and the values of a series.
const (
	UnnestList UnnestKind = iota + 1
	UnnestMap
	UnnestSeries
)

// UnnestCall is one list, map or series of every row.
type UnnestCall struct {
	Kind UnnestKind
	// Args are input columns: the list or map; or start, stop and step as in SeriesSpec.
	Args []int
	// Including is as in SeriesSpec.
	Including bool
	// NullRow makes a null list one null, where it else has no elements.
	NullRow bool
}

// UnnestSpec puts out, for every input row, one row for each element of its longest call; the others are null where they
// have ended. The output columns are the kept ones, those of each call in turn (an element; key and value; a value) and
// then, with Ordinality, the number of the row among those of its input row, from 1. Event times and changes are those of
// the input row: the rows of a retraction are retractions.
type UnnestSpec struct {
	// Keep are input columns.
	Keep       []int
	Calls      []UnnestCall
	Ordinality bool
	// Outer puts out one row, with nulls behind the kept columns, for an input row that would have none.
	Outer bool
}

// LateralSpec runs a small query for every input row by itself. What becomes of the row is said by steps, of which each sees
// the rows of the one before and the first sees one row without columns. The output columns are the kept ones and then, but
// for Semi and Anti, those of the last step; event times and changes are those of the input row.
type LateralSpec struct {
	// Keep are input columns.
	Keep []int
	// Kind is Inner, Left, Semi or Anti: what goes out are pairs, pairs and rows without one, or rows with or without one.
	Kind  JoinKind
	Steps []LateralStep
}

// LateralStep is one step: exactly one of its fields but the last is set.
type LateralStep struct {
	// Unnest and the four below look at columns of the step before by number.
	Unnest    *UnnestSpec
	Match     *LateralMatch
	Aggregate *LateralAggregate
	Top       *LateralTop
	// Lateral runs a small query for every row of the step before.
	Lateral *LateralSpec
	// Pad gives an input row that has no row one of nulls.
	Pad bool
	// Project filters and computes; its expressions are over the columns of the step before, followed by all input columns.
	// It sets no event time.
	Project *ProjectSpec
	// Out has the columns of the step.
	Out *arrow.Schema
}

// LateralMatch puts rows that stand in the program beside each row: those that have its keys. The columns are the kept ones
// of the step before, then those of the rows.
type LateralMatch struct {
	// Rows are as in ValuesSpec.
	Rows [][]*expr.Node
	Keep []int
	// Keys are columns of the step before, RowKeys those of Rows that must be equal, of the same types. Null equals null where
	// NullSafe, which is as long or nil, says so.
	Keys, RowKeys []int
	NullSafe      []bool
}

// LateralAggregate groups the rows of one input row. The columns are the keys in order, then one per aggregate. Rows have
// the order in which the steps made them where an aggregate has none of its own.
type LateralAggregate struct {
	Keys []int
	Aggs []agg.Call
	// Single makes a second row of a group a fault.
	Single bool
}

// LateralTop ranks the rows of one input row and keeps some of them; everything is as in TopNSpec.
type LateralTop struct {
	Keys               []int
	Order              []Order
	Rank               RankKind
	Limit, Offset      int64
	WithRank, WithTies bool
}

// Width is the number of columns that a call makes.
func (c *UnnestCall) Width() int {
	if c.Kind == UnnestMap {
		return 2
	}
	return 1
}

// IsSource reports whether a node with this spec has no input and makes its rows itself.
func IsSource(s Spec) bool {
	switch s.(type) {
	case *SourceSpec, *ValuesSpec, *SeriesSpec:
		return true
	}
	return false
}

func (*ValuesSpec) spec()  {}
func (*SeriesSpec) spec()  {}
func (*UnnestSpec) spec()  {}
func (*LateralSpec) spec() {}

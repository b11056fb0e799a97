package agg

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
)

// Order is one key of the order of rows inside an aggregate.
type Order struct {
	// Arg is an index into Call.Args.
	Arg int
	// Desc is descending; NullsFirst puts nulls before all values, whichever the direction.
	Desc, NullsFirst bool
}

// Call is one aggregate of a query as plain data. Its arguments are columns of the aggregating operator's input, where
// the planner has put their values.
type Call struct {
	// Name is the aggregate's primary name, lower case: "count", "sum", …
	Name string
	// Distinct is set for agg(DISTINCT x).
	Distinct bool
	// Args are input columns; count(*) has none.
	Args []int
	// ArgTypes are the types of those columns, after coercion.
	ArgTypes []arrow.DataType
	// OrderBy is the order of rows inside the aggregate, for those that have one (ORDER BY and WITHIN GROUP); its columns
	// are among Args, behind the aggregate's own.
	OrderBy []Order
	// Params are the literal arguments, in the order that the aggregate declares: a separator (string), a percentile
	// (float64), a position (int64).
	Params []any
	// Filter is the input column of FILTER (WHERE …), a BOOL; -1 if there is none.
	Filter int
	// Type is the result's type; Nullable whether the result can be null.
	Type     arrow.DataType
	Nullable bool
	// Span is the place in the SQL text.
	Span fault.Span
}

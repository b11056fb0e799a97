package graph

import "wadi/dataflow/expr"

// LookupJoinSpec asks a table outside, row by row, what belongs to its input's rows. The output columns are those of the
// input and then those of the table; mode, order and event time are the input's. Every row is answered as the table is when
// the row is processed, or was when the answer was cached.
type LookupJoinSpec struct {
	// Kind is InnerJoin or LeftJoin.
	Kind JoinKind
	// Keys are input columns that equal the columns of Table.PrimaryKey, one by one. A row with a null among them has no match.
	Keys []int
	// Residual has to be true of the pair that was found, else the row has no match; it is over the columns of the output.
	Residual *expr.Node
	// Table is what is asked.
	Table SourceSpec
	// CacheBytes bounds the memory of the answers that are remembered, misses included; 0 remembers none. CacheTTL is how
	// long, ns, an answer holds; 0 is for ever.
	CacheBytes, CacheTTL int64
}

func (*LookupJoinSpec) spec() {}

// Package agg is the aggregates: what there is, how types resolve, and how values accumulate in the slots of a state
// table, retract and merge.
//
// The planner resolves a use of an aggregate with Functions.ResolveOrdered, which tells arguments that are computed per
// row from literal ones and from sort keys, and puts it into the plan as a Call. An operator compiles its calls into a
// Set and keeps Groups: a state table whose values are the accumulators, and beside it what does not fit into a row of
// words, such as the values that a DISTINCT has seen. Per batch the operator finds the slots of the rows' keys in the
// table and calls Update once. Batches are only read during the call; results are appended to the caller's columns. A Set
// and all Groups made from it belong to one goroutine. Nothing here blocks or does I/O.
//
// Every accumulator is exact, so that a result depends neither on the order of rows nor on how they were spread over
// panes and subtasks, and retractions leave no trace: integers and decimals sum in more bits than the result has, floats
// sum in two words as long as that is exact and in a fixed-point number of the whole range of a double otherwise.
// Variances and regressions come from such sums of values and products, and are rounded once, at the end.
//
// Aggregates that collect rows have them in the order of ORDER BY, then of event time, then of the values themselves; with
// DISTINCT there is no event time. Nulls are rows for array_agg, first_value, last_value and nth_value, as in PostgreSQL;
// all others leave them out. Approximate aggregates are as exact as their documentation says and depend, as the others,
// on the rows alone.
package agg

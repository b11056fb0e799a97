// Package expr is the language of expressions: nodes as plain data, the functions that there are, and evaluators that
// compute a node over a batch.
//
// Resolution (types, coercion, the nearest name of an unknown function) happens once, when the planner builds nodes with
// Functions.Call, CastTo, NewCase and the like; compilation once per task; evaluation per batch, in vectorised kernels.
// Results are lent until the evaluator's next use. Nothing here blocks or does I/O.
//
// # Evaluation
//
// A compiled expression is a graph of steps, equal sub-expressions being one step. A step computes a vector for the rows
// of a selection. AND, OR, CASE, COALESCE and IN narrow the selection for what follows, so that an error in a branch
// that a row does not take is never raised; as a condition, AND also drops rows for which it is null already. Numbers
// are computed densely, for rows that do not count as well; a row that would fail only fails if it counts. Text is
// looked at in rows that count only, since what stands in the others is undefined, and results share its buffers where
// they are parts of it.
//
// # Order and rounding
//
// NaN equals itself and is the greatest float. Text compares bytewise. Casts of fractions to integers cut off, casts to
// DECIMAL and divisions of decimals round half away from zero. Times before 1970 round towards the past.
package expr

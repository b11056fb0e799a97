// Package expr is the language of expressions: nodes as plain data, the functions that there are, and evaluators that
// compute a node over a batch.
//
// Resolution (types, coercion, the nearest name of an unknown function) happens once, when the planner builds nodes with
// a Builder of this package; compilation once per task; evaluation per batch, in vectorised kernels. Results are lent
// until the evaluator's next use. Nothing here blocks or does I/O.
package expr

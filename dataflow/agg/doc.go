// Package agg is the aggregates: what there is, how types resolve, and how values accumulate in the slots of a state
// table, retract and merge. Nothing here blocks or does I/O.
package agg

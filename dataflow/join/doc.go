// Package join matches the rows of two inputs.
//
// There are two operators. NewUpdating joins append streams and changelogs without regard to time: every row that comes
// in or is retracted changes the result at once, and whatever was put out too early is retracted. NewInterval joins append
// streams whose rows match only within a distance of event time, zero for results of equal windows: pairs go out at once,
// rows without a match when the watermark says that none can come, and the watermark clears the state.
//
// In come batches on port 0 (left) and 1 (right), shuffled so that rows which may match are on one subtask; out go pairs,
// padded rows, or left rows alone. Each side's rows are kept in a multimap by their keys. Both operators find candidates
// by hash in blocks, compare keys and evaluate the residual condition a column at a time, and gather results a column at a
// time.
//
// A row of which a key is null, and null equals nothing there, matches nothing: it is padded or dropped without being
// kept. The result for a left row of a semi or anti join, and of every row that is padded, has the row's own event time.
//
// Batches are only borrowed; results are lent until the next call. Nothing here blocks.
package join

// Package updating groups rows by key without a window: a running aggregate whose output is a changelog.
//
// Rows of an append stream or of a changelog come in and change the groups of their keys. Results are held back and go
// out at a flush: on a wall-clock tick, before a checkpoint, and at the end of the input. For every group that has
// changed since the last flush, the row that was put out is retracted and the new one inserted, next to each other; a
// group without rows left is only retracted. The event time of a result is the latest of the rows that the group has
// seen. A group that is not touched for the time to live is forgotten, with a retraction.
//
// Batches are only borrowed; results are lent until the next call. Nothing here blocks.
package updating

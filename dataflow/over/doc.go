// Package over computes functions over ordered rows: running aggregates, ranks, and values of neighbouring rows.
//
// Rows of an append stream come in with an event time. They are held until the watermark has passed it, then join their
// partition, the rows of their key in the order of event time, of the query's order, and last of their whole values, so
// that results do not depend on how rows came. Each row goes out once, with the results appended, as soon as all that
// they depend on is known: at once for functions of earlier rows, otherwise when the later rows are there or the input
// has ended. Then the watermark is held back too, so that no row goes out late. A row that comes after the watermark is
// dropped and counted.
//
// Of the rows that are out, only those stay that a later row's results need: those of a frame, the last few for lag, or
// single ones such as the first. With PerTime, the rows of one key and one event time are a partition of their own, which
// is complete when the watermark has passed, and nothing stays.
//
// Batches are only borrowed; results are lent until the next call. Nothing here blocks.
package over

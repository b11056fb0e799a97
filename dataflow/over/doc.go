// Package over computes functions over ordered rows: running aggregates, ranks, and values of neighbouring rows.
//
// A row belongs to the partition of its key, in which rows have the query's order and, where that makes no difference, the
// order of their whole values, so that results do not depend on how rows came. Results are appended to the row. There are
// four operators, of which all but the second share an evaluator.
//
// By event time, rows of an append stream are held until the watermark has passed them, then join their partition behind
// all others. Each goes out once, as soon as all that its results depend on is known: at once for functions of earlier
// rows, otherwise when the later rows are there or the input has ended. Then the watermark is held back too, so that no row
// goes out late. A row that comes after the watermark is dropped and counted. Of the rows that are out, only those stay
// that a later row's results need: those of a frame, the last few for lag, or single ones such as the first. A key that has
// had no row for the time to live is forgotten, unless rows of it wait; where all frames reach back in time, it is
// forgotten as soon as the watermark has passed what they reach.
//
// Where functions by event time need no more of earlier rows than a few words (running aggregates, those of the last few
// rows, numbers, ranks, lag and first_value), a steady operator keeps these words per partition and no row that is out. It
// computes the rows that a watermark releases a column at a time.
//
// With PerTime, the rows of one key and one event time are a partition of their own, which is complete when the watermark
// has passed, and nothing stays.
//
// With Updating, rows come and go anywhere in their partition, and all of them stay until their key has been idle for the
// time to live. What changes is noted as places in the partition. At a flush, the rows that these places reach are computed
// again: the following ones for running aggregates and ranks, those whose frames hold a place, all for functions of the
// whole partition. Accumulators that begin at the first row are kept between flushes and take rows back to stand at the
// first row that is computed; others are made for each place. Rows whose results differ from what was put out go out, of
// each partition first what leaves, then what comes. After a restore the results are computed from the rows again.
//
// Batches are only borrowed; results are lent until the next call. Nothing here blocks.
package over

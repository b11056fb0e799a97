// Package asof joins each left row with the one right row of its key that is nearest in event time: joins AS OF the time of
// a row, on the versions of a table or on a stream.
//
// Rows of both sides come in on ports 0 (left) and 1 (right), shuffled by their keys, and are held in columns until the
// watermark has passed them. Then both sides are swept in the order of event time: a right row becomes the current one of its
// key, a left row is answered with the current one. So of the right rows only those ahead of the watermark are kept, and the
// newest of each key, beside the key itself; an end of a version for some time only, which is kept since versions from before
// it may come late. The rows of a sweep go by in blocks, whose keys are looked up all at once. Looking forward it is the other
// way round: left rows wait in a list per key until a right row sweeps by, and no right row stays.
//
// Results do not depend on how rows come, but for those behind the watermark: late left rows are dropped, late right ones
// count for the left rows that are not answered. Both are counted. Results come in the order of event time and never behind
// the watermark; only looking forward for left rows that are padded at the end, the watermark is held back to the earliest
// of these.
//
// Batches are only borrowed; results are lent until the next call. Nothing here blocks.
package asof

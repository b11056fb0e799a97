// Package topn ranks the rows of each key by an order and keeps the best of them: top-N, deduplication, and ORDER BY
// with LIMIT and OFFSET when there is no key.
//
// Rows of an append stream or of a changelog come in. On an append stream only rows that can still be among the results
// are kept, of the one best row per key nothing but its values, beside the key; on a changelog every row is, since any may
// be retracted. A row that is equal to another by the order comes before or after it by its whole value, so that results do
// not depend on how rows were batched or spread. Results are held back and go out at a flush, as changes: of each key that
// has changed, first the rows that have left the results, then those that are new in them. A row whose rank is part of the
// result leaves and comes when its rank changes. A key that is not touched for the time to live is forgotten, with
// retractions; rows that are ranked without a key never are. A retraction of a row that is not there, because it was
// forgotten, is ignored.
//
// With PerTime the rows of each event time are ranked by themselves and go out once, when the watermark has passed it.
//
// Batches are only borrowed; results are lent until the next call. Nothing here blocks.
package topn

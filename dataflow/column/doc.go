// Package column is Wadi's columnar memory: batches of typed vectors in Arrow's layout.
//
// A Batch is a number of rows, one Vector per column, an event time per row, on changelog edges a change kind per row,
// and optionally a selection of the rows that count. Types and schemas are Arrow's (arrow.DataType, arrow.Schema); the
// memory has Arrow's layout too, so that a batch becomes an arrow.RecordBatch at the edges without copying values.
//
// Ownership: emitting a batch lends it, read-only, until the call returns. Several consumers may look at the same
// vectors, so nobody writes into a vector that it did not make; a filter makes a new batch header with another
// selection. Who keeps rows longer copies them (AppendSel) into vectors of its own. Vectors keep their memory over
// Reset, so that a steady stream allocates nothing. Nothing here blocks.
package column

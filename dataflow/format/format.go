// Package format is where connectors and formats meet: a Decoder turns frames of bytes into rows, an Encoder rows into
// frames. Each format is a package below this one; formats.New chooses among them.
//
// Nothing here blocks. A decoder or encoder belongs to one goroutine.
package format

import "wadi/dataflow/column"

// Decoder turns frames (one record each, without the newline) into rows of a table's declared columns.
type Decoder interface {
	// Decode appends the rows of one frame, usually one, with this event time (ns). A frame that does not fit gives a
	// *fault.Error of kind Data that names the column but not the value, and leaves nothing behind. The frame's memory must
	// stay as it is until the batch taken next has been used up: text columns may point into it.
	Decode(frame []byte, eventTime int64) error
	// Rows is the number of rows held.
	Rows() int
	// Take lends the rows held. The next Decode starts a new batch.
	Take() *column.Batch
}

// Encoder turns rows into frames.
type Encoder interface {
	// Encode appends one frame per record, each followed by a newline, for the selected rows of b, and returns dst.
	Encode(dst []byte, b *column.Batch) ([]byte, error)
}

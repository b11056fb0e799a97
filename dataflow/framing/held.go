package framing

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// Held are the rows that a decoder collects until they are taken. Taking lends them: they stay until the next row begins.
type Held struct {
	Batch column.Batch
	// Cols are the batch's columns, of which the source fills those in Source.
	Cols   []column.Appender
	Source []int
	fill   func(column int, to column.Appender)
	taken  bool
}

// NewHeld makes an empty batch of this schema.
func NewHeld(schema *arrow.Schema, source func(column int) bool) Held {
	h := Held{Batch: column.Batch{Schema: schema}}
	for i, f := range schema.Fields() {
		c := column.NewAppender(f.Type)
		h.Cols = append(h.Cols, c)
		h.Batch.Cols = append(h.Batch.Cols, c)
		if source(i) {
			h.Source = append(h.Source, i)
		}
	}
	return h
}

// SetMetadata sets the function that appends one value, for the record being decoded, to each column that the source
// fills. Without one those columns are null.
func (h *Held) SetMetadata(fill func(column int, to column.Appender)) { h.fill = fill }

// Rows is the number of rows held.
func (h *Held) Rows() int {
	if h.taken {
		return 0
	}
	return len(h.Batch.Time)
}

// Take lends the rows until Begin.
func (h *Held) Take() { h.taken = true }

// Taken reports whether the rows were taken, so that the batch has to be emptied before it is used again.
func (h *Held) Taken() bool { return h.taken }

// Begin empties the columns that the source fills, and the event times; the others are the decoder's.
func (h *Held) Begin() {
	h.taken = false
	for _, i := range h.Source {
		h.Cols[i].Reset()
	}
	h.Batch.Time = h.Batch.Time[:0]
}

// End ends a row whose own columns are in place.
func (h *Held) End(eventTime int64) {
	for _, i := range h.Source {
		if h.fill != nil {
			h.fill(i, h.Cols[i])
		} else {
			h.Cols[i].AppendNull()
		}
	}
	h.Batch.Time = append(h.Batch.Time, eventTime)
}

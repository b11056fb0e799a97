package framing

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// Values collects rows of one value per frame, TEXT or BYTEA, beside columns that the source fills. It is what decoders for
// such rows have in common, and belongs to one goroutine.
type Values struct {
	memory *Memory
	place  Registration
	held   Held
	value  *column.Bytes
}

// NewValues makes an empty collection of rows of this schema. The values go into the column value, which is of text or
// bytes; the source fills all others.
func NewValues(schema *arrow.Schema, value int) *Values {
	v := &Values{memory: NewMemory(), held: NewHeld(schema, func(i int) bool { return i != value })}
	v.value = v.held.Cols[value].(*column.Bytes)
	return v
}

// SetMetadata sets the function that appends one value, for the record being decoded, to each column that the source
// fills. Without one those columns are null.
func (v *Values) SetMetadata(fill func(column int, to column.Appender)) { v.held.SetMetadata(fill) }

// Rows is the number of rows held.
func (v *Values) Rows() int { return v.held.Rows() }

// Take lends the rows held until the next Add.
func (v *Values) Take() *column.Batch {
	v.renew()
	v.held.Take()
	v.memory.Trim(v.value, &v.place)
	v.held.Batch.N = len(v.held.Batch.Time)
	return &v.held.Batch
}

// Add appends the row of a frame: its bytes from from up to to are the value, at this event time (ns). The frame's memory
// must stay as it is until the batch taken next has been used up.
func (v *Values) Add(frame []byte, from, to int, eventTime int64) {
	v.renew()
	v.memory.Enter(frame)
	v.memory.Append(v.value, &v.place, frame[from:to], from)
	v.held.End(eventTime)
}

// renew begins a new batch if the rows were taken.
func (v *Values) renew() {
	if v.held.Taken() {
		v.held.Begin()
		v.value.Reset()
		v.memory.Reset()
	}
}

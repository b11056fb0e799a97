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
	batch  column.Batch
	cols   []column.Appender
	value  *column.Bytes
	// source holds the columns that the source fills, fill appends to them.
	source []int
	fill   func(column int, to column.Appender)
	taken  bool
}

// NewValues makes an empty collection of rows of this schema. The values go into the column value, which is of text or
// bytes; the source fills all others.
func NewValues(schema *arrow.Schema, value int) *Values {
	v := &Values{memory: NewMemory()}
	v.batch.Schema = schema
	for i, f := range schema.Fields() {
		c := column.NewAppender(f.Type)
		v.cols = append(v.cols, c)
		v.batch.Cols = append(v.batch.Cols, c)
		if i != value {
			v.source = append(v.source, i)
		}
	}
	v.value = v.cols[value].(*column.Bytes)
	return v
}

// SetMetadata sets the function that appends one value, for the record being decoded, to each column that the source
// fills. Without one those columns are null.
func (v *Values) SetMetadata(fill func(column int, to column.Appender)) { v.fill = fill }

// Rows is the number of rows held.
func (v *Values) Rows() int {
	if v.taken {
		return 0
	}
	return len(v.batch.Time)
}

// Take lends the rows held until the next Add.
func (v *Values) Take() *column.Batch {
	if v.taken {
		v.reset()
	}
	v.taken = true
	v.memory.Trim(v.value, &v.place)
	v.batch.N = len(v.batch.Time)
	return &v.batch
}

// Add appends the row of a frame: its bytes from from up to to are the value, at this event time (ns). The frame's memory
// must stay as it is until the batch taken next has been used up.
func (v *Values) Add(frame []byte, from, to int, eventTime int64) {
	if v.taken {
		v.reset()
	}
	v.memory.Enter(frame)
	v.memory.Append(v.value, &v.place, frame[from:to], from)
	for _, i := range v.source {
		if v.fill != nil {
			v.fill(i, v.cols[i])
		} else {
			v.cols[i].AppendNull()
		}
	}
	v.batch.Time = append(v.batch.Time, eventTime)
}

func (v *Values) reset() {
	v.taken = false
	for _, c := range v.cols {
		c.Reset()
	}
	v.batch.Time = v.batch.Time[:0]
	v.memory.Reset()
}

package json

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/framing"
)

// Unstructured turns frames, each one JSON value of any kind, into rows with a single column of the value's text as it
// stands in the frame. It belongs to one goroutine.
type Unstructured struct {
	scanner
	memory *framing.Memory
	place  framing.Registration
	batch  column.Batch
	cols   []column.Appender
	value  *column.Bytes
	source []int
	fill   func(column int, to column.Appender)
	taken  bool
}

// NewUnstructured makes a decoder for rows of this schema: one column "value JSON" besides those that the source fills.
func NewUnstructured(schema *arrow.Schema, meta []string) (*Unstructured, error) {
	u := &Unstructured{memory: framing.NewMemory()}
	u.batch.Schema = schema
	for i, f := range schema.Fields() {
		isMeta := i < len(meta) && meta[i] != ""
		if !isMeta && (f.Name != "value" || !isJSON(f) || u.value != nil) {
			return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "a table with json.unstructured has exactly one column, value JSON, not %q", f.Name).
				WithHint("declare the table's columns as (value JSON), or leave out json.unstructured")
		}
		c := column.NewAppender(f.Type)
		u.cols = append(u.cols, c)
		u.batch.Cols = append(u.batch.Cols, c)
		if isMeta {
			u.source = append(u.source, i)
		} else {
			u.value = c.(*column.Bytes)
		}
	}
	if u.value == nil {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "a table with json.unstructured needs the column value JSON").
			WithHint("declare the table's columns as (value JSON)")
	}
	return u, nil
}

// SetMetadata is as Decoder.SetMetadata.
func (u *Unstructured) SetMetadata(fill func(column int, to column.Appender)) { u.fill = fill }

// Rows is the number of rows held.
func (u *Unstructured) Rows() int {
	if u.taken {
		return 0
	}
	return len(u.batch.Time)
}

// Take lends the rows held until the next Decode.
func (u *Unstructured) Take() *column.Batch {
	if u.taken {
		u.reset()
	}
	u.taken = true
	u.memory.Trim(u.value, &u.place)
	u.batch.N = len(u.batch.Time)
	return &u.batch
}

func (u *Unstructured) reset() {
	u.taken = false
	for _, c := range u.cols {
		c.Reset()
	}
	u.batch.Time = u.batch.Time[:0]
	u.memory.Reset()
}

// Decode appends one row. The frame's memory must stay as it is until the batch taken next has been used up.
func (u *Unstructured) Decode(frame []byte, eventTime int64) error {
	if u.taken {
		u.reset()
	}
	u.load(frame)
	u.memory.Enter(frame)
	start := u.space(0)
	end := u.skip(start, 0)
	if end >= 0 && u.space(end) != u.n {
		end = u.bad(u.space(end), "something follows the value")
	}
	if end < 0 {
		return fault.Dataf("value", "not a JSON value (byte %d): %s", u.where+1, u.why).
			WithHint("each record must be one JSON value; set bad_data = 'drop' to skip those that are not")
	}
	u.memory.Append(u.value, &u.place, u.buf[start:end], start)
	for _, i := range u.source {
		if u.fill != nil {
			u.fill(i, u.cols[i])
		} else {
			u.cols[i].AppendNull()
		}
	}
	u.batch.Time = append(u.batch.Time, eventTime)
	return nil
}

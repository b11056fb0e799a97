package json

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
	"wadi/dataflow/framing"
)

// Unstructured turns frames, each one JSON value of any kind, into rows with a single column of the value's text as it
// stands in the frame. It belongs to one goroutine.
type Unstructured struct {
	scanner
	*framing.Values
}

// NewUnstructured makes a decoder for rows of this schema: one column "value JSON" besides those that the source fills.
func NewUnstructured(schema *arrow.Schema, meta []string) (*Unstructured, error) {
	value := -1
	for i, f := range schema.Fields() {
		if i < len(meta) && meta[i] != "" {
			continue
		}
		if f.Name != "value" || !isJSON(f) || value >= 0 {
			return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "a table with json.unstructured has exactly one column, value JSON, not %q", f.Name).
				WithHint("declare the table's columns as (value JSON), or leave out json.unstructured")
		}
		value = i
	}
	if value < 0 {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "a table with json.unstructured needs the column value JSON").
			WithHint("declare the table's columns as (value JSON)")
	}
	return &Unstructured{Values: framing.NewValues(schema, value)}, nil
}

// Decode appends one row. The frame's memory must stay as it is until the batch taken next has been used up.
func (u *Unstructured) Decode(frame []byte, eventTime int64) error {
	u.load(frame)
	start := u.space(0)
	end := u.skip(start, 0)
	if end >= 0 && u.space(end) != u.n {
		end = u.bad(u.space(end), "something follows the value")
	}
	if end < 0 {
		return fault.Dataf("value", "not a JSON value (byte %d): %s", u.where+1, u.why).
			WithHint("each record must be one JSON value; set bad_data = 'drop' to skip those that are not")
	}
	u.Add(frame, start, end, eventTime)
	return nil
}

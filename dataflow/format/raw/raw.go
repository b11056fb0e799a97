// Package raw turns frames into rows of one column, "value TEXT" or "value BYTEA", and such rows into frames.
//
// What comes in: frames, which are UTF-8 if they become text, or batches with that column. What goes out: batches, or one
// line per row. Long values are not copied out of the frame's memory. Nothing here blocks.
package raw

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/framing"
)

// Kind is the format: what the column holds.
type Kind struct {
	name, sql string
	is        arrow.Type
}

// String is the format raw_string: the column value is TEXT.
func String() Kind { return Kind{"raw_string", "TEXT", arrow.STRING} }

// Bytes is the format raw_bytes: the column value is BYTEA.
func Bytes() Kind { return Kind{"raw_bytes", "BYTEA", arrow.BINARY} }

// Decoder turns frames into rows. It belongs to one goroutine.
type Decoder struct {
	*framing.Values
	// text says that frames have to be UTF-8.
	text bool
}

// check finds the column "value"; meta marks columns that are something else.
func (k Kind) check(schema *arrow.Schema, meta []string) (value int, err error) {
	value = -1
	for i, f := range schema.Fields() {
		if i < len(meta) && meta[i] != "" {
			continue
		}
		if f.Name != "value" || f.Type.ID() != k.is || value >= 0 {
			return 0, fault.Userf(fault.CodeInvalid, fault.Span{}, "format %s has exactly one column, value %s, not %s %s", k.name, k.sql, f.Name, expr.TypeName(f.Type)).
				WithHint("declare the table's columns as (value %s)", k.sql)
		}
		value = i
	}
	if value < 0 {
		return 0, fault.Userf(fault.CodeInvalid, fault.Span{}, "format %s needs the column value %s", k.name, k.sql).
			WithHint("declare the table's columns as (value %s)", k.sql)
	}
	return value, nil
}

// NewDecoder makes a decoder for rows of this schema. Columns whose entry in meta is not empty are filled by the source.
func (k Kind) NewDecoder(schema *arrow.Schema, meta []string) (*Decoder, error) {
	value, err := k.check(schema, meta)
	if err != nil {
		return nil, err
	}
	return &Decoder{framing.NewValues(schema, value), k.is == arrow.STRING}, nil
}

// Decode appends one row. The frame's memory must stay as it is until the batch taken next has been used up.
func (d *Decoder) Decode(frame []byte, eventTime int64) error {
	if d.text && !utf8.Valid(frame) {
		return fault.Dataf("value", "expected TEXT, got bytes that are not UTF-8").
			WithHint("convert the input to UTF-8, or set bad_data = 'drop' to skip such records")
	}
	d.Add(frame, 0, len(frame), eventTime)
	return nil
}

// Encoder turns rows into lines. It belongs to one goroutine.
type Encoder struct{ scratch []int32 }

// NewEncoder makes an encoder for rows of this schema.
func (k Kind) NewEncoder(schema *arrow.Schema) (*Encoder, error) {
	if _, err := k.check(schema, nil); err != nil {
		return nil, err
	}
	return &Encoder{}, nil
}

// Encode appends the value and a newline for each row of b that counts; a null is an empty line.
func (e *Encoder) Encode(dst []byte, b *column.Batch) ([]byte, error) {
	c := b.Cols[0].(*column.Bytes)
	e.scratch = b.Selected(e.scratch)
	for _, r := range e.scratch {
		if c.Valid.IsValid(int(r)) {
			dst = append(dst, c.At(int(r))...)
		}
		dst = append(dst, '\n')
	}
	return dst, nil
}

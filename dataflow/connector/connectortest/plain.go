package connectortest

import (
	"bytes"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// TextSchema is the schema of Plain: one TEXT column "value".
var TextSchema = arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)

// Plain is a format for tests: a row is the text of its only column. It refuses what a real text format refuses (NUL
// bytes, invalid UTF-8), and the text "bad".
type Plain struct{ builder *column.Builder }

// NewPlain makes a decoder.
func NewPlain() *Plain { return &Plain{builder: column.NewBuilder(TextSchema, false)} }

// Decode implements format.Decoder.
func (p *Plain) Decode(frame []byte, eventTime int64) error {
	if string(frame) == "bad" || !utf8.Valid(frame) || bytes.IndexByte(frame, 0) >= 0 {
		return fault.Dataf("value", "not a text")
	}
	p.builder.Column(0).(*column.Bytes).Append(frame)
	p.builder.AppendTime(eventTime, column.Insert)
	return nil
}

// Rows implements format.Decoder.
func (p *Plain) Rows() int { return p.builder.Rows() }

// Take implements format.Decoder. The batch is a copy, so that the builder can be reused at once.
func (p *Plain) Take() *column.Batch {
	out := column.NewBuilder(TextSchema, false)
	out.AppendSel(p.builder.Batch(), nil)
	p.builder.Reset()
	return out.Batch()
}

// Encode implements format.Encoder.
func (Plain) Encode(dst []byte, b *column.Batch) ([]byte, error) {
	for _, i := range b.Selected(nil) {
		dst = append(append(dst, b.Cols[0].(*column.Bytes).At(int(i))...), '\n')
	}
	return dst, nil
}

// SetMetadata implements format.Decoder; Plain has no metadata columns.
func (p *Plain) SetMetadata(func(column int, to column.Appender)) {}

package connectortest

import (
	"fmt"
	"strconv"
	"strings"

	"wadi/dataflow/column"
)

// Emitter keeps a copy of all rows.
type Emitter struct {
	builder *column.Builder
	// Batches has the number of rows of each batch.
	Batches []int
	// Marks are the watermarks.
	Marks []int64
	// OnEmit, if set, is called with each batch as it is lent.
	OnEmit func(b *column.Batch) error
}

// Emit implements operator.Emitter.
func (e *Emitter) Emit(b *column.Batch) error {
	if e.OnEmit != nil {
		if err := e.OnEmit(b); err != nil {
			return err
		}
	}
	if e.builder == nil {
		e.builder = column.NewBuilder(b.Schema, b.Change != nil)
	}
	e.builder.AppendSel(b, nil)
	e.Batches = append(e.Batches, b.Rows())
	return nil
}

// Watermark implements operator.Emitter.
func (e *Emitter) Watermark(w int64) error {
	e.Marks = append(e.Marks, w)
	return nil
}

// Idle implements operator.Emitter.
func (e *Emitter) Idle() error { return nil }

// Batch gives all rows in one batch; nil when there were none.
func (e *Emitter) Batch() *column.Batch {
	if e.builder == nil {
		return nil
	}
	return e.builder.Batch()
}

// Len is the number of rows.
func (e *Emitter) Len() int {
	if e.builder == nil {
		return 0
	}
	return e.builder.Rows()
}

// Reset forgets everything.
func (e *Emitter) Reset() { *e = Emitter{OnEmit: e.OnEmit} }

// Rows gives each row as text: its event time in ns, and its columns as Format shows them.
func (e *Emitter) Rows() []string {
	b := e.Batch()
	if b == nil {
		return nil
	}
	out := make([]string, b.N)
	for i := range out {
		cols := make([]string, len(b.Cols))
		for c, v := range b.Cols {
			cols[c] = Format(v, i)
		}
		out[i] = strconv.FormatInt(b.Time[i], 10) + "|" + strings.Join(cols, ",")
	}
	return out
}

// Format shows value i of v; the types are those that generators and simple formats give.
func Format(v column.Vector, i int) string {
	if !v.Validity().IsValid(i) {
		return "null"
	}
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return strconv.FormatInt(c.Values[i], 10)
	case *column.Fixed[uint64]:
		return strconv.FormatUint(c.Values[i], 10)
	case *column.Fixed[int32]:
		return strconv.FormatInt(int64(c.Values[i]), 10)
	case *column.Fixed[float64]:
		return strconv.FormatFloat(c.Values[i], 'g', -1, 64)
	case *column.Bool:
		return strconv.FormatBool(c.Bits.Get(i))
	case *column.Bytes:
		return strconv.Quote(c.Str(i))
	case *column.Struct:
		parts := make([]string, len(c.Children))
		for k, m := range c.Children {
			parts[k] = Format(m, i)
		}
		return "{" + strings.Join(parts, ",") + "}"
	}
	return fmt.Sprintf("<%s>", v.Type())
}

// Texts makes a batch with one TEXT column "value" of these values, all with event time 0.
func Texts(values ...string) *column.Batch {
	b := column.NewBuilder(TextSchema, false)
	for _, v := range values {
		b.Column(0).(*column.Bytes).AppendString(v)
		b.AppendTime(0, column.Insert)
	}
	return b.Batch()
}

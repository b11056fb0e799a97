package operatortest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
)

// Line spells row i of a batch: its values, then its event time.
func Line(b *column.Batch, i int) string {
	return fmt.Sprint(strings.Join(ShowAll(b.Cols, i), " "), " @", b.Time[i])
}

// ShowAll is Show for row i of several columns.
func ShowAll(cols []column.Vector, i int) []string {
	var out []string
	for _, v := range cols {
		out = append(out, Show(v, i))
	}
	return out
}

// Show spells row i of a column.
func Show(v column.Vector, i int) string {
	if !v.Validity().IsValid(i) {
		return "null"
	}
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return fmt.Sprint(c.Values[i])
	case *column.Fixed[int32]:
		return fmt.Sprint(c.Values[i])
	case *column.Fixed[uint64]:
		return fmt.Sprint(c.Values[i])
	case *column.Fixed[float64]:
		return fmt.Sprint(c.Values[i])
	case *column.Fixed[decimal128.Num]:
		return c.Values[i].ToString(2)
	case *column.Bool:
		return fmt.Sprint(c.Bits.Get(i))
	case *column.Bytes:
		return strings.Clone(c.Str(i))
	case *column.List:
		var parts []string
		for e := c.Offsets[i]; e < c.Offsets[i+1]; e++ {
			parts = append(parts, Show(c.Elem, int(e)))
		}
		return fmt.Sprint(parts)
	case *column.Struct:
		var parts []string
		for _, m := range c.Children {
			parts = append(parts, Show(m, i))
		}
		return "{" + strings.Join(parts, " ") + "}"
	}
	panic(v.Type().String())
}

// Append appends a value to a column of its type, null for a nil pointer.
func Append[T int64 | float64 | string | bool](c column.Appender, v *T) {
	if v == nil {
		c.AppendNull()
		return
	}
	switch v := any(*v).(type) {
	case int64:
		if narrow, ok := c.(*column.Fixed[int32]); ok {
			narrow.Append(int32(v))
			return
		}
		c.(*column.Fixed[int64]).Append(v)
	case float64:
		c.(*column.Fixed[float64]).Append(v)
	case string:
		c.(*column.Bytes).AppendString(v)
	case bool:
		c.(*column.Bool).Append(v)
	}
}

// Text spells what a pointer points to.
func Text[T any](p *T) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprint(*p)
}

// DrawSelection leaves rows of a batch out, some of the time.
func DrawSelection(t *rapid.T, b *column.Batch) {
	if !rapid.Bool().Draw(t, "selected") {
		return
	}
	b.Sel = []int32{}
	for i := range b.N {
		if rapid.Bool().Draw(t, "sel") {
			b.Sel = append(b.Sel, int32(i))
		}
	}
}

// Live is the rows of a changelog that may still be taken back, in pieces that go together.
type Live struct{ pieces []*column.Batch }

// Len is the number of pieces.
func (l *Live) Len() int { return len(l.pieces) }

// Keep copies rows of a batch as a piece.
func (l *Live) Keep(b *column.Batch, rows []int32) {
	piece := column.NewBuilder(b.Schema, true)
	piece.AppendSel(b, rows)
	l.pieces = append(l.pieces, piece.Batch())
}

// Retract appends the retraction of one of the pieces, if there is one, to b.
func (l *Live) Retract(t *rapid.T, b *column.Builder) {
	if len(l.pieces) == 0 {
		return
	}
	i, from := rapid.IntRange(0, len(l.pieces)-1).Draw(t, "which"), b.Rows()
	b.AppendSel(l.pieces[i], nil)
	for r := from; r < b.Rows(); r++ {
		b.Batch().Change[r] = -b.Batch().Change[r]
	}
	l.pieces = slices.Delete(l.pieces, i, i+1)
}

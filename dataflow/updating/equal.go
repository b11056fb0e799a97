package updating

import (
	"bytes"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// markDifferent sets differs[i] where rows x[i] and y[i] of v, both at least 0, hold different values. NaNs are alike.
func markDifferent(v column.Vector, x, y []int32, differs []bool) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		markFixed(c, x, y, differs)
	case *column.Fixed[int32]:
		markFixed(c, x, y, differs)
	case *column.Fixed[uint64]:
		markFixed(c, x, y, differs)
	case *column.Fixed[decimal128.Num]:
		markFixed(c, x, y, differs)
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		markFixed(c, x, y, differs)
	case *column.Fixed[float64]:
		mark(c.Valid, x, y, differs, func(a, b int32) bool {
			return math.Float64bits(c.Values[a]) == math.Float64bits(c.Values[b])
		})
	case *column.Bytes:
		mark(c.Valid, x, y, differs, func(a, b int32) bool { return bytes.Equal(c.At(int(a)), c.At(int(b))) })
	default:
		var p, q []byte
		mark(v.Validity(), x, y, differs, func(a, b int32) bool {
			p, q = state.AppendValue(p[:0], v, int(a)), state.AppendValue(q[:0], v, int(b))
			return bytes.Equal(p, q)
		})
	}
}

func markFixed[T interface {
	comparable
	column.Value
}](c *column.Fixed[T], x, y []int32, differs []bool) {
	if c.Valid != nil {
		mark(c.Valid, x, y, differs, func(a, b int32) bool { return c.Values[a] == c.Values[b] })
		return
	}
	for i, a := range x {
		if b := y[i]; a >= 0 && b >= 0 && c.Values[a] != c.Values[b] {
			differs[i] = true
		}
	}
}

func mark(valid column.Bitmap, x, y []int32, differs []bool, same func(a, b int32) bool) {
	for i, a := range x {
		b := y[i]
		if a < 0 || b < 0 || differs[i] {
			continue
		}
		va, vb := valid.IsValid(int(a)), valid.IsValid(int(b))
		differs[i] = va != vb || va && !same(a, b)
	}
}

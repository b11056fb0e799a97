package agg

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

type number interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

// widen writes the values of the rows to their places in scratch, grown to n, and returns it.
func widen[T number, W int64 | float64](scratch []W, vals []T, rows []int32) []W {
	scratch = resize(scratch, len(vals))
	for _, r := range rows {
		scratch[r] = W(vals[r])
	}
	return scratch
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// integers gives an integer column's values as words, by physical row; those of a BIGINT UNSIGNED keep their bits. The
// result is v's own memory or scratch, which is returned too as it may have grown.
func integers(scratch []int64, v column.Vector, rows []int32) (vals, kept []int64) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return c.Values, scratch
	case *column.Fixed[int32]:
		scratch = widen(scratch, c.Values, rows)
	case *column.Fixed[int16]:
		scratch = widen(scratch, c.Values, rows)
	case *column.Fixed[int8]:
		scratch = widen(scratch, c.Values, rows)
	case *column.Fixed[uint64]:
		scratch = widen(scratch, c.Values, rows)
	case *column.Fixed[uint32]:
		scratch = widen(scratch, c.Values, rows)
	case *column.Fixed[uint16]:
		scratch = widen(scratch, c.Values, rows)
	case *column.Fixed[uint8]:
		scratch = widen(scratch, c.Values, rows)
	default:
		panic("agg: no integers in a column of type " + v.Type().String())
	}
	return scratch, scratch
}

// floats is like integers for REAL and DOUBLE.
func floats(scratch []float64, v column.Vector, rows []int32) (vals, kept []float64) {
	switch c := v.(type) {
	case *column.Fixed[float64]:
		return c.Values, scratch
	case *column.Fixed[float32]:
		scratch = widen(scratch, c.Values, rows)
		return scratch, scratch
	}
	panic("agg: no floats in a column of type " + v.Type().String())
}

// ordered gives the values of a one-word column as words whose order as signed integers is the order of the values:
// false before true, floats by IEEE 754 totalOrder with one NaN, which is the greatest.
func ordered(scratch []int64, v column.Vector, rows []int32) (vals, kept []int64) {
	switch c := v.(type) {
	case *column.Fixed[uint64]:
		scratch = resize(scratch, len(c.Values))
		for _, r := range rows {
			scratch[r] = int64(c.Values[r] ^ 1<<63)
		}
	case *column.Fixed[float64]:
		scratch = resize(scratch, len(c.Values))
		for _, r := range rows {
			scratch[r] = orderFloat(c.Values[r])
		}
	case *column.Fixed[float32]:
		scratch = resize(scratch, len(c.Values))
		for _, r := range rows {
			scratch[r] = orderFloat(float64(c.Values[r]))
		}
	case *column.Bool:
		scratch = resize(scratch, c.N)
		for _, r := range rows {
			scratch[r] = 0
			if c.Bits.Get(int(r)) {
				scratch[r] = 1
			}
		}
	default:
		return integers(scratch, v, rows)
	}
	return scratch, scratch
}

func orderFloat(f float64) int64 {
	if f != f {
		return math.MaxInt64
	}
	b := int64(math.Float64bits(f))
	return b ^ int64(uint64(b>>63)>>1)
}

func unorderFloat(w int64) float64 {
	if w == math.MaxInt64 {
		return math.NaN()
	}
	return math.Float64frombits(uint64(w ^ int64(uint64(w>>63)>>1)))
}

// appendOrdered appends the value that ordered made this word from.
func appendOrdered(out column.Appender, w int64) {
	switch c := out.(type) {
	case *column.Fixed[int64]:
		c.Append(w)
	case *column.Fixed[int32]:
		c.Append(int32(w))
	case *column.Fixed[int16]:
		c.Append(int16(w))
	case *column.Fixed[int8]:
		c.Append(int8(w))
	case *column.Fixed[uint64]:
		c.Append(uint64(w) ^ 1<<63)
	case *column.Fixed[uint32]:
		c.Append(uint32(w))
	case *column.Fixed[uint16]:
		c.Append(uint16(w))
	case *column.Fixed[uint8]:
		c.Append(uint8(w))
	case *column.Fixed[float64]:
		c.Append(unorderFloat(w))
	case *column.Fixed[float32]:
		c.Append(float32(unorderFloat(w)))
	case *column.Bool:
		c.Append(w != 0)
	default:
		panic("agg: no one-word value of type " + out.Type().String())
	}
}

// wide is a value of two words that orders by hi, then lo: a decimal, or an interval by months, days and nanoseconds.
type wide struct {
	hi int64
	lo uint64
}

func (a wide) less(b wide) bool { return a.hi < b.hi || a.hi == b.hi && a.lo < b.lo }

func wideAt(v column.Vector, r int32) wide {
	switch c := v.(type) {
	case *column.Fixed[decimal128.Num]:
		return wide{c.Values[r].HighBits(), c.Values[r].LowBits()}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		x := c.Values[r]
		return wide{int64(x.Months)<<32 | int64(uint32(x.Days)^1<<31), uint64(x.Nanoseconds) ^ 1<<63}
	}
	panic("agg: no two-word value in a column of type " + v.Type().String())
}

func appendWide(out column.Appender, w wide) {
	switch c := out.(type) {
	case *column.Fixed[decimal128.Num]:
		c.Append(decimal128.New(w.hi, w.lo))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		c.Append(arrow.MonthDayNanoInterval{
			Months: int32(w.hi >> 32), Days: int32(uint32(w.hi) ^ 1<<31), Nanoseconds: int64(w.lo ^ 1<<63),
		})
	default:
		panic("agg: no two-word value of type " + out.Type().String())
	}
}

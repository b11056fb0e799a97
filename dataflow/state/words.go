package state

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// encodeFixed writes the keys of the rows into scratch, keyWords words per row in the order of rows, and returns them.
func (l *Layout) encodeFixed(keys []column.Vector, rows []int32) []int64 {
	n := len(rows) * l.keyWords
	if cap(l.scratch.words) < n {
		l.scratch.words = make([]int64, n+n/4)
	}
	enc := l.scratch.words[:n]
	if l.nulls {
		for i := l.keyWords - 1; i < n; i += l.keyWords {
			enc[i] = 0
		}
	}
	at := 0
	for k, v := range keys {
		encodeColumn(enc[min(at, len(enc)):], l.keyWords, v, rows)
		if valid := v.Validity(); valid != nil && l.nulls {
			l.encodeNulls(enc, k, at, valid, rows)
		}
		at += l.widths[k]
	}
	return enc
}

// encodeNulls sets column k's null bit and clears its words, which begin at offset at, in rows where it is null.
func (l *Layout) encodeNulls(enc []int64, k, at int, valid column.Bitmap, rows []int32) {
	for j, r := range rows {
		if valid.Get(int(r)) {
			continue
		}
		row := enc[j*l.keyWords : (j+1)*l.keyWords]
		row[l.keyWords-1] |= 1 << k
		for i := range l.widths[k] {
			row[at+i] = 0
		}
	}
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func encodeInts[T integer](dst []int64, stride int, vals []T, rows []int32) {
	i := 0
	for _, r := range rows {
		dst[i] = int64(vals[r])
		i += stride
	}
}

func encodeColumn(dst []int64, stride int, v column.Vector, rows []int32) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		encodeInts(dst, stride, c.Values, rows)
	case *column.Fixed[int32]:
		encodeInts(dst, stride, c.Values, rows)
	case *column.Fixed[int16]:
		encodeInts(dst, stride, c.Values, rows)
	case *column.Fixed[int8]:
		encodeInts(dst, stride, c.Values, rows)
	case *column.Fixed[uint64]:
		encodeInts(dst, stride, c.Values, rows)
	case *column.Fixed[uint32]:
		encodeInts(dst, stride, c.Values, rows)
	case *column.Fixed[uint16]:
		encodeInts(dst, stride, c.Values, rows)
	case *column.Fixed[uint8]:
		encodeInts(dst, stride, c.Values, rows)
	default:
		for j, r := range rows {
			w0, w1, two := fixedWords(v, int(r))
			dst[j*stride] = w0
			if two {
				dst[j*stride+1] = w1
			}
		}
	}
}

// fixedWords gives the one or two words of a fixed-width value. Floats that are equal as keys have equal words.
func fixedWords(v column.Vector, i int) (w0, w1 int64, two bool) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return c.Values[i], 0, false
	case *column.Fixed[int32]:
		return int64(c.Values[i]), 0, false
	case *column.Fixed[int16]:
		return int64(c.Values[i]), 0, false
	case *column.Fixed[int8]:
		return int64(c.Values[i]), 0, false
	case *column.Fixed[uint64]:
		return int64(c.Values[i]), 0, false
	case *column.Fixed[uint32]:
		return int64(c.Values[i]), 0, false
	case *column.Fixed[uint16]:
		return int64(c.Values[i]), 0, false
	case *column.Fixed[uint8]:
		return int64(c.Values[i]), 0, false
	case *column.Fixed[float64]:
		return int64(column.FloatBits(c.Values[i])), 0, false
	case *column.Fixed[float32]:
		return int64(column.FloatBits(float64(c.Values[i]))), 0, false
	case *column.Bool:
		if c.Bits.Get(i) {
			return 1, 0, false
		}
		return 0, 0, false
	case *column.Fixed[decimal128.Num]:
		return int64(c.Values[i].LowBits()), c.Values[i].HighBits(), true
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		x := c.Values[i]
		return int64(uint64(uint32(x.Months))<<32 | uint64(uint32(x.Days))), x.Nanoseconds, true
	}
	panic("state: no fixed-width key of type " + v.Type().String())
}

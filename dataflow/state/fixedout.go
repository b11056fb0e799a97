package state

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// appendFixed appends key column k of the slots, whose words begin at offset at of a row's key, to out.
func (t *Table) appendFixed(k, at int, slots []int32, out column.Appender) {
	first := 1 + at
	if t.l.nulls {
		bit := int64(1) << k
		null := t.l.keyWords // the last key word, behind the hash
		for _, s := range slots {
			row := t.words[int(s)*t.l.stride:]
			if row[null]&bit != 0 {
				out.AppendNull()
				continue
			}
			appendWords(out, row[first], row[min(first+1, len(row)-1)])
		}
		return
	}
	switch c := out.(type) {
	case *column.Fixed[int64]:
		appendInts(t, first, slots, c)
	case *column.Fixed[int32]:
		appendInts(t, first, slots, c)
	case *column.Fixed[uint64]:
		appendInts(t, first, slots, c)
	default:
		for _, s := range slots {
			row := t.words[int(s)*t.l.stride:]
			appendWords(out, row[first], row[min(first+1, len(row)-1)])
		}
	}
}

func appendInts[T int32 | int64 | uint64](t *Table, first int, slots []int32, c *column.Fixed[T]) {
	if c.Valid != nil {
		for _, s := range slots {
			c.Append(T(t.words[int(s)*t.l.stride+first]))
		}
		return
	}
	stride := t.l.stride
	for _, s := range slots {
		c.Values = append(c.Values, T(t.words[int(s)*stride+first]))
	}
}

// appendWords appends the value that fixedWords took apart.
func appendWords(out column.Appender, w0, w1 int64) {
	switch c := out.(type) {
	case *column.Fixed[int64]:
		c.Append(w0)
	case *column.Fixed[int32]:
		c.Append(int32(w0))
	case *column.Fixed[int16]:
		c.Append(int16(w0))
	case *column.Fixed[int8]:
		c.Append(int8(w0))
	case *column.Fixed[uint64]:
		c.Append(uint64(w0))
	case *column.Fixed[uint32]:
		c.Append(uint32(w0))
	case *column.Fixed[uint16]:
		c.Append(uint16(w0))
	case *column.Fixed[uint8]:
		c.Append(uint8(w0))
	case *column.Fixed[float64]:
		c.Append(math.Float64frombits(uint64(w0)))
	case *column.Fixed[float32]:
		c.Append(float32(math.Float64frombits(uint64(w0))))
	case *column.Bool:
		c.Append(w0 != 0)
	case *column.Fixed[decimal128.Num]:
		c.Append(decimal128.New(w1, uint64(w0)))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		c.Append(arrow.MonthDayNanoInterval{Months: int32(uint64(w0) >> 32), Days: int32(uint32(w0)), Nanoseconds: w1})
	default:
		panic("state: no fixed-width key of type " + out.Type().String())
	}
}

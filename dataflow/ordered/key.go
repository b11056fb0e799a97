package ordered

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
)

// Key is an order of rows. Equal values, and only those, have equal bytes; 0 equals -0, and NaN equals itself and is the
// greatest float. Inside of structs and lists, nulls come last.
type Key struct {
	// timed puts the event time first.
	timed bool
	parts []part
	exact bool
}

type part struct {
	col              int
	desc, nullsFirst bool
	// nullable columns have a mark in front of their values.
	nullable bool
}

// NewKey makes the order of rows of this schema; with timed, the event time comes before all columns.
func NewKey(in *arrow.Schema, order []graph.Order, timed bool) *Key {
	k := &Key{timed: timed}
	for _, o := range order {
		k.parts = append(k.parts, part{o.Column, o.Desc, o.NullsFirst, in.Field(o.Column).Nullable})
	}
	switch {
	case timed || len(order) == 0:
		k.exact = len(order) == 0
	case len(order) == 1 && !k.parts[0].nullable:
		kind := kindOf(in.Field(order[0].Column).Type)
		k.exact = kind == signedWord || kind == unsignedWord || kind == floatWord
	}
	return k
}

// Exact reports whether keys are equal whenever their prefixes are.
func (k *Key) Exact() bool { return k.exact }

// The marks in front of values, those of nulls below or above that of values. They are not turned around by DESC.
const (
	nullFirst = 0
	notNull   = 1
	nullLast  = 2
)

// Append appends the key of row i to buf. No key is the beginning of another.
func (k *Key) Append(buf []byte, cols []column.Vector, time int64, i int) []byte {
	if k.timed {
		buf = binary.BigEndian.AppendUint64(buf, signed(time))
	}
	for _, p := range k.parts {
		v := cols[p.col]
		valid := v.Validity().IsValid(i)
		switch {
		case valid && p.nullable:
			buf = append(buf, notNull)
		case valid:
		case p.nullsFirst:
			buf = append(buf, nullFirst)
			continue
		default:
			buf = append(buf, nullLast)
			continue
		}
		at := len(buf)
		buf = appendOrdered(buf, v, i)
		if p.desc {
			for j := at; j < len(buf); j++ {
				buf[j] = ^buf[j]
			}
		}
	}
	return buf
}

// Prefixes gives numbers that order like the keys, or are equal, for the rows of a batch; they are at the places of the
// rows in dst, which is grown as needed and returned.
func (k *Key) Prefixes(dst []uint64, b *column.Batch, rows []int32) []uint64 {
	if cap(dst) < b.N {
		dst = make([]uint64, b.N+b.N/4)
	}
	dst = dst[:b.N]
	switch {
	case k.timed:
		for _, r := range rows {
			dst[r] = signed(b.Time[r])
		}
		return dst
	case len(k.parts) == 0:
		clear(dst)
		return dst
	}
	p := k.parts[0]
	v := b.Cols[p.col]
	prefixes(dst, v, rows)
	if p.desc {
		for _, r := range rows {
			dst[r] = ^dst[r]
		}
	}
	if valid := v.Validity(); valid != nil {
		null := uint64(math.MaxUint64)
		if p.nullsFirst {
			null = 0
		}
		for _, r := range rows {
			if !valid.Get(int(r)) {
				dst[r] = null
			}
		}
	}
	return dst
}

func prefixes(dst []uint64, v column.Vector, rows []int32) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		for _, r := range rows {
			dst[r] = signed(c.Values[r])
		}
	case *column.Fixed[int32]:
		for _, r := range rows {
			dst[r] = signed(int64(c.Values[r]))
		}
	case *column.Fixed[float64]:
		for _, r := range rows {
			dst[r] = orderFloat(c.Values[r])
		}
	case *column.Bytes:
		for _, r := range rows {
			dst[r] = headOf(c.At(int(r)))
		}
	default:
		for _, r := range rows {
			dst[r], _, _ = words(v, int(r))
		}
	}
}

// headOf is the first eight bytes of a byte string as a number.
func headOf(p []byte) uint64 {
	if len(p) >= 8 {
		return binary.BigEndian.Uint64(p)
	}
	var b [8]byte
	copy(b[:], p)
	return binary.BigEndian.Uint64(b[:])
}

func signed(v int64) uint64 { return uint64(v) ^ 1<<63 }

func orderFloat(f float64) uint64 {
	if f != f {
		return math.MaxUint64
	}
	b := column.FloatBits(f)
	return b ^ (uint64(int64(b)>>63) | 1<<63)
}

// words gives the one or two words of a fixed-width value, which order as unsigned numbers; zeros for other types.
func words(v column.Vector, i int) (hi, lo uint64, n int) {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return signed(c.Values[i]), 0, 1
	case *column.Fixed[int32]:
		return signed(int64(c.Values[i])), 0, 1
	case *column.Fixed[int16]:
		return signed(int64(c.Values[i])), 0, 1
	case *column.Fixed[int8]:
		return signed(int64(c.Values[i])), 0, 1
	case *column.Fixed[uint64]:
		return c.Values[i], 0, 1
	case *column.Fixed[uint32]:
		return uint64(c.Values[i]), 0, 1
	case *column.Fixed[uint16]:
		return uint64(c.Values[i]), 0, 1
	case *column.Fixed[uint8]:
		return uint64(c.Values[i]), 0, 1
	case *column.Fixed[float64]:
		return orderFloat(c.Values[i]), 0, 1
	case *column.Fixed[float32]:
		return orderFloat(float64(c.Values[i])), 0, 1
	case *column.Bool:
		if c.Bits.Get(i) {
			return 1, 0, 1
		}
		return 0, 0, 1
	case *column.Fixed[decimal128.Num]:
		return signed(c.Values[i].HighBits()), c.Values[i].LowBits(), 2
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		x := c.Values[i]
		days := uint64(uint32(x.Months)^1<<31)<<32 | uint64(uint32(x.Days)^1<<31)
		return days, signed(x.Nanoseconds), 2
	}
	return 0, 0, 0
}

// appendOrdered appends a value that is not null, so that no value's bytes are the beginning of another's.
func appendOrdered(buf []byte, v column.Vector, i int) []byte {
	switch c := v.(type) {
	case *column.Bytes:
		return appendEscaped(buf, c.At(i))
	case *column.Struct:
		for _, m := range c.Children {
			buf = appendNested(buf, m, i)
		}
		return buf
	case *column.List:
		for e := c.Offsets[i]; e < c.Offsets[i+1]; e++ {
			buf = appendNested(append(buf, 1), c.Elem, int(e))
		}
		return append(buf, 0)
	}
	hi, lo, n := words(v, i)
	if n == 0 {
		panic("ordered: no order for values of type " + v.Type().String())
	}
	buf = binary.BigEndian.AppendUint64(buf, hi)
	if n == 2 {
		buf = binary.BigEndian.AppendUint64(buf, lo)
	}
	return buf
}

func appendNested(buf []byte, v column.Vector, i int) []byte {
	if !v.Validity().IsValid(i) {
		return append(buf, nullLast)
	}
	return appendOrdered(append(buf, notNull), v, i)
}

// appendEscaped writes each zero byte as 0 255 and ends the string with 0 0.
func appendEscaped(buf, p []byte) []byte {
	for {
		z := bytes.IndexByte(p, 0)
		if z < 0 {
			break
		}
		buf = append(append(buf, p[:z]...), 0, 255)
		p = p[z+1:]
	}
	return append(append(buf, p...), 0, 0)
}

package expr

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/zeebo/xxh3"

	"wadi/dataflow/column"
)

func bindMultiHash(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) == 0 {
		return nil, nil, s.mismatch(args)
	}
	out := make([]*Node, len(args))
	for i, a := range args {
		if out[i] = a; isNull(a.Type) {
			out[i] = NewLiteral(typeText, nil).At(a.Span)
		}
	}
	return out, &arrow.FixedSizeBinaryType{ByteWidth: 16}, nil
}

func multiHashKernel(*Node) kernel {
	var key []byte
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		key = key[:0]
		for i := range c.args {
			v, at := c.value(i, r)
			key = appendRowKey(key, v, at)
		}
		sum := xxh3.Hash128(key).Bytes()
		return append(dst, sum[:]...), nil
	})
}

// appendRowKey appends value i of v in the row format of the Arrow project's Rust implementation, ascending and with
// nulls first (https://docs.rs/arrow-row): a byte that tells null, and big-endian bytes whose order is that of the values.
func appendRowKey(dst []byte, v column.Vector, i int) []byte {
	valid := v.Validity().IsValid(i)
	switch v := v.(type) {
	case *column.Bytes:
		if !valid {
			return append(dst, 0)
		}
		if t, ok := v.DataType.(*arrow.FixedSizeBinaryType); ok && len(v.At(i)) == t.ByteWidth {
			return append(append(dst, 1), v.At(i)...)
		}
		return appendRowBytes(dst, v.At(i))
	case *column.List:
		if !valid {
			return append(dst, 0)
		}
		var elem []byte
		for e := v.Offsets[i]; e < v.Offsets[i+1]; e++ {
			elem = appendRowKey(elem[:0], v.Elem, int(e))
			dst = appendRowBytes(dst, elem)
		}
		return append(dst, 1)
	case *column.Struct:
		dst = append(dst, byte(b2i(valid)))
		for _, m := range v.Children {
			if !valid {
				null := column.NewAppender(m.Type())
				null.AppendNull()
				dst = appendRowKey(dst, null, 0)
				continue
			}
			dst = appendRowKey(dst, m, i)
		}
		return dst
	}
	dst = append(dst, byte(b2i(valid)))
	from := len(dst)
	dst = appendRowFixed(dst, v, i)
	if !valid {
		clear(dst[from:])
	}
	return dst
}

// appendRowBytes appends bytes in blocks of 8, from the fifth on of 32: each padded with zeros and followed by 0xff, or
// for the last one by how many of its bytes count.
func appendRowBytes(dst, p []byte) []byte {
	if len(p) == 0 {
		return append(dst, 1)
	}
	dst = append(dst, 2)
	for k := 0; ; k++ {
		size := 32
		if k < 4 {
			size = 8
		}
		n := min(size, len(p))
		dst = append(dst, p[:n]...)
		dst = append(dst, make([]byte, size-n)...)
		if p = p[n:]; len(p) == 0 {
			return append(dst, byte(n))
		}
		dst = append(dst, 0xff)
	}
}

func appendRowFixed(dst []byte, v column.Vector, i int) []byte {
	order := binary.BigEndian
	switch v := v.(type) {
	case *column.Bool:
		return append(dst, byte(b2i(v.Bits.Get(i))))
	case *column.Fixed[int8]:
		return append(dst, byte(v.Values[i])^0x80)
	case *column.Fixed[int16]:
		return order.AppendUint16(dst, uint16(v.Values[i])^0x8000)
	case *column.Fixed[int32]:
		return order.AppendUint32(dst, uint32(v.Values[i])^1<<31)
	case *column.Fixed[int64]:
		return order.AppendUint64(dst, uint64(v.Values[i])^1<<63)
	case *column.Fixed[uint8]:
		return append(dst, v.Values[i])
	case *column.Fixed[uint16]:
		return order.AppendUint16(dst, v.Values[i])
	case *column.Fixed[uint32]:
		return order.AppendUint32(dst, v.Values[i])
	case *column.Fixed[uint64]:
		return order.AppendUint64(dst, v.Values[i])
	case *column.Fixed[float32]:
		b := int32(math.Float32bits(v.Values[i]))
		return order.AppendUint32(dst, uint32(b^int32(uint32(b>>31)>>1))^1<<31)
	case *column.Fixed[float64]:
		b := int64(math.Float64bits(v.Values[i]))
		return order.AppendUint64(dst, uint64(b^int64(uint64(b>>63)>>1))^1<<63)
	case *column.Fixed[decimal128.Num]:
		d := v.Values[i]
		return order.AppendUint64(order.AppendUint64(dst, uint64(d.HighBits())^1<<63), d.LowBits())
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		x := v.Values[i]
		dst = order.AppendUint32(dst, uint32(x.Months)^1<<31)
		dst = order.AppendUint32(dst, uint32(x.Days)^1<<31)
		return order.AppendUint64(dst, uint64(x.Nanoseconds)^1<<63)
	}
	panic("expr: no key for type " + v.Type().String())
}

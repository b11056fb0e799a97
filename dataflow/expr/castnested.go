package expr

import (
	"encoding/hex"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// elements converts the elements of lists, or the entries of maps.
func (k caster) elements() kernel {
	from, to := k.from.(arrow.ListLikeType).Elem(), k.to.(arrow.ListLikeType).Elem()
	s := &callStep{stable: true, node: &Node{Kind: Cast, Type: to}}
	same := arrow.TypeEqual(from, to)
	if !same && !isNull(from) {
		if s.kernel = newCaster(from, to, k.try); s.kernel == nil {
			return nil
		}
	}
	out := column.NewAppender(k.to).(*column.List)
	nulls := column.NewAppender(to)
	var rows []int32
	return func(c *call) (column.Vector, error) {
		in := c.args[0].(*column.List)
		out.Offsets, out.Elem, out.Valid = in.Offsets, in.Elem, c.valid
		if same {
			return out, nil
		}
		n := in.Elem.Len()
		if s.kernel == nil {
			nulls.Truncate(min(n, nulls.Len()))
			for nulls.Len() < n {
				nulls.AppendNull()
			}
			out.Elem = nulls
			return out, nil
		}
		rows = scratchRows(rows, n)[:0]
		c.each(func(r int) error {
			for e := in.Offsets[r]; e < in.Offsets[r+1]; e++ {
				rows = append(rows, e)
			}
			return nil
		})
		s.node.Span = c.node.Span
		s.call = call{x: c.x, node: s.node, step: s, args: []column.Vector{in.Elem}, sel: rows, n: n, valid: in.Elem.Validity()}
		v, err := s.kernel(&s.call)
		if err != nil {
			return nil, err
		}
		out.Elem = v.(column.Appender)
		return out, nil
	}
}

// nestedToText writes lists as [1, NULL], structs as {a: 1, b: x} and maps as {x: 1}.
func nestedToText() kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) { return appendValue(dst, c.args[0], r), nil })
}

// appendValue appends value i of v, as a cast to TEXT writes it; nulls are NULL.
func appendValue(dst []byte, v column.Vector, i int) []byte {
	if !v.Validity().IsValid(i) {
		return append(dst, "NULL"...)
	}
	switch v := v.(type) {
	case *column.List:
		return appendElems(dst, v, int(v.Offsets[i]), int(v.Offsets[i+1]))
	case *column.Struct:
		dst = append(dst, '{')
		for m, child := range v.Children {
			if m > 0 {
				dst = append(dst, ", "...)
			}
			dst = append(append(dst, v.DataType.Field(m).Name...), ": "...)
			dst = appendValue(dst, child, i)
		}
		return append(dst, '}')
	case *column.Bool:
		if v.Bits.Get(i) {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case *column.Bytes:
		if isBinary(v.DataType) {
			return hex.AppendEncode(append(dst, `\x`...), v.At(i))
		}
		return append(dst, v.At(i)...)
	}
	return appendFixed(dst, v, i)
}

func appendElems(dst []byte, v *column.List, from, to int) []byte {
	left, right := byte('['), byte(']')
	entries, isMap := v.Elem.(*column.Struct)
	if isMap = isMap && v.Map != nil; isMap {
		left, right = '{', '}'
	}
	dst = append(dst, left)
	for e := from; e < to; e++ {
		if e > from {
			dst = append(dst, ", "...)
		}
		if isMap {
			dst = append(appendValue(dst, entries.Children[0], e), ": "...)
			dst = appendValue(dst, entries.Children[1], e)
		} else {
			dst = appendValue(dst, v.Elem, e)
		}
	}
	return append(dst, right)
}

// appendFixed appends a number or a time.
func appendFixed(dst []byte, v column.Vector, i int) []byte {
	switch v := v.(type) {
	case *column.Fixed[int8]:
		return appendSigned(dst, v.Values[i])
	case *column.Fixed[int16]:
		return appendSigned(dst, v.Values[i])
	case *column.Fixed[int32]:
		if isDate(v.DataType) {
			year, month, day := dateOf(int64(v.Values[i]))
			return appendDate(dst, year, month, day)
		}
		return appendSigned(dst, v.Values[i])
	case *column.Fixed[int64]:
		switch {
		case isTimestamp(v.DataType):
			return appendTimestamp(dst, v.Values[i], unitOf(v.DataType), isZoned(v.DataType))
		case isTime(v.DataType):
			t := civilIn(v.Values[i], 1)
			return appendClock(dst, t.hour, t.minute, t.sec, t.nano)
		}
		return appendSigned(dst, v.Values[i])
	case *column.Fixed[uint8]:
		return appendUnsigned(dst, v.Values[i])
	case *column.Fixed[uint16]:
		return appendUnsigned(dst, v.Values[i])
	case *column.Fixed[uint32]:
		return appendUnsigned(dst, v.Values[i])
	case *column.Fixed[uint64]:
		return appendUnsigned(dst, v.Values[i])
	case *column.Fixed[float32]:
		return appendFloat(dst, float64(v.Values[i]), 32)
	case *column.Fixed[float64]:
		return appendFloat(dst, v.Values[i], 64)
	case *column.Fixed[decimal128.Num]:
		return appendDecimal(dst, v.Values[i], v.DataType.(*arrow.Decimal128Type).Scale)
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return appendInterval(dst, v.Values[i])
	}
	panic("expr: no text for type " + v.Type().String())
}

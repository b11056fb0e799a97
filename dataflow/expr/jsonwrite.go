package expr

import (
	"encoding/base64"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// bindToJSON takes a value of any type. What json_get gives is JSON text already.
func bindToJSON(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 1 {
		return nil, nil, s.mismatch(args)
	}
	if isNull(args[0].Type) {
		return []*Node{NewLiteral(typeText, nil)}, typeText, nil
	}
	return args, typeText, nil
}

func toJSONKernel(*Node) kernel {
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		return appendJSON(dst, c.args[0], r, false), nil
	})
}

// appendJSON appends value i of v as JSON, in the way that a sink writes it; raw says that a text is JSON already.
func appendJSON(dst []byte, v column.Vector, i int, raw bool) []byte {
	if !v.Validity().IsValid(i) {
		return append(dst, "null"...)
	}
	switch v := v.(type) {
	case *column.List:
		from, to := int(v.Offsets[i]), int(v.Offsets[i+1])
		if v.Map != nil {
			return appendJSONMap(dst, v.Elem.(*column.Struct), from, to)
		}
		dst = append(dst, '[')
		for e := from; e < to; e++ {
			if e > from {
				dst = append(dst, ',')
			}
			dst = appendJSON(dst, v.Elem, e, IsJSON(v.DataType.ElemField()))
		}
		return append(dst, ']')
	case *column.Struct:
		dst = append(dst, '{')
		for m, child := range v.Children {
			if m > 0 {
				dst = append(dst, ',')
			}
			f := v.DataType.Field(m)
			dst = append(appendJSONText(dst, f.Name), ':')
			dst = appendJSON(dst, child, i, IsJSON(f))
		}
		return append(dst, '}')
	case *column.Bytes:
		switch {
		case isBinary(v.DataType):
			return append(base64.StdEncoding.AppendEncode(append(dst, '"'), v.At(i)), '"')
		case raw || isJSONValue(v.DataType):
			return append(dst, v.At(i)...)
		}
		return appendJSONText(dst, string(v.At(i)))
	case *column.Fixed[float32]:
		return appendJSONFloat(dst, float64(v.Values[i]), 32)
	case *column.Fixed[float64]:
		return appendJSONFloat(dst, v.Values[i], 64)
	}
	if isTemporal(v.Type()) {
		return append(appendValue(append(dst, '"'), v, i), '"')
	}
	return appendValue(dst, v, i)
}

// appendJSONMap appends an object of the entries from..to-1; its keys are texts, whatever their type.
func appendJSONMap(dst []byte, entries *column.Struct, from, to int) []byte {
	dst = append(dst, '{')
	for e := from; e < to; e++ {
		if e > from {
			dst = append(dst, ',')
		}
		key := string(appendValue(nil, entries.Children[0], e))
		dst = append(appendJSONText(dst, key), ':')
		dst = appendJSON(dst, entries.Children[1], e, IsJSON(entries.DataType.Field(1)))
	}
	return append(dst, '}')
}

// appendJSONFloat appends a number; JSON has none for NaN and the infinities.
func appendJSONFloat(dst []byte, v float64, bits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	return appendFloat(dst, v, bits)
}

// appendJSONText appends a string in quotes. Only what JSON does not allow inside is escaped.
func appendJSONText(dst []byte, s string) []byte {
	const hexDigits = "0123456789abcdef"
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r == '\n':
			dst = append(dst, `\n`...)
		case r == '\r':
			dst = append(dst, `\r`...)
		case r == '\t':
			dst = append(dst, `\t`...)
		case r == '\b':
			dst = append(dst, `\b`...)
		case r == '\f':
			dst = append(dst, `\f`...)
		case r < ' ':
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = utf8.AppendRune(dst, r)
		}
	}
	return append(dst, '"')
}

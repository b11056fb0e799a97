package state

import (
	"encoding/binary"

	"wadi/dataflow/column"
)

// The row encoding of a value is a byte 1 and the value, or a byte 0 for null. Fixed-width values are one or two
// little-endian words, byte strings a varint length and the bytes, lists a varint length and the elements, structs their
// members. It is part of the format of state on disk.

// AppendValue appends the row encoding of value i of v to buf.
func AppendValue(buf []byte, v column.Vector, i int) []byte {
	if !v.Validity().IsValid(i) {
		return append(buf, 0)
	}
	buf = append(buf, 1)
	switch c := v.(type) {
	case *column.Bytes:
		p := c.At(i)
		buf = binary.AppendUvarint(buf, uint64(len(p)))
		return append(buf, p...)
	case *column.Struct:
		for _, m := range c.Children {
			buf = AppendValue(buf, m, i)
		}
		return buf
	case *column.List:
		from, to := int(c.Offsets[i]), int(c.Offsets[i+1])
		buf = binary.AppendUvarint(buf, uint64(to-from))
		for e := from; e < to; e++ {
			buf = AppendValue(buf, c.Elem, e)
		}
		return buf
	}
	w0, w1, two := fixedWords(v, i)
	buf = binary.LittleEndian.AppendUint64(buf, uint64(w0))
	if two {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(w1))
	}
	return buf
}

// TakeValue appends the value at the front of data to out and returns the rest; ok is false, and out undefined, if data
// is no encoding of a value of out's type.
func TakeValue(data []byte, out column.Appender) (rest []byte, ok bool) {
	if len(data) == 0 || data[0] > 1 {
		return nil, false
	}
	if data[0] == 0 {
		out.AppendNull()
		return data[1:], true
	}
	data = data[1:]
	switch c := out.(type) {
	case *column.Bytes:
		p, rest, ok := takeBytes(data)
		if ok {
			c.Append(p)
		}
		return rest, ok
	case *column.Struct:
		for _, m := range c.Children {
			if data, ok = TakeValue(data, m); !ok {
				return nil, false
			}
		}
		c.Append()
		return data, true
	case *column.List:
		n, k := binary.Uvarint(data)
		if k <= 0 || n > uint64(len(data)) {
			return nil, false
		}
		data = data[k:]
		for range n {
			if data, ok = TakeValue(data, c.Elem); !ok {
				return nil, false
			}
		}
		c.Append()
		return data, true
	}
	return takeFixed(data, out)
}

func takeFixed(data []byte, out column.Appender) (rest []byte, ok bool) {
	n := 8 * fixedWidth(out.Type())
	if len(data) < n {
		return nil, false
	}
	w0, w1 := int64(binary.LittleEndian.Uint64(data)), int64(0)
	if n == 16 {
		w1 = int64(binary.LittleEndian.Uint64(data[8:]))
	}
	appendWords(out, w0, w1)
	return data[n:], true
}

func takeBytes(data []byte) (p, rest []byte, ok bool) {
	n, k := binary.Uvarint(data)
	if k <= 0 || n > uint64(len(data)-k) {
		return nil, nil, false
	}
	return data[k : k+int(n)], data[k+int(n):], true
}

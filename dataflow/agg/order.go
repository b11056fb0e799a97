package agg

import (
	"bytes"
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// Rows inside an aggregate have an order that does not depend on how they came: that of ORDER BY, then event time, then
// the value itself. With DISTINCT event time does not count, since a value may have several.
//
// An entry is the bytes that stand for a row in that order: sort keys, event time and value, each encoded so that bytes
// compare as values do and that no encoding is the beginning of another. Entries are part of the format of state on disk.

// Markers in front of a value.
const (
	nullFirst = iota
	notNullMark
	nullLast
)

// appendKey appends value i of v so that its bytes order as the values do, with nulls last.
func appendKey(buf []byte, v column.Vector, i int) []byte {
	if !v.Validity().IsValid(i) {
		return append(buf, nullLast)
	}
	buf = append(buf, notNullMark)
	switch c := v.(type) {
	case *column.Bytes:
		return appendEscaped(buf, c.At(i))
	case *column.Struct:
		for _, m := range c.Children {
			buf = appendKey(buf, m, i)
		}
		return buf
	case *column.List:
		for e := c.Offsets[i]; e < c.Offsets[i+1]; e++ {
			buf = appendKey(append(buf, 1), c.Elem, int(e))
		}
		return append(buf, 0)
	case *column.Fixed[decimal128.Num], *column.Fixed[arrow.MonthDayNanoInterval]:
		w := wideAt(v, int32(i))
		return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(buf, uint64(w.hi)^1<<63), w.lo)
	}
	return binary.BigEndian.AppendUint64(buf, uint64(orderedAt(v, i))^1<<63)
}

// appendEscaped appends a byte string with an end: 0 becomes 0 255, and the end is 0 0.
func appendEscaped(buf, p []byte) []byte {
	for {
		k := bytes.IndexByte(p, 0)
		if k < 0 {
			return append(append(buf, p...), 0, 0)
		}
		buf = append(append(buf, p[:k]...), 0, 255)
		p = p[k+1:]
	}
}

// takeKey appends the value at the front of data, which appendKey wrote, to out; ok is false if it is none.
func takeKey(data []byte, out column.Appender) (rest []byte, ok bool) {
	if len(data) == 0 {
		return nil, false
	}
	mark := data[0]
	data = data[1:]
	if mark != notNullMark {
		out.AppendNull()
		return data, mark == nullLast
	}
	switch c := out.(type) {
	case *column.Bytes:
		return takeEscaped(data, c)
	case *column.Struct:
		for _, m := range c.Children {
			if data, ok = takeKey(data, m); !ok {
				return nil, false
			}
		}
		c.Append()
		return data, true
	case *column.List:
		return takeList(data, c)
	case *column.Fixed[decimal128.Num], *column.Fixed[arrow.MonthDayNanoInterval]:
		if len(data) < 16 {
			return nil, false
		}
		appendWide(out, wide{int64(binary.BigEndian.Uint64(data) ^ 1<<63), binary.BigEndian.Uint64(data[8:])})
		return data[16:], true
	}
	if len(data) < 8 {
		return nil, false
	}
	appendOrdered(out, int64(binary.BigEndian.Uint64(data)^1<<63))
	return data[8:], true
}

func takeEscaped(data []byte, out *column.Bytes) (rest []byte, ok bool) {
	var value []byte
	for {
		k := bytes.IndexByte(data, 0)
		if k < 0 || k+1 >= len(data) {
			return nil, false
		}
		if data[k+1] == 0 {
			if value == nil {
				out.Append(data[:k])
			} else {
				out.Append(append(value, data[:k]...))
			}
			return data[k+2:], true
		}
		value = append(append(value, data[:k]...), 0)
		data = data[k+2:]
	}
}

func takeList(data []byte, out *column.List) (rest []byte, ok bool) {
	for {
		if len(data) == 0 {
			return nil, false
		}
		more := data[0] == 1
		data = data[1:]
		if !more {
			out.Append()
			return data, true
		}
		if data, ok = takeKey(data, out.Elem); !ok {
			return nil, false
		}
	}
}

// orderedAt is ordered for one value.
func orderedAt(v column.Vector, i int) int64 {
	switch c := v.(type) {
	case *column.Fixed[float64]:
		return orderFloat(c.Values[i])
	case *column.Fixed[float32]:
		return orderFloat(float64(c.Values[i]))
	case *column.Bool:
		if c.Bits.Get(i) {
			return 1
		}
		return 0
	}
	return column.Integer(v, i)
}

// entryCode makes entries from rows and takes them apart again.
type entryCode struct {
	value int
	// order has columns of the input as Arg.
	order []Order
	time  bool
}

func newEntryCode(c *Call) entryCode {
	k := entryCode{value: c.Args[0], time: !c.Distinct}
	for _, o := range c.OrderBy {
		o.Arg = c.Args[o.Arg]
		k.order = append(k.order, o)
	}
	return k
}

// append appends the entry of row r. Behind it stands where its value begins, unless that is always the same.
func (k *entryCode) append(buf []byte, in *input, r int) []byte {
	start := len(buf)
	for _, o := range k.order {
		at := len(buf)
		buf = appendKey(buf, in.cols[o.Arg], r)
		if buf[at] != notNullMark {
			if o.NullsFirst {
				buf[at] = nullFirst
			}
			continue
		}
		if o.Desc {
			for i := at + 1; i < len(buf); i++ {
				buf[i] = ^buf[i]
			}
		}
	}
	if k.time {
		buf = binary.BigEndian.AppendUint64(buf, uint64(in.times[r])^1<<63)
	}
	value := len(buf) - start
	buf = appendKey(buf, in.cols[k.value], r)
	if len(k.order) > 0 {
		buf = binary.BigEndian.AppendUint32(buf, uint32(value))
	}
	return buf
}

// identity appends what is the same for an insert and its retraction to buf: the entry without its event time.
func (k *entryCode) identity(buf, entry []byte) []byte {
	value := len(entry) - len(k.valueOf(entry))
	if len(k.order) > 0 {
		value -= 4
	}
	if value < 8 || !k.time {
		return append(buf, entry...)
	}
	return append(append(buf, entry[:value-8]...), entry[value:]...)
}

// valueOf is the encoded value of an entry, nil if it is damaged.
func (k *entryCode) valueOf(entry []byte) []byte {
	at := 0
	switch {
	case len(k.order) > 0:
		end := len(entry) - 4
		if end < 0 {
			return nil
		}
		at = int(binary.BigEndian.Uint32(entry[end:]))
		entry = entry[:end]
	case k.time:
		at = 8
	}
	if at > len(entry) {
		return nil
	}
	return entry[at:]
}

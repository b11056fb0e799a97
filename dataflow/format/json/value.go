package json

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// value reads the value at i into field f, inside depth objects and arrays, and gives the position behind it. A negative
// result is either a syntax error (see scanner) or a value that does not fit (see failure).
func (d *Decoder) value(f *field, i, depth int) int {
	c := load1(d.p, i)
	if c == 'n' {
		return d.nullAt(f, i)
	}
	switch f.kind {
	case kindInt64:
		if v, j, ok := integer(d.p, i); ok {
			f.ints.Append(v)
			return j
		}
		return d.slowInteger(f, i)
	case kindFloat64:
		if v, j, ok := float(d.p, i); ok {
			f.floats.Append(v)
			return j
		}
		return d.slowFloat(f, i)
	case kindText:
		if c != '"' {
			return d.mismatch(f, i)
		}
		j, flags := d.stringEnd(i + 1)
		if j < 0 {
			return j
		}
		if flags&hasEscape != 0 {
			return d.escapedText(f, i+1, j)
		}
		d.memory.Append(f.bytes, &f.place, d.buf[i+1:j], i+1)
		return j + 1
	case kindTimestamp:
		if c == '"' {
			if v, j, ok := d.date.parse(d.p, i+1); ok {
				f.ints.Append(v)
				return j + 1
			}
		}
		return d.slowTimestamp(f, i)
	}
	return d.otherValue(f, i, depth)
}

func (d *Decoder) otherValue(f *field, i, depth int) int {
	c := load1(d.p, i)
	switch f.kind {
	case kindUnknown:
		return d.skip(i, depth)
	case kindUnread:
		if f.accepts&startOf(c) == 0 {
			return d.mismatch(f, i)
		}
		return d.unreadValue(f, i, depth)
	case kindBool:
		return d.boolean(f, i)
	case kindInt:
		if v, j, ok := integer(d.p, i); ok && v >= f.min && (v < 0 || uint64(v) <= f.max) {
			appendInteger(f.col, v)
			return j
		}
		return d.slowInteger(f, i)
	case kindFloat32:
		return d.slowFloat(f, i)
	case kindDecimal:
		return d.decimal(f, i)
	case kindJSON:
		return d.jsonText(f, i, depth)
	case kindBinary, kindFixedBinary:
		return d.binary(f, i)
	case kindCoarse:
		return d.slowTimestamp(f, i)
	case kindDate:
		return d.dateValue(f, i)
	case kindTime:
		return d.timeOfDay(f, i)
	case kindStruct:
		return d.structValue(f, i, depth)
	case kindMap:
		return d.mapValue(f, i, depth)
	case kindUUID:
		return d.uuid(f, i)
	case kindInterval:
		return d.interval(f, i)
	}
	return d.listValue(f, i, depth)
}

// null gives f a null; absent says that its key did not occur.
func (d *Decoder) null(f *field, absent bool) bool {
	if !f.nullable {
		reason := "null"
		if absent {
			reason = "no such key"
		}
		return d.misfit(f, -1, reason) >= 0
	}
	// Unread columns of the row are filled when the batch is taken, unread members of structs here.
	if f.kind != kindUnread || f.member {
		f.col.AppendNull()
	}
	return true
}

func (d *Decoder) nullAt(f *field, i int) int {
	if uint32(load8(d.p, i)) != wordNull {
		return d.badValue(i)
	}
	if f.kind != kindUnknown && !d.null(f, false) {
		return -1
	}
	return i + 4
}

func (d *Decoder) unreadValue(f *field, i, depth int) int {
	if f.member {
		f.col.AppendNull()
	}
	return d.skip(i, depth)
}

// token finds the bytes of the string or number at i: without quotes and escapes, borrowed until the next call.
func (d *Decoder) token(f *field, i int) (text []byte, quoted bool, end int) {
	c := load1(d.p, i)
	if c != '"' {
		if c != '-' && c-'0' >= 10 {
			return nil, false, d.mismatch(f, i)
		}
		end = d.skipNumber(i)
		if end < 0 {
			return nil, false, end
		}
		return d.text(i, end), false, end
	}
	j, flags := d.stringEnd(i + 1)
	if j < 0 {
		return nil, true, j
	}
	if flags&hasEscape == 0 {
		return d.text(i+1, j), true, j + 1
	}
	var ok bool
	if d.scratch, ok = d.unescape(d.scratch[:0], i+1, j); !ok {
		return nil, true, -1
	}
	return d.scratch, true, j + 1
}

func (d *Decoder) escapedText(f *field, i, j int) int {
	var ok bool
	if d.scratch, ok = d.unescape(d.scratch[:0], i, j); !ok {
		return -1
	}
	d.memory.AppendCopy(f.bytes, &f.place, d.scratch)
	return j + 1
}

func (d *Decoder) boolean(f *field, i int) int {
	b := f.col.(*column.Bool)
	if uint32(load8(d.p, i)) == wordTrue {
		b.Append(true)
		return i + 4
	}
	if load1(d.p, i) == 'f' && uint32(load8(d.p, i+1)) == wordAlse {
		b.Append(false)
		return i + 5
	}
	return d.mismatch(f, i)
}

// slowInteger reads integers in every form that integer does not take: with a fraction or an exponent, in a string, or
// with more than 18 digits.
func (d *Decoder) slowInteger(f *field, i int) int {
	text, quoted, end := d.token(f, i)
	if end < 0 {
		return end
	}
	if quoted && !integerText(text) {
		return d.misfit(f, i, "that is not an integer")
	}
	neg, hi, lo, ok := scaled(text, 0, 20)
	if !ok || hi != 0 || !f.inBounds(neg, lo) {
		return d.misfit(f, i, "that is out of range")
	}
	if neg {
		lo = -lo
	}
	appendInteger(f.col, int64(lo))
	return end
}

func (f *field) inBounds(neg bool, magnitude uint64) bool {
	if neg {
		return magnitude <= uint64(-f.min)
	}
	return magnitude <= f.max
}

// appendInteger appends v, which fits; a value for an unsigned 64-bit column is v's bits.
func appendInteger(col column.Appender, v int64) {
	switch c := col.(type) {
	case *column.Fixed[int64]:
		c.Append(v)
	case *column.Fixed[int32]:
		c.Append(int32(v))
	case *column.Fixed[int16]:
		c.Append(int16(v))
	case *column.Fixed[int8]:
		c.Append(int8(v))
	case *column.Fixed[uint64]:
		c.Append(uint64(v))
	case *column.Fixed[uint32]:
		c.Append(uint32(v))
	case *column.Fixed[uint16]:
		c.Append(uint16(v))
	case *column.Fixed[uint8]:
		c.Append(uint8(v))
	}
}

func (d *Decoder) slowFloat(f *field, i int) int {
	text, quoted, end := d.token(f, i)
	if end < 0 {
		return end
	}
	width := 64
	if f.kind == kindFloat32 {
		width = 32
	}
	v, ok, inRange := parseFloat(text, width)
	switch {
	case !ok && quoted:
		return d.misfit(f, i, "that is not a number")
	case !inRange:
		return d.misfit(f, i, "that is out of range")
	case width == 32:
		f.col.(*column.Fixed[float32]).Append(float32(v))
	default:
		f.floats.Append(v)
	}
	return end
}

func (d *Decoder) decimal(f *field, i int) int {
	text, quoted, end := d.token(f, i)
	if end < 0 {
		return end
	}
	if quoted && !numberText(text) {
		return d.misfit(f, i, "that is not a number")
	}
	neg, hi, lo, ok := scaled(text, f.scale, f.precision)
	if !ok {
		return d.misfit(f, i, "that is out of range")
	}
	v := decimal128.New(int64(hi), lo)
	if neg {
		v = v.Negate()
	}
	f.col.(*column.Fixed[decimal128.Num]).Append(v)
	return end
}

// jsonText keeps any value as compact text.
func (d *Decoder) jsonText(f *field, i, depth int) int {
	var end int
	d.scratch, end = d.compact(d.scratch[:0], i, depth)
	if end < 0 {
		return end
	}
	if len(d.scratch) == end-i && string(d.scratch) == string(d.buf[i:end]) {
		d.memory.Append(f.bytes, &f.place, d.buf[i:end], i)
	} else {
		d.memory.AppendCopy(f.bytes, &f.place, d.scratch)
	}
	return end
}

// binary reads base64, or for a column of fixed width hexadecimal digits.
func (d *Decoder) binary(f *field, i int) int {
	if load1(d.p, i) != '"' {
		return d.mismatch(f, i)
	}
	text, _, end := d.token(f, i)
	if end < 0 {
		return end
	}
	if t, ok := f.bytes.DataType.(*arrow.FixedSizeBinaryType); ok {
		v := make([]byte, hex.DecodedLen(len(text)))
		if n, err := hex.Decode(v, text); err != nil || n != t.ByteWidth {
			return d.misfit(f, i, "that is not the right number of hexadecimal digits")
		}
		d.memory.AppendCopy(f.bytes, &f.place, v)
		return end
	}
	enc := base64.StdEncoding
	if len(text)%4 != 0 {
		enc = base64.RawStdEncoding
	}
	v := make([]byte, enc.DecodedLen(len(text)))
	n, err := enc.Decode(v, text)
	if err != nil || hasNewline(text) {
		return d.misfit(f, i, "that is not base64")
	}
	d.memory.AppendCopy(f.bytes, &f.place, v[:n])
	return end
}

// hasNewline finds the characters that the base64 package ignores.
func hasNewline(text []byte) bool {
	for _, c := range text {
		if c == '\n' || c == '\r' {
			return true
		}
	}
	return false
}

func (d *Decoder) structValue(f *field, i, depth int) int {
	if load1(d.p, i) != '{' {
		return d.mismatch(f, i)
	}
	if depth >= maxDepth {
		return d.bad(i, "it nests deeper than 128 levels")
	}
	if i = d.row(f.object, i, depth+1); i >= 0 {
		f.col.(*column.Struct).Append()
	}
	return i
}

func (d *Decoder) listValue(f *field, i, depth int) int {
	if load1(d.p, i) != '[' {
		return d.mismatch(f, i)
	}
	if depth >= maxDepth {
		return d.bad(i, "it nests deeper than 128 levels")
	}
	list := f.col.(*column.List)
	i = d.space(i + 1)
	if load1(d.p, i) == ']' {
		list.Append()
		return i + 1
	}
	for {
		if i = d.value(f.elem, i, depth+1); i < 0 {
			return i
		}
		i = d.space(i)
		switch load1(d.p, i) {
		case ',':
			i = d.space(i + 1)
		case ']':
			list.Append()
			return i + 1
		default:
			return d.badNext(i, ']')
		}
	}
}

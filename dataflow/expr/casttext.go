package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// fromText parses; surrounding white space does not count.
func (k caster) fromText() kernel {
	switch k.to.ID() {
	case arrow.BOOL:
		return k.parseBool()
	case arrow.INT8:
		return parseRows(k, parseSigned[int8](8))
	case arrow.INT16:
		return parseRows(k, parseSigned[int16](16))
	case arrow.INT32:
		return parseRows(k, parseSigned[int32](32))
	case arrow.INT64:
		return parseRows(k, parseSigned[int64](64))
	case arrow.UINT8:
		return parseRows(k, parseUnsigned[uint8](8))
	case arrow.UINT16:
		return parseRows(k, parseUnsigned[uint16](16))
	case arrow.UINT32:
		return parseRows(k, parseUnsigned[uint32](32))
	case arrow.UINT64:
		return parseRows(k, parseUnsigned[uint64](64))
	case arrow.FLOAT32:
		return parseRows(k, parseFloat[float32](32))
	case arrow.FLOAT64:
		return parseRows(k, parseFloat[float64](64))
	case arrow.DECIMAL128:
		to := k.to.(*arrow.Decimal128Type)
		return parseRows(k, func(s string) (decimal128.Num, bool) { return parseDecimal(strings.TrimSpace(s), to) })
	case arrow.DATE32:
		zones := &zoneCache{}
		return parseRows(k, func(s string) (int32, bool) { return parseDate(s, zones) })
	case arrow.TIMESTAMP:
		unit, zones := unitOf(k.to), &zoneCache{}
		return parseRows(k, func(s string) (int64, bool) { return parseTimestamp(s, unit, zones) })
	case arrow.TIME64:
		return parseRows(k, parseTime)
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return parseRows(k, ParseInterval)
	case arrow.BINARY, arrow.STRING:
		return k.reinterpretBytes()
	}
	return nil
}

func (k caster) unreadable(c *call) error {
	return c.fail(fault.CodeInvalid, "a text is no %s", TypeName(k.to)).
		WithHint("TRY_CAST(… AS %s) gives NULL for such texts", TypeName(k.to))
}

func parseRows[T column.Value](k caster, parse func(string) (T, bool)) kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := c.text(0)
		err := c.each(func(r int) error {
			v, ok := parse(in.at(r))
			switch {
			case ok:
				o.Values[r] = v
			case k.try:
				o.setNull(r)
			default:
				return k.unreadable(c)
			}
			return nil
		})
		return &o.Fixed, err
	}
}

func (k caster) parseBool() kernel {
	out := &boolOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := c.text(0)
		err := c.each(func(r int) error {
			v, ok := parseTruth(in.at(r))
			switch {
			case ok:
				o.Bits.SetTo(r, v)
			case k.try:
				o.setNull(r)
			default:
				return k.unreadable(c)
			}
			return nil
		})
		return &o.Bool, err
	}
}

// parseTruth reads the spellings of PostgreSQL.
func parseTruth(s string) (v, ok bool) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "t", "yes", "y", "on", "1":
		return true, true
	case "false", "f", "no", "n", "off", "0":
		return false, true
	}
	return false, false
}

func parseSigned[T signed](bits int) func(string) (T, bool) {
	return func(s string) (T, bool) {
		v, err := strconv.ParseInt(strings.TrimSpace(s), 10, bits)
		return T(v), err == nil
	}
}

func parseUnsigned[T unsigned](bits int) func(string) (T, bool) {
	return func(s string) (T, bool) {
		v, err := strconv.ParseUint(strings.TrimPrefix(strings.TrimSpace(s), "+"), 10, bits)
		return T(v), err == nil
	}
}

func parseFloat[T floating](bits int) func(string) (T, bool) {
	return func(s string) (T, bool) {
		s = strings.TrimSpace(s)
		if strings.ContainsAny(s, "_xX") {
			return 0, false
		}
		v, err := strconv.ParseFloat(s, bits)
		return T(v), err == nil
	}
}

// toText writes values as Arroyo does: timestamps with a T, floats with a fraction.
func (k caster) toText() kernel {
	switch k.from.ID() {
	case arrow.BOOL:
		return boolToText()
	case arrow.INT8:
		return formatRows(appendSigned[int8])
	case arrow.INT16:
		return formatRows(appendSigned[int16])
	case arrow.INT32:
		return formatRows(appendSigned[int32])
	case arrow.INT64:
		return formatRows(appendSigned[int64])
	case arrow.UINT8:
		return formatRows(appendUnsigned[uint8])
	case arrow.UINT16:
		return formatRows(appendUnsigned[uint16])
	case arrow.UINT32:
		return formatRows(appendUnsigned[uint32])
	case arrow.UINT64:
		return formatRows(appendUnsigned[uint64])
	case arrow.FLOAT32:
		return formatRows(func(dst []byte, v float32) []byte { return appendFloat(dst, float64(v), 32) })
	case arrow.FLOAT64:
		return formatRows(func(dst []byte, v float64) []byte { return appendFloat(dst, v, 64) })
	case arrow.DECIMAL128:
		scale := k.from.(*arrow.Decimal128Type).Scale
		return formatRows(func(dst []byte, v decimal128.Num) []byte { return appendDecimal(dst, v, scale) })
	case arrow.DATE32:
		return formatRows(func(dst []byte, v int32) []byte {
			y, m, d := dateOf(int64(v))
			return appendDate(dst, y, m, d)
		})
	case arrow.TIMESTAMP:
		unit, zoned := unitOf(k.from), isZoned(k.from)
		return formatRows(func(dst []byte, v int64) []byte { return appendTimestamp(dst, v, unit, zoned) })
	case arrow.TIME64:
		return formatRows(func(dst []byte, v int64) []byte {
			c := civilIn(v, 1)
			return appendClock(dst, c.hour, c.minute, c.sec, c.nano)
		})
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return formatRows(appendInterval)
	case arrow.BINARY, arrow.FIXED_SIZE_BINARY:
		return k.bytesToText()
	}
	return nil
}

func appendSigned[T signed](dst []byte, v T) []byte { return strconv.AppendInt(dst, int64(v), 10) }
func appendUnsigned[T unsigned](dst []byte, v T) []byte {
	return strconv.AppendUint(dst, uint64(v), 10)
}

// appendFloat writes the shortest digits that read back as v; a whole number has ".0", very large and very small ones an
// exponent.
func appendFloat(dst []byte, v float64, bits int) []byte {
	switch size := math.Abs(v); {
	case math.IsNaN(v):
		return append(dst, "NaN"...)
	case math.IsInf(v, 1):
		return append(dst, "inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-inf"...)
	case size != 0 && (size < 1e-5 || size >= 1e16):
		var text [32]byte
		s := strconv.AppendFloat(text[:0], v, 'e', -1, bits)
		// 1e+07 is written 1e7.
		mantissa, exponent, _ := strings.Cut(string(s), "e")
		e, _ := strconv.Atoi(exponent)
		dst = append(append(dst, mantissa...), 'e')
		return strconv.AppendInt(dst, int64(e), 10)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, bits)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

func formatRows[F column.Value](write func([]byte, F) []byte) kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[F](c, 0)
		err := c.each(func(r int) error {
			o.buf = write(o.buf[:0], in.at(r))
			o.Set(r, o.buf)
			return nil
		})
		return &o.Bytes, err
	}
}

func boolToText() kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := c.args[0].(*column.Bool)
		err := c.each(func(r int) error {
			o.SetString(r, strconv.FormatBool(in.Bits.Get(r)))
			return nil
		})
		return &o.Bytes, err
	}
}

// bytesToText checks that bytes are UTF-8 and shares them.
func (k caster) bytesToText() kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := c.args[0].(*column.Bytes)
		base := o.Borrow(in)
		err := c.each(func(r int) error {
			switch {
			case utf8.Valid(in.At(r)):
				o.SetView(r, in, r, base)
			case k.try:
				o.setNull(r)
			default:
				return c.fail(fault.CodeInvalid, "a value is not valid UTF-8").
					WithHint("encode(…, 'base64') makes text of any bytes")
			}
			return nil
		})
		return &o.Bytes, err
	}
}

// reinterpretBytes gives the same bytes under another type.
func (k caster) reinterpretBytes() kernel {
	out := &column.Bytes{}
	return func(c *call) (column.Vector, error) {
		in := c.args[0].(*column.Bytes)
		*out = column.Bytes{DataType: k.to, Views: in.Views, Buffers: in.Buffers, Valid: in.Valid}
		return out, nil
	}
}

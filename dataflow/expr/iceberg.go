package expr

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

const categoryIceberg = "partitions of Iceberg tables"

// icebergFunctions declares the transforms by which Iceberg partitions tables, as its specification has them.
func icebergFunctions() []*function {
	of := func(name, doc, example, result string, f *function) *function {
		f.name, f.category, f.doc, f.example, f.result = name, categoryIceberg, doc, example, result
		return f
	}
	since := func(dt arrow.DataType, unit timeUnit) *function {
		return &function{overloads: []overload{takes(dt, sinceKernel(unit), pTimestamp)}}
	}
	return []*function{
		of("ice_identity", "The value itself.", "ice_identity('a')", "a", &function{takes: "ice_identity(any)", callsNull: true,
			bind: func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
				if len(args) != 1 {
					return nil, nil, s.mismatch(args)
				}
				return args, args[0].Type, nil
			}, expand: func(n *Node) *Node { return n.Args[0] }}),
		of("ice_year", "The years since 1970.", "ice_year(DATE '2024-05-17')", "54", since(typeInt32, unitYear)),
		of("ice_month", "The months since 1970-01.", "ice_month(DATE '1969-12-31')", "-1", since(typeInt32, unitMonth)),
		of("ice_day", "The day.", "ice_day(TIMESTAMP '2024-05-17T10:11:12')", "2024-05-17", since(typeDate, unitDay)),
		of("ice_hour", "The hours since 1970.", "ice_hour(TIMESTAMP '1970-01-02T01:59:59')", "25", since(typeInt32, unitHour)),
		of("ice_truncate", "The number cut to a multiple of a width, towards the smaller; the first characters of a text, or bytes.",
			"ice_truncate('iceberg', 3)", "ice", &function{takes: "ice_truncate(integer, DECIMAL, TEXT or BYTEA, BIGINT)",
				bind: bindIceTruncate, make: iceTruncateKernel, check: checkPositive}),
		of("ice_bucket", "The number of the bucket, of so many, that the value's hash falls into.", "ice_bucket('iceberg', 16)", "9",
			&function{takes: "ice_bucket(integer, DECIMAL, DATE, TIME, TIMESTAMP, TEXT, UUID or BYTEA, BIGINT)",
				bind: bindIceBucket, make: iceBucketKernel, check: checkPositive}),
	}
}

// sinceKernel counts units since 1970.
func sinceKernel(unit timeUnit) func(*Node) kernel {
	return func(n *Node) kernel {
		from := unitOf(n.Args[0].Type)
		return mapRows(func(c *call, v int64) (int32, error) {
			var count int64
			switch unit {
			case unitYear:
				count = civilIn(v, from).year - 1970
			case unitMonth:
				t := civilIn(v, from)
				count = (t.year-1970)*12 + int64(t.month) - 1
			default:
				count = floorDiv(v, unit.nanos()/from)
			}
			if count != int64(int32(count)) {
				return 0, overflow(c.node.Span, c.node.Type)
			}
			return int32(count), nil
		})
	}
}

func checkPositive(s *callSite, args []*Node) error {
	if v, ok := args[1].Value.(int64); ok && args[1].Kind == Literal && v <= 0 {
		return s.invalid(args, 1, "the number is not positive", "for example 16")
	}
	return nil
}

func (c *call) notPositive() error {
	return c.badArgument("the number is not positive").WithHint("for example 16")
}

func bindIceTruncate(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 || !canCoerce(args[1], typeInt64) {
		return nil, nil, s.mismatch(args)
	}
	v := args[0]
	switch {
	case isNull(v.Type):
		v = NewLiteral(typeText, nil)
	case isInteger(v.Type):
		to := v.Type
		if isUnsigned(to) {
			to = typeInt64
		}
		var err error
		if v, err = CastTo(v, to, false, s.span); err != nil {
			return nil, nil, err
		}
	case isDecimal(v.Type), isText(v.Type), isBinary(v.Type):
	default:
		return nil, nil, s.mismatch(args)
	}
	width, err := Coerce(args[1], typeInt64, s.span)
	return []*Node{v, width}, v.Type, err
}

func iceTruncateKernel(n *Node) kernel {
	switch n.Type.ID() {
	case arrow.INT8:
		return iceTruncate[int8]()
	case arrow.INT16:
		return iceTruncate[int16]()
	case arrow.INT32:
		return iceTruncate[int32]()
	case arrow.INT64:
		return iceTruncate[int64]()
	case arrow.DECIMAL128:
		return mapPairs(func(c *call, v decimal128.Num, width int64) (decimal128.Num, error) {
			if width <= 0 {
				return v, c.notPositive()
			}
			w := decimal128.FromI64(width)
			_, rest := v.Div(w)
			if rest.Sign() < 0 {
				rest = rest.Add(w)
			}
			cut := v.Sub(rest)
			if !cut.FitsInPrecision(n.Type.(*arrow.Decimal128Type).Precision) {
				return v, overflow(c.node.Span, c.node.Type)
			}
			return cut, nil
		})
	}
	characters := isText(n.Type)
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		width, s := argOf[int64](c, 1).at(r), c.text(0).at(r)
		switch {
		case width <= 0:
			return dst, c.notPositive()
		case characters:
			return append(dst, s[:runeOffset(s, width)]...), nil
		}
		return append(dst, s[:min(width, int64(len(s)))]...), nil
	})
}

func iceTruncate[T interface {
	signed
	column.Value
}]() kernel {
	return mapPairs(func(c *call, v T, width int64) (T, error) {
		if width <= 0 {
			return 0, c.notPositive()
		}
		cut, ok := checked(opSubtract, int64(v), floorMod(int64(v), width))
		if !ok || int64(T(cut)) != cut {
			return 0, overflow(c.node.Span, c.node.Type)
		}
		return T(cut), nil
	})
}

func bindIceBucket(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 || !canCoerce(args[1], typeInt64) {
		return nil, nil, s.mismatch(args)
	}
	v, to := args[0], arrow.DataType(nil)
	switch dt := v.Type; {
	case isNull(dt):
		to = typeText
	case isInteger(dt):
		to = typeInt64
	case isTimestamp(dt):
		to = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: dt.(*arrow.TimestampType).TimeZone}
	case isDate(dt), isTime(dt), isDecimal(dt), isText(dt), isBinary(dt), isUUID(dt):
		to = dt
	default:
		return nil, nil, s.mismatch(args)
	}
	v, err := CastTo(v, to, false, s.span)
	if err != nil {
		return nil, nil, err
	}
	n, err := Coerce(args[1], typeInt64, s.span)
	return []*Node{v, n}, typeInt32, err
}

func iceBucketKernel(n *Node) kernel {
	var buf []byte
	dt := n.Args[0].Type
	integer := func(v int64) []byte { return binary.LittleEndian.AppendUint64(buf[:0], uint64(v)) }
	return textNumber(func(c *call, r int) (int32, error) {
		buckets := argOf[int64](c, 1).at(r)
		if buckets <= 0 || buckets > 1<<31-1 {
			return 0, c.notPositive()
		}
		switch {
		case isDate(dt):
			buf = integer(int64(argOf[int32](c, 0).at(r)))
		case isTime(dt):
			buf = integer(argOf[int64](c, 0).at(r) / 1e3)
		case isInteger(dt), isTimestamp(dt):
			buf = integer(argOf[int64](c, 0).at(r))
		case isDecimal(dt):
			buf = shortBigEndian(buf[:0], argOf[decimal128.Num](c, 0).at(r))
		case isUUID(dt):
			// The canonical form always is that of 16 bytes.
			buf, _ = hex.AppendDecode(buf[:0], bytes.ReplaceAll(c.text(0).bytes(r), []byte("-"), nil))
		default:
			return int32(int64(murmur3(c.text(0).bytes(r))&(1<<31-1)) % buckets), nil
		}
		return int32(int64(murmur3(buf)&(1<<31-1)) % buckets), nil
	})(n)
}

// shortBigEndian appends a number in two's complement, in as few bytes as hold it.
func shortBigEndian(dst []byte, v decimal128.Num) []byte {
	var all [16]byte
	binary.BigEndian.PutUint64(all[:8], uint64(v.HighBits()))
	binary.BigEndian.PutUint64(all[8:], v.LowBits())
	i := 0
	for i < 15 && (all[i] == 0 && all[i+1] < 0x80 || all[i] == 0xff && all[i+1] >= 0x80) {
		i++
	}
	return append(dst, all[i:]...)
}

// murmur3 is the 32-bit hash MurmurHash3_x86_32 with seed 0 (Austin Appleby).
func murmur3(data []byte) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	var h uint32
	mix := func(k uint32) uint32 { return bits.RotateLeft32(k*c1, 15) * c2 }
	n := len(data)
	for ; len(data) >= 4; data = data[4:] {
		h = bits.RotateLeft32(h^mix(binary.LittleEndian.Uint32(data)), 13)*5 + 0xe6546b64
	}
	var k uint32
	for i, b := range data {
		k |= uint32(b) << (8 * i)
	}
	h ^= mix(k)
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

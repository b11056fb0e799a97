package expr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

const categoryOther = "types and others"

// typeFunctions declares the functions about types, and those that belong nowhere else.
func typeFunctions() []*function {
	return []*function{
		{
			name: "arrow_typeof", category: categoryOther, doc: "The name that Arrow gives the type of a value.", example: "arrow_typeof(1 + 1)",
			result: "Int64", callsNull: true, neverNull: true, takes: "arrow_typeof(any)", bind: bindTypeof,
			make: func(n *Node) kernel {
				out := literalVector(typeText, arrowName(n.Args[0].Type))
				var result column.Const
				return func(c *call) (column.Vector, error) {
					result = column.Const{Value: out, N: c.n}
					return &result, nil
				}
			},
		},
		{
			name: "arrow_cast", category: categoryOther, doc: "The value cast to a type by the name that Arrow gives it.",
			example: "arrow_typeof(arrow_cast(1, 'Timestamp(Millisecond, None)'))", result: "Timestamp(Millisecond, None)", callsNull: true,
			takes: "arrow_cast(any, TEXT constant)", bind: bindArrowCast, expand: func(n *Node) *Node {
				c, err := CastTo(n.Args[0], n.Type, false, n.Span)
				if err != nil {
					panic("expr: a cast was not checked")
				}
				return c
			},
		},
		{
			name: "version", category: categoryOther, doc: "The name of the engine.", example: "starts_with(version(), 'Wadi')", result: "true",
			neverNull: true, overloads: []overload{takes(typeText, func(*Node) kernel {
				return textKernel(func(_ *call, dst []byte, _ int) ([]byte, error) { return append(dst, "Wadi"...), nil })
			})},
		},
		{
			name: "multi_hash", category: "encoding and hashing", doc: "The 128-bit XXH3 hash of values of any types, most significant byte first.",
			example: "encode(multi_hash(1, 'a'), 'hex')", result: "d8198861bf45da9c36f375a5b30fcb92", callsNull: true, neverNull: true, takes: "multi_hash(any, …)",
			bind: bindMultiHash, make: multiHashKernel,
		},
	}
}

func bindTypeof(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 1 {
		return nil, nil, s.mismatch(args)
	}
	return args, typeText, nil
}

// arrowName writes a type as DataFusion's arrow_typeof does.
func arrowName(dt arrow.DataType) string {
	switch t := dt.(type) {
	case *arrow.Decimal128Type:
		return fmt.Sprintf("Decimal128(%d, %d)", t.Precision, t.Scale)
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return "Timestamp(" + unitName(t.Unit) + ", None)"
		}
		return "Timestamp(" + unitName(t.Unit) + `, Some("` + t.TimeZone + `"))`
	case *arrow.Time64Type:
		return "Time64(" + unitName(t.Unit) + ")"
	case *arrow.FixedSizeBinaryType:
		return fmt.Sprintf("FixedSizeBinary(%d)", t.ByteWidth)
	case *arrow.ListType:
		return "List(" + arrowName(t.Elem()) + ")"
	case *arrow.MapType:
		return "Map(" + arrowName(t.KeyType()) + ", " + arrowName(t.ItemType()) + ")"
	case *arrow.StructType:
		members := make([]string, t.NumFields())
		for i, f := range t.Fields() {
			members[i] = f.Name + ": " + arrowName(f.Type)
		}
		return "Struct(" + strings.Join(members, ", ") + ")"
	}
	for name, simple := range arrowTypes {
		if arrow.TypeEqual(simple, dt) {
			return name
		}
	}
	switch {
	case isUUID(dt):
		return "Uuid"
	case isJSONValue(dt):
		return "Json"
	}
	return dt.String()
}

var arrowTypes = map[string]arrow.DataType{
	"Null": typeNull, "Boolean": typeBool, "Int8": arrow.PrimitiveTypes.Int8, "Int16": arrow.PrimitiveTypes.Int16, "Int32": typeInt32,
	"Int64": typeInt64, "UInt8": arrow.PrimitiveTypes.Uint8, "UInt16": arrow.PrimitiveTypes.Uint16, "UInt32": arrow.PrimitiveTypes.Uint32,
	"UInt64": typeUint64, "Float32": typeFloat, "Float64": typeDouble, "Utf8": typeText, "Binary": typeBytes, "Date32": typeDate,
	"Interval(MonthDayNano)": Interval,
}

func unitName(u arrow.TimeUnit) string {
	return [...]string{arrow.Second: "Second", arrow.Millisecond: "Millisecond", arrow.Microsecond: "Microsecond", arrow.Nanosecond: "Nanosecond"}[u]
}

// nearestTypes are Arrow's types that are not here, with the ones that hold the same values.
var nearestTypes = map[string]arrow.DataType{
	"Utf8View": typeText, "LargeUtf8": typeText, "BinaryView": typeBytes, "LargeBinary": typeBytes, "Uuid": UUID,
	"Date64": &arrow.TimestampType{Unit: arrow.Millisecond}, "Interval(DayTime)": Interval, "Interval(YearMonth)": Interval,
}

// parseArrowName reads a type as arrowName writes it. A type that differs only in how values are kept stands for the one
// that is here: a dictionary for its values, a list of a fixed size for a list.
func parseArrowName(s string) (arrow.DataType, bool) {
	s = strings.TrimSpace(s)
	if dt, ok := arrowTypes[s]; ok && s != "Null" {
		return dt, true
	}
	if dt, ok := nearestTypes[s]; ok {
		return dt, true
	}
	head, rest, _ := strings.Cut(s, "(")
	rest, closed := strings.CutSuffix(rest, ")")
	args := splitArguments(rest)
	if !closed || len(args) > 2 && head != "Struct" {
		return nil, false
	}
	switch last := args[len(args)-1]; head {
	case "Timestamp":
		if len(args) != 2 {
			return nil, false
		}
		unit, ok := parseUnit(args[0])
		t := &arrow.TimestampType{Unit: unit}
		if last != "None" {
			zone, some := strings.CutPrefix(last, `Some("`)
			ok = ok && some && findZone(strings.TrimSuffix(zone, `")`)) != nil
			t.TimeZone = TimestampTZ.TimeZone
		}
		return t, ok
	case "Time64":
		return typeTime, last == "Nanosecond"
	case "Decimal128", "Decimal256":
		p, err1 := strconv.Atoi(args[0])
		scale, err2 := strconv.Atoi(last)
		ok := len(args) == 2 && err1 == nil && err2 == nil && p >= 1 && p <= 38 && scale >= -p && scale <= p
		return &arrow.Decimal128Type{Precision: int32(p), Scale: int32(scale)}, ok
	case "FixedSizeBinary":
		return typeBytes, len(args) == 1
	case "Dictionary":
		return parseArrowName(last)
	case "List", "LargeList", "FixedSizeList":
		if head == "FixedSizeList" && len(args) == 2 && strings.Trim(last, "0123456789") == "" {
			last = args[0] // the size may stand first or last
		}
		elem, ok := parseArrowName(last)
		if !ok {
			return nil, false
		}
		return arrow.ListOf(elem), true
	case "Map":
		key, ok1 := parseArrowName(args[0])
		item, ok2 := parseArrowName(last)
		if !ok1 || !ok2 || len(args) != 2 {
			return nil, false
		}
		return arrow.MapOf(key, item), true
	case "Struct":
		return parseArrowStruct(args)
	}
	return nil, false
}

// parseArrowStruct reads members written "name: Type" or "name Type".
func parseArrowStruct(members []string) (arrow.DataType, bool) {
	fields := make([]arrow.Field, len(members))
	for i, m := range members {
		end := strings.IndexAny(m, ": ")
		if end <= 0 {
			return nil, false
		}
		dt, ok := parseArrowName(strings.TrimPrefix(m[end:], ":"))
		if !ok {
			return nil, false
		}
		fields[i] = arrow.Field{Name: strings.Trim(m[:end], `"`), Type: dt, Nullable: true}
	}
	return arrow.StructOf(fields...), true
}

// splitArguments cuts at the commas that are in no parentheses, and trims; there is always one part.
func splitArguments(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i := range len(s) {
		switch s[i] {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				parts = append(parts, strings.TrimSpace(s[from:i]))
				from = i + 1
			}
		}
	}
	return append(parts, strings.TrimSpace(s[from:]))
}

func parseUnit(s string) (arrow.TimeUnit, bool) {
	for _, u := range []arrow.TimeUnit{arrow.Second, arrow.Millisecond, arrow.Microsecond, arrow.Nanosecond} {
		if unitName(u) == s {
			return u, true
		}
	}
	return 0, false
}

func bindArrowCast(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	name, ok := args[1].Value.(string)
	if args[1].Kind != Literal || !ok {
		return nil, nil, s.mismatch(args)
	}
	const longest = 4096 // bounds the depth
	dt, ok := parseArrowName(name[:min(len(name), longest)])
	if !ok {
		return nil, nil, fault.Userf(fault.CodeInvalid, args[1].Span.Join(s.span), "arrow_cast: there is no such type").
			WithHint("for example 'Int32', 'Utf8', 'Decimal128(10, 2)' or 'Timestamp(Millisecond, None)'")
	}
	if _, err := CastTo(args[0], dt, false, s.span); err != nil {
		return nil, nil, err
	}
	return args, dt, nil
}

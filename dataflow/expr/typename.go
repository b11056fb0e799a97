package expr

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// TypeName spells a type as SQL does: BIGINT, TEXT, TIMESTAMP(3), STRUCT<a BIGINT>.
func TypeName(dt arrow.DataType) string {
	switch t := dt.(type) {
	case nil:
		return "unknown"
	case *arrow.Decimal128Type:
		return fmt.Sprintf("DECIMAL(%d, %d)", t.Precision, t.Scale)
	case *arrow.TimestampType:
		name := [...]string{arrow.Second: "TIMESTAMP(0)", arrow.Millisecond: "TIMESTAMP(3)",
			arrow.Microsecond: "TIMESTAMP(6)", arrow.Nanosecond: "TIMESTAMP"}[t.Unit]
		if t.TimeZone != "" {
			name += " WITH TIME ZONE"
		}
		return name
	case *arrow.StructType:
		members := make([]string, t.NumFields())
		for i, f := range t.Fields() {
			members[i] = f.Name + " " + TypeName(f.Type)
		}
		return "STRUCT<" + strings.Join(members, ", ") + ">"
	case *arrow.MapType:
		return "MAP<" + TypeName(t.KeyType()) + ", " + TypeName(t.ItemType()) + ">"
	case *arrow.ListType:
		return TypeName(t.Elem()) + "[]"
	}
	if name, ok := simpleTypeNames[dt.ID()]; ok {
		return name
	}
	return strings.ToUpper(dt.String())
}

var simpleTypeNames = map[arrow.Type]string{
	arrow.NULL: "NULL", arrow.BOOL: "BOOLEAN",
	arrow.INT8: "TINYINT", arrow.INT16: "SMALLINT", arrow.INT32: "INT", arrow.INT64: "BIGINT",
	arrow.UINT8: "TINYINT UNSIGNED", arrow.UINT16: "SMALLINT UNSIGNED", arrow.UINT32: "INT UNSIGNED",
	arrow.UINT64: "BIGINT UNSIGNED", arrow.FLOAT32: "FLOAT", arrow.FLOAT64: "DOUBLE",
	arrow.STRING: "TEXT", arrow.STRING_VIEW: "JSON", arrow.LARGE_STRING: "UUID", arrow.BINARY: "BYTEA", arrow.FIXED_SIZE_BINARY: "BYTEA",
	arrow.DATE32: "DATE", arrow.TIME32: "TIME", arrow.TIME64: "TIME", arrow.INTERVAL_MONTH_DAY_NANO: "INTERVAL",
}

// The types that functions take and give, under short names.
var (
	typeNull   arrow.DataType = arrow.Null
	typeBool   arrow.DataType = arrow.FixedWidthTypes.Boolean
	typeInt32  arrow.DataType = arrow.PrimitiveTypes.Int32
	typeInt64  arrow.DataType = arrow.PrimitiveTypes.Int64
	typeUint64 arrow.DataType = arrow.PrimitiveTypes.Uint64
	typeFloat  arrow.DataType = arrow.PrimitiveTypes.Float32
	typeDouble arrow.DataType = arrow.PrimitiveTypes.Float64
	typeText   arrow.DataType = arrow.BinaryTypes.String
	typeBytes  arrow.DataType = arrow.BinaryTypes.Binary
	typeDate   arrow.DataType = arrow.FixedWidthTypes.Date32
	typeTime   arrow.DataType = arrow.FixedWidthTypes.Time64ns
)

func isNull(dt arrow.DataType) bool     { return dt.ID() == arrow.NULL }
func isSigned(dt arrow.DataType) bool   { return arrow.IsSignedInteger(dt.ID()) }
func isUnsigned(dt arrow.DataType) bool { return arrow.IsUnsignedInteger(dt.ID()) }
func isInteger(dt arrow.DataType) bool  { return arrow.IsInteger(dt.ID()) }
func isFloat(dt arrow.DataType) bool    { return dt.ID() == arrow.FLOAT32 || dt.ID() == arrow.FLOAT64 }
func isDecimal(dt arrow.DataType) bool  { return dt.ID() == arrow.DECIMAL128 }
func isText(dt arrow.DataType) bool     { return dt.ID() == arrow.STRING }
func isBinary(dt arrow.DataType) bool {
	return dt.ID() == arrow.BINARY || dt.ID() == arrow.FIXED_SIZE_BINARY
}
func isTimestamp(dt arrow.DataType) bool { return dt.ID() == arrow.TIMESTAMP }
func isDate(dt arrow.DataType) bool      { return dt.ID() == arrow.DATE32 }
func isTime(dt arrow.DataType) bool      { return dt.ID() == arrow.TIME64 }
func isInterval(dt arrow.DataType) bool  { return dt.ID() == arrow.INTERVAL_MONTH_DAY_NANO }
func isTemporal(dt arrow.DataType) bool {
	return isTimestamp(dt) || isDate(dt) || isTime(dt) || isInterval(dt)
}
func isNumeric(dt arrow.DataType) bool { return isInteger(dt) || isFloat(dt) || isDecimal(dt) }

// isZoned reports whether dt is a TIMESTAMP WITH TIME ZONE.
func isZoned(dt arrow.DataType) bool {
	t, ok := dt.(*arrow.TimestampType)
	return ok && t.TimeZone != ""
}

// bitsOf is the width of an integer type in bits.
func bitsOf(dt arrow.DataType) int { return dt.(arrow.FixedWidthDataType).BitWidth() }

func decimalType(precision, scale int32) arrow.DataType {
	return &arrow.Decimal128Type{Precision: min(precision, 38), Scale: min(scale, 38)}
}

// decimalOf is the decimal type that holds every value of an integer type.
func decimalOf(dt arrow.DataType) *arrow.Decimal128Type {
	switch dt.ID() {
	case arrow.INT8, arrow.UINT8:
		return &arrow.Decimal128Type{Precision: 3}
	case arrow.INT16, arrow.UINT16:
		return &arrow.Decimal128Type{Precision: 5}
	case arrow.INT32, arrow.UINT32:
		return &arrow.Decimal128Type{Precision: 10}
	case arrow.DECIMAL128:
		return dt.(*arrow.Decimal128Type)
	}
	return &arrow.Decimal128Type{Precision: 20}
}

// unitOf is the length of a timestamp type's unit in nanoseconds.
func unitOf(dt arrow.DataType) int64 {
	return [...]int64{arrow.Second: 1e9, arrow.Millisecond: 1e6, arrow.Microsecond: 1e3,
		arrow.Nanosecond: 1}[dt.(*arrow.TimestampType).Unit]
}

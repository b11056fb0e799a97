// Package types maps type names, as written, to Arrow types.
//
// What comes in: type names of the syntax tree. What goes out: Arrow types, or a fault with a caret. A name means the same
// in a column of a CREATE TABLE and in a CAST; only a column remembers that its text is JSON. Nothing here keeps state or
// blocks.
package types

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

// CodeType is the code of a type name that means nothing here.
const CodeType fault.Code = "unknown-type"

// maxPrecision is the number of decimal digits that 128 bits hold.
const maxPrecision = 38

// Column is the field of a CREATE TABLE column of this type: nullable, without a name. JSON is TEXT with metadata on the
// field, at any depth. A fault about a member of a struct has its path as the column of its record.
func Column(t *ast.DataType) (arrow.Field, *fault.Error) {
	dt, err := Cast(t)
	if err != nil {
		return arrow.Field{}, err
	}
	f := arrow.Field{Type: dt, Nullable: true}
	if IsJSON(t) {
		f.Metadata = expr.JSONMetadata
	}
	return f, nil
}

// IsJSON reports whether t is JSON, which is TEXT and more.
func IsJSON(t *ast.DataType) bool { return !t.Quoted && (t.Name == "JSON" || t.Name == "JSONB") }

// Cast is the target type of a CAST.
func Cast(t *ast.DataType) (arrow.DataType, *fault.Error) {
	if t.Quoted {
		return nil, unknown(t)
	}
	if t.Unsigned {
		return unsigned(t)
	}
	if dt, ok := simple[t.Name]; ok {
		return dt, withoutArgs(t)
	}
	switch t.Name {
	case "DECIMAL":
		return decimal(t)
	case "TIMESTAMP", "TIMESTAMPTZ":
		return timestamp(t)
	case "ARRAY":
		return array(t)
	case "STRUCT":
		return structure(t)
	case "MAP":
		return mapping(t)
	}
	return nil, unknown(t)
}

// simple are the types that take no arguments, or take one and ignore it, since no length is checked here.
var simple = map[string]arrow.DataType{
	"BOOLEAN": arrow.FixedWidthTypes.Boolean, "TINYINT": arrow.PrimitiveTypes.Int8, "SMALLINT": arrow.PrimitiveTypes.Int16,
	"INT": arrow.PrimitiveTypes.Int32, "BIGINT": arrow.PrimitiveTypes.Int64, "REAL": arrow.PrimitiveTypes.Float32,
	"DOUBLE": arrow.PrimitiveTypes.Float64, "CHAR": arrow.BinaryTypes.String, "VARCHAR": arrow.BinaryTypes.String,
	"TEXT": arrow.BinaryTypes.String, "NVARCHAR": arrow.BinaryTypes.String, "NCHAR": arrow.BinaryTypes.String,
	"CLOB": arrow.BinaryTypes.String, "BYTEA": arrow.BinaryTypes.Binary, "BYTES": arrow.BinaryTypes.Binary,
	"BINARY": arrow.BinaryTypes.Binary, "VARBINARY": arrow.BinaryTypes.Binary, "BLOB": arrow.BinaryTypes.Binary,
	"DATE": arrow.FixedWidthTypes.Date32, "TIME": arrow.FixedWidthTypes.Time64ns, "INTERVAL": expr.Interval,
	"JSON": arrow.BinaryTypes.String, "JSONB": arrow.BinaryTypes.String, "UUID": expr.UUID,
}

// withoutArgs refuses arguments of types that have none.
func withoutArgs(t *ast.DataType) *fault.Error {
	switch t.Name {
	case "BOOLEAN", "DATE", "JSON", "JSONB", "UUID":
		if len(t.Args) > 0 {
			return fault.Userf(CodeType, t.Span(), "%s takes no length", t.Name).WithHint("write %s", t.Name)
		}
	}
	if len(t.Args) > 1 {
		return fault.Userf(CodeType, t.Span(), "%s takes one length at most", t.Name).WithHint("write %s", t.Name)
	}
	return nil
}

func unsigned(t *ast.DataType) (arrow.DataType, *fault.Error) {
	switch t.Name {
	case "TINYINT":
		return arrow.PrimitiveTypes.Uint8, nil
	case "SMALLINT":
		return arrow.PrimitiveTypes.Uint16, nil
	case "INT":
		return arrow.PrimitiveTypes.Uint32, nil
	case "BIGINT":
		return arrow.PrimitiveTypes.Uint64, nil
	}
	return nil, fault.Userf(CodeType, t.Span(), "there is no unsigned %s", t.Name).
		WithHint("UNSIGNED goes with TINYINT, SMALLINT, INT and BIGINT")
}

func decimal(t *ast.DataType) (arrow.DataType, *fault.Error) {
	precision, scale := maxPrecision, 10
	switch len(t.Args) {
	case 0:
	case 1:
		precision, scale = t.Args[0], 0
	case 2:
		precision, scale = t.Args[0], t.Args[1]
	default:
		return nil, fault.Userf(CodeType, t.Span(), "DECIMAL takes a precision and a scale").WithHint("write DECIMAL(10, 2)")
	}
	if precision < 1 || precision > maxPrecision {
		return nil, fault.Userf(CodeType, t.Span(), "a DECIMAL has between 1 and %d digits", maxPrecision).
			WithHint("write DECIMAL(%d, 2)", maxPrecision)
	}
	if scale < -precision || scale > precision {
		return nil, fault.Userf(CodeType, t.Span(), "the scale of a DECIMAL cannot exceed its %d digits", precision).
			WithHint("write DECIMAL(%d, %d)", precision, min(2, precision))
	}
	return &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}, nil
}

// timestamp is a TIMESTAMP of some precision, or one in UTC, TIMESTAMPTZ.
func timestamp(t *ast.DataType) (arrow.DataType, *fault.Error) {
	dt := &arrow.TimestampType{Unit: arrow.Nanosecond}
	if t.Name == "TIMESTAMPTZ" {
		dt.TimeZone = expr.TimestampTZ.TimeZone
	}
	units := map[int]arrow.TimeUnit{0: arrow.Second, 3: arrow.Millisecond, 6: arrow.Microsecond, 9: arrow.Nanosecond}
	if len(t.Args) > 0 {
		unit, ok := units[t.Args[0]]
		if !ok || len(t.Args) > 1 {
			return nil, fault.Userf(CodeType, t.Span(), "a TIMESTAMP has 0, 3, 6 or 9 digits of a second").
				WithHint("write TIMESTAMP(3) for milliseconds")
		}
		dt.Unit = unit
	}
	return dt, nil
}

// array ignores a size, as PostgreSQL does.
func array(t *ast.DataType) (arrow.DataType, *fault.Error) {
	if t.Elem == nil {
		return nil, fault.Userf(CodeType, t.Span(), "an array needs the type of its elements").
			WithHint("write BIGINT[] or ARRAY<BIGINT>")
	}
	f, err := Column(t.Elem)
	if err != nil {
		return nil, err
	}
	f.Name = "field"
	return arrow.ListOfField(f), nil
}

func structure(t *ast.DataType) (arrow.DataType, *fault.Error) {
	if len(t.Fields) == 0 {
		return nil, fault.Userf(CodeType, t.Span(), "a struct needs members").WithHint("write STRUCT<a BIGINT, b TEXT>")
	}
	fields := make([]arrow.Field, len(t.Fields))
	seen := make(map[string]bool, len(t.Fields))
	for i, f := range t.Fields {
		if f.Name == nil {
			return nil, fault.Userf(CodeType, f.Span(), "the members of a struct need names").WithHint("write STRUCT<a BIGINT, b TEXT>")
		}
		if seen[f.Name.Name] {
			err := fault.Userf(CodeType, f.Span(), "the struct has two members of this name").WithHint("give each member a name of its own")
			return nil, below(f.Name.Name, err)
		}
		seen[f.Name.Name] = true
		m, err := Column(f.Type)
		if err != nil {
			return nil, below(f.Name.Name, err)
		}
		m.Name = f.Name.Name
		fields[i] = m
	}
	return arrow.StructOf(fields...), nil
}

// below puts a member's name in front of the path that a fault has from there on.
func below(member string, err *fault.Error) *fault.Error {
	if err.Record.Column != "" {
		member += "." + err.Record.Column
	}
	err.Record.Column = member
	return err
}

// mapping is a MAP<key, value>. Keys are what can be compared.
func mapping(t *ast.DataType) (arrow.DataType, *fault.Error) {
	if t.Key == nil || t.Value == nil {
		return nil, fault.Userf(CodeType, t.Span(), "a map needs the types of its keys and values").WithHint("write MAP<TEXT, BIGINT>")
	}
	key, err := Column(t.Key)
	if err != nil {
		return nil, err
	}
	if expr.IsJSON(key) || arrow.IsNested(key.Type.ID()) {
		return nil, fault.Userf(fault.CodeUnsupported, t.Key.Span(), "%s cannot be the key of a map", t.Key.Name).
			WithHint("write MAP<TEXT, …>")
	}
	value, err := Column(t.Value)
	if err != nil {
		return nil, err
	}
	key.Name, key.Nullable, value.Name = "key", false, "value"
	return arrow.MapOfFields(key, value), nil
}

func unknown(t *ast.DataType) *fault.Error {
	e := fault.Userf(CodeType, t.Span(), "unsupported SQL type %q", t.Name)
	if h, ok := instead[strings.ToUpper(t.Name)]; ok {
		return e.WithHint("write %s instead", h)
	}
	if n := fault.Nearest(strings.ToUpper(t.Name), names); n != "" {
		return e.WithHint("did you mean %s?", n)
	}
	return e.WithHint("the types are BOOLEAN, INT, BIGINT, FLOAT, DOUBLE, DECIMAL, TEXT, BYTEA, TIMESTAMP, TIMESTAMPTZ, DATE, TIME, INTERVAL, UUID, JSON, arrays, STRUCT<…> and MAP<…>")
}

// instead names the nearest supported type of names that other systems know.
var instead = map[string]string{
	"TIMETZ": "TIME, which has no zone,", "MEDIUMINT": "INT", "HUGEINT": "DECIMAL(38, 0)", "INT128": "DECIMAL(38, 0)",
	"ENUM": "TEXT", "SET": "TEXT", "XML": "TEXT", "NAME": "TEXT", "INET": "TEXT", "CIDR": "TEXT", "MACADDR": "TEXT", "CITEXT": "TEXT",
	"NVARCHAR2": "TEXT", "VARCHAR2": "TEXT", "BPCHAR": "TEXT", "LONGTEXT": "TEXT", "MEDIUMTEXT": "TEXT", "TINYTEXT": "TEXT", "UTF8": "TEXT",
	"LONGBLOB": "BYTEA", "MEDIUMBLOB": "BYTEA", "TINYBLOB": "BYTEA", "RAW": "BYTEA", "BIT": "BOOLEAN or BYTEA", "VARBIT": "BYTEA",
	"MONEY": "DECIMAL(19, 2)", "NUMBER": "DECIMAL(38, 10)", "DECIMAL128": "DECIMAL(38, 10)", "BIGNUMERIC": "DECIMAL(38, 10)", "BIGDECIMAL": "DECIMAL(38, 10)",
	"SERIAL": "INT", "SMALLSERIAL": "SMALLINT", "BIGSERIAL": "BIGINT", "LONG": "BIGINT", "SHORT": "SMALLINT", "BYTE": "TINYINT",
	"INT1": "TINYINT", "INT16": "SMALLINT", "INT32": "INT", "INT64": "BIGINT",
	"UINT8": "TINYINT UNSIGNED", "UINT16": "SMALLINT UNSIGNED", "UINT32": "INT UNSIGNED", "UINT64": "BIGINT UNSIGNED",
	"UTINYINT": "TINYINT UNSIGNED", "USMALLINT": "SMALLINT UNSIGNED", "UINTEGER": "INT UNSIGNED", "UINT": "INT UNSIGNED", "UBIGINT": "BIGINT UNSIGNED",
	"FLOAT32": "FLOAT", "FLOAT64": "DOUBLE", "TIMESTAMP_NTZ": "TIMESTAMP", "TIMESTAMP_LTZ": "TIMESTAMPTZ", "TIMESTAMP_TZ": "TIMESTAMPTZ",
	"DATETIME2": "TIMESTAMP", "DATETIME64": "TIMESTAMP(3)", "TIMESTAMP_S": "TIMESTAMP(0)", "TIMESTAMP_MS": "TIMESTAMP(3)", "TIMESTAMP_US": "TIMESTAMP(6)", "TIMESTAMP_NS": "TIMESTAMP", "DATETIMEOFFSET": "TIMESTAMPTZ", "SMALLDATETIME": "TIMESTAMP(0)", "DATE32": "DATE", "YEAR": "INT",
	"DURATION": "INTERVAL", "LIST": "an array such as BIGINT[]", "VECTOR": "DOUBLE[]", "OBJECT": "JSON", "VARIANT": "JSON", "HSTORE": "MAP<TEXT, TEXT>",
	"MULTISET": "an array such as BIGINT[]", "TUPLE": "STRUCT<…>", "RECORD": "STRUCT<…>", "NESTED": "STRUCT<…>[]", "GEOMETRY": "TEXT", "GEOGRAPHY": "TEXT",
}

var names = []string{
	"BOOLEAN", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "REAL", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC", "CHAR",
	"VARCHAR", "TEXT", "STRING", "BYTEA", "TIMESTAMP", "TIMESTAMPTZ", "DATE", "TIME", "INTERVAL", "UUID", "JSON", "ARRAY", "STRUCT", "MAP",
}

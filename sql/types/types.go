// Package types maps type names, as written, to Arrow types.
//
// What comes in: type names of the syntax tree. What goes out: Arrow types, or a fault with a caret. There are two tables,
// one for columns of a CREATE TABLE and one for CAST, and one list of what a connector table may hold. Nothing here keeps
// state or blocks.
package types

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

// CodeType is the code of a type name that means nothing here.
const CodeType fault.Code = "unknown-type"

// maxPrecision is the number of decimal digits that 128 bits hold.
const maxPrecision = 38

// Column is the field type of a CREATE TABLE column. JSON is TEXT with metadata on the field.
func Column(t *ast.DataType) (arrow.DataType, arrow.Metadata, *fault.Error) {
	if t.Name == "JSON" && !t.Quoted {
		return arrow.BinaryTypes.String, expr.JSONMetadata, nil
	}
	dt, err := resolve(t, ddl)
	return dt, arrow.Metadata{}, err
}

// Cast is the target type of a CAST.
func Cast(t *ast.DataType) (arrow.DataType, *fault.Error) { return resolve(t, cast) }

// table says which of the two tables a name is looked up in.
type table uint8

const (
	ddl table = iota
	cast
)

func resolve(t *ast.DataType, in table) (arrow.DataType, *fault.Error) {
	if t.Quoted {
		return nil, unknown(t)
	}
	if t.Unsigned {
		return unsigned(t)
	}
	switch t.Name {
	case "BOOLEAN":
		return arrow.FixedWidthTypes.Boolean, nil
	case "TINYINT":
		return arrow.PrimitiveTypes.Int8, nil
	case "SMALLINT":
		return arrow.PrimitiveTypes.Int16, nil
	case "INT":
		return arrow.PrimitiveTypes.Int32, nil
	case "BIGINT":
		return arrow.PrimitiveTypes.Int64, nil
	case "REAL":
		return arrow.PrimitiveTypes.Float32, nil
	case "DOUBLE":
		return arrow.PrimitiveTypes.Float64, nil
	case "DECIMAL":
		return decimal(t)
	case "CHAR", "VARCHAR", "TEXT":
		return arrow.BinaryTypes.String, nil
	case "BYTEA":
		return arrow.BinaryTypes.Binary, nil
	case "TIMESTAMP":
		return timestamp(t)
	case "TIMESTAMPTZ":
		if in == cast {
			return expr.TimestampTZ, nil
		}
	case "DATE":
		return arrow.FixedWidthTypes.Date32, nil
	case "TIME":
		return arrow.FixedWidthTypes.Time64ns, nil
	case "INTERVAL":
		return expr.Interval, nil
	case "JSON":
		return arrow.BinaryTypes.String, nil
	case "ARRAY":
		return array(t, in)
	case "STRUCT":
		return structure(t, in)
	}
	return nil, unknown(t)
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

func timestamp(t *ast.DataType) (arrow.DataType, *fault.Error) {
	if len(t.Args) == 0 {
		return expr.Timestamp, nil
	}
	switch t.Args[0] {
	case 0:
		return &arrow.TimestampType{Unit: arrow.Second}, nil
	case 3:
		return &arrow.TimestampType{Unit: arrow.Millisecond}, nil
	case 6:
		return &arrow.TimestampType{Unit: arrow.Microsecond}, nil
	case 9:
		return expr.Timestamp, nil
	}
	return nil, fault.Userf(CodeType, t.Span(), "a TIMESTAMP has 0, 3, 6 or 9 digits of a second").
		WithHint("write TIMESTAMP(3) for milliseconds")
}

func array(t *ast.DataType, in table) (arrow.DataType, *fault.Error) {
	if t.Elem == nil {
		return nil, fault.Userf(CodeType, t.Span(), "an array needs the type of its elements").
			WithHint("write BIGINT[] or ARRAY<BIGINT>")
	}
	if len(t.Args) > 0 {
		return nil, fault.Userf(fault.CodeUnsupported, t.Span(), "arrays of a fixed size are not supported").
			WithHint("write the type without the size")
	}
	elem, err := resolve(t.Elem, in)
	if err != nil {
		return nil, err
	}
	if in == ddl && t.Elem.Name == "ARRAY" {
		return nil, fault.Userf(fault.CodeUnsupported, t.Span(), "arrays of arrays are not supported in columns").
			WithHint("put the inner array into a STRUCT")
	}
	return arrow.ListOfField(arrow.Field{Name: "field", Type: elem, Nullable: true}), nil
}

func structure(t *ast.DataType, in table) (arrow.DataType, *fault.Error) {
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
			return nil, fault.Userf(CodeType, f.Span(), "the struct has two members named %q", f.Name.Name).
				WithHint("give each member a name of its own")
		}
		seen[f.Name.Name] = true
		dt, err := resolve(f.Type, in)
		if err != nil {
			return nil, err
		}
		fields[i] = arrow.Field{Name: f.Name.Name, Type: dt, Nullable: true}
	}
	return arrow.StructOf(fields...), nil
}

func unknown(t *ast.DataType) *fault.Error {
	e := fault.Userf(CodeType, t.Span(), "unsupported SQL type %q", t.Name)
	if h, ok := instead[t.Name]; ok && !t.Quoted {
		return e.WithHint("write %s instead", h)
	}
	if n := expr.Nearest(t.Name, names); n != "" {
		return e.WithHint("did you mean %s?", n)
	}
	return e.WithHint("the types are BOOLEAN, INT, BIGINT, FLOAT, DOUBLE, DECIMAL, TEXT, BYTEA, TIMESTAMP, DATE, TIME, INTERVAL, JSON, arrays and STRUCT<…>")
}

// instead names the nearest supported type of names that other systems know.
var instead = map[string]string{
	"TIMESTAMPTZ": "TIMESTAMP, which is in UTC,", "TIMETZ": "TIME", "JSONB": "JSON", "UUID": "TEXT", "NVARCHAR": "TEXT",
	"NCHAR": "TEXT", "CLOB": "TEXT", "BLOB": "BYTEA", "BINARY": "BYTEA", "VARBINARY": "BYTEA", "BYTES": "BYTEA",
	"MEDIUMINT": "INT", "MAP": "JSON",
}

var names = []string{
	"BOOLEAN", "TINYINT", "SMALLINT", "INT", "INTEGER", "BIGINT", "REAL", "FLOAT", "DOUBLE", "DECIMAL", "NUMERIC", "CHAR",
	"VARCHAR", "TEXT", "STRING", "BYTEA", "TIMESTAMP", "DATE", "TIME", "INTERVAL", "JSON", "ARRAY", "STRUCT",
}

// InTables says why a type cannot be a column of a connector table; it is nil for types that can.
func InTables(name string, dt arrow.DataType, span fault.Span) *fault.Error {
	bad := unrepresentable(dt)
	if bad == nil {
		return nil
	}
	e := fault.Userf(fault.CodeUnsupported, span, "column %q has a type (%s) that cannot be used in a connection table", name, expr.TypeName(bad))
	switch bad.ID() {
	case arrow.INT8, arrow.INT16:
		return e.WithHint("declare it as INT and cast it in the query")
	case arrow.UINT8, arrow.UINT16:
		return e.WithHint("declare it as INT UNSIGNED and cast it in the query")
	}
	return e.WithHint("declare it as TEXT and cast it in the query")
}

// unrepresentable finds the first type at or below dt that no connector table can hold. This list is the one place that
// knows.
func unrepresentable(dt arrow.DataType) arrow.DataType {
	switch t := dt.(type) {
	case *arrow.StructType:
		for _, f := range t.Fields() {
			if b := unrepresentable(f.Type); b != nil {
				return b
			}
		}
		return nil
	case *arrow.ListType:
		return unrepresentable(t.Elem())
	}
	switch dt.ID() {
	case arrow.BOOL, arrow.INT32, arrow.INT64, arrow.UINT32, arrow.UINT64, arrow.FLOAT32, arrow.FLOAT64, arrow.DECIMAL128,
		arrow.STRING, arrow.BINARY, arrow.TIMESTAMP:
		return nil
	}
	return dt
}

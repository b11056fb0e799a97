// Package connection turns connections as they are saved, in the JSON shapes of the REST API, into what the planner takes:
// CREATE TABLE statements and named options.
//
// What comes in: the shapes, and rows of the metadata database. What goes out: SQL text, values for sql.Options, and faults
// of kind User for what makes no sense. Nothing here blocks, except Saved, which reads the database.
package connection

import (
	"encoding/json"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
)

// Schema says what the records of a table are.
type Schema struct {
	// Format is an object whose type is the name of the format; its other members are the format's options.
	Format  map[string]any `json:"format"`
	BadData *BadData       `json:"bad_data"`
	Framing *Framing       `json:"framing"`
	Fields  []Field        `json:"fields"`
	// Definition is a schema in another language.
	Definition  *Definition `json:"definition"`
	Inferred    *bool       `json:"inferred"`
	PrimaryKeys []string    `json:"primary_keys"`
}

// BadData says what becomes of records that do not fit.
type BadData struct {
	Behavior string `json:"behavior"`
}

// Framing says how messages are cut into records.
type Framing struct {
	Method        string `json:"method"`
	MaxLineLength *int64 `json:"max_line_length"`
}

// Definition is a schema in another language.
type Definition struct {
	Type         string            `json:"type"`
	Schema       string            `json:"schema"`
	Dependencies map[string]string `json:"dependencies,omitempty"`
}

// Field is a column, or a member of one.
type Field struct {
	Name string `json:"name"`
	Type
	Required bool `json:"required"`
	// SQLName is the type as SQL spells it, for people; it is not read.
	SQLName     *string `json:"sql_name"`
	MetadataKey *string `json:"metadata_key,omitempty"`
}

// Type is the type of a field.
type Type struct {
	// Type is the kind: int64, string, struct and so on, see simpleTypes and Type.sql.
	Type      string `json:"type"`
	Precision *int   `json:"precision,omitempty"`
	Scale     *int   `json:"scale,omitempty"`
	// Unit is that of a timestamp.
	Unit   string  `json:"unit,omitempty"`
	Fields []Field `json:"fields,omitempty"`
	// Items are the elements of a list; Key and Value are those of a map.
	Items *Field `json:"items,omitempty"`
	Key   *Field `json:"key,omitempty"`
	Value *Field `json:"value,omitempty"`
}

// simpleTypes spells the kinds of types that have no settings.
var simpleTypes = map[string]string{
	"int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT",
	"uint8": "TINYINT UNSIGNED", "uint16": "SMALLINT UNSIGNED", "uint32": "INTEGER UNSIGNED", "uint64": "BIGINT UNSIGNED",
	"float32": "FLOAT", "float64": "DOUBLE", "bool": "BOOLEAN", "string": "TEXT", "bytes": "BYTEA", "json": "JSON",
	"date": "DATE", "time": "TIME", "interval": "INTERVAL", "uuid": "UUID",
}

// units gives the digits of a second behind the units of timestamps; "" are nanoseconds.
var units = map[string]string{"": "", "nanosecond": "", "microsecond": "(6)", "millisecond": "(3)", "second": "(0)"}

// FieldsOf describes the columns of a table.
func FieldsOf(fields []arrow.Field) []Field {
	out := make([]Field, len(fields))
	for i, f := range fields {
		out[i] = fieldOf(f)
	}
	return out
}

func fieldOf(f arrow.Field) Field {
	out := Field{Name: f.Name, Type: typeOf(f), Required: !f.Nullable}
	if name, err := out.Type.sql(f.Name); err == nil {
		out.SQLName = &name
	}
	return out
}

func typeOf(f arrow.Field) Type {
	if expr.IsJSON(f) {
		return Type{Type: "json"}
	}
	switch t := f.Type.(type) {
	case *arrow.Decimal128Type:
		p, s := int(t.Precision), int(t.Scale)
		return Type{Type: "decimal128", Precision: &p, Scale: &s}
	case *arrow.TimestampType:
		kind := "timestamp"
		if t.TimeZone != "" {
			kind = "timestamptz"
		}
		return Type{Type: kind, Unit: [...]string{arrow.Second: "second", arrow.Millisecond: "millisecond", arrow.Microsecond: "microsecond",
			arrow.Nanosecond: "nanosecond"}[t.Unit]}
	case *arrow.StructType:
		return Type{Type: "struct", Fields: FieldsOf(t.Fields())}
	case *arrow.ListType:
		item := fieldOf(t.ElemField())
		return Type{Type: "list", Items: &item}
	case *arrow.MapType:
		key, value := fieldOf(t.KeyField()), fieldOf(t.ItemField())
		return Type{Type: "map", Key: &key, Value: &value}
	}
	return Type{Type: simpleKinds[f.Type.ID()]}
}

var simpleKinds = map[arrow.Type]string{
	arrow.INT8: "int8", arrow.INT16: "int16", arrow.INT32: "int32", arrow.INT64: "int64",
	arrow.UINT8: "uint8", arrow.UINT16: "uint16", arrow.UINT32: "uint32", arrow.UINT64: "uint64",
	arrow.FLOAT32: "float32", arrow.FLOAT64: "float64", arrow.BOOL: "bool", arrow.STRING: "string", arrow.BINARY: "bytes",
	arrow.DATE32: "date", arrow.TIME64: "time", arrow.INTERVAL_MONTH_DAY_NANO: "interval", arrow.LARGE_STRING: "uuid",
}

// Named gives every field its SQL name.
func (s *Schema) Named() {
	for i := range s.Fields {
		s.Fields[i].named()
	}
}

func (f *Field) named() {
	f.SQLName = nil
	if name, err := f.Type.sql(f.Name); err == nil {
		f.SQLName = &name
	}
	for i := range f.Fields {
		f.Fields[i].named()
	}
	for _, below := range []*Field{f.Items, f.Key, f.Value} {
		if below != nil {
			below.named()
		}
	}
}

// literal writes a JSON value as a literal of SQL; ok is false for objects and null.
func literal(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return "'" + strings.ReplaceAll(v, "'", "''") + "'", true
	case bool:
		if v {
			return "true", true
		}
		return "false", true
	case json.Number:
		return v.String(), true
	case float64:
		b, err := json.Marshal(v)
		return string(b), err == nil
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			if parts[i], ok = literal(x); !ok {
				return "", false
			}
		}
		return "[" + strings.Join(parts, ", ") + "]", true
	}
	return "", false
}

func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

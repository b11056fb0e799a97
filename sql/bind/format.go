package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/catalog"
)

// formats are the formats that tables can have; the others of the dialect are refused by name.
var formats = []string{"json", "debezium_json", "raw_string"}

// format takes the options about the format, framing and bad data.
func (g *bag) format(decl *connector.Declaration, use connector.Use) graph.FormatSpec {
	f := graph.FormatSpec{Options: map[string]string{}}
	raw, given := g.raw["format"]
	f.Name, _ = g.text("format", "")
	switch f.Name {
	case "":
		if !given && decl.Formats {
			g.fail(fault.Userf(connector.CodeMissingOption, g.span, "connector %q needs the option \"format\"", decl.Name).WithHint("add format = 'json'"))
		}
	case "json", "debezium_json":
		g.jsonOptions(&f)
	case "raw_string":
	case "raw_bytes", "avro", "parquet", "protobuf":
		g.fail(fault.Userf(fault.CodeUnsupported, raw.Span, "format %q is not supported", f.Name).WithHint("the formats are 'json', 'debezium_json' and 'raw_string'"))
	default:
		e := fault.Userf(connector.CodeOptionValue, raw.Span, "unknown format %q", f.Name)
		g.fail(hintAmong(e, f.Name, formats, "formats"))
	}
	if f.Name != "" && !decl.Formats {
		g.b.warn(CodeOption, raw.Span, "connector %q has no format; the option is ignored", decl.Name).WithHint("leave format out")
		f.Name, f.Options = "", map[string]string{}
	}
	f.Framing, _ = g.text("framing", "", "newline")
	if n, span := g.whole("framing.newline.max_length"); !span.IsZero() {
		if n < 1 {
			g.fail(fault.Userf(connector.CodeOptionValue, span, "the longest line must have at least one byte").WithHint("write a number of bytes"))
		}
		f.MaxLength = n
	}
	policy, _ := g.text("bad_data", "fail", "fail", "drop")
	f.DropBadData = policy == "drop"
	_ = use
	return f
}

func (g *bag) jsonOptions(f *graph.FormatSpec) {
	if v, _ := g.text("json.timestamp_format", "", "RFC3339", "rfc3339", "UnixMillis", "unix_millis"); v != "" {
		f.Options["timestamp_format"] = map[string]string{"RFC3339": "rfc3339", "UnixMillis": "unix_millis"}[v]
		if f.Options["timestamp_format"] == "" {
			f.Options["timestamp_format"] = v
		}
	}
	if v, _ := g.text("json.decimal_encoding", "", "number", "string", "bytes"); v != "" {
		f.Options["decimal_encoding"] = v
	}
	for _, name := range []string{"include_schema", "unstructured"} {
		if g.flag("json." + name) {
			f.Options[name] = "true"
		}
	}
	if r, ok := g.raw["json.confluent_schema_registry"]; ok && g.flag("json.confluent_schema_registry") {
		g.fail(fault.Userf(fault.CodeUnsupported, r.Span, "schema registries are not supported").WithHint("leave the option out"))
	}
	if v, span := g.text("json.compression", "uncompressed", "uncompressed", "gzip"); v == "gzip" {
		g.fail(fault.Userf(fault.CodeUnsupported, span, "json.compression works only with the filesystem connector").WithHint("leave the option out"))
	}
}

// columnsFit checks what a format asks of the declared columns.
func (b *Binder) columnsFit(t *catalog.Table) bool {
	var physical []catalog.Column
	virtual := false
	for _, c := range t.Columns {
		virtual = virtual || c.Virtual
		if !c.Virtual && c.Metadata == "" {
			physical = append(physical, c)
		}
	}
	single := func(is func(arrow.Field) bool, what string) bool {
		if len(physical) == 0 && t.Inferred || len(physical) == 1 && physical[0].Field.Name == "value" && is(physical[0].Field) {
			return true
		}
		b.errorf(CodeTable, t.Span, "table %q needs exactly one column, value %s, beside metadata", t.Name, what).
			WithHint("declare it as: CREATE TABLE %s (value %s) WITH (…)", t.Name, what)
		return false
	}
	switch {
	case t.Format.Name == "raw_string":
		return single(func(f arrow.Field) bool { return f.Type.ID() == arrow.STRING }, "TEXT")
	case t.Format.Options["unstructured"] == "true":
		return single(expr.IsJSON, "JSON")
	case t.Format.Name == "debezium_json" && virtual:
		b.errorf(CodeTable, t.Span, "table %q can't use virtual columns with format 'debezium_json'", t.Name).
			WithHint("compute the column in a view over the table")
		return false
	case t.Format.Name == "debezium_json" && t.Kind == catalog.Source && len(t.PrimaryKey()) == 0:
		b.errorf(CodeTable, t.Span, "a source with format 'debezium_json' must have at least one PRIMARY KEY column").
			WithHint("add PRIMARY KEY behind the type of the column that identifies a row")
		return false
	}
	return true
}

package format_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
)

var (
	row = arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "price", Type: &arrow.Decimal128Type{Precision: 10, Scale: 2}, Nullable: true},
		{Name: "at", Type: &arrow.TimestampType{Unit: arrow.Nanosecond}, Nullable: true},
	}, nil)
	value    = arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	document = arrow.NewSchema([]arrow.Field{{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true,
		Metadata: arrow.MetadataFrom(map[string]string{"ARROW:extension:name": "arroyo.json"})}}, nil)
)

func resolve(t *testing.T, name string, options ...string) graph.FormatSpec {
	t.Helper()
	raw := map[string]string{}
	for i := 0; i < len(options); i += 2 {
		raw[options[i]] = options[i+1]
	}
	spec, err := format.Resolve(name, raw)
	if err != nil {
		t.Fatal(err)
	}
	return spec
}

// TestThrough reads records with one format and writes them with another.
func TestThrough(t *testing.T) {
	record := `{"id":1,"price":2.5,"at":"2024-01-02T03:04:05.678"}`
	for _, c := range []struct {
		name    string
		schema  *arrow.Schema
		from    graph.FormatSpec
		to      graph.FormatSpec
		mode    graph.Mode
		key     []int
		in, out string
	}{
		{"json", row, resolve(t, "json"), resolve(t, "json"), graph.Append, nil, record,
			`{"id":1,"price":2.50,"at":"2024-01-02T03:04:05.678"}`},
		{"json options", row, resolve(t, "json"), resolve(t, "json", "json.timestamp_format", "unix_millis", "json.decimal_encoding", "string"), graph.Append, nil, record,
			`{"id":1,"price":"2.50","at":1704164645678}`},
		{"bare spec has the defaults", row, graph.FormatSpec{Name: "json"}, graph.FormatSpec{Name: "json"}, graph.Append, nil, record,
			`{"id":1,"price":2.50,"at":"2024-01-02T03:04:05.678"}`},
		{"include schema", value, resolve(t, "json"), resolve(t, "json", "json.include_schema", "true"), graph.Append, nil, `{"value":"a"}`,
			`{"schema":{"type":"struct","fields":[{"type":"string","field":"value","optional":true}],"optional":false,"name":"ArroyoJson"},"payload":{"value":"a"}}`},
		{"append to debezium", row, resolve(t, "json"), resolve(t, "debezium_json"), graph.Append, nil, record,
			`{"before":null,"after":{"id":1,"price":"AAAAAAAAAAAAAAAAAAAA+g==","at":1704164645678},"op":"c"}`},
		{"debezium in and out", row, resolve(t, "debezium_json"), resolve(t, "debezium_json", "json.timestamp_format", "RFC3339", "json.decimal_encoding", "number"), graph.Updating, []int{0},
			`{"before":{"id":1,"price":1},"after":` + record + `,"op":"u","source":{"x":1}}`,
			`{"before":{"id":1,"price":1.00,"at":null},"after":{"id":1,"price":2.50,"at":"2024-01-02T03:04:05.678"},"op":"u"}`},
		{"unstructured", document, resolve(t, "json", "json.unstructured", "true"), resolve(t, "json"), graph.Append, nil, ` [1, {"a": "b"}] `,
			`{"value":[1,{"a":"b"}]}`},
		{"raw string", value, resolve(t, "raw_string"), resolve(t, "raw_string"), graph.Append, nil, `not {json`, `not {json`},
		{"raw string to json", value, resolve(t, "raw_string"), resolve(t, "json"), graph.Append, nil, `say "hi"`, `{"value":"say \"hi\""}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := format.NewDecoder(&graph.SourceSpec{Format: c.from, Schema: c.schema})
			if err != nil {
				t.Fatal(err)
			}
			e, err := format.NewEncoder(c.to, c.schema, c.mode, c.key)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Decode([]byte(c.in), 5); err != nil {
				t.Fatal(err)
			}
			out, err := e.Encode(nil, d.Take())
			if err != nil || string(out) != c.out+"\n" {
				t.Fatalf("%v\n got %s\nwant %s", err, out, c.out)
			}
		})
	}
}

func TestResolve(t *testing.T) {
	s := resolve(t, "json", "bad_data", "drop", "framing", "newline", "framing.newline.max_length", "100", "json.include_schema", "yes", "json.timestamp_format", "UnixMillis")
	if !s.DropBadData || s.Framing != "newline" || s.MaxLength != 100 || s.Options["include_schema"] != "true" || s.Options["timestamp_format"] != "unix_millis" {
		t.Fatalf("%+v", s)
	}
	if s := resolve(t, "debezium_json"); s.Options["timestamp_format"] != "unix_millis" || s.Options["decimal_encoding"] != "bytes" || s.DropBadData {
		t.Fatalf("%+v", s)
	}
	for _, c := range []struct {
		name, key, value, want string
	}{
		{"avro", "", "", `there is no format "avro"`},
		{"json", "json.timestampformat", "x", `format json has no option "json.timestampformat"`},
		{"json", "json.timestamp_format", "iso", "option json.timestamp_format must be one of 'rfc3339', 'unix_millis'"},
		{"json", "json.unstructured", "TRUE", "option json.unstructured must be true or false"},
		{"json", "json.confluent_schema_registry", "true", "option json.confluent_schema_registry = 'true' cannot be used here: there is no connection to a schema registry"},
		{"json", "json.compression", "gzip", "option json.compression = 'gzip' cannot be used here: this connector does not compress"},
		{"json", "json.compression", "lz4", "option json.compression must be one of 'uncompressed', 'gzip'"},
		{"json", "bad_data", "ignore", "option bad_data must be one of 'fail', 'drop'"},
		{"json", "framing", "length", "option framing must be one of 'newline'"},
		{"json", "framing.newline.max_length", "10", "option framing.newline.max_length needs framing = 'newline'"},
		{"raw_string", "framing.newline.max_length", "-1", "option framing.newline.max_length must be a number above zero"},
		{"raw_string", "json.unstructured", "true", `format raw_string has no option "json.unstructured"`},
		{"debezium_json", "json.unstructured", "true", `format debezium_json has no option "json.unstructured"`},
	} {
		raw := map[string]string{}
		if c.key != "" {
			raw[c.key] = c.value
		}
		_, err := format.Resolve(c.name, raw)
		if e := fault.As(err); e == nil || e.Kind != fault.User || e.Message != c.want || e.Hint == "" {
			t.Errorf("%s: %v", c.key, err)
		}
	}
	if _, err := format.Resolve("json", map[string]string{"json.confluent_schema_registry": "false", "json.compression": "uncompressed"}); err != nil {
		t.Error(err)
	}
}

func TestDeclarationsAgree(t *testing.T) {
	for _, d := range format.Declarations() {
		for _, o := range format.Options(d.Name) {
			if o.Doc == "" || strings.ToLower(o.Name) != o.Name {
				t.Errorf("%s: %+v", d.Name, o)
			}
			if o.Default == "" {
				continue
			}
			if _, err := format.Resolve(d.Name, map[string]string{o.Name: o.Default}); err != nil {
				t.Errorf("%s: its default is refused: %v", o.Name, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	if _, err := format.NewEncoder(resolve(t, "json"), row, graph.Updating, nil); fault.As(err) == nil || !strings.Contains(err.Error(), "cannot express updates") {
		t.Error(err)
	}
	if _, err := format.NewEncoder(resolve(t, "json", "json.unstructured", "true"), document, graph.Append, nil); err == nil {
		t.Error("an unstructured sink")
	}
	for _, s := range []*arrow.Schema{row, value} {
		if _, err := format.NewDecoder(&graph.SourceSpec{Format: resolve(t, "json", "json.unstructured", "true"), Schema: s}); err == nil {
			t.Error("unstructured without value JSON")
		}
	}
	if _, err := format.NewDecoder(&graph.SourceSpec{Format: graph.FormatSpec{Name: "nope"}, Schema: row}); err == nil {
		t.Error("an unknown format")
	}
	if _, err := format.NewDecoder(&graph.SourceSpec{Format: graph.FormatSpec{Name: "json", Options: map[string]string{"nope": "1"}}, Schema: row}); err == nil {
		t.Error("an unknown option")
	}
	d, err := format.NewDecoder(&graph.SourceSpec{Format: resolve(t, "json", "json.unstructured", "true"), Schema: document})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		``:         `column "value": not a JSON value (byte 1): it ends where a value should be`,
		`{"a":`:    `column "value": not a JSON value (byte 6): it ends where a value should be`,
		`1 2`:      `column "value": not a JSON value (byte 3): something follows the value`,
		"\"\xff\"": `column "value": not a JSON value (byte 2): a string is not valid UTF-8`,
	} {
		if err := d.Decode([]byte(in), 0); err == nil || err.Error() != want || d.Rows() != 0 {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func TestInterval(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.FixedWidthTypes.MonthDayNanoInterval}}, nil)
	if _, err := format.NewDecoder(&graph.SourceSpec{Format: resolve(t, "json"), Schema: s}); err != nil {
		t.Error(err)
	}
	if _, err := format.NewEncoder(resolve(t, "json"), s, graph.Append, nil); err != nil {
		t.Error(err)
	}
	if _, err := format.NewEncoder(resolve(t, "json", "json.include_schema", "true"), s, graph.Append, nil); err != nil {
		t.Error(err)
	}
}

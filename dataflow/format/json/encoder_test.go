package json_test

import (
	stdjson "encoding/json"
	"flag"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/format/json"
)

// one writes a batch of one row and one column v.
func one(t *testing.T, o json.EncoderOptions, f arrow.Field, fill func(column.Appender)) string {
	t.Helper()
	c := column.NewAppender(f.Type)
	fill(c)
	e, err := json.NewEncoder(schemaOf(f), o)
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Encode(nil, &column.Batch{Schema: schemaOf(f), N: 1, Cols: []column.Vector{c}, Time: []int64{0}})
	if err != nil || !stdjson.Valid(out) {
		t.Fatalf("%s %v", out, err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(string(out), `{"v":`), "}\n")
}

func fixed[T column.Value](v T) func(column.Appender) {
	return func(c column.Appender) { c.(*column.Fixed[T]).Append(v) }
}

func text(v string) func(column.Appender) {
	return func(c column.Appender) { c.(*column.Bytes).AppendString(v) }
}

func TestWrittenValues(t *testing.T) {
	plain, unixMillis := json.EncoderOptions{}, json.EncoderOptions{UnixMillis: true}
	asString, asBytes := json.EncoderOptions{Decimals: json.DecimalString}, json.EncoderOptions{Decimals: json.DecimalBytes}
	f64, f32 := arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32
	dec := func(p, s int32) arrow.DataType { return &arrow.Decimal128Type{Precision: p, Scale: s} }
	interval := func(m, d int32, ns int64) func(column.Appender) {
		return fixed(arrow.MonthDayNanoInterval{Months: m, Days: d, Nanoseconds: ns})
	}
	micros := &arrow.TimestampType{Unit: arrow.Microsecond}
	for _, c := range []struct {
		o    json.EncoderOptions
		t    arrow.DataType
		fill func(column.Appender)
		want string
	}{
		{plain, f64, fixed(0.0), `0.0`}, {plain, f64, fixed(math.Copysign(0, -1)), `-0.0`}, {plain, f64, fixed(3.0), `3.0`}, {plain, f64, fixed(-12345.67), `-12345.67`},
		{plain, f64, fixed(0.30000000000000004), `0.30000000000000004`}, {plain, f64, fixed(1e-5), `0.00001`}, {plain, f64, fixed(9.9e-6), `9.9e-6`}, {plain, f64, fixed(1e21), `1.0e21`},
		{plain, f64, fixed(9999999999.0), `9999999999.0`}, {plain, f64, fixed(1e10), `1.0e10`}, {plain, f64, fixed(-1.5e300), `-1.5e300`}, {plain, f64, fixed(5e-324), `5.0e-324`},
		{plain, f64, fixed(math.MaxFloat64), `1.7976931348623157e308`}, {plain, f64, fixed(math.NaN()), `null`}, {plain, f64, fixed(math.Inf(1)), `null`}, {plain, f64, fixed(math.Inf(-1)), `null`},
		{plain, f64, fixed(0.000015), `0.000015`}, {plain, f64, fixed(1.0000001), `1.0000001`}, {plain, f64, fixed(123456789.12345), `123456789.12345`},
		{plain, f32, fixed(float32(0.1)), `0.1`}, {plain, f32, fixed(float32(16777216)), `16777216.0`}, {plain, f32, fixed(float32(1e20)), `1.0e20`}, {plain, f32, fixed(float32(math.Inf(1))), `null`},
		{plain, arrow.PrimitiveTypes.Int64, fixed(int64(math.MinInt64)), `-9223372036854775808`}, {plain, arrow.PrimitiveTypes.Uint64, fixed(uint64(math.MaxUint64)), `18446744073709551615`},
		{plain, arrow.PrimitiveTypes.Int8, fixed(int8(-128)), `-128`}, {plain, arrow.PrimitiveTypes.Int16, fixed(int16(-7)), `-7`}, {plain, arrow.PrimitiveTypes.Uint8, fixed(uint8(255)), `255`},
		{plain, arrow.PrimitiveTypes.Uint16, fixed(uint16(10)), `10`}, {plain, arrow.PrimitiveTypes.Uint32, fixed(uint32(math.MaxUint32)), `4294967295`},
		{plain, dec(5, 3), fixed(decimal128.FromI64(10)), `0.010`}, {asString, dec(5, 3), fixed(decimal128.FromI64(-10)), `"-0.010"`}, {asBytes, dec(5, 3), fixed(decimal128.FromI64(10)), `"AAAAAAAAAAAAAAAAAAAACg=="`},
		{asBytes, dec(5, 3), fixed(decimal128.FromI64(-1)), `"/////////////////////w=="`}, {plain, dec(5, 0), fixed(decimal128.FromI64(0)), `0`}, {plain, dec(5, -2), fixed(decimal128.FromI64(7)), `700`}, {plain, dec(5, -2), fixed(decimal128.FromI64(0)), `0`},
		{plain, dec(38, 38), fixed(decimal128.FromI64(1)), `0.00000000000000000000000000000000000001`}, {plain, dec(38, 1), fixed(decimal128.New(5421010862427522170, 687399551400673279)), `9999999999999999999999999999999999999.9`},
		{plain, arrow.BinaryTypes.String, text("q\" b\\ n\n r\r t\t b\b f\f \x01 \x1f \x7f / <&> é 😀"), "\"q\\\" b\\\\ n\\n r\\r t\\t b\\b f\\f \\u0001 \\u001f \x7f / <&> é 😀\""},
		{plain, arrow.BinaryTypes.String, text("broken \xff utf-8 \xc3"), `"broken ` + "\ufffd utf-8 \ufffd" + `"`}, {plain, arrow.BinaryTypes.Binary, text("\x00\xff"), `"AP8="`}, {plain, &arrow.FixedSizeBinaryType{ByteWidth: 2}, text("\x0a\xff"), `"0aff"`},
		{plain, timestamp, fixed(int64(0)), `"1970-01-01T00:00:00"`}, {plain, timestamp, fixed(int64(-1)), `"1969-12-31T23:59:59.999999999"`}, {plain, timestamp, fixed(int64(1_500_000_000)), `"1970-01-01T00:00:01.500"`},
		{plain, timestamp, fixed(int64(math.MinInt64)), `"1677-09-21T00:12:43.145224192"`}, {plain, timestamp, fixed(int64(math.MaxInt64)), `"2262-04-11T23:47:16.854775807"`}, {plain, micros, fixed(int64(-1)), `"1969-12-31T23:59:59.999999"`},
		{plain, seconds, fixed(int64(-62135596800)), `"0001-01-01T00:00:00"`}, {plain, seconds, fixed(int64(253402300800)), `"+10000-01-01T00:00:00"`}, {plain, seconds, fixed(int64(-62167219201)), `"-0001-12-31T23:59:59"`}, {plain, millis, fixed(int64(1)), `"1970-01-01T00:00:00.001"`},
		{unixMillis, timestamp, fixed(int64(1_999_999)), `1`}, {unixMillis, timestamp, fixed(int64(-1_999_999)), `-1`}, {unixMillis, seconds, fixed(int64(-2)), `-2000`}, {unixMillis, millis, fixed(int64(5)), `5`}, {unixMillis, micros, fixed(int64(1001)), `1`},
		{unixMillis, arrow.FixedWidthTypes.Date32, fixed(int32(-1)), `-86400000`}, {plain, arrow.FixedWidthTypes.Date32, fixed(int32(19_782)), `"2024-02-29"`},
		{plain, arrow.FixedWidthTypes.Time64ns, fixed(int64(86_399_999_999_999)), `"23:59:59.999999999"`}, {unixMillis, arrow.FixedWidthTypes.Time32s, fixed(int32(3661)), `3661000`},
		{plain, arrow.FixedWidthTypes.MonthDayNanoInterval, interval(14, -3, 4*3600e9+5_250_000_000), `"14 mons -3 days 4 hours 5.250 secs"`}, {plain, arrow.FixedWidthTypes.MonthDayNanoInterval, interval(0, 0, 0), `"0 secs"`},
		{plain, arrow.FixedWidthTypes.MonthDayNanoInterval, interval(0, 0, -500_000_000), `"-0.500 secs"`}, {plain, arrow.FixedWidthTypes.MonthDayNanoInterval, interval(1, 0, 0), `"1 mons"`}, {plain, arrow.FixedWidthTypes.MonthDayNanoInterval, interval(0, 0, -90e9), `"-1 mins -30 secs"`},
	} {
		if got := one(t, c.o, nullable("v", c.t), c.fill); got != c.want {
			t.Errorf("%s: got %s, want %s", c.t, got, c.want)
		}
	}
}

func TestEmbeddedJSON(t *testing.T) {
	f := arrow.Field{Name: "v", Type: arrow.BinaryTypes.String, Metadata: jsonMark}
	for in, want := range map[string]string{
		`{"a": [1, 2.50], "b": "x\u0041"}`: `{"a":[1,2.50],"b":"xA"}`,
		"\"line\"\n":                       `"line"`,
		`123456789012345678901234567890`:   `123456789012345678901234567890`,
		`{"a":`:                            `"{\"a\":"`,
		``:                                 `""`,
		`1 2`:                              `"1 2"`,
	} {
		if got := one(t, json.EncoderOptions{}, f, text(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestSelectedRows(t *testing.T) {
	c := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for i := range int64(5) {
		c.Append(i)
	}
	s := schemaOf(nullable("v", c.DataType))
	e, err := json.NewEncoder(s, json.EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := &column.Batch{Schema: s, N: 5, Cols: []column.Vector{c}, Time: make([]int64, 5), Sel: []int32{1, 4}}
	if out, _ := e.Encode([]byte("> "), b); string(out) != "> {\"v\":1}\n{\"v\":4}\n" {
		t.Fatalf("%s", out)
	}
	b.Sel = []int32{}
	if out, _ := e.Encode(nil, b); len(out) != 0 {
		t.Fatalf("%s", out)
	}
	b.Sel = nil
	if out, _ := e.Encode(nil, b); strings.Count(string(out), "\n") != 5 {
		t.Fatalf("%s", out)
	}
}

func TestUnwritableTypes(t *testing.T) {
	m := arrow.MapOf(arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String)
	for _, typ := range []arrow.DataType{m, arrow.ListOf(m), arrow.StructOf(nullable("m", m))} {
		if _, err := json.NewEncoder(schemaOf(nullable("v", typ)), json.EncoderOptions{}); fault.As(err) == nil || fault.As(err).Code != fault.CodeUnsupported {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

var update = flag.Bool("update", false, "write the golden files")

// TestGolden writes rows of every type, with nulls, in all styles, and compares with testdata.
func TestGolden(t *testing.T) {
	inner := arrow.StructOf(nullable("x", arrow.PrimitiveTypes.Int64), nullable("tags", arrow.ListOf(arrow.BinaryTypes.String)), nullable("when", millis))
	schema := schemaOf(
		nullable("flag", arrow.FixedWidthTypes.Boolean), nullable("int", arrow.PrimitiveTypes.Int32), notNull("big", arrow.PrimitiveTypes.Int64),
		nullable("unsigned", arrow.PrimitiveTypes.Uint64), nullable("real", arrow.PrimitiveTypes.Float32), nullable("double", arrow.PrimitiveTypes.Float64),
		nullable("amount", &arrow.Decimal128Type{Precision: 12, Scale: 2}), nullable("text", arrow.BinaryTypes.String), nullable("bytes", arrow.BinaryTypes.Binary),
		nullable("ns", timestamp), nullable("s", seconds), arrow.Field{Name: "doc", Type: arrow.BinaryTypes.String, Nullable: true, Metadata: jsonMark},
		nullable("struct \"quoted\"", inner), nullable("list", arrow.ListOf(inner)))
	d, err := json.NewDecoder(schema, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.ReadFile("testdata/rows.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(in)) {
		if err := d.Decode([]byte(line), 0); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
	}
	b := d.Take()
	for name, o := range map[string]json.EncoderOptions{
		"plain":  {},
		"millis": {UnixMillis: true, Decimals: json.DecimalBytes},
		"schema": {IncludeSchema: true, Decimals: json.DecimalString},
	} {
		e, err := json.NewEncoder(schema, o)
		if err != nil {
			t.Fatal(err)
		}
		out, err := e.Encode(nil, b)
		if err != nil {
			t.Fatal(err)
		}
		path := "testdata/" + name + ".golden"
		if *update {
			if err := os.WriteFile(path, out, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil || string(want) != string(out) {
			t.Errorf("%s differs (go test -update writes it anew): %v\n%s", path, err, out)
		}
	}
}

package json_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/format/json"
)

var (
	timestamp = &arrow.TimestampType{Unit: arrow.Nanosecond}
	millis    = &arrow.TimestampType{Unit: arrow.Millisecond}
	seconds   = &arrow.TimestampType{Unit: arrow.Second}
	jsonMark  = arrow.MetadataFrom(map[string]string{"ARROW:extension:name": "arroyo.json"})
)

func nullable(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func notNull(name string, t arrow.DataType) arrow.Field { return arrow.Field{Name: name, Type: t} }

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

func decoder(t testing.TB, fields ...arrow.Field) *json.Decoder {
	t.Helper()
	d, err := json.NewDecoder(schemaOf(fields...), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// show decodes one frame and encodes it again; an error is shown as its text.
func show(t testing.TB, in string, fields ...arrow.Field) string {
	t.Helper()
	d := decoder(t, fields...)
	if err := d.Decode([]byte(in), 0); err != nil {
		e := fault.As(err)
		if e.Kind != fault.Data || e.Hint == "" || d.Rows() != 0 || d.Take().N != 0 {
			t.Errorf("%s: %+v, %d rows held", in, e, d.Rows())
		}
		return "error: " + e.Error()
	}
	return encode(t, d.Take())
}

func encode(t testing.TB, b *column.Batch) string {
	t.Helper()
	e, err := json.NewEncoder(b.Schema, json.EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Encode(nil, b)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(out), "\n")
}

// TestValues has one line per rule of reading a value; in is the value and want the value written again.
func TestValues(t *testing.T) {
	i64, i32, u64 := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Uint64
	u32, i8, u16 := arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Uint16
	f64, f32 := arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32
	text, boolean, binary := arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean, arrow.BinaryTypes.Binary
	dec := &arrow.Decimal128Type{Precision: 10, Scale: 3}
	big := &arrow.Decimal128Type{Precision: 38, Scale: 0}
	for _, c := range []struct {
		t        arrow.DataType
		in, want string
	}{
		{i64, `null`, `null`},
		{i64, `5.7`, `5`}, {i64, `-5.7`, `-5`}, {i64, `0.9`, `0`}, {i64, `-0`, `0`}, {i64, `-0.5`, `0`}, {i64, `1e3`, `1000`},
		{i64, `1.5e1`, `15`}, {i64, `1E+2`, `100`}, {i64, `12e-1`, `1`}, {i64, `0e99999999999999999999`, `0`},
		{i64, `9223372036854775807`, `9223372036854775807`}, {i64, `-9223372036854775808`, `-9223372036854775808`},
		{i64, `123456789012345678`, `123456789012345678`}, {i64, `1234567890123456789`, `1234567890123456789`},
		{i64, `"42"`, `42`}, {i64, `"-42"`, `-42`}, {i64, `"+42"`, `42`}, {i64, `"007"`, `7`}, {i64, `"\u0034"`, `4`},
		{i64, `"4.0"`, `! BIGINT, got a string (3 bytes) that is not an integer`},
		{i64, `" 4"`, `! BIGINT, got a string (2 bytes) that is not an integer`},
		{i64, `""`, `! BIGINT, got a string (0 bytes) that is not an integer`},
		{i64, `9223372036854775808`, `! BIGINT, got a number (19 bytes) that is out of range`},
		{i64, `-9223372036854775809`, `! BIGINT, got a number (20 bytes) that is out of range`},
		{i64, `1e19`, `! BIGINT, got a number (4 bytes) that is out of range`},
		{i64, `1e400`, `! BIGINT, got a number (5 bytes) that is out of range`},
		{i64, `true`, `! BIGINT, got a boolean (4 bytes)`}, {i64, `{}`, `! BIGINT, got an object (2 bytes)`}, {i64, `[1]`, `! BIGINT, got an array (3 bytes)`},
		{i32, `2147483647`, `2147483647`}, {i32, `-2147483648`, `-2147483648`}, {i32, `2147483648`, `! INT, got a number (10 bytes) that is out of range`},
		{i8, `-128`, `-128`}, {i8, `128`, `! TINYINT, got a number (3 bytes) that is out of range`}, {u16, `65535`, `65535`},
		{u64, `18446744073709551615`, `18446744073709551615`}, {u64, `18446744073709551616`, `! BIGINT UNSIGNED, got a number (20 bytes) that is out of range`},
		{u64, `-1`, `! BIGINT UNSIGNED, got a number (2 bytes) that is out of range`}, {u32, `4294967295`, `4294967295`}, {u32, `-0.3`, `0`},
		{f64, `1`, `1.0`}, {f64, `-0`, `-0.0`}, {f64, `0.1`, `0.1`}, {f64, `12345.67`, `12345.67`}, {f64, `0.30000000000000004`, `0.30000000000000004`},
		{f64, `1e21`, `1.0e21`}, {f64, `2.5e-7`, `2.5e-7`}, {f64, `1e400`, `! DOUBLE, got a number (5 bytes) that is out of range`},
		{f64, `1e-400`, `0.0`}, {f64, `9007199254740993`, `9.007199254740992e15`}, {f64, `"1.5"`, `1.5`}, {f64, `"1e2"`, `100.0`}, {f64, `"NaN"`, `null`},
		{f64, `"-Infinity"`, `null`}, {f64, `"0x10"`, `! DOUBLE, got a string (4 bytes) that is not a number`}, {f64, `"1_0"`, `! DOUBLE, got a string (3 bytes) that is not a number`},
		{f64, `""`, `! DOUBLE, got a string (0 bytes) that is not a number`}, {f64, `false`, `! DOUBLE, got a boolean (5 bytes)`},
		{f32, `0.1`, `0.1`}, {f32, `16777217`, `16777216.0`}, {f32, `1e39`, `! FLOAT, got a number (4 bytes) that is out of range`},
		{dec, `1.2345`, `1.234`}, {dec, `-1.2349`, `-1.234`}, {dec, `1e-2`, `0.010`}, {dec, `"1e2"`, `100.000`}, {dec, `0`, `0.000`}, {dec, `-0.0001`, `0.000`},
		{dec, `9999999.999`, `9999999.999`}, {dec, `10000000`, `! DECIMAL(10,3), got a number (8 bytes) that is out of range`},
		{dec, `0.00000000000000000000000000000000000000000000000001e50`, `1.000`}, {dec, `1e999999999999`, `! DECIMAL(10,3), got a number (14 bytes) that is out of range`},
		{dec, `"x"`, `! DECIMAL(10,3), got a string (1 byte) that is not a number`},
		{big, `99999999999999999999999999999999999999`, `99999999999999999999999999999999999999`},
		{big, `-99999999999999999999999999999999999999`, `-99999999999999999999999999999999999999`},
		{big, `100000000000000000000000000000000000000`, `! DECIMAL(38,0), got a number (39 bytes) that is out of range`},
		{&arrow.Decimal128Type{Precision: 5, Scale: -2}, `12345`, `12300`},
		{text, `"plain"`, `"plain"`}, {text, `""`, `""`}, {text, `"a string longer than a view"`, `"a string longer than a view"`},
		{text, `"\"\\\/\b\f\n\r\t\u00e9\u0001"`, `"\"\\/\b\f\n\r\té\u0001"`}, {text, `"\ud83d\ude00 grin"`, `"😀 grin"`}, {text, `"żółw, 🐢"`, `"żółw, 🐢"`}, {text, `"\u0000"`, `"\u0000"`},
		{text, `"</script>&"`, `"</script>&"`},
		{text, `5`, `! TEXT, got a number (1 byte)`}, {text, `true`, `! TEXT, got a boolean (4 bytes)`}, {text, `{"a":[]}`, `! TEXT, got an object (8 bytes)`},
		{boolean, `true`, `true`}, {boolean, `false`, `false`}, {boolean, `"true"`, `! BOOLEAN, got a string (4 bytes)`}, {boolean, `0`, `! BOOLEAN, got a number (1 byte)`},
		{binary, `"AAEC/w=="`, `"AAEC/w=="`}, {binary, `"AAEC/w"`, `"AAEC/w=="`}, {binary, `"?"`, `! BYTEA, got a string (1 byte) that is not base64`}, {binary, `""`, `""`},
		{binary, `"AA\nEC"`, `! BYTEA, got a string (6 bytes) that is not base64`},
		{&arrow.FixedSizeBinaryType{ByteWidth: 2}, `"00fF"`, `"00ff"`}, {&arrow.FixedSizeBinaryType{ByteWidth: 2}, `"00"`, `! BYTEA, got a string (2 bytes) that is not the right number of hexadecimal digits`},
		{timestamp, `"2023-09-18T13:24:00Z"`, `"2023-09-18T13:24:00"`}, {timestamp, `"2023-09-18 13:24:00.5"`, `"2023-09-18T13:24:00.500"`},
		{timestamp, `"2023-09-18t13:24:00.123456z"`, `"2023-09-18T13:24:00.123456"`}, {timestamp, `"2023-09-18T13:24:00.1234567891"`, `"2023-09-18T13:24:00.123456789"`},
		{timestamp, `"2023-09-18T13:24:00+02:00"`, `"2023-09-18T11:24:00"`}, {timestamp, `"2023-09-18T13:24:00-0530"`, `"2023-09-18T18:54:00"`}, {timestamp, `"2023-09-18T13:24:00+01"`, `"2023-09-18T12:24:00"`},
		{timestamp, `"2023-09-18"`, `"2023-09-18T00:00:00"`}, {timestamp, `"2023-09-18T132400"`, `"2023-09-18T13:24:00"`}, {timestamp, `"2023-09-18T132400.25Z"`, `"2023-09-18T13:24:00.250"`},
		{timestamp, `"2023-09-18T13:24"`, `"2023-09-18T13:24:00"`}, {timestamp, `"2024-02-29T00:00:00\u005a"`, `"2024-02-29T00:00:00"`}, {timestamp, `"1969-12-31T23:59:59.999999999Z"`, `"1969-12-31T23:59:59.999999999"`},
		{timestamp, `"1677-09-21T00:12:43.145224192Z"`, `"1677-09-21T00:12:43.145224192"`}, {timestamp, `"2262-04-11T23:47:16.854775807Z"`, `"2262-04-11T23:47:16.854775807"`},
		{timestamp, `"1677-09-21T00:12:43.145224191Z"`, `! TIMESTAMP, got a string (30 bytes) that is out of range`}, {timestamp, `"2262-04-11T23:47:16.854775808Z"`, `! TIMESTAMP, got a string (30 bytes) that is out of range`},
		{timestamp, `"2023-02-29"`, `! TIMESTAMP, got a string (10 bytes) that is not a date and time`}, {timestamp, `"2023-09-18T24:00:00Z"`, `! TIMESTAMP, got a string (20 bytes) that is not a date and time`},
		{timestamp, `"2023-13-01T00:00:00Z"`, `! TIMESTAMP, got a string (20 bytes) that is not a date and time`}, {timestamp, `"2023-09-18T13:24:00."`, `! TIMESTAMP, got a string (20 bytes) that is not a date and time`},
		{timestamp, `"1700000000"`, `! TIMESTAMP, got a string (10 bytes) that is not a date and time`}, {timestamp, `"2023-09-18T13:24:00Zjunk"`, `! TIMESTAMP, got a string (24 bytes) that is not a date and time`},
		{timestamp, `1695043440000000001`, `"2023-09-18T13:24:00.000000001"`}, {timestamp, `-1`, `"1969-12-31T23:59:59.999999999"`}, {timestamp, `1.9`, `"1970-01-01T00:00:00.000000001"`},
		{timestamp, `true`, `! TIMESTAMP, got a boolean (4 bytes)`}, {timestamp, `1e30`, `! TIMESTAMP, got a number (4 bytes) that is out of range`},
		{millis, `1695043440123`, `"2023-09-18T13:24:00.123"`}, {millis, `"2023-09-18T13:24:00.1239"`, `"2023-09-18T13:24:00.123"`}, {millis, `"1969-12-31T23:59:59.9999"`, `"1969-12-31T23:59:59.999"`},
		{millis, `9223372036855000`, `! TIMESTAMP, got a number (16 bytes) that is out of range`}, {millis, `"9999-12-31T23:59:59.9999"`, `"9999-12-31T23:59:59.999"`}, {timestamp, `"9999-01-01"`, `! TIMESTAMP, got a string (10 bytes) that is out of range`}, {seconds, `253402300800`, `! TIMESTAMP, got a number (12 bytes) that is out of range`},
		{seconds, `-1`, `"1969-12-31T23:59:59"`}, {&arrow.TimestampType{Unit: arrow.Microsecond}, `1`, `"1970-01-01T00:00:00.000001"`},
		{arrow.FixedWidthTypes.Date32, `"2023-09-18"`, `"2023-09-18"`}, {arrow.FixedWidthTypes.Date32, `-1`, `"1969-12-31"`}, {arrow.FixedWidthTypes.Date32, `1695043440000`, `"2023-09-18"`}, {arrow.FixedWidthTypes.Date32, `-86400001`, `"1969-12-30"`}, {arrow.FixedWidthTypes.Date32, `1e30`, `! DATE, got a number (4 bytes) that is out of range`}, {arrow.FixedWidthTypes.Date32, `"2023-9-18"`, `! DATE, got a string (9 bytes) that is not a date`},
		{arrow.FixedWidthTypes.Time64ns, `"13:24:00.5"`, `"13:24:00.500"`}, {arrow.FixedWidthTypes.Time32s, `61999`, `"00:01:01"`}, {arrow.FixedWidthTypes.Time64ns, `86399999`, `"23:59:59.999"`}, {arrow.FixedWidthTypes.Time32ms, `"00:00:00.0019"`, `"00:00:00.001"`},
		{arrow.FixedWidthTypes.Time64ns, `86400000`, `! TIME, got a number (8 bytes) that is out of range`}, {arrow.FixedWidthTypes.Time64ns, `"25:00:00"`, `! TIME, got a string (8 bytes) that is not a time of day`},
		{arrow.ListOf(i64), `[ 1 , null,"3" ]`, `[1,null,3]`}, {arrow.ListOf(i64), `[]`, `[]`}, {arrow.ListOf(i64), `{}`, `! BIGINT[], got an object (2 bytes)`},
		{arrow.ListOfNonNullable(i64), `[1,null]`, `!v[] BIGINT NOT NULL, got null`}, {arrow.ListOf(i64), `[1,"x"]`, `!v[] BIGINT, got a string (1 byte) that is not an integer`},
		{arrow.ListOf(arrow.ListOf(text)), `[["a"],[],null,["b",null]]`, `[["a"],[],null,["b",null]]`},
		{arrow.StructOf(nullable("x", i64), nullable("y", text)), `{"y":"b","z":{"q":[1,2]}}`, `{"x":null,"y":"b"}`}, {arrow.StructOf(nullable("x", i64)), `{}`, `{"x":null}`},
		{arrow.StructOf(nullable("x", i64)), `[]`, `! STRUCT, got an array (2 bytes)`}, {arrow.StructOf(nullable("x", i64)), `{"x":"q"}`, `!v.x BIGINT, got a string (1 byte) that is not an integer`},
		{arrow.StructOf(notNull("x", i64)), `{}`, `{"x":null}`}, {arrow.ListOf(arrow.StructOf(nullable("x", text))), `[{"x":"1"},null,{}]`, `[{"x":"1"},null,{"x":null}]`},
	} {
		got := show(t, `{"v":`+c.in+`}`, nullable("v", c.t))
		want := `{"v":` + c.want + `}`
		if rest, ok := strings.CutPrefix(c.want, "!"); ok {
			path, rest, _ := strings.Cut(rest, " ")
			if path == "" {
				path = "v"
			}
			want = `error: column "` + path + `": expected ` + rest
		}
		if got != want {
			t.Errorf("%s from %s\n got %s\nwant %s", c.t, c.in, got, want)
		}
	}
}

func TestJSONColumns(t *testing.T) {
	f := arrow.Field{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true, Metadata: jsonMark}
	for in, want := range map[string]string{
		`{"v": { "a" : [ 1 , 2.50, "x y" ] , "b":null}}`: `{"a":[1,2.50,"x y"],"b":null}`,
		`{"v":"quoted \" \u0041\n"}`:                     `"quoted \" A\n"`,
		`{"v":true}`:                                     `true`,
		`{"v":-1e400}`:                                   `-1e400`,
		`{"v":[]}`:                                       `[]`,
		`{"v":{"long":"enough to need a buffer"}}`:       `{"long":"enough to need a buffer"}`,
	} {
		d := decoder(t, f)
		if err := d.Decode([]byte(in), 0); err != nil {
			t.Fatal(err)
		}
		b := d.Take()
		if got := b.Cols[0].(*column.Bytes).Str(0); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
		if got := encode(t, b); got != `{"v":`+want+`}` {
			t.Errorf("%s: written as %s", in, got)
		}
	}
	if got := show(t, `{"v":null}`, f); got != `{"v":null}` {
		t.Error(got)
	}
}

func TestObjects(t *testing.T) {
	a, b := nullable("a", arrow.PrimitiveTypes.Int64), nullable("b", arrow.BinaryTypes.String)
	odd := nullable("q\"uote", arrow.PrimitiveTypes.Int64)
	for in, want := range map[string]string{
		`{}`: `{"a":null,"b":null}`,
		" \t\r\n{ \"a\" : 1 , \"b\" : \"x\" } \n": `{"a":1,"b":"x"}`,
		`{"b":"x","a":1}`:                         `{"a":1,"b":"x"}`,
		`{"A":2,"a":1,"a ":3}`:                    `{"a":1,"b":null}`,
		`{"\u0061":1}`:                            `{"a":1,"b":null}`,
		`{"a":1,"a":2}`:                           `{"a":2,"b":null}`,
		`{"a":"no","a":2,"b":"x","b":"y"}`:        `{"a":2,"b":"y"}`,
		`{"a":1,"a":null}`:                        `{"a":null,"b":null}`,
		`{"x":[{"y":[1,{}]},"s",1e999],"a":1}`:    `{"a":1,"b":null}`,
		`{"":0,"a":1}`:                            `{"a":1,"b":null}`,
	} {
		if got := show(t, in, a, b); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	if got := show(t, `{"q\"uote":5}`, odd); got != `{"q\"uote":5}` {
		t.Error(got)
	}
	if got := show(t, `{"a":1}`); got != `{}` {
		t.Error(got)
	}
	if got := show(t, `{}`, notNull("a", arrow.PrimitiveTypes.Int64)); got != `error: column "a": expected BIGINT NOT NULL, got no such key` {
		t.Error(got)
	}
	if got := show(t, `{"a":null}`, notNull("a", arrow.PrimitiveTypes.Int64)); got != `error: column "a": expected BIGINT NOT NULL, got null` {
		t.Error(got)
	}
}

func TestNotJSON(t *testing.T) {
	deep := strings.Repeat("[", 127)
	for in, want := range map[string]string{
		``:                         `(byte 1): it is blank`,
		" \n":                      `(byte 1): it is blank`,
		`[1]`:                      `(byte 1): an array instead of an object`,
		`5`:                        `(byte 1): a number instead of an object`,
		`null`:                     `(byte 1): null instead of an object`,
		`hello`:                    `(byte 1): no value where one should be`,
		`{`:                        `(byte 2): it ends where a key should be`,
		`{"a"`:                     `(byte 5): it ends after a key`,
		`{"a":`:                    `(byte 6): it ends where a value should be`,
		`{"a":1`:                   `(byte 7): it ends before a closing }`,
		`{"a":1,`:                  `(byte 8): it ends where a key should be`,
		`{"a":1,}`:                 `(byte 8): no key in quotes where one should be`,
		`{,"a":1}`:                 `(byte 2): no key in quotes where one should be`,
		`{"a" 1}`:                  `(byte 6): no colon after a key`,
		`{"a":1 "b":2}`:            `(byte 8): neither a comma nor a closing }`,
		`{"a":1}x`:                 `(byte 8): something follows the object`,
		`{"a":1}{"a":2}`:           `(byte 8): something follows the object`,
		`{"a":01}`:                 `(byte 7): neither a comma nor a closing }`,
		`{"a":-}`:                  `(byte 7): a number without digits`,
		`{"a":+1}`:                 `(byte 6): no value where one should be`,
		`{"a":1.}`:                 `(byte 7): a number with nothing after its point`,
		`{"a":.5}`:                 `(byte 6): no value where one should be`,
		`{"a":1e}`:                 `(byte 8): a number with an empty exponent`,
		`{"a":nul}`:                `(byte 6): no value where one should be`,
		`{"a":nulls}`:              `(byte 10): neither a comma nor a closing }`,
		`{"a":[1,]}`:               `(byte 9): no value where one should be`,
		`{"a":[1}`:                 `(byte 8): neither a comma nor a closing ]`,
		`{"b":"x`:                  `(byte 8): a string has no end`,
		`{"b":"x\`:                 `(byte 8): an escape is cut off`,
		`{"b":"\q"}`:               `(byte 7): an unknown escape`,
		`{"b":"\u12"}`:             `(byte 7): an incomplete \u escape`,
		`{"b":"\ud800"}`:           `(byte 7): half of a surrogate pair`,
		`{"b":"\ud800\u0041"}`:     `(byte 7): half of a surrogate pair`,
		`{"b":"\udc00\ud800"}`:     `(byte 7): half of a surrogate pair`,
		"{\"b\":\"a\tb\"}":         `(byte 8): a control character inside a string`,
		"{\"b\":\"a\x00b\"}":       `(byte 8): a control character inside a string`,
		"{\"a\":1}\x00":            `(byte 8): something follows the object`,
		"\x00{\"a\":1}":            `(byte 1): no value where one should be`,
		"{\"b\":\"\xff\"}":         `(byte 7): a string is not valid UTF-8`,
		"{\"b\":\"\xc3\"}":         `(byte 7): a string is not valid UTF-8`,
		"{\"b\":\"\xed\xa0\x80\"}": `(byte 7): a string is not valid UTF-8`,
		"{\"\xff\":1}":             `(byte 3): a string is not valid UTF-8`,
		"\ufeff{\"a\":1}":          `(byte 1): no value where one should be`,
		`{"a":"x","z":tru}`:        `(byte 14): no value where one should be`,
		`{"z":` + deep + `[`:       `(byte 133): it nests deeper than 128 levels`,
		`{"z":` + deep + `{`:       `(byte 133): it nests deeper than 128 levels`,
		`{'a':1}`:                  `(byte 2): no key in quotes where one should be`,
		`{"a":1/**/}`:              `(byte 7): neither a comma nor a closing }`,
		`{"a":NaN}`:                `(byte 6): no value where one should be`,
	} {
		got := show(t, in, nullable("a", arrow.PrimitiveTypes.Int64), nullable("b", arrow.BinaryTypes.String))
		if want := "error: not a JSON object " + want; got != want {
			t.Errorf("%q\n got %s\nwant %s", in, got, want)
		}
	}
	ok := `{"z":` + deep + strings.Repeat("]", 127) + `}`
	if got := show(t, ok, nullable("a", arrow.PrimitiveTypes.Int64)); got != `{"a":null}` {
		t.Error(got)
	}
}

// TestBadFrameLeavesNothing puts bad frames between good ones, with nested columns half filled when they fail.
func TestBadFrameLeavesNothing(t *testing.T) {
	inner := arrow.StructOf(nullable("x", arrow.PrimitiveTypes.Int64), nullable("l", arrow.ListOf(arrow.StructOf(nullable("y", arrow.BinaryTypes.String)))))
	d := decoder(t, nullable("s", inner), nullable("t", arrow.BinaryTypes.String), notNull("n", arrow.PrimitiveTypes.Int32))
	good := `{"s":{"x":1,"l":[{"y":"a string beyond twelve"},null]},"t":"another long string here","n":7}`
	bad := []string{
		`{"t":"x","s":{"x":1,"l":[{"y":"a"},{"y":5}]},"n":1}`,
		`{"t":"x","s":{"x":1,"l":[{"y":"a"},{"y":"`,
		`{"s":{"l":[{"y":"a"}],"x":"one"},"n":1}`,
		`{"s":null,"t":"gone"}`,
		`{"s":{"x":1,"l":[]},"t":"x","n":7} {}`,
	}
	var want []string
	for range 3 {
		for i := range 70 {
			if err := d.Decode([]byte(good), int64(i)); err != nil {
				t.Fatal(err)
			}
			want = append(want, good)
			if err := d.Decode([]byte(bad[i%len(bad)]), 0); err == nil {
				t.Fatal("accepted: " + bad[i%len(bad)])
			}
		}
		b := d.Take()
		if b.N != 70 || b.Time[69] != 69 || d.Rows() != 0 {
			t.Fatalf("%d rows", b.N)
		}
		for _, c := range b.Cols {
			if c.Len() != 70 {
				t.Fatalf("a column of %d rows", c.Len())
			}
		}
		if got := encode(t, b); got != strings.Join(want, "\n") {
			t.Fatal(got)
		}
		want = want[:0]
	}
}

func TestNeeded(t *testing.T) {
	inner := arrow.StructOf(nullable("x", arrow.PrimitiveTypes.Int64), nullable("y", arrow.BinaryTypes.String))
	schema := schemaOf(nullable("a", arrow.PrimitiveTypes.Int64), nullable("s", inner), notNull("n", arrow.BinaryTypes.String), nullable("d.e", arrow.PrimitiveTypes.Int64))
	d, err := json.NewDecoder(schema, nil, []string{"s.y", "d.e"})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"a":1,"s":{"x":2,"y":"z"},"n":"m","d.e":9}`: ``,
		`{"a":"any string","n":"m"}`:                  ``,
		`{"a":1e999,"n":"m"}`:                         ``,
		`{"a":true,"n":"m"}`:                          `column "a": expected BIGINT, got a boolean (4 bytes)`,
		`{"a":1}`:                                     `column "n": expected TEXT NOT NULL, got no such key`,
		`{"n":null}`:                                  `column "n": expected TEXT NOT NULL, got null`,
		`{"a":1..2,"n":"m"}`:                          `not a JSON object (byte 7): a number with nothing after its point`,
		`{"s":{"x":[]},"n":"m"}`:                      `column "s.x": expected BIGINT, got an array (2 bytes)`,
	} {
		err := d.Decode([]byte(in), 1)
		if (err == nil) != (want == "") || (err != nil && err.Error() != want) {
			t.Errorf("%s: %v", in, err)
		}
	}
	for range 2 {
		d.Take()
		if err := d.Decode([]byte(`{"a":1,"s":{"x":2,"y":"z"},"n":"m","d.e":9}`), 1); err != nil {
			t.Fatal(err)
		}
		if err := d.Decode([]byte(`{"s":null,"n":"m"}`), 1); err != nil {
			t.Fatal(err)
		}
		want := `{"a":null,"s":{"x":null,"y":"z"},"n":null,"d.e":9}` + "\n" + `{"a":null,"s":null,"n":null,"d.e":null}`
		if got := encode(t, d.Take()); got != want {
			t.Fatal(got)
		}
	}
}

func TestMetadataIsFilledBySource(t *testing.T) {
	schema := schemaOf(nullable("a", arrow.PrimitiveTypes.Int64), notNull("m", arrow.PrimitiveTypes.Int32))
	d, err := json.NewDecoder(schema, []string{"", "partition"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p := int32(3)
	d.SetMetadata(func(i int, to column.Appender) {
		if i != 1 {
			t.Fatal(i)
		}
		to.(*column.Fixed[int32]).Append(p)
	})
	for _, in := range []string{`{"a":1,"m":100}`, `{"a":"bad"}`, `{"a":2}`} {
		err := d.Decode([]byte(in), 0)
		if (err != nil) != strings.Contains(in, "bad") {
			t.Fatal(err)
		}
		p++
	}
	if got := encode(t, d.Take()); got != "{\"a\":1,\"m\":3}\n{\"a\":2,\"m\":5}" {
		t.Fatal(got)
	}
}

// TestSharedMemory checks that long strings of many frames in one buffer are not copied, and that one buffer serves all.
func TestSharedMemory(t *testing.T) {
	line := `{"t":"a string beyond twelve bytes","u":"escaped \n and beyond twelve"}` + "\n"
	all := append([]byte(strings.Repeat(line, 1000)), make([]byte, 1<<20)...)
	data := all[:len(line)*1000]
	d := decoder(t, nullable("t", arrow.BinaryTypes.String), nullable("u", arrow.BinaryTypes.String))
	for l := range bytes.Lines(data) {
		l = l[: len(l) : cap(data)-(cap(data)-cap(l))]
		if err := d.Decode(l, 0); err != nil {
			t.Fatal(err)
		}
	}
	b := d.Take()
	shared := b.Cols[0].(*column.Bytes)
	if n := len(shared.Buffers); n > 2 {
		t.Errorf("%d buffers for frames of one", n)
	}
	if n := shared.Size(); n > 16*1000+len(line)*1000 {
		t.Errorf("a size of %d bytes", n)
	}
	if got := strings.Count(encode(t, b), "beyond twelve"); got != 2000 {
		t.Fatal(got)
	}
}

func TestFramesOfTheirOwn(t *testing.T) {
	d := decoder(t, nullable("t", arrow.BinaryTypes.String))
	for range 3 {
		for i := range 5000 {
			frame := []byte(`{"t":"` + strings.Repeat("x", 20+i%30) + `"}`)
			if err := d.Decode(frame, 0); err != nil {
				t.Fatal(err)
			}
			clear(frame[6:])
			copy(frame, `{"t":"`)
		}
		b := d.Take()
		c := b.Cols[0].(*column.Bytes)
		if len(c.Buffers) > 10 {
			t.Fatalf("%d buffers", len(c.Buffers))
		}
		for i := range b.N {
			if c.Str(i) != strings.Repeat("x", 20+i%30) {
				t.Fatalf("row %d is %q", i, c.Str(i))
			}
		}
	}
}

func TestHugeValues(t *testing.T) {
	long := strings.Repeat("0123456789", 1<<20)
	d := decoder(t, nullable("t", arrow.BinaryTypes.String), nullable("n", arrow.PrimitiveTypes.Int64))
	for _, in := range []string{`{"t":"` + long + `"}`, `{"t":"\n` + long + `"}`} {
		if err := d.Decode([]byte(in), 0); err != nil {
			t.Fatal(err)
		}
	}
	c := d.Take().Cols[0].(*column.Bytes)
	if c.Str(0) != long || c.Str(1) != "\n"+long {
		t.Fatal("the long string is damaged")
	}
	if err := d.Decode([]byte(`{"n":`+long+`}`), 0); err == nil || strings.Contains(err.Error(), "0123456789") {
		t.Fatal("a number of ten million digits")
	}
}

func TestManyUnknownKeys(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"a":1`)
	for i := range 5000 {
		b.WriteString(`,"k` + strings.Repeat("x", i%200) + string(rune('a'+i%26)) + `":0`)
	}
	b.WriteString(`}`)
	d := decoder(t, nullable("a", arrow.PrimitiveTypes.Int64))
	for range 3 {
		if err := d.Decode([]byte(b.String()), 0); err != nil {
			t.Fatal(err)
		}
	}
	if got := encode(t, d.Take()); got != "{\"a\":1}\n{\"a\":1}\n{\"a\":1}" {
		t.Fatal(got)
	}
}

func TestNoAllocationPerRow(t *testing.T) {
	data := benchRecords(2000)
	d, err := json.NewDecoder(benchSchema, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	round := func() {
		for line := range bytes.Lines(data) {
			if err := d.Decode(line[:len(line)-1], 0); err != nil {
				t.Fatal(err)
			}
		}
		d.Take()
	}
	round()
	if n := testing.AllocsPerRun(5, round); n > 20 {
		t.Fatalf("%v allocations for 2000 rows", n)
	}
}

func TestMember(t *testing.T) {
	d := decoder(t, nullable("v", arrow.PrimitiveTypes.Int64))
	if err := d.Decode([]byte(`{"v":1}`), 0); err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		`{"p":1}`: "1", ` { "a" : [1,{"p":2}] , "p" : {"x": "}"} } `: `{"x": "}"}`, `{"p":1,"q":2,"p":null}`: "null", `{"\u0070":"x"}`: `"x"`,
		`{}`: "", `{"q":1}`: "", `[{"p":1}]`: "", `5`: "", ``: "", `{"p":1`: "", `{"p":1}x`: "", `{"p":1,}`: "", `{"p":}`: "", `{"p" 1}`: "", `{"p":1 "q":2}`: "", `{p:1}`: "", `{"p":"\x"}`: "",
	} {
		if got := d.Member([]byte(in), "p"); string(got) != want || (got == nil) != (want == "") {
			t.Errorf("%s: %q", in, got)
		}
	}
	if d.Rows() != 1 {
		t.Error("rows are gone")
	}
}

func TestUnsupportedTypes(t *testing.T) {
	for _, typ := range []arrow.DataType{arrow.FixedWidthTypes.Duration_ms, arrow.MapOf(arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String),
		arrow.ListOf(arrow.StructOf(nullable("x", arrow.FixedWidthTypes.Duration_ms)))} {
		_, err := json.NewDecoder(schemaOf(nullable("v", typ)), nil, nil)
		if e := fault.As(err); e == nil || e.Kind != fault.User || e.Code != fault.CodeUnsupported {
			t.Errorf("%s: %v", typ, err)
		}
	}
}

func TestFloatsAreExact(t *testing.T) {
	d := decoder(t, nullable("v", arrow.PrimitiveTypes.Float64))
	for _, v := range []float64{math.MaxFloat64, math.SmallestNonzeroFloat64, 5e-324, 1.7976931348623157e308, 0.30000000000000004, 1e22, 1e23, 123456789.123456789, 9007199254740991, 4503599627370497.5} {
		for _, s := range []string{floatText(v, 'g'), floatText(v, 'f'), floatText(v, 'e')} {
			if err := d.Decode([]byte(`{"v":`+s+`}`), 0); err != nil {
				t.Fatal(err)
			}
			b := d.Take()
			if got := b.Cols[0].(*column.Fixed[float64]).Values[0]; got != v {
				t.Errorf("%s: got %v", s, got)
			}
		}
	}
}

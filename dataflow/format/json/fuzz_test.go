package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format/json"
)

var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F][0-9a-fA-F]{2}`)

// validObject is what encoding/json and package unicode/utf8 say of a frame. Escaped surrogates are left out of the
// comparison, since encoding/json takes lone ones.
func validObject(frame []byte) bool {
	return stdjson.Valid(frame) && utf8.Valid(frame) && bytes.HasPrefix(bytes.TrimLeft(frame, " \t\r\n"), []byte("{"))
}

func depth(frame []byte) int {
	most, now, inString := 0, 0, false
	for i := 0; i < len(frame); i++ {
		switch c := frame[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			now++
			most = max(most, now)
		case c == '}' || c == ']':
			now--
		}
	}
	return most
}

// FuzzDecode checks that the decoder accepts exactly the JSON objects when no column can refuse a value, that a typed
// one agrees with itself about whole columns whatever came before, and that nothing panics.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"a":1,"b":"x","c":[1,2],"d":{"e":null}}`, `{"a":1.5e3,"t":"2024-01-02T03:04:05.678Z"}`, ` {"b":"\u00e9\ud83d\ude00\n"} `,
		`{"j":{"x": [1, "a b", true]}, "s":{"x":5,"l":[{"y":"z"}]}}`, `{"a":"12","a":13}`, "{\"b\":\"\xff\"}", `{"d":1.25,"y":"AAEC","f":0.1,"i":-2147483648}`,
		`{"a":1}{"a":2}`, `{"a":01}`, `{"a":1e400}`, `{"b":"` + strings.Repeat("long ", 20) + `"}`, `[[[[`, `{"a":{"a":{"a":{}}}}`, `{"b":"\ud800"}`,
		`{"u":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11","m":{"a":1,"a":2},"k":{"1":["1 day 2 hours"],"01":[]},"o":1704067200000,"h":45296789,"z":"2024-01-01T00:00:00+01"}`,
		`{"payload":{"a":1},"schema":null}`,
	} {
		f.Add([]byte(s))
	}
	any := arrow.Field{Name: "\x00", Type: arrow.BinaryTypes.String, Nullable: true}
	open := decoder(f, any)
	fields := []arrow.Field{
		nullable("a", arrow.PrimitiveTypes.Int64), nullable("b", arrow.BinaryTypes.String), nullable("t", timestamp),
		nullable("d", &arrow.Decimal128Type{Precision: 20, Scale: 4}), nullable("f", arrow.PrimitiveTypes.Float64), nullable("i", arrow.PrimitiveTypes.Int32),
		nullable("y", arrow.BinaryTypes.Binary), nullable("c", arrow.ListOf(arrow.PrimitiveTypes.Float32)),
		{Name: "j", Type: arrow.BinaryTypes.String, Nullable: true, Metadata: jsonMark},
		nullable("s", arrow.StructOf(nullable("x", arrow.PrimitiveTypes.Int64), nullable("l", arrow.ListOf(arrow.StructOf(nullable("y", arrow.BinaryTypes.String)))))),
		nullable("u", expr.UUID), nullable("m", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64)), nullable("k", arrow.MapOf(arrow.PrimitiveTypes.Int8, arrow.ListOf(expr.Interval))),
		nullable("o", arrow.FixedWidthTypes.Date32), nullable("h", arrow.FixedWidthTypes.Time64ns), nullable("z", &arrow.TimestampType{Unit: arrow.Second, TimeZone: "UTC"}),
	}
	typed := decoder(f, fields...)
	none, err := json.NewDecoder(schemaOf(fields...), nil, []string{})
	if err != nil {
		f.Fatal(err)
	}
	good := []byte(`{"a":7,"b":"a string beyond twelve","s":{"x":1,"l":[{"y":"q"}]},"c":[1.5]}`)
	f.Fuzz(func(t *testing.T, frame []byte) {
		err := open.Decode(frame, 0)
		want := validObject(frame)
		if (err == nil) != want && !surrogate.Match(frame) && !(want && depth(frame) > 128) {
			t.Fatalf("%q: encoding/json says %v, the decoder %v", frame, want, err)
		}
		open.Take()
		if member := open.Member(frame, "payload"); member != nil && (!stdjson.Valid(member) || !want && !surrogate.Match(frame)) {
			t.Fatalf("%q: the payload is %q", frame, member)
		}
		if e := none.Decode(frame, 0); e == nil && err != nil {
			t.Fatalf("%q: accepted when no column is read", frame)
		}
		none.Take()
		checkTyped(t, typed, fields, frame, good, err == nil)
	})
}

// checkTyped decodes the frame between two good ones.
func checkTyped(t *testing.T, d *json.Decoder, fields []arrow.Field, frame, good []byte, valid bool) {
	if err := d.Decode(good, 0); err != nil {
		t.Fatal(err)
	}
	err := d.Decode(frame, 0)
	if err == nil && !valid {
		t.Fatalf("%q: accepted though it is no JSON object", frame)
	}
	if err != nil && fault.As(err).Kind != fault.Data {
		t.Fatalf("%q: %v", frame, err)
	}
	if err := d.Decode(good, 0); err != nil {
		t.Fatal(err)
	}
	b := d.Take()
	for _, c := range b.Cols {
		if c.Len() != b.N {
			t.Fatalf("%q: %d rows, a column has %d", frame, b.N, c.Len())
		}
	}
	lines := strings.Split(encode(t, b), "\n")
	if lines[0] != lines[len(lines)-1] || len(lines) != b.N {
		t.Fatalf("%q: the rows around it are\n%s", frame, strings.Join(lines, "\n"))
	}
	if err != nil {
		return
	}
	again := decoder(t, fields...)
	if err := again.Decode([]byte(lines[1]), 0); err != nil {
		t.Fatalf("%q: written as %s, which is refused: %v", frame, lines[1], err)
	}
	if got := encode(t, again.Take()); got != lines[1] && !strings.Contains(lines[1], "e") {
		t.Fatalf("%q: written as %s and then %s", frame, lines[1], got)
	}
}

// FuzzEmbed checks that a JSON column never breaks the row that it is written into.
func FuzzEmbed(f *testing.F) {
	for _, s := range []string{``, `{"a": 1}`, "\"line\nbreak\"", `{`, "\xff", `"\ud800"`, ` [1 , 2] x`, "[1,\n2]", `null`, "\x00"} {
		f.Add(s)
	}
	field := arrow.Field{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true, Metadata: jsonMark}
	e, err := json.NewEncoder(schemaOf(field), json.EncoderOptions{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c := column.NewBytes(field.Type)
		c.AppendString(text)
		out, err := e.Encode(nil, &column.Batch{Schema: schemaOf(field), N: 1, Cols: []column.Vector{c}, Time: []int64{0}})
		if err != nil || !stdjson.Valid(out) || !utf8.Valid(out) || bytes.Count(out, []byte("\n")) != 1 {
			t.Fatalf("%q: %s %v", text, out, err)
		}
		var v struct{ V stdjson.RawMessage }
		if err := stdjson.Unmarshal(out, &v); err != nil {
			t.Fatal(err)
		}
		var compact bytes.Buffer
		if stdjson.Compact(&compact, []byte(text)) == nil && !strings.Contains(text, `\`) && utf8.ValidString(text) && depth([]byte(text)) < 128 {
			if compact.String() != string(v.V) {
				t.Fatalf("%q: embedded as %s", text, v.V)
			}
		}
	})
}

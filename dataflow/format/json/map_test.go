package json_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format/json"
)

func TestMapsAndUUIDsComeAndGo(t *testing.T) {
	schema := schemaOf(nullable("m", arrow.MapOf(arrow.BinaryTypes.String, arrow.ListOf(arrow.PrimitiveTypes.Int64))), nullable("u", expr.UUID))
	d, err := json.NewDecoder(schema, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := [][2]string{
		{`{"m":{"a":[1,2],"b":null},"u":"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}`, `{"m":{"a":[1,2],"b":null},"u":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}`},
		{`{ "m" : { } }`, `{"m":{},"u":null}`},
		{`{"u":null,"m":null}`, `{"m":null,"u":null}`},
		{`{"m":{"a\"b":[],"a key that is longer than twelve":[5]}}`, `{"m":{"a\"b":[],"a key that is longer than twelve":[5]},"u":null}`},
		{`{"m":{"a":[1],"b":[2],"a":[3]}}`, `{"m":{"b":[2],"a":[3]},"u":null}`},
		{`{"m":{"a":[1]},"m":{"a":[2]}}`, `{"m":{"a":[2]},"u":null}`},
	}
	want := ""
	for _, l := range lines {
		if err := d.Decode([]byte(l[0]), 0); err != nil {
			t.Fatalf("%s: %v", l[0], err)
		}
		want += l[1] + "\n"
	}
	for _, bad := range []string{`{"m":[1]}`, `{"m":{"a":["x"]}}`, `{"m":{"a":[1]`, `{"m":{1:[1]}}`, `{"m":{"a" [1]}}`, `{"u":"a0eebc99"}`, `{"u":1}`} {
		if err := d.Decode([]byte(bad), 0); err == nil {
			t.Errorf("%s: no error", bad)
		} else if f := fault.As(err); strings.Contains(f.Message, "eebc") {
			t.Errorf("the error holds the value: %v", f)
		}
	}
	e, err := json.NewEncoder(schema, json.EncoderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b := d.Take()
	got, err := e.Encode(nil, b)
	if err != nil || string(got) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, got, want)
	}
	dst := column.NewAppender(schema.Field(0).Type)
	dst.AppendSel(b.Cols[0], nil)
	if dst.Len() != len(lines) {
		t.Errorf("%d maps", dst.Len())
	}
	if text, err := json.ConnectSchema(schema); err != nil || !strings.Contains(text, `"type":"map","keys":{"type":"string"`) {
		t.Errorf("%s, %v", text, err)
	}
}

// TestKeysSpelledAsText reads and writes maps whose keys have one spelling as text, many entries and repeated keys among
// them.
func TestKeysSpelledAsText(t *testing.T) {
	for _, c := range []struct {
		key      arrow.DataType
		in, want string
	}{
		{arrow.PrimitiveTypes.Int64, `{"1":1,"-2":2,"1":3}`, `{"-2":2,"1":3}`},
		{arrow.PrimitiveTypes.Int8, `{"1":1,"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"1":10}`, `{"2":2,"3":3,"4":4,"5":5,"6":6,"7":7,"8":8,"9":9,"1":10}`},
		{arrow.PrimitiveTypes.Uint64, `{"18446744073709551615":1}`, `{"18446744073709551615":1}`},
		{expr.UUID, `{"A0EEBC999C0B4EF8BB6D6BB9BD380A11":1,"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11":2}`, `{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11":2}`},
		{&arrow.Decimal128Type{Precision: 5, Scale: 2}, `{"1.5":1,"1.500":2}`, `{"1.50":2}`},
		{arrow.FixedWidthTypes.Date32, `{"2024-01-01":1}`, `{"2024-01-01":1}`},
		{expr.TimestampTZ, `{"2024-01-01T00:00:00+01:00":1}`, `{"2023-12-31T23:00:00Z":1}`},
		{arrow.FixedWidthTypes.Time64ns, `{"00:00:01":1}`, `{"00:00:01":1}`},
		{arrow.PrimitiveTypes.Int8, `{"300":1}`, "error"}, {arrow.PrimitiveTypes.Int64, `{"x":1}`, "error"}, {arrow.PrimitiveTypes.Int64, `{1:1}`, "error"},
	} {
		got := show(t, `{"m":`+c.in+`}`, nullable("m", arrow.MapOf(c.key, arrow.PrimitiveTypes.Int64)))
		if want := `{"m":` + c.want + `}`; got != want && !(c.want == "error" && strings.HasPrefix(got, "error")) {
			t.Errorf("%s from %s\n got %s\nwant %s", c.key, c.in, got, want)
		}
	}
}

func TestIntervalsComeAndGo(t *testing.T) {
	for in, want := range map[string]string{
		`"1 day 2 hours"`: `"1 days 2 hours"`, `"-14 mons -3 days 5.25 secs"`: `"-14 mons -3 days 5.250 secs"`, `"00:00:01"`: `"1 secs"`, `"5"`: `"5 secs"`,
		`"-1.000000001 secs"`: `"-1.000000001 secs"`, `5`: "error", `"x"`: "error", `""`: "error",
	} {
		got := show(t, `{"i":`+in+`}`, nullable("i", expr.Interval))
		if want := `{"i":` + want + `}`; got != want && !strings.HasPrefix(got, "error") {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
		if strings.HasPrefix(got, "error") != (want == "error") {
			t.Errorf("%s: %s", in, got)
		}
		if want == "error" {
			continue
		}
		if again := show(t, got, nullable("i", expr.Interval)); again != got {
			t.Errorf("%s becomes %s", got, again)
		}
	}
}

func TestMapsNeedWordyKeys(t *testing.T) {
	schema := schemaOf(nullable("m", arrow.MapOf(arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String)))
	_, err := json.NewDecoder(schema, nil, nil)
	if f := fault.As(err); err == nil || f.Code != fault.CodeUnsupported || f.Hint == "" {
		t.Errorf("%v", err)
	}
	if _, err := json.NewEncoder(schema, json.EncoderOptions{}); !fault.Is(err, fault.CodeUnsupported) {
		t.Errorf("%v", err)
	}
}

func TestMomentsAreWrittenInUTC(t *testing.T) {
	schema := schemaOf(nullable("t", expr.TimestampTZ), nullable("l", arrow.ListOf(expr.TimestampTZ)), nullable("c", arrow.FixedWidthTypes.Time64ns))
	d, err := json.NewDecoder(schema, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Decode([]byte(`{"t":"1969-12-31T23:59:59.5+02:00","l":["2024-01-01"],"c":"01:02:03.004"}`), 0); err != nil {
		t.Fatal(err)
	}
	b := d.Take()
	for unix, want := range map[bool]string{
		false: `{"t":"1969-12-31T21:59:59.500Z","l":["2024-01-01T00:00:00Z"],"c":"01:02:03.004"}`,
		true:  `{"t":-7200500,"l":[1704067200000],"c":3723004}`,
	} {
		e, err := json.NewEncoder(schema, json.EncoderOptions{UnixMillis: unix})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := e.Encode(nil, b); err != nil || string(got) != want+"\n" {
			t.Errorf("%s, %v\nwant %s", got, err, want)
		}
	}
}

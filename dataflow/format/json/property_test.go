package json_test

import (
	stdjson "encoding/json"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/format/json"
)

func floatText(v float64, form byte) string { return strconv.FormatFloat(v, form, -1, 64) }

// TestFloatProperty compares reading and writing of numbers with strconv.
func TestFloatProperty(t *testing.T) {
	d := decoder(t, nullable("v", arrow.PrimitiveTypes.Float64), nullable("w", arrow.PrimitiveTypes.Float32))
	check := func(t *rapid.T, text string) {
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return
		}
		in := `{"v":` + text + `}`
		want32, err := strconv.ParseFloat(text, 32)
		if err == nil {
			in = `{"v":` + text + `,"w":` + text + `}`
		}
		if err := d.Decode([]byte(in), 0); err != nil {
			t.Fatalf("%s: %v", in, err)
		}
		b := d.Take()
		if got := b.Cols[0].(*column.Fixed[float64]).Values[0]; math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s read as %v", text, got)
		}
		if got := b.Cols[1].(*column.Fixed[float32]); got.Valid.IsValid(0) && got.Values[0] != float32(want32) {
			t.Fatalf("%s read as FLOAT %v", text, got.Values[0])
		}
		var back struct{ V float64 }
		out := encodeAny(b)
		if err := stdjson.Unmarshal([]byte(out), &back); err != nil || back.V != want {
			t.Fatalf("%s written as %s", text, out)
		}
		// The text is the shortest: it has as many digits as strconv's.
		v, _, _ := strings.Cut(out[len(`{"v":`):], ",")
		if got, short := significant(v), significant(strconv.FormatFloat(want, 'e', -1, 64)); got != short {
			t.Fatalf("%s written as %s: %q instead of %q", text, out, got, short)
		}
	}
	rapid.Check(t, func(t *rapid.T) { check(t, floatText(rapid.Float64().Draw(t, "v"), 'g')) })
	rapid.Check(t, func(t *rapid.T) {
		check(t, rapid.StringMatching(`-?(0|[1-9][0-9]{0,21})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?`).Draw(t, "v"))
	})
	rapid.Check(t, func(t *rapid.T) { check(t, rapid.StringMatching(`-?(0|[1-9][0-9]{0,9})\.[0-9]{1,9}`).Draw(t, "v")) })
}

// significant gives the digits of a number without its sign, exponent and surrounding zeros.
func significant(s string) string {
	s, _, _ = strings.Cut(s, "e")
	return strings.Trim(strings.NewReplacer("-", "", ".", "").Replace(s), "0")
}

func encodeAny(b *column.Batch) string {
	e, err := json.NewEncoder(b.Schema, json.EncoderOptions{})
	if err != nil {
		panic(err)
	}
	out, err := e.Encode(nil, b)
	if err != nil {
		panic(err)
	}
	return string(out)
}

// TestTimestampProperty compares reading and writing of timestamps with package time.
func TestTimestampProperty(t *testing.T) {
	d := decoder(t, nullable("v", timestamp))
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.Int64().Draw(t, "ns")
		zone := time.FixedZone("", 60*rapid.IntRange(-23*60, 23*60).Draw(t, "zone"))
		if rapid.Bool().Draw(t, "utc") {
			zone = time.UTC
		}
		text := time.Unix(0, ns).In(zone).Format(time.RFC3339Nano)
		if err := d.Decode([]byte(`{"v":"`+text+`"}`), 0); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b := d.Take()
		if got := b.Cols[0].(*column.Fixed[int64]).Values[0]; got != ns {
			t.Fatalf("%s read as %d instead of %d", text, got, ns)
		}
		u := time.Unix(0, ns).UTC()
		form := "2006-01-02T15:04:05"
		switch n := u.Nanosecond(); {
		case n == 0:
		case n%1e6 == 0:
			form += ".000"
		case n%1e3 == 0:
			form += ".000000"
		default:
			form += ".000000000"
		}
		if got, want := encodeAny(b), `{"v":"`+u.Format(form)+"\"}\n"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

// anyType draws a type that a table may have.
func anyType(t *rapid.T, depth int) arrow.DataType {
	n := 12
	if depth > 2 {
		n = 10
	}
	switch rapid.IntRange(0, n-1).Draw(t, "type") {
	case 0:
		return arrow.FixedWidthTypes.Boolean
	case 1:
		return arrow.PrimitiveTypes.Int32
	case 2:
		return arrow.PrimitiveTypes.Int64
	case 3:
		return arrow.PrimitiveTypes.Uint64
	case 4:
		return arrow.PrimitiveTypes.Float32
	case 5:
		return arrow.PrimitiveTypes.Float64
	case 6:
		return &arrow.Decimal128Type{Precision: 38, Scale: int32(rapid.IntRange(0, 38).Draw(t, "scale"))}
	case 7:
		return arrow.BinaryTypes.Binary
	case 8:
		return &arrow.TimestampType{Unit: arrow.TimeUnit(rapid.IntRange(0, 3).Draw(t, "unit"))}
	case 10:
		return arrow.ListOf(anyType(t, depth+1))
	case 11:
		return arrow.StructOf(anyFields(t, depth+1)...)
	}
	return arrow.BinaryTypes.String
}

func anyFields(t *rapid.T, depth int) []arrow.Field {
	names := rapid.SliceOfNDistinct(rapid.StringOfN(rapid.RuneFrom([]rune("abc_\"\\ éxyz")), 1, 20, -1), 1, 5, rapid.ID).Draw(t, "names")
	var out []arrow.Field
	for _, n := range names {
		out = append(out, nullable(n, anyType(t, depth)))
	}
	return out
}

// TestRoundTrip writes rows that were read and reads them again: the second text equals the first.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema := arrow.NewSchema(anyFields(t, 0), nil)
		d, err := json.NewDecoder(schema, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		rows := rapid.IntRange(1, 70).Draw(t, "rows")
		b := column.NewBuilder(schema, false)
		for range rows {
			for i, f := range schema.Fields() {
				appendAny(t, b.Column(i), f.Type)
			}
			b.AppendTime(0, column.Insert)
		}
		first := encodeAny(b.Batch())
		for line := range strings.Lines(first) {
			if !stdjson.Valid([]byte(line)) {
				t.Fatalf("not JSON: %s", line)
			}
			if err := d.Decode([]byte(line), 0); err != nil {
				t.Fatalf("%v\n%s\n%s", err, schema, line)
			}
		}
		if second := encodeAny(d.Take()); second != first {
			t.Fatalf("wrote\n%s and then\n%s", first, second)
		}
	})
}

func appendAny(t *rapid.T, col column.Appender, typ arrow.DataType) {
	if rapid.IntRange(0, 6).Draw(t, "null") == 0 {
		col.AppendNull()
		return
	}
	switch c := col.(type) {
	case *column.Bool:
		c.Append(rapid.Bool().Draw(t, "v"))
	case *column.Fixed[int32]:
		c.Append(rapid.Int32().Draw(t, "v"))
	case *column.Fixed[int64]:
		appendInt64(t, c, typ)
	case *column.Fixed[uint64]:
		c.Append(rapid.Uint64().Draw(t, "v"))
	case *column.Fixed[float32]:
		c.Append(rapid.Float32().Draw(t, "v"))
	case *column.Fixed[float64]:
		c.Append(rapid.Float64().Draw(t, "v"))
	case *column.Bytes:
		if typ.ID() == arrow.STRING {
			c.AppendString(rapid.String().Filter(utf8.ValidString).Draw(t, "v"))
		} else {
			c.Append(rapid.SliceOf(rapid.Byte()).Draw(t, "v"))
		}
	case *column.List:
		for range rapid.IntRange(0, 3).Draw(t, "len") {
			appendAny(t, c.Elem, c.DataType.Elem())
		}
		c.Append()
	case *column.Struct:
		for i, f := range c.DataType.Fields() {
			appendAny(t, c.Children[i], f.Type)
		}
		c.Append()
	default:
		appendDecimal(t, col, typ.(*arrow.Decimal128Type))
	}
}

// appendDecimal goes through the decoder, which is the only one to take decimals as text.
func appendDecimal(t *rapid.T, col column.Appender, typ *arrow.Decimal128Type) {
	digits := rapid.StringMatching(`-?[1-9][0-9]{0,37}`).Draw(t, "v")
	d, err := json.NewDecoder(schemaOf(nullable("v", typ)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Decode([]byte(`{"v":`+digits+`e-`+strconv.Itoa(int(typ.Scale))+`}`), 0); err != nil {
		t.Fatal(err)
	}
	col.AppendSel(d.Take().Cols[0], nil)
}

func appendInt64(t *rapid.T, c *column.Fixed[int64], typ arrow.DataType) {
	v := rapid.Int64().Draw(t, "v")
	if ts, ok := typ.(*arrow.TimestampType); ok {
		v /= int64(ts.Unit.Multiplier())
	}
	c.Append(v)
}

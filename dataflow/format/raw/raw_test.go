package raw_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/format/raw"
)

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

var value = arrow.Field{Name: "value", Type: arrow.BinaryTypes.String, Nullable: true}

func TestRoundTrip(t *testing.T) {
	d, err := raw.String().NewDecoder(schemaOf(value), nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := raw.String().NewEncoder(schemaOf(value))
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"", "short", "exactly 12 b", "one that is longer than a view", "nul \x00 is text", "żółw", "{\"not\":\"parsed\"", strings.Repeat("x", 1<<20)}
	for range 3 {
		for i, l := range lines {
			if err := d.Decode([]byte(l), int64(i)); err != nil {
				t.Fatal(err)
			}
			if err := d.Decode([]byte("bad \xff"), 0); fault.As(err) == nil || fault.As(err).Kind != fault.Data || strings.Contains(err.Error(), "\xff") {
				t.Fatal(err)
			}
		}
		if d.Rows() != len(lines) {
			t.Fatal(d.Rows())
		}
		b := d.Take()
		if b.Time[3] != 3 {
			t.Fatal(b.Time)
		}
		out, err := e.Encode(nil, b)
		if err != nil || string(out) != strings.Join(lines, "\n")+"\n" {
			t.Fatalf("%.100q %v", out, err)
		}
	}
	if d.Take().N != 0 {
		t.Fatal("rows taken twice")
	}
}

func TestBytesComeAndGoAsTheyAre(t *testing.T) {
	s := schemaOf(arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary, Nullable: true})
	d, err := raw.Bytes().NewDecoder(s, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := raw.Bytes().NewEncoder(s)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{"", "\x00\xff", "not UTF-8, and longer than a view: \xff\xfe\x80"}
	for _, l := range lines {
		if err := d.Decode([]byte(l), 0); err != nil {
			t.Fatal(err)
		}
	}
	out, err := e.Encode(nil, d.Take())
	if err != nil || string(out) != strings.Join(lines, "\n")+"\n" {
		t.Fatalf("%q %v", out, err)
	}
	if _, err := raw.Bytes().NewDecoder(schemaOf(value), nil); fault.As(err) == nil || !strings.Contains(fault.As(err).Hint, "value BYTEA") {
		t.Fatal(err)
	}
}

func TestNullAndSelection(t *testing.T) {
	c := column.NewBytes(arrow.BinaryTypes.String)
	c.AppendString("a")
	c.AppendNull()
	c.AppendString("c")
	b := &column.Batch{Schema: schemaOf(value), N: 3, Cols: []column.Vector{c}, Time: make([]int64, 3), Sel: []int32{1, 2}}
	e, err := raw.String().NewEncoder(b.Schema)
	if err != nil {
		t.Fatal(err)
	}
	if out, _ := e.Encode([]byte("> "), b); string(out) != "> \nc\n" {
		t.Fatalf("%q", out)
	}
}

func TestSchemas(t *testing.T) {
	number := arrow.Field{Name: "n", Type: arrow.PrimitiveTypes.Int64}
	for _, s := range []*arrow.Schema{schemaOf(), schemaOf(number), schemaOf(value, number), schemaOf(value, value),
		schemaOf(arrow.Field{Name: "value", Type: arrow.BinaryTypes.Binary})} {
		if _, err := raw.String().NewDecoder(s, nil); fault.As(err) == nil || fault.As(err).Kind != fault.User {
			t.Errorf("%s: %v", s, err)
		}
		if _, err := raw.String().NewEncoder(s); fault.As(err) == nil || fault.As(err).Kind != fault.User {
			t.Errorf("%s: %v", s, err)
		}
	}
}

func TestMetadata(t *testing.T) {
	d, err := raw.String().NewDecoder(schemaOf(arrow.Field{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, value), []string{"offset_id", ""})
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Decode([]byte("a"), 0); err != nil {
		t.Fatal(err)
	}
	d.SetMetadata(func(i int, to column.Appender) { to.(*column.Fixed[int64]).Append(7) })
	if err := d.Decode([]byte("b"), 0); err != nil {
		t.Fatal(err)
	}
	n := d.Take().Cols[0].(*column.Fixed[int64])
	if n.Valid.IsValid(0) || n.Values[1] != 7 {
		t.Fatal(n)
	}
}

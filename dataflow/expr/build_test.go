package expr_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

func TestTypeNamesAreThoseOfSQL(t *testing.T) {
	for name, dt := range map[string]arrow.DataType{
		"BIGINT": testTypes["bigint"], "TEXT": testTypes["text"], "TIMESTAMP(3)": testTypes["timestamp_ms"],
		"TIMESTAMP": expr.Timestamp, "TIMESTAMP WITH TIME ZONE": expr.TimestampTZ, "INTERVAL": expr.Interval,
		"DECIMAL(10, 2)": &arrow.Decimal128Type{Precision: 10, Scale: 2}, "BIGINT UNSIGNED": testTypes["ubigint"],
		"STRUCT<start TIMESTAMP, end TIMESTAMP>": expr.Window, "TEXT[]": arrow.ListOf(testTypes["text"]),
		"FLOAT": testTypes["float"], "NULL": arrow.Null, "MAP<TEXT, INT>": arrow.MapOf(testTypes["text"], testTypes["int"]),
	} {
		if got := expr.TypeName(dt); got != name {
			t.Errorf("%v is called %s, want %s", dt, got, name)
		}
	}
}

func TestFormatWritesSQL(t *testing.T) {
	for _, text := range []string{
		"a + p * 2", "(a + p) * 2", "a - (p - b)", "a - p - b", "NOT (a = 1 OR p = 2)", "a = 1 AND (p = 2 OR b = 3)",
		"a IS NOT NULL AND s LIKE 'x%'", "s || 'it''s'", "bid.price > 5", "CASE WHEN a = 1 THEN s ELSE 'no' END",
		"CAST(a AS TEXT)", "TRY_CAST(s AS BIGINT)", "a IN (1, 2)", "a NOT IN (1)", "coalesce(a, 1)", "-a", "t > TIMESTAMP '2024-01-01T00:00:00'",
		"t + INTERVAL '1 hours'", "(a = 1) IS NOT TRUE", "(a | p) + 1", "NULL IS NULL", "a = 1 = TRUE",
	} {
		if got := expr.Format(mustParse(t, benchSchema, text)); got != text {
			t.Errorf("%s is written %s", text, got)
		}
	}
}

func TestFoldComputesConstantsOnly(t *testing.T) {
	for text, want := range map[string]string{
		"a + (1 + 2)": "a + 3", "upper('x') || s": "'X' || s", "1 / 0": "1 / 0", "a + 1 / 0": "a + 1 / 0", "now()": "now()",
		"random()": "random()", "CASE WHEN 1 = 1 THEN 2 ELSE 3 END + a": "2 + a", "coalesce(NULL, 1)": "1",
		"CAST('x' AS BIGINT)": "CAST('x' AS BIGINT)", "NULL + 1": "NULL", "DATE '2024-01-31' + INTERVAL '1 month'": "DATE '2024-02-29'",
		"regexp_match('abc', '(b)')": "regexp_match('abc', '(b)')",
	} {
		n := mustParse(t, benchSchema, text)
		before := expr.Format(n)
		if got := expr.Format(expr.Fold(n)); got != want {
			t.Errorf("%s folds to %s, want %s", text, got, want)
		}
		if expr.Format(n) != before {
			t.Errorf("%s was changed by folding", text)
		}
	}
}

func TestCommonTypes(t *testing.T) {
	for _, c := range []struct{ a, b, want string }{
		{"int", "bigint", "BIGINT"}, {"bigint", "double", "DOUBLE"}, {"float", "bigint", "DOUBLE"}, {"float", "smallint", "FLOAT"},
		{"ubigint", "bigint", "DECIMAL(20, 0)"}, {"ubigint", "int", "DECIMAL(20, 0)"}, {"uint", "int", "BIGINT"}, {"utinyint", "tinyint", "SMALLINT"}, {"date", "timestamp", "TIMESTAMP"},
		{"timestamp_ms", "timestamp_s", "TIMESTAMP(3)"}, {"text", "bigint", "TEXT"}, {"timestamp", "timestamptz", "TIMESTAMP WITH TIME ZONE"},
		{"boolean", "bigint", ""}, {"date", "bigint", ""}, {"bytea", "text", ""},
	} {
		for _, pair := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			got := ""
			if dt, ok := expr.CommonType(testTypes[pair[0]], testTypes[pair[1]]); ok {
				got = expr.TypeName(dt)
			}
			if got != c.want {
				t.Errorf("%s and %s: %q, want %q", pair[0], pair[1], got, c.want)
			}
		}
	}
	if dt, ok := expr.CommonType(arrow.Null, expr.Window); !ok || dt != arrow.DataType(expr.Window) {
		t.Errorf("NULL and a struct: %v", dt)
	}
}

func TestConstantsTakeOnTheExpectedType(t *testing.T) {
	n := mustParse(t, propertySchema, "i = 5")
	if n.Args[0].Kind != expr.Column || expr.TypeName(n.Args[1].Type) != "INT" {
		t.Errorf("comparing a column with a constant converts the column: %s", expr.Format(n))
	}
	if n = mustParse(t, propertySchema, "i = 5000000000"); expr.TypeName(n.Args[0].Type) != "BIGINT" {
		t.Errorf("a constant that does not fit: %s", expr.Format(n))
	}
	n, err := expr.Coerce(expr.NewLiteral(testTypes["text"], "2024-01-01"), expr.Timestamp, fault.Span{})
	if err != nil || n.Kind != expr.Literal || n.Value != int64(1704067200e9) {
		t.Errorf("%v, %v", n, err)
	}
	_, err = expr.Coerce(expr.NewLiteral(testTypes["text"], "soon"), expr.Timestamp, fault.Span{Start: 4, End: 8})
	if f := fault.As(err); f.Code != expr.CodeTypeMismatch || f.Span.Start != 4 || f.Hint == "" || strings.Contains(f.Message, "soon") {
		t.Errorf("%+v", f)
	}
	s := expr.NewColumn(5, propertySchema.Field(5))
	if _, err = expr.Coerce(s, testTypes["bigint"], fault.Span{}); !fault.Is(err, expr.CodeTypeMismatch) {
		t.Errorf("a text column became a number by itself: %v", err)
	}
	if n, err := expr.CastTo(s, testTypes["text"], false, fault.Span{}); n != s || err != nil {
		t.Error("a cast to the same type is no cast")
	}
}

func TestFieldOfNamesTheNearestMember(t *testing.T) {
	bid := expr.NewColumn(3, benchSchema.Field(3))
	n, err := expr.FieldOf(bid, "price", fault.Span{})
	if err != nil || n.Index != 1 || !n.Nullable {
		t.Errorf("%+v, %v", n, err)
	}
	_, err = expr.FieldOf(bid, "prise", fault.Span{})
	if f := fault.As(err); f.Code != expr.CodeUnknownColumn || !strings.Contains(f.Hint, `"price"`) {
		t.Errorf("%+v", f)
	}
	if _, err = expr.FieldOf(n, "x", fault.Span{}); !fault.Is(err, expr.CodeTypeMismatch) {
		t.Errorf("%v", err)
	}
}

func TestNullabilityIsKnown(t *testing.T) {
	for text, want := range map[string]bool{
		"a + p": false, "n + 1": true, "n IS NULL": false, "coalesce(n, a)": false, "coalesce(n, n)": true, "nullif(a, p)": true,
		"CASE WHEN a = 1 THEN p END": true, "CASE WHEN n = 1 THEN p ELSE a END": false, "TRY_CAST(s AS bigint)": true,
		"CAST(s AS bigint)": false, "concat(n, 'x')": false, "n IN (1)": true, "a IN (1, NULL)": true, "a IN (1)": false,
		"n IS DISTINCT FROM 1": false, "bid.price": true,
	} {
		if n := mustParse(t, benchSchema, text); n.Nullable != want {
			t.Errorf("%s: nullable %t", text, n.Nullable)
		}
	}
}

func TestStructsAndListsPassThroughBranches(t *testing.T) {
	g := propertySchema
	n := mustParse(t, g, "CASE WHEN q THEN st END")
	text := mustParse(t, g, "coalesce(CASE WHEN q THEN st END, st).t")
	same := mustParse(t, g, "st = coalesce(st, st)")
	list := mustParse(t, g, "CASE WHEN q THEN regexp_match(s, '(a)(b)?') END")
	column0 := expr.NewColumn(8, g.Field(8))
	b := column.NewBuilder(g, false)
	for r := range 3 {
		for c := range g.NumFields() {
			switch v := b.Column(c).(type) {
			case *column.Struct:
				v.Children[0].(*column.Fixed[int64]).Append(int64(r))
				v.Children[1].(*column.Bytes).AppendString(strings.Repeat("x", 20*r))
				v.Append()
			case *column.Bool:
				v.Append(r != 1)
			case *column.Bytes:
				v.AppendString("xab")
			default:
				v.AppendNull()
			}
		}
		b.AppendTime(0, column.Insert)
	}
	e, err := expr.Compile([]*expr.Node{n, text, same, list, column0}, g, expr.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		out, err := e.Eval(b.Batch())
		if err != nil {
			t.Fatal(err)
		}
		st, lists := out[0].(*column.Struct), out[3].(*column.List)
		if st.N != 3 || st.Valid.IsValid(1) || st.Children[0].(*column.Fixed[int64]).Values[2] != 2 {
			t.Errorf("struct: %+v", st)
		}
		if got := string(out[1].(*column.Bytes).At(1)); got != strings.Repeat("x", 20) {
			t.Errorf("member: %q", got)
		}
		if eq := out[2].(*column.Bool); !eq.Bits.Get(0) || !eq.Bits.Get(2) {
			t.Error("a struct does not equal itself")
		}
		if lists.Len() != 3 || lists.Valid.IsValid(1) || lists.Offsets[1] != 2 || string(lists.Elem.(*column.Bytes).At(0)) != "a" {
			t.Errorf("list: %+v", lists)
		}
		if out[4] != b.Batch().Cols[8] {
			t.Error("a plain column is not the input's vector itself")
		}
	}
}

func TestSharedTextIsNotCopied(t *testing.T) {
	n := mustParse(t, benchSchema, "substr(s, 2, 20)")
	e, err := expr.Compile([]*expr.Node{n, mustParse(t, benchSchema, "btrim(s)")}, benchSchema, expr.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	b := benchBatch()
	out, err := e.Eval(b)
	if err != nil {
		t.Fatal(err)
	}
	in := b.Cols[6].(*column.Bytes)
	for _, v := range out {
		got := v.(*column.Bytes)
		if len(got.Buffers) != len(in.Buffers) || &got.Buffers[0][0] != &in.Buffers[0][0] {
			t.Error("the bytes were copied")
		}
	}
	for r := range b.N {
		s := string(in.At(r))
		if got := string(out[0].(*column.Bytes).At(r)); got != s[1:min(21, len(s))] {
			t.Fatalf("row %d: %q", r, got)
		}
	}
}

func TestCompileRefusesWhatWasNotResolved(t *testing.T) {
	bad := &expr.Node{Kind: expr.Call, Name: "no_such", Type: testTypes["bigint"]}
	if _, err := expr.Compile([]*expr.Node{bad}, nil, expr.Builtin()); !fault.Is(err, expr.CodeUnknownFunction) {
		t.Errorf("%v", err)
	}
	if _, err := expr.CompilePredicate(mustParse(t, nil, "1 + 1"), nil, expr.Builtin()); !fault.Is(err, expr.CodeTypeMismatch) {
		t.Errorf("%v", err)
	}
	if _, err := parse(expr.Builtin(), nil, "CASE WHEN 1 THEN 2 END"); !fault.Is(err, expr.CodeTypeMismatch) {
		t.Errorf("%v", err)
	}
}

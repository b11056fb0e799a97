package expr_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

func TestLists(t *testing.T) {
	runTable(t, `
		make_array() => []
		make_array(NULL) => [NULL]
		make_array(1, 2.5) => [1.0, 2.5]
		make_array(1, 'x') => [1, x]
		make_array(TRUE, 1) => !type-mismatch
		make_array(DATE '2024-01-01', '2024-01-02') => [2024-01-01, 2024-01-02]
		make_array(make_array(1), make_array()) => [[1], []]
		array_element(make_array(1, 2), 0) => NULL
		array_element(make_array(1, 2), 3) => NULL
		array_element(make_array(1, 2), -2) => 1
		array_element(make_array(1, 2), -3) => NULL
		array_element(make_array(1, 2), -9223372036854775807 - 1) => NULL
		array_element(make_array(1, 2), NULL) => NULL
		array_element(NULL, 1) IS NULL => true
		array_element('x', 1) => !type-mismatch
		array_append(NULL, 1) => [1]
		array_append(make_array(1), NULL) => [1, NULL]
		array_append(make_array(), 'x') => [x]
		array_append(make_array(1), 2.5) => [1.0, 2.5]
		array_prepend(NULL, make_array(1)) => [NULL, 1]
		array_concat(NULL, NULL) => NULL
		array_slice(make_array(1, 2, 3), NULL, 2) => [1, 2]
		array_slice(make_array(1, 2, 3), 2, NULL) => [2, 3]
		array_slice(make_array(1, 2, 3), -2, 100) => [2, 3]
		array_slice(make_array(1, 2, 3), 3, 2) => []
		array_slice(make_array(1, 2, 3, 4, 5), 1, 5, 2) => [1, 3, 5]
		array_slice(make_array(1, 2, 3, 4, 5), 5, 1, -2) => [5, 3, 1]
		array_slice(make_array(1, 2, 3), NULL, NULL, -1) => [3, 2, 1]
		array_slice(make_array(1, 2, 3), 1, 3, 9223372036854775807) => [1]
		array_slice(make_array(1), 1, 1, 0) => !invalid
		array_pop_back(make_array()) => []
		array_sort(make_array(2, NULL, 1)) => [NULL, 1, 2]
		array_sort(make_array('b', 'a'), 'up') => !invalid
		array_sort(make_array(0.0 / 0, 1.5, 1.0 / 0)) => [1.5, inf, NaN]
		array_resize(make_array(1, 2), 1) => [1]
		array_resize(make_array(1), 2) => [1, NULL]
		array_resize(make_array(1), -1) => !invalid
		array_resize(make_array(1), 100000000000) => !overflow
		array_repeat(1, -1) => []
		array_repeat(NULL, 2) => [NULL, NULL]
		array_repeat(1, 100000000000) => !overflow
		array_remove(make_array(1, NULL, 2), NULL) => [1, 2]
		array_remove_n(make_array(1, 1), 1, 0) => [1, 1]
		array_replace_all(make_array(1, NULL), NULL, 0) => [1, 0]
		array_position(make_array(1, 2, 1), 1, 2) => 3
		array_position(make_array(1, NULL), NULL) => 2
		array_position(make_array(1), 5) => NULL
		array_positions(make_array(1), 5) => []
		array_has(make_array(1, NULL), 2) => false
		array_has(make_array(1), NULL) => NULL
		array_has(make_array('a'), 'a') => true
		array_has_all(make_array(1), make_array()) => true
		array_has_any(make_array(1), make_array()) => false
		array_union(make_array(1.5), make_array(1)) => [1.5, 1.0]
		array_distinct(make_array(0.0 / 0, 0.0 / 0)) => [NaN]
		array_length(make_array()) => 0
		array_length(make_array(make_array(1, 2)), 2) => 2
		array_length(make_array(1), 2) => NULL
		array_length(NULL) => NULL
		array_dims(make_array(1, 2)) => [2]
		cardinality(NULL) => NULL
		cardinality(make_map('a', 1)) => 1
		empty(make_array(NULL)) => false
		flatten(make_array(1)) => [1]
		flatten(make_array(make_array(1), NULL, make_array(2))) => [1, 2]
		array_max(make_array(NULL)) => NULL
		array_min(make_array('b', 'a')) => a
		array_distance(make_array(1), make_array(1, 2)) => !invalid
		array_distance(make_array(1), make_array(NULL)) => NULL
		array_to_string(make_array(1.5, NULL, 2), ',') => 1.5,2.0
		array_to_string(make_array(), ',') => 
		array_to_string(make_array(make_array(1, 2), NULL, make_array(3)), ',') => 1,2,3
		array_concat(make_array(make_array(1)), make_array(2)) => [[1], [2]]
		make_array(1) || NULL => [1]
		array_concat(make_array(1), make_array(make_array(2)), make_array(3)) => [[1], [2], [3]]
		string_to_array('', ',') => []
		string_to_array('aé', NULL) => [a, é]
		string_to_array('a,b', '') => [a,b]
		generate_series(3, 1, -1) => [3, 2, 1]
		generate_series(1, 3, 0) => !invalid
		generate_series(1, NULL) => NULL
		generate_series(1, 7, 3) => [1, 4, 7]
		range(1, 7, 3) => [1, 4]
		range(1, 8, 3) => [1, 4, 7]
		range(7, 1, -3) => [7, 4]
		generate_series(-9223372036854775807, 9223372036854775807, 9223372036854775807) => [-9223372036854775807, 0, 9223372036854775807]
		generate_series(9223372036854775807, -9223372036854775807, -9223372036854775807) => [9223372036854775807, 0, -9223372036854775807]
		generate_series(1, 3, -1) => []
		range(DATE '2024-03-31', DATE '2023-12-31', INTERVAL '-1 month') => [2024-03-31, 2024-02-29, 2024-01-29]
		generate_series(TIMESTAMP '1969-12-31T23:59:59', TIMESTAMP '1970-01-01T00:00:01', INTERVAL '1 second') => [1969-12-31T23:59:59, 1970-01-01T00:00:00, 1970-01-01T00:00:01]
		generate_series(9223372036854775806, 9223372036854775807) => [9223372036854775806, 9223372036854775807]
		generate_series(0, 9223372036854775807) => !overflow
		range(5, 5) => []
		generate_series(DATE '2024-01-31', DATE '2024-04-30', INTERVAL '1 month') => [2024-01-31, 2024-02-29, 2024-03-29, 2024-04-29]
		range(TIMESTAMP '2024-01-01T00:00:00', TIMESTAMP '2024-01-01T03:00:00', INTERVAL '90 minutes') => [2024-01-01T00:00:00, 2024-01-01T01:30:00]
		range(DATE '2024-01-01', DATE '2024-01-02', INTERVAL '12 hours') => [2024-01-01T00:00:00, 2024-01-01T12:00:00]
		range(DATE '2024-01-01', DATE '2024-01-02', INTERVAL '0 days') => !invalid
		make_array(1) || make_array(2.5) => [1.0, 2.5]
		0 || make_array(1) => [0, 1]
		make_array('a') || 'b' => [a, b]
		make_array(make_array(1)) || make_array(2) => [[1], [2]]
		make_array(1, 2) = make_array(1, 2.0) => true
		make_array(1, 2) < make_array(1, 3) => true
		make_array(1) < make_array(1, 0) => true
		make_array(1, NULL) = make_array(1, NULL) => true
		make_array(1) IN (make_array(2), make_array(1)) => true
		CASE WHEN FALSE THEN make_array(1) ELSE make_array(2) END => [2]
		coalesce(NULL, make_array(1)) => [1]
		eq_any(1, make_array(2, NULL)) => NULL
		eq_any(1, make_array(1, NULL)) => true
		eq_any(1, make_array()) => false
		eq_any(NULL, make_array()) => false
		eq_any(NULL, make_array(1)) => NULL
		neq_all(1, make_array(2, NULL)) => NULL
		neq_all(1, make_array(1, NULL)) => false
		eq_all(1, make_array()) => true
		gt_any(5, make_array(9, 4)) => true
		contained_op(make_array(1), make_array(1, 2)) => true
		arrow_typeof(make_array(1::int, 2)) => List(Int64)
	`)
}

func TestStructsAndMaps(t *testing.T) {
	runTable(t, `
		named_struct('a', NULL) => {a: NULL}
		named_struct('a', 1, 'a', 2) => !type-mismatch
		named_struct('a') => !type-mismatch
		get_field(named_struct('a', make_array(1)), 'a') => [1]
		get_field(named_struct('a', 1), 'b') => !unknown-column
		get_field(make_map('a', 1), 'a') => 1
		named_struct('a', 1) = named_struct('a', 1.0) => true
		named_struct('a', 1, 'b', 'y') > named_struct('a', 1, 'b', 'x') => true
		struct(1) < row(2) => true
		make_map() => {}
		make_map('a', 1, 'b', 2.5) => {a: 1.0, b: 2.5}
		make_map('a', 1, 'a', 2) => !invalid
		make_map(NULL, 1) => !invalid
		make_map('a') => !type-mismatch
		map(make_array('a'), make_array(1, 2)) => !invalid
		map(NULL::text, 1) => !invalid
		array_element(make_map('a', 1), 'b') => NULL
		array_element(make_map(1::int, 'x'), 1) => x
		array_element(make_map('a', 1), NULL) => NULL
		map_extract(make_map('a', NULL), 'a') => [NULL]
		map_extract(make_map('a', 1), 'b') => []
		map_keys(make_map()) => []
		map_contains_key(make_map(make_array(1), 2), make_array(1)) => true
		make_map('a', 1) = make_map('a', 1.0) => true
		coalesce(NULL, make_map('a', 1)) => {a: 1}
	`)
}

func TestUUIDsCompareWithoutCase(t *testing.T) {
	runTable(t, `
		'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid => a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
		'{a0eebc999c0b4ef8bb6d6bb9bd380a11}'::uuid => a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
		'a0eebc99'::uuid => !invalid
		TRY_CAST('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a1g' AS uuid) => NULL
		'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11' => true
		'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid = upper('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11') => true
		'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid < 'b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid => true
		'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid IN ('A0EEBC999C0B4EF8BB6D6BB9BD380A11') => true
		'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid || '!' => a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11!
		json_get('{"u": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"}', 'u')::uuid => a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11
		length(uuid()::uuid::text) => 36
		'x' = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'::uuid => false
	`)
}

func TestMomentsWithTimeZone(t *testing.T) {
	runTable(t, `
		'2024-01-01T00:00:00+02:00'::timestamptz => 2023-12-31T22:00:00Z
		'2024-01-01'::timestamptz => 2024-01-01T00:00:00Z
		TIMESTAMP '2024-01-01T00:00:00'::timestamptz => 2024-01-01T00:00:00Z
		'2024-07-01T10:00:00Z'::timestamptz AT TIME ZONE 'Europe/Berlin' => 2024-07-01T12:00:00
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'Europe/Berlin' => 2024-07-01T10:00:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'Europe/Berlin' AT TIME ZONE 'America/New_York' => 2024-07-01T06:00:00
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE '+05:30' => 2024-07-01T06:30:00Z
		TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'Mars/Base' => !invalid
		'2024-01-01T00:00:00Z'::timestamptz = '2024-01-01T02:00:00+02:00'::timestamptz => true
		'2024-01-01T00:00:00Z'::timestamptz < TIMESTAMP '2024-01-01T00:00:01' => true
		'2024-01-31T00:00:00Z'::timestamptz + INTERVAL '1 month' => 2024-02-29T00:00:00Z
		'2024-01-02T00:00:00Z'::timestamptz - '2024-01-01T12:00:00Z'::timestamptz => 12 hours
		date_trunc('hour', '1969-12-31T23:30:00Z'::timestamptz) => 1969-12-31T23:00:00Z
		'2024-01-01T05:06:07Z'::timestamptz::time => 05:06:07
		'2024-01-01T05:06:07Z'::timestamptz::date => 2024-01-01
		DATE '2024-01-01' + TIME '01:02:03' => 2024-01-01T01:02:03
		TIME '01:02:03' + DATE '2024-01-01' => 2024-01-01T01:02:03
		TIME '23:00:00' + INTERVAL '2 hours' => 01:00:00
		TIME '01:00:00' - TIME '02:00:00' => -1 hours
		TIME '01:02:03'::interval::time => 01:02:03
		INTERVAL '-1 hours'::time => 23:00:00
		localtimestamp() = now() => true
	`)
}

func TestArrowTypes(t *testing.T) {
	runTable(t, `
		arrow_typeof(NULL) => Null
		arrow_typeof(now()) => Timestamp(Nanosecond, None)
		arrow_typeof('2024-01-01'::timestamptz) => Timestamp(Nanosecond, Some("+00:00"))
		arrow_typeof(named_struct('a', 1)) => Struct(a: Int64)
		arrow_typeof(make_map('a', 1.5)) => Map(Utf8, Float64)
		arrow_cast('5', 'UInt8') + 1 => 6
		arrow_cast('1.239', 'Decimal128(10, 2)') => 1.24
		arrow_cast(make_array(1), 'List(Utf8)') => [1]
		arrow_cast(1, 'Int') => !invalid
		arrow_cast(1, 'List(') => !invalid
		arrow_cast(1, 'Time32(Second)') => !invalid
		arrow_cast(1, 'Timestamp(Second, Some("Mars/Base"))') => !invalid
		arrow_cast('a', 'Dictionary(Int32, Utf8)') => a
		arrow_cast(make_array(1), 'FixedSizeList(1, LargeList(Int8))') => !type-mismatch
		arrow_cast(make_array(make_array(1)), 'FixedSizeList(1, LargeList(Int8))') => [[1]]
		arrow_typeof(arrow_cast(struct(1, make_map('a', 2)), 'Struct(a: Utf8, b Map(Utf8, Float32))')) => Struct(a: Utf8, b: Map(Utf8, Float32))
		arrow_cast('1 day', 'Interval(DayTime)') => 1 days
		arrow_cast(300, 'UInt8') => !overflow
		multi_hash(1, NULL) = multi_hash(1, NULL) => true
		multi_hash(1, 'ab') = multi_hash(1, 'ab', '') => false
		multi_hash('') = multi_hash(NULL) => false
		octet_length(multi_hash(make_array(1), named_struct('a', repeat('x', 200)), 1.5, TRUE)) => 16
		multi_hash() => !type-mismatch
	`)
}

var nestedSchema = arrow.NewSchema([]arrow.Field{
	{Name: "l", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
	{Name: "m", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
	{Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "d", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "q", Type: arrow.FixedWidthTypes.Boolean},
}, nil)

// nestedBatch has lists of a few numbers, sometimes null and sometimes long.
func nestedBatch(g generator, n int) *column.Batch {
	b := column.NewBuilder(nestedSchema, false)
	number := func(f *column.Fixed[int64]) {
		if g.IntN(5) == 0 {
			f.AppendNull()
		} else {
			f.Append(int64(g.IntN(7)) - 3)
		}
	}
	for range n {
		for c := range 2 {
			l := b.Column(c).(*column.List)
			if g.IntN(6) == 0 {
				l.AppendNull()
				continue
			}
			for range g.IntN(5) * g.IntN(2+g.IntN(6)) {
				number(l.Elem.(*column.Fixed[int64]))
			}
			l.Append()
		}
		number(b.Column(2).(*column.Fixed[int64]))
		if g.IntN(6) == 0 {
			b.Column(3).AppendNull()
		} else {
			b.Column(3).(*column.Bytes).AppendString([]string{`{"a":[1,{"b":"x"}]}`, `{"a":-1}`, `[3,null]`, `no JSON`, `{"a":"a text with \"quotes\" in it"}`}[g.IntN(5)])
		}
		b.Column(4).(*column.Bool).Append(g.IntN(2) == 0)
		b.AppendTime(0, column.Insert)
	}
	return b.Batch()
}

// TestNestedValuesDoNotDependOnTheBatch checks expressions of lists, maps, structs and JSON: a row's result is the same
// in a batch, under a selection, inside a branch, and alone.
func TestNestedValuesDoNotDependOnTheBatch(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(7, 11))}
	for _, text := range []string{
		"array_append(l, v)", "array_prepend(v, l)", "array_concat(l, m, l)", "array_slice(l, v, NULL, 1)", "array_reverse(l)", "array_distinct(l)",
		"array_sort(l, 'DESC')", "array_resize(l, 3, v)", "array_repeat(l, 2)", "flatten(make_array(l, m))", "array_remove(l, v)", "array_replace_all(l, v, 9)",
		"array_union(l, m)", "array_intersect(l, m)", "array_except(l, m)", "array_element(l, v)", "array_any_value(l)", "array_max(l)", "array_length(l)",
		"array_dims(make_array(l, m))", "cardinality(l)", "empty(l)", "array_position(l, v)", "array_positions(l, v)", "array_has(l, v)", "array_has_all(l, m)",
		"array_has_any(l, m)", "array_to_string(l, '-', '*')", "string_to_array(d, ',', 'no JSON')", "generate_series(v)", "l || m", "l || v", "eq_any(v, l)",
		"lt_all(v, l)", "contains_op(l, m)", "l = m", "l < m", "l IS NOT DISTINCT FROM m", "coalesce(l, m)", "CASE WHEN v > 0 THEN l ELSE m END",
		"named_struct('a', l, 'b', v)", "struct(v, d).c1", "map(array_distinct(array_remove_all(l, NULL)), array_distinct(array_remove_all(l, NULL)))",
		"make_map('a', v, 'b', 1)", "array_element(make_map('a', v, 'b', 1), 'a')", "map_extract(make_map('a', v), d)", "map_values(make_map('a', v))",
		"json_get(d, 'a')::bigint", "json_get(d, 'a')::text", "json_get_json(d, 'a', v)", "json_as_text(d, 'a')", "json_length(d)", "json_object_keys(d)",
		"json_contains(d, 'a', 1)", "extract_json(d, '$..*')", "extract_json_string(d, '$.a')", "get_first_json_object(d, '$.a')", "serialize_json_union(json_get(d, 'a'))",
		"union_tag(json_get(d, 'a'))", "encode(multi_hash(l, v, d), 'hex')", "TRY_CAST(l AS text)", "arrow_cast(l, 'List(Utf8)')",
	} {
		n := mustParse(t, nestedSchema, text)
		branch, err := expr.NewCase([]*expr.Node{expr.NewColumn(4, nestedSchema.Field(4))}, []*expr.Node{n}, nil, fault.Span{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b := nestedBatch(g, 150)
		half := *b
		for r := range b.N {
			if g.IntN(3) == 0 {
				half.Sel = append(half.Sel, int32(r))
			}
		}
		whole, picked, inside := evalTexts(t, n, b), evalTexts(t, n, &half), evalTexts(t, branch, b)
		for i, r := range half.Sel {
			if picked[i] != whole[r] {
				t.Errorf("%s, row %d: %q in the batch, %q under a selection", text, r, whole[r], picked[i])
			}
		}
		for r := range b.N {
			want := "NULL"
			if b.Cols[4].(*column.Bool).Bits.Get(r) {
				want = whole[r]
			}
			if inside[r] != want {
				t.Errorf("%s, row %d: %q in the batch, %q in a branch", text, r, want, inside[r])
			}
			one := column.NewBuilder(nestedSchema, false)
			one.AppendSel(b, []int32{int32(r)})
			if alone := evalTexts(t, n, one.Batch())[0]; alone != whole[r] {
				t.Errorf("%s, row %d: %q in the batch, %q alone", text, r, whole[r], alone)
			}
		}
	}
}

// evalTexts gives n of every row that counts, twice from one evaluator, cast to text.
func evalTexts(t *testing.T, n *expr.Node, b *column.Batch) []string {
	t.Helper()
	text, err := expr.CastTo(n, testTypes["text"], false, fault.Span{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := expr.Compile([]*expr.Node{text}, nestedSchema, expr.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	var first []string
	for i := range 2 {
		out, err := e.Eval(b)
		if err != nil {
			t.Fatalf("%s: %v", expr.Format(n), err)
		}
		var texts []string
		for _, r := range b.Selected(nil) {
			s := "NULL"
			if out[0].Validity().IsValid(int(r)) {
				s = string(out[0].(*column.Bytes).At(int(r)))
			}
			texts = append(texts, s)
		}
		if i == 1 && !slices.Equal(first, texts) {
			t.Errorf("%s: the second evaluation differs", expr.Format(n))
		}
		first = texts
	}
	return first
}

// TestSetsOfLongLists compares the functions that sort long lists with plain loops.
func TestSetsOfLongLists(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(1, 2))}
	for range 100 {
		var a, b []string
		for range g.IntN(60) {
			a = append(a, strconv.Itoa(g.IntN(40)))
		}
		for range g.IntN(60) {
			b = append(b, strconv.Itoa(g.IntN(40)))
		}
		var union, both, only []string
		for _, x := range append(slices.Clone(a), b...) {
			if !slices.Contains(union, x) {
				union = append(union, x)
			}
		}
		for _, x := range a {
			if slices.Contains(b, x) && !slices.Contains(both, x) {
				both = append(both, x)
			}
			if !slices.Contains(b, x) && !slices.Contains(only, x) {
				only = append(only, x)
			}
		}
		list := func(l []string) string { return "[" + strings.Join(l, ", ") + "]" }
		literal := func(l []string) string {
			return "arrow_cast(make_array(" + strings.Join(l, ", ") + "), 'List(Int64)')"
		}
		runTable(t, "array_union("+literal(a)+", "+literal(b)+") => "+list(union))
		runTable(t, "array_intersect("+literal(a)+", "+literal(b)+") => "+list(both))
		runTable(t, "array_except("+literal(a)+", "+literal(b)+") => "+list(only))
	}
}

func BenchmarkLists(b *testing.B) {
	batch := nestedBatch(generator{rand.New(rand.NewPCG(3, 4))}, benchRows)
	for _, text := range []string{"array_append(l, v)", "make_array(v, v)", "array_element(l, 2)", "array_slice(l, 2, -2)", "array_sort(l)", "array_distinct(l)", "array_has(l, v)",
		"eq_any(v, l)", "l || m", "array_to_string(l, ',')", "make_map('a', v)", "encode(multi_hash(l, v), 'hex')"} {
		b.Run(text, func(b *testing.B) {
			e, err := expr.Compile([]*expr.Node{mustParse(b, nestedSchema, text)}, nestedSchema, expr.Builtin())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

package expr_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

func TestJSONByKeys(t *testing.T) {
	runTable(t, `
		json_get_int('{"a": -5}', 'a') => -5
		json_get_int('{"a": 1.5}', 'a') => NULL
		json_get_int('{"a": "1"}', 'a') => NULL
		json_get_int('{"a": 9223372036854775808}', 'a') => NULL
		json_get_float('{"a": -2}', 'a') => -2.0
		json_get_float('{"a": -2.5e-1}', 'a') => -0.25
		json_get_bool('{"a": false}', 'a') => false
		json_get_bool('{"a": 1}', 'a') => NULL
		json_get_str('{"a": "x\"\u00e9\ud83d\ude00"}', 'a') => x"é😀
		json_get_str('{"a": "\ud83d"}', 'a') => �
		json_get_str('{"a": ""}', 'a') => 
		json_get_str('{"a": null}', 'a') => NULL
		json_get_str('{"\u0061": "x"}', 'a') => x
		json_get_str('{"a": "first", "a": "second"}', 'a') => first
		json_get_json('{"a": {"b" : [1 ]}}', 'a') => {"b" : [1 ]}
		json_get_json('{"a": null}', 'a') => null
		json_get_json('[1, [2, 3]]', 1, 0) => 2
		json_get_json('[1]', -1) => NULL
		json_get_json('[1]', 1) => NULL
		json_get_json('[1]', 'a') => NULL
		json_get_json('{"0": 1}', 0) => NULL
		json_get_json(' [1] ') => [1]
		json_get_json('[1] x') => NULL
		json_get_json('nothing', 'a') => NULL
		json_get_json('{"a" 1}', 'a') => NULL
		json_get_json('{"a": 01}', 'a') => NULL
		json_get_json('{"a": [1,]}', 'a') => NULL
		json_get_json('', 'a') => NULL
		json_get_json(NULL, 'a') => NULL
		json_get_json('{"a": 1}', NULL) => NULL
		json_as_text('{"a": [1, "x"]}', 'a') => [1, "x"]
		json_as_text('{"a": null}', 'a') => NULL
		json_as_text('{"a": 1}', 'b') => NULL
		json_contains('{"a": null}', 'a') => true
		json_contains('{"a": [1]}', 'a', 1) => false
		json_contains(NULL, 'a') => NULL
		json_length('[1, {"a": 2}]') => 2
		json_length('{}') => 0
		json_length('1') => NULL
		json_object_keys('{"a": 1, "b\n": {"c": 2}}', 'b') => NULL
		array_length(json_object_keys('{}')) => 0
		json_get_str(json_get(json_get('{"a": [{"b": "x"}]}', 'a'), 0), 'b') => x
		json_get('{"a": -5}', 'a')::int => -5
		json_get('{"a": -5}', 'a')::tinyint => -5
		json_get('{"a": 500}', 'a')::tinyint => !overflow
		TRY_CAST(json_get('{"a": 500}', 'a') AS tinyint) => NULL
		json_get('{"a": "5"}', 'a')::int => NULL
		json_get('{"a": -2.5}', 'a')::float => -2.5
		json_get('{"a": -12345678901234567890.125}', 'a')::decimal(30, 3) => -12345678901234567890.125
		json_get('{"a": true}', 'a')::boolean => true
		json_get('{"a": "x"}', 'a')::text => x
		json_get('{"a": 1}', 'a')::text => NULL
		json_get('{"a": "2024-01-02T03:04:05Z"}', 'a')::timestamp => 2024-01-02T03:04:05
		json_get('{"a": "then"}', 'a')::timestamp => !invalid
		json_get('{"a": "x"}', 'a') = 'x' => true
		json_get('{"a": 5.5}', 'a') > 5 => true
		json_get('{"a": {"b":1}}', 'a') = json_get('{"c": {"b":1}}', 'c') => true
		json_get('{"a": null}', 'a') IS NULL => true
		coalesce(json_get('{"a": 1}', 'b'), 'none') => none
		upper(json_get('{"a": "x"}', 'a')) => X
		serialize_json_union(json_get('{"a": "x\u00e9"}', 'a')) => "x\u00e9"
		serialize_json_union(json_get('{"a": [1, 2]}', 'a')) => [1, 2]
		union_tag(json_get('[1.0]', 0)) => float
		union_tag(json_get('[-1]', 0)) => int
		union_extract(json_get('[1]', 0), 'float') => NULL
		union_extract(json_get('[[1]]', 0), 'array') => [1]
		union_extract(json_get('[1]', 0), 'thing') => !invalid
		json_get(1, 'a') => !type-mismatch
		json_get('{}', 1.5) => !type-mismatch
	`)
	deep := strings.Repeat("[", 5000)
	for text, want := range map[string]string{deep: "NULL", deep + strings.Repeat("]", 5000): "NULL"} {
		n, err := expr.Builtin().Call("json_get_json", []*expr.Node{expr.NewLiteral(testTypes["text"], text)}, fault.Span{})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := textOf(t, n); got != want || err != nil {
			t.Errorf("nested deeply: %.20s, %v", got, err)
		}
	}
}

// The document of RFC 9535, figure 1, without the fields that no query below reads.
const store = `{"store":{"book":[{"category":"reference","title":"Sayings","price":8.95},{"category":"fiction","title":"Sword","price":12.99},` +
	`{"category":"fiction","title":"Moby Dick","isbn":"0-553","price":8.99},{"category":"fiction","title":"Lord","isbn":"0-395","price":22.99}],` +
	`"bicycle":{"color":"red","price":399}}}`

func TestJSONPathFollowsTheRFC(t *testing.T) {
	for _, c := range []struct{ doc, path, want string }{
		{store, `$.store.book[*].title`, `["Sayings", "Sword", "Moby Dick", "Lord"]`},
		{store, `$.store..price`, `[8.95, 12.99, 8.99, 22.99, 399]`},
		{store, `$..book[2].title`, `["Moby Dick"]`},
		{store, `$..book[-1].title`, `["Lord"]`},
		{store, `$..book[0,1].price`, `[8.95, 12.99]`},
		{store, `$..book[:2].price`, `[8.95, 12.99]`},
		{store, `$..book[?@.isbn].title`, `["Moby Dick", "Lord"]`},
		{store, `$..book[?!@.isbn].title`, `["Sayings", "Sword"]`},
		{store, `$..book[?@.price<10 && @.category == 'fiction'].title`, `["Moby Dick"]`},
		{store, `$..book[?(@.price>20||@.price<8.99)].title`, `["Sayings", "Lord"]`},
		{store, `$..book[?@.price < $.store.book[1].price].price`, `[8.95, 8.99]`},
		{store, `$..book[?match(@.title, "S.*")].title`, `["Sayings", "Sword"]`},
		{store, `$..book[?search(@.title, 'or')].title`, `["Sword", "Lord"]`},
		{store, `$..book[?length(@.title)==4].title`, `["Lord"]`},
		{store, `$.store[?count(@.*) == 2].color`, `["red"]`},
		{store, `$.store[?value(@..color) == "red"].price`, `[399]`},
		{store, `$['store']["bicycle"]`, `[{"color":"red","price":399}]`},
		{`["a","b","c","d","e","f","g"]`, `$[1:3]`, `["b", "c"]`},
		{`["a","b","c","d","e","f","g"]`, `$[5:]`, `["f", "g"]`},
		{`["a","b","c","d","e","f","g"]`, `$[1:5:2]`, `["b", "d"]`},
		{`["a","b","c","d","e","f","g"]`, `$[5:1:-2]`, `["f", "d"]`},
		{`["a","b","c","d","e","f","g"]`, `$[::-1]`, `["g", "f", "e", "d", "c", "b", "a"]`},
		{`["a","b","c"]`, `$[::0]`, `[]`},
		{`["a","b","c"]`, `$[-100:100:1]`, `["a", "b", "c"]`},
		{`{"a":null,"b":[null],"c":[{}]}`, `$.a`, `[null]`},
		{`{"a":null,"b":[null],"c":[{}]}`, `$.a[0]`, `[]`},
		{`{"a":null,"b":[null],"c":[{}]}`, `$.b[?@==null]`, `[null]`},
		{`{"a":null,"b":[null],"c":[{}]}`, `$.c[?@.d==null]`, `[]`},
		{`{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}`, `$..j`, `[1, 4]`},
		{`{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}`, `$..[0]`, `[5, {"j":4}]`},
		{`{"o":{"j":1,"k":2},"a":[5,3,[{"j":4},{"k":6}]]}`, `$.a..[0, 1]`, `[5, 3, {"j":4}, {"k":6}]`},
		{`{"obj":{"x":"y"},"arr":[2,3]}`, `$[?@.absent1 == @.absent2]`, `[{"x":"y"}, [2,3]]`},
		{`[{"a":[1,{"b":2}]},{"a":[1,{"b":3}]}]`, `$[?@.a == $[0].a].a[1].b`, `[2]`},
		{`[{"k":"é"},{"k":"e"}]`, `$[?@.k == "\u00e9"].k`, `["é"]`},
		{`{"a b":{"☺":1}}`, `$['a b'].☺`, `[1]`},
		{`[1,"a",true,null,{},[]]`, `$[?@ >= 1]`, `[1]`},
		{`[1,"a",true,null,{},[]]`, `$[?@ <= true]`, `[true]`},
		{` {"a" : [ 1 , "x y" ] } `, `$`, `[{"a":[1,"x y"]}]`},
		{`{"a":1`, `$.a`, `NULL`},
		{`{"a":1} x`, `$.a`, `NULL`},
	} {
		n, err := expr.Builtin().Call("extract_json", []*expr.Node{
			expr.NewLiteral(testTypes["text"], c.doc), expr.NewLiteral(testTypes["text"], c.path)}, fault.Span{})
		if err != nil {
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		if got, err := textOf(t, n); got != c.want || err != nil {
			t.Errorf("%s over %s\n gives %s (%v)\n want  %s", c.path, c.doc, got, err, c.want)
		}
	}
	for _, path := range []string{"", "a", "$.", "$..", "$[", "$[01]", "$[-0]", "$[9007199254740992]", "$['a]", "$ ", " $", "$.a b", "$[?]", "$[?@.a==]",
		"$[?1]", "$[?@.*==1]", "$[?length(@.a)]", "$[?count(1)==1]", "$[?foo(@)]", "$['\\x']", "$['\\ud800']", "$[1:2:3:4]", "$[?(@.a]", "$.1a", "$[?@.a = 1]",
		"$[?match(@.a)]", strings.Repeat("$[?", 200)} {
		_, err := expr.Builtin().Call("extract_json", []*expr.Node{
			expr.NewLiteral(testTypes["text"], "{}"), expr.NewLiteral(testTypes["text"], path)}, fault.Span{Start: 1, End: 2})
		if f := fault.As(err); err == nil || f.Code != fault.CodeInvalid || f.Hint == "" {
			t.Errorf("%s: %v", path, err)
		}
	}
	runTable(t, `
		extract_json('{}', NULL) => !type-mismatch
		extract_json(NULL, '$') => NULL
		extract_json_string('{"a": "x\"y"}', '$.a') => x"y
		extract_json_string('{"a": 1}', '$.a') => NULL
		extract_json_string('{"a": "x', '$.a') => NULL
		get_first_json_object('{"a": ["x" , 2]}', '$.a') => ["x",2]
		get_first_json_object('{"a": "x"}', '$.a') => "x"
		get_first_json_object('{"a": "x"}', '$.b') => NULL
	`)
}

// first gives what stands under a member or an element, the first member of a name counting.
func first(v json.RawMessage, key any) (json.RawMessage, bool) {
	d := json.NewDecoder(strings.NewReader(string(v)))
	open, _ := d.Token()
	name, isName := key.(string)
	if isName != (open == json.Delim('{')) || !isName && open != json.Delim('[') {
		return nil, false
	}
	for i := int64(0); d.More(); i++ {
		found := i == key
		if isName {
			k, err := d.Token()
			found = err == nil && k == name
		}
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, false
		}
		if found {
			return value, true
		}
	}
	return nil, false
}

// FuzzJSON compares the getters, and the paths that say the same, with encoding/json.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{store, `{"a":{"b":[1,-2.5e3,"x\u00e9\n\ud83d\ude00",true,null]}}`, `[]`, `{"a":[{"b":"\ud800x"}],"a":2}`, ` {"a" : 01}`, `{"a":1]`, `"\x"`, "1e999",
		strings.Repeat("[", 20) + strings.Repeat("]", 20), "\xff", `{"":{"a":1}}`} {
		f.Add(s, "a", int64(0), "$..b[?@.a>1||!@.b]")
		f.Add(s, "b", int64(2), "$.a[::-1]")
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "s", Type: testTypes["text"]}, {Name: "k", Type: testTypes["text"]}, {Name: "i", Type: testTypes["bigint"]}}, nil)
	var nodes []*expr.Node
	for _, text := range []string{"json_get_json(s, k)", "json_get_json(s, i)", "json_get_json(s)", "json_get_str(s, k)", "json_get_int(s, k)", "json_get_float(s, k)",
		"json_get_bool(s, k)", "json_length(s)", "json_contains(s, k, i)", "json_object_keys(s)", "extract_json(s, '$.*')"} {
		nodes = append(nodes, mustParse(f, schema, text))
	}
	e, err := expr.Compile(nodes, schema, expr.Builtin())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, s, k string, i int64, path string) {
		if len(s)+len(path) > 2000 || strings.Count(s, "[")+strings.Count(s, "{") > 200 {
			return
		}
		b := column.NewBuilder(schema, false)
		b.Column(0).(*column.Bytes).AppendString(s)
		b.Column(1).(*column.Bytes).AppendString(k)
		b.Column(2).(*column.Fixed[int64]).Append(i)
		b.AppendTime(0, column.Insert)
		out, err := e.Eval(b.Batch())
		if err != nil {
			t.Fatal(err)
		}
		checkPath(t, schema, b.Batch(), path)
		if !json.Valid([]byte(s)) {
			for _, c := range []int{2, 10} {
				if out[c].Validity().IsValid(0) {
					t.Errorf("%s of text that is not JSON", expr.Format(nodes[c]))
				}
			}
			return
		}
		doc := json.RawMessage(s)
		member, ok := first(doc, k)
		want := wantJSON(doc, member, ok, i)
		for c, w := range want {
			var got any
			if v := out[c]; v.Validity().IsValid(0) {
				switch v := v.(type) {
				case *column.Fixed[float64]:
					got = v.Values[0]
				case *column.Fixed[uint64]:
					got = v.Values[0]
				case *column.List:
					got = v.Len()
				default:
					got = valueOf(v, 0)
				}
			}
			if got != w && strings.ToValidUTF8(fmt.Sprint(got), "\ufffd") != strings.ToValidUTF8(fmt.Sprint(w), "\ufffd") {
				t.Errorf("%s gives %v, encoding/json %v", expr.Format(nodes[c]), got, w)
			}
		}
	})
}

func wantJSON(doc, member json.RawMessage, ok bool, i int64) []any {
	trim := func(r json.RawMessage) string { return strings.Trim(string(r), " \t\r\n") }
	want := []any{nil, nil, trim(doc), nil, nil, nil, nil}
	if element, ok := first(doc, i); ok {
		want[1] = trim(element)
	}
	if !ok {
		return want
	}
	want[0] = trim(member)
	var v any
	if json.Unmarshal(member, &v) != nil {
		// A number that no double holds.
		return want
	}
	switch v := v.(type) {
	case string:
		want[3] = v
	case float64:
		if n, err := strconv.ParseInt(trim(member), 10, 64); err == nil {
			want[4] = n
		}
		if !math.IsInf(v, 0) {
			want[5] = v
		}
	case bool:
		want[6] = v
	}
	return want
}

// checkPath runs an arbitrary path: nothing may panic, and what it finds is JSON.
func checkPath(t *testing.T, schema *arrow.Schema, b *column.Batch, path string) {
	if strings.Count(path, "..") > 2 || strings.Count(path, "?")+strings.Count(path, "*") > 3 {
		// What a path visits grows with the size of the document to the power of these.
		return
	}
	n, err := expr.Builtin().Call("extract_json", []*expr.Node{expr.NewColumn(0, schema.Field(0)), expr.NewLiteral(testTypes["text"], path)}, fault.Span{})
	if err != nil {
		return
	}
	e, err := expr.Compile([]*expr.Node{n}, schema, expr.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Eval(b)
	if err != nil {
		t.Fatal(err)
	}
	list := out[0].(*column.List)
	for r := range list.Elem.Len() {
		if text := list.Elem.(*column.Bytes).At(r); !json.Valid(text) {
			t.Errorf("%s found %q", path, text)
		}
	}
}

// BenchmarkJSON reads documents of 200 bytes.
func BenchmarkJSON(b *testing.B) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "s", Type: testTypes["text"]}}, nil)
	bu := column.NewBuilder(schema, false)
	for i := range benchRows {
		bu.Column(0).(*column.Bytes).AppendString(fmt.Sprintf(`{"id":%d,"user":{"name":"somebody %d","tags":["a","b","c"],"active":true},"channel":"Google","url":"https://www.nexmark.com/item.htm?query=1&c=%d","price":%d.25,"at":"2024-01-02T03:04:05.678Z"}`, i, i, i, i%1000))
		bu.AppendTime(0, column.Insert)
	}
	for _, text := range []string{"json_get_int(s, 'id')", "json_get_float(s, 'price')", "json_get_str(s, 'user', 'name')", "json_get(s, 'at')::timestamp", "json_length(s)",
		"extract_json_string(s, '$.user.tags[1]')", "get_first_json_object(s, '$..price')"} {
		b.Run(text, func(b *testing.B) {
			e, err := expr.Compile([]*expr.Node{mustParse(b, schema, text)}, schema, expr.Builtin())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(bu.Batch()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

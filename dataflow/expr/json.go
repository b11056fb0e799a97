package expr

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

const categoryJSON = "JSON"

// JSON is the type of what -> gives: a value of any kind, as JSON text. It is a type of its own, and not TEXT, so that a
// cast means the value and not its spelling: CastTo makes the typed getters of casts from it. A JSON null, like a member
// that there is not, is NULL. Arrow's string view, which no type of SQL stands for, carries it through schemas.
// serialize_json_union gives its text. Columns declared as JSON are TEXT, marked by JSONMetadata.
var JSON arrow.DataType = arrow.BinaryTypes.StringView

func isJSONValue(dt arrow.DataType) bool { return dt.ID() == arrow.STRING_VIEW }

// jsonFunctions declares the functions that read JSON text. Keys are names of members or positions of elements from 0;
// the first member of a name counts. Text that is not JSON gives null.
func jsonFunctions() []*function {
	const doc = `'{"a": {"b": [1, -2.5, "x", true, null]}}'`
	fn := func(name, summary, example, result string, dt arrow.DataType, mk func(*Node) kernel) *function {
		return &function{
			name: name, category: categoryJSON, doc: summary, example: example, result: result, mayNull: true,
			takes: name + "(TEXT or JSON, TEXT or integer, …)", bind: bindJSON(dt), make: mk,
		}
	}
	contains := fn("json_contains", "Whether there is a value under these keys. Written json ? key.", "json_contains("+doc+", 'a', 'b', 9)", "false", typeBool,
		jsonKernel(func(*Node) jsonResult { return &jsonTest{} }))
	contains.mayNull = false
	fs := []*function{
		fn("json_get", "The value under these keys, of whatever type; a cast gives the value as that type. Written json -> key.",
			"json_get("+doc+", 'a', 'b', 1)::double", "-2.5", JSON, jsonKernel(func(*Node) jsonResult { return &jsonSlice{kind: getAny} })),
		fn("json_get_str", "The text under these keys; null if there is something else.", "json_get_str("+doc+", 'a', 'b', 2)", "x", typeText,
			jsonKernel(func(*Node) jsonResult { return &jsonSlice{kind: getString} })),
		fn("json_get_int", "The integer under these keys; null if there is something else.", "json_get_int("+doc+", 'a', 'b', 0)", "1", typeInt64,
			jsonKernel(func(*Node) jsonResult { return &jsonNumber[int64]{read: jsonInt} })),
		fn("json_get_float", "The number under these keys; null if there is something else.", "json_get_float("+doc+", 'a', 'b', 1)", "-2.5", typeDouble,
			jsonKernel(func(*Node) jsonResult { return &jsonNumber[float64]{read: jsonFloat} })),
		fn("json_get_number", "The digits of the number under these keys, for casts to DECIMAL.", "json_get_number("+doc+", 'a', 'b', 1)", "-2.5", typeText,
			jsonKernel(func(*Node) jsonResult { return &jsonSlice{kind: getNumber} })),
		fn("json_get_bool", "The truth value under these keys; null if there is something else.", "json_get_bool("+doc+", 'a', 'b', 3)", "true", typeBool,
			jsonKernel(func(*Node) jsonResult { return &jsonBool{} })),
		fn("json_get_json", "The value under these keys as JSON text.", "json_get_json("+doc+", 'a', 'b')", `[1, -2.5, "x", true, null]`, typeText,
			jsonKernel(func(*Node) jsonResult { return &jsonSlice{kind: getText} })),
		fn("json_as_text", "The value under these keys: texts without quotes, others as JSON text. Written json ->> key.",
			"json_as_text("+doc+", 'a', 'b', 2)", "x", typeText, jsonKernel(func(*Node) jsonResult { return &jsonSlice{kind: getUnquoted} })),
		contains,
		fn("json_length", "The number of members of the object, or elements of the array, under these keys.", "json_length("+doc+", 'a', 'b')", "5",
			typeUint64, jsonKernel(func(*Node) jsonResult { return &jsonNumber[uint64]{read: jsonCount} })),
		fn("json_object_keys", "The names of the members of the object under these keys.", `json_object_keys('{"a": 1, "b": 2}')`, "[a, b]",
			arrow.ListOf(typeText), jsonNamesKernel).alias("json_keys"),
		fn("union_tag", "What a JSON value is: bool, int, float, str, array or object.", "union_tag(json_get("+doc+", 'a', 'b'))", "array", typeText,
			jsonKernel(func(*Node) jsonResult { return &jsonSlice{kind: getTag} })),
		{
			name: "union_extract", category: categoryJSON, doc: "A JSON value if it is a bool, int, float, str, array or object, else null.",
			example: "union_extract(json_get(" + doc + ", 'a', 'b', 0), 'int')", result: "1", mayNull: true, takes: "union_extract(JSON, TEXT constant)",
			bind: bindUnionExtract, expand: expandUnionExtract,
		},
		{
			name: "serialize_json_union", category: categoryJSON, doc: "The JSON text of a JSON value, null being the text null.",
			example: "serialize_json_union(json_get(" + doc + ", 'a', 'c'))", result: "null", callsNull: true, neverNull: true,
			takes: "serialize_json_union(JSON)", bind: bindSerialize, make: serializeKernel,
		},
	}
	fs = append(fs, &function{
		name: "to_json", category: categoryJSON, doc: "The value as JSON; of a column of type JSON, itself. CAST(x AS JSON) is the same for all but texts, which it takes for JSON.",
		example: "to_json(named_struct('a', make_array(1, NULL), 'b', 'x\"y'))", result: `{"a":[1,null],"b":"x\"y"}`,
		takes: "to_json(any)", bind: bindToJSON, make: toJSONKernel,
	})
	return append(fs, jsonPathFunctions()...)
}

// jsonDocument converts the first argument of a function of JSON.
func (s *callSite) jsonDocument(args []*Node) (*Node, error) {
	if len(args) == 0 {
		return nil, s.mismatch(args)
	}
	switch doc := args[0]; {
	case isNull(doc.Type):
		return NewLiteral(typeText, nil), nil
	case isText(doc.Type), isJSONValue(doc.Type):
		return doc, nil
	}
	return nil, s.mismatch(args)
}

// bindJSON takes a document and keys. A document that json_get gives is replaced by what that reads from.
func bindJSON(dt arrow.DataType) binder {
	return func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
		doc, err := s.jsonDocument(args)
		if err != nil {
			return nil, nil, err
		}
		out := []*Node{doc}
		if doc.Kind == Call && doc.Name == "json_get" {
			out = append([]*Node{}, doc.Args...)
		}
		for _, key := range args[1:] {
			to := typeText
			if isInteger(key.Type) {
				to = typeInt64
			} else if !isText(key.Type) && !isNull(key.Type) {
				return nil, nil, s.mismatch(args)
			}
			k, err := CastTo(key, to, false, s.span)
			if err != nil {
				return nil, nil, err
			}
			out = append(out, k)
		}
		return out, dt, nil
	}
}

// castJSON makes of a cast from JSON the getter of that type: what the value is not is null. Texts are then read as the
// type, which may fail.
func castJSON(n *Node, to arrow.DataType, kind Kind, span fault.Span) *Node {
	var getter *Node
	switch {
	case to.ID() == arrow.BOOL:
		getter = jsonGetter("json_get_bool", typeBool, n, span)
	case isInteger(to):
		getter = jsonGetter("json_get_int", typeInt64, n, span)
	case isFloat(to):
		getter = jsonGetter("json_get_float", typeDouble, n, span)
	case isDecimal(to):
		getter = jsonGetter("json_get_number", typeText, n, span)
	case arrow.IsNested(to.ID()):
		getter = jsonGetter("json_get_json", typeText, n, span)
	default:
		getter = jsonGetter("json_get_str", typeText, n, span)
	}
	if arrow.TypeEqual(getter.Type, to) {
		return getter
	}
	return newCast(getter, to, kind, span)
}

// jsonGetter calls a getter of the value n; what json_get gives is read from its document directly.
func jsonGetter(name string, dt arrow.DataType, n *Node, span fault.Span) *Node {
	args := []*Node{n}
	if n.Kind == Call && n.Name == "json_get" {
		args = n.Args
	}
	return &Node{Kind: Call, Name: name, Type: dt, Nullable: true, Args: args, Span: span}
}

// castsFromJSON says what castJSON makes.
func castsFromJSON(to arrow.DataType) bool {
	return isPlain(to) || isUUID(to)
}

// jsonResult is the result of a function of one value of a document, filled row by row.
type jsonResult interface {
	start(c *call)
	// set takes the value from..to-1 of d, from being -1 if there is none.
	set(c *call, r int, d jsonDoc, from, to int)
	vector() column.Vector
}

// jsonKernel finds the value of every row.
func jsonKernel(make func(*Node) jsonResult) func(*Node) kernel {
	return func(n *Node) kernel {
		out := make(n)
		var keys []jsonKey
		return func(c *call) (column.Vector, error) {
			out.start(c)
			keys = keys[:0]
			vary := false
			for i := range c.args[1:] {
				_, constant := c.args[i+1].(*column.Const)
				vary = vary || !constant
				keys = append(keys, jsonKey{})
			}
			rows := c.live()
			if !vary && c.n > 0 {
				c.jsonKeys(keys, 0)
			}
			docs := c.text(0)
			one := func(r int) {
				if vary {
					c.jsonKeys(keys, r)
				}
				d := jsonDoc(docs.at(r))
				from, to := d.find(keys)
				out.set(c, r, d, from, to)
			}
			if rows == nil {
				for r := range c.n {
					one(r)
				}
			}
			for _, r := range rows {
				one(int(r))
			}
			return out.vector(), nil
		}
	}
}

// jsonKeys sets the keys of row r, which has no null argument.
func (c *call) jsonKeys(keys []jsonKey, r int) {
	for i := range keys {
		if v, at := c.value(i+1, r); isText(v.Type()) {
			keys[i] = jsonKey{name: v.(*column.Bytes).Str(at)}
		} else {
			keys[i] = jsonKey{index: v.(*column.Fixed[int64]).Values[at], isIndex: true}
		}
	}
}

// jsonGet says what jsonSlice gives of a value.
type jsonGet uint8

const (
	getAny jsonGet = iota
	getText
	getString
	getUnquoted
	getNumber
	getTag
)

// jsonSlice gives parts of the documents, without copying them.
type jsonSlice struct {
	kind jsonGet
	out  bytesOut
	docs texts
	base uint32
}

func (s *jsonSlice) start(c *call) {
	s.out.start(c)
	s.docs = c.text(0)
	s.base = s.out.Borrow(s.docs.vec)
}

func (s *jsonSlice) vector() column.Vector { return &s.out.Bytes }

func (s *jsonSlice) set(_ *call, r int, d jsonDoc, from, to int) {
	if from < 0 || s.kind != getText && d[from] == 'n' {
		s.out.setNull(r)
		return
	}
	first := d[from]
	switch s.kind {
	case getTag:
		s.out.SetString(r, jsonTag(d[from:to]))
		return
	case getString, getUnquoted:
		if first == '"' {
			s.unquoted(r, d, from, to)
			return
		}
		if s.kind == getString {
			s.out.setNull(r)
			return
		}
	case getNumber:
		if first != '-' && first-'0' > 9 {
			s.out.setNull(r)
			return
		}
	}
	s.out.SetSlice(r, s.docs.vec, r&s.docs.mask, from, to, s.base)
}

// unquoted gives what a string stands for.
func (s *jsonSlice) unquoted(r int, d jsonDoc, from, to int) {
	for i := from + 1; i < to; i++ {
		if d[i] == '\\' {
			s.out.buf = d.unescape(s.out.buf[:0], from, to)
			s.out.Set(r, s.out.buf)
			return
		}
	}
	s.out.SetSlice(r, s.docs.vec, r&s.docs.mask, from+1, to-1, s.base)
}

// jsonTag names the kind of a value as the members of Arroyo's union are named.
func jsonTag(value jsonDoc) string {
	switch value[0] {
	case '"':
		return "str"
	case '{':
		return "object"
	case '[':
		return "array"
	case 't', 'f':
		return "bool"
	}
	if _, ok := jsonInt(value); ok {
		return "int"
	}
	return "float"
}

// jsonNumber gives numbers of values.
type jsonNumber[T column.Value] struct {
	read func(value jsonDoc) (T, bool)
	out  fixedOut[T]
}

func (s *jsonNumber[T]) start(c *call)         { s.out.start(c) }
func (s *jsonNumber[T]) vector() column.Vector { return &s.out.Fixed }

func (s *jsonNumber[T]) set(_ *call, r int, d jsonDoc, from, to int) {
	ok := false
	if from >= 0 {
		s.out.Values[r], ok = s.read(d[from:to])
	}
	if !ok {
		s.out.setNull(r)
	}
}

func jsonInt(v jsonDoc) (int64, bool) {
	if c := v[0]; c != '-' && c-'0' > 9 {
		return 0, false
	}
	i, err := strconv.ParseInt(string(v), 10, 64)
	return i, err == nil
}

func jsonFloat(v jsonDoc) (float64, bool) {
	if c := v[0]; c != '-' && c-'0' > 9 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(v), 64)
	return f, err == nil
}

func jsonCount(v jsonDoc) (uint64, bool) {
	n := v.count(0)
	return uint64(n), n >= 0
}

// jsonBool gives truth values.
type jsonBool struct{ out boolOut }

func (s *jsonBool) start(c *call)         { s.out.start(c) }
func (s *jsonBool) vector() column.Vector { return &s.out.Bool }

func (s *jsonBool) set(_ *call, r int, d jsonDoc, from, _ int) {
	if from < 0 || d[from] != 't' && d[from] != 'f' {
		s.out.setNull(r)
		return
	}
	s.out.Bits.SetTo(r, d[from] == 't')
}

// jsonTest tells whether there is a value.
type jsonTest struct{ out boolOut }

func (s *jsonTest) start(c *call)                              { s.out.start(c) }
func (s *jsonTest) vector() column.Vector                      { return &s.out.Bool }
func (s *jsonTest) set(_ *call, r int, _ jsonDoc, from, _ int) { s.out.Bits.SetTo(r, from >= 0) }

// jsonNames gives the names of members.
type jsonNames struct {
	out *column.List
	n   int
	buf []byte
}

func jsonNamesKernel(n *Node) kernel {
	return jsonKernel(func(n *Node) jsonResult { return &jsonNames{out: column.NewAppender(n.Type).(*column.List)} })(n)
}

func (s *jsonNames) start(c *call) {
	s.out.Reset()
	s.n = c.n
}

func (s *jsonNames) vector() column.Vector {
	padList(s.out, s.n)
	return s.out
}

func (s *jsonNames) set(c *call, r int, d jsonDoc, from, _ int) {
	padList(s.out, r)
	if from < 0 || d[from] != '{' {
		s.out.AppendNull()
		return
	}
	names := s.out.Elem.(*column.Bytes)
	it := d.children(from)
	for it.next() {
		s.buf = d.unescape(s.buf[:0], it.key, it.keyEnd)
		names.Append(s.buf)
	}
	s.out.Append()
}

func bindSerialize(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 1 || !isJSONValue(args[0].Type) {
		return nil, nil, s.mismatch(args)
	}
	return args, typeText, nil
}

func serializeKernel(*Node) kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := c.text(0)
		base := o.Borrow(in.vec)
		err := c.each(func(r int) error {
			if in.isNull(r) {
				o.SetString(r, "null")
			} else {
				o.SetView(r, in.vec, r&in.mask, base)
			}
			return nil
		})
		return &o.Bytes, err
	}
}

var unionMembers = map[string]arrow.DataType{
	"bool": typeBool, "int": typeInt64, "float": typeDouble, "str": typeText, "array": typeText, "object": typeText,
}

func bindUnionExtract(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 || !isJSONValue(args[0].Type) || args[1].Kind != Literal {
		return nil, nil, s.mismatch(args)
	}
	name, _ := args[1].Value.(string)
	dt, ok := unionMembers[name]
	if !ok {
		return nil, nil, fault.Userf(fault.CodeInvalid, args[1].Span.Join(s.span), "a JSON value is no such thing").
			WithHint("it is a bool, int, float, str, array or object")
	}
	return args, dt, nil
}

// expandUnionExtract rewrites to a CASE over the tag, since an int is no float even if a getter would take it.
func expandUnionExtract(n *Node) *Node {
	doc, tag := n.Args[0], n.Args[1]
	var value *Node
	if name := tag.Value.(string); name == "array" || name == "object" {
		value = jsonGetter("json_get_json", typeText, doc, n.Span)
	} else {
		value = castJSON(doc, n.Type, Cast, n.Span)
	}
	test := &Node{Kind: Call, Name: "eq", Type: typeBool, Nullable: true, Span: n.Span,
		Args: []*Node{jsonGetter("union_tag", typeText, doc, n.Span), tag}}
	return &Node{Kind: Case, Type: n.Type, Nullable: true, Span: n.Span, Args: []*Node{test, value}}
}

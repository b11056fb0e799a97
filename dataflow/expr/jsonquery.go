package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// jsonPathFunctions declares the functions that take a path of RFC 9535.
func jsonPathFunctions() []*function {
	const doc = `'{"a": [{"b": 1}, {"b": "x"}]}'`
	fn := func(name, summary, example, result string, dt arrow.DataType, mk func(*Node) kernel) *function {
		return &function{
			name: name, category: categoryJSON, doc: summary, example: example, result: result, mayNull: true,
			takes: name + "(TEXT or JSON, TEXT constant)", bind: bindJSONPath(dt), make: mk,
		}
	}
	return []*function{
		fn("extract_json", "The JSON texts of all values that a JSONPath finds, as a list; null if the text is not JSON.",
			"extract_json("+doc+", '$.a[*].b')", `[1, "x"]`, arrow.ListOf(typeText), extractJSON),
		fn("extract_json_string", "The text that a JSONPath finds first; null if it finds nothing or something else first.",
			"extract_json_string("+doc+", '$.a[?@.b != 1].b')", "x", typeText, firstJSON(true)),
		fn("get_first_json_object", "The JSON text of the value that a JSONPath finds first; null if it finds nothing.",
			"get_first_json_object("+doc+", '$..b')", "1", typeText, firstJSON(false)),
	}
}

func bindJSONPath(dt arrow.DataType) binder {
	return func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
		if len(args) != 2 {
			return nil, nil, s.mismatch(args)
		}
		doc, err := s.jsonDocument(args)
		if err != nil {
			return nil, nil, err
		}
		path, ok := args[1].Value.(string)
		if args[1].Kind != Literal || !ok {
			return nil, nil, fault.Userf(CodeTypeMismatch, args[1].Span.Join(s.span), "%s: the path is a text constant", s.name).
				WithHint("for example '$.items[0].price'")
		}
		if _, ok := parseJSONPath(path); !ok {
			return nil, nil, fault.Userf(fault.CodeInvalid, args[1].Span.Join(s.span), "%s: the path is no JSONPath", s.name).
				WithHint("paths are those of RFC 9535, for example '$.items[0].price' or '$..price'")
		}
		return []*Node{doc, args[1]}, dt, nil
	}
}

// pathOf gives the path of a call, which binding has checked.
func pathOf(n *Node) *jsonPath {
	p, ok := parseJSONPath(n.Args[1].Value.(string))
	if !ok {
		panic("expr: a JSONPath was not checked")
	}
	return p
}

// query walks over document d; it reports false if that is not JSON.
func (w *pathWalker) query(p *jsonPath, d jsonDoc, emit func(i int) bool) bool {
	w.d, w.root = d, d.valid()
	if w.root < 0 {
		return false
	}
	w.walk(p.segments, w.root, emit)
	return true
}

func extractJSON(n *Node) kernel {
	path := pathOf(n)
	var w pathWalker
	var buf []byte
	return valuesKernel(func(c *call, out *column.Bytes, r int) (bool, error) {
		d := jsonDoc(c.text(0).at(r))
		return w.query(path, d, func(i int) bool {
			buf = d.compact(buf[:0], i, d.skip(i, 0))
			out.Append(buf)
			return true
		}), nil
	})(n)
}

// firstJSON gives the first value found, or if texts is set what it stands for if it is a text.
func firstJSON(texts bool) func(*Node) kernel {
	return func(n *Node) kernel {
		path := pathOf(n)
		var w pathWalker
		out := &bytesOut{}
		return func(c *call) (column.Vector, error) {
			o := out.start(c)
			c.each(func(r int) error {
				d := jsonDoc(c.text(0).at(r))
				first := -1
				w.query(path, d, func(i int) bool {
					first = i
					return false
				})
				switch {
				case first < 0 || texts && d[first] != '"':
					o.setNull(r)
					return nil
				case texts:
					end, _ := d.stringEnd(first)
					o.buf = d.unescape(o.buf[:0], first, end)
				default:
					o.buf = d.compact(o.buf[:0], first, d.skip(first, 0))
				}
				o.Set(r, o.buf)
				return nil
			})
			return &o.Bytes, nil
		}
	}
}

package expr

import (
	"math"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// listElements declares the functions that give one element.
func listElements() []*function {
	extreme := func(name, doc, example, result string, sign int) *function {
		return listFunction(name, name+"(list)", doc, example, result, bindElem("l", elemResult), pickKernel(func(c *call, p *picker, r int) (bool, error) {
			l := c.list(0)
			from, to := l.span(r)
			elems, best := l.vec.Elem, -1
			for e := from; e < to && !l.isNull(r); e++ {
				if elems.Validity().IsValid(e) && (best < 0 || compareRows(elems, e, elems, best)*sign > 0) {
					best = e
				}
			}
			if best >= 0 {
				p.elem(0, best)
			}
			return best >= 0, nil
		}))
	}
	return []*function{
		listFunction("array_element", "array_element(list, n) or array_element(map, key)",
			"Element n of a list, or the value of a key in a map; null if there is none. Written x[n].", "array_element(make_array('a', 'b'), -1)",
			"b", bindSubscript, subscriptKernel).listAlias("array_extract"),
		listFunction("array_any_value", "array_any_value(list)", "The first element that is not null.", "array_any_value(make_array(NULL, 2, 3))",
			"2", bindElem("l", elemResult), pickKernel(func(c *call, p *picker, r int) (bool, error) {
				l := c.list(0)
				from, to := l.span(r)
				for e := from; e < to && !l.isNull(r); e++ {
					if l.vec.Elem.Validity().IsValid(e) {
						p.elem(0, e)
						return true, nil
					}
				}
				return false, nil
			})),
		extreme("array_max", "The greatest element that is not null.", "array_max(make_array(1, 3, NULL, 2))", "3", 1),
		extreme("array_min", "The least element that is not null.", "array_min(make_array(1, 3, NULL, 2))", "1", -1),
	}
}

// bindSubscript takes a list and a BIGINT, or a map and a key.
func bindSubscript(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	if isMap(args[0].Type) {
		return bindMapKey(s, args, func(item arrow.DataType) arrow.DataType { return item })
	}
	return bindElem("li", elemResult)(s, args)
}

func subscriptKernel(n *Node) kernel {
	if isMap(n.Args[0].Type) {
		return mapValueKernel(n)
	}
	return pickKernel(func(c *call, p *picker, r int) (bool, error) {
		l := c.list(0)
		if l.isNull(r) || c.isNull(1, r) {
			return false, nil
		}
		from, to := l.span(r)
		at := argOf[int64](c, 1).at(r)
		if n := int64(to - from); at < 0 && at >= -n {
			at += n + 1
		}
		if at < 1 || at > int64(to-from) {
			return false, nil
		}
		p.elem(0, from+int(at)-1)
		return true, nil
	})(n)
}

// listNumbers declares the functions that give a number or a truth value.
func listNumbers() []*function {
	position := func(c *call, r int) (uint64, bool, error) {
		l := c.list(0)
		if l.isNull(r) {
			return 0, false, nil
		}
		from, to := l.span(r)
		skip := c.bound(2, r, 1)
		if skip < 1 || skip > int64(to-from)+1 {
			return 0, false, nil
		}
		value, at := c.value(1, r)
		for e := from + int(skip) - 1; e < to; e++ {
			if compareRows(l.vec.Elem, e, value, at) == 0 {
				return uint64(e-from) + 1, true, nil
			}
		}
		return 0, false, nil
	}
	return []*function{
		listFunction("array_length", "array_length(list[, dimension])", "The number of elements; of a nested list, in dimension n.",
			"array_length(make_array(1, 2, 3))", "3", bindElem("l?i", always(typeUint64)), optionalNumber(listLength)).listAlias("array_size"),
		listFunction("array_ndims", "array_ndims(list)", "How deep lists are nested.", "array_ndims(make_array(make_array(1)))", "2",
			bindElem("l", always(typeUint64)), func(n *Node) kernel {
				depth := uint64(0)
				for dt := n.Args[0].Type; isList(dt); dt = elemOf(dt) {
					depth++
				}
				return optionalNumber(func(c *call, r int) (uint64, bool, error) { return depth, !c.list(0).isNull(r), nil })(n)
			}),
		listFunction("array_dims", "array_dims(list)", "The number of elements in every dimension.", "array_dims(make_array(make_array(1, 2)))",
			"[1, 2]", bindElem("l", always(arrow.ListOf(typeUint64))), valuesKernel(listDims)),
		{
			name: "cardinality", category: categoryList, doc: "The number of elements of a list, those of nested lists included, or of entries of a map.",
			example: "cardinality(make_array(make_array(1, 2), make_array(3)))", result: "3", takes: "cardinality(list or map)", callsNull: true,
			mayNull: true, bind: bindNested(typeUint64), make: optionalNumber(func(c *call, r int) (uint64, bool, error) {
				l := c.list(0)
				from, to := l.span(r)
				return cardinality(l.vec, from, to), !l.isNull(r), nil
			}),
		},
		{
			name: "empty", aliases: []string{"array_empty", "list_empty"}, category: categoryList, doc: "Whether a list or map has no elements.",
			example: "empty(make_array())", result: "true", takes: "empty(list or map)", callsNull: true, mayNull: true,
			bind: bindNested(typeBool), make: optionalTest(func(c *call, r int) (v, ok bool, err error) {
				l := c.list(0)
				return l.len(r) == 0, !l.isNull(r), nil
			}),
		},
		listFunction("array_position", "array_position(list, any[, from])", "The position of the first element that equals a value; null if there is none.",
			"array_position(make_array('a', 'b'), 'b')", "2", bindElem("lv?i", always(typeUint64)), optionalNumber(position)).listAlias("array_indexof"),
		listFunction("array_positions", "array_positions(list, any)", "The positions of all elements that equal a value.",
			"array_positions(make_array(1, 2, 1), 1)", "[1, 3]", bindElem("lv", always(arrow.ListOf(typeUint64))),
			valuesKernel(func(c *call, out *column.Fixed[uint64], r int) (bool, error) {
				l := c.list(0)
				from, to := l.span(r)
				value, at := c.value(1, r)
				for e := from; e < to && !l.isNull(r); e++ {
					if compareRows(l.vec.Elem, e, value, at) == 0 {
						out.Append(uint64(e-from) + 1)
					}
				}
				return !l.isNull(r), nil
			})),
		listFunction("array_has", "array_has(list, any)", "Whether an element equals a value.", "array_has(make_array(1, 2), 2)", "true",
			bindElem("lv", always(typeBool)), optionalTest(func(c *call, r int) (v, ok bool, err error) {
				l := c.list(0)
				if l.isNull(r) || c.isNull(1, r) {
					return false, false, nil
				}
				value, at := c.value(1, r)
				from, to := l.span(r)
				return (&elemSet{vec: l.vec.Elem, from: from, to: to}).has(value, at), true, nil
			})).listAlias("array_contains"),
		listFunction("array_has_all", "array_has_all(list, list)", "Whether the first list has all elements of the second.",
			"array_has_all(make_array(1, 2, 3), make_array(3, 1))", "true", bindElem("ll", always(typeBool)), hasKernel(0, 1, true)),
		listFunction("array_has_any", "array_has_any(list, list)", "Whether the lists have an element in common.",
			"array_has_any(make_array(1, 2), make_array(2, 3))", "true", bindElem("ll", always(typeBool)), hasKernel(0, 1, false)).
			alias("arrays_overlap"),
		listFunction("array_distance", "array_distance(list, list)", "The Euclidean distance of two points.",
			"array_distance(make_array(0, 0), make_array(3, 4))", "5.0", bindDistance, optionalNumber(distance)),
	}
}

// bindNested takes one list or map.
func bindNested(result arrow.DataType) binder {
	return func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
		if len(args) == 1 && isNull(args[0].Type) {
			args = []*Node{NewLiteral(arrow.ListOf(typeNull), nil)}
		}
		if len(args) != 1 || !isList(args[0].Type) && !isMap(args[0].Type) {
			return nil, nil, s.mismatch(args)
		}
		return args, result, nil
	}
}

func listLength(c *call, r int) (uint64, bool, error) {
	l := c.list(0)
	if l.isNull(r) || len(c.args) == 2 && c.isNull(1, r) {
		return 0, false, nil
	}
	vec, row := l.vec, r&l.mask
	for dimension := c.bound(1, r, 1); ; dimension-- {
		from, to := vec.Offsets[row], vec.Offsets[row+1]
		if dimension == 1 {
			return uint64(to - from), true, nil
		}
		inner, ok := vec.Elem.(*column.List)
		if !ok || dimension < 1 || from == to || !inner.Valid.IsValid(int(from)) {
			return 0, false, nil
		}
		vec, row = inner, int(from)
	}
}

func listDims(c *call, out *column.Fixed[uint64], r int) (bool, error) {
	l := c.list(0)
	if l.isNull(r) {
		return false, nil
	}
	vec, row := l.vec, r&l.mask
	for {
		from, to := vec.Offsets[row], vec.Offsets[row+1]
		out.Append(uint64(to - from))
		inner, ok := vec.Elem.(*column.List)
		if !ok || from == to || !inner.Valid.IsValid(int(from)) {
			return true, nil
		}
		vec, row = inner, int(from)
	}
}

func cardinality(vec *column.List, from, to int) uint64 {
	inner, ok := vec.Elem.(*column.List)
	if !ok || inner.Map != nil {
		return uint64(to - from)
	}
	n := uint64(0)
	for e := from; e < to; e++ {
		if inner.Valid.IsValid(e) {
			n += cardinality(inner, int(inner.Offsets[e]), int(inner.Offsets[e+1]))
		}
	}
	return n
}

// hasKernel tests whether the list at in has all, or any, of the elements of the list at of.
func hasKernel(in, of int, all bool) func(*Node) kernel {
	return func(n *Node) kernel {
		var set elemSet
		return optionalTest(func(c *call, r int) (v, ok bool, err error) {
			a, b := c.list(in), c.list(of)
			if a.isNull(r) || b.isNull(r) {
				return false, false, nil
			}
			from, to := a.span(r)
			set.set(a.vec.Elem, from, to)
			from, to = b.span(r)
			for e := from; e < to; e++ {
				if set.has(b.vec.Elem, e) != all {
					return !all, true, nil
				}
			}
			return all, true, nil
		})(n)
	}
}

func bindDistance(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	out := make([]*Node, 2)
	for i, a := range args {
		if !isNull(a.Type) && (!isList(a.Type) || !isNumeric(elemOf(a.Type)) && !isNull(elemOf(a.Type))) {
			return nil, nil, s.mismatch(args)
		}
		var err error
		if out[i], err = CastTo(a, arrow.ListOf(typeDouble), false, s.span); err != nil {
			return nil, nil, err
		}
	}
	return out, typeDouble, nil
}

func distance(c *call, r int) (float64, bool, error) {
	a, b := c.list(0), c.list(1)
	if a.isNull(r) || b.isNull(r) {
		return 0, false, nil
	}
	if a.len(r) != b.len(r) {
		return 0, false, c.badArgument("the lists differ in length").WithHint("compare points of as many dimensions")
	}
	x, y := a.vec.Elem.(*column.Fixed[float64]), b.vec.Elem.(*column.Fixed[float64])
	from, to := a.span(r)
	other, _ := b.span(r)
	sum := 0.0
	for e := from; e < to; e, other = e+1, other+1 {
		if !x.Valid.IsValid(e) || !y.Valid.IsValid(other) {
			return 0, false, nil
		}
		d := x.Values[e] - y.Values[other]
		sum += d * d
	}
	return math.Sqrt(sum), true, nil
}

// listTexts declares the functions between lists and text.
func listTexts() []*function {
	texts := arrow.ListOf(typeText)
	return []*function{
		listFunction("array_to_string", "array_to_string(list, separator[, TEXT for null])",
			"The elements as text with a separator between them; nulls are left out unless there is a text for them.",
			"array_to_string(make_array(1, NULL, 3), '-', '*')", "1-*-3", bindJoin, joinKernel).listAlias("array_join"),
		listFunction("string_to_array", "string_to_array(TEXT, separator[, TEXT for null])",
			"The parts of a text between separators, or its characters if the separator is null; parts that equal the third text are null.",
			"string_to_array('a,b,,c', ',', '')", "[a, b, NULL, c]", bindElem("tt?t", always(texts)), valuesKernel(splitText)).alias("string_to_list"),
	}
}

func bindJoin(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) < 2 || len(args) > 3 || !isList(args[0].Type) && !isNull(args[0].Type) {
		return nil, nil, s.mismatch(args)
	}
	args = append([]*Node{}, args...)
	for isList(args[0].Type) && isList(elemOf(args[0].Type)) {
		args[0] = &Node{Kind: Call, Name: "flatten", Type: elemOf(args[0].Type), Nullable: args[0].Nullable, Args: []*Node{args[0]}, Span: s.span}
	}
	out := make([]*Node, len(args))
	for i, a := range args {
		to := typeText
		if i == 0 {
			to = arrow.ListOf(typeText)
		}
		c, err := CastTo(a, to, false, s.span)
		if err != nil {
			return nil, nil, s.mismatch(args)
		}
		out[i] = c
	}
	return out, typeText, nil
}

func joinKernel(*Node) kernel {
	out := &bytesOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		err := c.each(func(r int) error {
			l := c.list(0)
			if l.isNull(r) || c.isNull(1, r) {
				o.setNull(r)
				return nil
			}
			o.buf = o.buf[:0]
			elems, first := l.vec.Elem.(*column.Bytes), true
			from, to := l.span(r)
			for e := from; e < to; e++ {
				null := !elems.Valid.IsValid(e)
				if null && (len(c.args) < 3 || c.isNull(2, r)) {
					continue
				}
				if !first {
					o.buf = append(o.buf, c.text(1).at(r)...)
				}
				first = false
				if null {
					o.buf = append(o.buf, c.text(2).at(r)...)
				} else {
					o.buf = append(o.buf, elems.At(e)...)
				}
			}
			o.Set(r, o.buf)
			return nil
		})
		return &o.Bytes, err
	}
}

func splitText(c *call, out *column.Bytes, r int) (bool, error) {
	if c.isNull(0, r) {
		return false, nil
	}
	s := c.text(0).at(r)
	add := func(part string) {
		if len(c.args) == 3 && !c.isNull(2, r) && part == c.text(2).at(r) {
			out.AppendNull()
		} else {
			out.AppendString(part)
		}
	}
	switch {
	case s == "":
	case c.isNull(1, r):
		for len(s) > 0 {
			_, n := utf8.DecodeRuneInString(s)
			add(s[:n])
			s = s[n:]
		}
	case c.text(1).at(r) == "":
		add(s)
	default:
		separator := c.text(1).at(r)
		for more := true; more; {
			var part string
			part, s, more = strings.Cut(s, separator)
			add(part)
		}
	}
	return true, nil
}

// listOperators declares the functions that stand for operators of lists. The quantified comparisons are null if no
// element decides and one, or the value, is null.
func listOperators() []*function {
	op := func(f *function, text string) *function {
		f.operator, f.category = text, "operators"
		return f
	}
	fs := []*function{
		op(listFunction("contains_op", "two lists", "Whether the first list has all elements of the second.",
			"make_array(1, 2, 3) @> make_array(1, 3)", "true", bindElem("ll", always(typeBool)), hasKernel(0, 1, true)), "@>"),
		op(listFunction("contained_op", "two lists", "Whether the second list has all elements of the first.",
			"make_array(1, 4) <@ make_array(1, 3)", "false", bindElem("ll", always(typeBool)), hasKernel(1, 0, true)), "<@"),
		op(listFunction("overlaps_op", "two lists", "Whether the lists have an element in common.",
			"make_array(1, 4) && make_array(4, 3)", "true", bindElem("ll", always(typeBool)), hasKernel(0, 1, false)), "&&"),
	}
	fs = append(fs, op(listFunction("list_concat_op", "two lists, or a list and an element", "The lists one after the other, or a list and a value; made from concat_op.",
		"make_array(1) || 2", "[1, 2]", bindConcatLists, concatListsKernel), "||"))
	for i, name := range []string{"eq", "neq", "lt", "lteq", "gt", "gteq"} {
		text := []string{"=", "<>", "<", "<=", ">", ">="}[i]
		results := [][2]string{{"true", "false"}, {"true", "false"}, {"true", "false"}, {"true", "true"}, {"false", "false"}, {"true", "false"}}[i]
		o := comparison(i)
		fs = append(fs,
			op(listFunction(name+"_any", "a value and a list", "Whether the comparison with one of the elements holds.",
				"1 "+text+" ANY(make_array(1, 2))", results[0], bindElem("vl", always(typeBool)), quantified(o, true)), text+" ANY"),
			op(listFunction(name+"_all", "a value and a list", "Whether the comparison with every element holds.",
				"1 "+text+" ALL(make_array(1, 2))", results[1], bindElem("vl", always(typeBool)), quantified(o, false)), text+" ALL"))
	}
	return fs
}

// quantified compares a value with the elements of a list.
func quantified(o comparison, anyOf bool) func(*Node) kernel {
	holds := o.holds()
	return optionalTest(func(c *call, r int) (v, ok bool, err error) {
		l := c.list(1)
		if l.isNull(r) {
			return false, false, nil
		}
		value, at := c.value(0, r)
		from, to := l.span(r)
		unknown := from < to && !value.Validity().IsValid(at)
		for e := from; e < to && !unknown; e++ {
			if l.vec.Elem.Validity().IsValid(e) && (holds>>uint(compareRows(value, at, l.vec.Elem, e)+1)&1 != 0) == anyOf {
				return anyOf, true, nil
			}
		}
		if valid := l.vec.Elem.Validity(); valid != nil {
			for e := from; e < to; e++ {
				unknown = unknown || !valid.IsValid(e)
			}
		}
		return !anyOf, !unknown, nil
	})
}

// bindConcatLists resolves || with a list on one side or on both.
func bindConcatLists(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	shape := "ll"
	a, b := args[0].Type, args[1].Type
	switch {
	case !isList(a) && !isNull(a), isList(b) && isList(elemOf(b)) && arrow.TypeEqual(a, elemOf(b)):
		shape = "vl"
	case !isList(b) && !isNull(b), isList(a) && isList(elemOf(a)) && arrow.TypeEqual(b, elemOf(a)):
		shape = "lv"
	}
	return bindElem(shape, listResult)(s, args)
}

// concatListsKernel puts lists together, or a list and a value. Lists that are null are left out, as in PostgreSQL.
func concatListsKernel(n *Node) kernel {
	var isPart [2]bool
	for i := range isPart {
		isPart[i] = arrow.TypeEqual(n.Args[i].Type, n.Type)
	}
	return listKernel(func(c *call, o *listOut, r int) (bool, error) {
		some := false
		for i := range c.args {
			switch {
			case !isPart[i]:
				o.value(i, r)
				some = true
			case o.list(c, i, r):
				some = true
			}
		}
		return some, nil
	})(n)
}

package expr

import (
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// listFunctions declares the functions of lists. Positions count from 1, or from -1 backwards; a null list gives null
// unless a function says otherwise, and null elements equal each other.
func listFunctions() []*function {
	fs := []*function{
		listFunction("make_array", "make_array(any, …)", "The list of the arguments, cast to their common type; written ARRAY[…] or […].",
			"make_array(1, NULL, 3)", "[1, NULL, 3]", bindMakeArray, listKernel(func(c *call, o *listOut, r int) (bool, error) {
				for i := range c.args {
					o.value(i, r)
				}
				return true, nil
			})).alias("make_list", "list_value"),
		listFunction("array_append", "array_append(list, any)", "The list with a value behind its last element.",
			"array_append(make_array(1, 2), 3)", "[1, 2, 3]", bindElem("lv", listResult), listKernel(func(c *call, o *listOut, r int) (bool, error) {
				o.list(c, 0, r)
				o.value(1, r)
				return true, nil
			})).listAlias("array_push_back"),
		listFunction("array_prepend", "array_prepend(any, list)", "The list with a value before its first element.",
			"array_prepend(0, make_array(1, 2))", "[0, 1, 2]", bindElem("vl", listResult), listKernel(func(c *call, o *listOut, r int) (bool, error) {
				o.value(0, r)
				o.list(c, 1, r)
				return true, nil
			})).listAlias("array_push_front"),
		listFunction("array_concat", "array_concat(list, …)", "The lists one after the other; nulls are left out.",
			"array_concat(make_array(1), NULL, make_array(2, 3))", "[1, 2, 3]", bindConcat, listKernel(concatLists)).
			listAlias("array_cat"),
		listFunction("array_slice", "array_slice(list, from, to[, step])",
			"The elements from a position to another one, both included; null is an open end. Written list[from:to:step].",
			"array_slice(make_array(1, 2, 3, 4), 2, -2)", "[2, 3]", bindElem("lii?i", listResult), listKernel(sliceList)).
			checked(checkNotZero(3, "the step is 0", "steps go forwards or, if negative, backwards")),
		listFunction("array_reverse", "array_reverse(list)", "The elements in reverse order.", "array_reverse(make_array(1, 2, 3))",
			"[3, 2, 1]", bindElem("l", listResult), ofList(func(c *call, o *listOut, from, to int) {
				for e := to - 1; e >= from; e-- {
					o.elem(0, e)
				}
			})),
		listFunction("array_pop_back", "array_pop_back(list)", "The list without its last element.", "array_pop_back(make_array(1, 2, 3))",
			"[1, 2]", bindElem("l", listResult), ofList(func(c *call, o *listOut, from, to int) { o.elems(0, from, to-1) })),
		listFunction("array_pop_front", "array_pop_front(list)", "The list without its first element.",
			"array_pop_front(make_array(1, 2, 3))", "[2, 3]", bindElem("l", listResult),
			ofList(func(c *call, o *listOut, from, to int) { o.elems(0, from+1, to) })),
		listFunction("array_distinct", "array_distinct(list)", "The list without elements that equal an earlier one.",
			"array_distinct(make_array(1, 2, 1, NULL, NULL))", "[1, 2, NULL]", bindElem("l", listResult), distinctKernel),
		listFunction("array_sort", "array_sort(list[, 'ASC' or 'DESC'[, 'NULLS FIRST' or 'NULLS LAST']])",
			"The elements in order, ascending and nulls first unless told otherwise.", "array_sort(make_array(3, NULL, 1), 'DESC', 'NULLS LAST')",
			"[3, 1, NULL]", bindElem("l?tt", listResult), sortKernel).checked(checkOrder),
		listFunction("array_resize", "array_resize(list, n[, any])", "The list with n elements: cut, or filled up with a value or nulls.",
			"array_resize(make_array(1), 3, 0)", "[1, 0, 0]", bindElem("li?v", listResult), listKernel(resizeList)),
		listFunction("array_repeat", "array_repeat(any, n)", "The list that has a value n times.", "array_repeat('x', 2)", "[x, x]",
			bindElem("vi", listResult), listKernel(repeatValue)),
		listFunction("flatten", "flatten(list of lists)", "The elements of the inner lists in one list.",
			"flatten(make_array(make_array(1), make_array(2, 3)))", "[1, 2, 3]", bindFlatten, listKernel(flattenList)),
	}
	fs = append(fs, listRemovals()...)
	fs = append(fs, listSets()...)
	fs = append(fs, listElements()...)
	fs = append(fs, listNumbers()...)
	fs = append(fs, listTexts()...)
	return append(fs, listOperators()...)
}

// list picks all elements of argument i in row r, none if it is null; it reports whether it is a list.
func (o *listOut) list(c *call, i, r int) bool {
	l := c.list(i)
	if l.isNull(r) {
		return false
	}
	from, to := l.span(r)
	o.elems(i, from, to)
	return true
}

// ofList makes kernels of functions of one list; f picks from its elements.
func ofList(f func(c *call, o *listOut, from, to int)) func(*Node) kernel {
	return listKernel(func(c *call, o *listOut, r int) (bool, error) {
		l := c.list(0)
		if l.isNull(r) {
			return false, nil
		}
		from, to := l.span(r)
		f(c, o, from, to)
		return true, nil
	})
}

func bindMakeArray(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) == 0 {
		return nil, arrow.ListOf(typeNull), nil
	}
	for _, a := range args {
		if !isNull(a.Type) {
			out, dt, err := unify(args, s.span)
			if err != nil {
				return nil, nil, err
			}
			return out, arrow.ListOf(dt), nil
		}
	}
	return args, arrow.ListOf(typeNull), nil
}

// bindConcat takes lists of one type, and lists of their elements as single elements.
func bindConcat(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	depth := func(dt arrow.DataType) (n int) {
		for ; isList(dt); n++ {
			dt = elemOf(dt)
		}
		return n
	}
	most := 0
	for _, a := range args {
		most = max(most, depth(a.Type))
	}
	args = append([]*Node{}, args...)
	for i, a := range args {
		for isList(a.Type) && depth(a.Type) < most {
			a = &Node{Kind: Call, Name: "make_array", Type: arrow.ListOf(a.Type), Args: []*Node{a}, Span: s.span}
		}
		args[i] = a
	}
	return bindElem("l?l*", listResult)(s, args)
}

func concatLists(c *call, o *listOut, r int) (bool, error) {
	some := false
	for i := range c.args {
		some = o.list(c, i, r) || some
	}
	return some, nil
}

// bound gives argument i of a slice, or the default where it is null or missing.
func (c *call) bound(i, r int, missing int64) int64 {
	if i >= len(c.args) || c.isNull(i, r) {
		return missing
	}
	return argOf[int64](c, i).at(r)
}

func sliceList(c *call, o *listOut, r int) (bool, error) {
	l := c.list(0)
	if l.isNull(r) {
		return false, nil
	}
	start, end := l.span(r)
	n := int64(end - start)
	step := c.bound(3, r, 1)
	first, last := c.bound(1, r, 1), c.bound(2, r, n)
	if step == 0 {
		return false, c.badArgument("the step is 0").WithHint("steps go forwards or, if negative, backwards")
	}
	if step < 0 {
		first, last = c.bound(1, r, n), c.bound(2, r, 1)
	}
	if first < 0 {
		first += n + 1
	}
	if last < 0 {
		last += n + 1
	}
	if step > 0 {
		first, last = max(first, 1), min(last, n)
		for p := first; p <= last; p += step {
			o.elem(0, start+int(p)-1)
			if step > last-p {
				break
			}
		}
		return true, nil
	}
	first, last = min(first, n), max(last, 1)
	for p := first; p >= last; p += step {
		o.elem(0, start+int(p)-1)
		if step < last-p {
			break
		}
	}
	return true, nil
}

func distinctKernel(n *Node) kernel {
	var rows []int32
	return ofList(func(c *call, o *listOut, from, to int) {
		rows = distinctElems(rows[:0], c.list(0).vec.Elem, from, to)
		for _, e := range rows {
			o.elem(0, int(e))
		}
	})(n)
}

func sortKernel(n *Node) kernel {
	var rows []int32
	return listKernel(func(c *call, o *listOut, r int) (bool, error) {
		l := c.list(0)
		desc, first := false, true
		for i := 1; i < len(c.args); i++ {
			if c.isNull(i, r) {
				return false, nil
			}
			switch word := strings.ToUpper(strings.TrimSpace(c.text(i).at(r))); {
			case i == 1 && (word == "ASC" || word == "DESC"):
				desc = word == "DESC"
			case i == 2 && (word == "NULLS FIRST" || word == "NULLS LAST"):
				first = word == "NULLS FIRST"
			default:
				return false, c.badArgument("that is no order").WithHint("orders are 'ASC' and 'DESC', then 'NULLS FIRST' and 'NULLS LAST'")
			}
		}
		if l.isNull(r) {
			return false, nil
		}
		from, to := l.span(r)
		elems, valid := l.vec.Elem, l.vec.Elem.Validity()
		rows = rows[:0]
		for e := from; e < to; e++ {
			rows = append(rows, int32(e))
		}
		slices.SortStableFunc(rows, func(a, b int32) int {
			if x, y := valid.IsValid(int(a)), valid.IsValid(int(b)); !x || !y {
				if first {
					return b2i(x) - b2i(y)
				}
				return b2i(y) - b2i(x)
			}
			if desc {
				a, b = b, a
			}
			return compareRows(elems, int(a), elems, int(b))
		})
		for _, e := range rows {
			o.elem(0, int(e))
		}
		return true, nil
	})(n)
}

func resizeList(c *call, o *listOut, r int) (bool, error) {
	l := c.list(0)
	if l.isNull(r) || c.isNull(1, r) {
		return false, nil
	}
	n := argOf[int64](c, 1).at(r)
	if n < 0 {
		return false, c.badArgument("the number of elements is negative").WithHint("greatest(n, 0) makes it none")
	}
	if n > maxElements {
		return false, c.tooMany()
	}
	from, to := l.span(r)
	o.elems(0, from, min(to, from+int(n)))
	for k := to - from; k < int(n); k++ {
		if len(c.args) == 3 {
			o.value(2, r)
		} else {
			o.null()
		}
	}
	return true, nil
}

func repeatValue(c *call, o *listOut, r int) (bool, error) {
	if c.isNull(1, r) {
		return false, nil
	}
	n := argOf[int64](c, 1).at(r)
	if n > maxElements {
		return false, c.tooMany()
	}
	for range n {
		o.value(0, r)
	}
	return true, nil
}

func bindFlatten(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 1 || !isList(args[0].Type) {
		return nil, nil, s.mismatch(args)
	}
	dt := args[0].Type
	if inner := elemOf(dt); isList(inner) {
		dt = inner
	}
	return args, dt, nil
}

func flattenList(c *call, o *listOut, r int) (bool, error) {
	l := c.list(0)
	if l.isNull(r) {
		return false, nil
	}
	from, to := l.span(r)
	inner, nested := l.vec.Elem.(*column.List)
	if !nested || inner.Map != nil || !isList(elemOf(c.node.Args[0].Type)) {
		o.elems(0, from, to)
		return true, nil
	}
	for e := from; e < to; e++ {
		if inner.Valid.IsValid(e) {
			for d := inner.Offsets[e]; d < inner.Offsets[e+1]; d++ {
				o.deep(0, int(d))
			}
		}
	}
	return true, nil
}

// listRemovals declares the functions that remove or replace elements equal to a value: the first, the first n or all.
func listRemovals() []*function {
	remove := func(name, takes, doc, example, result, shape string, times func(c *call, r int) (int64, bool)) *function {
		return listFunction(name, takes, doc, example, result, bindElem(shape, listResult), listKernel(func(c *call, o *listOut, r int) (bool, error) {
			n, ok := times(c, r)
			return ok && changeElems(c, o, r, n, -1), nil
		}))
	}
	replace := func(name, takes, doc, example, result, shape string, times func(c *call, r int) (int64, bool)) *function {
		return listFunction(name, takes, doc, example, result, bindElem(shape, listResult), listKernel(func(c *call, o *listOut, r int) (bool, error) {
			n, ok := times(c, r)
			return ok && changeElems(c, o, r, n, 2), nil
		}))
	}
	fixed := func(n int64) func(*call, int) (int64, bool) {
		return func(*call, int) (int64, bool) { return n, true }
	}
	given := func(i int) func(*call, int) (int64, bool) {
		return func(c *call, r int) (int64, bool) {
			if c.isNull(i, r) {
				return 0, false
			}
			return argOf[int64](c, i).at(r), true
		}
	}
	return []*function{
		remove("array_remove", "array_remove(list, any)", "The list without the first element that equals a value.",
			"array_remove(make_array(1, 2, 1), 1)", "[2, 1]", "lv", fixed(1)),
		remove("array_remove_n", "array_remove_n(list, any, n)", "The list without the first n elements that equal a value.",
			"array_remove_n(make_array(1, 2, 1, 1), 1, 2)", "[2, 1]", "lvi", given(2)),
		remove("array_remove_all", "array_remove_all(list, any)", "The list without all elements that equal a value.",
			"array_remove_all(make_array(1, 2, 1), 1)", "[2]", "lv", fixed(math.MaxInt64)),
		replace("array_replace", "array_replace(list, from, to)", "The list with the first element that equals a value replaced.",
			"array_replace(make_array(1, 2, 1), 1, 5)", "[5, 2, 1]", "lvv", fixed(1)),
		replace("array_replace_n", "array_replace_n(list, from, to, n)", "The list with the first n elements that equal a value replaced.",
			"array_replace_n(make_array(1, 2, 1, 1), 1, 5, 2)", "[5, 2, 5, 1]", "lvvi", given(3)),
		replace("array_replace_all", "array_replace_all(list, from, to)", "The list with all elements that equal a value replaced.",
			"array_replace_all(make_array(1, 2, 1), 1, 5)", "[5, 2, 5]", "lvv", fixed(math.MaxInt64)),
	}
}

// changeElems replaces the first n elements that equal argument 1 by argument with, or removes them if that is negative.
func changeElems(c *call, o *listOut, r int, n int64, with int) bool {
	l := c.list(0)
	if l.isNull(r) {
		return false
	}
	value, at := c.value(1, r)
	from, to := l.span(r)
	for e := from; e < to; e++ {
		switch {
		case n <= 0 || compareRows(l.vec.Elem, e, value, at) != 0:
			o.elem(0, e)
			continue
		case with >= 0:
			o.value(with, r)
		}
		n--
	}
	return true
}

// listSets declares the functions that take lists for sets.
func listSets() []*function {
	set := func(name, doc, example, result string, second bool, keep func(found bool) bool) *function {
		return listFunction(name, name+"(list, list)", doc, example, result, bindElem("ll", listResult), setKernel(second, keep))
	}
	return []*function{
		set("array_union", "The distinct elements that are in one of two lists.", "array_union(make_array(1, 2, 2), make_array(2, 3))",
			"[1, 2, 3]", true, nil),
		set("array_intersect", "The distinct elements that are in both lists.", "array_intersect(make_array(1, 2, 2), make_array(2, 3))",
			"[2]", false, func(found bool) bool { return found }),
		set("array_except", "The distinct elements that are in the first list and not in the second.",
			"array_except(make_array(1, 2, 2), make_array(2, 3))", "[1]", false, func(found bool) bool { return !found }),
	}
}

// setKernel keeps of the distinct elements of the first list those that keep says, all if it is nil; second adds those of
// the second list that the first has not.
func setKernel(second bool, keep func(found bool) bool) func(*Node) kernel {
	return func(n *Node) kernel {
		var rows []int32
		var set elemSet
		return listKernel(func(c *call, o *listOut, r int) (bool, error) {
			a, b := c.list(0), c.list(1)
			if a.isNull(r) || b.isNull(r) {
				return false, nil
			}
			from, to := a.span(r)
			start, end := b.span(r)
			set.set(b.vec.Elem, start, end)
			rows = distinctElems(rows[:0], a.vec.Elem, from, to)
			for _, e := range rows {
				if keep == nil || keep(set.has(a.vec.Elem, int(e))) {
					o.elem(0, int(e))
				}
			}
			if second {
				set.set(a.vec.Elem, from, to)
				rows = distinctElems(rows[:0], b.vec.Elem, start, end)
				for _, e := range rows {
					if !set.has(b.vec.Elem, int(e)) {
						o.elem(1, int(e))
					}
				}
			}
			return true, nil
		})(n)
	}
}

package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// mapFunctions declares the functions of maps. A map keeps its entries in the order in which it was made; its keys are
// distinct and not null. Two maps are equal if they have the same entries in the same order.
func mapFunctions() []*function {
	fn := func(name, takes, doc, example, result string, bind binder, mk func(*Node) kernel) *function {
		f := listFunction(name, takes, doc, example, result, bind, mk)
		f.category = categoryNested
		return f
	}
	return []*function{
		fn("map", "map(list of keys, list of values) or map(key, value, …)", "The map of two lists, keys and values, or of keys and values in turn.",
			"map(make_array('a', 'b'), make_array(1, 2))", "{a: 1, b: 2}", bindMap, mapKernel),
		fn("make_map", "make_map(key, value, …)", "The map of keys and values in turn.", "make_map('a', 1, 'b', NULL)", "{a: 1, b: NULL}",
			bindMakeMap, mapKernel),
		fn("map_extract", "map_extract(map, key)", "The list that has the value of a key, empty if there is none. Written m[key], it is the value itself.",
			"map_extract(make_map('a', 1), 'a')", "[1]", func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
				return bindMapKey(s, args, listResult)
			}, mapExtractKernel).alias("element_at"),
		fn("map_keys", "map_keys(map)", "The keys of a map as a list.", "map_keys(make_map('a', 1, 'b', 2))", "[a, b]",
			bindEntries(0), entriesKernel(0)),
		fn("map_values", "map_values(map)", "The values of a map as a list.", "map_values(make_map('a', 1, 'b', 2))", "[1, 2]",
			bindEntries(1), entriesKernel(1)),
		fn("map_contains_key", "map_contains_key(map, key)", "Whether a map has a key.", "map_contains_key(make_map('a', 1), 'b')", "false",
			func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
				return bindMapKey(s, args, always(typeBool))
			},
			optionalTest(func(c *call, r int) (v, ok bool, err error) {
				e, ok := findKey(c, r)
				return e >= 0, ok, nil
			})),
	}
}

// bindMap takes two lists, or what make_map takes.
func bindMap(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 || !isList(args[0].Type) || !isList(args[1].Type) {
		return bindMakeMap(s, args)
	}
	key, item := elemOf(args[0].Type), elemOf(args[1].Type)
	if isNull(key) {
		key = typeText
	}
	if isNull(item) {
		item = typeText
	}
	keys, err := CastTo(args[0], arrow.ListOf(key), false, s.span)
	if err != nil {
		return nil, nil, err
	}
	items, err := CastTo(args[1], arrow.ListOf(item), false, s.span)
	return []*Node{keys, items}, arrow.MapOf(key, item), err
}

func bindMakeMap(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args)%2 != 0 {
		return nil, nil, s.mismatch(args)
	}
	keys, items := make([]*Node, len(args)/2), make([]*Node, len(args)/2)
	for i := range keys {
		keys[i], items[i] = args[2*i], args[2*i+1]
	}
	keys, key, err := unify(keys, s.span)
	if err != nil {
		return nil, nil, err
	}
	items, item, err := unify(items, s.span)
	if err != nil {
		return nil, nil, err
	}
	out := make([]*Node, len(args))
	for i := range keys {
		out[2*i], out[2*i+1] = keys[i], items[i]
	}
	return out, arrow.MapOf(key, item), nil
}

// mapKernel makes maps of two lists, or of keys and values in turn.
func mapKernel(n *Node) kernel {
	out := column.NewAppender(n.Type).(*column.List)
	ofLists := len(n.Args) == 2 && isList(n.Args[0].Type) &&
		arrow.TypeEqual(elemOf(n.Args[0].Type), n.Type.(*arrow.MapType).KeyType())
	var keys, items picker
	var valid, none column.Bitmap
	return func(c *call) (column.Vector, error) {
		out.Reset()
		keys.reset()
		items.reset()
		valid = valid.Resize(c.n)
		valid.ClearAll()
		err := c.each(func(r int) error {
			for len(out.Offsets) <= r {
				out.Offsets = append(out.Offsets, int32(len(keys.rows)))
			}
			ok, err := pickEntries(c, &keys, &items, r, ofLists)
			if ok {
				valid.Set(r)
				out.Offsets = append(out.Offsets, int32(len(keys.rows)))
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		for len(out.Offsets) <= c.n {
			out.Offsets = append(out.Offsets, int32(len(keys.rows)))
		}
		entries := out.Elem.(*column.Struct)
		keys.flush(c, entries.Children[0])
		items.flush(c, entries.Children[1])
		entries.N, entries.Valid, out.Valid = len(keys.rows), none, valid
		return out, checkKeys(c, out)
	}
}

// pickEntries picks the keys and values of row r; it reports false for null.
func pickEntries(c *call, keys, items *picker, r int, ofLists bool) (bool, error) {
	if !ofLists {
		for i := 0; i < len(c.args); i += 2 {
			keys.value(i, r)
			items.value(i+1, r)
		}
		return true, nil
	}
	a, b := c.list(0), c.list(1)
	if a.isNull(r) || b.isNull(r) {
		return false, nil
	}
	if a.len(r) != b.len(r) {
		return false, c.badArgument("there are not as many keys as values").WithHint("make both lists of one length")
	}
	from, to := a.span(r)
	keys.elems(0, from, to)
	from, to = b.span(r)
	items.elems(1, from, to)
	return true, nil
}

// checkKeys refuses null keys and keys that occur twice in a map.
func checkKeys(c *call, maps *column.List) error {
	keys := maps.Elem.(*column.Struct).Children[0]
	valid := keys.Validity()
	var rows []int32
	for r := range maps.Len() {
		from, to := int(maps.Offsets[r]), int(maps.Offsets[r+1])
		for e := from; e < to; e++ {
			if !valid.IsValid(e) {
				return c.badArgument("a key is null").WithHint("coalesce(key, '') gives it a value")
			}
		}
		if to-from > 1 {
			if rows = distinctElems(rows[:0], keys, from, to); len(rows) != to-from {
				return c.badArgument("a key occurs twice").WithHint("name each key once")
			}
		}
	}
	return nil
}

// bindMapKey takes a map and a key; result gives the type of the result from that of the values.
func bindMapKey(s *callSite, args []*Node, result func(item arrow.DataType) arrow.DataType) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 || !isMap(args[0].Type) {
		return nil, nil, s.mismatch(args)
	}
	t := args[0].Type.(*arrow.MapType)
	key := args[1]
	if fitsInteger(key, t.KeyType()) {
		key = newCast(key, t.KeyType(), Cast, key.Span)
	}
	key, err := Coerce(key, t.KeyType(), s.span)
	if err != nil {
		return nil, nil, s.mismatch(args)
	}
	return []*Node{args[0], key}, result(t.ItemType()), nil
}

// findKey gives the entry of the key in row r, -1 if there is none; ok is false if the map or the key is null.
func findKey(c *call, r int) (entry int, ok bool) {
	m := c.list(0)
	if m.isNull(r) || c.isNull(1, r) {
		return -1, false
	}
	key, at := c.value(1, r)
	keys := m.vec.Elem.(*column.Struct).Children[0]
	from, to := m.span(r)
	for e := from; e < to; e++ {
		if compareRows(keys, e, key, at) == 0 {
			return e, true
		}
	}
	return -1, true
}

// mapItems is the vector of the values of argument 0's entries.
func mapItems(c *call) column.Appender { return c.list(0).vec.Elem.(*column.Struct).Children[1] }

func mapValueKernel(n *Node) kernel {
	out := column.NewAppender(n.Type)
	var rows []int32
	return func(c *call) (column.Vector, error) {
		out.Reset()
		rows = rows[:0]
		flush := func() {
			if len(rows) > 0 {
				out.AppendSel(mapItems(c), rows)
			}
			rows = rows[:0]
		}
		c.each(func(r int) error {
			for out.Len()+len(rows) < r {
				flush()
				out.AppendNull()
			}
			if e, _ := findKey(c, r); e >= 0 {
				rows = append(rows, int32(e))
				return nil
			}
			flush()
			out.AppendNull()
			return nil
		})
		flush()
		for out.Len() < c.n {
			out.AppendNull()
		}
		return out, nil
	}
}

func mapExtractKernel(n *Node) kernel {
	return valuesKernel(func(c *call, out column.Appender, r int) (bool, error) {
		e, ok := findKey(c, r)
		if e >= 0 {
			out.AppendSel(mapItems(c), []int32{int32(e)})
		}
		return ok, nil
	})(n)
}

func bindEntries(member int) binder {
	return func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
		if len(args) != 1 || !isMap(args[0].Type) {
			return nil, nil, s.mismatch(args)
		}
		return args, arrow.ListOf(args[0].Type.(*arrow.MapType).Elem().(*arrow.StructType).Field(member).Type), nil
	}
}

// entriesKernel gives the keys or the values of maps; they share the maps' memory.
func entriesKernel(member int) func(*Node) kernel {
	return func(n *Node) kernel {
		out := &column.List{DataType: n.Type.(*arrow.ListType)}
		return func(c *call) (column.Vector, error) {
			in := c.args[0].(*column.List)
			out.Offsets, out.Elem, out.Valid = in.Offsets, in.Elem.(*column.Struct).Children[member], in.Valid
			return out, nil
		}
	}
}

package json

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
)

// A map is an object: its keys are text, or spelled as text.

// wordyKeys refuses maps whose keys have no one spelling as text.
func wordyKeys(t *arrow.MapType, path string) error {
	switch t.KeyType().ID() {
	case arrow.STRING, arrow.LARGE_STRING, arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.UINT8, arrow.UINT16, arrow.UINT32,
		arrow.UINT64, arrow.DECIMAL128, arrow.DATE32, arrow.TIME64, arrow.TIMESTAMP:
		return nil
	}
	return unsupported(path, "the keys of JSON objects are text, and those of %s have no one spelling", sqlType(arrow.Field{Type: t})).
		WithHint("declare it as MAP<TEXT, %s>", sqlType(t.ItemField()))
}

// compileMap makes the fields of a map's keys and values.
func (m *field) compileMap(c *column.List) error {
	entries := c.Elem.(*column.Struct)
	var err error
	if m.names, err = compileField(c.Map.KeyField(), entries.Children[0], &needs{all: true}, m.path, false); err != nil {
		return err
	}
	m.elem, err = compileField(c.Map.ItemField(), entries.Children[1], &needs{all: true}, m.path+"[]", false)
	return err
}

func (d *Decoder) mapValue(f *field, i, depth int) int {
	if load1(d.p, i) != '{' {
		return d.mismatch(f, i)
	}
	if depth >= maxDepth {
		return d.bad(i, "it nests deeper than 128 levels")
	}
	maps := f.col.(*column.List)
	entries := maps.Elem.(*column.Struct)
	start := entries.N
	i = d.space(i + 1)
	if load1(d.p, i) == '}' {
		maps.Append()
		return i + 1
	}
	for {
		if load1(d.p, i) != '"' {
			return d.badKey(i)
		}
		if i = d.value(f.names, i, depth+1); i < 0 {
			return i
		}
		if i = d.colon(i); i < 0 {
			return i
		}
		if i = d.value(f.elem, i, depth+1); i < 0 {
			return i
		}
		entries.Append()
		i = d.space(i)
		switch load1(d.p, i) {
		case ',':
			i = d.space(i + 1)
		case '}':
			lastOfKeys(maps, start)
			return i + 1
		default:
			return d.badNext(i, '}')
		}
	}
}

// lastOfKeys ends a map whose entries start there, of entries with the same key keeping the last one.
func lastOfKeys(maps *column.List, start int) {
	entries := maps.Elem.(*column.Struct)
	if kept := lastRows(entries.Children[0], start); kept != nil {
		copied := column.NewStruct(entries.DataType)
		copied.AppendSel(entries, kept)
		entries.Truncate(start)
		entries.AppendSel(copied, nil)
	}
	maps.Append()
}

// lastRows gives the rows from start on whose key does not come again; nil means all.
func lastRows(keys column.Vector, start int) []int32 {
	switch c := keys.(type) {
	case *column.Bytes:
		return lastOf(start, c.Len(), c.Str)
	case *column.Fixed[int8]:
		return lastOf(start, c.Len(), func(i int) int8 { return c.Values[i] })
	case *column.Fixed[int16]:
		return lastOf(start, c.Len(), func(i int) int16 { return c.Values[i] })
	case *column.Fixed[int32]:
		return lastOf(start, c.Len(), func(i int) int32 { return c.Values[i] })
	case *column.Fixed[int64]:
		return lastOf(start, c.Len(), func(i int) int64 { return c.Values[i] })
	case *column.Fixed[uint8]:
		return lastOf(start, c.Len(), func(i int) uint8 { return c.Values[i] })
	case *column.Fixed[uint16]:
		return lastOf(start, c.Len(), func(i int) uint16 { return c.Values[i] })
	case *column.Fixed[uint32]:
		return lastOf(start, c.Len(), func(i int) uint32 { return c.Values[i] })
	case *column.Fixed[uint64]:
		return lastOf(start, c.Len(), func(i int) uint64 { return c.Values[i] })
	case *column.Fixed[decimal128.Num]:
		return lastOf(start, c.Len(), func(i int) decimal128.Num { return c.Values[i] })
	}
	panic("json: no keys of type " + keys.Type().String())
}

func lastOf[K comparable](start, end int, at func(int) K) []int32 {
	if !repeats(start, end, at) {
		return nil
	}
	last := make(map[K]int, end-start)
	for e := start; e < end; e++ {
		last[at(e)] = e
	}
	kept := make([]int32, 0, len(last))
	for e := start; e < end; e++ {
		if last[at(e)] == e {
			kept = append(kept, int32(e))
		}
	}
	return kept
}

// uuid reads a UUID in any spelling.
func (d *Decoder) uuid(f *field, i int) int {
	if load1(d.p, i) != '"' {
		return d.mismatch(f, i)
	}
	text, _, end := d.token(f, i)
	if end < 0 {
		return end
	}
	var canonical [48]byte
	v, ok := expr.AppendUUID(canonical[:0], string(text))
	if !ok {
		return d.misfit(f, i, "that is not a UUID")
	}
	d.memory.AppendCopy(f.bytes, &f.place, v)
	return end
}

// repeats reports whether a key may come twice; few keys, as most maps have, are compared on the spot.
func repeats[K comparable](start, end int, at func(int) K) bool {
	const few = 8
	if end-start > few {
		return true
	}
	for i := start + 1; i < end; i++ {
		k := at(i)
		for j := start; j < i; j++ {
			if at(j) == k {
				return true
			}
		}
	}
	return false
}

// interval reads an INTERVAL as it is written in SQL, or as an Encoder writes it.
func (d *Decoder) interval(f *field, i int) int {
	if load1(d.p, i) != '"' {
		return d.mismatch(f, i)
	}
	text, _, end := d.token(f, i)
	if end < 0 {
		return end
	}
	v, ok := expr.ParseInterval(string(text))
	if !ok {
		return d.misfit(f, i, "that is not an interval")
	}
	f.col.(*column.Fixed[arrow.MonthDayNanoInterval]).Append(v)
	return end
}

func (w *writer) appendMap(dst []byte, c *column.List, r int) []byte {
	dst = append(dst, '{')
	for i := c.Offsets[r]; i < c.Offsets[r+1]; i++ {
		if i > c.Offsets[r] {
			dst = append(dst, ',')
		}
		dst = append(w.appendKey(dst, int(i)), ':')
		dst = w.elem.append(dst, int(i))
	}
	return append(dst, '}')
}

// appendKey writes the key of an entry, in quotes whatever its type.
func (w *writer) appendKey(dst []byte, i int) []byte {
	from := len(dst)
	if dst = w.names.append(dst, i); dst[from] == '"' {
		return dst
	}
	dst = append(dst, '"', '"')
	copy(dst[from+1:], dst[from:len(dst)-2])
	dst[from] = '"'
	return dst
}

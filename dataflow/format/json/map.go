package json

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// A map is an object: its keys are text.

// textKeys refuses maps whose keys are not text.
func textKeys(t *arrow.MapType, path string) error {
	if id := t.KeyType().ID(); id == arrow.STRING || id == arrow.LARGE_STRING {
		return nil
	}
	return fault.Userf(fault.CodeUnsupported, fault.Span{}, "column %q: the keys of JSON objects are text, those of %s are not", path,
		sqlType(arrow.Field{Type: t})).WithHint("declare it as MAP<TEXT, %s>", sqlType(t.ItemField()))
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
	keys := entries.Children[0].(*column.Bytes)
	last := make(map[string]int, entries.N-start)
	for e := start; e < entries.N; e++ {
		last[keys.Str(e)] = e
	}
	if len(last) < entries.N-start {
		var kept []int32
		for e := start; e < entries.N; e++ {
			if last[keys.Str(e)] == e {
				kept = append(kept, int32(e))
			}
		}
		copied := column.NewStruct(entries.DataType)
		copied.AppendSel(entries, kept)
		entries.Truncate(start)
		entries.AppendSel(copied, nil)
	}
	maps.Append()
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

func (w *writer) appendMap(dst []byte, c *column.List, r int) []byte {
	keys := c.Elem.(*column.Struct).Children[0].(*column.Bytes)
	dst = append(dst, '{')
	for i := c.Offsets[r]; i < c.Offsets[r+1]; i++ {
		if i > c.Offsets[r] {
			dst = append(dst, ',')
		}
		dst = append(appendString(dst, keys.Str(int(i))), ':')
		dst = w.elem.append(dst, int(i))
	}
	return append(dst, '}')
}

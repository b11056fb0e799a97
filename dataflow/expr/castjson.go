package expr

import (
	"encoding/base64"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// A cast of a text to a list, a struct or a map takes the text for JSON, and reads that as a table of format json does: an
// absent member is null, of equal names the last one counts, unknown ones are passed over. It has two steps. The first takes
// the document apart into the same lists and structs of texts, the second casts these texts as any others.

// fromJSON makes the kernel; nil if there is none for the type.
func (k caster) fromJSON() kernel {
	root := newJSONReader(arrow.Field{Type: k.to, Nullable: true}, k.try)
	taken := column.NewAppender(root.taken)
	var second *callStep
	if !arrow.TypeEqual(root.taken, k.to) {
		second = &callStep{stable: true, node: &Node{Kind: Cast, Type: k.to}, kernel: newCaster(root.taken, k.to, k.try)}
		if second.kernel == nil {
			return nil
		}
	}
	pad := func(n int) {
		for taken.Len() < n {
			taken.AppendNull()
		}
	}
	return func(c *call) (column.Vector, error) {
		taken.Reset()
		in := c.text(0)
		err := c.each(func(r int) error {
			pad(r)
			d, what := jsonDoc(in.at(r)), "text is no JSON"
			if i := d.valid(); i >= 0 {
				bad := root.read(d, taken, i)
				if bad == nil {
					return nil
				}
				what = "value of JSON is no " + TypeName(bad.to)
			}
			if k.try {
				taken.AppendNull()
				return nil
			}
			return c.fail(fault.CodeInvalid, "a %s", what).WithHint("TRY_CAST(… AS %s) gives NULL for what does not fit", TypeName(k.to))
		})
		if err != nil {
			return nil, err
		}
		pad(c.n)
		if second == nil {
			return taken, nil
		}
		second.node.Span = c.node.Span
		second.call = call{x: c.x, node: second.node, step: second, args: []column.Vector{taken}, sel: c.sel, n: c.n, valid: taken.Validity()}
		return second.kernel(&second.call)
	}
}

// jsonReader takes the values of one type out of documents.
type jsonReader struct {
	// to is the type that is wanted in the end, taken the one that is read.
	to, taken arrow.DataType
	// raw keeps the JSON text: of a member that is itself JSON.
	raw, required bool
	// try makes null of what does not fit.
	try bool
	// Of a struct, its members by name, and where the value at hand has them.
	members []*jsonReader
	byName  map[string]int
	at      []int
	// Of a list or a map, its elements or values.
	elem *jsonReader
	// Of a map, where the value at hand has each key and its value; a key that comes again takes the place of the one before.
	keys   map[string]int
	values []jsonEntry
	buf    []byte
}

type jsonEntry struct {
	key string
	at  int
}

func newJSONReader(f arrow.Field, try bool) *jsonReader {
	r := &jsonReader{to: f.Type, taken: typeText, try: try, required: !f.Nullable}
	switch t := f.Type.(type) {
	case *arrow.StructType:
		r.byName, r.at = map[string]int{}, make([]int, t.NumFields())
		fields := make([]arrow.Field, t.NumFields())
		for i, m := range t.Fields() {
			member := newJSONReader(m, try)
			r.members = append(r.members, member)
			r.byName[m.Name] = i
			fields[i] = m
			fields[i].Type = member.taken
		}
		r.taken = arrow.StructOf(fields...)
	case *arrow.ListType:
		elem := t.ElemField()
		r.elem = newJSONReader(elem, try)
		elem.Type = r.elem.taken
		r.taken = arrow.ListOfField(elem)
	case *arrow.MapType:
		r.elem, r.keys = newJSONReader(t.ItemField(), try), map[string]int{}
		r.taken = arrow.MapOf(typeText, r.elem.taken)
	case *arrow.BinaryType:
		r.taken = t
	default:
		r.raw = isText(t) && f.Metadata.Equal(JSONMetadata)
	}
	return r
}

// read appends the value at i of a valid document. It gives the reader of what does not fit, of which nothing is appended
// then that counts; nil if all does.
func (r *jsonReader) read(d jsonDoc, to column.Appender, i int) *jsonReader {
	if d[i] == 'n' {
		to.AppendNull()
		return nil
	}
	var bad *jsonReader
	switch v := to.(type) {
	case *column.Struct:
		bad = r.readStruct(d, v, i)
	case *column.List:
		if v.Map != nil {
			bad = r.readMap(d, v, i)
		} else {
			bad = r.readList(d, v, i)
		}
	case *column.Bytes:
		var ok bool
		if r.buf, ok = r.appendText(r.buf[:0], d, i); ok {
			v.Append(r.buf)
		} else {
			bad = r
		}
	}
	if bad != nil && r.try {
		to.AppendNull()
		return nil
	}
	return bad
}

func (r *jsonReader) readStruct(d jsonDoc, to *column.Struct, i int) *jsonReader {
	if d[i] != '{' {
		return r
	}
	for m := range r.at {
		r.at[m] = -1
	}
	for it := d.children(i); it.next(); {
		if m, ok := r.byName[d.name(&it)]; ok {
			r.at[m] = it.value
		}
	}
	for m, reader := range r.members {
		if at := r.at[m]; reader.required && (at < 0 || d[at] == 'n') {
			for _, c := range to.Children[:m] {
				c.Truncate(to.N)
			}
			return r
		}
		if r.at[m] < 0 {
			to.Children[m].AppendNull()
		} else if bad := reader.read(d, to.Children[m], r.at[m]); bad != nil {
			return bad
		}
	}
	to.Append()
	return nil
}

func (r *jsonReader) readList(d jsonDoc, to *column.List, i int) *jsonReader {
	if d[i] != '[' {
		return r
	}
	for it := d.children(i); it.next(); {
		if bad := r.elem.read(d, to.Elem, it.value); bad != nil {
			return bad
		}
	}
	to.Append()
	return nil
}

func (r *jsonReader) readMap(d jsonDoc, to *column.List, i int) *jsonReader {
	if d[i] != '{' {
		return r
	}
	clear(r.keys)
	r.values = r.values[:0]
	for it := d.children(i); it.next(); {
		key := d.name(&it)
		if at, again := r.keys[key]; again {
			r.values[at].at = -1
		}
		r.keys[key] = len(r.values)
		r.values = append(r.values, jsonEntry{key, it.value})
	}
	entries := to.Elem.(*column.Struct)
	// A map within this one has a reader of its own, so that r.values stays.
	for _, e := range r.values {
		if e.at < 0 {
			continue
		}
		entries.Children[0].(*column.Bytes).AppendString(e.key)
		if bad := r.elem.read(d, entries.Children[1], e.at); bad != nil {
			return bad
		}
		entries.Append()
	}
	to.Append()
	return nil
}

// name gives the name of the member that an iteration is at.
func (d jsonDoc) name(it *jsonChildren) string {
	if it.escaped {
		return string(d.unescape(nil, it.key, it.keyEnd))
	}
	return string(d[it.key+1 : it.keyEnd-1])
}

// appendText appends a value as the text that a cast to the reader's type takes; false if the type takes no such value.
func (r *jsonReader) appendText(dst []byte, d jsonDoc, i int) ([]byte, bool) {
	end := d.skip(i, 0)
	c := d[i]
	switch {
	case r.raw:
		return d.compact(dst, i, end), true
	case c == '"':
		dst = d.unescape(dst, i, end)
		if r.taken.ID() != arrow.BINARY {
			return dst, r.to.ID() != arrow.BOOL
		}
		enc := base64.StdEncoding
		if len(dst)%4 != 0 {
			enc = base64.RawStdEncoding
		}
		out, err := enc.DecodeString(string(dst))
		return append(dst[:0], out...), err == nil
	case c == 't' || c == 'f':
		return append(dst, d[i:end]...), r.to.ID() == arrow.BOOL
	case c != '-' && c-'0' > 9:
		return dst, false
	}
	return r.appendNumber(dst, string(d[i:end]))
}

// appendNumber appends a number; one for a time counts units, as in a column of format json.
func (r *jsonReader) appendNumber(dst []byte, number string) ([]byte, bool) {
	switch {
	case isInteger(r.to):
		whole, ok := wholeNumber(number)
		if !ok {
			return dst, false
		}
		return appendDecimal(dst, whole, 0), true
	case isNumeric(r.to):
		return append(dst, number...), true
	}
	whole, ok := wholeNumber(number)
	if !ok {
		return dst, false
	}
	v := int64(whole.LowBits())
	if decimal128.FromI64(v) != whole {
		return dst, false
	}
	switch {
	case isTimestamp(r.to):
		return appendTimestamp(dst, v, unitOf(r.to), isZoned(r.to)), true
	case isDate(r.to):
		const dayMillis = dayNanos / 1e6
		if v >= dayMillis || v <= -dayMillis { // no year that is written is as many days away: milliseconds
			v = floorDiv(v, dayMillis)
		}
		year, month, day := dateOf(v)
		return appendDate(dst, year, month, day), true
	case isTime(r.to) && v >= 0 && v < dayNanos/1e6:
		t := civilIn(v*1e6, 1)
		return appendClock(dst, t.hour, t.minute, t.sec, t.nano), true
	}
	return dst, false
}

// wholeNumber reads a number and cuts its fraction off.
func wholeNumber(s string) (decimal128.Num, bool) {
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return decimal128.FromI64(v), true
	}
	const digits = 18
	v, ok := parseDecimal(s, &arrow.Decimal128Type{Precision: 38, Scale: digits})
	if !ok {
		return v, false
	}
	v, _ = v.Div(decimal128.GetScaleMultiplier(digits))
	return v, true
}

package json

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/framing"
)

// kind is how the values of a field are read.
type kind uint8

const (
	// kindUnknown is a key that the table does not declare: its value is checked and forgotten.
	kindUnknown kind = iota
	// kindUnread is a declared column that the query does not read.
	kindUnread
	kindBool
	kindInt64
	// kindInt is every other integer.
	kindInt
	kindFloat64
	kindFloat32
	kindDecimal
	kindText
	kindJSON
	kindBinary
	kindFixedBinary
	// kindTimestamp is a TIMESTAMP in nanoseconds, kindCoarse one in another unit.
	kindTimestamp
	kindCoarse
	kindDate
	kindTime
	kindStruct
	kindList
	kindMap
	kindUUID
	kindInterval
)

// field is one member of an object, or the element of a list.
type field struct {
	// head and mask hold the first eight bytes of the key in quotes.
	head, mask uint64
	// key is the key in quotes as it stands in most documents.
	key  string
	kind kind
	// nullable also holds inside of nullable structs.
	nullable bool
	// member says that it is a member of a struct.
	member bool
	// seen is the object's instance number if the field has occurred in it.
	seen uint64
	// next is the field that followed this one in the object before.
	next *field

	bytes  *column.Bytes
	ints   *column.Fixed[int64]
	floats *column.Fixed[float64]
	// col is the column, whichever of the above it is.
	col column.Appender
	// place remembers under which numbers bytes knows the decoder's memory.
	place framing.Registration

	// min and max bound integers; max is unsigned.
	min int64
	max uint64
	// unit is nanoseconds per unit of a coarse timestamp or a time.
	unit             int64
	precision, scale int
	object           *object
	// elem is the element of a list, or the value of a map's entries, whose keys are names.
	elem, names *field

	// at is where the careful pass has found the value.
	at int
	// path is the dotted name and sql the type's name, for errors; accepts holds the starts of values that fit.
	path, sql string
	accepts   uint8
}

// object is the table's row or a struct.
type object struct {
	fields []*field
	byName map[string]*field
	// unknown counts the undeclared keys in byName, which are learned for the sake of prediction.
	unknown int
	// first is the field that the object before began with.
	first *field
	// instance numbers the objects read, so that fields need no reset between them.
	instance uint64
}

// maxUnknown bounds how many undeclared keys, and of which length, an object learns.
const (
	maxUnknown    = 64
	maxUnknownLen = 64
)

// The ways in which a value can start.
const (
	startString = 1 << iota
	startNumber
	startBool
	startObject
	startArray
	startNull
)

// startOf classifies the first byte of a valid value.
func startOf(c byte) uint8 {
	switch c {
	case '"':
		return startString
	case '{':
		return startObject
	case '[':
		return startArray
	case 't', 'f':
		return startBool
	case 'n':
		return startNull
	}
	return startNumber
}

// needs is a tree of the dotted paths that a query reads; nil means everything below.
type needs struct {
	all  bool
	some map[string]*needs
}

func newNeeds(paths []string) *needs {
	if paths == nil {
		return &needs{all: true}
	}
	root := &needs{some: map[string]*needs{}}
	for _, p := range paths {
		n := root
		for part := range strings.SplitSeq(p, ".") {
			child := n.some[part]
			if child == nil {
				child = &needs{some: map[string]*needs{}}
				n.some[part] = child
			}
			n = child
		}
		n.all = true
	}
	return root
}

func (n *needs) of(name string) *needs {
	if n.all {
		return n
	}
	return n.some[name]
}

// compileObject makes the object for these fields and columns. A field for which skip is true gets no member. Names with
// dots are taken for read when
// their first part is: such a column may be read without need, never the reverse.
func compileObject(fields []arrow.Field, cols []column.Appender, n *needs, prefix string, nullable bool, skip func(i int) bool) (*object, error) {
	o := &object{byName: make(map[string]*field, len(fields))}
	for i, f := range fields {
		if skip != nil && skip(i) {
			continue
		}
		part, _, dotted := strings.Cut(f.Name, ".")
		below := n.of(part)
		if dotted && below != nil {
			below = &needs{all: true}
		}
		m, err := compileField(f, cols[i], below, prefix+f.Name, nullable)
		if err != nil {
			return nil, err
		}
		m.setKey(f.Name)
		m.member = prefix != ""
		o.fields = append(o.fields, m)
		o.byName[f.Name] = m
	}
	o.first = nobody
	for i, m := range o.fields {
		m.next = nobody
		if i == 0 {
			o.first = m
		} else {
			o.fields[i-1].next = m
		}
	}
	return o, nil
}

// appendTexts appends the fields from f down that hold bytes.
func (f *field) appendTexts(to []*field) []*field {
	if f.bytes != nil && f.kind != kindUnread {
		to = append(to, f)
	}
	if f.object != nil {
		for _, m := range f.object.fields {
			to = m.appendTexts(to)
		}
	}
	if f.elem != nil {
		to = f.elem.appendTexts(to)
	}
	if f.names != nil {
		to = f.names.appendTexts(to)
	}
	return to
}

// nobody is a field whose key matches nothing: eight bytes 0xff are not UTF-8.
var nobody = &field{head: ^uint64(0), mask: ^uint64(0)}

// setKey prepares the comparison with keys in documents. A name that needs escapes is found by name only.
func (f *field) setKey(name string) {
	quoted := string(appendString(nil, name))
	f.head, f.mask = ^uint64(0), ^uint64(0)
	if strings.ContainsRune(quoted, '\\') {
		return
	}
	f.key = quoted
	f.head, f.mask = 0, 0
	for i := 0; i < len(quoted) && i < 8; i++ {
		f.head |= uint64(quoted[i]) << (8 * i)
		f.mask |= 0xff << (8 * i)
	}
}

func compileField(f arrow.Field, col column.Appender, n *needs, path string, nullable bool) (*field, error) {
	m := &field{path: path, nullable: nullable || f.Nullable, col: col, sql: sqlType(f)}
	if err := m.setKind(f); err != nil {
		return nil, err
	}
	m.accepts = accepts(m.kind)
	m.bytes, _ = col.(*column.Bytes)
	m.ints, _ = col.(*column.Fixed[int64])
	m.floats, _ = col.(*column.Fixed[float64])
	if n == nil {
		m.kind = kindUnread
		return m, nil
	}
	var err error
	switch c := col.(type) {
	case *column.Struct:
		m.object, err = compileObject(c.DataType.Fields(), c.Children, n, path+".", m.nullable, nil)
	case *column.List:
		if c.Map != nil {
			return m, m.compileMap(c)
		}
		m.elem, err = compileField(c.DataType.ElemField(), c.Elem, &needs{all: true}, path+"[]", false)
	}
	return m, err
}

// setKind sets the kind and the bounds that go with it.
func (m *field) setKind(f arrow.Field) error {
	switch t := f.Type.(type) {
	case *arrow.TimestampType:
		m.kind, m.unit = kindCoarse, int64(t.Unit.Multiplier())
		if t.Unit == arrow.Nanosecond {
			m.kind = kindTimestamp
		}
		return nil
	case *arrow.Time32Type:
		m.kind, m.unit = kindTime, int64(t.Unit.Multiplier())
		return nil
	case *arrow.Time64Type:
		m.kind, m.unit = kindTime, int64(t.Unit.Multiplier())
		return nil
	case *arrow.Decimal128Type:
		m.kind, m.precision, m.scale = kindDecimal, int(t.Precision), int(t.Scale)
		return nil
	}
	if isJSON(f) {
		m.kind = kindJSON
		return nil
	}
	if b, ok := integerBounds[f.Type.ID()]; ok {
		m.kind, m.min, m.max = b.kind, b.min, b.max
		return nil
	}
	k, ok := simpleKinds[f.Type.ID()]
	if !ok {
		return unsupported(m.path, "a JSON source cannot fill a column of type %s", m.sql).
			WithHint("declare the column as TEXT and CAST it in the query")
	}
	m.kind = k
	return nil
}

var simpleKinds = map[arrow.Type]kind{
	arrow.BOOL: kindBool, arrow.FLOAT32: kindFloat32, arrow.FLOAT64: kindFloat64, arrow.STRING: kindText,
	arrow.BINARY: kindBinary, arrow.FIXED_SIZE_BINARY: kindFixedBinary, arrow.DATE32: kindDate,
	arrow.STRUCT: kindStruct, arrow.LIST: kindList, arrow.MAP: kindMap, arrow.LARGE_STRING: kindUUID,
	arrow.INTERVAL_MONTH_DAY_NANO: kindInterval,
}

var integerBounds = map[arrow.Type]struct {
	kind kind
	min  int64
	max  uint64
}{
	arrow.INT8:   {kindInt, -1 << 7, 1<<7 - 1},
	arrow.INT16:  {kindInt, -1 << 15, 1<<15 - 1},
	arrow.INT32:  {kindInt, -1 << 31, 1<<31 - 1},
	arrow.INT64:  {kindInt64, -1 << 63, 1<<63 - 1},
	arrow.UINT8:  {kindInt, 0, 1<<8 - 1},
	arrow.UINT16: {kindInt, 0, 1<<16 - 1},
	arrow.UINT32: {kindInt, 0, 1<<32 - 1},
	arrow.UINT64: {kindInt, 0, 1<<64 - 1},
}

// accepts gives the starts of values that a kind can take.
func accepts(k kind) uint8 {
	switch k {
	case kindBool:
		return startBool
	case kindInt64, kindInt, kindFloat64, kindFloat32, kindDecimal, kindTimestamp, kindCoarse, kindDate, kindTime:
		return startNumber | startString
	case kindText, kindUUID, kindInterval, kindBinary, kindFixedBinary:
		return startString
	case kindStruct, kindMap:
		return startObject
	case kindList:
		return startArray
	}
	return startString | startNumber | startBool | startObject | startArray
}

// sqlType names a field's type as SQL does.
func sqlType(f arrow.Field) string {
	if isJSON(f) {
		return "JSON"
	}
	switch t := f.Type.(type) {
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			return "TIMESTAMPTZ"
		}
		return "TIMESTAMP"
	case *arrow.Decimal128Type:
		return "DECIMAL(" + strconv.Itoa(int(t.Precision)) + "," + strconv.Itoa(int(t.Scale)) + ")"
	case *arrow.ListType:
		return sqlType(t.ElemField()) + "[]"
	case *arrow.MapType:
		return "MAP<" + sqlType(t.KeyField()) + ", " + sqlType(t.ItemField()) + ">"
	}
	if name, ok := sqlNames[f.Type.ID()]; ok {
		return name
	}
	return strings.ToUpper(f.Type.String())
}

var sqlNames = map[arrow.Type]string{
	arrow.BOOL: "BOOLEAN", arrow.INT8: "TINYINT", arrow.INT16: "SMALLINT", arrow.INT32: "INT", arrow.INT64: "BIGINT",
	arrow.UINT8: "TINYINT UNSIGNED", arrow.UINT16: "SMALLINT UNSIGNED", arrow.UINT32: "INT UNSIGNED",
	arrow.UINT64: "BIGINT UNSIGNED", arrow.FLOAT32: "FLOAT", arrow.FLOAT64: "DOUBLE", arrow.STRING: "TEXT",
	arrow.BINARY: "BYTEA", arrow.FIXED_SIZE_BINARY: "BYTEA", arrow.DATE32: "DATE", arrow.TIME32: "TIME",
	arrow.TIME64: "TIME", arrow.STRUCT: "STRUCT", arrow.INTERVAL_MONTH_DAY_NANO: "INTERVAL",
	arrow.LARGE_STRING: "UUID", arrow.STRING_VIEW: "JSON",
}

// isJSON reports whether a field is marked as JSON, in the way Arroyo does.
func isJSON(f arrow.Field) bool {
	v, ok := f.Metadata.GetValue("ARROW:extension:name")
	return ok && v == "arroyo.json"
}

package json

import (
	"encoding/base64"
	"encoding/hex"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// DecimalEncoding is how an Encoder writes decimals.
type DecimalEncoding uint8

const (
	// DecimalNumber is a JSON number with all digits of the scale.
	DecimalNumber DecimalEncoding = iota
	// DecimalString is the same in quotes.
	DecimalString
	// DecimalBytes is base64 of the unscaled value: 16 bytes, two's complement, most significant first.
	DecimalBytes
)

// EncoderOptions are the choices that an Encoder leaves to its user.
type EncoderOptions struct {
	// UnixMillis writes timestamps and dates as milliseconds since the epoch, and times as milliseconds of the day, instead
	// of as text.
	UnixMillis bool
	Decimals   DecimalEncoding
	// IncludeSchema wraps each row as {"schema": …, "payload": row}, in the way of Kafka Connect.
	IncludeSchema bool
}

// Encoder turns rows into JSON objects: compact, one per row, keys in the order of the schema, nulls written out. It
// belongs to one goroutine.
type Encoder struct {
	row     *objectWriter
	state   *writerState
	prefix  string
	suffix  string
	scratch []int32
}

// NewEncoder makes an encoder for rows of this schema.
func NewEncoder(schema *arrow.Schema, o EncoderOptions) (*Encoder, error) {
	for _, f := range schema.Fields() {
		if err := writable(f, f.Name); err != nil {
			return nil, err
		}
	}
	e := &Encoder{state: &writerState{options: o}, suffix: "\n"}
	e.row = newObjectWriter(schema.Fields(), e.state)
	if o.IncludeSchema {
		text, err := ConnectSchema(schema)
		if err != nil {
			return nil, err
		}
		e.prefix = `{"schema":` + text + `,"payload":`
		e.suffix = "}\n"
	}
	return e, nil
}

// Encode appends one object and a newline for each row of b that counts.
func (e *Encoder) Encode(dst []byte, b *column.Batch) ([]byte, error) {
	e.Bind(b)
	e.scratch = b.Selected(e.scratch)
	for _, r := range e.scratch {
		dst = append(dst, e.prefix...)
		dst = e.row.append(dst, int(r))
		dst = append(dst, e.suffix...)
	}
	return dst, nil
}

// Bind makes AppendRow write rows of b.
func (e *Encoder) Bind(b *column.Batch) {
	for i := range e.row.members {
		e.row.members[i].bind(b.Cols[i])
	}
}

// AppendRow appends the object for the physical row r of the batch bound last, without a schema or a newline.
func (e *Encoder) AppendRow(dst []byte, r int) []byte { return e.row.append(dst, r) }

// writerState is what all writers of one encoder share.
type writerState struct {
	options EncoderOptions
	days    dayMemo
	scanner scanner
}

// objectWriter writes rows, or structs.
type objectWriter struct {
	members []writer
	// prefixes hold what stands before each member's value: a brace or a comma, the key, and a colon.
	prefixes []string
}

func newObjectWriter(fields []arrow.Field, s *writerState) *objectWriter {
	o := &objectWriter{}
	for i, f := range fields {
		lead := ","
		if i == 0 {
			lead = "{"
		}
		o.prefixes = append(o.prefixes, lead+string(appendString(nil, f.Name))+":")
		o.members = append(o.members, newWriter(f, s))
	}
	return o
}

func (o *objectWriter) append(dst []byte, r int) []byte {
	if len(o.members) == 0 {
		return append(dst, '{', '}')
	}
	for i := range o.members {
		dst = append(dst, o.prefixes[i]...)
		dst = o.members[i].append(dst, r)
	}
	return append(dst, '}')
}

// form is how the values of a column are written.
type form uint8

const (
	formOther form = iota
	formInt64
	formFloat64
	formText
	formTimestamp
)

// writer writes the values of one column.
type writer struct {
	form   form
	valid  column.Bitmap
	ints   []int64
	floats []float64
	bytes  *column.Bytes
	vector column.Vector

	state *writerState
	typ   arrow.DataType
	json  bool
	// unit is nanoseconds per unit of a time type; closing ends the text of a timestamp.
	unit    int64
	closing string
	object  *objectWriter
	// elem writes the elements of a list or the values of a map, whose keys are names.
	elem, names *writer
}

func newWriter(f arrow.Field, s *writerState) writer {
	w := writer{state: s, typ: f.Type, json: isJSON(f) || f.Type.ID() == arrow.STRING_VIEW}
	switch t := f.Type.(type) {
	case *arrow.Int64Type:
		w.form = formInt64
	case *arrow.Float64Type:
		w.form = formFloat64
	case *arrow.StringType:
		if !w.json {
			w.form = formText
		}
	case *arrow.TimestampType:
		w.unit, w.closing = int64(t.Unit.Multiplier()), `"`
		if t.TimeZone != "" {
			w.closing = `Z"`
		}
		if !s.options.UnixMillis {
			w.form = formTimestamp
		}
	case *arrow.Time32Type:
		w.unit = int64(t.Unit.Multiplier())
	case *arrow.Time64Type:
		w.unit = int64(t.Unit.Multiplier())
	case *arrow.StructType:
		w.object = newObjectWriter(t.Fields(), s)
	case *arrow.ListType:
		elem := newWriter(t.ElemField(), s)
		w.elem = &elem
	case *arrow.MapType:
		elem, names := newWriter(t.ItemField(), s), newWriter(t.KeyField(), s)
		w.elem, w.names = &elem, &names
	}
	return w
}

func (w *writer) bind(v column.Vector) {
	w.vector, w.valid = v, v.Validity()
	switch c := v.(type) {
	case *column.Fixed[int64]:
		w.ints = c.Values
	case *column.Fixed[float64]:
		w.floats = c.Values
	case *column.Bytes:
		w.bytes = c
	case *column.Struct:
		for i := range w.object.members {
			w.object.members[i].bind(c.Children[i])
		}
	case *column.List:
		if c.Map != nil {
			w.names.bind(c.Elem.(*column.Struct).Children[0])
			w.elem.bind(c.Elem.(*column.Struct).Children[1])
			return
		}
		w.elem.bind(c.Elem)
	}
}

func (w *writer) append(dst []byte, r int) []byte {
	if w.valid != nil && !w.valid.Get(r) {
		return append(dst, "null"...)
	}
	switch w.form {
	case formInt64:
		return appendInt(dst, w.ints[r])
	case formFloat64:
		return appendFloat(dst, w.floats[r])
	case formText:
		return appendString(dst, w.bytes.Str(r))
	case formTimestamp:
		dst = append(dst, '"')
		dst = w.state.days.appendTimestamp(dst, w.ints[r], w.unit)
		return append(dst, w.closing...)
	}
	return w.appendOther(dst, r)
}

func (w *writer) appendOther(dst []byte, r int) []byte {
	switch c := w.vector.(type) {
	case *column.Bool:
		if c.Bits.Get(r) {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case *column.Fixed[int8]:
		return appendInt(dst, int64(c.Values[r]))
	case *column.Fixed[int16]:
		return appendInt(dst, int64(c.Values[r]))
	case *column.Fixed[int32]:
		return w.appendInt32(dst, c.Values[r])
	case *column.Fixed[int64]:
		return w.appendInt64(dst, c.Values[r])
	case *column.Fixed[uint8]:
		return appendUint(dst, uint64(c.Values[r]))
	case *column.Fixed[uint16]:
		return appendUint(dst, uint64(c.Values[r]))
	case *column.Fixed[uint32]:
		return appendUint(dst, uint64(c.Values[r]))
	case *column.Fixed[uint64]:
		return appendUint(dst, c.Values[r])
	case *column.Fixed[float32]:
		return appendFloat32(dst, c.Values[r])
	case *column.Fixed[decimal128.Num]:
		return w.appendDecimal(dst, c.Values[r])
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		dst = append(dst, '"')
		dst = appendInterval(dst, c.Values[r])
		return append(dst, '"')
	case *column.Bytes:
		return w.appendBytes(dst, c.At(r))
	case *column.Struct:
		return w.object.append(dst, r)
	case *column.List:
		if c.Map != nil {
			return w.appendMap(dst, c, r)
		}
		return w.appendList(dst, c, r)
	}
	panic("json: no writer for " + w.typ.String())
}

func (w *writer) appendInt32(dst []byte, v int32) []byte {
	switch w.typ.ID() {
	case arrow.DATE32:
		if w.state.options.UnixMillis {
			return appendInt(dst, int64(v)*secondsPerDay*1000)
		}
		dst = append(dst, '"')
		dst = appendDate(dst, int64(v))
		return append(dst, '"')
	case arrow.TIME32:
		return w.appendTime(dst, int64(v))
	}
	return appendInt(dst, int64(v))
}

func (w *writer) appendInt64(dst []byte, v int64) []byte {
	switch w.typ.ID() {
	case arrow.TIMESTAMP:
		return appendMillis(dst, v, w.unit)
	case arrow.TIME64:
		return w.appendTime(dst, v)
	}
	return appendInt(dst, v)
}

func (w *writer) appendTime(dst []byte, v int64) []byte {
	if w.state.options.UnixMillis {
		return appendMillis(dst, v, w.unit)
	}
	dst = append(dst, '"')
	dst = appendClock(dst, v*w.unit)
	return append(dst, '"')
}

func (w *writer) appendDecimal(dst []byte, v decimal128.Num) []byte {
	switch w.state.options.Decimals {
	case DecimalString:
		dst = append(dst, '"')
		dst = appendDecimal(dst, v, int(w.typ.(*arrow.Decimal128Type).Scale))
		return append(dst, '"')
	case DecimalBytes:
		var b [16]byte
		hi, lo := uint64(v.HighBits()), v.LowBits()
		for i := range 8 {
			b[i] = byte(hi >> (56 - 8*i))
			b[8+i] = byte(lo >> (56 - 8*i))
		}
		dst = append(dst, '"')
		dst = base64.StdEncoding.AppendEncode(dst, b[:])
		return append(dst, '"')
	}
	return appendDecimal(dst, v, int(w.typ.(*arrow.Decimal128Type).Scale))
}

func (w *writer) appendBytes(dst, v []byte) []byte {
	if w.json {
		return w.appendJSON(dst, v)
	}
	switch w.typ.ID() {
	case arrow.STRING, arrow.LARGE_STRING:
		return appendString(dst, string(v))
	case arrow.FIXED_SIZE_BINARY:
		dst = append(dst, '"')
		dst = hex.AppendEncode(dst, v)
		return append(dst, '"')
	}
	dst = append(dst, '"')
	dst = base64.StdEncoding.AppendEncode(dst, v)
	return append(dst, '"')
}

// appendJSON embeds text if it is one JSON value; other text becomes a string.
func (w *writer) appendJSON(dst, text []byte) []byte {
	s := &w.state.scanner
	s.load(text)
	from := len(dst)
	dst, i := s.compact(dst, s.space(0), 0)
	if i >= 0 && s.space(i) == s.n {
		return dst
	}
	return appendString(dst[:from], string(text))
}

func (w *writer) appendList(dst []byte, c *column.List, r int) []byte {
	dst = append(dst, '[')
	for i := c.Offsets[r]; i < c.Offsets[r+1]; i++ {
		if i > c.Offsets[r] {
			dst = append(dst, ',')
		}
		dst = w.elem.append(dst, int(i))
	}
	return append(dst, ']')
}

// writable refuses types that have no form in JSON.
func writable(f arrow.Field, path string) error {
	switch t := f.Type.(type) {
	case *arrow.StructType:
		for _, m := range t.Fields() {
			if err := writable(m, path+"."+m.Name); err != nil {
				return err
			}
		}
		return nil
	case *arrow.ListType:
		return writable(t.ElemField(), path+"[]")
	case *arrow.MapType:
		if err := wordyKeys(t, path); err != nil {
			return err
		}
		return writable(t.ItemField(), path+"[]")
	}
	if _, ok := sqlNames[f.Type.ID()]; ok || f.Type.ID() == arrow.TIMESTAMP || f.Type.ID() == arrow.DECIMAL128 {
		return nil
	}
	return unsupported(path, "JSON cannot hold a value of type %s", sqlType(f)).
		WithHint("CAST the column to TEXT")
}

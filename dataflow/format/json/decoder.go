package json

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/framing"
)

// Decoder turns frames, each one JSON object, into rows. It belongs to one goroutine.
type Decoder struct {
	scanner
	memory *framing.Memory
	held   framing.Held
	root   *object
	// unread holds the columns that nobody reads. They stay null and are only made as long as the batch.
	unread []column.Appender
	// texts are the fields at any depth whose values may lie in memory.
	texts []*field
	date  dateMemo
	// careful selects the pass that finds the last of repeated keys and says what is wrong.
	careful bool
	failure failure
	scratch []byte
}

// NewDecoder makes a decoder for rows of this schema. Columns whose entry in meta is not empty are not read from the
// payload (see SetMetadata). needed lists what the query reads as dotted paths, nil being everything: other columns are
// left null. A value of such a column is still checked to be JSON and of the right kind (string, number …), and to be
// there if it is NOT NULL, but not for its range or its form.
func NewDecoder(schema *arrow.Schema, meta, needed []string) (*Decoder, error) {
	isMeta := func(i int) bool { return i < len(meta) && meta[i] != "" }
	for _, f := range schema.Fields() {
		if err := supported(f, f.Name); err != nil {
			return nil, err
		}
	}
	d := &Decoder{memory: framing.NewMemory(), held: framing.NewHeld(schema, isMeta)}
	root, err := compileObject(schema.Fields(), d.held.Cols, newNeeds(needed), "", false, isMeta)
	if err != nil {
		return nil, err
	}
	d.root = root
	for _, f := range root.fields {
		if f.kind == kindUnread {
			d.unread = append(d.unread, f.col)
		}
		d.texts = f.appendTexts(d.texts)
	}
	return d, nil
}

// SetMetadata sets the function that appends one value, for the record being decoded, to each column that the source
// fills. Without one those columns are null.
func (d *Decoder) SetMetadata(fill func(column int, to column.Appender)) { d.held.SetMetadata(fill) }

// Rows is the number of rows held.
func (d *Decoder) Rows() int { return d.held.Rows() }

// Take lends the rows held until the next Decode.
func (d *Decoder) Take() *column.Batch {
	if d.held.Taken() {
		d.reset()
	}
	d.held.Take()
	for _, f := range d.texts {
		d.memory.Trim(f.bytes, &f.place)
	}
	return d.evened()
}

// Peek gives the rows held without taking them. They are valid until the next call of another method.
func (d *Decoder) Peek() *column.Batch {
	if d.held.Taken() {
		d.reset()
	}
	return d.evened()
}

// evened is the batch with columns that nobody reads of the same length.
func (d *Decoder) evened() *column.Batch {
	n := len(d.held.Batch.Time)
	d.held.Batch.N = n
	for _, c := range d.unread {
		if c.Len() > n {
			c.Truncate(n)
		}
		for c.Len() < n {
			c.AppendNull()
		}
	}
	return &d.held.Batch
}

// Member gives the text of the last member of this name in the object that a frame is, as a slice of the frame; nil if it
// is no object or has no such member. The rows held stay.
func (d *Decoder) Member(frame []byte, name string) []byte {
	d.load(frame)
	i := d.space(0)
	if load1(d.p, i) != '{' {
		return nil
	}
	i = d.space(i + 1)
	for found := []byte(nil); load1(d.p, i) == '"'; i = d.space(i + 1) {
		is, from := d.memberAt(i, name)
		if from < 0 {
			return nil
		}
		if i = d.skip(from, 1); i < 0 {
			return nil
		}
		if is {
			found = frame[from:i]
		}
		i = d.space(i)
		if load1(d.p, i) == '}' && d.space(i+1) == d.n {
			return found
		}
		if load1(d.p, i) != ',' {
			return nil
		}
	}
	return nil
}

// memberAt reports whether the key at i is this name, and where its value begins; that is negative if there is none.
func (d *Decoder) memberAt(i int, name string) (is bool, from int) {
	end, flags := d.stringEnd(i + 1)
	if end < 0 {
		return false, end
	}
	key := d.text(i+1, end)
	if flags&hasEscape != 0 {
		var ok bool
		if d.scratch, ok = d.unescape(d.scratch[:0], i+1, end); !ok {
			return false, -1
		}
		key = d.scratch
	}
	return string(key) == name, d.colon(end + 1)
}

// Truncate drops the rows from n on; n is at most Rows.
func (d *Decoder) Truncate(n int) {
	d.held.Batch.Time = d.held.Batch.Time[:n]
	d.rollback(n)
}

// Decode appends the row of one frame with this event time. The frame's memory must stay as it is until the batch taken
// next has been used up.
func (d *Decoder) Decode(frame []byte, eventTime int64) error {
	if d.held.Taken() {
		d.reset()
	}
	d.load(frame)
	d.memory.Enter(frame)
	if !d.decode() {
		row := len(d.held.Batch.Time)
		d.rollback(row)
		d.careful = true
		d.failure = failure{}
		ok := d.decode()
		d.careful = false
		if !ok {
			d.rollback(row)
			return d.fault()
		}
	}
	d.held.End(eventTime)
	return nil
}

// decode appends the object that the text is to the columns; on false they may be of different lengths.
func (d *Decoder) decode() bool {
	i := d.space(0)
	if load1(d.p, i) != '{' {
		return d.notObject(i)
	}
	i = d.row(d.root, i, 1)
	if i < 0 {
		return false
	}
	if i = d.space(i); i != d.n {
		d.bad(i, "something follows the object")
		return false
	}
	return true
}

// rollback makes every column n rows long again.
func (d *Decoder) rollback(n int) {
	for _, f := range d.root.fields {
		if f.kind != kindUnread {
			f.col.Truncate(n)
		}
	}
	for _, i := range d.held.Source {
		d.held.Cols[i].Truncate(n)
	}
}

func (d *Decoder) reset() {
	d.held.Begin()
	for _, f := range d.root.fields {
		if f.kind != kindUnread {
			f.col.Reset()
		}
	}
	d.memory.Reset()
	if cap(d.scratch) > maxKept {
		d.scratch = nil
	}
}

// row reads the object at i into the fields of o.
func (d *Decoder) row(o *object, i, depth int) int {
	if d.careful {
		return d.lastOfEach(o, i, depth)
	}
	o.instance++
	instance := o.instance
	missing := len(o.fields)
	i++
	if load1(d.p, i) <= ' ' {
		i = d.space(i)
	}
	if load1(d.p, i) == '}' {
		return d.complete(o, i+1, missing)
	}
	f := o.first
	var previous *field
	for {
		if (load8(d.p, i)^f.head)&f.mask == 0 && (len(f.key) <= 8 || d.follows(i+8, f.key[8:])) {
			i += len(f.key)
		} else if f, i = d.lookup(o, previous, i); i < 0 {
			return i
		}
		if load1(d.p, i) == ':' {
			i++
		} else if i = d.colon(i); i < 0 {
			return i
		}
		if load1(d.p, i) <= ' ' {
			i = d.space(i)
		}
		if f.kind != kindUnknown {
			if f.seen == instance {
				return d.bad(i, "a repeated key")
			}
			f.seen = instance
			missing--
		}
		if i = d.value(f, i, depth); i < 0 {
			return i
		}
		c := load1(d.p, i)
		if c <= ' ' {
			i = d.space(i)
			c = load1(d.p, i)
		}
		if c != ',' {
			if c != '}' {
				return d.badNext(i, '}')
			}
			return d.complete(o, i+1, missing)
		}
		i++
		if load1(d.p, i) <= ' ' {
			i = d.space(i)
		}
		previous = f
		f = f.next
	}
}

// follows reports whether s stands at i.
func (d *Decoder) follows(i int, s string) bool {
	return i+len(s) <= d.n && unsafe.String((*byte)(unsafe.Add(d.p, i)), len(s)) == s
}

// lookup finds the field of the key at i, which was not the expected one, and expects it at this place from now on. It
// gives the position behind the key.
func (d *Decoder) lookup(o *object, previous *field, i int) (*field, int) {
	if load1(d.p, i) != '"' {
		return nil, d.badKey(i)
	}
	j, flags := d.stringEnd(i + 1)
	if j < 0 {
		return nil, j
	}
	name := d.text(i+1, j)
	if flags&hasEscape != 0 {
		var ok bool
		if d.scratch, ok = d.unescape(d.scratch[:0], i+1, j); !ok {
			return nil, -1
		}
		name = d.scratch
	}
	f := o.byName[string(name)]
	if f == nil {
		f = o.learn(name)
	}
	if flags&hasEscape == 0 {
		if previous == nil {
			o.first = f
		} else {
			previous.next = f
		}
	}
	return f, j + 1
}

// learn makes a field for an undeclared key.
func (o *object) learn(name []byte) *field {
	f := &field{next: nobody}
	if o.unknown < maxUnknown && len(name) <= maxUnknownLen {
		o.unknown++
		f.setKey(string(name))
		o.byName[string(name)] = f
		return f
	}
	// Beyond the bound one field stands for all undeclared keys; no key can have this name.
	const others = "\xff"
	if f := o.byName[others]; f != nil {
		return f
	}
	f.head, f.mask = nobody.head, nobody.mask
	o.byName[others] = f
	return f
}

// complete gives null to the fields that did not occur in the object that ends at i.
func (d *Decoder) complete(o *object, i, missing int) int {
	if missing == 0 {
		return i
	}
	for _, f := range o.fields {
		if f.seen != o.instance && !d.null(f, true) {
			return -1
		}
	}
	return i
}

// lastOfEach is row for objects with repeated keys and for objects that are wrong: it checks the whole object first and
// then reads, in the order of declaration, the last value of each field.
func (d *Decoder) lastOfEach(o *object, i, depth int) int {
	o.instance++
	instance := o.instance
	end := d.locate(o, i, depth)
	if end < 0 {
		return end
	}
	for _, f := range o.fields {
		if f.seen != instance {
			if !d.null(f, true) {
				return -1
			}
			continue
		}
		if d.value(f, f.at, depth) < 0 {
			return -1
		}
	}
	return end
}

// locate checks the object at i, notes where the last value of each field is, and gives the position behind the object.
func (d *Decoder) locate(o *object, i, depth int) int {
	i = d.space(i + 1)
	if load1(d.p, i) == '}' {
		return i + 1
	}
	for {
		f, j := d.lookup(o, nil, i)
		if j < 0 {
			return j
		}
		if i = d.colon(j); i < 0 {
			return i
		}
		f.seen, f.at = o.instance, i
		if i = d.skip(i, depth); i < 0 {
			return i
		}
		i = d.space(i)
		switch load1(d.p, i) {
		case ',':
			i = d.space(i + 1)
		case '}':
			return i + 1
		default:
			return d.badNext(i, '}')
		}
	}
}

package column

import "github.com/apache/arrow-go/v18/arrow"

// Struct is a column of structs: one child column per member. A null struct's members are undefined; readers of a member
// combine both validities (Member does).
type Struct struct {
	DataType *arrow.StructType
	N        int
	Children []Appender
	Valid    Bitmap
}

// NewStruct makes an empty struct column.
func NewStruct(t *arrow.StructType) *Struct {
	s := &Struct{DataType: t, Children: make([]Appender, t.NumFields())}
	for i, f := range t.Fields() {
		s.Children[i] = NewAppender(f.Type)
	}
	return s
}

// Type implements Vector.
func (s *Struct) Type() arrow.DataType { return s.DataType }

// Len implements Vector.
func (s *Struct) Len() int { return s.N }

// Validity implements Vector.
func (s *Struct) Validity() Bitmap { return s.Valid }

// Size implements Vector.
func (s *Struct) Size() int {
	n := 8 * len(s.Valid)
	for _, c := range s.Children {
		n += c.Size()
	}
	return n
}

// Append counts one more struct that is not null; the caller has appended one value to every child.
func (s *Struct) Append() {
	s.N++
	if s.Valid != nil {
		s.Valid = s.Valid.Grow(s.N)
		s.Valid.Set(s.N - 1)
	}
}

// AppendNull implements Appender.
func (s *Struct) AppendNull() {
	for _, c := range s.Children {
		c.AppendNull()
	}
	s.Valid = appendInvalid(s.Valid, s.N)
	s.N++
}

// AppendSel implements Appender.
func (s *Struct) AppendSel(src Vector, sel []int32) {
	if c, ok := src.(*Const); ok {
		appendConst(s, c, sel)
		return
	}
	o := src.(*Struct)
	for i, c := range s.Children {
		c.AppendSel(o.Children[i], sel)
	}
	s.Valid = appendValidity(s.Valid, s.N, o.Valid, o.N, sel)
	if sel == nil {
		s.N += o.N
	} else {
		s.N += len(sel)
	}
}

// Truncate implements Appender.
func (s *Struct) Truncate(n int) {
	for _, c := range s.Children {
		c.Truncate(n)
	}
	s.N = n
	s.Valid = truncateValidity(s.Valid, n)
}

// Reset implements Appender.
func (s *Struct) Reset() {
	for _, c := range s.Children {
		c.Reset()
	}
	s.N = 0
	s.Valid = nil
}

// List is a column of lists: row i holds the elements Offsets[i] to Offsets[i+1] of Elem. A column of maps is one too: its
// elements are structs of a key and a value, in the order in which the map was made.
type List struct {
	DataType *arrow.ListType
	// Map is the type of a column of maps; nil for lists.
	Map *arrow.MapType
	// Offsets has one entry more than there are rows and starts with 0.
	Offsets []int32
	Elem    Appender
	Valid   Bitmap
}

// NewList makes an empty list column.
func NewList(t *arrow.ListType) *List {
	return &List{DataType: t, Offsets: []int32{0}, Elem: NewAppender(t.Elem())}
}

// NewMap makes an empty map column.
func NewMap(t *arrow.MapType) *List {
	entry := arrow.Field{Name: "entries", Type: t.ValueType()}
	l := NewList(arrow.ListOfField(entry))
	l.Map = t
	return l
}

// Type implements Vector.
func (l *List) Type() arrow.DataType {
	if l.Map != nil {
		return l.Map
	}
	return l.DataType
}

// Len implements Vector.
func (l *List) Len() int { return len(l.Offsets) - 1 }

// Validity implements Vector.
func (l *List) Validity() Bitmap { return l.Valid }

// Size implements Vector.
func (l *List) Size() int { return 4*len(l.Offsets) + l.Elem.Size() + 8*len(l.Valid) }

// Append closes one more list that is not null: its elements are those appended to Elem since the row before.
func (l *List) Append() {
	l.Offsets = append(l.Offsets, int32(l.Elem.Len()))
	if l.Valid != nil {
		l.Valid = l.Valid.Grow(l.Len())
		l.Valid.Set(l.Len() - 1)
	}
}

// AppendNull implements Appender.
func (l *List) AppendNull() {
	l.Valid = appendInvalid(l.Valid, l.Len())
	l.Offsets = append(l.Offsets, int32(l.Elem.Len()))
}

// AppendSel implements Appender.
func (l *List) AppendSel(src Vector, sel []int32) {
	if c, ok := src.(*Const); ok {
		appendConst(l, c, sel)
		return
	}
	o := src.(*List)
	n := l.Len()
	m := o.Len()
	if sel != nil {
		m = len(sel)
	}
	var elems []int32
	end := l.Offsets[n]
	for i := range m {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		if o.Valid.IsValid(r) {
			for e := o.Offsets[r]; e < o.Offsets[r+1]; e++ {
				elems = append(elems, e)
			}
			end += o.Offsets[r+1] - o.Offsets[r]
		}
		l.Offsets = append(l.Offsets, end)
	}
	if len(elems) > 0 {
		l.Elem.AppendSel(o.Elem, elems)
	}
	l.Valid = appendValidity(l.Valid, n, o.Valid, o.Len(), sel)
}

// Truncate implements Appender.
func (l *List) Truncate(n int) {
	l.Offsets = l.Offsets[:n+1]
	l.Elem.Truncate(int(l.Offsets[n]))
	l.Valid = truncateValidity(l.Valid, n)
}

// Reset implements Appender.
func (l *List) Reset() {
	l.Offsets = l.Offsets[:1]
	l.Elem.Reset()
	l.Valid = nil
}

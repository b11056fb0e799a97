package multimap

import (
	"bytes"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// Pairs are candidates of a join: rows of a batch and ids of rows in a map.
type Pairs struct {
	Rows, IDs []int32
}

// Reset forgets all pairs.
func (p *Pairs) Reset() { p.Rows, p.IDs = p.Rows[:0], p.IDs[:0] }

// Len is the number of pairs.
func (p *Pairs) Len() int { return len(p.IDs) }

// truncate keeps the first k pairs.
func (p *Pairs) truncate(k int) { p.Rows, p.IDs = p.Rows[:k], p.IDs[:k] }

// NullRule says when two keys are the same if one is null.
type NullRule uint8

const (
	// NullNever: a null is the same as nothing.
	NullNever NullRule = iota
	// NullSame: null is the same as null (IS NOT DISTINCT FROM).
	NullSame
	// NullAny: null is the same as everything (what NOT IN cannot exclude).
	NullAny
)

// same decides for pairs where a value is null.
func (r NullRule) same(x, y bool) bool {
	switch r {
	case NullSame:
		return x == y
	case NullAny:
		return true
	}
	return false
}

// store is one column of a map.
type store interface {
	// add appends rows of v to chunk c, which has first rows; their memory in the chunk itself is there already.
	add(c, first int, v column.Vector, rows []int32)
	// move appends the values of rows of another chunk to chunk c, whose last rows are theirs; those in the rows themselves
	// are there when they are.
	move(c int, ids []int32)
	drop(c int)
	// gather appends the values of the rows to dst.
	gather(dst column.Appender, ids []int32)
	// same keeps the pairs whose value here is the same as that in v.
	same(p *Pairs, v column.Vector, rule NullRule)
	// encode appends the row encoding of a value to buf.
	encode(buf []byte, id int32) []byte
	// size is the memory behind chunk c beside the rows themselves.
	size(c int) int
}

// newStores makes the columns of a map: as many of up to 8 bytes as there is room for in the rows, the key first, and
// the others beside them.
func newStores(m *Map) []store {
	cols := make([]store, len(m.config.Types))
	free := 0
	place := func(i int) {
		if cols[i] == nil && free < rowWords {
			if cols[i] = newInline(m, m.config.Types[i], free); cols[i] != nil {
				free++
			}
		}
	}
	if m.config.Key != nil {
		place(*m.config.Key)
	}
	for i, dt := range m.config.Types {
		if place(i); cols[i] == nil {
			cols[i] = newStore(m, dt)
		}
	}
	return cols
}

// newInline gives nil for types whose values do not fit into a word.
func newInline(m *Map, dt arrow.DataType, at int) store {
	switch column.NewAppender(dt).(type) {
	case *column.Fixed[int64]:
		return &inline[int64]{m: m, dt: dt, at: at}
	case *column.Fixed[int32]:
		return &inline[int32]{m: m, dt: dt, at: at}
	case *column.Fixed[int16]:
		return &inline[int16]{m: m, dt: dt, at: at}
	case *column.Fixed[int8]:
		return &inline[int8]{m: m, dt: dt, at: at}
	case *column.Fixed[uint64]:
		return &inline[uint64]{m: m, dt: dt, at: at}
	case *column.Fixed[uint32]:
		return &inline[uint32]{m: m, dt: dt, at: at}
	case *column.Fixed[uint16]:
		return &inline[uint16]{m: m, dt: dt, at: at}
	case *column.Fixed[uint8]:
		return &inline[uint8]{m: m, dt: dt, at: at}
	case *column.Fixed[float64]:
		return &inline[float64]{m: m, dt: dt, at: at}
	case *column.Fixed[float32]:
		return &inline[float32]{m: m, dt: dt, at: at}
	}
	return nil
}

func newStore(m *Map, dt arrow.DataType) store {
	switch column.NewAppender(dt).(type) {
	case *column.Fixed[int64]:
		return newFixed[int64](m, dt)
	case *column.Fixed[int32]:
		return newFixed[int32](m, dt)
	case *column.Fixed[int16]:
		return newFixed[int16](m, dt)
	case *column.Fixed[int8]:
		return newFixed[int8](m, dt)
	case *column.Fixed[uint64]:
		return newFixed[uint64](m, dt)
	case *column.Fixed[uint32]:
		return newFixed[uint32](m, dt)
	case *column.Fixed[uint16]:
		return newFixed[uint16](m, dt)
	case *column.Fixed[uint8]:
		return newFixed[uint8](m, dt)
	case *column.Fixed[float64]:
		return newFixed[float64](m, dt)
	case *column.Fixed[float32]:
		return newFixed[float32](m, dt)
	case *column.Fixed[decimal128.Num]:
		return newFixed[decimal128.Num](m, dt)
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return newFixed[arrow.MonthDayNanoInterval](m, dt)
	case *column.Bytes:
		return &texts{beside[*column.Bytes]{m: m, make: func(int) *column.Bytes { return column.NewBytes(dt) }}}
	case *column.Bool:
		return &bools{beside[*column.Bool]{m: m, make: func(int) *column.Bool { return &column.Bool{} }}}
	}
	return &nested{beside[column.Appender]{m: m, make: func(int) column.Appender { return column.NewAppender(dt) }}}
}

// fixedValue is a column.Value that compares.
type fixedValue interface {
	comparable
	column.Value
}

// inline stores values in a word of the rows themselves.
type inline[T fixedValue] struct {
	m  *Map
	dt arrow.DataType
	at int
	// valid has a bit per row of each chunk in which there are nulls, which are there at all if nulls is set.
	valid []column.Bitmap
	nulls bool
	// loose has values that come from something else than a column.
	loose *column.Fixed[T]
}

// word is a value in a row.
func (s *inline[T]) word(r *row) *T { return (*T)(unsafe.Pointer(&r.words[s.at])) }

func (s *inline[T]) isValid(id int32) bool {
	return !s.nulls || int(id>>shift) >= len(s.valid) || s.valid[id>>shift].IsValid(int(id&mask))
}

func (s *inline[T]) setNull(c, i int) {
	for c >= len(s.valid) {
		s.valid = append(s.valid, nil)
	}
	if s.valid[c] == nil {
		s.valid[c] = column.NewBitmap(chunkRows, true)
	}
	s.valid[c].Clear(i)
	s.nulls = true
}

func (s *inline[T]) add(c, first int, v column.Vector, rows []int32) {
	f, ok := v.(*column.Fixed[T])
	if !ok {
		s.loose = column.NewFixed[T](s.dt)
		s.loose.AppendSel(v, rows)
		f, rows = s.loose, column.AllRows(nil, len(rows))
	}
	to := s.m.rows[c][first:]
	to = to[:len(rows)]
	for i, r := range rows {
		*s.word(&to[i]) = f.Values[r]
	}
	if f.Valid == nil {
		return
	}
	for i, r := range rows {
		if !f.Valid.Get(int(r)) {
			s.setNull(c, first+i)
		}
	}
}

func (s *inline[T]) move(c int, ids []int32) {
	first := len(s.m.rows[c]) - len(ids)
	for i, id := range ids {
		if !s.isValid(id) {
			s.setNull(c, first+i)
		}
	}
}

func (s *inline[T]) drop(c int) {
	if c < len(s.valid) {
		s.valid[c] = nil
	}
}

func (s *inline[T]) gather(dst column.Appender, ids []int32) {
	d := dst.(*column.Fixed[T])
	rows := s.m.rows
	if s.nulls {
		for _, id := range ids {
			if s.isValid(id) {
				d.Append(*s.word(&rows[id>>shift][id&mask]))
			} else {
				d.AppendNull()
			}
		}
		return
	}
	out := d.Extend(len(ids))
	for i, id := range ids {
		out[i] = *s.word(&rows[id>>shift][id&mask])
	}
}

func (s *inline[T]) same(p *Pairs, v column.Vector, rule NullRule) {
	f, ok := v.(*column.Fixed[T])
	if !ok {
		sameEncoded(s, p, v, rule)
		return
	}
	k := 0
	pairRows, rows := p.Rows[:len(p.IDs)], s.m.rows
	for i, id := range p.IDs {
		r := pairRows[i]
		ok := sameValues(*s.word(&rows[id>>shift][id&mask]), f.Values[r])
		if s.nulls || f.Valid != nil {
			a, b := s.isValid(id), f.Valid.IsValid(int(r))
			if !a || !b {
				ok = rule.same(a, b)
			}
		}
		p.IDs[k], p.Rows[k] = id, r
		if ok {
			k++
		}
	}
	p.truncate(k)
}

func (s *inline[T]) encode(buf []byte, id int32) []byte {
	one := column.NewFixed[T](s.dt)
	s.gather(one, []int32{id})
	return state.AppendValue(buf, one, 0)
}

func (s *inline[T]) size(c int) int {
	if c < len(s.valid) {
		return 8 * len(s.valid[c])
	}
	return 0
}

// beside is what the stores have in common that keep a column per chunk.
type beside[C column.Appender] struct {
	m      *Map
	make   func(rows int) C
	chunks []C
}

// chunk is the column of a chunk, which is made if it is not there.
func (s *beside[C]) chunk(c int) C {
	var none C
	for c >= len(s.chunks) {
		s.chunks = append(s.chunks, none)
	}
	if any(s.chunks[c]) == any(none) {
		rows := 0
		if s.m.chunks[c].whole {
			rows = chunkRows
		}
		s.chunks[c] = s.make(rows)
	}
	return s.chunks[c]
}

func (s *beside[C]) add(c, _ int, v column.Vector, rows []int32) { s.chunk(c).AppendSel(v, rows) }

func (s *beside[C]) move(c int, ids []int32) {
	var places [warmRows]int32
	for i, id := range ids {
		places[i] = id & mask
	}
	s.chunk(c).AppendSel(s.chunks[ids[0]>>shift], places[:len(ids)])
}

func (s *beside[C]) drop(c int) {
	var none C
	s.chunks[c] = none
}

func (s *beside[C]) encode(buf []byte, id int32) []byte {
	return state.AppendValue(buf, s.chunks[id>>shift], int(id&mask))
}

func (s *beside[C]) size(c int) int { return s.chunks[c].Size() }

// fixed stores fixed-width values. vals is the memory of the chunks, nulls is set once a null was stored.
type fixed[T fixedValue] struct {
	beside[*column.Fixed[T]]
	vals  [][]T
	nulls bool
}

func newFixed[T fixedValue](m *Map, dt arrow.DataType) store {
	return &fixed[T]{beside: beside[*column.Fixed[T]]{m: m, make: func(rows int) *column.Fixed[T] {
		return &column.Fixed[T]{DataType: dt, Values: make([]T, 0, rows)}
	}}}
}

func (s *fixed[T]) add(c, first int, v column.Vector, rows []int32) {
	s.beside.add(c, first, v, rows)
	s.note(c)
}

func (s *fixed[T]) move(c int, ids []int32) {
	s.beside.move(c, ids)
	s.note(c)
}

// note takes note of the memory of a chunk that has grown.
func (s *fixed[T]) note(c int) {
	for c >= len(s.vals) {
		s.vals = append(s.vals, nil)
	}
	s.vals[c] = s.chunks[c].Values
	s.nulls = s.nulls || s.chunks[c].Valid != nil
}

func (s *fixed[T]) drop(c int) {
	s.beside.drop(c)
	s.vals[c] = nil
}

func (s *fixed[T]) gather(dst column.Appender, ids []int32) {
	d := dst.(*column.Fixed[T])
	if s.nulls {
		for _, id := range ids {
			c, i := s.chunks[id>>shift], int(id&mask)
			if c.Valid.IsValid(i) {
				d.Append(c.Values[i])
			} else {
				d.AppendNull()
			}
		}
		return
	}
	out := d.Extend(len(ids))
	for i, id := range ids {
		out[i] = s.vals[id>>shift][id&mask]
	}
}

func (s *fixed[T]) same(p *Pairs, v column.Vector, rule NullRule) {
	f, ok := v.(*column.Fixed[T])
	if !ok {
		sameEncoded(s, p, v, rule)
		return
	}
	k := 0
	rows := p.Rows[:len(p.IDs)]
	for i, id := range p.IDs {
		r := rows[i]
		c, o := id>>shift, id&mask
		ok := sameValues(s.vals[c][o], f.Values[r])
		if s.nulls || f.Valid != nil {
			x, y := s.chunks[c].Valid.IsValid(int(o)), f.Valid.IsValid(int(r))
			if !x || !y {
				ok = rule.same(x, y)
			}
		}
		p.IDs[k], p.Rows[k] = id, r
		if ok {
			k++
		}
	}
	p.truncate(k)
}

// sameValues says of NaN that it is the same as NaN.
func sameValues[T fixedValue](x, y T) bool { return x == y || x != x && y != y }

// texts stores byte strings.
type texts struct{ beside[*column.Bytes] }

func (s *texts) gather(dst column.Appender, ids []int32) {
	d := dst.(*column.Bytes)
	for _, id := range ids {
		b, i := s.chunks[id>>shift], int(id&mask)
		if b.Valid.IsValid(i) {
			d.Append(b.At(i))
		} else {
			d.AppendNull()
		}
	}
}

func (s *texts) same(p *Pairs, v column.Vector, rule NullRule) {
	f, ok := v.(*column.Bytes)
	if !ok {
		sameEncoded(s, p, v, rule)
		return
	}
	k := 0
	for i, id := range p.IDs {
		r := p.Rows[i]
		b, o := s.chunks[id>>shift], int(id&mask)
		x, y := b.Valid.IsValid(o), f.Valid.IsValid(int(r))
		ok := rule.same(x, y)
		if x && y {
			ok = b.Str(o) == f.Str(int(r))
		}
		p.IDs[k], p.Rows[k] = id, r
		if ok {
			k++
		}
	}
	p.truncate(k)
}

// bools stores booleans.
type bools struct{ beside[*column.Bool] }

func (s *bools) gather(dst column.Appender, ids []int32) {
	d := dst.(*column.Bool)
	for _, id := range ids {
		b, i := s.chunks[id>>shift], int(id&mask)
		if b.Valid.IsValid(i) {
			d.Append(b.Bits.Get(i))
		} else {
			d.AppendNull()
		}
	}
}

func (s *bools) same(p *Pairs, v column.Vector, rule NullRule) { sameEncoded(s, p, v, rule) }

// nested stores everything that has members or elements.
type nested struct{ beside[column.Appender] }

func (s *nested) gather(dst column.Appender, ids []int32) {
	var places [64]int32
	for len(ids) > 0 {
		c := ids[0] >> shift
		k := 0
		for k < len(ids) && k < len(places) && ids[k]>>shift == c {
			places[k] = ids[k] & mask
			k++
		}
		dst.AppendSel(s.chunks[c], places[:k])
		ids = ids[k:]
	}
}

func (s *nested) same(p *Pairs, v column.Vector, rule NullRule) { sameEncoded(s, p, v, rule) }

// sameEncoded compares values of any types, those of integers of different widths too, by their row encodings.
func sameEncoded(s store, p *Pairs, v column.Vector, rule NullRule) {
	var x, y []byte
	k := 0
	for i, id := range p.IDs {
		r := p.Rows[i]
		x = s.encode(x[:0], id)
		y = state.AppendValue(y[:0], v, int(r))
		ok := bytes.Equal(x, y)
		if x[0] == 0 || y[0] == 0 {
			ok = rule.same(x[0] != 0, y[0] != 0)
		}
		p.IDs[k], p.Rows[k] = id, r
		if ok {
			k++
		}
	}
	p.truncate(k)
}

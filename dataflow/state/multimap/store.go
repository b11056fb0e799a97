package multimap

import (
	"bytes"

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

// store is one column of a map, in chunks.
type store interface {
	// add appends rows of v to chunk c, which is one of those that exist or the next one; whole says that it will be full.
	add(c int, v column.Vector, rows []int32, whole bool)
	// chunk is the rows of chunk c.
	chunk(c int) column.Appender
	drop(c int)
	// gather appends the values of the rows to dst.
	gather(dst column.Appender, ids []int32)
	// same keeps the pairs whose value here is the same as that in v.
	same(p *Pairs, v column.Vector, rule NullRule)
}

func newStore(dt arrow.DataType) store {
	switch column.NewAppender(dt).(type) {
	case *column.Fixed[int64]:
		return &fixed[int64]{dt: dt}
	case *column.Fixed[int32]:
		return &fixed[int32]{dt: dt}
	case *column.Fixed[int16]:
		return &fixed[int16]{dt: dt}
	case *column.Fixed[int8]:
		return &fixed[int8]{dt: dt}
	case *column.Fixed[uint64]:
		return &fixed[uint64]{dt: dt}
	case *column.Fixed[uint32]:
		return &fixed[uint32]{dt: dt}
	case *column.Fixed[uint16]:
		return &fixed[uint16]{dt: dt}
	case *column.Fixed[uint8]:
		return &fixed[uint8]{dt: dt}
	case *column.Fixed[float64]:
		return &fixed[float64]{dt: dt}
	case *column.Fixed[float32]:
		return &fixed[float32]{dt: dt}
	case *column.Fixed[decimal128.Num]:
		return &fixed[decimal128.Num]{dt: dt}
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return &fixed[arrow.MonthDayNanoInterval]{dt: dt}
	case *column.Bytes:
		return &texts{dt: dt}
	case *column.Bool:
		return &bools{}
	}
	return &nested{dt: dt}
}

// fixedValue is a column.Value that compares.
type fixedValue interface {
	comparable
	column.Value
}

// fixed stores fixed-width values. vals and valid are the chunks' memory, at hand for loops over ids.
type fixed[T fixedValue] struct {
	dt     arrow.DataType
	chunks []*column.Fixed[T]
	vals   [][]T
	valid  []column.Bitmap
	// nulls is set once a null was stored.
	nulls bool
}

func (s *fixed[T]) add(c int, v column.Vector, rows []int32, whole bool) {
	if c == len(s.chunks) {
		s.chunks, s.vals, s.valid = append(s.chunks, nil), append(s.vals, nil), append(s.valid, nil)
	}
	f := s.chunks[c]
	if f == nil {
		f = column.NewFixed[T](s.dt)
		s.chunks[c] = f
		if whole {
			f.Values = make([]T, 0, chunkRows)
		}
	}
	f.AppendSel(v, rows)
	s.vals[c], s.valid[c] = f.Values, f.Valid
	s.nulls = s.nulls || f.Valid != nil
}

func (s *fixed[T]) chunk(c int) column.Appender { return s.chunks[c] }

func (s *fixed[T]) drop(c int) { s.chunks[c], s.vals[c], s.valid[c] = nil, nil, nil }

func (s *fixed[T]) gather(dst column.Appender, ids []int32) {
	d := dst.(*column.Fixed[T])
	if s.nulls || d.Valid != nil {
		for _, id := range ids {
			c, i := id>>shift, int(id&mask)
			if s.valid[c].IsValid(i) {
				d.Append(s.vals[c][i])
			} else {
				d.AppendNull()
			}
		}
		return
	}
	n := len(d.Values)
	if cap(d.Values)-n < len(ids) {
		grown := make([]T, n, max(2*cap(d.Values), n+len(ids)))
		copy(grown, d.Values)
		d.Values = grown
	}
	d.Values = d.Values[:n+len(ids)]
	out, vals := d.Values[n:], s.vals
	for i, id := range ids {
		out[i] = vals[id>>shift][id&mask]
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
		x, y := s.vals[c][o], f.Values[r]
		ok := x == y || x != x && y != y // NaN is the same as NaN
		if s.nulls || f.Valid != nil {
			a, b := s.valid[c].IsValid(int(o)), f.Valid.IsValid(int(r))
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

// texts stores byte strings.
type texts struct {
	dt     arrow.DataType
	chunks []*column.Bytes
}

func (s *texts) add(c int, v column.Vector, rows []int32, _ bool) {
	if c == len(s.chunks) {
		s.chunks = append(s.chunks, nil)
	}
	if s.chunks[c] == nil {
		s.chunks[c] = column.NewBytes(s.dt)
	}
	s.chunks[c].AppendSel(v, rows)
}

func (s *texts) chunk(c int) column.Appender { return s.chunks[c] }

func (s *texts) drop(c int) { s.chunks[c] = nil }

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
type bools struct {
	chunks []*column.Bool
}

func (s *bools) add(c int, v column.Vector, rows []int32, _ bool) {
	if c == len(s.chunks) {
		s.chunks = append(s.chunks, nil)
	}
	if s.chunks[c] == nil {
		s.chunks[c] = &column.Bool{}
	}
	s.chunks[c].AppendSel(v, rows)
}

func (s *bools) chunk(c int) column.Appender { return s.chunks[c] }

func (s *bools) drop(c int) { s.chunks[c] = nil }

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
type nested struct {
	dt     arrow.DataType
	chunks []column.Appender
}

func (s *nested) add(c int, v column.Vector, rows []int32, _ bool) {
	if c == len(s.chunks) {
		s.chunks = append(s.chunks, nil)
	}
	if s.chunks[c] == nil {
		s.chunks[c] = column.NewAppender(s.dt)
	}
	s.chunks[c].AppendSel(v, rows)
}

func (s *nested) chunk(c int) column.Appender { return s.chunks[c] }

func (s *nested) drop(c int) { s.chunks[c] = nil }

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
		x = state.AppendValue(x[:0], s.chunk(int(id>>shift)), int(id&mask))
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

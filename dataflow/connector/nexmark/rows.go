package nexmark

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// rows is the batch that is filled again and again. Children of the structs that nobody needs are zero and shared.
type rows struct {
	batch   column.Batch
	structs [3]*column.Struct
	// needed says which structs are generated at all, and which of their members.
	needed  [3]bool
	members [3][]bool
	ints    []*column.Fixed[int64]
	texts   []*column.Bytes
	// times are the datetime members; they share the batch's event times.
	times []*column.Fixed[int64]

	segments []segment
	// entities are the rows of persons and auctions in the batch.
	entities [2][]entity
	prices   *prices
	caches   caches
}

// segment is a stretch of rows that belong to one group.
type segment struct {
	// row is the first row in the batch, from the place in the group that it has, n the number of rows.
	row, from, n int
	// id, time and epoch are those of an event with offset 0 in the group: its id, event time, and id divided by the group
	// size.
	id    uint64
	time  int64
	epoch int64
}

// entity is the row of a person or an auction.
type entity struct {
	row   int
	id    uint64
	epoch int64
	rest  uint8
}

func newRows(schema *arrow.Schema, paths []string, capacity int) (*rows, error) {
	own := Schema()
	if schema.NumFields() != own.NumFields() {
		return nil, fault.Internalf("nexmark: the table does not have the columns person, auction and bid")
	}
	r := &rows{prices: newPrices()}
	r.batch.Schema = schema
	r.batch.Time = make([]int64, capacity)
	zeros, views := make([]int64, capacity), make([]column.View, capacity)
	for k := range r.structs {
		if !arrow.TypeEqual(schema.Field(k).Type, own.Field(k).Type) {
			return nil, fault.Internalf("nexmark: column %q has another type", schema.Field(k).Name)
		}
		s := column.NewStruct(schema.Field(k).Type.(*arrow.StructType))
		r.structs[k] = s
		s.Valid = column.NewBitmap(capacity, false)
		r.batch.Cols = append(r.batch.Cols, s)
		r.need(k, own.Field(k).Name, paths)
		r.allocate(k, zeros, views, capacity)
	}
	r.caches.prepare(r)
	return r, nil
}

// need reads the dotted paths of what the query uses; nil is everything.
func (r *rows) need(k int, name string, paths []string) {
	t := r.structs[k].DataType
	r.members[k] = make([]bool, t.NumFields())
	all := paths == nil
	for _, p := range paths {
		first, rest, nested := strings.Cut(p, ".")
		if first != name {
			continue
		}
		r.needed[k] = true
		if !nested {
			all = true
			continue
		}
		if i, ok := t.FieldIdx(rest); ok {
			r.members[k][i] = true
		}
	}
	if all {
		r.needed[k] = true
		for i := range r.members[k] {
			r.members[k][i] = true
		}
	}
}

// allocate gives every child of struct k memory for a full batch.
func (r *rows) allocate(k int, zeros []int64, views []column.View, capacity int) {
	for i, child := range r.structs[k].Children {
		needed := r.members[k][i]
		switch c := child.(type) {
		case *column.Fixed[int64]:
			if r.structs[k].DataType.Field(i).Name == "datetime" {
				r.times = append(r.times, c)
				continue
			}
			c.Values = zeros
			if needed {
				c.Values = make([]int64, capacity)
			}
			r.ints = append(r.ints, c)
		case *column.Bytes:
			c.Views = views
			if needed {
				c.Views = make([]column.View, capacity)
			}
			r.texts = append(r.texts, c)
		}
	}
}

func (r *rows) ints64(kind, member int) []int64 {
	return r.structs[kind].Children[member].(*column.Fixed[int64]).Values
}

func (r *rows) text(kind, member int) *column.Bytes {
	return r.structs[kind].Children[member].(*column.Bytes)
}

// fill makes the next n events of q, at most the capacity, and lends them until the next call.
func (r *rows) fill(q *sequence, n int) *column.Batch {
	r.resize(n)
	r.cut(q, n)
	r.fillTimes(q)
	for k := range r.structs {
		if r.needed[k] {
			r.fillValidity(q, k)
		}
	}
	r.findEntities(q)
	r.fillBids(q)
	r.fillAuctions(q)
	r.fillPersons()
	q.next += int64(n)
	return &r.batch
}

func (r *rows) resize(n int) {
	r.batch.N = n
	r.batch.Time = r.batch.Time[:n]
	for _, s := range r.structs {
		s.N = n
		s.Valid = s.Valid[:column.Words(n)]
	}
	for _, c := range r.ints {
		c.Values = c.Values[:n]
	}
	for _, c := range r.texts {
		c.Views = c.Views[:n]
	}
	for _, c := range r.times {
		c.Values = r.batch.Time
	}
}

// cut divides the next n events of q into segments. Event number 0 is never generated, so the first group has 49.
func (r *rows) cut(q *sequence, n int) {
	r.segments = r.segments[:0]
	for row, e := 0, q.next+1; row < n; {
		from := int(e % group)
		number := e - int64(from)
		id := q.first + uint64(number)
		s := segment{row: row, from: from, n: min(group-from, n-row), id: id, time: q.base + q.delay*number, epoch: int64(id / group)}
		r.segments = append(r.segments, s)
		row += s.n
		e += int64(s.n)
	}
}

func (r *rows) fillTimes(q *sequence) {
	for i := range r.segments {
		s := &r.segments[i]
		places, out := q.order[s.from:s.from+s.n], r.batch.Time[s.row:s.row+s.n]
		for k := range out {
			out[k] = s.time + q.delay*int64(places[k].offset)
		}
	}
}

func (r *rows) fillValidity(q *sequence, kind int) {
	valid, mask := r.structs[kind].Valid, q.kinds[kind]
	valid.ClearAll()
	for i := range r.segments {
		s := &r.segments[i]
		set := mask >> s.from & (1<<s.n - 1)
		w, shift := s.row/64, s.row%64
		valid[w] |= set << shift
		if shift+s.n > 64 {
			valid[w+1] |= set >> (64 - shift)
		}
	}
}

// findEntities lists the persons and auctions of the batch, if they are needed.
func (r *rows) findEntities(q *sequence) {
	for kind := range r.entities {
		list := r.entities[kind][:0]
		if r.needed[kind] {
			for i := range r.segments {
				list = r.segments[i].find(list, q, kind)
			}
		}
		r.entities[kind] = list
	}
}

func (s *segment) find(list []entity, q *sequence, kind int) []entity {
	mask := q.kinds[kind]
	for j := range s.n {
		if mask>>(s.from+j)&1 == 0 {
			continue
		}
		p := q.order[s.from+j]
		list = append(list, entity{row: s.row + j, id: s.id + uint64(p.offset), epoch: s.epoch + int64(p.carry), rest: p.rest})
	}
	return list
}

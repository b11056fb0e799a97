package ordered

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// graves are the saved rows that were freed since the last snapshot. When there are far more of them than rows, they are
// dropped, and the next snapshot is a base.
type graves struct {
	hash     []uint64
	uid      []int64
	overflow bool
}

func (g *graves) add(w []int64, live int) {
	if g.overflow || len(g.hash) > 4096+2*live {
		*g = graves{overflow: true}
		return
	}
	g.hash = append(g.hash, uint64(w[hashWord]))
	g.uid = append(g.uid, w[uidWord])
}

// Words of a row in a chunk in front of its owner's: what names it together with the hash, and its number.
const (
	chunkUID = iota
	chunkID
	chunkOwn
)

func (s *Rows) newChunk() *state.Chunk {
	return &state.Chunk{
		Words: make([][]int64, chunkOwn+s.own), Bytes: []*column.Bytes{column.NewBytes(arrow.BinaryTypes.Binary)},
	}
}

// Save writes what has changed, or everything, to a keyed table whose times are the event times.
func (s *Rows) Save(w state.Writer, table string) {
	dirty := len(s.dirty) + len(s.graves.hash)
	if s.graves.overflow {
		dirty += 4*s.live + 4096
	}
	base := s.inc.Base(s.live, dirty)
	c := s.newChunk()
	if base {
		for id := range int32(s.slots) {
			s.save(c, id, true)
		}
	} else {
		for _, id := range s.dirty {
			s.save(c, id, false)
		}
		s.bury(c)
	}
	s.dirty, s.graves = s.dirty[:0], graves{hash: s.graves.hash[:0], uid: s.graves.uid[:0]}
	if base || c.Rows() > 0 {
		w.Keyed(table, base, c)
	}
}

func (s *Rows) save(c *state.Chunk, id int32, all bool) {
	w := s.words[int(id)*s.stride : int(id+1)*s.stride]
	if w[sizeWord] < 0 || !all && w[flagWord]&flagDirty == 0 {
		return
	}
	w[flagWord] = flagSaved
	c.Hash = append(c.Hash, uint64(w[hashWord]))
	c.Time = append(c.Time, w[timeWord])
	c.Words[chunkUID] = append(c.Words[chunkUID], w[uidWord])
	c.Words[chunkID] = append(c.Words[chunkID], int64(id))
	for k := range s.own {
		c.Words[chunkOwn+k] = append(c.Words[chunkOwn+k], w[ownWord+k])
	}
	c.Bytes[0].Append(s.Row(id))
}

func (s *Rows) bury(c *state.Chunk) {
	if len(s.graves.hash) == 0 {
		return
	}
	c.Deleted = make([]bool, c.Rows(), c.Rows()+len(s.graves.hash))
	for i, h := range s.graves.hash {
		c.Hash, c.Time, c.Deleted = append(c.Hash, h), append(c.Time, 1<<63-1), append(c.Deleted, true)
		for k := range c.Words {
			c.Words[k] = append(c.Words[k], 0)
		}
		c.Words[chunkUID][len(c.Words[chunkUID])-1] = s.graves.uid[i]
		c.Bytes[0].Append(nil)
	}
}

// name is what a row has been saved under.
type name struct {
	hash uint64
	uid  int64
}

// Loaded is a row that was read back.
type Loaded struct {
	ID int32
	// Old is its number when it was saved; rows of one hash had different ones.
	Old int32
}

// Load reads back the rows whose hashes lie in keys and that keep accepts, into an empty store. It gives them in the order
// in which they were put.
func (s *Rows) Load(r state.Reader, table string, keys column.KeyRange, keep func(hash uint64, time int64) bool) ([]Loaded, error) {
	l := &loading{rows: s, names: map[name]Loaded{}, builder: column.NewBuilder(s.schema, false)}
	for i := range s.schema.NumFields() {
		l.cols = append(l.cols, l.builder.Column(i))
	}
	if err := r.Keyed(table, keys, func(c *state.Chunk) error { return l.chunk(c, keep) }); err != nil {
		return nil, err
	}
	out := make([]Loaded, 0, len(l.names))
	for _, n := range l.order {
		if row, ok := l.names[n]; ok {
			out = append(out, row)
			delete(l.names, n)
		}
	}
	return out, nil
}

type loading struct {
	rows     *Rows
	names    map[name]Loaded
	order    []name
	builder  *column.Builder
	cols     []column.Appender
	prefixes []uint64
	all      []int32
}

func (l *loading) chunk(c *state.Chunk, keep func(hash uint64, time int64) bool) error {
	if err := l.check(c); err != nil {
		return err
	}
	l.builder.Reset()
	for i := range c.Rows() {
		if c.Deleted != nil && c.Deleted[i] {
			for _, o := range l.cols {
				o.AppendNull()
			}
		} else if !TakeRow(c.Bytes[0].At(i), l.cols) {
			return fault.Internalf("stored state holds a row that cannot be decoded").
				WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
		}
		l.builder.AppendTime(c.Time[i], column.Insert)
	}
	b := l.builder.Batch()
	l.all = column.AllRows(l.all, b.N)
	l.prefixes = l.rows.key.Prefixes(l.prefixes, b, l.all)
	for i := range b.N {
		l.row(c, b, i, keep)
	}
	return nil
}

func (l *loading) row(c *state.Chunk, b *column.Batch, i int, keep func(hash uint64, time int64) bool) {
	n := name{c.Hash[i], c.Words[chunkUID][i]}
	if old, ok := l.names[n]; ok {
		l.rows.Free(old.ID, false)
		delete(l.names, n)
	}
	if c.Deleted != nil && c.Deleted[i] || !keep(c.Hash[i], c.Time[i]) {
		return
	}
	id := l.rows.Put(c.Hash[i], c.Time[i], l.rows.Encode(b, i, l.prefixes[i]))
	for k, own := 0, l.rows.Own(id); k < len(own); k++ {
		own[k] = c.Words[chunkOwn+k][i]
	}
	l.names[n] = Loaded{ID: id, Old: int32(c.Words[chunkID][i])}
	l.order = append(l.order, n)
}

func (l *loading) check(c *state.Chunk) error {
	n := len(c.Hash)
	ok := len(c.Time) == n && (c.Deleted == nil || len(c.Deleted) == n)
	ok = ok && len(c.Words) == chunkOwn+l.rows.own && len(c.Bytes) == 1 && c.Bytes[0].Len() == n
	for _, w := range c.Words {
		ok = ok && len(w) == n
	}
	if !ok {
		return fault.Internalf("stored state does not have the shape that this operator writes").
			WithHint("start the pipeline from an empty state directory")
	}
	return nil
}

package multimap

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// A row's id is its chunk, shifted, and its place in the chunk.
const (
	shift     = 13
	chunkRows = 1 << shift
	mask      = chunkRows - 1
)

// dead is the sequence number in place of a deleted row's.
const dead int64 = -1

// Config says what a map holds.
type Config struct {
	// Types are those of the columns.
	Types []arrow.DataType
	// Distinct keeps equal rows once, with a count, and finds rows by their content.
	Distinct bool
	// Whole says of a distinct map that rows are found by all of their columns: Hashes are RowHashes.
	Whole bool
	// Routed says that rows are found by another hash than the one that decides which subtask owns them.
	Routed bool
	// Key is the first of the columns by which rows are found, nil if there is none: its values are compared most.
	Key *int
	// Grain is the width in nanoseconds, from Base, of the buckets in which rows are touched; then what has not been
	// touched for long expires. With 0 the time at which rows expire is their event time.
	Grain, Base int64
}

// Map is a multimap from hashes to rows.
type Map struct {
	config Config
	cols   []store
	chunks []*chunk
	// links are the chunks' links, at hand for probing.
	links [][]link
	spare []int
	// open has the chunk that is being filled, by bucket.
	open  map[uint32]int
	byKey index
	byRow index // of a distinct map whose rows are not found by all of their columns
	// words is the column whose values are the links' words; nil if there is none.
	words   *fixed[int64]
	wordCol int
	live    int
	next    int64 // sequence number
	tracks
	candidates Pairs
}

// link is what a row has beside its values. What a probe needs of a row lies together in it, half a cache line.
type link struct {
	// next is the next older row with this hash, prev the next newer one; -1 at the ends.
	next, prev int32
	touched    uint32
	matches    int32
	// time is the event time, word the value in the column of Config.Key if that is 8 bytes wide.
	time, word int64
}

// chunk is up to chunkRows rows of one bucket.
type chunk struct {
	bucket uint32
	// whole says that it is expected to be full, since its bucket has filled another one before.
	whole bool
	live  int
	// latest is the latest event time.
	latest int64
	hashes []uint64
	seqs   []int64
	links  []link
	// counts belong to distinct maps, rowHashes to those with an index by rows, routes to routed ones.
	counts    []int32
	rowHashes []uint64
	routes    []uint64
	// saved is how many rows were there at the last snapshot; dirty marks those of them that have changed since.
	saved int
	dirty column.Bitmap
}

// New makes an empty map.
func New(c Config) *Map {
	m := &Map{config: c, open: map[uint32]int{}, byKey: newIndex()}
	if c.Distinct && !c.Whole {
		m.byRow = newIndex()
	}
	for _, dt := range c.Types {
		m.cols = append(m.cols, newStore(dt))
	}
	if c.Key != nil {
		m.wordCol = *c.Key
		m.words, _ = m.cols[m.wordCol].(*fixed[int64])
	}
	return m
}

// Rows are rows of a batch on their way into a map. Slices have an element per physical row.
type Rows struct {
	// Cols are the map's columns.
	Cols []column.Vector
	// Times are event times, Hashes those by which rows are found; RowHashes, for a distinct map, hash all columns;
	// Routes, for a routed map, decide who owns a row.
	Times                     []int64
	Hashes, RowHashes, Routes []uint64
}

// Len is the number of rows, equal ones of a distinct map counted once.
func (m *Map) Len() int { return m.live }

// Insert adds the given rows, touched in this bucket, with a count of 1 and no matches, and appends their ids to ids.
func (m *Map) Insert(r *Rows, rows []int32, bucket uint32, ids []int32) []int32 {
	for len(rows) > 0 {
		c := m.room(bucket)
		ch := m.chunks[c]
		first := len(ch.hashes)
		k := min(len(rows), chunkRows-first)
		for i, s := range m.cols {
			s.add(c, r.Cols[i], rows[:k], ch.whole)
		}
		ch.hashes = appendRows(ch.hashes, r.Hashes, rows[:k])
		if m.config.Routed {
			ch.routes = appendRows(ch.routes, r.Routes, rows[:k])
		}
		if m.config.Distinct {
			for range k {
				ch.counts = append(ch.counts, 1)
			}
		}
		if m.byRow.entries != nil {
			ch.rowHashes = appendRows(ch.rowHashes, r.RowHashes, rows[:k])
		}
		ch.links, ch.seqs = slices.Grow(ch.links, k), slices.Grow(ch.seqs, k)
		for _, row := range rows[:k] {
			t := r.Times[row]
			ch.links = append(ch.links, link{next: -1, prev: -1, touched: bucket, time: t})
			ch.latest = max(ch.latest, t)
			ch.seqs = append(ch.seqs, m.next)
			m.next++
		}
		if m.words != nil {
			words := m.words.vals[c]
			for i := first; i < first+k; i++ {
				ch.links[i].word = words[i]
			}
		}
		m.link(c, first)
		for i := first; i < first+k; i++ {
			ids = append(ids, int32(c)<<shift|int32(i))
		}
		rows = rows[k:]
	}
	return ids
}

func appendRows(dst, src []uint64, rows []int32) []uint64 {
	n := len(dst)
	dst = slices.Grow(dst, len(rows))[:n+len(rows)]
	for i, r := range rows {
		dst[n+i] = src[r]
	}
	return dst
}

// room gives the chunk that takes the next row of a bucket.
func (m *Map) room(bucket uint32) int {
	if c, ok := m.open[bucket]; ok && len(m.chunks[c].hashes) < chunkRows {
		return c
	}
	c := len(m.chunks)
	ch := &chunk{bucket: bucket, latest: math.MinInt64}
	if _, ch.whole = m.open[bucket]; ch.whole {
		ch.hashes, ch.seqs = make([]uint64, 0, chunkRows), make([]int64, 0, chunkRows)
		ch.links = make([]link, 0, chunkRows)
	}
	if n := len(m.spare); n > 0 {
		c, m.spare = m.spare[n-1], m.spare[:n-1]
		m.chunks[c] = ch
	} else {
		m.chunks, m.links = append(m.chunks, ch), append(m.links, nil)
	}
	m.open[bucket] = c
	return c
}

// warmRows is how many rows are put into an index together: the entries that they meet stay in the nearest cache.
const warmRows = 512

// link makes the rows of chunk c from first on known to the indices.
func (m *Map) link(c, first int) {
	ch := m.chunks[c]
	n := len(ch.links) - first
	m.links[c] = ch.links
	m.live += n
	ch.live += n
	m.byKey.reserve(n)
	for from := first; from < len(ch.hashes); from += warmRows {
		to := min(from+warmRows, len(ch.hashes))
		m.byKey.warm(ch.hashes[from:to])
		m.linkKeys(ch, int32(c)<<shift, from, to)
	}
	if m.byRow.entries == nil {
		return
	}
	m.byRow.reserve(n)
	for from := first; from < len(ch.rowHashes); from += warmRows {
		to := min(from+warmRows, len(ch.rowHashes))
		m.byRow.warm(ch.rowHashes[from:to])
		for i := from; i < to; i++ {
			m.byRow.add(ch.rowHashes[i], int32(c)<<shift|int32(i))
		}
	}
}

// linkKeys puts rows, whose ids are base and more, at the heads of their lists. There is room for them.
func (m *Map) linkKeys(ch *chunk, base int32, from, to int) {
	for i := from; i < to; i++ {
		h, id := ch.hashes[i], base|int32(i)
		e := &m.byKey.entries[m.byKey.place(h)]
		if *e == 0 {
			m.byKey.used++
		} else {
			old := e.id()
			ch.links[i].next = old
			m.links[old>>shift][old&mask].prev = id
		}
		*e = newEntry(h, id)
	}
}

// unlink takes a row out of the indices and of the count of rows.
func (m *Map) unlink(id int32) {
	ch, i := m.chunks[id>>shift], id&mask
	l := ch.links[i]
	if l.next >= 0 {
		m.links[l.next>>shift][l.next&mask].prev = l.prev
	}
	if l.prev >= 0 {
		m.links[l.prev>>shift][l.prev&mask].next = l.next
	} else if p := m.byKey.find(ch.hashes[i], id); l.next >= 0 {
		m.byKey.entries[p] = newEntry(ch.hashes[i], l.next)
	} else {
		m.byKey.remove(p)
	}
	if m.byRow.entries != nil {
		m.byRow.remove(m.byRow.find(ch.rowHashes[i], id))
	}
	ch.seqs[i] = dead
	ch.live--
	m.live--
}

// Delete removes a row; the next snapshot says so. Its id is not used again before its chunk has been
// dropped.
func (m *Map) Delete(id int32) {
	m.bury(id)
	m.unlink(id)
}

// Matches is the count of matches of a row. SetMatches changes it.
func (m *Map) Matches(id int32) int32 { return m.links[id>>shift][id&mask].matches }

// SetMatches sets the count of matches of a row.
func (m *Map) SetMatches(id, matches int32) {
	m.links[id>>shift][id&mask].matches = matches
	m.touchDirty(id)
}

// Waiting reports whether a row that was there once is still there and has no matches.
func (m *Map) Waiting(id int32) bool {
	ch, i := m.chunks[id>>shift], id&mask
	return ch != nil && ch.seqs[i] != dead && ch.links[i].matches == 0
}

// Count is the number of equal rows that a row stands for.
func (m *Map) Count(id int32) int32 {
	if !m.config.Distinct {
		return 1
	}
	return m.chunks[id>>shift].counts[id&mask]
}

// SetCount sets it, at least 1.
func (m *Map) SetCount(id, n int32) {
	m.chunks[id>>shift].counts[id&mask] = n
	m.touchDirty(id)
}

// Time is the event time of a row.
func (m *Map) Time(id int32) int64 { return m.links[id>>shift][id&mask].time }

// Advance makes t the event time of a row if it is later.
func (m *Map) Advance(id int32, t int64) {
	ch := m.chunks[id>>shift]
	if l := &ch.links[id&mask]; t > l.time {
		l.time = t
		ch.latest = max(ch.latest, t)
		m.touchDirty(id)
	}
}

// Touch notes that the rows were used in this bucket.
func (m *Map) Touch(ids []int32, bucket uint32) {
	for _, id := range ids {
		if l := &m.links[id>>shift][id&mask]; l.touched < bucket {
			l.touched = bucket
			m.touchDirty(id)
		}
	}
}

// AppendLater appends, for each pair of a time and a row, the later of the time and the row's event time.
func (m *Map) AppendLater(dst, times []int64, rows, ids []int32) []int64 {
	n := len(dst)
	dst = slices.Grow(dst, len(ids))[:n+len(ids)]
	out, rows := dst[n:], rows[:len(ids)]
	for i, id := range ids {
		out[i] = max(times[rows[i]], m.links[id>>shift][id&mask].time)
	}
	return dst
}

// Gather appends column col of the rows to dst.
func (m *Map) Gather(col int, dst column.Appender, ids []int32) {
	if d, ok := dst.(*column.Fixed[int64]); ok && m.words != nil && col == m.wordCol && d.Valid == nil && !m.words.nulls {
		n := len(d.Values)
		d.Values = slices.Grow(d.Values, len(ids))[:n+len(ids)]
		out := d.Values[n:]
		for i, id := range ids { // the link has just been read, most likely
			out[i] = m.links[id>>shift][id&mask].word
		}
		return
	}
	m.cols[col].gather(dst, ids)
}

// Same keeps the pairs whose value in column col is the same as in v, which has the batch's rows.
func (m *Map) Same(p *Pairs, col int, v column.Vector, rule NullRule) {
	if f, ok := v.(*column.Fixed[int64]); ok && m.words != nil && col == m.wordCol && f.Valid == nil && !m.words.nulls {
		m.sameWords(p, f.Values)
		return
	}
	m.cols[col].same(p, v, rule)
}

// sameWords is Same for the links' words.
func (m *Map) sameWords(p *Pairs, vals []int64) {
	k := 0
	rows := p.Rows[:len(p.IDs)]
	for i, id := range p.IDs {
		r := rows[i]
		p.IDs[k], rows[k] = id, r
		if m.links[id>>shift][id&mask].word == vals[r] {
			k++
		}
	}
	p.truncate(k)
}

// Each calls f for every row, in no particular order; f must not change which rows there are.
func (m *Map) Each(f func(id int32)) {
	for c, ch := range m.chunks {
		if ch == nil {
			continue
		}
		for i, s := range ch.seqs {
			if s != dead {
				f(int32(c)<<shift | int32(i))
			}
		}
	}
}

// Size is the memory behind the map in bytes.
func (m *Map) Size() int64 {
	n := int64(8 * (cap(m.byKey.entries) + cap(m.byRow.entries)))
	for c, ch := range m.chunks {
		if ch == nil {
			continue
		}
		n += int64(16*cap(ch.hashes) + 32*cap(ch.links) + 4*cap(ch.counts) + 8*cap(ch.rowHashes) + 8*cap(ch.routes) + 8*cap(ch.dirty))
		for _, s := range m.cols {
			n += int64(s.chunk(c).Size())
		}
	}
	return n + m.tracks.size()
}

// ExpireTimes drops the chunks whose rows all have an event time before t, math.MaxInt64 for all chunks. Other rows before t
// stay, since chunks hold rows as they came.
func (m *Map) ExpireTimes(t int64) {
	for c, ch := range m.chunks {
		if ch != nil && (ch.latest < t || t == math.MaxInt64) {
			m.dropChunk(c)
		}
	}
}

// ExpireBuckets removes the rows that were last touched in a bucket before the given one.
func (m *Map) ExpireBuckets(bucket uint32) {
	// Chunks that survivors move to are not due, so those that are new need no look.
	for c := range len(m.chunks) {
		ch := m.chunks[c]
		if ch == nil || ch.bucket >= bucket {
			continue
		}
		for i, s := range ch.seqs {
			if s != dead && ch.links[i].touched >= bucket {
				m.move(int32(c)<<shift|int32(i), ch.links[i].touched)
			}
		}
		m.dropChunk(c)
	}
}

// Compact moves the rows of full chunks that are mostly empty together, those touched in one bucket, and frees the chunks.
// Ids change.
func (m *Map) Compact() {
	if m.deleted < chunkRows {
		return
	}
	m.deleted = 0
	for c := range len(m.chunks) {
		ch := m.chunks[c]
		if ch == nil || len(ch.hashes) < chunkRows || 2*ch.live > chunkRows {
			continue
		}
		for i, s := range ch.seqs {
			if s != dead {
				m.move(int32(c)<<shift|int32(i), ch.links[i].touched)
			}
		}
		m.dropChunk(c)
	}
}

// move puts a row into the open chunk of a bucket. It keeps its sequence number and is written whole again.
func (m *Map) move(id int32, bucket uint32) {
	from, i := m.chunks[id>>shift], id&mask
	c := m.room(bucket)
	to := m.chunks[c]
	for _, s := range m.cols {
		s.add(c, s.chunk(int(id>>shift)), []int32{i}, to.whole)
	}
	l := from.links[i]
	l.next, l.prev = -1, -1
	to.links = append(to.links, l)
	to.hashes = append(to.hashes, from.hashes[i])
	to.latest = max(to.latest, l.time)
	to.seqs = append(to.seqs, from.seqs[i])
	if m.config.Routed {
		to.routes = append(to.routes, from.routes[i])
	}
	if m.config.Distinct {
		to.counts = append(to.counts, from.counts[i])
	}
	if m.byRow.entries != nil {
		to.rowHashes = append(to.rowHashes, from.rowHashes[i])
	}
	m.unlink(id)
	m.link(c, len(to.links)-1)
}

// dropChunk removes a chunk with all of its rows, without a word in the next snapshot.
func (m *Map) dropChunk(c int) {
	ch := m.chunks[c]
	for i, s := range ch.seqs {
		if s != dead {
			m.unlink(int32(c)<<shift | int32(i))
		}
	}
	if m.open[ch.bucket] == c {
		delete(m.open, ch.bucket)
	}
	for _, s := range m.cols {
		s.drop(c)
	}
	m.chunks[c], m.links[c] = nil, nil
	m.spare = append(m.spare, c)
}

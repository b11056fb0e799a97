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

// none is the id of no row.
const none int32 = -1

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
	// Key is the first of the columns by which rows are found, nil if there is none: its values are read most.
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
	// rows are the chunks' rows, at hand for probing.
	rows  [][]row
	spare []int
	// open has the chunk that is being filled, by bucket.
	open  map[uint32]int
	byKey index
	byRow index // of a distinct map whose rows are not found by all of their columns
	live  int
	next  int64 // sequence number
	tracks
	candidates Pairs
	moving     []int32
}

// rowWords is how many values lie in a row itself.
const rowWords = 3

// row is what is read of a row when it is found: a line of the cache, with the values that fit into it.
type row struct {
	// next is the next older row with this hash, or -1. prev is the next newer one; the newest does not know it, nor do those
	// that have come since a row was last taken out of the list (newer), so that putting a row in front of others does not
	// touch them.
	next, prev int32
	touched    uint32
	matches    int32
	time       int64
	hash       uint64
	seq        int64
	words      [rowWords]uint64
}

// chunk is up to chunkRows rows of one bucket.
type chunk struct {
	bucket uint32
	// whole says that it is expected to be full, since its bucket has filled another one before.
	whole bool
	live  int
	// latest is the latest event time.
	latest int64
	rows   []row
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
	m.cols = newStores(m)
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
	// Matches are the rows' counts of matches, none if nil; Counts, for a distinct map, the numbers of equal rows that they
	// stand for, one each if nil.
	Matches, Counts []int32
}

// Len is the number of rows, equal ones of a distinct map counted once.
func (m *Map) Len() int { return m.live }

// Insert adds the given rows, touched in this bucket, and appends their ids to ids.
func (m *Map) Insert(from *Rows, rows []int32, bucket uint32, ids []int32) []int32 {
	for len(rows) > 0 {
		c := m.room(bucket)
		ch := m.chunks[c]
		first := len(ch.rows)
		k := min(len(rows), chunkRows-first)
		ch.rows = slices.Grow(ch.rows, k)[:first+k]
		m.rows[c] = ch.rows
		fresh, latest, seq := ch.rows[first:first+k], ch.latest, m.next
		for i, r := range rows[:k] {
			to, t := &fresh[i], from.Times[r]
			to.next, to.prev, to.touched, to.matches = none, none, bucket, 0
			to.time, to.hash, to.seq = t, from.Hashes[r], seq+int64(i)
			latest = max(latest, t)
		}
		ch.latest = latest
		m.next += int64(k)
		ids = slices.Grow(ids, k)
		for i := range k {
			ids = append(ids, int32(c)<<shift|int32(first+i))
		}
		if from.Matches != nil {
			for i, r := range rows[:k] {
				fresh[i].matches = from.Matches[r]
			}
		}
		for i, s := range m.cols {
			s.add(c, first, from.Cols[i], rows[:k])
		}
		if m.config.Routed {
			ch.routes = appendRows(ch.routes, from.Routes, rows[:k])
		}
		if m.config.Distinct {
			ch.counts = appendCounts(ch.counts, from.Counts, rows[:k])
		}
		if m.byRow.entries != nil {
			ch.rowHashes = appendRows(ch.rowHashes, from.RowHashes, rows[:k])
		}
		m.link(c, first)
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

func appendCounts(dst, src []int32, rows []int32) []int32 {
	for _, r := range rows {
		n := int32(1)
		if src != nil {
			n = src[r]
		}
		dst = append(dst, n)
	}
	return dst
}

// room gives the chunk that takes the next row of a bucket.
func (m *Map) room(bucket uint32) int {
	if c, ok := m.open[bucket]; ok && len(m.chunks[c].rows) < chunkRows {
		return c
	}
	c := len(m.chunks)
	ch := &chunk{bucket: bucket, latest: math.MinInt64}
	if _, ch.whole = m.open[bucket]; ch.whole {
		ch.rows = make([]row, 0, chunkRows)
	}
	if n := len(m.spare); n > 0 {
		c, m.spare = m.spare[n-1], m.spare[:n-1]
		m.chunks[c] = ch
	} else {
		m.chunks, m.rows = append(m.chunks, ch), append(m.rows, nil)
	}
	m.open[bucket] = c
	return c
}

// warmRows is how many rows are put into an index together: the entries that they meet stay in the nearest cache.
const warmRows = 512

// link makes the rows of chunk c from first on known to the indices.
func (m *Map) link(c, first int) {
	ch := m.chunks[c]
	n := len(ch.rows) - first
	m.live += n
	ch.live += n
	m.byKey.reserve(n)
	for from := first; from < len(ch.rows); from += warmRows {
		rows := ch.rows[from:min(from+warmRows, len(ch.rows))]
		m.byKey.warmRows(rows)
		m.linkKeys(rows, int32(c)<<shift|int32(from))
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

// linkKeys puts rows, whose ids are id and more, at the heads of their lists. There is room for them.
func (m *Map) linkKeys(rows []row, id int32) {
	for i := range rows {
		h := rows[i].hash
		e := &m.byKey.entries[m.byKey.place(h)]
		if *e == 0 {
			m.byKey.used++
		}
		rows[i].next = e.id()
		*e = newEntry(h, id+int32(i))
	}
}

// at is the row with an id.
func (m *Map) at(id int32) *row { return &m.rows[id>>shift][id&mask] }

// Matches is the count of matches of a row. SetMatches changes it.
func (m *Map) Matches(id int32) int32 { return m.at(id).matches }

// SetMatches sets the count of matches of a row.
func (m *Map) SetMatches(id, matches int32) {
	m.at(id).matches = matches
	m.touchDirty(id)
}

// Waiting reports whether a row that was there once is still there and has no matches.
func (m *Map) Waiting(id int32) bool {
	rows := m.rows[id>>shift]
	return rows != nil && rows[id&mask].seq != dead && rows[id&mask].matches == 0
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
func (m *Map) Time(id int32) int64 { return m.at(id).time }

// Advance makes t the event time of a row if it is later.
func (m *Map) Advance(id int32, t int64) {
	if r := m.at(id); t > r.time {
		r.time = t
		ch := m.chunks[id>>shift]
		ch.latest = max(ch.latest, t)
		m.touchDirty(id)
	}
}

// Touch notes that the rows were used in this bucket.
func (m *Map) Touch(ids []int32, bucket uint32) {
	for _, id := range ids {
		if r := m.at(id); r.touched < bucket {
			r.touched = bucket
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
		out[i] = max(times[rows[i]], m.at(id).time)
	}
	return dst
}

// Gather appends column col of the rows to dst.
func (m *Map) Gather(col int, dst column.Appender, ids []int32) { m.cols[col].gather(dst, ids) }

// Same keeps the pairs whose value in column col is the same as in v, which has the batch's rows.
func (m *Map) Same(p *Pairs, col int, v column.Vector, rule NullRule) { m.cols[col].same(p, v, rule) }

// Each calls f for every row, in no particular order; f must not change which rows there are.
func (m *Map) Each(f func(id int32)) {
	for c, rows := range m.rows {
		for i := range rows {
			if rows[i].seq != dead {
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
		n += int64(64*cap(ch.rows) + 4*cap(ch.counts) + 8*cap(ch.rowHashes) + 8*cap(ch.routes) + 8*cap(ch.dirty))
		for _, s := range m.cols {
			n += int64(s.size(c))
		}
	}
	return n + m.tracks.size()
}

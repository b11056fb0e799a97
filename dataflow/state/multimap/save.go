package multimap

import (
	"math"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// tracks is what a map remembers for its next snapshot.
type tracks struct {
	inc state.Incremental
	// savedSeq is the first sequence number that the last snapshot did not know.
	savedSeq int64
	// dirtyIDs are the rows of that snapshot that have changed; ids that have gone since are among them.
	dirtyIDs []int32
	// graves are the routing hashes, numbers and stamps of rows that were deleted; there may be too many to list. Files may
	// be dropped by their stamps, and that which says that a row is deleted must not go before the one that has it.
	graveHashes []uint64
	graveSeqs   []int64
	graveTimes  []int64
	overflow    bool
	// deleted counts rows deleted since the last compaction.
	deleted int
}

func (t *tracks) size() int64 {
	return int64(4*cap(t.dirtyIDs) + 24*cap(t.graveSeqs))
}

// touchDirty notes that a row has other counts or times than at the last snapshot.
func (m *Map) touchDirty(id int32) {
	ch, i := m.chunks[id>>shift], int(id&mask)
	if i >= ch.saved {
		return
	}
	if ch.dirty == nil {
		ch.dirty = column.NewBitmap(chunkRows, false)
	}
	if !ch.dirty.Get(i) {
		ch.dirty.Set(i)
		m.dirtyIDs = append(m.dirtyIDs, id)
	}
}

// bury notes that a row is about to be deleted.
func (m *Map) bury(id int32) {
	m.deleted++
	ch, i := m.chunks[id>>shift], id&mask
	r := &ch.rows[i]
	if r.seq >= m.savedSeq || m.overflow {
		return
	}
	if len(m.graveSeqs) > 4096+2*m.live {
		m.overflow = true
		m.graveHashes, m.graveSeqs, m.graveTimes = nil, nil, nil
		return
	}
	m.graveHashes = append(m.graveHashes, ch.route(i))
	m.graveSeqs = append(m.graveSeqs, r.seq)
	m.graveTimes = append(m.graveTimes, m.stamp(r))
}

// route is the routing hash of a row.
func (ch *chunk) route(i int32) uint64 {
	if ch.routes != nil {
		return ch.routes[i]
	}
	return ch.rows[i].hash
}

// stamp is the time by which a row expires.
func (m *Map) stamp(r *row) int64 {
	if m.config.Grain > 0 {
		return m.BucketStart(r.touched)
	}
	return r.time
}

// BucketStart is the time at which a bucket begins.
func (m *Map) BucketStart(bucket uint32) int64 { return m.config.Base + int64(bucket)*m.config.Grain }

// Bucket is the bucket of a time; all times before the base are in the first.
func (m *Map) Bucket(t int64) uint32 {
	if m.config.Grain == 0 || t <= m.config.Base {
		return 0
	}
	return uint32(min((t-m.config.Base)/m.config.Grain, math.MaxUint32))
}

// Snapshot writes the map to a keyed table, or what has changed since the last snapshot. Rows that expire before cutoff
// are left out and may come back with older files: Loader.Done removes them.
func (m *Map) Snapshot(w state.Writer, table string, cutoff int64) {
	fresh := 0
	for _, ch := range m.chunks {
		if ch != nil {
			fresh += len(ch.rows) - ch.saved
		}
	}
	dirty := fresh + len(m.dirtyIDs) + len(m.graveSeqs)
	if m.overflow {
		dirty += 4*m.live + 4096
	}
	base := m.inc.Base(m.live, dirty)
	s := m.newSaver()
	if base {
		s.reserve(m.live)
	} else {
		s.reserve(dirty)
		s.graves()
		s.changed(cutoff)
	}
	s.rows(base, cutoff)
	if base || s.out.Rows() > 0 {
		w.Keyed(table, base, s.out)
	}
	if cutoff > math.MinInt64 {
		w.Expire(table, cutoff)
	}
	m.savedSeq, m.overflow = m.next, false
	m.dirtyIDs, m.graveHashes, m.graveSeqs, m.graveTimes = m.dirtyIDs[:0], nil, nil, nil
}

// Word columns of a saved row in front of those of its values. Values are one or two words each, or bytes.
const (
	seqWord = iota
	// kindWord is wholeRow, or changedRow for a row of an earlier file whose values are not repeated.
	kindWord
	matchesWord
	countWord
	timeWord
	nullWords
)

const (
	wholeRow = iota
	changedRow
)

// saver fills a chunk of state.
type saver struct {
	m    *Map
	out  *state.Chunk
	ids  []int32
	cols []column.Appender
	form *form
}

func (m *Map) newSaver() *saver {
	s := &saver{m: m, form: newForm(m.config.Types)}
	s.out = s.form.newChunk()
	for _, dt := range m.config.Types {
		s.cols = append(s.cols, column.NewAppender(dt))
	}
	return s
}

// reserve makes room for n rows.
func (s *saver) reserve(n int) {
	s.out.Hash, s.out.Time = make([]uint64, 0, n), make([]int64, 0, n)
	for i := range s.out.Words {
		s.out.Words[i] = make([]int64, 0, n)
	}
}

// graves writes the deleted rows, which come first, so that the rest need no mark.
func (s *saver) graves() {
	m := s.m
	for i, h := range m.graveHashes {
		s.out.Hash = append(s.out.Hash, h)
		s.out.Time = append(s.out.Time, m.graveTimes[i])
		s.out.Deleted = append(s.out.Deleted, true)
		s.out.Words[seqWord] = append(s.out.Words[seqWord], m.graveSeqs[i])
	}
	s.pad()
}

// pad fills the columns that are shorter than the chunk.
func (s *saver) pad() {
	n := s.out.Rows()
	for i, w := range s.out.Words {
		s.out.Words[i] = append(w, make([]int64, n-len(w))...)
	}
	for _, b := range s.out.Bytes {
		for b.Len() < n {
			b.Append(nil)
		}
	}
	if s.out.Deleted != nil {
		s.out.Deleted = append(s.out.Deleted, make([]bool, n-len(s.out.Deleted))...)
	}
}

// changed writes the rows of earlier snapshots that have changed.
func (s *saver) changed(cutoff int64) {
	for _, id := range s.m.dirtyIDs {
		ch, i := s.m.chunks[id>>shift], id&mask
		if ch == nil || int(i) >= ch.saved || !ch.dirty.Get(int(i)) || ch.rows[i].seq == dead || s.m.stamp(&ch.rows[i]) < cutoff {
			continue
		}
		s.head(ch, i, changedRow)
	}
	s.pad()
}

// head writes what is known of a row beside its columns.
func (s *saver) head(ch *chunk, i int32, kind int64) {
	count := int64(1)
	if ch.counts != nil {
		count = int64(ch.counts[i])
	}
	o, r := s.out, &ch.rows[i]
	o.Hash = append(o.Hash, ch.route(i))
	o.Time = append(o.Time, s.m.stamp(r))
	for w, v := range [...]int64{r.seq, kind, int64(r.matches), count, r.time} {
		o.Words[w] = append(o.Words[w], v)
	}
}

// rows writes all rows, or those that are new since the last snapshot, and counts all as saved.
func (s *saver) rows(all bool, cutoff int64) {
	for c, ch := range s.m.chunks {
		if ch == nil {
			continue
		}
		first := ch.saved
		if all {
			first = 0
		}
		s.ids = s.ids[:0]
		for i := first; i < len(ch.rows); i++ {
			if r := &ch.rows[i]; r.seq != dead && s.m.stamp(r) >= cutoff {
				s.ids = append(s.ids, int32(c)<<shift|int32(i))
				s.head(ch, int32(i), wholeRow)
			}
		}
		ch.saved = len(ch.rows)
		ch.dirty.ClearAll()
		if len(s.ids) == 0 {
			continue
		}
		for k, col := range s.cols {
			col.Reset()
			s.m.Gather(k, col, s.ids)
		}
		s.form.append(s.out, s.cols, len(s.ids))
	}
	s.pad()
}

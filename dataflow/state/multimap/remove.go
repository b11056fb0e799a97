package multimap

import (
	"math"
	"slices"
)

// Delete removes rows; the next snapshot says so. Their ids are not used again before their chunks have been dropped.
func (m *Map) Delete(ids []int32) {
	for _, id := range ids {
		m.bury(id)
	}
	m.unlink(ids)
}

// unlink takes rows out of the indices and of the count of rows.
func (m *Map) unlink(ids []int32) {
	for len(ids) > 0 {
		n := min(len(ids), warmRows)
		m.warmIDs(ids[:n])
		for _, id := range ids[:n] {
			m.unlinkOne(id)
		}
		ids = ids[n:]
	}
}

// warmIDs reads the places of rows in the indices, so that the misses of the cache overlap.
func (m *Map) warmIDs(ids []int32) {
	var hashes [warmRows]uint64
	for i, id := range ids {
		hashes[i] = m.at(id).hash
	}
	m.byKey.warm(hashes[:len(ids)])
	if m.byRow.entries == nil {
		return
	}
	for i, id := range ids {
		hashes[i] = m.chunks[id>>shift].rowHashes[id&mask]
	}
	m.byRow.warm(hashes[:len(ids)])
}

func (m *Map) unlinkOne(id int32) {
	r := m.at(id)
	switch p := m.newer(r, id); {
	case r.prev >= 0:
		m.at(r.prev).next = r.next
		if r.next >= 0 {
			m.at(r.next).prev = r.prev
		}
	case r.next >= 0:
		m.byKey.entries[p] = newEntry(r.hash, r.next)
		m.at(r.next).prev = none
	default:
		m.byKey.remove(p)
	}
	ch := m.chunks[id>>shift]
	if m.byRow.entries != nil {
		m.byRow.remove(m.byRow.find(ch.rowHashes[id&mask], id))
	}
	r.seq = dead
	ch.live--
	m.live--
}

// newer sees to it that a row and those behind it in its list know the next newer ones, unless it is the newest; then it
// gives the place of the list. Those that do not know it are at the front of a list, and each of them learns it once.
func (m *Map) newer(r *row, id int32) uint64 {
	if r.prev >= 0 {
		return 0
	}
	p := m.byKey.place(r.hash)
	at := m.byKey.entries[p].id()
	if at == id {
		return p
	}
	for {
		next := m.at(at).next
		if next < 0 || m.at(next).prev >= 0 {
			return 0
		}
		m.at(next).prev = at
		at = next
	}
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
		if ch := m.chunks[c]; ch != nil && ch.bucket < bucket {
			m.moveOut(c, bucket)
		}
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
		if ch := m.chunks[c]; ch != nil && len(ch.rows) == chunkRows && 3*ch.live <= chunkRows {
			m.moveOut(c, 0)
		}
	}
}

// moveOut moves the rows of a chunk that were touched in a bucket or later to chunks of the buckets in which they were,
// and drops the chunk. They keep their sequence numbers and are written whole again.
func (m *Map) moveOut(c int, bucket uint32) {
	m.moving = m.moving[:0]
	rows := m.rows[c]
	for i := range rows {
		if rows[i].seq != dead && rows[i].touched >= bucket {
			m.moving = append(m.moving, int32(c)<<shift|int32(i))
		}
	}
	for ids := m.moving; len(ids) > 0; {
		// As many as go to the same place.
		touched, n := m.at(ids[0]).touched, 1
		to := m.room(touched)
		for n < min(len(ids), warmRows, chunkRows-len(m.rows[to])) && m.at(ids[n]).touched == touched {
			n++
		}
		m.move(ids[:n], to)
		ids = ids[n:]
	}
	m.dropChunk(c)
}

// move moves rows of one chunk to another one, which has room for them.
func (m *Map) move(ids []int32, c int) {
	m.warmIDs(ids)
	from, to := m.chunks[ids[0]>>shift], m.chunks[c]
	first := len(to.rows)
	to.rows = slices.Grow(to.rows, len(ids))[:first+len(ids)]
	m.rows[c] = to.rows
	for _, s := range m.cols {
		s.move(c, ids)
	}
	for i, id := range ids {
		m.relink(id, int32(c)<<shift|int32(first+i))
		o := id & mask
		if m.config.Routed {
			to.routes = append(to.routes, from.routes[o])
		}
		if m.config.Distinct {
			to.counts = append(to.counts, from.counts[o])
		}
		if m.byRow.entries != nil {
			h := from.rowHashes[o]
			to.rowHashes = append(to.rowHashes, h)
			m.byRow.entries[m.byRow.find(h, id)] = newEntry(h, int32(c)<<shift|int32(first+i))
		}
		to.latest = max(to.latest, to.rows[first+i].time)
	}
	from.live -= len(ids)
	to.live += len(ids)
}

// relink puts a copy of a row with another id in its place.
func (m *Map) relink(id, as int32) {
	r := m.at(id)
	if p := m.newer(r, id); r.prev < 0 {
		m.byKey.entries[p] = newEntry(r.hash, as)
	} else {
		m.at(r.prev).next = as
	}
	if r.next >= 0 {
		if next := m.at(r.next); next.prev >= 0 {
			next.prev = as
		}
	}
	*m.at(as) = *r
	r.seq = dead
}

// dropChunk removes a chunk with all of its rows, without a word in the next snapshot.
func (m *Map) dropChunk(c int) {
	ch := m.chunks[c]
	m.moving = m.moving[:0]
	for i := range ch.rows {
		if ch.rows[i].seq != dead {
			m.moving = append(m.moving, int32(c)<<shift|int32(i))
		}
	}
	m.unlink(m.moving)
	if m.open[ch.bucket] == c {
		delete(m.open, ch.bucket)
	}
	for _, s := range m.cols {
		s.drop(c)
	}
	m.chunks[c], m.rows[c] = nil, nil
	m.spare = append(m.spare, c)
}

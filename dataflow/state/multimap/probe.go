package multimap

import (
	"bytes"
	"slices"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// Cursor walks over the pairs of some rows of a batch with the rows of a map. Its zero value is ready for Seek.
type Cursor struct {
	// rows and ids are the pairs that come next, from at on; older those behind them, with the next older row of each list.
	rows, ids           []int32
	at                  int
	olderRows, olderIDs []int32
	next                []int32 // memory of follow
	// scan walks over the ids of all rows instead, for each of all's rows from at on.
	scan, all []int32
	id        int32
}

// Seek starts a walk over the pairs with equal hashes, and a few others. hashes has an element per physical row; until the
// walk is over, no rows may be added to or removed from the map.
func (m *Map) Seek(c *Cursor, hashes []uint64, rows []int32) {
	c.at, c.all, c.scan = 0, nil, nil
	c.olderRows, c.olderIDs = c.olderRows[:0], c.olderIDs[:0]
	c.rows, c.ids = resize(c.rows, len(rows)), resize(c.ids, len(rows))
	k := m.byKey.heads(hashes, rows, c.rows, c.ids)
	c.rows, c.ids = c.rows[:k], c.ids[:k]
}

// SameList reports whether rows with these hashes are found together, though they need not be equal.
func SameList(a, b uint64) bool { return uint32(a) == uint32(b) }

func resize(s []int32, n int) []int32 {
	if cap(s) < n {
		return make([]int32, n, n+n/4)
	}
	return s[:n]
}

// SeekAll starts a walk over the pairs with every row of the map.
func (m *Map) SeekAll(c *Cursor, rows []int32) {
	c.all, c.at, c.id = rows, 0, 0
	c.rows, c.ids = c.rows[:0], c.ids[:0]
	c.scan = c.scan[:0]
	if len(rows) > 0 {
		m.Each(func(id int32) { c.scan = append(c.scan, id) })
	}
}

// Next replaces p by the next at most n pairs; it returns false when there are none. The newest row of every list comes
// first, then the next older one of those that have it, and so on: step by step in all lists at once, so that the misses
// of the cache overlap.
func (m *Map) Next(c *Cursor, p *Pairs, n int) bool {
	p.Reset()
	if len(c.all) > 0 {
		m.nextOfAll(c, p, n)
		return p.Len() > 0
	}
	for p.Len() < n {
		if c.at == len(c.ids) {
			if len(c.olderIDs) == 0 {
				break
			}
			c.rows, c.olderRows = c.olderRows, c.rows[:0]
			c.ids, c.olderIDs = c.olderIDs, c.ids[:0]
			c.at = 0
		}
		k := min(n-p.Len(), len(c.ids)-c.at)
		p.Rows, p.IDs = append(p.Rows, c.rows[c.at:c.at+k]...), append(p.IDs, c.ids[c.at:c.at+k]...)
		m.follow(c, k)
	}
	return p.Len() > 0
}

// follow moves the cursor over k pairs and notes what is behind them in their lists.
func (m *Map) follow(c *Cursor, k int) {
	rows, ids := c.rows[c.at:c.at+k], c.ids[c.at:c.at+k]
	c.next = resize(c.next, k)
	next := c.next
	for i, id := range ids {
		next[i] = m.rows[id>>shift][id&mask].next
	}
	at := len(c.olderIDs)
	olderRows, olderIDs := slices.Grow(c.olderRows, k)[:at+k], slices.Grow(c.olderIDs, k)[:at+k]
	for i, id := range next {
		olderRows[at], olderIDs[at] = rows[i], id
		at += one(id)
	}
	c.olderRows, c.olderIDs = olderRows[:at], olderIDs[:at]
	c.at += k
}

func (m *Map) nextOfAll(c *Cursor, p *Pairs, n int) {
	for c.at < len(c.all) && p.Len() < n {
		k := min(n-p.Len(), len(c.scan)-int(c.id))
		for _, id := range c.scan[c.id : int(c.id)+k] {
			p.Rows, p.IDs = append(p.Rows, c.all[c.at]), append(p.IDs, id)
		}
		if c.id += int32(k); int(c.id) == len(c.scan) {
			c.at, c.id = c.at+1, 0
		}
	}
}

// unlike is the id of a row that is not the one with the same hash which was looked at.
const unlike int32 = -2

// Find looks up rows by their content in a distinct map and writes the id of each into ids, at the row's own place, or
// -1.
func (m *Map) Find(r *Rows, rows []int32, ids []int32) {
	index, hashes := m.rowIndex(r)
	p := &m.candidates
	p.Rows, p.IDs = resize(p.Rows, len(rows)), resize(p.IDs, len(rows))
	for _, row := range rows {
		ids[row] = none
	}
	n := index.heads(hashes, rows, p.Rows, p.IDs)
	p.truncate(n)
	for _, row := range p.Rows {
		ids[row] = unlike
	}
	for i := range m.cols {
		m.Same(p, i, r.Cols[i], NullSame)
	}
	for i, row := range p.Rows {
		ids[row] = p.IDs[i]
	}
	if p.Len() == n {
		return
	}
	for _, row := range rows {
		if ids[row] == unlike {
			ids[row] = m.findSlowly(r, row)
		}
	}
}

// rowIndex is the index by the content of rows, and the hashes for it.
func (m *Map) rowIndex(r *Rows) (*index, []uint64) {
	if m.config.Whole {
		return &m.byKey, r.Hashes
	}
	return &m.byRow, r.RowHashes
}

// findSlowly looks at every row with the same hash.
func (m *Map) findSlowly(r *Rows, row int32) int32 {
	index, hashes := m.rowIndex(r)
	h := hashes[row]
	if m.config.Whole { // entries lead to lists
		id := index.entries[index.place(h)].id()
		for id >= 0 && !m.equal(id, r.Cols, row) {
			id = m.rows[id>>shift][id&mask].next
		}
		return id
	}
	size := uint64(len(index.entries))
	for p := h & (size - 1); index.entries[p] != 0; p = (p + 1) & (size - 1) {
		if e := index.entries[p]; e.is(h) && m.equal(e.id(), r.Cols, row) {
			return e.id()
		}
	}
	return -1
}

func (m *Map) equal(id int32, cols []column.Vector, row int32) bool {
	var x, y []byte
	for i, s := range m.cols {
		x = s.encode(x, id)
		y = state.AppendValue(y, cols[i], int(row))
	}
	return bytes.Equal(x, y)
}

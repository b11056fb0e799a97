package multimap

import (
	"bytes"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// Cursor walks over the pairs of some rows of a batch with the rows of a map. Its zero value is ready for Seek.
type Cursor struct {
	rows, heads []int32
	at          int
	id          int32
	// scan walks over the ids of all rows instead.
	scan []int32
	all  bool
}

// Seek starts a walk over the pairs with equal hashes. hashes has an element per physical row; rows is borrowed until
// the walk is over, and in between no rows may be added to or removed from the map.
func (m *Map) Seek(c *Cursor, hashes []uint64, rows []int32) {
	c.rows, c.at, c.all = rows, 0, false
	if cap(c.heads) < len(rows) {
		c.heads = make([]int32, len(rows)+len(rows)/4)
	}
	heads := c.heads[:len(rows)]
	c.heads = heads
	entries := m.byKey.entries
	mask := uint64(len(entries) - 1)
	// All places are looked up before the lists are followed, so that the misses of the cache overlap.
	for j, r := range rows {
		h := hashes[r]
		p := h & mask
		for {
			e := &entries[p&uint64(len(entries)-1)]
			if e.hash == h || e.id == 0 {
				heads[j] = e.id - 1
				break
			}
			p = (p + 1) & mask
		}
	}
	if len(rows) > 0 {
		c.id = heads[0]
	}
}

// SeekAll starts a walk over the pairs with every row of the map.
func (m *Map) SeekAll(c *Cursor, rows []int32) {
	c.rows, c.at, c.all, c.id = rows, 0, true, 0
	c.scan = c.scan[:0]
	if len(rows) > 0 {
		m.Each(func(id int32) { c.scan = append(c.scan, id) })
	}
}

// Next replaces p by the next at most n pairs, by rows; it returns false when there are none.
func (m *Map) Next(c *Cursor, p *Pairs, n int) bool {
	p.Reset()
	if c.all {
		m.nextOfAll(c, p, n)
		return p.Len() > 0
	}
	rows, ids := p.Rows, p.IDs
	for c.at < len(c.rows) {
		r, id := c.rows[c.at], c.id
		for id >= 0 && len(ids) < n {
			rows, ids = append(rows, r), append(ids, id)
			id = m.links[id>>shift][id&mask].next
		}
		c.id = id
		if id >= 0 {
			break
		}
		if c.at++; c.at < len(c.rows) {
			c.id = c.heads[c.at]
		}
	}
	p.Rows, p.IDs = rows, ids
	return len(ids) > 0
}

func (m *Map) nextOfAll(c *Cursor, p *Pairs, n int) {
	for c.at < len(c.rows) && p.Len() < n {
		k := min(n-p.Len(), len(c.scan)-int(c.id))
		for _, id := range c.scan[c.id : int(c.id)+k] {
			p.Rows, p.IDs = append(p.Rows, c.rows[c.at]), append(p.IDs, id)
		}
		if c.id += int32(k); int(c.id) == len(c.scan) {
			c.at, c.id = c.at+1, 0
		}
	}
}

// Find looks up rows by their content in a distinct map and writes the id of each into ids, at the row's own place, or
// -1.
func (m *Map) Find(r *Rows, rows []int32, ids []int32) {
	p := &m.candidates
	p.Reset()
	for _, row := range rows {
		e := m.byRow.entries[m.byRow.place(r.RowHashes[row])]
		ids[row] = e.id - 1
		if e.id != 0 {
			p.Rows, p.IDs = append(p.Rows, row), append(p.IDs, e.id-1)
			ids[row] = -2 - (e.id - 1)
		}
	}
	for i, s := range m.cols {
		s.same(p, r.Cols[i], NullSame)
	}
	for i, row := range p.Rows {
		ids[row] = p.IDs[i]
	}
	for _, row := range rows {
		if ids[row] < -1 { // another row has the same hash
			ids[row] = m.findSlowly(r, row)
		}
	}
}

// findSlowly looks at every row with the same hash.
func (m *Map) findSlowly(r *Rows, row int32) int32 {
	h := r.RowHashes[row]
	size := uint64(len(m.byRow.entries))
	for p := h & (size - 1); m.byRow.entries[p].id != 0; p = (p + 1) & (size - 1) {
		if e := m.byRow.entries[p]; e.hash == h && m.equal(e.id-1, r.Cols, row) {
			return e.id - 1
		}
	}
	return -1
}

func (m *Map) equal(id int32, cols []column.Vector, row int32) bool {
	var x, y []byte
	for i, s := range m.cols {
		x = state.AppendValue(x, s.chunk(int(id>>shift)), int(id&mask))
		y = state.AppendValue(y, cols[i], int(row))
	}
	return bytes.Equal(x, y)
}

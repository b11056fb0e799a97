package state

import (
	"slices"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// graves remembers the keys deleted since the last snapshot. There may be more of them than there are rows, when keys
// come and go quickly: then they are dropped, and the next snapshot has to be a base.
type graves struct {
	chunk    *Chunk
	overflow bool
}

// Track makes the table remember what changes from now on, for incremental snapshots.
func (t *Table) Track() {
	if t.graves == nil {
		t.graves = &graves{chunk: t.l.NewChunk(0)}
	}
}

// MarkDirty notes that the rows' values have changed since the last snapshot.
func (t *Table) MarkDirty(slots []int32) {
	if len(slots) == 0 {
		return
	}
	if column.Words(t.rows) > len(t.dirty) {
		t.dirty = t.dirty.Grow(t.rows + t.rows/2)
	}
	dirty := t.dirty
	for _, s := range slots {
		w, bit := uint(s)>>6, uint64(1)<<(uint(s)&63)
		if dirty[w]&bit == 0 {
			dirty[w] |= bit
			t.dirtyList = append(t.dirtyList, s)
		}
	}
}

func (t *Table) unmark(s int32) {
	if w := int(s) >> 6; w < len(t.dirty) {
		t.dirty[w] &^= 1 << (uint(s) & 63)
	}
}

// Dirty is at least the number of rows and deleted keys that the next delta holds.
func (t *Table) Dirty() int {
	n := len(t.dirtyList)
	if t.graves != nil {
		n += t.graves.chunk.Rows()
	}
	return n
}

// NeedsBase reports that what was deleted since the last snapshot is no longer known, so that a delta cannot be made.
func (t *Table) NeedsBase() bool { return t.graves == nil || t.graves.overflow }

// TakeDirty appends the slots of the rows changed since the last snapshot to dst and forgets that they were.
func (t *Table) TakeDirty(dst []int32) []int32 {
	for _, s := range t.dirtyList {
		if t.dirty.Get(int(s)) && t.alive(s) {
			dst = append(dst, s)
		}
		t.unmark(s)
	}
	t.dirtyList = t.dirtyList[:0]
	return dst
}

// TakeDeleted appends the keys deleted since the last snapshot to c as deleted rows and forgets them.
func (t *Table) TakeDeleted(c *Chunk, time int64) {
	if t.graves == nil {
		return
	}
	g := t.graves.chunk
	t.graves = nil
	t.Track()
	if g.Rows() == 0 {
		return
	}
	for len(c.Deleted) < c.Rows() {
		c.Deleted = append(c.Deleted, false)
	}
	c.Hash = append(c.Hash, g.Hash...)
	for i := range c.Words {
		c.Words[i] = append(c.Words[i], g.Words[i]...)
	}
	for i, b := range c.Bytes {
		if i < len(g.Bytes) {
			b.AppendSel(g.Bytes[i], nil)
			continue
		}
		for range g.Rows() {
			b.Append(nil)
		}
	}
	for range g.Rows() {
		c.Time = append(c.Time, time)
		c.Deleted = append(c.Deleted, true)
	}
}

func (t *Table) bury(slot int32) {
	g := t.graves
	if g == nil || g.overflow {
		return
	}
	if g.chunk.Rows() > 4096+2*t.live {
		g.overflow = true
		g.chunk = t.l.NewChunk(0)
		return
	}
	t.AppendRows(g.chunk, []int32{slot}, 0)
}

// AppendRows copies the rows into c, a chunk of the layout's, with this time: hashes, key and values. Extra byte columns
// are the caller's to fill.
func (t *Table) AppendRows(c *Chunk, slots []int32, time int64) {
	c.Hash = slices.Grow(c.Hash, len(slots))
	c.Time = slices.Grow(c.Time, len(slots))
	for range slots {
		c.Time = append(c.Time, time)
	}
	if c.Deleted != nil {
		c.Deleted = append(c.Deleted, make([]bool, len(slots))...)
	}
	first := 1
	if t.l.arena {
		first = 2
		for _, s := range slots {
			c.Bytes[0].Append(t.KeyBytes(s))
		}
	}
	for k := range c.Words {
		c.Words[k] = slices.Grow(c.Words[k], len(slots))
	}
	// A block of rows stays in the cache while its columns are copied one after the other.
	for len(slots) > 0 {
		n := min(len(slots), copyBlock)
		for _, s := range slots[:n] {
			c.Hash = append(c.Hash, uint64(t.words[int(s)*t.l.stride]))
		}
		for k := range c.Words {
			c.Words[k] = t.appendWord(c.Words[k], first+k, slots[:n])
		}
		slots = slots[n:]
	}
}

const copyBlock = 256

// appendWord appends word k of the rows to col, which has room.
func (t *Table) appendWord(col []int64, k int, slots []int32) []int64 {
	words, stride, n := t.words, t.l.stride, len(col)
	col = col[:n+len(slots)]
	to := col[n:]
	for j, s := range slots {
		to[j] = words[int(s)*stride+k]
	}
	return col
}

// CheckChunk reports whether c has the shape of this layout's rows with extra byte columns.
func (l *Layout) CheckChunk(c *Chunk, extra int) error {
	n := len(c.Hash)
	ok := len(c.Time) == n && (c.Deleted == nil || len(c.Deleted) == n)
	want := l.NewChunk(extra)
	ok = ok && len(c.Words) == len(want.Words) && len(c.Bytes) == len(want.Bytes)
	if ok {
		for _, w := range c.Words {
			ok = ok && len(w) == n
		}
		for _, b := range c.Bytes {
			ok = ok && b.Len() == n
		}
	}
	if !ok {
		return fault.Internalf("stored state does not have the shape that this operator writes").
			WithHint("start the pipeline from an empty state directory")
	}
	return nil
}

// Seek gives the slot of row i's key, -1 if the table does not have it. c has passed CheckChunk.
func (t *Table) Seek(c *Chunk, i int) int32 {
	if t.l.arena {
		slot, _ := t.seekArena(c.Hash[i], c.Bytes[0].At(i))
		return slot
	}
	slot, _ := t.seekFixed(c.Hash[i], t.chunkKey(c, i))
	return slot
}

func (t *Table) chunkKey(c *Chunk, i int) []int64 {
	t.l.scratch.words = t.l.scratch.words[:0]
	for k := range t.l.keyWords {
		t.l.scratch.words = append(t.l.scratch.words, c.Words[k][i])
	}
	return t.l.scratch.words
}

// Put finds or inserts row i of c, a chunk that has passed CheckChunk, and overwrites its values; it returns the slot. Values
// that a chunk of fewer of them lacks become 0.
func (t *Table) Put(c *Chunk, i int) (int32, error) {
	first := t.l.keyWords
	var slot int32
	if t.l.arena {
		first = 0
		key := c.Bytes[0].At(i)
		if !t.l.validKey(key) {
			return 0, fault.Internalf("stored state holds a key that cannot be decoded").
				WithHint("start the pipeline from an earlier checkpoint or an empty state directory")
		}
		slot = t.putArena(c.Hash[i], key)
	} else {
		slot = t.putFixed(c.Hash[i], t.chunkKey(c, i))
	}
	row := t.words[int(slot)*t.l.stride+1+t.l.keyWords:]
	vals := c.Words[first:]
	for k, v := range vals {
		row[k] = v[i]
	}
	clear(row[len(vals):t.l.values])
	return slot, nil
}

func (l *Layout) validKey(key []byte) bool {
	if l.oneBytes {
		return len(key) == 1 && key[0] == 0 || len(key) > 0 && key[0] == 1
	}
	ok := true
	for _, dt := range l.types {
		if key, ok = TakeValue(key, column.NewAppender(dt)); !ok {
			return false
		}
	}
	return len(key) == 0
}

// Save writes the rows that have changed since the last time, or all, to a keyed table without times. The table is tracked.
func (t *Table) Save(w Writer, name string, inc *Incremental) {
	chunk, _, base := t.TakeChanges(t.l, 0, inc)
	if base || chunk.Rows() > 0 {
		w.Keyed(name, base, chunk)
	}
}

// TakeChanges makes a chunk without times of what has changed since the last one, or of all if base, and forgets it: deleted
// keys, then the rows in slots. l is the table's layout or one with the same keys and fewer values, the first ones; extra byte
// columns are the caller's to fill for slots.
func (t *Table) TakeChanges(l *Layout, extra int, inc *Incremental) (c *Chunk, slots []int32, base bool) {
	dirty := t.Dirty()
	if t.NeedsBase() {
		dirty += 4*t.Len() + 4096
	}
	c = l.NewChunk(extra)
	if base = inc.Base(t.Len(), dirty); base {
		t.TakeDeleted(l.NewChunk(extra), 0)
		t.TakeDirty(nil)
		slots = t.Slots(nil)
	} else { // a key that was deleted may be there again
		t.TakeDeleted(c, 0)
		slots = t.TakeDirty(nil)
	}
	t.AppendRows(c, slots, 0)
	return c, slots, base
}

// Load reads back what Save has written of the rows whose hashes lie in keys, and calls f with the value words of each.
func (t *Table) Load(r Reader, name string, keys column.KeyRange, f func(w []int64)) error {
	return r.Keyed(name, keys, func(c *Chunk) error {
		if err := t.l.CheckChunk(c, 0); err != nil {
			return err
		}
		for i := range c.Rows() {
			if c.Deleted != nil && c.Deleted[i] {
				if slot := t.Seek(c, i); slot >= 0 {
					t.Delete(slot)
				}
				continue
			}
			slot, err := t.Put(c, i)
			if err != nil {
				return err
			}
			words, stride := t.Values()
			f(words[int(slot)*stride : int(slot)*stride+t.l.values])
		}
		return nil
	})
}

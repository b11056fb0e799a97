package state

import (
	"encoding/binary"
	"math"
	"slices"

	"wadi/dataflow/column"
)

// Table is a keyed table in memory: open addressing over an index of hash tags, which leads to rows of words that hold
// the key and the caller's values side by side. There are no pointers in it, so the garbage collector does not look
// inside, however large it is.
//
// A row keeps its slot, a number from 0, until it is deleted; slots are given out in the order of insertion, those of
// deleted rows first. A Table is used by one goroutine.
type Table struct {
	l *Layout
	// index entries hold the low half of a key's hash above its slot + 1; 0 is empty. The low bits of the hash choose the
	// place, since the high ones say which subtask owns the key and so are alike within a table.
	index []uint64
	words []int64
	rows  int
	live  int
	// free are slots of deleted rows; dead marks them and is nil as long as nothing was deleted.
	free []int32
	dead column.Bitmap
	// arena holds encoded keys behind a length of 4 bytes each; garbage counts bytes of deleted keys in it.
	arena   []byte
	garbage int

	dirty     column.Bitmap
	dirtyList []int32
	graves    *graves
}

// minIndex is the smallest size of an index.
const minIndex = 16

// sparseIndex is the size below which an index is kept at most a quarter full, so that nearly all keys are at their home
// place; larger ones are up to half full, since then memory matters more.
const sparseIndex = 1 << 16

// NewTable makes an empty table.
func NewTable(l *Layout) *Table {
	return &Table{l: l, index: make([]uint64, minIndex)}
}

// Layout gives the table's layout.
func (t *Table) Layout() *Layout { return t.l }

// Len is the number of rows.
func (t *Table) Len() int { return t.live }

// Capacity is above every slot that was given out.
func (t *Table) Capacity() int { return t.rows }

// Slots appends the slots of all rows to dst, ascending, and returns it.
func (t *Table) Slots(dst []int32) []int32 {
	for s := range int32(t.rows) {
		if t.alive(s) {
			dst = append(dst, s)
		}
	}
	return dst
}

// Alive reports whether a slot that was given out holds a row.
func (t *Table) Alive(slot int32) bool { return t.alive(slot) }

func (t *Table) alive(s int32) bool {
	w := int(s) >> 6
	return w >= len(t.dead) || t.dead[w]>>(uint(s)&63)&1 == 0
}

// Values gives the values of all rows: value i of the row in a slot is at index slot·stride+i. New rows begin with zeros.
// It is valid until the next insertion.
func (t *Table) Values() (words []int64, stride int) {
	return t.words[min(1+t.l.keyWords, len(t.words)):], t.l.stride
}

// Hash is the routing hash of a row's key.
func (t *Table) Hash(slot int32) uint64 { return uint64(t.words[int(slot)*t.l.stride]) }

// KeyWord is word k of the row's key in a fixed layout.
func (t *Table) KeyWord(slot int32, k int) int64 { return t.words[int(slot)*t.l.stride+1+k] }

// KeyBytes is the row's encoded key in an arena layout, borrowed until the next change of the table.
func (t *Table) KeyBytes(slot int32) []byte { return t.key(t.words[int(slot)*t.l.stride+1]) }

func (t *Table) key(ref int64) []byte {
	n := int64(binary.LittleEndian.Uint32(t.arena[ref:]))
	return t.arena[ref+4 : ref+4+n]
}

// KeySize is the memory that a row's key takes, in bytes.
func (t *Table) KeySize(slot int32) int {
	n := 8 * t.l.keyWords
	if t.l.arena {
		n += 4 + len(t.KeyBytes(slot))
	}
	return n
}

// Size is the memory behind the table in bytes.
func (t *Table) Size() int64 {
	return int64(8*cap(t.index) + 8*cap(t.words) + cap(t.arena) + 4*cap(t.free) + 8*cap(t.dead) + 8*cap(t.dirty) + 4*cap(t.dirtyList))
}

// Reset drops all rows and keeps memory for about as many. Nothing is remembered for a snapshot.
func (t *Table) Reset() {
	if len(t.index) > 16*max(t.live, minIndex) {
		*t = Table{l: t.l, index: make([]uint64, minIndex)}
		return
	}
	clear(t.index)
	t.words, t.arena, t.free, t.dead = t.words[:0], t.arena[:0], t.free[:0], nil
	t.rows, t.live, t.garbage = 0, 0, 0
	clear(t.dirty)
	t.dirtyList, t.graves = t.dirtyList[:0], nil
}

// CopyFrom makes t, which is empty, hold the same rows in the same slots as src, a table with the same layout. What has
// changed since a snapshot is not copied.
func (t *Table) CopyFrom(src *Table) {
	t.index = append(t.index[:0], src.index...)
	t.words = append(t.words[:0], src.words...)
	t.arena = append(t.arena[:0], src.arena...)
	t.free = append(t.free[:0], src.free...)
	t.dead = append(t.dead[:0], src.dead...)
	t.rows, t.live, t.garbage = src.rows, src.live, src.garbage
}

// insert adds a row with this hash at the empty index place p and returns its slot; the caller writes its key.
func (t *Table) insert(h, p uint64) int32 {
	slot := t.newRow()
	t.index[p] = h<<32 | uint64(slot+1)
	t.words[int(slot)*t.l.stride] = int64(h)
	t.live++
	if 2*t.live > len(t.index) || 4*t.live > len(t.index) && len(t.index) < sparseIndex {
		t.grow()
	}
	return slot
}

func (t *Table) newRow() int32 {
	stride := t.l.stride
	if n := len(t.free); n > 0 {
		slot := t.free[n-1]
		t.free = t.free[:n-1]
		t.dead.Clear(int(slot))
		clear(t.words[int(slot)*stride : int(slot+1)*stride])
		return slot
	}
	n := len(t.words)
	if n+stride > cap(t.words) {
		t.words = slices.Grow(t.words, max(n, 8*stride))
	}
	t.words = t.words[:n+stride]
	clear(t.words[n:])
	t.rows++
	return int32(t.rows - 1)
}

// grow doubles the index. Entries carry enough of the hash to be placed again without looking at the rows.
func (t *Table) grow() {
	old := t.index
	t.index = make([]uint64, 2*len(old))
	mask := uint64(len(t.index) - 1)
	var there [block]uint64
	for len(old) > 0 {
		k, n := 0, min(len(old), block)
		for _, e := range old[:n] { // nobody can foretell which of them are empty
			there[k&(block-1)] = e
			k += int((e&math.MaxUint32 + math.MaxUint32) >> 32)
		}
		for _, e := range there[:k] {
			p := e >> 32 & mask
			for t.index[p] != 0 {
				p = (p + 1) & mask
			}
			t.index[p] = e
		}
		old = old[n:]
	}
}

// Delete removes the row in a slot. The slot may be given out again.
func (t *Table) Delete(slot int32) {
	t.bury(slot)
	t.unlink(slot)
	if t.l.arena {
		t.garbage += 4 + len(t.KeyBytes(slot))
	}
	t.dead = t.dead.Grow(max(t.rows, 64*len(t.dead)))
	t.dead.Set(int(slot))
	t.free = append(t.free, slot)
	t.live--
	t.unmark(slot)
	if t.garbage > 1<<16 && 2*t.garbage > len(t.arena) {
		t.compact()
	}
}

// unlink removes the index entry of a slot by shifting later entries of its run back (Knuth, TAOCP 6.4, algorithm R).
func (t *Table) unlink(slot int32) {
	mask := uint64(len(t.index) - 1)
	p := t.Hash(slot) & mask
	for uint32(t.index[p]) != uint32(slot+1) {
		p = (p + 1) & mask
	}
	for j := (p + 1) & mask; t.index[j] != 0; j = (j + 1) & mask {
		home := t.index[j] >> 32 & mask
		if (j-home)&mask >= (j-p)&mask {
			t.index[p] = t.index[j]
			p = j
		}
	}
	t.index[p] = 0
}

// compact rewrites the arena without the keys of deleted rows.
func (t *Table) compact() {
	fresh := make([]byte, 0, len(t.arena)-t.garbage+len(t.arena)/8)
	for s := range int32(t.rows) {
		if !t.alive(s) {
			continue
		}
		ref := &t.words[int(s)*t.l.stride+1]
		key := t.key(*ref)
		*ref = int64(len(fresh))
		fresh = appendKey(fresh, key)
	}
	t.arena, t.garbage = fresh, 0
}

func appendKey(arena, key []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(arena, uint32(len(key))), key...)
}

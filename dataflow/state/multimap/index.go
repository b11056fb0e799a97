package multimap

import "math"

// index is an open-addressing table from hashes to row ids. Several entries may have one hash.
//
// Only the low half of a hash counts, since the high bits say which subtask owns a key and so are alike within a map. Two
// keys may have the same low half: whoever looks something up compares keys in any case.
type index struct {
	entries []entry
	used    int
	sink    entry
}

// entry holds the low half of a hash above the id plus one, so that the zero entry is empty.
type entry uint64

func newEntry(h uint64, id int32) entry { return entry(h<<32 | uint64(id+1)) }

// id is -1 for the empty entry.
func (e entry) id() int32 { return int32(uint32(e)) - 1 }

// is reports whether an entry, which is not empty, has hash h.
func (e entry) is(h uint64) bool { return uint64(e)>>32 == h&0xffffffff }

// isOther is 1 for an entry that has another hash than h, and 0 for one that has it and for the empty one.
func (e entry) isOther(h uint64) int {
	differs := uint64(uint32(e>>32) ^ uint32(h))
	return int((differs + math.MaxUint32) >> 32 & e.used())
}

// used is 1 for an entry that is not empty, and 0 for the empty one.
func (e entry) used() uint64 { return (uint64(uint32(e)) + math.MaxUint32) >> 32 }

// home is where the entry belongs in a table with this mask.
func (e entry) home(mask uint64) uint64 { return uint64(e) >> 32 & mask }

const minIndex = 16

func newIndex() index { return index{entries: make([]entry, minIndex)} }

// place is where the first entry of hash h is or would be.
func (x *index) place(h uint64) uint64 {
	entries := x.entries
	mask := uint64(len(entries) - 1)
	p := h & mask
	for {
		e := entries[p&uint64(len(entries)-1)]
		if e == 0 || e.is(h) {
			return p
		}
		p = (p + 1) & mask
	}
}

// add puts an entry behind those that have its hash.
func (x *index) add(h uint64, id int32) {
	x.reserve(1)
	x.put(newEntry(h, id))
	x.used++
}

// put puts an entry into the first place that is free.
func (x *index) put(e entry) {
	mask := uint64(len(x.entries) - 1)
	p := e.home(mask)
	for x.entries[p] != 0 {
		p = (p + 1) & mask
	}
	x.entries[p] = e
}

// reserve makes room for n more entries.
func (x *index) reserve(n int) {
	size := len(x.entries)
	for 2*(x.used+n) > size {
		size *= 2
	}
	if size > len(x.entries) {
		x.grow(size)
	}
}

// block is the number of entries that are read together, before any of them is looked at, so that the misses of the cache
// overlap.
const block = 64

// heads writes the rows whose hash is there, each with the first id of it, and says how many there are. toRows and toIDs
// have room for all rows.
func (x *index) heads(hashes []uint64, rows, toRows, toIDs []int32) int {
	k := 0
	for len(rows) > 0 {
		n := min(len(rows), block)
		k += x.headsOf(hashes, rows[:n], toRows[k:], toIDs[k:])
		rows = rows[n:]
	}
	return k
}

func (x *index) headsOf(hashes []uint64, rows, toRows, toIDs []int32) int {
	var first [block]entry
	x.first(&first, hashes, rows)
	// Which of them have met an entry of another hash nobody can foretell, so they are sorted out without a branch.
	var moved [block]int32
	n := 0
	for j, r := range rows {
		moved[n&(block-1)] = int32(j)
		n += first[j&(block-1)].isOther(hashes[r])
	}
	for _, j := range moved[:n] {
		first[j&(block-1)] = x.entries[x.place(hashes[rows[j]])]
	}
	toRows, toIDs = toRows[:len(rows)], toIDs[:len(rows)]
	k := 0
	for j, r := range rows {
		id := first[j&(block-1)].id()
		toRows[k], toIDs[k] = r, id
		k += one(id)
	}
	return k
}

// one is 1 for an id and 0 for none.
func one(id int32) int { return int(uint32(^id) >> 31) }

// first reads the entries at the home places of a block of rows.
func (x *index) first(into *[block]entry, hashes []uint64, rows []int32) {
	entries := x.entries
	mask := uint64(len(entries) - 1)
	for j, r := range rows {
		into[j&(block-1)] = entries[hashes[r]&mask&uint64(len(entries)-1)]
	}
}

// warm reads the places of hashes that are about to be looked up one by one, to the same end.
func (x *index) warm(hashes []uint64) {
	mask := uint64(len(x.entries) - 1)
	sum := entry(0)
	for _, h := range hashes {
		sum += x.entries[h&mask]
	}
	x.sink = sum
}

// warmRows is warm for the hashes of rows.
func (x *index) warmRows(rows []row) {
	mask := uint64(len(x.entries) - 1)
	sum := entry(0)
	for i := range rows {
		sum += x.entries[rows[i].hash&mask]
	}
	x.sink = sum
}

func (x *index) grow(size int) {
	old := x.entries
	x.entries = make([]entry, size)
	var there [block]entry
	for len(old) > 0 {
		k, n := 0, min(len(old), block)
		for _, e := range old[:n] { // nobody can foretell which of them are empty
			there[k&(block-1)] = e
			k += int(e.used())
		}
		for _, e := range there[:k] {
			x.put(e)
		}
		old = old[n:]
	}
}

// find is the place of the entry with this hash and id, which exists.
func (x *index) find(h uint64, id int32) uint64 {
	mask := uint64(len(x.entries) - 1)
	e := newEntry(h, id)
	p := h & mask
	for x.entries[p] != e {
		p = (p + 1) & mask
	}
	return p
}

// remove empties a place by shifting later entries of its run back (Knuth, TAOCP 6.4, algorithm R).
func (x *index) remove(p uint64) {
	mask := uint64(len(x.entries) - 1)
	for j := (p + 1) & mask; x.entries[j] != 0; j = (j + 1) & mask {
		if (j-x.entries[j].home(mask))&mask >= (j-p)&mask {
			x.entries[p] = x.entries[j]
			p = j
		}
	}
	x.entries[p] = 0
	x.used--
}

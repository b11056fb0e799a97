package multimap

// index is an open-addressing table from 64-bit hashes to row ids. Several entries may have one hash.
type index struct {
	entries []entry
	used    int
	sink    uint64
}

// entry holds the id plus one, so that the zero entry is empty.
type entry struct {
	hash uint64
	id   int32
}

const minIndex = 16

func newIndex() index { return index{entries: make([]entry, minIndex)} }

// place is where the first entry of hash h is or would be. The low bits of the hash choose the place, since the high
// ones say which subtask owns a key and so are alike within a map.
func (x *index) place(h uint64) uint64 {
	mask := uint64(len(x.entries) - 1)
	p := h & mask
	for x.entries[p].id != 0 && x.entries[p].hash != h {
		p = (p + 1) & mask
	}
	return p
}

// add puts an entry behind those that have its hash.
func (x *index) add(h uint64, id int32) {
	x.reserve(1)
	mask := uint64(len(x.entries) - 1)
	p := h & mask
	for x.entries[p].id != 0 {
		p = (p + 1) & mask
	}
	x.entries[p] = entry{h, id + 1}
	x.used++
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

// warm reads the places of hashes that are about to be looked up one by one, so that the misses of the cache overlap.
func (x *index) warm(hashes []uint64) {
	mask := uint64(len(x.entries) - 1)
	sum := uint64(0)
	for _, h := range hashes {
		sum += x.entries[h&mask].hash
	}
	x.sink = sum
}

func (x *index) grow(size int) {
	old := x.entries
	x.entries = make([]entry, size)
	mask := uint64(len(x.entries) - 1)
	for _, e := range old {
		if e.id == 0 {
			continue
		}
		p := e.hash & mask
		for x.entries[p].id != 0 {
			p = (p + 1) & mask
		}
		x.entries[p] = e
	}
}

// find is the place of the entry with this hash and id, which exists.
func (x *index) find(h uint64, id int32) uint64 {
	mask := uint64(len(x.entries) - 1)
	p := h & mask
	for x.entries[p].id != id+1 || x.entries[p].hash != h {
		p = (p + 1) & mask
	}
	return p
}

// remove empties a place by shifting later entries of its run back (Knuth, TAOCP 6.4, algorithm R).
func (x *index) remove(p uint64) {
	mask := uint64(len(x.entries) - 1)
	for j := (p + 1) & mask; x.entries[j].id != 0; j = (j + 1) & mask {
		home := x.entries[j].hash & mask
		if (j-home)&mask >= (j-p)&mask {
			x.entries[p] = x.entries[j]
			p = j
		}
	}
	x.entries[p] = entry{}
	x.used--
}

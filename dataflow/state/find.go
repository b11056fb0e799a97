package state

import (
	"bytes"

	"wadi/dataflow/column"
)

// FindOrInsert finds the rows of a batch's keys and inserts those that are missing, with zero values. hashes has the
// routing hash per physical row, keys the key columns of n physical rows; sel are the rows that count, all if nil. The
// slots go into dst, one per row that counts and in their order; dst is grown as needed and returned.
func (t *Table) FindOrInsert(hashes []uint64, keys []column.Vector, n int, sel []int32, dst []int32) []int32 {
	sel, dst = t.rowsAndSlots(n, sel, dst)
	switch {
	case len(sel) == 0:
	case len(keys) == 0:
		t.findEmpty(hashes[sel[0]], dst)
	case t.l.oneWord:
		t.findOneWord(hashes, keys[0], sel, dst)
	case !t.l.arena:
		t.findFixed(hashes, t.l.encodeFixed(keys, sel), sel, dst)
	case t.l.oneBytes:
		t.findOneBytes(hashes, keys[0].(*column.Bytes), sel, dst)
	default:
		t.findArena(hashes, keys, sel, dst)
	}
	return dst
}

// rowsAndSlots gives the rows that count, of n if sel is nil, and room for their slots.
func (t *Table) rowsAndSlots(n int, sel, dst []int32) (rows, slots []int32) {
	if sel == nil {
		t.l.scratch.slots = column.AllRows(t.l.scratch.slots, n)
		sel = t.l.scratch.slots
	}
	if cap(dst) < len(sel) {
		dst = make([]int32, len(sel)+len(sel)/4)
	}
	return sel, dst[:len(sel)]
}

// findEmpty serves the empty key: there is one row.
func (t *Table) findEmpty(h uint64, dst []int32) {
	slot := int32(0)
	if t.live == 0 {
		slot = t.insert(h, h&uint64(len(t.index)-1))
	} else if !t.alive(0) {
		slot = t.Slots(t.l.scratch.target[:0])[0]
	}
	for i := range dst {
		dst[i] = slot
	}
}

func (t *Table) findOneWord(hashes []uint64, key column.Vector, rows, dst []int32) {
	var words []int64
	if c, ok := key.(*column.Fixed[int64]); ok {
		words = c.Values
	} else {
		words = t.l.spreadWords(key, rows, len(hashes))
	}
	var hash [block]uint64
	var word [block]int64
	for len(rows) > 0 {
		n := min(len(rows), block)
		if from := int(rows[0]); int(rows[n-1]) == from+n-1 { // none is left out
			t.findWords(hashes[from:from+n], words[from:from+n], dst[:n])
		} else {
			for j, r := range rows[:n] {
				hash[j&(block-1)], word[j&(block-1)] = hashes[r], words[r]
			}
			t.findWords(hash[:n], word[:n], dst[:n])
		}
		rows, dst = rows[n:], dst[n:]
	}
}

// block is the number of keys that are looked up together. Each step is done for all of them before the next, so that
// the waits for memory, which has no order in a large table, run at the same time.
const block = 64

// firstEntries reads the index entry at the home place of each row's key.
func (t *Table) firstEntries(first *[block]uint64, hashes []uint64, rows []int32) {
	index := t.index
	mask := uint64(len(index) - 1)
	for j, r := range rows {
		first[j&(block-1)] = index[hashes[r]&mask&uint64(len(index)-1)]
	}
}

// findWords finds or inserts a block of one-word keys. An entry read before others were inserted still leads to its row.
func (t *Table) findWords(hashes []uint64, words []int64, dst []int32) {
	var first [block]uint64
	index := t.index
	mask := uint64(len(index) - 1)
	for j, h := range hashes {
		first[j&(block-1)] = index[h&mask&uint64(len(index)-1)]
	}
	stride, hashed, table := t.l.stride, t.l.hashed, t.words
	dst, words = dst[:len(hashes)], words[:len(hashes)]
	for j, h := range hashes {
		e, k := first[j&(block-1)], words[j]
		if e>>32 == h&0xffffffff {
			slot := int(uint32(e)) - 1
			if at := slot * stride; slot >= 0 && table[at+1] == k && (!hashed || table[at] == int64(h)) {
				dst[j] = int32(slot)
				continue
			}
		}
		dst[j] = t.putWord(h, k)
		table = t.words
	}
}

// putWord finds or inserts one key of one word.
func (t *Table) putWord(h uint64, k int64) int32 {
	stride := t.l.stride
	index, table := t.index, t.words
	mask := uint64(len(index) - 1)
	p := h & mask
	for {
		e := index[p&uint64(len(index)-1)]
		if e == 0 {
			break
		}
		if e>>32 == h&0xffffffff {
			slot := int(uint32(e)) - 1
			if at := slot * stride; table[at+1] == k && (!t.l.hashed || table[at] == int64(h)) {
				return int32(slot)
			}
		}
		p = (p + 1) & mask
	}
	slot := t.insert(h, p)
	t.words[int(slot)*stride+1] = k
	return slot
}

// spreadWords writes the words of a one-word column of another type than BIGINT to the places of the rows.
func (l *Layout) spreadWords(v column.Vector, rows []int32, n int) []int64 {
	if cap(l.scratch.words) < n {
		l.scratch.words = make([]int64, n+n/4)
	}
	words := l.scratch.words[:n]
	switch c := v.(type) {
	case *column.Fixed[int32]:
		spreadInts(words, c.Values, rows)
	case *column.Fixed[uint64]:
		spreadInts(words, c.Values, rows)
	case *column.Fixed[uint32]:
		spreadInts(words, c.Values, rows)
	default:
		for _, r := range rows {
			words[r], _, _ = fixedWords(v, int(r))
		}
	}
	return words
}

func spreadInts[T integer](dst []int64, vals []T, rows []int32) {
	for _, r := range rows {
		dst[r] = int64(vals[r])
	}
}

// findFixed serves fixed layouts; enc has keyWords words per entry of rows.
func (t *Table) findFixed(hashes []uint64, enc []int64, rows, dst []int32) {
	l, k, stride := t.l, t.l.keyWords, t.l.stride
	var last [block]int64
	for len(rows) > 0 {
		n := min(len(rows), block)
		slots := dst[:n]
		t.firstSlots(slots, hashes, rows[:n])
		t.lastWords(&last, slots)
		table := t.words
		for j, r := range rows[:n] {
			key := enc[j*k : (j+1)*k]
			if last[j&(block-1)] == key[k-1] && slots[j] >= 0 && l.sameWords(table[int(slots[j])*stride:], hashes[r], key) {
				continue
			}
			slots[j] = t.putFixed(hashes[r], key)
			table = t.words
		}
		rows, dst, enc = rows[n:], dst[n:], enc[n*k:]
	}
}

// firstSlots writes the slot at the home place of each row's key, if the hash is the same, or -1.
func (t *Table) firstSlots(slots []int32, hashes []uint64, rows []int32) {
	index := t.index
	mask := uint64(len(index) - 1)
	slots = slots[:len(rows)]
	for j, r := range rows {
		h := hashes[r]
		e := index[h&mask&uint64(len(index)-1)]
		slot := int32(uint32(e)) - 1
		if uint32(e>>32) != uint32(h) {
			slot = -1
		}
		slots[j] = slot
	}
}

// lastWords reads the last word of the key in each slot, whatever for -1.
func (t *Table) lastWords(words *[block]int64, slots []int32) {
	k, stride, table := t.l.keyWords, t.l.stride, t.words
	if len(table) == 0 {
		return
	}
	for j, slot := range slots {
		words[j&(block-1)] = table[max(int(slot), 0)*stride+k]
	}
}

// putFixed finds or inserts one key of a fixed layout.
func (t *Table) putFixed(h uint64, key []int64) int32 {
	slot, p := t.seekFixed(h, key)
	if slot < 0 {
		slot = t.insert(h, p)
		copy(t.words[int(slot)*t.l.stride+1:], key)
	}
	return slot
}

// seekFixed gives the slot of a key, or -1 and the place in the index where it belongs.
func (t *Table) seekFixed(h uint64, key []int64) (slot int32, place uint64) {
	mask := uint64(len(t.index) - 1)
	p := h & mask
	for {
		e := t.index[p]
		if e == 0 {
			return -1, p
		}
		if e>>32 == h&0xffffffff {
			slot := int32(uint32(e)) - 1
			if t.l.sameWords(t.words[int(slot)*t.l.stride:], h, key) {
				return slot, p
			}
		}
		p = (p + 1) & mask
	}
}

// sameWords reports whether a row has this key.
func (l *Layout) sameWords(row []int64, h uint64, key []int64) bool {
	if l.hashed && row[0] != int64(h) {
		return false
	}
	row = row[1 : 1+len(key)]
	for i, k := range key {
		if row[i] != k {
			return false
		}
	}
	return true
}

func (t *Table) findOneBytes(hashes []uint64, key *column.Bytes, rows, dst []int32) {
	var refs [block]int64
	enc := t.l.scratch.bytes
	for len(rows) > 0 {
		n := min(len(rows), block)
		t.firstRefs(&refs, hashes, rows[:n], dst[:n])
		for j, r := range rows[:n] {
			if ref := refs[j&(block-1)]; ref >= 0 && oneBytesEqual(t.key(ref), key, int(r)) {
				continue
			}
			enc = encodeOneBytes(enc[:0], key, int(r))
			dst[j] = t.putArena(hashes[r], enc)
		}
		rows, dst = rows[n:], dst[n:]
	}
	t.l.scratch.bytes = enc
}

// firstRefs finds the rows whose hashes match at the home place, with their keys' places in the arena, -1 where there is
// none.
func (t *Table) firstRefs(refs *[block]int64, hashes []uint64, rows, slots []int32) {
	var first [block]uint64
	t.firstEntries(&first, hashes, rows)
	stride, hashed, table := t.l.stride, t.l.hashed, t.words
	slots = slots[:len(rows)]
	for j, r := range rows {
		e := first[j&(block-1)]
		ref := int64(-1)
		if e>>32 == hashes[r]&0xffffffff && e != 0 {
			slots[j] = int32(uint32(e)) - 1
			if at := int(slots[j]) * stride; !hashed || table[at] == int64(hashes[r]) {
				ref = table[at+1]
			}
		}
		refs[j&(block-1)] = ref
	}
}

// A key of one variable-width column is encoded as a byte 1 and the value, or a byte 0 for null.
func encodeOneBytes(buf []byte, key *column.Bytes, i int) []byte {
	if !key.Valid.IsValid(i) {
		return append(buf, 0)
	}
	return append(append(buf, 1), key.At(i)...)
}

func oneBytesEqual(stored []byte, key *column.Bytes, i int) bool {
	if key.Valid != nil && !key.Valid.Get(i) {
		return stored[0] == 0
	}
	return stored[0] == 1 && string(stored[1:]) == key.Str(i)
}

// findArena serves every other key: a block of them is encoded, then looked up.
func (t *Table) findArena(hashes []uint64, keys []column.Vector, rows, dst []int32) {
	var refs [block]int64
	var ends [block]int
	for len(rows) > 0 {
		n := min(len(rows), block)
		t.firstRefs(&refs, hashes, rows[:n], dst[:n])
		enc := t.l.scratch.bytes[:0]
		for j, r := range rows[:n] {
			for _, k := range keys {
				enc = AppendValue(enc, k, int(r))
			}
			ends[j&(block-1)] = len(enc)
		}
		t.l.scratch.bytes = enc
		from := 0
		for j, r := range rows[:n] {
			key := enc[from:ends[j&(block-1)]]
			from += len(key)
			if ref := refs[j&(block-1)]; ref >= 0 && bytes.Equal(t.key(ref), key) {
				continue
			}
			dst[j] = t.putArena(hashes[r], key)
		}
		rows, dst = rows[n:], dst[n:]
	}
}

// putArena finds or inserts one encoded key of an arena layout.
func (t *Table) putArena(h uint64, key []byte) int32 {
	slot, p := t.seekArena(h, key)
	if slot < 0 {
		slot = t.insertArena(h, p, key)
	}
	return slot
}

func (t *Table) seekArena(h uint64, key []byte) (slot int32, place uint64) {
	mask := uint64(len(t.index) - 1)
	p := h & mask
	for {
		e := t.index[p]
		if e == 0 {
			return -1, p
		}
		if e>>32 == h&0xffffffff {
			slot := int32(uint32(e)) - 1
			if (!t.l.hashed || t.Hash(slot) == h) && bytes.Equal(t.KeyBytes(slot), key) {
				return slot, p
			}
		}
		p = (p + 1) & mask
	}
}

func (t *Table) insertArena(h, p uint64, key []byte) int32 {
	slot := t.insert(h, p)
	t.words[int(slot)*t.l.stride+1] = int64(len(t.arena))
	t.arena = appendKey(t.arena, key)
	return slot
}

// FindOrInsertFrom finds the keys of rows of another table with the same layout and inserts those that are missing, with
// zero values; the slots go into dst, which is grown as needed and returned. src is not t.
func (t *Table) FindOrInsertFrom(src *Table, slots []int32, dst []int32) []int32 {
	if cap(dst) < len(slots) {
		dst = make([]int32, len(slots)+len(slots)/4)
	}
	dst = dst[:len(slots)]
	k := t.l.keyWords
	if k == 1 && !t.l.arena {
		t.findOneWordFrom(src, slots, dst)
		return dst
	}
	for j, s := range slots {
		row := src.words[int(s)*src.l.stride:]
		if t.l.arena {
			dst[j] = t.putArena(uint64(row[0]), src.KeyBytes(s))
		} else {
			dst[j] = t.putFixed(uint64(row[0]), row[1:1+k])
		}
	}
	return dst
}

// findOneWordFrom serves keys of one word, whatever their type.
func (t *Table) findOneWordFrom(src *Table, slots, dst []int32) {
	var hashes [block]uint64
	var words [block]int64
	stride, from := t.l.stride, src.words
	for len(slots) > 0 {
		n := min(len(slots), block)
		for j, s := range slots[:n] {
			at := int(s) * stride
			hashes[j&(block-1)], words[j&(block-1)] = uint64(from[at]), from[at+1]
		}
		t.findWords(hashes[:n], words[:n], dst[:n])
		slots, dst = slots[n:], dst[n:]
	}
}

// FindFrom is like FindOrInsertFrom but inserts nothing: a missing key's slot is -1.
func (t *Table) FindFrom(src *Table, slots []int32, dst []int32) []int32 {
	dst = dst[:0]
	for _, s := range slots {
		row := src.words[int(s)*src.l.stride:]
		var slot int32
		if t.l.arena {
			slot, _ = t.seekArena(uint64(row[0]), src.KeyBytes(s))
		} else {
			slot, _ = t.seekFixed(uint64(row[0]), row[1:1+t.l.keyWords])
		}
		dst = append(dst, slot)
	}
	return dst
}

// AppendKeys appends the keys of the slots to one appender per key column.
func (t *Table) AppendKeys(slots []int32, out []column.Appender) {
	if !t.l.arena {
		at := 0
		for k, o := range out {
			t.appendFixed(k, at, slots, o)
			at += t.l.widths[k]
		}
		return
	}
	if t.l.oneBytes {
		c := out[0].(*column.Bytes)
		for _, s := range slots {
			if key := t.KeyBytes(s); key[0] == 0 {
				c.AppendNull()
			} else {
				c.Append(key[1:])
			}
		}
		return
	}
	for _, s := range slots {
		key := t.KeyBytes(s)
		for _, o := range out {
			key, _ = TakeValue(key, o)
		}
	}
}

package state

import (
	"bytes"

	"wadi/dataflow/column"
)

// Find is like FindOrInsert but inserts nothing: a missing key's slot is -1.
func (t *Table) Find(hashes []uint64, keys []column.Vector, n int, sel []int32, dst []int32) []int32 {
	sel, dst = t.rowsAndSlots(n, sel, dst)
	switch {
	case t.live == 0:
		for i := range dst {
			dst[i] = -1
		}
	case len(sel) == 0:
	case len(keys) == 0:
		t.findEmpty(hashes[sel[0]], dst)
	case !t.l.arena:
		t.lookFixed(hashes, t.l.encodeFixed(keys, sel), sel, dst)
	default:
		t.lookArena(hashes, keys, sel, dst)
	}
	return dst
}

// lookFixed serves fixed layouts; enc has keyWords words per entry of rows.
func (t *Table) lookFixed(hashes []uint64, enc []int64, rows, dst []int32) {
	k, stride, table := t.l.keyWords, t.l.stride, t.words
	var last [block]int64
	for len(rows) > 0 {
		n := min(len(rows), block)
		slots := dst[:n]
		t.firstSlots(slots, hashes, rows[:n])
		t.lastWords(&last, slots)
		for j, r := range rows[:n] {
			key := enc[j*k : (j+1)*k]
			slot := slots[j]
			if slot < 0 || last[j&(block-1)] != key[k-1] || !t.l.sameWords(table[int(slot)*stride:], hashes[r], key) {
				slots[j], _ = t.seekFixed(hashes[r], key)
			}
		}
		rows, dst, enc = rows[n:], dst[n:], enc[n*k:]
	}
}

// lookArena serves every other key.
func (t *Table) lookArena(hashes []uint64, keys []column.Vector, rows, dst []int32) {
	var refs [block]int64
	enc := t.l.scratch.bytes
	for len(rows) > 0 {
		n := min(len(rows), block)
		t.firstRefs(&refs, hashes, rows[:n], dst[:n])
		for j, r := range rows[:n] {
			enc = enc[:0]
			if t.l.oneBytes {
				enc = encodeOneBytes(enc, keys[0].(*column.Bytes), int(r))
			} else {
				for _, v := range keys {
					enc = AppendValue(enc, v, int(r))
				}
			}
			if ref := refs[j&(block-1)]; ref < 0 || !bytes.Equal(t.key(ref), enc) {
				dst[j], _ = t.seekArena(hashes[r], enc)
			}
		}
		rows, dst = rows[n:], dst[n:]
	}
	t.l.scratch.bytes = enc
}

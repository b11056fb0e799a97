package updating

import (
	"wadi/dataflow/column"
)

// touched is the groups that may have changed since the last flush, in the order of their first touch.
type touched struct {
	marks column.Bitmap
	slots []int32
	// old is, per slot of slots, the row of its kept result, or -1 if it had none.
	old []int32
	new []int32
}

// fresh gives the slots, all below n, that are not touched yet, each once, and marks them; add must follow for each.
func (t *touched) fresh(slots []int32, n int) []int32 {
	if need := column.Words(n); need > len(t.marks) {
		t.marks = t.marks.Grow(64 * (need + need/2))
	}
	t.new = t.new[:0]
	marks := t.marks
	for _, s := range slots {
		w, bit := uint(s)>>6, uint64(1)<<(uint(s)&63)
		if marks[w]&bit == 0 {
			marks[w] |= bit
			t.new = append(t.new, s)
		}
	}
	return t.new
}

// add notes a touched slot and the row of its kept result.
func (t *touched) add(slot, old int32) {
	if w := column.Words(int(slot) + 1); w > len(t.marks) {
		t.marks = t.marks.Grow(64 * w)
	}
	t.marks.Set(int(slot))
	t.slots = append(t.slots, slot)
	t.old = append(t.old, old)
}

// reset forgets all.
func (t *touched) reset() {
	for _, s := range t.slots {
		t.marks.Clear(int(s))
	}
	t.slots, t.old = t.slots[:0], t.old[:0]
}

// has reports whether a slot is touched.
func (t *touched) has(slot int32) bool {
	return int(slot)>>6 < len(t.marks) && t.marks.Get(int(slot))
}

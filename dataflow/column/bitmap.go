package column

import "math/bits"

// Bitmap holds one bit per row, least significant bit first: Arrow's layout on a little-endian machine. As validity, a
// set bit means "not null" and a nil Bitmap means that no row is null.
type Bitmap []uint64

// Words is the number of words that n bits take.
func Words(n int) int { return (n + 63) / 64 }

// NewBitmap makes a bitmap of n bits, all with this value.
func NewBitmap(n int, value bool) Bitmap {
	b := make(Bitmap, Words(n))
	if value {
		b.SetAll(n)
	}
	return b
}

// Get gives bit i.
func (b Bitmap) Get(i int) bool { return b[uint(i)>>6]>>(uint(i)&63)&1 != 0 }

// IsValid gives bit i of a validity bitmap; true when b is nil.
func (b Bitmap) IsValid(i int) bool { return b == nil || b.Get(i) }

// Set sets bit i.
func (b Bitmap) Set(i int) { b[uint(i)>>6] |= 1 << (uint(i) & 63) }

// Clear clears bit i.
func (b Bitmap) Clear(i int) { b[uint(i)>>6] &^= 1 << (uint(i) & 63) }

// SetRange sets the bits from on up to to.
func (b Bitmap) SetRange(from, to int) {
	for from < to {
		at := uint(from) & 63
		n := min(to-from, int(64-at))
		b[from/64] |= ^uint64(0) >> (64 - uint(n)) << at
		from += n
	}
}

// SetTo sets bit i to v.
func (b Bitmap) SetTo(i int, v bool) {
	if v {
		b.Set(i)
	} else {
		b.Clear(i)
	}
}

// SetAll sets the first n bits.
func (b Bitmap) SetAll(n int) {
	for i := range b[:Words(n)] {
		b[i] = ^uint64(0)
	}
}

// ClearAll clears every bit.
func (b Bitmap) ClearAll() { clear(b) }

// Count is the number of set bits among the first n.
func (b Bitmap) Count(n int) int {
	c := 0
	for _, w := range b[:n/64] {
		c += bits.OnesCount64(w)
	}
	if r := n & 63; r != 0 {
		c += bits.OnesCount64(b[n/64] & (1<<r - 1))
	}
	return c
}

// Grow returns b with room for n bits; new words are zero. Bits beyond the old length must have been kept zero.
func (b Bitmap) Grow(n int) Bitmap {
	w := Words(n)
	if w <= len(b) {
		return b[:w]
	}
	if w <= cap(b) {
		old := len(b)
		b = b[:w]
		clear(b[old:])
		return b
	}
	nb := make(Bitmap, w, w+w/2+1)
	copy(nb, b)
	return nb
}

// Resize returns a bitmap of n bits that reuses b's memory; its contents are undefined.
func (b Bitmap) Resize(n int) Bitmap {
	w := Words(n)
	if w <= cap(b) {
		return b[:w]
	}
	return make(Bitmap, w, w+w/2)
}

// And writes x AND y into dst for n bits, where nil stands for all ones, and returns the result: nil when both are nil.
// dst's memory is reused if it is large enough; it may be x or y.
func And(dst, x, y Bitmap, n int) Bitmap {
	switch {
	case x == nil && y == nil:
		return nil
	case x == nil:
		x = y
		y = nil
	}
	w := Words(n)
	dst = dst.Resize(n)
	if y == nil {
		copy(dst, x[:w])
		return dst
	}
	for i := range dst[:w] {
		dst[i] = x[i] & y[i]
	}
	return dst
}

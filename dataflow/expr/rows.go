package expr

import (
	"math/bits"

	"wadi/dataflow/column"
)

// A selection is a list of ascending row numbers, or nil for all rows; an empty one is never nil. The functions here
// fill scratch memory, which they return grown, without a branch per row.

// scratchRows gives memory for n row numbers that is not nil.
func scratchRows(dst []int32, n int) []int32 {
	if cap(dst) < n || dst == nil {
		dst = make([]int32, n, n+n/4)
	}
	return dst[:n]
}

// validRows gives the rows of sel whose bit is set.
func validRows(dst []int32, valid column.Bitmap, sel []int32, n int) []int32 {
	if valid == nil {
		if sel == nil {
			dst = scratchRows(dst, n)
			for i := range dst {
				dst[i] = int32(i)
			}
			return dst
		}
		return append(scratchRows(dst, len(sel))[:0], sel...)
	}
	if sel == nil {
		return bitRows(dst, valid, n)
	}
	dst = scratchRows(dst, len(sel))
	k := 0
	for _, r := range sel {
		dst[k] = r
		k += int(valid[uint32(r)>>6] >> (uint32(r) & 63) & 1)
	}
	return dst[:k]
}

// invalidRows gives the rows of sel whose bit is not set.
func invalidRows(dst []int32, valid column.Bitmap, sel []int32, n int) []int32 {
	if valid == nil {
		return scratchRows(dst, 0)
	}
	if sel == nil {
		dst = scratchRows(dst, n)
		k := 0
		for r := range n {
			dst[k] = int32(r)
			k += int(^valid[r>>6] >> (uint(r) & 63) & 1)
		}
		return dst[:k]
	}
	dst = scratchRows(dst, len(sel))
	k := 0
	for _, r := range sel {
		dst[k] = r
		k += int(^valid[uint32(r)>>6] >> (uint32(r) & 63) & 1)
	}
	return dst[:k]
}

// bitRows gives the numbers of the set bits among the first n.
func bitRows(dst []int32, b column.Bitmap, n int) []int32 {
	dst = scratchRows(dst, n)
	k := 0
	for i := range column.Words(n) {
		w := b[i]
		if rest := n - i*64; rest < 64 {
			w &= 1<<rest - 1
		}
		base := int32(i * 64)
		if w == ^uint64(0) {
			out := dst[k : k+64]
			for j := range out {
				out[j] = base + int32(j)
			}
			k += 64
			continue
		}
		for w != 0 {
			dst[k] = base + int32(bits.TrailingZeros64(w))
			k++
			w &= w - 1
		}
	}
	return dst[:k]
}

// setRows clears the first n bits of b and sets those of rows.
func setRows(b column.Bitmap, rows []int32, n int) column.Bitmap {
	b = b.Resize(n)
	clear(b)
	for _, r := range rows {
		b[uint32(r)>>6] |= 1 << (uint32(r) & 63)
	}
	return b
}

// without gives the rows of sel (all n when nil) that are not in rows, a subset of it.
func without(dst, sel, rows []int32, n int) []int32 {
	if sel == nil {
		dst = scratchRows(dst, n)
		k, next := 0, int32(0)
		for _, r := range rows {
			for ; next < r; next++ {
				dst[k] = next
				k++
			}
			next = r + 1
		}
		for ; next < int32(n); next++ {
			dst[k] = next
			k++
		}
		return dst[:k]
	}
	dst = scratchRows(dst, len(sel)+1)
	k, j := 0, 0
	for _, r := range sel {
		dst[k] = r
		if j < len(rows) && rows[j] == r {
			j++
		} else {
			k++
		}
	}
	return dst[:k]
}

// intersect gives the rows that are in both; sel may be nil for all.
func intersect(dst, rows, sel []int32) []int32 {
	dst = scratchRows(dst, len(rows))
	if sel == nil {
		copy(dst, rows)
		return dst
	}
	k, j := 0, 0
	for _, r := range rows {
		for j < len(sel) && sel[j] < r {
			j++
		}
		if j < len(sel) && sel[j] == r {
			dst[k] = r
			k++
		}
	}
	return dst[:k]
}

package column

import "math/bits"

// KeyRange is a slice of the 64-bit hash space, both ends included. Subtask i of n owns Range(i, n); the same function
// decides routing, sharding of state and what a restore reads.
type KeyRange struct {
	First, Last uint64
}

// AllKeys is the whole hash space.
var AllKeys = KeyRange{0, ^uint64(0)}

// Range gives the hashes that subtask i of n owns: contiguous, disjoint, and together everything. n is at least 1.
func Range(i, n int) KeyRange {
	if n == 1 {
		return AllKeys
	}
	r := KeyRange{First: rangeStart(i, n), Last: ^uint64(0)}
	if i+1 < n {
		r.Last = rangeStart(i+1, n) - 1
	}
	return r
}

// rangeStart is the smallest h with Owner(h, n) == i: the ceiling of i·2⁶⁴/n.
func rangeStart(i, n int) uint64 {
	q, r := bits.Div64(uint64(i), 0, uint64(n))
	if r != 0 {
		q++
	}
	return q
}

// Owner is the index of the subtask of n whose Range holds h: ⌊h·n/2⁶⁴⌋.
func Owner(h uint64, n int) int {
	hi, _ := bits.Mul64(h, uint64(n))
	return int(hi)
}

// Contains reports whether h lies in the range.
func (r KeyRange) Contains(h uint64) bool { return r.First <= h && h <= r.Last }

// Overlaps reports whether the ranges share a hash.
func (r KeyRange) Overlaps(o KeyRange) bool { return r.First <= o.Last && o.First <= r.Last }

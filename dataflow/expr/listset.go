package expr

import (
	"slices"

	"wadi/dataflow/column"
)

// elemSet finds values among the elements of one list. Null is a value in it, and NaN equals NaN.
type elemSet struct {
	vec column.Vector
	// sorted are the elements in order if there are enough for that to pay.
	sorted   []int32
	from, to int
}

// scanMax is the length up to which a list is searched from start to end.
const scanMax = 12

// set makes the set of the elements from..to-1 of vec.
func (s *elemSet) set(vec column.Vector, from, to int) {
	s.vec, s.from, s.to = vec, from, to
	s.sorted = s.sorted[:0]
	if to-from > scanMax {
		s.sorted = sortedElems(s.sorted, vec, from, to)
	}
}

// sortedElems gives the elements from..to-1 in ascending order, nulls last and equal ones as they stand.
func sortedElems(dst []int32, vec column.Vector, from, to int) []int32 {
	for e := from; e < to; e++ {
		dst = append(dst, int32(e))
	}
	slices.SortStableFunc(dst, func(a, b int32) int { return compareRows(vec, int(a), vec, int(b)) })
	return dst
}

// has reports whether the set has value i of vec.
func (s *elemSet) has(vec column.Vector, i int) bool {
	if len(s.sorted) > 0 {
		_, ok := slices.BinarySearchFunc(s.sorted, i, func(e int32, i int) int { return compareRows(s.vec, int(e), vec, i) })
		return ok
	}
	for e := s.from; e < s.to; e++ {
		if compareRows(s.vec, e, vec, i) == 0 {
			return true
		}
	}
	return false
}

// distinct gives the elements from..to-1 of vec without those that equal an earlier one, in their order.
func distinctElems(dst []int32, vec column.Vector, from, to int) []int32 {
	if to-from <= scanMax {
		for e := from; e < to; e++ {
			if !slices.ContainsFunc(dst, func(d int32) bool { return compareRows(vec, int(d), vec, e) == 0 }) {
				dst = append(dst, int32(e))
			}
		}
		return dst
	}
	dst = sortedElems(dst, vec, from, to)
	dst = slices.CompactFunc(dst, func(a, b int32) bool { return compareRows(vec, int(a), vec, int(b)) == 0 })
	slices.Sort(dst)
	return dst
}

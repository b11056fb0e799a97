package window

import (
	"math"

	"wadi/dataflow/eventtime"
)

// Times are nanoseconds since the Unix epoch. Sums and floors saturate at the ends of the range instead of wrapping.

// floorTo is the greatest multiple of width that is not after t, also for times before the epoch; width > 0. The slice of
// time that is cut off by the beginning of the range starts there.
func floorTo(t, width int64) int64 {
	r := t % width
	if r < 0 {
		r += width
	}
	if t < math.MinInt64+r {
		return math.MinInt64
	}
	return t - r
}

// nextMultiple is the least multiple of width after start, which floorTo gave.
func nextMultiple(start, width int64) int64 {
	if r := start % width; r != 0 { // cut off by the beginning of the range
		return start - r
	}
	return eventtime.Add(start, width)
}

// lastOf is the last time that floorTo takes to start.
func lastOf(start, width int64) int64 {
	if start%width != 0 {
		return nextMultiple(start, width) - 1
	}
	return eventtime.Add(start, width-1)
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

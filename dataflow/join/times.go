package join

import "math"

// Times are nanoseconds since the Unix epoch; sums and differences saturate at the ends of the range.

func add(t, d int64) int64 {
	s := t + d
	if d > 0 && s < t {
		return math.MaxInt64
	}
	if d < 0 && s > t {
		return math.MinInt64
	}
	return s
}

func subtract(t, d int64) int64 {
	if d == math.MinInt64 {
		return add(add(t, math.MaxInt64), 1)
	}
	return add(t, -d)
}

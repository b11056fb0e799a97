// Package eventtime is the arithmetic of event times: nanoseconds since the Unix epoch, before it negative, that must not
// wrap at the ends of the range, where the first and the last watermark stand. Pure functions; nothing blocks.
package eventtime

import "math"

// Add is t + d, saturated at the ends of the range.
func Add(t, d int64) int64 {
	s := t + d
	if d > 0 && s < t {
		return math.MaxInt64
	}
	if d < 0 && s > t {
		return math.MinInt64
	}
	return s
}

// FloorDiv is a / b rounded down, also for negative a; b > 0.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// FloorMod is what FloorDiv leaves: a − b·FloorDiv(a, b), in [0, b); b > 0.
func FloorMod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}

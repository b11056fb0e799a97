package eventtime_test

import (
	"math"
	"testing"

	"wadi/dataflow/eventtime"
)

func TestAddSaturates(t *testing.T) {
	for _, c := range []struct{ t, d, want int64 }{
		{1, 2, 3}, {1, -2, -1}, {math.MaxInt64, 1, math.MaxInt64}, {math.MaxInt64 - 1, 1, math.MaxInt64},
		{math.MinInt64, -1, math.MinInt64}, {math.MinInt64 + 5, -5, math.MinInt64}, {math.MinInt64, math.MinInt64, math.MinInt64},
		{math.MinInt64, math.MaxInt64, -1}, {math.MaxInt64, math.MinInt64, -1}, {7, 0, 7},
	} {
		if got := eventtime.Add(c.t, c.d); got != c.want {
			t.Errorf("%d + %d is %d, want %d", c.t, c.d, got, c.want)
		}
	}
}

func TestFloorDivRoundsDown(t *testing.T) {
	for _, c := range []struct{ a, b, want int64 }{
		{7, 2, 3}, {-7, 2, -4}, {-8, 2, -4}, {0, 3, 0}, {-1, 10, -1}, {math.MinInt64, 1, math.MinInt64}, {math.MaxInt64, 10, math.MaxInt64 / 10},
	} {
		if got := eventtime.FloorDiv(c.a, c.b); got != c.want {
			t.Errorf("%d / %d rounded down is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

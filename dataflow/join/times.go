package join

import (
	"math"

	"wadi/dataflow/eventtime"
)

// Times are nanoseconds since the Unix epoch; sums and differences saturate at the ends of the range.

func subtract(t, d int64) int64 {
	if d == math.MinInt64 {
		return eventtime.Add(eventtime.Add(t, math.MaxInt64), 1)
	}
	return eventtime.Add(t, -d)
}

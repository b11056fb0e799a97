package grid

import (
	"math"
	"time"

	"wadi/dataflow/eventtime"
	"wadi/dataflow/graph"
	"wadi/dataflow/zone"
)

const dayNanos = int64(24 * time.Hour)

// clock is the clock of a zone. What it shows is written as the nanoseconds since 1970-01-01 00:00 on it.
type clock struct {
	loc *time.Location
	// now is the period that was looked up last.
	now period
	ok  bool
}

// period is a time [start, end) in which the clock is as far from UTC throughout.
type period struct{ start, end, offset int64 }

func (c *clock) period(t int64) period {
	if c.ok && t >= c.now.start && (t < c.now.end || c.now.end == math.MaxInt64) {
		return c.now
	}
	p := zone.PeriodAt(c.loc, eventtime.FloorDiv(t, 1e9))
	c.now = period{nanosOf(p.Start), nanosOf(p.End), p.Offset * 1e9}
	c.ok = true
	return c.now
}

// nanosOf turns seconds into nanoseconds, cut off at the ends of the range.
func nanosOf(seconds int64) int64 {
	switch {
	case seconds > math.MaxInt64/int64(time.Second):
		return math.MaxInt64
	case seconds < math.MinInt64/int64(time.Second):
		return math.MinInt64
	}
	return seconds * 1e9
}

// shown is what the clock shows at t.
func (c *clock) shown(t int64) int64 { return eventtime.Add(t, c.period(t).offset) }

// farthest is more than what any clock is from UTC.
const farthest = 26 * int64(time.Hour)

// moment is the first time at which the clock shows a time or a later one. The ends of the range stand for themselves.
func (c *clock) moment(shown int64) int64 {
	if shown == math.MaxInt64 || shown == math.MinInt64 {
		return shown
	}
	if at := eventtime.Add(shown, -c.now.offset); c.ok && at < c.now.end && at >= eventtime.Add(c.now.start, 2*farthest) {
		return at // long after the last change of the clock, so that it cannot have shown this before
	}
	p := c.period(eventtime.Add(shown, -farthest))
	for {
		if at := eventtime.Add(shown, -p.offset); at < p.end || p.end == math.MaxInt64 {
			return max(at, p.start)
		}
		p = c.period(p.end)
	}
}

// advance adds a length to what a clock shows, months to the last day where the month is shorter; cut off at the ends of
// the range.
func advance(shown, n int64, unit graph.Unit) int64 {
	if shown == math.MaxInt64 || shown == math.MinInt64 {
		return shown
	}
	switch unit {
	case graph.Nanoseconds:
		return eventtime.Add(shown, n)
	case graph.Days:
		return joined(eventtime.FloorDiv(shown, dayNanos)+n, eventtime.FloorMod(shown, dayNanos))
	}
	y, m, d := dateOf(eventtime.FloorDiv(shown, dayNanos))
	month := y*12 + int64(m-1) + n
	y, m = eventtime.FloorDiv(month, 12), int(eventtime.FloorMod(month, 12))+1
	return joined(daysOf(y, m, min(d, daysIn(y, m))), eventtime.FloorMod(shown, dayNanos))
}

// joined is a day since 1970-01-01 and a time of day.
func joined(day, nanos int64) int64 {
	switch {
	case day > math.MaxInt64/dayNanos:
		return math.MaxInt64
	case day < math.MinInt64/dayNanos:
		return math.MinInt64
	}
	return eventtime.Add(day*dayNanos, nanos)
}

// difference is about how many units there are from one shown time to another.
func difference(from, to int64, unit graph.Unit) int64 {
	switch unit {
	case graph.Days:
		return eventtime.FloorDiv(to, dayNanos) - eventtime.FloorDiv(from, dayNanos)
	case graph.Months:
		return monthOf(to) - monthOf(from)
	}
	return eventtime.Add(to, -max(from, -math.MaxInt64))
}

// monthOf counts the months from January 1970.
func monthOf(shown int64) int64 {
	y, m, _ := dateOf(eventtime.FloorDiv(shown, dayNanos))
	return (y-1970)*12 + int64(m-1)
}

// daysOf counts the days from 1970-01-01 to a date of the Gregorian calendar, and dateOf is the inverse, as in Howard
// Hinnant's "chrono-Compatible Low-Level Date Algorithms".
func daysOf(y int64, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := eventtime.FloorDiv(y, 400)
	yoe := y - era*400
	doy := (153*(int64(m+9)%12)+2)/5 + int64(d) - 1
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy - 719468
}

func dateOf(day int64) (y int64, m, d int) {
	z := day + 719468
	era := eventtime.FloorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	y, m, d = yoe+era*400, int(mp+2)%12+1, int(doy-(153*mp+2)/5)+1
	if m <= 2 {
		y++
	}
	return y, m, d
}

func daysIn(y int64, m int) int {
	return int(daysOf(y+int64(m/12), m%12+1, 1) - daysOf(y, m, 1))
}

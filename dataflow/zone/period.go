package zone

import (
	"math"
	"time"
)

// Period is a time [Start, End), seconds since 1970, in which a clock is Offset seconds east of Greenwich throughout. Where there is
// no change before or after it, it goes to the ends of the range.
type Period struct{ Start, End, Offset int64 }

// Has reports whether a second is within the period.
func (p Period) Has(sec int64) bool { return sec >= p.Start && sec < p.End }

// PeriodAt gives a period around a second. It need not be the longest one.
func PeriodAt(loc *time.Location, sec int64) Period {
	at := time.Unix(sec, 0).In(loc)
	_, offset := at.Zone()
	start, end := at.ZoneBounds()
	p := Period{math.MinInt64, math.MaxInt64, int64(offset)}
	if !start.IsZero() {
		p.Start = start.Unix()
	}
	if !end.IsZero() {
		if !end.After(at) {
			// Past the changes that the database lists, package time takes each year by itself and for 365 days long.
			end = end.Add(24 * time.Hour)
		}
		p.End = end.Unix()
	}
	return p
}

// Clock is the clock of a zone. It keeps the period of the time that it was asked for last, since times that come together are near
// each other. It belongs to one goroutine.
type Clock struct {
	loc *time.Location
	// now is the period that was asked for last, next the one behind it if both were needed.
	now, next Period
}

// NewClock makes the clock of a zone.
func NewClock(loc *time.Location) *Clock {
	return &Clock{loc: loc, now: PeriodAt(loc, 0), next: PeriodAt(loc, 0)}
}

// Location is the zone.
func (c *Clock) Location() *time.Location { return c.loc }

// Local is what the clock shows at a moment, as seconds of a clock in UTC.
func (c *Clock) Local(sec int64) int64 {
	if !c.now.Has(sec) {
		c.now = PeriodAt(c.loc, sec)
	}
	return sec + c.now.Offset
}

// day is more than what any clock is from UTC.
const day = 24 * 60 * 60

// Moment is the inverse. As in PostgreSQL, a time that the clock skips is taken with the offset before the change, one that it
// shows twice with the offset after it.
func (c *Clock) Moment(local int64) int64 {
	if !c.now.Has(local - day) {
		c.now = PeriodAt(c.loc, local-day)
	}
	if local+day < c.now.End {
		return local - c.now.Offset
	}
	if !c.next.Has(local + day) {
		c.next = PeriodAt(c.loc, local+day)
	}
	before, after := c.now.Offset, c.next.Offset
	if before == after {
		return local - after
	}
	// The change is seen by what the clock shows at the moment that the offset after it gives.
	sec := local - after
	of := c.now
	if !of.Has(sec) {
		if of = c.next; !of.Has(sec) {
			of = PeriodAt(c.loc, sec)
		}
	}
	if of.Offset == after {
		return sec
	}
	return local - before
}

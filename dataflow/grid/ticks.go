package grid

import (
	"math"
	"time"

	"wadi/dataflow/eventtime"
	"wadi/dataflow/graph"
)

// ticks are moments that follow each other for ever.
type ticks interface {
	// floor is the last tick that is not after t; the beginning of the range if there is none.
	floor(t int64) int64
	// next is the first tick after t; the end of the range if there is none.
	next(t int64) int64
}

func newTicks(n int64, unit graph.Unit, offset graph.Offset, c *clock) ticks {
	switch {
	case unit == graph.Months:
		return &labelled{c, &months{n: n, offset: offset}}
	case unit == graph.Days:
		return &labelled{c, &days{n: n, offset: offset}}
	case c.loc == time.UTC:
		return &regular{n, eventtime.FloorMod(offset.Nanos, n)}
	}
	return &hours{c, &regular{n, eventtime.FloorMod(offset.Nanos, n)}}
}

// regular ticks are equally far from each other: multiples of width plus offset, which is in [0, width).
type regular struct{ width, offset int64 }

// since is how far t is behind the last tick.
func (k *regular) since(t int64) int64 {
	r := t % k.width
	if r < 0 {
		r += k.width
	}
	if r -= k.offset; r < 0 {
		r += k.width
	}
	return r
}

func (k *regular) floor(t int64) int64 { return eventtime.Add(t, -k.since(t)) }

func (k *regular) next(t int64) int64 { return eventtime.Add(t, k.width-k.since(t)) }

// hours are ticks at which the clock of a zone shows a multiple, each time that it does, or jumps over one.
type hours struct {
	clock *clock
	// shown are the multiples that the clock shows.
	shown *regular
}

func (k *hours) floor(t int64) int64 {
	for {
		p := k.clock.period(t)
		shown := k.shown.floor(eventtime.Add(t, p.offset))
		if shown == math.MinInt64 { // cut off
			return shown
		}
		tick := eventtime.Add(shown, -p.offset)
		if tick >= p.start || p.start == math.MinInt64 {
			return tick
		}
		// The multiple was shown before the clock was changed, or jumped over.
		before := k.clock.period(p.start - 1)
		if shown >= p.start+before.offset {
			return p.start
		}
		t = p.start - 1
	}
}

func (k *hours) next(t int64) int64 {
	for {
		p := k.clock.period(t)
		shown := k.shown.next(eventtime.Add(t, p.offset))
		if shown == math.MaxInt64 {
			return shown
		}
		tick := eventtime.Add(shown, -p.offset)
		if tick < p.end || p.end == math.MaxInt64 {
			return tick
		}
		if k.floor(p.end) == p.end {
			return p.end
		}
		t = p.end
	}
}

// labelled ticks are the moments at which the clock of a zone first shows the times of a calendar.
type labelled struct {
	clock  *clock
	labels labels
}

// labels are times of a calendar, numbered.
type labels interface {
	at(k int64) int64
	// index is the number of the last label that is not after shown.
	index(shown int64) int64
}

func (k *labelled) tick(i int64) int64 { return k.clock.moment(k.labels.at(i)) }

// last is the number of the last label whose tick is not after t.
func (k *labelled) last(t int64) int64 {
	i := k.labels.index(k.clock.shown(t))
	for k.tick(i) > t {
		i--
	}
	for at := k.tick(i + 1); at <= t && at < math.MaxInt64; at = k.tick(i + 1) {
		i++
	}
	return i
}

func (k *labelled) floor(t int64) int64 {
	if t == math.MinInt64 {
		return t
	}
	return k.tick(k.last(t))
}

func (k *labelled) next(t int64) int64 {
	// Labels that the clock jumps over have the same tick.
	for i := k.last(t) + 1; ; i++ {
		if at := k.tick(i); at > t || at == math.MaxInt64 {
			return at
		}
	}
}

// days are every n days since 1970-01-01, moved by an offset.
type days struct {
	n      int64
	offset graph.Offset
}

func (d *days) at(k int64) int64 {
	return advance(advance(0, k*d.n+d.offset.Days, graph.Days), d.offset.Nanos, graph.Nanoseconds)
}

func (d *days) index(shown int64) int64 {
	day := eventtime.FloorDiv(eventtime.Add(shown, -d.offset.Nanos), dayNanos)
	return eventtime.FloorDiv(day-d.offset.Days, d.n)
}

// months are the beginnings of every n months since January 1970, moved by an offset.
type months struct {
	n      int64
	offset graph.Offset
}

func (m *months) at(k int64) int64 {
	t := advance(0, k*m.n+m.offset.Months, graph.Months)
	return advance(advance(t, m.offset.Days, graph.Days), m.offset.Nanos, graph.Nanoseconds)
}

func (m *months) index(shown int64) int64 {
	t := advance(advance(shown, -m.offset.Nanos, graph.Nanoseconds), -m.offset.Days, graph.Days)
	return eventtime.FloorDiv(monthOf(t)-m.offset.Months, m.n)
}

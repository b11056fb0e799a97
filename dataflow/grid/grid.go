// Package grid says where time windows begin and end.
//
// In comes a graph.Window, out come its windows around a time: with fixed lengths by arithmetic, with days, months and
// time zones by the calendar. Times are nanoseconds since the Unix epoch, before it negative. A boundary is a time that
// the clock of the zone shows; where the clock jumps over it, it is the moment of the jump. A midnight that comes twice
// starts its day when it comes first. An hour or another boundary below a day starts a window each time that it comes.
//
// A Grid remembers where in its zone it was and belongs to one goroutine. What lies beyond the ends of the range is cut
// off there: the last window ends at the end of time, the first pane begins at its beginning. Nothing here blocks.
package grid

import (
	"math"
	"time"

	"wadi/dataflow/eventtime"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/zone"
)

// Window is one window [Start, End).
type Window struct{ Start, End int64 }

// Grid is the windows of one kind, in the order of their ends and then of their starts.
type Grid interface {
	// Pane gives the first and the last time of the slice of time around t. Windows consist of whole panes.
	Pane(t int64) (start, last int64)
	// First is the earliest window that ends after t.
	First(t int64) Window
	// Next is the window after w; ok is false if w is the last.
	Next(w Window) (n Window, ok bool)
	// Closed is the time before which rows are late when the watermark is w.
	Closed(w int64) int64
}

// New makes the grid of a window.
func New(w graph.Window) (Grid, error) {
	if w.Width <= 0 || w.Slide <= 0 {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "a window's width and slide must be positive")
	}
	c := &clock{loc: time.UTC}
	if w.Zone != "" {
		loc, ok := zone.Load(w.Zone)
		if !ok {
			return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "there is no time zone %q", w.Zone).
				WithHint("zones are named 'Europe/Berlin' or '+02:00'; install the machine's time zone database")
		}
		c.loc = loc
	}
	if w.Kind == graph.Cumulate {
		g := &cumulating{whole: newTicks(w.Width, w.WidthUnit, w.Offset, c), step: w.Slide, unit: w.SlideUnit, clock: c}
		if w.Fixed() && w.Width%w.Slide == 0 {
			g.regular = newTicks(w.Slide, w.SlideUnit, w.Offset, c)
		}
		return g, nil
	}
	g := &sliding{starts: newTicks(w.Slide, w.SlideUnit, w.Offset, c)}
	k, aligned := Slides(w)
	switch {
	case aligned && (k == 1 || !w.Fixed()):
		g.length = &slides{g.starts, k}
	case w.WidthUnit == graph.Nanoseconds:
		g.length = &nanos{g.starts, w.Width}
	default:
		g.length = &calendar{g.starts, c, w.Width, w.WidthUnit}
	}
	g.aligned = aligned
	return g, nil
}

// Slides gives how many slides a window of a tumble or a hop is wide; ok is false if windows end between two starts.
func Slides(w graph.Window) (n int64, ok bool) {
	if w.Kind == graph.Cumulate || w.WidthUnit != w.SlideUnit || w.Width%w.Slide != 0 {
		return 0, false
	}
	return w.Width / w.Slide, true
}

// sliding is windows of one length that start at ticks: those of a tumble and of a hop.
type sliding struct {
	starts ticks
	length length
	// aligned windows end where others start.
	aligned bool
}

// length is how long windows are.
type length interface {
	// end is the end of the window that starts at s.
	end(s int64) int64
	// after is the first start of a window that ends after t.
	after(t int64) int64
}

func (g *sliding) Pane(t int64) (start, last int64) {
	start, end := g.starts.floor(t), g.starts.next(t)
	if !g.aligned {
		w := g.First(t)
		end = min(end, w.End)
		// The windows before w end at or before t, the last of them with the latest end.
		if before := g.starts.floor(w.Start - 1); w.Start > math.MinInt64 && before > math.MinInt64 {
			start = max(start, g.length.end(before))
		}
	}
	if end == math.MaxInt64 {
		return start, end
	}
	return start, end - 1
}

func (g *sliding) First(t int64) Window {
	s := g.length.after(t)
	return Window{s, g.length.end(s)}
}

func (g *sliding) Next(w Window) (Window, bool) {
	s := g.starts.next(w.Start)
	if s == math.MaxInt64 {
		return Window{}, false
	}
	return Window{s, g.length.end(s)}, true
}

// Closed lets rows count as long as the newest window that is open may hold them. So a hop takes rows less late than a
// tumble of its width, and a window's panes do not change any more once it has been put together.
func (g *sliding) Closed(w int64) int64 {
	if !g.aligned && g.First(w).Start > w { // between two windows
		start, _ := g.Pane(w)
		return start
	}
	return g.starts.floor(w)
}

// slides is a whole number of slides.
type slides struct {
	starts ticks
	n      int64
}

func (l *slides) end(s int64) int64 {
	for range l.n {
		if s = l.starts.next(s); s == math.MaxInt64 {
			break
		}
	}
	return s
}

func (l *slides) after(t int64) int64 {
	s := l.starts.floor(t)
	for range l.n - 1 {
		if s == math.MinInt64 {
			break
		}
		s = l.starts.floor(s - 1)
	}
	return s
}

// nanos is a fixed length.
type nanos struct {
	starts ticks
	width  int64
}

func (l *nanos) end(s int64) int64   { return eventtime.Add(s, l.width) }
func (l *nanos) after(t int64) int64 { return l.starts.next(eventtime.Add(t, -l.width)) }

// calendar is a number of days or months that is not counted in slides.
type calendar struct {
	starts ticks
	clock  *clock
	n      int64
	unit   graph.Unit
}

func (l *calendar) end(s int64) int64 {
	return l.clock.moment(advance(l.clock.shown(s), l.n, l.unit))
}

// after looks for the start by halves, since ends only grow with starts.
func (l *calendar) after(t int64) int64 {
	lo := l.clock.moment(advance(l.clock.shown(t), -l.n, l.unit))
	for step := int64(4 * dayNanos); ; step *= 2 {
		lo = l.starts.floor(eventtime.Add(lo, -step))
		if lo == math.MinInt64 || l.end(lo) <= t {
			break
		}
	}
	hi := l.starts.next(t) // ends after t in any case
	for {
		mid := l.starts.next(lo + int64((uint64(hi)-uint64(lo))/2))
		if mid >= hi {
			break
		}
		if l.end(mid) > t {
			hi = mid
		} else {
			lo = mid
		}
	}
	// What is left are the ticks just behind lo.
	for s := l.starts.next(lo); s < hi; s = l.starts.next(s) {
		if l.end(s) > t {
			return s
		}
	}
	return hi
}

// cumulating is windows that grow by a step until they are whole.
type cumulating struct {
	whole ticks
	// regular is the steps where all are equally long and fit into the whole; else nil.
	regular ticks
	step    int64
	unit    graph.Unit
	clock   *clock
}

// around gives the boundaries around t: the last at or before it and the first behind it; s is the start of the whole.
func (g *cumulating) around(t int64) (s, from, to int64) {
	s, e := g.whole.floor(t), g.whole.next(t)
	if g.regular != nil {
		return s, max(s, g.regular.floor(t)), min(e, g.regular.next(t))
	}
	if s == math.MinInt64 { // cut off, so that there is nothing to count steps from
		return s, s, e
	}
	label := g.clock.shown(s)
	at := func(k int64) int64 { return max(s, min(e, g.clock.moment(advance(label, k*g.step, g.unit)))) }
	k := max(0, difference(label, g.clock.shown(t), g.unit)/g.step)
	for k > 0 && at(k) > t {
		k--
	}
	for at(k+1) <= t && at(k+1) < e {
		k++
	}
	return s, at(k), at(k + 1)
}

func (g *cumulating) Pane(t int64) (start, last int64) {
	_, from, to := g.around(t)
	if to == math.MaxInt64 {
		return from, to
	}
	return from, to - 1
}

func (g *cumulating) First(t int64) Window {
	s, _, to := g.around(t)
	return Window{s, to}
}

func (g *cumulating) Next(w Window) (Window, bool) {
	if w.End == math.MaxInt64 {
		return Window{}, false
	}
	return g.First(w.End), true
}

// Closed lets rows count until the whole is over, so that the last window of it has all of them.
func (g *cumulating) Closed(w int64) int64 { return g.whole.floor(w) }

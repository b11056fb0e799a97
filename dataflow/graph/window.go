package graph

import "time"

// WindowKind is the kind of a time window.
type WindowKind uint8

// The kinds of window.
const (
	// Tumble windows follow each other without gaps.
	Tumble WindowKind = iota + 1
	// Hop windows start at every slide and are as long as the width, so they overlap, or leave gaps.
	Hop
	// Cumulate windows start at every width and end at every slide after that: each is the one before and a step more, until
	// the width is full.
	Cumulate
)

// Unit is what a length of time counts.
type Unit uint8

// The units. Days and months are those of the calendar, whose lengths differ.
const (
	Nanoseconds Unit = iota
	Days
	Months
)

// Window is a time window over event time: plain data that can be compared, with one form for each meaning. Windows start
// at multiples of Slide (those of Cumulate: of Width) since the epoch, moved by Offset, by the clock of Zone.
type Window struct {
	Kind WindowKind
	// Width and Slide count their units; they are positive. Slide equals Width for a tumble and is the step of Cumulate.
	Width, Slide         int64
	WidthUnit, SlideUnit Unit
	Offset               Offset
	// Zone names a time zone; empty is UTC. Only there are days a unit; elsewhere they are 24 hours.
	Zone string
}

// Offset moves the start of windows: by months, then days, then nanoseconds of the zone's clock.
type Offset struct{ Months, Days, Nanos int64 }

// Fixed reports whether all windows are equally long.
func (w Window) Fixed() bool {
	return w.Zone == "" && w.WidthUnit == Nanoseconds && w.SlideUnit == Nanoseconds
}

// Grain is a length of which every start and end of a window is a multiple, counted from the epoch.
func (w Window) Grain() int64 {
	g := int64(0)
	if !w.Fixed() {
		g = int64(24 * time.Hour)
	}
	if w.Zone != "" {
		g = int64(time.Second) // the distance of zones from UTC has been as odd as that
	}
	if w.WidthUnit == Nanoseconds {
		g = gcd(g, w.Width)
	}
	if w.SlideUnit == Nanoseconds {
		g = gcd(g, w.Slide)
	}
	return gcd(g, max(w.Offset.Nanos, -w.Offset.Nanos))
}

// AssignSpec gives every row its windows: a row for each window that holds its event time. The output columns are the
// input's, then the window struct {start, end}; the event time of a row is its window's end − 1 ns.
type AssignSpec struct{ Window Window }

func (*AssignSpec) spec() {}

// Regroup is the window in which results of w are grouped by their window once more: w itself for a tumble, else slices
// of time of which no two hold the ends of different windows. The groups then have the window among their keys.
func (w Window) Regroup() Window {
	if w.Kind == Tumble {
		return w
	}
	g := w.Grain()
	return Window{Kind: Tumble, Width: g, Slide: g}
}

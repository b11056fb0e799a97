package grid

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wadi/dataflow/graph"
	"wadi/dataflow/zone"
)

const hour = int64(time.Hour)

// at reads a time with an offset, as in "2026-03-29T02:30:00+01:00".
func at(t *testing.T, s string) int64 {
	t.Helper()
	v, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixNano()
}

// show writes windows as a clock in the zone shows them.
func show(w Window, loc *time.Location) string {
	show := func(t int64) string {
		return strings.TrimSuffix(time.Unix(0, t).In(loc).Format("2006-01-02 15:04 -07:00"), ":00")
	}
	return show(w.Start) + " … " + show(w.End)
}

// The windows from a time on, as a clock in their zone shows them.
func TestCalendar(t *testing.T) {
	day := func(n int64, name string) graph.Window {
		return graph.Window{Kind: graph.Tumble, Width: n, Slide: n, WidthUnit: graph.Days, SlideUnit: graph.Days, Zone: name}
	}
	clocked := func(nanos int64, name string) graph.Window {
		return graph.Window{Kind: graph.Tumble, Width: nanos, Slide: nanos, Zone: name}
	}
	month := func(slide, width int64, name string) graph.Window {
		w := graph.Window{Kind: graph.Hop, Width: width, Slide: slide, WidthUnit: graph.Months, SlideUnit: graph.Months, Zone: name}
		if slide == width {
			w.Kind = graph.Tumble
		}
		return w
	}
	moved := func(w graph.Window, o graph.Offset) graph.Window {
		w.Offset = o
		return w
	}
	for _, c := range []struct {
		name string
		w    graph.Window
		from string
		want string
	}{
		{"23 hours", day(1, "Europe/Berlin"), "2026-03-28T12:00:00Z", `
			2026-03-28 00:00 +01 … 2026-03-29 00:00 +01
			2026-03-29 00:00 +01 … 2026-03-30 00:00 +02
			2026-03-30 00:00 +02 … 2026-03-31 00:00 +02`},
		{"25 hours", day(1, "Europe/Berlin"), "2026-10-25T02:30:00Z", `
			2026-10-25 00:00 +02 … 2026-10-26 00:00 +01
			2026-10-26 00:00 +01 … 2026-10-27 00:00 +01`},
		{"hours of the short day", clocked(hour, "Europe/Berlin"), "2026-03-29T00:30:00Z", `
			2026-03-29 01:00 +01 … 2026-03-29 03:00 +02
			2026-03-29 03:00 +02 … 2026-03-29 04:00 +02`},
		{"an hour twice is two windows", clocked(hour, "Europe/Berlin"), "2026-10-24T23:30:00Z", `
			2026-10-25 01:00 +02 … 2026-10-25 02:00 +02
			2026-10-25 02:00 +02 … 2026-10-25 02:00 +01
			2026-10-25 02:00 +01 … 2026-10-25 03:00 +01
			2026-10-25 03:00 +01 … 2026-10-25 04:00 +01`},
		{"six hours by the clock", clocked(6*hour, "Europe/Berlin"), "2026-10-24T21:30:00Z", `
			2026-10-24 18:00 +02 … 2026-10-25 00:00 +02
			2026-10-25 00:00 +02 … 2026-10-25 06:00 +01
			2026-10-25 06:00 +01 … 2026-10-25 12:00 +01`},
		{"a boundary that is jumped over", clocked(2*hour, "Europe/Berlin"), "2026-03-29T00:30:00Z", `
			2026-03-29 00:00 +01 … 2026-03-29 03:00 +02
			2026-03-29 03:00 +02 … 2026-03-29 04:00 +02
			2026-03-29 04:00 +02 … 2026-03-29 06:00 +02`},
		{"half an hour of change", clocked(hour, "Australia/Lord_Howe"), "2026-04-04T14:30:00Z", `
			2026-04-05 01:00 +11 … 2026-04-05 02:00 +10:30
			2026-04-05 02:00 +10:30 … 2026-04-05 03:00 +10:30`},
		{"half hours from UTC", clocked(hour, "Asia/Kolkata"), "2026-01-01T00:00:00Z", `
			2026-01-01 05:00 +05:30 … 2026-01-01 06:00 +05:30
			2026-01-01 06:00 +05:30 … 2026-01-01 07:00 +05:30`},
		{"midnight twice: the first begins the day", day(1, "America/Havana"), "2026-10-31T12:00:00Z", `
			2026-10-31 00:00 -04 … 2026-11-01 00:00 -04
			2026-11-01 00:00 -04 … 2026-11-02 00:00 -05`},
		{"no midnight: the day begins with the jump", day(1, "America/Sao_Paulo"), "2018-11-03T12:00:00Z", `
			2018-11-03 00:00 -03 … 2018-11-04 01:00 -02
			2018-11-04 01:00 -02 … 2018-11-05 00:00 -02`},
		{"a day that never was", day(1, "Pacific/Apia"), "2011-12-30T09:00:00Z", `
			2011-12-29 00:00 -10 … 2011-12-31 00:00 +14
			2011-12-31 00:00 +14 … 2012-01-01 00:00 +14`},
		{"weeks from Monday", moved(day(7, "Europe/Berlin"), graph.Offset{Days: 4}), "2026-03-25T12:00:00Z", `
			2026-03-23 00:00 +01 … 2026-03-30 00:00 +02
			2026-03-30 00:00 +02 … 2026-04-06 00:00 +02`},
		{"days from six o'clock", moved(day(1, "Europe/Berlin"), graph.Offset{Nanos: 6 * hour}), "2026-03-28T05:30:00Z", `
			2026-03-28 06:00 +01 … 2026-03-29 06:00 +02
			2026-03-29 06:00 +02 … 2026-03-30 06:00 +02`},
		{"days from a time that is jumped over", moved(day(1, "Europe/Berlin"), graph.Offset{Nanos: 2*hour + hour/2}), "2026-03-28T12:00:00Z", `
			2026-03-28 02:30 +01 … 2026-03-29 03:00 +02
			2026-03-29 03:00 +02 … 2026-03-30 02:30 +02`},
		{"days from a time that comes twice", moved(day(1, "Europe/Berlin"), graph.Offset{Nanos: 2*hour + hour/2}), "2026-10-24T12:00:00Z", `
			2026-10-24 02:30 +02 … 2026-10-25 02:30 +02
			2026-10-25 02:30 +02 … 2026-10-26 02:30 +01`},
		{"months", month(1, 1, "America/New_York"), "2026-03-01T04:59:59Z", `
			2026-02-01 00:00 -05 … 2026-03-01 00:00 -05
			2026-03-01 00:00 -05 … 2026-04-01 00:00 -04`},
		{"months in UTC", month(1, 1, ""), "2024-02-29T23:59:59Z", `
			2024-02-01 00:00 +00 … 2024-03-01 00:00 +00
			2024-03-01 00:00 +00 … 2024-04-01 00:00 +00`},
		{"quarters", month(3, 3, ""), "2024-02-29T23:59:59Z", `
			2024-01-01 00:00 +00 … 2024-04-01 00:00 +00
			2024-04-01 00:00 +00 … 2024-07-01 00:00 +00`},
		{"fiscal years before 1970", moved(month(12, 12, ""), graph.Offset{Months: 3}), "1968-02-29T00:00:00Z", `
			1967-04-01 00:00 +00 … 1968-04-01 00:00 +00
			1968-04-01 00:00 +00 … 1969-04-01 00:00 +00`},
		{"from the 15th", moved(month(1, 1, ""), graph.Offset{Days: 14}), "2026-03-14T23:00:00Z", `
			2026-02-15 00:00 +00 … 2026-03-15 00:00 +00
			2026-03-15 00:00 +00 … 2026-04-15 00:00 +00`},
		{"three months every month", month(1, 3, "Europe/Berlin"), "2026-03-15T00:00:00Z", `
			2026-01-01 00:00 +01 … 2026-04-01 00:00 +02
			2026-02-01 00:00 +01 … 2026-05-01 00:00 +02
			2026-03-01 00:00 +01 … 2026-06-01 00:00 +02
			2026-04-01 00:00 +02 … 2026-07-01 00:00 +02`},
		{"the month before each day", graph.Window{Kind: graph.Hop, Width: 1, WidthUnit: graph.Months, Slide: 24 * hour}, "2026-02-27T12:00:00Z", `
			2026-01-28 00:00 +00 … 2026-02-28 00:00 +00
			2026-01-29 00:00 +00 … 2026-02-28 00:00 +00
			2026-01-30 00:00 +00 … 2026-02-28 00:00 +00
			2026-01-31 00:00 +00 … 2026-02-28 00:00 +00
			2026-02-01 00:00 +00 … 2026-03-01 00:00 +00`},
		{"a day every half hour", graph.Window{Kind: graph.Hop, Width: 1, WidthUnit: graph.Days, Slide: hour / 2, Zone: "Europe/Berlin"}, "2026-10-25T22:30:00Z", `
			2026-10-25 00:00 +02 … 2026-10-26 00:00 +01
			2026-10-25 00:30 +02 … 2026-10-26 00:30 +01`},
		{"36 hours from each midnight", graph.Window{Kind: graph.Hop, Width: 36 * hour, Slide: 1, SlideUnit: graph.Days, Zone: "Europe/Berlin"}, "2026-03-29T12:00:00Z", `
			2026-03-29 00:00 +01 … 2026-03-30 13:00 +02
			2026-03-30 00:00 +02 … 2026-03-31 12:00 +02`},
		{"one day each month", graph.Window{Kind: graph.Hop, Width: 24 * hour, Slide: 1, SlideUnit: graph.Months}, "2026-03-15T12:00:00Z", `
			2026-04-01 00:00 +00 … 2026-04-02 00:00 +00
			2026-05-01 00:00 +00 … 2026-05-02 00:00 +00`},
		{"a month by the day", graph.Window{Kind: graph.Cumulate, Width: 1, WidthUnit: graph.Months, Slide: 1, SlideUnit: graph.Days, Zone: "Europe/Berlin"}, "2026-03-29T12:00:00Z", `
			2026-03-01 00:00 +01 … 2026-03-30 00:00 +02
			2026-03-01 00:00 +01 … 2026-03-31 00:00 +02
			2026-03-01 00:00 +01 … 2026-04-01 00:00 +02
			2026-04-01 00:00 +02 … 2026-04-02 00:00 +02`},
		{"a month by the week", graph.Window{Kind: graph.Cumulate, Width: 1, WidthUnit: graph.Months, Slide: 7 * 24 * hour}, "2026-03-21T12:00:00Z", `
			2026-03-01 00:00 +00 … 2026-03-22 00:00 +00
			2026-03-01 00:00 +00 … 2026-03-29 00:00 +00
			2026-03-01 00:00 +00 … 2026-04-01 00:00 +00
			2026-04-01 00:00 +00 … 2026-04-08 00:00 +00`},
		{"a long day by hours", graph.Window{Kind: graph.Cumulate, Width: 1, WidthUnit: graph.Days, Slide: 8 * hour, Zone: "Europe/Berlin"}, "2026-10-25T03:00:00Z", `
			2026-10-25 00:00 +02 … 2026-10-25 08:00 +01
			2026-10-25 00:00 +02 … 2026-10-25 16:00 +01
			2026-10-25 00:00 +02 … 2026-10-26 00:00 +01
			2026-10-26 00:00 +01 … 2026-10-26 08:00 +01`},
		{"an hour by tens of minutes", graph.Window{Kind: graph.Cumulate, Width: hour, Slide: hour / 3, Offset: graph.Offset{Nanos: hour / 2}}, "1969-12-31T23:20:00Z", `
			1969-12-31 22:30 +00 … 1969-12-31 23:30 +00
			1969-12-31 23:30 +00 … 1969-12-31 23:50 +00`},
		{"before there were zones", day(1, "Europe/Berlin"), "1890-01-01T12:00:00Z", `
			1890-01-01 00:00 +00:53 … 1890-01-02 00:00 +00:53`},
	} {
		g, err := New(c.w)
		if err != nil {
			t.Fatal(err)
		}
		loc, _ := zone.Load("UTC")
		if c.w.Zone != "" {
			loc, _ = zone.Load(c.w.Zone)
		}
		w := g.First(at(t, c.from))
		for i, line := range strings.Split(strings.TrimSpace(c.want), "\n") {
			if i > 0 {
				w, _ = g.Next(w)
			}
			if got := show(w, loc); got != strings.TrimSpace(line) {
				t.Errorf("%s: got %s, want %s", c.name, got, strings.TrimSpace(line))
			}
		}
	}
}

// drawn is a window of any kind.
func drawn(t *rapid.T) graph.Window {
	w := graph.Window{Kind: rapid.SampledFrom([]graph.WindowKind{graph.Tumble, graph.Hop, graph.Cumulate}).Draw(t, "kind")}
	w.Zone = rapid.SampledFrom([]string{"", "", "Europe/Berlin", "America/Havana", "Pacific/Apia", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Casablanca"}).Draw(t, "zone")
	length := func(name string) (int64, graph.Unit) {
		units := []graph.Unit{graph.Nanoseconds, graph.Months}
		if w.Zone != "" {
			units = append(units, graph.Days)
		}
		switch u := rapid.SampledFrom(units).Draw(t, name+" unit"); u {
		case graph.Nanoseconds:
			return rapid.Int64Range(1, 100).Draw(t, name) * rapid.SampledFrom([]int64{hour / 60, hour / 4, hour, 7 * hour}).Draw(t, "of"), u
		case graph.Days:
			return rapid.Int64Range(1, 20).Draw(t, name), u
		default:
			return rapid.Int64Range(1, 14).Draw(t, name), u
		}
	}
	w.Slide, w.SlideUnit = length("slide")
	w.Width, w.WidthUnit = w.Slide, w.SlideUnit
	if w.Kind != graph.Tumble {
		if rapid.Bool().Draw(t, "multiple") {
			w.Width *= rapid.Int64Range(2, 6).Draw(t, "times")
		} else {
			w.Width, w.WidthUnit = length("width")
		}
	}
	w.Offset.Nanos = rapid.Int64Range(-30, 30).Draw(t, "offset") * hour / 2
	unit := w.SlideUnit
	if w.Kind == graph.Cumulate {
		unit = w.WidthUnit
	}
	if unit != graph.Nanoseconds {
		w.Offset.Days = rapid.Int64Range(-10, 10).Draw(t, "days")
	}
	if unit == graph.Months {
		w.Offset.Months = rapid.Int64Range(-5, 5).Draw(t, "months")
	}
	return w
}

// Panes follow each other without gaps, windows consist of whole panes and come in order, First and Next agree, and every
// boundary is a multiple of the window's grain.
func TestAnyGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawn(t)
		g, err := New(w)
		if err != nil {
			t.Fatal(err)
		}
		boundary := func(x int64) bool {
			start, _ := g.Pane(x)
			return start == x
		}
		x := rapid.Int64Range(-80*365*24*hour, 60*365*24*hour).Draw(t, "time")
		if rapid.Bool().Draw(t, "now") {
			x = at(&testing.T{}, "2011-12-20T00:00:00Z") + rapid.Int64Range(0, 400*24*hour/4).Draw(t, "quarter")*4
		}
		start, last := g.Pane(x)
		if start > x || last < x {
			t.Fatalf("%+v: pane %d to %d of %d", w, start, last, x)
		}
		if s, l := g.Pane(start); s != start || l != last {
			t.Fatalf("%+v: pane %d to %d begins with %d to %d", w, start, last, s, l)
		}
		if s, l := g.Pane(last); s != start || l != last {
			t.Fatalf("%+v: pane %d to %d ends with %d to %d", w, start, last, s, l)
		}
		if !boundary(last + 1) {
			t.Fatalf("%+v: no pane begins at %d", w, last+1)
		}
		win := g.First(x)
		if win.End <= x || win.End <= win.Start {
			t.Fatalf("%+v: window %+v is not after %d", w, win, x)
		}
		closed := g.Closed(x)
		if closed > x || !boundary(closed) {
			t.Fatalf("%+v: closed %d at %d", w, closed, x)
		}
		if again := g.First(win.End - 1); again.End != win.End && again.End > win.End {
			t.Fatalf("%+v: %+v is not found again, but %+v", w, win, again)
		}
		for range 12 {
			for _, b := range []int64{win.Start, win.End} {
				if !boundary(b) {
					t.Fatalf("%+v: window %+v has no pane at %d", w, win, b)
				}
				if b%w.Grain() != 0 {
					t.Fatalf("%+v: window %+v and grain %d", w, win, w.Grain())
				}
			}
			n, ok := g.Next(win)
			if !ok {
				t.Fatalf("%+v: nothing after %+v", w, win)
			}
			if n.End < win.End || n.End == win.End && n.Start <= win.Start || n.End <= n.Start {
				t.Fatalf("%+v: %+v comes after %+v", w, n, win)
			}
			if n.End > win.End {
				if f := g.First(win.End); f != n {
					t.Fatalf("%+v: first after %d is %+v, not %+v", w, win.End, f, n)
				}
			}
			win = n
		}
	})
}

// Beyond the changes that the database lists, which for most zones is today, the clock is right on every day around the end
// of a year, a leap year too.
func TestEndsOfYears(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Sydney", "Pacific/Chatham", "America/Nuuk", "Asia/Kolkata"} {
		loc, ok := zone.Load(name)
		if !ok {
			t.Fatal(name)
		}
		for _, year := range []int{2023, 2024, 2028, 2096, 2100} {
			for h := range 14 * 24 {
				at := time.Date(year, 12, 25, h, 30, 0, 0, time.UTC)
				x := at.UnixNano()
				c := clock{loc: loc}
				_, offset := at.In(loc).Zone()
				if p := c.period(x); p.start > x || p.end <= x || p.offset != int64(offset)*1e9 {
					t.Fatalf("%s at %s: %+v", name, at, p)
				}
				for _, unit := range []graph.Unit{graph.Days, graph.Months} {
					g, err := New(graph.Window{Kind: graph.Tumble, Width: 12, WidthUnit: unit, Slide: 12, SlideUnit: unit, Zone: name})
					if err != nil {
						t.Fatal(err)
					}
					if w := g.First(x); w.Start > x || w.End <= x {
						t.Fatalf("%s at %s: %s", name, at, show(w, loc))
					}
				}
			}
		}
	}
}

// A tumble leaves no time out, and its windows are its panes.
func TestTumblesAreDense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawn(t)
		w.Kind, w.Width, w.WidthUnit = graph.Tumble, w.Slide, w.SlideUnit
		if w.SlideUnit != graph.Months {
			w.Offset.Months = 0
		}
		if w.SlideUnit == graph.Nanoseconds {
			w.Offset.Days = 0
		}
		g, err := New(w)
		if err != nil {
			t.Fatal(err)
		}
		win := g.First(rapid.Int64Range(-80*365*24*hour, 60*365*24*hour).Draw(t, "time"))
		for range 40 {
			if start, last := g.Pane(win.Start); start != win.Start || last != win.End-1 {
				t.Fatalf("%+v: window %+v is the pane %d to %d", w, win, start, last)
			}
			n, _ := g.Next(win)
			if n.Start != win.End {
				t.Fatalf("%+v: %+v comes after %+v", w, n, win)
			}
			win = n
		}
	})
}

// The ends of the range are cut off and nothing overflows or hangs.
func TestEndsOfTime(t *testing.T) {
	for _, w := range []graph.Window{
		{Kind: graph.Tumble, Width: 10, Slide: 10},
		{Kind: graph.Tumble, Width: math.MaxInt64, Slide: math.MaxInt64, Offset: graph.Offset{Nanos: math.MaxInt64 - 1}},
		{Kind: graph.Hop, Width: 7, Slide: 3}, {Kind: graph.Hop, Width: 1 << 62, Slide: 1 << 61}, {Kind: graph.Hop, Width: 2, Slide: 1 << 62},
		{Kind: graph.Cumulate, Width: 10, Slide: 2}, {Kind: graph.Cumulate, Width: 1 << 62, Slide: 1 << 60},
		{Kind: graph.Cumulate, Width: 10, Slide: 3},
		{Kind: graph.Tumble, Width: 1, Slide: 1, WidthUnit: graph.Days, SlideUnit: graph.Days, Zone: "Europe/Berlin"},
		{Kind: graph.Tumble, Width: hour, Slide: hour, Zone: "America/New_York"},
		{Kind: graph.Hop, Width: 3, Slide: 1, WidthUnit: graph.Months, SlideUnit: graph.Months},
		{Kind: graph.Hop, Width: 3, Slide: hour, WidthUnit: graph.Months},
		{Kind: graph.Hop, Width: hour, Slide: 3, SlideUnit: graph.Months},
		{Kind: graph.Cumulate, Width: 3, Slide: 24 * hour, WidthUnit: graph.Months},
		{Kind: graph.Tumble, Width: 12 * 280, Slide: 12 * 280, WidthUnit: graph.Months, SlideUnit: graph.Months, Zone: "Asia/Tokyo"},
	} {
		g, err := New(w)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []int64{math.MinInt64, math.MinInt64 + 1, math.MinInt64 + 24*hour, 0, math.MaxInt64 - 24*hour, math.MaxInt64 - 1, math.MaxInt64} {
			start, last := g.Pane(x)
			if start > x || last < x {
				t.Errorf("%+v: pane %d to %d of %d", w, start, last, x)
			}
			if c := g.Closed(x); c > x {
				t.Errorf("%+v: closed %d at %d", w, c, x)
			}
			win := g.First(x)
			for range 100 {
				if win.End < win.Start || win.End <= x && x < math.MaxInt64 {
					t.Errorf("%+v: window %+v after %d", w, win, x)
				}
				n, ok := g.Next(win)
				if !ok {
					break
				}
				if n.End < win.End || n == win {
					t.Errorf("%+v: %+v comes after %+v", w, n, win)
				}
				win = n
			}
		}
	}
}

func TestBadWindows(t *testing.T) {
	for _, w := range []graph.Window{{Kind: graph.Tumble}, {Kind: graph.Hop, Width: 5}, {Kind: graph.Hop, Width: -5, Slide: 1}, {Kind: graph.Tumble, Width: 1, Slide: 1, Zone: "Mars/Olympus"}} {
		if _, err := New(w); err == nil {
			t.Errorf("window %v was accepted", w)
		}
	}
}

func BenchmarkPane(b *testing.B) {
	for _, w := range []graph.Window{
		{Kind: graph.Tumble, Width: hour, Slide: hour},
		{Kind: graph.Tumble, Width: 1, Slide: 1, WidthUnit: graph.Days, SlideUnit: graph.Days, Zone: "Europe/Berlin"},
		{Kind: graph.Tumble, Width: 1, Slide: 1, WidthUnit: graph.Months, SlideUnit: graph.Months},
	} {
		b.Run(fmt.Sprintf("%d-%d-%s", w.Width, w.WidthUnit, w.Zone), func(b *testing.B) {
			g, err := New(w)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			from, i := at(&testing.T{}, "2026-01-01T00:00:00Z"), int64(0)
			for b.Loop() {
				g.Pane(from + i%8760*hour)
				i++
			}
		})
	}
}

package wire

import "wadi/dataflow/graph"

// The kinds of windows and the units have the same numbers here and in package graph.

func (e *encoder) window(w graph.Window) *Window {
	if w.Kind < graph.Tumble || w.Kind > graph.Cumulate || w.WidthUnit > graph.Months || w.SlideUnit > graph.Months {
		e.fail("no window has the kind %d and the units %d and %d", w.Kind, w.WidthUnit, w.SlideUnit)
	}
	return &Window{
		Kind: WindowKind(w.Kind), Width: w.Width, Slide: w.Slide, WidthUnit: Unit(w.WidthUnit), SlideUnit: Unit(w.SlideUnit),
		OffsetMonths: w.Offset.Months, OffsetDays: w.Offset.Days, OffsetNanos: w.Offset.Nanos, Zone: w.Zone,
	}
}

func (d *decoder) window(w *Window) graph.Window {
	kind, width, slide := w.GetKind(), w.GetWidthUnit(), w.GetSlideUnit()
	switch {
	case kind < WindowKind_WINDOW_KIND_TUMBLE || kind > WindowKind_WINDOW_KIND_CUMULATE:
		d.fail("no window has the kind %d", kind)
	case width < 0 || width > Unit_UNIT_MONTHS || slide < 0 || slide > Unit_UNIT_MONTHS:
		d.fail("a window has the units %d and %d", width, slide)
	case w.GetWidth() <= 0 || w.GetSlide() <= 0:
		d.fail("a window has the width %d and the slide %d", w.GetWidth(), w.GetSlide())
	}
	return graph.Window{
		Kind: graph.WindowKind(kind), Width: w.GetWidth(), Slide: w.GetSlide(), WidthUnit: graph.Unit(width), SlideUnit: graph.Unit(slide),
		Offset: graph.Offset{Months: w.GetOffsetMonths(), Days: w.GetOffsetDays(), Nanos: w.GetOffsetNanos()}, Zone: w.GetZone(),
	}
}

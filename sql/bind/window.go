package bind

import (
	"fmt"
	"strings"
	"time"

	"wadi/dataflow/eventtime"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/zone"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// windowForm is how a window function is called.
type windowForm struct {
	// lengths are the names of the arguments that are lengths of time, in order; each may have several.
	lengths [][]string
	// example is a call, order what to know about it.
	example, order string
}

// windowForms are the functions that make time windows.
var windowForms = map[string]windowForm{
	"tumble":   {[][]string{{"size", "width"}}, "tumble(INTERVAL '1 minute')", ""},
	"hop":      {[][]string{{"slide"}, {"size", "width"}}, "hop(INTERVAL '10 seconds', INTERVAL '1 minute')", ": slide first, then width"},
	"cumulate": {[][]string{{"step"}, {"size", "width"}}, "cumulate(INTERVAL '10 minutes', INTERVAL '1 day')", ": step first, then size"},
	"session":  {[][]string{{"gap"}}, "session(INTERVAL '30 seconds')", ""},
}

func (f windowForm) hint(e *fault.Error) *fault.Error {
	return e.WithHint("write %s%s", f.example, f.order)
}

// window binds tumble(width), hop(slide, width), cumulate(step, size) or session(gap) and gives the column that stands for
// the window.
func (p *place) window(name string, e *ast.Call) *expr.Node {
	if p.aggregates == nil || p.inAggregate {
		p.misplacedWindow(name, e.Span())
		return nil
	}
	if !p.plain(name, e) {
		return nil
	}
	a, err := windowForms[name].arguments(name, e.Args, e.Span(), false)
	var w graph.Window
	if err == nil {
		w, err = p.b.windowOf(name, a, e.Span())
	}
	if err != nil {
		p.b.errs = append(p.b.errs, err)
		return nil
	}
	at := -1
	for i, o := range p.aggregates.windows {
		if o.window == w {
			at = i
		}
	}
	if at < 0 {
		at = len(p.aggregates.windows)
		p.aggregates.windows = append(p.aggregates.windows, windowCall{w, name, e.Span()})
	}
	return &expr.Node{Kind: expr.Column, Index: firstWindow + at, Name: name, Type: expr.Window, Span: e.Span()}
}

func (p *place) misplacedWindow(name string, span fault.Span) {
	p.b.errorf(CodeWindow, span, "time window function %s is not allowed in this context", name).
		WithHint("are you missing a GROUP BY clause? Group by the window, and name it in the select list")
}

// windowArguments are the arguments of a window call: its lengths in order, and what may be nil.
type windowArguments struct {
	lengths      []ast.Expr
	offset, zone ast.Expr
}

// arguments sorts the arguments of a call; positional tells whether the offset may follow without its name.
func (f windowForm) arguments(name string, args []*ast.Arg, span fault.Span, positional bool) (windowArguments, *fault.Error) {
	out := windowArguments{lengths: make([]ast.Expr, len(f.lengths))}
	given, named := 0, false
	for _, a := range args {
		var slot *ast.Expr
		switch {
		case a.Name != nil:
			if slot, named = f.slot(&out, name, a.Name.Folded()), true; slot == nil {
				return out, hintAmong(fault.Userf(CodeWindow, a.Name.Span(), "%s has no argument %q", name, a.Name.Name), a.Name.Folded(), f.names(name), "arguments")
			}
		case named:
			return out, f.hint(fault.Userf(CodeWindow, a.Span(), "an argument without a name cannot follow one with a name"))
		case given < len(f.lengths):
			slot = &out.lengths[given]
		case given == len(f.lengths) && positional && name != "session":
			slot = &out.offset
		default:
			return out, f.wrongNumber(name, len(args), span)
		}
		given++
		if *slot != nil {
			return out, fault.Userf(CodeWindow, a.Span(), "this argument of %s is given twice", name).WithHint("give it once")
		}
		*slot = a.Value
	}
	for i, l := range out.lengths {
		if l == nil && (named || positional) {
			return out, f.hint(fault.Userf(CodeWindow, span, "%s needs its %s", name, f.lengths[i][0]))
		}
		if l == nil {
			return out, f.wrongNumber(name, len(args), span)
		}
	}
	return out, nil
}

func (f windowForm) wrongNumber(name string, n int, span fault.Span) *fault.Error {
	return f.hint(fault.Userf(CodeWindow, span, "%s takes %s, not %d", name, plural(int64(len(f.lengths)), "argument"), n))
}

// slot is where a named argument goes; nil if there is none of that name.
func (f windowForm) slot(a *windowArguments, name, argument string) *ast.Expr {
	argument = strings.ToLower(argument)
	for i, names := range f.lengths {
		for _, n := range names {
			if n == argument {
				return &a.lengths[i]
			}
		}
	}
	switch {
	case name == "session":
	case argument == "offset":
		return &a.offset
	case argument == "time_zone":
		return &a.zone
	}
	return nil
}

// names lists the arguments that can be named.
func (f windowForm) names(name string) []string {
	var out []string
	for _, n := range f.lengths {
		out = append(out, n...)
	}
	if name != "session" {
		out = append(out, "offset", "time_zone")
	}
	return out
}

// span is a length of time in a unit.
type span struct {
	n    int64
	unit graph.Unit
}

// windowOf reads the arguments of a window call. Equal windows give equal values, however they are written.
func (b *Binder) windowOf(name string, a windowArguments, place fault.Span) (graph.Window, *fault.Error) {
	form := windowForms[name]
	var w graph.Window
	shift := int64(0)
	if a.zone != nil {
		z, err := b.zone(a.zone)
		if err != nil {
			return w, err
		}
		if d, fixed := zone.Fixed(z); fixed {
			shift = -int64(d)
		} else {
			w.Zone = z
		}
	}
	spans := make([]span, len(a.lengths))
	for i, e := range a.lengths {
		var err *fault.Error
		if spans[i], err = b.span(e, name, w.Zone); err != nil {
			if err.Hint == "" {
				form.hint(err)
			}
			return w, err
		}
	}
	if name == "session" {
		if spans[0].unit != graph.Nanoseconds {
			return w, fault.Userf(fault.CodeUnsupported, a.lengths[0].Span(), "the gap of a session cannot be months or years").
				WithHint("months differ in length; write days, as in INTERVAL '30' DAY")
		}
		return graph.Window{Kind: logical.Session, Width: spans[0].n, Slide: 1}, nil
	}
	slide, width := spans[0], spans[len(spans)-1]
	w.Slide, w.SlideUnit, w.Width, w.WidthUnit = slide.n, slide.unit, width.n, width.unit
	switch {
	case slide == width:
		w.Kind = graph.Tumble
	case name == "hop":
		w.Kind = graph.Hop
		if width.longest()/slide.shortest() > maxWindows {
			return w, fault.Userf(CodeWindow, place, "every row would be in more than %d windows", maxWindows).WithHint("choose a longer slide, or a shorter width")
		}
	default:
		w.Kind = graph.Cumulate
		if err := cumulative(slide, width, place); err != nil {
			return w, err
		}
	}
	return w, b.offset(&w, a.offset, shift)
}

// maxWindows bounds the windows of a hop that one row is in.
const maxWindows = 10_000_000

// cumulative checks the step of a cumulate window against its size.
func cumulative(step, size span, place fault.Span) *fault.Error {
	switch {
	case step.shortest() >= size.longest():
		return fault.Userf(CodeWindow, place, "the step of cumulate is not shorter than its size").WithHint("write the step first, then the size: cumulate(INTERVAL '10 minutes', INTERVAL '1 day')")
	case step.unit == size.unit && size.n%step.n != 0:
		k := size.n / step.n
		return fault.Userf(CodeWindow, place, "the size of cumulate must be a multiple of its step").
			WithHint("choose a size of %s or %s", span{k * step.n, step.unit}, span{(k + 1) * step.n, step.unit})
	}
	return nil
}

// zone reads a time zone and gives its name.
func (b *Binder) zone(e ast.Expr) (string, *fault.Error) {
	lit, ok := e.(*ast.StringLit)
	if !ok {
		return "", fault.Userf(CodeWindow, e.Span(), "a time zone is expected here").WithHint("write its name in quotes: time_zone => 'Europe/Berlin'")
	}
	loc, ok := zone.Load(lit.Value)
	if !ok {
		err := fault.Userf(CodeWindow, e.Span(), "there is no time zone %q", lit.Value)
		if near := nearestZone(lit.Value); near != "" {
			return "", err.WithHint("did you mean %q?", near)
		}
		return "", err.WithHint("zones are named 'Europe/Berlin' or '+02:00'")
	}
	return loc.String(), nil
}

// nearestZone gives the zone that was probably meant, by its whole name or by its city alone.
func nearestZone(name string) string {
	names := zone.Names()
	for _, n := range names {
		if city := n[strings.LastIndexByte(n, '/')+1:]; strings.EqualFold(city, strings.ReplaceAll(name, " ", "_")) {
			return n
		}
	}
	return fault.Nearest(name, names)
}

// span reads a positive length of time. Days are a unit only in a zone.
func (b *Binder) span(e ast.Expr, name, zone string) (span, *fault.Error) {
	v, err := b.length(e)
	if err != nil {
		return span{}, err
	}
	d, fits := nanosOf(v)
	switch {
	case !fits || v.Months > maxMonths:
		return span{}, tooLong(e)
	case v.Months == 0 && d <= 0 || v.Months < 0:
		return span{}, fault.Userf(CodeWindow, e.Span(), "the argument of %s must be longer than zero", name)
	case v.Months != 0 && d != 0:
		return span{}, fault.Userf(CodeWindow, e.Span(), "a window of months cannot have days or hours beside them").WithHint("write months alone, or days alone")
	case v.Months != 0:
		return span{int64(v.Months), graph.Months}, nil
	case zone != "" && v.Days != 0 && v.Nanoseconds != 0:
		return span{}, fault.Userf(CodeWindow, e.Span(), "a window in a time zone cannot have hours beside days, which differ in length there").
			WithHint("write days alone, or hours alone")
	case zone != "" && v.Days != 0:
		return span{int64(v.Days), graph.Days}, nil
	}
	return span{d, graph.Nanoseconds}, nil
}

// maxMonths is about the 292 years that times can be apart, maxOffsetDays a safe part of it.
const (
	maxMonths     = 292 * 12
	maxOffsetDays = 50_000
)

const (
	hourNanos = int64(time.Hour)
	dayNanos  = 24 * hourNanos
)

// shortest and longest bound how long a span is, in nanoseconds.
func (s span) shortest() float64 {
	return float64(s.n) * [...]float64{1, 23 * float64(hourNanos), 28 * float64(dayNanos)}[s.unit]
}

func (s span) longest() float64 {
	return float64(s.n) * [...]float64{1, 25 * float64(hourNanos), 31 * float64(dayNanos)}[s.unit]
}

// String is the length for people.
func (s span) String() string {
	switch s.unit {
	case graph.Days:
		return plural(s.n, "day")
	case graph.Months:
		return plural(s.n, "month")
	}
	return time.Duration(s.n).String()
}

func plural(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

// offset moves the windows of w by an interval, which may be nil, and by nanoseconds; it brings the offset into the one form
// that it has.
func (b *Binder) offset(w *graph.Window, e ast.Expr, shift int64) *fault.Error {
	n, unit := w.Slide, w.SlideUnit
	if w.Kind == graph.Cumulate {
		n, unit = w.Width, w.WidthUnit
	}
	var o graph.Offset
	if e != nil {
		v, err := b.length(e)
		if err != nil {
			return err
		}
		switch {
		case max(v.Days, -v.Days) > maxOffsetDays || max(v.Nanoseconds, -v.Nanoseconds) > maxOffsetDays*dayNanos || max(v.Months, -v.Months) > maxMonths:
			return tooLong(e)
		case v.Months != 0 && unit != graph.Months:
			return fault.Userf(CodeWindow, e.Span(), "only windows of months can have an offset of months").WithHint("write the offset in days or hours")
		}
		o = graph.Offset{Months: int64(v.Months), Days: int64(v.Days), Nanos: v.Nanoseconds}
	}
	o.Days += eventtime.FloorDiv(o.Nanos, dayNanos)
	o.Nanos = eventtime.FloorMod(o.Nanos, dayNanos) + shift
	o.Days += eventtime.FloorDiv(o.Nanos, dayNanos)
	o.Nanos = eventtime.FloorMod(o.Nanos, dayNanos)
	switch unit {
	case graph.Nanoseconds:
		o = graph.Offset{Nanos: eventtime.FloorMod(o.Days*dayNanos+o.Nanos, n)}
	case graph.Days:
		o.Days = eventtime.FloorMod(o.Days, n)
	case graph.Months:
		o.Months = eventtime.FloorMod(o.Months, n)
	}
	w.Offset = o
	return nil
}

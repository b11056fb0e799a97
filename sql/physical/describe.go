package physical

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// maxDescription bounds a description, in bytes.
const maxDescription = 200

func shorten(s string) string {
	if len(s) <= maxDescription {
		return s
	}
	cut := maxDescription
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return s[:cut] + "…"
}

func describeWatermark(n *logical.Watermark) string {
	s := "event time"
	switch {
	case n.Expr != nil:
		s = expr.Format(n.Expr)
	case n.Delay > 0:
		s += " − " + Duration(n.Delay)
	}
	if n.Idle > 0 {
		s += ", idle after " + Duration(n.Idle)
	}
	return shorten(s)
}

func describeProject(s *graph.ProjectSpec, out *arrow.Schema) string {
	var parts []string
	if s.EventTime != nil {
		parts = append(parts, "event time "+s.EventTimeColumn)
	}
	if s.Filter != nil {
		parts = append(parts, "where "+expr.Format(s.Filter))
	}
	if s.Exprs != nil {
		items := make([]string, len(s.Exprs))
		for i, e := range s.Exprs {
			items[i] = expr.Format(e)
			if name := out.Field(i).Name; name != items[i] && !strings.HasSuffix(items[i], "."+name) {
				items[i] += " as " + name
			}
		}
		parts = append(parts, strings.Join(items, ", "))
	}
	return shorten(strings.Join(parts, "; "))
}

func describeAggregate(n *logical.Aggregate) string {
	var b strings.Builder
	switch {
	case n.Single:
		b.WriteString("at most one row")
	case n.Window == nil:
		b.WriteString("updating")
	default:
		b.WriteString(describeWindow(*n.Window))
	}
	for i, f := range n.KeyFields {
		if i == 0 {
			b.WriteString(" by ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(f.Name)
	}
	for i, c := range n.Calls {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(describeCall(c))
	}
	return shorten(b.String())
}

// describeWindow spells a window as it might have been called.
func describeWindow(w graph.Window) string {
	width, slide := length(w.Width, w.WidthUnit), length(w.Slide, w.SlideUnit)
	var parts []string
	name := ""
	switch w.Kind {
	case logical.Session:
		return "session(" + width + ")"
	case graph.Hop:
		name, parts = "hop", []string{slide, width}
	case graph.Cumulate:
		name, parts = "cumulate", []string{slide, width}
	default:
		name, parts = "tumble", []string{width}
	}
	if o := w.Offset; o != (graph.Offset{}) {
		var offset []string
		for _, x := range []struct {
			n    int64
			unit graph.Unit
		}{{o.Months, graph.Months}, {o.Days, graph.Days}, {o.Nanos, graph.Nanoseconds}} {
			if x.n != 0 {
				offset = append(offset, length(x.n, x.unit))
			}
		}
		parts = append(parts, "offset "+strings.Join(offset, " "))
	}
	if w.Zone != "" {
		parts = append(parts, w.Zone)
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

func length(n int64, unit graph.Unit) string {
	switch unit {
	case graph.Days:
		return plural(n, "day")
	case graph.Months:
		return plural(n, "month")
	}
	return Duration(n)
}

func plural(n int64, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return fmt.Sprintf("%d %ss", n, unit)
}

func describeCall(c *logical.Call) string {
	args, order := make([]string, len(c.Args)), ""
	for i, a := range c.Args {
		args[i] = expr.Format(a)
	}
	for i, o := range c.OrderBy {
		if i == 0 {
			order = " order by "
		} else {
			order += ", "
		}
		order += args[o.Arg]
		if o.Desc {
			order += " desc"
		}
		if o.NullsFirst != o.Desc {
			order += map[bool]string{true: " nulls first", false: " nulls last"}[o.NullsFirst]
		}
	}
	own := len(args)
	for _, o := range c.OrderBy {
		if o.Arg > 0 {
			own = min(own, o.Arg)
		}
	}
	s := strings.Join(args[:own], ", ")
	for _, p := range c.Params {
		if text, ok := p.(string); ok {
			p = "'" + strings.ReplaceAll(text, "'", "''") + "'"
		}
		s += fmt.Sprintf(", %v", p)
	}
	s = strings.TrimPrefix(s, ", ") + order
	if s == "" {
		s = "*"
	}
	if c.Distinct {
		s = "distinct " + s
	}
	s = c.Name + "(" + s + ")"
	if c.Filter != nil {
		s += " where " + expr.Format(c.Filter)
	}
	return s
}

// Duration spells nanoseconds for people: "10s", "1h30m", "2d".
func Duration(ns int64) string {
	const day = 24 * time.Hour
	d := time.Duration(ns)
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

package logical

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
)

// interval looks for a lower and an upper bound of the distance of the event times.
func (j *Join) interval(left, right Properties) {
	n := j.Left.Schema().NumFields()
	var near nearness
	for _, k := range j.Keys {
		near.key(k, left, right)
	}
	var rest []*expr.Node
	for _, c := range j.Residual {
		if d, ok := DistanceOf(c, n, left, right); ok {
			near.bound(d)
		} else {
			rest = append(rest, c)
		}
	}
	if near.lower && near.upper && near.lo <= near.hi {
		j.By, j.Lower, j.Upper, j.Residual = ByInterval, near.lo, near.hi, rest
	}
}

// nearness is what is known of the distance of two event times.
type nearness struct {
	lower, upper bool
	lo, hi       int64
}

func (n *nearness) bound(d Distance) {
	switch {
	case d.Upper && (!n.upper || d.At < n.hi):
		n.upper, n.hi = true, d.At
	case !d.Upper && (!n.lower || d.At > n.lo):
		n.lower, n.lo = true, d.At
	}
}

// key reads an equality of two event times, or of the two cut to the same unit, which are less than a unit apart.
func (n *nearness) key(k JoinKey, left, right Properties) {
	l, r, apart := k.Left, k.Right, int64(0)
	if a, unit, ok := cut(k.Left); ok {
		if b, same, ok := cut(k.Right); ok && unit == same {
			l, r, apart = a, b, unit-1
		}
	}
	a, okA := MomentOf(l, left)
	b, okB := MomentOf(r, right)
	if okA && okB {
		n.bound(Distance{Upper: true, At: a - b + apart})
		n.bound(Distance{At: a - b - apart})
	}
}

// units are the units of fixed length that date_trunc knows, as they are written.
var units = map[string]time.Duration{
	"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
}

// cut recognises date_trunc(unit, time) and date_bin(interval, time) with a fixed unit.
func cut(n *expr.Node) (of *expr.Node, unit int64, ok bool) {
	if n.Kind != expr.Call || len(n.Args) != 2 || n.Type.ID() != arrow.TIMESTAMP {
		return nil, 0, false
	}
	switch n.Name {
	case "date_trunc":
		name, _ := expr.Fold(n.Args[0]).Value.(string)
		unit = int64(units[name])
	case "date_bin":
		unit, _ = fixedInterval(n.Args[0])
	}
	return n.Args[1], unit, unit > 0
}

// Distance bounds the right event time minus the left one from above or below, nanoseconds; the bound is included.
type Distance struct {
	Upper bool
	At    int64
}

// DistanceOf reads a comparison of two event times, each perhaps plus or minus an interval of fixed length, or of their
// difference with such an interval. n is how many columns the left side has; left and right are what is known of the sides.
func DistanceOf(c *expr.Node, n int, left, right Properties) (Distance, bool) {
	if c.Kind != expr.Call || len(c.Args) != 2 {
		return Distance{}, false
	}
	strict, less := false, false
	switch c.Name {
	case "lt":
		strict, less = true, true
	case "lteq":
		less = true
	case "gt":
		strict = true
	case "gteq":
	default:
		return Distance{}, false
	}
	x, y, d := c.Args[0], c.Args[1], int64(0)
	if isDifference(y) {
		x, y, less = y, x, !less
	}
	if isDifference(x) {
		// p − q ≤ d is p ≤ q + d.
		length, ok := intervalLength(y)
		if !ok {
			return Distance{}, false
		}
		x, y, d = x.Args[0], x.Args[1], length
	}
	if SideOf(x, n) == RightSide {
		// x ≤ y + d is y ≥ x − d.
		x, y, less, d = y, x, !less, -d
	}
	if SideOf(x, n) != LeftSide || SideOf(y, n) != RightSide {
		return Distance{}, false
	}
	a, okA := MomentOf(x, left)
	b, okB := MomentOf(Shift(y, -n), right)
	if !okA || !okB {
		return Distance{}, false
	}
	// left + a ≤ right + b + d, so right − left ≥ a − b − d.
	out := Distance{Upper: !less, At: a - b - d}
	if strict && out.Upper {
		out.At--
	} else if strict {
		out.At++
	}
	return out, true
}

// isDifference reports whether an expression is the difference of two times.
func isDifference(n *expr.Node) bool {
	return n.Kind == expr.Call && n.Name == "subtract" && n.Type.ID() == arrow.INTERVAL_MONTH_DAY_NANO &&
		n.Args[0].Type.ID() == arrow.TIMESTAMP && n.Args[1].Type.ID() == arrow.TIMESTAMP
}

// maxOffset keeps sums of offsets from overflowing: a hundred years.
const maxOffset = int64(100 * 365 * 24 * time.Hour)

// MomentOf tells how many nanoseconds behind its row's event time an expression over the row's columns always is.
func MomentOf(n *expr.Node, p Properties) (offset int64, ok bool) {
	for n.Kind == expr.Cast && finer(n.Args[0].Type, n.Type) {
		n = n.Args[0]
	}
	if IsEventTime(n, p) {
		return 0, true
	}
	if part, ok := p.WindowPart(n); ok {
		w := p.Window
		switch {
		case part == WindowEnd:
			return 1, true
		case part == WindowStart && (w.Kind == graph.Tumble || w.Kind == graph.Hop) && w.Fixed() && w.Width <= maxOffset:
			return 1 - w.Width, true
		}
		return 0, false
	}
	if n.Kind != expr.Call || n.Name != "add" && n.Name != "subtract" {
		return 0, false
	}
	x, y := n.Args[0], n.Args[1]
	if n.Name == "add" && x.Type.ID() == arrow.INTERVAL_MONTH_DAY_NANO {
		x, y = y, x
	}
	offset, ok = MomentOf(x, p)
	d, fixed := fixedInterval(y)
	if !ok || !fixed {
		return 0, false
	}
	if n.Name == "subtract" {
		d = -d
	}
	offset += d
	return offset, offset <= maxOffset && offset >= -maxOffset
}

// IsEventTime reports whether an expression over a row's columns is the row's event time.
func IsEventTime(n *expr.Node, p Properties) bool {
	for n.Kind == expr.Cast && finer(n.Args[0].Type, n.Type) {
		n = n.Args[0]
	}
	part, ok := p.WindowPart(n)
	return n.Kind == expr.RowTime || n.Kind == expr.Column && contains(p.TimeColumns, n.Index) || ok && part == WindowTime
}

// finer reports whether a cast between timestamps keeps every value as it is.
func finer(from, to arrow.DataType) bool {
	a, okA := from.(*arrow.TimestampType)
	b, okB := to.(*arrow.TimestampType)
	return okA && okB && b.Unit >= a.Unit && a.TimeZone == b.TimeZone
}

// fixedInterval gives the length of a constant interval without months, which moves every time by the same distance.
func fixedInterval(n *expr.Node) (int64, bool) {
	v, ok := expr.Fold(n).Value.(arrow.MonthDayNanoInterval)
	if !ok || v.Months != 0 {
		return 0, false
	}
	return intervalLength(n)
}

// intervalLength gives the length of a constant interval as comparisons count it, a month as 30 days.
func intervalLength(n *expr.Node) (int64, bool) {
	n = expr.Fold(n)
	v, ok := n.Value.(arrow.MonthDayNanoInterval)
	const day = int64(24 * time.Hour)
	days := int64(v.Months)*30 + int64(v.Days)
	if n.Kind != expr.Literal || !ok || days > maxOffset/day || days < -maxOffset/day || v.Nanoseconds > maxOffset || v.Nanoseconds < -maxOffset {
		return 0, false
	}
	return days*day + v.Nanoseconds, true
}

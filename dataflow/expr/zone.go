package expr

import (
	"math"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/zone"
)

// zoneCache keeps the zones met, and finds the one that was met last without a look at the others.
type zoneCache struct {
	zones map[string]*namedClock
	last  *namedClock
}

// namedClock is the clock of a zone; nil for names that are none.
type namedClock struct {
	name  string
	clock *zone.Clock
}

// maxZones bounds what is kept when names come from data.
const maxZones = 1024

func (z *zoneCache) find(name string) (*zone.Clock, bool) {
	if z.last == nil || name != z.last.name {
		if z.last = z.zones[name]; z.last == nil {
			z.last = z.add(strings.Clone(name)) // the batch is only borrowed
		}
	}
	return z.last.clock, z.last.clock != nil
}

func (z *zoneCache) add(name string) *namedClock {
	if z.zones == nil || len(z.zones) >= maxZones {
		z.zones = make(map[string]*namedClock)
	}
	found := &namedClock{name: name}
	if loc := findZone(name); loc != nil {
		found.clock = zone.NewClock(loc)
	}
	z.zones[name] = found
	return found
}

func (z *zoneCache) get(c *call, name string) (*zone.Clock, error) {
	clock, ok := z.find(name)
	if !ok {
		return nil, unknownZone(c.node.Span)
	}
	return clock, nil
}

func unknownZone(span fault.Span) *fault.Error {
	return fault.Userf(fault.CodeInvalid, span, "there is no such time zone").
		WithHint("zones are named 'Europe/Berlin' or '+02:00', which is two hours east of Greenwich")
}

// findZone gives the zone of a name; nil if there is none.
func findZone(name string) *time.Location {
	loc, _ := zone.Load(name)
	return loc
}

// bindAtTimeZone takes a date as the moment of its midnight in UTC, as PostgreSQL does.
func bindAtTimeZone(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	at, zone := args[0], args[1]
	var err error
	switch {
	case isTimestamp(at.Type):
	case isDate(at.Type):
		at, err = CastTo(at, TimestampTZ, false, s.span)
	case isNull(at.Type), isText(at.Type) && canCoerce(at, Timestamp):
		at, err = Coerce(at, Timestamp, s.span)
	default:
		return nil, nil, s.mismatch(args)
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case isText(zone.Type):
		if name, ok := zone.Value.(string); ok && findZone(name) == nil {
			return nil, nil, unknownZone(spanOf(zone, s.span))
		}
	case isNull(zone.Type):
		zone = NewLiteral(typeText, nil).At(zone.Span)
	case isInterval(zone.Type):
		if v, ok := zone.Value.(arrow.MonthDayNanoInterval); ok {
			if _, ok := intervalOffset(v); !ok {
				return nil, nil, badOffset(spanOf(zone, s.span))
			}
		}
	default:
		return nil, nil, s.mismatch(args)
	}
	to := &arrow.TimestampType{Unit: at.Type.(*arrow.TimestampType).Unit}
	if !isZoned(at.Type) {
		to.TimeZone = TimestampTZ.TimeZone
	}
	return []*Node{at, zone}, to, nil
}

// spanOf is the place of an argument, or that of the call where the argument has none.
func spanOf(n *Node, call fault.Span) fault.Span {
	if n.Span.IsZero() {
		return call
	}
	return n.Span
}

// intervalOffset is an interval as seconds east of Greenwich; false for one that is no offset of a zone.
func intervalOffset(v arrow.MonthDayNanoInterval) (int64, bool) {
	sec := v.Nanoseconds / 1e9
	return sec, v.Months == 0 && v.Days == 0 && v.Nanoseconds%1e9 == 0 && sec > -24*3600 && sec < 24*3600
}

func badOffset(span fault.Span) *fault.Error {
	return fault.Userf(fault.CodeInvalid, span, "the interval is no offset of a time zone").
		WithHint("an offset is less than a day, as in AT TIME ZONE INTERVAL '-3 hours'")
}

func atTimeZoneKernel(n *Node) kernel {
	zones := &zoneCache{}
	unit := unitOf(n.Type)
	perSecond := 1e9 / unit
	convert, east := (*zone.Clock).Moment, int64(-1)
	if isZoned(n.Args[0].Type) {
		convert, east = (*zone.Clock).Local, 1
	}
	offset := func(c *call, r int, sec int64) (int64, error) {
		clock, err := zones.get(c, c.text(1).at(r))
		if err != nil {
			return 0, err
		}
		return convert(clock, sec) - sec, nil
	}
	if isInterval(n.Args[1].Type) {
		offset = func(c *call, r int, _ int64) (int64, error) {
			v, ok := intervalOffset(argOf[arrow.MonthDayNanoInterval](c, 1).at(r))
			if !ok {
				return 0, badOffset(c.node.Span)
			}
			return east * v, nil
		}
	}
	out := &fixedOut[int64]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[int64](c, 0)
		err := c.each(func(r int) error {
			v := in.at(r)
			by, err := offset(c, r, floorDiv(v, perSecond))
			if err != nil {
				return err
			}
			by, ok := checked(opMultiply, by, perSecond)
			if ok {
				o.Values[r], ok = checked(opAdd, v, by)
			}
			if !ok {
				return overflow(c.node.Span, c.node.Type)
			}
			return nil
		})
		return &o.Fixed, err
	}
}

// bindLocalTime gives what a clock in the zone shows where the argument says AT TIME ZONE; elsewhere a type has no zone
// but UTC.
func bindLocalTime(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 1 {
		return nil, nil, s.mismatch(args)
	}
	dt, cost := pTimestamp.accept(args[0])
	if cost < 0 {
		return nil, nil, s.mismatch(args)
	}
	at, err := Coerce(args[0], dt, s.span)
	if err != nil {
		return nil, nil, err
	}
	out := []*Node{at}
	if at.Kind == Call && at.Name == "at_time_zone" && isZoned(dt) {
		out = append(out, at.Args[1])
	}
	return out, &arrow.TimestampType{Unit: dt.(*arrow.TimestampType).Unit}, nil
}

func localTimeKernel(n *Node) kernel {
	if len(n.Args) == 2 {
		return atTimeZoneKernel(n)
	}
	return castTo(n.Type)(n)
}

func fromUnixIn(*Node) kernel {
	zones := &zoneCache{}
	return textNumber(func(c *call, r int) (int64, error) {
		clock, err := zones.get(c, c.text(1).at(r))
		if err != nil {
			return 0, err
		}
		sec := argOf[int64](c, 0).at(r)
		if sec > math.MaxInt64/2 || sec < math.MinInt64/2 {
			return 0, overflow(c.node.Span, c.node.Type)
		}
		return clock.Local(sec), nil
	})(nil)
}

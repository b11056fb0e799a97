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

// zoneCache keeps the zones met; nil for names that are none.
type zoneCache map[string]*time.Location

// maxZones bounds what is kept when names come from data.
const maxZones = 1024

func (z zoneCache) find(name string) (*time.Location, bool) {
	loc, known := z[name]
	if !known {
		if len(z) >= maxZones {
			clear(z)
		}
		name = strings.Clone(name) // zones keep their names, and the batch is only borrowed
		loc = findZone(name)
		z[name] = loc
	}
	return loc, loc != nil
}

func (z zoneCache) get(c *call, name string) (*time.Location, error) {
	loc, ok := z.find(name)
	if !ok {
		return nil, unknownZone(c.node.Span)
	}
	return loc, nil
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

// localSeconds is what a clock in the zone shows at a moment, as seconds of a clock in UTC.
func localSeconds(sec int64, loc *time.Location) int64 {
	_, offset := time.Unix(sec, 0).In(loc).Zone()
	return sec + int64(offset)
}

// momentSeconds is the inverse. As in PostgreSQL, a time that the clock skips is taken with the offset before the change,
// one that it shows twice with the offset after it.
func momentSeconds(local int64, loc *time.Location) int64 {
	_, before := time.Unix(local-daySeconds, 0).In(loc).Zone()
	_, after := time.Unix(local+daySeconds, 0).In(loc).Zone()
	if sec := local - int64(after); before == after || localSeconds(sec, loc) == local {
		return sec
	}
	return local - int64(before)
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
	zones := zoneCache{}
	unit := unitOf(n.Type)
	perSecond := 1e9 / unit
	convert, east := momentSeconds, int64(-1)
	if isZoned(n.Args[0].Type) {
		convert, east = localSeconds, 1
	}
	offset := func(c *call, r int, sec int64) (int64, error) {
		loc, err := zones.get(c, c.text(1).at(r))
		if err != nil {
			return 0, err
		}
		return convert(sec, loc) - sec, nil
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
	zones := zoneCache{}
	return textNumber(func(c *call, r int) (int64, error) {
		loc, err := zones.get(c, c.text(1).at(r))
		if err != nil {
			return 0, err
		}
		sec := argOf[int64](c, 0).at(r)
		if sec > math.MaxInt64/2 || sec < math.MinInt64/2 {
			return 0, overflow(c.node.Span, c.node.Type)
		}
		return localSeconds(sec, loc), nil
	})(nil)
}

package expr

import (
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

const categoryTime = "date and time"

// timeFunctions declares the functions that read the clock, cut times and take them apart.
func timeFunctions() []*function {
	fs := []*function{
		clockFunction("now", "The time at which the row is processed.", "now()", "2024-02-03T04:05:06.789", Timestamp,
			func(c *call) column.Vector { return literalVector(Timestamp, c.x.wallClock().UnixNano()) }).
			alias("current_timestamp", "localtimestamp", "clock_timestamp", "statement_timestamp", "transaction_timestamp"),
		clockFunction("current_date", "The day on which the row is processed.", "current_date()", "2024-02-03", typeDate,
			func(c *call) column.Vector {
				return literalVector(typeDate, floorDiv(c.x.wallClock().Unix(), daySeconds))
			}).alias("today"),
		clockFunction("current_time", "The time of day at which the row is processed.", "current_time()", "04:05:06.789", typeTime,
			func(c *call) column.Vector {
				return literalVector(typeTime, floorMod(c.x.wallClock().UnixNano(), dayNanos))
			}).alias("localtime"),
		{
			name: "date_trunc", aliases: []string{"datetrunc"}, category: categoryTime,
			doc:     "The start of the unit that the time is in: 'microsecond' to 'millennium'; weeks start on Monday. Of a moment, a zone may follow by whose clock it is cut.",
			example: "date_trunc('month', TIMESTAMP '1969-12-31T23:00:00')", result: "1969-12-01T00:00:00",
			takes: "date_trunc(TEXT, TIMESTAMP), date_trunc(TEXT, DATE) or date_trunc(TEXT, TIMESTAMP WITH TIME ZONE, TEXT)", bind: bindTruncate, make: truncateKernel,
			expand: truncateIn,
		},
		{
			name: "date_part", aliases: []string{"datepart", "extract"}, category: categoryTime,
			doc:     "A field of a time: year, month, day, hour, minute, second, millisecond, week, dow, doy, quarter, epoch, …",
			example: "date_part('doy', DATE '2024-03-01')", result: "61",
			takes: "date_part(TEXT constant, TIMESTAMP, DATE, TIME or INTERVAL)", bind: bindPart, make: partKernel,
		},
		{
			name: "make_date", category: categoryTime, doc: "The day of this year, month and day.", example: "make_date(2024, 2, 29)",
			result: "2024-02-29", overloads: []overload{takes(typeDate, makeDateKernel, pInt, pInt, pInt)},
		},
	}
	binned := func(params ...param) overload {
		return overload{params: params, result: returnsArg(1), make: binKernel}
	}
	return append(fs, &function{
		name: "date_bin", category: categoryTime, check: checkWidth,
		doc:     "The start of the bin of this width that the time is in; bins are aligned with an origin, 1970-01-01.",
		example: "date_bin(INTERVAL '15 minutes', TIMESTAMP '2024-01-01T00:29:59')", result: "2024-01-01T00:15:00",
		overloads: []overload{binned(pInterval, pTimestamp), binned(pInterval, pTimestamp, exactly(Timestamp))},
	})
}

func clockFunction(name, doc, example, result string, dt arrow.DataType, read func(c *call) column.Vector) *function {
	return &function{
		name: name, category: categoryTime, doc: doc, example: example, result: result, volatility: Stable,
		overloads: []overload{takes(dt, func(*Node) kernel {
			return func(c *call) (column.Vector, error) { return read(c), nil }
		})},
	}
}

// timeUnit is a unit in which times are cut and counted.
type timeUnit uint8

const (
	unitNone timeUnit = iota
	unitNanosecond
	unitMicrosecond
	unitMillisecond
	unitSecond
	unitMinute
	unitHour
	unitDay
	unitWeek
	unitMonth
	unitQuarter
	unitYear
	unitDecade
	unitCentury
	unitMillennium
)

func parseTimeUnit(s string) timeUnit {
	w := strings.ToLower(strings.TrimSpace(s))
	switch w {
	case "millennium", "millennia", "millenniums":
		return unitMillennium
	case "century", "centuries":
		return unitCentury
	case "us", "usec":
		return unitMicrosecond
	case "ms", "msec":
		return unitMillisecond
	}
	return map[string]timeUnit{
		"nanosecond": unitNanosecond, "microsecond": unitMicrosecond, "millisecond": unitMillisecond, "second": unitSecond,
		"minute": unitMinute, "hour": unitHour, "day": unitDay, "week": unitWeek, "month": unitMonth,
		"quarter": unitQuarter, "year": unitYear, "decade": unitDecade,
	}[strings.TrimSuffix(w, "s")]
}

// nanos is the length of a unit of fixed length.
func (u timeUnit) nanos() int64 {
	return [...]int64{unitNanosecond: 1, unitMicrosecond: 1e3, unitMillisecond: 1e6, unitSecond: 1e9, unitMinute: 60e9,
		unitHour: 3600e9, unitDay: dayNanos, unitWeek: 7 * dayNanos}[u]
}

// bindTruncate takes a date as the timestamp of its midnight.
func bindTruncate(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) == 3 {
		return bindTruncateIn(s, args)
	}
	if len(args) != 2 || !isText(args[0].Type) && !isNull(args[0].Type) {
		return nil, nil, s.mismatch(args)
	}
	unit, err := CastTo(args[0], typeText, false, s.span)
	if err != nil {
		return nil, nil, err
	}
	if text, ok := unit.Value.(string); ok && parseTimeUnit(text) == unitNone {
		return nil, nil, unknownUnit(args[0].Span.Join(fault.Span{}), s.name)
	}
	at := args[1]
	switch {
	case isTimestamp(at.Type):
	case isDate(at.Type), isNull(at.Type), isText(at.Type) && canCoerce(at, Timestamp):
		at = newCast(at, Timestamp, Cast, s.span)
	default:
		return nil, nil, s.mismatch(args)
	}
	return []*Node{unit, at}, at.Type, nil
}

// bindTruncateIn is for a moment, cut by the clock of a zone.
func bindTruncateIn(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if !isZoned(args[1].Type) {
		return nil, nil, s.mismatch(args)
	}
	cut, dt, err := bindTruncate(s, args[:2])
	if err != nil {
		return nil, nil, err
	}
	in, _, err := bindAtTimeZone(s, args[1:])
	if err != nil {
		return nil, nil, err
	}
	return append(cut, in[1]), dt, nil
}

// truncateIn cuts what the zone's clock shows.
func truncateIn(n *Node) *Node {
	if len(n.Args) < 3 {
		return nil
	}
	shown := &arrow.TimestampType{Unit: n.Type.(*arrow.TimestampType).Unit}
	call := func(name string, dt arrow.DataType, args ...*Node) *Node {
		return &Node{Kind: Call, Name: name, Type: dt, Nullable: n.Nullable, Args: args, Span: n.Span}
	}
	local := call("at_time_zone", shown, n.Args[1], n.Args[2])
	cut := call("date_trunc", shown, n.Args[0], local)
	if text, ok := n.Args[0].Value.(string); ok && parseTimeUnit(text) < unitDay {
		// What is cut off is taken off the moment: an hour that the clock shows twice stays the one that it is.
		return call("subtract", n.Type, n.Args[1], call("subtract", Interval, local, cut))
	}
	return call("at_time_zone", n.Type, cut, n.Args[2])
}

func unknownUnit(span fault.Span, name string) *fault.Error {
	return fault.Userf(fault.CodeInvalid, span, "%s: there is no such unit of time", name).
		WithHint("units are microsecond, millisecond, second, minute, hour, day, week, month, quarter, year, …")
}

func truncateKernel(n *Node) kernel {
	unit := unitOf(n.Type)
	fixed := unitNone
	if text, ok := n.Args[0].Value.(string); ok && n.Args[0].Kind == Literal {
		fixed = parseTimeUnit(text)
	}
	out := &fixedOut[int64]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[int64](c, 1)
		if fixed != unitNone && fixed <= unitDay && in.mask != 0 {
			truncateAll(o.Values, in.values[:c.n], max(1, fixed.nanos()/unit))
			return &o.Fixed, nil
		}
		err := c.each(func(r int) error {
			to := fixed
			if to == unitNone {
				if to = parseTimeUnit(c.text(0).at(r)); to == unitNone {
					return unknownUnit(c.node.Span, c.node.Name)
				}
			}
			v, ok := truncate(in.at(r), unit, to)
			if !ok {
				return overflow(c.node.Span, c.node.Type)
			}
			o.Values[r] = v
			return nil
		})
		return &o.Fixed, err
	}
}

// truncateAll cuts to multiples of step towards the past.
func truncateAll(out, in []int64, step int64) {
	out = out[:len(in)]
	if step == 1 {
		copy(out, in)
		return
	}
	var m magic
	m.set(uint64(step))
	for i, v := range in {
		// The quotient of a negative value is found through its complement, which rounds down.
		sign := v >> 63
		q := int64(m.quotient(uint64(v^sign))) ^ sign
		out[i] = q * step
	}
}

// truncate gives the start of the unit that v is in; ok is false if that is before the earliest time.
func truncate(v, unit int64, to timeUnit) (int64, bool) {
	if to <= unitDay {
		step := to.nanos() / unit
		if step <= 1 {
			return v, true
		}
		return checked(opMultiply, floorDiv(v, step), step)
	}
	c := civilIn(v, unit)
	day := civil{year: c.year, month: c.month, day: 1}
	switch to {
	case unitWeek:
		days := daysOf(c.year, c.month, c.day)
		return timestampOf((days-floorMod(days+3, 7))*daySeconds, 0, unit)
	case unitQuarter:
		day.month = (c.month-1)/3*3 + 1
	case unitYear:
		day.month = 1
	case unitDecade:
		day.year, day.month = floorDiv(c.year, 10)*10, 1
	case unitCentury:
		day.year, day.month = floorDiv(c.year-1, 100)*100+1, 1
	case unitMillennium:
		day.year, day.month = floorDiv(c.year-1, 1000)*1000+1, 1
	}
	return day.timestamp(unit)
}

func makeDateKernel(*Node) kernel {
	return textNumber(func(c *call, r int) (int32, error) {
		y, m, d := argOf[int64](c, 0).at(r), argOf[int64](c, 1).at(r), argOf[int64](c, 2).at(r)
		if !validDate(y, m, d) {
			return 0, c.badArgument("there is no such day").WithHint("months go from 1 to 12, days to the end of the month")
		}
		return int32(daysOf(y, int(m), int(d))), nil
	})(nil)
}

func binKernel(n *Node) kernel {
	unit := unitOf(n.Type)
	out := &fixedOut[int64]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		widths, in := argOf[arrow.MonthDayNanoInterval](c, 0), argOf[int64](c, 1)
		origin := numbers[int64]{values: []int64{0}}
		if len(c.args) == 3 {
			origin = argOf[int64](c, 2)
		}
		err := c.each(func(r int) error {
			v, err := bin(c, widths.at(r), in.at(r), floorDiv(origin.at(r), unit), unit)
			o.Values[r] = v
			return err
		})
		return &o.Fixed, err
	}
}

func bin(c *call, width arrow.MonthDayNanoInterval, v, origin, unit int64) (int64, error) {
	if width.Months != 0 {
		if width.Days != 0 || width.Nanoseconds != 0 || width.Months < 0 {
			return 0, c.badArgument("a width in months has no days and no time, and is positive").WithHint("for example INTERVAL '1 month'")
		}
		return binMonths(c, int64(width.Months), v, origin, unit)
	}
	days, ok := checked(opMultiply, int64(width.Days), dayNanos)
	step := days
	if ok {
		step, ok = checked(opAdd, days, width.Nanoseconds)
	}
	step /= unit
	if !ok || step <= 0 {
		return 0, c.badArgument("the width is not positive").WithHint("for example INTERVAL '15 minutes'")
	}
	distance, ok := checked(opSubtract, v, origin)
	if !ok {
		return 0, overflow(c.node.Span, c.node.Type)
	}
	r, ok1 := checked(opMultiply, floorDiv(distance, step), step)
	r, ok2 := checked(opAdd, r, origin)
	if !ok1 || !ok2 {
		return 0, overflow(c.node.Span, c.node.Type)
	}
	return r, nil
}

func binMonths(c *call, months, v, origin, unit int64) (int64, error) {
	o, at := civilIn(origin, unit), civilIn(v, unit)
	between := (at.year*12 + int64(at.month)) - (o.year*12 + int64(o.month))
	k := floorDiv(between, months)
	for ; ; k-- {
		start, ok := o.addMonths(k * months).timestamp(unit)
		if !ok {
			return 0, overflow(c.node.Span, c.node.Type)
		}
		if start <= v {
			return start, nil
		}
	}
}

// datePart is a field of a time.
type datePart uint8

const (
	partNone datePart = iota
	partYear
	partQuarter
	partMonth
	partWeek
	partDay
	partDoy
	partDow
	partIsoDow
	partIsoYear
	partHour
	partMinute
	partSecond
	partMillisecond
	partMicrosecond
	partNanosecond
	partEpoch
	partDecade
	partCentury
	partMillennium
	partJulian
	partZone
	partZoneHour
	partZoneMinute
)

var dateParts = map[string]datePart{
	"year": partYear, "y": partYear, "yr": partYear, "quarter": partQuarter, "qtr": partQuarter, "month": partMonth,
	"mon": partMonth, "week": partWeek, "w": partWeek, "day": partDay, "d": partDay, "doy": partDoy, "dow": partDow,
	"isodow": partIsoDow, "isoyear": partIsoYear, "hour": partHour, "h": partHour, "hr": partHour, "minute": partMinute,
	"m": partMinute, "min": partMinute, "second": partSecond, "s": partSecond, "sec": partSecond,
	"millisecond": partMillisecond, "ms": partMillisecond, "msec": partMillisecond, "microsecond": partMicrosecond,
	"us": partMicrosecond, "usec": partMicrosecond, "nanosecond": partNanosecond, "ns": partNanosecond,
	"nsec": partNanosecond, "epoch": partEpoch, "decade": partDecade, "century": partCentury, "centurie": partCentury,
	"millennium": partMillennium, "julian": partJulian, "timezone": partZone, "timezone_hour": partZoneHour,
	"timezone_minute": partZoneMinute, "isoweek": partWeek,
}

func parseDatePart(s string) datePart {
	w := strings.ToLower(strings.TrimSpace(s))
	if p, ok := dateParts[w]; ok {
		return p
	}
	return dateParts[strings.TrimSuffix(w, "s")]
}

// bindPart needs a constant field: the type of the result depends on it. Most are an INT; the nanoseconds are a BIGINT
// and the epoch a DOUBLE.
func bindPart(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	name, ok := constant(args, 0)
	if !ok {
		return nil, nil, fault.Userf(CodeTypeMismatch, spanOf(args[0], s.span), "the field of a time is a text constant").
			WithHint("for example date_part('hour', x); CASE chooses between several")
	}
	p := parseDatePart(name)
	if p == partNone {
		return nil, nil, fault.Userf(fault.CodeInvalid, args[0].Span.Join(s.span), "there is no such field of a time").
			WithHint("fields are year, quarter, month, week, day, doy, dow, hour, minute, second, millisecond, epoch, …")
	}
	at := args[1]
	if isNull(at.Type) || isText(at.Type) && canCoerce(at, Timestamp) {
		at = newCast(at, Timestamp, Cast, s.span)
	}
	if !isTemporal(at.Type) || isInterval(at.Type) && !p.ofInterval() || isTime(at.Type) && !p.ofClock() {
		return nil, nil, s.mismatch(args)
	}
	if p >= partZone && (!isTimestamp(at.Type) || !isZoned(at.Type)) {
		return nil, nil, fault.Userf(CodeTypeMismatch, s.span, "%s has no time zone", TypeName(at.Type)).
			WithHint("only TIMESTAMP WITH TIME ZONE has one, which is UTC")
	}
	dt := typeInt32
	switch p {
	case partEpoch:
		dt = typeDouble
	case partNanosecond:
		dt = typeInt64
	}
	return []*Node{args[0], at}, dt, nil
}

func (p datePart) ofClock() bool { return p >= partHour && p <= partEpoch }

func (p datePart) ofInterval() bool {
	return p.ofClock() || p == partYear || p == partMonth || p == partDay || p == partQuarter || p == partWeek ||
		p >= partDecade && p <= partMillennium
}

func partKernel(n *Node) kernel {
	p := parseDatePart(n.Args[0].Value.(string))
	dt := n.Args[1].Type
	switch {
	case isInterval(dt) && p == partEpoch:
		return partOf(intervalSeconds)
	case isInterval(dt) && p == partNanosecond:
		return partOf(func(v arrow.MonthDayNanoInterval) int64 { return v.Nanoseconds % 60e9 })
	case isInterval(dt):
		return partOf(func(v arrow.MonthDayNanoInterval) int32 { return intervalPart(v, p) })
	case isDate(dt) && p == partEpoch:
		return partOf(func(v int32) float64 { return float64(v) * daySeconds })
	case isDate(dt) && p == partNanosecond:
		return partOf(func(int32) int64 { return 0 })
	case isDate(dt):
		return partOf(func(v int32) int32 { return int32(civilOf(int64(v)*daySeconds, 0).part(p)) })
	}
	unit := int64(1)
	if isTimestamp(dt) {
		unit = unitOf(dt)
	}
	switch p {
	case partEpoch:
		return partOf(func(v int64) float64 {
			perSecond := int64(1e9) / unit
			// Towards zero: the fraction of -1 ns must not be rounded as 0.999999999.
			return float64(v/perSecond) + float64(v%perSecond)/float64(perSecond)
		})
	case partNanosecond:
		return partOf(func(v int64) int64 { return civilIn(v, unit).part(p) })
	}
	return partOf(func(v int64) int32 { return int32(civilIn(v, unit).part(p)) })
}

// partOf is mapRows over argument 1, for functions that cannot fail.
func partOf[A, R column.Value](f func(A) R) kernel {
	out := &fixedOut[R]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[A](c, 1)
		err := c.each(func(r int) error {
			o.Values[r] = f(in.at(r))
			return nil
		})
		return &o.Fixed, err
	}
}

// part gives a field as PostgreSQL counts it; seconds are whole, and milliseconds to nanoseconds count within the minute.
func (c civil) part(p datePart) int64 {
	switch p {
	case partZone, partZoneHour, partZoneMinute:
		return 0 // moments are in UTC
	case partYear:
		return c.year
	case partQuarter:
		return int64(c.month-1)/3 + 1
	case partMonth:
		return int64(c.month)
	case partDay:
		return int64(c.day)
	case partHour:
		return int64(c.hour)
	case partMinute:
		return int64(c.minute)
	case partSecond:
		return int64(c.sec)
	case partMillisecond:
		return int64(c.sec)*1e3 + int64(c.nano)/1e6
	case partMicrosecond:
		return int64(c.sec)*1e6 + int64(c.nano)/1e3
	case partNanosecond:
		return int64(c.sec)*1e9 + int64(c.nano)
	case partDecade:
		return floorDiv(c.year, 10)
	case partCentury:
		return ageOf(c.year, 100)
	case partMillennium:
		return ageOf(c.year, 1000)
	}
	days := daysOf(c.year, c.month, c.day)
	switch p {
	case partDoy:
		return days - daysOf(c.year, 1, 1) + 1
	case partDow:
		return floorMod(days+4, 7)
	case partIsoDow:
		return floorMod(days+3, 7) + 1
	case partJulian:
		return days + 2440588
	}
	year, week := isoWeek(days)
	if p == partIsoYear {
		return year
	}
	return int64(week)
}

// ageOf counts centuries and millennia: the first begins with year 1, the one before it is -1.
func ageOf(year, length int64) int64 {
	if year > 0 {
		return (year-1)/length + 1
	}
	return -((-year)/length + 1)
}

// isoWeek gives the week of ISO 8601: weeks start on Monday, and week 1 has the year's first Thursday.
func isoWeek(days int64) (year int64, week int) {
	thursday := days - floorMod(days+3, 7) + 3
	year, _, _ = dateOf(thursday)
	return year, int(thursday-daysOf(year, 1, 1))/7 + 1
}

func intervalPart(v arrow.MonthDayNanoInterval, p datePart) int32 {
	switch p {
	case partYear:
		return v.Months / 12
	case partQuarter:
		return v.Months%12/3 + 1
	case partMonth:
		return v.Months % 12
	case partWeek:
		return v.Days / 7
	case partDay:
		return v.Days
	case partHour:
		return int32(v.Nanoseconds / 3600e9)
	case partMinute:
		return int32(v.Nanoseconds / 60e9 % 60)
	case partSecond:
		return int32(v.Nanoseconds / 1e9 % 60)
	case partMillisecond:
		return int32(v.Nanoseconds / 1e6 % 60e3)
	case partMicrosecond:
		return int32(v.Nanoseconds / 1e3 % 60e6)
	case partDecade:
		return v.Months / 120
	case partCentury:
		return v.Months / 1200
	}
	return v.Months / 12000
}

// intervalSeconds counts a year as 365.25 days and a month as 30, as PostgreSQL does.
func intervalSeconds(v arrow.MonthDayNanoInterval) float64 {
	days := float64(v.Months/12)*365.25 + float64(v.Months%12)*30 + float64(v.Days)
	whole := math.Trunc(float64(v.Nanoseconds / 1e9))
	return days*daySeconds + whole + float64(v.Nanoseconds%1e9)/1e9
}

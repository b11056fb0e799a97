package expr

import (
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// TimestampTZ is TIMESTAMP WITH TIME ZONE: a moment, in nanoseconds since the Unix epoch, that prints in UTC.
var TimestampTZ = &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "+00:00"}

var typeSeconds arrow.DataType = &arrow.TimestampType{Unit: arrow.Second}

// timeConversionFunctions declares the functions between times and numbers, texts and time zones.
func timeConversionFunctions() []*function {
	fs := []*function{
		{
			name: "to_timestamp", category: categoryTime, check: checkFormats,
			doc:     "A timestamp of a text (ISO 8601, or in one of the formats given), or of seconds since 1970.",
			example: "to_timestamp('03.02.2024 04:05', '%d.%m.%Y %H:%M')", result: "2024-02-03T04:05:00",
			overloads: toTimestampOverloads(Timestamp, 1e9),
		},
		toTimestampFunction("to_timestamp_seconds", "seconds", "to_timestamp_seconds(1)", "1970-01-01T00:00:01", arrow.Second),
		toTimestampFunction("to_timestamp_millis", "milliseconds", "to_timestamp_millis(-1)", "1969-12-31T23:59:59.999",
			arrow.Millisecond),
		toTimestampFunction("to_timestamp_micros", "microseconds", "to_timestamp_micros(1)", "1970-01-01T00:00:00.000001",
			arrow.Microsecond),
		toTimestampFunction("to_timestamp_nanos", "nanoseconds", "to_timestamp_nanos(1)", "1970-01-01T00:00:00.000000001",
			arrow.Nanosecond),
		{
			name: "from_unixtime", category: categoryTime, check: checkZone, doc: "The timestamp of seconds since 1970; with a time zone, the local time there.",
			example: "from_unixtime(86400)", result: "1970-01-02T00:00:00",
			overloads: []overload{
				takes(typeSeconds, func(*Node) kernel { return mapRows(sameNumber) }, pInt),
				takes(typeSeconds, fromUnixIn, pInt, pText),
			},
		},
		{
			name: "to_unixtime", category: categoryTime, check: checkFormats, doc: "The seconds since 1970 of a timestamp, date or text; fractions are cut off.",
			example: "to_unixtime(TIMESTAMP '1970-01-02T00:00:01.5')", result: "86401", overloads: toUnixOverloads(),
		},
		{
			name: "to_date", category: categoryTime, check: checkFormats, doc: "The day of a text (ISO 8601, or in one of the formats given), timestamp or number of days since 1970.",
			example: "to_date('3 Feb 2024', '%e %b %Y')", result: "2024-02-03",
			overloads: []overload{
				{params: []param{pText, pText}, variadic: true, result: returns(typeDate), make: toDateKernel},
				takes(typeDate, castTo(typeDate), pTimestamp), takes(typeDate, castTo(typeDate), pDate),
				takes(typeDate, castTo(typeDate), pInt),
			},
		},
		{
			name: "to_char", aliases: []string{"date_format"}, category: categoryTime, check: checkFormats,
			doc:     "The time as text in a format of strftime: %Y-%m-%d %H:%M:%S%.3f.",
			example: "to_char(TIMESTAMP '2024-02-03T04:05:06.5', '%a %d %b %Y %I:%M %p')", result: "Sat 03 Feb 2024 04:05 AM",
			overloads: []overload{takes(typeText, toCharKernel, pTimestamp, pText), takes(typeText, toCharKernel, pDate, pText),
				takes(typeText, toCharKernel, pTime, pText)},
		},
		{
			name: "to_local_time", category: categoryTime, doc: "A timestamp without its time zone, as the clock shows it there.",
			example: "to_local_time(TIMESTAMP '2024-01-01T00:00:00')", result: "2024-01-01T00:00:00",
			takes: "to_local_time(TIMESTAMP)", bind: bindLocalTime, make: localTimeKernel,
		},
		{
			name: "at_time_zone", operator: "AT TIME ZONE", category: "operators",
			doc:     "The moment at which a clock in the zone shows the timestamp; of a moment, what a clock in the zone shows.",
			example: "TIMESTAMP '2024-07-01T12:00:00' AT TIME ZONE 'Europe/Berlin'", result: "2024-07-01T10:00:00Z",
			takes: "a TIMESTAMP and a zone: a TEXT, or an INTERVAL east of Greenwich", bind: bindAtTimeZone, make: atTimeZoneKernel,
		},
	}
	return fs
}

func sameNumber(_ *call, v int64) (int64, error) { return v, nil }

// castTo makes kernels that do what CAST does.
func castTo(dt arrow.DataType) func(*Node) kernel {
	return func(n *Node) kernel {
		if arrow.TypeEqual(n.Args[0].Type, dt) {
			return sameKernel
		}
		return newCaster(n.Args[0].Type, dt, false)
	}
}

func toTimestampFunction(name, unit, example, result string, u arrow.TimeUnit) *function {
	dt := &arrow.TimestampType{Unit: u}
	return &function{
		name: name, category: categoryTime, example: example, result: result, check: checkFormats,
		doc:       "A timestamp in " + unit + " of a text, a timestamp, or " + unit + " since 1970.",
		overloads: toTimestampOverloads(dt, unitOf(dt)),
	}
}

// toTimestampOverloads takes texts, integers that count units of this many nanoseconds, floats and times.
func toTimestampOverloads(dt *arrow.TimestampType, nanos int64) []overload {
	factor := nanos / unitOf(dt)
	scale := func(*Node) kernel {
		return mapRows(func(c *call, v int64) (int64, error) {
			r, ok := checked(opMultiply, v, factor)
			if !ok {
				return 0, overflow(c.node.Span, dt)
			}
			return r, nil
		})
	}
	fraction := func(*Node) kernel {
		return mapRows(func(c *call, v float64) (int64, error) {
			// Of seconds, which may have a fraction, nanoseconds are rounded; else fractions are cut off, as by a cast.
			r := math.Trunc(v)
			if factor > 1 {
				r = math.Round(v * float64(factor))
			}
			if !(math.Abs(r) < math.MaxInt64) {
				return 0, overflow(c.node.Span, dt)
			}
			return int64(r), nil
		})
	}
	return []overload{
		{params: []param{pText, pText}, variadic: true, result: returns(dt), make: parseKernel(dt)},
		takes(dt, scale, pInt), takes(dt, fraction, pDouble), takes(dt, castTo(dt), pTimestamp), takes(dt, castTo(dt), pDate),
	}
}

// formatCache keeps the last format, parsed.
type formatCache struct {
	text   string
	fields []timeField
}

func (f *formatCache) get(c *call, text string) ([]timeField, error) {
	if f.fields != nil && f.text == text {
		return f.fields, nil
	}
	text = strings.Clone(text) // the fields hold parts of it, and the batch is only borrowed
	fields, ok := parseTimeFormat(text)
	if !ok {
		return nil, c.badArgument("the format has a conversion that there is not").
			WithHint("%s", formatExample)
	}
	if fields == nil {
		fields = []timeField{}
	}
	f.text, f.fields = text, fields
	return fields, nil
}

// momentOf reads argument 0 in one of the formats of the other arguments, or as ISO 8601 if there are none.
func momentOf(c *call, r int, zones *zoneCache, formats []formatCache) (sec, nano int64, err error) {
	s := c.text(0).at(r)
	ok := false
	if len(formats) == 0 {
		sec, nano, ok = parseMoment(s, zones)
	}
	for i := range formats {
		fields, err := formats[i].get(c, c.text(i+1).at(r))
		if err != nil {
			return 0, 0, err
		}
		if sec, nano, ok = parseTimeAs(s, fields); ok {
			break
		}
	}
	if !ok {
		hint := "a timestamp is written 2024-12-31T23:59:59.5; formats may follow as further arguments"
		if len(formats) > 0 {
			hint = "compare the format with the texts"
		}
		return 0, 0, c.badArgument("a text is no time in the expected format").WithHint("%s", hint)
	}
	return sec, nano, nil
}

func parseKernel(dt *arrow.TimestampType) func(*Node) kernel {
	unit := unitOf(dt)
	return func(n *Node) kernel {
		formats, zones := make([]formatCache, len(n.Args)-1), &zoneCache{}
		return textNumber(func(c *call, r int) (int64, error) {
			sec, nano, err := momentOf(c, r, zones, formats)
			if err != nil {
				return 0, err
			}
			v, ok := timestampOf(sec, nano, unit)
			if !ok {
				return 0, overflow(c.node.Span, dt)
			}
			return v, nil
		})(n)
	}
}

func toDateKernel(n *Node) kernel {
	formats, zones := make([]formatCache, len(n.Args)-1), &zoneCache{}
	return textNumber(func(c *call, r int) (int32, error) {
		sec, _, err := momentOf(c, r, zones, formats)
		return int32(floorDiv(sec, daySeconds)), err
	})(n)
}

func toUnixOverloads() []overload {
	return []overload{
		{params: []param{pText, pText}, variadic: true, result: returns(typeInt64), make: func(n *Node) kernel {
			formats, zones := make([]formatCache, len(n.Args)-1), &zoneCache{}
			return textNumber(func(c *call, r int) (int64, error) {
				sec, _, err := momentOf(c, r, zones, formats)
				return sec, err
			})(n)
		}},
		takes(typeInt64, func(n *Node) kernel {
			perSecond := 1e9 / unitOf(n.Args[0].Type)
			return mapRows(func(_ *call, v int64) (int64, error) { return floorDiv(v, perSecond), nil })
		}, pTimestamp),
		takes(typeInt64, func(*Node) kernel {
			return mapRows(func(_ *call, v int32) (int64, error) { return int64(v) * daySeconds, nil })
		}, pDate),
		takes(typeInt64, castTo(typeInt64), pInt),
		takes(typeInt64, castTo(typeInt64), pDouble),
	}
}

func toCharKernel(n *Node) kernel {
	var format formatCache
	dt := n.Args[0].Type
	moment := func(c *call, r int) civil {
		if isDate(dt) {
			return civilOf(int64(argOf[int32](c, 0).at(r))*daySeconds, 0)
		}
		unit := int64(1)
		if isTimestamp(dt) {
			unit = unitOf(dt)
		}
		return civilIn(argOf[int64](c, 0).at(r), unit)
	}
	return textKernel(func(c *call, dst []byte, r int) ([]byte, error) {
		fields, err := format.get(c, c.text(1).at(r))
		if err != nil {
			return dst, err
		}
		return appendTime(dst, fields, moment(c, r)), nil
	})
}

package expr

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// scanner reads a text from the left.
type scanner struct{ s string }

func (p *scanner) skip(c byte) bool {
	if p.s != "" && p.s[0] == c {
		p.s = p.s[1:]
		return true
	}
	return false
}

// digits reads min to max decimal digits.
func (p *scanner) digits(least, most int) (v int64, n int, ok bool) {
	for n < len(p.s) && n < most && p.s[n] >= '0' && p.s[n] <= '9' {
		v = v*10 + int64(p.s[n]-'0')
		n++
	}
	p.s = p.s[n:]
	return v, n, n >= least
}

// fraction reads the digits after a decimal point as nanoseconds; more than nine are cut off.
func (p *scanner) fraction() (int64, bool) {
	v, n, ok := p.digits(1, 9)
	for ; n < 9; n++ {
		v *= 10
	}
	p.digits(0, math.MaxInt)
	return v, ok
}

// date reads [+-]YYYY-M-D, or the eight digits of YYYYMMDD.
func (p *scanner) date(c *civil) bool {
	if q := *p; len(q.s) == 8 || len(q.s) > 8 && (q.s[8] == 'T' || q.s[8] == ' ') {
		if v, n, _ := q.digits(8, 8); n == 8 {
			p.s = q.s
			c.year, c.month, c.day = v/10000, int(v/100%100), int(v%100)
			return validDate(c.year, v/100%100, v%100)
		}
	}
	negative := p.skip('-')
	if !negative {
		p.skip('+')
	}
	y, _, ok := p.digits(4, 6)
	if !ok || !p.skip('-') {
		return false
	}
	m, _, ok := p.digits(1, 2)
	if !ok || !p.skip('-') {
		return false
	}
	d, _, ok := p.digits(1, 2)
	if negative {
		y = -y
	}
	c.year, c.month, c.day = y, int(m), int(d)
	return ok && validDate(y, m, d)
}

func validDate(y, m, d int64) bool {
	return y >= minYear && y <= maxYear && m >= 1 && m <= 12 && d >= 1 && d <= int64(daysInMonth(y, int(m)))
}

// clock reads H:MM[:SS[.fraction]], or HHMMSS[.fraction].
func (p *scanner) clock(c *civil) bool {
	h, n, ok := p.digits(1, 2)
	compact := n == 2 && p.s != "" && p.s[0] != ':'
	if !ok || h > 23 || !compact && !p.skip(':') {
		return false
	}
	m, _, ok := p.digits(2, 2)
	if !ok || m > 59 {
		return false
	}
	c.hour, c.minute = int(h), int(m)
	if !compact && !p.skip(':') {
		return true
	}
	s, _, ok := p.digits(2, 2)
	if !ok || s > 59 {
		return false
	}
	c.sec = int(s)
	if p.skip('.') || p.skip(',') {
		nano, ok := p.fraction()
		c.nano = int(nano)
		return ok
	}
	return true
}

// zone reads Z, UTC or ±HH[[:]MM], as seconds east of Greenwich.
func (p *scanner) zone() (offset int64, ok bool) {
	switch {
	case p.s == "Z" || p.s == "z" || strings.EqualFold(p.s, "utc"):
		p.s = ""
		return 0, true
	case p.s == "" || p.s[0] != '+' && p.s[0] != '-':
		return 0, false
	}
	negative := p.s[0] == '-'
	p.s = p.s[1:]
	h, _, ok := p.digits(2, 2)
	if !ok {
		return 0, false
	}
	p.skip(':')
	var m int64
	if p.s != "" {
		if m, _, ok = p.digits(2, 2); !ok {
			return 0, false
		}
	}
	offset = h*3600 + m*60
	if negative {
		offset = -offset
	}
	return offset, h <= 18 && m <= 59
}

// parseMoment reads a date with an optional time and zone, as RFC 3339 and SQL write them, into seconds and nanoseconds
// since the epoch, UTC. The zone is an offset or, behind a space, a name.
func parseMoment(s string, zones *zoneCache) (sec, nano int64, ok bool) {
	p := scanner{strings.TrimSpace(s)}
	var c civil
	if !p.date(&c) {
		return 0, 0, false
	}
	if p.s == "" {
		return c.seconds(), 0, true
	}
	if !p.skip('T') && !p.skip('t') && !p.skip(' ') || !p.clock(&c) {
		return 0, 0, false
	}
	sec, nano = c.seconds(), int64(c.nano)
	if p.s == "" {
		return sec, nano, true
	}
	named := strings.TrimLeft(p.s, " ")
	p.s = named
	if offset, ok := p.zone(); ok && p.s == "" {
		return sec - offset, nano, true
	}
	if !isLetter(named[0]) {
		return 0, 0, false
	}
	clock, ok := zones.find(named)
	if !ok {
		return 0, 0, false
	}
	return clock.Moment(sec), nano, true
}

func parseTimestamp(s string, unit int64, zones *zoneCache) (int64, bool) {
	sec, nano, ok := parseMoment(s, zones)
	if !ok {
		return 0, false
	}
	return timestampOf(sec, nano, unit)
}

// parseDate reads a date; a time after it is checked and dropped.
func parseDate(s string, zones *zoneCache) (int32, bool) {
	sec, _, ok := parseMoment(s, zones)
	return int32(floorDiv(sec, daySeconds)), ok
}

// parseTime reads a time of day, as nanoseconds since midnight.
func parseTime(s string) (int64, bool) {
	p := scanner{strings.TrimSpace(s)}
	var c civil
	ok := p.clock(&c) && p.s == ""
	return (int64(c.hour)*3600+int64(c.minute)*60+int64(c.sec))*1e9 + int64(c.nano), ok
}

// The units of intervals: months, days or nanoseconds each.
var intervalUnits = map[string]arrow.MonthDayNanoInterval{
	"millennium": {Months: 12000}, "century": {Months: 1200}, "decade": {Months: 120}, "year": {Months: 12}, "quarter": {Months: 3},
	"month": {Months: 1}, "week": {Days: 7}, "day": {Days: 1}, "hour": {Nanoseconds: 3600e9},
	"minute": {Nanoseconds: 60e9}, "second": {Nanoseconds: 1e9}, "millisecond": {Nanoseconds: 1e6},
	"microsecond": {Nanoseconds: 1e3}, "nanosecond": {Nanoseconds: 1},
}

var intervalAliases = map[string]string{
	"millennia": "millennium", "mil": "millennium", "centuries": "century", "c": "century", "yr": "year", "yrs": "year", "y": "year", "mon": "month", "mons": "month",
	"w": "week", "d": "day", "h": "hour", "hr": "hour", "hrs": "hour", "m": "minute", "min": "minute", "mins": "minute",
	"s": "second", "sec": "second", "secs": "second", "ms": "millisecond", "msec": "millisecond",
	"msecs": "millisecond", "us": "microsecond", "usec": "microsecond", "usecs": "microsecond", "ns": "nanosecond",
	"nsec": "nanosecond", "nsecs": "nanosecond",
}

func intervalUnit(word string) (arrow.MonthDayNanoInterval, bool) {
	w := strings.ToLower(word)
	if a, ok := intervalAliases[w]; ok {
		w = a
	}
	u, ok := intervalUnits[w]
	if !ok {
		u, ok = intervalUnits[strings.TrimSuffix(w, "s")]
	}
	return u, ok
}

// ParseInterval reads intervals as PostgreSQL does: "1 hour 30 minutes", "-1.5 days", "1 day 02:03:04.5", "1-2 3 4:05:06"
// (years and months, days, time), "2 days ago", "P1Y2M3DT4H5M6.5S" and a bare number of seconds. Fractions of months go to
// days (30) and of days to nanoseconds.
func ParseInterval(s string) (arrow.MonthDayNanoInterval, bool) {
	if v, iso, ok := parseIsoInterval(strings.TrimSpace(s)); iso {
		return v, ok
	}
	words := strings.Fields(splitUnits(s))
	if len(words) > 0 && words[0] == "@" {
		words = words[1:]
	}
	ago := len(words) > 1 && strings.EqualFold(words[len(words)-1], "ago")
	if ago {
		words = words[:len(words)-1]
	}
	var sum arrow.MonthDayNanoInterval
	ok := len(words) > 0
	for ok && len(words) > 0 {
		var part arrow.MonthDayNanoInterval
		if part, words, ok = firstPart(words); ok {
			ok = addInterval(&sum, part)
		}
	}
	if ok && ago {
		return scaleInterval(sum, -1)
	}
	return sum, ok
}

// firstPart reads the first part of an interval, of one word or two, and gives the words after it.
func firstPart(words []string) (v arrow.MonthDayNanoInterval, rest []string, ok bool) {
	w, rest := words[0], words[1:]
	if strings.Contains(w, ":") {
		v.Nanoseconds, ok = parseSpan(w)
		return v, rest, ok
	}
	if i := strings.IndexByte(w[1:], '-'); i >= 0 && !strings.ContainsAny(w, "eE") {
		v, ok = yearsAndMonths(w[:i+1], w[i+2:])
		return v, rest, ok
	}
	unit := arrow.MonthDayNanoInterval{Nanoseconds: 1e9}
	switch {
	case len(rest) > 0 && strings.Contains(rest[0], ":"):
		unit = arrow.MonthDayNanoInterval{Days: 1}
	case len(rest) > 0:
		if unit, ok = intervalUnit(rest[0]); !ok {
			return v, rest, false
		}
		rest = rest[1:]
	}
	v, ok = scaleText(w, unit)
	return v, rest, ok
}

// yearsAndMonths reads the two numbers of 1-2; the sign of the first is that of both.
func yearsAndMonths(years, months string) (v arrow.MonthDayNanoInterval, ok bool) {
	p := scanner{years}
	negative := p.skip('-')
	if !negative {
		p.skip('+')
	}
	y, _, ok1 := p.digits(1, 8)
	q := scanner{months}
	m, _, ok2 := q.digits(1, 2)
	n := y*12 + m
	if negative {
		n = -n
	}
	v.Months = int32(n)
	return v, ok1 && ok2 && p.s == "" && q.s == "" && m < 12 && n == int64(v.Months)
}

// isoUnits are the designators of an ISO 8601 interval, in their order: those of the date, T, and those of the time.
const isoUnits = "YMWDTHMS"

var isoUnit = [len(isoUnits)]arrow.MonthDayNanoInterval{
	{Months: 12}, {Months: 1}, {Days: 7}, {Days: 1}, {}, {Nanoseconds: 3600e9}, {Nanoseconds: 60e9}, {Nanoseconds: 1e9},
}

// parseIsoInterval reads P1Y2M3W4DT5H6M7.5S; the whole and every number may have a sign, every number a fraction. iso is
// false for a text of another form.
func parseIsoInterval(s string) (sum arrow.MonthDayNanoInterval, iso, ok bool) {
	p := scanner{strings.ToUpper(s)}
	negative := p.skip('-')
	if !negative {
		p.skip('+')
	}
	if !p.skip('P') {
		return sum, false, false
	}
	const timeFrom = 4
	last, parts := -1, 0
	for p.s != "" {
		if last < timeFrom && p.skip('T') {
			last, parts = timeFrom, 0
			continue
		}
		n := strings.IndexFunc(p.s, func(r rune) bool { return r >= 'A' && r <= 'Z' })
		if n <= 0 {
			return sum, true, false
		}
		at := strings.IndexByte(isoUnits[:timeFrom], p.s[n])
		if last >= timeFrom {
			if at = strings.IndexByte(isoUnits[timeFrom+1:], p.s[n]); at >= 0 {
				at += timeFrom + 1
			}
		}
		if at <= last {
			return sum, true, false
		}
		part, fits := scaleText(strings.Replace(p.s[:n], ",", ".", 1), isoUnit[at])
		if !fits || !addInterval(&sum, part) {
			return sum, true, false
		}
		p.s, last, parts = p.s[n+1:], at, parts+1
	}
	if parts > 0 && negative {
		sum, ok = scaleInterval(sum, -1)
		return sum, true, ok
	}
	return sum, true, parts > 0
}

// splitUnits puts a space between a number and the unit that follows it directly, as in 5min.
func splitUnits(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if i > 0 && isLetter(s[i]) && s[i-1] >= '0' && s[i-1] <= '9' {
			b.WriteByte(' ')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// parseSpan reads [+-]H:MM[:SS[.fraction]] with any number of hours.
func parseSpan(s string) (int64, bool) {
	p := scanner{s}
	negative := p.skip('-')
	if !negative {
		p.skip('+')
	}
	h, _, ok := p.digits(1, 7)
	if !ok || !p.skip(':') {
		return 0, false
	}
	m, _, ok := p.digits(1, 2)
	if !ok || m > 59 {
		return 0, false
	}
	var sec, nano int64
	if p.skip(':') {
		if sec, _, ok = p.digits(1, 2); !ok || sec > 59 {
			return 0, false
		}
		if p.skip('.') {
			if nano, ok = p.fraction(); !ok {
				return 0, false
			}
		}
	}
	hi, lo := bits.Mul64(uint64(h*3600+m*60+sec), 1e9)
	if p.s != "" || hi != 0 || lo > math.MaxInt64-1e9 {
		return 0, false
	}
	v := int64(lo) + nano
	if negative {
		v = -v
	}
	return v, true
}

// scaleText multiplies a unit by a decimal number.
func scaleText(number string, unit arrow.MonthDayNanoInterval) (arrow.MonthDayNanoInterval, bool) {
	if v, err := strconv.ParseInt(number, 10, 64); err == nil {
		return scaleInterval(unit, v)
	}
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return unit, false
	}
	return scaleIntervalFloat(unit, f)
}

func scaleInterval(u arrow.MonthDayNanoInterval, k int64) (arrow.MonthDayNanoInterval, bool) {
	m, ok1 := checked(opMultiply, int64(u.Months), k)
	d, ok2 := checked(opMultiply, int64(u.Days), k)
	n, ok3 := checked(opMultiply, u.Nanoseconds, k)
	return arrow.MonthDayNanoInterval{Months: int32(m), Days: int32(d), Nanoseconds: n},
		ok1 && ok2 && ok3 && m == int64(int32(m)) && d == int64(int32(d))
}

// scaleIntervalFloat multiplies; fractions of months become days and fractions of days nanoseconds.
func scaleIntervalFloat(u arrow.MonthDayNanoInterval, f float64) (arrow.MonthDayNanoInterval, bool) {
	months, monthPart := math.Modf(float64(u.Months) * f)
	days, dayPart := math.Modf(float64(u.Days)*f + monthPart*30)
	nanos := math.Round(float64(u.Nanoseconds)*f + dayPart*float64(dayNanos))
	fits := math.Abs(months) <= math.MaxInt32 && math.Abs(days) <= math.MaxInt32 && math.Abs(nanos) < math.MaxInt64
	if !fits {
		return u, false
	}
	return arrow.MonthDayNanoInterval{Months: int32(months), Days: int32(days), Nanoseconds: int64(nanos)}, true
}

// addInterval adds v to sum; false on overflow.
func addInterval(sum *arrow.MonthDayNanoInterval, v arrow.MonthDayNanoInterval) bool {
	m, ok1 := checked(opAdd, sum.Months, v.Months)
	d, ok2 := checked(opAdd, sum.Days, v.Days)
	n, ok3 := checked(opAdd, sum.Nanoseconds, v.Nanoseconds)
	*sum = arrow.MonthDayNanoInterval{Months: m, Days: d, Nanoseconds: n}
	return ok1 && ok2 && ok3
}

// appendInterval writes "1 mons 2 days 3 hours 4 mins 5.500 secs", as format json does, leaving out what is zero.
func appendInterval(dst []byte, v arrow.MonthDayNanoInterval) []byte {
	start := len(dst)
	part := func(n int64, unit string) {
		if n == 0 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(append(strconv.AppendInt(dst, n, 10), ' '), unit...)
	}
	part(int64(v.Months), "mons")
	part(int64(v.Days), "days")
	part(v.Nanoseconds/3600e9, "hours")
	part(v.Nanoseconds/60e9%60, "mins")
	if rest := v.Nanoseconds % 60e9; rest != 0 || len(dst) == start {
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		if rest < 0 {
			dst = append(dst, '-')
			rest = -rest
		}
		dst = strconv.AppendInt(dst, rest/1e9, 10)
		dst = appendFraction(dst, int(rest%1e9))
		dst = append(dst, " secs"...)
	}
	return dst
}

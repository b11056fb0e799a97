package expr

import "strconv"

// civil is a moment of the proleptic Gregorian calendar.
type civil struct {
	year        int64
	month, day  int
	hour        int
	minute, sec int
	nano        int
}

const (
	daySeconds = 24 * 60 * 60
	minYear    = -262143
	maxYear    = 262142
)

// daysOf counts the days from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
func daysOf(y int64, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	mp := int64(m+9) % 12
	doy := (153*mp+2)/5 + int64(d) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// dateOf is the inverse of daysOf.
func dateOf(days int64) (y int64, m, d int) {
	z := days + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = int(doy - (153*mp+2)/5 + 1)
	m = int(mp+2)%12 + 1
	y = yoe + era*400
	if m <= 2 {
		y++
	}
	return y, m, d
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// civilOf splits seconds since the epoch.
func civilOf(sec int64, nano int) civil {
	days := floorDiv(sec, daySeconds)
	s := int(sec - days*daySeconds)
	y, m, d := dateOf(days)
	return civil{y, m, d, s / 3600, s / 60 % 60, s % 60, nano}
}

// seconds since the epoch.
func (c civil) seconds() int64 {
	return daysOf(c.year, c.month, c.day)*daySeconds + int64(c.hour)*3600 + int64(c.minute)*60 + int64(c.sec)
}

// civilIn splits a timestamp of this unit, in nanoseconds.
func civilIn(v, unit int64) civil {
	perSecond := int64(1e9) / unit
	sec := floorDiv(v, perSecond)
	return civilOf(sec, int((v-sec*perSecond)*unit))
}

// timestamp is the moment in this unit; ok is false if it does not fit.
func (c civil) timestamp(unit int64) (int64, bool) {
	return timestampOf(c.seconds(), int64(c.nano), unit)
}

// timestampOf combines seconds and nanoseconds, 0 to 1e9-1, into a timestamp of this unit; ok is false if it does not
// fit.
func timestampOf(sec, nano, unit int64) (int64, bool) {
	perSecond := int64(1e9) / unit
	part := nano / unit
	if sec < 0 && part > 0 {
		// -1 s + 0.5 s: stay above the minimum while multiplying.
		sec++
		part -= perSecond
	}
	hi, lo := multiply64(sec, perSecond)
	v := lo + part
	return v, hi == lo>>63 && (v >= lo) == (part >= 0)
}

func isLeap(y int64) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

func daysInMonth(y int64, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if isLeap(y) {
			return 29
		}
		return 28
	}
	return 31
}

// addMonths moves the date by months, to the month's last day where it is shorter.
func (c civil) addMonths(months int64) civil {
	total := c.year*12 + int64(c.month-1) + months
	c.year, c.month = floorDiv(total, 12), int(floorMod(total, 12))+1
	c.day = min(c.day, daysInMonth(c.year, c.month))
	return c
}

func appendPadded(dst []byte, v int64, width int) []byte {
	var digits [20]byte
	d := strconv.AppendInt(digits[:0], v, 10)
	for i := len(d); i < width; i++ {
		dst = append(dst, '0')
	}
	return append(dst, d...)
}

// appendDate writes YYYY-MM-DD; years beyond four digits have a sign.
func appendDate(dst []byte, y int64, m, d int) []byte {
	switch {
	case y < 0:
		dst = appendPadded(append(dst, '-'), -y, 4)
	case y > 9999:
		dst = appendPadded(append(dst, '+'), y, 4)
	default:
		dst = appendPadded(dst, y, 4)
	}
	dst = appendPadded(append(dst, '-'), int64(m), 2)
	return appendPadded(append(dst, '-'), int64(d), 2)
}

// appendClock writes HH:MM:SS and the fraction in 3, 6 or 9 digits if there is one.
func appendClock(dst []byte, h, m, s, nano int) []byte {
	dst = appendPadded(dst, int64(h), 2)
	dst = appendPadded(append(dst, ':'), int64(m), 2)
	return appendFraction(appendPadded(append(dst, ':'), int64(s), 2), nano)
}

// appendFraction writes parts of a second with three, six or nine digits, and nothing for none.
func appendFraction(dst []byte, nano int) []byte {
	switch {
	case nano == 0:
		return dst
	case nano%1e6 == 0:
		return appendPadded(append(dst, '.'), int64(nano/1e6), 3)
	case nano%1e3 == 0:
		return appendPadded(append(dst, '.'), int64(nano/1e3), 6)
	}
	return appendPadded(append(dst, '.'), int64(nano), 9)
}

// appendTimestamp writes 2023-10-09T17:13:59.800; a Z follows if zoned.
func appendTimestamp(dst []byte, v, unit int64, zoned bool) []byte {
	c := civilIn(v, unit)
	dst = append(appendDate(dst, c.year, c.month, c.day), 'T')
	dst = appendClock(dst, c.hour, c.minute, c.sec, c.nano)
	if zoned {
		dst = append(dst, 'Z')
	}
	return dst
}

package json

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

const digitPairs = "00010203040506070809" +
	"10111213141516171819" +
	"20212223242526272829" +
	"30313233343536373839" +
	"40414243444546474849" +
	"50515253545556575859" +
	"60616263646566676869" +
	"70717273747576777879" +
	"80818283848586878889" +
	"90919293949596979899"

func appendInt(dst []byte, v int64) []byte {
	if v < 0 {
		return appendUint(append(dst, '-'), uint64(-v))
	}
	return appendUint(dst, uint64(v))
}

func appendUint(dst []byte, v uint64) []byte {
	var b [20]byte
	i := len(b)
	for v >= 100 {
		q := v / 100
		r := (v - q*100) * 2
		v = q
		i -= 2
		b[i+1], b[i] = digitPairs[r+1], digitPairs[r]
	}
	if v >= 10 {
		i -= 2
		b[i+1], b[i] = digitPairs[v*2+1], digitPairs[v*2]
	} else {
		i--
		b[i] = byte('0' + v)
	}
	return append(dst, b[i:]...)
}

// appendPadded appends v with leading zeros up to width digits.
func appendPadded(dst []byte, v uint64, width int) []byte {
	var b [20]byte
	for i := width - 1; i >= 0; i-- {
		b[i] = byte('0' + v%10)
		v /= 10
	}
	return append(dst, b[:width]...)
}

// Numbers of a magnitude from here on, and those below the other bound, are written with an exponent.
const (
	largest  = 1e10
	smallest = 1e-5
)

// appendFloat appends the shortest text that reads back as v, with a point even if v is integral. NaN and the infinities
// have no JSON and become null.
func appendFloat(dst []byte, v float64) []byte {
	a := math.Abs(v)
	if a >= largest || (a < smallest && a != 0) || a != a {
		return appendFarFloat(dst, v, 64)
	}
	if math.Signbit(v) {
		dst = append(dst, '-')
	}
	// A decimal of up to 15 digits that reads back as v is the only one of that length, so without its trailing zeros it is
	// the shortest one. Rows mostly hold such numbers: prices, percentages, integers.
	if n := uint64(a*1e5 + 0.5); float64(n)/1e5 == a {
		return appendFiveDecimals(dst, n)
	}
	from := len(dst)
	return withPoint(strconv.AppendFloat(dst, a, 'f', -1, 64), from)
}

// appendFiveDecimals appends n / 1e5 without trailing zeros.
func appendFiveDecimals(dst []byte, n uint64) []byte {
	whole := n / 100000
	frac := n - whole*100000
	dst = appendUint(dst, whole)
	dst = append(dst, '.')
	width := 5
	for frac%10 == 0 && width > 1 {
		frac /= 10
		width--
	}
	return appendPadded(dst, frac, width)
}

func appendFloat32(dst []byte, v float32) []byte {
	a := math.Abs(float64(v))
	if a >= largest || (a < smallest && a != 0) || a != a {
		return appendFarFloat(dst, float64(v), 32)
	}
	from := len(dst)
	return withPoint(strconv.AppendFloat(dst, float64(v), 'f', -1, 32), from)
}

// withPoint adds ".0" to the number from there on if it has no point.
func withPoint(dst []byte, from int) []byte {
	if bytes.IndexByte(dst[from:], '.') < 0 {
		dst = append(dst, '.', '0')
	}
	return dst
}

// appendFarFloat appends numbers in exponent form, for example 1.0e21 and 2.5e-7.
func appendFarFloat(dst []byte, v float64, width int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return append(dst, "null"...)
	}
	from := len(dst)
	dst = strconv.AppendFloat(dst, v, 'e', -1, width)
	e := from + bytes.IndexByte(dst[from:], 'e')
	exp, _ := strconv.Atoi(string(dst[e+1:]))
	dst = withPoint(dst[:e], from)
	return strconv.AppendInt(append(dst, 'e'), int64(exp), 10)
}

// appendDecimal appends v / 10^scale with all digits of the scale; a negative scale gives trailing zeros.
func appendDecimal(dst []byte, v decimal128.Num, scale int) []byte {
	if v.Sign() < 0 {
		dst = append(dst, '-')
		v = v.Negate()
	}
	hi, lo := uint64(v.HighBits()), v.LowBits()
	// Three chunks of 19 digits hold every 128-bit number.
	const chunk = 1e19
	var low [3]uint64
	hi1, rest := bits.Div64(0, hi, chunk)
	lo1, low0 := bits.Div64(rest, lo, chunk)
	low[2] = low0
	low[0], low[1] = bits.Div64(hi1, lo1, chunk)
	var b [57]byte
	digits := appendPadded(appendPadded(appendPadded(b[:0], low[0], 19), low[1], 19), low[2], 19)
	first := 0
	for first < len(digits)-1-max(scale, 0) && digits[first] == '0' {
		first++
	}
	digits = digits[first:]
	if scale <= 0 {
		dst = append(dst, digits...)
		if len(digits) == 1 && digits[0] == '0' {
			return dst
		}
		for range -scale {
			dst = append(dst, '0')
		}
		return dst
	}
	dst = append(dst, digits[:len(digits)-scale]...)
	dst = append(dst, '.')
	return append(dst, digits[len(digits)-scale:]...)
}

// dayMemo remembers the text of the last day written.
type dayMemo struct {
	day  int64
	text []byte
}

// appendTimestamp appends v units since the epoch as YYYY-MM-DDTHH:MM:SS and 0, 3, 6 or 9 digits of a fraction.
func (m *dayMemo) appendTimestamp(dst []byte, v, unit int64) []byte {
	perDay := secondsPerDay * nanosPerSecond / unit
	day := v / perDay
	rest := v - day*perDay
	if rest < 0 {
		rest += perDay
		day--
	}
	if day != m.day || m.text == nil {
		m.day = day
		m.text = append(appendDate(m.text[:0], day), 'T')
	}
	dst = append(dst, m.text...)
	return appendClock(dst, rest*unit)
}

// appendDate appends a number of days since the epoch as YYYY-MM-DD; years beyond four digits have a sign.
func appendDate(dst []byte, day int64) []byte {
	year, month, dom := civil(day)
	switch {
	case year > 9999:
		dst = appendInt(append(dst, '+'), year)
	case year < 0:
		dst = append(dst, '-')
		dst = appendPadded(dst, uint64(-year), max(4, digitCount(uint64(-year))))
	default:
		dst = appendPadded(dst, uint64(year), 4)
	}
	dst = append(dst, '-', digitPairs[2*month], digitPairs[2*month+1], '-')
	return append(dst, digitPairs[2*dom], digitPairs[2*dom+1])
}

func digitCount(v uint64) int {
	n := 1
	for ; v >= 10; v /= 10 {
		n++
	}
	return n
}

// civil is the inverse of daysFromCivil.
func civil(day int64) (year int64, month, dom int) {
	day += 719468
	era := floorDiv(day, 146097)
	doe := day - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	dom = int(doy - (153*mp+2)/5 + 1)
	month = int(mp + 3)
	year = yoe + era*400
	if month > 12 {
		month -= 12
		year++
	}
	return year, month, dom
}

// appendClock appends a time of day in nanoseconds as HH:MM:SS and 0, 3, 6 or 9 digits of a fraction.
func appendClock(dst []byte, ns int64) []byte {
	seconds := ns / nanosPerSecond
	frac := uint64(ns - seconds*nanosPerSecond)
	minutes := seconds / 60
	hour, minute, second := 2*(minutes/60), 2*(minutes%60), 2*(seconds%60)
	dst = append(dst, digitPairs[hour], digitPairs[hour+1], ':', digitPairs[minute], digitPairs[minute+1], ':',
		digitPairs[second], digitPairs[second+1])
	return appendFraction(dst, frac)
}

// appendMillis appends v units since the epoch as milliseconds, cut off toward zero.
func appendMillis(dst []byte, v, unit int64) []byte {
	const milli = 1_000_000
	if unit <= milli {
		return appendInt(dst, v/(milli/unit))
	}
	hi, lo := bits.Mul64(uint64(max(v, -v)), uint64(unit/milli))
	if hi != 0 || lo > math.MaxInt64 {
		lo = math.MaxInt64
	}
	if v < 0 {
		dst = append(dst, '-')
	}
	return appendUint(dst, lo)
}

// appendInterval appends the parts of an interval that are not zero, for example "14 mons -3 days 4 hours 5.250 secs".
func appendInterval(dst []byte, v arrow.MonthDayNanoInterval) []byte {
	from := len(dst)
	part := func(n int64, name string) {
		if n != 0 {
			dst = append(appendInt(separated(dst, from), n), name...)
		}
	}
	part(int64(v.Months), " mons")
	part(int64(v.Days), " days")
	seconds := v.Nanoseconds / nanosPerSecond
	part(seconds/3600, " hours")
	part(seconds/60%60, " mins")
	frac := v.Nanoseconds % nanosPerSecond
	if seconds%60 == 0 && frac == 0 && len(dst) > from {
		return dst
	}
	dst = separated(dst, from)
	if v.Nanoseconds < 0 {
		dst = append(dst, '-')
	}
	dst = appendUint(dst, uint64(max(seconds%60, -(seconds%60))))
	dst = appendFraction(dst, uint64(max(frac, -frac)))
	return append(dst, " secs"...)
}

func separated(dst []byte, from int) []byte {
	if len(dst) > from {
		dst = append(dst, ' ')
	}
	return dst
}

// appendFraction appends a fraction of a second in nanoseconds with 0, 3, 6 or 9 digits.
func appendFraction(dst []byte, frac uint64) []byte {
	switch {
	case frac == 0:
		return dst
	case frac%1_000_000 == 0:
		return appendPadded(append(dst, '.'), frac/1_000_000, 3)
	case frac%1_000 == 0:
		return appendPadded(append(dst, '.'), frac/1_000, 6)
	}
	return appendPadded(append(dst, '.'), frac, 9)
}

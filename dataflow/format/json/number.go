package json

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"
)

// leadingDigits counts the ASCII digits at the start (the low end) of x, 0 to 8.
func leadingDigits(x uint64) int {
	y := x ^ 0x3030303030303030
	m := ((y + 0x7676767676767676) | y) & highs
	return bits.TrailingZeros64(m) >> 3
}

// eightDigits is the value of eight ASCII digits (or zero bytes in front of them).
func eightDigits(x uint64) uint64 {
	x = (x & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8
	x = (x & 0x00ff00ff00ff00ff) * 6553601 >> 16
	return (x & 0x0000ffff0000ffff) * 42949672960001 >> 32
}

var pow10 = [...]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}

// digits reads the run of digits at i: its value, which is right up to 19 of them, and its end.
func digits(p unsafe.Pointer, i int) (uint64, int) {
	x := load8(p, i)
	n := leadingDigits(x)
	if n < 8 {
		if n == 0 {
			return 0, i
		}
		return eightDigits(x << (uint(64-8*n) & 63)), i + n
	}
	v := eightDigits(x)
	for i += 8; ; i += 8 {
		x = load8(p, i)
		n = leadingDigits(x)
		if n == 8 {
			v = v*100000000 + eightDigits(x)
			continue
		}
		if n == 0 {
			return v, i
		}
		return v*pow10[n] + eightDigits(x<<(uint(64-8*n)&63)), i + n
	}
}

// integer reads a plain integer of up to 18 digits at i. ok is false for every other value, valid or not.
func integer(p unsafe.Pointer, i int) (v int64, end int, ok bool) {
	start := i
	if load1(p, i) == '-' {
		start++
	}
	u, j := digits(p, start)
	n := j - start
	if uint(n-1) >= 18 || (n > 1 && load1(p, start) == '0') {
		return 0, i, false
	}
	if c := load1(p, j); c == '.' || c|0x20 == 'e' {
		return 0, i, false
	}
	if start != i {
		return -int64(u), j, true
	}
	return int64(u), j, true
}

// float reads a number of up to 19 digits without a far exponent at i, correctly rounded. ok is false for every other
// value, valid or not.
func float(p unsafe.Pointer, i int) (f float64, end int, ok bool) {
	start := i
	if load1(p, i) == '-' {
		start++
	}
	v, j := digits(p, start)
	n := j - start
	if n == 0 || (n > 1 && load1(p, start) == '0') {
		return 0, i, false
	}
	frac := 0
	if load1(p, j) == '.' {
		w, e := digits(p, j+1)
		frac = e - j - 1
		n += frac
		if frac == 0 || n > 19 {
			return 0, i, false
		}
		v = v*pow10[frac] + w
		j = e
	}
	if n > 19 || load1(p, j)|0x20 == 'e' {
		return 0, i, false
	}
	if v < 1<<53 {
		f = float64(v)
		if frac > 0 {
			f /= float64(pow10[frac])
		}
	} else {
		f = quotient(v, frac)
	}
	if start != i {
		f = -f
	}
	return f, j, true
}

// pow5 holds the powers of five up to the largest one that a division by 10 to the 19th needs.
var pow5 = [20]uint64{
	1, 5, 25, 125, 625, 3125, 15625, 78125, 390625, 1953125, 9765625, 48828125, 244140625, 1220703125, 6103515625,
	30517578125, 152587890625, 762939453125, 3814697265625, 19073486328125,
}

// quotient is v / 10^frac for a v above zero and a frac of up to 19, rounded to nearest, ties to even. One division of
// 128 by 64 bits gives at least 62 bits of the quotient, and its remainder says on which side of a tie the rest lies.
func quotient(v uint64, frac int) float64 {
	sv := bits.LeadingZeros64(v)
	v <<= uint(sv)
	d := pow5[frac]
	sd := bits.LeadingZeros64(d)
	d <<= uint(sd)
	q, rest := bits.Div64(v>>1, v<<63, d)
	// value = q * 2^(1 - 64 - sv + sd - frac), plus a little when rest > 0
	exp := 1 - 64 - sv + sd - frac
	shift := 64 - 53 - bits.LeadingZeros64(q)
	half := uint64(1) << uint(shift-1)
	low := q & (half<<1 - 1)
	q >>= uint(shift)
	if low > half || (low == half && (rest != 0 || q&1 != 0)) {
		q++
	}
	return float64(q) * math.Float64frombits(uint64(1023+exp+shift)<<52)
}

// scaled is the number in text, which has the grammar of a JSON number (leading zeros and a plus sign are no trouble),
// times 10^scale, cut off toward zero, as sign and 128-bit magnitude. ok is false if that has more than max (up to 38)
// digits.
func scaled(text []byte, scale, max int) (neg bool, hi, lo uint64, ok bool) {
	if text[0] == '-' || text[0] == '+' {
		neg = text[0] == '-'
		text = text[1:]
	}
	mantissa, exp := cutExponent(text)
	point := len(mantissa)
	for i, c := range mantissa {
		if c == '.' {
			point = i
			break
		}
	}
	// want counts the digits of the result from the first digit that is not zero on.
	want := point + exp + scale
	started := false
	for i := 0; i < len(mantissa); i++ {
		c := mantissa[i]
		if c == '.' {
			continue
		}
		if !started && c == '0' {
			want--
			continue
		}
		if !started && want > max {
			return neg, 0, 0, false
		}
		started = true
		if want <= 0 {
			return neg, hi, lo, true
		}
		hi, lo = timesTen(hi, lo, uint64(c-'0'))
		want--
	}
	if !started {
		return neg, 0, 0, true
	}
	for ; want > 0; want-- {
		hi, lo = timesTen(hi, lo, 0)
	}
	return neg, hi, lo, true
}

// cutExponent splits a number into mantissa and exponent; exponents are clamped far outside of any range.
func cutExponent(text []byte) ([]byte, int) {
	for i, c := range text {
		if c|0x20 != 'e' {
			continue
		}
		neg := false
		exp := 0
		for _, c := range text[i+1:] {
			switch {
			case c == '-':
				neg = true
			case c != '+' && exp < 1<<40:
				exp = exp*10 + int(c-'0')
			}
		}
		if neg {
			exp = -exp
		}
		return text[:i], exp
	}
	return text, 0
}

// timesTen is 10 * (hi, lo) + d.
func timesTen(hi, lo, d uint64) (uint64, uint64) {
	h, l := bits.Mul64(lo, 10)
	l, carry := bits.Add64(l, d, 0)
	return hi*10 + h + carry, l
}

// integerText reports whether text is a plain integer: an optional sign and digits.
func integerText(text []byte) bool {
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		text = text[1:]
	}
	if len(text) == 0 {
		return false
	}
	for _, c := range text {
		if c-'0' >= 10 {
			return false
		}
	}
	return true
}

// numberText reports whether text is a decimal number, more widely than JSON: a plus sign, leading zeros and a missing
// integer or fraction part are all right.
func numberText(text []byte) bool {
	i, n := 0, 0
	if i < len(text) && (text[i] == '-' || text[i] == '+') {
		i++
	}
	for ; i < len(text) && text[i]-'0' < 10; i++ {
		n++
	}
	if i < len(text) && text[i] == '.' {
		for i++; i < len(text) && text[i]-'0' < 10; i++ {
			n++
		}
	}
	if n == 0 {
		return false
	}
	return i == len(text) || (text[i]|0x20 == 'e' && integerText(text[i+1:]))
}

// parseFloat reads a number or, in strings only, a name of a value that JSON numbers lack. inRange is false if the
// number is too large for the width in bits.
func parseFloat(text []byte, width int) (f float64, ok, inRange bool) {
	s := unsafe.String(unsafe.SliceData(text), len(text))
	if !numberText(text) {
		return specialFloat(s)
	}
	f, err := strconv.ParseFloat(s, width)
	return f, true, err == nil
}

func specialFloat(s string) (f float64, ok, inRange bool) {
	name := s
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		name = s[1:]
	}
	if !equalFold(name, "nan") && !equalFold(name, "inf") && !equalFold(name, "infinity") {
		return 0, false, false
	}
	if equalFold(name, "nan") {
		return math.NaN(), true, true
	}
	if s[0] == '-' {
		return math.Inf(-1), true, true
	}
	return math.Inf(1), true, true
}

func equalFold(s, lower string) bool {
	if len(s) != len(lower) {
		return false
	}
	for i := range len(s) {
		if s[i]|0x20 != lower[i] {
			return false
		}
	}
	return true
}

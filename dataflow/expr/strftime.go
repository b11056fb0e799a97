package expr

import (
	"slices"
	"strconv"
	"strings"
)

// Formats of times are those of strftime, with the additions of Rust's chrono: %f nanoseconds, %.f with the point, %3f,
// %.3f, … a fixed number of digits, and the modifiers %-d (no padding), %_d (spaces) and %0d (zeros).

var (
	monthNames = []string{"January", "February", "March", "April", "May", "June", "July", "August", "September",
		"October", "November", "December"}
	dayNames = []string{"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"}
)

// timeField is a part of a format: literal text or a conversion.
type timeField struct {
	literal string
	verb    byte // 0 for a literal
	pad     byte // '-', '_', '0', or 0 for the verb's own
	point   bool // %.f
	digits  int  // %3f; 0 for as many as needed
	colon   bool // %:z
}

// timeAbbreviations are formats that stand for others.
var timeAbbreviations = map[byte]string{
	'D': "%m/%d/%y", 'x': "%m/%d/%y", 'F': "%Y-%m-%d", 'v': "%e-%b-%Y", 'R': "%H:%M", 'T': "%H:%M:%S",
	'X': "%H:%M:%S", 'r': "%I:%M:%S %p", 'c': "%a %b %e %H:%M:%S %Y", '+': "%Y-%m-%dT%H:%M:%S%.f%:z",
}

// parseTimeFormat reads a format; ok is false if it has a conversion that there is not.
func parseTimeFormat(format string) (fields []timeField, ok bool) {
	for format != "" {
		i := strings.IndexByte(format, '%')
		if i != 0 {
			if i < 0 {
				i = len(format)
			}
			fields = append(fields, timeField{literal: format[:i]})
			format = format[i:]
			continue
		}
		var f timeField
		p := scanner{format[1:]}
		if p.s != "" && strings.IndexByte("-_0", p.s[0]) >= 0 {
			f.pad, p.s = p.s[0], p.s[1:]
		}
		f.colon, f.point = p.skip(':'), p.skip('.')
		if p.s != "" && strings.IndexByte("369", p.s[0]) >= 0 {
			f.digits, p.s = int(p.s[0]-'0'), p.s[1:]
		}
		if p.s == "" {
			return nil, false
		}
		f.verb, format = p.s[0], p.s[1:]
		switch {
		case timeAbbreviations[f.verb] != "":
			inner, _ := parseTimeFormat(timeAbbreviations[f.verb])
			fields = append(fields, inner...)
			continue
		case strings.IndexByte("%nt", f.verb) >= 0:
			f = timeField{literal: map[byte]string{'%': "%", 'n': "\n", 't': "\t"}[f.verb]}
		case strings.IndexByte("YCymbBhdeaAwuUWGgVjHkIlPpMSfzZs", f.verb) < 0, (f.point || f.digits > 0) && f.verb != 'f',
			f.colon && f.verb != 'z':
			return nil, false
		}
		fields = append(fields, f)
	}
	return fields, true
}

func appendTime(dst []byte, fields []timeField, c civil) []byte {
	days := daysOf(c.year, c.month, c.day)
	dow := floorMod(days+4, 7)
	doy := days - daysOf(c.year, 1, 1)
	for _, f := range fields {
		switch f.verb {
		case 0:
			dst = append(dst, f.literal...)
		case 'Y':
			dst = f.number(dst, c.year, 4, '0')
		case 'C':
			dst = f.number(dst, floorDiv(c.year, 100), 2, '0')
		case 'y':
			dst = f.number(dst, floorMod(c.year, 100), 2, '0')
		case 'm':
			dst = f.number(dst, int64(c.month), 2, '0')
		case 'b', 'h':
			dst = append(dst, monthNames[c.month-1][:3]...)
		case 'B':
			dst = append(dst, monthNames[c.month-1]...)
		case 'd':
			dst = f.number(dst, int64(c.day), 2, '0')
		case 'e':
			dst = f.number(dst, int64(c.day), 2, ' ')
		case 'a':
			dst = append(dst, dayNames[dow][:3]...)
		case 'A':
			dst = append(dst, dayNames[dow]...)
		case 'w':
			dst = strconv.AppendInt(dst, dow, 10)
		case 'u':
			dst = strconv.AppendInt(dst, (dow+6)%7+1, 10)
		case 'U':
			dst = f.number(dst, (doy+7-dow)/7, 2, '0')
		case 'W':
			dst = f.number(dst, (doy+7-(dow+6)%7)/7, 2, '0')
		case 'j':
			dst = f.number(dst, doy+1, 3, '0')
		default:
			dst = f.appendClock(dst, c, days)
		}
	}
	return dst
}

func (f timeField) appendClock(dst []byte, c civil, days int64) []byte {
	noon := int64(c.hour+11)%12 + 1
	switch f.verb {
	case 'G', 'g', 'V':
		year, week := isoWeek(days)
		switch f.verb {
		case 'G':
			return f.number(dst, year, 4, '0')
		case 'g':
			return f.number(dst, floorMod(year, 100), 2, '0')
		}
		return f.number(dst, int64(week), 2, '0')
	case 'H':
		return f.number(dst, int64(c.hour), 2, '0')
	case 'k':
		return f.number(dst, int64(c.hour), 2, ' ')
	case 'I':
		return f.number(dst, noon, 2, '0')
	case 'l':
		return f.number(dst, noon, 2, ' ')
	case 'p', 'P':
		half := "AM"
		if c.hour >= 12 {
			half = "PM"
		}
		if f.verb == 'P' {
			half = strings.ToLower(half)
		}
		return append(dst, half...)
	case 'M':
		return f.number(dst, int64(c.minute), 2, '0')
	case 'S':
		return f.number(dst, int64(c.sec), 2, '0')
	case 'f':
		return f.fraction(dst, c.nano)
	case 'z':
		if f.colon {
			return append(dst, "+00:00"...)
		}
		return append(dst, "+0000"...)
	case 'Z':
		return append(dst, "UTC"...)
	}
	return strconv.AppendInt(dst, c.seconds(), 10) // %s
}

func (f timeField) number(dst []byte, v int64, width int, pad byte) []byte {
	switch f.pad {
	case '-':
		return strconv.AppendInt(dst, v, 10)
	case '_':
		pad = ' '
	case '0':
		pad = '0'
	}
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	var digits [20]byte
	d := strconv.AppendInt(digits[:0], v, 10)
	for range width - len(d) {
		dst = append(dst, pad)
	}
	return append(dst, d...)
}

func (f timeField) fraction(dst []byte, nano int) []byte {
	digits := f.digits
	switch {
	case f.point && digits == 0 && nano == 0:
		return dst
	case digits == 0 && f.point && nano%1e6 == 0:
		digits = 3
	case digits == 0 && f.point && nano%1e3 == 0:
		digits = 6
	case digits == 0:
		digits = 9
	}
	if f.point {
		dst = append(dst, '.')
	}
	return append(dst, appendPadded(nil, int64(nano), 9)[:digits]...)
}

// timeParser collects what a text in some format says.
type timeParser struct {
	scanner
	c               civil
	seconds, offset int64
	yearDay         int64
	hasSeconds, pm  bool
	twelve          bool
	// century and short are %C and %y, -1 where there are none.
	century, short int64
	// week is the number of a week of the kind weekVerb, 'V' (of isoYear), 'U' or 'W'; weekday is from 1, Monday, to 7.
	week, weekday int
	weekVerb      byte
	isoYear       int64
}

// parseTimeAs reads a text in this format into seconds and nanoseconds since the epoch.
func parseTimeAs(s string, fields []timeField) (sec, nano int64, ok bool) {
	p := timeParser{scanner: scanner{strings.TrimSpace(s)}, c: civil{year: 1970, month: 1, day: 1}, century: -1, short: -1}
	for _, f := range fields {
		if !p.field(f) {
			return 0, 0, false
		}
	}
	if strings.TrimSpace(p.s) != "" {
		return 0, 0, false
	}
	if p.hasSeconds {
		return p.seconds, int64(p.c.nano), true
	}
	if p.twelve {
		p.c.hour = p.c.hour%12 + 12*b2i(p.pm)
	}
	if !p.day() {
		return 0, 0, false
	}
	if !validDate(p.c.year, int64(p.c.month), int64(p.c.day)) || p.c.hour > 23 || p.c.minute > 59 || p.c.sec > 59 {
		return 0, 0, false
	}
	return p.c.seconds() - p.offset, int64(p.c.nano), true
}

// day finds the date where the text does not give year, month and day themselves; false if there is no such day.
func (p *timeParser) day() bool {
	switch {
	case p.century >= 0:
		p.c.year = p.century*100 + max(p.short, 0)
	case p.short >= 70:
		p.c.year = 1900 + p.short
	case p.short >= 0:
		p.c.year = 2000 + p.short
	}
	if p.c.year < minYear || p.c.year > maxYear || p.isoYear < minYear || p.isoYear > maxYear {
		return false
	}
	january := daysOf(p.c.year, 1, 1)
	days, year := january+p.yearDay-1, p.c.year
	switch {
	case p.weekVerb == 'V' && p.weekday > 0:
		// The fourth of January is in week 1.
		fourth := daysOf(p.isoYear, 1, 4)
		days = fourth - floorMod(fourth+3, 7) + int64(7*(p.week-1)+p.weekday-1)
		if iso, week := isoWeek(days); iso != p.isoYear || week != p.week {
			return false
		}
		year, _, _ = dateOf(days)
	case p.weekVerb != 0 && p.weekday > 0:
		// Week 1 begins with the year's first Monday or, for U, Sunday.
		first, weekday := int64(-3), int64(p.weekday-1)
		if p.weekVerb == 'U' {
			first, weekday = -4, int64(p.weekday%7)
		}
		days = january + floorMod(first-january, 7) + 7*int64(p.week-1) + weekday
	case p.yearDay == 0:
		return true
	}
	y, m, d := dateOf(days)
	p.c.year, p.c.month, p.c.day = y, m, d
	return y == year
}

// field reads one part. White space in a format stands for any amount of it.
func (p *timeParser) field(f timeField) bool {
	if f.verb == 0 {
		for _, ch := range []byte(f.literal) {
			if ch == ' ' || ch == '\t' || ch == '\n' {
				p.s = strings.TrimLeft(p.s, " \t\n")
			} else if !p.skip(ch) {
				return false
			}
		}
		return true
	}
	switch f.verb {
	case 'Y':
		return p.year(&p.c.year)
	case 'G':
		return p.year(&p.isoYear)
	case 'C', 'y':
		n, ok := p.int(2)
		if f.verb == 'C' {
			p.century = int64(n)
		} else {
			p.short = int64(n)
		}
		return ok
	case 'm':
		return p.into(&p.c.month, 2)
	case 'd', 'e':
		return p.into(&p.c.day, 2)
	case 'b', 'B', 'h':
		return p.name(monthNames, &p.c.month)
	case 'a', 'A':
		var n int
		ok := p.name(dayNames, &n)
		p.weekday = (n+5)%7 + 1
		return ok
	case 'u':
		return p.into(&p.weekday, 1) && p.weekday >= 1 && p.weekday <= 7
	case 'w':
		n, ok := p.int(1)
		p.weekday = (n+6)%7 + 1
		return ok && n <= 6
	case 'V', 'U', 'W':
		p.weekVerb = f.verb
		return p.into(&p.week, 2) && p.week <= 53 && (p.week > 0 || f.verb != 'V')
	case 'j':
		d, ok := p.int(3)
		p.yearDay = int64(d)
		return ok && d > 0
	case 'H', 'k':
		return p.into(&p.c.hour, 2)
	case 'I', 'l':
		p.twelve = true
		return p.into(&p.c.hour, 2) && p.c.hour >= 1 && p.c.hour <= 12
	case 'p', 'P':
		return p.half()
	case 'M':
		return p.into(&p.c.minute, 2)
	case 'S':
		return p.into(&p.c.sec, 2)
	case 'f':
		return p.nanos(f)
	case 'z', 'Z':
		return p.east(f)
	case 's':
		negative := p.skip('-')
		v, _, ok := p.digits(1, 18)
		if negative {
			v = -v
		}
		p.seconds, p.hasSeconds = v, true
		return ok
	}
	return false
}

// year reads one to four digits, or any number of them behind a sign.
func (p *timeParser) year(dst *int64) bool {
	p.s = strings.TrimLeft(p.s, " ")
	most := 4
	negative := p.skip('-')
	if negative || p.skip('+') {
		most = 7
	}
	v, _, ok := p.digits(1, most)
	if negative {
		v = -v
	}
	*dst = v
	return ok
}

func (p *timeParser) int(most int) (int, bool) {
	p.s = strings.TrimLeft(p.s, " ")
	v, _, ok := p.digits(1, most)
	return int(v), ok
}

func (p *timeParser) into(dst *int, most int) (ok bool) {
	*dst, ok = p.int(most)
	return ok
}

// name reads a name, or its first three letters, as its place from 1.
func (p *timeParser) name(names []string, dst *int) bool {
	i := slices.IndexFunc(names, func(n string) bool { return len(p.s) >= 3 && strings.EqualFold(n[:3], p.s[:3]) })
	if i < 0 {
		return false
	}
	*dst = i + 1
	if full := names[i]; len(p.s) >= len(full) && strings.EqualFold(full, p.s[:len(full)]) {
		p.s = p.s[len(full):]
	} else {
		p.s = p.s[3:]
	}
	return true
}

func (p *timeParser) half() bool {
	if len(p.s) < 2 {
		return false
	}
	word := strings.ToLower(p.s[:2])
	p.s, p.pm = p.s[2:], word == "pm"
	return word == "am" || word == "pm"
}

func (p *timeParser) nanos(f timeField) bool {
	if f.point && !p.skip('.') {
		// %.f also stands for no fraction at all.
		return f.digits == 0
	}
	v, n, ok := p.digits(1, 9)
	if f.digits > 0 && n != f.digits {
		return false
	}
	if !f.point && f.digits == 0 {
		// %f counts nanoseconds.
		p.c.nano = int(v)
		return ok
	}
	for ; n < 9; n++ {
		v *= 10
	}
	p.c.nano = int(v)
	return ok
}

func (p *timeParser) east(f timeField) bool {
	end := strings.IndexAny(p.s, " \t")
	rest := ""
	if end >= 0 {
		p.s, rest = p.s[:end], p.s[end:]
	}
	offset, ok := p.zone()
	if ok = ok && p.s == ""; ok {
		p.offset, p.s = offset, rest
	}
	return ok
}

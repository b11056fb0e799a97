package json

import (
	"math"
	"unsafe"
)

const (
	nanosPerSecond = 1_000_000_000
	secondsPerDay  = 86_400
	// A date whose midnight is within these seconds fits into 64 bits of nanoseconds at any time of day.
	maxMidnight = math.MaxInt64/nanosPerSecond - secondsPerDay
)

// dateMemo remembers the last date parsed: rows that follow each other mostly share it.
type dateMemo struct {
	head uint64
	tail uint16
	// midnight is in seconds since the epoch.
	midnight int64
}

// parse reads `YYYY-MM-DDTHH:MM:SS[.fraction][Z]"` at i, in nanoseconds; end is the position of the quote. ok is false
// for every other form, valid or not.
func (m *dateMemo) parse(p unsafe.Pointer, i int) (ns int64, end int, ok bool) {
	head := load8(p, i)
	tail := uint16(load1(p, i+8)) | uint16(load1(p, i+9))<<8
	if head != m.head || tail != m.tail || m.head == 0 {
		if !m.learn(p, i) {
			return 0, i, false
		}
		m.head, m.tail = head, tail
	}
	if c := load1(p, i+10); c != 'T' && c != ' ' && c != 't' {
		return 0, i, false
	}
	// "HH:MM:SS" as one word: after the xor, digits are 0 to 9 and colons 0.
	y := load8(p, i+11) ^ 0x30303a30303a3030
	if ((y+0x76767f76767f7676)|y)&highs != 0 {
		return 0, i, false
	}
	hour := y&0xff*10 + y>>8&0xff
	minute := y>>24&0xff*10 + y>>32&0xff
	second := y>>48&0xff*10 + y>>56
	if hour > 23 || minute > 59 || second > 59 {
		return 0, i, false
	}
	i += 19
	var frac uint64
	if load1(p, i) == '.' {
		v, j := digits(p, i+1)
		n := j - i - 1
		if uint(n-1) > 8 {
			return 0, i, false
		}
		frac = v * pow10[9-n]
		i = j
	}
	if load1(p, i)|0x20 == 'z' {
		i++
	}
	if load1(p, i) != '"' {
		return 0, i, false
	}
	return (m.midnight+int64(hour*3600+minute*60+second))*nanosPerSecond + int64(frac), i, true
}

// learn computes the midnight of the date at i.
func (m *dateMemo) learn(p unsafe.Pointer, i int) bool {
	m.head = 0
	day, ok := parseDate(unsafe.Slice((*byte)(unsafe.Add(p, i)), 10))
	if !ok {
		return false
	}
	m.midnight = day * secondsPerDay
	return m.midnight > -maxMidnight && m.midnight < maxMidnight
}

// parseDate reads "YYYY-MM-DD" as days since the epoch.
func parseDate(b []byte) (int64, bool) {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	y1, ok1 := twoDigits(b)
	y2, ok2 := twoDigits(b[2:])
	month, ok3 := twoDigits(b[5:])
	day, ok4 := twoDigits(b[8:])
	if !ok1 || !ok2 || !ok3 || !ok4 || month < 1 || month > 12 || day < 1 {
		return 0, false
	}
	year := y1*100 + y2
	if day > daysIn(year, month) {
		return 0, false
	}
	return daysFromCivil(year, month, day), true
}

func twoDigits(b []byte) (int, bool) {
	x, y := b[0]-'0', b[1]-'0'
	return int(x)*10 + int(y), x < 10 && y < 10
}

func daysIn(year, month int) int {
	switch month {
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	case 4, 6, 9, 11:
		return 30
	}
	return 31
}

// daysFromCivil is the number of days from 1970-01-01 to a date of the proleptic Gregorian calendar. The year is taken to
// start in March, so that the leap day is its last one (the algorithm is Howard Hinnant's).
func daysFromCivil(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := floorDiv(int64(year), 400)
	yearOfEra := int64(year) - era*400
	dayOfYear := int64((153*(month-3)+2)/5 + day - 1)
	return era*146097 + yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear - 719468
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// A moment is a time as strings give it: whole seconds since the epoch and nanoseconds, 0 to 999,999,999.
type moment struct {
	seconds int64
	nanos   int64
}

// ns is the moment in nanoseconds since the epoch; ok is false if that takes more than 64 bits.
func (m moment) ns() (int64, bool) {
	const limit = math.MaxInt64 / nanosPerSecond
	if m.seconds > limit || m.seconds < -limit-1 ||
		(m.seconds == limit && m.nanos > math.MaxInt64%nanosPerSecond) ||
		(m.seconds == -limit-1 && m.nanos < nanosPerSecond-(math.MaxInt64%nanosPerSecond)-1) {
		return 0, false
	}
	if m.seconds < 0 {
		// Go the long way round, since seconds * 1e9 alone may not fit.
		return (m.seconds+1)*nanosPerSecond + (m.nanos - nanosPerSecond), true
	}
	return m.seconds*nanosPerSecond + m.nanos, true
}

// parseMoment reads a date, or a date and a time separated by T, t or a space. The time is HH:MM:SS, HH:MM or HHMMSS,
// with an optional fraction of any length (digits beyond nanoseconds are cut off) and an optional zone: Z, z, or an
// offset of hours and perhaps minutes. No zone is UTC.
func parseMoment(b []byte) (moment, bool) {
	if len(b) < 10 {
		return moment{}, false
	}
	day, ok := parseDate(b[:10])
	if !ok {
		return moment{}, false
	}
	m := moment{seconds: day * secondsPerDay}
	if len(b) == 10 {
		return m, true
	}
	if c := b[10]; c != 'T' && c != 't' && c != ' ' {
		return moment{}, false
	}
	seconds, nanos, rest, ok := parseClock(b[11:])
	if !ok {
		return moment{}, false
	}
	offset, ok := parseZone(rest)
	if !ok {
		return moment{}, false
	}
	m.seconds += seconds - offset
	m.nanos = nanos
	return m, true
}

// parseClock reads a time of day and gives what follows it.
func parseClock(b []byte) (seconds, nanos int64, rest []byte, ok bool) {
	if len(b) < 5 {
		return 0, 0, nil, false
	}
	part := [3]int{}
	compact := b[2] != ':'
	for k := range part {
		if k > 0 && !compact {
			if k == 2 && (len(b) == 0 || b[0] != ':') {
				break
			}
			if b[0] != ':' {
				return 0, 0, nil, false
			}
			b = b[1:]
		}
		if len(b) < 2 {
			return 0, 0, nil, false
		}
		if part[k], ok = twoDigits(b); !ok {
			return 0, 0, nil, false
		}
		b = b[2:]
	}
	if part[0] > 23 || part[1] > 59 || part[2] > 59 {
		return 0, 0, nil, false
	}
	seconds = int64(part[0]*3600 + part[1]*60 + part[2])
	if len(b) == 0 || b[0] != '.' {
		return seconds, 0, b, true
	}
	n := 1
	unit := int64(nanosPerSecond)
	for ; n < len(b) && b[n]-'0' < 10; n++ {
		unit /= 10
		nanos += int64(b[n]-'0') * unit
	}
	return seconds, nanos, b[n:], n > 1
}

// parseZone reads an offset from UTC in seconds.
func parseZone(b []byte) (int64, bool) {
	if len(b) == 0 || (len(b) == 1 && b[0]|0x20 == 'z') {
		return 0, true
	}
	sign := int64(1)
	switch b[0] {
	case '-':
		sign = -1
	case '+':
	default:
		return 0, false
	}
	b = b[1:]
	if len(b) < 2 {
		return 0, false
	}
	hours, ok := twoDigits(b)
	b = b[2:]
	if len(b) > 0 && b[0] == ':' {
		b = b[1:]
		if len(b) == 0 {
			return 0, false
		}
	}
	minutes := 0
	if ok && len(b) == 2 {
		minutes, ok = twoDigits(b)
		b = nil
	}
	if !ok || len(b) != 0 || hours > 23 || minutes > 59 {
		return 0, false
	}
	return sign * int64(hours*3600+minutes*60), true
}

package json

import "wadi/dataflow/column"

// slowTimestamp reads every form of a timestamp, into a column of any unit.
func (d *Decoder) slowTimestamp(f *field, i int) int {
	text, quoted, end := d.token(f, i)
	if end < 0 {
		return end
	}
	if !quoted {
		v, ok := wholeNumber(text)
		if perSecond := nanosPerSecond / f.unit; !ok || f.unit > 1 && (v < firstSecond*perSecond || v >= lastSecond*perSecond) {
			return d.misfit(f, i, "that is out of range")
		}
		f.ints.Append(v)
		return end
	}
	m, ok := parseMoment(text)
	if !ok {
		return d.misfit(f, i, "that is not a date and time")
	}
	if f.unit > 1 {
		f.ints.Append(m.seconds*(nanosPerSecond/f.unit) + m.nanos/f.unit)
		return end
	}
	ns, ok := m.ns()
	if !ok {
		return d.misfit(f, i, "that is out of range")
	}
	f.ints.Append(ns)
	return end
}

// Timestamps in units coarser than nanoseconds have four digits for the year, also those that are written as numbers: from the
// year 0 to the last second of 9999. A number beyond is likely one of another unit.
const (
	firstSecond = -62_167_219_200
	lastSecond  = 253_402_300_800
)

// wholeNumber is a JSON number cut off toward zero; ok is false if it does not fit.
func wholeNumber(text []byte) (int64, bool) {
	neg, hi, lo, ok := scaled(text, 0, 20)
	switch {
	case !ok || hi != 0:
		return 0, false
	case neg:
		return -int64(lo), lo <= 1<<63
	}
	return int64(lo), lo < 1<<63
}

// farDays is where a number stops being a count of days, being beyond any year that is written: from here on it counts
// the milliseconds that an Encoder gives for a date.
const farDays = secondsPerDay * 1000

// dateValue reads a DATE: "YYYY-MM-DD", or a number of days since the epoch, or of milliseconds.
func (d *Decoder) dateValue(f *field, i int) int {
	text, quoted, end := d.token(f, i)
	if end < 0 {
		return end
	}
	days, ok := int64(0), false
	if quoted {
		if days, ok = parseDate(text); !ok {
			return d.misfit(f, i, "that is not a date")
		}
	} else {
		if days, ok = wholeNumber(text); days >= farDays || days <= -farDays {
			days = floorDiv(days, farDays)
		}
		if !ok || days != int64(int32(days)) {
			return d.misfit(f, i, "that is out of range")
		}
	}
	appendInteger(f.col, days)
	return end
}

// timeOfDay reads a TIME: "HH:MM:SS" with an optional fraction, or a number of milliseconds of the day.
func (d *Decoder) timeOfDay(f *field, i int) int {
	text, quoted, end := d.token(f, i)
	if end < 0 {
		return end
	}
	v, ok := int64(0), false
	if quoted {
		seconds, nanos, rest, good := parseClock(text)
		if !good || len(rest) != 0 {
			return d.misfit(f, i, "that is not a time of day")
		}
		v = (seconds*nanosPerSecond + nanos) / f.unit
	} else {
		const milli = 1_000_000
		if v, ok = wholeNumber(text); !ok || v < 0 || v >= secondsPerDay*1000 {
			return d.misfit(f, i, "that is out of range")
		}
		v = v * milli / f.unit
	}
	if c, narrow := f.col.(*column.Fixed[int32]); narrow {
		c.Append(int32(v))
	} else {
		f.ints.Append(v)
	}
	return end
}

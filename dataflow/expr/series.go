package expr

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// seriesFunctions declares generate_series and range, of integers, dates and timestamps.
func seriesFunctions() []*function {
	series := func(name, doc, example, result string, including bool) *function {
		return listFunction(name, name+"([start,] stop[, step]) of integers, or of dates or timestamps with an INTERVAL as step", doc,
			example, result, bindSeries, seriesKernel(including)).checked(checkNotZero(2, "the step is 0", "steps go up or down"))
	}
	return []*function{
		series("generate_series", "The list of the values from start to stop, which is included, in steps; 0 and 1 by default.",
			"generate_series(1, 10, 3)", "[1, 4, 7, 10]", true),
		series("range", "The list of the values from start to stop, which is not included, in steps; 0 and 1 by default.",
			"range(3)", "[0, 1, 2]", false),
	}
}

func bindSeries(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) == 0 || len(args) > 3 {
		return nil, nil, s.mismatch(args)
	}
	to := typeInt64
	for _, a := range args[:min(2, len(args))] {
		switch {
		case isDate(a.Type) && to == typeInt64:
			to = typeDate
		case isTimestamp(a.Type):
			to = a.Type
		}
	}
	types := []arrow.DataType{to, to, to}
	if to != typeInt64 {
		if types[2] = Interval; len(args) != 3 {
			return nil, nil, s.mismatch(args)
		}
	}
	if to == typeDate && !wholeDays(args[2]) {
		to = Timestamp
		types[0], types[1] = to, to
	}
	out := make([]*Node, len(args))
	for i, a := range args {
		c, err := Coerce(a, types[i], s.span)
		if err != nil {
			return nil, nil, s.mismatch(args)
		}
		out[i] = c
	}
	return out, arrow.ListOf(to), nil
}

// wholeDays reports whether n is a constant interval, or text of one, without hours and the like.
func wholeDays(n *Node) bool {
	c, err := Coerce(n, Interval, n.Span)
	if err != nil || c.Kind != Literal {
		return false
	}
	v, ok := c.Value.(arrow.MonthDayNanoInterval)
	return ok && v.Nanoseconds%dayNanos == 0
}

func seriesKernel(including bool) func(*Node) kernel {
	return func(n *Node) kernel {
		elem := elemOf(n.Type)
		series := NewSeries(elem, including)
		if isDate(elem) {
			return valuesKernel(func(c *call, out *column.Fixed[int32], r int) (bool, error) {
				if c.isNull(0, r) || c.isNull(1, r) || c.isNull(2, r) {
					return false, nil
				}
				start, stop := int64(argOf[int32](c, 0).at(r)), int64(argOf[int32](c, 1).at(r))
				if !series.Every(start, stop, argOf[arrow.MonthDayNanoInterval](c, 2).at(r)) {
					return false, c.badStep(series)
				}
				return true, c.collect(series, func(v int64) { out.Append(int32(v)) })
			})(n)
		}
		return valuesKernel(func(c *call, out *column.Fixed[int64], r int) (bool, error) {
			for i := range c.args {
				if c.isNull(i, r) {
					return false, nil
				}
			}
			var ok bool
			if isTimestamp(elem) {
				ok = series.Every(argOf[int64](c, 0).at(r), argOf[int64](c, 1).at(r), argOf[arrow.MonthDayNanoInterval](c, 2).at(r))
			} else {
				bounds := [3]int64{0, 0, 1}
				for i := range c.args {
					bounds[i] = argOf[int64](c, i).at(r)
				}
				if len(c.args) == 1 {
					bounds[0], bounds[1] = 0, bounds[0]
				}
				ok = series.Count(bounds[0], bounds[1], bounds[2])
			}
			if !ok {
				return false, c.badStep(series)
			}
			return true, c.collect(series, out.Append)
		})(n)
	}
}

func (c *call) badStep(s *Series) error {
	return c.badArgument("%s", s.BadStep()).WithHint("steps go up or down")
}

// collect adds the values of a series.
func (c *call) collect(s *Series, add func(int64)) error {
	var some [64]int64
	for k := 0; ; {
		n := s.Fill(some[:])
		if n == 0 {
			return nil
		}
		if k += n; k > maxElements {
			return c.tooMany()
		}
		for _, v := range some[:n] {
			add(v)
		}
	}
}

// Series makes the values of a generate_series or range a few at a time: integers, dates in days or timestamps in the unit
// of their type. Each value is the one before plus the step, so that steps of months go on from the last day of a shorter
// month, as in PostgreSQL.
type Series struct {
	including bool
	date      bool
	// unit is the nanoseconds of one step of a value; 0 for integers.
	unit int64
	// step is the distance of two values; months, if there are any, are in every.
	step  int64
	every arrow.MonthDayNanoInterval
	stop  int64
	up    bool
	next  int64
	over  bool
}

// NewSeries makes an empty series of values of this type: BIGINT, DATE or TIMESTAMP. including says whether stop is one of
// them.
func NewSeries(elem arrow.DataType, including bool) *Series {
	s := &Series{including: including, over: true}
	switch {
	case isDate(elem):
		s.date, s.unit = true, dayNanos
	case isTimestamp(elem):
		s.unit = unitOf(elem)
	}
	return s
}

// Count begins a series of integers; it reports false for a step of 0.
func (s *Series) Count(start, stop, step int64) bool {
	s.stop, s.step, s.up, s.next = stop, step, step > 0, start
	s.every = arrow.MonthDayNanoInterval{}
	s.over = step == 0 || s.beyond(start)
	return step != 0
}

// Every begins a series of dates or timestamps; it reports false for a step that leads nowhere.
func (s *Series) Every(start, stop int64, step arrow.MonthDayNanoInterval) bool {
	s.stop, s.next, s.over, s.every = stop, start, true, step
	if step.Months == 0 {
		s.every = arrow.MonthDayNanoInterval{}
		days, ok := checked(opMultiply, int64(step.Days), dayNanos/s.unit)
		if !ok {
			return false
		}
		if s.step, ok = checked(opAdd, days, floorDiv(step.Nanoseconds, s.unit)); !ok || s.step == 0 {
			return false
		}
		s.up = s.step > 0
	} else {
		second, ok := s.after(start)
		if !ok || second == start {
			return false
		}
		s.up = second > start
	}
	s.over = s.beyond(start)
	return true
}

// BadStep says what is wrong with a step that Count or Every refuse.
func (s *Series) BadStep() string {
	if s.unit == 0 {
		return "the step is 0"
	}
	return "the step is zero or too large"
}

// beyond reports whether v is no longer part of the series.
func (s *Series) beyond(v int64) bool {
	if v == s.stop {
		return !s.including
	}
	return (v > s.stop) == s.up
}

// after is the value behind v, for steps of months.
func (s *Series) after(v int64) (int64, bool) {
	if !s.date {
		return addToTimestamp(v, s.unit, s.every)
	}
	w, ok := addToTimestamp(v*daySeconds, 1e9, s.every)
	return floorDiv(w, daySeconds), ok
}

// Fill writes the next values and gives their number, 0 at the end.
func (s *Series) Fill(dst []int64) int {
	if s.every.Months != 0 {
		return s.fillMonths(dst)
	}
	if s.over || len(dst) == 0 {
		return 0
	}
	n := uint64(len(dst))
	left := s.left()
	if left <= n {
		n, s.over = left, true
	}
	v := s.next
	for i := range dst[:n] {
		dst[i] = v
		v += s.step
	}
	s.next = v
	return int(n)
}

// Append appends up to n of the next values to a column of their type and gives their number, 0 at the end.
func (s *Series) Append(out column.Appender, n int) int {
	days, ok := out.(*column.Fixed[int32])
	if !ok {
		return appendFill(s, out.(*column.Fixed[int64]), n)
	}
	var some [256]int64
	for made := 0; ; {
		k := s.Fill(some[:min(len(some), n-made)])
		if k == 0 {
			return made
		}
		for _, v := range some[:k] {
			days.Append(int32(v))
		}
		made += k
	}
}

func appendFill(s *Series, out *column.Fixed[int64], n int) int {
	before := len(out.Values)
	out.Values = slices.Grow(out.Values, n)
	n = s.Fill(out.Values[before : before+n])
	out.Values = out.Values[:before+n]
	if out.Valid != nil {
		out.Valid = out.Valid.Grow(before + n)
		for i := before; i < before+n; i++ {
			out.Valid.Set(i)
		}
	}
	return n
}

// left is how many values follow, at most all that a word holds.
func (s *Series) left() uint64 {
	distance, step := uint64(s.stop)-uint64(s.next), uint64(s.step)
	if !s.up {
		distance, step = -distance, -step
	}
	if !s.including {
		distance-- // there is at least one, so that it was not 0
	}
	if n := distance / step; n != 1<<64-1 {
		return n + 1
	}
	return 1<<64 - 1
}

func (s *Series) fillMonths(dst []int64) int {
	n := 0
	for ; n < len(dst) && !s.over; n++ {
		dst[n] = s.next
		v, ok := s.after(s.next)
		s.over = !ok || s.up != (v > s.next) || v == s.next || s.beyond(v)
		s.next = v
	}
	return n
}

// Position is the next value, and whether there is none.
func (s *Series) Position() (next int64, over bool) { return s.next, s.over }

// Resume goes on at a position of the same series.
func (s *Series) Resume(next int64, over bool) { s.next, s.over = next, over }

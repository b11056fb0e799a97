package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// seriesFunctions declares generate_series and range, of integers, dates and timestamps.
func seriesFunctions() []*function {
	series := func(name, doc, example, result string, including bool) *function {
		return listFunction(name, name+"([start,] stop[, step]) of integers, or of dates or timestamps with an INTERVAL as step", doc,
			example, result, bindSeries, seriesKernel(including))
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
		switch elem := elemOf(n.Type); {
		case isDate(elem):
			return valuesKernel(func(c *call, out *column.Fixed[int32], r int) (bool, error) {
				if c.isNull(0, r) || c.isNull(1, r) || c.isNull(2, r) {
					return false, nil
				}
				start, stop := int64(argOf[int32](c, 0).at(r)), int64(argOf[int32](c, 1).at(r))
				return true, c.momentSeries(r, start*daySeconds, stop*daySeconds, 1e9, including, func(v int64) { out.Append(int32(v / daySeconds)) })
			})(n)
		case isTimestamp(elem):
			unit := unitOf(elem)
			return valuesKernel(func(c *call, out *column.Fixed[int64], r int) (bool, error) {
				if c.isNull(0, r) || c.isNull(1, r) || c.isNull(2, r) {
					return false, nil
				}
				return true, c.momentSeries(r, argOf[int64](c, 0).at(r), argOf[int64](c, 1).at(r), unit, including, out.Append)
			})(n)
		}
		return valuesKernel(func(c *call, out *column.Fixed[int64], r int) (bool, error) {
			return integerSeries(c, out, r, including)
		})(n)
	}
}

func integerSeries(c *call, out *column.Fixed[int64], r int, including bool) (bool, error) {
	bounds := [3]int64{0, 0, 1}
	for i := range c.args {
		if c.isNull(i, r) {
			return false, nil
		}
		bounds[i] = argOf[int64](c, i).at(r)
	}
	start, stop, step := bounds[0], bounds[1], bounds[2]
	if len(c.args) == 1 {
		start, stop = 0, start
	}
	if step == 0 {
		return false, c.badArgument("the step is 0")
	}
	from := len(out.Values)
	for v := start; v < stop && step > 0 || v > stop && step < 0 || v == stop && including; {
		if len(out.Values)-from >= maxElements {
			return false, c.tooMany()
		}
		out.Append(v)
		next, ok := checked(opAdd, v, step)
		if !ok {
			break
		}
		v = next
	}
	return true, nil
}

// momentSeries gives the times from start to stop; each is the start plus a multiple of the step, so that steps of months
// keep to the day of the start.
func (c *call) momentSeries(r int, start, stop, unit int64, including bool, add func(int64)) error {
	step := argOf[arrow.MonthDayNanoInterval](c, 2).at(r)
	second, ok := addToTimestamp(start, unit, step)
	if !ok || second == start {
		return c.badArgument("the step is zero or too large")
	}
	up := second > start
	for k, v := int64(0), start; up && v < stop || !up && v > stop || v == stop && including; {
		if k >= maxElements {
			return c.tooMany()
		}
		add(v)
		k++
		times, ok := scaleInterval(step, k)
		if !ok {
			return nil
		}
		next, ok := addToTimestamp(start, unit, times)
		if !ok || up != (next > v) {
			return nil
		}
		v = next
	}
	return nil
}

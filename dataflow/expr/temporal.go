package expr

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
)

// bindTemporal resolves arithmetic with dates, times and intervals:
//
//	timestamp ± interval → timestamp          interval ± interval → interval
//	date ± interval → date if the interval is a constant of whole days, else timestamp
//	date ± integer → date                     date - date → days, a BIGINT
//	timestamp - timestamp → interval          time ± interval → time, time - time → interval
//	interval * number, interval / number → interval
//	date + time → timestamp
func bindTemporal(s *callSite, op arithmetic, a, b *Node) ([]*Node, arrow.DataType, error) {
	original := []*Node{a, b}
	if op <= opSubtract {
		a, b = adaptTemporal(a, b, op)
	} else if isText(a.Type) || isText(b.Type) || isNull(a.Type) || isNull(b.Type) {
		if isInterval(a.Type) {
			b, _ = Coerce(b, typeDouble, s.span)
		} else {
			a, _ = Coerce(a, typeDouble, s.span)
		}
		if a == nil || b == nil {
			return nil, nil, s.mismatch(original)
		}
	}
	// The temporal or, for products, the interval side stands left.
	if op == opAdd && (isInterval(a.Type) && !isInterval(b.Type) || isInteger(a.Type)) || op == opMultiply && isInterval(b.Type) {
		a, b = b, a
	}
	minus := op == opSubtract
	x, y := a.Type, b.Type
	switch {
	case op == opMultiply && isInterval(x) && isNumeric(y), op == opDivide && isInterval(x) && isNumeric(y):
		factor, err := CastTo(b, typeDouble, false, s.span)
		return []*Node{a, factor}, Interval, err
	case op > opSubtract:
	case isTimestamp(x) && isInterval(y), isTime(x) && isInterval(y), isInterval(x) && isInterval(y):
		return []*Node{a, b}, x, nil
	case isDate(x) && isInterval(y):
		if v, ok := b.Value.(arrow.MonthDayNanoInterval); ok && v.Nanoseconds%dayNanos == 0 {
			return []*Node{a, b}, x, nil
		}
		moment, err := CastTo(a, Timestamp, false, s.span)
		return []*Node{moment, b}, Timestamp, err
	case !minus && isDate(x) && isTime(y), !minus && isTime(x) && isDate(y):
		if isTime(x) {
			a, b = b, a
		}
		return []*Node{a, b}, Timestamp, nil
	case isDate(x) && isInteger(y):
		days, err := CastTo(b, typeInt64, false, s.span)
		return []*Node{a, days}, x, err
	case minus && isDate(x) && isDate(y):
		return []*Node{a, b}, typeInt64, nil
	case minus && (isTimestamp(x) || isDate(x)) && (isTimestamp(y) || isDate(y)):
		a, err := wholeSeconds(a)
		if err != nil {
			return nil, nil, err
		}
		b, err := wholeSeconds(b)
		return []*Node{a, b}, Interval, err
	case minus && isTime(x) && isTime(y):
		return []*Node{a, b}, Interval, nil
	case op <= opSubtract && (isTimestamp(x) || isTime(x)) && isNumeric(y):
		return nil, nil, fault.Userf(CodeTypeMismatch, s.span, "%s does not take %s, %s", s.fn.operator, TypeName(original[0].Type),
			TypeName(original[1].Type)).WithHint("multiply the number by a unit, as in n * INTERVAL '1 second'")
	}
	return nil, nil, s.mismatch(original)
}

// wholeSeconds makes a timestamp of a date, in the unit that holds all of them.
func wholeSeconds(n *Node) (*Node, error) {
	if !isDate(n.Type) {
		return n, nil
	}
	return CastTo(n, typeSeconds, false, n.Span)
}

// adaptTemporal gives a NULL or text constant the type that the other side of a sum suggests: an interval, or for the
// left side of a difference the type of the right one.
func adaptTemporal(a, b *Node, op arithmetic) (*Node, *Node) {
	adapt := func(n, other *Node) *Node {
		if !isNull(n.Type) && (n.Kind != Literal || !isText(n.Type)) {
			return n
		}
		if canCoerce(n, Interval) && !isInterval(other.Type) {
			return newCast(n, Interval, Cast, n.Span)
		}
		to := other.Type
		if isInterval(to) {
			to = Timestamp
			if canCoerce(n, Interval) {
				to = Interval
			}
		}
		if canCoerce(n, to) {
			return newCast(n, to, Cast, n.Span)
		}
		return n
	}
	a = adapt(a, b)
	return a, adapt(b, a)
}

func temporalKernel(op arithmetic, n *Node) kernel {
	x, y := n.Args[0].Type, n.Args[1].Type
	switch {
	case op == opMultiply || op == opDivide:
		return intervalProduct(op)
	case isInterval(x):
		return intervalSum(op)
	case isTimestamp(x) && isInterval(y):
		return timestampSum(op, unitOf(x))
	case isDate(x) && isInterval(y):
		return dateSum(op)
	case isDate(x) && isDate(y):
		return mapPairs(func(_ *call, a, b int32) (int64, error) { return int64(a) - int64(b), nil })
	case isDate(x) && isTime(y):
		return mapPairs(func(c *call, a int32, b int64) (int64, error) {
			r, ok := checked(opMultiply, int64(a), dayNanos)
			if ok {
				r, ok = checked(opAdd, r, b)
			}
			if !ok {
				return 0, overflow(c.node.Span, c.node.Type)
			}
			return r, nil
		})
	case isDate(x):
		return mapPairs(func(c *call, a int32, b int64) (int32, error) {
			r, ok := checked(op, int64(a), b)
			if !ok || r != int64(int32(r)) {
				return 0, overflow(c.node.Span, c.node.Type)
			}
			return int32(r), nil
		})
	case isTime(x) && isInterval(y):
		return mapPairs(func(_ *call, a int64, v arrow.MonthDayNanoInterval) (int64, error) {
			part := v.Nanoseconds % dayNanos
			if op == opSubtract {
				part = -part
			}
			return floorMod(a+part, dayNanos), nil
		})
	case isTime(x):
		return mapPairs(func(_ *call, a, b int64) (arrow.MonthDayNanoInterval, error) {
			return arrow.MonthDayNanoInterval{Nanoseconds: a - b}, nil
		})
	}
	return timestampDifference(unitOf(x), unitOf(y))
}

// timestampDifference is in days and nanoseconds, as in PostgreSQL; both have the sign of the whole. It is made of the
// differences of both, which do not overflow where times of a coarse unit are far away.
func timestampDifference(unitA, unitB int64) kernel {
	perDayA, perDayB := dayNanos/unitA, dayNanos/unitB
	return mapPairs(func(c *call, a, b int64) (arrow.MonthDayNanoInterval, error) {
		days := floorDiv(a, perDayA) - floorDiv(b, perDayB)
		nanos := floorMod(a, perDayA)*unitA - floorMod(b, perDayB)*unitB
		if days > 0 && nanos < 0 {
			days, nanos = days-1, nanos+dayNanos
		} else if days < 0 && nanos > 0 {
			days, nanos = days+1, nanos-dayNanos
		}
		if days != int64(int32(days)) {
			return arrow.MonthDayNanoInterval{}, overflow(c.node.Span, c.node.Type)
		}
		return arrow.MonthDayNanoInterval{Days: int32(days), Nanoseconds: nanos}, nil
	})
}

func negateInterval(c *call, v arrow.MonthDayNanoInterval) (arrow.MonthDayNanoInterval, error) {
	if v.Months == math.MinInt32 || v.Days == math.MinInt32 || v.Nanoseconds == math.MinInt64 {
		return v, overflow(c.node.Span, c.node.Type)
	}
	return arrow.MonthDayNanoInterval{Months: -v.Months, Days: -v.Days, Nanoseconds: -v.Nanoseconds}, nil
}

func intervalSum(op arithmetic) kernel {
	return mapPairs(func(c *call, a, b arrow.MonthDayNanoInterval) (arrow.MonthDayNanoInterval, error) {
		if op == opSubtract {
			var err error
			if b, err = negateInterval(c, b); err != nil {
				return a, err
			}
		}
		if !addInterval(&a, b) {
			return a, overflow(c.node.Span, c.node.Type)
		}
		return a, nil
	})
}

func intervalProduct(op arithmetic) kernel {
	return mapPairs(func(c *call, a arrow.MonthDayNanoInterval, f float64) (arrow.MonthDayNanoInterval, error) {
		if op == opDivide {
			if f == 0 {
				return a, divisionByZero(c.node.Span)
			}
			f = 1 / f
		}
		if k := int64(f); float64(k) == f {
			if r, ok := scaleInterval(a, k); ok {
				return r, nil
			}
		}
		r, ok := scaleIntervalFloat(a, f)
		if !ok {
			return a, overflow(c.node.Span, c.node.Type)
		}
		return r, nil
	})
}

// timestampSum adds months by the calendar, then days of 24 hours, then the rest.
func timestampSum(op arithmetic, unit int64) kernel {
	return mapPairs(func(c *call, a int64, v arrow.MonthDayNanoInterval) (int64, error) {
		if op == opSubtract {
			var err error
			if v, err = negateInterval(c, v); err != nil {
				return 0, err
			}
		}
		r, ok := addToTimestamp(a, unit, v)
		if !ok {
			return 0, overflow(c.node.Span, c.node.Type)
		}
		return r, nil
	})
}

func addToTimestamp(a, unit int64, v arrow.MonthDayNanoInterval) (int64, bool) {
	ok1, ok2, ok3 := true, true, true
	if v.Months != 0 {
		a, ok1 = civilIn(a, unit).addMonths(int64(v.Months)).timestamp(unit)
	}
	if v.Days != 0 {
		var days int64
		days, ok3 = checked(opMultiply, int64(v.Days), dayNanos/unit)
		if ok3 {
			a, ok3 = checked(opAdd, a, days)
		}
	}
	a, ok2 = checked(opAdd, a, floorDiv(v.Nanoseconds, unit))
	return a, ok1 && ok2 && ok3
}

func dateSum(op arithmetic) kernel {
	return mapPairs(func(c *call, a int32, v arrow.MonthDayNanoInterval) (int32, error) {
		if op == opSubtract {
			var err error
			if v, err = negateInterval(c, v); err != nil {
				return 0, err
			}
		}
		days := int64(a)
		if v.Months != 0 {
			y, m, d := dateOf(days)
			moved := civil{year: y, month: m, day: d}.addMonths(int64(v.Months))
			days = daysOf(moved.year, moved.month, moved.day)
		}
		days += int64(v.Days) + floorDiv(v.Nanoseconds, dayNanos)
		if days != int64(int32(days)) {
			return 0, overflow(c.node.Span, c.node.Type)
		}
		return int32(days), nil
	})
}

// badArgument is the fault of an argument that a function cannot work with.
func (c *call) badArgument(format string, args ...any) *fault.Error {
	return c.fail(fault.CodeInvalid, "%s: %s", c.step.name, fmt.Sprintf(format, args...))
}

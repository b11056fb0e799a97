package agg

import (
	"wadi/dataflow/column"
)

// compileMin and compileMax choose by type and by whether values can be retracted: without retractions the extreme itself
// is enough, with them every value has to be kept.

func compileMin(c *Call, retract bool) accumulator { return compileExtreme(c, retract, false) }
func compileMax(c *Call, retract bool) accumulator { return compileExtreme(c, retract, true) }

func compileExtreme(c *Call, retract, max bool) accumulator {
	dt := storage(c.ArgTypes[0])
	if retract {
		return newOrderedExtreme(c, max)
	}
	switch classOf(dt) {
	case bytesClass:
		return &bytesExtreme{arg: c.Args[0], max: max}
	case decimalClass, intervalClass:
		return &wideExtreme{arg: c.Args[0], max: max}
	}
	return &wordExtreme{arg: c.Args[0], max: max}
}

// wordExtreme is min or max of one-word values. Words: the extreme as ordered gives it, and 1 if there is one. A min
// keeps the complement, so that the greater word always wins.
type wordExtreme struct {
	arg     int
	max     bool
	scratch []int64
}

func (a *wordExtreme) words() int       { return 2 }
func (a *wordExtreme) invertible() bool { return false }
func (a *wordExtreme) newSide() side    { return nil }

// flip is the mask that turns a least into a greatest.
func flip(max bool) int64 {
	if max {
		return 0
	}
	return -1
}

func (a *wordExtreme) update(s states, in *input) error {
	v := in.cols[a.arg]
	var vals []int64
	vals, a.scratch = ordered(a.scratch, v, in.rows)
	valid, mask := v.Validity(), flip(a.max)
	for j, r := range in.rows {
		if valid != nil && !valid.Get(int(r)) {
			continue
		}
		at := int(in.slots[j]) * s.stride
		w := s.w[at : at+2 : at+2]
		if x := vals[r] ^ mask; w[1] == 0 || x > w[0] {
			w[0], w[1] = x, 1
		}
	}
	return nil
}

func (a *wordExtreme) merge(s states, to []int32, src states, from []int32, _ int64) error {
	for i, t := range to {
		x := src.w[int(from[i])*src.stride:]
		w := s.w[int(t)*s.stride:]
		if x[1] != 0 && (w[1] == 0 || x[0] > w[0]) {
			w[0], w[1] = x[0], 1
		}
	}
	return nil
}

func (a *wordExtreme) result(s states, slots []int32, out column.Appender) error {
	mask := flip(a.max)
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if w[1] == 0 {
			out.AppendNull()
			continue
		}
		appendOrdered(out, w[0]^mask)
	}
	return nil
}

// wideExtreme is min or max of decimals and intervals. Words: high, low, and 1 if there is a value.
type wideExtreme struct {
	arg int
	max bool
}

func (a *wideExtreme) words() int       { return 3 }
func (a *wideExtreme) invertible() bool { return false }
func (a *wideExtreme) newSide() side    { return nil }

func (a *wideExtreme) put(w []int64, x wide) {
	old := wide{w[0], uint64(w[1])}
	if w[2] == 0 || a.max && old.less(x) || !a.max && x.less(old) {
		w[0], w[1], w[2] = x.hi, int64(x.lo), 1
	}
}

func (a *wideExtreme) update(s states, in *input) error {
	v := in.cols[a.arg]
	valid := v.Validity()
	for j, r := range in.rows {
		if valid.IsValid(int(r)) {
			a.put(s.w[int(in.slots[j])*s.stride:], wideAt(v, r))
		}
	}
	return nil
}

func (a *wideExtreme) merge(s states, to []int32, src states, from []int32, _ int64) error {
	for i, t := range to {
		if x := src.w[int(from[i])*src.stride:]; x[2] != 0 {
			a.put(s.w[int(t)*s.stride:], wide{x[0], uint64(x[1])})
		}
	}
	return nil
}

func (a *wideExtreme) result(s states, slots []int32, out column.Appender) error {
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if w[2] == 0 {
			out.AppendNull()
			continue
		}
		appendWide(out, wide{w[0], uint64(w[1])})
	}
	return nil
}

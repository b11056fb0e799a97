package agg

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// sumInt sums integers in 128 bits, so that no order of rows overflows on the way. Words: low half, high half, number of
// values.
type sumInt struct {
	call     Call
	unsigned bool
	avg      bool
	scratch  []int64
}

func compileSum(c *Call, retract bool) accumulator {
	switch classOf(c.ArgTypes[0]) {
	case floatClass:
		return &sumFloat{call: *c}
	case decimalClass:
		return &sumDecimal{call: *c}
	case unsignedClass:
		return &sumInt{call: *c, unsigned: true}
	case intervalClass:
		return &sumInterval{call: *c}
	}
	return &sumInt{call: *c}
}

func compileAvg(c *Call, retract bool) accumulator {
	a := compileSum(c, retract)
	switch a := a.(type) {
	case *sumInt:
		a.avg = true
	case *sumFloat:
		a.avg = true
	case *sumDecimal:
		a.avg = true
	case *sumInterval:
		a.avg = true
	}
	return a
}

func (a *sumInt) words() int       { return 3 }
func (a *sumInt) invertible() bool { return true }
func (a *sumInt) newSide() side    { return nil }

func (a *sumInt) update(s states, in *input) error {
	v := in.cols[a.call.Args[0]]
	var vals []int64
	vals, a.scratch = integers(a.scratch, v, in.rows)
	extend := uint(63)
	if a.unsigned {
		extend = 64
	}
	valid := v.Validity()
	if valid == nil && in.change == nil && !a.unsigned {
		a.add(s, in.slots, in.rows, vals)
		return nil
	}
	for j, r := range in.rows {
		if valid != nil && !valid.Get(int(r)) {
			continue
		}
		at := int(in.slots[j]) * s.stride
		w := s.w[at : at+3 : at+3]
		x := vals[r]
		high := x >> 63
		if extend == 64 {
			high = 0
		}
		if in.change != nil && in.change[r] < 0 {
			sub128(w, x, high)
			w[2]--
			continue
		}
		lo, carry := bits.Add64(uint64(w[0]), uint64(x), 0)
		w[0] = int64(lo)
		w[1] += high + int64(carry)
		w[2]++
	}
	return nil
}

// add is update for values of which none is null or retracted.
func (a *sumInt) add(s states, slots, rows []int32, vals []int64) {
	words, stride := s.w, s.stride
	slots = slots[:len(rows)]
	for j, r := range rows {
		at := int(slots[j]) * stride
		w := words[at : at+3 : at+3]
		x := vals[r]
		lo, carry := bits.Add64(uint64(w[0]), uint64(x), 0)
		w[0] = int64(lo)
		w[1] += x>>63 + int64(carry)
		w[2]++
	}
}

func add128(w []int64, lo, hi int64) {
	sum, carry := bits.Add64(uint64(w[0]), uint64(lo), 0)
	w[0] = int64(sum)
	w[1] += hi + int64(carry)
}

func sub128(w []int64, lo, hi int64) {
	diff, borrow := bits.Sub64(uint64(w[0]), uint64(lo), 0)
	w[0] = int64(diff)
	w[1] -= hi + int64(borrow)
}

func (a *sumInt) merge(s states, to []int32, src states, from []int32, sign int64) error {
	for i, t := range to {
		x := src.w[int(from[i])*src.stride:]
		w := s.w[int(t)*s.stride:]
		if sign < 0 {
			sub128(w, x[0], x[1])
		} else {
			add128(w, x[0], x[1])
		}
		w[2] += sign * x[2]
	}
	return nil
}

func (a *sumInt) result(s states, slots []int32, out column.Appender) error {
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		lo, hi, n := w[0], w[1], w[2]
		switch o := out.(type) {
		case *column.Fixed[int64]:
			if n != 0 && hi != lo>>63 {
				return overflow(&a.call, arrow.PrimitiveTypes.Int64)
			}
			appendOr(o, lo, n)
		case *column.Fixed[uint64]:
			if n != 0 && hi != 0 {
				return overflow(&a.call, arrow.PrimitiveTypes.Uint64)
			}
			appendOr(o, uint64(lo), n)
		case *column.Fixed[float64]:
			appendOr(o, float128(lo, hi)/float64(n), n)
		}
	}
	return nil
}

// appendOr appends v, or null if n, the number of values behind it, is 0.
func appendOr[T column.Value](o *column.Fixed[T], v T, n int64) {
	if n == 0 {
		o.AppendNull()
		return
	}
	o.Append(v)
}

// appendSums appends what value makes of the words of each slot, or null where word n, the number of values, is 0. value reports
// false for what the call's type cannot hold.
func appendSums[T column.Value](s states, slots []int32, out column.Appender, n int, call *Call, value func(w []int64) (T, bool)) error {
	o := out.(*column.Fixed[T])
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if w[n] == 0 {
			o.AppendNull()
			continue
		}
		v, ok := value(w)
		if !ok {
			return overflow(call, call.Type)
		}
		o.Append(v)
	}
	return nil
}

// float128 is the double next to a 128-bit integer, give or take one in the last place for those beyond 64 bits.
func float128(lo, hi int64) float64 {
	if hi == lo>>63 {
		return float64(lo)
	}
	return math.Ldexp(float64(hi), 64) + float64(uint64(lo))
}

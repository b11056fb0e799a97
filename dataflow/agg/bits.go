package agg

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

func resolveBits(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	switch classOf(args[0]) {
	case nullClass:
		return one(arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64), true
	case signedClass, unsignedClass:
		return one(args[0], args[0]), true
	}
	return Resolved{}, false
}

func resolveBool(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	if c := classOf(args[0]); c != nullClass && storage(args[0]).ID() != arrow.BOOL {
		return Resolved{}, false
	}
	return one(arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Boolean), true
}

func compileBitXor(c *Call, _ bool) accumulator { return &bitXor{arg: c.Args[0]} }

func compileBitAnd(c *Call, retract bool) accumulator { return newBitFold(c, retract, true) }
func compileBitOr(c *Call, retract bool) accumulator  { return newBitFold(c, retract, false) }

// newBitFold takes bit_and as bit_or of the complements.
func newBitFold(c *Call, retract, and bool) accumulator {
	var mask int64
	if and {
		mask = -1
	}
	if retract {
		return &bitCounts{arg: c.Args[0], mask: mask, bits: 8 * widthOf(c.ArgTypes[0])}
	}
	return &bitFold{arg: c.Args[0], mask: mask}
}

func widthOf(dt arrow.DataType) int { return storage(dt).(arrow.FixedWidthDataType).Bytes() }

// appendBits appends the low bits of x as an integer of the column's type.
func appendBits(out column.Appender, x int64) {
	if o, ok := out.(*column.Fixed[uint64]); ok {
		o.Append(uint64(x))
		return
	}
	appendOrdered(out, x)
}

// bitFold is bit_or. Words: the bits, and 1 if there is a value.
type bitFold struct {
	arg     int
	mask    int64
	scratch []int64
}

func (a *bitFold) words() int       { return 2 }
func (a *bitFold) invertible() bool { return false }
func (a *bitFold) newSide() side    { return nil }

func (a *bitFold) update(s states, in *input) error {
	v := in.cols[a.arg]
	var vals []int64
	vals, a.scratch = integers(a.scratch, v, in.rows)
	valid := v.Validity()
	for j, r := range in.rows {
		if valid.IsValid(int(r)) {
			w := s.w[int(in.slots[j])*s.stride:]
			w[0] |= vals[r] ^ a.mask
			w[1] = 1
		}
	}
	return nil
}

func (a *bitFold) merge(s states, to []int32, src states, from []int32, _ int64) error {
	for i, t := range to {
		x, w := src.w[int(from[i])*src.stride:], s.w[int(t)*s.stride:]
		w[0] |= x[0]
		w[1] |= x[1]
	}
	return nil
}

func (a *bitFold) result(s states, slots []int32, out column.Appender) error {
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if w[1] == 0 {
			out.AppendNull()
			continue
		}
		appendBits(out, w[0]^a.mask)
	}
	return nil
}

// bitCounts is bit_or of values that may be retracted. Words: the number of values, then of those with each bit.
type bitCounts struct {
	arg     int
	mask    int64
	bits    int
	scratch []int64
}

func (a *bitCounts) words() int       { return 1 + a.bits }
func (a *bitCounts) invertible() bool { return true }
func (a *bitCounts) newSide() side    { return nil }

func (a *bitCounts) update(s states, in *input) error {
	v := in.cols[a.arg]
	var vals []int64
	vals, a.scratch = integers(a.scratch, v, in.rows)
	valid := v.Validity()
	for j, r := range in.rows {
		if !valid.IsValid(int(r)) {
			continue
		}
		at := int(in.slots[j]) * s.stride
		w := s.w[at : at+1+a.bits]
		c := sign(in.change, r)
		w[0] += c
		x := vals[r] ^ a.mask
		for i := range w[1:] {
			w[1+i] += c & -(x >> i & 1)
		}
	}
	return nil
}

func (a *bitCounts) merge(s states, to []int32, src states, from []int32, sign int64) error {
	return addWords(a.words(), s, to, src, from, sign)
}

// addWords adds words that are counts.
func addWords(n int, s states, to []int32, src states, from []int32, sign int64) error {
	for i, t := range to {
		x, w := src.w[int(from[i])*src.stride:], s.w[int(t)*s.stride:]
		for k := range n {
			w[k] += sign * x[k]
		}
	}
	return nil
}

func (a *bitCounts) result(s states, slots []int32, out column.Appender) error {
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if w[0] <= 0 {
			out.AppendNull()
			continue
		}
		var x int64
		for i := range a.bits {
			if w[1+i] > 0 {
				x |= 1 << i
			}
		}
		appendBits(out, x^a.mask)
	}
	return nil
}

// bitXor is bit_xor, which takes a value back by adding it again. Words: the bits, the number of values.
type bitXor struct {
	arg     int
	scratch []int64
}

func (a *bitXor) words() int       { return 2 }
func (a *bitXor) invertible() bool { return true }
func (a *bitXor) newSide() side    { return nil }

func (a *bitXor) update(s states, in *input) error {
	v := in.cols[a.arg]
	var vals []int64
	vals, a.scratch = integers(a.scratch, v, in.rows)
	valid := v.Validity()
	for j, r := range in.rows {
		if valid.IsValid(int(r)) {
			w := s.w[int(in.slots[j])*s.stride:]
			w[0] ^= vals[r]
			w[1] += sign(in.change, r)
		}
	}
	return nil
}

func (a *bitXor) merge(s states, to []int32, src states, from []int32, sign int64) error {
	for i, t := range to {
		x, w := src.w[int(from[i])*src.stride:], s.w[int(t)*s.stride:]
		w[0] ^= x[0]
		w[1] += sign * x[1]
	}
	return nil
}

func (a *bitXor) result(s states, slots []int32, out column.Appender) error {
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if w[1] == 0 {
			out.AppendNull()
			continue
		}
		appendBits(out, w[0])
	}
	return nil
}

// boolFold is bool_and and bool_or. Words: the number of false and of true values.
type boolFold struct {
	arg int
	and bool
}

func compileBoolAnd(c *Call, _ bool) accumulator { return &boolFold{c.Args[0], true} }
func compileBoolOr(c *Call, _ bool) accumulator  { return &boolFold{c.Args[0], false} }

func (a *boolFold) words() int       { return 2 }
func (a *boolFold) invertible() bool { return true }
func (a *boolFold) newSide() side    { return nil }

func (a *boolFold) update(s states, in *input) error {
	v := in.cols[a.arg].(*column.Bool)
	for j, r := range in.rows {
		if !v.Valid.IsValid(int(r)) {
			continue
		}
		at := int(in.slots[j]) * s.stride
		if v.Bits.Get(int(r)) {
			at++
		}
		s.w[at] += sign(in.change, r)
	}
	return nil
}

func (a *boolFold) merge(s states, to []int32, src states, from []int32, sign int64) error {
	return addWords(2, s, to, src, from, sign)
}

func (a *boolFold) result(s states, slots []int32, out column.Appender) error {
	o := out.(*column.Bool)
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		switch {
		case w[0] == 0 && w[1] == 0:
			o.AppendNull()
		case a.and:
			o.Append(w[0] == 0)
		default:
			o.Append(w[1] > 0)
		}
	}
	return nil
}

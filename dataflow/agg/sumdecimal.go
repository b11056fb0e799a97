package agg

import (
	"math/big"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// sumDecimal sums decimals in 192 bits. Words: three of the sum, lowest first, and the number of values.
type sumDecimal struct {
	call Call
	avg  bool
}

func (a *sumDecimal) words() int       { return 4 }
func (a *sumDecimal) invertible() bool { return true }
func (a *sumDecimal) newSide() side    { return nil }

func (a *sumDecimal) update(s states, in *input) error {
	v := in.cols[a.call.Args[0]].(*column.Fixed[decimal128.Num])
	if v.Valid == nil && in.change == nil {
		a.addAll(s, in, v.Values)
		return nil
	}
	for j, r := range in.rows {
		if !v.Valid.IsValid(int(r)) {
			continue
		}
		w := s.w[int(in.slots[j])*s.stride:]
		x, c := &v.Values[r], sign(in.change, r)
		if high := x.HighBits(); c < 0 {
			sub192(w, x.LowBits(), uint64(high), high>>63)
		} else {
			add192(w, x.LowBits(), uint64(high), high>>63)
		}
		w[3] += c
	}
	return nil
}

// addAll is update for rows none of which is null or a retraction.
func (a *sumDecimal) addAll(s states, in *input, values []decimal128.Num) {
	slots := in.slots[:len(in.rows)]
	for j, r := range in.rows {
		at := int(slots[j]) * s.stride
		w := s.w[at : at+4 : at+4]
		x := &values[r]
		high := x.HighBits()
		add192(w, x.LowBits(), uint64(high), high>>63)
		w[3]++
	}
}

func add192(w []int64, x0, x1 uint64, x2 int64) {
	w0, c := bits.Add64(uint64(w[0]), x0, 0)
	w1, c := bits.Add64(uint64(w[1]), x1, c)
	w[0], w[1] = int64(w0), int64(w1)
	w[2] += x2 + int64(c)
}

func sub192(w []int64, x0, x1 uint64, x2 int64) {
	w0, c := bits.Sub64(uint64(w[0]), x0, 0)
	w1, c := bits.Sub64(uint64(w[1]), x1, c)
	w[0], w[1] = int64(w0), int64(w1)
	w[2] -= x2 + int64(c)
}

func (a *sumDecimal) merge(s states, to []int32, src states, from []int32, sign int64) error {
	for i, t := range to {
		x := src.w[int(from[i])*src.stride:]
		w := s.w[int(t)*s.stride:]
		if sign < 0 {
			sub192(w, uint64(x[0]), uint64(x[1]), x[2])
		} else {
			add192(w, uint64(x[0]), uint64(x[1]), x[2])
		}
		w[3] += sign * x[3]
	}
	return nil
}

func (a *sumDecimal) result(s states, slots []int32, out column.Appender) error {
	return appendSums(s, slots, out, 3, &a.call, a.value)
}

// value is the sum or the mean, which is cut towards zero after its last digit; ok is false if it has too many digits.
func (a *sumDecimal) value(w []int64) (v decimal128.Num, ok bool) {
	if !a.avg {
		v = decimal128.New(w[1], uint64(w[0]))
		return v, w[2] == w[1]>>63 && v.FitsInPrecision(storage(a.call.Type).(*arrow.Decimal128Type).Precision)
	}
	arg := storage(a.call.ArgTypes[0]).(*arrow.Decimal128Type)
	result := storage(a.call.Type).(*arrow.Decimal128Type)
	sum := int128(w[1], w[2])
	sum.Lsh(sum, 64).Add(sum, new(big.Int).SetUint64(uint64(w[0])))
	sum.Mul(sum, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(result.Scale-arg.Scale)), nil))
	sum.Quo(sum, big.NewInt(w[3]))
	limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(result.Precision)), nil)
	if sum.CmpAbs(limit) >= 0 {
		return v, false
	}
	return decimal128.FromBigInt(sum), true
}

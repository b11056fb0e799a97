package agg

import (
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// sumInterval sums months, days and nanoseconds by themselves. Words: months, days, low and high half of the nanoseconds,
// number of values.
type sumInterval struct {
	call Call
	avg  bool
}

func (a *sumInterval) words() int       { return 5 }
func (a *sumInterval) invertible() bool { return true }
func (a *sumInterval) newSide() side    { return nil }

func (a *sumInterval) update(s states, in *input) error {
	v := in.cols[a.call.Args[0]].(*column.Fixed[arrow.MonthDayNanoInterval])
	for j, r := range in.rows {
		if !v.Valid.IsValid(int(r)) {
			continue
		}
		w := s.w[int(in.slots[j])*s.stride:]
		x, c := v.Values[r], sign(in.change, r)
		w[0] += c * int64(x.Months)
		w[1] += c * int64(x.Days)
		if c < 0 {
			sub128(w[2:], x.Nanoseconds, x.Nanoseconds>>63)
		} else {
			add128(w[2:], x.Nanoseconds, x.Nanoseconds>>63)
		}
		w[4] += c
	}
	return nil
}

func (a *sumInterval) merge(s states, to []int32, src states, from []int32, sign int64) error {
	for i, t := range to {
		x, w := src.w[int(from[i])*src.stride:], s.w[int(t)*s.stride:]
		w[0] += sign * x[0]
		w[1] += sign * x[1]
		if sign < 0 {
			sub128(w[2:], x[2], x[3])
		} else {
			add128(w[2:], x[2], x[3])
		}
		w[4] += sign * x[4]
	}
	return nil
}

func (a *sumInterval) result(s states, slots []int32, out column.Appender) error {
	return appendSums(s, slots, out, 4, &a.call, a.value)
}

// value is the sum or the mean; ok is false if it is none of an interval. What months and days leave over when they are
// divided goes to days, 30 in a month, and to nanoseconds, as in PostgreSQL.
func (a *sumInterval) value(w []int64) (v arrow.MonthDayNanoInterval, ok bool) {
	months, days, nanos := big.NewInt(w[0]), big.NewInt(w[1]), int128(w[2], w[3])
	if a.avg {
		n, rest := big.NewInt(w[4]), new(big.Int)
		months.QuoRem(months, n, rest)
		days.Add(days, rest.Mul(rest, big.NewInt(30)))
		days.QuoRem(days, n, rest)
		nanos.Add(nanos, rest.Mul(rest, big.NewInt(24*3600e9)))
		nanos = roundedQuotient(nanos, n)
	}
	fits := func(x *big.Int) bool {
		return x.IsInt64() && x.Int64() >= math.MinInt32 && x.Int64() <= math.MaxInt32
	}
	if !fits(months) || !fits(days) || !nanos.IsInt64() {
		return v, false
	}
	return arrow.MonthDayNanoInterval{Months: int32(months.Int64()), Days: int32(days.Int64()), Nanoseconds: nanos.Int64()}, true
}

// int128 is the number of two words.
func int128(lo, hi int64) *big.Int {
	n := new(big.Int).Lsh(big.NewInt(hi), 64)
	return n.Add(n, new(big.Int).SetUint64(uint64(lo)))
}

// roundedQuotient is a/n, n being positive, halves rounded away from zero.
func roundedQuotient(a, n *big.Int) *big.Int {
	half := new(big.Int).Rsh(n, 1)
	if a.Sign() < 0 {
		half.Neg(half)
	}
	return new(big.Int).Quo(half.Add(half, a), n)
}

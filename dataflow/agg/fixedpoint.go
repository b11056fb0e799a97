package agg

import (
	"math"
	"math/big"
	"math/bits"
)

// fixedPoints holds exact sums of doubles as two's complement fixed-point numbers that cover the whole range of a double
// (the small superaccumulator of Neal, "Fast exact summation using small and large superaccumulators", 2015, without
// delayed carries), and beside each how many infinities and NaNs went in. A number is referred to by its index + 1.
type fixedPoints struct {
	recs  []int64
	spare []int64
}

const (
	// fixedWords covers the bits from 2^-1074 to 2^1023 and 64 more for carries.
	fixedWords  = 34
	recordWords = fixedWords + 3
	// places of the counters in a record.
	posInf = fixedWords
	negInf = fixedWords + 1
	nans   = fixedWords + 2
	// lowest is the exponent of the lowest bit.
	lowest = -1074
)

func (p *fixedPoints) alloc() int64 {
	if n := len(p.spare); n > 0 {
		ref := p.spare[n-1]
		p.spare = p.spare[:n-1]
		clear(p.record(ref))
		return ref
	}
	for range recordWords {
		p.recs = append(p.recs, 0)
	}
	return int64(len(p.recs) / recordWords)
}

func (p *fixedPoints) release(ref int64) { p.spare = append(p.spare, ref) }

func (p *fixedPoints) record(ref int64) []int64 {
	return p.recs[(ref-1)*recordWords : ref*recordWords]
}

// spill moves the pair in w to a fixed-point number, unless that has happened before.
func (p *fixedPoints) spill(w []int64) {
	if w[3] != 0 {
		return
	}
	w[3] = p.alloc()
	p.add(w[3], math.Float64frombits(uint64(w[0])), 1)
	p.add(w[3], math.Float64frombits(uint64(w[1])), 1)
	w[0], w[1] = 0, 0
}

// add adds x to a number, or takes it away if sign is -1.
func (p *fixedPoints) add(ref int64, x float64, sign int64) {
	rec := p.record(ref)
	switch {
	case x != x:
		rec[nans] += sign
		return
	case math.IsInf(x, 1):
		rec[posInf] += sign
		return
	case math.IsInf(x, -1):
		rec[negInf] += sign
		return
	}
	b := math.Float64bits(x)
	mant, exp := b&(1<<52-1), int(b>>52&0x7ff)
	if exp > 0 {
		mant |= 1 << 52
		exp--
	}
	word, shift := exp/64, uint(exp%64)
	lo, hi := mant<<shift, mant>>(64-shift)
	if (b>>63 != 0) == (sign < 0) {
		addAt(rec[:fixedWords], word, lo, hi)
	} else {
		subAt(rec[:fixedWords], word, lo, hi)
	}
}

func addAt(num []int64, word int, lo, hi uint64) {
	sum, c := bits.Add64(uint64(num[word]), lo, 0)
	num[word] = int64(sum)
	for i := word + 1; i < len(num) && (hi|c) != 0; i++ {
		sum, c = bits.Add64(uint64(num[i]), hi, c)
		num[i] = int64(sum)
		hi = 0
	}
}

func subAt(num []int64, word int, lo, hi uint64) {
	diff, b := bits.Sub64(uint64(num[word]), lo, 0)
	num[word] = int64(diff)
	for i := word + 1; i < len(num) && (hi|b) != 0; i++ {
		diff, b = bits.Sub64(uint64(num[i]), hi, b)
		num[i] = int64(diff)
		hi = 0
	}
}

func (p *fixedPoints) merge(ref int64, src *fixedPoints, from, sign int64) {
	x, w := src.record(from), p.record(ref)
	var c uint64
	for i := range fixedWords {
		var v uint64
		if sign < 0 {
			v, c = bits.Sub64(uint64(w[i]), uint64(x[i]), c)
		} else {
			v, c = bits.Add64(uint64(w[i]), uint64(x[i]), c)
		}
		w[i] = int64(v)
	}
	for i := fixedWords; i < recordWords; i++ {
		w[i] += sign * x[i]
	}
}

// value is the double nearest to a number.
func (p *fixedPoints) value(ref int64) float64 {
	rec := p.record(ref)
	switch {
	case rec[nans] > 0 || rec[posInf] > 0 && rec[negInf] > 0:
		return math.NaN()
	case rec[posInf] > 0:
		return math.Inf(1)
	case rec[negInf] > 0:
		return math.Inf(-1)
	}
	sum := new(big.Int)
	for i := fixedWords - 1; i >= 0; i-- {
		word := new(big.Int).SetUint64(uint64(rec[i]))
		if i == fixedWords-1 {
			word = big.NewInt(rec[i])
		}
		sum.Add(sum.Lsh(sum, 64), word)
	}
	if sum.Sign() == 0 {
		return 0
	}
	f := new(big.Float).SetInt(sum)
	v, _ := f.SetMantExp(f, lowest).Float64()
	return v
}

func (p *fixedPoints) reset() { p.recs, p.spare = p.recs[:0], p.spare[:0] }

func (p *fixedPoints) size() int64 { return int64(8 * (cap(p.recs) + cap(p.spare))) }

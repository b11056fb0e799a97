package agg

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

func resolvePair(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 2 || !isNumber(args[0]) || !isNumber(args[1]) {
		return Resolved{}, false
	}
	r := one(arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float64)
	r.ArgTypes = append(r.ArgTypes, arrow.PrimitiveTypes.Float64)
	return r, true
}

func resolvePairCount(args []arrow.DataType) (Resolved, bool) {
	r, ok := resolvePair(args)
	r.Type, r.Nullable = arrow.PrimitiveTypes.Int64, false
	return r, ok
}

// sums are the exact sums of a group that variances, covariances and regressions come from: of n pairs (x, y), or of n
// values x. Unused ones are nil.
type sums struct {
	n                int64
	x, y, xx, yy, xy *exact
}

// Which sums a final needs.
const (
	needX = 1 << iota
	needY
	needXX
	needYY
	needXY
)

// final computes an aggregate from its sums; ok is false if there are too few values.
type final struct {
	need    int
	compute func(s sums) (v float64, ok bool)
}

// The aggregates of single values and of pairs; the first argument of a pair is y. Null where PostgreSQL has null.
var (
	finalVarPop     = final{needX | needXX, func(s sums) (float64, bool) { return s.spread(s.x, s.x, s.xx, s.n) }}
	finalVarSamp    = final{needX | needXX, func(s sums) (float64, bool) { return s.spread(s.x, s.x, s.xx, s.n-1) }}
	finalStddevPop  = final{needX | needXX, func(s sums) (float64, bool) { return root(s.spread(s.x, s.x, s.xx, s.n)) }}
	finalStddevSamp = final{needX | needXX, func(s sums) (float64, bool) { return root(s.spread(s.x, s.x, s.xx, s.n-1)) }}
	finalCovarPop   = final{needX | needY | needXY, func(s sums) (float64, bool) { return s.spread(s.x, s.y, s.xy, s.n) }}
	finalCovarSamp  = final{needX | needY | needXY, func(s sums) (float64, bool) { return s.spread(s.x, s.y, s.xy, s.n-1) }}
	finalCount      = final{0, nil}
	finalAvgX       = final{needX, func(s sums) (float64, bool) { return s.mean(s.x) }}
	finalAvgY       = final{needY, func(s sums) (float64, bool) { return s.mean(s.y) }}
	finalSxx        = final{needX | needXX, func(s sums) (float64, bool) { return s.spread(s.x, s.x, s.xx, 1) }}
	finalSyy        = final{needY | needYY, func(s sums) (float64, bool) { return s.spread(s.y, s.y, s.yy, 1) }}
	finalSxy        = final{needX | needY | needXY, func(s sums) (float64, bool) { return s.spread(s.x, s.y, s.xy, 1) }}
	finalCorr       = final{needX | needY | needXX | needYY | needXY, sums.corr}
	finalR2         = final{needX | needY | needXX | needYY | needXY, sums.r2}
	finalSlope      = final{needX | needY | needXX | needXY, sums.slope}
	finalIntercept  = final{needX | needY | needXX | needXY, sums.intercept}
)

func root(v float64, ok bool) (float64, bool) { return math.Sqrt(v), ok }

// around is n·Σab − Σa·Σb: n times the sum of products around the means.
func (s sums) around(a, b, ab *exact) *exact {
	return exactInt(s.n).times(ab).minus(a.times(b))
}

func (s sums) mean(a *exact) (float64, bool) {
	if s.n <= 0 {
		return 0, false
	}
	return a.over(exactInt(s.n)), true
}

// spread is the sum of products around the means over a divisor, which has to be positive.
func (s sums) spread(a, b, ab *exact, divisor int64) (float64, bool) {
	if s.n <= 0 || divisor <= 0 {
		return 0, false
	}
	return s.around(a, b, ab).over(exactInt(s.n).times(exactInt(divisor))), true
}

func (s sums) slope() (float64, bool) {
	if s.n <= 0 {
		return 0, false
	}
	xx := s.around(s.x, s.x, s.xx)
	return s.around(s.x, s.y, s.xy).over(xx), !xx.isZero()
}

func (s sums) intercept() (float64, bool) {
	if s.n <= 0 {
		return 0, false
	}
	xx := s.around(s.x, s.x, s.xx)
	return s.y.times(s.xx).minus(s.x.times(s.xy)).over(xx), !xx.isZero()
}

func (s sums) corr() (float64, bool) {
	if s.n <= 0 {
		return 0, false
	}
	d := s.around(s.x, s.x, s.xx).times(s.around(s.y, s.y, s.yy))
	if d.isZero() {
		return 0, false
	}
	n := s.around(s.x, s.y, s.xy)
	// The square is exact, so one root is all that is rounded.
	r := math.Sqrt(n.times(n).over(d))
	if n.special == 0 && n.m.Sign() < 0 {
		r = -r
	}
	return r, true
}

func (s sums) r2() (float64, bool) {
	if s.n <= 0 {
		return 0, false
	}
	xx, yy := s.around(s.x, s.x, s.xx), s.around(s.y, s.y, s.yy)
	switch {
	case xx.isZero():
		return 0, false
	case yy.isZero():
		return 1, true
	}
	n := s.around(s.x, s.y, s.xy)
	return n.times(n).over(xx.times(yy)), true
}

// momentSums accumulates what a final needs, exactly, so that neither the order of rows nor a mean far from zero costs a
// digit: each sum is kept as sumFloat keeps its own, each product as the two doubles that it is exactly. Words per sum:
// high part, low part, number of values (in the first sum only), fixed-point number + 1 or 0.
type momentSums struct {
	call    Call
	final   final
	sums    int
	scratch [2][]float64
}

const sumWords = 4

func compileMoments(f final) func(c *Call, retract bool) accumulator {
	n := 0
	for need := f.need; need > 0; need >>= 1 {
		n += need & 1
	}
	return func(c *Call, _ bool) accumulator { return &momentSums{call: *c, final: f, sums: max(n, 1)} }
}

func (a *momentSums) words() int       { return sumWords * a.sums }
func (a *momentSums) invertible() bool { return true }
func (a *momentSums) newSide() side    { return &momentPoints{sums: a.sums} }

func (a *momentSums) update(s states, in *input) error {
	v := in.cols[a.call.Args[0]]
	x, kept := floats(a.scratch[0], v, in.rows)
	a.scratch[0] = kept
	y, valid, validY := x, v.Validity(), column.Bitmap(nil)
	if len(a.call.Args) > 1 { // the first argument is y
		u := in.cols[a.call.Args[1]]
		x, a.scratch[1] = floats(a.scratch[1], u, in.rows)
		validY = u.Validity()
	}
	points := &s.side.(*momentPoints).fixedPoints
	for j, r := range in.rows {
		if !valid.IsValid(int(r)) || !validY.IsValid(int(r)) {
			continue
		}
		at := int(in.slots[j]) * s.stride
		a.add(points, s.w[at:at+sumWords*a.sums], x[r], y[r], sign(in.change, r))
	}
	return nil
}

func (a *momentSums) add(points *fixedPoints, w []int64, x, y float64, sign int64) {
	w[2] += sign
	for need := a.final.need; need > 0; need &= need - 1 {
		switch need & -need {
		case needX:
			points.addTo(w, x, sign)
		case needY:
			points.addTo(w, y, sign)
		case needXX:
			points.addProduct(w, x, x, sign)
		case needYY:
			points.addProduct(w, y, y, sign)
		case needXY:
			points.addProduct(w, x, y, sign)
		}
		w = w[sumWords:]
	}
}

// addTo adds x, or takes it away, to the sum in w.
func (p *fixedPoints) addTo(w []int64, x float64, sign int64) {
	if w[3] != 0 || !addExact(w, x*float64(sign)) {
		p.spill(w)
		p.add(w[3], x, sign)
	}
}

// addProduct adds x·y, which is the rounded product and its error. Of products below 1e-290 the error is rounded itself,
// and one beyond the range of a double makes the result NaN; neither depends on other rows.
func (p *fixedPoints) addProduct(w []int64, x, y float64, sign int64) {
	m := x * y
	p.addTo(w, m, sign)
	if e := math.FMA(x, y, -m); e != 0 && e-e == 0 {
		p.addTo(w, e, sign)
	}
}

func (a *momentSums) merge(s states, to []int32, src states, from []int32, sign int64) error {
	points, other := &s.side.(*momentPoints).fixedPoints, &src.side.(*momentPoints).fixedPoints
	for i, t := range to {
		x, w := src.w[int(from[i])*src.stride:], s.w[int(t)*s.stride:]
		w[2] += sign * x[2]
		for k := 0; k < sumWords*a.sums; k += sumWords {
			points.mergeTo(w[k:], other, x[k:], sign)
		}
	}
	return nil
}

// mergeTo adds the sum in x, of other, to the one in w.
func (p *fixedPoints) mergeTo(w []int64, other *fixedPoints, x []int64, sign int64) {
	if x[3] != 0 {
		p.spill(w)
		p.merge(w[3], other, x[3], sign)
		return
	}
	p.addTo(w, math.Float64frombits(uint64(x[0])), sign)
	p.addTo(w, math.Float64frombits(uint64(x[1])), sign)
}

func (a *momentSums) result(s states, slots []int32, out column.Appender) error {
	points := &s.side.(*momentPoints).fixedPoints
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if a.final.compute == nil {
			out.(*column.Fixed[int64]).Append(w[2])
			continue
		}
		v, ok := a.final.compute(a.load(points, w))
		if !ok {
			out.AppendNull()
			continue
		}
		out.(*column.Fixed[float64]).Append(v + 0) // no negative zero
	}
	return nil
}

// load gives a group's sums.
func (a *momentSums) load(points *fixedPoints, w []int64) sums {
	t := sums{n: w[2]}
	if t.n <= 0 {
		return sums{}
	}
	for need := a.final.need; need > 0; need &= need - 1 {
		e := points.exact(w)
		switch need & -need {
		case needX:
			t.x = e
		case needY:
			t.y = e
		case needXX:
			t.xx = e
		case needYY:
			t.yy = e
		case needXY:
			t.xy = e
		}
		w = w[sumWords:]
	}
	return t
}

// momentPoints is the fixed-point numbers of groups with several sums.
type momentPoints struct {
	fixedPoints
	sums int
}

func (p *momentPoints) free(w []int64) {
	for k := range p.sums {
		p.fixedPoints.free(w[sumWords*k:])
	}
}

// save writes the numbers that there are; the words tell which.
func (p *momentPoints) save(w []int64, buf []byte) []byte {
	for k := range p.sums {
		buf = p.fixedPoints.save(w[sumWords*k:], buf)
	}
	return buf
}

func (p *momentPoints) load(slot int32, w []int64, data []byte) bool {
	ok := true
	for k := range p.sums {
		part := w[sumWords*k:]
		n := 0
		if part[3] != 0 {
			n = min(8*recordWords, len(data))
			ok = ok && n == 8*recordWords
		}
		ok = p.fixedPoints.load(slot, part, data[:n]) && ok
		data = data[n:]
	}
	return ok && len(data) == 0
}

// exact is the number m·2^e, or infinity or NaN if special is not 0.
type exact struct {
	m       big.Int
	e       int
	special float64
}

func exactInt(n int64) *exact {
	x := &exact{}
	x.m.SetInt64(n)
	return x
}

// trim moves powers of two from m to e, which keeps products small.
func (x *exact) trim() *exact {
	if n := x.m.TrailingZeroBits(); n >= 32 {
		x.m.Rsh(&x.m, n)
		x.e += int(n)
	}
	return x
}

func (x *exact) addFloat(f float64) {
	if f == 0 {
		return
	}
	if f-f != 0 {
		x.special = math.NaN()
		return
	}
	frac, e := math.Frexp(f)
	y := &exact{e: e - 53}
	y.m.SetInt64(int64(frac * (1 << 53)))
	*x = *x.minus((&exact{m: *y.m.Neg(&y.m), e: y.e}))
}

func (x *exact) isZero() bool { return x.special == 0 && x.m.Sign() == 0 }

func (x *exact) times(y *exact) *exact {
	z := &exact{e: x.e + y.e, special: x.special + y.special}
	z.m.Mul(&x.m, &y.m)
	return z
}

func (x *exact) minus(y *exact) *exact {
	z := &exact{special: x.special + y.special}
	switch {
	case x.m.Sign() == 0:
		z.e = y.e
		z.m.Neg(&y.m)
	case y.m.Sign() == 0:
		z.e = x.e
		z.m.Set(&x.m)
	case x.e >= y.e:
		z.e = y.e
		z.m.Lsh(&x.m, uint(x.e-y.e))
		z.m.Sub(&z.m, &y.m)
	default:
		z.e = x.e
		z.m.Lsh(&y.m, uint(y.e-x.e))
		z.m.Sub(&x.m, &z.m)
	}
	return z
}

// over is x/y as the double next to it; NaN if either is special or y is zero.
func (x *exact) over(y *exact) float64 {
	if x.special+y.special != 0 || y.m.Sign() == 0 {
		return math.NaN()
	}
	if x.m.Sign() == 0 {
		return 0
	}
	// The quotient gets more bits than a double has and, in the lowest one, whether there is a rest, so that it is rounded
	// only once.
	var a, b, rest big.Int
	a.Abs(&x.m)
	b.Abs(&y.m)
	shift := 66 - (a.BitLen() - b.BitLen())
	if shift > 0 {
		a.Lsh(&a, uint(shift))
	} else {
		b.Lsh(&b, uint(-shift))
	}
	a.QuoRem(&a, &b, &rest)
	if rest.Sign() != 0 {
		a.SetBit(&a, 0, 1)
	}
	if x.m.Sign() != y.m.Sign() {
		a.Neg(&a)
	}
	f := new(big.Float).SetInt(&a)
	v, _ := f.SetMantExp(f, x.e-y.e-shift).Float64()
	return v
}

// exact gives the sum in w.
func (p *fixedPoints) exact(w []int64) *exact {
	x := &exact{}
	if w[3] == 0 {
		x.addFloat(math.Float64frombits(uint64(w[0])))
		x.addFloat(math.Float64frombits(uint64(w[1])))
		return x.trim()
	}
	rec := p.record(w[3])
	if rec[nans] != 0 || rec[posInf] != 0 || rec[negInf] != 0 {
		x.special = math.NaN()
		return x
	}
	buf := make([]byte, 8*fixedWords)
	for i, word := range rec[:fixedWords] {
		binary.BigEndian.PutUint64(buf[8*(fixedWords-1-i):], uint64(word))
	}
	x.m.SetBytes(buf)
	if rec[fixedWords-1] < 0 {
		x.m.Sub(&x.m, new(big.Int).Lsh(big.NewInt(1), 64*fixedWords))
	}
	x.e = lowest
	return x.trim()
}

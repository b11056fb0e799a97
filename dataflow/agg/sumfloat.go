package agg

import (
	"encoding/binary"
	"math"

	"wadi/dataflow/column"
)

// sumFloat sums floats exactly and rounds once, at the result. As long as the exact sum is the sum of two doubles, which
// it is for everyday data, a group keeps these two; otherwise, and when there are infinities or NaNs, it moves to a
// fixed-point number beside the table. Words: high part, low part, number of values, fixed-point number + 1 or 0.
type sumFloat struct {
	call    Call
	avg     bool
	scratch []float64
}

func (a *sumFloat) words() int       { return 4 }
func (a *sumFloat) invertible() bool { return true }
func (a *sumFloat) newSide() side    { return &fixedPoints{} }

func (a *sumFloat) update(s states, in *input) error {
	v := in.cols[a.call.Args[0]]
	var vals []float64
	vals, a.scratch = floats(a.scratch, v, in.rows)
	valid := v.Validity()
	points := s.side.(*fixedPoints)
	for j, r := range in.rows {
		if valid != nil && !valid.Get(int(r)) {
			continue
		}
		at := int(in.slots[j]) * s.stride
		w := s.w[at : at+4 : at+4]
		x, c := vals[r], int64(1)
		if in.change != nil && in.change[r] < 0 {
			c = -1
		}
		w[2] += c
		if w[3] != 0 || !addExact(w, x*float64(c)) {
			points.spill(w)
			points.add(w[3], x, c)
		}
	}
	return nil
}

// addExact adds x to the pair in w if the result is exactly a pair again (Knuth's two-sum, thrice); otherwise it leaves w
// alone and gives false.
func addExact(w []int64, x float64) bool {
	s, e := twoSum(math.Float64frombits(uint64(w[0])), x)
	t, f := twoSum(math.Float64frombits(uint64(w[1])), e)
	hi, lo := twoSum(s, t)
	if f != 0 {
		if lo, f = twoSum(lo, f); f != 0 {
			return false
		}
		hi, lo = twoSum(hi, lo)
	}
	if hi-hi != 0 { // an infinity or NaN
		return false
	}
	w[0], w[1] = int64(math.Float64bits(hi)), int64(math.Float64bits(lo))
	return true
}

// twoSum gives the rounded sum of two doubles and its error, which together are exactly a + b unless s overflows.
func twoSum(a, b float64) (s, e float64) {
	s = a + b
	bb := s - a
	return s, (a - (s - bb)) + (b - bb)
}

func (a *sumFloat) merge(s states, to []int32, src states, from []int32, sign int64) error {
	points, other := s.side.(*fixedPoints), src.side.(*fixedPoints)
	for i, t := range to {
		x := src.w[int(from[i])*src.stride:]
		at := int(t) * s.stride
		w := s.w[at : at+4 : at+4]
		w[2] += sign * x[2]
		if x[3] != 0 {
			points.spill(w)
			points.merge(w[3], other, x[3], sign)
			continue
		}
		for _, part := range x[:2] {
			p := math.Float64frombits(uint64(part))
			if w[3] != 0 || !addExact(w, p*float64(sign)) {
				points.spill(w)
				points.add(w[3], p, sign)
			}
		}
	}
	return nil
}

func (a *sumFloat) result(s states, slots []int32, out column.Appender) error {
	o := out.(*column.Fixed[float64])
	for _, slot := range slots {
		w := s.w[int(slot)*s.stride:]
		if w[2] == 0 {
			o.AppendNull()
			continue
		}
		sum := math.Float64frombits(uint64(w[0]))
		if w[3] != 0 {
			sum = s.side.(*fixedPoints).value(w[3])
		}
		if a.avg {
			sum /= float64(w[2])
		}
		o.Append(sum + 0) // no negative zero
	}
	return nil
}

func (p *fixedPoints) free(w []int64) {
	if w[3] != 0 {
		p.release(w[3])
		w[3] = 0
	}
}

func (p *fixedPoints) save(w []int64, buf []byte) []byte {
	if w[3] == 0 {
		return buf
	}
	for _, x := range p.record(w[3]) {
		buf = binary.LittleEndian.AppendUint64(buf, uint64(x))
	}
	return buf
}

func (p *fixedPoints) load(_ int32, w []int64, data []byte) bool {
	w[3] = 0
	if len(data) == 0 {
		return true
	}
	if len(data) != 8*recordWords {
		return false
	}
	w[3] = p.alloc()
	rec := p.record(w[3])
	for i := range rec {
		rec[i] = int64(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return true
}

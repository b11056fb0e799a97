package ordered

import (
	"math"

	"wadi/dataflow/column"
)

// Within appends to dst the rows of a batch whose prefix may be at most limit, in their order: all that have such a one, and
// some that Prefixes then tells apart. It is false where it leaves none out. Most rows of a long stream are far behind the
// limit; this looks at nothing but their first order column.
func (k *Key) Within(dst []int32, b *column.Batch, limit uint64) ([]int32, bool) {
	if k.timed || len(k.parts) == 0 || limit == math.MaxUint64 {
		return dst, false
	}
	p := k.parts[0]
	f := filter{dst: dst, sel: b.Sel, bound: limit, desc: p.desc}
	if p.desc {
		f.bound = ^limit
	}
	v := b.Cols[p.col]
	valid := v.Validity()
	if valid == nil || !p.nullsFirst { // nulls behind all values are not within, whatever stands in their places
		ok := f.rows(v, 0, b.N)
		return f.dst, ok
	}
	if b.Sel != nil {
		return dst, false
	}
	for at := 0; at < b.N; at += 64 {
		to := min(at+64, b.N)
		if valid[at/64] == math.MaxUint64 {
			if !f.rows(v, at, to) {
				return dst, false
			}
			continue
		}
		for r := at; r < to; r++ {
			f.dst = append(f.dst, int32(r))
		}
	}
	return f.dst, true
}

// filter appends rows to dst whose values are, as ordered words, at most bound, or at least bound with desc: those of sel, or
// if it is nil of a range.
type filter struct {
	dst, sel []int32
	bound    uint64
	desc     bool
}

// rows is false, and does nothing, for types that it does not compare.
func (f *filter) rows(v column.Vector, from, to int) bool {
	switch c := v.(type) {
	case *column.Fixed[int64]:
		f.dst = integers(f, c.Values[from:to], from)
	case *column.Fixed[int32]:
		f.dst = integers(f, c.Values[from:to], from)
	case *column.Fixed[int16]:
		f.dst = integers(f, c.Values[from:to], from)
	case *column.Fixed[int8]:
		f.dst = integers(f, c.Values[from:to], from)
	case *column.Fixed[float64]:
		f.dst = floats(f, c.Values[from:to], from)
	case *column.Fixed[float32]:
		f.dst = floats(f, c.Values[from:to], from)
	case *column.Bytes:
		f.dst = f.heads(c, from, to)
	default:
		return false
	}
	return true
}

// The loops have a branch per row, which is nearly always taken the same way.

func integers[T int8 | int16 | int32 | int64](f *filter, vals []T, from int) []int32 {
	dst, bound := f.dst, int64(f.bound^1<<63)
	switch {
	case f.sel != nil && f.desc:
		for _, r := range f.sel {
			if int64(vals[r]) >= bound {
				dst = append(dst, r)
			}
		}
	case f.sel != nil:
		for _, r := range f.sel {
			if int64(vals[r]) <= bound {
				dst = append(dst, r)
			}
		}
	case f.desc:
		for i, x := range vals {
			if int64(x) >= bound {
				dst = append(dst, int32(from+i))
			}
		}
	default:
		for i, x := range vals {
			if int64(x) <= bound {
				dst = append(dst, int32(from+i))
			}
		}
	}
	return dst
}

func floats[T float32 | float64](f *filter, vals []T, from int) []int32 {
	dst, bound := f.dst, floatOf(f.bound)
	if f.desc && bound != bound {
		bound = math.Inf(1)
	}
	// NaN is the greatest: it is among the first of a descending order, and not within a bound that is a number.
	switch {
	case f.sel != nil && f.desc:
		for _, r := range f.sel {
			if !(float64(vals[r]) < bound) {
				dst = append(dst, r)
			}
		}
	case f.sel != nil:
		for _, r := range f.sel {
			if float64(vals[r]) <= bound {
				dst = append(dst, r)
			}
		}
	case f.desc:
		for i, x := range vals {
			if !(float64(x) < bound) {
				dst = append(dst, int32(from+i))
			}
		}
	default:
		for i, x := range vals {
			if float64(x) <= bound {
				dst = append(dst, int32(from+i))
			}
		}
	}
	return dst
}

// floatOf is the float of an ordered word; NaN for words of no other.
func floatOf(w uint64) float64 {
	if w>>63 != 0 {
		return math.Float64frombits(w ^ 1<<63)
	}
	return math.Float64frombits(^w)
}

func (f *filter) heads(c *column.Bytes, from, to int) []int32 {
	dst := f.dst
	if f.sel != nil {
		for _, r := range f.sel {
			if h := headOf(c.At(int(r))); h == f.bound || (h > f.bound) == f.desc {
				dst = append(dst, r)
			}
		}
		return dst
	}
	for r := from; r < to; r++ {
		if h := headOf(c.At(r)); h == f.bound || (h > f.bound) == f.desc {
			dst = append(dst, int32(r))
		}
	}
	return dst
}

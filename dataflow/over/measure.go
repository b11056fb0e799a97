package over

import (
	"cmp"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
)

// measure is how range frames measure the distance of two rows.
type measure uint8

const (
	unmeasured measure = iota
	// times is the distance of event times, the others that of the values of the one order key.
	times
	integers
	floats
	decimals
)

// measureOf gives what range frames of a spec measure.
func measureOf(spec *graph.OverSpec, in *arrow.Schema) measure {
	if !spec.PerTime && !spec.Updating {
		if len(spec.Order) > 0 {
			return unmeasured
		}
		return times
	}
	if len(spec.Order) != 1 {
		return unmeasured
	}
	switch t := in.Field(spec.Order[0].Column).Type.(type) {
	case *arrow.TimestampType, *arrow.Time64Type, *arrow.Time32Type, *arrow.Date32Type:
		return integers
	case *arrow.Float64Type, *arrow.Float32Type:
		return floats
	case *arrow.Decimal128Type:
		return decimals
	default:
		if arrow.IsInteger(t.ID()) {
			return integers
		}
	}
	return unmeasured
}

// The places of rows that have no distances from others: nulls, and NaN, which is the greatest number. They stand in
// classWord, where 0 is a number.
const (
	nullFirst int64 = iota - 2
	nanFirst
	_
	nanLast
	nullLast
)

// note writes what a range frame measures of row r of a batch into the words of the row.
func (m measure) note(own []int64, spec *graph.OverSpec, b *column.Batch, r int) {
	switch m {
	case unmeasured:
		return
	case times:
		own[valueWord] = b.Time[r]
		return
	}
	by := spec.Order[0]
	v := b.Cols[by.Column]
	if !v.Validity().IsValid(r) {
		own[classWord] = nullLast
		if by.NullsFirst {
			own[classWord] = nullFirst
		}
		return
	}
	switch m {
	case integers:
		own[valueWord] = column.Integer(v, r)
		if by.Desc {
			own[valueWord] = ^own[valueWord]
		}
	case floats:
		f := float(v, r)
		switch {
		case f != f && by.Desc:
			own[classWord] = nanFirst
		case f != f:
			own[classWord] = nanLast
		case by.Desc:
			f = -f
		}
		own[valueWord] = int64(math.Float64bits(f))
	case decimals:
		d := v.(*column.Fixed[decimal128.Num]).Values[r]
		if by.Desc {
			d = d.Negate()
		}
		own[valueWord], own[lowWord] = d.HighBits(), int64(d.LowBits())
	}
}

func float(v column.Vector, i int) float64 {
	if c, ok := v.(*column.Fixed[float32]); ok {
		return float64(c.Values[i])
	}
	return v.(*column.Fixed[float64]).Values[i]
}

// compare tells whether the row with the words x lies before (-1), at (0) or behind (1) the bound b, of the kind Preceding
// or Following, of the row with the words y.
func (m measure) compare(x, y []int64, b graph.Bound) int {
	if c := cmp.Compare(x[classWord], y[classWord]); c != 0 || x[classWord] != 0 {
		return c
	}
	back := b.Kind == graph.Preceding
	switch m {
	case floats:
		d := math.Float64frombits(uint64(b.N))
		if back {
			d = -d
		}
		return cmp.Compare(math.Float64frombits(uint64(x[valueWord])), math.Float64frombits(uint64(y[valueWord]))+d)
	case decimals:
		d := decimal128.FromI64(b.N)
		if back {
			d = d.Negate()
		}
		return decimalOf(x).Cmp(decimalOf(y).Add(d))
	}
	return cmp.Compare(x[valueWord], add(y[valueWord], b.Distance()))
}

func decimalOf(own []int64) decimal128.Num {
	return decimal128.New(own[valueWord], uint64(own[lowWord]))
}

// add saturates.
func add(a, b int64) int64 {
	s := a + b
	if b > 0 && s < a {
		return math.MaxInt64
	}
	if b < 0 && s > a {
		return math.MinInt64
	}
	return s
}

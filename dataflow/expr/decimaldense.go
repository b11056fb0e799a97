package expr

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// The dense loops over decimals compute all rows, also those that do not count, and report whether all results are right
// and fit; if not, the caller looks at the rows that count one by one. They agree with addDecimal, multiplyDecimal and
// rescale where they say that they are right.

// digits tells whether a decimal has at most so many digits.
type digits struct{ lo, hi uint64 }

func digitsOf(precision int32) digits {
	v := decimal128.FromBigInt(pow10(precision))
	return digits{v.LowBits(), uint64(v.HighBits())}
}

// tooMany is 1 if the number with these words has more digits, else 0.
func (d digits) tooMany(lo, hi uint64) uint64 {
	sign := uint64(int64(hi) >> 63)
	lo, borrow := bits.Sub64(lo^sign, sign, 0)
	hi, _ = bits.Sub64(hi^sign, sign, borrow)
	_, borrow = bits.Sub64(lo, d.lo, 0)
	_, borrow = bits.Sub64(hi, d.hi, borrow)
	return borrow ^ 1
}

func addDecimals(out []decimal128.Num, a, b numbers[decimal128.Num], limit digits) bool {
	bad := uint64(0)
	for i := range out {
		x, y := a.values[i&a.mask], b.values[i&b.mask]
		lo, carry := bits.Add64(x.LowBits(), y.LowBits(), 0)
		hi, _ := bits.Add64(uint64(x.HighBits()), uint64(y.HighBits()), carry)
		bad |= limit.tooMany(lo, hi)
		out[i] = decimal128.New(int64(hi), lo)
	}
	return bad == 0
}

func subtractDecimals(out []decimal128.Num, a, b numbers[decimal128.Num], limit digits) bool {
	bad := uint64(0)
	for i := range out {
		x, y := a.values[i&a.mask], b.values[i&b.mask]
		lo, borrow := bits.Sub64(x.LowBits(), y.LowBits(), 0)
		hi, _ := bits.Sub64(uint64(x.HighBits()), uint64(y.HighBits()), borrow)
		bad |= limit.tooMany(lo, hi)
		out[i] = decimal128.New(int64(hi), lo)
	}
	return bad == 0
}

// notWord is 0 if v is an int64.
func notWord(v decimal128.Num) uint64 { return uint64(v.HighBits() ^ int64(v.LowBits())>>63) }

// multiplyDecimals multiplies numbers of 64 bits.
func multiplyDecimals(out []decimal128.Num, a, b numbers[decimal128.Num], limit digits) bool {
	bad := uint64(0)
	for i := range out {
		x, y := a.values[i&a.mask], b.values[i&b.mask]
		hi, lo := multiply64(int64(x.LowBits()), int64(y.LowBits()))
		bad |= notWord(x) | notWord(y) | limit.tooMany(uint64(lo), uint64(hi))
		out[i] = decimal128.New(hi, uint64(lo))
	}
	return bad == 0
}

// rescaleUp makes the kernel that casts a decimal to one with up to 18 more digits behind the point.
func rescaleUp(k caster, from, to *arrow.Decimal128Type) kernel {
	out := &fixedOut[decimal128.Num]{}
	factor, limit := powers10[to.Scale-from.Scale], digitsOf(to.Precision)
	same := factor == 1 && to.Precision >= from.Precision
	shared := &column.Fixed[decimal128.Num]{}
	slow := castInto(k, out, func(v decimal128.Num) (decimal128.Num, bool) { return rescale(v, from.Scale, to) })
	return func(c *call) (column.Vector, error) {
		if v, ok := c.args[0].(*column.Fixed[decimal128.Num]); ok && same {
			*shared = column.Fixed[decimal128.Num]{DataType: c.node.Type, Values: v.Values, Valid: v.Valid}
			return shared, nil
		}
		if !c.dense() {
			return slow(c)
		}
		o, in := out.start(c), argOf[decimal128.Num](c, 0)
		bad := uint64(0)
		for i := range o.Values {
			v := in.values[i&in.mask]
			hi, lo := multiply64(int64(v.LowBits()), factor)
			bad |= notWord(v) | limit.tooMany(uint64(lo), uint64(hi))
			o.Values[i] = decimal128.New(hi, uint64(lo))
		}
		if bad != 0 {
			return slow(c)
		}
		return &o.Fixed, nil
	}
}

package expr

import (
	"math"
	"math/big"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// The dense loops over decimals compute all rows, also those that do not count, and report whether all results are right
// and fit; if not, the caller looks at the rows that count one by one. They agree with addDecimal, multiplyDecimal and
// rescale where they say that they are right.

// digits tells whether a decimal has at most so many digits. most and twice are the words of the greatest one that has,
// and of twice that.
type digits struct{ most, twice words128 }

type words128 struct{ lo, hi uint64 }

func digitsOf(precision int32) digits {
	most := decimal128.FromBigInt(pow10(precision)).Sub(decimal128.FromI64(1))
	twice := most.Add(most) // as unsigned words
	return digits{words128{most.LowBits(), uint64(most.HighBits())}, words128{twice.LowBits(), uint64(twice.HighBits())}}
}

// tooMany is 1 if the number with these words has more digits, else 0: moved up by the greatest one, those that have not
// reach from 0 to twice that.
func (d digits) tooMany(lo, hi uint64) uint64 {
	lo, carry := bits.Add64(lo, d.most.lo, 0)
	hi, _ = bits.Add64(hi, d.most.hi, carry)
	_, borrow := bits.Sub64(d.twice.lo, lo, 0)
	_, borrow = bits.Sub64(d.twice.hi, hi, borrow)
	return borrow
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
	if a.mask == 0 {
		a, b = b, a
	}
	if b.mask == 0 {
		y := b.values[0]
		return notWord(y) == 0 && scaleDecimals(out, a, int64(y.LowBits()), limit.upTo(int64(y.LowBits())))
	}
	bad := uint64(0)
	for i := range out {
		x, y := a.values[i], b.values[i]
		hi, lo := multiply64(int64(x.LowBits()), int64(y.LowBits()))
		bad |= notWord(x) | notWord(y) | limit.tooMany(uint64(lo), uint64(hi))
		out[i] = decimal128.New(hi, uint64(lo))
	}
	return bad == 0
}

// upTo is the greatest of 64 bits whose product with the factor has at most so many digits.
func (d digits) upTo(factor int64) uint64 {
	most := decimal128.New(int64(d.most.hi), d.most.lo).BigInt()
	if factor != 0 {
		most.Quo(most, new(big.Int).Abs(big.NewInt(factor)))
	}
	if !most.IsInt64() {
		return math.MaxInt64
	}
	return most.Uint64()
}

// scaleDecimals multiplies numbers of 64 bits by one. upTo is the greatest of them whose product fits.
func scaleDecimals(out []decimal128.Num, a numbers[decimal128.Num], factor int64, upTo uint64) bool {
	bad, negative := uint64(0), factor>>63
	for i := range out {
		x := a.values[i&a.mask]
		v := int64(x.LowBits())
		hi, lo := bits.Mul64(uint64(v), uint64(factor))
		_, over := bits.Sub64(2*upTo, uint64(v)+upTo, 0)
		bad |= notWord(x) | over
		out[i] = decimal128.New(int64(hi)-v>>63&factor-v&negative, lo)
	}
	return bad == 0
}

// rescaleUp makes the kernel that casts a decimal to one with up to 18 more digits behind the point.
func rescaleUp(k caster, from, to *arrow.Decimal128Type) kernel {
	out := &fixedOut[decimal128.Num]{}
	factor := powers10[to.Scale-from.Scale]
	upTo := digitsOf(to.Precision).upTo(factor)
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
		if !scaleDecimals(o.Values, in, factor, upTo) {
			return slow(c)
		}
		return &o.Fixed, nil
	}
}

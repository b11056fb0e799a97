package expr

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// decimalArithmetic makes the kernel for two decimals. Sums take operands of the result's scale; the others take any.
func decimalArithmetic(op arithmetic, n *Node) kernel {
	out := &fixedOut[decimal128.Num]{}
	result := n.Type.(*arrow.Decimal128Type)
	left, right := n.Args[0].Type.(*arrow.Decimal128Type), n.Args[1].Type.(*arrow.Decimal128Type)
	limit := digitsOf(result.Precision)
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		a, b := argOf[decimal128.Num](c, 0), argOf[decimal128.Num](c, 1)
		fine := false
		if c.dense() {
			switch {
			case op == opAdd:
				fine = addDecimals(o.Values, a, b, limit)
			case op == opSubtract:
				fine = subtractDecimals(o.Values, a, b, limit)
			case op == opMultiply && left.Scale+right.Scale == result.Scale:
				fine = multiplyDecimals(o.Values, a, b, limit)
			}
		}
		if fine {
			return &o.Fixed, nil
		}
		err := c.each(func(r int) error {
			x, y := a.at(r), b.at(r)
			var v decimal128.Num
			ok := true
			switch op {
			case opAdd:
				v, ok = addDecimal(x, y)
			case opSubtract:
				v, ok = addDecimal(x, y.Negate())
			case opMultiply:
				v, ok = multiplyDecimal(x, y, left.Scale+right.Scale-result.Scale)
			default:
				if y.Sign() == 0 {
					return divisionByZero(c.node.Span)
				}
				v, ok = divideDecimal(op, x, y, left.Scale, right.Scale, result.Scale)
			}
			if !ok || !v.FitsInPrecision(result.Precision) {
				return overflow(c.node.Span, result)
			}
			o.Values[r] = v
			return nil
		})
		return &o.Fixed, err
	}
}

// addDecimal cannot wrap: 38 digits leave one bit of 128 free.
func addDecimal(a, b decimal128.Num) (decimal128.Num, bool) { return a.Add(b), true }

func multiplyDecimal(a, b decimal128.Num, dropDigits int32) (decimal128.Num, bool) {
	if dropDigits == 0 && isWord(a) && isWord(b) {
		hi, lo := multiply64(int64(a.LowBits()), int64(b.LowBits()))
		return decimal128.New(hi, uint64(lo)), true
	}
	p := new(big.Int).Mul(a.BigInt(), b.BigInt())
	if dropDigits > 0 {
		p = divideRounded(p, pow10(dropDigits))
	}
	return decimalFromBig(p)
}

// isWord reports whether v is an int64.
func isWord(v decimal128.Num) bool { return v.HighBits() == int64(v.LowBits())>>63 }

func divideDecimal(op arithmetic, a, b decimal128.Num, as, bs, rs int32) (decimal128.Num, bool) {
	if shift := rs - as + bs; op == opDivide && shift >= 0 && shift <= 18 && isWord(a) && isWord(b) {
		hi, lo := multiply64(int64(a.LowBits()), powers10[shift])
		if d := int64(b.LowBits()); hi == lo>>63 && lo != math.MinInt64 && d != math.MinInt64 {
			return decimal128.FromI64(divideWords(lo, d)), true
		}
	}
	x, y := a.BigInt(), b.BigInt()
	if op == opModulo {
		scale := max(as, bs)
		x.Mul(x, pow10(scale-as))
		y.Mul(y, pow10(scale-bs))
		return decimalFromBig(x.Rem(x, y))
	}
	if shift := rs - as + bs; shift >= 0 {
		x.Mul(x, pow10(shift))
	} else {
		y.Mul(y, pow10(-shift))
	}
	return decimalFromBig(divideRounded(x, y))
}

// divideWords is x/y rounded half away from zero; neither is the least integer.
func divideWords(x, y int64) int64 {
	q, rem := x/y, x%y
	if rem < 0 {
		rem = -rem
	}
	if uint64(rem)*2 >= uint64(max(y, -y)) {
		if (x < 0) != (y < 0) {
			return q - 1
		}
		return q + 1
	}
	return q
}

// powers10 are the powers of ten that fit into an int64.
var powers10 = [...]int64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18}

// divideRounded is x/y rounded half away from zero; it changes x.
func divideRounded(x, y *big.Int) *big.Int {
	negative := x.Sign()*y.Sign() < 0
	rem := new(big.Int)
	q, rem := x.QuoRem(x, y, rem)
	if rem.Abs(rem).Lsh(rem, 1).CmpAbs(y) >= 0 {
		if negative {
			q.Sub(q, big.NewInt(1))
		} else {
			q.Add(q, big.NewInt(1))
		}
	}
	return q
}

func pow10(n int32) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

func decimalFromBig(v *big.Int) (decimal128.Num, bool) {
	if v.BitLen() > 127 {
		return decimal128.Num{}, false
	}
	return decimal128.FromBigInt(v), true
}

// rescale converts a decimal to another scale, rounding half away from zero; ok is false if it does not fit.
func rescale(v decimal128.Num, from int32, to *arrow.Decimal128Type) (decimal128.Num, bool) {
	if up := to.Scale - from; up > 0 && up <= 18 && isWord(v) {
		hi, lo := multiply64(int64(v.LowBits()), powers10[up])
		v = decimal128.New(hi, uint64(lo))
	} else if up != 0 {
		x := v.BigInt()
		if to.Scale > from {
			x.Mul(x, pow10(to.Scale-from))
		} else {
			x = divideRounded(x, pow10(from-to.Scale))
		}
		var ok bool
		if v, ok = decimalFromBig(x); !ok {
			return v, false
		}
	}
	return v, v.FitsInPrecision(to.Precision)
}

// decimalFromFloat converts by the shortest decimal text of v, so that 0.1 becomes exactly 0.1.
func decimalFromFloat(v float64, bitSize int, to *arrow.Decimal128Type) (decimal128.Num, bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return decimal128.Num{}, false
	}
	return parseDecimal(strconv.FormatFloat(v, 'e', -1, bitSize), to)
}

// parseDecimal reads [+-]digits[.digits][e[+-]digits], rounding what the scale cannot hold half away from zero.
func parseDecimal(s string, to *arrow.Decimal128Type) (decimal128.Num, bool) {
	mantissa, exponent := s, int64(0)
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.ParseInt(s[i+1:], 10, 32)
		if err != nil {
			return decimal128.Num{}, false
		}
		mantissa, exponent = s[:i], e
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	digits := whole + fraction
	if strings.TrimLeft(digits, "+-") == "" || strings.ContainsAny(fraction, "+-") || strings.Contains(digits, "_") {
		return decimal128.Num{}, false
	}
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return decimal128.Num{}, false
	}
	if v.Sign() == 0 {
		return decimal128.Num{}, true
	}
	shift := int64(to.Scale) + exponent - int64(len(fraction))
	switch {
	case shift > 80 || shift < -int64(len(digits))-1:
		return decimal128.Num{}, shift < 0
	case shift >= 0:
		v.Mul(v, pow10(int32(shift)))
	default:
		v = divideRounded(v, pow10(int32(-shift)))
	}
	n, ok := decimalFromBig(v)
	return n, ok && n.FitsInPrecision(to.Precision)
}

// appendDecimal writes v with all digits of its scale.
func appendDecimal(dst []byte, v decimal128.Num, scale int32) []byte {
	return append(dst, v.ToString(scale)...)
}

// decimalToFloat gives the nearest float.
func decimalToFloat(v decimal128.Num, scale int32) float64 {
	if isWord(v) && scale >= 0 && scale <= 22 {
		if i := int64(v.LowBits()); i > -1<<53 && i < 1<<53 {
			// Both are exact, so the quotient is rounded once.
			return float64(i) / math.Pow10(int(scale))
		}
	}
	f, _ := strconv.ParseFloat(v.ToString(scale), 64)
	return f
}

package expr

import (
	"math"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

const categoryMath = "mathematics"

// mathFunctions declares the functions of numbers. Functions of floats follow IEEE 754: sqrt(-1) is NaN, ln(0) is -inf.
func mathFunctions() []*function {
	fs := floatFunctions()
	fs = append(fs, roundingFunctions()...)
	fs = append(fs, integerFunctions()...)
	return append(fs,
		&function{
			name: "pi", category: categoryMath, doc: "The number π.", example: "pi()", result: "3.141592653589793",
			overloads: []overload{takes(typeDouble, func(*Node) kernel { return constantKernel(math.Pi) })},
		},
		&function{
			name: "random", category: categoryMath, doc: "A random number from 0 to below 1, another one for every row.",
			example: "random() < 1", result: "true", volatility: Volatile,
			overloads: []overload{takes(typeDouble, randomKernel)},
		},
		&function{
			name: "isnan", category: categoryMath, doc: "Whether the number is NaN.", example: "isnan(0.0 / 0.0)", result: "true",
			overloads: []overload{takes(typeBool, floatTest[float64](math.IsNaN), pDouble),
				takes(typeBool, floatTest[float32](func(v float64) bool { return v != v }), pFloat)},
		},
		&function{
			name: "iszero", category: categoryMath, doc: "Whether the number is 0.", example: "iszero(-0.0)", result: "true",
			overloads: []overload{takes(typeBool, floatTest[float64](func(v float64) bool { return v == 0 }), pDouble),
				takes(typeBool, floatTest[float32](func(v float64) bool { return v == 0 }), pFloat)},
		},
	)
}

// floatFunction declares a function of one float that gives a float of the same width.
func floatFunction(name, doc, example, result string, f func(float64) float64, aliases ...string) *function {
	return &function{
		name: name, aliases: aliases, category: categoryMath, doc: doc, example: example, result: result,
		overloads: []overload{
			takes(typeDouble, func(*Node) kernel { return mapFloat(f) }, pDouble),
			takes(typeFloat, func(*Node) kernel {
				return mapFloat(func(v float32) float32 { return float32(f(float64(v))) })
			}, pFloat),
		},
	}
}

func floatFunctions() []*function {
	return []*function{
		floatFunction("acos", "The angle in radians whose cosine this is.", "acos(1)", "0.0", math.Acos),
		floatFunction("acosh", "The inverse hyperbolic cosine.", "acosh(1)", "0.0", math.Acosh),
		floatFunction("asin", "The angle in radians whose sine this is.", "asin(1)", "1.5707963267948966", math.Asin),
		floatFunction("asinh", "The inverse hyperbolic sine.", "asinh(0)", "0.0", math.Asinh),
		floatFunction("atan", "The angle in radians whose tangent this is.", "atan(1)", "0.7853981633974483", math.Atan),
		floatFunction("atanh", "The inverse hyperbolic tangent.", "atanh(0)", "0.0", math.Atanh),
		floatFunction("cbrt", "The cube root.", "cbrt(27)", "3.0", math.Cbrt),
		floatFunction("cos", "The cosine of an angle in radians.", "cos(0)", "1.0", math.Cos),
		floatFunction("cosh", "The hyperbolic cosine.", "cosh(0)", "1.0", math.Cosh),
		floatFunction("cot", "The cotangent of an angle in radians.", "round(cot(1), 6)", "0.642093",
			func(v float64) float64 { return 1 / math.Tan(v) }),
		floatFunction("degrees", "Radians in degrees.", "degrees(pi())", "180.0",
			func(v float64) float64 { return v * (180 / math.Pi) }),
		floatFunction("exp", "e to the power of the number.", "exp(0)", "1.0", math.Exp),
		floatFunction("ln", "The natural logarithm.", "ln(1)", "0.0", math.Log),
		floatFunction("log10", "The logarithm to base 10.", "log10(1000)", "3.0", math.Log10),
		floatFunction("log2", "The logarithm to base 2.", "log2(8)", "3.0", log2),
		floatFunction("radians", "Degrees in radians.", "radians(180)", "3.141592653589793",
			func(v float64) float64 { return v * (math.Pi / 180) }),
		floatFunction("signum", "-1, 0 or 1 for the number's sign.", "signum(-5)", "-1.0", signum, "sign"),
		floatFunction("sin", "The sine of an angle in radians.", "sin(0)", "0.0", math.Sin),
		floatFunction("sinh", "The hyperbolic sine.", "sinh(0)", "0.0", math.Sinh),
		floatFunction("sqrt", "The square root.", "sqrt(2)", "1.4142135623730951", math.Sqrt),
		floatFunction("tan", "The tangent of an angle in radians.", "tan(0)", "0.0", math.Tan),
		floatFunction("tanh", "The hyperbolic tangent.", "tanh(0)", "0.0", math.Tanh),
		pairFunction("atan2", "The angle in radians of the point (x, y), given as atan2(y, x).", "atan2(1, 1)",
			"0.7853981633974483", atan2),
		pairFunction("nanvl", "The first number, or the second where the first is NaN.", "nanvl(0.0 / 0.0, 2)", "2.0",
			func(a, b float64) float64 {
				if a != a {
					return b
				}
				return a
			}),
		{
			name: "log", category: categoryMath, doc: "The logarithm to base 10, or log(base, number).", example: "log(2, 64)",
			result: "6.0",
			overloads: []overload{
				takes(typeDouble, func(*Node) kernel { return mapFloat(math.Log10) }, pDouble),
				takes(typeDouble, func(*Node) kernel { return mapPairs(infallible(logBase)) }, pDouble, pDouble),
			},
		},
		{
			name: "power", aliases: []string{"pow"}, category: categoryMath, doc: "The first number to the power of the second.",
			example: "power(2, 10)", result: "1024",
			overloads: []overload{
				takes(typeInt64, func(*Node) kernel { return mapPairs(integerPower) }, pInt, pInt),
				takes(typeDouble, func(*Node) kernel { return mapPairs(infallible(math.Pow)) }, pDouble, pDouble),
			},
		},
	}
}

func pairFunction(name, doc, example, result string, f func(a, b float64) float64) *function {
	return &function{
		name: name, category: categoryMath, doc: doc, example: example, result: result,
		overloads: []overload{takes(typeDouble, func(*Node) kernel { return mapPairs(infallible(f)) }, pDouble, pDouble)},
	}
}

// infallible adapts a plain function to mapPairs.
func infallible[A, B, R any](f func(A, B) R) func(*call, A, B) (R, error) {
	return func(_ *call, a A, b B) (R, error) { return f(a, b), nil }
}

func signum(v float64) float64 {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return v
}

// atan2 has the sign of y also where y / x is too small for a float, which math.Atan2 takes for a positive zero.
func atan2(y, x float64) float64 { return math.Copysign(math.Atan2(y, x), y) }

// log2 is exact for powers of 2. Near 1 it does without the exponent that math.Log2 adds, which would cost digits.
func log2(v float64) float64 {
	if v > 0.5 && v < 2 {
		return math.Log(v) * (1 / math.Ln2)
	}
	return math.Log2(v)
}

func logBase(base, v float64) float64 {
	switch base {
	case 2:
		return log2(v)
	case 10:
		return math.Log10(v)
	}
	return math.Log(v) / math.Log(base)
}

func integerPower(c *call, base, exponent int64) (int64, error) {
	if exponent < 0 {
		return 0, c.badArgument("an integer to a negative power is no integer").WithHint("cast the base to DOUBLE")
	}
	r, ok := int64(1), true
	for ; exponent > 0; exponent >>= 1 {
		if exponent&1 != 0 {
			if r, ok = checked(opMultiply, r, base); !ok {
				return 0, overflow(c.node.Span, typeInt64)
			}
		}
		if exponent > 1 {
			if base, ok = checked(opMultiply, base, base); !ok {
				return 0, overflow(c.node.Span, typeInt64)
			}
		}
	}
	return r, nil
}

func constantKernel(v float64) kernel {
	out := column.NewFixed[float64](typeDouble)
	out.Append(v)
	return func(*call) (column.Vector, error) { return out, nil }
}

func randomKernel(*Node) kernel {
	out := &fixedOut[float64]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		for i := range o.Values {
			o.Values[i] = rand.Float64()
		}
		return &o.Fixed, nil
	}
}

func floatTest[T interface {
	floating
	column.Value
}](f func(float64) bool) func(*Node) kernel {
	return func(*Node) kernel {
		out := &boolOut{}
		return func(c *call) (column.Vector, error) {
			o := out.start(c)
			for i, v := range argOf[T](c, 0).values[:c.n] {
				o.Bits.SetTo(i, f(float64(v)))
			}
			return &o.Bool, nil
		}
	}
}

// roundingFunctions round floats and, exactly, decimals; abs takes every number.
func roundingFunctions() []*function {
	digits := func(name, doc, example, result string, float func(float64) float64, half bool) *function {
		toPlaces := func(v float64, n int64) float64 { return roundFloat(v, n, float) }
		decimal := func(n *Node) kernel { return roundDecimal(n, half) }
		return &function{
			name: name, category: categoryMath, doc: doc, example: example, result: result,
			overloads: []overload{
				takes(typeDouble, func(*Node) kernel { return mapFloat(float) }, pDouble),
				takes(typeDouble, func(*Node) kernel { return mapPairs(infallible(toPlaces)) }, pDouble, pInt),
				takes(typeFloat, func(*Node) kernel {
					return mapFloat(func(v float32) float32 { return float32(float(float64(v))) })
				}, pFloat),
				takes(typeFloat, func(*Node) kernel {
					return mapPairs(func(_ *call, v float32, n int64) (float32, error) {
						return float32(toPlaces(float64(v), n)), nil
					})
				}, pFloat, pInt),
				{params: []param{pDecimal}, result: returnsArg(0), make: decimal},
				{params: []param{pDecimal, pInt}, result: returnsArg(0), make: decimal},
			},
		}
	}
	whole := func(name, doc, example, result string, f func(float64) float64, up bool) *function {
		fn := floatFunction(name, doc, example, result, f)
		fn.overloads = append(fn.overloads, overload{
			params: []param{pDecimal}, result: returnsArg(0),
			make: func(n *Node) kernel { return wholeDecimal(n, up) },
		})
		return fn
	}
	ceil := whole("ceil", "The nearest whole number that is not less.", "ceil(1.2)", "2.0", math.Ceil, true)
	ceil.aliases = []string{"ceiling"}
	return []*function{
		digits("round", "Rounds to a number of digits after the point (0), halves away from zero.", "round(2.345, 2)", "2.35",
			math.Round, true),
		digits("trunc", "Cuts off after a number of digits after the point (0).", "trunc(-2.349, 2)", "-2.34", math.Trunc,
			false),
		ceil,
		whole("floor", "The nearest whole number that is not greater.", "floor(-1.2)", "-2.0", math.Floor, false),
		{
			name: "abs", category: categoryMath, doc: "The number without its sign.", example: "abs(-3)", result: "3",
			overloads: []overload{
				{params: []param{pSigned}, result: returnsArg(0), make: absSigned},
				{params: []param{pUnsigned}, result: returnsArg(0), make: func(*Node) kernel { return sameKernel }},
				takes(typeDouble, func(*Node) kernel { return mapFloat(math.Abs) }, pDouble),
				takes(typeFloat, func(*Node) kernel {
					return mapFloat(func(v float32) float32 { return float32(math.Abs(float64(v))) })
				}, pFloat),
				{params: []param{pDecimal}, result: returnsArg(0), make: func(*Node) kernel {
					return mapRows(func(_ *call, v decimal128.Num) (decimal128.Num, error) { return v.Abs(), nil })
				}},
			},
		},
	}
}

func sameKernel(c *call) (column.Vector, error) { return c.args[0], nil }

// roundFloat rounds to n decimal places. The scaled value is only used while it is exact enough to matter.
func roundFloat(v float64, n int64, f func(float64) float64) float64 {
	switch {
	case n == 0:
		return f(v)
	case n > 308 || math.IsNaN(v) || math.IsInf(v, 0):
		return v
	case n < -308:
		return 0
	case n < 0:
		k := math.Pow10(int(-n))
		return f(v/k) * k
	}
	k := math.Pow10(int(n))
	scaled := v * k
	if math.Abs(scaled) >= 1<<52 {
		return v
	}
	// 2.345*100 is 234.49999999999997; the nearest product of fewer digits is what was meant.
	if near := math.Round(scaled*8) / 8; math.Abs(near-scaled) <= math.Abs(scaled)*4e-16 {
		scaled = near
	}
	return f(scaled) / k
}

func roundDecimal(n *Node, half bool) kernel {
	dt := n.Type.(*arrow.Decimal128Type)
	return func() kernel {
		out := &fixedOut[decimal128.Num]{}
		return func(c *call) (column.Vector, error) {
			o := out.start(c)
			in, places := argOf[decimal128.Num](c, 0), numbers[int64]{values: []int64{0}}
			if len(c.args) == 2 {
				places = argOf[int64](c, 1)
			}
			err := c.each(func(r int) error {
				v := in.at(r)
				drop := int64(dt.Scale) - places.at(r)
				switch {
				case drop <= 0:
				case drop > 38:
					v = decimal128.Num{}
				default:
					k := decimal128.GetScaleMultiplier(int(drop))
					x := v.ReduceScaleBy(int32(drop), half).BigInt()
					var ok bool
					if v, ok = decimalFromBig(x.Mul(x, k.BigInt())); !ok || !v.FitsInPrecision(dt.Precision) {
						return overflow(c.node.Span, dt)
					}
				}
				o.Values[r] = v
				return nil
			})
			return &o.Fixed, err
		}
	}()
}

func wholeDecimal(n *Node, up bool) kernel {
	dt := n.Type.(*arrow.Decimal128Type)
	one := decimal128.GetScaleMultiplier(int(max(dt.Scale, 0)))
	return mapRows(func(c *call, v decimal128.Num) (decimal128.Num, error) {
		_, rem := v.Div(one)
		w := v.Sub(rem)
		switch {
		case up && rem.Sign() > 0 && rem != (decimal128.Num{}):
			w = w.Add(one)
		case !up && rem.Sign() < 0:
			w = w.Sub(one)
		}
		if !w.FitsInPrecision(dt.Precision) {
			return w, overflow(c.node.Span, dt)
		}
		return w, nil
	})
}

func absSigned(n *Node) kernel {
	switch n.Type.ID() {
	case arrow.INT8:
		return mapRows(absOf[int8])
	case arrow.INT16:
		return mapRows(absOf[int16])
	case arrow.INT32:
		return mapRows(absOf[int32])
	}
	return mapRows(absOf[int64])
}

func absOf[T signed](c *call, v T) (T, error) {
	if v >= 0 {
		return v, nil
	}
	if -v < 0 {
		return 0, overflow(c.node.Span, c.node.Type)
	}
	return -v, nil
}

func integerFunctions() []*function {
	return []*function{
		{
			name: "factorial", category: categoryMath, doc: "1 · 2 · … · n.", example: "factorial(5)", result: "120",
			overloads: []overload{takes(typeInt64, func(*Node) kernel { return mapRows(factorial) }, pInt)},
		},
		{
			name: "gcd", category: categoryMath, doc: "The greatest common divisor.", example: "gcd(12, -18)", result: "6",
			overloads: []overload{takes(typeInt64, func(*Node) kernel { return mapPairs(gcd) }, pInt, pInt)},
		},
		{
			name: "lcm", category: categoryMath, doc: "The least common multiple.", example: "lcm(4, 6)", result: "12",
			overloads: []overload{takes(typeInt64, func(*Node) kernel { return mapPairs(lcm) }, pInt, pInt)},
		},
	}
}

func factorial(c *call, n int64) (int64, error) {
	if n < 0 {
		return 0, c.fail(fault.CodeInvalid, "factorial: the number is negative").WithHint("there are factorials of 0 to 20")
	}
	r := int64(1)
	for k := int64(2); k <= n; k++ {
		var ok bool
		if r, ok = checked(opMultiply, r, k); !ok {
			return 0, overflow(c.node.Span, typeInt64)
		}
	}
	return r, nil
}

func gcdOf(a, b int64) uint64 {
	x, y := uint64(a), uint64(b)
	if a < 0 {
		x = -x
	}
	if b < 0 {
		y = -y
	}
	for y != 0 {
		x, y = y, x%y
	}
	return x
}

func gcd(c *call, a, b int64) (int64, error) {
	g := gcdOf(a, b)
	if g > math.MaxInt64 {
		return 0, overflow(c.node.Span, typeInt64)
	}
	return int64(g), nil
}

func lcm(c *call, a, b int64) (int64, error) {
	if a == 0 || b == 0 {
		return 0, nil
	}
	g := gcdOf(a, b)
	if g > math.MaxInt64 {
		return 0, overflow(c.node.Span, typeInt64)
	}
	r, ok := checked(opMultiply, a/int64(g), b)
	if ok && r < 0 {
		r, ok = checked(opSubtract, 0, r)
	}
	if !ok {
		return 0, overflow(c.node.Span, typeInt64)
	}
	return r, nil
}

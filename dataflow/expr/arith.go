package expr

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// arithmetic is one of the five operations.
type arithmetic uint8

const (
	opAdd arithmetic = iota
	opSubtract
	opMultiply
	opDivide
	opModulo
)

type signed interface{ int8 | int16 | int32 | int64 }

type unsigned interface {
	uint8 | uint16 | uint32 | uint64
}

type floating interface{ float32 | float64 }

type integer interface{ signed | unsigned }

// overflow is the fault of a result that does not fit its type.
func overflow(span fault.Span, dt arrow.DataType) *fault.Error {
	err := fault.Userf(fault.CodeOverflow, span, "the result does not fit into %s", TypeName(dt))
	switch {
	case isTimestamp(dt):
		return err.WithHint("times in nanoseconds go from 1677-09-21 to 2262-04-11")
	case isTemporal(dt):
		return err.WithHint("keep dates and intervals within some thousand years")
	}
	if isDecimal(dt) {
		return err.WithHint("no DECIMAL has more than 38 digits; cast an operand to one with fewer behind the point, or to DOUBLE")
	}
	return err.WithHint("cast an operand to a wider type, for example DOUBLE or DECIMAL(38, 0)")
}

func divisionByZero(span fault.Span) *fault.Error {
	return fault.Userf(fault.CodeDivideByZero, span, "division by zero").
		WithHint("nullif(divisor, 0) makes the result null instead")
}

// arithmeticKernel makes the kernel of an operation on two values of the result's type.
func arithmeticKernel(op arithmetic, n *Node) kernel {
	switch n.Type.ID() {
	case arrow.INT8:
		return signedArithmetic[int8](op)
	case arrow.INT16:
		return signedArithmetic[int16](op)
	case arrow.INT32:
		return signedArithmetic[int32](op)
	case arrow.INT64:
		return signedArithmetic[int64](op)
	case arrow.UINT8:
		return unsignedArithmetic[uint8](op)
	case arrow.UINT16:
		return unsignedArithmetic[uint16](op)
	case arrow.UINT32:
		return unsignedArithmetic[uint32](op)
	case arrow.UINT64:
		return unsignedArithmetic[uint64](op)
	case arrow.FLOAT32:
		return floatArithmetic[float32](op)
	case arrow.FLOAT64:
		return floatArithmetic[float64](op)
	case arrow.DECIMAL128:
		return decimalArithmetic(op, n)
	}
	return nil
}

// checked computes one value exactly; ok is false on overflow. It is the truth that the fast loops agree with.
func checked[T integer](op arithmetic, a, b T) (r T, ok bool) {
	var zero T
	negative := ^zero < 0
	switch op {
	case opAdd:
		r = a + b
		return r, (r >= a) == (b >= 0)
	case opSubtract:
		r = a - b
		if negative {
			return r, (r <= a) == (b >= 0)
		}
		return r, b <= a
	case opMultiply:
		if a == 0 || b == 0 {
			return 0, true
		}
		r = a * b
		if negative && (a == ^zero && b == -b || b == ^zero && a == -a) {
			return r, false
		}
		return r, r/b == a
	case opDivide:
		if negative && b == ^zero {
			return -a, a == 0 || -a != a
		}
		return a / b, true
	default:
		if negative && b == ^zero {
			return 0, true
		}
		return a % b, true
	}
}

// checkedRows computes the live rows one by one and gives the fault of the first that fails.
func checkedRows[T interface {
	integer
	column.Value
}](c *call, op arithmetic, out []T, a, b numbers[T]) error {
	rows := c.live()
	n := len(rows)
	if rows == nil {
		n = c.n
	}
	for i := range n {
		r := i
		if rows != nil {
			r = int(rows[i])
		}
		x, y := a.at(r), b.at(r)
		if y == 0 && op >= opDivide {
			return divisionByZero(c.node.Span)
		}
		v, ok := checked(op, x, y)
		if !ok {
			return overflow(c.node.Span, c.node.Type)
		}
		out[r] = v
	}
	return nil
}

func signedArithmetic[T interface {
	signed
	column.Value
}](op arithmetic) kernel {
	out := &fixedOut[T]{}
	var divisor magic
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		a, b := argOf[T](c, 0), argOf[T](c, 1)
		fine := false
		if c.dense() {
			switch op {
			case opAdd:
				fine = addSigned(o.Values, a, b)
			case opSubtract:
				fine = subtractSigned(o.Values, a, b)
			case opMultiply:
				fine = multiplySigned(o.Values, a, b)
			default:
				fine = divideConstant(op, &divisor, o.Values, a, b)
			}
		}
		if fine {
			return &o.Fixed, nil
		}
		return &o.Fixed, checkedRows(c, op, o.Values, a, b)
	}
}

// The dense loops compute all rows, also those that do not count, and report whether none overflowed; if one did, the
// caller looks at the rows that count.

func addSigned[T interface {
	signed
	column.Value
}](out []T, a, b numbers[T]) bool {
	if a.mask == 0 {
		a, b = b, a
	}
	var bad T
	x := a.values[:len(out)]
	if b.mask == 0 {
		k := b.values[0]
		for i, v := range x {
			r := v + k
			out[i] = r
			bad |= (v ^ r) & (k ^ r)
		}
		return bad >= 0
	}
	y := b.values[:len(out)]
	for i, v := range x {
		w := y[i]
		r := v + w
		out[i] = r
		bad |= (v ^ r) & (w ^ r)
	}
	return bad >= 0
}

func subtractSigned[T interface {
	signed
	column.Value
}](out []T, a, b numbers[T]) bool {
	var bad T
	switch {
	case a.mask == 0:
		k := a.values[0]
		for i, w := range b.values[:len(out)] {
			r := k - w
			out[i] = r
			bad |= (k ^ w) & (k ^ r)
		}
	case b.mask == 0:
		k := b.values[0]
		for i, v := range a.values[:len(out)] {
			r := v - k
			out[i] = r
			bad |= (v ^ k) & (v ^ r)
		}
	default:
		y := b.values[:len(out)]
		for i, v := range a.values[:len(out)] {
			w := y[i]
			r := v - w
			out[i] = r
			bad |= (v ^ w) & (v ^ r)
		}
	}
	return bad >= 0
}

func multiplySigned[T interface {
	signed
	column.Value
}](out []T, a, b numbers[T]) bool {
	if a.mask == 0 {
		a, b = b, a
	}
	var bad int64
	x, y := a.values[:len(out)], b.values
	_, wide := any(T(0)).(int64)
	switch {
	case wide && b.mask == 0:
		k := int64(y[0])
		for i, v := range x {
			hi, lo := multiply64(int64(v), k)
			out[i] = T(lo)
			bad |= hi ^ lo>>63
		}
	case wide:
		y = y[:len(out)]
		for i, v := range x {
			hi, lo := multiply64(int64(v), int64(y[i]))
			out[i] = T(lo)
			bad |= hi ^ lo>>63
		}
	case b.mask == 0:
		k := int64(y[0])
		for i, v := range x {
			r := int64(v) * k
			out[i] = T(r)
			bad |= r ^ int64(T(r))
		}
	default:
		y = y[:len(out)]
		for i, v := range x {
			r := int64(v) * int64(y[i])
			out[i] = T(r)
			bad |= r ^ int64(T(r))
		}
	}
	return bad == 0
}

// multiply64 is the 128-bit product.
func multiply64(a, b int64) (hi, lo int64) {
	h, l := bits.Mul64(uint64(a), uint64(b))
	return int64(h) - a>>63&b - b>>63&a, int64(l)
}

func unsignedArithmetic[T interface {
	unsigned
	column.Value
}](op arithmetic) kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		a, b := argOf[T](c, 0), argOf[T](c, 1)
		if c.dense() && op <= opSubtract && addUnsigned(op, o.Values, a, b) {
			return &o.Fixed, nil
		}
		return &o.Fixed, checkedRows(c, op, o.Values, a, b)
	}
}

func addUnsigned[T interface {
	unsigned
	column.Value
}](op arithmetic, out []T, a, b numbers[T]) bool {
	bad := 0
	if op == opAdd {
		for i := range out {
			v := a.at(i)
			r := v + b.at(i)
			out[i] = r
			bad |= b2i(r < v)
		}
		return bad == 0
	}
	for i := range out {
		v, w := a.at(i), b.at(i)
		out[i] = v - w
		bad |= b2i(v < w)
	}
	return bad == 0
}

// magic divides by a constant through a multiplication (Granlund and Montgomery, "Division by Invariant Integers using
// Multiplication", 1994): for u ≤ 2^63, u / d is the high word of u*factor, shifted.
type magic struct {
	d      uint64
	factor uint64
	shift  uint
}

// set prepares for d, at least 2 and at most 2^63.
func (m *magic) set(d uint64) {
	if m.d == d {
		return
	}
	m.d = d
	l := uint(bits.Len64(d - 1))
	q, rem := bits.Div64(1<<(l-1), 0, d) // 2^(63+l) / d
	if rem != 0 {
		q++
	}
	m.factor, m.shift = q, l-1
}

func (m *magic) quotient(u uint64) uint64 {
	hi, _ := bits.Mul64(u, m.factor)
	return hi >> m.shift
}

// divideConstant divides by a constant for which every row has a result; false if b is none.
func divideConstant[T interface {
	signed
	column.Value
}](op arithmetic, m *magic, out []T, a, b numbers[T]) bool {
	if b.mask != 0 || a.mask == 0 {
		return false
	}
	d := int64(b.values[0])
	if d == 0 || d == 1 || d == -1 {
		return false
	}
	size := uint64(d)
	if d < 0 {
		size = -size
	}
	m.set(size)
	k := *m
	x := a.values[:len(out)]
	if op == opModulo {
		for i, v := range x {
			sign := uint64(int64(v) >> 63)
			u := (uint64(int64(v)) ^ sign) - sign
			u -= k.quotient(u) * size
			out[i] = T((u ^ sign) - sign)
		}
		return true
	}
	flip := uint64(d >> 63)
	for i, v := range x {
		sign := uint64(int64(v) >> 63)
		q := k.quotient((uint64(int64(v)) ^ sign) - sign)
		sign ^= flip
		out[i] = T((q ^ sign) - sign)
	}
	return true
}

func floatArithmetic[T interface {
	floating
	column.Value
}](op arithmetic) kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		a, b := argOf[T](c, 0), argOf[T](c, 1)
		rows := c.sel
		switch {
		case !c.dense():
			floatRows(op, o.Values, a, b, rows)
		case b.mask == 0:
			floatConst(op, o.Values, a.values[:c.n], b.values[0])
		case a.mask == 0:
			floatFromConst(op, o.Values, a.values[0], b.values[:c.n])
		default:
			floatPairs(op, o.Values, a.values[:c.n], b.values[:c.n])
		}
		return &o.Fixed, nil
	}
}

func floatConst[T floating](op arithmetic, out, a []T, k T) {
	out = out[:len(a)]
	switch op {
	case opAdd:
		for i, v := range a {
			out[i] = v + k
		}
	case opSubtract:
		for i, v := range a {
			out[i] = v - k
		}
	case opMultiply:
		for i, v := range a {
			out[i] = v * k
		}
	case opDivide:
		for i, v := range a {
			out[i] = v / k
		}
	case opModulo:
		for i, v := range a {
			out[i] = T(math.Mod(float64(v), float64(k)))
		}
	}
}

func floatFromConst[T floating](op arithmetic, out []T, k T, b []T) {
	out = out[:len(b)]
	switch op {
	case opAdd:
		for i, v := range b {
			out[i] = k + v
		}
	case opSubtract:
		for i, v := range b {
			out[i] = k - v
		}
	case opMultiply:
		for i, v := range b {
			out[i] = k * v
		}
	case opDivide:
		for i, v := range b {
			out[i] = k / v
		}
	case opModulo:
		for i, v := range b {
			out[i] = T(math.Mod(float64(k), float64(v)))
		}
	}
}

func floatPairs[T floating](op arithmetic, out, a, b []T) {
	out, b = out[:len(a)], b[:len(a)]
	switch op {
	case opAdd:
		for i, v := range a {
			out[i] = v + b[i]
		}
	case opSubtract:
		for i, v := range a {
			out[i] = v - b[i]
		}
	case opMultiply:
		for i, v := range a {
			out[i] = v * b[i]
		}
	case opDivide:
		for i, v := range a {
			out[i] = v / b[i]
		}
	case opModulo:
		for i, v := range a {
			out[i] = T(math.Mod(float64(v), float64(b[i])))
		}
	}
}

func floatRows[T interface {
	floating
	column.Value
}](op arithmetic, out []T, a, b numbers[T], rows []int32) {
	switch op {
	case opAdd:
		for _, r := range rows {
			out[r] = a.at(int(r)) + b.at(int(r))
		}
	case opSubtract:
		for _, r := range rows {
			out[r] = a.at(int(r)) - b.at(int(r))
		}
	case opMultiply:
		for _, r := range rows {
			out[r] = a.at(int(r)) * b.at(int(r))
		}
	case opDivide:
		for _, r := range rows {
			out[r] = a.at(int(r)) / b.at(int(r))
		}
	case opModulo:
		for _, r := range rows {
			out[r] = T(math.Mod(float64(a.at(int(r))), float64(b.at(int(r)))))
		}
	}
}

package expr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// The functions that stand for operators:
//
//	add subtract multiply divide modulo      a + b, a - b, a * b, a / b, a % b
//	negate                                   -a
//	eq neq lt lteq gt gteq                   a = b, a <> b, a < b, a <= b, a > b, a >= b
//	is_distinct_from is_not_distinct_from    a IS [NOT] DISTINCT FROM b, a <=> b
//	and or not                               a AND b, a OR b, NOT a; and, or take any number of arguments
//	is_null is_not_null                      a IS [NOT] NULL
//	is_true is_not_true                      a IS [NOT] TRUE
//	is_false is_not_false                    a IS [NOT] FALSE
//	is_unknown is_not_unknown                a IS [NOT] UNKNOWN
//	bitwise_and bitwise_or bitwise_xor       a & b, a | b, a # b
//	bitwise_not                              ~a
//	shift_left shift_right                   a << b, a >> b
//	concat_op                                a || b, of texts, bytes and lists
//	like not_like ilike not_ilike            a [NOT] LIKE b [ESCAPE c], a ~~ b, a ~~* b, a !~~ b, a !~~* b
//	similar_to not_similar_to                a [NOT] SIMILAR TO b [ESCAPE c]
//	regexp_match_op regexp_imatch_op         a ~ b, a ~* b
//	regexp_not_match_op regexp_not_imatch_op a !~ b, a !~* b
//	at_time_zone                             a AT TIME ZONE b
//	array_element                            a[b], of a list (from 1, from -1 backwards) or a map (by key)
//	array_slice                              a[b:c], a[b:c:d]; NULL for an open end
//	get_field                                a['name'], a struct's member or a map's value
//	make_array named_struct struct           ARRAY[…], […]; {name: …}; ROW(…), STRUCT(…)
//	contains_op contained_op overlaps_op     a @> b, a <@ b, a && b
//	eq_any neq_any lt_any lteq_any gt_any    a = ANY(b), a <> ANY(b), … with b a list; SOME is the same
//	eq_all neq_all lt_all lteq_all gt_all    a = ALL(b), …
//	json_get json_as_text json_contains      a -> b, a ->> b, a ? b
//	in_list not_in_list                      a [NOT] IN (b, …) with constants; made by In
func operatorFunctions() []*function {
	fs := []*function{
		arithmeticFunction("add", "+", opAdd, "The sum.", "1 + 2", "3"),
		arithmeticFunction("subtract", "-", opSubtract, "The difference.", "TIMESTAMP '2024-03-01T00:00:00' - INTERVAL '1 month'",
			"2024-02-01T00:00:00"),
		arithmeticFunction("multiply", "*", opMultiply, "The product.", "6 * 7", "42"),
		arithmeticFunction("divide", "/", opDivide, "The quotient; of integers without the fraction.", "7 / 2", "3"),
		arithmeticFunction("modulo", "%", opModulo, "The remainder, with the sign of the dividend.", "-7 % 3", "-1"),
		{
			name: "negate", operator: "-", category: "operators", doc: "The number with the other sign.", example: "-(3)",
			result: "-3", bind: bindNegate, takes: "a number or an INTERVAL", make: negateKernel,
		},
		comparisonFunction("eq", "=", opEq, "1 = 1.0", "true"),
		comparisonFunction("neq", "<>", opNeq, "1 <> 1", "false"),
		comparisonFunction("lt", "<", opLt, "'a' < 'b'", "true"),
		comparisonFunction("lteq", "<=", opLtEq, "2 <= 1", "false"),
		comparisonFunction("gt", ">", opGt, "DATE '2024-01-02' > DATE '2024-01-01'", "true"),
		comparisonFunction("gteq", ">=", opGtEq, "NULL >= 1", "NULL"),
		distinctFunction("is_distinct_from", "IS DISTINCT FROM", false, "NULL IS DISTINCT FROM 1", "true"),
		distinctFunction("is_not_distinct_from", "IS NOT DISTINCT FROM", true, "NULL IS NOT DISTINCT FROM NULL", "true"),
		bitFunction("bitwise_and", "&", "Bits set in both.", "6 & 3", "2"),
		bitFunction("bitwise_or", "|", "Bits set in one or both.", "6 | 3", "7"),
		bitFunction("bitwise_xor", "#", "Bits set in one of both.", "6 # 3", "5"),
		bitNotFunction(),
		shiftFunction("shift_left", "<<", "1 << 4", "16"),
		shiftFunction("shift_right", ">>", "-16 >> 2", "-4"),
	}
	return append(fs, inFunctions()...)
}

func arithmeticFunction(name, text string, op arithmetic, doc, example, result string) *function {
	return &function{
		name: name, operator: text, category: "operators", doc: doc, example: example, result: result,
		takes: "two numbers, or a date or time and an INTERVAL",
		bind: func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
			return bindArithmetic(s, op, args)
		},
		make: func(n *Node) kernel {
			if isTemporal(n.Args[0].Type) || isTemporal(n.Args[1].Type) {
				return temporalKernel(op, n)
			}
			return arithmeticKernel(op, n)
		},
	}
}

// bindArithmetic finds the type of an operation on two numbers; those on dates and times are bindTemporal's.
func bindArithmetic(s *callSite, op arithmetic, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	a, b := args[0], args[1]
	if isTemporal(a.Type) || isTemporal(b.Type) {
		return bindTemporal(s, op, a, b)
	}
	a, b = adaptPair(a, b)
	if isNull(a.Type) && isNull(b.Type) {
		a, b = NewLiteral(typeInt64, nil), NewLiteral(typeInt64, nil)
	}
	if !isNumeric(a.Type) || !isNumeric(b.Type) {
		return nil, nil, s.mismatch(args)
	}
	a, b = meet(a, b)
	dt := commonNumber(a.Type, b.Type)
	if isDecimal(dt) && !isFloat(dt) {
		return bindDecimal(s, op, a, b)
	}
	return s.both(a, b, dt, dt)
}

// both converts two operands to a type.
func (s *callSite) both(a, b *Node, to, result arrow.DataType) ([]*Node, arrow.DataType, error) {
	x, err := CastTo(a, to, false, s.span)
	if err != nil {
		return nil, nil, err
	}
	y, err := CastTo(b, to, false, s.span)
	return []*Node{x, y}, result, err
}

// adaptPair gives a NULL or a text constant the type of the other operand.
func adaptPair(a, b *Node) (*Node, *Node) {
	adapt := func(n *Node, to arrow.DataType) *Node {
		loose := isNull(n.Type) || n.Kind == Literal && isText(n.Type) && !isText(to)
		if loose && !isNull(to) && canCoerce(n, to) {
			return newCast(n, to, Cast, n.Span)
		}
		return n
	}
	return adapt(a, b.Type), adapt(b, a.Type)
}

// bindDecimal finds the result's precision and scale: sums keep the larger scale and have one digit more, products add
// their digits, quotients have four more digits after the point than the dividend. No result has more than 38 digits.
func bindDecimal(s *callSite, op arithmetic, a, b *Node) ([]*Node, arrow.DataType, error) {
	x, y := decimalOf(a.Type), decimalOf(b.Type)
	scale := max(x.Scale, y.Scale)
	whole := max(x.Precision-x.Scale, y.Precision-y.Scale)
	var dt arrow.DataType
	switch op {
	case opAdd, opSubtract:
		dt = decimalType(whole+scale+1, scale)
		return s.both(a, b, dt, dt)
	case opMultiply:
		dt = decimalType(x.Precision+y.Precision+1, x.Scale+y.Scale)
	case opDivide:
		quotient := min(max(x.Scale+4, scale), 38)
		dt = decimalType(x.Precision-x.Scale+y.Scale+quotient, quotient)
	case opModulo:
		dt = decimalType(min(x.Precision-x.Scale, y.Precision-y.Scale)+scale, scale)
	}
	left, err := CastTo(a, x, false, s.span)
	if err != nil {
		return nil, nil, err
	}
	right, err := CastTo(b, y, false, s.span)
	return []*Node{left, right}, dt, err
}

func bindNegate(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 1 {
		return nil, nil, s.mismatch(args)
	}
	a := args[0]
	switch {
	case isNull(a.Type):
		return []*Node{NewLiteral(typeInt64, nil)}, typeInt64, nil
	case isUnsigned(a.Type):
		to := signedOfBits(2 * bitsOf(a.Type))
		c, err := CastTo(a, to, false, s.span)
		return []*Node{c}, to, err
	case isNumeric(a.Type), isInterval(a.Type):
		return args, a.Type, nil
	}
	return nil, nil, s.mismatch(args)
}

func negateKernel(n *Node) kernel {
	switch n.Type.ID() {
	case arrow.INT8:
		return negateSigned[int8]()
	case arrow.INT16:
		return negateSigned[int16]()
	case arrow.INT32:
		return negateSigned[int32]()
	case arrow.INT64:
		return negateSigned[int64]()
	case arrow.FLOAT32:
		return mapFloat(func(v float32) float32 { return -v })
	case arrow.FLOAT64:
		return mapFloat(func(v float64) float64 { return -v })
	case arrow.DECIMAL128:
		return mapRows(func(_ *call, v decimal128.Num) (decimal128.Num, error) { return v.Negate(), nil })
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return mapRows(negateInterval)
	}
	return nil
}

func negateSigned[T interface {
	signed
	column.Value
}]() kernel {
	out := &fixedOut[T]{}
	zero := numbers[T]{values: make([]T, 1)}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		a := argOf[T](c, 0)
		if c.dense() && subtractSigned(o.Values, zero, a) {
			return &o.Fixed, nil
		}
		return &o.Fixed, checkedRows(c, opSubtract, o.Values, zero, a)
	}
}

// mapRows applies f to the live rows.
func mapRows[A, R column.Value](f func(c *call, v A) (R, error)) kernel {
	out := &fixedOut[R]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[A](c, 0)
		err := c.each(func(r int) (err error) {
			o.Values[r], err = f(c, in.at(r))
			return err
		})
		return &o.Fixed, err
	}
}

// mapPairs applies f to the live rows of two arguments.
func mapPairs[A, B, R column.Value](f func(c *call, a A, b B) (R, error)) kernel {
	out := &fixedOut[R]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		a, b := argOf[A](c, 0), argOf[B](c, 1)
		err := c.each(func(r int) (err error) {
			o.Values[r], err = f(c, a.at(r), b.at(r))
			return err
		})
		return &o.Fixed, err
	}
}

// mapFloat applies a function that cannot fail to all rows or, if few count, to those.
func mapFloat[T interface {
	floating
	column.Value
}](f func(T) T) kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[T](c, 0).values
		if c.dense() {
			for i, v := range in[:len(o.Values)] {
				o.Values[i] = f(v)
			}
		} else {
			for _, r := range c.sel {
				o.Values[r] = f(in[r])
			}
		}
		return &o.Fixed, nil
	}
}

func comparisonFunction(name, text string, op comparison, example, result string) *function {
	return &function{
		name: name, operator: text, category: "operators", doc: "Compares two values of a common type.",
		example: example, result: result, takes: "two values of a common type", bind: bindComparison,
		special: compareSpecial(op),
	}
}

func distinctFunction(name, text string, same bool, example, result string) *function {
	return &function{
		name: name, operator: text, category: "operators", doc: "Compares two values, null being a value; never null.",
		example: example, result: result, callsNull: true, neverNull: true, takes: "two values of a common type",
		bind: bindComparison, special: distinctSpecial(same),
	}
}

func bindComparison(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	for i, n := range args {
		if other := args[1-i].Type; n.Kind == Literal && isText(n.Type) && isTemporal(other) && !canCoerce(n, other) {
			_, err := Coerce(n, other, n.Span)
			return nil, nil, err
		}
	}
	a, b, ok := comparable(args[0], args[1], s.fn.name)
	if !ok {
		return nil, nil, s.mismatch(args)
	}
	return []*Node{a, b}, typeBool, nil
}

// comparable converts two operands to the type in which they are compared. A constant takes on the type of the other
// side where its value allows it, so that no column is converted. Text compares with other types for equality only,
// since the order of texts is not that of what they spell.
func comparable(a, b *Node, op string) (*Node, *Node, bool) {
	a, b = adaptPair(a, b)
	switch {
	case isNull(a.Type):
		return NewLiteral(typeText, nil), NewLiteral(typeText, nil), true
	case arrow.TypeEqual(a.Type, b.Type):
		return a, b, true
	case fitsInteger(b, a.Type):
		return a, newCast(b, a.Type, Cast, b.Span), true
	case fitsInteger(a, b.Type):
		return newCast(a, b.Type, Cast, a.Span), b, true
	case fitsUnit(b, a.Type):
		return a, newCast(b, a.Type, Cast, b.Span), true
	case fitsUnit(a, b.Type):
		return newCast(a, b.Type, Cast, a.Span), b, true
	}
	if isUUID(a.Type) && isText(b.Type) || isText(a.Type) && isUUID(b.Type) {
		return lowerText(a), lowerText(b), true
	}
	dt, ok := CommonType(a.Type, b.Type)
	switch {
	case !ok:
		return nil, nil, false
	case (isJSONValue(a.Type) || isJSONValue(b.Type)) && isInteger(dt):
		// A JSON number may have a fraction.
		dt = typeDouble
	case isJSONValue(a.Type) || isJSONValue(b.Type):
	case isText(dt) && op != "eq" && op != "neq" && op != "is_distinct_from" && op != "is_not_distinct_from":
		return nil, nil, false
	}
	x, err := CastTo(a, dt, false, a.Span)
	if err != nil {
		return nil, nil, false
	}
	y, err := CastTo(b, dt, false, b.Span)
	return x, y, err == nil
}

// lowerText is n, a UUID or text that may spell one, as text in lower case.
func lowerText(n *Node) *Node {
	if isUUID(n.Type) {
		return newCast(n, typeText, Cast, n.Span)
	}
	return &Node{Kind: Call, Name: "lower", Type: typeText, Nullable: n.Nullable, Args: []*Node{n}, Span: n.Span}
}

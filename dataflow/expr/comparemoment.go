package expr

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// A comparison of dates and timestamps of different units names the finer of both as the common type, which does not
// reach as far as the coarser one: nanoseconds end in 2262. So it is computed in the coarser unit, which holds every
// value of the finer one when that is cut off to the right side.

// rounding says how the finer operand of a comparison is cut to the coarser unit.
type rounding uint8

const (
	// roundDown is for fine < coarse and fine >= coarse.
	roundDown rounding = iota
	// roundUp is for fine <= coarse and fine > coarse.
	roundUp
	// roundNone is for equality: what lies between two units equals nothing.
	roundNone
)

// rounding is that of the operand on the left.
func (o comparison) rounding() rounding {
	switch o {
	case opLt, opGtEq:
		return roundDown
	case opLtEq, opGt:
		return roundUp
	}
	return roundNone
}

// momentLength is the length of the unit of a date or a timestamp, nanoseconds; 0 for any other type.
func momentLength(dt arrow.DataType) int64 {
	switch {
	case isDate(dt):
		return dayNanos
	case isTimestamp(dt):
		return unitOf(dt)
	}
	return 0
}

// widened is what a cast takes to a finer unit; nil if n is no such cast.
func widened(n *Node) *Node {
	if n.Kind != Cast || momentLength(n.Args[0].Type) <= momentLength(n.Type) || momentLength(n.Type) == 0 {
		return nil
	}
	return n.Args[0]
}

// compileCompared compiles the operands of a comparison, and tells the type in which they are compared.
func (c *compiler) compileCompared(n *Node, op comparison) ([]*instance, arrow.DataType, error) {
	if a, b := widened(n.Args[0]), widened(n.Args[1]); a != nil && b != nil {
		// Both are coarser than their common type, as in IN (…).
		if dt, ok := CommonType(a.Type, b.Type); ok {
			near := *n
			near.Args = []*Node{castUnless(a, dt), castUnless(b, dt)}
			n = &near
		}
	}
	for i, a := range n.Args {
		coarse := widened(a)
		if coarse == nil || widened(n.Args[1-i]) != nil {
			continue
		}
		side := op
		if i == 0 {
			side = op.flip()
		}
		args, err := c.compileAll([]*Node{coarse, n.Args[1-i]})
		if err != nil {
			return nil, nil, err
		}
		args[1] = &instance{step: &callStep{
			node: &Node{Kind: Cast, Type: coarse.Type, Args: n.Args[1-i : 2-i], Span: n.Span}, args: []*instance{args[1]}, stable: true,
			kernel: cutMoments(side.rounding(), coarse.Type, momentLength(coarse.Type)/momentLength(a.Type)),
		}}
		if i == 1 {
			args[0], args[1] = args[1], args[0]
		}
		return args, coarse.Type, nil
	}
	args, err := c.compileAll(n.Args)
	return args, n.Args[0].Type, err
}

func castUnless(n *Node, dt arrow.DataType) *Node {
	if arrow.TypeEqual(n.Type, dt) {
		return n
	}
	return newCast(n, dt, Cast, n.Span)
}

// EqualMoments gives for both sides of an equality of two times of different units values that are equal where the times are, in
// the coarser unit, to be hashed and compared one by one. Other sides it gives as they are.
func EqualMoments(a, b *Node) (*Node, *Node) {
	x, y := widened(a), widened(b)
	switch {
	case x != nil && y == nil:
		return x, inCoarser(b, x.Type)
	case y != nil && x == nil:
		return inCoarser(a, y.Type), y
	}
	return a, b
}

// inCoarser is a time in a coarser unit, or a time that nothing else is where it lies between two units.
func inCoarser(n *Node, to arrow.DataType) *Node {
	cut := newCast(n, to, Cast, n.Span)
	between := int64(math.MinInt64)
	if isDate(to) {
		between = math.MinInt32
	}
	apart := &Node{Kind: Call, Name: "neq", Type: typeBool, Nullable: n.Nullable, Args: []*Node{n, newCast(cut, n.Type, Cast, n.Span)}, Span: n.Span}
	return &Node{Kind: Case, Type: to, Nullable: n.Nullable, Args: []*Node{apart, NewLiteral(to, between), cut}, Span: n.Span}
}

// extremeMoment rewrites greatest or least of times of which some are of a coarser unit: those are compared as they are, since only
// the result has to be a time of the finer unit. It gives nil where all are of one unit.
func extremeMoment(n *Node, op string) *Node {
	var coarse, fine []*Node
	var dt arrow.DataType = typeNull
	for _, a := range n.Args {
		x := widened(a)
		if x == nil {
			fine = append(fine, a)
			continue
		}
		coarse = append(coarse, x)
		dt, _ = CommonType(dt, x.Type)
	}
	if len(coarse) == 0 {
		return nil
	}
	for i, x := range coarse {
		coarse[i] = castUnless(x, dt)
	}
	call := func(name string, dt arrow.DataType, args ...*Node) *Node {
		return &Node{Kind: Call, Name: name, Type: dt, Nullable: true, Args: args, Span: n.Span}
	}
	far := newCast(call(n.Name, dt, coarse...), n.Type, Cast, n.Span)
	if len(fine) == 0 {
		return far
	}
	near := call(n.Name, n.Type, fine...)
	return &Node{Kind: Case, Type: n.Type, Nullable: n.Nullable, Span: n.Span, Args: []*Node{
		call("is_null", typeBool, far.Args[0]), near,
		call("or", typeBool, call("is_null", typeBool, near), call(op, typeBool, far, near)), far,
		near,
	}}
}

func cutMoments(r rounding, to arrow.DataType, factor int64) kernel {
	if isDate(to) {
		// Timestamps reach further than dates. Beyond their ends, millions of years away, all are equal.
		return cutRows(r, factor, math.MinInt32, func(v int64) int32 { return int32(min(max(v, math.MinInt32), math.MaxInt32)) })
	}
	return cutRows(r, factor, math.MinInt64, func(v int64) int64 { return v })
}

// cutRows makes the kernel that cuts times to a unit that is factor times as long. between is for what equals nothing;
// the ends of the coarser type's range are no time that could be written.
func cutRows[T column.Value](r rounding, factor int64, between T, fit func(int64) T) kernel {
	return mapRows(func(_ *call, v int64) (T, error) {
		down := floorDiv(v, factor)
		switch {
		case r == roundDown || v%factor == 0:
			return fit(down), nil
		case r == roundUp:
			return fit(down + 1), nil
		}
		return between, nil
	})
}

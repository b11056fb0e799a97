package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

func bitFunction(name, text, doc, example, result string) *function {
	return &function{
		name: name, operator: text, category: "operators", doc: doc, example: example, result: result,
		takes: "two integers", bind: bindBits,
		make: func(n *Node) kernel { return bitKernel(name, n.Type) },
	}
}

func shiftFunction(name, text, example, result string) *function {
	return &function{
		name: name, operator: text, category: "operators", example: example, result: result,
		doc:   "Shifts bits; the number of places counts modulo the width of the type.",
		takes: "two integers", bind: bindBits,
		make: func(n *Node) kernel { return bitKernel(name, n.Type) },
	}
}

func bitNotFunction() *function {
	return &function{
		name: "bitwise_not", operator: "~", category: "operators", doc: "The bits that are not set.", example: "~5", result: "-6",
		takes: "an integer",
		bind: func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
			if len(args) == 1 && isNull(args[0].Type) {
				args = []*Node{NewLiteral(typeInt64, nil)}
			}
			if len(args) != 1 || !isInteger(args[0].Type) {
				return nil, nil, s.mismatch(args)
			}
			return args, args[0].Type, nil
		},
		make: func(n *Node) kernel {
			switch n.Type.ID() {
			case arrow.INT8:
				return bitNotKernel[int8]()
			case arrow.INT16:
				return bitNotKernel[int16]()
			case arrow.INT32:
				return bitNotKernel[int32]()
			case arrow.INT64:
				return bitNotKernel[int64]()
			case arrow.UINT8:
				return bitNotKernel[uint8]()
			case arrow.UINT16:
				return bitNotKernel[uint16]()
			case arrow.UINT32:
				return bitNotKernel[uint32]()
			}
			return bitNotKernel[uint64]()
		},
	}
}

func bitNotKernel[T interface {
	integer
	column.Value
}]() kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		for i, v := range argOf[T](c, 0).values[:len(o.Values)] {
			o.Values[i] = ^v
		}
		return &o.Fixed, nil
	}
}

func bindBits(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	a, b := adaptPair(args[0], args[1])
	if isNull(a.Type) && isNull(b.Type) {
		a, b = NewLiteral(typeInt64, nil), NewLiteral(typeInt64, nil)
	}
	if !isInteger(a.Type) || !isInteger(b.Type) {
		return nil, nil, s.mismatch(args)
	}
	dt := commonNumber(a.Type, b.Type)
	return s.both(a, b, dt, dt)
}

func bitKernel(name string, dt arrow.DataType) kernel {
	switch dt.ID() {
	case arrow.INT8:
		return bitRowsKernel[int8](name, 7)
	case arrow.INT16:
		return bitRowsKernel[int16](name, 15)
	case arrow.INT32:
		return bitRowsKernel[int32](name, 31)
	case arrow.INT64:
		return bitRowsKernel[int64](name, 63)
	case arrow.UINT8:
		return bitRowsKernel[uint8](name, 7)
	case arrow.UINT16:
		return bitRowsKernel[uint16](name, 15)
	case arrow.UINT32:
		return bitRowsKernel[uint32](name, 31)
	}
	return bitRowsKernel[uint64](name, 63)
}

// bitRowsKernel computes all rows: nothing can fail.
func bitRowsKernel[T interface {
	integer
	column.Value
}](name string, shiftMask T) kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		a, b := argOf[T](c, 0), argOf[T](c, 1)
		switch name {
		case "bitwise_and":
			for i := range o.Values {
				o.Values[i] = a.at(i) & b.at(i)
			}
		case "bitwise_or":
			for i := range o.Values {
				o.Values[i] = a.at(i) | b.at(i)
			}
		case "bitwise_xor":
			for i := range o.Values {
				o.Values[i] = a.at(i) ^ b.at(i)
			}
		case "shift_left":
			for i := range o.Values {
				o.Values[i] = a.at(i) << uint8(b.at(i)&shiftMask)
			}
		case "shift_right":
			for i := range o.Values {
				o.Values[i] = a.at(i) >> uint8(b.at(i)&shiftMask)
			}
		}
		return &o.Fixed, nil
	}
}

package expr

import "github.com/apache/arrow-go/v18/arrow"

// param is one parameter of a signature.
type param struct {
	// name is what people read: "TEXT", "number".
	name string
	// accept gives the type that an argument is converted to and what that costs: 0 for none, -1 for impossible.
	accept func(n *Node) (arrow.DataType, int)
}

// exactly takes a type and whatever converts to it by itself.
func exactly(dt arrow.DataType) param {
	return param{TypeName(dt), func(n *Node) (arrow.DataType, int) {
		switch {
		case arrow.TypeEqual(n.Type, dt):
			return dt, 0
		case isNull(n.Type):
			return dt, 1
		case !canCoerce(n, dt):
			return nil, -1
		case isFloat(dt) || n.Kind == Literal:
			return dt, 3
		}
		return dt, 2
	}}
}

// class takes any type for which is holds, as it is; a null becomes of type null, a text literal too if that reads it.
func class(name string, null arrow.DataType, is func(arrow.DataType) bool) param {
	return param{name, func(n *Node) (arrow.DataType, int) {
		switch {
		case is(n.Type):
			return n.Type, 0
		case isNull(n.Type):
			return null, 1
		case isText(n.Type) && canCoerce(n, null):
			return null, 3
		}
		return nil, -1
	}}
}

// The parameters that signatures are made of.
var (
	pAny       = param{"any", func(n *Node) (arrow.DataType, int) { return n.Type, 0 }}
	pBool      = exactly(typeBool)
	pInt       = exactly(typeInt64)
	pDouble    = exactly(typeDouble)
	pBytes     = exactly(typeBytes)
	pDate      = exactly(typeDate)
	pInterval  = exactly(Interval)
	pFloat     = exactly(typeFloat)
	pText      = exactly(typeText)
	pInteger   = class("integer", typeInt64, isInteger)
	pDecimal   = class("DECIMAL", decimalType(38, 10), isDecimal)
	pSigned    = class("signed integer", typeInt64, isSigned)
	pUnsigned  = class("unsigned integer", typeUint64, isUnsigned)
	pTimestamp = moment(class("TIMESTAMP", Timestamp, isTimestamp))
	pTime      = exactly(typeTime)
)

// moment takes dates too, as their midnight.
func moment(p param) param {
	return param{p.name, func(n *Node) (arrow.DataType, int) {
		if isDate(n.Type) {
			return Timestamp, 2
		}
		return p.accept(n)
	}}
}

// returns gives a result of this type.
func returns(dt arrow.DataType) func([]*Node) arrow.DataType {
	return func([]*Node) arrow.DataType { return dt }
}

// returnsArg gives a result of the type of argument i.
func returnsArg(i int) func([]*Node) arrow.DataType {
	return func(args []*Node) arrow.DataType { return args[i].Type }
}

// takes is an overload with a fixed result type.
func takes(result arrow.DataType, mk func(n *Node) kernel, params ...param) overload {
	return overload{params: params, result: returns(result), make: mk}
}

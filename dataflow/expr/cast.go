package expr

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// caster is a conversion between two types, decided when the expression is compiled. It converts the live rows of
// c.args[0]; fail tells about a row that does not convert.
type caster struct {
	from, to arrow.DataType
	// try makes failing rows null.
	try bool
}

// canCast reports whether there is a conversion.
func canCast(from, to arrow.DataType) bool {
	if isJSONValue(from) {
		return isJSONValue(to) || castsFromJSON(to) || arrow.IsNested(to.ID()) && canCast(typeText, to)
	}
	return isNull(from) || arrow.TypeEqual(from, to) || newCaster(from, to, false) != nil || between(from, to) != nil
}

// between is the type by way of which a conversion goes that there is in two steps only: of times and truth values to
// numbers that are no BIGINT, and back. It is nil for any other.
func between(from, to arrow.DataType) arrow.DataType {
	moment := func(dt arrow.DataType) bool { return isDate(dt) || isTimestamp(dt) || isTime(dt) }
	switch {
	case newCaster(from, to, false) != nil:
		return nil
	case moment(from) && isNumeric(to), isNumeric(from) && moment(to), from.ID() == arrow.BOOL && isDecimal(to):
		return typeInt64
	case isDecimal(from) && to.ID() == arrow.BOOL:
		return typeDouble
	}
	return nil
}

func (c *compiler) castStep(n *Node) (step, error) {
	arg, err := c.compile(n.Args[0])
	if err != nil {
		return nil, err
	}
	s := &callStep{node: n, args: []*instance{arg}, stable: true}
	if isNull(n.Args[0].Type) {
		s.kernel = func(*call) (column.Vector, error) { return s.nullResult(s.call.n), nil }
		return s, nil
	}
	if s.kernel = newCaster(n.Args[0].Type, n.Type, n.Kind == TryCast); s.kernel == nil {
		return nil, fault.Userf(CodeTypeMismatch, n.Span, "%s does not convert to %s", TypeName(n.Args[0].Type),
			TypeName(n.Type))
	}
	return s, nil
}

// newCaster makes the kernel of a conversion; nil if there is none.
func newCaster(from, to arrow.DataType, try bool) kernel {
	k := caster{from, to, try}
	switch {
	case isText(to) && arrow.IsNested(from.ID()):
		return nestedToText()
	case isList(from) && isList(to), isMap(from) && isMap(to):
		return k.elements()
	case arrow.IsNested(to.ID()) && arrow.IsNested(from.ID()) && from.ID() != to.ID():
		return nil
	case isJSONValue(from):
		// castJSON makes other nodes of these.
		return nil
	case isText(from) && arrow.IsNested(to.ID()):
		return k.fromJSON()
	case isText(from) && isJSONValue(to), isUUID(from) && isText(to):
		return k.reinterpretBytes()
	case isText(from) && isUUID(to):
		return k.parseUUIDs()
	case isUUID(from) || isUUID(to) || isJSONValue(to):
		return nil
	case isText(from):
		return k.fromText()
	case isText(to):
		return k.toText()
	case isBinary(from) && isBinary(to):
		return k.reinterpretBytes()
	case from.ID() == arrow.STRUCT || to.ID() == arrow.STRUCT:
		return k.members()
	case isInterval(from) && isTime(to):
		return castRows(k, func(v arrow.MonthDayNanoInterval) (int64, bool) { return floorMod(v.Nanoseconds, dayNanos), true })
	case isTime(from) && isInterval(to):
		return castRows(k, func(v int64) (arrow.MonthDayNanoInterval, bool) {
			return arrow.MonthDayNanoInterval{Nanoseconds: v}, true
		})
	case isInterval(from) || isInterval(to):
		return nil
	case isTime(from) || isTime(to):
		return k.timeOfDay()
	case isDate(from) || isTimestamp(from):
		return k.fromMoment()
	case isDate(to) || isTimestamp(to):
		return k.toMoment()
	case from.ID() == arrow.BOOL:
		return k.fromBool()
	case to.ID() == arrow.BOOL:
		return k.toBool()
	case isDecimal(from):
		return k.fromDecimal()
	}
	return castFrom(k)
}

// castFrom dispatches a conversion between numbers on the type that it comes from.
func castFrom(k caster) kernel {
	switch k.from.ID() {
	case arrow.INT8:
		return castInteger[int8](k)
	case arrow.INT16:
		return castInteger[int16](k)
	case arrow.INT32:
		return castInteger[int32](k)
	case arrow.INT64:
		return castInteger[int64](k)
	case arrow.UINT8:
		return castInteger[uint8](k)
	case arrow.UINT16:
		return castInteger[uint16](k)
	case arrow.UINT32:
		return castInteger[uint32](k)
	case arrow.UINT64:
		return castInteger[uint64](k)
	case arrow.FLOAT32:
		return castFloat[float32](k)
	case arrow.FLOAT64:
		return castFloat[float64](k)
	}
	return nil
}

func castInteger[F interface {
	integer
	column.Value
}](k caster) kernel {
	switch k.to.ID() {
	case arrow.INT8:
		return integerToInteger[F, int8](k)
	case arrow.INT16:
		return integerToInteger[F, int16](k)
	case arrow.INT32:
		return integerToInteger[F, int32](k)
	case arrow.INT64:
		return integerToInteger[F, int64](k)
	case arrow.UINT8:
		return integerToInteger[F, uint8](k)
	case arrow.UINT16:
		return integerToInteger[F, uint16](k)
	case arrow.UINT32:
		return integerToInteger[F, uint32](k)
	case arrow.UINT64:
		return integerToInteger[F, uint64](k)
	case arrow.FLOAT32:
		return convertAll[F, float32](k)
	case arrow.FLOAT64:
		return convertAll[F, float64](k)
	case arrow.DECIMAL128:
		to := k.to.(*arrow.Decimal128Type)
		return castRows(k, func(v F) (decimal128.Num, bool) {
			d := decimal128.FromI64(int64(v))
			if v > 0 {
				d = decimal128.FromU64(uint64(v))
			}
			return rescale(d, 0, to)
		})
	}
	return nil
}

func castFloat[F interface {
	floating
	column.Value
}](k caster) kernel {
	switch k.to.ID() {
	case arrow.INT8:
		return castRows(k, floatToInteger[F, int8](math.MinInt8, math.MaxInt8+1))
	case arrow.INT16:
		return castRows(k, floatToInteger[F, int16](math.MinInt16, math.MaxInt16+1))
	case arrow.INT32:
		return castRows(k, floatToInteger[F, int32](math.MinInt32, math.MaxInt32+1))
	case arrow.INT64:
		return castRows(k, floatToInteger[F, int64](math.MinInt64, -math.MinInt64))
	case arrow.UINT8:
		return castRows(k, floatToInteger[F, uint8](0, math.MaxUint8+1))
	case arrow.UINT16:
		return castRows(k, floatToInteger[F, uint16](0, math.MaxUint16+1))
	case arrow.UINT32:
		return castRows(k, floatToInteger[F, uint32](0, math.MaxUint32+1))
	case arrow.UINT64:
		return castRows(k, floatToInteger[F, uint64](0, math.MaxUint64+1))
	case arrow.FLOAT32:
		return convertAll[F, float32](k)
	case arrow.FLOAT64:
		return convertAll[F, float64](k)
	case arrow.DECIMAL128:
		to, bits := k.to.(*arrow.Decimal128Type), bitsOf(k.from)
		return castRows(k, func(v F) (decimal128.Num, bool) { return decimalFromFloat(float64(v), bits, to) })
	}
	return nil
}

// floatToInteger cuts the fraction off; least ≤ result < limit.
func floatToInteger[F floating, T integer](least, limit float64) func(F) (T, bool) {
	return func(v F) (T, bool) {
		f := math.Trunc(float64(v))
		if !(f >= least && f < limit) {
			return 0, false
		}
		return T(f), true
	}
}

// convertAll converts numbers where that cannot fail.
func convertAll[F, T interface {
	ordered
	column.Value
}](caster) kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[F](c, 0).values
		if c.dense() {
			for i, v := range in[:len(o.Values)] {
				o.Values[i] = T(v)
			}
		} else {
			for _, r := range c.sel {
				o.Values[r] = T(in[r])
			}
		}
		return &o.Fixed, nil
	}
}

func integerToInteger[F, T interface {
	integer
	column.Value
}](k caster) kernel {
	out := &fixedOut[T]{}
	slow := castInto(k, out, func(v F) (T, bool) {
		t := T(v)
		return t, F(t) == v && (t < 0) == (v < 0)
	})
	return func(c *call) (column.Vector, error) {
		if !c.dense() {
			return slow(c)
		}
		o := out.start(c)
		bad := 0
		for i, v := range argOf[F](c, 0).values[:len(o.Values)] {
			t := T(v)
			o.Values[i] = t
			bad |= b2i(F(t) != v) | b2i((t < 0) != (v < 0))
		}
		if bad != 0 {
			return slow(c)
		}
		return &o.Fixed, nil
	}
}

// castRows converts row by row; f says whether the value fits.
func castRows[F, T column.Value](k caster, f func(F) (T, bool)) kernel {
	return castInto(k, &fixedOut[T]{}, f)
}

func castInto[F, T column.Value](k caster, out *fixedOut[T], f func(F) (T, bool)) kernel {
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := argOf[F](c, 0)
		err := c.each(func(r int) error {
			v, ok := f(in.at(r))
			switch {
			case ok:
				o.Values[r] = v
			case k.try:
				o.setNull(r)
			default:
				return k.overflow(c)
			}
			return nil
		})
		return &o.Fixed, err
	}
}

func (k caster) overflow(c *call) error {
	err := c.fail(fault.CodeOverflow, "a value does not fit into %s", TypeName(k.to))
	if isTimestamp(k.to) && unitOf(k.to) == 1 && (isTimestamp(k.from) || isDate(k.from)) {
		return err.WithHint("times in nanoseconds go from 1677-09-21 to 2262-04-11; CAST all to TIMESTAMP(6), or use TRY_CAST")
	}
	return err.WithHint("TRY_CAST gives NULL for such values")
}

func (k caster) fromDecimal() kernel {
	scale := k.from.(*arrow.Decimal128Type).Scale
	whole := func(v decimal128.Num) (decimal128.Num, bool) {
		if scale > 0 {
			v = v.ReduceScaleBy(scale, false)
		} else if scale < 0 {
			return rescale(v, scale, &arrow.Decimal128Type{Precision: 38})
		}
		return v, true
	}
	switch k.to.ID() {
	case arrow.DECIMAL128:
		to := k.to.(*arrow.Decimal128Type)
		if up := to.Scale - scale; up >= 0 && up <= 18 {
			return rescaleUp(k, k.from.(*arrow.Decimal128Type), to)
		}
		return castRows(k, func(v decimal128.Num) (decimal128.Num, bool) { return rescale(v, scale, to) })
	case arrow.FLOAT32:
		return castRows(k, func(v decimal128.Num) (float32, bool) { return float32(decimalToFloat(v, scale)), true })
	case arrow.FLOAT64:
		return castRows(k, func(v decimal128.Num) (float64, bool) { return decimalToFloat(v, scale), true })
	case arrow.INT8:
		return castRows(k, decimalToInteger[int8](whole))
	case arrow.INT16:
		return castRows(k, decimalToInteger[int16](whole))
	case arrow.INT32:
		return castRows(k, decimalToInteger[int32](whole))
	case arrow.INT64:
		return castRows(k, decimalToInteger[int64](whole))
	case arrow.UINT8:
		return castRows(k, decimalToInteger[uint8](whole))
	case arrow.UINT16:
		return castRows(k, decimalToInteger[uint16](whole))
	case arrow.UINT32:
		return castRows(k, decimalToInteger[uint32](whole))
	case arrow.UINT64:
		return castRows(k, func(v decimal128.Num) (uint64, bool) {
			w, ok := whole(v)
			return w.LowBits(), ok && w.HighBits() == 0
		})
	}
	return nil
}

func decimalToInteger[T integer](whole func(decimal128.Num) (decimal128.Num, bool)) func(decimal128.Num) (T, bool) {
	return func(v decimal128.Num) (T, bool) {
		w, ok := whole(v)
		i := int64(w.LowBits())
		return T(i), ok && isWord(w) && int64(T(i)) == i
	}
}

func (k caster) fromBool() kernel {
	switch k.to.ID() {
	case arrow.INT8:
		return boolToNumber[int8]()
	case arrow.INT16:
		return boolToNumber[int16]()
	case arrow.INT32:
		return boolToNumber[int32]()
	case arrow.INT64:
		return boolToNumber[int64]()
	case arrow.UINT8:
		return boolToNumber[uint8]()
	case arrow.UINT16:
		return boolToNumber[uint16]()
	case arrow.UINT32:
		return boolToNumber[uint32]()
	case arrow.UINT64:
		return boolToNumber[uint64]()
	case arrow.FLOAT32:
		return boolToNumber[float32]()
	case arrow.FLOAT64:
		return boolToNumber[float64]()
	}
	return nil
}

func boolToNumber[T interface {
	ordered
	column.Value
}]() kernel {
	out := &fixedOut[T]{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		in := c.args[0].(*column.Bool).Bits
		for i := range o.Values {
			o.Values[i] = T(b2i(in.Get(i)))
		}
		return &o.Fixed, nil
	}
}

func (k caster) toBool() kernel {
	switch k.from.ID() {
	case arrow.INT8:
		return numberToBool[int8]()
	case arrow.INT16:
		return numberToBool[int16]()
	case arrow.INT32:
		return numberToBool[int32]()
	case arrow.INT64:
		return numberToBool[int64]()
	case arrow.UINT8:
		return numberToBool[uint8]()
	case arrow.UINT16:
		return numberToBool[uint16]()
	case arrow.UINT32:
		return numberToBool[uint32]()
	case arrow.UINT64:
		return numberToBool[uint64]()
	case arrow.FLOAT32:
		return numberToBool[float32]()
	case arrow.FLOAT64:
		return numberToBool[float64]()
	}
	return nil
}

func numberToBool[F interface {
	ordered
	column.Value
}]() kernel {
	out := &boolOut{}
	return func(c *call) (column.Vector, error) {
		o := out.start(c)
		bitsConst(opEq, ^uint64(0), o.Bits, c.args[0].(*column.Fixed[F]).Values[:c.n], 0)
		return &o.Bool, nil
	}
}

// members converts a struct member by member, by position.
func (k caster) members() kernel {
	from, ok1 := k.from.(*arrow.StructType)
	to, ok2 := k.to.(*arrow.StructType)
	if !ok1 || !ok2 || from.NumFields() != to.NumFields() {
		return nil
	}
	steps := make([]*callStep, from.NumFields())
	for i := range steps {
		f, t := from.Field(i).Type, to.Field(i).Type
		steps[i] = &callStep{stable: true, node: &Node{Kind: Cast, Type: t}}
		if arrow.TypeEqual(f, t) {
			continue
		}
		if steps[i].kernel = newCaster(f, t, k.try); steps[i].kernel == nil {
			return nil
		}
	}
	out := &column.Struct{DataType: to, Children: make([]column.Appender, len(steps))}
	return func(c *call) (column.Vector, error) {
		in := c.args[0].(*column.Struct)
		out.N, out.Valid = in.N, c.valid
		rows := c.live()
		for i, s := range steps {
			if s.kernel == nil {
				out.Children[i] = in.Children[i]
				continue
			}
			s.node.Span = c.node.Span
			s.call = call{x: c.x, node: s.node, step: s, args: []column.Vector{in.Children[i]}, sel: rows, n: c.n,
				valid: in.Children[i].Validity()}
			v, err := s.kernel(&s.call)
			if err != nil {
				return nil, err
			}
			out.Children[i] = v.(column.Appender)
		}
		return out, nil
	}
}

// foldCast computes the cast of a constant; ok is false if it fails.
func foldCast(n *Node) (*Node, bool) {
	e, err := Compile([]*Node{n}, nil, nil, WithClock(&clock.Virtual{}))
	if err != nil {
		return nil, false
	}
	return evalConstant(e, n)
}

// evalConstant makes a literal of the one value of a compiled constant expression.
func evalConstant(e *Evaluator, n *Node) (*Node, bool) {
	vecs, err := e.Eval(&column.Batch{N: 1, Time: make([]int64, 1)})
	if err != nil {
		return nil, false
	}
	v, ok := valueAt(vecs[0], 0)
	if !ok {
		return nil, false
	}
	return NewLiteral(n.Type, v).At(n.Span), true
}

package expr

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
)

// CommonType gives the type that values of both types convert to by themselves: the result of CASE, of a set operation,
// the type in which a comparison takes place. No integer overflows in it. Any type and TEXT have TEXT in common, as in Arroyo.
func CommonType(a, b arrow.DataType) (arrow.DataType, bool) {
	switch {
	case arrow.TypeEqual(a, b), isNull(b):
		return a, true
	case isNull(a):
		return b, true
	case isJSONValue(a) && isPlain(b):
		return b, true
	case isJSONValue(b) && isPlain(a):
		return a, true
	case isUnsigned(a) && isSigned(b) && bitsOf(a) == 64, isUnsigned(b) && isSigned(a) && bitsOf(b) == 64:
		return exactDecimal, true
	case isNumeric(a) && isNumeric(b):
		return commonNumber(a, b), true
	case isTimestamp(a) && isTimestamp(b):
		return commonTimestamp(a.(*arrow.TimestampType), b.(*arrow.TimestampType)), true
	case isDate(a) && isTimestamp(b):
		return b, true
	case isTimestamp(a) && isDate(b):
		return a, true
	case isText(a) && isPlain(b), isText(b) && isPlain(a):
		return typeText, true
	case isBinary(a) && isBinary(b):
		return typeBytes, true
	}
	return commonNested(a, b)
}

// isPlain reports whether every value of dt has a text and nothing is nested in it.
func isPlain(dt arrow.DataType) bool {
	return isNumeric(dt) || isTemporal(dt) || isText(dt) || isUUID(dt) || dt.ID() == arrow.BOOL
}

func commonNested(a, b arrow.DataType) (arrow.DataType, bool) {
	switch a := a.(type) {
	case *arrow.StructType:
		b, ok := b.(*arrow.StructType)
		if !ok || a.NumFields() != b.NumFields() {
			return nil, false
		}
		fields := make([]arrow.Field, a.NumFields())
		for i, f := range a.Fields() {
			g := b.Field(i)
			t, ok := CommonType(f.Type, g.Type)
			if !ok || f.Name != g.Name {
				return nil, false
			}
			fields[i] = arrow.Field{Name: f.Name, Type: t, Nullable: f.Nullable || g.Nullable, Metadata: f.Metadata}
		}
		return arrow.StructOf(fields...), true
	case *arrow.ListType:
		b, ok := b.(*arrow.ListType)
		if !ok {
			return nil, false
		}
		t, ok := CommonType(a.Elem(), b.Elem())
		if !ok {
			return nil, false
		}
		f := a.ElemField()
		f.Type, f.Nullable = t, f.Nullable || b.ElemField().Nullable
		return arrow.ListOfField(f), true
	case *arrow.MapType:
		b, ok := b.(*arrow.MapType)
		if !ok {
			return nil, false
		}
		key, ok1 := CommonType(a.KeyType(), b.KeyType())
		item, ok2 := CommonType(a.ItemType(), b.ItemType())
		if !ok1 || !ok2 {
			return nil, false
		}
		return arrow.MapOf(key, item), true
	}
	return nil, false
}

// commonTimestamp has the finer unit, and a zone if one of both has.
func commonTimestamp(a, b *arrow.TimestampType) arrow.DataType {
	zone := a.TimeZone
	if zone == "" {
		zone = b.TimeZone
	}
	return &arrow.TimestampType{Unit: max(a.Unit, b.Unit), TimeZone: zone}
}

// commonNumber is the wider type, in which numbers are computed with; BIGINT for unsigned and signed 64-bit integers, so that a - 1 can be negative.
func commonNumber(a, b arrow.DataType) arrow.DataType {
	switch {
	case a.ID() == arrow.FLOAT64 || b.ID() == arrow.FLOAT64:
		return typeDouble
	case isFloat(a) && isFloat(b):
		return typeFloat
	case isFloat(a) || isFloat(b):
		other := a
		if isFloat(a) {
			other = b
		}
		// FLOAT holds 24 bits; what needs more goes to DOUBLE.
		if isDecimal(other) || bitsOf(other) > 16 {
			return typeDouble
		}
		return typeFloat
	case isDecimal(a) || isDecimal(b):
		x, y := decimalOf(a), decimalOf(b)
		scale := max(x.Scale, y.Scale)
		return decimalType(max(x.Precision-x.Scale, y.Precision-y.Scale)+scale, scale)
	case isSigned(a) == isSigned(b):
		if bitsOf(a) >= bitsOf(b) {
			return a
		}
		return b
	}
	s, u := a, b
	if isUnsigned(a) {
		s, u = b, a
	}
	return signedOfBits(max(bitsOf(s), 2*bitsOf(u)))
}

// exactDecimal holds all integers of 64 bits, signed or not.
var exactDecimal = decimalType(20, 0)

// meet makes DECIMALs of integer constants above the range of BIGINT where they are operands beside signed integers.
func meet(a, b *Node) (*Node, *Node) {
	switch {
	case beyondBigint(a) && isSigned(b.Type):
		return newCast(a, exactDecimal, Cast, a.Span), b
	case beyondBigint(b) && isSigned(a.Type):
		return a, newCast(b, exactDecimal, Cast, b.Span)
	}
	return a, b
}

func beyondBigint(n *Node) bool {
	v, ok := n.Value.(uint64)
	return ok && n.Kind == Literal && n.Type.ID() == arrow.UINT64 && v > math.MaxInt64
}

func signedOfBits(n int) arrow.DataType {
	switch {
	case n <= 8:
		return arrow.PrimitiveTypes.Int8
	case n <= 16:
		return arrow.PrimitiveTypes.Int16
	case n <= 32:
		return typeInt32
	}
	return typeInt64
}

// canCoerce reports whether Coerce succeeds.
func canCoerce(n *Node, to arrow.DataType) bool {
	switch {
	case arrow.TypeEqual(n.Type, to), isNull(n.Type):
		return true
	case n.Kind == Literal && n.Value == nil:
		return canCast(n.Type, to)
	case n.Kind == Literal && (adapts(n.Type, to)):
		_, ok := foldCast(&Node{Kind: Cast, Type: to, Args: []*Node{n}})
		return ok
	}
	return widens(n.Type, to)
}

// adapts says which constants take on the type that is expected, if their value allows it: texts that spell a value, and
// numbers.
func adapts(from, to arrow.DataType) bool {
	switch {
	case isText(from):
		return isNumeric(to) || isTemporal(to) || isUUID(to) || to.ID() == arrow.BOOL
	case isInteger(from):
		return isNumeric(to)
	case isFloat(from):
		return isFloat(to) || isDecimal(to)
	case isDecimal(from):
		return isFloat(to) || isDecimal(to)
	}
	return false
}

// widens reports whether every value of from converts to a value of to, or the language converts it by itself
// nevertheless.
func widens(from, to arrow.DataType) bool {
	switch {
	case isInteger(from) && isFloat(to), isDecimal(from) && isFloat(to), from.ID() == arrow.FLOAT32 && isFloat(to):
		return true
	case isNumeric(from) && isDecimal(to) && !isFloat(from):
		f, t := decimalOf(from), to.(*arrow.Decimal128Type)
		return t.Scale >= f.Scale && (t.Precision-t.Scale >= f.Precision-f.Scale || t.Precision == 38)
	case isInteger(from) && isInteger(to):
		if isSigned(from) == isSigned(to) {
			return bitsOf(from) <= bitsOf(to)
		}
		return isUnsigned(from) && (bitsOf(from) < bitsOf(to) || bitsOf(to) == 64)
	case isTimestamp(from) && isTimestamp(to), isDate(from) && isTimestamp(to), isBinary(from) && to.ID() == arrow.BINARY:
		return true
	case isNull(from):
		return true
	case isJSONValue(from):
		return isText(to) || to.ID() == arrow.BOOL || to.ID() == arrow.FLOAT64 || to.ID() == arrow.INT64
	case isUUID(from):
		return isText(to)
	}
	if _, ok := commonNested(from, to); ok {
		return widensNested(from, to)
	}
	return false
}

func widensNested(from, to arrow.DataType) bool {
	a, ok := from.(*arrow.StructType)
	if !ok {
		return false
	}
	b := to.(*arrow.StructType)
	for i, f := range a.Fields() {
		if t := b.Field(i).Type; !arrow.TypeEqual(f.Type, t) && !widens(f.Type, t) {
			return false
		}
	}
	return true
}

// Coerce converts n in the ways that the language converts by itself: to a wider type, and constants to the type that is
// expected. Its fault is type-mismatch.
func Coerce(n *Node, to arrow.DataType, span fault.Span) (*Node, error) {
	if arrow.TypeEqual(n.Type, to) {
		return n, nil
	}
	if !canCoerce(n, to) {
		err := fault.Userf(CodeTypeMismatch, span, "expected %s, this is %s", TypeName(to), TypeName(n.Type))
		if n.Kind == Literal && adapts(n.Type, to) {
			err = fault.Userf(CodeTypeMismatch, span, "this constant is no %s", TypeName(to))
			return nil, err.WithHint("%s", spelling(to))
		}
		if canCast(n.Type, to) {
			return nil, err.WithHint("CAST(… AS %s) converts it", TypeName(to))
		}
		return nil, err
	}
	return newCast(n, to, Cast, span), nil
}

// spelling shows how a constant of a type is written.
func spelling(dt arrow.DataType) string {
	switch {
	case isTimestamp(dt):
		return "a timestamp is written '2024-12-31 23:59:59.5'"
	case isUUID(dt):
		return "a UUID is written 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"
	case isDate(dt):
		return "a date is written '2024-12-31'"
	case isTime(dt):
		return "a time is written '23:59:59.5'"
	case isInterval(dt):
		return "an interval is written '1 day 2 hours 30 minutes'"
	case dt.ID() == arrow.BOOL:
		return "a truth value is written 'true' or 'false'"
	}
	return "check the constant's spelling and size"
}

// newCast makes a cast that is known to be possible; of a constant, its value.
func newCast(n *Node, to arrow.DataType, kind Kind, span fault.Span) *Node {
	if n.Kind == Literal && n.Value == nil {
		return NewLiteral(to, nil).At(n.Span)
	}
	if isJSONValue(n.Type) {
		return castJSON(n, to, kind, span)
	}
	if span.IsZero() {
		span = n.Span
	}
	if n.digits != "" && isDecimal(to) {
		if exact, ok := foldCast(&Node{Kind: Cast, Type: to, Args: []*Node{NewLiteral(typeText, n.digits)}}); ok {
			return exact.At(span)
		}
	}
	if mid := between(n.Type, to); mid != nil {
		n = newCast(n, mid, kind, span)
	}
	c := &Node{Kind: kind, Type: to, Nullable: n.Nullable || kind == TryCast, Args: []*Node{n}, Span: span}
	if n.Kind == Literal {
		if folded, ok := foldCast(c); ok {
			return folded
		}
	}
	return c
}

// CastTo converts n as CAST or, if try is set, TRY_CAST does. A conversion that there is not is a type-mismatch; equal
// types give n itself.
func CastTo(n *Node, to arrow.DataType, try bool, span fault.Span) (*Node, error) {
	if arrow.TypeEqual(n.Type, to) {
		return n, nil
	}
	if !canCast(n.Type, to) {
		err := fault.Userf(CodeTypeMismatch, span, "%s does not convert to %s", TypeName(n.Type), TypeName(to))
		return nil, err.WithHint("%s", insteadOfCast(n.Type, to))
	}
	kind := Cast
	if try {
		kind = TryCast
	}
	return newCast(n, to, kind, span), nil
}

// insteadOfCast says what to write where there is no conversion.
func insteadOfCast(from, to arrow.DataType) string {
	switch {
	case from.ID() == arrow.STRUCT && to.ID() != arrow.STRUCT:
		return "name one of its members"
	case isList(from) && !isList(to):
		return "take one of its elements, as in x[1]"
	case isMap(from) && !isMap(to):
		return "take the value of a key, as in x['key']"
	case arrow.IsNested(to.ID()):
		return "STRUCT(…), ARRAY[…] and make_map(…) put values together"
	case from.ID() == arrow.BOOL:
		return "CASE WHEN … THEN … ELSE … END gives a value for each"
	case to.ID() == arrow.BOOL:
		return "compare the value with something"
	case isUUID(to):
		return spelling(to)
	case isInterval(from) || isInterval(to):
		return "multiply an interval, as in x * INTERVAL '1 second', or take its seconds with date_part('epoch', x)"
	}
	return fmt.Sprintf("CAST(CAST(… AS TEXT) AS %s) reads its text", TypeName(to))
}

// FieldOf gives a member of a struct. Its fault is unknown-column, with the nearest name.
func FieldOf(n *Node, member string, span fault.Span) (*Node, error) {
	st, ok := n.Type.(*arrow.StructType)
	if !ok {
		return nil, fault.Userf(CodeTypeMismatch, span, "%s has no members, so no %q", TypeName(n.Type), member)
	}
	names := make([]string, st.NumFields())
	for i, f := range st.Fields() {
		names[i] = f.Name
	}
	i := slices.Index(names, member)
	if i < 0 {
		err := fault.Userf(CodeUnknownColumn, span, "the struct has no member %q", member)
		if near := fault.Nearest(member, names); near != "" {
			return nil, err.WithHint("did you mean %q?", near)
		}
		return nil, err.WithHint("its type is %s", TypeName(st))
	}
	f := st.Field(i)
	return &Node{Kind: Field, Type: f.Type, Nullable: n.Nullable || f.Nullable, Index: i, Name: f.Name,
		Args: []*Node{n}, Span: span}, nil
}

// NewCase makes a searched CASE; els may be nil. The results are converted to their common type.
func NewCase(conds, results []*Node, els *Node, span fault.Span) (*Node, error) {
	all := slices.Clone(results)
	if els != nil {
		all = append(all, els)
	}
	all, dt, err := unify(all, span)
	if err != nil {
		return nil, err
	}
	n := &Node{Kind: Case, Type: dt, Nullable: els == nil, Span: span}
	for i, c := range conds {
		if err := condition(c); err != nil {
			return nil, err
		}
		n.Args = append(n.Args, c, all[i])
	}
	if els != nil {
		n.Args = append(n.Args, all[len(all)-1])
	}
	for _, a := range all {
		n.Nullable = n.Nullable || a.Nullable
	}
	return n, nil
}

// unify converts nodes to their common type; text constants take on the temporal type of the others.
func unify(nodes []*Node, span fault.Span) ([]*Node, arrow.DataType, error) {
	var dt arrow.DataType = typeNull
	unsigned := areUnsigned(nodes)
	for _, n := range nodes {
		if unsigned && fitsInteger(n, typeUint64) {
			continue
		}
		if n.Kind == Literal && isText(n.Type) && (isTemporal(dt) || isUUID(dt)) && canCoerce(n, dt) {
			continue
		}
		t, ok := CommonType(dt, n.Type)
		if !ok {
			return nil, nil, fault.Userf(CodeTypeMismatch, span, "%s and %s have no type in common", TypeName(dt),
				TypeName(n.Type)).WithHint("CAST one of them")
		}
		dt = t
	}
	if isNull(dt) {
		dt = typeText
	}
	out := make([]*Node, len(nodes))
	for i, n := range nodes {
		if n.Kind == Literal && isTemporal(dt) {
			c, err := Coerce(n, dt, span)
			if err != nil {
				return nil, nil, err
			}
			out[i] = c
			continue
		}
		c, err := CastTo(n, dt, false, span)
		if err != nil {
			return nil, nil, err
		}
		out[i] = c
	}
	return out, dt, nil
}

// areUnsigned reports whether some nodes are BIGINT UNSIGNED and all signed integers beside them are constants of its range, which
// take on its type.
func areUnsigned(nodes []*Node) bool {
	found := false
	for _, n := range nodes {
		found = found || n.Kind != Literal && n.Type.ID() == arrow.UINT64
		if isSigned(n.Type) && !fitsInteger(n, typeUint64) {
			return false
		}
	}
	return found
}

// fitsUnit reports whether a constant timestamp is a value of a timestamp type of a coarser unit, with no digit lost.
func fitsUnit(n *Node, dt arrow.DataType) bool {
	v, ok := n.Value.(int64)
	if n.Kind != Literal || !ok || !isTimestamp(n.Type) || !isTimestamp(dt) || isZoned(n.Type) != isZoned(dt) {
		return false
	}
	from, to := unitOf(n.Type), unitOf(dt)
	return to > from && v%(to/from) == 0
}

// fitsInteger reports whether a constant integer is a value of an integer type.
func fitsInteger(n *Node, dt arrow.DataType) bool {
	if n.Kind != Literal || n.Value == nil || !isInteger(n.Type) || !isInteger(dt) {
		return false
	}
	_, ok := foldCast(&Node{Kind: Cast, Type: dt, Args: []*Node{n}})
	return ok
}

package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// In is x [NOT] IN (list): true if x equals one of list, else null if x or one of list is null, else false.
func In(x *Node, list []*Node, negated bool, span fault.Span) (*Node, error) {
	if len(list) == 0 {
		return nil, fault.Userf(CodeTypeMismatch, span, "IN needs at least one value")
	}
	name := "in_list"
	if negated {
		name = "not_in_list"
	}
	n := &Node{Kind: Call, Name: name, Type: typeBool, Nullable: x.Nullable, Span: span}
	dt := x.Type
	for _, e := range list {
		if _, b, ok := comparable(NewColumn(0, arrow.Field{Type: dt}), e, "eq"); ok && arrow.TypeEqual(b.Type, dt) {
			continue
		}
		if e.Kind == Literal && isText(e.Type) && isTemporal(dt) {
			_, err := Coerce(e, dt, e.Span)
			return nil, err
		}
		t, ok := CommonType(dt, e.Type)
		if !ok {
			return nil, fault.Userf(CodeTypeMismatch, e.Span.Join(span), "%s and %s cannot be compared", TypeName(dt),
				TypeName(e.Type)).WithHint("CAST one of them")
		}
		dt = t
	}
	if isNull(dt) {
		dt = typeText
	}
	for _, e := range append([]*Node{x}, list...) {
		c, err := CastTo(e, dt, false, span)
		if err != nil {
			return nil, err
		}
		n.Args = append(n.Args, c)
		n.Nullable = n.Nullable || e.Nullable
	}
	return n, nil
}

func inFunctions() []*function {
	in := func(name, text, example, result string, negated bool) *function {
		return &function{
			name: name, operator: text, category: "operators", callsNull: true,
			doc:     "Compares with every value of a list.",
			example: example, result: result,
			takes: "a value and a list of values of its type",
			bind: func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
				if len(args) < 2 {
					return nil, nil, s.mismatch(args)
				}
				n, err := In(args[0], args[1:], negated, s.span)
				if err != nil {
					return nil, nil, err
				}
				return n.Args, typeBool, nil
			},
			special: newInStep,
		}
	}
	return []*function{
		in("in_list", "IN", "2 IN (1, 2, NULL)", "true", false),
		in("not_in_list", "NOT IN", "3 NOT IN (1, 2, NULL)", "NULL", true),
	}
}

// inStep looks values up in a set of constants.
type inStep struct {
	arg     *instance
	negated bool
	set     valueSet
	// hasNull says that the list has a NULL: what is not found is unknown then.
	hasNull bool
	out     boolOut
	null    *column.Bool
	single  *column.Bool
	result  column.Const
	rows    []int32
	picked  []int32
}

// newInStep compiles a list of constants into a set, any other list into an OR of comparisons.
func newInStep(c *compiler, n *Node) (step, error) {
	negated := n.Name == "not_in_list"
	arg := n.Args[0]
	if coarse := widened(arg); coarse != nil {
		arg = coarse
	}
	set := newValueSet(arg.Type)
	s := &inStep{negated: negated, set: set, single: &column.Bool{}, null: &column.Bool{}}
	s.null.AppendNull()
	for _, e := range n.Args[1:] {
		if e.Kind != Literal || set == nil {
			return inAsComparisons(c, n, negated)
		}
		if e.Value == nil {
			s.hasNull = true
			continue
		}
		value := e.Value
		if arg != n.Args[0] {
			// What lies between two units of the coarser type, or beyond it, equals none of its values.
			v, ok := e.Value.(int64)
			factor := momentLength(arg.Type) / momentLength(e.Type)
			if !ok || v%factor != 0 || isDate(arg.Type) && int64(int32(v/factor)) != v/factor {
				continue
			}
			value = v / factor
		}
		set.add(literalVector(arg.Type, value))
	}
	var err error
	s.arg, err = c.compile(arg)
	return s, err
}

func inAsComparisons(c *compiler, n *Node, negated bool) (step, error) {
	or := &Node{Kind: Call, Name: "or", Type: typeBool, Nullable: n.Nullable, Span: n.Span}
	for _, e := range n.Args[1:] {
		or.Args = append(or.Args, &Node{Kind: Call, Name: "eq", Type: typeBool, Nullable: n.Nullable, Span: n.Span,
			Args: []*Node{n.Args[0], e}})
	}
	if negated {
		or = &Node{Kind: Call, Name: "not", Type: typeBool, Nullable: n.Nullable, Span: n.Span, Args: []*Node{or}}
	}
	return c.step(or)
}

func (s *inStep) eval(x *exec, sel []int32) (column.Vector, error) {
	v, err := x.eval(s.arg, sel)
	if err != nil {
		return nil, err
	}
	if c, ok := v.(*column.Const); ok {
		s.result = column.Const{Value: s.null, N: x.n}
		if !c.IsNull() {
			found := len(s.set.pick(nil, c.Value, nil, 1)) == 1
			if found || !s.hasNull {
				s.single.Reset()
				s.single.Append(found != s.negated)
				s.result.Value = s.single
			}
		}
		return &s.result, nil
	}
	s.find(v, sel, x.n)
	out := s.out.startRows(x.n, v.Validity())
	out.Bits = setRows(out.Bits, s.picked, x.n)
	if s.hasNull {
		out.own = append(out.own[:0], out.Bits...)
		out.Valid = out.own
	}
	if s.negated {
		for w := range out.Bits {
			out.Bits[w] = ^out.Bits[w]
		}
	}
	return &out.Bool, nil
}

func (s *inStep) find(v column.Vector, sel []int32, n int) {
	rows := sel
	if v.Validity() != nil {
		s.rows = validRows(s.rows, v.Validity(), sel, n)
		rows = s.rows
	}
	s.picked = s.set.pick(s.picked, v, rows, n)
}

// valueSet is a set of values of one type.
type valueSet interface {
	add(v column.Vector)
	// pick gives the rows of rows (all n when nil) whose value is in the set.
	pick(dst []int32, v column.Vector, rows []int32, n int) []int32
}

// newValueSet gives nil for types whose equality is not that of Go.
func newValueSet(dt arrow.DataType) valueSet {
	switch dt.ID() {
	case arrow.INT8:
		return &fixedSet[int8]{}
	case arrow.INT16:
		return &fixedSet[int16]{}
	case arrow.INT32, arrow.DATE32, arrow.TIME32:
		return &fixedSet[int32]{}
	case arrow.INT64, arrow.TIMESTAMP, arrow.TIME64:
		return &fixedSet[int64]{}
	case arrow.UINT8:
		return &fixedSet[uint8]{}
	case arrow.UINT16:
		return &fixedSet[uint16]{}
	case arrow.UINT32:
		return &fixedSet[uint32]{}
	case arrow.UINT64:
		return &fixedSet[uint64]{}
	case arrow.STRING, arrow.BINARY:
		return textSet{}
	}
	return nil
}

// fixedSet is a list as long as it is short, then a map.
type fixedSet[T interface {
	integer
	column.Value
}] struct {
	list []T
	set  map[T]struct{}
}

const longList = 8

func (s *fixedSet[T]) add(v column.Vector) {
	k := v.(*column.Fixed[T]).Values[0]
	s.list = append(s.list, k)
	if len(s.list) > longList {
		if s.set == nil {
			s.set = make(map[T]struct{})
			for _, e := range s.list {
				s.set[e] = struct{}{}
			}
		}
		s.set[k] = struct{}{}
	}
}

func (s *fixedSet[T]) has(v T) int {
	if s.set != nil {
		_, ok := s.set[v]
		return b2i(ok)
	}
	found := 0
	for _, e := range s.list {
		found |= b2i(e == v)
	}
	return found
}

func (s *fixedSet[T]) pick(dst []int32, v column.Vector, rows []int32, n int) []int32 {
	values := v.(*column.Fixed[T]).Values
	k := 0
	if rows == nil {
		dst = scratchRows(dst, n)
		for i, e := range values[:n] {
			dst[k] = int32(i)
			k += s.has(e)
		}
		return dst[:k]
	}
	dst = scratchRows(dst, len(rows))
	for _, r := range rows {
		dst[k] = r
		k += s.has(values[r])
	}
	return dst[:k]
}

type textSet map[string]struct{}

func (s textSet) add(v column.Vector) { s[string(v.(*column.Bytes).At(0))] = struct{}{} }

func (s textSet) pick(dst []int32, v column.Vector, rows []int32, n int) []int32 {
	b := v.(*column.Bytes)
	dst = scratchRows(dst, n)[:0]
	look := func(r int32) {
		if _, ok := s[b.Str(int(r))]; ok {
			dst = append(dst, r)
		}
	}
	if rows == nil {
		for r := range n {
			look(int32(r))
		}
	}
	for _, r := range rows {
		look(r)
	}
	return dst
}

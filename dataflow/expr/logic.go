package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// logicStep is AND or OR of any number of conditions. A row that is decided is not evaluated further.
type logicStep struct {
	args []*instance
	// or is set for OR; AND is the same with true and false exchanged.
	or bool
	// cheap says of every argument that it may as well be evaluated for rows that are decided already.
	cheap []bool
	// decided and other say where the result is the deciding value (false for AND), and where it is the other one.
	decided, other column.Bitmap
	out            boolOut
	left           [][]int32
	picks, scratch [][]int32
	rest           [][]int32
	union          []int32
}

func logicSpecial(or bool) func(c *compiler, n *Node) (step, error) {
	return func(c *compiler, n *Node) (step, error) {
		s := &logicStep{or: or}
		for i, a := range flatten(n.Name, n.Args, nil) {
			if i > 0 {
				c.open()
				defer c.close()
			}
			inst, err := c.compile(a)
			if err != nil {
				return nil, err
			}
			s.args = append(s.args, inst)
			s.cheap = append(s.cheap, isCheap(a))
		}
		k := len(s.args)
		s.left, s.picks, s.scratch, s.rest = make([][]int32, k), make([][]int32, k), make([][]int32, k), make([][]int32, k)
		return s, nil
	}
}

// flatten lists the conditions of nested ANDs (or ORs).
func flatten(name string, args, dst []*Node) []*Node {
	for _, a := range args {
		if a.Kind == Call && a.Name == name {
			dst = flatten(name, a.Args, dst)
		} else {
			dst = append(dst, a)
		}
	}
	return dst
}

func (s *logicStep) eval(x *exec, sel []int32) (column.Vector, error) {
	words := column.Words(x.n)
	s.decided, s.other = s.decided.Resize(x.n), s.other.Resize(x.n)
	clear(s.decided)
	s.other.SetAll(x.n)
	for i, a := range s.args {
		if i > 0 && !s.cheap[i] {
			s.left[i] = invalidRows(s.left[i], s.decided, sel, x.n)
			if sel = s.left[i]; len(sel) == 0 {
				break
			}
		}
		v, err := x.eval(a, sel)
		if err != nil {
			return nil, err
		}
		s.combine(v, words)
	}
	out := s.out.startRows(x.n, nil)
	out.own = out.own.Resize(x.n)
	out.Valid = out.own
	bits := s.other
	if s.or {
		bits = s.decided
	}
	copy(out.Bits, bits)
	for w := range words {
		out.Valid[w] = s.decided[w] | s.other[w]
	}
	return &out.Bool, nil
}

// combine adds the truth values of v.
func (s *logicStep) combine(v column.Vector, words int) {
	flip := -b2u(!s.or)
	if c, ok := v.(*column.Const); ok {
		bits, known := uint64(0), -b2u(!c.IsNull())
		if known != 0 {
			bits = -b2u(c.Value.(*column.Bool).Bits.Get(0)) ^ flip
		}
		for w := range words {
			s.decided[w] |= bits & known
			s.other[w] &= ^bits & known
		}
		return
	}
	b := v.(*column.Bool)
	if b.Valid == nil {
		for w := range words {
			bits := b.Bits[w] ^ flip
			s.decided[w] |= bits
			s.other[w] &^= bits
		}
		return
	}
	for w := range words {
		bits, known := b.Bits[w]^flip, b.Valid[w]
		s.decided[w] |= bits & known
		s.other[w] &= ^bits & known
	}
}

// selectTrue implements selecter: AND narrows the selection from condition to condition.
func (s *logicStep) selectTrue(x *exec, sel []int32) ([]int32, error) {
	if s.or {
		return s.selectAny(x, sel)
	}
	for i, a := range s.args {
		rows, scratch, err := x.selectTrue(a, sel, s.scratch[i])
		s.scratch[i] = scratch
		if err != nil || len(rows) == 0 {
			return rows, err
		}
		sel = rows
	}
	return sel, nil
}

func (s *logicStep) selectAny(x *exec, sel []int32) ([]int32, error) {
	if s.allCheap() && (sel == nil || len(sel)*2 > x.n) {
		v, err := s.eval(x, sel)
		if err != nil {
			return nil, err
		}
		b := v.(*column.Bool)
		s.union = validRows(s.union, b.Bits, sel, x.n)
		return s.union, nil
	}
	s.other = setRows(s.other, nil, x.n)
	start := sel
	for i, a := range s.args {
		rows, scratch, err := x.selectTrue(a, sel, s.scratch[i])
		s.scratch[i] = scratch
		if err != nil {
			return nil, err
		}
		for _, r := range rows {
			s.other.Set(int(r))
		}
		s.rest[i] = without(s.rest[i], sel, rows, x.n)
		if sel = s.rest[i]; len(sel) == 0 {
			break
		}
	}
	s.union = validRows(s.union, s.other, start, x.n)
	return s.union, nil
}

func (s *logicStep) allCheap() bool {
	for _, c := range s.cheap {
		if !c {
			return false
		}
	}
	return true
}

// isCheap reports whether n cannot fail and costs less to evaluate for a row than to leave the row out.
func isCheap(n *Node) bool {
	switch n.Kind {
	case Column, Literal, RowTime:
		return true
	case Field:
		return isCheap(n.Args[0])
	case Call:
	default:
		return false
	}
	for _, a := range n.Args {
		if !isCheap(a) || !isNumeric(a.Type) && !isTemporal(a.Type) && a.Type.ID() != arrow.BOOL {
			return false
		}
	}
	switch n.Name {
	case "eq", "neq", "lt", "lteq", "gt", "gteq", "and", "or", "not":
		return true
	case "is_null", "is_not_null", "is_true", "is_not_true", "is_false", "is_not_false", "is_unknown", "is_not_unknown":
		return true
	case "add", "subtract", "multiply":
		return isFloat(n.Type)
	case "modulo":
		return isFloat(n.Type) || isInteger(n.Type) && isConstantDivisor(n.Args[1])
	}
	return false
}

// isConstantDivisor reports whether n is an integer constant for which division always has a result.
func isConstantDivisor(n *Node) bool {
	switch v := n.Value.(type) {
	case int64:
		return n.Kind == Literal && v != 0 && v != -1
	case uint64:
		return n.Kind == Literal && v != 0
	}
	return false
}

// notStep is NOT.
type notStep struct {
	arg    *instance
	out    boolOut
	single *column.Bool
	result column.Const
	rows   []int32
}

// newNotStep compiles NOT; the NOT of a comparison is the opposite comparison.
func newNotStep(c *compiler, n *Node) (step, error) {
	arg := n.Args[0]
	if arg.Kind == Call {
		if opposite, ok := opposites[arg.Name]; ok {
			m := *arg
			m.Name = opposite
			return c.step(&m)
		}
	}
	i, err := c.compile(arg)
	return &notStep{arg: i, single: &column.Bool{}}, err
}

var opposites = map[string]string{
	"eq": "neq", "neq": "eq", "lt": "gteq", "gteq": "lt", "gt": "lteq", "lteq": "gt",
	"is_null": "is_not_null", "is_not_null": "is_null", "like": "not_like", "not_like": "like",
	"ilike": "not_ilike", "not_ilike": "ilike", "is_distinct_from": "is_not_distinct_from",
	"is_not_distinct_from": "is_distinct_from",
}

func (s *notStep) eval(x *exec, sel []int32) (column.Vector, error) {
	v, err := x.eval(s.arg, sel)
	if err != nil {
		return nil, err
	}
	if c, ok := v.(*column.Const); ok {
		s.result = column.Const{Value: c.Value, N: x.n}
		if !c.IsNull() {
			s.single.Reset()
			s.single.Append(!c.Value.(*column.Bool).Bits.Get(0))
			s.result.Value = s.single
		}
		return &s.result, nil
	}
	b := v.(*column.Bool)
	out := s.out.startRows(x.n, b.Valid)
	for w := range out.Bits {
		out.Bits[w] = ^b.Bits[w]
	}
	return &out.Bool, nil
}

// testStep is IS [NOT] NULL, TRUE, FALSE and UNKNOWN. Its result is never null.
type testStep struct {
	arg *instance
	// of is what is tested for: validity alone, or a value besides.
	of     testOf
	not    bool
	out    boolOut
	single *column.Bool
	result column.Const
	rows   []int32
}

type testOf uint8

const (
	testNull testOf = iota
	testTrue
	testFalse
)

func testSpecial(of testOf, not bool) func(c *compiler, n *Node) (step, error) {
	return func(c *compiler, n *Node) (step, error) {
		i, err := c.compile(n.Args[0])
		return &testStep{arg: i, of: of, not: not, single: &column.Bool{}}, err
	}
}

func (s *testStep) eval(x *exec, sel []int32) (column.Vector, error) {
	v, err := x.eval(s.arg, sel)
	if err != nil {
		return nil, err
	}
	if c, ok := v.(*column.Const); ok {
		is := c.IsNull()
		if s.of != testNull {
			is = !is && c.Value.(*column.Bool).Bits.Get(0) == (s.of == testTrue)
		}
		s.single.Reset()
		s.single.Append(is != s.not)
		s.result = column.Const{Value: s.single, N: x.n}
		return &s.result, nil
	}
	out := s.out.startRows(x.n, nil)
	valid, flip := v.Validity(), -b2u(s.not)
	for w := range out.Bits {
		known := ^uint64(0)
		if valid != nil {
			known = valid[w]
		}
		switch s.of {
		case testNull:
			out.Bits[w] = ^known ^ flip
		case testTrue:
			out.Bits[w] = known&v.(*column.Bool).Bits[w] ^ flip
		case testFalse:
			out.Bits[w] = known&^v.(*column.Bool).Bits[w] ^ flip
		}
	}
	return &out.Bool, nil
}

// selectTrue implements selecter.
func (s *testStep) selectTrue(x *exec, sel []int32) ([]int32, error) {
	v, err := x.eval(s.arg, sel)
	if err != nil {
		return nil, err
	}
	if _, ok := v.(*column.Const); !ok && s.of == testNull {
		if s.not {
			s.rows = validRows(s.rows, v.Validity(), sel, x.n)
		} else {
			s.rows = invalidRows(s.rows, v.Validity(), sel, x.n)
		}
		return s.rows, nil
	}
	if v, err = s.eval(x, sel); err != nil {
		return nil, err
	}
	s.rows = trueRows(s.rows, v, sel, x.n)
	return s.rows, nil
}

// logicFunctions declares AND, OR, NOT and the IS tests.
func logicFunctions() []*function {
	logic := func(name, text, doc, example, result string, or bool) *function {
		return &function{
			name: name, operator: text, category: "logic", doc: doc, example: example, result: result, callsNull: true,
			overloads: []overload{{params: []param{pBool, pBool}, variadic: true, result: returns(typeBool)}},
			special:   logicSpecial(or),
		}
	}
	fs := []*function{
		logic("and", "AND", "True if all conditions are true, false if one is false.", "TRUE AND NULL", "NULL", false),
		logic("or", "OR", "True if one condition is true, false if all are false.", "TRUE OR NULL", "true", true),
		{
			name: "not", operator: "NOT", category: "logic", doc: "True if the condition is false.",
			example: "NOT TRUE", result: "false",
			overloads: []overload{{params: []param{pBool}, result: returns(typeBool)}},
			special:   newNotStep,
		},
	}
	test := func(name, text, example, result string, of testOf, not bool, p param) {
		fs = append(fs, &function{
			name: name, operator: text, category: "logic", doc: "Tests for " + text[len("IS "):] + "; never null.",
			example: example, result: result, callsNull: true, neverNull: true,
			overloads: []overload{{params: []param{p}, result: returns(typeBool)}},
			special:   testSpecial(of, not),
		})
	}
	test("is_null", "IS NULL", "1 IS NULL", "false", testNull, false, pAny)
	test("is_not_null", "IS NOT NULL", "1 IS NOT NULL", "true", testNull, true, pAny)
	test("is_true", "IS TRUE", "(1 = 1) IS TRUE", "true", testTrue, false, pBool)
	test("is_not_true", "IS NOT TRUE", "(1 = NULL) IS NOT TRUE", "true", testTrue, true, pBool)
	test("is_false", "IS FALSE", "(1 = 2) IS FALSE", "true", testFalse, false, pBool)
	test("is_not_false", "IS NOT FALSE", "(1 = 2) IS NOT FALSE", "false", testFalse, true, pBool)
	test("is_unknown", "IS UNKNOWN", "(1 = NULL) IS UNKNOWN", "true", testNull, false, pBool)
	test("is_not_unknown", "IS NOT UNKNOWN", "(1 = NULL) IS NOT UNKNOWN", "false", testNull, true, pBool)
	return fs
}

// condition reports a node that is not a condition.
func condition(n *Node) error {
	if n.Type.ID() == arrow.BOOL || isNull(n.Type) {
		return nil
	}
	return fault.Userf(CodeTypeMismatch, n.Span, "a condition is a BOOLEAN, this is %s", TypeName(n.Type)).
		WithHint("compare the value with something")
}

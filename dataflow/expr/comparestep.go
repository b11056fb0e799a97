package expr

import "wadi/dataflow/column"

// operands evaluates the two sides of a binary step.
type operands struct {
	a, b  *instance
	valid column.Bitmap
	rows  []int32
	// one row of a constant result, and NULL.
	null, single *column.Bool
	result       column.Const
}

// newOperands gives the comparer of the type in which the operands come out, too.
func newOperands(c *compiler, n *Node, op comparison) (operands, comparer, error) {
	args, dt, err := c.compileCompared(n, op)
	if err != nil {
		return operands{}, nil, err
	}
	null := &column.Bool{}
	null.AppendNull()
	return operands{a: args[0], b: args[1], null: null, single: &column.Bool{}}, newComparer(dt), nil
}

// constant is a boolean constant as result.
func (p *operands) constant(v, isNull bool, n int) column.Vector {
	p.result = column.Const{Value: p.null, N: n}
	if !isNull {
		p.single.Reset()
		p.single.Append(v)
		p.result.Value = p.single
	}
	return &p.result
}

// validity is the AND of both validities.
func (p *operands) validity(a, b column.Vector, n int) column.Bitmap {
	x, y := a.Validity(), b.Validity()
	switch {
	case x == nil:
		return y
	case y == nil:
		return x
	}
	p.valid = column.And(p.valid, x, y, n)
	return p.valid
}

// compareStep compares two values of one type; null if either is.
type compareStep struct {
	operands
	op     comparison
	cmp    comparer
	out    boolOut
	picked []int32
}

func compareSpecial(op comparison) func(c *compiler, n *Node) (step, error) {
	return func(c *compiler, n *Node) (step, error) {
		p, cmp, err := newOperands(c, n, op)
		return &compareStep{operands: p, op: op, cmp: cmp}, err
	}
}

// sides evaluates both sides and turns a constant to the right. done is the result if it is the same for all rows.
func (s *compareStep) sides(x *exec, sel []int32) (op comparison, a, b, done column.Vector, err error) {
	op = s.op
	if a, err = x.eval(s.a, sel); err != nil {
		return
	}
	if b, err = x.eval(s.b, sel); err != nil {
		return
	}
	ca, aConst := a.(*column.Const)
	cb, bConst := b.(*column.Const)
	switch {
	case aConst && ca.IsNull(), bConst && cb.IsNull():
		done = s.constant(false, true, x.n)
	case aConst && bConst:
		holds := op.holds() >> uint(compareRows(ca.Value, 0, cb.Value, 0)+1) & 1
		done = s.constant(holds != 0, false, x.n)
	case aConst:
		op, a, b = op.flip(), b, a
	}
	return
}

func (s *compareStep) eval(x *exec, sel []int32) (column.Vector, error) {
	op, a, b, done, err := s.sides(x, sel)
	if err != nil || done != nil {
		return done, err
	}
	valid := s.validity(a, b, x.n)
	out := s.out.startRows(x.n, valid)
	if (sel == nil || len(sel)*4 > x.n) && s.cmp.bits(op, out.Bits, a, b, x.n) {
		return &out.Bool, nil
	}
	rows := sel
	if valid != nil {
		s.rows = validRows(s.rows, valid, sel, x.n)
		rows = s.rows
	}
	s.picked = s.cmp.pick(op, s.picked, a, b, rows, x.n)
	out.Bits = setRows(out.Bits, s.picked, x.n)
	return &out.Bool, nil
}

// selectTrue implements selecter.
func (s *compareStep) selectTrue(x *exec, sel []int32) ([]int32, error) {
	op, a, b, done, err := s.sides(x, sel)
	if err != nil {
		return nil, err
	}
	if done != nil {
		s.picked = trueRows(s.picked, done, sel, x.n)
		return s.picked, nil
	}
	rows := sel
	if valid := s.validity(a, b, x.n); valid != nil {
		s.rows = validRows(s.rows, valid, sel, x.n)
		rows = s.rows
	}
	s.picked = s.cmp.pick(op, s.picked, a, b, rows, x.n)
	return s.picked, nil
}

// distinctStep is IS [NOT] DISTINCT FROM: a comparison for which null is a value.
type distinctStep struct {
	operands
	// same is set for IS NOT DISTINCT FROM.
	same   bool
	cmp    comparer
	out    boolOut
	picked []int32
	ones   column.Bitmap
}

func distinctSpecial(same bool) func(c *compiler, n *Node) (step, error) {
	return func(c *compiler, n *Node) (step, error) {
		p, cmp, err := newOperands(c, n, opEq)
		return &distinctStep{operands: p, same: same, cmp: cmp}, err
	}
}

func (s *distinctStep) eval(x *exec, sel []int32) (column.Vector, error) {
	a, err := x.eval(s.a, sel)
	if err != nil {
		return nil, err
	}
	b, err := x.eval(s.b, sel)
	if err != nil {
		return nil, err
	}
	if _, ok := a.(*column.Const); ok {
		a, b = b, a
	}
	if ca, ok := a.(*column.Const); ok {
		same := compareRows(ca.Value, 0, b.(*column.Const).Value, 0) == 0
		return s.constant(same == s.same, false, x.n), nil
	}
	out := s.out.startRows(x.n, nil)
	if cb, ok := b.(*column.Const); ok && cb.IsNull() {
		s.nullOf(a, out.Bits, x.n)
		return &out.Bool, nil
	}
	rows := sel
	if valid := s.validity(a, b, x.n); valid != nil {
		s.rows = validRows(s.rows, valid, sel, x.n)
		rows = s.rows
	}
	s.picked = s.cmp.pick(opEq, s.picked, a, b, rows, x.n)
	out.Bits = setRows(out.Bits, s.picked, x.n)
	s.addNulls(out.Bits, a.Validity(), b.Validity(), x.n)
	return &out.Bool, nil
}

// nullOf compares with NULL.
func (s *distinctStep) nullOf(a column.Vector, bits column.Bitmap, n int) {
	v := a.Validity()
	for w := range bits[:column.Words(n)] {
		valid := ^uint64(0)
		if v != nil {
			valid = v[w]
		}
		bits[w] = valid ^ -b2u(s.same)
	}
}

// addNulls turns bits, set where both are equal and not null, into the result.
func (s *distinctStep) addNulls(bits, a, b column.Bitmap, n int) {
	for w := range bits[:column.Words(n)] {
		x, y := ^uint64(0), ^uint64(0)
		if a != nil {
			x = a[w]
		}
		if b != nil {
			y = b[w]
		}
		bits[w] = (bits[w] | ^x&^y) ^ -b2u(!s.same)
	}
}

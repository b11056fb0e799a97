package expr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// columnStep gives an input column.
type columnStep struct{ index int }

func (s columnStep) eval(x *exec, _ []int32) (column.Vector, error) {
	return x.batch.Cols[s.index], nil
}

// rowTimeStep gives the event time.
type rowTimeStep struct{ out column.Fixed[int64] }

func (s *rowTimeStep) eval(x *exec, _ []int32) (column.Vector, error) {
	s.out = column.Fixed[int64]{DataType: Timestamp, Values: x.batch.Time[:x.n]}
	return &s.out, nil
}

// literalStep gives a constant.
type literalStep struct{ out column.Const }

func newLiteralStep(n *Node) *literalStep {
	return &literalStep{column.Const{Value: literalVector(n.Type, n.Value)}}
}

func (s *literalStep) eval(x *exec, _ []int32) (column.Vector, error) {
	s.out.N = x.n
	return &s.out, nil
}

// literalVector makes a vector of one row.
func literalVector(dt arrow.DataType, value any) column.Vector {
	if isNull(dt) {
		b := &column.Bool{}
		b.AppendNull()
		return b
	}
	v := column.NewAppender(dt)
	if value == nil {
		v.AppendNull()
		return v
	}
	switch v := v.(type) {
	case *column.Bool:
		v.Append(value.(bool))
	case *column.Bytes:
		switch s := value.(type) {
		case string:
			v.AppendString(s)
		case []byte:
			v.Append(s)
		}
	case *column.Fixed[int8]:
		v.Append(int8(value.(int64)))
	case *column.Fixed[int16]:
		v.Append(int16(value.(int64)))
	case *column.Fixed[int32]:
		v.Append(int32(value.(int64)))
	case *column.Fixed[int64]:
		v.Append(value.(int64))
	case *column.Fixed[uint8]:
		v.Append(uint8(value.(uint64)))
	case *column.Fixed[uint16]:
		v.Append(uint16(value.(uint64)))
	case *column.Fixed[uint32]:
		v.Append(uint32(value.(uint64)))
	case *column.Fixed[uint64]:
		v.Append(value.(uint64))
	case *column.Fixed[float32]:
		v.Append(float32(value.(float64)))
	case *column.Fixed[float64]:
		v.Append(value.(float64))
	case *column.Fixed[decimal128.Num]:
		v.Append(value.(decimal128.Num))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		v.Append(value.(arrow.MonthDayNanoInterval))
	default:
		panic("expr: no literal of type " + dt.String())
	}
	return v
}

// valueAt is the reverse of literalVector: the value of row i in the form of Node.Value. ok is false for types that
// literals cannot have.
func valueAt(v column.Vector, i int) (value any, ok bool) {
	if !v.Validity().IsValid(i) {
		return nil, true
	}
	switch v := v.(type) {
	case *column.Bool:
		return v.Bits.Get(i), true
	case *column.Bytes:
		if !isBinary(v.Type()) {
			return string(v.At(i)), true
		}
		return append([]byte{}, v.At(i)...), true
	case *column.Fixed[int8]:
		return int64(v.Values[i]), true
	case *column.Fixed[int16]:
		return int64(v.Values[i]), true
	case *column.Fixed[int32]:
		return int64(v.Values[i]), true
	case *column.Fixed[int64]:
		return v.Values[i], true
	case *column.Fixed[uint8]:
		return uint64(v.Values[i]), true
	case *column.Fixed[uint16]:
		return uint64(v.Values[i]), true
	case *column.Fixed[uint32]:
		return uint64(v.Values[i]), true
	case *column.Fixed[uint64]:
		return v.Values[i], true
	case *column.Fixed[float32]:
		return float64(v.Values[i]), true
	case *column.Fixed[float64]:
		return v.Values[i], true
	case *column.Fixed[decimal128.Num]:
		return v.Values[i], true
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return v.Values[i], true
	}
	return nil, false
}

// call is one run of a kernel. A kernel computes the rows live() and may compute more than those if it cannot fail and
// the arguments have no undefined values (numbers do not, text does). Kernels of functions that do not see nulls give
// their result the validity valid.
type call struct {
	x    *exec
	node *Node
	step *callStep
	// args are vectors of n rows or constants; not all of them are constants.
	args []column.Vector
	// sel are the rows whose result counts, null or not; nil for all.
	sel []int32
	n   int
	// valid is the AND of the arguments' validities; nil for functions that see nulls.
	valid column.Bitmap
}

// live gives the rows of sel that have no null argument; nil for all.
func (c *call) live() []int32 {
	if c.valid == nil {
		return c.sel
	}
	c.step.rows = validRows(c.step.rows, c.valid, c.sel, c.n)
	return c.step.rows
}

// dense reports whether so many rows count that computing all of them is cheaper.
func (c *call) dense() bool { return c.sel == nil || len(c.sel)*4 > c.n }

// fail makes the fault of a row that cannot be computed.
func (c *call) fail(code fault.Code, format string, args ...any) *fault.Error {
	return fault.Userf(code, c.node.Span, format, args...)
}

// each calls f for every row to compute, until an error.
func (c *call) each(f func(r int) error) error {
	rows := c.live()
	if rows == nil {
		for r := range c.n {
			if err := f(r); err != nil {
				return err
			}
		}
		return nil
	}
	for _, r := range rows {
		if err := f(int(r)); err != nil {
			return err
		}
	}
	return nil
}

// callStep evaluates a call of an ordinary function: arguments first, then the kernel.
type callStep struct {
	node *Node
	// name is the function for messages.
	name      string
	args      []*instance
	kernel    kernel
	callsNull bool
	stable    bool
	call      call
	vecs      []column.Vector
	valid     column.Bitmap
	rows      []int32
	result    column.Const
	null      column.Vector
}

func (s *callStep) eval(x *exec, sel []int32) (column.Vector, error) {
	s.vecs = s.vecs[:0]
	constant, null := s.stable, false
	for _, a := range s.args {
		v, err := x.eval(a, sel)
		if err != nil {
			return nil, err
		}
		if c, ok := v.(*column.Const); ok {
			null = null || c.IsNull()
		} else {
			constant = false
		}
		s.vecs = append(s.vecs, v)
	}
	if null && !s.callsNull {
		return s.nullResult(x.n), nil
	}
	s.call = call{x: x, node: s.node, step: s, args: s.vecs, sel: sel, n: x.n}
	if constant {
		return s.evalConstant(x, sel)
	}
	if !s.callsNull {
		s.call.valid = s.validity(x.n)
	}
	return s.kernel(&s.call)
}

func (s *callStep) nullResult(n int) column.Vector {
	if s.null == nil {
		s.null = literalVector(s.node.Type, nil)
	}
	s.result = column.Const{Value: s.null, N: n}
	return &s.result
}

// evalConstant computes one row for all. Without rows it computes nothing, so that nothing can fail.
func (s *callStep) evalConstant(x *exec, sel []int32) (column.Vector, error) {
	if x.n == 0 || sel != nil && len(sel) == 0 {
		return s.nullResult(x.n), nil
	}
	for i, v := range s.vecs {
		s.vecs[i] = v.(*column.Const).Value
	}
	s.call.n, s.call.sel = 1, nil
	v, err := s.kernel(&s.call)
	if err != nil {
		return nil, err
	}
	if c, ok := v.(*column.Const); ok {
		v = c.Value
	}
	s.result = column.Const{Value: v, N: x.n}
	return &s.result, nil
}

// validity is the AND of the arguments' validities; one argument's own bitmap where that is enough.
func (s *callStep) validity(n int) column.Bitmap {
	var valid column.Bitmap
	for _, v := range s.vecs {
		b := v.Validity()
		switch {
		case b == nil:
		case valid == nil:
			valid = b
		default:
			valid = column.And(s.valid, valid, b, n)
			s.valid = valid
		}
	}
	return valid
}

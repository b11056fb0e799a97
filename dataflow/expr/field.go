package expr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// fieldStep gives a member of a struct: the child's own memory, under the validity of both.
type fieldStep struct {
	index int
	arg   *instance
	valid column.Bitmap
	view  viewer
	null  column.Vector
	out   column.Const
}

func newFieldStep(n *Node, arg *instance) *fieldStep {
	return &fieldStep{index: n.Index, arg: arg, view: viewer{}, null: literalVector(n.Type, nil)}
}

func (s *fieldStep) eval(x *exec, sel []int32) (column.Vector, error) {
	v, err := x.eval(s.arg, sel)
	if err != nil {
		return nil, err
	}
	if c, ok := v.(*column.Const); ok {
		s.out = column.Const{Value: s.null, N: x.n}
		if !c.IsNull() {
			s.out.Value = c.Value.(*column.Struct).Children[s.index]
		}
		return &s.out, nil
	}
	st := v.(*column.Struct)
	child := st.Children[s.index]
	own := child.Validity()
	switch {
	case st.Valid == nil:
		return child, nil
	case own == nil:
		return s.view.with(child, st.Valid), nil
	}
	s.valid = column.And(s.valid, own, st.Valid, x.n)
	return s.view.with(child, s.valid), nil
}

// viewer makes headers over the memory of vectors with another validity, one at a time and reused.
type viewer struct {
	vec column.Vector
}

func (w *viewer) with(v column.Vector, valid column.Bitmap) column.Vector {
	switch v := v.(type) {
	case *column.Bool:
		h := headerOf[column.Bool, *column.Bool](w)
		h.N, h.Bits, h.Valid = v.N, v.Bits, valid
	case *column.Bytes:
		h := headerOf[column.Bytes, *column.Bytes](w)
		h.DataType, h.Views, h.Buffers, h.Valid = v.DataType, v.Views, v.Buffers, valid
	case *column.Struct:
		h := headerOf[column.Struct, *column.Struct](w)
		h.DataType, h.N, h.Children, h.Valid = v.DataType, v.N, v.Children, valid
	case *column.List:
		h := headerOf[column.List, *column.List](w)
		h.DataType, h.Map, h.Offsets, h.Elem, h.Valid = v.DataType, v.Map, v.Offsets, v.Elem, valid
	case *column.Fixed[int8]:
		fixedHeader(w, v, valid)
	case *column.Fixed[int16]:
		fixedHeader(w, v, valid)
	case *column.Fixed[int32]:
		fixedHeader(w, v, valid)
	case *column.Fixed[int64]:
		fixedHeader(w, v, valid)
	case *column.Fixed[uint8]:
		fixedHeader(w, v, valid)
	case *column.Fixed[uint16]:
		fixedHeader(w, v, valid)
	case *column.Fixed[uint32]:
		fixedHeader(w, v, valid)
	case *column.Fixed[uint64]:
		fixedHeader(w, v, valid)
	case *column.Fixed[float32]:
		fixedHeader(w, v, valid)
	case *column.Fixed[float64]:
		fixedHeader(w, v, valid)
	case *column.Fixed[decimal128.Num]:
		fixedHeader(w, v, valid)
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		fixedHeader(w, v, valid)
	default:
		panic("expr: no member of type " + v.Type().String())
	}
	return w.vec
}

// headerOf gives w's header if it is of this type, else a new one.
func headerOf[H any, P interface {
	*H
	column.Vector
}](w *viewer) *H {
	if h, ok := w.vec.(P); ok {
		return h
	}
	h := P(new(H))
	w.vec = h
	return h
}

func fixedHeader[T column.Value](w *viewer, v *column.Fixed[T], valid column.Bitmap) {
	h := headerOf[column.Fixed[T], *column.Fixed[T]](w)
	h.DataType, h.Values, h.Valid = v.DataType, v.Values, valid
}

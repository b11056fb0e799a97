package expr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// assigner puts a vector together from rows of several vectors, each row staying where it is.
type assigner interface {
	// start makes all n rows undefined and not null.
	start(n int)
	// assign copies the rows (all when nil) of src, a vector or a *Const. It may share src's memory.
	assign(src column.Vector, rows []int32)
	// setNull makes the rows (all when nil) null.
	setNull(rows []int32)
	// result is lent until the next start.
	result() column.Vector
}

func newAssigner(dt arrow.DataType) assigner {
	switch dt.ID() {
	case arrow.BOOL, arrow.NULL:
		return &boolAssigner{}
	case arrow.INT8:
		return newFixedAssigner[int8](dt)
	case arrow.INT16:
		return newFixedAssigner[int16](dt)
	case arrow.INT32, arrow.DATE32, arrow.TIME32:
		return newFixedAssigner[int32](dt)
	case arrow.INT64, arrow.TIMESTAMP, arrow.TIME64, arrow.DURATION:
		return newFixedAssigner[int64](dt)
	case arrow.UINT8:
		return newFixedAssigner[uint8](dt)
	case arrow.UINT16:
		return newFixedAssigner[uint16](dt)
	case arrow.UINT32:
		return newFixedAssigner[uint32](dt)
	case arrow.UINT64:
		return newFixedAssigner[uint64](dt)
	case arrow.FLOAT32:
		return newFixedAssigner[float32](dt)
	case arrow.FLOAT64:
		return newFixedAssigner[float64](dt)
	case arrow.DECIMAL128:
		return newFixedAssigner[decimal128.Num](dt)
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return newFixedAssigner[arrow.MonthDayNanoInterval](dt)
	case arrow.STRING, arrow.BINARY, arrow.FIXED_SIZE_BINARY, arrow.STRING_VIEW, arrow.LARGE_STRING:
		return &bytesAssigner{vec: *column.NewBytes(dt)}
	}
	return &rowAssigner{vec: column.NewAppender(dt)}
}

// validityOut is the validity of an assigner's result: nil until the first null.
type validityOut struct {
	bits  column.Bitmap
	some  bool
	count int
}

func (v *validityOut) start(n int) { v.some, v.count = false, n }

func (v *validityOut) bitmap() column.Bitmap {
	if v.some {
		return v.bits
	}
	return nil
}

func (v *validityOut) need() {
	if !v.some {
		v.bits, v.some = ownBitmap(v.bits, nil, v.count), true
	}
}

func (v *validityOut) setNull(rows []int32) {
	if rows == nil {
		v.need()
		clear(v.bits)
		return
	}
	if len(rows) == 0 {
		return
	}
	v.need()
	for _, r := range rows {
		v.bits.Clear(int(r))
	}
}

func (v *validityOut) assign(src column.Bitmap, rows []int32) {
	switch {
	case src == nil && !v.some:
	case rows == nil:
		v.bits, v.some = ownBitmap(v.bits, src, v.count), true
	default:
		v.need()
		for _, r := range rows {
			v.bits.SetTo(int(r), src.IsValid(int(r)))
		}
	}
}

type fixedAssigner[T column.Value] struct {
	vec   column.Fixed[T]
	valid validityOut
}

func newFixedAssigner[T column.Value](dt arrow.DataType) *fixedAssigner[T] {
	return &fixedAssigner[T]{vec: *column.NewFixed[T](dt)}
}

func (a *fixedAssigner[T]) start(n int) {
	a.vec.Resize(n)
	a.valid.start(n)
}

func (a *fixedAssigner[T]) assign(src column.Vector, rows []int32) {
	if c, ok := src.(*column.Const); ok {
		if c.IsNull() {
			a.setNull(rows)
			return
		}
		a.fill(c.Value.(*column.Fixed[T]).Values[0], rows)
		return
	}
	s := src.(*column.Fixed[T])
	if rows == nil {
		copy(a.vec.Values, s.Values)
	} else {
		out, in := a.vec.Values, s.Values
		for _, r := range rows {
			out[r] = in[r]
		}
	}
	a.valid.assign(s.Valid, rows)
}

func (a *fixedAssigner[T]) fill(v T, rows []int32) {
	if rows == nil {
		for i := range a.vec.Values {
			a.vec.Values[i] = v
		}
	} else {
		out := a.vec.Values
		for _, r := range rows {
			out[r] = v
		}
	}
	a.valid.assign(nil, rows)
}

func (a *fixedAssigner[T]) setNull(rows []int32) { a.valid.setNull(rows) }

func (a *fixedAssigner[T]) result() column.Vector {
	a.vec.Valid = a.valid.bitmap()
	return &a.vec
}

type boolAssigner struct {
	vec   column.Bool
	valid validityOut
}

func (a *boolAssigner) start(n int) {
	a.vec.Resize(n)
	a.valid.start(n)
}

func (a *boolAssigner) assign(src column.Vector, rows []int32) {
	if c, ok := src.(*column.Const); ok {
		if c.IsNull() {
			a.setNull(rows)
			return
		}
		v := c.Value.(*column.Bool).Bits.Get(0)
		if rows == nil {
			clear(a.vec.Bits)
			if v {
				a.vec.Bits.SetAll(a.vec.N)
			}
		}
		for _, r := range rows {
			a.vec.Bits.SetTo(int(r), v)
		}
		a.valid.assign(nil, rows)
		return
	}
	s := src.(*column.Bool)
	if rows == nil {
		copy(a.vec.Bits, s.Bits)
	}
	for _, r := range rows {
		a.vec.Bits.SetTo(int(r), s.Bits.Get(int(r)))
	}
	a.valid.assign(s.Valid, rows)
}

func (a *boolAssigner) setNull(rows []int32) { a.valid.setNull(rows) }

func (a *boolAssigner) result() column.Vector {
	a.vec.Valid = a.valid.bitmap()
	return &a.vec
}

// bytesAssigner shares the buffers of its sources.
type bytesAssigner struct {
	vec   column.Bytes
	valid validityOut
}

func (a *bytesAssigner) start(n int) {
	a.vec.Resize(n)
	a.valid.start(n)
}

func (a *bytesAssigner) assign(src column.Vector, rows []int32) {
	s, mask := (*column.Bytes)(nil), -1
	if c, ok := src.(*column.Const); ok {
		if c.IsNull() {
			a.setNull(rows)
			return
		}
		s, mask = c.Value.(*column.Bytes), 0
	} else {
		s = src.(*column.Bytes)
	}
	base := a.vec.Borrow(s)
	if rows == nil {
		for r := range a.vec.Views {
			a.vec.SetView(r, s, r&mask, base)
		}
	}
	for _, r := range rows {
		a.vec.SetView(int(r), s, int(r)&mask, base)
	}
	if mask == 0 {
		a.valid.assign(nil, rows)
		return
	}
	a.valid.assign(s.Valid, rows)
}

func (a *bytesAssigner) setNull(rows []int32) { a.valid.setNull(rows) }

func (a *bytesAssigner) result() column.Vector {
	a.vec.Valid = a.valid.bitmap()
	return &a.vec
}

// rowAssigner serves the nested types: it remembers where every row comes from and appends them in order.
type rowAssigner struct {
	vec  column.Appender
	from []int32
	srcs []column.Vector
	row  []int32
}

const noSource = -1

func (a *rowAssigner) start(n int) {
	a.from = scratchRows(a.from, n)
	for i := range a.from {
		a.from[i] = noSource
	}
	a.srcs = a.srcs[:0]
}

func (a *rowAssigner) assign(src column.Vector, rows []int32) {
	a.srcs = append(a.srcs, src)
	a.set(rows, int32(len(a.srcs)-1))
}

func (a *rowAssigner) setNull(rows []int32) { a.set(rows, noSource) }

func (a *rowAssigner) set(rows []int32, k int32) {
	if rows == nil {
		for i := range a.from {
			a.from[i] = k
		}
	}
	for _, r := range rows {
		a.from[r] = k
	}
}

func (a *rowAssigner) result() column.Vector {
	a.vec.Reset()
	if a.row == nil {
		a.row = make([]int32, 1)
	}
	for r, k := range a.from {
		if k == noSource {
			a.vec.AppendNull()
			continue
		}
		a.row[0] = int32(r)
		a.vec.AppendSel(a.srcs[k], a.row)
	}
	return a.vec
}

package column

import (
	"slices"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Vector is one column's values. The concrete types are *Fixed[T], *Bool, *Bytes, *List, *Struct and, inside
// expressions only, *Const. Code that needs the values switches on the concrete type once per batch.
type Vector interface {
	// Type is the logical type; several share one concrete type (a TIMESTAMP is a *Fixed[int64]).
	Type() arrow.DataType
	// Len is the number of rows.
	Len() int
	// Validity has a bit per row, set where the value is not null; nil when no row is null.
	Validity() Bitmap
	// Size estimates the bytes of memory behind the vector.
	Size() int
}

// Appender is a vector that its owner fills.
type Appender interface {
	Vector
	// AppendSel copies the rows sel of src, or all of them when sel is nil. src has the same type or is a *Const of it.
	AppendSel(src Vector, sel []int32)
	// AppendNull appends a null.
	AppendNull()
	// Truncate drops all rows from n on.
	Truncate(n int)
	// Reset drops all rows and keeps the memory.
	Reset()
}

// Value is an element type that Fixed can hold.
type Value interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 |
		decimal128.Num | arrow.MonthDayNanoInterval
}

// Fixed is a column of fixed-width values: numbers, times, dates, intervals and decimals. The value of a null row is
// undefined.
type Fixed[T Value] struct {
	DataType arrow.DataType
	Values   []T
	Valid    Bitmap
}

// NewFixed makes an empty column of this type.
func NewFixed[T Value](dt arrow.DataType) *Fixed[T] { return &Fixed[T]{DataType: dt} }

// Type implements Vector.
func (f *Fixed[T]) Type() arrow.DataType { return f.DataType }

// Len implements Vector.
func (f *Fixed[T]) Len() int { return len(f.Values) }

// Validity implements Vector.
func (f *Fixed[T]) Validity() Bitmap { return f.Valid }

// Size implements Vector.
func (f *Fixed[T]) Size() int {
	var z T
	return len(f.Values)*int(unsafe.Sizeof(z)) + 8*len(f.Valid)
}

// Resize makes f n rows long with undefined values and no nulls, reusing its memory.
func (f *Fixed[T]) Resize(n int) {
	if cap(f.Values) < n {
		f.Values = make([]T, n, n+n/4)
	}
	f.Values = f.Values[:n]
	f.Valid = nil
}

// Extend appends n values without a null among them, which the caller is to write.
func (f *Fixed[T]) Extend(n int) []T {
	at := len(f.Values)
	f.Values = slices.Grow(f.Values, n)[:at+n]
	if f.Valid != nil {
		f.Valid = f.Valid.Grow(at + n)
		f.Valid.SetRange(at, at+n)
	}
	return f.Values[at:]
}

// Append appends one value.
func (f *Fixed[T]) Append(v T) {
	f.Values = append(f.Values, v)
	if f.Valid != nil {
		f.Valid = f.Valid.Grow(len(f.Values))
		f.Valid.Set(len(f.Values) - 1)
	}
}

// AppendNull implements Appender.
func (f *Fixed[T]) AppendNull() {
	var z T
	n := len(f.Values)
	f.Values = append(f.Values, z)
	f.Valid = appendInvalid(f.Valid, n)
}

// AppendSel implements Appender.
func (f *Fixed[T]) AppendSel(src Vector, sel []int32) {
	n := len(f.Values)
	if c, ok := src.(*Const); ok {
		appendConst(f, c, sel)
		return
	}
	s := src.(*Fixed[T])
	f.Values = appendSlice(f.Values, s.Values, sel)
	f.Valid = appendValidity(f.Valid, n, s.Valid, len(s.Values), sel)
}

// Truncate implements Appender.
func (f *Fixed[T]) Truncate(n int) {
	f.Values = f.Values[:n]
	f.Valid = truncateValidity(f.Valid, n)
}

// Reset implements Appender.
func (f *Fixed[T]) Reset() {
	f.Values = f.Values[:0]
	f.Valid = nil
}

func appendSlice[T any](dst, src []T, sel []int32) []T {
	if sel == nil {
		return append(dst, src...)
	}
	n := len(dst)
	if cap(dst)-n < len(sel) {
		grown := make([]T, n, max(2*cap(dst), n+len(sel)))
		copy(grown, dst)
		dst = grown
	}
	dst = dst[:n+len(sel)]
	out := dst[n:]
	for i, r := range sel {
		out[i] = src[r]
	}
	return dst
}

// appendInvalid appends one cleared bit at position n to a validity bitmap, making it if needed.
func appendInvalid(v Bitmap, n int) Bitmap {
	if v == nil {
		v = NewBitmap(n+1, false)
		for i := range n {
			v.Set(i)
		}
		return v
	}
	v = v.Grow(n + 1)
	v.Clear(n)
	return v
}

// appendValidity extends dst, which covers n rows, with the bits of src (of srcLen rows) selected by sel.
func appendValidity(dst Bitmap, n int, src Bitmap, srcLen int, sel []int32) Bitmap {
	m := srcLen
	if sel != nil {
		m = len(sel)
	}
	if dst == nil && src == nil {
		return nil
	}
	if dst == nil {
		dst = NewBitmap(n+m, false)
		dst.SetRange(0, n)
	}
	dst = dst.Grow(n + m)
	if src == nil {
		dst.SetRange(n, n+m)
		return dst
	}
	clear(dst[Words(n):])
	if r := n & 63; r != 0 {
		dst[n/64] &= 1<<r - 1
	}
	w := uint64(0)
	for i := range m {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		at := uint(n+i) & 63
		w |= src[uint(r)>>6] >> (uint(r) & 63) & 1 << at
		if at == 63 || i == m-1 {
			dst[(n+i)/64] |= w
			w = 0
		}
	}
	return dst
}

func truncateValidity(v Bitmap, n int) Bitmap {
	if v == nil {
		return nil
	}
	v = v[:Words(n)]
	if r := n & 63; r != 0 {
		v[n/64] &= 1<<r - 1
	}
	return v
}

func appendConst(a Appender, c *Const, sel []int32) {
	n := c.N
	if sel != nil {
		n = len(sel)
	}
	for n > 0 {
		k := min(n, len(zeros))
		a.AppendSel(c.Value, zeros[:k])
		n -= k
	}
}

// zeros selects the one row of a constant many times.
var zeros [1024]int32

// Bool is a column of booleans, one bit per row.
type Bool struct {
	N     int
	Bits  Bitmap
	Valid Bitmap
}

// Type implements Vector.
func (b *Bool) Type() arrow.DataType { return arrow.FixedWidthTypes.Boolean }

// Len implements Vector.
func (b *Bool) Len() int { return b.N }

// Validity implements Vector.
func (b *Bool) Validity() Bitmap { return b.Valid }

// Size implements Vector.
func (b *Bool) Size() int { return 8*len(b.Bits) + 8*len(b.Valid) }

// Resize makes b n rows long with undefined values and no nulls, reusing its memory.
func (b *Bool) Resize(n int) {
	b.N = n
	b.Bits = b.Bits.Resize(n)
	b.Valid = nil
}

// Append appends one value.
func (b *Bool) Append(v bool) {
	b.Bits = b.Bits.Grow(b.N + 1)
	b.Bits.SetTo(b.N, v)
	b.N++
	if b.Valid != nil {
		b.Valid = b.Valid.Grow(b.N)
		b.Valid.Set(b.N - 1)
	}
}

// AppendNull implements Appender.
func (b *Bool) AppendNull() {
	b.Bits = b.Bits.Grow(b.N + 1)
	b.Bits.Clear(b.N)
	b.Valid = appendInvalid(b.Valid, b.N)
	b.N++
}

// AppendSel implements Appender.
func (b *Bool) AppendSel(src Vector, sel []int32) {
	if c, ok := src.(*Const); ok {
		appendConst(b, c, sel)
		return
	}
	s := src.(*Bool)
	m := s.N
	if sel != nil {
		m = len(sel)
	}
	b.Bits = b.Bits.Grow(b.N + m)
	for i := range m {
		r := i
		if sel != nil {
			r = int(sel[i])
		}
		b.Bits.SetTo(b.N+i, s.Bits.Get(r))
	}
	b.Valid = appendValidity(b.Valid, b.N, s.Valid, s.N, sel)
	b.N += m
}

// Truncate implements Appender.
func (b *Bool) Truncate(n int) {
	b.N = n
	b.Bits = truncateValidity(b.Bits, n)
	b.Valid = truncateValidity(b.Valid, n)
}

// Reset implements Appender.
func (b *Bool) Reset() {
	b.N = 0
	b.Bits = b.Bits[:0]
	b.Valid = nil
}

// Const is one value repeated N times. It occurs only as the result of an expression; batches never hold one.
type Const struct {
	// Value has exactly one row.
	Value Vector
	N     int
}

// Type implements Vector.
func (c *Const) Type() arrow.DataType { return c.Value.Type() }

// Len implements Vector.
func (c *Const) Len() int { return c.N }

// IsNull reports whether the value is null.
func (c *Const) IsNull() bool { return !c.Value.Validity().IsValid(0) }

// Validity implements Vector. A null Const has no bitmap of N bits to show, so callers ask IsNull first.
func (c *Const) Validity() Bitmap { return nil }

// Size implements Vector.
func (c *Const) Size() int { return c.Value.Size() }

// NewAppender makes an empty vector for a type; for NULL, one of booleans that are all null. It panics on a type that has no vector; the planner admits none.
func NewAppender(dt arrow.DataType) Appender {
	switch t := dt.(type) {
	case *arrow.StructType:
		return NewStruct(t)
	case *arrow.ListType:
		return NewList(t)
	case *arrow.MapType:
		return NewMap(t)
	case arrow.ExtensionType:
		return newAppenderAs(t.StorageType(), dt)
	}
	return newAppenderAs(dt, dt)
}

func newAppenderAs(storage, dt arrow.DataType) Appender {
	switch storage.ID() {
	case arrow.BOOL, arrow.NULL:
		return &Bool{}
	case arrow.INT8:
		return NewFixed[int8](dt)
	case arrow.INT16:
		return NewFixed[int16](dt)
	case arrow.INT32, arrow.DATE32, arrow.TIME32:
		return NewFixed[int32](dt)
	case arrow.INT64, arrow.TIMESTAMP, arrow.TIME64, arrow.DURATION:
		return NewFixed[int64](dt)
	case arrow.UINT8:
		return NewFixed[uint8](dt)
	case arrow.UINT16:
		return NewFixed[uint16](dt)
	case arrow.UINT32:
		return NewFixed[uint32](dt)
	case arrow.UINT64:
		return NewFixed[uint64](dt)
	case arrow.FLOAT32:
		return NewFixed[float32](dt)
	case arrow.FLOAT64:
		return NewFixed[float64](dt)
	case arrow.DECIMAL128:
		return NewFixed[decimal128.Num](dt)
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return NewFixed[arrow.MonthDayNanoInterval](dt)
	case arrow.STRING, arrow.BINARY, arrow.FIXED_SIZE_BINARY, arrow.STRING_VIEW, arrow.LARGE_STRING:
		return NewBytes(dt)
	}
	panic("column: no vector for type " + dt.String())
}

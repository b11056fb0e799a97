package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// fixedOut is the result vector of a step, reused from batch to batch.
type fixedOut[T column.Value] struct {
	column.Fixed[T]
	own column.Bitmap
	// owned is set while Valid is own, so that it may be written.
	owned bool
}

// start gives the vector c.n rows and the validity of the arguments.
func (o *fixedOut[T]) start(c *call) *fixedOut[T] { return o.startRows(c.node.Type, c.n, c.valid) }

func (o *fixedOut[T]) startRows(dt arrow.DataType, n int, valid column.Bitmap) *fixedOut[T] {
	o.Resize(n)
	o.DataType, o.Valid, o.owned = dt, valid, false
	return o
}

// setNull makes row r null.
func (o *fixedOut[T]) setNull(r int) {
	if !o.owned {
		o.own, o.owned = ownBitmap(o.own, o.Valid, len(o.Values)), true
		o.Valid = o.own
	}
	o.Valid.Clear(r)
}

// ownBitmap copies valid (all ones when nil) into own's memory.
func ownBitmap(own, valid column.Bitmap, n int) column.Bitmap {
	own = own.Resize(n)
	if valid == nil {
		own.SetAll(n)
	} else {
		copy(own, valid[:column.Words(n)])
	}
	return own
}

// boolOut is like fixedOut for booleans.
type boolOut struct {
	column.Bool
	own   column.Bitmap
	owned bool
}

func (o *boolOut) start(c *call) *boolOut { return o.startRows(c.n, c.valid) }

func (o *boolOut) startRows(n int, valid column.Bitmap) *boolOut {
	o.Resize(n)
	o.Valid, o.owned = valid, false
	return o
}

func (o *boolOut) setNull(r int) {
	if !o.owned {
		o.own, o.owned = ownBitmap(o.own, o.Valid, o.N), true
		o.Valid = o.own
	}
	o.Valid.Clear(r)
}

// bytesOut is like fixedOut for text and bytes.
type bytesOut struct {
	column.Bytes
	own   column.Bitmap
	owned bool
	// buf is for building a value.
	buf []byte
}

func (o *bytesOut) start(c *call) *bytesOut {
	o.Resize(c.n)
	o.DataType, o.Valid, o.owned = c.node.Type, c.valid, false
	return o
}

func (o *bytesOut) setNull(r int) {
	if !o.owned {
		o.own, o.owned = ownBitmap(o.own, o.Valid, len(o.Views)), true
		o.Valid = o.own
	}
	o.Valid.Clear(r)
}

// numbers reads an argument that may be constant.
type numbers[T column.Value] struct {
	values []T
	mask   int
	valid  column.Bitmap
}

func (a numbers[T]) at(r int) T { return a.values[r&a.mask] }

func (a numbers[T]) isNull(r int) bool { return !a.valid.IsValid(r & a.mask) }

func numbersOf[T column.Value](v column.Vector) numbers[T] {
	if c, ok := v.(*column.Const); ok {
		f := c.Value.(*column.Fixed[T])
		return numbers[T]{f.Values, 0, f.Valid}
	}
	f := v.(*column.Fixed[T])
	return numbers[T]{f.Values, -1, f.Valid}
}

func argOf[T column.Value](c *call, i int) numbers[T] { return numbersOf[T](c.args[i]) }

// texts reads a text or bytes argument that may be constant.
type texts struct {
	vec  *column.Bytes
	mask int
}

func (a texts) at(r int) string    { return a.vec.Str(r & a.mask) }
func (a texts) bytes(r int) []byte { return a.vec.At(r & a.mask) }
func (a texts) isNull(r int) bool  { return !a.vec.Valid.IsValid(r & a.mask) }

func textsOf(v column.Vector) texts {
	if c, ok := v.(*column.Const); ok {
		return texts{c.Value.(*column.Bytes), 0}
	}
	return texts{v.(*column.Bytes), -1}
}

func (c *call) text(i int) texts { return textsOf(c.args[i]) }

// bools reads a boolean argument that may be constant.
type bools struct {
	vec  *column.Bool
	mask int
}

func (a bools) at(r int) bool     { return a.vec.Bits.Get(r & a.mask) }
func (a bools) isNull(r int) bool { return !a.vec.Valid.IsValid(r & a.mask) }

func boolsOf(v column.Vector) bools {
	if c, ok := v.(*column.Const); ok {
		return bools{c.Value.(*column.Bool), 0}
	}
	return bools{v.(*column.Bool), -1}
}

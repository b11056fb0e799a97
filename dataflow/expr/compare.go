package expr

import (
	"bytes"
	"cmp"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
)

// comparison is one of the six comparisons.
type comparison uint8

const (
	opEq comparison = iota
	opNeq
	opLt
	opLtEq
	opGt
	opGtEq
)

// flip is the comparison with its sides exchanged.
func (o comparison) flip() comparison {
	return [...]comparison{opEq: opEq, opNeq: opNeq, opLt: opGt, opLtEq: opGtEq, opGt: opLt, opGtEq: opLtEq}[o]
}

// basis is the comparison as one of =, < and <=, and whether its result is to be inverted. That holds for every total
// order; floats are compared in the one where NaN equals itself and is greater than all others.
func (o comparison) basis() (base comparison, invert bool) {
	switch o {
	case opNeq:
		return opEq, true
	case opGt:
		return opLtEq, true
	case opGtEq:
		return opLt, true
	}
	return o, false
}

// holds says for -1, 0 and 1 of a three-way comparison whether o holds: bit 0, 1 and 2.
func (o comparison) holds() uint {
	return [...]uint{opEq: 0b010, opNeq: 0b101, opLt: 0b001, opLtEq: 0b011, opGt: 0b100, opGtEq: 0b110}[o]
}

// comparer compares vectors of one type. a is a vector; b is a vector or a constant that is not null.
type comparer interface {
	// pick gives the rows of rows (all n when nil) for which o holds. It looks at no other rows.
	pick(o comparison, dst []int32, a, b column.Vector, rows []int32, n int) []int32
	// bits writes the bits of all n rows and reports true, or reports false if it would have to look at values that may be
	// undefined.
	bits(o comparison, dst column.Bitmap, a, b column.Vector, n int) bool
}

func newComparer(dt arrow.DataType) comparer {
	switch dt.ID() {
	case arrow.BOOL, arrow.NULL:
		return &boolComparer{}
	case arrow.INT8:
		return fixedComparer[int8]{}
	case arrow.INT16:
		return fixedComparer[int16]{}
	case arrow.INT32, arrow.DATE32, arrow.TIME32:
		return fixedComparer[int32]{}
	case arrow.INT64, arrow.TIMESTAMP, arrow.TIME64, arrow.DURATION:
		return fixedComparer[int64]{}
	case arrow.UINT8:
		return fixedComparer[uint8]{}
	case arrow.UINT16:
		return fixedComparer[uint16]{}
	case arrow.UINT32:
		return fixedComparer[uint32]{}
	case arrow.UINT64:
		return fixedComparer[uint64]{}
	case arrow.FLOAT32:
		return fixedComparer[float32]{}
	case arrow.FLOAT64:
		return fixedComparer[float64]{}
	case arrow.STRING, arrow.BINARY, arrow.FIXED_SIZE_BINARY, arrow.STRING_VIEW, arrow.LARGE_STRING:
		return &bytesComparer{}
	}
	return &rowComparer{}
}

// ordered are the element types with operators for comparison.
type ordered interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func b2u(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

type fixedComparer[T interface {
	ordered
	column.Value
}] struct{}

func (fixedComparer[T]) pick(o comparison, dst []int32, a, b column.Vector, rows []int32, n int) []int32 {
	base, invert := o.basis()
	av := a.(*column.Fixed[T]).Values
	if c, ok := b.(*column.Const); ok {
		cv := c.Value.(*column.Fixed[T]).Values[0]
		if cv != cv {
			return new(rowComparer).pick(o, dst, a, b, rows, n)
		}
		if rows == nil {
			return pickConst(base, b2i(invert), scratchRows(dst, n), av[:n], cv)
		}
		return pickConstRows(base, b2i(invert), scratchRows(dst, len(rows)), av, cv, rows)
	}
	bv := b.(*column.Fixed[T]).Values
	if rows == nil {
		return pickPairs(base, b2i(invert), scratchRows(dst, n), av[:n], bv[:n])
	}
	return pickPairsRows(base, b2i(invert), scratchRows(dst, len(rows)), av, bv, rows)
}

func pickConst[T ordered](o comparison, invert int, dst []int32, a []T, c T) []int32 {
	k := 0
	dst = dst[:len(a)]
	switch o {
	case opEq:
		for i, v := range a {
			dst[k] = int32(i)
			k += b2i(v == c) ^ invert
		}
	case opLt:
		for i, v := range a {
			dst[k] = int32(i)
			k += b2i(v < c) ^ invert
		}
	case opLtEq:
		for i, v := range a {
			dst[k] = int32(i)
			k += b2i(v <= c) ^ invert
		}
	}
	return dst[:k]
}

func pickConstRows[T ordered](o comparison, invert int, dst []int32, a []T, c T, rows []int32) []int32 {
	k := 0
	dst = dst[:len(rows)]
	switch o {
	case opEq:
		for _, r := range rows {
			dst[k] = r
			k += b2i(a[r] == c) ^ invert
		}
	case opLt:
		for _, r := range rows {
			dst[k] = r
			k += b2i(a[r] < c) ^ invert
		}
	case opLtEq:
		for _, r := range rows {
			dst[k] = r
			k += b2i(a[r] <= c) ^ invert
		}
	}
	return dst[:k]
}

// The comparisons of two values that may be NaN; for integers the compiler drops what concerns NaN.
func equalTo[T ordered](a, b T) int   { return b2i(a == b) | b2i(a != a)&b2i(b != b) }
func lessThan[T ordered](a, b T) int  { return b2i(a < b) | b2i(b != b)&b2i(a == a) }
func notAbove[T ordered](a, b T) int  { return b2i(a <= b) | b2i(b != b) }
func compare[T ordered](a, b T) int   { return notAboveSign(lessThan(a, b), equalTo(a, b)) }
func notAboveSign(less, same int) int { return 1 - 2*less - same }

func pickPairs[T ordered](o comparison, invert int, dst []int32, a, b []T) []int32 {
	k := 0
	dst, b = dst[:len(a)], b[:len(a)]
	switch o {
	case opEq:
		for i, v := range a {
			dst[k] = int32(i)
			k += equalTo(v, b[i]) ^ invert
		}
	case opLt:
		for i, v := range a {
			dst[k] = int32(i)
			k += lessThan(v, b[i]) ^ invert
		}
	case opLtEq:
		for i, v := range a {
			dst[k] = int32(i)
			k += notAbove(v, b[i]) ^ invert
		}
	}
	return dst[:k]
}

func pickPairsRows[T ordered](o comparison, invert int, dst []int32, a, b []T, rows []int32) []int32 {
	k := 0
	dst = dst[:len(rows)]
	switch o {
	case opEq:
		for _, r := range rows {
			dst[k] = r
			k += equalTo(a[r], b[r]) ^ invert
		}
	case opLt:
		for _, r := range rows {
			dst[k] = r
			k += lessThan(a[r], b[r]) ^ invert
		}
	case opLtEq:
		for _, r := range rows {
			dst[k] = r
			k += notAbove(a[r], b[r]) ^ invert
		}
	}
	return dst[:k]
}

func (fixedComparer[T]) bits(o comparison, dst column.Bitmap, a, b column.Vector, n int) bool {
	base, invert := o.basis()
	av := a.(*column.Fixed[T]).Values[:n]
	var flip uint64
	if invert {
		flip = ^uint64(0)
	}
	if c, ok := b.(*column.Const); ok {
		cv := c.Value.(*column.Fixed[T]).Values[0]
		if cv != cv {
			return false
		}
		bitsConst(base, flip, dst, av, cv)
		return true
	}
	bitsPairs(base, flip, dst, av, b.(*column.Fixed[T]).Values[:n])
	return true
}

func bitsConst[T ordered](o comparison, flip uint64, dst column.Bitmap, a []T, c T) {
	for w := 0; len(a) > 0; w++ {
		part := a[:min(64, len(a))]
		a = a[len(part):]
		var word uint64
		switch o {
		case opEq:
			for i, v := range part {
				word |= b2u(v == c) << (uint(i) & 63)
			}
		case opLt:
			for i, v := range part {
				word |= b2u(v < c) << (uint(i) & 63)
			}
		case opLtEq:
			for i, v := range part {
				word |= b2u(v <= c) << (uint(i) & 63)
			}
		}
		dst[w] = word ^ flip
	}
}

func bitsPairs[T ordered](o comparison, flip uint64, dst column.Bitmap, a, b []T) {
	for w := 0; len(a) > 0; w++ {
		k := min(64, len(a))
		part, other := a[:k], b[:k]
		a, b = a[k:], b[k:]
		var word uint64
		switch o {
		case opEq:
			for i, v := range part {
				word |= uint64(equalTo(v, other[i])) << (uint(i) & 63)
			}
		case opLt:
			for i, v := range part {
				word |= uint64(lessThan(v, other[i])) << (uint(i) & 63)
			}
		case opLtEq:
			for i, v := range part {
				word |= uint64(notAbove(v, other[i])) << (uint(i) & 63)
			}
		}
		dst[w] = word ^ flip
	}
}

// bytesComparer compares text and bytes, bytewise.
type bytesComparer struct{ all []int32 }

func (*bytesComparer) bits(comparison, column.Bitmap, column.Vector, column.Vector, int) bool {
	return false
}

func (m *bytesComparer) pick(o comparison, dst []int32, a, b column.Vector, rows []int32, n int) []int32 {
	x, y := a.(*column.Bytes), textsOf(b)
	if rows == nil {
		m.all = column.AllRows(m.all, n)
		rows = m.all
	}
	dst = scratchRows(dst, len(rows))
	k := 0
	switch o {
	case opEq, opNeq:
		invert := b2i(o == opNeq)
		if y.mask == 0 {
			c := y.at(0)
			for _, r := range rows {
				dst[k] = r
				k += b2i(x.Str(int(r)) == c) ^ invert
			}
			break
		}
		for _, r := range rows {
			dst[k] = r
			k += b2i(x.Str(int(r)) == y.vec.Str(int(r))) ^ invert
		}
	default:
		holds := o.holds()
		for _, r := range rows {
			dst[k] = r
			k += int(holds >> uint(bytes.Compare(x.At(int(r)), y.bytes(int(r)))+1) & 1)
		}
	}
	return dst[:k]
}

// boolComparer compares booleans; false is less than true.
type boolComparer struct{ scratch column.Bitmap }

func (*boolComparer) bits(o comparison, dst column.Bitmap, a, b column.Vector, n int) bool {
	x := a.(*column.Bool).Bits
	for w := range column.Words(n) {
		var y uint64
		if c, ok := b.(*column.Const); ok {
			y = -b2u(c.Value.(*column.Bool).Bits.Get(0))
		} else {
			y = b.(*column.Bool).Bits[w]
		}
		base, invert := o.basis()
		var word uint64
		switch base {
		case opEq:
			word = ^(x[w] ^ y)
		case opLt:
			word = ^x[w] & y
		case opLtEq:
			word = ^x[w] | y
		}
		dst[w] = word ^ -b2u(invert)
	}
	return true
}

func (m *boolComparer) pick(o comparison, dst []int32, a, b column.Vector, rows []int32, n int) []int32 {
	m.scratch = m.scratch.Resize(n)
	m.bits(o, m.scratch, a, b, n)
	return validRows(dst, m.scratch, rows, n)
}

// rowComparer compares values of any type, a row at a time.
type rowComparer struct{ all []int32 }

func (*rowComparer) bits(comparison, column.Bitmap, column.Vector, column.Vector, int) bool {
	return false
}

func (m *rowComparer) pick(o comparison, dst []int32, a, b column.Vector, rows []int32, n int) []int32 {
	if rows == nil {
		m.all = column.AllRows(m.all, n)
		rows = m.all
	}
	mask := -1
	if c, ok := b.(*column.Const); ok {
		b, mask = c.Value, 0
	}
	dst = scratchRows(dst, len(rows))
	holds, k := o.holds(), 0
	for _, r := range rows {
		dst[k] = r
		k += int(holds >> uint(compareRows(a, int(r), b, int(r)&mask)+1) & 1)
	}
	return dst[:k]
}

// compareRows compares value i of a with value j of b, vectors of one type, three-way. Within nested values null comes
// last and equals null.
func compareRows(a column.Vector, i int, b column.Vector, j int) int {
	if x, y := a.Validity().IsValid(i), b.Validity().IsValid(j); !x || !y {
		return b2i(!x) - b2i(!y)
	}
	switch a := a.(type) {
	case *column.Bool:
		return b2i(a.Bits.Get(i)) - b2i(b.(*column.Bool).Bits.Get(j))
	case *column.Bytes:
		return bytes.Compare(a.At(i), b.(*column.Bytes).At(j))
	case *column.Fixed[int8]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[int8]).Values[j])
	case *column.Fixed[int16]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[int16]).Values[j])
	case *column.Fixed[int32]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[int32]).Values[j])
	case *column.Fixed[int64]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[int64]).Values[j])
	case *column.Fixed[uint8]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[uint8]).Values[j])
	case *column.Fixed[uint16]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[uint16]).Values[j])
	case *column.Fixed[uint32]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[uint32]).Values[j])
	case *column.Fixed[uint64]:
		return cmp.Compare(a.Values[i], b.(*column.Fixed[uint64]).Values[j])
	case *column.Fixed[float32]:
		return compare(a.Values[i], b.(*column.Fixed[float32]).Values[j])
	case *column.Fixed[float64]:
		return compare(a.Values[i], b.(*column.Fixed[float64]).Values[j])
	case *column.Fixed[decimal128.Num]:
		return a.Values[i].Cmp(b.(*column.Fixed[decimal128.Num]).Values[j])
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		return compareIntervals(a.Values[i], b.(*column.Fixed[arrow.MonthDayNanoInterval]).Values[j])
	case *column.Struct:
		other := b.(*column.Struct)
		for m, child := range a.Children {
			if c := compareRows(child, i, other.Children[m], j); c != 0 {
				return c
			}
		}
		return 0
	case *column.List:
		return compareLists(a, i, b.(*column.List), j)
	}
	panic("expr: no order for type " + a.Type().String())
}

func compareLists(a *column.List, i int, b *column.List, j int) int {
	from, to, other, end := a.Offsets[i], a.Offsets[i+1], b.Offsets[j], b.Offsets[j+1]
	for ; from < to && other < end; from, other = from+1, other+1 {
		if c := compareRows(a.Elem, int(from), b.Elem, int(other)); c != 0 {
			return c
		}
	}
	return cmp.Compare(to-from, end-other)
}

// compareIntervals compares lengths, counting a month as 30 days and a day as 24 hours, as PostgreSQL does.
func compareIntervals(a, b arrow.MonthDayNanoInterval) int {
	ad, an := intervalLength(a)
	bd, bn := intervalLength(b)
	if c := cmp.Compare(ad, bd); c != 0 {
		return c
	}
	return cmp.Compare(an, bn)
}

const dayNanos = 24 * 60 * 60 * int64(1e9)

func intervalLength(v arrow.MonthDayNanoInterval) (days, nanos int64) {
	days = int64(v.Months)*30 + int64(v.Days) + v.Nanoseconds/dayNanos
	nanos = v.Nanoseconds % dayNanos
	if nanos < 0 {
		nanos += dayNanos
		days--
	}
	return days, nanos
}

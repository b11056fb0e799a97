package agg

import (
	"slices"

	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// ordering compares the values of two entries of a multiset's table.
type ordering struct {
	less func(t *state.Table, a, b int32) bool
}

// Values are kept as words that order as they compare (see ordered), as wide words, or as bytes.

func lessWords(t *state.Table, a, b int32) bool { return t.KeyWord(a, 0) < t.KeyWord(b, 0) }

func lessWide(t *state.Table, a, b int32) bool {
	x := wide{t.KeyWord(a, 1), uint64(t.KeyWord(a, 0))}
	return x.less(wide{t.KeyWord(b, 1), uint64(t.KeyWord(b, 0))})
}

func lessBytes(t *state.Table, a, b int32) bool {
	return bytes.Compare(entryBytes(t, a), entryBytes(t, b)) < 0
}

// entryBytes is the byte string of an entry, which follows the marker of a value that is not null.
func entryBytes(t *state.Table, e int32) []byte { return t.KeyBytes(e)[1:] }

// Nodes are slots + 1, 0 for none; the links are the left and the right child.

func (m *multiset) less(a, b int32) bool { return m.order.less(m.table, a-1, b-1) }

// priority spreads the hash once more, since its high half is alike within a group and its low bits are alike for entries
// that are near in the table.
func (m *multiset) priority(n int32) uint64 { return m.table.Hash(n-1) * 0x9e3779b97f4a7c15 }

func (m *multiset) treapInsert(root, n int32) int32 {
	if root == 0 {
		*m.links(n - 1) = 0
		return n
	}
	l := m.links(root - 1)
	if m.priority(n) > m.priority(root) {
		left, right := m.treapSplit(root, n)
		*m.links(n - 1) = pack(left, right)
		return n
	}
	if m.less(n, root) {
		*l = pack(m.treapInsert(first(*l), n), second(*l))
	} else {
		*l = pack(first(*l), m.treapInsert(second(*l), n))
	}
	return root
}

// treapSplit takes a tree apart into what is less than n and the rest.
func (m *multiset) treapSplit(root, n int32) (left, right int32) {
	if root == 0 {
		return 0, 0
	}
	l := m.links(root - 1)
	if m.less(root, n) {
		a, b := m.treapSplit(second(*l), n)
		*l = pack(first(*l), a)
		return root, b
	}
	a, b := m.treapSplit(first(*l), n)
	*l = pack(b, second(*l))
	return a, root
}

func (m *multiset) treapDelete(root, n int32) int32 {
	l := m.links(root - 1)
	switch {
	case root == n:
		return m.treapJoin(first(*l), second(*l))
	case m.less(n, root):
		*l = pack(m.treapDelete(first(*l), n), second(*l))
	default:
		*l = pack(first(*l), m.treapDelete(second(*l), n))
	}
	return root
}

func (m *multiset) treapJoin(a, b int32) int32 {
	switch {
	case a == 0:
		return b
	case b == 0:
		return a
	case m.priority(a) > m.priority(b):
		l := m.links(a - 1)
		*l = pack(first(*l), m.treapJoin(second(*l), b))
		return a
	}
	l := m.links(b - 1)
	*l = pack(m.treapJoin(a, first(*l)), second(*l))
	return b
}

func (m *multiset) treapList(root int32, dst []int32) []int32 {
	if root == 0 {
		return dst
	}
	l := *m.links(root - 1)
	dst = m.treapList(first(l), dst)
	dst = append(dst, root-1)
	return m.treapList(second(l), dst)
}

// extreme is the entry with the least or greatest value present, -1 if there is none.
func (m *multiset) extreme(root int32, max bool) int32 {
	if root == 0 {
		return -1
	}
	l := *m.links(root - 1)
	near, far := first(l), second(l)
	if max {
		near, far = far, near
	}
	if e := m.extreme(near, max); e >= 0 {
		return e
	}
	if m.count(root-1) > 0 {
		return root - 1
	}
	return m.extreme(far, max)
}

// orderedExtreme is min or max of values that may be retracted. Word: the root of the group's values.
type orderedExtreme struct {
	call    Call
	max     bool
	class   class
	kept    arrow.DataType
	order   *ordering
	words64 *column.Fixed[int64]
	wides   *column.Fixed[decimal128.Num]
	slots   []int32
	rows    []int32
	deltas  []int64
	scratch []int64
	values  []column.Vector
}

func newOrderedExtreme(c *Call, max bool) accumulator {
	a := &orderedExtreme{call: *c, max: max, class: classOf(c.ArgTypes[0])}
	switch a.class {
	case bytesClass:
		a.kept, a.order = arrow.BinaryTypes.Binary, &ordering{lessBytes}
	case decimalClass, intervalClass:
		a.kept, a.order = &arrow.Decimal128Type{Precision: 38}, &ordering{lessWide}
		a.wides = column.NewFixed[decimal128.Num](a.kept)
	default:
		a.kept, a.order = arrow.PrimitiveTypes.Int64, &ordering{lessWords}
		a.words64 = column.NewFixed[int64](a.kept)
	}
	return a
}

func (a *orderedExtreme) words() int       { return 1 }
func (a *orderedExtreme) invertible() bool { return true }
func (a *orderedExtreme) newSide() side    { return newMultiset([]arrow.DataType{a.kept}, a.order) }

func (a *orderedExtreme) update(s states, in *input) error {
	v := in.cols[a.call.Args[0]]
	a.slots, a.rows, a.deltas = notNull(in, []column.Vector{v}, a.slots[:0], a.rows[:0], a.deltas[:0])
	a.values = append(a.values[:0], a.keep(v, a.rows))
	s.side.(*multiset).apply(s, a.values, v.Len(), a.slots, a.rows, a.deltas)
	return nil
}

// keep gives v in the form in which its values are kept.
func (a *orderedExtreme) keep(v column.Vector, rows []int32) column.Vector {
	switch {
	case a.wides != nil:
		a.wides.Resize(v.Len())
		for _, r := range rows {
			w := wideAt(v, r)
			a.wides.Values[r] = decimal128.New(w.hi, w.lo)
		}
		return a.wides
	case a.words64 != nil:
		a.words64.Values, a.scratch = ordered(a.scratch, v, rows)
		return a.words64
	}
	return v
}

// notNull appends the rows of the input in which none of the values is null, with their groups and signs.
func notNull(in *input, values []column.Vector, slots, rows []int32, deltas []int64) ([]int32, []int32, []int64) {
	nullable := func(v column.Vector) bool { return v.Validity() != nil }
	if !slices.ContainsFunc(values, nullable) {
		slots, rows = append(slots, in.slots[:len(in.rows)]...), append(rows, in.rows...)
		for _, r := range in.rows {
			deltas = append(deltas, sign(in.change, r))
		}
		return slots, rows, deltas
	}
next:
	for j, r := range in.rows {
		for _, v := range values {
			if !v.Validity().IsValid(int(r)) {
				continue next
			}
		}
		slots = append(slots, in.slots[j])
		rows = append(rows, r)
		deltas = append(deltas, sign(in.change, r))
	}
	return slots, rows, deltas
}

func (a *orderedExtreme) merge(s states, to []int32, src states, from []int32, sign int64) error {
	m := s.side.(*multiset)
	m.copyFrom(src.side.(*multiset), src, to, from, sign)
	a.values = m.copiedValues(a.values)
	m.apply(s, a.values, len(m.groups), m.groups, m.all, m.deltas)
	return nil
}

func (a *orderedExtreme) result(s states, slots []int32, out column.Appender) error {
	m := s.side.(*multiset)
	for _, slot := range slots {
		e := m.extreme(int32(s.w[int(slot)*s.stride]), a.max)
		switch {
		case e < 0:
			out.AppendNull()
		case a.wides != nil:
			appendWide(out, wide{m.table.KeyWord(e, 1), uint64(m.table.KeyWord(e, 0))})
		case a.words64 != nil:
			appendOrdered(out, m.table.KeyWord(e, 0))
		default:
			out.(*column.Bytes).Append(entryBytes(m.table, e))
		}
	}
	return nil
}

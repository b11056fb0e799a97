package agg

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// multiset holds values with multiplicities for all groups of a table. An entry is a row of a table of its own whose key
// is the value; the group's slot is the high half of its hash, which the table compares, so that an entry with a value
// of one word takes half a line of the cache. The entries of a group hang together: in a list, or, where their order
// matters, in a treap (Seidel and Aragon, "Randomized search trees", 1996) with the entries' hashes as priorities. The
// group's word refers to the first entry or the root, as slot + 1; 0 is the empty set.
//
// A multiplicity may be below zero for a while, when a retraction overtakes its insert; such an entry is kept but does
// not count as present. An entry of multiplicity zero does not exist.
type multiset struct {
	table *state.Table
	order *ordering
	// back says that lists have links in both directions, which they have from the first time on that a value vanishes.
	back bool
	// negative is the number of entries whose multiplicity is below zero.
	negative int

	hashes []uint64
	found  []int32
	zeros  []int32
	ahead  ahead
	// crossed lists which rows made a value appear (+1) or vanish (-1).
	crossed []int32
	change  []column.Change

	// copies of the values of entries, for merging and loading, and what belongs to them.
	copied  []column.Appender
	entries []int32
	groups  []int32
	deltas  []int64
	all     []int32
}

// Values of an entry: its multiplicity, and two links packed into a word.
const (
	entryCount = iota
	entryLinks
	entryValues
)

func newMultiset(types []arrow.DataType, order *ordering) *multiset {
	m := &multiset{order: order}
	var fields []arrow.Field
	for _, t := range types {
		fields = append(fields, arrow.Field{Type: t})
		m.copied = append(m.copied, column.NewAppender(t))
	}
	m.table = state.NewTable(state.NewLayout(fields, entryValues).CompareHashes())
	return m
}

// apply adds deltas[j] of the value in physical row rows[j] of the columns, of n rows and without nulls, to group
// slots[j], whose word is the first at its slot in s. It leaves in crossed and change which j changed what is present.
func (m *multiset) apply(s states, values []column.Vector, n int, slots, rows []int32, deltas []int64) {
	m.crossed, m.change, m.zeros = m.crossed[:0], m.change[:0], m.zeros[:0]
	m.ahead.roots = m.ahead.roots[:0]
	if len(rows) == 0 {
		return
	}
	m.hashes = column.HashColumns(m.hashes, values, n, rows)
	for j, r := range rows {
		m.hashes[r] = entryHash(m.hashes[r], slots[j])
	}
	m.found = m.table.FindOrInsert(m.hashes, values, n, rows, m.found)
	w, stride := m.table.Values()
	for j, e := range m.found {
		count := &w[int(e)*stride+entryCount]
		before := *count
		*count += deltas[j]
		m.negative += below(*count) - below(before)
		root := &s.w[int(slots[j])*s.stride]
		if before == 0 && *count != 0 {
			m.link(root, e)
		} else if before != 0 && *count == 0 {
			m.unlink(root, e)
		}
		if *count == 0 {
			m.zeros = append(m.zeros, e)
		}
		if (before > 0) != (*count > 0) {
			m.crossed = append(m.crossed, int32(j))
			c := column.Insert
			if before > 0 {
				c = column.Retract
			}
			m.change = append(m.change, c)
		}
	}
	m.drop(w, stride)
}

// entryHash is the hash of an entry: the slot of its group above half a hash of both.
func entryHash(value uint64, slot int32) uint64 {
	return uint64(slot)<<32 | column.HashWord(value, uint64(slot))&math.MaxUint32
}

// below is 1 for a multiplicity below zero.
func below(count int64) int { return int(uint64(count) >> 63) }

// drop deletes the entries that ended a batch with multiplicity zero. One may be listed twice.
func (m *multiset) drop(w []int64, stride int) {
	for _, e := range m.zeros {
		if count := &w[int(e)*stride+entryCount]; *count == 0 {
			*count = -1
			m.table.Delete(e)
		}
	}
}

func (m *multiset) links(e int32) *int64 {
	w, stride := m.table.Values()
	return &w[int(e)*stride+entryLinks]
}

func (m *multiset) count(e int32) int64 {
	w, stride := m.table.Values()
	return w[int(e)*stride+entryCount]
}

// first and second take the two links of a word apart; they are slots + 1, 0 for none.
func first(l int64) int32  { return int32(l) }
func second(l int64) int32 { return int32(l >> 32) }

func pack(first, second int32) int64 { return int64(second)<<32 | int64(uint32(first)) }

func (m *multiset) link(root *int64, e int32) {
	if m.order != nil {
		*root = int64(m.treapInsert(int32(*root), e+1))
		return
	}
	head := int32(*root)
	*m.links(e) = pack(0, head)
	if head != 0 && m.back {
		l := m.links(head - 1)
		*l = pack(e+1, second(*l))
	}
	*root = int64(e + 1)
}

func (m *multiset) unlink(root *int64, e int32) {
	if m.order != nil {
		*root = int64(m.treapDelete(int32(*root), e+1))
		return
	}
	if !m.back {
		m.linkBack()
	}
	l := *m.links(e)
	prev, next := first(l), second(l)
	if next != 0 {
		n := m.links(next - 1)
		*n = pack(prev, second(*n))
	}
	if prev != 0 {
		p := m.links(prev - 1)
		*p = pack(first(*p), next)
	} else {
		*root = int64(next)
	}
}

// linkBack adds the links to the entries in front. To leave them out as long as nothing vanishes saves a look at another
// entry for every one that is new.
func (m *multiset) linkBack() {
	m.back = true
	for _, e := range m.table.Slots(nil) {
		if next := second(*m.links(e)); next != 0 {
			l := m.links(next - 1)
			*l = pack(e+1, second(*l))
		}
	}
}

// list appends the entries of the set with this root to dst.
func (m *multiset) list(root int64, dst []int32) []int32 {
	if m.order != nil {
		return m.treapList(int32(root), dst)
	}
	e := int32(root)
	if g := slices.Index(m.ahead.roots, e); g >= 0 {
		dst = append(dst, m.ahead.lists[g]...)
		e = m.ahead.rest[g]
	}
	for ; e != 0; e = second(*m.links(e - 1)) {
		dst = append(dst, e-1)
	}
	return dst
}

// aheadGroups is the number of groups whose lists are read together, aheadEntries the most that is read of them.
const (
	aheadGroups  = 16
	aheadEntries = 1 << 16
)

// ahead holds the lists of some groups.
type ahead struct {
	// roots are the groups' words, lists what has been read, rest the entries that follow, as slots + 1.
	roots []int32
	lists [][]int32
	rest  []int32
}

// readAhead reads the lists of up to aheadGroups groups that are about to be listed one after the other, step by step in
// all of them at once, so that the waits for memory overlap. It is good until the next change.
func (m *multiset) readAhead(s states, slots []int32) {
	a := &m.ahead
	a.roots, a.rest = a.roots[:0], a.rest[:0]
	if m.order != nil {
		return
	}
	for len(a.lists) < len(slots) {
		a.lists = append(a.lists, nil)
	}
	for g, slot := range slots {
		root := int32(s.w[int(slot)*s.stride])
		a.roots, a.rest = append(a.roots, root), append(a.rest, root)
		a.lists[g] = a.lists[g][:0]
	}
	w, stride := m.table.Values()
	for read, open := 0, len(slots); open > aheadGroups/4 && read < aheadEntries; read += open {
		open = 0
		for g, e := range a.rest {
			if e != 0 {
				a.lists[g] = append(a.lists[g], e-1)
				a.rest[g] = second(w[int(e-1)*stride+entryLinks])
				open++
			}
		}
	}
}

// copyFrom fills copied with the values of the sets of the slots from of src, and groups and deltas with what merging
// them into the slots to takes.
func (m *multiset) copyFrom(src *multiset, srcStates states, to, from []int32, sign int64) {
	m.entries, m.groups, m.deltas = m.entries[:0], m.groups[:0], m.deltas[:0]
	for i, f := range from {
		if i%aheadGroups == 0 {
			src.readAhead(srcStates, from[i:min(i+aheadGroups, len(from))])
		}
		m.entries = src.list(srcStates.w[int(f)*srcStates.stride], m.entries)
		for len(m.groups) < len(m.entries) {
			m.deltas = append(m.deltas, sign*src.count(m.entries[len(m.groups)]))
			m.groups = append(m.groups, to[i])
		}
	}
	for _, c := range m.copied {
		c.Reset()
	}
	src.table.AppendKeys(m.entries, m.copied)
	m.all = column.AllRows(m.all, len(m.entries))
}

// copiedValues gives the value columns of what copyFrom or load left.
func (m *multiset) copiedValues(dst []column.Vector) []column.Vector {
	dst = dst[:0]
	for _, c := range m.copied {
		dst = append(dst, c)
	}
	return dst
}

func (m *multiset) free(w []int64) {
	m.entries = m.list(w[0], m.entries[:0])
	for _, e := range m.entries {
		m.negative -= below(m.count(e))
		m.table.Delete(e)
	}
	w[0] = 0
	m.ahead.roots = m.ahead.roots[:0]
}

// save writes each entry as a varint multiplicity and the row encoding of its value.
func (m *multiset) save(w []int64, buf []byte) []byte {
	m.entries = m.list(w[0], m.entries[:0])
	for _, c := range m.copied {
		c.Reset()
	}
	m.table.AppendKeys(m.entries, m.copied)
	for i, e := range m.entries {
		buf = binary.AppendVarint(buf, m.count(e))
		for _, c := range m.copied {
			buf = state.AppendValue(buf, c, i)
		}
	}
	return buf
}

func (m *multiset) load(slot int32, w []int64, data []byte) bool {
	w[0] = 0
	m.groups, m.deltas = m.groups[:0], m.deltas[:0]
	for _, c := range m.copied {
		c.Reset()
	}
	for len(data) > 0 {
		count, k := binary.Varint(data)
		if k <= 0 || count == 0 {
			return false
		}
		data = data[k:]
		ok := true
		for _, c := range m.copied {
			if data, ok = state.TakeValue(data, c); !ok || c.Validity() != nil {
				return false
			}
		}
		m.deltas = append(m.deltas, count)
		m.groups = append(m.groups, 0)
	}
	m.all = column.AllRows(m.all, len(m.groups))
	m.loadInto(slot, w)
	return true
}

// loadInto applies what load decoded. The words are given as those of slot 0, while the entries' keys name the real one.
func (m *multiset) loadInto(slot int32, w []int64) {
	for i := range m.groups {
		m.groups[i] = slot
	}
	m.apply(states{w: w, stride: 0}, m.copiedValues(nil), len(m.groups), m.groups, m.all, m.deltas)
}

func (m *multiset) reset() {
	m.table.Reset()
	m.negative, m.back = 0, false
	m.ahead.roots = m.ahead.roots[:0]
}

func (m *multiset) size() int64 { return m.table.Size() }

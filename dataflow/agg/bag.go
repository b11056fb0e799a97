package agg

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// bag keeps the entries of an aggregate's rows until the result is asked for: where rows are only ever added, in a log
// per group that is sorted then; else, or where equal entries are one, in an ordered multiset.
type bag struct {
	code entryCode
	// set says that there is a multiset, distinct that an entry counts once.
	set, distinct bool
	// skipNulls leaves out rows whose value is null.
	skipNulls bool

	slots, rows []int32
	deltas      []int64
	values      []column.Vector
	keys        *column.Bytes
	buf         []byte
	entries     [][]byte
	list        []int32
}

func newBag(c *Call, retract, skipNulls bool) bag {
	return bag{
		code: newEntryCode(c), set: retract || c.Distinct, distinct: c.Distinct, skipNulls: skipNulls,
		keys: column.NewBytes(arrow.BinaryTypes.Binary),
	}
}

func (b *bag) words() int {
	if b.set {
		return 1
	}
	return logWords
}

func (b *bag) invertible() bool { return b.set }

func (b *bag) newSide() side {
	if b.set {
		return newMultiset([]arrow.DataType{arrow.BinaryTypes.Binary}, &ordering{lessBytes})
	}
	return &logs{}
}

func (b *bag) update(s states, in *input) error {
	valid := in.cols[b.code.value].Validity()
	if !b.skipNulls {
		valid = nil
	}
	if !b.set {
		l := s.side.(*logs)
		for j, r := range in.rows {
			if valid.IsValid(int(r)) {
				b.buf = b.code.append(b.buf[:0], in, int(r))
				l.append(s.w[int(in.slots[j])*s.stride:], b.buf)
			}
		}
		l.collect(s)
		return nil
	}
	b.slots, b.rows, b.deltas = b.slots[:0], b.rows[:0], b.deltas[:0]
	b.keys.Reset()
	for j, r := range in.rows {
		if !valid.IsValid(int(r)) {
			continue
		}
		b.buf = b.code.append(b.buf[:0], in, int(r))
		b.keys.Append(b.buf)
		b.rows = append(b.rows, int32(len(b.rows)))
		b.slots = append(b.slots, in.slots[j])
		b.deltas = append(b.deltas, sign(in.change, r))
	}
	b.values = append(b.values[:0], b.keys)
	s.side.(*multiset).apply(s, b.values, len(b.rows), b.slots, b.rows, b.deltas)
	return nil
}

func (b *bag) merge(s states, to []int32, src states, from []int32, sign int64) error {
	if !b.set {
		l, other := s.side.(*logs), src.side.(*logs)
		for i, t := range to {
			if x := other.at(src.w[int(from[i])*src.stride:]); len(x) > 0 {
				l.add(s.w[int(t)*s.stride:], x)
			}
		}
		l.collect(s)
		return nil
	}
	m := s.side.(*multiset)
	m.copyFrom(src.side.(*multiset), src, to, from, sign)
	b.values = m.copiedValues(b.values)
	m.apply(s, b.values, len(m.groups), m.groups, m.all, m.deltas)
	return nil
}

// sorted gives the entries of a group in order, borrowed until the next call or change.
func (b *bag) sorted(s states, slot int32) [][]byte {
	b.entries = b.entries[:0]
	w := s.w[int(slot)*s.stride:]
	if !b.set {
		inOrder := true
		for data := s.side.(*logs).at(w); len(data) > 0; {
			n, k := binary.Uvarint(data)
			e := data[k : k+int(n)]
			data = data[k+int(n):]
			if last := len(b.entries) - 1; inOrder && last >= 0 && bytes.Compare(b.entries[last], e) > 0 {
				inOrder = false
			}
			b.entries = append(b.entries, e)
		}
		if !inOrder {
			slices.SortFunc(b.entries, bytes.Compare)
		}
		return b.entries
	}
	m := s.side.(*multiset)
	b.settle(m, s, slot)
	b.list = m.list(w[0], b.list[:0])
	for _, e := range b.list {
		n := m.count(e)
		if b.distinct {
			n = min(n, 1)
		}
		for range max(n, 0) {
			b.entries = append(b.entries, entryBytes(m.table, e))
		}
	}
	return b.entries
}

// settle lets retractions that have another event time than their inserts, as a changelog from outside may have them,
// take back the earliest rows with the same value.
func (b *bag) settle(m *multiset, s states, slot int32) {
	if m.negative == 0 || !b.code.time {
		return
	}
	b.list = m.list(s.w[int(slot)*s.stride], b.list[:0])
	short := map[string]int64{}
	for _, e := range b.list {
		if n := m.count(e); n < 0 {
			b.buf = b.code.identity(b.buf[:0], entryBytes(m.table, e))
			short[string(b.buf)] -= n
		}
	}
	if len(short) == 0 {
		return
	}
	b.slots, b.rows, b.deltas = b.slots[:0], b.rows[:0], b.deltas[:0]
	b.keys.Reset()
	take := func(e int32, delta int64) {
		b.keys.Append(entryBytes(m.table, e))
		b.rows, b.slots, b.deltas = append(b.rows, int32(len(b.rows))), append(b.slots, slot), append(b.deltas, delta)
	}
	taken := map[string]int64{}
	for _, e := range b.list {
		b.buf = b.code.identity(b.buf[:0], entryBytes(m.table, e))
		id := string(b.buf)
		if k := min(m.count(e), short[id]-taken[id]); k > 0 {
			taken[id] += k
			take(e, -k)
		}
	}
	for _, e := range b.list {
		b.buf = b.code.identity(b.buf[:0], entryBytes(m.table, e))
		id := string(b.buf)
		if k := min(-m.count(e), taken[id]); k > 0 {
			taken[id] -= k
			take(e, k)
		}
	}
	b.values = append(b.values[:0], b.keys)
	m.apply(s, b.values, len(b.rows), b.slots, b.rows, b.deltas)
}

// logs holds a byte string per group that grows at its end, with garbage between them. Words: offset, length, and the
// room that there is.
type logs struct {
	data    []byte
	garbage int
}

const logWords = 3

func (l *logs) at(w []int64) []byte { return l.data[w[0] : w[0]+w[1]] }

// append adds one entry.
func (l *logs) append(w []int64, entry []byte) {
	var head [binary.MaxVarintLen64]byte
	n := binary.PutUvarint(head[:], uint64(len(entry)))
	l.grow(w, n+len(entry))
	end := w[0] + w[1]
	copy(l.data[end:], head[:n])
	copy(l.data[end+int64(n):], entry)
	w[1] += int64(n + len(entry))
}

// add adds encoded entries.
func (l *logs) add(w []int64, entries []byte) {
	l.grow(w, len(entries))
	copy(l.data[w[0]+w[1]:], entries)
	w[1] += int64(len(entries))
}

// grow makes room for n more bytes; the room of a group doubles, at the end of the memory if it is not there already.
func (l *logs) grow(w []int64, n int) {
	need := w[1] + int64(n)
	if need <= w[2] {
		return
	}
	room := max(need, 2*w[2], 32)
	if w[2] > 0 && w[0]+w[2] == int64(len(l.data)) {
		l.data = extend(l.data, int(room-w[2]))
		w[2] = room
		return
	}
	at := int64(len(l.data))
	l.data = extend(l.data, int(room))
	copy(l.data[at:], l.at(w))
	l.garbage += int(w[2])
	w[0], w[2] = at, room
}

func extend(b []byte, n int) []byte {
	if cap(b)-len(b) >= n {
		return b[:len(b)+n]
	}
	return append(b, make([]byte, n)...)
}

// collect rewrites the memory when most of it is garbage. Rows of deleted groups refer to nothing.
func (l *logs) collect(s states) {
	if l.garbage < 1<<16 || 2*l.garbage < len(l.data) {
		return
	}
	fresh := make([]byte, 0, len(l.data)-l.garbage+len(l.data)/8)
	for at := 0; at+logWords <= len(s.w); at += s.stride {
		w := s.w[at : at+logWords]
		if w[2] == 0 {
			continue
		}
		x := l.data[w[0] : w[0]+w[2]]
		w[0] = int64(len(fresh))
		fresh = append(fresh, x...)
	}
	l.data, l.garbage = fresh, 0
}

func (l *logs) free(w []int64) {
	l.garbage += int(w[2])
	clear(w[:logWords])
}

func (l *logs) save(w []int64, buf []byte) []byte { return append(buf, l.at(w)...) }

func (l *logs) load(_ int32, w []int64, data []byte) bool {
	clear(w[:logWords])
	for rest := data; len(rest) > 0; {
		n, k := binary.Uvarint(rest)
		if k <= 0 || n > uint64(len(rest)-k) {
			return false
		}
		rest = rest[k+int(n):]
	}
	if len(data) > 0 {
		l.add(w, data)
	}
	return true
}

func (l *logs) reset() { l.data, l.garbage = l.data[:0], 0 }

func (l *logs) size() int64 { return int64(cap(l.data)) }

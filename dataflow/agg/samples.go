package agg

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// samples holds the values of each group, as words that order as they compare, where rows are only ever added. The words
// of a group lie together with some room behind them, and garbage between groups: first runs, each a value and how often
// it occurs, in the order of the values, then single values that have come since, of which those that were there when the
// group was last read are in order, too. Values become runs when a group has many and that saves memory, so that what a
// group takes is bounded by its distinct values.
//
// Words of a group: where its room begins, where in it the runs end, the values in order, and all values, and its size.
type samples struct {
	data    []int64
	garbage int

	// memory of merging and reading.
	merged, read, counts []int64
}

const (
	sampleAt = iota
	sampleRuns
	sampleSorted
	sampleTaken
	sampleRoom
	sampleWords
)

// minSamples is the least room, minMerged the room from which on it is tried to save memory.
const (
	minSamples = 8
	minMerged  = 512
)

// runs and loose are the two parts of a group, borrowed until the next change.
func (m *samples) runs(w []int64) []int64 { return m.data[w[sampleAt]:][:w[sampleRuns]] }

func (m *samples) loose(w []int64) []int64 {
	return m.data[w[sampleAt]:][w[sampleRuns]:w[sampleTaken]]
}

// add adds values[rows[j]] to the group whose words are at slots[j].
func (m *samples) add(s states, values []int64, slots, rows []int32) {
	for j, r := range rows {
		w := s.w[int(slots[j])*s.stride:][:sampleWords]
		if w[sampleTaken] == w[sampleRoom] {
			m.grow(w)
		}
		m.data[w[sampleAt]+w[sampleTaken]] = values[r]
		w[sampleTaken]++
	}
	m.collect(s)
}

// grow makes room for one more value, by merging what is there or by taking twice the room.
func (m *samples) grow(w []int64) {
	// Where merging did not help it is tried again when there is four times as much.
	room := w[sampleRoom]
	if room >= minMerged && (w[sampleRuns] > 0 || bits.TrailingZeros64(uint64(room/minMerged))%2 == 0) && m.merge(w) {
		return
	}
	m.enlarge(w, max(minSamples, 2*room))
}

// merge turns the loose values of a group into runs if they then leave a quarter of the room free.
func (m *samples) merge(w []int64) bool {
	m.sort(w)
	m.merged = appendRuns(m.merged[:0], m.runs(w), m.loose(w))
	if int64(len(m.merged)) > w[sampleRoom]-w[sampleRoom]/4 {
		return false
	}
	m.setRuns(w, m.merged)
	return true
}

// setRuns makes runs all that a group has.
func (m *samples) setRuns(w, runs []int64) {
	n := int64(copy(m.data[w[sampleAt]:], runs))
	w[sampleRuns], w[sampleSorted], w[sampleTaken] = n, n, n
}

// sort puts the loose values of a group in order: those that have come since the last time are merged with the others.
func (m *samples) sort(w []int64) {
	loose, k := m.loose(w), int(w[sampleSorted]-w[sampleRuns])
	w[sampleSorted] = w[sampleTaken]
	slices.Sort(loose[k:])
	if k == 0 || k == len(loose) || loose[k-1] <= loose[k] {
		return
	}
	m.read = append(m.read[:0], loose[k:]...)
	i, j := k-1, len(m.read)-1
	for to := len(loose) - 1; j >= 0; to-- {
		if i >= 0 && loose[i] > m.read[j] {
			loose[to], i = loose[i], i-1
		} else {
			loose[to], j = m.read[j], j-1
		}
	}
}

// appendRuns appends the runs of a group with these runs and loose values, which are sorted.
func appendRuns(dst, runs, loose []int64) []int64 {
	for len(runs) > 0 || len(loose) > 0 {
		v, n := int64(0), int64(0)
		if len(loose) == 0 || len(runs) > 0 && runs[0] <= loose[0] {
			v, n, runs = runs[0], runs[1], runs[2:]
		} else {
			v = loose[0]
		}
		for len(loose) > 0 && loose[0] == v {
			n, loose = n+1, loose[1:]
		}
		dst = append(dst, v, n)
	}
	return dst
}

// enlarge gives a group more room, at the end of the memory if it does not lie there already.
func (m *samples) enlarge(w []int64, room int64) {
	at, old := w[sampleAt], w[sampleRoom]
	end := int64(len(m.data))
	if old > 0 && at+old == end {
		m.data = slices.Grow(m.data, int(room-old))[:at+room]
	} else {
		m.data = slices.Grow(m.data, int(room))[:end+room]
		copy(m.data[end:], m.data[at:at+w[sampleTaken]])
		m.garbage += int(old)
		w[sampleAt] = end
	}
	w[sampleRoom] = room
}

// addGroup adds what a group of other samples has.
func (m *samples) addGroup(w []int64, other *samples, x []int64) {
	if runs := other.runs(x); len(runs) > 0 {
		m.addRuns(w, runs)
	}
	loose := other.loose(x)
	m.reserve(w, int64(len(loose)))
	copy(m.data[w[sampleAt]+w[sampleTaken]:], loose)
	w[sampleTaken] += int64(len(loose))
}

// addRuns makes all that a group has runs, together with others.
func (m *samples) addRuns(w, others []int64) {
	m.sort(w)
	m.read = appendRuns(m.read[:0], m.runs(w), m.loose(w))
	own := m.read
	m.merged = m.merged[:0]
	for len(own) > 0 || len(others) > 0 {
		switch {
		case len(others) == 0 || len(own) > 0 && own[0] < others[0]:
			m.merged, own = append(m.merged, own[0], own[1]), own[2:]
		case len(own) == 0 || others[0] < own[0]:
			m.merged, others = append(m.merged, others[0], others[1]), others[2:]
		default:
			m.merged = append(m.merged, own[0], own[1]+others[1])
			own, others = own[2:], others[2:]
		}
	}
	m.reserve(w, int64(len(m.merged))-w[sampleTaken])
	m.setRuns(w, m.merged)
}

// reserve makes room for n more words.
func (m *samples) reserve(w []int64, n int64) {
	if need := w[sampleTaken] + n; need > w[sampleRoom] {
		m.enlarge(w, max(minSamples, 2*w[sampleRoom], need))
	}
}

// sorted gives the values of a group in order and how often each occurs, which is once without counts. Both are borrowed
// until the next call or change.
func (m *samples) sorted(w []int64) (values, counts []int64) {
	m.sort(w)
	runs, loose := m.runs(w), m.loose(w)
	if len(runs) == 0 {
		return loose, nil
	}
	m.merged = appendRuns(m.merged[:0], runs, loose)
	m.read, m.counts = m.read[:0], m.counts[:0]
	for i := 0; i < len(m.merged); i += 2 {
		m.read, m.counts = append(m.read, m.merged[i]), append(m.counts, m.merged[i+1])
	}
	return m.read, m.counts
}

// collect rewrites the memory when most of it is garbage. Rows of deleted groups refer to nothing.
func (m *samples) collect(s states) {
	if m.garbage < 1<<13 || 2*m.garbage < len(m.data) {
		return
	}
	fresh := make([]int64, 0, len(m.data)-m.garbage+len(m.data)/8)
	for at := 0; at+sampleWords <= len(s.w); at += s.stride {
		w := s.w[at : at+sampleWords]
		if w[sampleRoom] == 0 {
			continue
		}
		x := m.data[w[sampleAt]:][:w[sampleRoom]]
		w[sampleAt] = int64(len(fresh))
		fresh = append(fresh, x...)
	}
	m.data, m.garbage = fresh, 0
}

func (m *samples) free(w []int64) {
	m.garbage += int(w[sampleRoom])
	clear(w[:sampleWords])
}

// save writes what a multiset of the values would: for each a varint of how often it occurs, and its row encoding.
func (m *samples) save(w []int64, buf []byte) []byte {
	for runs := m.runs(w); len(runs) > 0; runs = runs[2:] {
		buf = appendSample(buf, runs[0], runs[1])
	}
	for _, v := range m.loose(w) {
		buf = appendSample(buf, v, 1)
	}
	return buf
}

func appendSample(buf []byte, value, n int64) []byte {
	return binary.LittleEndian.AppendUint64(append(binary.AppendVarint(buf, n), 1), uint64(value))
}

func (m *samples) load(_ int32, w []int64, data []byte) bool {
	clear(w[:sampleWords])
	m.read, m.merged = m.read[:0], m.merged[:0]
	for len(data) > 0 {
		n, k := binary.Varint(data)
		if k <= 0 || n < 1 || len(data) < k+9 || data[k] != 1 {
			return false
		}
		v := int64(binary.LittleEndian.Uint64(data[k+1:]))
		data = data[k+9:]
		if n == 1 {
			m.read = append(m.read, v)
		} else {
			m.merged = append(m.merged, v, n)
		}
	}
	for i := 2; i < len(m.merged); i += 2 {
		if m.merged[i] <= m.merged[i-2] {
			return false
		}
	}
	m.reserve(w, int64(len(m.merged)+len(m.read)))
	at := m.data[w[sampleAt]:]
	copy(at[copy(at, m.merged):], m.read)
	n := int64(len(m.merged))
	w[sampleRuns], w[sampleSorted], w[sampleTaken] = n, n, n+int64(len(m.read))
	return true
}

func (m *samples) reset() { m.data, m.garbage = m.data[:0], 0 }

func (m *samples) size() int64 { return int64(8 * cap(m.data)) }

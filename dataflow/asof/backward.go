package asof

import (
	"wadi/dataflow/column"
	"wadi/dataflow/eventtime"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// backward looks for right rows at or before the left ones. Rows that are due go by in blocks: first the keys of a block are
// looked up, all of them at a time, so that the misses of the cache overlap; then it is swept in the order of event time, which
// reads nothing else than what has just been read; then values are copied, a column at a time. The right rows of a block take
// their places when it is done; until then their keys know the last of them that was swept.
type backward struct {
	*asof
	versions *versions
	// passing are the keys whose rows are of use until some time only, each once. Those that have newer rows by then come
	// again.
	passing queue

	// Of a block: for each left row, the number of right rows that come before it; keys whose rows are matches; left rows
	// whose matches are in the block, and these; and the right rows that stay, with their keys.
	before      []int32
	from        []int32
	lefts, news []int32
	keys, stay  []int32
	// kept has the row of a key that is compared.
	kept   *column.Builder
	keptIn []column.Appender
}

// blockRows is the most rows of each side in a block, so that what is read of them stays in the second nearest cache.
const blockRows = 4096

func newBackward(j *asof) *backward {
	b := &backward{asof: j, versions: newVersions(j.in[right], j.keyFields())}
	b.kept, b.keptIn = newColumns(j.in[right])
	return b
}

func (j *backward) sweep(w int64, out operator.Emitter) error {
	lefts, rights := j.due[left], j.due[right]
	for len(lefts)+len(rights) > 0 {
		n, m := j.cut(lefts, rights)
		j.fill(left, lefts[:n])
		j.fill(right, rights[:m])
		if err := j.step(out); err != nil {
			return err
		}
		lefts, rights = lefts[n:], rights[m:]
	}
	j.pass(w)
	return nil
}

// cut gives the number of rows of each side that make up the next block.
func (j *backward) cut(lefts, rights []entry) (n, m int) {
	j.before = j.before[:0]
	for n < min(len(lefts), blockRows) {
		t := lefts[n].time
		for m < len(rights) && (rights[m].time < t || rights[m].time == t && !j.spec.Strict) {
			if m == blockRows {
				return n, m
			}
			m++
		}
		j.before = append(j.before, int32(m))
		n++
	}
	if n == len(lefts) {
		m = min(len(rights), blockRows)
	}
	return n, m
}

// step does a block.
func (j *backward) step(out operator.Emitter) error {
	l, r := &j.blocks[left], &j.blocks[right]
	r.slots = j.versions.table.FindOrInsert(r.hashes, r.keys, r.rows.Rows(), nil, r.slots)
	l.slots = j.versions.table.Find(l.hashes, l.keys, l.rows.Rows(), nil, l.slots)
	j.begin(l.rows.Rows())
	j.match(l.rows.Batch(), r.rows.Batch())
	j.versions.gather(j.from, j.rightIn)
	for k, i := range j.lefts {
		j.at[i] = j.none() + int32(len(j.from)+k)
	}
	if len(j.lefts) > 0 {
		b := r.rows.Batch()
		for i, c := range j.rightIn {
			c.AppendSel(b.Cols[i], j.news)
		}
	}
	j.settle(r.rows.Batch())
	if l.rows.Rows() == 0 {
		return nil
	}
	return j.emit(l.rows.Batch(), out)
}

// match sweeps a block.
func (j *backward) match(lefts, rights *column.Batch) {
	slots := j.blocks[right].slots
	words, stride := j.versions.table.Values()
	j.from, j.lefts, j.news = j.from[:0], j.lefts[:0], j.news[:0]
	next := 0
	first := j.none()
	for i, slot := range j.blocks[left].slots {
		for ; next < int(j.before[i]); next++ {
			j.take(slots[next], rights, next)
		}
		if slot < 0 {
			continue
		}
		w := words[int(slot)*stride : int(slot)*stride+headWords]
		switch latest := int32(w[flagsWord] >> latestShift); {
		case latest == 0 && w[flagsWord]&^noted == present && j.reaches(w[timeWord], lefts.Time[i]):
			j.at[i] = first + int32(len(j.from))
			j.from = append(j.from, slot)
			j.matched = append(j.matched, int32(i))
		case latest > 0 && !ends(rights, int(latest-1)) && j.reaches(rights.Time[latest-1], lefts.Time[i]):
			j.lefts, j.news = append(j.lefts, int32(i)), append(j.news, latest-1)
			j.matched = append(j.matched, int32(i))
		}
	}
	for ; next < len(slots); next++ {
		j.take(slots[next], rights, next)
	}
}

// ends reports whether a right row is the end of the one before.
func ends(b *column.Batch, i int) bool { return b.Change != nil && b.Change[i] == column.Retract }

// take makes row i of a block the last of its key, unless the one before is newer.
func (j *backward) take(slot int32, rights *column.Batch, i int) {
	words, stride := j.versions.table.Values()
	w := words[int(slot)*stride : int(slot)*stride+headWords]
	switch latest := int(w[flagsWord] >> latestShift); {
	case latest > 0:
		if j.compare(rights, latest-1, rights, i) > 0 {
			return
		}
	case w[flagsWord] == 0 || w[timeWord] < rights.Time[i]:
	case w[timeWord] > rights.Time[i] || !j.spec.Latest && j.compare(j.read(slot, w[timeWord]), 0, rights, i) > 0:
		return
	}
	w[flagsWord] = w[flagsWord]&flagMask | int64(i+1)<<latestShift
}

// read is the row of a key as a batch.
func (j *backward) read(slot int32, time int64) *column.Batch {
	j.kept.Reset()
	j.versions.gather([]int32{slot}, j.keptIn)
	j.kept.AppendTime(time, column.Insert)
	return j.kept.Batch()
}

// settle gives the last right rows of a block their places.
func (j *backward) settle(rights *column.Batch) {
	words, stride := j.versions.table.Values()
	j.keys, j.stay = j.keys[:0], j.stay[:0]
	for i, slot := range j.blocks[right].slots {
		w := words[int(slot)*stride : int(slot)*stride+headWords]
		if w[flagsWord]>>latestShift != int64(i+1) {
			continue
		}
		w[flagsWord], w[timeWord] = present|w[flagsWord]&noted, rights.Time[i]
		if ends(rights, i) {
			w[flagsWord] |= ended
		}
		j.keys, j.stay = append(j.keys, slot), append(j.stay, int32(i))
		j.limit(slot, w)
	}
	j.versions.put(j.keys, rights, j.stay)
}

// limit notes until when the row of a key is of use, unless that is noted of an earlier one.
func (j *backward) limit(slot int32, w []int64) {
	if d := j.use(w); d > 0 && w[flagsWord]&noted == 0 {
		w[flagsWord] |= noted
		j.passing.push(entry{eventtime.Add(w[timeWord], d), int64(slot)})
	}
}

// use is for how long a row is of use; 0 is for good. An end matches nothing, and is kept only so that late versions from
// before it do not take its place.
func (j *backward) use(w []int64) int64 {
	if w[flagsWord]&ended == 0 || j.spec.Reach > 0 {
		return j.spec.Reach
	}
	return j.spec.TTL
}

// pass forgets the rows that are of no use any more.
func (j *backward) pass(w int64) {
	for e, ok := j.passing.first(); ok && e.time < w; e, ok = j.passing.first() {
		j.passing.pop()
		slot := int32(e.row)
		words, stride := j.versions.table.Values()
		k := words[int(slot)*stride : int(slot)*stride+headWords]
		if d := j.use(k); d > 0 && eventtime.Add(k[timeWord], d) == e.time {
			j.versions.delete(slot)
			continue
		}
		k[flagsWord] &^= noted
		j.limit(slot, k)
	}
}

func (j *backward) late() {
	r := &j.blocks[right]
	j.begin(0)
	j.blocks[left].slots = j.blocks[left].slots[:0]
	r.slots = j.versions.table.FindOrInsert(r.hashes, r.keys, r.rows.Rows(), nil, r.slots)
	j.match(nil, r.rows.Batch())
	j.settle(r.rows.Batch())
}

const versionsTable = "versions"

func (j *backward) save(w state.Writer) { j.versions.save(w, versionsTable) }

func (j *backward) load(r state.Reader) error {
	if err := j.versions.load(r, versionsTable, j.env.Keys); err != nil {
		return err
	}
	words, stride := j.versions.table.Values()
	for _, slot := range j.versions.table.Slots(nil) {
		j.limit(slot, words[int(slot)*stride:][:headWords])
	}
	return nil
}

func (j *backward) size() int64 { return j.versions.size() + j.passing.size() }

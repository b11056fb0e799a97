package asof

import (
	"bytes"
	"cmp"
	"slices"

	"wadi/dataflow/column"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// forward looks for right rows at or after the left ones, which wait in a list per key until one comes by.
type forward struct {
	*asof
	// keys are those for which left rows wait, with the number of the first plus one.
	keys *state.Table
	rows *ordered.Rows
	// waiting are the rows that go at some watermark without another row's doing. Those that have gone already are passed
	// over.
	waiting queue

	// Of a sweep: left rows, each with its match, a row of right or −1, and the time of the result; the batch that they go
	// into; and the keys that may have no rows any more.
	lefts   []int32
	match   []int32
	times   []int64
	batch   *column.Builder
	batchIn []column.Appender
	done    []int32
	// Rows of one time, as bytes.
	tied []tied
	buf  []byte
}

type tied struct {
	row      int32
	from, to int
}

// Words of a row: the slot of its key, those before and behind it in the list of those that wait, plus one, and whether it
// waits.
const (
	slotWord = iota
	beforeWord
	behindWord
	waitsWord
	leftWords
)

// maxRows is the most rows in one batch of results.
const maxRows = 8192

func newForward(j *asof) *forward {
	f := &forward{asof: j, keys: state.NewTable(state.NewLayout(j.keyFields(), 1))}
	f.rows = ordered.NewRows(j.in[left], ordered.NewKey(j.in[left], nil, false), leftWords)
	f.batch, f.batchIn = newColumns(j.in[left])
	return f
}

// late drops right rows: what they are the next for has been answered or waits for them no more.
func (j *forward) late() {}

// sweep lets the left rows that are due wait, gives each right one those of its key that do, and gives up those that none can
// match any more.
func (j *forward) sweep(w int64, out operator.Emitter) error {
	j.lefts, j.match, j.times = j.lefts[:0], j.match[:0], j.times[:0]
	ids := j.keep()
	j.fill(right, j.due[right])
	r := &j.blocks[right]
	rights := r.rows.Batch()
	r.slots = j.keys.Find(r.hashes, r.keys, rights.N, nil, r.slots)
	next := 0
	for from := 0; from < rights.N; {
		t := rights.Time[from]
		to := from + 1
		for to < rights.N && rights.Time[to] == t {
			to++
		}
		for ; next < len(ids); next++ {
			if at := j.due[left][next].time; at > t || at == t && j.spec.Strict {
				break
			}
			j.wait(ids[next])
		}
		j.tie(rights, from, to)
		for _, k := range j.tied {
			if slot := r.slots[k.row]; slot >= 0 {
				j.release(slot, t, k.row)
			}
		}
		if len(j.lefts) >= maxRows {
			if err := j.flush(rights, out); err != nil {
				return err
			}
		}
		from = to
	}
	for _, id := range ids[next:] {
		j.wait(id)
	}
	j.giveUp(w)
	if err := j.flush(rights, out); err != nil {
		return err
	}
	for _, slot := range j.done {
		if j.keys.Alive(slot) && *j.first(slot) == 0 {
			j.keys.Delete(slot)
		}
	}
	j.done = j.done[:0]
	return nil
}

// keep keeps the left rows that are due.
func (j *forward) keep() []int32 {
	var ids []int32
	for due := j.due[left]; len(due) > 0; {
		n := min(len(due), chunkRows)
		j.fill(left, due[:n])
		l := &j.blocks[left]
		b := l.rows.Batch()
		l.slots = j.keys.FindOrInsert(l.hashes, l.keys, n, nil, l.slots)
		for i := range n {
			id := j.rows.Put(l.hashes[i], b.Time[i], j.rows.Encode(b, i, 0))
			j.rows.Own(id)[slotWord] = int64(l.slots[i])
			ids = append(ids, id)
		}
		due = due[n:]
	}
	return ids
}

// tie lists right rows of one time, the one that counts first.
func (j *forward) tie(rights *column.Batch, from, to int) {
	j.tied = j.tied[:0]
	if to == from+1 {
		j.tied = append(j.tied, tied{row: int32(from)})
		return
	}
	j.buf = j.buf[:0]
	for i := from; i < to; i++ {
		if j.blocks[right].slots[i] < 0 {
			continue
		}
		n := len(j.buf)
		if !j.spec.Latest {
			j.buf = j.bytes(j.buf, rights, i)
		}
		j.tied = append(j.tied, tied{int32(i), n, len(j.buf)})
	}
	if j.spec.Latest {
		slices.Reverse(j.tied)
		return
	}
	slices.SortFunc(j.tied, func(a, b tied) int { return bytes.Compare(j.buf[a.from:a.to], j.buf[b.from:b.to]) })
}

// first is the number of the first of the rows that wait for a key, plus one.
func (j *forward) first(slot int32) *int64 {
	words, stride := j.keys.Values()
	return &words[int(slot)*stride]
}

// wait puts a left row in front of those that wait for a right row of their key.
func (j *forward) wait(id int32) {
	own := j.rows.Own(id)
	k := j.first(int32(own[slotWord]))
	own[beforeWord], own[behindWord], own[waitsWord] = 0, *k, 1
	if *k != 0 {
		j.rows.Own(int32(*k) - 1)[beforeWord] = int64(id) + 1
	}
	*k = int64(id) + 1
	if j.outer || j.spec.Reach > 0 {
		j.waiting.push(entry{j.rows.Time(id), int64(id)})
	}
}

// release pairs the left rows that wait for a right one with it. For those that are too far away every other is as well.
func (j *forward) release(slot int32, t int64, right int32) {
	k := j.first(slot)
	for at := int32(*k) - 1; at >= 0; {
		if match := right; j.reaches(j.rows.Time(at), t) {
			j.answer(at, match, t)
		} else {
			j.answer(at, -1, j.rows.Time(at))
		}
		own := j.rows.Own(at)
		own[waitsWord] = 0
		at = int32(own[behindWord]) - 1
	}
	*k = 0
	j.done = append(j.done, slot)
}

func (j *forward) answer(id, match int32, t int64) {
	j.lefts, j.match, j.times = append(j.lefts, id), append(j.match, match), append(j.times, t)
}

// waits reports whether a row that is in the queue is still there and waits. Its number may be another's now, of the same time,
// which then is as due as this one.
func (j *forward) waits(e entry) bool {
	id := int32(e.row)
	return j.rows.Alive(id) && j.rows.Time(id) == e.time && j.rows.Own(id)[waitsWord] != 0
}

// giveUp takes the left rows that have waited too long out of their lists, to go without a match.
func (j *forward) giveUp(w int64) {
	for e, ok := j.waiting.first(); ok; e, ok = j.waiting.first() {
		if j.waits(e) {
			if w != operator.EndOfTime && j.reaches(e.time, w) {
				return
			}
			own := j.rows.Own(int32(e.row))
			own[waitsWord] = 0
			if own[beforeWord] != 0 {
				j.rows.Own(int32(own[beforeWord]) - 1)[behindWord] = own[behindWord]
			} else {
				*j.first(int32(own[slotWord])) = own[behindWord]
				j.done = append(j.done, int32(own[slotWord]))
			}
			if own[behindWord] != 0 {
				j.rows.Own(int32(own[behindWord]) - 1)[beforeWord] = own[beforeWord]
			}
			j.answer(int32(e.row), -1, e.time)
		}
		j.waiting.pop()
	}
}

// flush puts out the pairs found, and forgets their left rows.
func (j *forward) flush(rights *column.Batch, out operator.Emitter) error {
	for from := 0; from < len(j.lefts); {
		to := min(len(j.lefts), from+maxRows)
		if err := j.put(rights, from, to, out); err != nil {
			return err
		}
		from = to
	}
	for _, id := range j.lefts {
		j.rows.Free(id, true)
	}
	j.lefts, j.match, j.times = j.lefts[:0], j.match[:0], j.times[:0]
	return nil
}

// put puts out one batch of pairs.
func (j *forward) put(rights *column.Batch, from, to int, out operator.Emitter) error {
	j.batch.Reset()
	j.begin(to - from)
	j.full = j.full[:0]
	for k := from; k < to; k++ {
		if j.match[k] < 0 && !j.outer {
			continue
		}
		i := int32(j.batch.Rows())
		j.rows.Append(j.lefts[k], j.batchIn)
		j.batch.AppendTime(j.times[k], column.Insert)
		if j.match[k] >= 0 {
			j.at[i] = j.none() + int32(len(j.full))
			j.full = append(j.full, j.match[k])
			j.matched = append(j.matched, i)
		}
	}
	if len(j.full) > 0 {
		for i, c := range j.rightIn {
			c.AppendSel(rights.Cols[i], j.full)
		}
	}
	b := j.batch.Batch()
	j.at = j.at[:b.N]
	return j.emit(b, out)
}

const waitingTable = "waiting"

func (j *forward) save(w state.Writer) { j.rows.Save(w, waitingTable) }

func (j *forward) load(r state.Reader) error {
	loaded, err := j.rows.Load(r, waitingTable, j.env.Keys, func(uint64, int64) bool { return true })
	if err != nil {
		return err
	}
	slices.SortStableFunc(loaded, func(a, b ordered.Loaded) int { return cmp.Compare(j.rows.Time(a.ID), j.rows.Time(b.ID)) })
	l := &j.blocks[left]
	cols := make([]column.Appender, j.in[left].NumFields())
	for i := range cols {
		cols[i] = l.rows.Column(i)
	}
	for len(loaded) > 0 {
		n := min(len(loaded), chunkRows)
		l.rows.Reset()
		l.hashes = l.hashes[:0]
		for _, row := range loaded[:n] {
			j.rows.Append(row.ID, cols)
			l.hashes = append(l.hashes, j.rows.Hash(row.ID))
		}
		l.slots = j.keys.FindOrInsert(l.hashes, l.keys, n, nil, l.slots)
		for i, row := range loaded[:n] {
			j.rows.Own(row.ID)[slotWord] = int64(l.slots[i])
			j.wait(row.ID)
		}
		loaded = loaded[n:]
	}
	return nil
}

func (j *forward) size() int64 { return j.keys.Size() + j.rows.Size() + j.waiting.size() }

// holding is the operator when left rows that wait may go out without a match: it holds the watermark back to the earliest
// of these.
type holding struct {
	*asof
	forward *forward
	sent    int64
}

// MakesWatermarks implements operator.WatermarkMaker.
func (h *holding) MakesWatermarks() {}

// Watermark implements operator.Operator.
func (h *holding) Watermark(w int64, out operator.Emitter) error {
	if err := h.asof.Watermark(w, out); err != nil {
		return err
	}
	if e, ok := h.forward.waiting.first(); ok {
		w = min(w, e.time)
	}
	if w <= h.sent {
		return nil
	}
	h.sent = w
	return out.Watermark(w)
}

var _ operator.WatermarkMaker = (*holding)(nil)

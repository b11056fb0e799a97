package topn

import (
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// flush puts out what has changed since the last flush and what has been idle for too long.
func (t *topN) flush(now int64, out operator.Emitter) error {
	now = max(now, 1)
	words, stride := t.partitions.Values()
	t.idle.Expired(now, t.partitions, func(slot int32) {
		w := words[int(slot)*stride:]
		t.rank.clear(w)
		t.change(w, slot)
	})
	for i, slot := range t.changed {
		if i%warmRows == 0 {
			t.warm(t.changed[i:min(i+warmRows, len(t.changed))], shownWord, nil)
		}
		w := words[int(slot)*stride:]
		w[changedWord] = 0
		t.compare(w)
		if err := t.out.changes(t.leave, t.come, out); err != nil {
			return err
		}
		t.settle(w)
		if w[totalWord] == 0 {
			t.partitions.Delete(slot)
		}
	}
	t.changed = t.changed[:0]
	t.metrics.StateBytes.Store(t.rows.Size() + t.partitions.Size())
	return t.out.emit(out)
}

// compare fills leave and come with the difference between a partition's results and those that were put out; both are in
// order, so that they can be merged.
func (t *topN) compare(w []int64) {
	t.leave, t.come, t.old = t.leave[:0], t.come[:0], t.old[:0]
	for n := int32(w[shownWord]); n != 0; n = int32(t.rows.Own(n - 1)[nextShown]) {
		own := t.rows.Own(n - 1)
		t.old = append(t.old, result{n - 1, own[shownRank], own[shownCopies]})
	}
	t.now = t.rank.results(w, t.now[:0])
	old := t.old
	for _, r := range t.now {
		for len(old) > 0 && old[0].id != r.id && t.rows.CompareRows(old[0].id, r.id) < 0 {
			t.leaves(old[0], old[0])
			old = old[1:]
		}
		if len(old) > 0 && (old[0].id == r.id || t.rows.CompareRows(old[0].id, r.id) == 0) {
			t.differ(old[0], r)
			old = old[1:]
			continue
		}
		t.rows.Own(r.id)[shownTime] = t.rows.Time(r.id)
		t.rows.Mark(r.id)
		t.come = append(t.come, piece{r, t.rows.Time(r.id)})
	}
	for _, r := range old {
		t.leaves(r, r)
	}
}

// piece is copies of a row that leave or come, with their event time.
type piece struct {
	result
	time int64
}

func (t *topN) leaves(old, part result) {
	if part.copies > 0 {
		t.leave = append(t.leave, piece{part, t.rows.Own(old.id)[shownTime]})
	}
}

// differ compares the copies of one row that were put out with those that are among the results now. The row may have two
// entries, when it had gone and come back.
func (t *topN) differ(old, now result) {
	var gone, kept, fresh [2]result
	switch {
	case !t.spec.WithRank || t.spec.Rank != graph.RowNumber && old.rank == now.rank:
		gone[0] = result{old.id, old.rank, max(0, old.copies-now.copies)}
		fresh[0] = result{now.id, now.rank, max(0, now.copies-old.copies)}
		kept[0].copies = min(old.copies, now.copies)
	case t.spec.Rank != graph.RowNumber:
		gone[0], fresh[0] = old, now
	default:
		gone = without(old, now)
		fresh = without(now, old)
		kept[0].copies = old.copies - gone[0].copies - gone[1].copies
	}
	for _, g := range gone {
		t.leaves(old, g)
	}
	// All copies that are out have one event time, so that retractions find them.
	shown := t.rows.Own(old.id)[shownTime]
	time := shown
	if kept[0].copies == 0 {
		time = t.rows.Time(now.id)
	}
	if own := t.rows.Own(now.id); own[shownTime] != time {
		own[shownTime] = time
		t.rows.Mark(now.id)
	}
	for _, f := range fresh {
		if f.copies > 0 {
			t.come = append(t.come, piece{f, time})
		}
	}
}

// without is the ranks of a that b does not have: those before and those behind.
func without(a, b result) [2]result {
	before := result{a.id, a.rank, max(0, min(a.rank+a.copies, b.rank)-a.rank)}
	from := max(a.rank, b.rank+b.copies)
	return [2]result{before, {a.id, from, max(0, a.rank+a.copies-from)}}
}

// settle notes what is out now and frees rows that only waited for their retraction.
func (t *topN) settle(w []int64) {
	for _, r := range t.old {
		own := t.rows.Own(r.id)
		own[shownRank], own[shownCopies], own[nextShown] = 0, 0, 0
		if own[copies] == 0 {
			t.rows.Free(r.id, true)
		}
	}
	t.show(w)
}

// show makes the list of the rows that are out from now.
func (t *topN) show(w []int64) {
	next := int32(0)
	for i := len(t.now) - 1; i >= 0; i-- {
		r := t.now[i]
		own := t.rows.Own(r.id)
		own[shownRank], own[shownCopies], own[nextShown] = r.rank, r.copies, int64(next)
		next = r.id + 1
	}
	w[shownWord] = int64(next)
}

// maxRows is the most rows in one batch of results.
const maxRows = 8192

// changes adds a partition's changes to the output: what leaves, then what comes. They go into one batch if they fit.
func (o *output) changes(leave, come []piece, out operator.Emitter) error {
	n := int64(0)
	for _, p := range leave {
		n += p.copies
	}
	for _, p := range come {
		n += p.copies
	}
	if o.builder.Rows() > 0 && int64(o.builder.Rows())+n > maxRows {
		if err := o.emit(out); err != nil {
			return err
		}
	}
	for _, p := range leave {
		if err := o.put(p.result, p.time, column.Retract, out); err != nil {
			return err
		}
	}
	for _, p := range come {
		if err := o.put(p.result, p.time, column.Insert, out); err != nil {
			return err
		}
	}
	return nil
}

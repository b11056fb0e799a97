package topn

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Tables of the operator's state: the rows; when keys are forgotten, the keys with the time at which they were last seen
// and per subtask the wall-clock time of the snapshot; and for windowed inputs the progress of event time.
const (
	rowTable       = "rows"
	partitionTable = "keys"
	clockTable     = "clock"
	progressTable  = "progress"
)

// Snapshot implements operator.Operator. A flush has gone before, so the results are what was put out last.
func (t *topN) Snapshot(w state.Writer) error {
	t.rows.Save(w, rowTable)
	if t.idle.Never() {
		return nil
	}
	saveClock(w, t.env.Subtask, t.clock())
	t.partitions.Save(w, partitionTable, &t.inc)
	return nil
}

// restore reads the rows of this subtask's keys and finds out again which of them are out. The time between the snapshot
// and now does not count as idle.
func (t *topN) restore(r state.Reader, in *arrow.Schema) error {
	taken, err := loadClock(r)
	if err != nil {
		return err
	}
	if !t.idle.Never() {
		if err := t.restorePartitions(r); err != nil {
			return err
		}
	}
	loaded, err := t.rows.Load(r, rowTable, t.env.Keys, func(uint64, int64) bool { return true })
	if err != nil {
		return err
	}
	t.in.each(t.rows, in, loaded, func(id, slot int32) {
		words, stride := t.partitions.Values()
		t.rank.restore(words[int(slot)*stride:], id)
	}, t.partitions)
	t.resume(t.clock() - taken)
	return nil
}

// resume completes the partitions after all rows have been read.
func (t *topN) resume(away int64) {
	words, stride := t.partitions.Values()
	for _, slot := range t.partitions.Slots(nil) {
		w := words[int(slot)*stride : int(slot)*stride+partitionWords]
		t.rank.count(w)
		t.now = t.rank.results(w, t.now[:0])
		t.show(w)
		if !t.idle.Never() {
			w[seenWord] = max(1, w[seenWord]+away)
			t.idle.Wait(w, slot)
		}
	}
}

func (t *topN) restorePartitions(r state.Reader) error {
	return t.partitions.Load(r, partitionTable, t.env.Keys, func(w []int64) {
		seen := w[seenWord]
		clear(w)
		w[seenWord] = seen
	})
}

// each finds the partitions of rows that were read back.
func (in *input) each(rows *ordered.Rows, schema *arrow.Schema, loaded []ordered.Loaded, f func(id, slot int32), t *state.Table) {
	b := column.NewBuilder(schema, false)
	cols := make([]column.Appender, schema.NumFields())
	for i := range cols {
		cols[i] = b.Column(i)
	}
	for len(loaded) > 0 {
		n := min(len(loaded), maxRows)
		b.Reset()
		for _, l := range loaded[:n] {
			rows.Append(l.ID, cols)
			b.AppendTime(rows.Time(l.ID), column.Insert)
		}
		in.hash(b.Batch())
		in.slots = t.FindOrInsert(in.hashes, in.cols, n, nil, in.slots)
		for i, l := range loaded[:n] {
			f(l.ID, in.slots[i])
		}
		loaded = loaded[n:]
	}
}

// restore puts a row that was read back into its partition.
func (k *ranking) restore(w []int64, id int32) {
	own := k.rows.Own(id)
	own[linkWord], own[shownRank], own[shownCopies], own[nextShown] = 0, 0, 0, 0
	w[rootWord] = int64(k.tree.Insert(int32(w[rootWord]), id+1))
	w[totalWord] += own[copies]
}

// count counts what a bounded ranking knows of a partition.
func (k *ranking) count(w []int64) {
	if !k.bounded || w[rootWord] == 0 {
		return
	}
	before := int32(-1)
	k.tree.Each(int32(w[rootWord]), false, func(id int32) bool {
		if before < 0 || !k.rows.SameKeys(before, id) {
			w[groupsWord]++
		}
		before = id
		return true
	})
	k.recount(w)
	k.evict(w)
}

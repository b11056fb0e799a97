package updating

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// CodeManyRows is the code of the fault that a group of more than one row is to an aggregation of single rows.
const CodeManyRows fault.Code = "many-rows"

// maxRows is the most rows in one batch of results.
const maxRows = 8192

// Value words of a group in front of its accumulators.
const (
	// rowsWord is the number of rows; a group without any does not exist, unless it is the one of the empty key.
	rowsWord = iota
	// timeWord is the latest event time, complemented in the sign bit so that zero is the earliest time there is.
	timeWord
	// shownWord is the time, in the same form, of the row that was put out last.
	shownWord
	// seenWord is the wall-clock time of the last flush after which the group was touched, ns.
	seenWord
	ownWords
)

// aggregate is the operator.
type aggregate struct {
	spec   *graph.UpdatingAggregateSpec
	env    operator.Env
	set    *agg.Set
	groups *agg.Groups
	// global is set for the empty key, whose one row exists from the first flush on.
	global  bool
	metrics *operator.Metrics

	touched touched
	idle    idle
	results *results
	inc     state.Incremental

	hashes []uint64
	all    []int32
	slots  []int32
	keys   []column.Vector
	// fresh and differs belong to a flush: per touched group its new row and whether it has changed.
	fresh   []int32
	differs []bool
}

// New makes the operator for spec over rows of schema in; mode says whether they carry retractions. It reads
// env.Restore. The result's columns are the keys and the aggregates.
func New(spec *graph.UpdatingAggregateSpec, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	set, err := agg.Compile(spec.Aggs, mode == graph.Updating)
	if err != nil {
		return nil, err
	}
	fields := make([]arrow.Field, len(spec.Keys))
	for i, k := range spec.Keys {
		fields[i] = in.Field(k)
	}
	layout := state.NewLayout(fields, ownWords+set.Words())
	a := &aggregate{
		spec: spec, env: env, set: set, groups: set.NewGroups(layout, ownWords), metrics: env.Metrics,
		global:  len(spec.Keys) == 0 && env.Keys.Contains(column.HashSeed),
		results: newResults(fields, spec.Aggs),
		keys:    make([]column.Vector, len(spec.Keys)),
	}
	if a.metrics == nil {
		a.metrics = &operator.Metrics{}
	}
	a.idle = newIdle(spec.TTL)
	if env.Restore != nil {
		if err := a.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	a.groups.Table.Track()
	a.touchGlobal()
	return a, nil
}

// touchGlobal makes the row of the empty key, so that the first flush puts it out.
func (a *aggregate) touchGlobal() {
	if !a.global || a.groups.Table.Len() > 0 {
		return
	}
	slots := a.groups.Table.FindOrInsert([]uint64{column.HashSeed}, nil, 1, []int32{0}, nil)
	a.touched.add(slots[0], -1)
	a.groups.Table.MarkDirty(slots)
}

// Process implements operator.Operator.
func (a *aggregate) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	for i, k := range a.spec.Keys {
		a.keys[i] = b.Cols[k]
	}
	a.hashes = column.HashColumns(a.hashes, a.keys, b.N, b.Sel)
	a.slots = a.groups.Table.FindOrInsert(a.hashes, a.keys, b.N, b.Sel, a.slots)
	rows := b.Sel
	if rows == nil {
		a.all = column.AllRows(a.all, b.N)
		rows = a.all
	}
	if err := a.touch(a.slots); err != nil {
		return err
	}
	a.count(b, rows)
	return a.groups.Update(b, a.slots, rows)
}

// touch keeps the results of groups that are touched for the first time since the last flush, before they change.
func (a *aggregate) touch(slots []int32) error {
	w, stride := a.groups.Table.Values()
	fresh := a.touched.fresh(slots, a.groups.Table.Capacity())
	for _, s := range fresh {
		old := int32(-1)
		if w[int(s)*stride+rowsWord] > 0 || a.global && w[int(s)*stride+seenWord] != 0 {
			old = a.results.reserve(s)
		}
		a.touched.add(s, old)
	}
	return a.results.compute(a.groups, shownWord)
}

// count keeps the number of rows and the latest event time of the groups.
func (a *aggregate) count(b *column.Batch, rows []int32) {
	w, stride := a.groups.Table.Values()
	rows = rows[:len(a.slots)]
	if b.Change != nil {
		for j, s := range a.slots {
			w[int(s)*stride+rowsWord] += int64(b.Change[rows[j]]) - 1
		}
	}
	times := b.Time
	for j, s := range a.slots {
		at := int(s) * stride
		own := w[at : at+ownWords : at+ownWords]
		own[rowsWord]++
		own[timeWord] = int64(max(uint64(packTime(times[rows[j]])), uint64(own[timeWord])))
	}
}

// packTime turns a time into a word that orders as an unsigned number.
func packTime(t int64) int64 { return int64(uint64(t) ^ 1<<63) }

// unpackTime is the time of a packed word; a group that has never had a row gets the epoch.
func unpackTime(w int64) int64 {
	if w == 0 {
		return 0
	}
	return int64(uint64(w) ^ 1<<63)
}

// Watermark implements operator.Operator. There is nothing that a watermark releases.
func (a *aggregate) Watermark(w int64, out operator.Emitter) error {
	if w == operator.EndOfTime { // a window behind this operator closes with it, and must have the results before
		return a.flush(a.now(), out)
	}
	return nil
}

// TickInterval implements operator.Ticker.
func (a *aggregate) TickInterval() time.Duration { return time.Duration(a.spec.FlushInterval) }

// Tick implements operator.Ticker.
func (a *aggregate) Tick(now time.Time, out operator.Emitter) error {
	if a.spec.Single && a.crowded() {
		// A row may have come before the retraction of the one that it replaces. At a barrier all have come.
		return nil
	}
	return a.flush(now.UnixNano(), out)
}

// Flush implements operator.Flusher.
func (a *aggregate) Flush(out operator.Emitter) error { return a.flush(a.now(), out) }

func (a *aggregate) now() int64 {
	if a.env.Clock == nil {
		return 0
	}
	return a.env.Clock.Now().UnixNano()
}

// Finish implements operator.Operator.
func (a *aggregate) Finish(out operator.Emitter) error { return a.flush(a.now(), out) }

// Close implements operator.Operator.
func (a *aggregate) Close() error { return nil }

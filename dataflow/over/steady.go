package over

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// steady is the operator by event time for functions that need no more of earlier rows than a few words per partition: row
// numbers and ranks, aggregates from the first row or one a few rows back to the current one, and values of fixed width of
// such rows. No row stays when it is out, and the rows that a watermark releases are computed a column at a time.
type steady struct {
	spec    *graph.OverSpec
	in      *arrow.Schema
	env     operator.Env
	metrics *operator.Metrics
	calls   []steadyCall
	// words is the number of words of a partition in front of its accumulators.
	words  int
	set    *agg.Set
	groups *agg.Groups
	turns  turns

	progress ordered.Progress
	held     held
	inc      state.Incremental
	idle     state.Idle
	// pended says that rows which were not out have been saved.
	pended bool

	// Of the rows at hand, in their order: their partitions, which of them differ by the order from the row before in the
	// partition, and their numbers, those of the first row that is equal, and those of the different ones, from 1 on.
	hashes                 []uint64
	slots                  []int32
	first                  []bool
	numbers, ranks, denses []int64
	ties                   ties

	keys    []column.Vector
	all     []int32
	fresh   []int32
	schema  *arrow.Schema
	results []column.Appender
	out     column.Batch
	// large holds parts of a batch of results that is too large.
	large *column.Builder
}

// Words of a partition in front of those of its calls.
const (
	// lastSeenWord and idleWord belong to idle.
	lastSeenWord = iota
	idleWord
	// numberWord is the number of rows so far, rankWord that of the first one which is equal to the last by the order,
	// denseWord counts different ones.
	numberWord
	rankWord
	denseWord
	// turnWord is zero but while turns are made.
	turnWord
	steadyWords
)

// newSteady makes the operator if it can do what spec asks for; otherwise it gives nil.
func newSteady(spec *graph.OverSpec, in *arrow.Schema, env operator.Env) (*steady, error) {
	if spec.PerTime || spec.Updating {
		return nil, nil
	}
	s := &steady{spec: spec, in: in, env: env, metrics: env.Metrics, progress: ordered.NewProgress(), words: steadyWords}
	var calls []agg.Call
	for _, c := range spec.Calls {
		k, err := newCall(c)
		if err != nil || !s.add(k) {
			return nil, err
		}
		if k.kind == aggregate {
			calls = append(calls, k.Call)
		}
	}
	var err error
	if s.set, err = agg.Compile(calls, s.turns.back > 0); err != nil {
		return nil, err
	}
	s.prepare()
	if env.Restore != nil {
		if err := s.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	if !s.idle.Never() {
		s.groups.Table.Track()
	}
	return s, nil
}

// prepare makes what does not depend on state.
func (s *steady) prepare() {
	fields := make([]arrow.Field, len(s.spec.Keys))
	for i, k := range s.spec.Keys {
		fields[i] = s.in.Field(k)
	}
	s.keys = make([]column.Vector, len(fields))
	s.groups = s.set.NewGroups(state.NewLayout(fields, s.words+s.set.Words()), s.words)
	if len(fields) > 0 {
		s.idle = state.NewIdle(s.spec.TTL, lastSeenWord, idleWord)
	}
	s.ties = newTies(ordered.NewKey(s.in, s.spec.Order, true))
	s.held = newHeld(s.in)
	columns := slices.Clone(s.in.Fields())
	for i := range s.calls {
		c := &s.calls[i]
		columns = append(columns, arrow.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable})
		c.out = column.NewAppender(c.Type)
		s.results = append(s.results, c.out)
		if c.kind == aggregate {
			s.turns.add(c.out)
		}
	}
	s.schema = arrow.NewSchema(columns, nil)
	s.large = column.NewBuilder(s.schema, false)
}

// Process implements operator.Operator.
func (s *steady) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	for i, k := range s.spec.Keys {
		s.keys[i] = b.Cols[k]
	}
	s.hashes = column.HashColumns(s.hashes, s.keys, b.N, b.Sel)
	s.all = column.AllRows(s.all, b.N)
	rows := b.Selected(s.all)
	s.fresh = s.fresh[:0]
	for _, r := range rows {
		if !s.progress.Passed(s.hashes[r], b.Time[r]) {
			s.fresh = append(s.fresh, r)
		}
	}
	s.metrics.LateRows.Add(int64(len(rows) - len(s.fresh)))
	s.held.add(b, s.fresh)
	return nil
}

// Watermark implements operator.Operator.
func (s *steady) Watermark(w int64, out operator.Emitter) error {
	if !s.progress.Advance(w) {
		return nil
	}
	s.held.release(w)
	at := now(&s.env)
	for b := s.held.next(); b != nil; b = s.held.next() {
		if err := s.compute(b, at, out); err != nil {
			return err
		}
	}
	s.metrics.StateBytes.Store(s.groups.Size() + s.held.size())
	return nil
}

// compute puts out rows, which are in order but for those of one partition and time.
func (s *steady) compute(b *column.Batch, at int64, out operator.Emitter) error {
	for i, k := range s.spec.Keys {
		s.keys[i] = b.Cols[k]
	}
	s.hashes = column.HashColumns(s.hashes, s.keys, b.N, nil)
	t := s.groups.Table
	s.slots = t.FindOrInsert(s.hashes, s.keys, b.N, nil, s.slots)
	if s.idle.Never() {
		t.MarkDirty(s.slots)
	} else {
		s.idle.Touch(at, t, s.slots)
	}
	// Rows of one partition change places with each other, so that the partitions of the places stay.
	var order []int32
	if s.first, order = s.ties.order(b, s.slots, s.first); order != nil {
		b = s.held.permute(b, order)
	}
	s.count()
	for i := range s.calls {
		s.calls[i].out.Reset()
		s.evaluate(&s.calls[i], b)
	}
	if err := s.turns.run(s, b); err != nil {
		return err
	}
	return s.emit(b, out)
}

// count numbers the rows within their partitions.
func (s *steady) count() {
	n := len(s.slots)
	s.numbers, s.ranks, s.denses = sized(s.numbers, n), sized(s.ranks, n), sized(s.denses, n)
	w, stride := s.groups.Table.Values()
	for j, slot := range s.slots {
		own := w[int(slot)*stride:][:steadyWords]
		own[numberWord]++
		if s.first[j] {
			own[rankWord] = own[numberWord]
			own[denseWord]++
		}
		s.numbers[j], s.ranks[j], s.denses[j] = own[numberWord], own[rankWord], own[denseWord]
	}
}

// sized gives s the length n; what is in it does not matter.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// emit puts out the rows of b with their results.
func (s *steady) emit(b *column.Batch, out operator.Emitter) error {
	s.out.Schema, s.out.N, s.out.Time, s.out.Cols = s.schema, b.N, b.Time, append(s.out.Cols[:0], b.Cols...)
	for _, r := range s.results {
		s.out.Cols = append(s.out.Cols, r)
	}
	if b.N <= maxRows {
		return out.Emit(&s.out)
	}
	s.all = column.AllRows(s.all, b.N)
	for rows := s.all; len(rows) > 0; {
		n := min(len(rows), maxRows)
		s.large.Reset()
		s.large.AppendSel(&s.out, rows[:n])
		if err := out.Emit(s.large.Batch()); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// TickInterval implements operator.Ticker.
func (s *steady) TickInterval() time.Duration {
	if s.idle.Never() {
		return 0
	}
	return max(time.Second, time.Duration(s.spec.TTL/256))
}

// Tick implements operator.Ticker: it forgets keys that have been idle for too long.
func (s *steady) Tick(now time.Time, _ operator.Emitter) error {
	s.idle.Expired(max(1, now.UnixNano()), s.groups.Table, s.groups.Delete)
	return nil
}

// Finish implements operator.Operator.
func (s *steady) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (s *steady) Close() error { return nil }

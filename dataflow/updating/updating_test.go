package updating_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state/statetest"
	"wadi/dataflow/updating"
)

// lines writes changes as "+key: row" and "-key: row", with the batch boundaries as "|".
type lines struct {
	keys  int
	lines []string
}

func (l *lines) Emit(b *column.Batch) error {
	for i := range b.N {
		keys, aggs := operatortest.ShowAll(b.Cols[:l.keys], i), operatortest.ShowAll(b.Cols[l.keys:], i)
		sign := "+"
		if b.Change[i] == column.Retract {
			sign = "-"
		}
		l.lines = append(l.lines, fmt.Sprintf("%s%s: %s @%d", sign, strings.Join(keys, ","), strings.Join(aggs, " "), b.Time[i]))
	}
	return nil
}
func (l *lines) Watermark(int64) error { return nil }
func (l *lines) Idle() error           { return nil }

func (l *lines) take() string {
	s := strings.Join(l.lines, "; ")
	l.lines = nil
	return s
}

type run struct {
	t     *testing.T
	op    operator.Operator
	clock *clock.Virtual
	out   lines
	env   operator.Env
}

func start(t *testing.T, keys []int, mode graph.Mode, ttl time.Duration, env operator.Env) *run {
	t.Helper()
	r := &run{t: t, clock: clock.NewVirtual(time.Unix(5000, 0)), out: lines{keys: len(keys)}}
	if env.Keys == (column.KeyRange{}) {
		env.Keys = column.AllKeys
	}
	if env.Clock == nil {
		env.Clock = r.clock
	}
	r.env = env
	spec := &graph.UpdatingAggregateSpec{Keys: keys, Aggs: calls()[:3], FlushInterval: int64(time.Second), TTL: int64(ttl)}
	op, err := updating.New(spec, input, mode, env)
	if err != nil {
		t.Fatal(err)
	}
	r.op = op
	return r
}

// row adds one row; x is also its event time.
func (r *run) row(key, x int64, change column.Change) {
	r.t.Helper()
	b := column.NewBuilder(input, change == column.Retract)
	b.Column(0).(*column.Fixed[int64]).Append(key)
	b.Column(1).AppendNull()
	b.Column(2).(*column.Fixed[int64]).Append(x)
	b.Column(3).AppendNull()
	b.AppendTime(x, change)
	if err := r.op.Process(0, b.Batch(), &r.out); err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) tick(d time.Duration) string {
	r.t.Helper()
	r.clock.Advance(d)
	if err := r.op.(operator.Ticker).Tick(r.clock.Now(), &r.out); err != nil {
		r.t.Fatal(err)
	}
	return r.out.take()
}

func (r *run) expect(got, want string) {
	r.t.Helper()
	if got != want {
		r.t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestChangelog(t *testing.T) {
	r := start(t, []int{0}, graph.Updating, 0, operator.Env{})
	r.row(1, 10, column.Insert)
	r.row(2, 20, column.Insert)
	r.row(1, 30, column.Insert)
	r.expect(r.out.take(), "")
	r.expect(r.tick(time.Second), "+1: 2 40 30 @30; +2: 1 20 20 @20")
	r.expect(r.tick(time.Second), "")
	r.row(1, 30, column.Retract)
	r.row(2, 20, column.Retract)
	r.row(3, 5, column.Insert)
	r.row(3, 5, column.Retract)
	r.expect(r.tick(time.Second), "-1: 2 40 30 @30; +1: 1 10 10 @30; -2: 1 20 20 @20")
	r.row(1, 7, column.Insert)
	r.row(1, 7, column.Retract)
	r.expect(r.tick(time.Second), "")
	r.row(2, 1, column.Insert) // a group that comes back starts from zero
	if err := r.op.Finish(&r.out); err != nil {
		t.Fatal(err)
	}
	r.expect(r.out.take(), "+2: 1 1 1 @1")
}

// Without aggregates it is SELECT DISTINCT: one row per key that is there.
func TestKeysOnly(t *testing.T) {
	r := start(t, []int{0}, graph.Updating, 0, operator.Env{})
	op, err := updating.New(&graph.UpdatingAggregateSpec{Keys: []int{0}, FlushInterval: 1}, input, graph.Updating, r.env)
	if err != nil {
		t.Fatal(err)
	}
	r.op = op
	r.row(1, 10, column.Insert)
	r.row(1, 11, column.Insert)
	r.row(2, 12, column.Insert)
	r.expect(r.tick(time.Second), "+1:  @11; +2:  @12")
	r.row(1, 10, column.Retract)
	r.row(2, 12, column.Retract)
	r.expect(r.tick(time.Second), "-2:  @12")
}

// The answers of a subquery that is a value: a second row is a fault once all changes have come, which is at a barrier.
func TestSingleRows(t *testing.T) {
	r := start(t, []int{0}, graph.Updating, 0, operator.Env{})
	spec := &graph.UpdatingAggregateSpec{Keys: []int{0}, Aggs: calls()[2:3], FlushInterval: int64(time.Second), Single: true}
	op, err := updating.New(spec, input, graph.Updating, r.env)
	if err != nil {
		t.Fatal(err)
	}
	r.op = op
	r.row(1, 10, column.Insert)
	r.row(2, 20, column.Insert)
	r.expect(r.tick(time.Second), "+1: 10 @10; +2: 20 @20")
	r.row(1, 30, column.Insert) // of an update whose retraction comes later
	r.row(2, 21, column.Insert)
	r.row(2, 20, column.Retract)
	r.expect(r.tick(time.Second), "")
	r.row(1, 10, column.Retract)
	r.expect(r.tick(time.Second), "-1: 10 @10; +1: 30 @30; -2: 20 @20; +2: 21 @21")
	r.row(2, 22, column.Insert)
	if err := r.op.(operator.Flusher).Flush(&r.out); !fault.Is(err, updating.CodeManyRows) {
		t.Errorf("two rows give %v", err)
	}
}

func TestGlobalRowAlwaysExists(t *testing.T) {
	r := start(t, nil, graph.Updating, time.Second, operator.Env{})
	r.expect(r.tick(time.Second), "+: 0 null null @0")
	r.expect(r.tick(time.Hour), "")
	r.row(1, 4, column.Insert)
	r.expect(r.tick(time.Second), "-: 0 null null @0; +: 1 4 4 @4")
	r.row(1, 4, column.Retract)
	r.expect(r.tick(time.Second), "-: 1 4 4 @4; +: 0 null null @4")
	r.expect(r.tick(time.Hour), "")

	// Only the subtask that owns the empty key has it.
	rows := 0
	for i := range 3 {
		r := start(t, nil, graph.Append, 0, operator.Env{Subtask: i, Parallelism: 3, Keys: column.Range(i, 3)})
		if err := r.op.Finish(&r.out); err != nil {
			t.Fatal(err)
		}
		rows += len(r.out.lines)
	}
	if rows != 1 {
		t.Errorf("%d rows from three subtasks", rows)
	}
}

func TestIdleGroupsAreForgotten(t *testing.T) {
	r := start(t, []int{0}, graph.Append, 10*time.Second, operator.Env{})
	r.row(1, 1, column.Insert)
	r.row(2, 2, column.Insert)
	r.tick(time.Second)
	r.expect(r.tick(5*time.Second), "")
	r.row(2, 3, column.Insert)
	r.expect(r.tick(4*time.Second), "-2: 1 2 2 @2; +2: 2 5 3 @3")
	r.expect(r.tick(time.Second), "-1: 1 1 1 @1") // though nothing else changed
	r.row(1, 8, column.Insert)
	r.expect(r.tick(time.Second), "+1: 1 8 8 @8")
	r.expect(r.tick(8*time.Second), "-2: 2 5 3 @3")
	r.expect(r.tick(time.Second), "")
	r.expect(r.tick(time.Second), "-1: 1 8 8 @8")
	r.expect(r.tick(time.Hour), "")
}

// The time for which a pipeline was down is not idle time, and what was idle before counts on.
func TestRestoreKeepsIdleTime(t *testing.T) {
	var store statetest.Store
	r := start(t, []int{0}, graph.Append, 10*time.Second, operator.Env{})
	r.row(1, 1, column.Insert)
	r.tick(0)
	r.clock.Advance(6 * time.Second)
	if err := r.op.(operator.Flusher).Flush(&r.out); err != nil {
		t.Fatal(err)
	}
	if err := r.op.Snapshot(store.Writer(column.AllKeys)); err != nil {
		t.Fatal(err)
	}
	if err := store.Complete(); err != nil {
		t.Fatal(err)
	}
	later := clock.NewVirtual(time.Unix(1_000_000, 0))
	r = start(t, []int{0}, graph.Append, 10*time.Second, operator.Env{Restore: store.Reader(), Clock: later})
	r.clock = later
	r.expect(r.tick(3*time.Second), "")
	r.expect(r.tick(time.Second), "-1: 1 1 1 @1")
}

// Keys that come and go are not in the state any more after a restore, even when only changes are written.
func TestDeletedGroupsStayDeleted(t *testing.T) {
	var store statetest.Store
	r := start(t, []int{0}, graph.Updating, 0, operator.Env{})
	checkpoint := func() {
		t.Helper()
		if err := r.op.(operator.Flusher).Flush(&r.out); err != nil {
			t.Fatal(err)
		}
		if err := r.op.Snapshot(store.Writer(column.AllKeys)); err != nil {
			t.Fatal(err)
		}
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
	}
	for k := range int64(2000) {
		r.row(k, k, column.Insert)
	}
	checkpoint()
	for k := range int64(100) {
		r.row(k, k, column.Retract)
	}
	r.row(5, 50, column.Insert)
	checkpoint()
	if n := store.Rows("groups"); n < 2100 || n > 2101 {
		t.Errorf("%d rows were written for 2000 groups and 100 changes", n)
	}
	r.out.take()
	r = start(t, []int{0}, graph.Updating, 0, operator.Env{Restore: store.Reader()})
	r.row(3, 1, column.Insert)
	r.row(5, 50, column.Retract)
	r.row(1999, 1, column.Insert)
	r.expect(r.tick(time.Second), "+3: 1 1 1 @1; -5: 1 50 50 @50; -1999: 1 1999 1999 @1999; +1999: 2 2000 1999 @1999")
}

// Batches hold at most 8192 rows, and the two halves of an update never part.
func TestHalvesOfAnUpdateStayTogether(t *testing.T) {
	r := start(t, []int{0}, graph.Append, 0, operator.Env{})
	add := func() {
		b := column.NewBuilder(input, false)
		for k := range int64(10_000) {
			b.Column(0).(*column.Fixed[int64]).Append(k)
			b.Column(1).AppendNull()
			b.Column(2).(*column.Fixed[int64]).Append(1)
			b.Column(3).AppendNull()
			b.AppendTime(k, column.Insert)
		}
		if err := r.op.Process(0, b.Batch(), &r.out); err != nil {
			t.Fatal(err)
		}
	}
	add()
	r.row(20_000, 1, column.Insert) // makes the number of rows odd
	r.tick(time.Second)
	add()
	halves := &halves{t: t}
	if err := r.op.(operator.Flusher).Flush(halves); err != nil || halves.rows != 20_000 {
		t.Errorf("%v, %d rows", err, halves.rows)
	}
}

type halves struct {
	t    *testing.T
	rows int
}

func (h *halves) Emit(b *column.Batch) error {
	h.rows += b.N
	keys := b.Cols[0].(*column.Fixed[int64]).Values
	for i := 0; i < b.N; i += 2 {
		if b.Change[i] != column.Retract || b.Change[i+1] != column.Insert || keys[i] != keys[i+1] {
			h.t.Fatalf("rows %d and %d of a batch are no update", i, i+1)
		}
	}
	if b.N > 8192 {
		h.t.Errorf("a batch of %d rows", b.N)
	}
	return nil
}
func (h *halves) Watermark(int64) error { return nil }
func (h *halves) Idle() error           { return nil }

func TestSteadyStateAllocatesNothing(t *testing.T) {
	r := start(t, []int{0}, graph.Append, time.Hour, operator.Env{})
	b := column.NewBuilder(input, false)
	for i := range int64(1000) {
		b.Column(0).(*column.Fixed[int64]).Append(i % 50)
		b.Column(1).AppendNull()
		b.Column(2).(*column.Fixed[int64]).Append(i)
		b.Column(3).AppendNull()
		b.AppendTime(i, column.Insert)
	}
	batch, out := b.Batch(), &operatortest.Discard{}
	step := func() {
		if err := r.op.Process(0, batch, out); err != nil {
			t.Fatal(err)
		}
	}
	flush := func() {
		step()
		if err := r.op.(operator.Flusher).Flush(out); err != nil {
			t.Fatal(err)
		}
	}
	flush()
	flush()
	if n := testing.AllocsPerRun(20, step); n > 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

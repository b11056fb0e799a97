package window_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state/statetest"
	"wadi/dataflow/window"
)

// run is one subtask that counts rows by an integer key.
type run struct {
	t   *testing.T
	op  operator.Operator
	env operator.Env
	out operatortest.Windows
}

func start(t *testing.T, width, slide int64, keys []int, aggs []agg.Call, env operator.Env) *run {
	t.Helper()
	if env.Keys == (column.KeyRange{}) {
		env.Keys = column.AllKeys
	}
	env.Metrics = &operator.Metrics{}
	spec := &graph.WindowAggregateSpec{Window: graph.Window{Kind: graph.Hop, Width: width, Slide: slide}, Keys: keys, Aggs: aggs}
	op, err := window.New(spec, benchInput, env)
	if err != nil {
		t.Fatal(err)
	}
	return &run{t: t, op: op, env: env, out: operatortest.Windows{Line: line}}
}

func counting(t *testing.T, width, slide int64) *run {
	return start(t, width, slide, []int{0}, benchCalls("count"), operator.Env{})
}

// rows adds rows of key 7 at these times, in one batch.
func (r *run) rows(times ...int64) {
	r.t.Helper()
	b := column.NewBuilder(benchInput, false)
	for _, t := range times {
		b.Column(0).(*column.Fixed[int64]).Append(7)
		b.Column(1).AppendNull()
		b.Column(2).(*column.Fixed[int64]).Append(t)
		b.AppendTime(t, column.Insert)
	}
	if err := r.op.Process(0, b.Batch(), &r.out); err != nil {
		r.t.Fatal(err)
	}
}

// until releases windows and gives them as "[start,end)=count".
func (r *run) until(w int64) string {
	r.t.Helper()
	r.out.Lines = nil
	r.out.Begin()
	if err := r.op.Watermark(w, &r.out); err != nil {
		r.t.Fatal(err)
	}
	if r.out.Err() != nil {
		r.t.Fatal(r.out.Err())
	}
	var lines []string
	for _, l := range r.out.Lines {
		l = strings.ReplaceAll(strings.ReplaceAll(l, " 7: ", "="), " : ", "=")
		lines = append(lines, strings.Split(l, " @")[0])
	}
	return strings.Join(lines, " ")
}

func (r *run) expect(w int64, want string) {
	r.t.Helper()
	if got := r.until(w); got != want {
		r.t.Errorf("until %d: got %s, want %s", w, got, want)
	}
}

func TestTumble(t *testing.T) {
	r := counting(t, 10, 10)
	r.rows(1, 5, 12, 3)
	r.expect(9, "")
	r.expect(10, "[0,10)=3")
	r.rows(9, 10, 11) // 9 is late
	r.expect(19, "")
	r.rows(10) // older than the watermark, but its window is open
	r.expect(operator.EndOfTime, "[10,20)=4")
	if n := r.env.Metrics.LateRows.Load(); n != 1 {
		t.Errorf("%d late rows", n)
	}
}

func TestTimesBeforeTheEpoch(t *testing.T) {
	r := counting(t, 10, 10)
	r.rows(-1, -10, -11, 0)
	r.expect(-10, "[-20,-10)=1")
	r.expect(0, "[-10,0)=2")
	r.expect(operator.EndOfTime, "[0,10)=1")
	r = counting(t, 10, 5)
	r.rows(-7)
	r.expect(operator.EndOfTime, "[-15,-5)=1 [-10,0)=1")
}

// Windows come for every slide from the first pane with data, whose window starts before it, until the last has left.
func TestHopRampsUpAndDown(t *testing.T) {
	r := counting(t, 10, 2)
	r.rows(0, 2, 4)
	r.expect(2, "[-8,2)=1")
	r.expect(7, "[-6,4)=2 [-4,6)=3")
	r.expect(operator.EndOfTime, "[-2,8)=3 [0,10)=3 [2,12)=2 [4,14)=1")
}

// After a gap longer than the width, and one within it, no window is lost and none is empty.
func TestHopAfterGaps(t *testing.T) {
	for _, names := range [][]string{{"count"}, {"count", "max"}} {
		r := start(t, 6, 2, []int{0}, benchCalls(names...), operator.Env{})
		r.rows(0)
		first := r.until(100)
		r.rows(101, 107)
		second := r.until(operator.EndOfTime)
		cut := func(s string) (ends []string) {
			for _, w := range strings.Split(s, "[")[1:] {
				ends = append(ends, strings.Split(w, ")")[0])
			}
			return ends
		}
		if got := strings.Join(cut(first), " "); got != "-4,2 -2,4 0,6" {
			t.Errorf("%v: first %s", names, got)
		}
		if got := strings.Join(cut(second), " "); got != "96,102 98,104 100,106 102,108 104,110 106,112" {
			t.Errorf("%v: second %s", names, got)
		}
	}
}

func TestWidthThatIsNoMultipleOfTheSlide(t *testing.T) {
	r := counting(t, 7, 3)
	r.rows(0, 6, 8)
	r.expect(operator.EndOfTime, "[-6,1)=1 [-3,4)=1 [0,7)=2 [3,10)=2 [6,13)=2")
	r = counting(t, 2, 5) // rows between windows belong to none
	r.rows(0, 1, 3, 4, 6, 23)
	r.expect(operator.EndOfTime, "[0,2)=2 [5,7)=1")
}

// The ends of time are like any other: no overflow, no endless loop, no windows twice.
func TestExtremes(t *testing.T) {
	for _, w := range [][2]int64{{10, 10}, {10, 2}, {7, 3}, {1 << 62, 1 << 61}, {math.MaxInt64, math.MaxInt64}, {60, 1}} {
		r := counting(t, w[0], w[1])
		r.rows(math.MinInt64, math.MinInt64+1, 0, math.MaxInt64-1, math.MaxInt64)
		r.until(math.MinInt64 + 1)
		r.until(operator.EndOfTime)
		for _, l := range r.out.Lines {
			var from, to int64
			if _, err := fmt.Sscanf(l, "[%d,%d)", &from, &to); err != nil || from > to {
				t.Errorf("window %v of %v", l, w)
			}
		}
		if got := r.until(operator.EndOfTime); got != "" {
			t.Errorf("%v came out twice", got)
		}
		r.rows(5)
		if r.env.Metrics.LateRows.Load() == 0 {
			t.Error("a row after the end of time was not late")
		}
	}
}

func TestGlobalWindowHasNoEmptyRows(t *testing.T) {
	r := start(t, 10, 10, nil, benchCalls("count"), operator.Env{})
	r.expect(100, "")
	r.rows(101, 125)
	r.expect(operator.EndOfTime, "[100,110)=1 [120,130)=1")
}

// A batch of results holds at most 8192 rows, and several windows where they fit.
func TestBatchesOfResults(t *testing.T) {
	r := counting(t, 10, 10)
	b := column.NewBuilder(benchInput, false)
	for i := range 20_000 {
		b.Column(0).(*column.Fixed[int64]).Append(int64(i))
		b.Column(1).AppendNull()
		b.Column(2).(*column.Fixed[int64]).Append(0)
		b.AppendTime(int64(i%2)*10, column.Insert)
	}
	if err := r.op.Process(0, b.Batch(), &r.out); err != nil {
		t.Fatal(err)
	}
	sizes := &sizes{}
	if err := r.op.Watermark(operator.EndOfTime, sizes); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(sizes.rows, []int{8192, 8192, 3616}) {
		t.Errorf("batches of %v rows", sizes.rows)
	}
	// Within a window, keys come in the order of their first row.
	if !slices.IsSorted(sizes.keys[:10_000]) || !slices.IsSorted(sizes.keys[10_000:]) {
		t.Error("keys are out of order")
	}
}

type sizes struct {
	rows []int
	keys []int64
}

func (s *sizes) Emit(b *column.Batch) error {
	s.rows = append(s.rows, b.N)
	s.keys = append(s.keys, b.Cols[0].(*column.Fixed[int64]).Values...)
	return nil
}
func (s *sizes) Watermark(int64) error { return nil }
func (s *sizes) Idle() error           { return nil }

// Subtasks that had come unequally far go on in one without losing a window and without putting one out twice.
func TestRestoreOfUnequalProgress(t *testing.T) {
	for _, w := range [][2]int64{{10, 10}, {10, 5}} {
		var store statetest.Store
		var before []string
		for i := range 2 {
			r := start(t, w[0], w[1], []int{0}, benchCalls("count"), operator.Env{Subtask: i, Parallelism: 2, Keys: column.Range(i, 2)})
			for k := range int64(40) {
				r.keyed(k, i, 2, 3, 14, 25)
			}
			r.until(int64(10 + 10*i))
			before = append(before, r.out.Lines...)
			if err := r.op.Snapshot(store.Writer(r.env.Keys)); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // and once more, which must not forget what is held back
			if err := store.Complete(); err != nil {
				t.Fatal(err)
			}
			r := start(t, w[0], w[1], []int{0}, benchCalls("count"), operator.Env{Parallelism: 1, Restore: store.Reader()})
			if err := r.op.Snapshot(store.Writer(r.env.Keys)); err != nil {
				t.Fatal(err)
			}
		}
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
		r := start(t, w[0], w[1], []int{0}, benchCalls("count"), operator.Env{Parallelism: 1, Restore: store.Reader()})
		r.until(operator.EndOfTime)
		got := slices.Concat(before, r.out.Lines)
		slices.Sort(got)
		want := start(t, w[0], w[1], []int{0}, benchCalls("count"), operator.Env{})
		for k := range int64(40) {
			want.keyed(k, 0, 1, 3, 14, 25)
		}
		want.until(operator.EndOfTime)
		slices.Sort(want.out.Lines)
		if !slices.Equal(got, want.out.Lines) {
			t.Errorf("window %v: got\n%s\nwant\n%s", w, strings.Join(got, "\n"), strings.Join(want.out.Lines, "\n"))
		}
	}
}

// keyed adds rows of a key if subtask i of n owns it.
func (r *run) keyed(key int64, i, n int, times ...int64) {
	b := column.NewBuilder(benchInput, false)
	for _, t := range times {
		b.Column(0).(*column.Fixed[int64]).Append(key)
		b.Column(1).AppendNull()
		b.Column(2).(*column.Fixed[int64]).Append(t)
		b.AppendTime(t, column.Insert)
	}
	batch := b.Batch()
	if column.Owner(column.HashColumns(nil, batch.Cols[:1], 1, nil)[0], n) != i {
		return
	}
	if err := r.op.Process(0, batch, &r.out); err != nil {
		r.t.Fatal(err)
	}
}

// Checkpoints write what has changed, and files of released panes go away.
func TestCheckpointsAreIncremental(t *testing.T) {
	var store statetest.Store
	r := counting(t, 10, 10)
	key := int64(0)
	checkpoint := func() int {
		if err := r.op.Snapshot(store.Writer(r.env.Keys)); err != nil {
			t.Fatal(err)
		}
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
		return store.Rows("panes")
	}
	add := func(n int, at int64) {
		for range n {
			r.keyed(key, 0, 1, at)
			key++
		}
	}
	add(1000, 1)
	if n := checkpoint(); n != 1000 {
		t.Errorf("%d rows in the first checkpoint", n)
	}
	add(10, 2)
	if n := checkpoint(); n != 1010 {
		t.Errorf("%d rows after a change of 10", n)
	}
	if n := checkpoint(); n != 1010 {
		t.Errorf("%d rows after no change", n)
	}
	r.until(10)
	add(5, 11)
	if n := checkpoint(); n != 5 {
		t.Errorf("%d rows after the pane was released", n)
	}
}

func TestOverflowNamesThePlace(t *testing.T) {
	c := benchCalls("sum")
	c[0].Span = fault.Span{Start: 7, End: 13}
	r := start(t, 10, 10, []int{0}, c, operator.Env{})
	b := column.NewBuilder(benchInput, false)
	for range 2 {
		b.Column(0).(*column.Fixed[int64]).Append(1)
		b.Column(1).AppendNull()
		b.Column(2).(*column.Fixed[int64]).Append(math.MaxInt64)
		b.AppendTime(1, column.Insert)
	}
	if err := r.op.Process(0, b.Batch(), &r.out); err != nil {
		t.Fatal(err)
	}
	err := r.op.Watermark(100, &r.out)
	if f := fault.As(err); err == nil || f.Code != fault.CodeOverflow || f.Span != c[0].Span {
		t.Errorf("got %v", err)
	}
}

func TestBadWindows(t *testing.T) {
	for _, w := range []graph.Window{{Kind: graph.Tumble}, {Kind: graph.Hop, Width: 5}, {Kind: graph.Hop, Width: -5, Slide: 1}} {
		if _, err := window.New(&graph.WindowAggregateSpec{Window: w}, benchInput, operator.Env{Keys: column.AllKeys}); err == nil {
			t.Errorf("window %v was accepted", w)
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	r := start(t, 1<<40, 1<<40, []int{0}, benchCalls("count", "sum", "max"), operator.Env{})
	b := column.NewBuilder(benchInput, false)
	for i := range 1000 {
		b.Column(0).(*column.Fixed[int64]).Append(int64(i % 50))
		b.Column(1).AppendNull()
		b.Column(2).(*column.Fixed[int64]).Append(int64(i))
		b.AppendTime(int64(i), column.Insert)
	}
	batch := b.Batch()
	step := func() {
		if err := r.op.Process(0, batch, &r.out); err != nil {
			t.Fatal(err)
		}
	}
	step()
	if n := testing.AllocsPerRun(20, step); n > 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

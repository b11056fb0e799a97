package topn_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state/statetest"
	"wadi/dataflow/topn"
)

// lines writes changes as "+k x" or, with a rank, "+k x #rank".
type lines struct {
	lines   []string
	batches []int
}

func (l *lines) Emit(b *column.Batch) error {
	l.batches = append(l.batches, b.N)
	for i := range b.N {
		sign := "+"
		if b.Change != nil && b.Change[i] == column.Retract {
			sign = "-"
		}
		line := fmt.Sprint(sign, operatortest.Show(b.Cols[0], i), " ", operatortest.Show(b.Cols[2], i))
		if len(b.Cols) > input.NumFields() {
			line += " #" + operatortest.Show(b.Cols[input.NumFields()], i)
		}
		l.lines = append(l.lines, line)
	}
	return nil
}
func (l *lines) Watermark(int64) error { return nil }
func (l *lines) Idle() error           { return nil }

func (l *lines) take() string {
	s := strings.Join(l.lines, "; ")
	l.lines, l.batches = nil, nil
	return s
}

type run struct {
	t     *testing.T
	op    operator.Operator
	clock *clock.Virtual
	env   operator.Env
	out   lines
}

func start(t *testing.T, spec graph.TopNSpec, mode graph.Mode, env operator.Env) *run {
	t.Helper()
	r := &run{t: t, clock: clock.NewVirtual(time.Unix(5000, 0))}
	env.Keys, env.Clock, env.Metrics = column.AllKeys, r.clock, &operator.Metrics{}
	op, err := topn.New(&spec, input, mode, env)
	if err != nil {
		t.Fatal(err)
	}
	r.op, r.env = op, env
	return r
}

// row adds one row; x is also its event time.
func (r *run) row(k, x int64, change column.Change) {
	r.t.Helper()
	r.rows(k, []int64{x}, x, change)
}

func (r *run) rows(k int64, xs []int64, time int64, change column.Change) {
	r.t.Helper()
	b := column.NewBuilder(input, change == column.Retract)
	for _, x := range xs {
		b.Column(0).(*column.Fixed[int64]).Append(k)
		b.Column(1).AppendNull()
		b.Column(2).(*column.Fixed[int64]).Append(x)
		b.Column(3).(*column.Fixed[float64]).Append(0)
		b.Column(4).AppendNull()
		b.AppendTime(time, change)
	}
	if err := r.op.Process(0, b.Batch(), &r.out); err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) flush(want string) {
	r.t.Helper()
	if err := r.op.(operator.Flusher).Flush(&r.out); err != nil {
		r.t.Fatal(err)
	}
	if got := r.out.take(); got != want {
		r.t.Errorf("got  %s\nwant %s", got, want)
	}
}

var byXDesc = []graph.Order{{Column: 2, Desc: true}}

func TestTopTwo(t *testing.T) {
	r := start(t, graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 2}, graph.Append, operator.Env{})
	r.row(1, 5, column.Insert)
	r.row(2, 9, column.Insert)
	r.row(1, 7, column.Insert)
	r.flush("+1 7; +1 5; +2 9")
	r.row(1, 4, column.Insert)
	r.flush("")
	r.row(1, 6, column.Insert)
	r.flush("-1 5; +1 6")
	r.row(1, 8, column.Insert)
	r.row(1, 9, column.Insert)
	r.flush("-1 7; -1 6; +1 9; +1 8")
	r.row(1, 9, column.Insert) // the same row twice
	r.flush("-1 8; +1 9")
	if r.env.Metrics.StateBytes.Load() == 0 {
		t.Error("no state")
	}
}

// Each row is better than the one before it, and many are equal: only as many as there are results matter, in whatever batches.
func TestGrowingRows(t *testing.T) {
	for _, rank := range []graph.RankKind{graph.RowNumber, graph.Rank, graph.DenseRank} {
		r := start(t, graph.TopNSpec{Order: byXDesc, Rank: rank, Limit: 3, WithTies: true}, graph.Append, operator.Env{})
		var xs []int64
		for x := range int64(1000) {
			xs = append(xs, x/2)
		}
		r.rows(1, xs, 0, column.Insert)
		r.flush(map[graph.RankKind]string{
			graph.RowNumber: "+1 499; +1 499; +1 498; +1 498",
			graph.Rank:      "+1 499; +1 499; +1 498; +1 498",
			graph.DenseRank: "+1 499; +1 499; +1 498; +1 498; +1 497; +1 497",
		}[rank])
		slices.Reverse(xs)
		r.rows(2, xs[4:], 1, column.Insert)
		r.rows(2, []int64{498}, 1, column.Insert)
		r.flush(map[graph.RankKind]string{graph.RowNumber: "+2 498", graph.Rank: "+2 498", graph.DenseRank: "+2 498; +2 497; +2 497"}[rank])
	}
}

func TestRanksAreRowsOfTheirOwn(t *testing.T) {
	r := start(t, graph.TopNSpec{Order: byXDesc, Rank: graph.RowNumber, Limit: 3, WithRank: true}, graph.Updating, operator.Env{})
	for _, x := range []int64{10, 30, 20} {
		r.row(1, x, column.Insert)
	}
	r.flush("+1 30 #1; +1 20 #2; +1 10 #3")
	r.row(1, 25, column.Insert)
	r.flush("-1 20 #2; -1 10 #3; +1 25 #2; +1 20 #3")
	r.row(1, 30, column.Retract)
	r.flush("-1 30 #1; -1 25 #2; -1 20 #3; +1 25 #1; +1 20 #2; +1 10 #3")
	r.row(1, 25, column.Retract)
	r.row(1, 25, column.Insert) // gone and back before anybody saw it
	r.row(1, 77, column.Retract)
	r.flush("")
	for _, x := range []int64{25, 20, 10} {
		r.row(1, x, column.Retract)
	}
	r.flush("-1 25 #1; -1 20 #2; -1 10 #3")
}

func TestTiesAndKindsOfRank(t *testing.T) {
	for kind, want := range map[string]string{
		"row_number":       "+3 9 #1; +1 7 #2",
		"with ties":        "+3 9 #1; +1 7 #2; +2 7 #3",
		"rank":             "+3 9 #1; +1 7 #2; +2 7 #2",
		"dense_rank":       "+3 9 #1; +1 7 #2; +2 7 #2",
		"rank offset":      "+1 7 #2; +2 7 #2",
		"dense offset":     "+1 7 #2; +2 7 #2; +4 5 #3",
		"row_number later": "+2 7 #3; +4 5 #4",
	} {
		spec := graph.TopNSpec{Order: byXDesc, Rank: graph.RowNumber, Limit: 2, WithRank: true}
		switch kind {
		case "with ties":
			spec.WithTies = true
		case "rank":
			spec.Rank = graph.Rank
		case "dense_rank":
			spec.Rank = graph.DenseRank
		case "rank offset":
			spec.Rank, spec.Offset = graph.Rank, 1
		case "dense offset":
			spec.Rank, spec.Offset = graph.DenseRank, 1
		case "row_number later":
			spec.Offset = 2
		}
		for _, mode := range []graph.Mode{graph.Append, graph.Updating} {
			r := start(t, spec, mode, operator.Env{})
			r.row(5, 1, column.Insert)
			r.row(4, 5, column.Insert)
			r.row(2, 7, column.Insert)
			r.row(1, 7, column.Insert)
			r.row(3, 9, column.Insert)
			t.Log(kind, mode)
			r.flush(want)
		}
	}
}

// The row that is latest by its time wins, whichever comes first; equal ones by their whole value.
func TestDeduplicate(t *testing.T) {
	r := start(t, graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 1}, graph.Append, operator.Env{})
	r.row(1, 5, column.Insert)
	r.row(1, 3, column.Insert)
	r.flush("+1 5")
	r.row(1, 6, column.Insert)
	r.row(1, 7, column.Insert)
	r.flush("-1 5; +1 7")
}

func TestIdleKeysAreForgotten(t *testing.T) {
	spec := graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 1, TTL: int64(10 * time.Second)}
	r := start(t, spec, graph.Append, operator.Env{})
	r.row(1, 5, column.Insert)
	r.row(2, 6, column.Insert)
	r.flush("+1 5; +2 6")
	r.clock.Advance(6 * time.Second)
	r.row(2, 1, column.Insert) // does not rank, but the key is in use
	r.clock.Advance(4 * time.Second)
	r.flush("-1 5")
	r.row(1, 2, column.Insert)
	r.clock.Advance(6 * time.Second)
	r.flush("+1 2; -2 6")
	spec.Keys = nil
	r = start(t, spec, graph.Append, operator.Env{})
	r.row(1, 5, column.Insert)
	r.flush("+1 5")
	r.clock.Advance(time.Hour)
	r.flush("")
}

// The time for which a pipeline was down is not idle time, and what was idle before counts on.
func TestRestoreKeepsIdleTime(t *testing.T) {
	var store statetest.Store
	spec := graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 1, TTL: int64(10 * time.Second)}
	r := start(t, spec, graph.Append, operator.Env{})
	r.row(1, 5, column.Insert)
	r.flush("+1 5")
	r.clock.Advance(6 * time.Second)
	if err := r.op.Snapshot(store.Writer(column.AllKeys)); err != nil {
		t.Fatal(err)
	}
	if err := store.Complete(); err != nil {
		t.Fatal(err)
	}
	r = start(t, spec, graph.Append, operator.Env{Restore: store.Reader()}) // by a clock that is behind
	r.flush("")
	r.clock.Advance(3 * time.Second)
	r.flush("")
	r.clock.Advance(time.Second)
	r.flush("-1 5")
}

// Checkpoints write what has changed.
func TestCheckpointsAreIncremental(t *testing.T) {
	var store statetest.Store
	r := start(t, graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 1}, graph.Append, operator.Env{})
	checkpoint := func(want int) {
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
		if n := store.Rows("rows"); n != want {
			t.Errorf("%d rows, want %d", n, want)
		}
	}
	for k := range int64(2000) {
		r.row(k, 10, column.Insert)
	}
	checkpoint(2000)
	for k := range int64(100) {
		r.row(k, 20, column.Insert)
		r.row(k+500, 5, column.Insert)
	}
	checkpoint(2100) // 100 new rows in the places of others
	checkpoint(2100)
	r.out.take()
	r = start(t, graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 1}, graph.Append, operator.Env{Restore: store.Reader()})
	r.row(3, 30, column.Insert)
	r.row(1999, 11, column.Insert)
	r.flush("-3 20; +3 30; -1999 10; +1999 11")
}

func TestPerTime(t *testing.T) {
	r := start(t, graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 2, WithRank: true, PerTime: true}, graph.Append, operator.Env{})
	until := func(w int64, want string) {
		t.Helper()
		if err := r.op.Watermark(w, &r.out); err != nil {
			t.Fatal(err)
		}
		if got := r.out.take(); got != want {
			t.Errorf("until %d got %s, want %s", w, got, want)
		}
	}
	r.rows(1, []int64{5, 7, 6}, 9, column.Insert)
	r.rows(1, []int64{1}, 19, column.Insert)
	r.rows(1, []int64{2}, -1, column.Insert)
	until(9, "+1 2 #1")
	until(10, "+1 7 #1; +1 6 #2")
	r.rows(1, []int64{5, 7}, 9, column.Insert)
	until(operator.EndOfTime, "+1 1 #1")
	r.rows(1, []int64{5}, operator.EndOfTime, column.Insert)
	if n := r.env.Metrics.LateRows.Load(); n != 3 {
		t.Errorf("%d late rows", n)
	}
}

// Batches hold at most 8192 rows, and the changes of a key are not torn apart where they fit into one.
func TestBatchesOfResults(t *testing.T) {
	r := start(t, graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 3}, graph.Append, operator.Env{})
	for k := range int64(5000) {
		r.rows(k, []int64{1, 2, 3}, 0, column.Insert)
	}
	if err := r.op.Finish(&r.out); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.out.batches); got != "[8190 6810]" {
		t.Errorf("batches of %s rows", got)
	}
	r = start(t, graph.TopNSpec{Order: byXDesc, Rank: graph.RowNumber, Limit: -1, Offset: 1}, graph.Append, operator.Env{})
	for range 3 {
		r.rows(1, make([]int64, 8000), 0, column.Insert)
	}
	if err := r.op.Finish(&r.out); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(r.out.batches); got != "[8192 8192 7615]" {
		t.Errorf("batches of %s rows", got)
	}
}

func TestRefusesNonsense(t *testing.T) {
	for _, spec := range []graph.TopNSpec{{}, {Rank: graph.Rank, Offset: -1}, {Rank: 9}} {
		if _, err := topn.New(&spec, input, graph.Append, operator.Env{Keys: column.AllKeys}); err == nil {
			t.Errorf("%v was accepted", spec)
		}
	}
}

package topn_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state/statetest"
	"wadi/dataflow/topn"
)

// texts makes rows of k, t, x and s of input; f is 0.
func texts(rows ...[4]string) *column.Batch {
	b := column.NewBuilder(input, false)
	for _, r := range rows {
		var k, x int64
		fmt.Sscan(r[0], &k)
		fmt.Sscan(r[2], &x)
		b.Column(0).(*column.Fixed[int64]).Append(k)
		b.Column(1).(*column.Bytes).AppendString(r[1])
		b.Column(2).(*column.Fixed[int64]).Append(x)
		b.Column(3).(*column.Fixed[float64]).Append(0)
		b.Column(4).(*column.Bytes).AppendString(r[3])
		b.AppendTime(x, column.Insert)
	}
	return b.Batch()
}

// Of rows that are equal by the order, the one whose values come first is the best, also within one batch and however long
// its texts are; what has been beaten before a flush never goes out.
func TestBestOfEqualRows(t *testing.T) {
	r := start(t, graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 1, WithRank: true}, graph.Append, operator.Env{})
	out := operatortest.NewTable(true)
	out.Line = func(b *column.Batch, i int) string { return strings.Join(operatortest.ShowAll(b.Cols, i), " ") }
	long := strings.Repeat("long ", 10)
	check := func(want string) {
		t.Helper()
		if err := r.op.(operator.Flusher).Flush(out); err != nil {
			t.Fatal(err)
		}
		if d := operatortest.Difference(out.Rows, map[string]int{want: 1}); d != "" {
			t.Error(d)
		}
	}
	process := func(rows ...[4]string) {
		if err := r.op.Process(0, texts(rows...), out); err != nil {
			t.Fatal(err)
		}
	}
	process([4]string{"1", "b", "5", "-"}, [4]string{"1", "b" + long, "5", ""}, [4]string{"1", "b", "5", long}, [4]string{"1", "c", "4", ""})
	check("1 b 5 0 - 1")
	process([4]string{"1", "b", "5", ","}, [4]string{"1", "a" + long, "5", "z"}, [4]string{"1", "a" + long, "5", "z"})
	check("1 b 5 0 , 1") // the length of a text counts before its bytes
	process([4]string{"1", "", "5", long}, [4]string{"1", "", "6", long}, [4]string{"1", "", "6", "last"})
	check("1  6 0 last 1")
}

// Texts of rows that others have taken the place of do not stay in memory, nor do they get lost when it is tidied, with
// checkpoints in between.
func TestTextsOfBestRows(t *testing.T) {
	const keys = 300
	spec := graph.TopNSpec{Keys: []int{0}, Order: byXDesc, Rank: graph.RowNumber, Limit: 1, TTL: int64(time.Hour)}
	r := start(t, spec, graph.Append, operator.Env{})
	random := rand.New(rand.NewPCG(3, 4))
	out := operatortest.NewTable(true)
	out.Line = func(b *column.Batch, i int) string {
		return strings.Join(operatortest.ShowAll(b.Cols, i), " ") + fmt.Sprint(" @", b.Time[i])
	}
	var store statetest.Store
	want := map[int]string{}
	x := 0
	for round := range 40 {
		for range 5 {
			var rows [][4]string
			for range 200 {
				k := random.IntN(keys)
				x++
				row := [4]string{fmt.Sprint(k), strings.Repeat("t", random.IntN(40)), fmt.Sprint(x), strings.Repeat("s", random.IntN(400))}
				rows = append(rows, row)
				want[k] = fmt.Sprintf("%s %s %s 0 %s @%d", row[0], row[1], row[2], row[3], x)
			}
			if err := r.op.Process(0, texts(rows...), out); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.op.(operator.Flusher).Flush(out); err != nil {
			t.Fatal(err)
		}
		lines := map[string]int{}
		for _, l := range want {
			lines[l] = 1
		}
		if d := operatortest.Difference(out.Rows, lines); d != "" {
			t.Fatalf("round %d: %s", round, d)
		}
		if n := r.env.Metrics.StateBytes.Load(); n > 2<<20 {
			t.Fatalf("%d bytes of state", n)
		}
		if err := r.op.Snapshot(store.Writer(column.AllKeys)); err != nil {
			t.Fatal(err)
		}
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
		if round%7 == 6 {
			r = start(t, spec, graph.Append, operator.Env{Restore: store.Reader()})
		}
	}
}

// Rows of numbers, which have no bytes beside their words; many changes go out in whole batches, those of a key together.
func TestBestRowsOfNumbers(t *testing.T) {
	in := arrow.NewSchema([]arrow.Field{
		{Name: "k", Type: arrow.PrimitiveTypes.Int64}, {Name: "d", Type: arrow.PrimitiveTypes.Int32}, {Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}, nil)
	spec := &graph.TopNSpec{Keys: []int{0}, Order: []graph.Order{{Column: 1}}, Rank: graph.RowNumber, Limit: 1}
	var store statetest.Store
	var op operator.Operator
	open := func(env operator.Env) {
		env.Keys, env.Clock, env.Metrics = column.AllKeys, clock.NewVirtual(time.Unix(5000, 0)), &operator.Metrics{}
		var err error
		if op, err = topn.New(spec, in, graph.Append, env); err != nil {
			t.Fatal(err)
		}
	}
	open(operator.Env{})
	out := operatortest.NewTable(true)
	out.Line = func(b *column.Batch, i int) string { return strings.Join(operatortest.ShowAll(b.Cols, i), " ") }
	sizes := &lines{}
	const keys = 10_000
	step := func(d int32, value func(k int64) int64) {
		t.Helper()
		b := column.NewBuilder(in, false)
		for k := range int64(keys) {
			b.Column(0).(*column.Fixed[int64]).Append(k)
			b.Column(1).(*column.Fixed[int32]).Append(d)
			if v := value(k); v == 0 {
				b.Column(2).AppendNull()
			} else {
				b.Column(2).(*column.Fixed[int64]).Append(v)
			}
			b.AppendTime(0, column.Insert)
		}
		if err := op.Process(0, b.Batch(), out); err != nil {
			t.Fatal(err)
		}
		if err := op.Finish(both{out, sizes}); err != nil {
			t.Fatal(err)
		}
		want := map[string]int{}
		for k := range int64(keys) {
			if v := value(k); v == 0 {
				want[fmt.Sprintf("%d %d null", k, d)] = 1
			} else {
				want[fmt.Sprintf("%d %d %d", k, d, v)] = 1
			}
		}
		got := map[string]int{}
		for l, n := range out.Rows {
			got[l] += n
		}
		if d := operatortest.Difference(got, want); d != "" {
			t.Fatal(d)
		}
		if err := op.Snapshot(store.Writer(column.AllKeys)); err != nil {
			t.Fatal(err)
		}
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
	}
	step(5, func(k int64) int64 { return k % 3 })
	step(4, func(k int64) int64 { return k % 2 })
	open(operator.Env{Restore: store.Reader()})
	step(4, func(k int64) int64 { return 0 }) // a null is before all values
	step(-7, func(k int64) int64 { return -1 })
	if got, want := fmt.Sprint(sizes.batches), "[8191 1809 8192 8192 3616 8192 1808 8192 8192 3616]"; got != want {
		t.Errorf("batches of %s rows, want %s", got, want)
	}
	// What another kind of ranking has saved is refused.
	spec.Limit = 2
	_, err := topn.New(spec, in, graph.Append, operator.Env{Keys: column.AllKeys, Restore: store.Reader()})
	if err == nil {
		t.Error("rows were restored that are laid out differently")
	}
}

// both is two emitters.
type both struct{ a, b operator.Emitter }

func (b both) Emit(batch *column.Batch) error {
	if err := b.a.Emit(batch); err != nil {
		return err
	}
	return b.b.Emit(batch)
}
func (b both) Watermark(int64) error { return nil }
func (b both) Idle() error           { return nil }

package over_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/over"
	"wadi/dataflow/state/statetest"
)

type run struct {
	t   *testing.T
	op  operator.Operator
	env operator.Env
	out *operatortest.Table
}

func start(t *testing.T, spec graph.OverSpec, env operator.Env) *run {
	t.Helper()
	env.Keys, env.Metrics = column.AllKeys, &operator.Metrics{}
	op, err := over.New(&spec, input, graph.Append, env)
	if err != nil {
		t.Fatal(err)
	}
	return &run{t: t, op: op, env: env, out: operatortest.NewTable(false)}
}

// row adds a row of a key; x is null at 99.
func (r *run) row(k, x, time int64) {
	r.t.Helper()
	b := column.NewBuilder(input, false)
	b.Column(0).(*column.Fixed[int64]).Append(k)
	b.Column(1).AppendNull()
	if x == 99 {
		b.Column(2).AppendNull()
	} else {
		b.Column(2).(*column.Fixed[int64]).Append(x)
	}
	b.AppendTime(time, column.Insert)
	if err := r.op.Process(0, b.Batch(), r.out); err != nil {
		r.t.Fatal(err)
	}
}

// until gives what a watermark releases as "k x → values @time".
func (r *run) until(w int64, want string) {
	r.t.Helper()
	r.out.Lines = nil
	if err := r.op.Watermark(w, r.out); err != nil || r.out.Err() != nil {
		r.t.Fatal(err, r.out.Err())
	}
	if _, makes := r.op.(operator.WatermarkMaker); !makes {
		r.out.Mark = w
	}
	for i, l := range r.out.Lines { // the second column is always null
		r.out.Lines[i] = strings.Replace(l, " null ", " ", 1)
	}
	got := strings.Join(r.out.Lines, "; ")
	if got != want {
		r.t.Errorf("until %d\ngot  %s\nwant %s", w, got, want)
	}
}

func fn(name string, f graph.Frame, params ...any) graph.OverCall {
	c := graph.OverCall{Call: agg.Call{Name: name, Filter: -1, Type: arrow.PrimitiveTypes.Int64, Nullable: true, Params: params}, Frame: f}
	switch name {
	case "row_number", "rank", "dense_rank", "ntile":
	default:
		c.Args, c.ArgTypes = []int{colX}, []arrow.DataType{arrow.PrimitiveTypes.Int64}
	}
	return c
}

var (
	running = graph.Frame{Unit: graph.Range, From: graph.Bound{Kind: graph.UnboundedPreceding}, To: graph.Bound{Kind: graph.CurrentRow}}
	lastTwo = graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.Preceding, N: 1}, To: graph.Bound{Kind: graph.CurrentRow}}
	tenNs   = graph.Frame{Unit: graph.Range, From: graph.Bound{Kind: graph.Preceding, N: 10}, To: graph.Bound{Kind: graph.CurrentRow}}
)

func TestRunningAggregates(t *testing.T) {
	r := start(t, graph.OverSpec{Keys: []int{0}, Calls: []graph.OverCall{fn("sum", running), fn("sum", lastTwo), fn("max", tenNs)}}, operator.Env{})
	r.row(1, 5, 20)
	r.row(1, 7, -3)
	r.row(2, 1, 4)
	r.row(1, 2, 4)
	r.row(1, 3, 4) // at the same time as the one before: they see each other in RANGE, in ROWS they come by value
	r.until(4, "1 7 7 7 7 @-3")
	r.until(5, "1 2 12 9 7 @4; 1 3 12 5 7 @4; 2 1 1 1 1 @4")
	r.row(1, 8, 4)
	r.until(operator.EndOfTime, "1 5 17 8 5 @20")
	r.row(1, 8, operator.EndOfTime)
	if n := r.env.Metrics.LateRows.Load(); n != 2 {
		t.Errorf("%d late rows", n)
	}
	if r.env.Metrics.StateBytes.Load() == 0 {
		t.Error("no state")
	}
}

func TestRanksAndNeighbours(t *testing.T) {
	calls := []graph.OverCall{fn("row_number", graph.Frame{}), fn("rank", graph.Frame{}), fn("dense_rank", graph.Frame{}), fn("lag", graph.Frame{})}
	withNulls := fn("lag", graph.Frame{}, int64(1))
	withNulls.IgnoreNulls = true
	r := start(t, graph.OverSpec{Calls: append(calls, withNulls, fn("first_value", running))}, operator.Env{})
	r.row(1, 5, 1)
	r.row(2, 99, 2)
	r.row(3, 7, 2)
	r.row(4, 8, 3)
	r.until(10, "1 5 1 1 1 null null 5 @1; 2 null 2 2 2 5 5 5 @2; 3 7 3 2 2 null 5 5 @2; 4 8 4 4 3 7 7 5 @3")
	r.row(5, 9, 10)
	r.until(20, "5 9 5 5 4 8 8 5 @10")
}

// Rows that wait for later ones hold the watermark back.
func TestLeadHoldsTheWatermark(t *testing.T) {
	r := start(t, graph.OverSpec{Keys: []int{0}, Calls: []graph.OverCall{fn("lead", graph.Frame{})}}, operator.Env{})
	expect := func(w int64) {
		t.Helper()
		if r.out.Mark != w {
			t.Errorf("watermark %d, want %d", r.out.Mark, w)
		}
	}
	r.row(1, 5, 1)
	r.row(1, 6, 3)
	r.row(2, 7, 2)
	r.until(5, "1 5 6 @1")
	expect(2)
	r.row(2, 8, 7)
	r.until(10, "2 7 8 @2")
	expect(3)
	r.until(operator.EndOfTime, "1 6 null @3; 2 8 null @7")
	expect(operator.EndOfTime)
}

func TestPerTime(t *testing.T) {
	spec := graph.OverSpec{Order: []graph.Order{{Column: colX, Desc: true}}, PerTime: true, Calls: []graph.OverCall{
		fn("row_number", graph.Frame{}), fn("ntile", graph.Frame{}, int64(2)), fn("lead", graph.Frame{}), fn("sum", running),
	}}
	r := start(t, spec, operator.Env{})
	for x := range int64(3) {
		r.row(1, x, 9)
		r.row(1, x+10, 19)
	}
	r.until(10, "1 2 1 1 1 2 @9; 1 1 2 1 0 3 @9; 1 0 3 2 null 3 @9")
	r.until(operator.EndOfTime, "1 12 1 1 11 12 @19; 1 11 2 1 10 23 @19; 1 10 3 2 null 33 @19")
}

// What stays does not grow with the number of rows: a bounded frame, the first value, the last few.
func TestStateIsBoundedByTheFrames(t *testing.T) {
	var store statetest.Store
	calls := []graph.OverCall{fn("sum", running), fn("min", lastTwo), fn("first_value", running), fn("lag", graph.Frame{}, int64(5))}
	r := start(t, graph.OverSpec{Calls: calls}, operator.Env{})
	size := int64(0)
	for i := range int64(20_000) {
		r.row(1, i%7, i)
		if i%10 == 0 {
			r.release(i)
		}
		if i == 1000 {
			size = r.env.Metrics.StateBytes.Load()
		}
	}
	if n := r.env.Metrics.StateBytes.Load(); n > 2*size+1<<17 {
		t.Errorf("state grew from %d to %d bytes", size, n)
	}
	if err := r.op.Snapshot(store.Writer(column.AllKeys)); err != nil {
		t.Fatal(err)
	}
	if err := store.Complete(); err != nil {
		t.Fatal(err)
	}
	if n := store.Rows("rows"); n > 20 {
		t.Errorf("%d rows are kept", n)
	}
}

func (r *run) release(w int64) {
	r.out.Lines = r.out.Lines[:0]
	if err := r.op.Watermark(w, r.out); err != nil {
		r.t.Fatal(err)
	}
}

func TestRefusals(t *testing.T) {
	back := graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.CurrentRow}, To: graph.Bound{Kind: graph.Preceding}}
	for name, spec := range map[string]graph.OverSpec{
		"backwards":       {Calls: []graph.OverCall{fn("sum", back)}},
		"no frame":        {Calls: []graph.OverCall{fn("sum", graph.Frame{})}},
		"ntile(0)":        {Calls: []graph.OverCall{fn("ntile", graph.Frame{}, int64(0))}},
		"nth_value(0)":    {Calls: []graph.OverCall{fn("nth_value", running, int64(0))}},
		"unknown":         {Calls: []graph.OverCall{fn("nonsense", running)}},
		"two keys":        {Order: []graph.Order{{Column: 1}}, Calls: []graph.OverCall{fn("sum", tenNs)}},
		"text distance":   {PerTime: true, Order: []graph.Order{{Column: 1}}, Calls: []graph.OverCall{fn("sum", tenNs)}},
		"other parameter": {Calls: []graph.OverCall{fn("lag", graph.Frame{}, "x")}},
	} {
		if _, err := over.New(&spec, input, graph.Append, operator.Env{Keys: column.AllKeys}); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if _, err := over.New(&graph.OverSpec{}, input, graph.Updating, operator.Env{Keys: column.AllKeys}); err == nil {
		t.Error("a changelog was accepted")
	}
}

// Functions over 1,000 keys, with a watermark after each batch.
func BenchmarkOver(b *testing.B) {
	hundred := graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.Preceding, N: 99}, To: graph.Bound{Kind: graph.CurrentRow}}
	for name, calls := range map[string][]graph.OverCall{
		"row_number":      {fn("row_number", graph.Frame{})},
		"lag":             {fn("lag", graph.Frame{})},
		"running-sum":     {fn("sum", running)},
		"sum-of-100-rows": {fn("sum", hundred)},
	} {
		b.Run(fmt.Sprint(name), func(b *testing.B) { benchOver(b, calls) })
	}
}

func benchOver(b *testing.B, calls []graph.OverCall) {
	const batchRows = 8192
	bb := column.NewBuilder(input, false)
	for i := range int64(batchRows) {
		bb.Column(0).(*column.Fixed[int64]).Append(i * 7919 % 1000)
		bb.Column(1).(*column.Bytes).AppendString("some text of a row")
		bb.Column(2).(*column.Fixed[int64]).Append(i % 100)
		bb.AppendTime(i, column.Insert)
	}
	batch := bb.Batch()
	op, err := over.New(&graph.OverSpec{Keys: []int{0}, Calls: calls}, input, graph.Append, operator.Env{Keys: column.AllKeys})
	if err != nil {
		b.Fatal(err)
	}
	out, now := &operatortest.Discard{}, int64(0)
	b.ReportAllocs()
	for b.Loop() {
		for i := range batch.Time {
			batch.Time[i] = now + int64(i)
		}
		if err := op.Process(0, batch, out); err != nil {
			b.Fatal(err)
		}
		now += batchRows
		if err := op.Watermark(now, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*batchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

// More rows of one time than a batch takes are peers of each other all the same.
func TestManyPeers(t *testing.T) {
	spec := &graph.OverSpec{Keys: []int{0}, Calls: []graph.OverCall{
		fn("count", graph.Frame{Unit: graph.Range, From: graph.Bound{Kind: graph.UnboundedPreceding}, To: graph.Bound{Kind: graph.CurrentRow}}),
		fn("row_number", graph.Frame{}), fn("rank", graph.Frame{}),
	}}
	op, err := over.New(spec, input, graph.Append, operator.Env{Keys: column.AllKeys, Metrics: &operator.Metrics{}})
	if err != nil {
		t.Fatal(err)
	}
	out := operatortest.NewTable(false)
	const n = 20_000
	for from := 0; from < n; from += 5000 {
		b := column.NewBuilder(input, false)
		for i := range 5000 {
			b.Column(0).(*column.Fixed[int64]).Append(1)
			b.Column(1).AppendNull()
			b.Column(2).(*column.Fixed[int64]).Append(int64((from + i) * 7919 % n))
			b.AppendTime(int64(10-(from+i)%2), column.Insert)
		}
		if err := op.Process(0, b.Batch(), out); err != nil {
			t.Fatal(err)
		}
	}
	if err := op.Watermark(operator.EndOfTime, out); err != nil || out.Err() != nil {
		t.Fatal(err, out.Err())
	}
	if len(out.Lines) != n {
		t.Fatalf("%d rows", len(out.Lines))
	}
	seen := map[string]bool{}
	for _, l := range out.Lines {
		f := strings.Fields(l)
		want := []string{fmt.Sprint(n / 2), "1", "9"}
		if f[6] == "@10" {
			want = []string{fmt.Sprint(n), fmt.Sprint(n/2 + 1), "10"}
		}
		if f[3] != want[0] || f[5] != want[1] || seen[f[4]] {
			t.Fatalf("the row %s has not %v, or its number twice", l, want)
		}
		seen[f[4]] = true
	}
}

package session_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"wadi/dataflow/agg"
	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/session"
	"wadi/dataflow/watermark"
)

func counting(gap int64, keys ...int) *graph.SessionAggregateSpec {
	return &graph.SessionAggregateSpec{Gap: gap, Keys: keys, Aggs: calls()[:1]}
}

func at(times ...int64) *column.Batch {
	var rows []row
	for _, t := range times {
		rows = append(rows, row{time: t})
	}
	return batchOf(rows)
}

func newCluster(t *testing.T, spec *graph.SessionAggregateSpec) *cluster {
	c := clusterOf(t, spec)
	c.Start(1)
	return c
}

func expect(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestTheGapIsStrict(t *testing.T) {
	c := newCluster(t, counting(20))
	c.process(at(0, 19, 39, 138)) // one batch that spans gaps
	expect(t, "before the end", c.watermark(38))
	expect(t, "at the end", c.watermark(39), " [0,39) 2 @38")
	expect(t, "one row each", c.watermark(math.MaxInt64), " [138,158) 1 @157", " [39,59) 1 @58")
}

func TestALateRowBridges(t *testing.T) {
	c := newCluster(t, counting(10))
	c.process(at(0, 18, 36))
	c.process(at(27, 9))
	expect(t, "all in one", c.watermark(math.MaxInt64), " [0,46) 5 @45")
}

func TestLateRows(t *testing.T) {
	c := newCluster(t, counting(10))
	c.process(at(0, 30))
	expect(t, "first", c.watermark(25), " [0,10) 1 @9")
	c.process(at(15)) // its session ended at 25
	if c.Late() != 1 {
		t.Errorf("%d late rows", c.Late())
	}
	c.process(at(16, 21)) // 16 by less than the gap behind the watermark; 21 bridges to 30
	expect(t, "the rest", c.watermark(math.MaxInt64), " [16,40) 3 @39")
	if c.Late() != 1 {
		t.Errorf("%d late rows", c.Late())
	}
}

func TestEndsOfTime(t *testing.T) {
	c := newCluster(t, counting(math.MaxInt64))
	c.process(at(math.MaxInt64, math.MinInt64, -1))
	const last = int64(math.MaxInt64)
	expect(t, "the first", c.watermark(last-2), fmt.Sprintf(" [%d,-1) 1 @-2", int64(math.MinInt64)))
	expect(t, "the others", c.watermark(last), fmt.Sprintf(" [-1,%d) 1 @%d", last-1, last-2), fmt.Sprintf(" [%d,%d) 1 @%d", last, last, last-1))
}

func TestAGapMustBePositive(t *testing.T) {
	_, err := session.New(counting(0), input, operator.Env{Keys: column.AllKeys})
	if f := fault.As(err); f == nil || f.Kind != fault.User || f.Hint == "" {
		t.Errorf("got %v", err)
	}
}

// Sessions that come and go leave nothing behind: not in memory, and little in checkpoints.
func TestNothingIsLeftBehind(t *testing.T) {
	c := newCluster(t, counting(10, 0))
	var size int64
	for round := range int64(300) {
		var rows []row
		for k := range int64(200) {
			rows = append(rows, row{time: 100 * round, k: 200*round + k})
		}
		c.process(batchOf(rows))
		if got := len(c.watermark(100*round + 50)); got != 200 {
			t.Fatalf("%d sessions", got)
		}
		c.Checkpoint()
		switch n := c.Envs[0].Metrics.StateBytes.Load(); round {
		case 10:
			size = n
		case 299:
			if n > size {
				t.Errorf("%d bytes of state grew to %d", size, n)
			}
		}
	}
	c.Start(2)
	expect(t, "after all", c.watermark(math.MaxInt64))
}

// One key may have very many open sessions.
func TestManySessionsOfOneKey(t *testing.T) {
	c := newCluster(t, counting(10))
	const n = 200_000
	times := make([]int64, n)
	for i := range times {
		times[i] = int64(i) * 10
	}
	for part := range slices.Chunk(times, 8192) {
		c.process(at(part...))
	}
	if got := len(c.watermark(math.MaxInt64)); got != n {
		t.Errorf("%d sessions, want %d", got, n)
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	c := newCluster(t, counting(10))
	w := c.Store.Writer(column.AllKeys)
	w.Global("progress", []byte("x"), []byte{1})
	if err := c.Store.Complete(); err != nil {
		t.Fatal(err)
	}
	env := operator.Env{Keys: column.AllKeys, Restore: c.Store.Reader()}
	if _, err := session.New(c.spec, input, env); err == nil {
		t.Error("damaged progress was accepted")
	}
}

// behind passes batches and watermarks on to an operator, as the runtime does.
type behind struct {
	op  operator.Operator
	out *operatortest.Windows
}

func (b *behind) Emit(batch *column.Batch) error { return b.op.Process(0, batch, b.out) }
func (b *behind) Watermark(w int64) error        { return b.op.Watermark(w, b.out) }
func (b *behind) Idle() error                    { return nil }

// Behind the generator of watermarks it does not matter how a stream with late rows is cut into batches.
func TestBatchesDoNotMatter(t *testing.T) {
	rows := make([]row, 400)
	x := uint64(1)
	for i := range rows {
		x = x*6364136223846793005 + 1442695040888963407
		rows[i] = row{time: int64(i) - int64(x>>58), k: int64(x >> 30 & 3), x: int64(i)}
	}
	p := &graph.Program{
		Nodes: []graph.Node{{Spec: &graph.WatermarkSpec{Delay: 7}}, {Spec: counting(5, 0)}}, Edges: []graph.Edge{{From: 0, To: 1}},
	}
	var exp []string
	for _, size := range []int{1, 2, 7, 64, 400} {
		c := newCluster(t, &graph.SessionAggregateSpec{Gap: 5, Keys: []int{0}, Aggs: calls()})
		env := operator.Env{Clock: clock.System{}, Keys: column.AllKeys, Metrics: &operator.Metrics{}}
		marks, err := watermark.New(p.Nodes[0].Spec.(*graph.WatermarkSpec), input, expr.Builtin(), p.WatermarkGranularity(0), env)
		if err != nil {
			t.Fatal(err)
		}
		down := &behind{c.Ops[0], c.Outs[0]}
		for part := range slices.Chunk(rows, size) {
			if err := marks.Process(0, batchOf(part), down); err != nil {
				t.Fatal(err)
			}
		}
		if err := marks.Watermark(operator.EndOfTime, down); err != nil {
			t.Fatal(err)
		}
		got := append(c.Outs[0].Lines, fmt.Sprint(c.Late()))
		slices.Sort(got)
		if exp == nil {
			exp = got
		}
		if c.Late() == 0 || len(got) < 10 || !slices.Equal(got, exp) {
			t.Errorf("batches of %d: %d late rows, got %q, want %q", size, c.Late(), got, exp)
		}
	}
}

// BenchmarkSession has rows of random keys in order, of which about one in a thousand opens a session.
func BenchmarkSession(b *testing.B) {
	const batchRows = 8192
	var text []agg.Call
	text = append(text, calls()[:2]...)
	for _, c := range []struct {
		name string
		keys []int
	}{{"int", []int{0}}, {"text", []int{1}}, {"none", nil}} {
		b.Run(c.name, func(b *testing.B) {
			op, err := session.New(&graph.SessionAggregateSpec{Gap: 60_000, Keys: c.keys, Aggs: text}, input,
				operator.Env{Keys: column.AllKeys, Metrics: &operator.Metrics{}})
			if err != nil {
				b.Fatal(err)
			}
			var batches []*column.Batch
			x := uint64(7)
			for range 32 {
				rows := make([]row, batchRows)
				for i := range rows {
					x = x*6364136223846793005 + 1442695040888963407
					k := x >> 33 % 10_000
					rows[i] = row{k: int64(k), t: fmt.Sprintf("user-%06d", k), x: int64(i)}
				}
				batches = append(batches, batchOf(rows))
			}
			out, now, i := &operatortest.Discard{}, int64(0), 0
			b.ReportAllocs()
			for b.Loop() {
				batch := batches[i%len(batches)]
				i++
				for r := range batch.Time {
					now++
					batch.Time[r] = now
				}
				if err := op.Process(0, batch, out); err != nil {
					b.Fatal(err)
				}
				if err := op.Watermark(now-1000, out); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*batchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
			b.ReportMetric(float64(out.Rows)/float64(b.N), "sessions/op")
		})
	}
}

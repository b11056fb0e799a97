package asof_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"wadi/dataflow/asof"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
)

func num(v int64) *int64 { return &v }

// row makes a row of key a with value and time.
func row(a, v, time int64) aRow { return aRow{a: num(a), v: v, time: time} }

func versioned(kind graph.JoinKind) *graph.AsofJoinSpec {
	return &graph.AsofJoinSpec{
		JoinOn: graph.JoinOn{Kind: kind, LeftKeys: []int{0}, RightKeys: []int{2}}, Versioned: true, Latest: true, Ended: endColumn,
	}
}

func nearestOf(kind graph.JoinKind) *graph.AsofJoinSpec {
	s := versioned(kind)
	s.Versioned, s.Latest, s.Ended = false, false, -1
	return s
}

func one(t *testing.T, spec *graph.AsofJoinSpec, modes ...graph.Mode) *cluster {
	t.Helper()
	right := graph.Append
	if len(modes) > 0 {
		right = modes[0]
	}
	c := newCluster(t, spec, right)
	c.Start(1)
	return c
}

func (c *cluster) expect(t *testing.T, want string) {
	t.Helper()
	if got := c.Outs[0].Take(); got != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// A left row waits until the watermark has passed its time, since a version of that time counts.
func TestARowWaitsForVersionsOfItsTime(t *testing.T) {
	c := one(t, versioned(graph.LeftJoin))
	c.send(1, row(1, 100, 5))
	c.send(0, row(1, 1, 5), row(1, 2, 4), row(2, 3, 5))
	c.Watermark(5)
	c.expect(t, "2 null @4")
	c.send(1, row(1, 101, 5)) // the last to come of one time
	c.Watermark(6)
	c.expect(t, "1 101 @5; 3 null @5")
	c.Watermark(operator.EndOfTime)
	c.expect(t, "")
}

// Late left rows are dropped; a late version counts for what is still to be answered if none is newer.
func TestLateRows(t *testing.T) {
	c := one(t, versioned(graph.LeftJoin))
	c.send(1, row(1, 100, 10))
	c.Watermark(20)
	c.send(0, row(1, 1, 19), row(1, 2, 20))
	c.send(1, row(1, 99, 9), row(2, 50, 5), row(3, 70, 5))
	c.send(1, aRow{a: num(3), v: 70, time: 5, end: 6, retract: true}) // on an append stream there are no retractions
	c.send(0, row(2, 3, 25), row(3, 4, 25))
	c.Watermark(operator.EndOfTime)
	c.expect(t, "2 100 @20; 3 50 @25; 4 70 @25")
	if n := c.Late(); n != 5 {
		t.Errorf("%d late rows", n)
	}
	c = one(t, versioned(graph.LeftJoin), graph.Updating)
	c.Watermark(20)
	c.send(1, row(3, 70, 5))
	c.send(1, aRow{a: num(3), v: 70, time: 5, end: 6, retract: true})
	c.send(0, row(3, 4, 25))
	c.Watermark(operator.EndOfTime)
	c.expect(t, "4 null @25")
}

// A deletion is remembered for its time, so that a late version from before it is not valid after it.
func TestLateVersionsOfADeletedKeyStayDeleted(t *testing.T) {
	s := versioned(graph.LeftJoin)
	s.TTL = 100
	for _, restore := range []bool{false, true} {
		c := one(t, s, graph.Updating)
		c.send(1, row(1, 70, 5), aRow{a: num(1), v: 70, time: 5, end: 10, retract: true})
		c.Watermark(20)
		if restore {
			c.Checkpoint()
			c.Start(2)
		}
		c.send(1, row(1, 71, 9))
		c.send(0, row(1, 1, 30), row(1, 2, 60))
		c.Watermark(31)
		c.send(1, row(1, 72, 40))
		c.Watermark(61)
		c.send(1, aRow{a: num(1), v: 72, time: 40, end: 50, retract: true}, row(1, 73, 45))
		c.send(0, row(1, 3, 70))
		c.Watermark(151) // the deletion at 50 is forgotten
		c.send(1, row(1, 74, 46))
		c.send(0, row(1, 4, 160))
		c.Watermark(operator.EndOfTime)
		want := []string{"1 null @30", "2 72 @60", "3 null @70", "4 74 @160"}
		var got []string
		for _, o := range c.Outs {
			for _, l := range strings.Split(o.Take(), "; ") {
				if l != "" {
					got = append(got, l)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// A key that has gone and come back between two checkpoints is there after a restore.
func TestAKeyThatComesBackIsRestored(t *testing.T) {
	s := nearestOf(graph.LeftJoin)
	s.Reach = 5
	c := one(t, s)
	c.send(1, row(1, 100, 10), row(2, 200, 10))
	c.Watermark(11)
	c.Checkpoint()
	c.Watermark(20) // the rows are too far away from all that may come
	c.send(1, row(1, 101, 20))
	c.Watermark(21)
	c.Checkpoint()
	c.Start(1)
	c.send(0, row(1, 1, 22), row(2, 2, 22))
	c.Watermark(operator.EndOfTime)
	c.expect(t, "1 101 @22; 2 null @22")
}

// Looking forward, left rows that are padded in the end hold the watermark back; those without a bound until then.
func TestHeldWatermark(t *testing.T) {
	s := nearestOf(graph.LeftJoin)
	s.Forward = true
	c := one(t, s)
	c.send(0, row(1, 1, 10), row(2, 2, 12))
	c.Watermark(20)
	if w := c.Outs[0].Mark; w != 10 {
		t.Fatalf("watermark %d", w)
	}
	c.send(1, row(1, 100, 19)) // late
	c.send(1, row(1, 101, 25))
	c.Watermark(30)
	c.expect(t, "1 101 @25")
	if w := c.Outs[0].Mark; w != 12 || c.Late() != 1 {
		t.Fatalf("watermark %d, %d late rows", w, c.Late())
	}
	c.Watermark(operator.EndOfTime)
	c.expect(t, "2 null @12")

	s.Reach = 5
	c = one(t, s)
	c.send(0, row(1, 1, 10), row(1, 2, 14), row(3, 3, 11))
	c.Watermark(15)
	c.expect(t, "")
	c.send(1, row(1, 100, 16))
	c.Watermark(17)
	c.expect(t, "2 100 @16; 1 null @10; 3 null @11")
	if w := c.Outs[0].Mark; w != 17 {
		t.Fatalf("watermark %d", w)
	}
}

// What the watermark has passed goes: answered rows, versions that others have replaced, ended and far ones.
func TestStateIsCleared(t *testing.T) {
	far := nearestOf(graph.LeftJoin)
	far.Reach = 1000
	forward := nearestOf(graph.LeftJoin)
	forward.Forward, forward.Reach = true, 1000
	for _, s := range []*graph.AsofJoinSpec{versioned(graph.LeftJoin), far, forward} {
		c := one(t, s)
		var peak int64
		for i := range int64(80) {
			rows := make([]aRow, 4000)
			for k := range rows {
				key := int64(k % 1000)
				if s.Reach > 0 { // keys that never come back
					key += i * 1000
				}
				rows[k] = row(key, int64(k), i*4000+int64(k))
			}
			c.send(0, rows...)
			c.send(1, rows...)
			c.Watermark(i * 4000)
			clear(c.Outs[0].Rows)
			c.Outs[0].Take()
			if n := c.Envs[0].Metrics.StateBytes.Load(); i < 40 {
				peak = max(peak, n)
			} else if n > peak+peak/8 { // chunks are more or less full
				t.Fatalf("%+v: the state grew from %d to %d bytes", *s, peak, n)
			}
		}
	}
}

func TestRefusedSpecs(t *testing.T) {
	for _, broken := range []func(*graph.AsofJoinSpec){
		func(s *graph.AsofJoinSpec) { s.RightKeys = nil },
		func(s *graph.AsofJoinSpec) { s.Kind = graph.FullJoin },
		func(s *graph.AsofJoinSpec) { s.NullAware = true },
		func(s *graph.AsofJoinSpec) { s.Forward = true },
		func(s *graph.AsofJoinSpec) { s.Versioned, s.Forward, s.Residual = false, true, residual() },
		func(s *graph.AsofJoinSpec) { s.Ended = 99 },
		func(s *graph.AsofJoinSpec) { s.Ended = 0 },
		func(s *graph.AsofJoinSpec) { s.Reach = -1 },
	} {
		s := versioned(graph.LeftJoin)
		broken(s)
		if _, err := asof.New(s, inputs, [2]graph.Mode{}, expr.Builtin(), operator.Env{}); err == nil || fault.As(err).Kind != fault.Internal {
			t.Errorf("%+v: %v", *s, err)
		}
	}
	if _, err := asof.New(versioned(graph.LeftJoin), inputs, [2]graph.Mode{graph.Updating, graph.Append}, expr.Builtin(), operator.Env{}); err == nil {
		t.Error("a changelog was taken on the left")
	}
}

// Benchmarks: left rows in batches, most of 4,096, with a right row for every eighth, watermarks behind each batch.
func BenchmarkAsof(b *testing.B) {
	for _, keys := range []int{1000, 100_000} {
		for _, forward := range []bool{false, true} {
			name := "back"
			if forward {
				name = "forward"
			}
			b.Run(fmt.Sprintf("%s/%d-keys", name, keys), func(b *testing.B) {
				s := nearestOf(graph.LeftJoin)
				s.Forward, s.Reach = forward, 1<<40
				benchmark(b, s, keys, 4096)
			})
		}
	}
	b.Run("versions/1000-keys", func(b *testing.B) { benchmark(b, versioned(graph.InnerJoin), 1000, 4096) })
	b.Run("versions/1000-keys/small-batches", func(b *testing.B) { benchmark(b, versioned(graph.InnerJoin), 1000, 16) })
}

func benchmark(b *testing.B, spec *graph.AsofJoinSpec, keys, rows int) {
	op, err := asof.New(spec, inputs, [2]graph.Mode{}, expr.Builtin(), operator.Env{})
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	text := "abc"
	batch := func(port, n int) *column.Batch {
		out := column.NewBuilder(inputs[port], false)
		for i := range n {
			appendRow(out, port, &aRow{a: num(r.Int64N(int64(keys))), b: &text, v: int64(i), time: int64(i * rows / n)})
		}
		return out.Batch()
	}
	lefts, rights := batch(0, rows), batch(1, rows/8)
	var now int64
	b.ReportAllocs()
	for b.Loop() {
		for port, in := range []*column.Batch{lefts, rights} {
			for i := range in.Time {
				in.Time[i] += int64(rows)
			}
			if err := op.Process(port, in, &operatortest.Discard{}); err != nil {
				b.Fatal(err)
			}
		}
		now += int64(rows)
		if err := op.Watermark(now, &operatortest.Discard{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*float64(rows+rows/8)/1e6/b.Elapsed().Seconds(), "Mrows/s")
}

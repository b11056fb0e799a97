package over_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/over"
	"wadi/dataflow/state/statetest"
)

// life is the rows of a key from when it came, or came again, until it was forgotten.
type life struct {
	rows []aRow
	last time.Time
	over bool
}

// A key that has had no row for the time to live begins anew, also behind checkpoints, crashes and changes of parallelism.
func TestIdleKeysAreForgotten(t *testing.T) {
	lastTwo := graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.Preceding, N: 1}, To: graph.Bound{Kind: graph.CurrentRow}}
	ignoring := fn("lag", graph.Frame{}, int64(2))
	ignoring.IgnoreNulls = true
	calls := []graph.OverCall{
		fn("row_number", graph.Frame{}), fn("sum", running), fn("max", running), fn("lag", graph.Frame{}), ignoring, fn("first_value", running),
		fn("sum", lastTwo), fn("dense_rank", graph.Frame{}),
	}
	rapid.Check(t, func(t *rapid.T) {
		spec := &graph.OverSpec{Keys: []int{0}, TTL: int64(10 * time.Second)}
		for range rapid.IntRange(1, 3).Draw(t, "calls") {
			spec.Calls = append(spec.Calls, rapid.SampledFrom(calls).Draw(t, "call"))
		}
		now := clock.NewVirtual(time.Unix(1000, 0))
		var store statetest.Store
		var ops []operator.Operator
		var envs []operator.Env
		out := &sink{watermark: math.MinInt64}
		start := func(restore bool) {
			ops, envs = nil, nil
			n := rapid.IntRange(1, 3).Draw(t, "parallelism")
			for i := range n {
				env := operator.Env{Subtask: i, Parallelism: n, Keys: column.Range(i, n), Clock: now, Metrics: &operator.Metrics{}}
				if restore {
					env.Restore = store.Reader()
				}
				op, err := over.New(spec, input, graph.Append, env)
				if err != nil {
					t.Fatal(err)
				}
				ops, envs = append(ops, op), append(envs, env)
			}
		}
		start(false)
		lives := map[string][]*life{}
		at := int64(0)
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				b := drawRows(t, rapid.Int64Range(at, at+4))
				hashes := column.HashColumns(nil, []column.Vector{b.Cols[0]}, b.N, nil)
				for i, op := range ops {
					part := *b
					part.Sel = []int32{}
					for _, r := range b.Selected(nil) {
						if column.Owner(hashes[r], len(ops)) == i {
							part.Sel = append(part.Sel, r)
						}
					}
					if err := op.Process(0, &part, out); err != nil {
						t.Fatal(err)
					}
				}
				at += 5
				for _, op := range ops {
					if err := op.Watermark(at, out); err != nil {
						t.Fatal(err)
					}
				}
				for _, r := range modelRows(b, spec.Keys) {
					all := lives[r.key]
					if len(all) == 0 || all[len(all)-1].over {
						all = append(all, &life{})
					}
					l := all[len(all)-1]
					l.rows, l.last = append(l.rows, r), now.Now()
					lives[r.key] = all
				}
			case 2, 3:
				now.Advance(rapid.SampledFrom([]time.Duration{time.Second, 6 * time.Second, 11 * time.Second}).Draw(t, "pass"))
				for _, op := range ops {
					if err := op.(operator.Ticker).Tick(now.Now(), out); err != nil {
						t.Fatal(err)
					}
				}
				for _, all := range lives {
					l := all[len(all)-1]
					l.over = l.over || now.Now().Sub(l.last) >= time.Duration(spec.TTL)
				}
			default:
				for i, op := range ops {
					if err := op.Snapshot(store.Writer(envs[i].Keys)); err != nil {
						t.Fatal(err)
					}
				}
				if err := store.Complete(); err != nil {
					t.Fatal(err)
				}
				if rapid.Bool().Draw(t, "crash") {
					start(true)
				}
			}
		}
		var want []string
		for _, all := range lives {
			for _, l := range all {
				m := &model{spec: spec, rows: l.rows}
				m.sort()
				for i, r := range m.rows {
					parts := []string{r.line}
					for _, call := range spec.Calls {
						parts = append(parts, m.value(call, i))
					}
					want = append(want, fmt.Sprint(strings.Join(parts, " "), " @", r.time))
				}
			}
		}
		slices.Sort(want)
		slices.Sort(out.lines)
		if !slices.Equal(out.lines, want) || out.err != "" {
			t.Fatalf("%s got\n%s\nwant\n%s", out.err, strings.Join(out.lines, "\n"), strings.Join(want, "\n"))
		}
	})
}

// Rows of a frame that reaches back in time go with the watermark, also those of keys that get no more.
func TestTheWatermarkClearsNearFrames(t *testing.T) {
	r := start(t, graph.OverSpec{Keys: []int{0}, Calls: []graph.OverCall{fn("sum", tenNs)}}, operator.Env{})
	for k := range int64(5000) {
		r.row(k, 1, k)
	}
	r.release(5010)
	most := r.env.Metrics.StateBytes.Load()
	r.row(1, 1, 5021)
	r.until(5022, "1 1 1 @5021")
	var store statetest.Store
	if err := r.op.Snapshot(store.Writer(column.AllKeys)); err != nil {
		t.Fatal(err)
	}
	if err := store.Complete(); err != nil {
		t.Fatal(err)
	}
	if rows, keys := store.Rows("rows"), store.Rows("partitions"); rows > 2 || keys > 2 {
		t.Errorf("%d rows of %d keys are kept, %d bytes at most", rows, keys, most)
	}
}

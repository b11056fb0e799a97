package over_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
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
		c := cluster(t, spec)
		c.Clock = clock.NewVirtual(time.Unix(1000, 0))
		c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
		lives := map[string][]*life{}
		at := int64(0)
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1:
				b := drawRows(t, rapid.Int64Range(at, at+4))
				c.Send(0, b, spec.Keys)
				at += 5
				advance(c, at)
				for _, r := range modelRows(b, spec.Keys) {
					all := lives[r.key]
					if len(all) == 0 || all[len(all)-1].over {
						all = append(all, &life{})
					}
					l := all[len(all)-1]
					l.rows, l.last = append(l.rows, r), c.Clock.Now()
					lives[r.key] = all
				}
			case 2, 3:
				c.Pass(rapid.SampledFrom([]time.Duration{time.Second, 6 * time.Second, 11 * time.Second}).Draw(t, "pass"))
				for _, all := range lives {
					l := all[len(all)-1]
					l.over = l.over || c.Clock.Now().Sub(l.last) >= time.Duration(spec.TTL)
				}
			default:
				c.Checkpoint()
				if rapid.Bool().Draw(t, "crash") {
					c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
				}
			}
		}
		want := map[string]int{}
		for _, all := range lives {
			for _, l := range all {
				m := &model{spec: spec, rows: l.rows}
				m.sort()
				for i := range m.rows {
					want[m.lineOf(i)]++
				}
			}
		}
		if d := operatortest.Difference(c.Outs[0].Rows, want); d != "" {
			t.Fatal(d)
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

package over_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/over"
)

// changing runs an updating operator, over rows of this mode.
func changing(t *rapid.T, spec *graph.OverSpec, mode graph.Mode) *operatortest.Cluster[*operatortest.Table] {
	out := operatortest.NewTable(true)
	return &operatortest.Cluster[*operatortest.Table]{
		T:     t,
		New:   func(env operator.Env) (operator.Operator, error) { return over.New(spec, input, mode, env) },
		Out:   out.Twin,
		Clock: clock.NewVirtual(time.Unix(1000, 0)),
	}
}

// history is the rows of each partition, those of which that are idle are forgotten.
type history struct {
	groups map[string][]aRow
	seen   map[string]time.Time
	ttl    time.Duration
}

func (h *history) add(r aRow, change column.Change, now time.Time) {
	h.seen[r.key] = now
	g := h.groups[r.key]
	if change == column.Insert {
		h.groups[r.key] = append(g, r)
		return
	}
	best := -1 // the next in time, if need be the last before
	for i, o := range g {
		if !bytes.Equal(o.raw, r.raw) {
			continue
		}
		switch {
		case best < 0, g[best].time < r.time && o.time > g[best].time, o.time >= r.time && o.time < g[best].time:
			best = i
		}
	}
	if best >= 0 {
		h.groups[r.key] = slices.Delete(g, best, best+1)
	}
}

func (h *history) lines(spec *graph.OverSpec, now time.Time) map[string]int {
	lines := map[string]int{}
	for k, rows := range h.groups {
		if h.ttl > 0 && len(spec.Keys) > 0 && now.Sub(h.seen[k]) >= h.ttl {
			delete(h.groups, k)
			continue
		}
		m := &model{spec: spec, rows: slices.Clone(rows)}
		m.sort()
		for i := range m.rows {
			lines[m.lineOf(i)]++
		}
	}
	return lines
}

// drawChanges gives a batch of new rows, on a changelog with some that are taken back, before them or behind.
func drawChanges(t *rapid.T, live *operatortest.Live, mode graph.Mode) *column.Batch {
	b := drawRows(t, rapid.Int64Range(-2, 2))
	b.Sel = nil
	if mode == graph.Append {
		return b
	}
	both := column.NewBuilder(input, true)
	first := rapid.Bool().Draw(t, "insertsFirst")
	if first {
		both.AppendSel(b, nil)
	}
	for live.Len() > 0 && rapid.IntRange(0, 2).Draw(t, "retract") == 0 {
		live.Retract(t, both)
	}
	if !first {
		both.AppendSel(b, nil)
	}
	for i := range b.N {
		live.Keep(b, []int32{int32(i)})
	}
	return both.Batch()
}

// What is out after every flush is what the model computes from all rows, whatever the batches, retractions, idle keys,
// checkpoints, crashes and changes of parallelism.
func TestUpdatingAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := &graph.OverSpec{
			Updating: true, Keys: rapid.SampledFrom([][]int{{}, {0}, {1}, {0, 1}}).Draw(t, "keys"), FlushInterval: int64(time.Second),
		}
		if rapid.IntRange(0, 3).Draw(t, "by") > 0 {
			spec.Order = []graph.Order{{Column: colX, Desc: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nullsFirst")}}
		}
		for range rapid.IntRange(1, 3).Draw(t, "calls") {
			spec.Calls = append(spec.Calls, drawCall(t, len(spec.Order) == 1))
		}
		h := &history{groups: map[string][]aRow{}, seen: map[string]time.Time{}}
		h.ttl = rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "ttl")
		spec.TTL = int64(h.ttl)
		mode := graph.Append
		if rapid.IntRange(0, 2).Draw(t, "updating") > 0 {
			mode = graph.Updating
		}
		c := changing(t, spec, mode)
		c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
		live := &operatortest.Live{}
		check := func() {
			if d := operatortest.Difference(c.Outs[0].Rows, h.lines(spec, c.Clock.Now())); d != "" {
				t.Fatal(d)
			}
			operatortest.Settled(c)
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0, 1, 2:
				b := drawChanges(t, live, mode)
				for i, r := range modelRows(b, spec.Keys) {
					change := column.Insert
					if b.Change != nil {
						change = b.Change[i]
					}
					h.add(r, change, c.Clock.Now())
				}
				c.Send(0, b, spec.Keys)
			case 3, 4:
				c.Pass(rapid.SampledFrom([]time.Duration{time.Second, time.Second, 4 * time.Second, 11 * time.Second}).Draw(t, "pass"))
				check()
			case 5:
				c.Checkpoint()
				check()
			default:
				c.Checkpoint()
				check()
				c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
				check()
			}
		}
		c.Flush()
		check()
	})
}

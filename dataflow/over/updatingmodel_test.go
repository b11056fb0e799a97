package over_test

import (
	"bytes"
	"fmt"
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

// table materialises a changelog.
type table struct {
	rows   map[string]int
	err    string
	events int
}

func newTable() *table { return &table{rows: map[string]int{}} }

func (s *table) Emit(b *column.Batch) error {
	if b.N == 0 || b.N > 8192 || b.Sel != nil || b.Change == nil {
		s.err = fmt.Sprintf("a batch of %d rows", b.N)
	}
	for i := range b.N {
		var parts []string
		for _, v := range b.Cols {
			parts = append(parts, show(v, i))
		}
		line := fmt.Sprint(strings.Join(parts, " "), " @", b.Time[i])
		s.events++
		if s.rows[line] += int(b.Change[i]); s.rows[line] < 0 {
			s.err = "retraction of " + line + ", which is not there"
		}
	}
	return nil
}
func (s *table) Watermark(int64) error { return nil }
func (s *table) Idle() error           { return nil }

func (s *table) lines() (out []string) {
	for l, n := range s.rows {
		for range n {
			out = append(out, l)
		}
	}
	slices.Sort(out)
	return out
}

// changing is a cluster of updating operators.
type changing struct {
	t     *rapid.T
	spec  *graph.OverSpec
	mode  graph.Mode
	clock *clock.Virtual
	ops   []operator.Operator
	envs  []operator.Env
	store statetest.Store
	out   *table
}

func (c *changing) start(parallelism int, restore bool) {
	c.ops, c.envs = nil, nil
	for i := range parallelism {
		env := operator.Env{Subtask: i, Parallelism: parallelism, Keys: column.Range(i, parallelism), Clock: c.clock, Metrics: &operator.Metrics{}}
		if restore {
			env.Restore = c.store.Reader()
		}
		op, err := over.New(c.spec, input, c.mode, env)
		if err != nil {
			c.t.Fatal(err)
		}
		c.ops, c.envs = append(c.ops, op), append(c.envs, env)
	}
}

func (c *changing) process(b *column.Batch) {
	var keys []column.Vector
	for _, k := range c.spec.Keys {
		keys = append(keys, b.Cols[k])
	}
	hashes := column.HashColumns(nil, keys, b.N, nil)
	for i, op := range c.ops {
		part := *b
		part.Sel = []int32{}
		for _, r := range b.Selected(nil) {
			if column.Owner(hashes[r], len(c.ops)) == i {
				part.Sel = append(part.Sel, r)
			}
		}
		if len(c.ops) == 1 {
			part.Sel = b.Sel
		}
		if err := op.Process(0, &part, c.out); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *changing) each(f func(op operator.Operator) error) {
	for _, op := range c.ops {
		if err := f(op); err != nil || c.out.err != "" {
			c.t.Fatal(err, c.out.err)
		}
	}
}

func (c *changing) flush() {
	c.each(func(op operator.Operator) error { return op.(operator.Flusher).Flush(c.out) })
}

func (c *changing) snapshot() {
	c.flush()
	for i, op := range c.ops {
		if err := op.Snapshot(c.store.Writer(c.envs[i].Keys)); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.store.Complete(); err != nil {
		c.t.Fatal(err)
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

func (h *history) lines(spec *graph.OverSpec, now time.Time) (lines []string) {
	for k, rows := range h.groups {
		if h.ttl > 0 && len(spec.Keys) > 0 && now.Sub(h.seen[k]) >= h.ttl {
			delete(h.groups, k)
			continue
		}
		m := &model{spec: spec, rows: slices.Clone(rows)}
		m.sort()
		for i, r := range m.rows {
			parts := []string{r.line}
			for _, call := range spec.Calls {
				parts = append(parts, m.value(call, i))
			}
			lines = append(lines, fmt.Sprint(strings.Join(parts, " "), " @", r.time))
		}
	}
	slices.Sort(lines)
	return lines
}

// step changes a few rows: most often behind all others, so that only a part of a partition has to be computed.
func step(t *rapid.T, c *changing, h *history, live *[]*column.Batch) {
	b := drawRows(t, rapid.Int64Range(-2, 2))
	b.Sel = nil
	n := b.N
	if c.mode == graph.Updating {
		both := column.NewBuilder(input, true)
		first := rapid.Bool().Draw(t, "insertsFirst")
		if first {
			both.AppendSel(b, nil)
		}
		from := both.Rows()
		for len(*live) > 0 && rapid.IntRange(0, 2).Draw(t, "retract") == 0 {
			i := rapid.IntRange(0, len(*live)-1).Draw(t, "which")
			both.AppendSel((*live)[i], nil)
			*live = slices.Delete(*live, i, i+1)
		}
		for i := from; i < both.Rows(); i++ {
			both.Batch().Change[i] = column.Retract
		}
		if !first {
			both.AppendSel(b, nil)
		}
		for i := range n {
			one := column.NewBuilder(input, false)
			one.AppendSel(b, []int32{int32(i)})
			*live = append(*live, one.Batch())
		}
		b = both.Batch()
	}
	for i, r := range modelRows(b, c.spec.Keys) {
		change := column.Insert
		if b.Change != nil {
			change = b.Change[i]
		}
		h.add(r, change, c.clock.Now())
	}
	c.process(b)
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
		c := &changing{t: t, clock: clock.NewVirtual(time.Unix(1000, 0)), out: newTable(), spec: spec}
		h := &history{groups: map[string][]aRow{}, seen: map[string]time.Time{}}
		h.ttl = rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "ttl")
		spec.TTL = int64(h.ttl)
		if rapid.IntRange(0, 2).Draw(t, "updating") > 0 {
			c.mode = graph.Updating
		}
		c.start(rapid.IntRange(1, 3).Draw(t, "parallelism"), false)
		var live []*column.Batch
		check := func() {
			want, got := h.lines(spec, c.clock.Now()), c.out.lines()
			if !slices.Equal(got, want) {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			before := c.out.events
			if c.flush(); c.out.events != before {
				t.Fatal("changes without a cause")
			}
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0, 1, 2:
				step(t, c, h, &live)
			case 3, 4:
				c.clock.Advance(rapid.SampledFrom([]time.Duration{time.Second, time.Second, 4 * time.Second, 11 * time.Second}).Draw(t, "pass"))
				c.each(func(op operator.Operator) error { return op.(operator.Ticker).Tick(c.clock.Now(), c.out) })
				check()
			case 5:
				c.snapshot()
				check()
			default:
				c.snapshot()
				check()
				c.start(rapid.IntRange(1, 3).Draw(t, "parallelism"), true)
				check()
			}
		}
		c.flush()
		check()
	})
}

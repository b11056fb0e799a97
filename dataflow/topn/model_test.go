package topn_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state/statetest"
	"wadi/dataflow/topn"
)

var input = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.PrimitiveTypes.Int64},
	{Name: "t", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "f", Type: arrow.PrimitiveTypes.Float64},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

// aRow is a row of the model: the values as text for comparison and as Go values for ordering, nil for null.
type aRow struct {
	key  string
	line string
	vals []any
	// raw tells rows apart that are equal by the order, in the way the operator does.
	raw    []byte
	time   int64
	change column.Change
}

func show(v column.Vector, i int) string {
	if !v.Validity().IsValid(i) {
		return "null"
	}
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return fmt.Sprint(c.Values[i])
	case *column.Fixed[float64]:
		return fmt.Sprint(c.Values[i])
	case *column.Bytes:
		return strings.Clone(c.Str(i))
	}
	panic(v.Type().String())
}

func value(v column.Vector, i int) any {
	if !v.Validity().IsValid(i) {
		return nil
	}
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return c.Values[i]
	case *column.Fixed[float64]:
		return c.Values[i]
	case *column.Bytes:
		return strings.Clone(c.Str(i))
	}
	panic(v.Type().String())
}

func compareBy(order []graph.Order, a, b aRow) int {
	for _, o := range order {
		x, y := a.vals[o.Column], b.vals[o.Column]
		c := 0
		switch {
		case x == nil && y == nil:
		case x == nil || y == nil:
			if c = 1; (x == nil) == o.NullsFirst {
				c = -1
			}
			if c != 0 {
				return c
			}
		default:
			switch x := x.(type) {
			case int64:
				c = cmp.Compare(x, y.(int64))
			case string:
				c = cmp.Compare(x, y.(string))
			case float64:
				c = compareFloats(x, y.(float64))
			}
			if o.Desc {
				c = -c
			}
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// compareFloats has NaN as the greatest, not the least as Go does.
func compareFloats(x, y float64) int {
	if math.IsNaN(x) || math.IsNaN(y) {
		return cmp.Compare(btoi(math.IsNaN(x)), btoi(math.IsNaN(y)))
	}
	return cmp.Compare(x, y)
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func modelRows(b *column.Batch, keys []int) (rows []aRow) {
	for _, r := range b.Selected(nil) {
		i := int(r)
		row := aRow{time: b.Time[i], change: column.Insert, raw: ordered.AppendRow(nil, b.Cols, i)}
		if b.Change != nil {
			row.change = b.Change[i]
		}
		var parts, all []string
		for _, k := range keys {
			parts = append(parts, show(b.Cols[k], i))
		}
		for _, c := range b.Cols {
			all = append(all, show(c, i))
			row.vals = append(row.vals, value(c, i))
		}
		row.key, row.line = strings.Join(parts, ","), strings.Join(all, " ")
		rows = append(rows, row)
	}
	return rows
}

// rowsWanted gives the lines of the results of one partition.
func rowsWanted(spec *graph.TopNSpec, rows []aRow) (lines []string) {
	if spec.Limit == 0 {
		return nil
	}
	rows = slices.Clone(rows)
	slices.SortFunc(rows, func(a, b aRow) int {
		if c := compareBy(spec.Order, a, b); c != 0 {
			return c
		}
		return bytes.Compare(a.raw, b.raw)
	})
	var rank, dense int64
	for i, r := range rows {
		if i == 0 || compareBy(spec.Order, rows[i-1], r) != 0 {
			rank = int64(i) + 1
			dense++
		}
		n, bound := int64(i)+1, spec.Offset+spec.Limit
		if spec.Limit < 0 {
			bound = math.MaxInt64
		}
		in := false
		switch spec.Rank {
		case graph.RowNumber:
			in = n > spec.Offset && (n <= bound || spec.WithTies && rank <= bound)
		case graph.Rank:
			n = rank
			in = n > spec.Offset && n <= bound
		case graph.DenseRank:
			n = dense
			in = n > spec.Offset && n <= bound
		}
		if !in {
			continue
		}
		if spec.WithRank {
			lines = append(lines, fmt.Sprint(r.line, " #", n))
		} else {
			lines = append(lines, r.line)
		}
	}
	return lines
}

// table materialises what comes out.
type table struct {
	rows   map[string]int
	times  map[string]int
	err    string
	events int
}

func newTable() *table { return &table{rows: map[string]int{}, times: map[string]int{}} }

func (s *table) Emit(b *column.Batch) error {
	if b.N == 0 || b.N > 8192 || b.Sel != nil {
		s.err = fmt.Sprintf("a batch of %d rows", b.N)
	}
	for i := range b.N {
		var parts []string
		for k, v := range b.Cols {
			if k == input.NumFields() {
				parts = append(parts, "#"+show(v, i))
				continue
			}
			parts = append(parts, show(v, i))
		}
		line := strings.Join(parts, " ")
		c := column.Insert
		if b.Change != nil {
			c = b.Change[i]
		}
		s.events++
		s.rows[line] += int(c)
		s.times[fmt.Sprint(line, "@", b.Time[i])] += int(c)
		if s.rows[line] < 0 || s.times[fmt.Sprint(line, "@", b.Time[i])] < 0 {
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

type cluster struct {
	t     *rapid.T
	spec  *graph.TopNSpec
	mode  graph.Mode
	clock *clock.Virtual
	ops   []operator.Operator
	envs  []operator.Env
	store statetest.Store
	out   *table
	late  int64
}

func (c *cluster) start(parallelism int, restore bool) {
	c.retire()
	c.ops, c.envs = nil, nil
	for i := range parallelism {
		env := operator.Env{Subtask: i, Parallelism: parallelism, Keys: column.Range(i, parallelism), Clock: c.clock, Metrics: &operator.Metrics{}}
		if restore {
			env.Restore = c.store.Reader()
		}
		op, err := topn.New(c.spec, input, c.mode, env)
		if err != nil {
			c.t.Fatal(err)
		}
		c.ops, c.envs = append(c.ops, op), append(c.envs, env)
	}
}

func (c *cluster) retire() {
	for _, e := range c.envs {
		c.late += e.Metrics.LateRows.Load()
	}
}

func (c *cluster) process(b *column.Batch) {
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

func (c *cluster) each(f func(op operator.Operator) error) {
	for _, op := range c.ops {
		if err := f(op); err != nil || c.out.err != "" {
			c.t.Fatal(err, c.out.err)
		}
	}
}

func (c *cluster) flush() {
	c.each(func(op operator.Operator) error {
		if f, ok := op.(operator.Flusher); ok {
			return f.Flush(c.out)
		}
		return nil
	})
}

func (c *cluster) snapshot() {
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

func drawSpec(t *rapid.T) *graph.TopNSpec {
	s := &graph.TopNSpec{
		Keys:  rapid.SampledFrom([][]int{{}, {0}, {1}, {0, 1}}).Draw(t, "keys"),
		Rank:  graph.RankKind(rapid.IntRange(1, 3).Draw(t, "rank")),
		Limit: rapid.SampledFrom([]int64{-1, 0, 1, 2, 3, 5, math.MaxInt64}).Draw(t, "limit"), Offset: rapid.SampledFrom([]int64{0, 0, 1, 3}).Draw(t, "offset"),
		WithRank: rapid.Bool().Draw(t, "withRank"), WithTies: rapid.Bool().Draw(t, "ties"),
		FlushInterval: int64(time.Second),
	}
	for range rapid.IntRange(0, 2).Draw(t, "columns") {
		s.Order = append(s.Order, graph.Order{
			Column: rapid.IntRange(2, 4).Draw(t, "column"), Desc: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nullsFirst"),
		})
	}
	if s.Limit == math.MaxInt64 {
		s.Limit -= s.Offset
	}
	return s
}

// drawRows makes a batch; on a changelog it takes back some of the rows that live holds.
func drawRows(t *rapid.T, times *rapid.Generator[int64], live *[]*column.Batch, updating bool) *column.Batch {
	b := column.NewBuilder(input, updating)
	for range rapid.IntRange(0, 15).Draw(t, "rows") {
		b.Column(0).(*column.Fixed[int64]).Append(rapid.Int64Range(0, 3).Draw(t, "k"))
		text(t, b.Column(1).(*column.Bytes))
		if x := rapid.SampledFrom([]int64{math.MinInt64, -1, 0, 1, 2, math.MaxInt64, 99}).Draw(t, "x"); x == 99 {
			b.Column(2).AppendNull()
		} else {
			b.Column(2).(*column.Fixed[int64]).Append(x)
		}
		b.Column(3).(*column.Fixed[float64]).Append(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1.5, math.NaN(), math.Inf(-1)}).Draw(t, "f"))
		text(t, b.Column(4).(*column.Bytes))
		b.AppendTime(times.Draw(t, "time"), column.Insert)
	}
	n := b.Rows()
	if updating && len(*live) > 0 && rapid.Bool().Draw(t, "retract") {
		i := rapid.IntRange(0, len(*live)-1).Draw(t, "which")
		b.AppendSel((*live)[i], nil)
		for j := n; j < b.Rows(); j++ {
			b.Batch().Change[j] = column.Retract
		}
		*live = slices.Delete(*live, i, i+1)
	}
	batch := *b.Batch()
	if updating {
		part := column.NewBuilder(input, true)
		part.AppendSel(&batch, column.AllRows(nil, n))
		*live = append(*live, part.Batch())
	} else if rapid.Bool().Draw(t, "selected") {
		batch.Sel = []int32{}
		for i := range batch.N {
			if rapid.Bool().Draw(t, "sel") {
				batch.Sel = append(batch.Sel, int32(i))
			}
		}
	}
	return &batch
}

func text(t *rapid.T, c *column.Bytes) {
	if v := rapid.SampledFrom([]string{"", "a", "a\x00", "longer than twelve bytes", "-"}).Draw(t, "text"); v == "-" {
		c.AppendNull()
	} else {
		c.AppendString(v)
	}
}

// model keeps the rows of each partition and forgets those that are idle.
type model struct {
	groups map[string][]aRow
	seen   map[string]time.Time
	ttl    time.Duration
	global bool
}

func (m *model) add(rows []aRow, now time.Time) {
	for _, r := range rows {
		m.seen[r.key] = now
		g := m.groups[r.key]
		if r.change == column.Insert {
			m.groups[r.key] = append(g, r)
		} else if i := slices.IndexFunc(g, func(o aRow) bool { return bytes.Equal(o.raw, r.raw) }); i >= 0 {
			m.groups[r.key] = slices.Delete(g, i, i+1)
		}
	}
}

func (m *model) lines(spec *graph.TopNSpec, now time.Time) (lines []string) {
	for k, rows := range m.groups {
		if m.ttl > 0 && !m.global && now.Sub(m.seen[k]) >= m.ttl {
			delete(m.groups, k)
			continue
		}
		lines = append(lines, rowsWanted(spec, rows)...)
	}
	slices.Sort(lines)
	return lines
}

// What is out after every flush is what the model computes from all rows, whatever the batches, retractions, idle keys,
// checkpoints, crashes and changes of parallelism.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &cluster{t: t, clock: clock.NewVirtual(time.Unix(1000, 0)), out: newTable(), spec: drawSpec(t)}
		m := &model{groups: map[string][]aRow{}, seen: map[string]time.Time{}, global: len(c.spec.Keys) == 0}
		m.ttl = rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "ttl")
		c.spec.TTL = int64(m.ttl)
		updating := rapid.Bool().Draw(t, "updating")
		if updating {
			c.mode = graph.Updating
		}
		c.start(rapid.IntRange(1, 3).Draw(t, "parallelism"), false)
		var live []*column.Batch
		check := func() {
			want, got := m.lines(c.spec, c.clock.Now()), c.out.lines()
			if !slices.Equal(got, want) {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			before := c.out.events
			if c.flush(); c.out.events != before {
				t.Fatal("changes without a cause")
			}
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1, 2:
				b := drawRows(t, rapid.Int64Range(-50, 50), &live, updating)
				m.add(modelRows(b, c.spec.Keys), c.clock.Now())
				c.process(b)
			case 3:
				c.clock.Advance(rapid.SampledFrom([]time.Duration{time.Second, 4 * time.Second, 11 * time.Second}).Draw(t, "pass"))
				c.each(func(op operator.Operator) error { return op.(operator.Ticker).Tick(c.clock.Now(), c.out) })
				check()
			case 4:
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

// For windowed inputs, the results of an event time come once, when the watermark has passed it.
func TestPerTimeAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &cluster{t: t, clock: clock.NewVirtual(time.Unix(1000, 0)), out: newTable(), spec: drawSpec(t)}
		c.spec.PerTime = true
		updating := rapid.Bool().Draw(t, "updating")
		if updating {
			c.mode = graph.Updating
		}
		c.start(rapid.IntRange(1, 3).Draw(t, "parallelism"), false)
		times := rapid.SampledFrom([]int64{math.MinInt64, -7, -1, 0, 9, 10, math.MaxInt64})
		rows := map[int64]map[string][]aRow{}
		watermark, late := int64(math.MinInt64), int64(0)
		var live []*column.Batch
		var want []string
		advance := func(w int64) {
			c.each(func(op operator.Operator) error { return op.Watermark(w, c.out) })
			watermark = max(watermark, w)
			for at, groups := range rows {
				if at >= watermark && watermark != operator.EndOfTime {
					continue
				}
				for _, g := range groups {
					want = append(want, rowsWanted(c.spec, g)...)
				}
				delete(rows, at)
			}
			slices.Sort(want)
			if got := c.out.lines(); !slices.Equal(got, want) {
				t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1, 2:
				b := drawRows(t, times, &live, updating)
				for _, r := range modelRows(b, c.spec.Keys) {
					if r.time < watermark || watermark == operator.EndOfTime {
						late++
						continue
					}
					if rows[r.time] == nil {
						rows[r.time] = map[string][]aRow{}
					}
					m := model{groups: rows[r.time], seen: map[string]time.Time{}}
					m.add([]aRow{r}, time.Time{})
				}
				c.process(b)
			case 3:
				advance(rapid.SampledFrom([]int64{math.MinInt64, -7, -6, 0, 5, 10, math.MaxInt64}).Draw(t, "watermark"))
			default:
				c.snapshot()
				c.start(rapid.IntRange(1, 3).Draw(t, "parallelism"), true)
			}
		}
		advance(operator.EndOfTime)
		if c.retire(); c.late != late {
			t.Fatalf("%d late rows, want %d", c.late, late)
		}
	})
}

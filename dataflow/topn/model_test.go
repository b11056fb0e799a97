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
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/ordered"
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
		var parts []string
		for _, k := range keys {
			part := operatortest.Show(b.Cols[k], i)
			if part == "-0" { // one key with 0
				part = "0"
			}
			parts = append(parts, part)
		}
		for _, c := range b.Cols {
			row.vals = append(row.vals, value(c, i))
		}
		row.key, row.line = strings.Join(parts, ","), strings.Join(operatortest.ShowAll(b.Cols, i), " ")
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

// line spells a row that comes out, with its rank if it has one.
func line(b *column.Batch, i int) string {
	parts := operatortest.ShowAll(b.Cols, i)
	if n := input.NumFields(); len(parts) > n {
		parts[n] = "#" + parts[n]
	}
	return fmt.Sprint(strings.Join(parts, " "), " @", b.Time[i])
}

// shown is the rows of a table without their event times, which the model does not know: of equal rows any may be out.
func shown(t *operatortest.Table) map[string]int {
	out := map[string]int{}
	for l, n := range t.Rows {
		before, _, _ := strings.Cut(l, " @")
		out[before] += n
	}
	return out
}

// cluster runs the operator over rows of this mode.
func cluster(t *rapid.T, spec *graph.TopNSpec, mode graph.Mode) *operatortest.Cluster[*operatortest.Table] {
	out := operatortest.NewTable(!spec.PerTime)
	out.Line = line
	return &operatortest.Cluster[*operatortest.Table]{
		T:     t,
		New:   func(env operator.Env) (operator.Operator, error) { return topn.New(spec, input, mode, env) },
		Out:   out.Twin,
		Clock: clock.NewVirtual(time.Unix(1000, 0)),
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
func drawRows(t *rapid.T, times *rapid.Generator[int64], live *operatortest.Live, mode graph.Mode) *column.Batch {
	b := column.NewBuilder(input, mode == graph.Updating)
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
	if mode == graph.Updating {
		if rapid.Bool().Draw(t, "retract") {
			live.Retract(t, b)
		}
		live.Keep(b.Batch(), column.AllRows(nil, n))
		return b.Batch()
	}
	batch := *b.Batch()
	operatortest.DrawSelection(t, &batch)
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

func (m *model) lines(spec *graph.TopNSpec, now time.Time) map[string]int {
	lines := map[string]int{}
	for k, rows := range m.groups {
		if m.ttl > 0 && !m.global && now.Sub(m.seen[k]) >= m.ttl {
			delete(m.groups, k)
			continue
		}
		for _, l := range rowsWanted(spec, rows) {
			lines[l]++
		}
	}
	return lines
}

// What is out after every flush is what the model computes from all rows, whatever the batches, retractions, idle keys,
// checkpoints, crashes and changes of parallelism.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { againstModel(t, drawSpec(t), graph.Mode(rapid.IntRange(0, 1).Draw(t, "mode"))) })
}

// The same for the one best row of each key of an append stream.
func TestBestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		spec.Keys = rapid.SampledFrom([][]int{{0}, {1}, {0, 1}, {3}, {1, 3}, {4}, {4, 2}, {0, 0}}).Draw(t, "key")
		spec.Rank, spec.Limit, spec.Offset, spec.WithTies = graph.RowNumber, 1, 0, false
		againstModel(t, spec, graph.Append)
	})
}

func againstModel(t *rapid.T, spec *graph.TopNSpec, mode graph.Mode) {
	m := &model{groups: map[string][]aRow{}, seen: map[string]time.Time{}, global: len(spec.Keys) == 0}
	m.ttl = rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "ttl")
	spec.TTL = int64(m.ttl)
	c := cluster(t, spec, mode)
	c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
	live := &operatortest.Live{}
	check := func() {
		if d := operatortest.Difference(shown(c.Outs[0]), m.lines(spec, c.Clock.Now())); d != "" {
			t.Fatal(d)
		}
		operatortest.Settled(c)
	}
	for range rapid.IntRange(1, 25).Draw(t, "steps") {
		switch rapid.IntRange(0, 5).Draw(t, "step") {
		case 0, 1, 2:
			b := drawRows(t, rapid.Int64Range(-50, 50), live, mode)
			m.add(modelRows(b, spec.Keys), c.Clock.Now())
			c.Send(0, b, spec.Keys)
		case 3:
			c.Pass(rapid.SampledFrom([]time.Duration{time.Second, 4 * time.Second, 11 * time.Second}).Draw(t, "pass"))
			check()
		case 4:
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
}

// For windowed inputs, the results of an event time come once, when the watermark has passed it.
func TestPerTimeAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := drawSpec(t)
		spec.PerTime = true
		mode := graph.Mode(rapid.IntRange(0, 1).Draw(t, "mode"))
		c := cluster(t, spec, mode)
		c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
		times := rapid.SampledFrom([]int64{math.MinInt64, -7, -1, 0, 9, 10, math.MaxInt64})
		rows := map[int64]map[string][]aRow{}
		watermark, late := int64(math.MinInt64), int64(0)
		live, want := &operatortest.Live{}, map[string]int{}
		advance := func(w int64) {
			watermark = max(watermark, w)
			c.Watermark(watermark)
			for at, groups := range rows {
				if at >= watermark && watermark != operator.EndOfTime {
					continue
				}
				for _, g := range groups {
					for _, l := range rowsWanted(spec, g) {
						want[l]++
					}
				}
				delete(rows, at)
			}
			if d := operatortest.Difference(shown(c.Outs[0]), want); d != "" {
				t.Fatal(d)
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			switch rapid.IntRange(0, 4).Draw(t, "step") {
			case 0, 1, 2:
				b := drawRows(t, times, live, mode)
				for _, r := range modelRows(b, spec.Keys) {
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
				c.Send(0, b, spec.Keys)
			case 3:
				advance(rapid.SampledFrom([]int64{math.MinInt64, -7, -6, 0, 5, 10, math.MaxInt64}).Draw(t, "watermark"))
			default:
				c.Checkpoint()
				c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
			}
		}
		advance(operator.EndOfTime)
		if n := c.Late(); n != late {
			t.Fatalf("%d late rows, want %d", n, late)
		}
	})
}

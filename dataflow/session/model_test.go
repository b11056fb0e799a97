package session_test

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/session"
)

var input = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "t", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// row is a row of the input as the model keeps it.
type row struct {
	time int64
	k    int64 // -1 is null, "null" in the model
	t    string
	x    int64
}

func (r row) key(keys []int) string {
	var parts []string
	for _, k := range keys {
		if k == 0 {
			parts = append(parts, strings.Replace(fmt.Sprint(r.k), "-1", "null", 1))
		} else {
			parts = append(parts, r.t)
		}
	}
	return strings.Join(parts, ",")
}

func batchOf(rows []row) *column.Batch {
	b := column.NewBuilder(input, false)
	for _, r := range rows {
		if r.k < 0 {
			b.Column(0).AppendNull()
		} else {
			b.Column(0).(*column.Fixed[int64]).Append(r.k)
		}
		b.Column(1).(*column.Bytes).AppendString(r.t)
		b.Column(2).(*column.Fixed[int64]).Append(r.x)
		b.AppendTime(r.time, column.Insert)
	}
	return b.Batch()
}

func calls() (out []agg.Call) {
	for _, c := range []struct {
		name     string
		distinct bool
		args     []int
	}{
		{"count", false, nil}, {"sum", false, []int{2}}, {"max", false, []int{2}}, {"count", true, []int{2}},
		{"array_agg", false, []int{2}}, {"median", false, []int{2}}, {"max", false, []int{1}},
	} {
		call := agg.Call{Name: c.name, Distinct: c.distinct, Filter: -1, Args: c.args}
		for _, a := range c.args {
			call.ArgTypes = append(call.ArgTypes, input.Field(a).Type)
		}
		r, err := agg.Builtin().Resolve(c.name, c.distinct, call.ArgTypes, call.Span)
		if err != nil {
			panic(err)
		}
		call.Type, call.Nullable = r.Type, r.Nullable
		out = append(out, call)
	}
	return out
}

// want is the aggregates of rows, of which there is one, as text.
func want(rows []row) string {
	var sum int64
	var list [][2]int64
	text := ""
	for _, r := range rows {
		sum += r.x
		list = append(list, [2]int64{r.time, r.x})
		text = max(text, r.t)
	}
	slices.SortFunc(list, func(a, b [2]int64) int { return slices.Compare(a[:], b[:]) })
	var all []int64
	for _, p := range list {
		all = append(all, p[1])
	}
	vals := slices.Sorted(slices.Values(all))
	distinct := len(slices.Compact(slices.Clone(vals)))
	median := (vals[(len(vals)-1)/2] + vals[len(vals)/2]) / 2
	return fmt.Sprintf("%d %d %d %d %v %d %q", len(rows), sum, vals[len(vals)-1], distinct, all, median, text)
}

// open is a session of the model.
type open struct {
	start, last int64
	rows        []row
}

// model keeps the open sessions of each key with all their rows.
type model struct {
	gap       int64
	keys      []int
	sessions  map[string][]*open
	watermark int64
	late      int64
}

func (m *model) add(r row) {
	key := r.key(m.keys)
	joined := &open{start: r.time, last: r.time, rows: []row{r}}
	var rest []*open
	for _, s := range m.sessions[key] {
		if r.time > s.start-m.gap && r.time < s.last+m.gap {
			joined.start, joined.last = min(joined.start, s.start), max(joined.last, s.last)
			joined.rows = append(joined.rows, s.rows...)
		} else {
			rest = append(rest, s)
		}
	}
	if len(joined.rows) == 1 && m.watermark != math.MinInt64 && r.time+m.gap <= m.watermark {
		m.late++
		return
	}
	m.sessions[key] = append(rest, joined)
}

func (m *model) release(w int64) (lines []string) {
	m.watermark = max(w, m.watermark)
	for key, sessions := range m.sessions {
		var rest []*open
		for _, s := range sessions {
			end := s.last + m.gap
			if end > w && w != math.MaxInt64 {
				rest = append(rest, s)
			} else {
				lines = append(lines, fmt.Sprintf("%s [%d,%d) %s @%d", key, s.start, end, want(s.rows), end-1))
			}
		}
		m.sessions[key] = rest
	}
	sort.Strings(lines)
	return lines
}

// cluster runs the operator in several subtasks.
type cluster struct {
	*operatortest.Cluster[*operatortest.Windows]
	spec *graph.SessionAggregateSpec
}

func clusterOf(t operatortest.TB, spec *graph.SessionAggregateSpec) *cluster {
	return &cluster{spec: spec, Cluster: &operatortest.Cluster[*operatortest.Windows]{
		T:   t,
		New: func(env operator.Env) (operator.Operator, error) { return session.New(spec, input, env) },
		Out: func() *operatortest.Windows { return &operatortest.Windows{Line: line, ByEnd: true} },
	}}
}

func (c *cluster) process(b *column.Batch) { c.Send(0, b, c.spec.Keys) }

func (c *cluster) watermark(w int64) []string { return operatortest.Released(c.Cluster, w) }

// line spells a session, of several values the last one in quotes.
func line(b *column.Batch, at, i int, start, end int64) string {
	keys, aggs := operatortest.ShowAll(b.Cols[:at], i), operatortest.ShowAll(b.Cols[at+1:], i)
	if last := len(aggs) - 1; last > 0 {
		aggs[last] = fmt.Sprintf("%q", aggs[last])
	}
	return fmt.Sprintf("%s [%d,%d) %s @%d", strings.Join(keys, ","), start, end, strings.Join(aggs, " "), b.Time[i])
}

// The operator gives what the model gives, whatever the order of rows, the batches, late rows, checkpoints and
// changes of parallelism.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := clusterOf(t, &graph.SessionAggregateSpec{
			Gap:  rapid.Int64Range(1, 15).Draw(t, "gap"),
			Keys: rapid.SampledFrom([][]int{{}, {0}, {1}, {1, 0}}).Draw(t, "keys"),
			Aggs: calls(),
		})
		m := &model{gap: c.spec.Gap, keys: c.spec.Keys, sessions: map[string][]*open{}, watermark: math.MinInt64}
		c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
		now := int64(-100)
		check := func(w int64) {
			if got, exp := c.watermark(w), m.release(w); !slices.Equal(got, exp) {
				t.Fatalf("watermark %d, gap %d, got\n%s\nwant\n%s", w, m.gap, strings.Join(got, "\n"), strings.Join(exp, "\n"))
			}
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			now += rapid.SampledFrom([]int64{0, 1, 3, 20}).Draw(t, "pass")
			switch rapid.IntRange(0, 6).Draw(t, "step") {
			case 0, 1, 2:
				var rows []row
				for range rapid.IntRange(0, 12).Draw(t, "rows") {
					r := row{
						time: now + rapid.Int64Range(-40, 40).Draw(t, "time"), k: rapid.Int64Range(-1, 1).Draw(t, "k"),
						t: rapid.SampledFrom([]string{"", "a", "longer than twelve bytes"}).Draw(t, "t"), x: rapid.Int64Range(-3, 3).Draw(t, "x"),
					}
					rows = append(rows, r)
					m.add(r)
				}
				for len(rows) > 0 {
					n := rapid.IntRange(1, len(rows)).Draw(t, "batch")
					c.process(batchOf(rows[:n]))
					rows = rows[n:]
				}
			case 3, 4:
				check(max(m.watermark, now+rapid.Int64Range(-20, 20).Draw(t, "watermark")))
			case 5:
				c.Checkpoint()
			default:
				c.Checkpoint()
				c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
			}
		}
		if late := c.Late(); late != m.late {
			t.Fatalf("%d late rows, want %d", late, m.late)
		}
		check(math.MaxInt64)
		if got := c.watermark(math.MaxInt64); len(got) > 0 {
			t.Fatalf("sessions came out twice: %v", got)
		}
	})
}

// Without late rows the sessions are the maximal runs of all rows, in whatever order and batches they come.
func TestSessionsAreMaximalRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		gap := rapid.Int64Range(1, 10).Draw(t, "gap")
		times := rapid.SliceOfN(rapid.Int64Range(-60, 60), 1, 40).Draw(t, "times")
		c := clusterOf(t, &graph.SessionAggregateSpec{Gap: gap, Aggs: calls()})
		c.Start(1)
		for rest := times; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
			var rows []row
			for _, at := range rest[:n] {
				rows = append(rows, row{time: at, x: at})
			}
			c.process(batchOf(rows))
			rest = rest[n:]
		}
		var exp []string
		var run []row
		slices.Sort(times)
		for i, at := range times {
			run = append(run, row{time: at, x: at})
			if i+1 == len(times) || times[i+1]-at >= gap {
				exp = append(exp, fmt.Sprintf(" [%d,%d) %s @%d", run[0].time, at+gap, want(run), at+gap-1))
				run = nil
			}
		}
		sort.Strings(exp)
		if got := c.watermark(math.MaxInt64); !slices.Equal(got, exp) {
			t.Fatalf("gap %d, got\n%s\nwant\n%s", gap, strings.Join(got, "\n"), strings.Join(exp, "\n"))
		}
	})
}

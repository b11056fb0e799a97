package updating_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/updating"
)

var input = arrow.NewSchema([]arrow.Field{
	{Name: "k_int", Type: arrow.PrimitiveTypes.Int64},
	{Name: "k_text", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

const colX, colS = 2, 3

func call(name string, distinct bool, cols ...int) agg.Call {
	c := agg.Call{Name: name, Filter: -1, Distinct: distinct, Args: cols}
	for _, col := range cols {
		c.ArgTypes = append(c.ArgTypes, input.Field(col).Type)
	}
	r, err := agg.Builtin().Resolve(name, distinct, c.ArgTypes, c.Span)
	if err != nil {
		panic(err)
	}
	c.Type, c.Nullable = r.Type, r.Nullable
	return c
}

func calls() []agg.Call {
	return []agg.Call{
		call("count", false), call("sum", false, colX), call("max", false, colX), call("min", false, colS),
		call("count", true, colX, colS), call("avg", true, colX),
		call("array_agg", true, colX), call("median", false, colX), call("array_agg", false, colS),
	}
}

type aRow struct {
	key    string
	time   int64
	x      *int64
	s      *string
	change column.Change
}

// want is the line of a group with these rows; "" if it has none. moved is of inOrder.
func want(rows []aRow, moved map[string]int64, global bool) string {
	var n, sum, nx int64
	xs, ss, pairs := map[int64]int64{}, map[string]int64{}, map[string]int64{}
	latest := int64(math.MinInt64)
	for _, r := range rows {
		c := int64(r.change)
		n += c
		latest = max(latest, r.time)
		if r.x != nil {
			sum += c * *r.x
			nx += c
			xs[*r.x] += c
		}
		if r.s != nil {
			ss[*r.s] += c
		}
		if r.x != nil && r.s != nil {
			pairs[fmt.Sprint(*r.x, *r.s)] += c
		}
	}
	if n <= 0 && !global { // below zero when the rows taken back were forgotten before
		return ""
	}
	distinct := sortedKeys(xs)
	avg, maximum := "null", "null"
	if len(distinct) > 0 {
		t := int64(0)
		for _, x := range distinct {
			t += x
		}
		avg, maximum = fmt.Sprint(float64(t)/float64(len(distinct))), fmt.Sprint(distinct[len(distinct)-1])
	}
	least := "null"
	if k := sortedKeys(ss); len(k) > 0 {
		least = k[0]
	}
	total := "null"
	if nx != 0 {
		total = fmt.Sprint(sum)
	}
	return fmt.Sprintf("%d %s %s %s %d %s %s @%d", n, total, maximum, least, len(sortedKeys(pairs)), avg, inOrder(rows, moved), latest)
}

// inOrder is array_agg(DISTINCT x), median(x) and array_agg(s) in the order of event time. A retraction whose row is not
// there, since it was forgotten, takes back the earliest others with its value, for good: what it moves is noted in moved.
func inOrder(rows []aRow, moved map[string]int64) string {
	xs, ss := map[int64]int64{}, maps.Clone(moved)
	nulls := 0
	for _, r := range rows {
		if r.x != nil {
			xs[*r.x] += int64(r.change)
		} else {
			nulls += int(r.change)
		}
		s := "~" // null, behind all values
		if r.s != nil {
			s = *r.s
		}
		ss[fmt.Sprintf("%019d%s", r.time+100, s)] += int64(r.change)
	}
	entries := slices.Sorted(maps.Keys(ss))
	for _, gone := range entries {
		for _, there := range entries {
			if n := min(-ss[gone], ss[there]); n > 0 && gone[19:] == there[19:] {
				ss[there], ss[gone] = ss[there]-n, ss[gone]+n
				moved[there], moved[gone] = moved[there]-n, moved[gone]+n
			}
		}
	}
	set, list, median := []string{}, []string{}, "null"
	var vals []int64
	for _, x := range sortedKeys(xs) {
		set = append(set, fmt.Sprint(x))
		for range xs[x] {
			vals = append(vals, x)
		}
	}
	if nulls > 0 {
		set = append(set, "null")
	}
	if len(vals) > 0 {
		median = fmt.Sprint((vals[(len(vals)-1)/2] + vals[len(vals)/2]) / 2)
	}
	for _, k := range sortedKeys(ss) {
		for range ss[k] {
			list = append(list, strings.Replace(k[19:], "~", "null", 1))
		}
	}
	return fmt.Sprintf("%s %s %s", orNone(set), median, orNone(list))
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "null"
	}
	return fmt.Sprint(list)
}

func total(rows []aRow) (n int) {
	for _, r := range rows {
		n += int(r.change)
	}
	return n
}

func sortedKeys[T int64 | string](m map[T]int64) (out []T) {
	for k, n := range m {
		if n > 0 {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// table materialises a changelog by key, whose rows differ. Several tables may share their rows.
type table struct {
	keys   int
	rows   map[string]string
	events *int
	err    error
	// retracted is the key and row of the retraction just before, which an insert of the same key must follow.
	retracted string
}

func (s *table) Emit(b *column.Batch) error {
	if b.N == 0 || b.N > 8192 || len(b.Change) != b.N {
		s.err = fmt.Errorf("a batch of %d rows", b.N)
	}
	s.retracted = ""
	for i := range b.N {
		key, row := strings.Join(operatortest.ShowAll(b.Cols[:s.keys], i), ","), strings.Join(operatortest.ShowAll(b.Cols[s.keys:], i), " ")
		old, exists := s.rows[key]
		line := fmt.Sprintf("%s @%d", row, b.Time[i])
		*s.events++
		switch {
		case b.Change[i] == column.Retract && (!exists || old != line):
			s.err = fmt.Errorf("retraction of %s: %s, there is %q", key, line, old)
		case b.Change[i] == column.Retract:
			delete(s.rows, key)
			s.retracted = key + ": " + row
		case exists:
			s.err = fmt.Errorf("insert of %s twice", key)
		case s.retracted == key+": "+row:
			s.err = fmt.Errorf("%s was put out though nothing changed", key)
		default:
			s.rows[key] = line
		}
		if b.Change[i] == column.Insert {
			s.retracted = ""
		}
	}
	return nil
}

func (s *table) Watermark(int64) error { return nil }
func (s *table) Idle() error           { return nil }
func (s *table) Begin()                {}
func (s *table) Err() error            { return s.err }

// model keeps the rows of each group, the time of its last touch, and forgets groups by the rule.
type model struct {
	keys   []int
	groups map[string][]aRow
	seen   map[string]time.Time
	fresh  map[string]bool
	shown  map[string]string
	moved  map[string]map[string]int64
	ttl    time.Duration
	events int
}

func (m *model) add(rows []aRow) {
	for _, r := range rows {
		m.groups[r.key] = append(m.groups[r.key], r)
		m.fresh[r.key] = true
	}
}

// flush brings shown up to date.
func (m *model) flush(now time.Time) {
	for key, rows := range m.groups {
		global := len(m.keys) == 0
		if m.fresh[key] {
			m.seen[key] = now
		} else if m.ttl > 0 && !global && now.Sub(m.seen[key]) >= m.ttl {
			rows = nil
		}
		if m.moved[key] == nil {
			m.moved[key] = map[string]int64{}
		}
		line := want(rows, m.moved[key], global)
		if total(rows) == 0 && !global {
			delete(m.groups, key)
			delete(m.seen, key)
			delete(m.moved, key)
		}
		old := m.shown[key]
		m.fresh[key] = false
		if cut(line) == cut(old) {
			continue
		}
		if m.events++; line != "" && old != "" {
			m.events++
		}
		m.shown[key] = line
		if line == "" {
			delete(m.shown, key)
		}
	}
}

func cut(line string) string {
	before, _, _ := strings.Cut(line, "@")
	return before
}

// drawRows makes a batch; on a changelog it takes back an earlier one as well.
func drawRows(t *rapid.T, keys []int, live *operatortest.Live, mode graph.Mode) (*column.Batch, []aRow) {
	b := column.NewBuilder(input, mode == graph.Updating)
	for range rapid.IntRange(0, 20).Draw(t, "rows") {
		b.Column(0).(*column.Fixed[int64]).Append(rapid.Int64Range(0, 4).Draw(t, "k"))
		text(t, b.Column(1).(*column.Bytes))
		if rapid.Bool().Draw(t, "null") {
			b.Column(colX).AppendNull()
		} else {
			b.Column(colX).(*column.Fixed[int64]).Append(rapid.Int64Range(-3, 3).Draw(t, "x"))
		}
		text(t, b.Column(colS).(*column.Bytes))
		b.AppendTime(rapid.Int64Range(-50, 50).Draw(t, "time"), column.Insert)
	}
	n := b.Rows()
	if mode == graph.Updating {
		live.Retract(t, b)
		live.Keep(b.Batch(), column.AllRows(nil, n))
		return b.Batch(), modelRows(b.Batch(), keys)
	}
	batch := *b.Batch()
	operatortest.DrawSelection(t, &batch)
	return &batch, modelRows(&batch, keys)
}

func text(t *rapid.T, c *column.Bytes) {
	if v := rapid.SampledFrom([]string{"", "a", "longer than twelve bytes", "-"}).Draw(t, "text"); v == "-" {
		c.AppendNull()
	} else {
		c.AppendString(v)
	}
}

func modelRows(b *column.Batch, keys []int) (rows []aRow) {
	for _, r := range b.Selected(nil) {
		i := int(r)
		row := aRow{time: b.Time[i], change: column.Insert}
		if b.Change != nil {
			row.change = b.Change[i]
		}
		var parts []string
		for _, k := range keys {
			parts = append(parts, operatortest.Show(b.Cols[k], i))
		}
		row.key = strings.Join(parts, ",")
		if c := b.Cols[colX].(*column.Fixed[int64]); c.Valid.IsValid(i) {
			row.x = &c.Values[i]
		}
		if c := b.Cols[colS].(*column.Bytes); c.Valid.IsValid(i) {
			s := c.Str(i)
			row.s = &s
		}
		rows = append(rows, row)
	}
	return rows
}

// The changelog is proper and materialises to what the model holds after every flush, with as few changes as possible,
// whatever the batches, retractions, idle groups, checkpoints, crashes and changes of parallelism.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SampledFrom([][]int{{}, {0}, {1}, {0, 1}}).Draw(t, "keys")
		m := &model{keys: keys, groups: map[string][]aRow{}, seen: map[string]time.Time{}, fresh: map[string]bool{}, shown: map[string]string{},
			moved: map[string]map[string]int64{}}
		m.ttl = rapid.SampledFrom([]time.Duration{0, 10 * time.Second}).Draw(t, "ttl")
		spec := &graph.UpdatingAggregateSpec{Keys: keys, Aggs: calls(), FlushInterval: int64(time.Second), TTL: int64(m.ttl)}
		mode := graph.Mode(rapid.IntRange(0, 1).Draw(t, "mode"))
		out := &table{keys: len(keys), rows: map[string]string{}, events: new(int)}
		c := &operatortest.Cluster[*table]{
			T:     t,
			New:   func(env operator.Env) (operator.Operator, error) { return updating.New(spec, input, mode, env) },
			Out:   func() *table { return &table{keys: out.keys, rows: out.rows, events: out.events} },
			Clock: clock.NewVirtual(time.Unix(1000, 0)),
		}
		c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
		if len(keys) == 0 {
			m.groups[""], m.fresh[""] = nil, true
		}
		live := &operatortest.Live{}
		check := func() {
			m.flush(c.Clock.Now())
			for k, line := range m.shown {
				if got := out.rows[k]; cut(got) != cut(line) {
					t.Fatalf("group %q is %q, want %q", k, got, line)
				}
			}
			if len(out.rows) != len(m.shown) || *out.events != m.events {
				t.Fatalf("%d groups after %d changes, want %d after %d", len(out.rows), *out.events, len(m.shown), m.events)
			}
		}
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1, 2:
				b, rows := drawRows(t, keys, live, mode)
				m.add(rows)
				c.Send(0, b, keys)
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
			}
		}
		c.Pass(0)
		check()
	})
}

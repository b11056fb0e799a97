package window_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/window"
)

// The input of the tests: keys of several types, then what is aggregated.
var (
	timestamp = &arrow.TimestampType{Unit: arrow.Nanosecond}
	decimal   = &arrow.Decimal128Type{Precision: 10, Scale: 2}
	point     = arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true})
	input     = arrow.NewSchema([]arrow.Field{
		{Name: "k_int", Type: arrow.PrimitiveTypes.Int64},
		{Name: "k_null", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "k_text", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "k_float", Type: arrow.PrimitiveTypes.Float64},
		{Name: "k_dec", Type: decimal, Nullable: true},
		{Name: "k_struct", Type: point, Nullable: true},
		{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "cond", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	}, nil)
)

const colX, colF, colS, colCond = 6, 7, 8, 9

// aRow is a row of the input as the model keeps it; a nil pointer is null.
type aRow struct {
	time int64
	key  string
	x    *int64
	f    *float64
	s    *string
	cond bool
}

// calls are the aggregates of the tests, and want computes their results from rows in the model.
func calls() []agg.Call {
	call := func(name string, col, filter int, distinct bool) agg.Call {
		c := agg.Call{Name: name, Filter: filter, Distinct: distinct}
		if col >= 0 {
			c.Args, c.ArgTypes = []int{col}, []arrow.DataType{input.Field(col).Type}
		}
		r, err := agg.Builtin().Resolve(name, distinct, c.ArgTypes, c.Span)
		if err != nil {
			panic(err)
		}
		c.Type, c.Nullable = r.Type, r.Nullable
		return c
	}
	return []agg.Call{
		call("count", -1, -1, false), call("count", colX, -1, false), call("sum", colX, colCond, false),
		call("avg", colF, -1, false), call("count", colS, -1, true), call("sum", colX, -1, true),
		call("var_pop", colF, -1, false), call("bit_xor", colX, -1, false),
		call("min", colX, -1, false), call("max", colF, -1, false), call("min", colS, colCond, false), call("max", colS, -1, true),
		call("array_agg", colX, -1, false), call("median", colX, -1, false), call("last_value", colS, -1, false),
		call("array_agg", colS, -1, true),
	}
}

// invertible are the positions of the calls that a hop can subtract; all others may be left out to test that.
const invertible = 8

func want(rows []aRow) []string {
	var n, nx, nf int64
	var sum int64
	var fsum, squares float64
	hasSum, xor := 0, int64(0)
	xs, fs, ss, ssCond := map[int64]bool{}, map[float64]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		n++
		if r.x != nil {
			nx++
			xs[*r.x] = true
			xor ^= *r.x
			if r.cond {
				sum += *r.x
				hasSum++
			}
		}
		if r.f != nil {
			nf++
			fsum += *r.f
			squares += *r.f * *r.f
			fs[*r.f] = true
		}
		if r.s != nil {
			ss[*r.s] = true
			if r.cond {
				ssCond[*r.s] = true
			}
		}
	}
	dsum, ok := int64(0), "null"
	for x := range xs {
		dsum += x
		ok = ""
	}
	out := []string{fmt.Sprint(n), fmt.Sprint(nx), orNull(hasSum, sum), orNull(int(nf), fsum/float64(nf))}
	out = append(out, fmt.Sprint(len(present(ss))), ok)
	if ok == "" {
		out[5] = fmt.Sprint(dsum)
	}
	out = append(out, orNull(int(nf), (float64(nf)*squares-fsum*fsum)/float64(nf*nf)), orNull(int(nx), xor))
	out = append(out, first(present(xs)), last(present(fs)), first(present(ssCond)), last(present(ss)))
	return append(out, inOrder(rows)...)
}

// inOrder is the results that depend on the order of rows or have an order themselves.
func inOrder(rows []aRow) []string {
	var byX, byS []string
	var vals []int64
	for _, r := range rows {
		x, s := "~null", "~null" // behind all values
		if r.x != nil {
			x = fmt.Sprintf("%02d", *r.x+10)
		}
		if r.s != nil {
			s = *r.s
		}
		byX = append(byX, fmt.Sprintf("%06d%s", r.time+1000, x))
		byS = append(byS, fmt.Sprintf("%06d%s", r.time+1000, s))
	}
	list, last, distinct := []string{}, "null", []string{}
	for _, k := range slices.Sorted(slices.Values(byX)) {
		if k[6:] == "~null" {
			list = append(list, "null")
			continue
		}
		x, _ := strconv.ParseInt(k[6:], 10, 64)
		list, vals = append(list, fmt.Sprint(x-10)), append(vals, x-10)
	}
	for _, k := range slices.Sorted(slices.Values(byS)) {
		if last = k[6:]; last == "~null" {
			last = "null"
		}
		if !slices.Contains(distinct, last) {
			distinct = append(distinct, last)
		}
	}
	null := slices.Index(distinct, "null")
	if null >= 0 {
		distinct = slices.Delete(distinct, null, null+1)
	}
	if slices.Sort(distinct); null >= 0 {
		distinct = append(distinct, "null")
	}
	median := "null"
	if slices.Sort(vals); len(vals) > 0 {
		median = fmt.Sprint((vals[(len(vals)-1)/2] + vals[len(vals)/2]) / 2)
	}
	return []string{fmt.Sprint(list), median, last, fmt.Sprint(distinct)}
}

func orNull(n int, v any) string {
	if n == 0 {
		return "null"
	}
	return fmt.Sprint(v)
}

func present[T int64 | float64 | string](m map[T]bool) []T { return slices.Sorted(maps.Keys(m)) }

func first[T any](v []T) string {
	if len(v) == 0 {
		return "null"
	}
	return fmt.Sprint(v[0])
}

func last[T any](v []T) string {
	slices.Reverse(v)
	return first(v)
}

// showAll is values as text, those that are equal for a group alike.
func showAll(cols []column.Vector, i int, between string) string {
	parts := operatortest.ShowAll(cols, i)
	for k, p := range parts {
		if p == "-0" {
			parts[k] = "0"
		}
	}
	return strings.Join(parts, between)
}

// drawBatch makes a batch with a random selection and the rows that count for the model.
func drawBatch(t *rapid.T, keys []int, times *rapid.Generator[int64]) (*column.Batch, []aRow) {
	b := column.NewBuilder(input, false)
	n := rapid.IntRange(0, 30).Draw(t, "rows")
	for range n {
		b.Column(0).(*column.Fixed[int64]).Append(rapid.Int64Range(-2, 2).Draw(t, "ki"))
		orAppendNull(t, b.Column(1), func(c *column.Fixed[int32]) { c.Append(rapid.Int32Range(0, 2).Draw(t, "kn")) })
		orAppendNull(t, b.Column(2), func(c *column.Bytes) {
			c.AppendString(rapid.SampledFrom([]string{"", "a", "a key longer than twelve bytes"}).Draw(t, "kt"))
		})
		b.Column(3).(*column.Fixed[float64]).Append(rapid.SampledFrom([]float64{0, math.Copysign(0, -1), 1.5}).Draw(t, "kf"))
		orAppendNull(t, b.Column(4), func(c *column.Fixed[decimal128.Num]) {
			c.Append(decimal128.FromI64(rapid.Int64Range(-1, 1).Draw(t, "kd")))
		})
		orAppendNull(t, b.Column(5), func(c *column.Struct) {
			orAppendNull(t, c.Children[0], func(c *column.Bytes) { c.AppendString(rapid.StringMatching("[ab]?").Draw(t, "ks")) })
			c.Append()
		})
		orAppendNull(t, b.Column(colX), func(c *column.Fixed[int64]) { c.Append(rapid.Int64Range(-3, 3).Draw(t, "x")) })
		orAppendNull(t, b.Column(colF), func(c *column.Fixed[float64]) { c.Append(float64(rapid.IntRange(-8, 8).Draw(t, "f")) / 4) })
		orAppendNull(t, b.Column(colS), func(c *column.Bytes) {
			c.AppendString(rapid.SampledFrom([]string{"", "x", "y", "a value longer than twelve bytes"}).Draw(t, "s"))
		})
		orAppendNull(t, b.Column(colCond), func(c *column.Bool) { c.Append(rapid.Bool().Draw(t, "cond")) })
		b.AppendTime(times.Draw(t, "time"), column.Insert)
	}
	batch := *b.Batch()
	operatortest.DrawSelection(t, &batch)
	return &batch, modelRows(&batch, keys)
}

func orAppendNull[T column.Appender](t *rapid.T, c column.Appender, f func(T)) {
	if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
		c.AppendNull()
		return
	}
	f(c.(T))
}

func modelRows(b *column.Batch, keys []int) (rows []aRow) {
	for _, r := range b.Selected(nil) {
		i := int(r)
		row := aRow{time: b.Time[i]}
		var cols []column.Vector
		for _, k := range keys {
			cols = append(cols, b.Cols[k])
		}
		row.key = showAll(cols, i, ",")
		if c := b.Cols[colX].(*column.Fixed[int64]); c.Valid.IsValid(i) {
			row.x = &c.Values[i]
		}
		if c := b.Cols[colF].(*column.Fixed[float64]); c.Valid.IsValid(i) {
			row.f = &c.Values[i]
		}
		if c := b.Cols[colS].(*column.Bytes); c.Valid.IsValid(i) {
			s := strings.Clone(c.Str(i))
			row.s = &s
		}
		c := b.Cols[colCond].(*column.Bool)
		row.cond = c.Valid.IsValid(i) && c.Bits.Get(i)
		rows = append(rows, row)
	}
	return rows
}

// model computes results from all accepted rows.
type model struct {
	w         graph.Window
	rows      []aRow
	watermark int64
	// released is the watermark at which results came out last.
	released int64
	late     int64
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// slot is the start of the slice of this width that holds t.
func (m *model) slot(t, width int64) int64 {
	return floorDiv(t-m.w.Offset.Nanos, width)*width + m.w.Offset.Nanos
}

// closed is the time before which rows are late.
func (m *model) closed() int64 {
	switch w := m.watermark; {
	case w == math.MinInt64:
		return w
	case m.w.Kind == graph.Cumulate:
		return m.slot(w, m.w.Width)
	default:
		start := m.slot(w, m.w.Slide)
		if end := start + m.w.Width; end <= w { // between two windows
			return end
		}
		return start
	}
}

func (m *model) add(rows []aRow) {
	for _, r := range rows {
		if r.time < m.closed() {
			m.late++
			continue
		}
		m.rows = append(m.rows, r)
	}
}

// windows gives all windows of the times that the tests use, in order.
func (m *model) windows() (all [][2]int64) {
	every := m.w.Slide
	if m.w.Kind == graph.Cumulate {
		every = m.w.Width
	}
	for start := m.slot(-600, every); start < 1200; start += every {
		if m.w.Kind != graph.Cumulate {
			all = append(all, [2]int64{start, start + m.w.Width})
			continue
		}
		for k := m.w.Slide; k < m.w.Width+m.w.Slide; k += m.w.Slide {
			all = append(all, [2]int64{start, start + min(k, m.w.Width)})
		}
	}
	return all
}

// release gives the lines of the windows that end in (the watermark so far, w]. Times in the tests are small, so that it
// can walk over all windows.
func (m *model) release(w int64, n int) (lines []string) {
	m.watermark = w
	for _, win := range m.windows() {
		start, end := win[0], win[1]
		if end <= m.released || end > w {
			continue
		}
		byKey := map[string][]aRow{}
		for _, r := range m.rows {
			if r.time >= start && r.time < end {
				byKey[r.key] = append(byKey[r.key], r)
			}
		}
		for key, rows := range byKey {
			lines = append(lines, fmt.Sprintf("[%d,%d) %s: %s @%d", start, end, key, strings.Join(want(rows)[:n], " "), end-1))
		}
	}
	m.released = w
	sort.Strings(lines)
	return lines
}

// cluster runs the operator in several subtasks.
func cluster(t *rapid.T, spec *graph.WindowAggregateSpec) *operatortest.Cluster[*operatortest.Windows] {
	return &operatortest.Cluster[*operatortest.Windows]{
		T:   t,
		New: func(env operator.Env) (operator.Operator, error) { return window.New(spec, input, env) },
		Out: func() *operatortest.Windows { return &operatortest.Windows{Line: line} },
	}
}

// line spells a window of a group.
func line(b *column.Batch, at, i int, start, end int64) string {
	return fmt.Sprintf("[%d,%d) %s: %s @%d", start, end, showAll(b.Cols[:at], i, ","), showAll(b.Cols[at+1:], i, " "), b.Time[i])
}

// The operator gives what the model gives, for every kind of key and window, whatever the batches, selections, late rows,
// checkpoints and changes of parallelism.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slide := rapid.Int64Range(1, 10).Draw(t, "slide")
		width := rapid.OneOf(rapid.Just(slide), rapid.Map(rapid.Int64Range(1, 12), func(k int64) int64 { return k * slide }),
			rapid.Int64Range(1, 40)).Draw(t, "width")
		kind := graph.Hop
		switch {
		case width == slide:
			kind = graph.Tumble
		case width > slide && rapid.Bool().Draw(t, "cumulate"):
			kind = graph.Cumulate
		}
		offset := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(-20, 20)).Draw(t, "offset")
		n := rapid.SampledFrom([]int{1, invertible, len(calls())}).Draw(t, "aggregates")
		spec := &graph.WindowAggregateSpec{
			Window: graph.Window{Kind: kind, Width: width, Slide: slide, Offset: graph.Offset{Nanos: offset}},
			Keys:   rapid.SampledFrom([][]int{{}, {0}, {1}, {2}, {0, 1}, {3, 4}, {2, 0}, {5}}).Draw(t, "keys"),
			Aggs:   calls()[:n],
		}
		m := &model{w: spec.Window, watermark: math.MinInt64, released: math.MinInt64}
		c := cluster(t, spec)
		c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
		now := int64(-100)
		check := func(w int64) {
			got, exp := operatortest.Released(c, w), m.release(w, n)
			if !slices.Equal(got, exp) {
				t.Fatalf("watermark %d, window %v, got\n%s\nwant\n%s", w, spec.Window, strings.Join(got, "\n"), strings.Join(exp, "\n"))
			}
		}
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			now += rapid.SampledFrom([]int64{0, 1, 3, 20, 90}).Draw(t, "pass")
			if now > 500 {
				break
			}
			switch rapid.IntRange(0, 5).Draw(t, "step") {
			case 0, 1, 2:
				b, rows := drawBatch(t, spec.Keys, rapid.Int64Range(now-20, now+rapid.SampledFrom([]int64{0, 5, 40}).Draw(t, "ahead")))
				m.add(rows)
				c.Send(0, b, spec.Keys)
			case 3:
				check(max(m.watermark, now-5))
			case 4:
				c.Checkpoint()
			default:
				c.Checkpoint()
				c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
			}
		}
		if late := c.Late(); late != m.late {
			t.Fatalf("%d late rows, want %d", late, m.late)
		}
		m.watermark = max(m.watermark, -100)
		check(math.MaxInt64)
		if got := operatortest.Released(c, math.MaxInt64); len(got) > 0 {
			t.Fatalf("windows came out twice: %v", got)
		}
	})
}

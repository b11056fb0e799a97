package over_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/ordered"
	"wadi/dataflow/over"
)

var input = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.PrimitiveTypes.Int64},
	{Name: "t", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

const colX = 2

type aRow struct {
	key  string
	line string
	x    *int64
	raw  []byte
	time int64
}

func modelRows(b *column.Batch, keys []int) (rows []aRow) {
	for _, r := range b.Selected(nil) {
		i := int(r)
		row := aRow{time: b.Time[i], raw: ordered.AppendRow(nil, b.Cols, i)}
		var parts []string
		for _, k := range keys {
			parts = append(parts, operatortest.Show(b.Cols[k], i))
		}
		if c := b.Cols[colX].(*column.Fixed[int64]); c.Valid.IsValid(i) {
			x := c.Values[i]
			row.x = &x
		}
		row.key, row.line = strings.Join(parts, ","), strings.Join(operatortest.ShowAll(b.Cols, i), " ")
		rows = append(rows, row)
	}
	return rows
}

// model computes one call over a sorted partition, naively.
type model struct {
	spec *graph.OverSpec
	rows []aRow
}

// compareKeys compares two rows by the order alone.
func (m *model) compareKeys(a, b aRow) int {
	if c := cmp.Compare(a.time, b.time); c != 0 && !m.spec.Updating {
		return c
	}
	for _, o := range m.spec.Order { // all by x
		if (a.x == nil) != (b.x == nil) {
			if (a.x == nil) == o.NullsFirst {
				return -1
			}
			return 1
		}
		if a.x == nil {
			continue
		}
		c := cmp.Compare(*a.x, *b.x)
		if o.Desc {
			c = -c
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

// lineOf is row i of the sorted partition as it comes out.
func (m *model) lineOf(i int) string {
	parts := []string{m.rows[i].line}
	for _, call := range m.spec.Calls {
		parts = append(parts, m.value(call, i))
	}
	return fmt.Sprint(strings.Join(parts, " "), " @", m.rows[i].time)
}

func (m *model) sort() {
	slices.SortFunc(m.rows, func(a, b aRow) int {
		return cmp.Or(m.compareKeys(a, b), bytes.Compare(a.raw, b.raw), cmp.Compare(a.time, b.time))
	})
}

func (m *model) group(i int) int {
	g := 0
	for j := 1; j <= i; j++ {
		if m.compareKeys(m.rows[j-1], m.rows[j]) != 0 {
			g++
		}
	}
	return g
}

// inFrame reports whether row j is in the frame of row i.
func (m *model) inFrame(f graph.Frame, i, j int) bool {
	peers := m.compareKeys(m.rows[i], m.rows[j]) == 0
	switch {
	case f.Exclude == graph.ExcludeCurrentRow && i == j, f.Exclude == graph.ExcludeGroup && peers, f.Exclude == graph.ExcludeTies && peers && i != j:
		return false
	}
	return m.side(f.Unit, f.From, i, j) >= 0 && m.side(f.Unit, f.To, i, j) <= 0
}

func (m *model) side(unit graph.FrameUnit, b graph.Bound, i, j int) int {
	n := int64(0)
	switch b.Kind {
	case graph.UnboundedPreceding:
		return 1
	case graph.UnboundedFollowing:
		return -1
	case graph.Preceding:
		n = -b.N
	case graph.Following:
		n = b.N
	}
	switch unit {
	case graph.Rows:
		return cmp.Compare(int64(j), int64(i)+n)
	case graph.Groups:
		return cmp.Compare(int64(m.group(j)), int64(m.group(i))+n)
	}
	a, c := m.rows[i], m.rows[j]
	if b.Kind == graph.CurrentRow {
		return m.compareKeys(c, a)
	}
	if !m.spec.PerTime && !m.spec.Updating {
		return cmp.Compare(c.time, a.time+n)
	}
	if a.x == nil || c.x == nil {
		return m.compareKeys(c, a)
	}
	if m.spec.Order[0].Desc {
		return cmp.Compare(-*c.x, -*a.x+n)
	}
	return cmp.Compare(*c.x, *a.x+n)
}

func text(x *int64) string {
	if x == nil {
		return "null"
	}
	return fmt.Sprint(*x)
}

func (m *model) value(c graph.OverCall, i int) string {
	n := int64(1)
	if len(c.Params) > 0 {
		n = c.Params[0].(int64)
	}
	total := len(m.rows)
	first := i
	for first > 0 && m.compareKeys(m.rows[first-1], m.rows[i]) == 0 {
		first--
	}
	last := i
	for last+1 < total && m.compareKeys(m.rows[last+1], m.rows[i]) == 0 {
		last++
	}
	switch c.Name {
	case "row_number":
		return fmt.Sprint(i + 1)
	case "rank":
		return fmt.Sprint(first + 1)
	case "dense_rank":
		return fmt.Sprint(m.group(i) + 1)
	case "percent_rank":
		if total == 1 {
			return "0"
		}
		return fmt.Sprint(float64(first) / float64(total-1))
	case "cume_dist":
		return fmt.Sprint(float64(last+1) / float64(total))
	case "ntile":
		var sizes []int
		for b := range n {
			size := int64(total) / n
			if b < int64(total)%n {
				size++
			}
			sizes = append(sizes, int(size))
		}
		at := 0
		for b, s := range sizes {
			if at += s; i < at {
				return fmt.Sprint(b + 1)
			}
		}
	case "lag", "lead":
		step := 1
		if (c.Name == "lag") == (n >= 0) {
			step = -1
		}
		if n < 0 {
			n = -n
		}
		j := i
		for n > 0 {
			if j += step; j < 0 || j >= total {
				if len(c.Args) > 1 {
					return strings.Fields(m.rows[i].line)[0]
				}
				return "null"
			}
			if !c.IgnoreNulls || m.rows[j].x != nil {
				n--
			}
		}
		return text(m.rows[j].x)
	}
	var frame []*int64
	for j := range m.rows {
		if m.inFrame(c.Frame, i, j) {
			frame = append(frame, m.rows[j].x)
		}
	}
	var known []*int64
	for _, x := range frame {
		if x != nil {
			known = append(known, x)
		}
	}
	if c.IgnoreNulls {
		frame = known
	}
	switch c.Name {
	case "first_value":
		n = 1
	case "last_value":
		n = max(1, int64(len(frame)))
	case "nth_value":
	case "count":
		return fmt.Sprint(len(known))
	case "sum", "min", "max":
		if len(known) == 0 {
			return "null"
		}
		sum, least, most := int64(0), *known[0], *known[0]
		for _, x := range known {
			sum, least, most = sum+*x, min(least, *x), max(most, *x)
		}
		return fmt.Sprint(map[string]int64{"sum": sum, "min": least, "max": most}[c.Name])
	}
	if int64(len(frame)) < n {
		return "null"
	}
	return text(frame[n-1])
}

func drawCall(t *rapid.T, ordered bool) graph.OverCall {
	names := []string{
		"row_number", "rank", "dense_rank", "percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value",
		"nth_value", "count", "sum", "min", "max", "lag", "first_value", "sum",
	}
	c := graph.OverCall{Call: agg.Call{Name: rapid.SampledFrom(names).Draw(t, "name"), Filter: -1, Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	arg := func(cols ...int) {
		for _, col := range cols {
			c.Args, c.ArgTypes = append(c.Args, col), append(c.ArgTypes, input.Field(col).Type)
		}
	}
	switch c.Name {
	case "row_number", "rank", "dense_rank":
		c.Type = rapid.SampledFrom([]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64}).Draw(t, "type")
		return c
	case "percent_rank", "cume_dist":
		c.Type = arrow.PrimitiveTypes.Float64
		return c
	case "ntile":
		c.Params = []any{rapid.Int64Range(1, 4).Draw(t, "n")}
		return c
	case "lag", "lead":
		arg(colX)
		if rapid.Bool().Draw(t, "n") {
			c.Params = []any{rapid.Int64Range(-2, 3).Draw(t, "n")}
		}
		if rapid.Bool().Draw(t, "default") {
			arg(0)
		}
		c.IgnoreNulls = rapid.Bool().Draw(t, "ignore")
		return c
	case "nth_value":
		c.Params = []any{rapid.Int64Range(1, 3).Draw(t, "n")}
	}
	arg(colX)
	if c.IgnoreNulls = strings.Contains(c.Name, "_value") && rapid.Bool().Draw(t, "ignore"); true {
		c.Frame = drawFrame(t, ordered)
	}
	return c
}

func drawFrame(t *rapid.T, distances bool) graph.Frame {
	f := graph.Frame{Unit: graph.FrameUnit(rapid.IntRange(1, 3).Draw(t, "unit"))}
	f.Exclude = graph.Exclusion(rapid.SampledFrom([]int{0, 0, 0, 1, 2, 3}).Draw(t, "exclude"))
	kinds := []graph.BoundKind{graph.UnboundedPreceding, graph.Preceding, graph.CurrentRow, graph.Following, graph.UnboundedFollowing}
	if f.Unit == graph.Range && !distances {
		kinds = []graph.BoundKind{graph.UnboundedPreceding, graph.CurrentRow, graph.UnboundedFollowing}
	}
	n := len(kinds)
	from := rapid.IntRange(0, n-2).Draw(t, "from")
	to := rapid.IntRange(max(1, from), n-1).Draw(t, "to")
	if rapid.Bool().Draw(t, "usual") { // the frames that put rows out at once
		from, to = min(from, n/2), n/2
	}
	bound := func(k graph.BoundKind) graph.Bound {
		b := graph.Bound{Kind: k}
		if k == graph.Preceding || k == graph.Following {
			b.N = rapid.Int64Range(0, 4).Draw(t, "distance")
		}
		return b
	}
	f.From, f.To = bound(kinds[from]), bound(kinds[to])
	return f
}

// sink keeps the event times of the rows that came in the last call.
type sink struct {
	*operatortest.Table
	times []int64
}

func (s *sink) Begin() { s.times = nil }

func (s *sink) Emit(b *column.Batch) error {
	for _, r := range b.Selected(nil) {
		s.times = append(s.times, b.Time[r])
	}
	return s.Table.Emit(b)
}

// cluster runs an operator over append streams; all its tables share their rows.
func cluster(t operatortest.TB, spec *graph.OverSpec) *operatortest.Cluster[*sink] {
	out := operatortest.NewTable(false)
	return &operatortest.Cluster[*sink]{
		T:   t,
		New: func(env operator.Env) (operator.Operator, error) { return over.New(spec, input, graph.Append, env) },
		Out: func() *sink { return &sink{Table: out.Twin()} },
	}
}

// advance sends a watermark. What comes out is in the order of event times, unless the operator holds watermarks back.
func advance(c *operatortest.Cluster[*sink], w int64) {
	c.Watermark(w)
	for i, op := range c.Ops {
		_, makes := op.(operator.WatermarkMaker)
		if makes && w == operator.EndOfTime && c.Outs[i].Mark != w {
			c.T.Fatal("the end of time was held back")
		}
		if !makes && !slices.IsSorted(c.Outs[i].times) {
			c.T.Fatal("rows are not in the order of event times")
		}
	}
}

func drawRows(t *rapid.T, times *rapid.Generator[int64]) *column.Batch {
	b := column.NewBuilder(input, false)
	for range rapid.IntRange(0, 12).Draw(t, "rows") {
		b.Column(0).(*column.Fixed[int64]).Append(rapid.Int64Range(0, 2).Draw(t, "k"))
		if s := rapid.SampledFrom([]string{"a", "longer than twelve bytes", "-"}).Draw(t, "text"); s == "-" {
			b.Column(1).AppendNull()
		} else {
			b.Column(1).(*column.Bytes).AppendString(s)
		}
		if x := rapid.Int64Range(-3, 4).Draw(t, "x"); x == 4 {
			b.Column(2).AppendNull()
		} else {
			b.Column(2).(*column.Fixed[int64]).Append(x)
		}
		b.AppendTime(times.Draw(t, "time"), column.Insert)
	}
	batch := *b.Batch()
	operatortest.DrawSelection(t, &batch)
	return &batch
}

// Every row that was not late comes out once, with the values that the whole of its partition gives, whatever the batches,
// watermarks, checkpoints, crashes and changes of parallelism.
func TestAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := &graph.OverSpec{Keys: rapid.SampledFrom([][]int{{}, {0}, {1}, {0, 1}}).Draw(t, "keys"), PerTime: rapid.Bool().Draw(t, "perTime")}
		if spec.PerTime || rapid.IntRange(0, 2).Draw(t, "ordered") == 0 {
			if rapid.IntRange(0, 3).Draw(t, "by") > 0 {
				spec.Order = []graph.Order{{Column: colX, Desc: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nullsFirst")}}
			}
		}
		for range rapid.IntRange(1, 4).Draw(t, "calls") {
			spec.Calls = append(spec.Calls, drawCall(t, (len(spec.Order) == 1) == spec.PerTime))
		}
		againstModel(t, spec)
	})
}

// The same for functions that need no rows but the one at hand, which have an operator of their own.
func TestSteadyAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := &graph.OverSpec{Keys: rapid.SampledFrom([][]int{{}, {0}, {1}, {0, 1}}).Draw(t, "keys")}
		if rapid.Bool().Draw(t, "ordered") {
			spec.Order = []graph.Order{{Column: colX, Desc: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nullsFirst")}}
		}
		frame := graph.Frame{
			Unit: graph.FrameUnit(rapid.IntRange(1, 3).Draw(t, "unit")),
			From: graph.Bound{Kind: graph.UnboundedPreceding}, To: graph.Bound{Kind: graph.CurrentRow},
		}
		if rapid.Bool().Draw(t, "bounded") {
			frame.Unit, frame.From = graph.Rows, graph.Bound{Kind: graph.Preceding, N: rapid.Int64Range(0, 3).Draw(t, "preceding")}
		}
		for range rapid.IntRange(1, 5).Draw(t, "calls") {
			spec.Calls = append(spec.Calls, drawSteadyCall(t, frame))
		}
		againstModel(t, spec)
	})
}

func drawSteadyCall(t *rapid.T, frame graph.Frame) graph.OverCall {
	names := []string{"row_number", "rank", "dense_rank", "lag", "first_value", "count", "sum", "min", "max"}
	c := graph.OverCall{Call: agg.Call{Name: rapid.SampledFrom(names).Draw(t, "name"), Filter: -1, Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	switch c.Name {
	case "row_number", "rank", "dense_rank":
		c.Type = rapid.SampledFrom([]arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64}).Draw(t, "type")
		return c
	case "lag":
		c.Params = []any{rapid.Int64Range(1, 3).Draw(t, "n")}
	case "first_value":
		c.Frame = graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.UnboundedPreceding}, To: frame.To}
	default:
		c.Frame = frame
	}
	c.Args, c.ArgTypes = []int{colX}, []arrow.DataType{arrow.PrimitiveTypes.Int64}
	if c.Name == "lag" && rapid.Bool().Draw(t, "default") {
		c.Args, c.ArgTypes = append(c.Args, 0), append(c.ArgTypes, arrow.PrimitiveTypes.Int64)
	}
	return c
}

func againstModel(t *rapid.T, spec *graph.OverSpec) {
	c := cluster(t, spec)
	c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
	groups := map[string]*model{}
	watermark, late := int64(math.MinInt64), int64(0)
	times := rapid.Int64Range(-6, 20)
	if spec.PerTime {
		times = rapid.SampledFrom([]int64{math.MinInt64, -1, 0, 9, math.MaxInt64})
	}
	for range rapid.IntRange(1, 20).Draw(t, "steps") {
		switch rapid.IntRange(0, 5).Draw(t, "step") {
		case 0, 1, 2:
			b := drawRows(t, times)
			for _, r := range modelRows(b, spec.Keys) {
				if r.time < watermark || watermark == operator.EndOfTime {
					late++
					continue
				}
				key := r.key
				if spec.PerTime {
					key = fmt.Sprint(key, "@", r.time)
				}
				if groups[key] == nil {
					groups[key] = &model{spec: spec}
				}
				groups[key].rows = append(groups[key].rows, r)
			}
			c.Send(0, b, spec.Keys)
		case 3, 4:
			w := max(watermark, rapid.SampledFrom([]int64{math.MinInt64, -5, 0, 3, 9, 10, 15, 18, 21}).Draw(t, "watermark"))
			watermark = w
			advance(c, w)
		default:
			c.Checkpoint()
			c.Start(rapid.IntRange(1, 3).Draw(t, "parallelism"))
		}
	}
	advance(c, operator.EndOfTime)
	want := map[string]int{}
	for _, m := range groups {
		m.sort()
		for i := range m.rows {
			want[m.lineOf(i)]++
		}
	}
	if d := operatortest.Difference(c.Outs[0].Rows, want); d != "" {
		t.Fatal(d)
	}
	if n := c.Late(); n != late {
		t.Fatalf("%d late rows, want %d", n, late)
	}
}

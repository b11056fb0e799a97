package unnest_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/unnest"
)

// The small query of the tests: the numbers of the row that are greater than its "from", with their positions, and then one
// of the tails.
const (
	plain = iota
	total
	byParity
	greatest
	nested
	tails
)

var (
	number   = arrow.Field{Name: "num", Type: bigint, Nullable: true}
	position = arrow.Field{Name: "pos", Type: bigint}
	parity   = arrow.Field{Name: "parity", Type: bigint, Nullable: true}
)

// steps are those of the small query with this tail; limit is for greatest.
func steps(tail int, limit, offset int64, ties bool) []graph.LateralStep {
	list := arrow.NewSchema([]arrow.Field{input.Field(3)}, nil)
	pair := arrow.NewSchema([]arrow.Field{number, position}, nil)
	bound := expr.NewColumn(2+5, input.Field(5))
	greater := &expr.Node{Kind: expr.Call, Name: "gt", Type: arrow.FixedWidthTypes.Boolean, Nullable: true, Args: []*expr.Node{expr.NewColumn(0, number), bound}}
	out := []graph.LateralStep{
		{Project: &graph.ProjectSpec{Exprs: []*expr.Node{expr.NewColumn(3, input.Field(3))}}, Out: list},
		{Unnest: &graph.UnnestSpec{Calls: []graph.UnnestCall{{Kind: graph.UnnestList, Args: []int{0}}}, Ordinality: true}, Out: pair},
		{Project: &graph.ProjectSpec{Filter: greater}, Out: pair},
	}
	sum := agg.Call{Name: "sum", Args: []int{0}, ArgTypes: []arrow.DataType{bigint}, Filter: -1, Type: bigint, Nullable: true}
	all := agg.Call{Name: "string_agg", Args: []int{1}, ArgTypes: []arrow.DataType{text}, Params: []any{"+"}, Filter: -1, Type: text, Nullable: true}
	word := arrow.Field{Name: "word", Type: text, Nullable: true}
	spelled := &expr.Node{Kind: expr.Cast, Type: text, Nullable: true, Args: []*expr.Node{expr.NewColumn(0, number)}}
	modulo := &expr.Node{Kind: expr.Call, Name: "modulo", Type: bigint, Nullable: true, Args: []*expr.Node{expr.NewColumn(0, number), expr.NewLiteral(bigint, int64(2))}}
	switch tail {
	case total:
		out = append(out,
			graph.LateralStep{Project: &graph.ProjectSpec{Exprs: []*expr.Node{expr.NewColumn(0, number), spelled}}, Out: arrow.NewSchema([]arrow.Field{number, word}, nil)},
			graph.LateralStep{Aggregate: &graph.LateralAggregate{Aggs: []agg.Call{sum, all}}, Out: arrow.NewSchema([]arrow.Field{number, word}, nil)},
			graph.LateralStep{Pad: true, Out: arrow.NewSchema([]arrow.Field{number, word}, nil)})
	case byParity:
		out = append(out,
			graph.LateralStep{Project: &graph.ProjectSpec{Exprs: []*expr.Node{expr.NewColumn(0, number), modulo}}, Out: arrow.NewSchema([]arrow.Field{number, parity}, nil)},
			graph.LateralStep{Aggregate: &graph.LateralAggregate{Keys: []int{1}, Aggs: []agg.Call{sum}}, Out: arrow.NewSchema([]arrow.Field{parity, number}, nil)})
	case nested: // for each number a series from it to 2
		two := expr.NewLiteral(bigint, int64(2))
		series := graph.UnnestSpec{Calls: []graph.UnnestCall{{Kind: graph.UnnestSeries, Args: []int{0, 1, 2}, Including: true}}}
		bounds := arrow.NewSchema([]arrow.Field{number, position, position}, nil)
		out = append(out, graph.LateralStep{
			Lateral: &graph.LateralSpec{Keep: []int{0}, Kind: graph.LeftJoin, Steps: []graph.LateralStep{
				{Project: &graph.ProjectSpec{Exprs: []*expr.Node{expr.NewColumn(0, number), two, expr.NewLiteral(bigint, int64(1))}}, Out: bounds},
				{Unnest: &series, Out: arrow.NewSchema([]arrow.Field{position}, nil)},
			}},
			Out: arrow.NewSchema([]arrow.Field{number, {Name: "g", Type: bigint, Nullable: true}}, nil),
		})
	case greatest:
		top := &graph.LateralTop{Order: []graph.Order{{Column: 0, Desc: true}}, Rank: graph.RowNumber, Limit: limit, Offset: offset, WithTies: ties, WithRank: true}
		out = append(out, graph.LateralStep{Top: top, Out: arrow.NewSchema([]arrow.Field{number, position, {Name: "rank", Type: bigint}}, nil)})
	}
	return out
}

// results says what the small query gives for a row, each result as text.
func (r row) results(tail int, limit, offset int64, ties bool) []string {
	type element struct{ num, pos int64 }
	var all []element
	for i, n := range r.nums {
		if n > r.from {
			all = append(all, element{n, int64(i + 1)})
		}
	}
	var out []string
	switch tail {
	case total:
		sum, words := "null", "null"
		if len(all) > 0 {
			var parts []string
			s := int64(0)
			for _, e := range all {
				s += e.num
				parts = append(parts, fmt.Sprint(e.num))
			}
			sum, words = fmt.Sprint(s), strings.Join(parts, "+")
		}
		return []string{sum + "|" + words}
	case byParity:
		sums := map[int64]int64{}
		var order []int64
		for _, e := range all {
			if _, seen := sums[e.num%2]; !seen {
				order = append(order, e.num%2)
			}
			sums[e.num%2] += e.num
		}
		for _, p := range order {
			out = append(out, fmt.Sprintf("%d|%d", p, sums[p]))
		}
	case nested:
		for _, e := range all {
			if e.num > 2 {
				out = append(out, fmt.Sprintf("%d|null", e.num))
			}
			for g := e.num; g <= 2; g++ {
				out = append(out, fmt.Sprintf("%d|%d", e.num, g))
			}
		}
	case greatest:
		slices.SortFunc(all, func(a, b element) int { return cmp.Or(-cmp.Compare(a.num, b.num), cmp.Compare(a.pos, b.pos)) })
		for i, e := range all {
			tied := ties && i > 0 && int64(i) >= offset+limit && e.num == all[offset+limit-1].num
			if int64(i) >= offset && (limit < 0 || int64(i) < offset+limit || limit+offset > 0 && tied) {
				out = append(out, fmt.Sprintf("%d|%d|%d", e.num, e.pos, i+1))
			}
		}
	default:
		for _, e := range all {
			out = append(out, fmt.Sprintf("%d|%d", e.num, e.pos))
		}
	}
	return out
}

func TestSmallQueriesLikeTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tail := rapid.IntRange(0, tails-1).Draw(t, "tail")
		limit, offset, ties := rapid.Int64Range(-1, 3).Draw(t, "limit"), rapid.Int64Range(0, 2).Draw(t, "offset"), rapid.Bool().Draw(t, "ties")
		if limit <= 0 {
			ties = false
		}
		spec := &graph.LateralSpec{
			Keep: []int{1}, Steps: steps(tail, limit, offset, ties),
			Kind: rapid.SampledFrom([]graph.JoinKind{graph.InnerJoin, graph.LeftJoin, graph.SemiJoin, graph.AntiJoin}).Draw(t, "kind"),
		}
		fields := []arrow.Field{input.Field(1)}
		width := spec.Steps[len(spec.Steps)-1].Out.NumFields()
		if spec.Kind == graph.InnerJoin || spec.Kind == graph.LeftJoin {
			fields = append(fields, spec.Steps[len(spec.Steps)-1].Out.Fields()...)
		}
		o, err := unnest.NewLateral(spec, input, arrow.NewSchema(fields, nil), expr.Builtin(), operator.Env{BatchRows: rapid.SampledFrom([]int{0, 1, 3}).Draw(t, "batch")})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			updating := rapid.Bool().Draw(t, "updating")
			rows := make([]row, rapid.IntRange(0, 6).Draw(t, "rows"))
			var want []string
			for i := range rows {
				r := row{id: int64(i), name: rapid.SampledFrom([]string{"", "a name that is long enough"}).Draw(t, "name"), change: column.Insert, selected: rapid.IntRange(0, 3).Draw(t, "selected") > 0}
				if updating && rapid.Bool().Draw(t, "retract") {
					r.change = column.Retract
				}
				if n := rapid.IntRange(-1, 5).Draw(t, "nums"); n >= 0 {
					r.nums = rapid.SliceOfN(rapid.Int64Range(-3, 3), n, n).Draw(t, "nums")
				}
				r.from = rapid.Int64Range(-4, 3).Draw(t, "from")
				rows[i] = r
				if r.selected {
					want = append(want, r.lines(spec.Kind, r.results(tail, limit, offset, ties), width)...)
				}
			}
			got := &capture{}
			if err := o.Process(0, batchOf(rows, updating), got); err != nil {
				t.Fatal(err)
			}
			slices.Sort(got.rows)
			slices.Sort(want)
			if len(want)+len(got.rows) > 0 && !reflect.DeepEqual(got.rows, want) {
				t.Fatalf("tail %d, %s of %+v\ngot  %q\nwant %q", tail, spec.Kind, rows, got.rows, want)
			}
		}
	})
}

// lines are what goes out for a row with these results.
func (r row) lines(kind graph.JoinKind, results []string, width int) []string {
	head := fmt.Sprint(r.change, " ", r.id*10, " ", r.name)
	switch kind {
	case graph.SemiJoin, graph.AntiJoin:
		if (len(results) > 0) == (kind == graph.SemiJoin) {
			return []string{head}
		}
		return nil
	case graph.LeftJoin:
		if len(results) == 0 {
			return []string{head + strings.Repeat("|null", width)}
		}
	}
	var out []string
	for _, x := range results {
		out = append(out, head+"|"+x)
	}
	return out
}

func TestASmallQueryFailsWithItsPlace(t *testing.T) {
	divide := &expr.Node{
		Kind: expr.Call, Name: "divide", Type: bigint, Nullable: true, Span: fault.Span{Start: 3, End: 5},
		Args: []*expr.Node{expr.NewLiteral(bigint, int64(1)), expr.NewColumn(5, input.Field(5))},
	}
	spec := &graph.LateralSpec{Kind: graph.InnerJoin, Steps: []graph.LateralStep{
		{Project: &graph.ProjectSpec{Exprs: []*expr.Node{divide}}, Out: arrow.NewSchema([]arrow.Field{number}, nil)},
	}}
	o, err := unnest.NewLateral(spec, input, arrow.NewSchema([]arrow.Field{number}, nil), expr.Builtin(), operator.Env{})
	if err != nil {
		t.Fatal(err)
	}
	err = o.Process(0, batchOf([]row{{selected: true}}, false), &capture{})
	if f := fault.As(err); err == nil || f.Span.Start != 3 {
		t.Errorf("got %v", err)
	}
	once := &graph.LateralStep{Aggregate: &graph.LateralAggregate{Single: true}, Out: arrow.NewSchema(nil, nil)}
	spec = &graph.LateralSpec{Keep: []int{1}, Kind: graph.SemiJoin, Steps: append(steps(plain, 0, 0, false), *once)}
	o, err = unnest.NewLateral(spec, input, arrow.NewSchema(input.Fields()[1:2], nil), expr.Builtin(), operator.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Process(0, batchOf([]row{{selected: true, nums: []int64{1}}}, false), &capture{}); err != nil {
		t.Errorf("one row: %v", err)
	}
	if err := o.Process(0, batchOf([]row{{selected: true, nums: []int64{1, 2}}}, false), &capture{}); !fault.Is(err, unnest.CodeManyRows) {
		t.Errorf("two rows give %v", err)
	}
	if _, err := unnest.NewLateral(&graph.LateralSpec{Kind: graph.InnerJoin, Steps: []graph.LateralStep{{Out: input}}}, input, input, expr.Builtin(), operator.Env{}); err == nil {
		t.Error("an empty step is taken")
	}
}

// The figures are per input row, with lists of four numbers of which three pass the filter.
func BenchmarkLateral(b *testing.B) {
	rows := make([]row, 8192)
	for i := range rows {
		rows[i] = row{id: int64(i), name: "a name that does not stand inline", selected: true, nums: []int64{1, 2, 3, 4}, from: 1}
	}
	in := batchOf(rows, false)
	for name, tail := range map[string]int{"filter": plain, "sum": total, "groups": byParity, "top": greatest, "nested": nested} {
		b.Run(name, func(b *testing.B) {
			spec := &graph.LateralSpec{Keep: []int{1}, Steps: steps(tail, 2, 0, false), Kind: graph.LeftJoin}
			out := arrow.NewSchema(append([]arrow.Field{input.Field(1)}, spec.Steps[len(spec.Steps)-1].Out.Fields()...), nil)
			o, err := unnest.NewLateral(spec, input, out, expr.Builtin(), operator.Env{BatchRows: 8192})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += len(rows) {
				if err := o.Process(0, in, &operatortest.Discard{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

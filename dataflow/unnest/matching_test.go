package unnest_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/unnest"
)

// constants are rows of a number, which is null below -3, and a word, which equals its place.
func constants(nums []int64) [][]*expr.Node {
	var rows [][]*expr.Node
	for i, n := range nums {
		key := expr.NewLiteral(bigint, n)
		if n < -3 {
			key = expr.NewLiteral(bigint, nil)
		}
		rows = append(rows, []*expr.Node{key, expr.NewLiteral(text, fmt.Sprint("word ", i))})
	}
	return rows
}

func TestRowsOfTheProgramLikeTheModel(t *testing.T) {
	out := arrow.NewSchema([]arrow.Field{input.Field(1), number, {Name: "word", Type: text, Nullable: true}}, nil)
	rapid.Check(t, func(t *rapid.T) {
		nums := rapid.SliceOfN(rapid.Int64Range(-5, 3), 0, 6).Draw(t, "rows")
		safe, keyed := rapid.Bool().Draw(t, "null safe"), rapid.Bool().Draw(t, "keyed")
		m := &graph.LateralMatch{Rows: constants(nums)}
		key := graph.LateralStep{Project: &graph.ProjectSpec{Exprs: []*expr.Node{expr.NewColumn(6, input.Field(6))}}, Out: arrow.NewSchema([]arrow.Field{number}, nil)}
		if keyed {
			m.Keys, m.RowKeys, m.NullSafe = []int{0}, []int{0}, []bool{safe}
		}
		spec := &graph.LateralSpec{
			Keep: []int{1}, Kind: rapid.SampledFrom([]graph.JoinKind{graph.InnerJoin, graph.LeftJoin}).Draw(t, "kind"),
			Steps: []graph.LateralStep{key, {Match: m, Out: arrow.NewSchema(out.Fields()[1:], nil)}},
		}
		o, err := unnest.NewLateral(spec, input, out, expr.Builtin(), operator.Env{})
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]row, rapid.IntRange(0, 5).Draw(t, "n"))
		var want []string
		for i := range rows {
			rows[i] = row{id: int64(i), to: rapid.Int64Range(-12, 3).Draw(t, "to"), change: column.Insert, selected: rapid.Bool().Draw(t, "selected")}
			if r := rows[i]; r.selected {
				want = append(want, r.lines(spec.Kind, r.matches(nums, keyed, safe), 2)...)
			}
		}
		got := &capture{}
		if err := o.Process(0, batchOf(rows, false), got); err != nil {
			t.Fatal(err)
		}
		slices.Sort(got.rows)
		slices.Sort(want)
		if len(want)+len(got.rows) > 0 && !reflect.DeepEqual(got.rows, want) {
			t.Fatalf("%v, keyed %t, safe %t, %s\ngot  %q\nwant %q", nums, keyed, safe, spec.Kind, got.rows, want)
		}
	})
}

// matches are the constants for a row, whose "to" is null below -10.
func (r row) matches(nums []int64, keyed, safe bool) []string {
	var out []string
	for i, n := range nums {
		null, mine := n < -3, r.to < -10
		if keyed && !(!null && !mine && n == r.to || safe && null && mine) {
			continue
		}
		if null {
			out = append(out, fmt.Sprintf("null|word %d", i))
		} else {
			out = append(out, fmt.Sprintf("%d|word %d", n, i))
		}
	}
	return out
}

// The figures are per input row: a look-up among a thousand rows.
func BenchmarkLookUp(b *testing.B) {
	nums := make([]int64, 1000)
	for i := range nums {
		nums[i] = int64(i)
	}
	out := arrow.NewSchema([]arrow.Field{input.Field(1), number, {Name: "word", Type: text, Nullable: true}}, nil)
	spec := &graph.LateralSpec{Keep: []int{1}, Kind: graph.InnerJoin, Steps: []graph.LateralStep{
		{Project: &graph.ProjectSpec{Exprs: []*expr.Node{expr.NewColumn(0, input.Field(0))}}, Out: arrow.NewSchema([]arrow.Field{number}, nil)},
		{Match: &graph.LateralMatch{Rows: constants(nums), Keys: []int{0}, RowKeys: []int{0}}, Out: arrow.NewSchema(out.Fields()[1:], nil)},
	}}
	o, err := unnest.NewLateral(spec, input, out, expr.Builtin(), operator.Env{})
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]row, 8192)
	for i := range rows {
		rows[i] = row{id: int64(i % 1000), name: "a name that does not stand inline", selected: true}
	}
	in := batchOf(rows, false)
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; n += len(rows) {
		if err := o.Process(0, in, &operatortest.Discard{}); err != nil {
			b.Fatal(err)
		}
	}
}

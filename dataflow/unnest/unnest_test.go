package unnest_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/unnest"
)

var (
	bigint = arrow.PrimitiveTypes.Int64
	text   = arrow.BinaryTypes.String
	input  = arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: bigint}, {Name: "name", Type: text, Nullable: true},
		{Name: "words", Type: arrow.ListOf(text), Nullable: true}, {Name: "nums", Type: arrow.ListOf(bigint), Nullable: true},
		{Name: "pairs", Type: arrow.MapOf(text, bigint), Nullable: true},
		{Name: "from", Type: bigint}, {Name: "to", Type: bigint, Nullable: true}, {Name: "step", Type: bigint},
	}, nil)
)

// row is a row of the input as the model keeps it; a nil slice is a null list.
type row struct {
	id       int64
	name     string
	words    []string
	nums     []int64
	pairs    []string // keys; the values are their lengths
	from, to int64    // to is null below -10
	change   column.Change
	selected bool
}

func batchOf(rows []row, updating bool) *column.Batch {
	b := column.NewBuilder(input, updating)
	for _, r := range rows {
		b.Column(0).(*column.Fixed[int64]).Append(r.id)
		b.Column(1).(*column.Bytes).AppendString(r.name)
		appendList(b.Column(2), r.words == nil, len(r.words), func(e column.Appender, i int) { e.(*column.Bytes).AppendString(r.words[i]) })
		appendList(b.Column(3), r.nums == nil, len(r.nums), func(e column.Appender, i int) { e.(*column.Fixed[int64]).Append(r.nums[i]) })
		appendList(b.Column(4), r.pairs == nil, len(r.pairs), func(e column.Appender, i int) {
			s := e.(*column.Struct)
			s.Children[0].(*column.Bytes).AppendString(r.pairs[i])
			s.Children[1].(*column.Fixed[int64]).Append(int64(len(r.pairs[i])))
			s.Append()
		})
		b.Column(5).(*column.Fixed[int64]).Append(r.from)
		if r.to < -10 {
			b.Column(6).AppendNull()
		} else {
			b.Column(6).(*column.Fixed[int64]).Append(r.to)
		}
		b.Column(7).(*column.Fixed[int64]).Append(2)
		b.AppendTime(r.id*10, r.change)
	}
	out := b.Batch()
	out.Sel = []int32{}
	for i, r := range rows {
		if r.selected {
			out.Sel = append(out.Sel, int32(i))
		}
	}
	if len(out.Sel) == len(rows) {
		out.Sel = nil
	}
	return out
}

func appendList(a column.Appender, null bool, n int, add func(column.Appender, int)) {
	l := a.(*column.List)
	if null {
		l.AppendNull()
		return
	}
	for i := range n {
		add(l.Elem, i)
	}
	l.Append()
}

// model says what a call makes of a row.
func (r row) model(c graph.UnnestCall) [][]string {
	var out [][]string
	null := false
	switch {
	case c.Kind == graph.UnnestMap:
		for _, k := range r.pairs {
			out = append(out, []string{k, fmt.Sprint(len(k))})
		}
		null = r.pairs == nil
	case c.Kind == graph.UnnestSeries:
		for v := r.from; r.to >= -10 && (v < r.to || v == r.to && c.Including); v += 2 {
			out = append(out, []string{fmt.Sprint(v)})
		}
	case c.Args[0] == 2:
		for _, w := range r.words {
			out = append(out, []string{w})
		}
		null = r.words == nil
	default:
		for _, n := range r.nums {
			out = append(out, []string{fmt.Sprint(n)})
		}
		null = r.nums == nil
	}
	if null && c.NullRow {
		out = append(out, nulls(c))
	}
	return out
}

func nulls(c graph.UnnestCall) []string {
	out := make([]string, c.Width())
	for i := range out {
		out[i] = "null"
	}
	return out
}

// expected is what an unnest makes of rows.
func expected(spec *graph.UnnestSpec, rows []row) []string {
	var out []string
	for _, r := range rows {
		if !r.selected {
			continue
		}
		n := 0
		var columns [][][]string
		for _, c := range spec.Calls {
			columns = append(columns, r.model(c))
			n = max(n, len(columns[len(columns)-1]))
		}
		padded := n == 0 && spec.Outer
		if padded {
			n = 1
		}
		for i := range n {
			parts := []string{fmt.Sprint(r.change, " ", r.id*10, " ", r.name)}
			for k, c := range spec.Calls {
				if i < len(columns[k]) {
					parts = append(parts, columns[k][i]...)
				} else {
					parts = append(parts, nulls(c)...)
				}
			}
			if spec.Ordinality && padded {
				parts = append(parts, "null")
			} else if spec.Ordinality {
				parts = append(parts, fmt.Sprint(i+1))
			}
			out = append(out, strings.Join(parts, "|"))
		}
	}
	return out
}

// capture keeps rows as text.
type capture struct {
	rows   []string
	widest int
}

func (c *capture) Emit(b *column.Batch) error {
	c.widest = max(c.widest, b.N)
	for i := range b.N {
		change := column.Insert
		if b.Change != nil {
			change = b.Change[i]
		}
		parts := []string{fmt.Sprint(change, " ", b.Time[i], " ", b.Cols[0].(*column.Bytes).Str(i))}
		for _, v := range b.Cols[1:] {
			switch v := v.(type) {
			case *column.Bytes:
				parts = append(parts, show(v.Valid.IsValid(i), v.Str(i)))
			case *column.Fixed[int64]:
				parts = append(parts, show(v.Valid.IsValid(i), v.Values[i]))
			}
		}
		c.rows = append(c.rows, strings.Join(parts, "|"))
	}
	return nil
}

func show(valid bool, v any) string {
	if !valid {
		return "null"
	}
	return fmt.Sprint(v)
}

func (c *capture) Watermark(int64) error { return nil }
func (c *capture) Idle() error           { return nil }

var calls = []graph.UnnestCall{
	{Kind: graph.UnnestList, Args: []int{2}}, {Kind: graph.UnnestList, Args: []int{3}}, {Kind: graph.UnnestMap, Args: []int{4}},
	{Kind: graph.UnnestSeries, Args: []int{5, 6, 7}, Including: true}, {Kind: graph.UnnestSeries, Args: []int{5, 6, 7}},
}

func outputOf(spec *graph.UnnestSpec) *arrow.Schema {
	fields := []arrow.Field{input.Field(1)}
	for _, c := range spec.Calls {
		switch {
		case c.Kind == graph.UnnestMap:
			fields = append(fields, arrow.Field{Name: "key", Type: text, Nullable: true}, arrow.Field{Name: "value", Type: bigint, Nullable: true})
		case c.Args[0] == 2:
			fields = append(fields, arrow.Field{Name: "word", Type: text, Nullable: true})
		default:
			fields = append(fields, arrow.Field{Name: "num", Type: bigint, Nullable: true})
		}
	}
	if spec.Ordinality {
		fields = append(fields, arrow.Field{Name: "ordinality", Type: bigint, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

func TestLikeTheModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := &graph.UnnestSpec{Keep: []int{1}, Ordinality: rapid.Bool().Draw(t, "ordinality"), Outer: rapid.Bool().Draw(t, "outer")}
		for range rapid.IntRange(1, 3).Draw(t, "calls") {
			c := rapid.SampledFrom(calls).Draw(t, "call")
			c.NullRow = c.Kind != graph.UnnestSeries && rapid.Bool().Draw(t, "null row")
			spec.Calls = append(spec.Calls, c)
		}
		limit := rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(t, "limit")
		o, err := unnest.New(spec, input, outputOf(spec), operator.Env{BatchRows: limit})
		if err != nil {
			t.Fatal(err)
		}
		word := rapid.SampledFrom([]string{"", "a", "a word that is too long to stand inline"})
		var all []row
		got := &capture{}
		for range rapid.IntRange(1, 3).Draw(t, "batches") {
			updating := rapid.Bool().Draw(t, "updating")
			rows := make([]row, rapid.IntRange(0, 6).Draw(t, "rows"))
			for i := range rows {
				r := row{id: int64(len(all) + i), name: word.Draw(t, "name"), change: column.Insert, selected: rapid.IntRange(0, 3).Draw(t, "selected") > 0}
				if updating && rapid.Bool().Draw(t, "retract") {
					r.change = column.Retract
				}
				if n := rapid.IntRange(-1, 4).Draw(t, "words"); n >= 0 {
					r.words = rapid.SliceOfN(word, n, n).Draw(t, "words")
				}
				if n := rapid.IntRange(-1, 4).Draw(t, "nums"); n >= 0 {
					r.nums = rapid.SliceOfN(rapid.Int64Range(-5, 5), n, n).Draw(t, "nums")
				}
				if n := rapid.IntRange(-1, 2).Draw(t, "pairs"); n >= 0 {
					r.pairs = rapid.SliceOfN(word, n, n).Draw(t, "pairs")
				}
				r.from, r.to = rapid.Int64Range(-3, 3).Draw(t, "from"), rapid.Int64Range(-13, 9).Draw(t, "to")
				rows[i] = r
			}
			if err := o.Process(0, batchOf(rows, updating), got); err != nil {
				t.Fatal(err)
			}
			all = append(all, rows...)
		}
		if want := expected(spec, all); len(want)+len(got.rows) > 0 && !reflect.DeepEqual(got.rows, want) {
			t.Fatalf("%+v\ngot  %q\nwant %q", spec, got.rows, want)
		}
		if limit > 0 && got.widest > limit {
			t.Fatalf("a batch of %d rows, more than %d", got.widest, limit)
		}
	})
}

func TestAStepOfZeroIsAFault(t *testing.T) {
	spec := &graph.UnnestSpec{Keep: []int{1}, Calls: []graph.UnnestCall{{Kind: graph.UnnestSeries, Args: []int{0, 5, 5}}}}
	o, err := unnest.New(spec, input, outputOf(spec), operator.Env{})
	if err != nil {
		t.Fatal(err)
	}
	err = o.Process(0, batchOf([]row{{selected: true}}, false), &capture{})
	if !fault.Is(err, fault.CodeInvalid) || fault.As(err).Hint == "" {
		t.Errorf("got %v", err)
	}
}

func TestDamagedPlans(t *testing.T) {
	for _, spec := range []*graph.UnnestSpec{
		{Keep: []int{1}, Calls: []graph.UnnestCall{{Kind: graph.UnnestList, Args: []int{0}}}},
		{Keep: []int{1}, Calls: []graph.UnnestCall{{Kind: graph.UnnestMap, Args: []int{3}}}},
		{Keep: []int{1}, Calls: []graph.UnnestCall{{Kind: graph.UnnestList, Args: []int{99}}}},
		{Keep: []int{99}, Calls: calls[:1]},
		{Keep: []int{1, 0}, Calls: calls[:1]},
	} {
		if _, err := unnest.New(spec, input, outputOf(&graph.UnnestSpec{Calls: calls[:1]}), operator.Env{}); err == nil {
			t.Errorf("%+v is taken", spec)
		}
	}
}

// The figures are per output row: 8192 input rows with lists of four elements, a name and an id kept.
func BenchmarkUnnest(b *testing.B) {
	rows := make([]row, 8192)
	for i := range rows {
		rows[i] = row{
			id: int64(i), name: "a name that does not stand inline", selected: true, nums: []int64{1, 2, 3, 4}, words: []string{"a", "b", "c", "d"},
			from: 1, to: 7,
		}
	}
	in := batchOf(rows, false)
	for name, c := range map[string][]graph.UnnestCall{
		"numbers": {{Kind: graph.UnnestList, Args: []int{3}}}, "words": {{Kind: graph.UnnestList, Args: []int{2}}},
		"series": {{Kind: graph.UnnestSeries, Args: []int{5, 6, 7}, Including: true}},
		"both":   {{Kind: graph.UnnestList, Args: []int{3}}, {Kind: graph.UnnestList, Args: []int{2}}},
	} {
		b.Run(name, func(b *testing.B) {
			spec := &graph.UnnestSpec{Keep: []int{1}, Calls: c}
			o, err := unnest.New(spec, input, outputOf(spec), operator.Env{BatchRows: 8192})
			if err != nil {
				b.Fatal(err)
			}
			out := &operatortest.Discard{}
			b.ReportAllocs()
			b.ResetTimer()
			for out.Rows < b.N {
				if err := o.Process(0, in, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

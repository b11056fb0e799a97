package assign_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/assign"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
)

var in = arrow.NewSchema([]arrow.Field{
	{Name: "x", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

var out = arrow.NewSchema(append(in.Fields(), arrow.Field{Name: "window", Type: expr.Window}), nil)

// lines keeps what is emitted, as text.
type lines struct {
	list []string
	most int
}

func (l *lines) Emit(b *column.Batch) error {
	w := b.Cols[2].(*column.Struct)
	from, to := w.Children[0].(*column.Fixed[int64]), w.Children[1].(*column.Fixed[int64])
	l.most = max(l.most, b.N)
	for _, r := range b.Selected(column.AllRows(nil, b.N)) {
		text := "null"
		if s := b.Cols[1].(*column.Bytes); s.Valid.IsValid(int(r)) {
			text = s.Str(int(r))
		}
		change := column.Insert
		if b.Change != nil {
			change = b.Change[r]
		}
		l.list = append(l.list, fmt.Sprintf("%d %s %+d [%d,%d) @%d", b.Cols[0].(*column.Fixed[int64]).Values[r], text, change, from.Values[r], to.Values[r], b.Time[r]))
	}
	return nil
}
func (l *lines) Watermark(int64) error { return nil }
func (l *lines) Idle() error           { return nil }

// Every row comes with every window that holds its time and with no other, in the order of rows and ends, however batches,
// selections and limits lie.
func TestAgainstAllWindows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		slide := rapid.Int64Range(1, 10).Draw(t, "slide")
		w := graph.Window{Kind: graph.Hop, Width: rapid.Int64Range(1, 30).Draw(t, "width"), Slide: slide, Offset: graph.Offset{Nanos: rapid.Int64Range(0, 9).Draw(t, "offset")}}
		switch rapid.IntRange(0, 2).Draw(t, "kind") {
		case 0:
			w.Kind, w.Width = graph.Tumble, slide
		case 1:
			w.Kind, w.Width = graph.Cumulate, slide*rapid.Int64Range(2, 5).Draw(t, "steps")
		}
		limit := rapid.SampledFrom([]int{0, 1, 3, 8192}).Draw(t, "limit")
		op, err := assign.New(&graph.AssignSpec{Window: w}, in, out, operator.Env{BatchRows: limit})
		if err != nil {
			t.Fatal(err)
		}
		got, want := &lines{}, []string{}
		for range rapid.IntRange(1, 4).Draw(t, "batches") {
			b := column.NewBuilder(in, true)
			n := rapid.IntRange(0, 5).Draw(t, "rows")
			for i := range n {
				b.Column(0).(*column.Fixed[int64]).Append(int64(i))
				if i%3 == 2 {
					b.Column(1).AppendNull()
				} else {
					b.Column(1).(*column.Bytes).AppendString(strings.Repeat("x", i*9))
				}
				b.AppendTime(rapid.Int64Range(-50, 50).Draw(t, "time"), rapid.SampledFrom([]column.Change{column.Insert, column.Retract}).Draw(t, "change"))
			}
			batch := b.Batch()
			if n > 1 && rapid.Bool().Draw(t, "selected") {
				batch.Sel = []int32{0, int32(n - 1)}
			}
			for _, r := range batch.Selected(column.AllRows(nil, batch.N)) {
				want = append(want, windows(w, batch, r)...)
			}
			if err := op.Process(0, batch, got); err != nil {
				t.Fatal(err)
			}
		}
		if g, x := strings.Join(got.list, "\n"), strings.Join(want, "\n"); g != x {
			t.Fatalf("%+v: got\n%s\nwant\n%s", w, g, x)
		}
		if limit > 0 && w.Kind != graph.Tumble && got.most > limit {
			t.Fatalf("a batch of %d rows", got.most)
		}
	})
}

// windows walks over all windows of the times that the test uses.
func windows(w graph.Window, b *column.Batch, r int32) (list []string) {
	text := "null"
	if r%3 != 2 {
		text = strings.Repeat("x", int(r)*9)
	}
	add := func(start, end int64) {
		if t := b.Time[r]; start <= t && t < end {
			list = append(list, fmt.Sprintf("%d %s %+d [%d,%d) @%d", r, text, b.Change[r], start, end, end-1))
		}
	}
	for k := int64(-200); k < 200; k++ {
		if w.Kind != graph.Cumulate {
			start := k*w.Slide + w.Offset.Nanos
			add(start, start+w.Width)
			continue
		}
		for step := w.Slide; step <= w.Width; step += w.Slide {
			start := k*w.Width + w.Offset.Nanos
			add(start, start+step)
		}
	}
	return list
}

func TestEndsOfTime(t *testing.T) {
	for _, w := range []graph.Window{
		{Kind: graph.Tumble, Width: 10, Slide: 10}, {Kind: graph.Hop, Width: 10, Slide: 4}, {Kind: graph.Cumulate, Width: 10, Slide: 5},
		{Kind: graph.Hop, Width: 3, WidthUnit: graph.Months, Slide: 1, SlideUnit: graph.Months},
	} {
		op, err := assign.New(&graph.AssignSpec{Window: w}, in, out, operator.Env{})
		if err != nil {
			t.Fatal(err)
		}
		b := column.NewBuilder(in, false)
		for _, at := range []int64{math.MinInt64, math.MinInt64 + 1, 0, math.MaxInt64 - 1, math.MaxInt64} {
			b.Column(0).(*column.Fixed[int64]).Append(1)
			b.Column(1).AppendNull()
			b.AppendTime(at, column.Insert)
		}
		if err := op.Process(0, b.Batch(), &lines{}); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkAssign(b *testing.B) {
	const second = int64(1e9)
	for name, w := range map[string]graph.Window{
		"tumble": {Kind: graph.Tumble, Width: 10 * second, Slide: 10 * second},
		"hop-5":  {Kind: graph.Hop, Width: 10 * second, Slide: 2 * second},
	} {
		b.Run(name, func(b *testing.B) {
			op, err := assign.New(&graph.AssignSpec{Window: w}, in, out, operator.Env{})
			if err != nil {
				b.Fatal(err)
			}
			rows := column.NewBuilder(in, false)
			for i := range int64(8192) {
				rows.Column(0).(*column.Fixed[int64]).Append(i)
				rows.Column(1).(*column.Bytes).AppendString("a text of some length")
				rows.AppendTime(i*second/1000, column.Insert)
			}
			batch := rows.Batch()
			sink := &operatortest.Discard{}
			b.ReportAllocs()
			for b.Loop() {
				if err := op.Process(0, batch, sink); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*8192/b.Elapsed().Seconds()/1e6, "Mrows/s")
		})
	}
}

package watermark_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/watermark"
)

var schema = arrow.NewSchema([]arrow.Field{{Name: "ts", Type: expr.Timestamp, Nullable: true}}, nil)

// log records what comes out as text: rows as their times, watermarks as w<time>.
type log []string

func (l *log) Emit(b *column.Batch) error {
	for _, r := range b.Selected(nil) {
		*l = append(*l, fmt.Sprint(b.Time[r]))
	}
	return nil
}

func (l *log) Watermark(w int64) error {
	if w == operator.EndOfTime {
		*l = append(*l, "end")
		return nil
	}
	*l = append(*l, fmt.Sprintf("w%d", w))
	return nil
}

func (l *log) Idle() error {
	*l = append(*l, "idle")
	return nil
}

func batch(times ...int64) *column.Batch {
	v := column.NewFixed[int64](expr.Timestamp)
	for _, t := range times {
		v.Append(t)
	}
	return &column.Batch{Schema: schema, N: len(times), Cols: []column.Vector{v}, Time: times}
}

func newOperator(t *testing.T, spec *graph.WatermarkSpec, granularity int64, c clock.Clock) *watermark.Operator {
	t.Helper()
	o, err := watermark.New(spec, schema, expr.Builtin(), granularity, operator.Env{Parallelism: 1, Clock: c, Metrics: &operator.Metrics{}})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestABatchIsCutOnlyWhereARowIsBehindAClosedWindow(t *testing.T) {
	spec := &graph.WatermarkSpec{Expr: expr.NewColumn(0, schema.Field(0))}
	o := newOperator(t, spec, 10, &clock.Virtual{})
	var out log
	for _, b := range []*column.Batch{batch(1, 5, 3), batch(12, 11, 9, 13), batch(14, 13, 15)} {
		if err := o.Process(0, b, &out); err != nil {
			t.Fatal(err)
		}
	}
	want := log{"1", "5", "w5", "3", "12", "w12", "11", "9", "13", "w13", "14", "13", "15", "w15"}
	if !reflect.DeepEqual(out, want) {
		t.Errorf("got  %v\nwant %v", out, want)
	}
}

// lateness says of every row whether its window of ten had been closed by the watermarks before it.
func lateness(l log) log {
	var out log
	closed := int64(-1 << 62)
	for _, s := range l {
		var w int64
		if _, err := fmt.Sscanf(s, "w%d", &w); err == nil {
			closed = max(closed, w/10)
			continue
		}
		t, _ := strconv.ParseInt(s, 10, 64)
		out = append(out, fmt.Sprintf("%d late %v", t, t/10 < closed))
	}
	return out
}

// However the rows are cut into batches and whatever the selection, a row sees the same closed windows.
func TestBatchesDoNotMatter(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		var times []int64
		at := int64(0)
		for range 200 {
			at += r.Int64N(4)
			times = append(times, max(0, at-r.Int64N(12)))
		}
		var want log
		for _, size := range []int{1, 2, 7, 200} {
			o := newOperator(t, &graph.WatermarkSpec{Delay: 2}, 10, &clock.Virtual{})
			var out log
			for i := 0; i < len(times); i += size {
				b := batch(times[i:min(i+size, len(times))]...)
				if size == 7 { // the same rows, some of them selected out of a larger batch
					b = spread(b)
				}
				if err := o.Process(0, b, &out); err != nil {
					t.Fatal(err)
				}
			}
			got := lateness(out)
			if want == nil {
				want = got
			}
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, batches of %d:\n%v\n%v", seed, size, got, want)
			}
		}
	}
}

// spread puts rows that do not count between the rows of b.
func spread(b *column.Batch) *column.Batch {
	var times []int64
	var sel []int32
	for _, t := range b.Time {
		times = append(times, 1<<60, t)
		sel = append(sel, int32(len(times)-1))
	}
	out := batch(times...)
	out.Sel = sel
	return out
}

func TestIdleOnceAndAgainAfterRows(t *testing.T) {
	c := &clock.Virtual{}
	o := newOperator(t, &graph.WatermarkSpec{Delay: 0, Idle: int64(5 * time.Second)}, 10, c)
	var out log
	tick := func(d time.Duration) {
		c.Advance(d)
		if err := o.Tick(c.Now(), &out); err != nil {
			t.Fatal(err)
		}
	}
	tick(4 * time.Second)
	tick(time.Second)
	tick(time.Minute)
	if err := o.Process(0, batch(7), &out); err != nil {
		t.Fatal(err)
	}
	tick(5 * time.Second)
	if want := (log{"idle", "7", "w7", "idle"}); !reflect.DeepEqual(out, want) {
		t.Errorf("got %v, want %v", out, want)
	}
}

func TestEndOfInputPassesAndOthersDoNot(t *testing.T) {
	o := newOperator(t, &graph.WatermarkSpec{}, 0, &clock.Virtual{})
	var out log
	for _, w := range []int64{5, operator.EndOfTime} {
		if err := o.Watermark(w, &out); err != nil {
			t.Fatal(err)
		}
	}
	if want := (log{"end"}); !reflect.DeepEqual(out, want) {
		t.Errorf("got %v, want %v", out, want)
	}
}

func TestDelayDoesNotWrap(t *testing.T) {
	o := newOperator(t, &graph.WatermarkSpec{Delay: int64(time.Hour)}, 10, &clock.Virtual{})
	var out log
	if err := o.Process(0, batch(-1<<63, -1<<63+5), &out); err != nil {
		t.Fatal(err)
	}
	if len(out) != 2 {
		t.Errorf("got %v: a watermark below the least time", out)
	}
}

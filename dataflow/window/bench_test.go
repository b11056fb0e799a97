package window_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/window"
)

var benchInput = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.PrimitiveTypes.Int64},
	{Name: "t", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Int64},
}, nil)

const batchRows, second = 8192, int64(1e9)

// benchBatches makes enough batches of random keys that the caches do not learn them.
func benchBatches(keys int) []*column.Batch {
	r := rand.New(rand.NewPCG(1, 2))
	var out []*column.Batch
	for range 64 {
		b := column.NewBuilder(benchInput, false)
		for range batchRows {
			k := r.IntN(keys)
			b.Column(0).(*column.Fixed[int64]).Append(int64(k))
			b.Column(1).(*column.Bytes).AppendString(fmt.Sprintf("user-%08d", k))
			b.Column(2).(*column.Fixed[int64]).Append(r.Int64N(1000))
			b.AppendTime(0, column.Insert)
		}
		out = append(out, b.Batch())
	}
	return out
}

func benchWindow(b *testing.B, w graph.Window, key, keys int, aggs []agg.Call) {
	batches := benchBatches(keys)
	env := operator.Env{Keys: column.AllKeys, Metrics: &operator.Metrics{}}
	op, err := window.New(&graph.WindowAggregateSpec{Window: w, Keys: []int{key}, Aggs: aggs}, benchInput, env)
	if err != nil {
		b.Fatal(err)
	}
	out := &operatortest.Discard{}
	b.ReportAllocs()
	b.SetBytes(0)
	now, i := int64(0), 0
	step := func() {
		batch := batches[i%len(batches)]
		i++
		for r := range batch.Time {
			batch.Time[r] = now + int64(r)
		}
		now += second / 12 // about 100,000 rows per second of event time
		if err := op.Process(0, batch, out); err != nil {
			b.Fatal(err)
		}
		if err := op.Watermark(now, out); err != nil {
			b.Fatal(err)
		}
	}
	for range 400 { // past the first windows, so that all tables have grown
		step()
	}
	b.ResetTimer()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(b.N)*batchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func benchCalls(names ...string) (calls []agg.Call) {
	for _, n := range names {
		c := agg.Call{Name: n, Filter: -1, Type: arrow.PrimitiveTypes.Int64}
		if n != "count" {
			c.Args, c.ArgTypes = []int{2}, []arrow.DataType{arrow.PrimitiveTypes.Int64}
		}
		calls = append(calls, c)
	}
	return calls
}

func BenchmarkTumble(b *testing.B) {
	w := graph.Window{Kind: graph.Tumble, Width: 10 * second, Slide: 10 * second}
	for _, keys := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("count/int-%d", keys), func(b *testing.B) { benchWindow(b, w, 0, keys, benchCalls("count")) })
		b.Run(fmt.Sprintf("count/text-%d", keys), func(b *testing.B) { benchWindow(b, w, 1, keys, benchCalls("count")) })
		b.Run(fmt.Sprintf("max/int-%d", keys), func(b *testing.B) { benchWindow(b, w, 0, keys, benchCalls("max")) })
	}
}

func BenchmarkHop(b *testing.B) {
	w := graph.Window{Kind: graph.Hop, Width: 10 * second, Slide: 2 * second}
	for _, keys := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("count/int-%d", keys), func(b *testing.B) { benchWindow(b, w, 0, keys, benchCalls("count")) })
		b.Run(fmt.Sprintf("max/int-%d", keys), func(b *testing.B) { benchWindow(b, w, 0, keys, benchCalls("max")) })
	}
	long := graph.Window{Kind: graph.Hop, Width: 60 * second, Slide: second}
	b.Run("60-panes/count/int-10000", func(b *testing.B) { benchWindow(b, long, 0, 10_000, benchCalls("count")) })
	b.Run("60-panes/max/int-10000", func(b *testing.B) { benchWindow(b, long, 0, 10_000, benchCalls("max")) })
}

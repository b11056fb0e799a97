package updating_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/updating"
)

// The updating aggregate at 10 million rows per second of wall-clock time, with a flush every second.
func BenchmarkUpdating(b *testing.B) {
	for _, keys := range []int{1000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("count-sum-max/int-%d", keys), func(b *testing.B) { benchUpdating(b, 0, keys) })
	}
	b.Run("count-sum-max/text-100000", func(b *testing.B) { benchUpdating(b, 1, 100_000) })
}

func benchUpdating(b *testing.B, key, keys int) {
	const batchRows = 8192
	schema := arrow.NewSchema([]arrow.Field{input.Field(0), input.Field(1), {Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	r := rand.New(rand.NewPCG(1, 2))
	var batches []*column.Batch
	for range 256 {
		bb := column.NewBuilder(schema, false)
		for range batchRows {
			k := r.IntN(keys)
			bb.Column(0).(*column.Fixed[int64]).Append(int64(k))
			bb.Column(1).(*column.Bytes).AppendString(fmt.Sprintf("user-%08d", k))
			bb.Column(2).(*column.Fixed[int64]).Append(r.Int64N(1000))
			bb.AppendTime(int64(k), column.Insert)
		}
		batches = append(batches, bb.Batch())
	}
	now := clock.NewVirtual(time.Unix(1000, 0))
	env := operator.Env{Keys: column.AllKeys, Clock: now, Metrics: &operator.Metrics{}}
	spec := &graph.UpdatingAggregateSpec{Keys: []int{key}, Aggs: calls()[:3], FlushInterval: int64(time.Second), TTL: int64(24 * time.Hour)}
	op, err := updating.New(spec, schema, graph.Append, env)
	if err != nil {
		b.Fatal(err)
	}
	out := &operatortest.Discard{}
	i := 0
	step := func() {
		if err := op.Process(0, batches[i%len(batches)], out); err != nil {
			b.Fatal(err)
		}
		if i++; i%1220 == 0 {
			now.Advance(time.Second)
			if err := op.(operator.Ticker).Tick(now.Now(), out); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range 1220 {
		step()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(b.N)*batchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

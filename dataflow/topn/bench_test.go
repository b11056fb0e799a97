package topn_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/topn"
)

// The best ten of each of 10,000 keys at 10 million rows per second of wall-clock time, with a flush every second: values
// in random order, so that few rows get among the best, and values that only grow, so that each one does.
func BenchmarkTop10(b *testing.B) {
	b.Run("random", func(b *testing.B) { benchTopN(b, graph.Append, 10, false) })
	b.Run("growing", func(b *testing.B) { benchTopN(b, graph.Append, 10, true) })
}

// The newest row of each of 10,000 keys.
func BenchmarkDeduplicate(b *testing.B) {
	b.Run("first", func(b *testing.B) { benchTopN(b, graph.Append, 1, false) })
	b.Run("last", func(b *testing.B) { benchTopN(b, graph.Append, 1, true) })
}

func benchTopN(b *testing.B, mode graph.Mode, limit int64, growing bool) {
	const batchRows, keys = 8192, 10_000
	r := rand.New(rand.NewPCG(1, 2))
	var batches []*column.Batch
	for range 64 {
		bb := column.NewBuilder(input, false)
		for range batchRows {
			bb.Column(0).(*column.Fixed[int64]).Append(r.Int64N(keys))
			bb.Column(1).AppendNull()
			bb.Column(2).(*column.Fixed[int64]).Append(r.Int64())
			bb.Column(3).(*column.Fixed[float64]).Append(r.Float64())
			bb.Column(4).(*column.Bytes).AppendString("some text of a row")
			bb.AppendTime(0, column.Insert)
		}
		batches = append(batches, bb.Batch())
	}
	now := clock.NewVirtual(time.Unix(1000, 0))
	env := operator.Env{Keys: column.AllKeys, Clock: now, Metrics: &operator.Metrics{}}
	spec := &graph.TopNSpec{
		Keys: []int{0}, Order: []graph.Order{{Column: 2, Desc: true}}, Rank: graph.RowNumber, Limit: limit,
		FlushInterval: int64(time.Second), TTL: int64(24 * time.Hour),
	}
	op, err := topn.New(spec, input, mode, env)
	if err != nil {
		b.Fatal(err)
	}
	out := &operatortest.Discard{}
	i, value := 0, int64(0)
	step := func() {
		batch := batches[i%len(batches)]
		if growing {
			vals := batch.Cols[2].(*column.Fixed[int64]).Values
			for j := range vals {
				value++
				vals[j] = value
			}
		}
		if err := op.Process(0, batch, out); err != nil {
			b.Fatal(err)
		}
		if i++; i%1220 == 0 {
			now.Advance(time.Second)
			if err := op.(operator.Ticker).Tick(now.Now(), out); err != nil {
				b.Fatal(err)
			}
		}
	}
	for range 200 {
		step()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		step()
	}
	b.ReportMetric(float64(b.N)*batchRows/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

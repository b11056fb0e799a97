package ordered_test

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
)

// Batches of which nearly no row is within the limit.
func BenchmarkWithin(b *testing.B) {
	in := arrow.NewSchema([]arrow.Field{{Type: arrow.PrimitiveTypes.Int64}}, nil)
	for _, desc := range []bool{false, true} {
		k := ordered.NewKey(in, []graph.Order{{Desc: desc}}, false)
		v := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
		r := rand.New(rand.NewPCG(1, 2))
		for range 8192 {
			v.Append(r.Int64N(1e9) + 1e6)
		}
		batch := &column.Batch{Schema: in, N: v.Len(), Cols: []column.Vector{v}}
		limit := uint64(1<<63 + 2e6)
		if desc {
			limit = ^uint64(1<<63 + 1e9)
		}
		b.Run(map[bool]string{false: "ascending", true: "descending"}[desc], func(b *testing.B) {
			var rows []int32
			for b.Loop() {
				rows, _ = k.Within(rows[:0], batch, limit)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/8192, "ns/row")
		})
	}
}

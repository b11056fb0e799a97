package over_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/over"
)

// BenchmarkUpdating appends rows to 10,000 partitions and computes a running sum and a rank, a moving average of ten rows, or
// the value of the row before, with a flush after every 100,000 rows. Rows come in their order, so that each changes its own
// result only, or anywhere, so that a sum or rank also changes those behind it.
func BenchmarkUpdating(b *testing.B) {
	lastTen := graph.Frame{Unit: graph.Rows, From: graph.Bound{Kind: graph.Preceding, N: 9}, To: graph.Bound{Kind: graph.CurrentRow}}
	none := graph.Frame{}
	for _, c := range []struct {
		name    string
		calls   []graph.OverCall
		growing bool
	}{
		{"sum/growing", []graph.OverCall{fn("sum", running), fn("rank", none)}, true},
		{"sum/anywhere", []graph.OverCall{fn("sum", running), fn("rank", none)}, false},
		{"rank/growing", []graph.OverCall{fn("rank", none)}, true},
		{"avg of ten/growing", []graph.OverCall{average(lastTen)}, true},
		{"avg of ten/anywhere", []graph.OverCall{average(lastTen)}, false},
		{"lag/growing", []graph.OverCall{fn("lag", none)}, true},
		{"lag/anywhere", []graph.OverCall{fn("lag", none)}, false},
	} {
		b.Run(c.name, func(b *testing.B) { benchUpdating(b, c.calls, c.growing) })
	}
}

func average(f graph.Frame) graph.OverCall {
	c := graph.OverCall{Call: agg.Call{Name: "avg", Filter: -1, Type: arrow.PrimitiveTypes.Float64, Nullable: true}, Frame: f}
	c.Args, c.ArgTypes = []int{colX}, []arrow.DataType{arrow.PrimitiveTypes.Int64}
	return c
}

func benchUpdating(b *testing.B, calls []graph.OverCall, growing bool) {
	const batchRows, keys, rows = 4096, 10_000, 400_000
	spec := &graph.OverSpec{
		Updating: true, Keys: []int{0}, Order: []graph.Order{{Column: colX}}, Calls: calls, FlushInterval: int64(time.Second), TTL: int64(24 * time.Hour),
	}
	r := rand.New(rand.NewPCG(1, 2))
	var batches []*column.Batch
	for n := 0; n < rows; n += batchRows {
		bb := column.NewBuilder(input, false)
		for i := range batchRows {
			bb.Column(0).(*column.Fixed[int64]).Append(r.Int64N(keys))
			bb.Column(1).(*column.Bytes).AppendString("some text of a row")
			x := int64(n + i)
			if !growing {
				x = r.Int64N(1 << 40)
			}
			bb.Column(2).(*column.Fixed[int64]).Append(x)
			bb.AppendTime(0, column.Insert)
		}
		batches = append(batches, bb.Batch())
	}
	b.ReportAllocs()
	b.ResetTimer()
	out := &operatortest.Discard{}
	for range b.N {
		now := clock.NewVirtual(time.Unix(1000, 0))
		op, err := over.New(spec, input, graph.Append, operator.Env{Keys: column.AllKeys, Clock: now, Metrics: &operator.Metrics{}})
		if err != nil {
			b.Fatal(err)
		}
		for i, batch := range batches {
			if err := op.Process(0, batch, out); err != nil {
				b.Fatal(err)
			}
			if i%25 == 24 || i == len(batches)-1 {
				now.Advance(time.Second)
				if err := op.(operator.Ticker).Tick(now.Now(), out); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.ReportMetric(float64(b.N)*float64(len(batches)*batchRows)/b.Elapsed().Seconds()/1e6, "Mrows/s")
	b.ReportMetric(float64(out.Rows)/float64(b.N*len(batches)*batchRows), "out/in")
}

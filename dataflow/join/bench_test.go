package join_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/join"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state/statetest"
)

var benchSchema = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.PrimitiveTypes.Int64},
	{Name: "s", Type: arrow.BinaryTypes.String},
	{Name: "x", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// benchBatches has n batches of rows whose keys key gives; their event times grow by one per row.
func benchBatches(n int, updating bool, key func(i int) (int64, column.Change)) []*column.Batch {
	var batches []*column.Batch
	for i := range n {
		b := column.NewBuilder(benchSchema, updating)
		for j := range 8192 {
			k, c := key(i*8192 + j)
			b.Column(0).(*column.Fixed[int64]).Append(k)
			b.Column(1).(*column.Bytes).AppendString(fmt.Sprintf("name-%09d", k))
			b.Column(2).(*column.Fixed[int64]).Append(k * 3)
			b.AppendTime(int64(i*8192+j), c)
		}
		batches = append(batches, b.Batch())
	}
	return batches
}

func benchEnv() operator.Env {
	return operator.Env{Keys: column.AllKeys, Clock: clock.NewVirtual(time.Unix(1000, 0)), Metrics: &operator.Metrics{}}
}

// A side of as many rows as keys is there; the other streams, half of it finding nothing, and is kept as well.
func BenchmarkUpdatingInner(b *testing.B) {
	for _, keys := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("keys-%d", keys), func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			perm := r.Perm(2 * keys)
			there := benchBatches((keys+8191)/8192, false, func(i int) (int64, column.Change) { return int64(perm[i%keys]), column.Insert })
			stream := benchBatches(128, false, func(int) (int64, column.Change) { return r.Int64N(int64(2 * keys)), column.Insert })
			benchJoin(b, &graph.JoinSpec{JoinOn: graph.JoinOn{Kind: graph.InnerJoin, LeftKeys: []int{0}, RightKeys: []int{0}}, TTL: int64(24 * time.Hour)},
				[2]graph.Mode{}, there, stream)
		})
	}
}

func benchJoin(b *testing.B, spec *graph.JoinSpec, modes [2]graph.Mode, there, stream []*column.Batch) {
	out := &operatortest.Discard{}
	var op operator.Operator
	rows, i := 0, 0
	var spent time.Duration
	for range b.N {
		if i%len(stream) == 0 { // a fresh state, so that it does not grow for ever
			b.StopTimer()
			op, _ = join.NewUpdating(spec, [2]*arrow.Schema{benchSchema, benchSchema}, modes, expr.Builtin(), benchEnv())
			for _, t := range there {
				if err := op.Process(1, t, out); err != nil {
					b.Fatal(err)
				}
			}
			b.StartTimer()
		}
		from := cpu()
		if err := op.Process(0, stream[i%len(stream)], out); err != nil {
			b.Fatal(err)
		}
		spent += cpu() - from
		rows += 8192
		i++
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(rows), "cpu-ns/row")
}

// cpu is the time that the process has been running for, which does not depend on who else is.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// A left join whose right side changes a row at a time: each batch takes rows back and puts others in.
func BenchmarkUpdatingLeftChangelog(b *testing.B) {
	const keys = 100_000
	there := benchBatches((keys+8191)/8192, false, func(i int) (int64, column.Change) { return int64(i % keys), column.Insert })
	// Row 2i+1 takes back what row 2i−… put in one batch before.
	stream := benchBatches(128, true, func(i int) (int64, column.Change) {
		if i/8192%2 == 0 {
			return int64(i*31) % keys, column.Insert
		}
		return int64((i-8192)*31) % keys, column.Retract
	})
	spec := &graph.JoinSpec{JoinOn: graph.JoinOn{Kind: graph.RightJoin, LeftKeys: []int{0}, RightKeys: []int{0}}}
	benchJoin(b, spec, [2]graph.Mode{graph.Updating, graph.Append}, there, stream)
}

// Two streams, matching within a second, in time order, with a watermark per batch.
func BenchmarkInterval(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	key := func(int) (int64, column.Change) { return r.Int64N(100_000), column.Insert }
	streams := [2][]*column.Batch{benchBatches(128, false, key), benchBatches(128, false, key)}
	spec := &graph.IntervalJoinSpec{JoinOn: graph.JoinOn{Kind: graph.LeftJoin, LeftKeys: []int{0}, RightKeys: []int{0}}, Upper: 50_000}
	out := &operatortest.Discard{}
	var op operator.Operator
	rows, i := 0, 0
	var spent time.Duration
	for range b.N {
		if i%128 == 0 {
			b.StopTimer()
			op, _ = join.NewInterval(spec, [2]*arrow.Schema{benchSchema, benchSchema}, expr.Builtin(), benchEnv())
			b.StartTimer()
		}
		from := cpu()
		for port := range streams {
			if err := op.Process(port, streams[port][i%128], out); err != nil {
				b.Fatal(err)
			}
		}
		i++
		if err := op.Watermark(int64(i%128)*8192-10_000, out); err != nil {
			b.Fatal(err)
		}
		spent += cpu() - from
		rows += 2 * 8192
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(rows), "cpu-ns/row")
}

// The synchronous part of the first checkpoint of a million rows, and of the one after a batch more.
func BenchmarkSnapshot(b *testing.B) {
	there := benchBatches(128, false, func(i int) (int64, column.Change) { return int64(i), column.Insert })
	spec := &graph.JoinSpec{JoinOn: graph.JoinOn{Kind: graph.InnerJoin, LeftKeys: []int{0}, RightKeys: []int{0}}}
	var whole, delta time.Duration
	for range b.N {
		op, err := join.NewUpdating(spec, [2]*arrow.Schema{benchSchema, benchSchema}, [2]graph.Mode{}, expr.Builtin(), benchEnv())
		if err != nil {
			b.Fatal(err)
		}
		out := &operatortest.Discard{}
		for _, t := range there {
			if err := op.Process(1, t, out); err != nil {
				b.Fatal(err)
			}
		}
		var store statetest.Store
		from := cpu()
		if err := op.Snapshot(store.Writer(column.AllKeys)); err != nil {
			b.Fatal(err)
		}
		whole += cpu() - from
		if err := op.Process(1, there[0], out); err != nil {
			b.Fatal(err)
		}
		from = cpu()
		if err := op.Snapshot(store.Writer(column.AllKeys)); err != nil {
			b.Fatal(err)
		}
		delta += cpu() - from
	}
	b.ReportMetric(float64(whole.Milliseconds())/float64(b.N), "cpu-ms/whole")
	b.ReportMetric(float64(delta.Microseconds())/float64(b.N), "cpu-us/delta")
}

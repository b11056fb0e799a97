package multimap_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/state/multimap"
)

// BenchmarkMap keeps a million rows of 600,000 keys and then looks them up: what a row costs in each.
func BenchmarkMap(b *testing.B) {
	const batch, batches = 8192, 122
	types := []arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int64}
	random := rand.New(rand.NewPCG(1, 2))
	var rows [batches]multimap.Rows
	for i := range rows {
		r := &rows[i]
		r.Times = make([]int64, batch)
		for range types {
			c := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
			for range batch {
				c.Append(random.Int64N(1_000_000))
			}
			r.Cols = append(r.Cols, c)
		}
		r.Hashes = column.HashColumns(nil, r.Cols[:1], batch, nil)
	}
	all := column.AllRows(nil, batch)
	var ids []int32
	var cursor multimap.Cursor
	var pairs multimap.Pairs
	out := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	best := [4]time.Duration{1e9, 1e9, 1e9, 1e9}
	for range b.N {
		var spent [4]time.Duration
		m := multimap.New(multimap.Config{Types: types, Key: new(int)})
		for i := range rows {
			start := time.Now()
			ids = m.Insert(&rows[i], all, 0, ids[:0])
			spent[0] += time.Since(start)
		}
		for i := range rows {
			r := &rows[(i*7)%batches]
			start := time.Now()
			m.Seek(&cursor, r.Hashes, all)
			spent[1] += time.Since(start)
			for {
				start := time.Now()
				if !m.Next(&cursor, &pairs, 1024) {
					break
				}
				spent[2] += time.Since(start)
				start = time.Now()
				m.Same(&pairs, 0, r.Cols[0], multimap.NullNever)
				out.Reset()
				m.Gather(1, out, pairs.IDs)
				m.Gather(2, out, pairs.IDs)
				spent[3] += time.Since(start)
			}
		}
		for i := range best {
			best[i] = min(best[i], spent[i])
		}
	}
	for i, unit := range []string{"insert-ns/row", "seek-ns/row", "next-ns/row", "gather-ns/row"} {
		b.ReportMetric(float64(best[i].Nanoseconds())/batch/batches, unit)
	}
	b.ReportMetric(0, "ns/op")
}

package state_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

const benchRows = 8192

// benchKeys has batches of keys below n, as integers or as texts of some 15 bytes.
func benchKeys(n int, text bool) []column.Vector {
	r := rand.New(rand.NewPCG(1, 2))
	var batches []column.Vector
	for range 64 {
		if text {
			c := column.NewBytes(arrow.BinaryTypes.String)
			for range benchRows {
				c.AppendString(fmt.Sprintf("key-%011d", r.IntN(n)))
			}
			batches = append(batches, c)
			continue
		}
		c := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
		for range benchRows {
			c.Append(r.Int64N(int64(n)))
		}
		batches = append(batches, c)
	}
	return batches
}

// Keys that are all there are found; a row has six words of values.
func BenchmarkFind(b *testing.B) {
	for _, text := range []bool{false, true} {
		for _, n := range []int{1000, 100_000, 1_000_000} {
			dt := arrow.DataType(arrow.PrimitiveTypes.Int64)
			if text {
				dt = arrow.BinaryTypes.String
			}
			b.Run(fmt.Sprintf("%v-%d", dt, n), func(b *testing.B) {
				t := state.NewTable(state.NewLayout([]arrow.Field{{Name: "k", Type: dt}}, 6))
				batches := benchKeys(n, text)
				fill := column.NewFixed[int64](dt)
				texts := column.NewBytes(dt)
				var hashes []uint64
				var slots []int32
				for i := range n {
					fill.Append(int64(i))
					if text {
						texts.AppendString(fmt.Sprintf("key-%011d", i))
					}
				}
				all := []column.Vector{fill}
				if text {
					all[0] = texts
				}
				hashes = column.HashColumns(hashes, all, n, nil)
				slots = t.FindOrInsert(hashes, all, n, nil, slots)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					keys := batches[i%len(batches) : i%len(batches)+1]
					hashes = column.HashColumns(hashes, keys, benchRows, nil)
					slots = t.FindOrInsert(hashes, keys, benchRows, nil, slots)
					i++
				}
				if t.Len() != n {
					b.Fatalf("%d keys", t.Len())
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*benchRows), "ns/row")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

// A table of a million keys is filled, and then copied for a checkpoint.
func BenchmarkFillAndCopy(b *testing.B) {
	const n = 1 << 20
	l := state.NewLayout([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}}, 6)
	keys := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for i := range n {
		keys.Append(int64(i))
	}
	batch := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	var hashes []uint64
	var slots []int32
	fill := func() *state.Table {
		t := state.NewTable(l)
		for at := 0; at < n; at += benchRows {
			batch.Values = keys.Values[at : at+benchRows]
			hashes = column.HashColumns(hashes, []column.Vector{batch}, benchRows, nil)
			slots = t.FindOrInsert(hashes, []column.Vector{batch}, benchRows, nil, slots)
		}
		return t
	}
	b.Run("fill", func(b *testing.B) {
		for b.Loop() {
			fill()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
		b.ReportMetric(0, "ns/op")
	})
	b.Run("copy", func(b *testing.B) {
		t := fill()
		all := t.Slots(nil)
		for b.Loop() {
			c := l.NewChunk(0)
			t.AppendRows(c, all, 0)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/row")
		b.ReportMetric(0, "ns/op")
	})
}

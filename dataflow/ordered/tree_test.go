package ordered_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
)

// A counted tree finds the rows that a sorted list has at each position, while rows come and go.
func TestTreeAgainstSortedList(t *testing.T) {
	in := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	rapid.Check(t, func(t *rapid.T) {
		key := ordered.NewKey(in, []graph.Order{{Column: 0, Desc: rapid.Bool().Draw(t, "desc")}}, false)
		rows := ordered.NewRows(in, key, 2)
		tree := ordered.NewCountedTree(rows, 0, 1)
		root := int32(0)
		var ids []int32
		compare := func(a, b int32) int {
			return cmp.Or(rows.CompareRows(a, b), cmp.Compare(rows.Time(a), rows.Time(b)), cmp.Compare(rows.Age(a), rows.Age(b)))
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if n := len(ids); n > 0 && rapid.IntRange(0, 2).Draw(t, "remove") == 0 {
				at := rapid.IntRange(0, n-1).Draw(t, "at")
				root = tree.Remove(root, ids[at]+1)
				rows.Free(ids[at], false)
				ids = slices.Delete(ids, at, at+1)
			} else {
				b := column.NewBuilder(in, false)
				b.Column(0).(*column.Fixed[int64]).Append(rapid.Int64Range(0, 5).Draw(t, "x"))
				b.AppendTime(rapid.Int64Range(0, 1).Draw(t, "time"), column.Insert)
				batch := b.Batch()
				id := rows.Put(0, batch.Time[0], rows.Encode(batch, 0, key.Prefixes(nil, batch, []int32{0})[0]))
				root = tree.Insert(root, id+1)
				at, _ := slices.BinarySearchFunc(ids, id, compare)
				ids = slices.Insert(ids, at, id)
			}
			if tree.Len(root) != int64(len(ids)) || tree.At(root, int64(len(ids))) != -1 {
				t.Fatalf("%d rows, want %d", tree.Len(root), len(ids))
			}
			from := rapid.IntRange(0, len(ids)).Draw(t, "from")
			until := rapid.IntRange(from, len(ids)).Draw(t, "until")
			if got := tree.AppendRange(nil, root, int64(from), int64(until)); !slices.Equal(got, ids[from:until]) {
				t.Fatalf("rows %d to %d are %v, want %v", from, until, got, ids[from:until])
			}
			for at, id := range ids {
				if tree.At(root, int64(at)) != id {
					t.Fatalf("row %d is %d, want %d", at, tree.At(root, int64(at)), id)
				}
				if n := tree.Search(root, func(other int32) bool { return compare(other, id) >= 0 }); n != int64(at) {
					t.Fatalf("row %d is found at %d", at, n)
				}
			}
		}
	})
}

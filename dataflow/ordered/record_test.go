package ordered_test

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/ordered"
)

// drawBatch gives rows of columns of all types, with nulls where the schema allows them.
func drawBatch(t *rapid.T) *column.Batch {
	from := ascending()
	var fields []arrow.Field
	var cols []column.Vector
	n := rapid.IntRange(1, 12).Draw(t, "rows")
	for range rapid.IntRange(1, 6).Draw(t, "columns") {
		v := from[rapid.IntRange(0, len(from)-1).Draw(t, "type")]
		col := column.NewAppender(v.Type())
		nullable := rapid.Bool().Draw(t, "nullable")
		for range n {
			// Few values, so that rows are equal in some columns.
			if r := rapid.Int32Range(-1, 2).Draw(t, "value"); r >= 0 {
				col.AppendSel(v, []int32{r % int32(v.Len())})
			} else if nullable {
				col.AppendNull()
			} else {
				col.AppendSel(v, []int32{int32(v.Len() - 1)})
			}
		}
		fields = append(fields, arrow.Field{Name: v.Type().String(), Type: v.Type(), Nullable: nullable})
		cols = append(cols, col)
	}
	return &column.Batch{Schema: arrow.NewSchema(fields, nil), N: n, Cols: cols, Time: make([]int64, n)}
}

// Records order as rows with their keys in bytes do, and come back as they were.
func TestRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := drawBatch(t)
		var order []graph.Order
		for range rapid.IntRange(0, 3).Draw(t, "order") {
			order = append(order, graph.Order{
				Column: rapid.IntRange(0, len(b.Cols)-1).Draw(t, "by"), Desc: rapid.Bool().Draw(t, "desc"), NullsFirst: rapid.Bool().Draw(t, "nullsFirst"),
			})
		}
		key := ordered.NewKey(b.Schema, order, false)
		rec := ordered.NewRecord(b.Schema, key, nil)
		if rec == nil {
			for _, o := range order {
				switch b.Schema.Field(o.Column).Type.(type) {
				case *arrow.StringType, *arrow.ListType, *arrow.StructType:
					return
				}
			}
			t.Fatal("there is no layout")
		}
		all := column.AllRows(nil, b.N)
		prefixes := key.Prefixes(nil, b, all)
		stride := rec.Size + 1
		words := make([]int64, b.N*stride)
		// A row that another takes the place of leaves nothing behind.
		first := column.AllRows(nil, b.N)
		for i := range first {
			first[i] = int32(b.N - 1 - i)
		}
		rec.Put(words, stride, append(first, all...), b, append(all, all...))
		for i := range b.N {
			words[i*stride+rec.Prefix] = int64(prefixes[i])
		}
		out := make([]column.Appender, len(b.Cols))
		for c, v := range b.Cols {
			out[c] = column.NewAppender(v.Type())
		}
		rec.Append(words, stride, all, out)
		got := make([]column.Vector, len(out))
		for c, v := range out {
			got[c] = v
		}
		for i := range b.N {
			if x, y := ordered.AppendRow(nil, b.Cols, i), ordered.AppendRow(nil, got, i); !bytes.Equal(x, y) {
				t.Fatalf("row %d is %v and was %v", i, operatortest.ShowAll(got, i), operatortest.ShowAll(b.Cols, i))
			}
			w := words[i*stride : (i+1)*stride]
			if w[rec.Size] != 0 || w[rec.Flags]&(1<<ordered.OwnBits-1) != 0 {
				t.Fatalf("words that are not the record's have changed: %v", w)
			}
			again := append([]int64(nil), w...)
			if rec.Prefix >= rec.Values {
				again[rec.Prefix] = 0
			}
			if rec.Complete(again); again[rec.Prefix] != w[rec.Prefix] {
				t.Fatalf("prefix %x instead of %x", uint64(again[rec.Prefix]), uint64(w[rec.Prefix]))
			}
			for j := range b.N {
				x := ordered.AppendRow(key.Append(nil, b.Cols, 0, j), b.Cols, j)
				y := ordered.AppendRow(key.Append(nil, b.Cols, 0, i), b.Cols, i)
				if got, want := rec.Compare(b, j, w), bytes.Compare(x, y); got != want {
					t.Fatalf("rows %v and %v compare %d, want %d", operatortest.ShowAll(b.Cols, j), operatortest.ShowAll(b.Cols, i), got, want)
				}
			}
		}
	})
}

// Rows of more columns with nulls than there are bits come back as they were, without a key; of those that are none any more,
// nothing stays in memory. What was stored and is no row is refused.
func TestRecordsOfManyColumns(t *testing.T) {
	var fields []arrow.Field
	for range 10 {
		for _, v := range ascending() {
			fields = append(fields, arrow.Field{Name: "c", Type: v.Type(), Nullable: true})
		}
	}
	schema := arrow.NewSchema(fields, nil)
	rec := ordered.NewRecord(schema, nil, nil)
	const rows = 100
	words, stride, all := make([]int64, rows*rec.Size), rec.Size, column.AllRows(nil, rows)
	others := make([]int64, rec.Size)
	for round := range 30 {
		b := column.NewBuilder(schema, false)
		for c, f := range fields {
			for i := range rows {
				if (i+c+round)%3 == 0 {
					b.Column(c).AppendNull()
					continue
				}
				for _, v := range ascending() {
					if arrow.TypeEqual(v.Type(), f.Type) {
						b.Column(c).AppendSel(v, []int32{int32((i + round) % v.Len())})
						break
					}
				}
			}
		}
		for range rows {
			b.AppendTime(0, column.Insert)
		}
		for i := range rows {
			words[i*stride+rec.Flags] = 0
		}
		rec.Put(words, stride, all, b.Batch(), all)
		if round == 0 {
			rec.Put(others, stride, []int32{0}, b.Batch(), []int32{7})
		}
		rec.Tidy(ordered.Records{Words: words, Stride: stride}, ordered.Records{Words: others, Stride: stride})
		out := column.NewBuilder(schema, false)
		cols := make([]column.Appender, len(fields))
		for c := range cols {
			cols[c] = out.Column(c)
		}
		rec.Append(words, stride, all, cols)
		for i := range rows {
			if x, y := ordered.AppendRow(nil, b.Batch().Cols, i), ordered.AppendRow(nil, out.Batch().Cols, i); !bytes.Equal(x, y) {
				t.Fatalf("row %d of round %d is another", i, round)
			}
		}
		for i := 1; i < rows; i += 2 {
			rec.Free(words[i*stride : (i+1)*stride])
		}
	}
	if n := rec.Memory(); n > 1<<18 {
		t.Errorf("%d bytes", n)
	}
	stored := column.NewBytes(arrow.BinaryTypes.Binary)
	rec.AppendLoose(others, stride, []int32{0}, stored)
	again := make([]int64, rec.Size)
	if err := rec.TakeLoose(again, stored.At(0)); err != nil {
		t.Error(err)
	}
	if err := rec.TakeLoose(again, append([]byte{9}, stored.At(0)...)); fault.As(err) == nil || fault.As(err).Hint == "" {
		t.Errorf("bytes that are no row: %v", err)
	}
}

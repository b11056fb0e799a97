package expr_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
)

var (
	benchBid = arrow.StructOf(
		arrow.Field{Name: "auction", Type: arrow.PrimitiveTypes.Int64},
		arrow.Field{Name: "price", Type: arrow.PrimitiveTypes.Int64},
		arrow.Field{Name: "rate", Type: arrow.PrimitiveTypes.Float64},
	)
	benchSchema = arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64},
		{Name: "p", Type: arrow.PrimitiveTypes.Int64},
		{Name: "b", Type: arrow.PrimitiveTypes.Int64},
		{Name: "bid", Type: benchBid, Nullable: true},
		{Name: "f", Type: arrow.PrimitiveTypes.Float64},
		{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "s", Type: arrow.BinaryTypes.String},
		{Name: "t", Type: expr.Timestamp},
	}, nil)
)

const benchRows = 8192

func benchBatch() *column.Batch {
	bu := column.NewBuilder(benchSchema, false)
	x := uint64(1)
	next := func(n uint64) int64 {
		x = x*6364136223846793005 + 1442695040888963407
		return int64((x >> 33) % n)
	}
	texts := []string{"apple", "https://nexmark.com/item.htm?id=17", "a banana, rather long as text", "kiwi"}
	for i := range benchRows {
		int64s := func(c int, v int64) { bu.Column(c).(*column.Fixed[int64]).Append(v) }
		int64s(0, next(100000))
		int64s(1, next(10000))
		int64s(2, next(1000000))
		bid := bu.Column(3).(*column.Struct)
		if next(13) == 0 {
			bid.AppendNull()
		} else {
			bid.Children[0].(*column.Fixed[int64]).Append(next(1000))
			bid.Children[1].(*column.Fixed[int64]).Append(next(10000))
			bid.Children[2].(*column.Fixed[float64]).Append(float64(next(100)) / 100)
			bid.Append()
		}
		bu.Column(4).(*column.Fixed[float64]).Append(float64(next(1000)))
		if next(10) == 0 {
			bu.Column(5).AppendNull()
		} else {
			int64s(5, next(1000))
		}
		bu.Column(6).(*column.Bytes).AppendString(texts[next(4)])
		int64s(7, 1700000000e9+int64(i)*1e6)
		bu.AppendTime(int64(i), column.Insert)
	}
	return bu.Batch()
}

func BenchmarkPredicate(b *testing.B) {
	for _, text := range []string{
		"(a % 123 = 0 OR p > 5000) AND b < 700000", "a % 123 = 0", "a < 50000", "bid.price > 5000 AND bid.auction % 7 = 1",
		"n > 500", "s LIKE '%nexmark%'", "s = 'kiwi'", "a IN (1, 2, 3, 4)",
	} {
		b.Run(text, func(b *testing.B) {
			batch := benchBatch()
			p, err := expr.CompilePredicate(mustParse(b, benchSchema, text), benchSchema, expr.Builtin())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Select(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

func BenchmarkEval(b *testing.B) {
	for _, text := range []string{
		"bid.price * 0.908", "bid.price", "a + b", "a * 3", "a / 7", "p * 0.908 + 1", "f * f", "n + 1",
		"CASE WHEN a < 50000 THEN p ELSE b END", "coalesce(n, 0)", "CAST(p AS text)", "upper(s)", "substr(s, 3, 14)",
		"date_trunc('hour', t)", "split_part(s, '/', 3)", "bid.price > 5000", "a::decimal(20, 2) + b::decimal(20, 2)",
		"to_char(t, '%Y-%m-%d')", "at_time_zone(t, 'Europe/Berlin')", "at_time_zone(at_time_zone(t, 'UTC'), 'Europe/Berlin')",
	} {
		b.Run(text, func(b *testing.B) {
			batch := benchBatch()
			e, err := expr.Compile([]*expr.Node{mustParse(b, benchSchema, text)}, benchSchema, expr.Builtin())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.Eval(batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
		})
	}
}

// TestNumbersAllocateNothing holds for expressions of numbers, times and truth values once memory has been made.
func TestNumbersAllocateNothing(t *testing.T) {
	batch := benchBatch()
	half := *batch
	for r := 0; r < batch.N; r += 2 {
		half.Sel = append(half.Sel, int32(r))
	}
	few := *batch
	few.Sel = []int32{5, 900, 7000}
	for _, text := range []string{
		"bid.price * 0.908", "a + b", "a / 7 + p % 5", "n + 1", "-n", "p * 0.908 + 1",
		"(a % 123 = 0 OR p > 5000) AND b < 700000", "n IS NULL OR n / 2 > 3", "NOT (n > 5 AND f < 3)", "n IS DISTINCT FROM a",
		"CASE WHEN n < 500 THEN p WHEN f > 3 THEN b END", "coalesce(n, a)", "nullif(n, 3)", "a IN (1, 2, 3)",
		"CAST(p AS int)", "CAST(f AS double)", "date_trunc('minute', t)", "sqrt(f)", "a & 255", "s LIKE '%nex%'", "s = 'kiwi'",
	} {
		n := mustParse(t, benchSchema, text)
		e, err := expr.Compile([]*expr.Node{n, expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(3))}, benchSchema, expr.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []*column.Batch{batch, &half, &few} {
			if got := testing.AllocsPerRun(5, func() { e.Eval(b) }); got > 0 {
				t.Errorf("%s over %d rows: %v allocations per batch", text, b.Rows(), got)
			}
		}
		if n.Type.ID() != arrow.BOOL {
			continue
		}
		p, err := expr.CompilePredicate(n, benchSchema, expr.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range []*column.Batch{batch, &half, &few} {
			if got := testing.AllocsPerRun(5, func() { p.Select(b) }); got > 0 {
				t.Errorf("predicate %s over %d rows: %v allocations per batch", text, b.Rows(), got)
			}
		}
	}
}

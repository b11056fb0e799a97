package lookup_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/lookup"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
)

var (
	input = arrow.NewSchema([]arrow.Field{
		{Name: "x", Type: arrow.PrimitiveTypes.Int64}, {Name: "k", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	row = arrow.NewSchema([]arrow.Field{
		{Name: "v", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "k", Type: arrow.BinaryTypes.String},
	}, nil)
)

// table is what is asked; it knows what it was asked.
type table struct {
	rows   map[string]string
	asked  [][]string
	err    error
	b      *column.Builder
	closed int
}

func (t *table) Fetch(_ context.Context, keys []column.Vector, n int) (*column.Batch, []int32, error) {
	if t.err != nil {
		return nil, nil, t.err
	}
	t.b = column.NewBuilder(row, false)
	var asked []string
	var at []int32
	for i := range n {
		k := keys[0].(*column.Bytes).Str(i)
		asked = append(asked, strings.Clone(k))
		v, ok := t.rows[k]
		if !ok {
			at = append(at, -1)
			continue
		}
		at = append(at, int32(t.b.Rows()))
		t.b.Column(0).(*column.Bytes).AppendString(v)
		t.b.Column(1).(*column.Bytes).AppendString(k)
		t.b.AppendTime(0, column.Insert)
	}
	t.asked = append(t.asked, asked)
	return t.b.Batch(), at, nil
}

func (t *table) Close() error { t.closed++; return nil }

// sink writes rows as "x v @time".
type sink struct{ lines []string }

func (s *sink) Emit(b *column.Batch) error {
	for _, i := range b.Selected(nil) {
		v := "null"
		if c := b.Cols[2].(*column.Bytes); c.Valid.IsValid(int(i)) {
			v = strings.Clone(c.Str(int(i)))
		}
		s.lines = append(s.lines, fmt.Sprintf("%d %s @%d", b.Cols[0].(*column.Fixed[int64]).Values[i], v, b.Time[i]))
	}
	return nil
}
func (s *sink) Watermark(int64) error { return nil }
func (s *sink) Idle() error           { return nil }

func batch(keys ...string) *column.Batch {
	b := column.NewBuilder(input, false)
	for i, k := range keys {
		b.Column(0).(*column.Fixed[int64]).Append(int64(i))
		if k == "-" {
			b.Column(1).AppendNull()
		} else {
			b.Column(1).(*column.Bytes).AppendString(k)
		}
		b.AppendTime(int64(10*i), column.Insert)
	}
	return b.Batch()
}

type run struct {
	t     *testing.T
	table *table
	op    operator.Operator
	clock *clock.Virtual
	out   sink
	env   operator.Env
}

func start(t *testing.T, change func(*graph.LookupJoinSpec)) *run {
	t.Helper()
	spec := &graph.LookupJoinSpec{
		Kind: graph.LeftJoin, Keys: []int{1}, Table: graph.SourceSpec{Schema: row, PrimaryKey: []int{1}}, CacheBytes: 1 << 20,
	}
	change(spec)
	r := &run{t: t, table: &table{rows: map[string]string{"a": "A", "b": "B", "": "empty"}}, clock: clock.NewVirtual(time.Unix(0, 0))}
	r.env = operator.Env{Clock: r.clock, Metrics: &operator.Metrics{}}
	var err error
	if r.op, err = lookup.New(spec, input, graph.Append, r.table, expr.Builtin(), r.env); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *run) send(keys ...string) *run {
	r.t.Helper()
	if err := r.op.Process(0, batch(keys...), &r.out); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *run) expect(want string, asked ...string) *run {
	r.t.Helper()
	var calls []string
	for _, a := range r.table.asked {
		calls = append(calls, strings.Join(a, ","))
	}
	if got := strings.Join(r.out.lines, "; "); got != want || strings.Join(calls, "|") != strings.Join(asked, "|") {
		r.t.Fatalf("got  %s\nwant %s\nasked %q, want %q", got, want, calls, asked)
	}
	r.out.lines, r.table.asked = nil, nil
	return r
}

// Each key that is not known is asked for once, in one call; misses are remembered as well, and nulls are not asked for.
func TestEachKeyIsAskedForOnce(t *testing.T) {
	start(t, func(*graph.LookupJoinSpec) {}).
		send("a", "x", "-", "a", "").expect("0 A @0; 1 null @10; 2 null @20; 3 A @30; 4 empty @40", "a,x,").
		send("a", "x", "b").expect("0 A @0; 1 null @10; 2 B @20", "b").
		send("-").expect("0 null @0")
	start(t, func(s *graph.LookupJoinSpec) { s.Kind = graph.InnerJoin }).
		send("x", "-").expect("", "x").
		send("x", "b", "-").expect("1 B @10", "b")
}

func TestWithoutACache(t *testing.T) {
	r := start(t, func(s *graph.LookupJoinSpec) { s.CacheBytes = 0 }).
		send("a", "a", "x").expect("0 A @0; 1 A @10; 2 null @20", "a,x").
		send("a", "x").expect("0 A @0; 1 null @10", "a,x")
	r.table.rows["a"] = "A2"
	r.send("a").expect("0 A2 @0", "a")
}

func TestTimeToLive(t *testing.T) {
	r := start(t, func(s *graph.LookupJoinSpec) { s.CacheTTL = int64(time.Minute) }).
		send("a", "x").expect("0 A @0; 1 null @10", "a,x")
	r.table.rows["a"], r.table.rows["x"] = "A2", "X"
	r.clock.Advance(59 * time.Second)
	r.send("a", "x", "b").expect("0 A @0; 1 null @10; 2 B @20", "b")
	r.clock.Advance(time.Second)
	r.send("a", "x", "b", "a").expect("0 A2 @0; 1 X @10; 2 B @20; 3 A2 @30", "a,x")
}

func TestResidual(t *testing.T) {
	not := func(kind graph.JoinKind) *run {
		return start(t, func(s *graph.LookupJoinSpec) {
			s.Kind = kind
			v := expr.NewColumn(2, row.Field(0))
			var err error
			if s.Residual, err = expr.Builtin().Call("neq", []*expr.Node{v, expr.NewLiteral(arrow.BinaryTypes.String, "A")}, fault.Span{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	not(graph.LeftJoin).send("a", "b", "x", "a").expect("0 null @0; 1 B @10; 2 null @20; 3 null @30", "a,b,x")
	not(graph.InnerJoin).send("a", "b", "x", "a").expect("1 B @10", "a,b,x")
}

func TestFaultsOfTheTable(t *testing.T) {
	r := start(t, func(*graph.LookupJoinSpec) {})
	r.table.err = fault.Transientf(errors.New("gone"), "the server does not answer")
	if err := r.op.Process(0, batch("a"), &r.out); fault.As(err).Kind != fault.Transient || len(r.out.lines) > 0 {
		t.Fatal(err)
	}
	if err := r.op.Process(0, batch("-"), &r.out); err != nil { // nothing to ask
		t.Fatal(err)
	}
	if err := r.op.Close(); err != nil || r.table.closed != 1 {
		t.Fatal(err, r.table.closed)
	}
}

// However little is remembered, the answers are those of the table; and as little is remembered as is said.
func TestAnswersAreThoseOfTheTable(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		limit := int64(rapid.SampledFrom([]int{0, 150, 600, 3000, 1 << 20}).Draw(rt, "limit"))
		r := start(t, func(s *graph.LookupJoinSpec) { s.CacheBytes = limit })
		keys := rapid.SampledFrom([]string{"-", "", "a", "b", "x", "y", "a key beyond twelve bytes", "another such key", strings.Repeat("long", 50)})
		r.table.rows["y"], r.table.rows["another such key"] = strings.Repeat("Y", 100), "z"
		for range rapid.IntRange(1, 15).Draw(rt, "batches") {
			list := rapid.SliceOfN(keys, 1, 12).Draw(rt, "keys")
			b := batch(list...)
			b.Sel = []int32{}
			var want []string
			for i, k := range list {
				if rapid.IntRange(0, 3).Draw(rt, "skip") == 0 {
					continue
				}
				b.Sel = append(b.Sel, int32(i))
				v, ok := r.table.rows[k]
				if !ok {
					v = "null"
				}
				want = append(want, fmt.Sprintf("%d %s @%d", i, v, 10*i))
			}
			r.table.asked, r.out.lines = nil, nil
			if err := r.op.Process(0, b, &r.out); err != nil {
				rt.Fatal(err)
			}
			if !slices.Equal(r.out.lines, want) {
				rt.Fatalf("got  %q\nwant %q", r.out.lines, want)
			}
			for _, a := range r.table.asked {
				slices.Sort(a)
				if len(slices.Compact(a)) != len(a) || slices.Contains(a, "-") {
					rt.Fatalf("asked for %q", a)
				}
			}
		}
	})
}

// What is used stays; the memory is bounded.
func TestTheCacheIsBounded(t *testing.T) {
	r := start(t, func(s *graph.LookupJoinSpec) { s.CacheBytes = 64 << 10 })
	var peak int64
	for i := range 1000 {
		keys := []string{"a", "b"}
		for k := range 100 {
			keys = append(keys, fmt.Sprintf("key %d", 100*i+k))
		}
		r.table.asked = nil
		r.send(keys...)
		if i > 0 && (slices.Contains(r.table.asked[0], "a") || slices.Contains(r.table.asked[0], "b")) {
			t.Fatalf("what is always used was forgotten in batch %d", i)
		}
		if n := r.env.Metrics.StateBytes.Load(); i < 300 {
			peak = max(peak, n)
		} else if n > peak {
			t.Fatalf("the cache grew from %d to %d bytes", peak, n)
		}
		r.out.lines = nil
	}
}

func TestRefusedSpecs(t *testing.T) {
	for _, broken := range []func(*graph.LookupJoinSpec){
		func(s *graph.LookupJoinSpec) { s.Keys = nil },
		func(s *graph.LookupJoinSpec) { s.Kind = graph.RightJoin },
		func(s *graph.LookupJoinSpec) { s.Table.PrimaryKey = nil },
	} {
		spec := &graph.LookupJoinSpec{Kind: graph.LeftJoin, Keys: []int{1}, Table: graph.SourceSpec{Schema: row, PrimaryKey: []int{1}}}
		broken(spec)
		if _, err := lookup.New(spec, input, graph.Append, &table{}, expr.Builtin(), operator.Env{}); err == nil {
			t.Errorf("%+v was taken", *spec)
		}
	}
}

// BenchmarkCached measures rows whose answers are remembered.
func BenchmarkCached(b *testing.B) {
	spec := &graph.LookupJoinSpec{
		Kind: graph.LeftJoin, Keys: []int{1}, Table: graph.SourceSpec{Schema: row, PrimaryKey: []int{1}}, CacheBytes: 8 << 20,
	}
	tbl := &table{rows: map[string]string{}}
	var keys []string
	for i := range 4096 {
		k := fmt.Sprintf("key %d", i*7919%1000)
		tbl.rows[k] = "value of " + k
		keys = append(keys, k)
	}
	op, err := lookup.New(spec, input, graph.Append, tbl, expr.Builtin(), operator.Env{})
	if err != nil {
		b.Fatal(err)
	}
	in := batch(keys...)
	b.ReportAllocs()
	for b.Loop() {
		if err := op.Process(0, in, &operatortest.Discard{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*4096/1e6/b.Elapsed().Seconds(), "Mrows/s")
}

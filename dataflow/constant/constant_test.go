package constant_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/constant"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
)

var (
	bigint = arrow.PrimitiveTypes.Int64
	text   = arrow.BinaryTypes.String
)

func lit(dt arrow.DataType, v any) *expr.Node { return expr.NewLiteral(dt, v) }

// read reads up to reads times and gives the rows; afterwards st has the position.
func read(t testing.TB, s operator.Source, reads int) (rows []string, sizes []int, st *connectortest.State) {
	t.Helper()
	out := &connectortest.Emitter{}
	for range reads {
		status, err := s.Read(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		if status == operator.Done {
			break
		}
	}
	st = connectortest.NewState()
	if err := s.Snapshot(st); err != nil {
		t.Fatal(err)
	}
	return out.Rows(), out.Batches, st
}

// source makes a source, perhaps from a state.
type source func(t testing.TB, batch int, from *connectortest.State) operator.Source

func env(t testing.TB, batch int, from *connectortest.State) operator.Env {
	h := connectortest.NewHost(t, 0, 1, batch)
	if from != nil {
		h.Env.Restore = from.Reader()
	}
	return h.Env
}

func values(rows int) source {
	spec := &graph.ValuesSpec{}
	for i := range rows {
		word := lit(text, strings.Repeat("x", i))
		if i == 1 {
			word = lit(text, nil)
		}
		sum := &expr.Node{Kind: expr.Call, Name: "add", Type: bigint, Args: []*expr.Node{lit(bigint, int64(i)), lit(bigint, int64(1))}}
		spec.Rows = append(spec.Rows, []*expr.Node{word, sum})
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: text, Nullable: true}, {Name: "b", Type: bigint}}, nil)
	return func(t testing.TB, batch int, from *connectortest.State) operator.Source {
		s, err := constant.NewValues(spec, schema, expr.Builtin(), env(t, batch, from))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func series(spec graph.SeriesSpec) source {
	fields := []arrow.Field{{Name: "g", Type: spec.Start.Type}}
	if spec.Ordinality {
		fields = append(fields, arrow.Field{Name: "n", Type: bigint})
	}
	return func(t testing.TB, batch int, from *connectortest.State) operator.Source {
		s, err := constant.NewSeries(&spec, arrow.NewSchema(fields, nil), expr.Builtin(), env(t, batch, from))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

func integers(from, to, step int64, including, numbered bool) source {
	return series(graph.SeriesSpec{Start: lit(bigint, from), Stop: lit(bigint, to), Step: lit(bigint, step), Including: including, Ordinality: numbered})
}

func TestRows(t *testing.T) {
	month := arrow.MonthDayNanoInterval{Months: 1}
	for name, c := range map[string]struct {
		source source
		want   []string
	}{
		"values":  {values(3), []string{`0|"",1`, `0|null,2`, `0|"xx",3`}},
		"nothing": {values(0), nil},
		"series":  {integers(1, 7, 3, true, false), []string{"0|1", "0|4", "0|7"}},
		"range":   {integers(1, 7, 3, false, true), []string{"0|1,1", "0|4,2"}},
		"down":    {integers(2, 0, -1, true, false), []string{"0|2", "0|1", "0|0"}},
		"far":     {integers(math.MaxInt64-1, math.MaxInt64, 1, true, false), []string{"0|9223372036854775806", "0|9223372036854775807"}},
		"null":    {series(graph.SeriesSpec{Start: lit(bigint, int64(1)), Stop: lit(bigint, nil), Step: lit(bigint, int64(1))}), nil},
		"days": {series(graph.SeriesSpec{
			Start: lit(arrow.FixedWidthTypes.Date32, int64(30)), Stop: lit(arrow.FixedWidthTypes.Date32, int64(100)), Step: lit(expr.Interval, month),
		}), []string{"0|30", "0|58", "0|86"}},
	} {
		for _, batch := range []int{0, 1, 2, 100} {
			rows, sizes, _ := read(t, c.source(t, batch, nil), 100)
			if !reflect.DeepEqual(rows, c.want) {
				t.Errorf("%s in batches of %d: got %v, want %v", name, batch, rows, c.want)
			}
			for _, n := range sizes {
				if batch > 0 && n > batch {
					t.Errorf("%s: a batch of %d rows instead of %d", name, n, batch)
				}
			}
		}
	}
}

func TestEveryRestorePointGivesTheSameRows(t *testing.T) {
	for name, s := range map[string]source{"values": values(9), "series": integers(5, -20, -2, true, true), "long values": values(3000)} {
		whole, _, _ := read(t, s(t, 4, nil), 1e6)
		for reads := range 12 {
			head, _, st := read(t, s(t, 2, nil), reads)
			tail, _, end := read(t, s(t, 5, st), 1e6)
			if got := append(head, tail...); !reflect.DeepEqual(got, whole) {
				t.Fatalf("%s restored after %d reads: %d rows, want %d", name, reads, len(got), len(whole))
			}
			if again, _, _ := read(t, s(t, 5, end), 10); len(again) > 0 {
				t.Fatalf("%s: %d rows come again behind the end", name, len(again))
			}
		}
	}
}

// A series between times that depend on the clock goes on with the bounds that it began with.
func TestBoundsAreComputedOnce(t *testing.T) {
	now := &expr.Node{Kind: expr.Call, Name: "now", Type: expr.Timestamp}
	hours := func(n int64) *expr.Node {
		return lit(expr.Interval, arrow.MonthDayNanoInterval{Nanoseconds: n * 3600e9})
	}
	later := &expr.Node{Kind: expr.Call, Name: "add", Type: expr.Timestamp, Args: []*expr.Node{now, hours(5)}}
	spec := &graph.SeriesSpec{Start: now, Stop: later, Step: hours(1), Including: true}
	schema := arrow.NewSchema([]arrow.Field{{Name: "t", Type: expr.Timestamp}}, nil)
	h := connectortest.NewHost(t, 0, 1, 2)
	open := func() operator.Source {
		s, err := constant.NewSeries(spec, schema, expr.Builtin(), h.Env)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	head, _, st := read(t, open(), 1)
	h.Clock.Advance(1e12)
	h.Env.Restore = st.Reader()
	tail, _, _ := read(t, open(), 10)
	var want []string
	for i := range int64(6) {
		want = append(want, fmt.Sprintf("0|%d", connectortest.Start.UnixNano()+i*3600e9))
	}
	if got := append(head, tail...); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v", got)
	}
}

func TestFaults(t *testing.T) {
	one := &expr.Node{Kind: expr.Call, Name: "divide", Type: bigint, Args: []*expr.Node{lit(bigint, int64(1)), lit(bigint, int64(0))}}
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: bigint}}, nil)
	s, err := constant.NewValues(&graph.ValuesSpec{Rows: [][]*expr.Node{{one}}}, schema, expr.Builtin(), env(t, 1, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Read(context.Background(), &connectortest.Emitter{}); fault.As(err) == nil || fault.As(err).Kind == fault.Internal {
		t.Errorf("division by zero gives %v", err)
	}
	zero := &graph.SeriesSpec{Start: lit(bigint, int64(1)), Stop: lit(bigint, int64(2)), Step: lit(bigint, int64(0))}
	if _, err := constant.NewSeries(zero, schema, expr.Builtin(), env(t, 1, nil)); !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("a step of 0 gives %v", err)
	}
	bad := connectortest.NewState()
	bad.Global("constant", []byte("position"), []byte("x"))
	if _, err := constant.NewSeries(zero, schema, expr.Builtin(), env(t, 1, bad)); err == nil {
		t.Error("a damaged position is taken")
	}
}

func BenchmarkSeries(b *testing.B) {
	s := integers(0, math.MaxInt64, 1, true, false)(b, 8192, nil)
	b.ReportAllocs()
	for n := 0; n < b.N; n += 8192 {
		if _, err := s.Read(context.Background(), &operatortest.Discard{}); err != nil {
			b.Fatal(err)
		}
	}
}

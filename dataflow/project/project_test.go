package project_test

import (
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/project"
)

var in = arrow.NewSchema([]arrow.Field{
	{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "t", Type: expr.Timestamp, Nullable: true},
}, nil)

// taker keeps what comes out: the values of column 0 and the times of the rows that count.
type taker struct{ values, times []int64 }

func (k *taker) Emit(b *column.Batch) error {
	for _, r := range b.Selected(nil) {
		k.values = append(k.values, b.Cols[0].(*column.Fixed[int64]).Values[r])
		k.times = append(k.times, b.Time[r])
	}
	return nil
}
func (k *taker) Watermark(int64) error { return nil }
func (k *taker) Idle() error           { return nil }

// rows is a batch with a = 0..n-1 and t = 10·a, null where a is a multiple of three, of which the even rows count.
func rows(n int) *column.Batch {
	a, at := column.NewFixed[int64](in.Field(0).Type), column.NewFixed[int64](expr.Timestamp)
	b := &column.Batch{Schema: in, N: n, Time: make([]int64, n)}
	for i := range n {
		a.Append(int64(i))
		if i%3 == 0 {
			at.AppendNull()
		} else {
			at.Append(int64(10 * i))
		}
		if i%2 == 0 {
			b.Sel = append(b.Sel, int32(i))
		}
	}
	b.Cols = []column.Vector{a, at}
	return b
}

func run(t *testing.T, spec *graph.ProjectSpec) (taker, *operator.Metrics, error) {
	t.Helper()
	m := &operator.Metrics{}
	o, err := project.New(spec, in, in, expr.Builtin(), operator.Env{Metrics: m, Clock: clock.System{}})
	if err != nil {
		t.Fatal(err)
	}
	var k taker
	err = o.Process(0, rows(12), &k)
	return k, m, err
}

func call(t *testing.T, name string, args ...*expr.Node) *expr.Node {
	t.Helper()
	n, err := expr.Builtin().Call(name, args, fault.Span{})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestFilterThenCompute(t *testing.T) {
	a := expr.NewColumn(0, in.Field(0))
	k, _, err := run(t, &graph.ProjectSpec{
		Filter: call(t, "gt", a, expr.NewLiteral(a.Type, int64(3))),
		Exprs:  []*expr.Node{call(t, "multiply", a, expr.NewLiteral(a.Type, int64(2)))},
	})
	if err != nil || !reflect.DeepEqual(k.values, []int64{8, 12, 16, 20}) {
		t.Errorf("got %v, %v", k.values, err)
	}
}

func TestANullEventTimeIsBadData(t *testing.T) {
	spec := &graph.ProjectSpec{EventTime: expr.NewColumn(1, in.Field(1)), EventTimeColumn: "t"}
	_, _, err := run(t, spec)
	if f := fault.As(err); f == nil || f.Kind != fault.Data || f.Record.Column != "t" || f.Hint == "" {
		t.Errorf("got %v", err)
	}
	spec.DropBadTime = true
	k, m, err := run(t, spec)
	if err != nil || !reflect.DeepEqual(k.times, []int64{20, 40, 80, 100}) || m.BadRecords.Load() != 2 {
		t.Errorf("got %v, %d bad, %v", k.times, m.BadRecords.Load(), err)
	}
}

func TestNullsOfRowsThatDoNotCountAreNoBadData(t *testing.T) {
	a := expr.NewColumn(0, in.Field(0))
	odd := call(t, "neq", call(t, "modulo", a, expr.NewLiteral(a.Type, int64(3))), expr.NewLiteral(a.Type, int64(0)))
	k, m, err := run(t, &graph.ProjectSpec{Filter: odd, EventTime: expr.NewColumn(1, in.Field(1)), EventTimeColumn: "t"})
	if err != nil || len(k.values) != 4 || m.BadRecords.Load() != 0 {
		t.Errorf("got %v, %v", k.values, err)
	}
}

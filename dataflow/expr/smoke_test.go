package expr_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

func TestSmoke(t *testing.T) {
	fs := expr.Builtin()
	i64 := arrow.PrimitiveTypes.Int64
	schema := arrow.NewSchema([]arrow.Field{{Name: "a", Type: i64}, {Name: "b", Type: i64, Nullable: true}}, nil)
	a, b := expr.NewColumn(0, schema.Field(0)), expr.NewColumn(1, schema.Field(1))
	call := func(name string, args ...*expr.Node) *expr.Node {
		t.Helper()
		n, err := fs.Call(name, args, fault.Span{})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	lit := func(v int64) *expr.Node { return expr.NewLiteral(i64, v) }
	n := call("or", call("eq", call("modulo", a, lit(3)), lit(0)), call("gt", b, lit(5)))
	bu := column.NewBuilder(schema, false)
	for i := range 10 {
		bu.Column(0).(*column.Fixed[int64]).Append(int64(i))
		if i == 4 {
			bu.Column(1).AppendNull()
		} else {
			bu.Column(1).(*column.Fixed[int64]).Append(int64(9 - i))
		}
		bu.AppendTime(int64(i), column.Insert)
	}
	p, err := expr.CompilePredicate(n, schema, fs)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := p.Select(bu.Batch())
	t.Log(rows, err, expr.Format(n))
	c, err := expr.NewCase([]*expr.Node{n}, []*expr.Node{call("add", a, b)}, nil, fault.Span{})
	if err != nil {
		t.Fatal(err)
	}
	txt, err := expr.CastTo(c, arrow.BinaryTypes.String, false, fault.Span{})
	e, err := expr.Compile([]*expr.Node{c, txt, lit(3), call("coalesce", b, lit(7))}, schema, fs)
	if err != nil {
		t.Fatal(err)
	}
	out, err := e.Eval(bu.Batch())
	for _, o := range out {
		t.Log(o, err)
	}
}

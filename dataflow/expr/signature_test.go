package expr_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// everyType is a column of each type, with a few values, extremes among them, and nulls.
func everyType() (*arrow.Schema, *column.Batch) {
	names := strings.Fields("Int8 Int16 Int32 Int64 UInt8 UInt16 UInt32 UInt64 Float32 Float64 Boolean Utf8 Binary Date32 Time64(Nanosecond) " +
		"Interval(MonthDayNano) Decimal128(10,2) Decimal128(38,0) Timestamp(Second,None) Timestamp(Millisecond,None) Timestamp(Microsecond,None) Timestamp(Nanosecond,None) " +
		"Uuid List(Int64) List(Utf8) List(List(Float64)) Struct(a:Int64,b:Utf8) Map(Utf8,Int64)")
	var fields []arrow.Field
	for _, name := range append(names, `Timestamp(Nanosecond,Some("UTC"))`) {
		null := expr.NewLiteral(arrow.Null, nil)
		n, err := expr.Builtin().Call("arrow_cast", []*expr.Node{null, expr.NewLiteral(arrow.BinaryTypes.String, name)}, fault.Span{})
		if err != nil {
			panic(name + ": " + err.Error())
		}
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", len(fields)), Type: n.Type, Nullable: true})
	}
	fields = append(fields, arrow.Field{Name: "json", Type: arrow.BinaryTypes.StringView, Nullable: true}) // what json_get gives
	schema := arrow.NewSchema(fields, nil)
	b := &column.Batch{Schema: schema, N: 4, Time: make([]int64, 4)}
	for _, f := range fields {
		c := column.NewAppender(f.Type)
		appendValue(c, 1)
		c.AppendNull()
		appendValue(c, -1)
		appendValue(c, 1<<62)
		b.Cols = append(b.Cols, c)
	}
	return schema, b
}

// appendValue appends a value made from an integer, within the type's range.
func appendValue(c column.Appender, x int64) {
	switch c := c.(type) {
	case *column.Fixed[int8]:
		c.Append(int8(x))
	case *column.Fixed[int16]:
		c.Append(int16(x))
	case *column.Fixed[int32]:
		c.Append(int32(x))
	case *column.Fixed[int64]:
		if c.Type().ID() == arrow.TIME64 {
			x = x & (1<<46 - 1)
		}
		c.Append(x)
	case *column.Fixed[uint8]:
		c.Append(uint8(x))
	case *column.Fixed[uint16]:
		c.Append(uint16(x))
	case *column.Fixed[uint32]:
		c.Append(uint32(x))
	case *column.Fixed[uint64]:
		c.Append(uint64(x))
	case *column.Fixed[float32]:
		c.Append(float32(x) / 2)
	case *column.Fixed[float64]:
		c.Append(float64(x) / 2)
	case *column.Fixed[decimal128.Num]:
		c.Append(decimal128.FromI64(x % 1e9))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		c.Append(arrow.MonthDayNanoInterval{Months: int32(x % 100), Days: int32(x % 7), Nanoseconds: x})
	case *column.Bool:
		c.Append(x > 0)
	case *column.Bytes:
		text := fmt.Sprintf("été %d", x)
		switch c.Type().ID() {
		case arrow.LARGE_STRING:
			text = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"
		case arrow.STRING_VIEW:
			text = fmt.Sprintf(`{"a": [%d]}`, x)
		}
		c.AppendString(text)
	case *column.List:
		switch e := c.Elem.(type) {
		case *column.Struct: // a map's entries
			e.Children[0].(*column.Bytes).AppendString("k")
			e.Children[1].(*column.Fixed[int64]).Append(x)
			e.Append()
		default:
			appendValue(e.(column.Appender), x)
			e.(column.Appender).AppendNull()
		}
		c.Append()
	case *column.Struct:
		for _, m := range c.Children {
			appendValue(m.(column.Appender), x)
		}
		c.Append()
	default:
		panic(fmt.Sprintf("%T", c))
	}
}

// thorough says of how many combinations of arguments one is tried.
var thorough = flag.Int("thorough", 8, "try one of so many combinations of arguments; 1 for all")

// TestWhatResolvesRuns tries every function with arguments of all types: a call that resolves gives values of its type, or
// fails with a fault of the user's that has a hint, and never panics. Constants stand for some arguments.
func TestWhatResolvesRuns(t *testing.T) {
	schema, batch := everyType()
	fs := expr.Builtin()
	r := rand.New(rand.NewPCG(7, 7))
	var pool []*expr.Node
	for i, f := range schema.Fields() {
		pool = append(pool, expr.NewColumn(i, f))
	}
	constants := []*expr.Node{
		expr.NewLiteral(arrow.Null, nil), expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(2)), expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(-1)),
		expr.NewLiteral(arrow.BinaryTypes.String, "1"), expr.NewLiteral(arrow.BinaryTypes.String, "a"), expr.NewLiteral(arrow.BinaryTypes.String, "day"),
		expr.NewLiteral(arrow.BinaryTypes.String, "$.a"), expr.NewLiteral(arrow.BinaryTypes.String, "hex"), expr.NewLiteral(arrow.BinaryTypes.String, "Int8"), expr.NewLiteral(arrow.BinaryTypes.String, "int"),
		expr.NewLiteral(arrow.PrimitiveTypes.Float64, 0.5), expr.NewLiteral(arrow.FixedWidthTypes.Boolean, true),
		expr.NewLiteral(expr.Interval, arrow.MonthDayNanoInterval{Days: 1}),
	}
	pool = append(pool, constants...)
	resolved := map[string]int{}
	for _, name := range fs.Names() {
		tries := func(args []*expr.Node) {
			n, err := fs.Call(name, args, fault.Span{})
			if err != nil {
				checkFault(t, name, err)
				return
			}
			resolved[name]++
			runs(t, schema, batch, n)
		}
		tries(nil)
		for _, a := range pool {
			tries([]*expr.Node{a})
			for _, b := range pool {
				if r.IntN(*thorough) == 0 {
					tries([]*expr.Node{a, b})
				}
			}
		}
		for range 1500 / *thorough {
			args := make([]*expr.Node, 3+r.IntN(2))
			for i := range args {
				args[i] = pool[r.IntN(len(pool))]
			}
			tries(args)
		}
	}
	for _, name := range fs.Names() {
		if *thorough == 1 && resolved[name] == 0 && name != "in_list" && name != "not_in_list" {
			t.Errorf("%s takes nothing", name)
		}
	}
}

// TestCastsRun does the same for conversions between all types.
func TestCastsRun(t *testing.T) {
	schema, batch := everyType()
	for i, f := range schema.Fields() {
		for _, to := range schema.Fields() {
			for _, try := range []bool{false, true} {
				n, err := expr.CastTo(expr.NewColumn(i, f), to.Type, try, fault.Span{})
				if err != nil {
					checkFault(t, "CAST", err)
					continue
				}
				if err := runs(t, schema, batch, n); try && err != nil {
					t.Errorf("TRY_CAST of %s to %s fails: %v", expr.TypeName(f.Type), expr.TypeName(to.Type), err)
				}
			}
		}
	}
}

// runs evaluates n over the batch, and over each row of it, and gives the fault if there is one.
func runs(t *testing.T, schema *arrow.Schema, batch *column.Batch, n *expr.Node) error {
	defer func() {
		if p := recover(); p != nil {
			t.Fatalf("%s panics: %v", expr.Format(n), p)
		}
	}()
	e, err := expr.Compile([]*expr.Node{n}, schema, expr.Builtin(), expr.WithClock(testClock))
	if err != nil {
		t.Errorf("%s does not compile: %v", expr.Format(n), err)
		return err
	}
	var first error
	for _, sel := range [][]int32{nil, {}, {0}, {1}, {2}, {3}} {
		b := *batch
		b.Sel = sel
		out, err := e.Eval(&b)
		switch {
		case err != nil:
			checkFault(t, expr.Format(n), err)
			first = err
		case !arrow.TypeEqual(out[0].Type(), n.Type) && n.Type.ID() != arrow.NULL:
			t.Errorf("%s gives %s and not %s", expr.Format(n), out[0].Type(), n.Type)
		case out[0].Len() != b.N:
			t.Errorf("%s gives %d values for %d rows", expr.Format(n), out[0].Len(), b.N)
		}
	}
	return first
}

// checkFault checks that a fault is the user's and says what to do.
func checkFault(t *testing.T, what string, err error) {
	f := fault.As(err)
	if f.Kind != fault.User || f.Hint == "" || strings.Contains(f.Hint, "<nil>") {
		t.Errorf("%s: %v, hint %q", what, err, f.Hint)
	}
}

// Aliases are other names for the same function.
func TestAliasesGiveTheSame(t *testing.T) {
	fs := expr.Builtin()
	for _, name := range fs.Names() {
		d, _ := fs.Doc(name)
		for _, alias := range d.Aliases {
			call := d.Example
			for _, other := range append(d.Aliases, name) {
				call = strings.ReplaceAll(" "+call, " "+other+"(", " "+alias+"(")
				call = strings.ReplaceAll(call, "("+other+"(", "("+alias+"(")
				call = strings.TrimSpace(call)
			}
			if !strings.Contains(call, alias+"(") {
				t.Errorf("%s has no example with parentheses to try %s: %s", name, alias, d.Example)
				continue
			}
			n, err := parse(fs, nil, call)
			if err != nil {
				t.Errorf("%s: %v", call, err)
				continue
			}
			if got, err := textOf(t, n); err != nil || got != d.Result {
				t.Errorf("%s gives %q, %v; %s gives %q", call, got, err, d.Example, d.Result)
			}
		}
	}
}

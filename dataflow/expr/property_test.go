package expr_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// The property: an evaluator gives for every selected row what a simple interpreter gives for that row alone, and fails
// if and only if the interpreter fails for one of them; with a selection it gives the same as over the compacted batch.

var propertyStruct = arrow.StructOf(
	arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	arrow.Field{Name: "t", Type: arrow.BinaryTypes.String, Nullable: true},
)

var propertySchema = arrow.NewSchema([]arrow.Field{
	{Name: "a", Type: arrow.PrimitiveTypes.Int64},
	{Name: "b", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "i", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "u", Type: arrow.PrimitiveTypes.Uint8, Nullable: true},
	{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "p", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "q", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "st", Type: propertyStruct, Nullable: true},
}, nil)

type generator struct{ *rand.Rand }

func (g generator) int() int64 {
	switch g.IntN(12) {
	case 0:
		return math.MaxInt64
	case 1:
		return math.MinInt64
	case 2:
		return int64(g.Uint64())
	}
	return int64(g.IntN(21)) - 10
}

func (g generator) float() float64 {
	return []float64{0, math.Copysign(0, -1), 1.5, -2, math.NaN(), math.Inf(1), math.Inf(-1), 1e300, 7, 1e10}[g.IntN(10)]
}

func (g generator) text() string {
	return []string{"", "a", "ab", "b%", "12", "-7", "true", "a longer text that is not inline", "añb"}[g.IntN(9)]
}

// batch makes a batch of n rows; the values of null rows are garbage where that is allowed.
func (g generator) batch(n int) *column.Batch {
	b := column.NewBuilder(propertySchema, false)
	for range n {
		for c := range propertySchema.NumFields() {
			g.fill(b.Column(c), propertySchema.Field(c).Nullable)
		}
		b.AppendTime(g.Int64N(1e9), column.Insert)
	}
	for c := range propertySchema.NumFields() {
		if v, ok := b.Column(c).(*column.Fixed[int64]); ok {
			for r := range v.Values {
				if !v.Valid.IsValid(r) {
					v.Values[r] = g.int()
				}
			}
		}
	}
	return b.Batch()
}

func (g generator) fill(c column.Appender, nullable bool) {
	if nullable && g.IntN(4) == 0 {
		c.AppendNull()
		return
	}
	switch c := c.(type) {
	case *column.Fixed[int64]:
		c.Append(g.int())
	case *column.Fixed[int32]:
		c.Append(int32(g.int()))
	case *column.Fixed[uint8]:
		c.Append(uint8(g.int()))
	case *column.Fixed[float64]:
		c.Append(g.float())
	case *column.Bytes:
		c.AppendString(g.text())
	case *column.Bool:
		c.Append(g.IntN(2) == 0)
	case *column.Struct:
		for _, child := range c.Children {
			g.fill(child, true)
		}
		c.Append()
	}
}

// node makes a random expression of this type.
func (g generator) node(dt arrow.DataType, depth int) *expr.Node {
	if depth == 0 || g.IntN(8) == 0 {
		return g.leaf(dt)
	}
	if g.IntN(5) == 0 {
		return g.branching(dt, depth-1)
	}
	sub := func(id arrow.DataType) *expr.Node { return g.node(id, depth-1) }
	bigint, double, text, boolean := testTypes["bigint"], testTypes["double"], testTypes["text"], testTypes["boolean"]
	types := []arrow.DataType{bigint, double, text, testTypes["int"], boolean}
	var n *expr.Node
	var err error
	call := func(name string, args ...*expr.Node) { n, err = expr.Builtin().Call(name, args, fault.Span{}) }
	arithmetic := []string{"add", "subtract", "multiply", "divide", "modulo"}[g.IntN(5)]
	switch dt.ID() {
	case arrow.INT64:
		switch g.IntN(4) {
		case 0:
			call("negate", sub(bigint))
		case 1:
			n, err = expr.CastTo(sub([]arrow.DataType{testTypes["int"], double, text}[g.IntN(3)]), dt, g.IntN(2) == 0, fault.Span{})
		default:
			call(arithmetic, sub(bigint), sub(bigint))
		}
	case arrow.INT32:
		if g.IntN(2) == 0 {
			n, err = expr.CastTo(sub(bigint), dt, true, fault.Span{})
		} else {
			call(arithmetic, sub(dt), sub(dt))
		}
	case arrow.UINT8:
		n, err = expr.CastTo(sub(bigint), dt, true, fault.Span{})
	case arrow.FLOAT64:
		call(arithmetic, sub(double), sub(double))
	case arrow.STRING:
		if g.IntN(3) == 0 {
			n, err = expr.CastTo(sub([]arrow.DataType{bigint, boolean}[g.IntN(2)]), dt, false, fault.Span{})
		} else {
			call([]string{"concat_op", "concat"}[g.IntN(2)], sub(text), sub(text))
		}
	case arrow.BOOL:
		of := types[g.IntN(len(types))]
		switch g.IntN(9) {
		case 0, 1:
			call([]string{"and", "or"}[g.IntN(2)], sub(boolean), sub(boolean))
		case 2:
			call("not", sub(boolean))
		case 3:
			call([]string{"is_null", "is_not_null"}[g.IntN(2)], sub(of))
		case 4:
			call([]string{"is_true", "is_not_true", "is_false", "is_not_false", "is_unknown"}[g.IntN(5)], sub(boolean))
		case 5:
			n, err = expr.In(sub(of), []*expr.Node{g.leaf(of), g.leaf(of)}, g.IntN(2) == 0, fault.Span{})
		case 6:
			call([]string{"is_distinct_from", "is_not_distinct_from"}[g.IntN(2)], sub(of), sub(of))
		default:
			call([]string{"eq", "neq", "lt", "lteq", "gt", "gteq"}[g.IntN(6)], sub(of), sub(of))
		}
	}
	if err != nil {
		panic(err)
	}
	return n
}

func (g generator) branching(dt arrow.DataType, depth int) *expr.Node {
	boolean := testTypes["boolean"]
	var n *expr.Node
	var err error
	switch g.IntN(4) {
	case 0:
		n, err = expr.Builtin().Call("coalesce", []*expr.Node{g.node(dt, depth), g.node(dt, depth), g.node(dt, depth)}, fault.Span{})
	case 1:
		n, err = expr.Builtin().Call("nullif", []*expr.Node{g.node(dt, depth), g.node(dt, depth)}, fault.Span{})
	case 2:
		n, err = expr.NewCase([]*expr.Node{g.node(boolean, depth)}, []*expr.Node{g.node(dt, depth)}, nil, fault.Span{})
	default:
		n, err = expr.NewCase([]*expr.Node{g.node(boolean, depth), g.node(boolean, depth)},
			[]*expr.Node{g.node(dt, depth), g.node(dt, depth)}, g.node(dt, depth), fault.Span{})
	}
	if err != nil {
		panic(err)
	}
	return n
}

func (g generator) leaf(dt arrow.DataType) *expr.Node {
	if g.IntN(3) == 0 {
		if g.IntN(5) == 0 {
			return expr.NewLiteral(dt, nil)
		}
		switch dt.ID() {
		case arrow.INT64:
			return expr.NewLiteral(dt, g.int())
		case arrow.INT32:
			return expr.NewLiteral(dt, int64(int32(g.int())))
		case arrow.UINT8:
			return expr.NewLiteral(dt, uint64(uint8(g.int())))
		case arrow.FLOAT64:
			return expr.NewLiteral(dt, g.float())
		case arrow.STRING:
			return expr.NewLiteral(dt, g.text())
		case arrow.BOOL:
			return expr.NewLiteral(dt, g.IntN(2) == 0)
		}
	}
	var fit []*expr.Node
	for i, f := range propertySchema.Fields() {
		n := expr.NewColumn(i, f)
		if arrow.TypeEqual(f.Type, dt) {
			fit = append(fit, n)
		}
		for _, m := range []string{"x", "t"} {
			if member, err := expr.FieldOf(n, m, fault.Span{}); err == nil && arrow.TypeEqual(member.Type, dt) {
				fit = append(fit, member)
			}
		}
	}
	return fit[g.IntN(len(fit))]
}

var errRow = errors.New("the row fails")

// interpret computes n for one row.
func interpret(n *expr.Node, b *column.Batch, row int) (any, error) {
	switch n.Kind {
	case expr.Column:
		return valueOf(b.Cols[n.Index], row), nil
	case expr.Literal:
		return n.Value, nil
	case expr.Field:
		st := b.Cols[n.Args[0].Index].(*column.Struct)
		if !st.Valid.IsValid(row) {
			return nil, nil
		}
		return valueOf(st.Children[n.Index], row), nil
	case expr.Case:
		args := n.Args
		for ; len(args) >= 2; args = args[2:] {
			when, err := holds(args[0], b, row)
			if err != nil {
				return nil, err
			}
			if when == true {
				return interpret(args[1], b, row)
			}
		}
		if len(args) == 1 {
			return interpret(args[0], b, row)
		}
		return nil, nil
	case expr.Cast, expr.TryCast:
		v, err := interpret(n.Args[0], b, row)
		if err != nil || v == nil {
			return nil, err
		}
		if v, err = convert(v, n.Type); err != nil && n.Kind == expr.TryCast {
			return nil, nil
		}
		return v, err
	}
	switch n.Name {
	case "and", "or", "coalesce", "in_list", "not_in_list":
		return interpretLazy(n, b, row)
	}
	args := make([]any, len(n.Args))
	for i, a := range n.Args {
		var err error
		if args[i], err = interpret(a, b, row); err != nil {
			return nil, err
		}
	}
	return apply(n, args)
}

// holds computes n where only true counts, as a condition: what comes after an AND that is null already is not computed.
func holds(n *expr.Node, b *column.Batch, row int) (any, error) {
	if n.Kind != expr.Call || n.Name != "and" && n.Name != "or" {
		return interpret(n, b, row)
	}
	for _, a := range n.Args {
		v, err := holds(a, b, row)
		if err != nil || (v == true) == (n.Name == "or") {
			return v, err
		}
	}
	return n.Name == "and", nil
}

func valueOf(v column.Vector, r int) any {
	if !v.Validity().IsValid(r) {
		return nil
	}
	switch v := v.(type) {
	case *column.Fixed[int64]:
		return v.Values[r]
	case *column.Fixed[int32]:
		return int64(v.Values[r])
	case *column.Fixed[uint8]:
		return uint64(v.Values[r])
	case *column.Fixed[float64]:
		return v.Values[r]
	case *column.Bytes:
		return string(v.At(r))
	case *column.Bool:
		return v.Bits.Get(r)
	}
	panic("no such column")
}

func interpretLazy(n *expr.Node, b *column.Batch, row int) (any, error) {
	var conds []func() (any, error)
	for _, a := range n.Args {
		conds = append(conds, func() (any, error) { return interpret(a, b, row) })
	}
	or := n.Name != "and"
	switch n.Name {
	case "coalesce":
		for _, c := range conds {
			if v, err := c(); v != nil || err != nil {
				return v, err
			}
		}
		return nil, nil
	case "in_list", "not_in_list":
		x, err := conds[0]()
		if err != nil {
			return nil, err
		}
		for i, c := range conds[1:] {
			conds[i+1] = func() (any, error) {
				y, err := c()
				if x == nil || y == nil || err != nil {
					return nil, err
				}
				return order(x, y) == 0, nil
			}
		}
		conds = conds[1:]
	}
	unknown := false
	for _, c := range conds {
		v, err := c()
		if err != nil {
			return nil, err
		}
		if v == or {
			return or != (n.Name == "not_in_list"), nil
		}
		unknown = unknown || v == nil
	}
	if unknown {
		return nil, nil
	}
	return !or != (n.Name == "not_in_list"), nil
}

func order(a, b any) int {
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case uint64:
		return cmp.Compare(a, b.(uint64))
	case float64:
		// NaN is the greatest, in Go's order the least.
		return cmp.Compare(-a, -b.(float64)) * -1
	case string:
		return strings.Compare(a, b.(string))
	}
	x, y := 0, 0
	if a.(bool) {
		x = 1
	}
	if b.(bool) {
		y = 1
	}
	return x - y
}

func convert(v any, dt arrow.DataType) (any, error) {
	var text string
	switch v := v.(type) {
	case int64:
		text = strconv.FormatInt(v, 10)
	case bool:
		text = strconv.FormatBool(v)
	case string:
		text = strings.TrimSpace(v)
	case float64:
		t := math.Trunc(v)
		if math.IsNaN(t) || math.Abs(t) >= 1<<63 && t != -1<<63 {
			return nil, errRow
		}
		text = strconv.FormatInt(int64(t), 10)
	}
	var err error
	switch dt.ID() {
	case arrow.STRING:
		return text, nil
	case arrow.INT64:
		v, err = strconv.ParseInt(text, 10, 64)
	case arrow.INT32:
		v, err = strconv.ParseInt(text, 10, 32)
	case arrow.UINT8:
		v, err = strconv.ParseUint(text, 10, 8)
	}
	return v, err
}

func apply(n *expr.Node, args []any) (any, error) {
	switch n.Name {
	case "is_null", "is_unknown":
		return args[0] == nil, nil
	case "is_not_null":
		return args[0] != nil, nil
	case "is_true":
		return args[0] == true, nil
	case "is_not_true":
		return args[0] != true, nil
	case "is_false":
		return args[0] == false, nil
	case "is_not_false":
		return args[0] != false, nil
	case "is_distinct_from", "is_not_distinct_from":
		same := args[0] == nil && args[1] == nil || args[0] != nil && args[1] != nil && order(args[0], args[1]) == 0
		return same == (n.Name == "is_not_distinct_from"), nil
	case "concat":
		s := ""
		for _, a := range args {
			if a != nil {
				s += a.(string)
			}
		}
		return s, nil
	case "nullif":
		if args[0] != nil && args[1] != nil && order(args[0], args[1]) == 0 {
			return nil, nil
		}
		return args[0], nil
	}
	for _, a := range args {
		if a == nil {
			return nil, nil
		}
	}
	switch n.Name {
	case "not":
		return !args[0].(bool), nil
	case "concat_op":
		return args[0].(string) + args[1].(string), nil
	case "negate":
		return integers("subtract", n.Type, 0, args[0].(int64))
	}
	if o := strings.Index("eq  neq lt  lteqgt  gteq", n.Name); o >= 0 && n.Type.ID() == arrow.BOOL {
		c := order(args[0], args[1])
		return [...]bool{c == 0, c != 0, c < 0, c <= 0, c > 0, c >= 0}[o/4], nil
	}
	if f, ok := args[0].(float64); ok {
		k := args[1].(float64)
		return map[string]float64{"add": f + k, "subtract": f - k, "multiply": f * k, "divide": f / k, "modulo": math.Mod(f, k)}[n.Name], nil
	}
	return integers(n.Name, n.Type, args[0].(int64), args[1].(int64))
}

func integers(op string, dt arrow.DataType, a, b int64) (any, error) {
	x, y := big.NewInt(a), big.NewInt(b)
	switch op {
	case "add":
		x.Add(x, y)
	case "subtract":
		x.Sub(x, y)
	case "multiply":
		x.Mul(x, y)
	default:
		if b == 0 {
			return nil, errRow
		}
		if op == "divide" {
			x.Quo(x, y)
		} else {
			x.Rem(x, y)
		}
	}
	if !x.IsInt64() || dt.ID() == arrow.INT32 && x.Int64() != int64(int32(x.Int64())) {
		return nil, errRow
	}
	return x.Int64(), nil
}

func same(a, b any) bool {
	x, ok1 := a.(float64)
	y, ok2 := b.(float64)
	return a == b || ok1 && ok2 && x != x && y != y
}

func TestEvaluatorAgreesWithInterpreter(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 300
	}
	for seed := range rounds {
		g := generator{rand.New(rand.NewPCG(uint64(seed), 1))}
		b := g.batch([]int{0, 1, 63, 64, 65, 200}[g.IntN(6)])
		var nodes []*expr.Node
		for range 1 + g.IntN(3) {
			dt := []arrow.DataType{testTypes["boolean"], testTypes["bigint"], testTypes["text"], testTypes["double"], testTypes["int"]}[g.IntN(5)]
			nodes = append(nodes, g.node(dt, 1+g.IntN(4)))
		}
		if g.IntN(2) == 0 {
			nodes = append(nodes, g.node(testTypes["boolean"], 2))
			nodes = append(nodes, must(expr.Builtin().Call("or", []*expr.Node{nodes[len(nodes)-1], g.node(testTypes["boolean"], 3)}, fault.Span{})))
		}
		if !check(t, g, nodes, b) {
			t.Fatalf("seed %d", seed)
		}
	}
}

func must(n *expr.Node, err error) *expr.Node {
	if err != nil {
		panic(err)
	}
	return n
}

// check evaluates nodes over b, without and with selections, twice each so that memory is reused.
func check(t *testing.T, g generator, nodes []*expr.Node, b *column.Batch) bool {
	e, err := expr.Compile(nodes, propertySchema, expr.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		view := *b
		if g.IntN(4) > 0 {
			view.Sel = []int32{}
			share := g.IntN(10)
			for r := range b.N {
				if g.IntN(10) <= share {
					view.Sel = append(view.Sel, int32(r))
				}
			}
		}
		if !agree(t, e, nodes, &view) || !selects(t, nodes, &view) {
			return false
		}
		if view.Sel != nil {
			compact := column.NewBuilder(propertySchema, false)
			compact.AppendSel(&view, nil)
			if !agree(t, e, nodes, compact.Batch()) {
				return false
			}
		}
	}
	return true
}

func agree(t *testing.T, e *expr.Evaluator, nodes []*expr.Node, b *column.Batch) bool {
	t.Helper()
	rows := b.Selected(nil)
	want := make([][]any, len(nodes))
	fails := false
	for i, n := range nodes {
		want[i] = make([]any, b.N)
		for _, r := range rows {
			v, err := interpret(n, b, int(r))
			fails = fails || err != nil
			want[i][r] = v
		}
	}
	out, err := e.Eval(b)
	if (err != nil) != fails {
		t.Errorf("%s: error %v, want one: %t", formatAll(nodes), err, fails)
		return false
	}
	if err != nil {
		return true
	}
	for i, n := range nodes {
		if out[i].Len() != b.N {
			t.Errorf("%s: %d rows of %d", expr.Format(n), out[i].Len(), b.N)
			return false
		}
		for _, r := range rows {
			if got := valueOf(out[i], int(r)); !same(got, want[i][r]) {
				t.Errorf("%s: row %d of %d (selected %d): got %v, want %v", expr.Format(n), r, b.N, len(rows), got, want[i][r])
				return false
			}
		}
	}
	return true
}

// selects checks predicates.
func selects(t *testing.T, nodes []*expr.Node, b *column.Batch) bool {
	t.Helper()
	for _, n := range nodes {
		if n.Type.ID() != arrow.BOOL {
			continue
		}
		p, err := expr.CompilePredicate(n, propertySchema, expr.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		want, fails := []int32{}, false
		for _, r := range b.Selected(nil) {
			v, err := holds(n, b, int(r))
			fails = fails || err != nil
			if v == true {
				want = append(want, r)
			}
		}
		for range 2 {
			got, err := p.Select(b)
			switch {
			case err != nil && fails:
			case (err != nil) != fails:
				t.Errorf("%s: error %v, want one: %t", expr.Format(n), err, fails)
				return false
			case got == nil || fmt.Sprint(got) != fmt.Sprint(want):
				t.Errorf("%s: selects %v, want %v", expr.Format(n), got, want)
				return false
			}
		}
	}
	return true
}

func formatAll(nodes []*expr.Node) string {
	var s []string
	for _, n := range nodes {
		s = append(s, expr.Format(n))
	}
	return strings.Join(s, "; ")
}

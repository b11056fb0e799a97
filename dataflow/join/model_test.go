package join_test

import (
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
	"wadi/dataflow/join"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
)

// inputs are the schemas of the two sides; the first keys differ in width.
var inputs = [2]*arrow.Schema{
	arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "flag", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	}, nil),
	arrow.NewSchema([]arrow.Field{
		{Name: "y", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil),
}

// aRow is a row of either side; v is x or y.
type aRow struct {
	a, v *int64
	b    *string
	time int64
}

func (r *aRow) show(port int) string {
	if port == 1 {
		if r == nil {
			return "null,null,null"
		}
		return fmt.Sprintf("%s,%s,%s", operatortest.Text(r.v), operatortest.Text(r.a), operatortest.Text(r.b))
	}
	if r == nil {
		return "null,null,null,null"
	}
	flag := "null"
	if r.v != nil {
		flag = fmt.Sprint(*r.v%2 == 0)
	}
	return fmt.Sprintf("%s,%s,%s,%s", operatortest.Text(r.a), operatortest.Text(r.b), operatortest.Text(r.v), flag)
}

func appendRow(b *column.Builder, port int, r aRow, c column.Change) {
	at := func(name string) column.Appender { return b.Column(inputs[port].FieldIndices(name)[0]) }
	operatortest.Append(at("a"), r.a)
	operatortest.Append(at("b"), r.b)
	operatortest.Append(at([]string{"x", "y"}[port]), r.v)
	if port == 0 && r.v != nil {
		even := *r.v%2 == 0
		operatortest.Append(at("flag"), &even)
	} else if port == 0 {
		at("flag").AppendNull()
	}
	b.AppendTime(r.time, c)
}

// residual is x < y.
func residual() *expr.Node {
	x := expr.NewColumn(2, inputs[0].Field(2))
	y := expr.NewColumn(inputs[0].NumFields(), inputs[1].Field(0))
	n, err := expr.Builtin().Call("lt", []*expr.Node{x, y}, fault.Span{})
	if err != nil {
		panic(err)
	}
	return n
}

func drawOn(t *rapid.T) graph.JoinOn {
	on := graph.JoinOn{Kind: graph.JoinKind(rapid.IntRange(1, 6).Draw(t, "kind"))}
	n := rapid.IntRange(0, 2).Draw(t, "keys")
	on.LeftKeys, on.RightKeys = []int{0, 1}[:n], []int{1, 2}[:n]
	if rapid.Bool().Draw(t, "null safe") {
		on.NullSafe = rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "safe")
	}
	if on.Kind == graph.AntiJoin && n > 0 {
		on.NullAware = rapid.Bool().Draw(t, "null aware")
	}
	if rapid.Bool().Draw(t, "with residual") {
		on.Residual = residual()
	}
	return on
}

// matches is the condition, as SQL has it.
func matches(on *graph.JoinOn, l, r *aRow) bool {
	safe := func(k int) bool { return on.NullSafe != nil && on.NullSafe[k] }
	for k := range on.LeftKeys {
		var x, y string
		if k == 0 {
			x, y = operatortest.Text(l.a), operatortest.Text(r.a)
		} else {
			x, y = operatortest.Text(l.b), operatortest.Text(r.b)
		}
		switch {
		case k == 0 && on.NullAware:
			if x != "null" && y != "null" && x != y {
				return false
			}
		case x == "null" || y == "null":
			if !safe(k) || x != y {
				return false
			}
		case x != y:
			return false
		}
	}
	return on.Residual == nil || l.v != nil && r.v != nil && *l.v < *r.v
}

// batchJoin is the join of two finished tables, as a multiset of lines.
func batchJoin(on *graph.JoinOn, ls, rs []aRow, near func(l, r *aRow) bool) map[string]int {
	out := map[string]int{}
	used := make([]bool, len(rs))
	for i := range ls {
		l, n := &ls[i], 0
		for k := range rs {
			if r := &rs[k]; near(l, r) && matches(on, l, r) {
				n++
				used[k] = true
				if on.Kind <= graph.FullJoin {
					out[fmt.Sprintf("%s|%s @%d", l.show(0), r.show(1), max(l.time, r.time))]++
				}
			}
		}
		switch {
		case n == 0 && (on.Kind == graph.LeftJoin || on.Kind == graph.FullJoin):
			out[fmt.Sprintf("%s|%s @%d", l.show(0), (*aRow)(nil).show(1), l.time)]++
		case n == 0 && on.Kind == graph.AntiJoin, n > 0 && on.Kind == graph.SemiJoin:
			out[fmt.Sprintf("%s| @%d", l.show(0), l.time)]++
		}
	}
	for k := range rs {
		if !used[k] && (on.Kind == graph.RightJoin || on.Kind == graph.FullJoin) {
			out[fmt.Sprintf("%s|%s @%d", (*aRow)(nil).show(0), rs[k].show(1), rs[k].time)]++
		}
	}
	return out
}

// table takes note of rows that are inserted and retracted in one call.
type table struct {
	*operatortest.Table
	// inCall has the rows of the call at hand, with a bit for inserts and one for retractions.
	inCall map[string]int
}

func (s *table) Begin() { s.inCall = map[string]int{} }

func (s *table) Emit(b *column.Batch) error {
	for i := range b.N {
		bit := 1
		if b.Change != nil && b.Change[i] == column.Retract {
			bit = 2
		}
		l := line(b, i)
		if s.inCall[l] |= bit; s.inCall[l] == 3 && !strings.Contains(l, "null,null,null") { // such a row may be its own padding
			s.Fail("inserted and retracted at once: %s", l)
		}
	}
	return s.Table.Emit(b)
}

// line spells a row of the result as "left|right @time".
func line(b *column.Batch, i int) string {
	n := min(inputs[0].NumFields(), len(b.Cols))
	left, right := operatortest.ShowAll(b.Cols[:n], i), operatortest.ShowAll(b.Cols[n:], i)
	return fmt.Sprintf("%s|%s @%d", strings.Join(left, ","), strings.Join(right, ","), b.Time[i])
}

// cluster runs the operator at some parallelism.
type cluster struct {
	*operatortest.Cluster[*table]
	on       *graph.JoinOn
	reported int
}

func newCluster(t *rapid.T, on *graph.JoinOn, updating bool, made func(env operator.Env) (operator.Operator, error)) *cluster {
	c := &cluster{on: on}
	out := operatortest.NewTable(updating)
	out.Line = line
	c.Cluster = &operatortest.Cluster[*table]{
		T: t, New: made, Clock: clock.NewVirtual(time.Unix(5000, 0)),
		Out:    func() *table { return &table{Table: out.Twin()} },
		Report: func(error) { c.reported++ },
	}
	return c
}

// send brings a batch to one side.
func (c *cluster) send(port int, b *column.Builder) {
	keys := [2][]int{c.on.LeftKeys, c.on.RightKeys}[port]
	if c.on.NullAware {
		keys = keys[1:]
	}
	c.Send(port, b.Batch(), keys)
}

func drawRow(t *rapid.T, port int) aRow {
	var r aRow
	if n := rapid.IntRange(-2, 2).Draw(t, "a"); n > -2 {
		v := int64(n)
		r.a = &v
		r.time += 3 * v
	}
	if s := rapid.SampledFrom([]string{"", "p", "a rather long key", "-"}).Draw(t, "b"); s != "-" {
		r.b = &s
		r.time += int64(len(s))
	}
	if n := rapid.IntRange(-1, 4).Draw(t, "v"); n >= 0 {
		v := int64(n)
		r.v = &v
		r.time += 100 * v
	}
	r.time += int64(port)
	return r
}

// After every prefix of random changelogs, what the updating join has put out is the join of the tables.
func TestUpdatingJoinIsTheBatchJoin(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		on := drawOn(rt)
		spec := &graph.JoinSpec{JoinOn: on}
		if rapid.Bool().Draw(rt, "ttl") {
			spec.TTL = int64(time.Hour)
		}
		modes := [2]graph.Mode{graph.Mode(rapid.IntRange(0, 1).Draw(rt, "left mode")), graph.Mode(rapid.IntRange(0, 1).Draw(rt, "right mode"))}
		out := spec.Mode(modes[0], modes[1])
		c := newCluster(rt, &on, out == graph.Updating, func(env operator.Env) (operator.Operator, error) {
			return join.NewUpdating(spec, inputs, modes, expr.Builtin(), env)
		})
		c.Start(rapid.IntRange(1, 3).Draw(rt, "parallelism"))
		var rows [2][]aRow
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 7).Draw(rt, "step") {
			case 0:
				c.Checkpoint()
			case 1:
				c.Checkpoint()
				c.Clock.Advance(2 * time.Hour) // time without the pipeline is no time
				c.Start(rapid.IntRange(1, 3).Draw(rt, "parallelism"))
			case 2:
				c.Pass(time.Minute / 2)
			default:
				port := rapid.IntRange(0, 1).Draw(rt, "port")
				b := column.NewBuilder(inputs[port], modes[port] == graph.Updating)
				for range rapid.IntRange(1, 12).Draw(rt, "rows") {
					if n := len(rows[port]); modes[port] == graph.Updating && n > 0 && rapid.IntRange(0, 2).Draw(rt, "retract") > 0 {
						k := rapid.IntRange(0, n-1).Draw(rt, "which")
						appendRow(b, port, rows[port][k], column.Retract)
						rows[port] = slices.Delete(rows[port], k, k+1)
						continue
					}
					r := drawRow(rt, port)
					rows[port] = append(rows[port], r)
					appendRow(b, port, r, column.Insert)
				}
				c.send(port, b)
			}
			want := batchJoin(&on, rows[0], rows[1], func(_, _ *aRow) bool { return true })
			if d := operatortest.Difference(c.Outs[0].Rows, want); d != "" {
				rt.Fatalf("%s join, keys %v, null safe %v, null aware %v, residual %v:\n%s", on.Kind, on.LeftKeys, on.NullSafe, on.NullAware, on.Residual != nil, d)
			}
		}
		if c.reported > 0 {
			rt.Fatalf("%d errors were reported", c.reported)
		}
	})
}

package asof_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/asof"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
)

// inputs are the schemas of the two sides: two keys and a value each, and on the right the end of a version.
var inputs = [2]*arrow.Schema{
	arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "x", Type: arrow.PrimitiveTypes.Int64},
	}, nil),
	arrow.NewSchema([]arrow.Field{
		{Name: "y", Type: arrow.PrimitiveTypes.Int64},
		{Name: "b", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "end", Type: arrow.FixedWidthTypes.Timestamp_ns, Nullable: true},
	}, nil),
}

const endColumn = 3

// aRow is a row of either side. v tells rows of a side apart.
type aRow struct {
	a    *int64
	b    *string
	v    int64
	time int64
	// Of a right row: what comes as a retraction, and the end that it tells; none is 0.
	retract bool
	end     int64
}

func (r *aRow) key() string { return operatortest.Text(r.a) + "," + operatortest.Text(r.b) }

func appendRow(b *column.Builder, port int, r *aRow) {
	at := func(name string) column.Appender { return b.Column(inputs[port].FieldIndices(name)[0]) }
	operatortest.Append(at("a"), r.a)
	operatortest.Append(at("b"), r.b)
	operatortest.Append(at([]string{"x", "y"}[port]), &r.v)
	if port == 1 && r.end == 0 {
		at("end").AppendNull()
	} else if port == 1 {
		operatortest.Append(at("end"), &r.end)
	}
	c := column.Insert
	if r.retract {
		c = column.Retract
	}
	b.AppendTime(r.time, c)
}

// line spells a row of the result as "x y @time".
func line(b *column.Batch, i int) string {
	return fmt.Sprint(strings.Join(operatortest.ShowAll(b.Cols[2:4], i), " "), " @", b.Time[i])
}

// cluster runs the operator at some parallelism.
type cluster struct {
	*operatortest.Cluster[*operatortest.Table]
	spec  *graph.AsofJoinSpec
	modes [2]graph.Mode
}

func newCluster(t operatortest.TB, spec *graph.AsofJoinSpec, right graph.Mode) *cluster {
	c := &cluster{spec: spec, modes: [2]graph.Mode{graph.Append, right}}
	out := operatortest.NewTable(false)
	out.Line = line
	c.Cluster = &operatortest.Cluster[*operatortest.Table]{
		T: t,
		New: func(env operator.Env) (operator.Operator, error) {
			return asof.New(spec, inputs, c.modes, expr.Builtin(), env)
		},
		Out: out.Twin,
	}
	return c
}

// send brings rows to one side.
func (c *cluster) send(port int, rows ...aRow) {
	b := column.NewBuilder(inputs[port], c.modes[port] == graph.Updating)
	for i := range rows {
		appendRow(b, port, &rows[i])
	}
	c.Send(port, b.Batch(), [2][]int{c.spec.LeftKeys, c.spec.RightKeys}[port])
}

// residual is x % 3 <> y % 3.
func residual() *expr.Node {
	call := func(name string, args ...*expr.Node) *expr.Node {
		n, err := expr.Builtin().Call(name, args, fault.Span{})
		if err != nil {
			panic(err)
		}
		return n
	}
	three := expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(3))
	x, y := expr.NewColumn(2, inputs[0].Field(2)), expr.NewColumn(3, inputs[1].Field(0))
	return call("neq", call("modulo", x, three), call("modulo", y, three))
}

func drawSpec(t *rapid.T) *graph.AsofJoinSpec {
	s := &graph.AsofJoinSpec{Ended: -1}
	s.Kind = rapid.SampledFrom([]graph.JoinKind{graph.InnerJoin, graph.LeftJoin}).Draw(t, "kind")
	n := rapid.IntRange(0, 2).Draw(t, "keys")
	s.LeftKeys, s.RightKeys = []int{0, 1}[:n], []int{2, 1}[:n]
	if rapid.Bool().Draw(t, "null safe") {
		s.NullSafe = rapid.SliceOfN(rapid.Bool(), n, n).Draw(t, "safe")
	}
	if rapid.Bool().Draw(t, "versioned") {
		s.Versioned, s.Latest, s.Ended = true, true, endColumn
	} else {
		s.Forward, s.Strict = rapid.Bool().Draw(t, "forward"), rapid.Bool().Draw(t, "strict")
		s.Order = []graph.Order{{Column: 0, Desc: rapid.Bool().Draw(t, "desc")}}
	}
	if rapid.Bool().Draw(t, "near") {
		s.Reach = int64(rapid.IntRange(0, 12).Draw(t, "reach"))
	}
	if !s.Forward && rapid.Bool().Draw(t, "residual") {
		s.Residual = residual()
	}
	return s
}

// joinable reports whether the keys of two rows are equal, as SQL has it.
func joinable(s *graph.AsofJoinSpec, l, r *aRow) bool {
	for k := range s.LeftKeys {
		x, y := operatortest.Text(l.a), operatortest.Text(r.a)
		if k == 1 {
			x, y = operatortest.Text(l.b), operatortest.Text(r.b)
		}
		if x != y || x == "null" && (s.NullSafe == nil || !s.NullSafe[k]) {
			return false
		}
	}
	return true
}

// nearest is the right row that counts for a left one; nil if there is none. Rows are in the order in which they came.
func nearest(s *graph.AsofJoinSpec, l *aRow, rights []aRow) *aRow {
	var best *aRow
	at := func(r *aRow) int64 {
		if r.end == 0 {
			return r.time
		}
		return max(r.time, r.end)
	}
	for i := range rights {
		r := &rights[i]
		if !joinable(s, l, r) || r.retract && r.end == 0 || s.Strict && at(r) == l.time {
			continue
		}
		if s.Forward && at(r) < l.time || !s.Forward && at(r) > l.time || s.Reach > 0 && max(at(r)-l.time, l.time-at(r)) > s.Reach {
			continue
		}
		switch {
		case best == nil, s.Forward && at(r) < at(best), !s.Forward && at(r) > at(best):
			best = r
		case at(r) != at(best):
		case s.Latest, s.Order[0].Desc && r.v > best.v, !s.Order[0].Desc && r.v < best.v:
			best = r
		}
	}
	if best == nil || best.retract || s.Residual != nil && l.v%3 == best.v%3 {
		return nil
	}
	return best
}

// answer is the line for a left row, "" for none.
func answer(s *graph.AsofJoinSpec, l *aRow, rights []aRow) string {
	if r := nearest(s, l, rights); r != nil {
		return fmt.Sprintf("%d %d @%d", l.v, r.v, max(l.time, r.time))
	}
	if s.Kind == graph.LeftJoin {
		return fmt.Sprintf("%d null @%d", l.v, l.time)
	}
	return ""
}

// history draws the changes of a versioned table: inserts, updates that may go back in time, and deletions.
type history struct {
	live map[string]aRow
}

func (h *history) draw(t *rapid.T, mark int64, v int64) []aRow {
	r := drawRow(t, mark, v)
	old, ok := h.live[r.key()]
	if !ok {
		h.live[r.key()] = r
		return []aRow{r}
	}
	old.retract = true
	if rapid.IntRange(0, 2).Draw(t, "delete") == 0 {
		old.end = r.time
		delete(h.live, r.key())
		return []aRow{old}
	}
	h.live[r.key()] = r
	return []aRow{old, r}
}

func drawRow(t *rapid.T, mark, v int64) aRow {
	r := aRow{v: v, time: mark + int64(rapid.IntRange(0, 12).Draw(t, "time"))}
	if n := int64(rapid.IntRange(-1, 2).Draw(t, "a")); n >= 0 {
		r.a = &n
	}
	if s := rapid.SampledFrom([]string{"p", "a rather long key", "-"}).Draw(t, "b"); s != "-" {
		r.b = &s
	}
	return r
}

// Whatever the order in which rows and watermarks come, and across restores, the result is that over finished tables; late
// versions count for the left rows that are not answered.
func TestNearestRowsAreThoseOfTheTables(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := drawSpec(rt)
		right := graph.Append
		if spec.Versioned && rapid.Bool().Draw(rt, "changelog") {
			right = graph.Updating
		}
		if spec.Reach == 0 && spec.Versioned {
			spec.TTL = rapid.SampledFrom([]int64{0, 1e6}).Draw(rt, "ttl")
		}
		c, mark := newCluster(rt, spec, right), int64(-20)
		c.Start(rapid.IntRange(1, 3).Draw(rt, "parallelism"))
		c.Watermark(mark)
		h := history{live: map[string]aRow{}}
		var waiting, rights []aRow
		want, late := map[string]int{}, int64(0)
		if !spec.Forward && rapid.Bool().Draw(rt, "late rows") {
			late = int64(rapid.IntRange(1, 20).Draw(rt, "how late"))
		}
		// pass answers the left rows before a watermark; looking forward, all of them wait for the end.
		pass := func(w int64) {
			c.Watermark(w)
			later := waiting[:0:0]
			for _, l := range waiting {
				if w != operator.EndOfTime && (spec.Forward || l.time >= w) {
					later = append(later, l)
				} else if row := answer(spec, &l, rights); row != "" {
					want[row]++
				}
			}
			waiting = later
		}
		next := int64(0)
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch rapid.IntRange(0, 8).Draw(rt, "step") {
			case 0:
				c.Checkpoint()
			case 1:
				c.Checkpoint()
				c.Start(rapid.IntRange(1, 3).Draw(rt, "parallelism"))
			case 2, 3:
				mark += int64(rapid.IntRange(1, 8).Draw(rt, "advance"))
				pass(mark)
			default:
				port := rapid.IntRange(0, 1).Draw(rt, "port")
				var batch []aRow
				for range rapid.IntRange(1, 8).Draw(rt, "rows") {
					next++
					switch {
					case port == 0:
						batch = append(batch, drawRow(rt, mark, next))
					case right == graph.Updating:
						batch = append(batch, h.draw(rt, mark-late, next)...)
					default:
						batch = append(batch, drawRow(rt, mark-late, next))
					}
				}
				c.send(port, batch...)
				if port == 0 {
					waiting = append(waiting, batch...)
				} else {
					rights = append(rights, batch...)
				}
			}
		}
		pass(operator.EndOfTime)
		if d := operatortest.Difference(c.Outs[0].Rows, want); d != "" {
			rt.Fatalf("%+v:\n%s", *spec, d)
		}
		if n := c.Late(); n > 0 && late == 0 {
			rt.Fatalf("%d late rows", n)
		}
	})
}

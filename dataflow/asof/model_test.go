package asof_test

import (
	"fmt"
	"math"
	"slices"
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
	"wadi/dataflow/state/statetest"
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

func text[T any](p *T) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprint(*p)
}

func (r *aRow) key() string { return text(r.a) + "," + text(r.b) }

func appendRow(b *column.Builder, port int, r *aRow) {
	at := func(name string) column.Appender { return b.Column(inputs[port].FieldIndices(name)[0]) }
	if r.a == nil {
		at("a").AppendNull()
	} else {
		at("a").(*column.Fixed[int64]).Append(*r.a)
	}
	if r.b == nil {
		at("b").AppendNull()
	} else {
		at("b").(*column.Bytes).AppendString(*r.b)
	}
	at([]string{"x", "y"}[port]).(*column.Fixed[int64]).Append(r.v)
	if port == 1 {
		if r.end == 0 {
			at("end").AppendNull()
		} else {
			at("end").(*column.Fixed[int64]).Append(r.end)
		}
	}
	c := column.Insert
	if r.retract {
		c = column.Retract
	}
	b.AppendTime(r.time, c)
}

// sink collects results as "x y @time" and checks them against the watermark.
type sink struct {
	rows      map[string]int
	order     []string
	watermark int64
	err       string
}

func newSink() *sink { return &sink{rows: map[string]int{}, watermark: math.MinInt64} }

func (s *sink) Emit(b *column.Batch) error {
	if b.Rows() == 0 || b.Rows() > 8192 || b.Change != nil {
		s.err = fmt.Sprintf("a batch of %d rows with %d changes", b.Rows(), len(b.Change))
	}
	for _, i := range b.Selected(nil) {
		line := fmt.Sprintf("%s %s @%d", number(b.Cols[2], i), number(b.Cols[3], i), b.Time[i])
		s.rows[line]++
		s.order = append(s.order, line)
		if b.Time[i] < s.watermark {
			s.err = fmt.Sprintf("%s comes after watermark %d", line, s.watermark)
		}
	}
	return nil
}

func number(v column.Vector, i int32) string {
	if !v.Validity().IsValid(int(i)) {
		return "null"
	}
	return fmt.Sprint(v.(*column.Fixed[int64]).Values[i])
}

func (s *sink) Watermark(w int64) error {
	if w <= s.watermark {
		s.err = fmt.Sprintf("watermark %d after %d", w, s.watermark)
	}
	s.watermark = w
	return nil
}
func (s *sink) Idle() error { return nil }

func (s *sink) take() string {
	out := strings.Join(s.order, "; ")
	s.order = nil
	return out
}

// cluster runs the operator at some parallelism.
type cluster struct {
	t     fatal
	spec  *graph.AsofJoinSpec
	modes [2]graph.Mode
	ops   []operator.Operator
	envs  []operator.Env
	store statetest.Store
	out   []*sink
	mark  int64
	late  int64
}

type fatal interface{ Fatal(args ...any) }

func (c *cluster) start(parallelism int, restore bool) {
	for _, e := range c.envs {
		c.late += e.Metrics.LateRows.Load()
	}
	old := c.out
	c.ops, c.envs, c.out = nil, nil, nil
	for i := range parallelism {
		env := operator.Env{Subtask: i, Parallelism: parallelism, Keys: column.Range(i, parallelism), Metrics: &operator.Metrics{}}
		if restore {
			env.Restore = c.store.Reader()
		}
		op, err := asof.New(c.spec, inputs, c.modes, expr.Builtin(), env)
		if err != nil {
			c.t.Fatal(err)
		}
		c.ops, c.envs, c.out = append(c.ops, op), append(c.envs, env), append(c.out, newSink())
	}
	for _, o := range old { // what was put out before stays out; subtask 0 keeps the books
		for l, n := range o.rows {
			c.out[0].rows[l] += n
		}
	}
}

func (c *cluster) checkpoint() {
	for i, op := range c.ops {
		if err := op.Snapshot(c.store.Writer(c.envs[i].Keys)); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := c.store.Complete(); err != nil {
		c.t.Fatal(err)
	}
}

// send routes a batch to the subtasks as a shuffle does.
func (c *cluster) send(port int, rows ...aRow) {
	b := column.NewBuilder(inputs[port], c.modes[port] == graph.Updating)
	for i := range rows {
		appendRow(b, port, &rows[i])
	}
	batch := b.Batch()
	var cols []column.Vector
	for _, k := range [2][]int{c.spec.LeftKeys, c.spec.RightKeys}[port] {
		cols = append(cols, batch.Cols[k])
	}
	hashes := column.HashColumns(nil, cols, batch.N, nil)
	for i, op := range c.ops {
		part := *batch
		part.Sel = []int32{}
		for r, h := range hashes {
			if column.Owner(h, len(c.ops)) == i {
				part.Sel = append(part.Sel, int32(r))
			}
		}
		if len(part.Sel) == batch.N {
			part.Sel = nil
		}
		if err := op.Process(port, &part, c.out[i]); err != nil {
			c.t.Fatal(err)
		}
		c.check(i)
	}
}

func (c *cluster) watermark(w int64) {
	c.mark = w
	for i, op := range c.ops {
		if err := op.Watermark(w, c.out[i]); err != nil {
			c.t.Fatal(err)
		}
		c.check(i)
		if _, makes := op.(operator.WatermarkMaker); !makes && w > c.out[i].watermark {
			c.out[i].watermark = w // the runtime passes it on
		}
	}
}

func (c *cluster) check(i int) {
	if c.out[i].err != "" {
		c.t.Fatal(c.out[i].err)
	}
}

func (c *cluster) total() map[string]int {
	sum := map[string]int{}
	for _, o := range c.out {
		for l, n := range o.rows {
			sum[l] += n
		}
	}
	return sum
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
		x, y := text(l.a), text(r.a)
		if k == 1 {
			x, y = text(l.b), text(r.b)
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

func expected(s *graph.AsofJoinSpec, lefts, rights []aRow) map[string]int {
	out := map[string]int{}
	for i := range lefts {
		l := &lefts[i]
		if r := nearest(s, l, rights); r != nil {
			out[fmt.Sprintf("%d %d @%d", l.v, r.v, max(l.time, r.time))]++
		} else if s.Kind == graph.LeftJoin {
			out[fmt.Sprintf("%d null @%d", l.v, l.time)]++
		}
	}
	return out
}

func difference(got, want map[string]int) string {
	var lines []string
	for l, n := range want {
		if got[l] != n {
			lines = append(lines, fmt.Sprintf("%s: %d times instead of %d", l, got[l], n))
		}
	}
	for l, n := range got {
		if want[l] == 0 && n != 0 {
			lines = append(lines, fmt.Sprintf("%s: %d times instead of never", l, n))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
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

// Whatever the order in which rows and watermarks come, and across restores, the result is that over finished tables.
func TestNearestRowsAreThoseOfTheTables(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		spec := drawSpec(rt)
		c := &cluster{t: rt, spec: spec, mark: -20}
		if spec.Versioned && rapid.Bool().Draw(rt, "changelog") {
			c.modes[1] = graph.Updating
		}
		c.start(rapid.IntRange(1, 3).Draw(rt, "parallelism"), false)
		c.watermark(c.mark)
		h := history{live: map[string]aRow{}}
		var rows [2][]aRow
		next := int64(0)
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			switch rapid.IntRange(0, 8).Draw(rt, "step") {
			case 0:
				c.checkpoint()
			case 1:
				c.checkpoint()
				c.start(rapid.IntRange(1, 3).Draw(rt, "parallelism"), true)
			case 2, 3:
				c.watermark(c.mark + int64(rapid.IntRange(1, 8).Draw(rt, "advance")))
			default:
				port := rapid.IntRange(0, 1).Draw(rt, "port")
				var batch []aRow
				for range rapid.IntRange(1, 8).Draw(rt, "rows") {
					next++
					if port == 1 && c.modes[1] == graph.Updating {
						batch = append(batch, h.draw(rt, c.mark, next)...)
					} else {
						batch = append(batch, drawRow(rt, c.mark, next))
					}
				}
				rows[port] = append(rows[port], batch...)
				c.send(port, batch...)
			}
		}
		c.watermark(operator.EndOfTime)
		if d := difference(c.total(), expected(spec, rows[0], rows[1])); d != "" {
			rt.Fatalf("%+v:\n%s", *spec, d)
		}
		if c.start(1, false); c.late > 0 {
			rt.Fatalf("%d late rows", c.late)
		}
	})
}

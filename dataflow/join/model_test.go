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
	"wadi/dataflow/state/statetest"
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

func text[T any](p *T) string {
	if p == nil {
		return "null"
	}
	return fmt.Sprint(*p)
}

func (r *aRow) show(port int) string {
	if port == 1 {
		if r == nil {
			return "null,null,null"
		}
		return fmt.Sprintf("%s,%s,%s", text(r.v), text(r.a), text(r.b))
	}
	if r == nil {
		return "null,null,null,null"
	}
	flag := "null"
	if r.v != nil {
		flag = fmt.Sprint(*r.v%2 == 0)
	}
	return fmt.Sprintf("%s,%s,%s,%s", text(r.a), text(r.b), text(r.v), flag)
}

func appendRow(b *column.Builder, port int, r aRow, c column.Change) {
	at := func(name string) column.Appender { return b.Column(inputs[port].FieldIndices(name)[0]) }
	num := func(c column.Appender, p *int64) {
		if p == nil {
			c.AppendNull()
			return
		}
		switch f := c.(type) {
		case *column.Fixed[int64]:
			f.Append(*p)
		case *column.Fixed[int32]:
			f.Append(int32(*p))
		}
	}
	num(at("a"), r.a)
	if r.b == nil {
		at("b").AppendNull()
	} else {
		at("b").(*column.Bytes).AppendString(*r.b)
	}
	num(at([]string{"x", "y"}[port]), r.v)
	if port == 0 {
		if r.v == nil {
			at("flag").AppendNull()
		} else {
			at("flag").(*column.Bool).Append(*r.v%2 == 0)
		}
	}
	b.AppendTime(r.time, c)
}

func show(v column.Vector, i int) string {
	if !v.Validity().IsValid(i) {
		return "null"
	}
	switch c := v.(type) {
	case *column.Fixed[int64]:
		return fmt.Sprint(c.Values[i])
	case *column.Fixed[int32]:
		return fmt.Sprint(c.Values[i])
	case *column.Bool:
		return fmt.Sprint(c.Bits.Get(i))
	case *column.Bytes:
		return strings.Clone(c.Str(i))
	}
	panic(v.Type().String())
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
			x, y = text(l.a), text(r.a)
		} else {
			x, y = text(l.b), text(r.b)
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

// table materialises what comes out and checks that it is a proper changelog, or append stream.
type table struct {
	updating bool
	rows     map[string]int
	// inCall has the rows of the call at hand, with a bit for inserts and one for retractions.
	inCall    map[string]int
	watermark int64
	err       string
}

func (s *table) Emit(b *column.Batch) error {
	if b.N == 0 || b.N > 8192 || (b.Change != nil) != s.updating {
		s.err = fmt.Sprintf("a batch of %d rows with %d changes", b.N, len(b.Change))
	}
	for i := range b.N {
		var cols [2][]string
		for k, v := range b.Cols {
			port := 0
			if k >= inputs[0].NumFields() {
				port = 1
			}
			cols[port] = append(cols[port], show(v, i))
		}
		line := fmt.Sprintf("%s|%s @%d", strings.Join(cols[0], ","), strings.Join(cols[1], ","), b.Time[i])
		if b.Time[i] < s.watermark {
			s.err = fmt.Sprintf("%s comes after watermark %d", line, s.watermark)
		}
		bit := 1
		if b.Change != nil && b.Change[i] == column.Retract {
			bit = 2
			s.rows[line] -= 2
		}
		if s.rows[line]++; s.rows[line] < 0 {
			s.err = "retraction of what is not there: " + line
		}
		if s.inCall[line] |= bit; s.inCall[line] == 3 && !strings.Contains(line, "null,null,null") { // such a row may be its own padding
			s.err = "inserted and retracted at once: " + line
		}
	}
	return nil
}

func (s *table) Watermark(w int64) error {
	if w <= s.watermark {
		s.err = fmt.Sprintf("watermark %d after %d", w, s.watermark)
	}
	s.watermark = w
	return nil
}
func (s *table) Idle() error { return nil }

func (s *table) begin() { s.inCall = map[string]int{} }

// cluster runs the operator at some parallelism.
type cluster struct {
	t     *rapid.T
	make  func(env operator.Env) (operator.Operator, error)
	on    *graph.JoinOn
	clock *clock.Virtual
	ops   []operator.Operator
	envs  []operator.Env
	store statetest.Store
	out   []*table
	// marks is the watermark that has come in.
	mark     int64
	reported int
	updating [2]bool
	newTable func() *table
}

func (c *cluster) start(parallelism int, restore bool) {
	c.ops, c.envs = nil, nil
	old := c.out
	c.out = nil
	for i := range parallelism {
		env := operator.Env{
			Subtask: i, Parallelism: parallelism, Keys: column.Range(i, parallelism), Clock: c.clock,
			Metrics: &operator.Metrics{}, Report: func(error) { c.reported++ },
		}
		if restore {
			env.Restore = c.store.Reader()
		}
		op, err := c.make(env)
		if err != nil {
			c.t.Fatal(err)
		}
		c.ops, c.envs = append(c.ops, op), append(c.envs, env)
		c.out = append(c.out, c.newTable())
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
func (c *cluster) send(port int, b *column.Builder) {
	batch := b.Batch()
	keys := [2][]int{c.on.LeftKeys, c.on.RightKeys}[port]
	if c.on.NullAware {
		keys = keys[1:]
	}
	var cols []column.Vector
	for _, k := range keys {
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
		c.out[i].begin()
		if err := op.Process(port, &part, c.out[i]); err != nil {
			c.t.Fatal(err)
		}
		c.check(i)
	}
}

func (c *cluster) check(i int) {
	if e := c.out[i].err; e != "" && len(c.ops) == 1 || strings.HasPrefix(e, "a batch") || strings.Contains(e, "watermark") || strings.HasPrefix(e, "inserted and") {
		c.t.Fatal(e)
	}
}

func (c *cluster) total() map[string]int {
	sum := map[string]int{}
	for _, o := range c.out {
		for l, n := range o.rows {
			if sum[l] += n; sum[l] == 0 {
				delete(sum, l)
			}
		}
	}
	return sum
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
		c := &cluster{t: rt, on: &on, clock: clock.NewVirtual(time.Unix(5000, 0))}
		c.newTable = func() *table {
			return &table{updating: out == graph.Updating, rows: map[string]int{}, watermark: -1 << 63}
		}
		c.make = func(env operator.Env) (operator.Operator, error) {
			return join.NewUpdating(spec, inputs, modes, expr.Builtin(), env)
		}
		c.start(rapid.IntRange(1, 3).Draw(rt, "parallelism"), false)
		var rows [2][]aRow
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 7).Draw(rt, "step") {
			case 0:
				c.checkpoint()
			case 1:
				c.checkpoint()
				c.clock.Advance(2 * time.Hour) // time without the pipeline is no time
				c.start(rapid.IntRange(1, 3).Draw(rt, "parallelism"), true)
			case 2:
				c.clock.Advance(time.Minute / 2)
				for _, op := range c.ops {
					if err := op.(operator.Ticker).Tick(c.clock.Now(), c.out[0]); err != nil {
						rt.Fatal(err)
					}
				}
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
			if d := difference(c.total(), want); d != "" {
				rt.Fatalf("%s join, keys %v, null safe %v, null aware %v, residual %v:\n%s", on.Kind, on.LeftKeys, on.NullSafe, on.NullAware, on.Residual != nil, d)
			}
		}
		if c.reported > 0 {
			rt.Fatalf("%d errors were reported", c.reported)
		}
	})
}

package join_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/join"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state/statetest"
)

// pair is the schema of both sides in these tests.
var pair = arrow.NewSchema([]arrow.Field{
	{Name: "k", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "v", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

// lines writes changes as "+row @time" and "-row @time".
type lines struct {
	lines      []string
	watermarks []int64
	largest    int
}

func (l *lines) Emit(b *column.Batch) error {
	l.largest = max(l.largest, b.N)
	for i := range b.N {
		cols := operatortest.ShowAll(b.Cols, i)
		sign := "+"
		if b.Change != nil && b.Change[i] == column.Retract {
			sign = "-"
		}
		l.lines = append(l.lines, fmt.Sprintf("%s%s @%d", sign, strings.Join(cols, " "), b.Time[i]))
	}
	return nil
}
func (l *lines) Watermark(w int64) error { l.watermarks = append(l.watermarks, w); return nil }
func (l *lines) Idle() error             { return nil }

func (l *lines) take() string {
	s := strings.Join(l.lines, "; ")
	l.lines = nil
	return s
}

type run struct {
	t      *testing.T
	op     operator.Operator
	clock  *clock.Virtual
	out    lines
	env    operator.Env
	faults []error
	modes  [2]graph.Mode
}

func newRun(t *testing.T) *run {
	r := &run{t: t, clock: clock.NewVirtual(time.Unix(5000, 0))}
	r.env = operator.Env{
		Keys: column.AllKeys, Clock: r.clock, Metrics: &operator.Metrics{}, Report: func(err error) { r.faults = append(r.faults, err) },
	}
	return r
}

func on(kind graph.JoinKind) graph.JoinOn {
	return graph.JoinOn{Kind: kind, LeftKeys: []int{0}, RightKeys: []int{0}}
}

func (r *run) updating(kind graph.JoinKind, ttl time.Duration, modes [2]graph.Mode) *run {
	r.t.Helper()
	var err error
	r.modes = modes
	r.op, err = join.NewUpdating(&graph.JoinSpec{JoinOn: on(kind), TTL: int64(ttl)}, [2]*arrow.Schema{pair, pair}, modes, expr.Builtin(), r.env)
	if err != nil {
		r.t.Fatal(err)
	}
	return r
}

// send sends rows {k, v, change}; v is also the event time.
func (r *run) send(port int, rows ...[3]int64) *run {
	r.t.Helper()
	b := column.NewBuilder(pair, r.modes[port] == graph.Updating)
	for _, x := range rows {
		b.Column(0).(*column.Fixed[int64]).Append(x[0])
		b.Column(1).(*column.Fixed[int64]).Append(x[1])
		b.AppendTime(x[1], column.Change(x[2]))
	}
	if err := r.op.Process(port, b.Batch(), &r.out); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *run) watermark(w int64) *run {
	r.t.Helper()
	if err := r.op.Watermark(w, &r.out); err != nil {
		r.t.Fatal(err)
	}
	return r
}

func (r *run) expect(want string) *run {
	r.t.Helper()
	if got := r.out.take(); got != want {
		r.t.Fatalf("got  %s\nwant %s", got, want)
	}
	return r
}

func (r *run) tick(d time.Duration) *run {
	r.t.Helper()
	r.clock.Advance(d)
	if err := r.op.(operator.Ticker).Tick(r.clock.Now(), &r.out); err != nil {
		r.t.Fatal(err)
	}
	return r
}

var changelogs = [2]graph.Mode{graph.Updating, graph.Updating}

// What is replaced goes out before what replaces it, and what does not change does not go out.
func TestOrderWithinABatch(t *testing.T) {
	newRun(t).updating(graph.LeftJoin, 0, changelogs).
		send(0, [3]int64{1, 10, 1}).expect("+1 10 null null @10").
		send(1, [3]int64{1, 5, 1}).expect("-1 10 null null @10; +1 10 1 5 @10").
		send(1, [3]int64{1, 7, 1}, [3]int64{1, 5, -1}).expect("-1 10 1 5 @10; +1 10 1 7 @10").
		send(1, [3]int64{1, 8, 1}, [3]int64{1, 8, -1}).expect("").
		send(0, [3]int64{1, 11, 1}, [3]int64{1, 10, -1}).expect("-1 10 1 7 @10; +1 11 1 7 @11").
		send(1, [3]int64{1, 7, -1}).expect("-1 11 1 7 @11; +1 11 null null @11")
	newRun(t).updating(graph.SemiJoin, 0, changelogs).
		send(0, [3]int64{1, 10, 1}, [3]int64{1, 10, 1}).expect("").
		send(1, [3]int64{1, 5, 1}).expect("+1 10 @10; +1 10 @10").
		send(1, [3]int64{1, 6, 1}, [3]int64{1, 5, -1}).expect("").
		send(1, [3]int64{1, 6, -1}).expect("-1 10 @10; -1 10 @10")
}

// Where nothing is taken back, a left row of a semi or anti join that has matched once is done with, and not kept.
func TestMatchedOnce(t *testing.T) {
	for kind, want := range map[graph.JoinKind][3]string{
		graph.SemiJoin: {"+1 11 @11; +1 10 @10", "+1 12 @12", "+2 20 @20"},
		graph.AntiJoin: {"-1 11 @11; -1 10 @10", "", "-2 20 @20"},
	} {
		r := newRun(t).updating(kind, time.Hour, [2]graph.Mode{})
		r.send(0, [3]int64{1, 10, 1}, [3]int64{2, 20, 1}, [3]int64{1, 11, 1}, [3]int64{3, 30, 1}).out.take()
		r.send(1, [3]int64{1, 5, 1}, [3]int64{1, 6, 1}).expect(want[0])
		r.send(0, [3]int64{1, 12, 1}).expect(want[1])
		r.send(1, [3]int64{2, 7, 1}, [3]int64{1, 8, 1}).expect(want[2])
		r.send(1, [3]int64{1, 9, 1}, [3]int64{2, 9, 1}).expect("")
		var store statetest.Store
		if err := r.op.Snapshot(store.Writer(r.env.Keys)); err != nil {
			t.Fatal(err)
		}
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
		if left, right := store.Rows("left"), store.Rows("right"); left != 1 || right != 2 {
			t.Errorf("%s: %d left and %d right rows are kept, not the one that waits and two keys", kind, left, right)
		}
	}
}

// A retraction of what is not there is ignored, counted and reported.
func TestUnknownRetraction(t *testing.T) {
	r := newRun(t).updating(graph.LeftJoin, 0, changelogs).
		send(0, [3]int64{1, 10, 1}).expect("+1 10 null null @10").
		send(0, [3]int64{1, 10, -1}, [3]int64{1, 10, -1}, [3]int64{2, 1, -1}).expect("-1 10 null null @10").
		send(1, [3]int64{1, 5, -1}).expect("")
	if len(r.faults) != 2 || r.env.Metrics.BadRecords.Load() != 3 {
		t.Fatalf("%d faults, %d bad records", len(r.faults), r.env.Metrics.BadRecords.Load())
	}
	if f := fault.As(r.faults[0]); f.Kind != fault.Internal || f.Hint == "" {
		t.Errorf("%+v", f)
	}
}

// Rows that neither come nor match for the time to live are forgotten; what they led to stays.
func TestTimeToLive(t *testing.T) {
	r := newRun(t).updating(graph.LeftJoin, 64*time.Second, changelogs).
		send(1, [3]int64{1, 5, 1}, [3]int64{2, 6, 1}).
		send(0, [3]int64{1, 10, 1}).expect("+1 10 1 5 @10").
		tick(40*time.Second).
		send(0, [3]int64{1, 11, 1}).expect("+1 11 1 5 @11"). // touches right row 1 only
		tick(30*time.Second).
		send(0, [3]int64{2, 12, 1}).expect("+2 12 null null @12").
		send(0, [3]int64{1, 13, 1}).expect("+1 13 1 5 @13").
		send(1, [3]int64{2, 6, -1}).expect("") // forgotten, so no mistake
	if len(r.faults) > 0 {
		t.Fatal(r.faults)
	}
	// Time in which the pipeline does not run is no time; state that had expired stays away.
	var store statetest.Store
	if err := r.op.Snapshot(store.Writer(r.env.Keys)); err != nil {
		t.Fatal(err)
	}
	if err := store.Complete(); err != nil {
		t.Fatal(err)
	}
	r.clock.Advance(time.Hour)
	r.env.Restore = store.Reader()
	r.updating(graph.LeftJoin, 64*time.Second, changelogs).
		tick(50*time.Second).
		send(0, [3]int64{1, 14, 1}).expect("+1 14 1 5 @14").
		send(0, [3]int64{2, 15, 1}).expect("+2 15 null null @15").
		tick(66*time.Second).
		send(0, [3]int64{1, 16, 1}).expect("+1 16 null null @16")
	if n := r.env.Metrics.StateBytes.Load(); n <= 0 {
		t.Errorf("state of %d bytes", n)
	}
}

// One row with many matches goes out in batches of the usual size.
func TestLargeFanOut(t *testing.T) {
	r := newRun(t).updating(graph.FullJoin, 0, [2]graph.Mode{})
	const n = 30_000
	rows := make([][3]int64, n)
	for i := range rows {
		rows[i] = [3]int64{1, int64(i), 1}
	}
	r.send(1, rows...)
	if len(r.out.lines) != n {
		t.Fatalf("%d padded rows", len(r.out.lines))
	}
	r.out.take()
	r.send(0, [3]int64{1, 7, 1})
	if len(r.out.lines) != 2*n || r.out.largest > 8192 {
		t.Fatalf("%d changes, %d in one batch", len(r.out.lines), r.out.largest)
	}
	at := map[string]int{}
	for i, l := range r.out.lines {
		at[l] = i
	}
	for i := range n {
		old, now := fmt.Sprintf("-null null 1 %d @%d", i, i), fmt.Sprintf("+1 7 1 %d @%d", i, max(i, 7))
		if o, ok := at[old]; !ok || o > at[now] {
			t.Fatalf("%s at %d, %s at %d", old, o, now, at[now])
		}
	}
}

// NOT IN: a null on the right hides everything, a null on the left everything but for an empty right side.
func TestNotIn(t *testing.T) {
	r := newRun(t)
	spec := &graph.JoinSpec{JoinOn: on(graph.AntiJoin)}
	spec.NullAware = true
	op, err := join.NewUpdating(spec, [2]*arrow.Schema{pair, pair}, changelogs, expr.Builtin(), r.env)
	if err != nil {
		t.Fatal(err)
	}
	r.op, r.modes = op, changelogs
	null := func(port int, v int64, c column.Change) *run {
		b := column.NewBuilder(pair, true)
		b.Column(0).AppendNull()
		b.Column(1).(*column.Fixed[int64]).Append(v)
		b.AppendTime(v, c)
		if err := op.Process(port, b.Batch(), &r.out); err != nil {
			t.Fatal(err)
		}
		return r
	}
	r.send(0, [3]int64{1, 10, 1}, [3]int64{2, 20, 1}).expect("+1 10 @10; +2 20 @20")
	null(0, 30, column.Insert).expect("+null 30 @30")
	r.send(1, [3]int64{1, 1, 1}).expect("-1 10 @10; -null 30 @30")
	null(1, 2, column.Insert).expect("-2 20 @20")
	null(1, 3, column.Insert).expect("")
	null(1, 2, column.Retract).expect("")
	null(1, 3, column.Retract).expect("+2 20 @20")
	r.send(1, [3]int64{1, 1, -1}).expect("+1 10 @10; +null 30 @30")
}

func (r *run) interval(kind graph.JoinKind, lower, upper int64) *run {
	r.t.Helper()
	var err error
	spec := &graph.IntervalJoinSpec{JoinOn: on(kind), Lower: lower, Upper: upper}
	if r.op, err = join.NewInterval(spec, [2]*arrow.Schema{pair, pair}, expr.Builtin(), r.env); err != nil {
		r.t.Fatal(err)
	}
	return r
}

// The watermark that goes on waits for rows that may still go out by themselves, and for nothing else.
func TestHeldWatermark(t *testing.T) {
	check := func(r *run, want ...int64) {
		t.Helper()
		if fmt.Sprint(r.out.watermarks) != fmt.Sprint(want) {
			t.Fatalf("watermarks %v, want %v", r.out.watermarks, want)
		}
	}
	r := newRun(t).interval(graph.LeftJoin, 0, 10).
		send(0, [3]int64{1, 100, 1}, [3]int64{2, 103, 1}).expect("").
		watermark(50).watermark(105).expect("").
		send(1, [3]int64{1, 108, 1}).expect("+1 100 1 108 @108").
		watermark(110)
	check(r, 50, 100, 103)
	r.watermark(113).expect("").watermark(114).expect("+2 103 null null @103").watermark(operator.EndOfTime)
	check(r, 50, 100, 103, 114, operator.EndOfTime)

	r = newRun(t).interval(graph.InnerJoin, -10, 10).send(0, [3]int64{1, 100, 1}).watermark(105).watermark(109)
	check(r, 105, 109)
	r.send(1, [3]int64{1, 109, 1}, [3]int64{1, 108, 1}).expect("+1 100 1 109 @109")
	if n := r.env.Metrics.LateRows.Load(); n != 1 {
		t.Errorf("%d late rows", n)
	}
}

// State goes with the watermark.
func TestIntervalStateIsCleared(t *testing.T) {
	r := newRun(t).interval(graph.FullJoin, -10, 10)
	var peak int64
	for i := range int64(60) {
		rows := make([][3]int64, 4000)
		for j := range rows {
			rows[j] = [3]int64{int64(j), i*4000 + int64(j), 1}
		}
		r.send(0, rows...).send(1, rows...).watermark(i * 4000)
		r.out.take()
		if n := r.env.Metrics.StateBytes.Load(); i < 10 {
			peak = max(peak, n)
		} else if n > peak {
			t.Fatalf("the state grew from %d to %d bytes", peak, n)
		}
	}
}

func TestRefusedSpecs(t *testing.T) {
	schemas := [2]*arrow.Schema{pair, pair}
	uneven := on(graph.InnerJoin)
	uneven.RightKeys = nil
	aware := on(graph.LeftJoin)
	aware.NullAware = true
	for _, o := range []graph.JoinOn{uneven, aware} {
		if _, err := join.NewUpdating(&graph.JoinSpec{JoinOn: o}, schemas, [2]graph.Mode{}, expr.Builtin(), operator.Env{}); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if _, err := join.NewInterval(&graph.IntervalJoinSpec{JoinOn: on(graph.InnerJoin), Lower: 1}, schemas, expr.Builtin(), operator.Env{}); !fault.Is(err, fault.CodeInvalid) {
		t.Errorf("bounds the wrong way round: %v", err)
	}
}

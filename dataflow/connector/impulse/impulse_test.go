package impulse_test

import (
	"context"
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"testing"
	"time"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/connector/impulse"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

func open(t testing.TB, h *connectortest.Host, options map[string]string) operator.Source {
	t.Helper()
	raw := map[string]connector.Raw{}
	for k, v := range options {
		raw[k] = connector.StringValue(v)
	}
	resolved, err := impulse.Declaration().Resolve(connector.Source, raw)
	if err != nil {
		t.Fatal(err)
	}
	s, err := impulse.Declaration().NewSource(connector.SourceConfig{
		Spec: &graph.SourceSpec{Options: resolved, Schema: impulse.Schema()}, Env: h.Env})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func read(t testing.TB, s operator.Source, out operator.Emitter) operator.Status {
	t.Helper()
	st, err := s.Read(context.Background(), out)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func TestPacingOnAVirtualClock(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 512)
	s := open(t, h, map[string]string{"event_rate": "1000"})
	out := &connectortest.Emitter{}
	if st := read(t, s, out); st != operator.Waiting || out.Len() != 1 {
		t.Fatalf("got %d rows and %v at once; want the first row", out.Len(), st)
	}
	h.Clock.Advance(50 * time.Millisecond)
	if st := read(t, s, out); st != operator.Waiting || out.Len() != 1 {
		t.Fatalf("got %d rows within the linger time", out.Len())
	}
	h.Clock.Advance(50 * time.Millisecond)
	<-h.Wakes
	read(t, s, out)
	if out.Len() != 101 {
		t.Errorf("got %d rows after 100 ms at 1000 per second, want 101", out.Len())
	}
	h.Clock.Advance(10 * time.Second)
	n := 1
	for ; read(t, s, out) == operator.Ready; n++ {
	}
	h.Clock.Advance(100 * time.Millisecond)
	read(t, s, out)
	if out.Len() != 10201 || n < 19 {
		t.Errorf("caught up to %d rows in %d reads, want 10201 in batches of 512", out.Len(), n)
	}
	if out.Batch().Time[0] != connectortest.Start.UnixNano() {
		t.Error("the event time is not the wall clock")
	}
}

func TestSlowRowsLeaveAtOnce(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 512)
	s := open(t, h, map[string]string{"event_rate": "0.5"})
	out := &connectortest.Emitter{}
	read(t, s, out)
	for want := 2; want < 6; want++ {
		h.Clock.Advance(2*time.Second - 1)
		if read(t, s, out); out.Len() != want-1 {
			t.Fatalf("row %d came early", want)
		}
		h.Clock.Advance(1)
		if read(t, s, out); out.Len() != want {
			t.Fatalf("row %d did not come at its time", want)
		}
	}
}

func TestUnlimitedRateIsFlatOut(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 100)
	s := open(t, h, map[string]string{"event_rate": "1e9", "event_time_interval": "1000", "message_count": "1050"})
	out := &connectortest.Emitter{}
	for st := operator.Ready; st != operator.Done; st = read(t, s, out) {
		h.Clock.Advance(time.Microsecond)
	}
	b := out.Batch()
	if b.N != 1050 {
		t.Fatalf("got %d rows", b.N)
	}
	for i := range b.N {
		if c := b.Cols[0].(*column.Fixed[uint64]).Values[i]; c != uint64(i) || b.Time[i] != connectortest.Start.UnixNano()+int64(i)*1000 {
			t.Fatalf("row %d has counter %d and time %d", i, c, b.Time[i])
		}
	}
}

// run drives all subtasks in turns for up to reads reads each and gives the rows; afterwards st has their state.
func run(t *testing.T, from *connectortest.State, parallelism, batch, reads int, options map[string]string) ([]string, *connectortest.State) {
	t.Helper()
	var rows []string
	st := connectortest.NewState()
	for i := range parallelism {
		h := connectortest.NewHost(t, i, parallelism, batch)
		if from != nil {
			h.Env.Restore = from.Reader()
			h.Clock.Advance(time.Hour)
		}
		s := open(t, h, options)
		out := &connectortest.Emitter{}
		for k := 0; k < reads && read(t, s, out) != operator.Done; k++ {
			h.Clock.Advance(time.Second)
		}
		rows = append(rows, out.Rows()...)
		if err := s.Snapshot(st); err != nil {
			t.Fatal(err)
		}
	}
	return rows, st
}

func TestRescaleNeitherLosesNorRepeats(t *testing.T) {
	options := map[string]string{"event_rate": "1e9", "event_time_interval": "1000000", "message_count": "40"}
	whole, _ := run(t, nil, 3, 7, 1000, options)
	sort.Strings(whole)
	for _, path := range [][]int{{3, 3, 3}, {3, 1, 2}, {3, 5, 1}, {3, 2, 7}} {
		var rows, part []string
		var st *connectortest.State
		for k, p := range path {
			reads := 2
			if k == len(path)-1 {
				reads = 1000
			}
			part, st = run(t, st, p, 7, reads, options)
			rows = append(rows, part...)
			if keys := st.Keys("i"); len(keys) != 3 {
				t.Fatalf("%v: state has the sequences %v", path, keys)
			}
		}
		sort.Strings(rows)
		if !reflect.DeepEqual(rows, whole) {
			t.Errorf("parallelisms %v: %d rows that differ from the %d of an uninterrupted run", path, len(rows), len(whole))
		}
	}
}

func TestSequencesOfOneSubtaskStayInOrderOfTime(t *testing.T) {
	options := map[string]string{"event_rate": "1e9", "event_time_interval": "1000000", "message_count": "100"}
	_, st := run(t, nil, 4, 10, 1, options)
	h := connectortest.NewHost(t, 0, 1, 16)
	h.Env.Restore = st.Reader()
	s := open(t, h, options)
	out := &connectortest.Emitter{}
	for read(t, s, out) != operator.Done {
		h.Clock.Advance(time.Second)
	}
	for i := 1; i < out.Len(); i++ {
		if out.Batch().Time[i] < out.Batch().Time[i-1] {
			t.Fatalf("row %d goes back in time", i)
		}
	}
	if out.Len() != 4*100-4 {
		t.Errorf("got %d rows", out.Len())
	}
}

func TestEveryRestorePointGivesTheSameRows(t *testing.T) {
	options := map[string]string{"event_rate": "1000", "event_time_interval": "5", "message_count": "50"}
	whole, _ := run(t, nil, 1, 8, 1000, options)
	for reads := range 9 {
		head, st := run(t, nil, 1, 8, reads, options)
		tail, _ := run(t, st, 1, 8, 1000, options)
		if got := append(head, tail...); !reflect.DeepEqual(got, whole) {
			t.Errorf("restored after %d reads: %d rows, want %d", reads, len(got), len(whole))
		}
	}
}

func TestNothingToDo(t *testing.T) {
	rows, _ := run(t, nil, 2, 8, 5, map[string]string{"event_rate": "1", "message_count": "0"})
	if len(rows) != 0 {
		t.Errorf("got %v", rows)
	}
}

func TestEventTimeOutOfRange(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 100)
	s := open(t, h, map[string]string{"event_rate": "1e9", "event_time_interval": strconv.Itoa(1 << 60)})
	h.Clock.Advance(time.Second)
	_, err := s.Read(context.Background(), &connectortest.Emitter{})
	if f := fault.As(err); f.Kind != fault.User || f.Code != fault.CodeOverflow {
		t.Errorf("got %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []map[string]string{{}, {"event_rate": "0"}, {"event_rate": "-1"}, {"event_rate": "1", "message_count": "-1"},
		{"event_rate": "1", "event_time_interval": "-1"}} {
		raw := map[string]connector.Raw{}
		for k, v := range o {
			raw[k] = connector.StringValue(v)
		}
		if _, err := impulse.Declaration().Resolve(connector.Source, raw); fault.As(err) == nil || fault.As(err).Kind != fault.User {
			t.Errorf("%v: got %v", o, err)
		}
	}
}

func TestDescription(t *testing.T) {
	for want, o := range map[string]map[string]string{
		"Impulse<5 eps>":              {"event_rate": "5"},
		"BoundedImpulse<5 eps, 10ms>": {"event_rate": "5", "event_time_interval": "10000000", "message_count": "3"},
	} {
		if got := impulse.Declaration().Description(o); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func BenchmarkImpulse(b *testing.B) {
	h := connectortest.NewHost(b, 0, 1, 8192)
	s := open(b, h, map[string]string{"event_rate": "1e18", "event_time_interval": "1000"})
	h.Clock.Advance(time.Hour)
	b.ReportAllocs()
	for n := 0; n < b.N; n += 8192 {
		read(b, s, discard{})
	}
}

type discard struct{}

func (discard) Emit(*column.Batch) error { return nil }
func (discard) Watermark(int64) error    { return nil }
func (discard) Idle() error              { return nil }

func ExampleDeclaration() {
	fmt.Println(impulse.Declaration().Description(map[string]string{"event_rate": "10"}))
	// Output: Impulse<10 eps>
}

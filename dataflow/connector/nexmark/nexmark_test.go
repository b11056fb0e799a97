package nexmark_test

import (
	"context"
	"fmt"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/connector/nexmark"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

type options map[string]string

func open(t testing.TB, h *connectortest.Host, o options, needed []string) operator.Source {
	t.Helper()
	raw := map[string]connector.Raw{}
	for k, v := range o {
		raw[k] = connector.StringValue(v)
	}
	resolved, err := nexmark.Declaration().Resolve(connector.Source, raw)
	if err != nil {
		t.Fatal(err)
	}
	s, err := nexmark.Declaration().NewSource(connector.SourceConfig{
		Spec: &graph.SourceSpec{Options: resolved, Schema: nexmark.Schema(), Needed: needed}, Env: h.Env})
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

// generate gives the first n events of a single subtask.
func generate(t testing.TB, n, batch int, needed []string) *column.Batch {
	t.Helper()
	h := connectortest.NewHost(t, 0, 1, batch)
	s := open(t, h, options{"event_rate": "1000000", "message_count": fmt.Sprint(n), "paced": "false"}, needed)
	out := &connectortest.Emitter{}
	for read(t, s, out) != operator.Done {
	}
	if out.Len() != n {
		t.Fatalf("got %d events, want %d", out.Len(), n)
	}
	return out.Batch()
}

func structs(b *column.Batch) (person, auction, bid *column.Struct) {
	return b.Cols[0].(*column.Struct), b.Cols[1].(*column.Struct), b.Cols[2].(*column.Struct)
}

func ints(s *column.Struct, member string) []int64 {
	i, _ := s.DataType.FieldIdx(member)
	return s.Children[i].(*column.Fixed[int64]).Values
}

func texts(s *column.Struct, member string) *column.Bytes {
	i, _ := s.DataType.FieldIdx(member)
	return s.Children[i].(*column.Bytes)
}

// TestFirstEntities checks the skeleton against the generator of Apache Beam and Arroyo.
func TestFirstEntities(t *testing.T) {
	b := generate(t, 100, 8192, nil)
	person, auction, bid := structs(b)
	got := map[int]string{}
	for i := range b.N {
		kinds := 0
		if person.Valid.Get(i) {
			kinds++
			got[i] = fmt.Sprint("person ", ints(person, "id")[i])
		}
		if auction.Valid.Get(i) {
			kinds++
			got[i] = fmt.Sprint("auction ", ints(auction, "id")[i])
		}
		if bid.Valid.Get(i) {
			kinds++
		}
		if kinds != 1 {
			t.Fatalf("row %d has %d kinds", i, kinds)
		}
	}
	want := map[int]string{16: "auction 1001", 32: "person 1001", 33: "auction 1002", 49: "auction 1003", 66: "auction 1004",
		82: "person 1002", 83: "auction 1005", 99: "auction 1006"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for i := range b.N {
		e := int64(i + 1)
		a := e/50*50 + e*953%50
		if want := connectortest.Start.UnixNano() + 1000*a; b.Time[i] != want || ints(bid, "datetime")[i] != want {
			t.Fatalf("event %d is at %d, want %d", i, b.Time[i], want)
		}
	}
}

func TestProportionsInEveryGroup(t *testing.T) {
	b := generate(t, 50_049, 777, nil)
	for from := 49; from < b.N; from += 50 {
		counts := [3]int{}
		for k, c := range b.Cols {
			for i := from; i < from+50; i++ {
				if c.Validity().Get(i) {
					counts[k]++
				}
			}
		}
		if counts != [3]int{1, 3, 46} {
			t.Fatalf("events from %d: %v", from, counts)
		}
	}
}

func TestDistributions(t *testing.T) {
	const n = 200_000
	b := generate(t, n, 8192, nil)
	_, auction, bid := structs(b)
	var bids, hotAuction, hotBidder, hotChannel, cheap, withID, auctions, hotSeller int
	lowest, highest := int64(1)<<62, int64(0)
	names := map[string]bool{"Google": true, "Facebook": true, "Baidu": true, "Apple": true}
	for i := range b.N {
		if auction.Valid.Get(i) {
			auctions++
			if s := ints(auction, "seller")[i]; s%100 == 0 {
				hotSeller++
			}
			if c := ints(auction, "category")[i]; c < 10 || c > 14 {
				t.Fatalf("category %d", c)
			}
			if r, p := ints(auction, "reserve")[i], ints(auction, "initial_bid")[i]; r < p+100 {
				t.Fatalf("reserve %d of %d", r, p)
			}
			if d := ints(auction, "expires")[i] - b.Time[i]; d < 2 || d > 2*1666*1000+1 {
				t.Fatalf("open for %d ns", d)
			}
		}
		if !bid.Valid.Get(i) {
			continue
		}
		bids++
		if ints(bid, "auction")[i]%100 == 0 {
			hotAuction++
		}
		if ints(bid, "bidder")[i]%100 == 0 {
			hotBidder++
		}
		p := ints(bid, "price")[i]
		lowest, highest = min(lowest, p), max(highest, p)
		if p < 100_000 {
			cheap++
		}
		if names[texts(bid, "channel").Str(i)] {
			hotChannel++
		} else if strings.Contains(texts(bid, "url").Str(i), "&channel_id="+strings.TrimPrefix(texts(bid, "channel").Str(i), "channel-")) {
			withID++
		}
	}
	near := func(what string, got, of int, want float64) {
		t.Helper()
		if f := float64(got) / float64(of); f < want-0.01 || f > want+0.01 {
			t.Errorf("%s: %.3f, want %.3f", what, f, want)
		}
	}
	// Of the cold choices, one in about a hundred falls on a hot id as well.
	near("hot auctions", hotAuction, bids, 0.5+0.5/111)
	near("hot bidders", hotBidder, bids, 0.75+0.25/100)
	near("hot sellers", hotSeller, auctions, 0.75+0.25/100)
	near("hot channels", hotChannel, bids, 0.5)
	near("cold urls with an id", withID, bids-hotChannel, 0.9)
	near("prices below 1000.00", cheap, bids, 0.5)
	if lowest < 100 || lowest > 110 || highest >= 100_000_000 || highest < 99_000_000 {
		t.Errorf("prices from %d to %d", lowest, highest)
	}
}

func TestReferencesStayNear(t *testing.T) {
	b := generate(t, 200_000, 8192, []string{"bid.auction", "bid.bidder"})
	_, _, bid := structs(b)
	for i := range b.N {
		if !bid.Valid.Get(i) {
			continue
		}
		e := int64(i+1)/50*50 + int64(i+1)*953%50 + 1
		person, auction := e/50, 3*(e/50)+2
		if a := ints(bid, "auction")[i] - 1000; a > auction+10 || a < max(0, auction-100) && a != auction/100*100 {
			t.Fatalf("event %d is for auction %d of %d", i, a, auction)
		}
		if p := ints(bid, "bidder")[i] - 1000; p >= person+10 || p < max(0, person-1000) && p != person/100*100 {
			t.Fatalf("event %d is by person %d of %d", i, p, person)
		}
	}
}

func TestTexts(t *testing.T) {
	b := generate(t, 20_000, 333, nil)
	person, auction, bid := structs(b)
	check := func(s *column.Struct, member, pattern string) {
		t.Helper()
		re, distinct := regexp.MustCompile("^"+pattern+"$"), map[string]bool{}
		for i := range b.N {
			if !s.Valid.Get(i) {
				continue
			}
			v := texts(s, member).Str(i)
			if !re.MatchString(v) {
				t.Fatalf("%s: %q does not match %s", member, v, pattern)
			}
			distinct[v] = true
		}
		if len(distinct) < 6 {
			t.Errorf("%s has %d values", member, len(distinct))
		}
	}
	check(person, "name", `[A-Z][a-z]+ [A-Z][a-z]+`)
	check(person, "email_address", `[A-Za-z0-9]{3,6}@[A-Za-z0-9]{3,4}\.com`)
	check(person, "credit_card", `\d{4} \d{4} \d{4} \d{4}`)
	check(person, "city", `[A-Z][A-Za-z ]+`)
	check(person, "state", `[A-Z]{2}`)
	check(auction, "item_name", `[A-Za-z0-9]{3,19}`)
	check(auction, "description", `[A-Za-z0-9]{3,99}`)
	check(bid, "channel", `(channel-\d+|Google|Facebook|Baidu|Apple)`)
	check(bid, "url", `https://www\.nexmark\.com/\w+/\w+/\w+/item\.htm\?query=1(&channel_id=\d+)?`)
	check(bid, "extra", `[A-Za-z0-9]{168}`)
	for i := range b.N {
		if person.Valid.Get(i) {
			size := 8
			for _, m := range []string{"name", "email_address", "credit_card", "city", "state", "extra"} {
				size += len(texts(person, m).Str(i))
			}
			if size != 200 {
				t.Fatalf("person %d has size %d", i, size)
			}
		}
		if auction.Valid.Get(i) {
			if size := 48 + len(texts(auction, "item_name").Str(i)) + len(texts(auction, "description").Str(i)) + len(texts(auction, "extra").Str(i)); size != 500 {
				t.Fatalf("auction %d has size %d", i, size)
			}
		}
	}
}

func TestOnlyWhatIsNeededIsMade(t *testing.T) {
	all := generate(t, 5_000, 512, nil)
	_, _, want := structs(all)
	for _, needed := range [][]string{{"bid.price"}, {"bid.price", "bid.datetime"}, {"bid"}, {"bid", "auction.id"}} {
		b := generate(t, 5_000, 512, needed)
		person, auction, bid := structs(b)
		if person.Valid.Count(b.N) != 0 {
			t.Errorf("%v: there are persons", needed)
		}
		if has := auction.Valid.Count(b.N) != 0; has != (len(needed) == 2 && needed[1] == "auction.id") {
			t.Errorf("%v: auctions: %v", needed, has)
		}
		if !reflect.DeepEqual(bid.Valid, want.Valid) || !reflect.DeepEqual(b.Time, all.Time) {
			t.Errorf("%v: other rows are bids", needed)
		}
		for i := range b.N {
			if bid.Valid.Get(i) && ints(bid, "price")[i] != ints(want, "price")[i] {
				t.Fatalf("%v: row %d has another price", needed, i)
			}
		}
	}
	b := generate(t, 1000, 512, []string{})
	for _, c := range b.Cols {
		if c.Validity().Count(b.N) != 0 {
			t.Error("something was made that nobody needs")
		}
	}
}

func TestBatchSizesDoNotMatter(t *testing.T) {
	rows := func(batch int) []string {
		h := connectortest.NewHost(t, 0, 1, batch)
		s := open(t, h, options{"event_rate": "1000", "message_count": "1234", "paced": "false"}, nil)
		out := &connectortest.Emitter{}
		for read(t, s, out) != operator.Done {
		}
		return out.Rows()
	}
	want := rows(8192)
	for _, batch := range []int{1, 7, 64, 1000} {
		if got := rows(batch); !reflect.DeepEqual(got, want) {
			t.Errorf("batches of %d give other rows", batch)
		}
	}
}

// run drives all subtasks for up to reads reads each and gives the rows and the state afterwards.
func run(t *testing.T, from *connectortest.State, parallelism, batch, reads int, o options) ([]string, *connectortest.State) {
	t.Helper()
	var rows []string
	st := connectortest.NewState()
	for i := range parallelism {
		h := connectortest.NewHost(t, i, parallelism, batch)
		if from != nil {
			h.Env.Restore = from.Reader()
			h.Clock.Advance(time.Hour)
		}
		s := open(t, h, o, nil)
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

func TestEveryRestorePointGivesTheSameRows(t *testing.T) {
	o := options{"event_rate": "100", "runtime": "2.5"}
	whole, _ := run(t, nil, 1, 13, 1000, o)
	if len(whole) != 250 {
		t.Fatalf("got %d events in 2.5 s at 100 per second", len(whole))
	}
	for reads := range 22 {
		head, st := run(t, nil, 1, 13, reads, o)
		tail, _ := run(t, st, 1, 13, 1000, o)
		if got := append(head, tail...); !reflect.DeepEqual(got, whole) {
			t.Errorf("restored after %d reads: %d rows, want %d", reads, len(got), len(whole))
		}
	}
}

func TestRescaleNeitherLosesNorRepeats(t *testing.T) {
	o := options{"event_rate": "5000", "message_count": "1000", "paced": "false"}
	whole, _ := run(t, nil, 3, 50, 1000, o)
	sort.Strings(whole)
	if len(whole) != 1000 {
		t.Fatalf("got %d events", len(whole))
	}
	for _, path := range [][]int{{3, 3}, {3, 1, 2}, {3, 5, 1}, {3, 2, 7}} {
		var rows, part []string
		var st *connectortest.State
		for k, p := range path {
			reads := 2
			if k == len(path)-1 {
				reads = 10_000
			}
			part, st = run(t, st, p, 50, reads, o)
			rows = append(rows, part...)
		}
		sort.Strings(rows)
		if !reflect.DeepEqual(rows, whole) {
			t.Errorf("parallelisms %v: %d rows that differ from the %d of an uninterrupted run", path, len(rows), len(whole))
		}
	}
}

func TestSequencesOfOneSubtaskKeepTogetherInTime(t *testing.T) {
	o := options{"event_rate": "4000", "message_count": "40000", "paced": "false"}
	_, st := run(t, nil, 4, 50, 1, o)
	h := connectortest.NewHost(t, 0, 1, 8192)
	h.Env.Restore = st.Reader()
	s := open(t, h, o, nil)
	out := &connectortest.Emitter{}
	for read(t, s, out) != operator.Done {
	}
	latest := int64(0)
	for i, at := range out.Batch().Time {
		latest = max(latest, at)
		if late := latest - at; late > int64(time.Second) {
			t.Fatalf("row %d is %v late", i, time.Duration(late))
		}
	}
}

func TestIdsOfSubtasksAreDisjoint(t *testing.T) {
	seen := map[int64]int{}
	for i := range 3 {
		h := connectortest.NewHost(t, i, 3, 8192)
		s := open(t, h, options{"event_rate": "1e9"}, []string{"auction.id"})
		h.Clock.Advance(time.Second)
		out := &connectortest.Emitter{}
		for range 3 {
			read(t, s, out)
		}
		_, auction, _ := structs(out.Batch())
		for r := range out.Len() {
			if auction.Valid.Get(r) {
				seen[ints(auction, "id")[r]]++
			}
		}
	}
	if len(seen) < 3*3*8192*3/50-9 {
		t.Errorf("got %d auctions", len(seen))
	}
	for id, n := range seen {
		if n != 1 {
			t.Fatalf("auction %d occurs %d times", id, n)
		}
	}
}

func TestPacing(t *testing.T) {
	h := connectortest.NewHost(t, 0, 2, 512)
	s := open(t, h, options{"event_rate": "1000"}, nil)
	out := &connectortest.Emitter{}
	if read(t, s, out); out.Len() != 1 {
		t.Fatalf("got %d events at once", out.Len())
	}
	for range 10 {
		h.Clock.Advance(100 * time.Millisecond)
		<-h.Wakes
		if st := read(t, s, out); st != operator.Waiting {
			t.Fatalf("got %v", st)
		}
	}
	if out.Len() != 501 {
		t.Errorf("got %d events in a second on one of two subtasks at 1000 per second", out.Len())
	}
}

func TestLostStateIsNoticed(t *testing.T) {
	_, st := run(t, nil, 2, 50, 1, options{"event_rate": "10"})
	half := connectortest.NewState()
	st.Reader().Global("s", func(k, v []byte) error {
		if string(k) == "1" {
			half.Global("s", k, v)
		}
		return nil
	})
	h := connectortest.NewHost(t, 0, 1, 10)
	h.Env.Restore = half.Reader()
	_, err := nexmark.Declaration().NewSource(connector.SourceConfig{Env: h.Env,
		Spec: &graph.SourceSpec{Options: map[string]string{"event_rate": "10"}, Schema: nexmark.Schema()}})
	if fault.As(err) == nil || fault.As(err).Kind != fault.Internal {
		t.Errorf("got %v", err)
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []options{{}, {"event_rate": "0"}, {"event_rate": "1", "runtime": "-1"}, {"event_rate": "1", "message_count": "-1"}} {
		raw := map[string]connector.Raw{}
		for k, v := range o {
			raw[k] = connector.StringValue(v)
		}
		if _, err := nexmark.Declaration().Resolve(connector.Source, raw); err == nil {
			t.Errorf("%v was accepted", o)
		}
	}
}

type discard struct{}

func (discard) Emit(*column.Batch) error { return nil }
func (discard) Watermark(int64) error    { return nil }
func (discard) Idle() error              { return nil }

func TestNothingIsAllocatedPerBatch(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 8192)
	s := open(t, h, options{"event_rate": "1000000", "paced": "false"}, nil)
	for range 20 {
		read(t, s, discard{})
	}
	if n := testing.AllocsPerRun(50, func() { read(t, s, discard{}) }); n > 0 {
		t.Errorf("%v allocations per batch", n)
	}
}

func BenchmarkGenerate(b *testing.B) {
	for name, needed := range map[string][]string{
		"all":        nil,
		"bid":        {"bid"},
		"bidInts":    {"bid.auction", "bid.bidder", "bid.price", "bid.datetime"},
		"bidStrings": {"bid.channel", "bid.url", "bid.extra"},
		"auction":    {"auction"},
		"person":     {"person"},
		"time":       {"bid.datetime"},
	} {
		b.Run(name, func(b *testing.B) {
			h := connectortest.NewHost(b, 0, 1, 8192)
			s := open(b, h, options{"event_rate": "1000000", "paced": "false"}, needed)
			b.ReportAllocs()
			b.ResetTimer()
			for n := 0; n < b.N; n += 8192 {
				read(b, s, discard{})
			}
		})
	}
}

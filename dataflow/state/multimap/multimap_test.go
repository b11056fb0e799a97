package multimap_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
	"wadi/dataflow/state/multimap"
	"wadi/dataflow/state/statetest"
)

var types = []arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String}

// harness fills a map with rows of a number and a text, and knows what must be in it.
type harness struct {
	t     *testing.T
	m     *multimap.Map
	conf  multimap.Config
	store statetest.Store
	// want counts the rows by number; each number has one text.
	want map[int64]int
}

func newHarness(t *testing.T, c multimap.Config) *harness {
	c.Types = types
	return &harness{t: t, m: multimap.New(c), conf: c, want: map[int64]int{}}
}

func (h *harness) rowsOf(numbers []int64) *multimap.Rows {
	n, s := column.NewFixed[int64](types[0]), column.NewBytes(types[1])
	r := &multimap.Rows{Cols: []column.Vector{n, s}}
	for _, x := range numbers {
		n.Append(x)
		s.AppendString(fmt.Sprintf("the text of %d", x))
		r.Times = append(r.Times, x)
	}
	h.hash(r, len(numbers))
	return r
}

func (h *harness) hash(r *multimap.Rows, n int) {
	r.Hashes = column.HashColumns(nil, r.Cols[:1], n, nil)
	r.RowHashes = column.HashColumns(nil, r.Cols, n, nil)
	if h.conf.Whole {
		r.Hashes = r.RowHashes
	}
}

func (h *harness) insert(bucket uint32, numbers ...int64) []int32 {
	for _, x := range numbers {
		h.want[x]++
	}
	return h.m.Insert(h.rowsOf(numbers), column.AllRows(nil, len(numbers)), bucket, nil)
}

// ids finds the rows of a number.
func (h *harness) ids(x int64) []int32 {
	r := h.rowsOf([]int64{x})
	var c multimap.Cursor
	var p multimap.Pairs
	var ids []int32
	h.m.Seek(&c, r.Hashes, []int32{0})
	for h.m.Next(&c, &p, 3) {
		h.m.Same(&p, 0, r.Cols[0], multimap.NullNever)
		h.m.Same(&p, 1, r.Cols[1], multimap.NullSame)
		ids = append(ids, p.IDs...)
	}
	return ids
}

func (h *harness) check() {
	h.t.Helper()
	total := 0
	for x, n := range h.want {
		ids := h.ids(x)
		if len(ids) != n {
			h.t.Fatalf("%d rows of %d instead of %d", len(ids), x, n)
		}
		total += n
		for _, id := range ids {
			if h.m.Time(id) != x {
				h.t.Fatalf("a row of %d has time %d", x, h.m.Time(id))
			}
		}
	}
	if h.m.Len() != total {
		h.t.Fatalf("%d rows instead of %d", h.m.Len(), total)
	}
}

func (h *harness) snapshot(cutoff int64) {
	h.t.Helper()
	h.m.Snapshot(h.store.Writer(column.AllKeys), "rows", cutoff)
	if err := h.store.Complete(); err != nil {
		h.t.Fatal(err)
	}
}

// restore replaces the map by what several subtasks read back together.
func (h *harness) restore(cutoff int64) {
	h.t.Helper()
	parts := make([]*multimap.Map, 2)
	for i := range parts {
		parts[i] = multimap.New(h.conf)
		l := parts[i].Load(0, h.hash)
		if err := h.store.Reader().Keyed("rows", column.Range(i, 2), l.Chunk); err != nil {
			h.t.Fatal(err)
		}
		l.Done(func(uint64) int64 { return cutoff })
	}
	if n := parts[0].Len() + parts[1].Len(); n != h.m.Len() {
		h.t.Fatalf("%d rows came back of %d", n, h.m.Len())
	}
	h.m = multimap.New(h.conf)
	l := h.m.Load(0, h.hash)
	if err := h.store.Reader().Keyed("rows", column.AllKeys, l.Chunk); err != nil {
		h.t.Fatal(err)
	}
	l.Done(func(uint64) int64 { return cutoff })
}

// Rows come and go over many chunks, with compactions, checkpoints and restores in between.
func TestManyRows(t *testing.T) {
	t.Run("for ever", func(t *testing.T) { manyRows(t, multimap.Config{}) })
	t.Run("in buckets", func(t *testing.T) { manyRows(t, multimap.Config{Grain: 10}) })
	t.Run("by key", func(t *testing.T) { manyRows(t, multimap.Config{Key: new(int)}) })
}

func manyRows(t *testing.T, c multimap.Config) {
	h := newHarness(t, c)
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 4 {
		var numbers []int64
		for range 5000 + r.IntN(9000) {
			numbers = append(numbers, r.Int64N(6000))
		}
		ids := h.insert(uint32(round/2), numbers...)
		h.m.Touch(ids[:100], 9)
		for x, n := range h.want {
			if n == 0 || r.IntN(3) == 0 {
				continue
			}
			ids := h.ids(x)
			k := r.IntN(len(ids) + 1)
			r.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
			h.m.Delete(ids[:k])
			h.want[x] -= k
		}
		h.m.Compact()
		h.check()
		h.snapshot(math.MinInt64)
		if round%2 == 1 {
			h.restore(math.MinInt64)
			h.check()
		}
	}
	if rows := h.store.Rows("rows"); rows > 200_000 {
		t.Errorf("4 checkpoints took %d rows", rows)
	}
	if size := h.m.Size(); size > int64(h.m.Len())*400 {
		t.Errorf("%d rows take %d bytes", h.m.Len(), size)
	}
}

// A delta holds what has changed, and counts come back.
func TestDeltas(t *testing.T) {
	t.Run("by key", func(t *testing.T) { deltas(t, multimap.Config{Distinct: true, Key: new(int)}) })
	t.Run("whole", func(t *testing.T) { deltas(t, multimap.Config{Distinct: true, Whole: true}) })
}

func deltas(t *testing.T, c multimap.Config) {
	h := newHarness(t, c)
	var numbers []int64
	for x := range int64(20000) {
		numbers = append(numbers, x)
	}
	ids := h.insert(0, numbers...)
	h.snapshot(math.MinInt64)
	before := h.store.Rows("rows")
	h.m.SetMatches(ids[5], 7)
	h.m.SetMatches(ids[5], 8)
	h.m.SetCount(ids[6], 3)
	h.m.Delete(ids[7:8])
	delete(h.want, 7)
	h.insert(0, 20000)
	h.snapshot(math.MinInt64)
	if n := h.store.Rows("rows") - before; n != 4 {
		t.Errorf("a delta of %d rows instead of 4", n)
	}
	h.restore(math.MinInt64)
	h.check()
	if id := h.ids(5)[0]; h.m.Matches(id) != 8 || h.m.Count(id) != 1 {
		t.Errorf("row 5 came back with %d matches and count %d", h.m.Matches(id), h.m.Count(id))
	}
	if id := h.ids(6)[0]; h.m.Matches(id) != 0 || h.m.Count(id) != 3 {
		t.Errorf("row 6 came back with %d matches and count %d", h.m.Matches(id), h.m.Count(id))
	}
	found := make([]int32, 3)
	h.m.Find(h.rowsOf([]int64{7, 8, 20000}), []int32{0, 1, 2}, found)
	if found[0] >= 0 || found[1] < 0 || found[2] < 0 {
		t.Errorf("found %v", found)
	}
}

// Rows expire when they have not been touched, and not before; a restore does not bring them back.
func TestExpiry(t *testing.T) {
	h := newHarness(t, multimap.Config{Grain: 10, Base: 1000})
	for bucket := range uint32(10) {
		var numbers []int64
		for x := range int64(900) {
			numbers = append(numbers, int64(bucket)*900+x)
		}
		ids := h.insert(bucket, numbers...)
		h.m.Touch(ids[:300], bucket+4)
	}
	expire := func(bucket uint32) {
		h.m.ExpireBuckets(bucket)
		for x := range h.want {
			touched := uint32(x / 900)
			if x%900 < 300 {
				touched += 4
			}
			if touched < bucket {
				delete(h.want, x)
			}
		}
		h.check()
		h.snapshot(h.m.BucketStart(bucket))
	}
	expire(1)
	expire(3)
	h.restore(h.m.BucketStart(3))
	h.check()
	expire(4)
	expire(9)
	h.restore(h.m.BucketStart(9))
	h.check()
	expire(14)
	if h.m.Len() != 0 || len(h.want) != 0 {
		t.Errorf("%d rows are left", h.m.Len())
	}
}

func TestExpireTimes(t *testing.T) {
	h := newHarness(t, multimap.Config{})
	var numbers []int64
	for x := range int64(30000) {
		numbers = append(numbers, x)
	}
	h.insert(0, numbers...)
	h.m.ExpireTimes(20000) // two chunks of 8192 are before that
	for x := range int64(2 * 8192) {
		delete(h.want, x)
	}
	h.check()
	h.insert(0, 5, 6, 7)
	h.check()
	h.m.ExpireTimes(math.MaxInt64)
	if h.m.Len() != 0 {
		t.Errorf("%d rows are left", h.m.Len())
	}
}

// Values of every type and nulls survive being stored, saved, restored and compared.
func TestEveryType(t *testing.T) {
	member := arrow.StructOf(arrow.Field{Name: "m", Type: arrow.PrimitiveTypes.Int32, Nullable: true})
	all := []arrow.DataType{
		arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32,
		arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		&arrow.Decimal128Type{Precision: 38, Scale: 2}, arrow.FixedWidthTypes.MonthDayNanoInterval,
		arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, member, arrow.ListOf(arrow.PrimitiveTypes.Int64),
	}
	r := &multimap.Rows{}
	for _, dt := range all {
		v := column.NewAppender(dt)
		extreme(v)
		v.AppendNull()
		r.Cols = append(r.Cols, v)
	}
	r.Times = []int64{1, 2}
	hashAll := func(r *multimap.Rows, n int) {
		r.Hashes = column.HashColumns(nil, r.Cols, n, nil)
		r.RowHashes = r.Hashes
	}
	hashAll(r, 2)
	m := multimap.New(multimap.Config{Types: all, Distinct: true})
	m.Insert(r, []int32{1, 0}, 0, nil)
	var store statetest.Store
	m.Snapshot(store.Writer(column.AllKeys), "rows", math.MinInt64)
	if err := store.Complete(); err != nil {
		t.Fatal(err)
	}
	back := multimap.New(multimap.Config{Types: all, Distinct: true})
	l := back.Load(0, hashAll)
	if err := store.Reader().Keyed("rows", column.AllKeys, l.Chunk); err != nil {
		t.Fatal(err)
	}
	l.Done(func(uint64) int64 { return math.MinInt64 })
	found := []int32{-1, -1}
	back.Find(r, []int32{0, 1}, found)
	if found[0] < 0 || found[1] < 0 {
		t.Fatalf("found %v", found)
	}
	for k, dt := range all {
		out := column.NewAppender(dt)
		back.Gather(k, out, found)
		for i := range 2 {
			want, got := state.AppendValue(nil, r.Cols[k], i), state.AppendValue(nil, out, i)
			if !slices.Equal(want, got) {
				t.Errorf("row %d of %s came back as %v, not %v", i, dt, got, want)
			}
			p := multimap.Pairs{Rows: []int32{0, 1}, IDs: []int32{found[i], found[i]}}
			back.Same(&p, k, r.Cols[k], multimap.NullSame)
			if len(p.Rows) != 1 || int(p.Rows[0]) != i {
				t.Errorf("row %d of %s is the same as rows %v", i, dt, p.Rows)
			}
			p = multimap.Pairs{Rows: []int32{0, 1}, IDs: []int32{found[i], found[i]}}
			if back.Same(&p, k, r.Cols[k], multimap.NullNever); p.Len() != 1-i {
				t.Errorf("row %d of %s equals rows %v", i, dt, p.Rows)
			}
			p = multimap.Pairs{Rows: []int32{0, 1}, IDs: []int32{found[i], found[i]}}
			if back.Same(&p, k, r.Cols[k], multimap.NullAny); p.Len() != 2 {
				t.Errorf("row %d of %s is not excluded by rows %v", i, dt, p.Rows)
			}
		}
	}
}

func extreme(v column.Appender) {
	switch c := v.(type) {
	case *column.Bool:
		c.Append(true)
	case *column.Fixed[int8]:
		c.Append(math.MinInt8)
	case *column.Fixed[int16]:
		c.Append(math.MinInt16)
	case *column.Fixed[int32]:
		c.Append(math.MinInt32)
	case *column.Fixed[int64]:
		c.Append(math.MinInt64)
	case *column.Fixed[uint8]:
		c.Append(math.MaxUint8)
	case *column.Fixed[uint16]:
		c.Append(math.MaxUint16)
	case *column.Fixed[uint32]:
		c.Append(math.MaxUint32)
	case *column.Fixed[uint64]:
		c.Append(math.MaxUint64)
	case *column.Fixed[float32]:
		c.Append(float32(math.NaN()))
	case *column.Fixed[float64]:
		c.Append(math.NaN())
	case *column.Fixed[decimal128.Num]:
		c.Append(decimal128.New(math.MinInt64, 7))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		c.Append(arrow.MonthDayNanoInterval{Months: -1, Days: 2, Nanoseconds: -3})
	case *column.Bytes:
		c.Append([]byte("\x00 more than twelve bytes \xff"))
	case *column.Struct:
		c.Children[0].AppendNull()
		c.Append()
	case *column.List:
		c.Elem.(*column.Fixed[int64]).Append(4)
		c.Elem.AppendNull()
		c.Append()
	}
}

// Integers of different widths compare by value.
func TestWidths(t *testing.T) {
	h := newHarness(t, multimap.Config{})
	ids := h.insert(0, -1, 5)
	narrow := column.NewFixed[int16](arrow.PrimitiveTypes.Int16)
	narrow.Append(-1)
	p := multimap.Pairs{Rows: []int32{0, 0}, IDs: ids}
	if h.m.Same(&p, 0, narrow, multimap.NullNever); p.Len() != 1 || p.IDs[0] != ids[0] {
		t.Errorf("pairs %v", p)
	}
}

// State of another shape is refused.
func TestForeignState(t *testing.T) {
	for name, c := range map[string]*state.Chunk{
		"no columns": {Hash: []uint64{1}, Time: []int64{1}},
		"other words": {
			Hash: []uint64{1}, Time: []int64{1}, Words: [][]int64{{1}, {2}},
			Bytes: []*column.Bytes{column.NewBytes(arrow.BinaryTypes.Binary)},
		},
	} {
		l := multimap.New(multimap.Config{Types: types}).Load(0, func(*multimap.Rows, int) {})
		var f *fault.Error
		if err := l.Chunk(c); !errors.As(err, &f) || f.Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	nested := []arrow.DataType{arrow.ListOf(arrow.PrimitiveTypes.Int64)}
	c := &state.Chunk{Hash: []uint64{1}, Time: []int64{1}, Words: make([][]int64, 6), Bytes: []*column.Bytes{column.NewBytes(arrow.BinaryTypes.Binary)}}
	for i := range c.Words {
		c.Words[i] = []int64{0}
	}
	c.Bytes[0].Append([]byte{9, 9})
	if err := multimap.New(multimap.Config{Types: nested}).Load(0, func(*multimap.Rows, int) {}).Chunk(c); err == nil {
		t.Error("a list that cannot be decoded was taken")
	}
}

// Keys whose hashes have the same low half share a list, and are told apart.
func TestHashesThatAreHalfAlike(t *testing.T) {
	m := multimap.New(multimap.Config{Types: []arrow.DataType{arrow.PrimitiveTypes.Int64}, Key: new(int)})
	keys := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	var hashes []uint64
	for i := range int64(40) {
		keys.Append(i % 4)
		hashes = append(hashes, uint64(i%4)<<32|7)
	}
	rows := column.AllRows(nil, 40)
	ids := m.Insert(&multimap.Rows{Cols: []column.Vector{keys}, Times: make([]int64, 40), Hashes: hashes}, rows, 0, nil)
	found := func() map[int64]int {
		var c multimap.Cursor
		var p multimap.Pairs
		n := map[int64]int{}
		for m.Seek(&c, hashes, rows[:4]); m.Next(&c, &p, 7); {
			m.Same(&p, 0, keys, multimap.NullNever)
			for i, id := range p.IDs {
				if keys.Values[id] != keys.Values[p.Rows[i]] {
					t.Fatalf("row %d is paired with row %d", p.Rows[i], id)
				}
				n[keys.Values[id]]++
			}
		}
		return n
	}
	if n := found(); len(n) != 4 || n[0] != 10 || n[3] != 10 {
		t.Errorf("found %v", n)
	}
	for i, id := range ids {
		if i%4 != 2 || i == 2 {
			m.Delete([]int32{id})
		}
	}
	if n := found(); len(n) != 1 || n[2] != 9 {
		t.Errorf("found %v after deletions", n)
	}
	m.Delete(ids[38:39])
	if n := found(); n[2] != 8 || m.Len() != 8 {
		t.Errorf("found %v of %d", n, m.Len())
	}
}

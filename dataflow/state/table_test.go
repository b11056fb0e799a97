package state_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
	"wadi/dataflow/state/statetest"
)

var keyTypes = []arrow.DataType{
	arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int8,
	arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint8,
	arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32, arrow.FixedWidthTypes.Boolean, arrow.FixedWidthTypes.Date32,
	&arrow.TimestampType{Unit: arrow.Nanosecond}, &arrow.Decimal128Type{Precision: 20, Scale: 3},
	arrow.FixedWidthTypes.MonthDayNanoInterval, arrow.BinaryTypes.String, arrow.BinaryTypes.Binary,
	arrow.ListOf(arrow.PrimitiveTypes.Int32),
	arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true}, arrow.Field{Name: "b", Type: arrow.PrimitiveTypes.Float64, Nullable: true}),
}

// appendAny appends a value drawn from few, so that keys meet again.
func appendAny(t *rapid.T, c column.Appender, nullable bool) {
	x := rapid.Int64Range(-3, 3).Draw(t, "value")
	if nullable && x == 3 {
		c.AppendNull()
		return
	}
	switch c := c.(type) {
	case *column.Fixed[int8]:
		c.Append(int8(x))
	case *column.Fixed[int16]:
		c.Append(int16(x))
	case *column.Fixed[int32]:
		c.Append(int32(x))
	case *column.Fixed[int64]:
		c.Append(x << 60)
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
		c.Append([]float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), -1.5, 2, 3}[x+3])
	case *column.Fixed[decimal128.Num]:
		c.Append(decimal128.New(x, uint64(x)))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		c.Append(arrow.MonthDayNanoInterval{Months: int32(x), Days: int32(-x), Nanoseconds: x})
	case *column.Bool:
		c.Append(x > 0)
	case *column.Bytes:
		c.AppendString(strings.Repeat("long ", int(x+3))[:max(0, 4*int(x))])
	case *column.List:
		for range x {
			appendAny(t, c.Elem, true)
		}
		c.Append()
	case *column.Struct:
		for _, m := range c.Children {
			appendAny(t, m, true)
		}
		c.Append()
	}
}

// A table finds what a map finds, through insertions, deletions and growth, for every type of key and any selection, and
// gives keys and values back.
func TestTableAgainstMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nullable := rapid.Bool().Draw(t, "nullable")
		var fields []arrow.Field
		for _, dt := range rapid.SliceOfN(rapid.SampledFrom(keyTypes), 0, 3).Draw(t, "key") {
			fields = append(fields, arrow.Field{Type: dt, Nullable: nullable})
		}
		l := state.NewLayout(fields, 2)
		table := state.NewTable(l)
		table.Track()
		model := map[string]int64{}
		slots := map[string]int32{}
		for range rapid.IntRange(1, 8).Draw(t, "rounds") {
			keys, n := drawKeys(t, fields, nullable)
			var sel []int32
			if rapid.Bool().Draw(t, "selected") {
				sel = []int32{}
				for i := range n {
					if rapid.Bool().Draw(t, "row") {
						sel = append(sel, int32(i))
					}
				}
			}
			hashes := column.HashColumns(nil, keys, n, nil)
			known := table.Find(hashes, keys, n, sel, nil)
			found := table.FindOrInsert(hashes, keys, n, sel, nil)
			again := table.Find(hashes, keys, n, sel, nil)
			if sel == nil {
				sel = column.AllRows(nil, n)
			}
			for j, r := range sel {
				if slot, ok := slots[keyString(keys, int(r))]; ok && known[j] != slot || !ok && known[j] != -1 {
					t.Fatalf("a key is found in slot %d instead of %d (%v)", known[j], slot, ok)
				}
			}
			if !slices.Equal(again, found) {
				t.Fatal("keys that were inserted are not found")
			}
			w, stride := table.Values()
			for j, r := range sel {
				k := keyString(keys, int(r))
				w[int(found[j])*stride]++
				w[int(found[j])*stride+1] = int64(len(k))
				model[k]++
				if old, ok := slots[k]; ok && old != found[j] {
					t.Fatalf("the row of a key moved from slot %d to %d", old, found[j])
				}
				slots[k] = found[j]
			}
			table.MarkDirty(found)
			for _, k := range slices.Sorted(keysOf(model)) {
				if rapid.IntRange(0, 3).Draw(t, "delete") == 0 {
					table.Delete(slots[k])
					delete(model, k)
					delete(slots, k)
				}
			}
			compare(t, table, fields, model)
		}
		reloaded := roundTrip(t, table, l)
		compare(t, reloaded, fields, model)
		other := state.NewTable(l)
		from := table.Slots(nil)
		to := other.FindOrInsertFrom(table, from, nil)
		if !slices.Equal(other.FindFrom(table, from, nil), to) || other.Len() != len(model) {
			t.Fatal("keys copied from another table are not found")
		}
		other.Reset()
		other.CopyFrom(table)
		compare(t, other, fields, model)
		if !slices.Equal(other.FindFrom(table, from, nil), from) {
			t.Fatal("a copied table has other slots")
		}
		to = other.Slots(nil)
		table.Reset()
		if table.Len() != 0 || len(table.Slots(nil)) != 0 || slices.ContainsFunc(table.FindFrom(other, to, nil), func(s int32) bool { return s >= 0 }) {
			t.Fatal("a table that was reset holds rows")
		}
	})
}

func keysOf(m map[string]int64) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func drawKeys(t *rapid.T, fields []arrow.Field, nullable bool) (keys []column.Vector, n int) {
	n = rapid.IntRange(0, 60).Draw(t, "n")
	for _, f := range fields {
		c := column.NewAppender(f.Type)
		for range n {
			appendAny(t, c, nullable)
		}
		keys = append(keys, c)
	}
	return keys, n
}

func keyString(keys []column.Vector, i int) string {
	var b []byte
	for _, k := range keys {
		b = state.AppendValue(b, k, i)
	}
	return string(b)
}

func compare(t *rapid.T, table *state.Table, fields []arrow.Field, model map[string]int64) {
	all := table.Slots(nil)
	if len(all) != len(model) || table.Len() != len(model) {
		t.Fatalf("%d rows (%d), want %d", len(all), table.Len(), len(model))
	}
	var out []column.Appender
	var keys []column.Vector
	for _, f := range fields {
		c := column.NewAppender(f.Type)
		out, keys = append(out, c), append(keys, c)
	}
	table.AppendKeys(all, out)
	w, stride := table.Values()
	for i, s := range all {
		k := keyString(keys, i)
		if n, ok := model[k]; !ok || w[int(s)*stride] != n || w[int(s)*stride+1] != int64(len(k)) {
			t.Fatalf("the row of key %q is %v, want %d", k, w[int(s)*stride:int(s)*stride+2], n)
		}
	}
}

// roundTrip writes the table's changes to storage and reads them back.
func roundTrip(t *rapid.T, table *state.Table, l *state.Layout) *state.Table {
	var store statetest.Store
	w := store.Writer(column.AllKeys)
	c := l.NewChunk(0)
	table.TakeDeleted(c, 0)
	table.AppendRows(c, table.TakeDirty(nil), 0)
	w.Keyed("rows", true, c)
	if err := store.Complete(); err != nil {
		t.Fatal(err)
	}
	back := state.NewTable(l)
	err := store.Reader().Keyed("rows", column.AllKeys, func(c *state.Chunk) error {
		if err := l.CheckChunk(c, 0); err != nil {
			return err
		}
		for i := range c.Rows() {
			if c.Deleted != nil && c.Deleted[i] {
				if s := back.Seek(c, i); s >= 0 {
					back.Delete(s)
				}
			} else if _, err := back.Put(c, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := table.Dirty(); n != 0 {
		t.Fatalf("%d rows are still marked after a snapshot", n)
	}
	return back
}

// Deleting and inserting for ever takes no more memory than the rows that live.
func TestDeletedMemoryIsReused(t *testing.T) {
	text := column.NewBytes(arrow.BinaryTypes.String)
	l := state.NewLayout([]arrow.Field{{Type: arrow.BinaryTypes.String}}, 1)
	table := state.NewTable(l)
	var size int64
	for round := range 300 {
		text.Reset()
		for i := range 100 {
			text.AppendString(fmt.Sprintf("a rather long key %d of round %d", i, round))
		}
		keys := []column.Vector{text}
		slots := table.FindOrInsert(column.HashColumns(nil, keys, 100, nil), keys, 100, nil, nil)
		for _, s := range slots {
			table.Delete(s)
		}
		if round == 100 {
			size = table.Size()
		}
	}
	if table.Len() != 0 || table.Size() > size+size/2 {
		t.Errorf("%d bytes grew to %d", size, table.Size())
	}
}

// Keys whose hashes agree in all bits that the index has are told apart.
// The key of a row that was deleted is a new key, though its memory still holds it: also that of the first row, which is
// looked at for keys that have none.
func TestDeletedKeysAreNew(t *testing.T) {
	field := arrow.Field{Type: arrow.PrimitiveTypes.Int64}
	table := state.NewTable(state.NewLayout([]arrow.Field{field, field}, 1))
	a, b := column.NewFixed[int64](field.Type), column.NewFixed[int64](field.Type)
	for _, x := range []int64{1, 2} {
		a.Append(x)
		b.Append(7)
	}
	keys := []column.Vector{a, b}
	hashes := column.HashColumns(nil, keys, 2, nil)
	table.FindOrInsert(hashes, keys, 2, nil, nil)
	table.Delete(0)
	slots := table.FindOrInsert(hashes, keys, 2, nil, nil)
	if table.Len() != 2 || !table.Alive(slots[0]) || slots[0] == slots[1] {
		t.Errorf("%d rows, at %v", table.Len(), slots)
	}
}

func TestCollisions(t *testing.T) {
	v := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	hashes := make([]uint64, 500)
	for i := range hashes {
		v.Append(int64(i))
		hashes[i] = uint64(i%3) << 40
	}
	table := state.NewTable(state.NewLayout([]arrow.Field{{Type: v.DataType}}, 0))
	keys := []column.Vector{v}
	first := table.FindOrInsert(hashes, keys, 500, nil, nil)
	for i := 0; i < 500; i += 2 {
		table.Delete(first[i])
	}
	again := table.FindOrInsert(hashes, keys, 500, nil, nil)
	if table.Len() != 500 {
		t.Fatalf("%d rows", table.Len())
	}
	for i := 1; i < 500; i += 2 {
		if first[i] != again[i] {
			t.Fatalf("key %d moved from %d to %d", i, first[i], again[i])
		}
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	a, b := column.NewFixed[int64](arrow.PrimitiveTypes.Int64), column.NewFixed[int32](arrow.PrimitiveTypes.Int32)
	for i := range 1000 {
		a.Append(int64(i % 77))
		b.Append(int32(i % 5))
	}
	for _, keys := range [][]column.Vector{{a}, {b}, {a, b}} {
		var fields []arrow.Field
		for _, k := range keys {
			fields = append(fields, arrow.Field{Type: k.Type()})
		}
		table := state.NewTable(state.NewLayout(fields, 1))
		var hashes []uint64
		var slots []int32
		step := func() {
			hashes = column.HashColumns(hashes, keys, 1000, nil)
			slots = table.FindOrInsert(hashes, keys, 1000, nil, slots)
			table.MarkDirty(slots)
		}
		step()
		if n := testing.AllocsPerRun(10, step); n > 0 {
			t.Errorf("%d key columns: %v allocations per batch", len(keys), n)
		}
	}
}

func TestPanes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var p state.Panes[int]
		model := map[int64]int{}
		for i := range rapid.IntRange(0, 30).Draw(t, "n") {
			start := rapid.OneOf(rapid.Int64Range(-5, 5), rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64})).Draw(t, "start")
			if rapid.IntRange(0, 4).Draw(t, "pop") == 0 && p.Len() > 0 {
				first := p.At(0).Start
				if p.PopFront() != model[first] {
					t.Fatal("another value came out")
				}
				delete(model, first)
				continue
			}
			if v, ok := p.Get(start); ok != (v == model[start] && model[start] != 0) {
				t.Fatalf("Get(%d) is %d, %v", start, v, ok)
			} else if !ok {
				p.Insert(start, i+1)
				model[start] = i + 1
			}
		}
		if p.Len() != len(model) {
			t.Fatalf("%d panes, want %d", p.Len(), len(model))
		}
		for i := 1; i < p.Len(); i++ {
			if p.At(i-1).Start >= p.At(i).Start {
				t.Fatal("panes are out of order")
			}
		}
	})
}

// Row encodings come from disk: any bytes are decoded or refused.
func FuzzTakeValue(f *testing.F) {
	f.Add([]byte{1, 3, 'a', 'b', 'c'}, uint8(15))
	f.Add([]byte{1, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, uint8(17))
	f.Fuzz(func(t *testing.T, data []byte, kind uint8) {
		out := column.NewAppender(keyTypes[int(kind)%len(keyTypes)])
		rest, ok := state.TakeValue(data, out)
		if !ok {
			return
		}
		again := column.NewAppender(out.Type())
		enc := state.AppendValue(nil, out, 0)
		if left, ok := state.TakeValue(enc, again); !ok || len(left) > 0 || len(rest) > len(data) {
			t.Fatalf("a decoded value does not encode to itself")
		}
	})
}

func TestIncremental(t *testing.T) {
	var x state.Incremental
	if !x.Base(10, 0) {
		t.Error("the first checkpoint is not a base")
	}
	deltas := 0
	for !x.Base(5000, 1000) {
		deltas++
	}
	if deltas != 11 {
		t.Errorf("a base came after %d deltas of 1000 rows of 5000", deltas)
	}
}

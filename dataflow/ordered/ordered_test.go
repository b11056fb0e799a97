package ordered_test

import (
	"bytes"
	"math"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
	"wadi/dataflow/state/statetest"
)

// ascending gives columns of several types whose values, nulls aside, are in ascending order.
func ascending() []column.Appender {
	ints := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for _, v := range []int64{math.MinInt64, -256, -1, 0, 1, 255, math.MaxInt64} {
		ints.Append(v)
	}
	small := column.NewFixed[int8](arrow.PrimitiveTypes.Int8)
	for _, v := range []int8{-128, -1, 0, 127} {
		small.Append(v)
	}
	unsigned := column.NewFixed[uint64](arrow.PrimitiveTypes.Uint64)
	for _, v := range []uint64{0, 1, 1 << 63, math.MaxUint64} {
		unsigned.Append(v)
	}
	floats := column.NewFixed[float64](arrow.PrimitiveTypes.Float64)
	for _, v := range []float64{math.Inf(-1), -1.5, -math.SmallestNonzeroFloat64, 0, 1e-300, 2, math.Inf(1), math.NaN()} {
		floats.Append(v)
	}
	text := column.NewBytes(arrow.BinaryTypes.String)
	for _, v := range []string{"", "\x00", "\x00\x00", "\x00a", "a", "a\x00", "ab", "abcdefgh", "abcdefghi", "b", "\xff", "\xff\xff"} {
		text.AppendString(v)
	}
	bools := &column.Bool{}
	bools.Append(false)
	bools.Append(true)
	decimals := column.NewFixed[decimal128.Num](&arrow.Decimal128Type{Precision: 38})
	for _, v := range []decimal128.Num{decimal128.New(-5, 0), decimal128.FromI64(-1), decimal128.FromI64(0), decimal128.New(0, 1<<63), decimal128.New(7, 0)} {
		decimals.Append(v)
	}
	intervals := column.NewFixed[arrow.MonthDayNanoInterval](arrow.FixedWidthTypes.MonthDayNanoInterval)
	for _, v := range []arrow.MonthDayNanoInterval{{Months: -1}, {Days: -1}, {Nanoseconds: -1}, {}, {Nanoseconds: 5}, {Days: 1}, {Months: 1}} {
		intervals.Append(v)
	}
	lists := column.NewList(arrow.ListOf(arrow.PrimitiveTypes.Int64))
	for _, v := range [][]int64{{}, {-1}, {1}, {1, 0}, {2}} {
		for _, e := range v {
			lists.Elem.(*column.Fixed[int64]).Append(e)
		}
		lists.Append()
	}
	lists.Elem.AppendNull() // nulls come last
	lists.Append()
	structs := column.NewStruct(arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true}))
	for _, v := range []string{"", "x", "xy"} {
		structs.Children[0].(*column.Bytes).AppendString(v)
		structs.Append()
	}
	structs.Children[0].AppendNull()
	structs.Append()
	return []column.Appender{ints, small, unsigned, floats, text, bools, decimals, intervals, lists, structs}
}

func TestKeysOrderLikeValues(t *testing.T) {
	for _, v := range ascending() {
		n := v.Len()
		for _, nullable := range []bool{false, true} {
			if nullable {
				v.AppendNull()
			}
			in := arrow.NewSchema([]arrow.Field{{Type: v.Type(), Nullable: nullable}}, nil)
			b := &column.Batch{Schema: in, N: v.Len(), Cols: []column.Vector{v}, Time: make([]int64, v.Len())}
			for _, desc := range []bool{false, true} {
				for _, nullsFirst := range []bool{false, true} {
					k := ordered.NewKey(in, []graph.Order{{Desc: desc, NullsFirst: nullsFirst}}, false)
					prefixes := k.Prefixes(nil, b, column.AllRows(nil, b.N))
					for i := range b.N {
						for j := range b.N {
							want := sign(i, j)
							if desc {
								want = -want
							}
							if (i == n) != (j == n) {
								if want = -1; (i == n) != nullsFirst {
									want = 1
								}
							}
							x, y := k.Append(nil, b.Cols, 0, i), k.Append(nil, b.Cols, 0, j)
							if got := bytes.Compare(x, y); got != want {
								t.Fatalf("%v desc %v: rows %d and %d compare %d, want %d", v.Type(), desc, i, j, got, want)
							}
							if c := sign(prefixes[i], prefixes[j]); c != 0 && c != want {
								t.Fatalf("%v desc %v: prefixes of rows %d and %d compare %d, want %d", v.Type(), desc, i, j, c, want)
							}
							if k.Exact() && prefixes[i] == prefixes[j] && want != 0 {
								t.Fatalf("%v: equal prefixes of rows %d and %d do not say all", v.Type(), i, j)
							}
							if i != j && bytes.HasPrefix(x, y) {
								t.Fatalf("%v: the key of row %d begins that of row %d", v.Type(), j, i)
							}
						}
					}
				}
			}
		}
	}
}

// What Within leaves out is behind the limit, and of the types that it compares all that is.
func TestWithin(t *testing.T) {
	for at, v := range ascending() {
		rows := column.NewAppender(v.Type())
		for i := range 150 {
			rows.AppendSel(v, []int32{int32(i*7) % int32(v.Len())})
		}
		for _, nulls := range []bool{false, true} {
			if nulls {
				rows.AppendNull()
			}
			in := arrow.NewSchema([]arrow.Field{{Type: v.Type(), Nullable: nulls}}, nil)
			b := &column.Batch{Schema: in, N: rows.Len(), Cols: []column.Vector{rows}, Time: make([]int64, rows.Len())}
			for kind := range 8 {
				desc, nullsFirst := kind&1 != 0, kind&2 != 0
				if b.Sel = nil; kind&4 != 0 {
					for r := int32(0); int(r) < b.N; r += 3 {
						b.Sel = append(b.Sel, r)
					}
				}
				k := ordered.NewKey(in, []graph.Order{{Desc: desc, NullsFirst: nullsFirst}}, false)
				prefixes := k.Prefixes(nil, b, b.Selected(nil))
				for _, last := range b.Selected(nil) {
					got, some := k.Within([]int32{}, b, prefixes[last])
					if !some {
						got = b.Selected(nil)
					}
					if !slices.IsSorted(got) {
						t.Fatalf("%v: rows %v are not in their order", v.Type(), got)
					}
					var want []int32
					for _, r := range b.Selected(nil) {
						if prefixes[r] <= prefixes[last] {
							want = append(want, r)
							if !slices.Contains(got, r) {
								t.Fatalf("%v desc %v nulls first %v: row %d is not within the prefix of row %d", v.Type(), desc, nullsFirst, r, last)
							}
						}
					}
					if compared := at == 0 || at == 1 || at == 3 || at == 4; compared && !nulls && prefixes[last] != 0 && prefixes[last] != math.MaxUint64 && len(got) != len(want) {
						t.Fatalf("%v desc %v: %d rows within the prefix of row %d, want %d", v.Type(), desc, len(got), last, len(want))
					}
				}
			}
		}
	}
}

func sign[T int | uint64](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func TestZerosAreEqualAndKeepTheirSign(t *testing.T) {
	v := column.NewFixed[float64](arrow.PrimitiveTypes.Float64)
	v.Append(0)
	v.Append(math.Copysign(0, -1))
	in := arrow.NewSchema([]arrow.Field{{Type: v.Type()}}, nil)
	k := ordered.NewKey(in, []graph.Order{{}}, false)
	if !bytes.Equal(k.Append(nil, []column.Vector{v}, 0, 0), k.Append(nil, []column.Vector{v}, 0, 1)) {
		t.Error("0 and -0 differ")
	}
	out := column.NewFixed[float64](arrow.PrimitiveTypes.Float64)
	if !ordered.TakeRow(ordered.AppendRow(nil, []column.Vector{v}, 1), []column.Appender{out}) || !math.Signbit(out.Values[0]) {
		t.Error("-0 came back as 0")
	}
}

func TestRowsComeBack(t *testing.T) {
	cols := ascending()
	for i := range 8 {
		var row []column.Vector
		var out []column.Appender
		for _, c := range cols {
			if c.Len() <= i {
				c.AppendNull()
			}
			row, out = append(row, c), append(out, column.NewAppender(c.Type()))
		}
		data := ordered.AppendRow(nil, row, i)
		if !ordered.TakeRow(data, out) {
			t.Fatal("a row cannot be decoded")
		}
		var again []column.Vector
		rest := data
		for _, o := range out {
			again = append(again, o)
			rest = ordered.Skip(rest, o.Type())
		}
		if len(rest) != 0 || !bytes.Equal(ordered.AppendRow(nil, again, 0), data) {
			t.Errorf("row %d came back as another, with %d bytes left", i, len(rest))
		}
		if ordered.TakeRow(data[:len(data)-1], out) {
			t.Error("half a row was decoded")
		}
	}
}

// Rows that come, go and change between snapshots are as they were last after a restore, and slots and room are used again.
func TestRowsAreStored(t *testing.T) {
	in := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	key := ordered.NewKey(in, []graph.Order{{}}, false)
	rows := ordered.NewRows(in, key, 1)
	var store statetest.Store
	put := func(s string, time int64) int32 {
		b := column.NewBuilder(in, false)
		b.Column(0).(*column.Bytes).AppendString(s)
		b.AppendTime(time, column.Insert)
		return rows.Put(7, time, rows.Encode(b.Batch(), 0, key.Prefixes(nil, b.Batch(), []int32{0})[0]))
	}
	save := func() {
		rows.Save(store.Writer(column.AllKeys), "rows")
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
	}
	a, b, c := put("a", 1), put("b", 2), put("c", 3)
	save()
	rows.Free(b, true)
	rows.Own(c)[0] = 42
	rows.Mark(c)
	d := put("d, which is longer", 4)
	if d != b || rows.CompareRows(a, d) >= 0 {
		t.Error("the slot was not used again")
	}
	rows.Free(put("e", 5), true) // comes and goes
	save()
	if n := store.Rows("rows"); n != 6 {
		t.Errorf("%d rows were written", n)
	}
	loaded := ordered.NewRows(in, key, 1)
	got, err := loaded.Load(store.Reader(), "rows", column.AllKeys, func(_ uint64, time int64) bool { return time != 1 })
	if err != nil || len(got) != 2 || loaded.Len() != 2 {
		t.Fatal(got, err)
	}
	if got[0].Old != c || loaded.Own(got[0].ID)[0] != 42 || loaded.Time(got[1].ID) != 4 || got[1].Old != d {
		t.Errorf("rows came back as %v", got)
	}
}

func TestLoadRefusesGarbage(t *testing.T) {
	in := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	for name, c := range map[string]*state.Chunk{
		"shape": {Hash: []uint64{1}, Time: []int64{1}},
		"row":   {Hash: []uint64{1}, Time: []int64{1}, Words: [][]int64{{0}, {0}}, Bytes: []*column.Bytes{column.NewBytes(arrow.BinaryTypes.Binary)}},
	} {
		if len(c.Bytes) > 0 {
			c.Bytes[0].Append([]byte{1, 2})
		}
		var store statetest.Store
		store.Writer(column.AllKeys).Keyed("rows", true, c)
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
		rows := ordered.NewRows(in, ordered.NewKey(in, nil, false), 0)
		if _, err := rows.Load(store.Reader(), "rows", column.AllKeys, func(uint64, int64) bool { return true }); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Subtasks that had come unequally far go on as one from the slower, and remember what the faster had done.
func TestProgressOfUnequalSubtasks(t *testing.T) {
	var store statetest.Store
	for i, w := range []int64{5, 10} {
		p := ordered.NewProgress()
		p.Advance(w)
		p.Save(store.Writer(column.Range(i, 2)), "progress", i, column.Range(i, 2))
	}
	for range 2 { // and once more, as one
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
		p, err := ordered.LoadProgress(store.Reader(), "progress", column.AllKeys)
		if err != nil || p.Watermark != 5 {
			t.Fatal(p, err)
		}
		if p.Passed(0, 7) || !p.Passed(1<<63, 7) || !p.Passed(0, 4) || p.Passed(1<<63, 10) {
			t.Error("late rows are not told apart")
		}
		p.Save(store.Writer(column.AllKeys), "progress", 0, column.AllKeys)
		if p.Advance(5) || !p.Advance(10) || !p.Passed(0, 7) {
			t.Error("the watermark does not advance")
		}
	}
	p, err := ordered.LoadProgress(store.Reader(), "other", column.AllKeys)
	if err != nil || p.Watermark != math.MinInt64 {
		t.Error("progress out of nothing")
	}
}

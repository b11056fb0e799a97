package column_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/column"
)

func TestOwnerAgreesWithRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5000).Draw(t, "n")
		h := rapid.Uint64().Draw(t, "h")
		i := column.Owner(h, n)
		if !column.Range(i, n).Contains(h) {
			t.Fatalf("hash %x is owned by %d of %d, whose range %v does not hold it", h, i, n, column.Range(i, n))
		}
	})
	for _, n := range []int{1, 2, 3, 7, 64, 1000} {
		next := uint64(0)
		for i := range n {
			r := column.Range(i, n)
			if r.First != next || column.Owner(r.First, n) != i || column.Owner(r.Last, n) != i {
				t.Fatalf("range %d of %d is %v", i, n, r)
			}
			next = r.Last + 1
		}
		if next != 0 {
			t.Fatalf("ranges of %d do not cover everything", n)
		}
	}
}

// The routing hash is part of the format of state on disk: these values must never change.
func TestHashGoldenValues(t *testing.T) {
	ints := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for _, v := range []int64{0, 1, -1, math.MaxInt64} {
		ints.Append(v)
	}
	ints.AppendNull()
	text := column.NewBytes(arrow.BinaryTypes.String)
	for _, s := range []string{"", "a", "wadi", "exactly 16 bytes", "a string that is longer than sixteen bytes"} {
		text.AppendString(s)
	}
	var got []string
	for _, cols := range [][]column.Vector{{ints}, {text}, {ints, text}} {
		for _, h := range column.HashColumns(nil, cols, 5, nil) {
			got = append(got, fmt.Sprintf("%016x", h))
		}
	}
	want := goldenHashes
	if len(got) != len(want) {
		t.Fatalf("%d hashes, %d frozen: %q", len(got), len(want), got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("hash %d is %s, was frozen as %s", i, got[i], want[i])
		}
	}
}

func TestHashIgnoresWidthAndSignOfZero(t *testing.T) {
	a, b := column.NewFixed[int32](arrow.PrimitiveTypes.Int32), column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	a.Append(-5)
	b.Append(-5)
	if column.HashColumns(nil, []column.Vector{a}, 1, nil)[0] != column.HashColumns(nil, []column.Vector{b}, 1, nil)[0] {
		t.Error("the same integer in two widths hashes differently")
	}
	f := column.NewFixed[float64](arrow.PrimitiveTypes.Float64)
	f.Append(0)
	f.Append(math.Copysign(0, -1))
	f.Append(math.NaN())
	f.Append(math.Float64frombits(0xfff8000000000123))
	h := column.HashColumns(nil, []column.Vector{f}, 4, nil)
	if h[0] != h[1] || h[2] != h[3] || h[0] == h[2] {
		t.Errorf("float hashes %x", h)
	}
}

func TestHashSpreads(t *testing.T) {
	const n, parts = 70000, 7
	v := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for i := range n {
		v.Append(int64(i))
	}
	var count [parts]int
	for _, h := range column.HashColumns(nil, []column.Vector{v}, n, nil) {
		count[column.Owner(h, parts)]++
	}
	for i, c := range count {
		if c < n/parts*95/100 || c > n/parts*105/100 {
			t.Errorf("part %d got %d of %d rows", i, c, n)
		}
	}
}

// AppendSel of any rows of a random column gives the same values as copying row by row.
func TestAppendSelKeepsValuesAndNulls(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vals := rapid.SliceOfN(rapid.Ptr(rapid.String(), true), 1, 100).Draw(t, "vals")
		src := column.NewBytes(arrow.BinaryTypes.String)
		for _, v := range vals {
			if v == nil {
				src.AppendNull()
			} else {
				src.AppendString(*v)
			}
		}
		dst := column.NewBytes(arrow.BinaryTypes.String)
		var want []*string
		for range rapid.IntRange(1, 3).Draw(t, "rounds") {
			sel := rapid.SliceOfN(rapid.Int32Range(0, int32(len(vals)-1)), 0, 50).Draw(t, "sel")
			dst.AppendSel(src, sel)
			for _, r := range sel {
				want = append(want, vals[r])
			}
		}
		if dst.Len() != len(want) {
			t.Fatalf("%d rows, want %d", dst.Len(), len(want))
		}
		for i, w := range want {
			if (w == nil) == dst.Validity().IsValid(i) || (w != nil && dst.Str(i) != *w) {
				t.Fatalf("row %d is wrong", i)
			}
		}
	})
}

// Extend appends values that are not null, wherever in a word of the validity they begin and end.
func TestExtend(t *testing.T) {
	for _, n := range []int{0, 1, 3, 61, 64, 130} {
		f := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
		f.Append(7)
		f.AppendNull()
		for i := range f.Extend(n) {
			f.Values[2+i] = int64(i)
		}
		f.AppendNull()
		if f.Len() != n+3 || f.Valid.Count(n+3) != n+1 || f.Valid.Get(1) || f.Valid.Get(n+2) {
			t.Errorf("%d values more: %v", n, f.Valid)
		}
	}
	// A constant is copied as often as it is asked for.
	one := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	one.Append(5)
	f := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	f.AppendSel(&column.Const{Value: one, N: 3000}, nil)
	if f.Len() != 3000 || f.Values[0] != 5 || f.Values[2999] != 5 {
		t.Errorf("%d copies", f.Len())
	}
}

func TestBytesResetDoesNotReuseSharedMemory(t *testing.T) {
	long := bytes.Repeat([]byte("x"), 100)
	src := column.NewBytes(arrow.BinaryTypes.String)
	src.Append(long)
	view := column.NewBytes(arrow.BinaryTypes.String)
	view.ShareSel(src, nil)
	view.Reset()
	view.Append(bytes.Repeat([]byte("y"), 100))
	if !bytes.Equal(src.At(0), long) {
		t.Error("a column that borrowed a buffer wrote into it after Reset")
	}
}

func TestAppendAfterSharingLeavesTheSourceAlone(t *testing.T) {
	src, view := column.NewBytes(arrow.BinaryTypes.String), column.NewBytes(arrow.BinaryTypes.String)
	src.Append(bytes.Repeat([]byte("x"), 100))
	view.ShareSel(src, nil)
	view.Append(bytes.Repeat([]byte("y"), 100))
	src.Append(bytes.Repeat([]byte("z"), 100))
	if view.Str(0)[0] != 'x' || view.Str(1)[0] != 'y' || src.Str(1)[0] != 'z' {
		t.Errorf("values are %.3s, %.3s, %.3s", view.Str(0), view.Str(1), src.Str(1))
	}
}

func TestStructAndListCopy(t *testing.T) {
	lt := arrow.ListOf(arrow.PrimitiveTypes.Int64)
	st := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true}, arrow.Field{Name: "l", Type: lt, Nullable: true})
	s := column.NewStruct(st)
	l := s.Children[1].(*column.List)
	s.Children[0].(*column.Bytes).AppendString("one")
	l.Elem.(*column.Fixed[int64]).Append(7)
	l.Elem.(*column.Fixed[int64]).Append(8)
	l.Append()
	s.Append()
	s.AppendNull()
	dst := column.NewStruct(st)
	dst.AppendSel(s, []int32{1, 0, 0})
	dl := dst.Children[1].(*column.List)
	if dst.Len() != 3 || dst.Valid.IsValid(0) || !dst.Valid.IsValid(1) || dl.Offsets[3]-dl.Offsets[2] != 2 {
		t.Fatalf("copied %d rows, offsets %v", dst.Len(), dl.Offsets)
	}
	dst.Truncate(2)
	if dl.Len() != 2 || dl.Elem.Len() != 2 {
		t.Fatalf("truncation left %d lists of %d elements", dl.Len(), dl.Elem.Len())
	}
}

func TestMapsAreListsOfEntries(t *testing.T) {
	mt := arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int64)
	src := column.NewAppender(mt).(*column.List)
	add := func(keys ...string) {
		entries := src.Elem.(*column.Struct)
		for i, k := range keys {
			entries.Children[0].(*column.Bytes).AppendString(k)
			entries.Children[1].(*column.Fixed[int64]).Append(int64(i))
			entries.Append()
		}
		src.Append()
	}
	add("a", "b")
	src.AppendNull()
	add()
	add("a", "b")
	add("b", "a")
	if !arrow.TypeEqual(src.Type(), mt) || src.Len() != 5 || src.Size() == 0 {
		t.Fatalf("%v with %d rows", src.Type(), src.Len())
	}
	h := column.HashColumns(nil, []column.Vector{src}, 5, nil)
	if h[0] != h[3] || h[0] == h[4] || h[0] == h[1] || h[1] == h[2] {
		t.Errorf("hashes: %x", h)
	}
	dst := column.NewAppender(mt).(*column.List)
	dst.AppendSel(src, []int32{3, 1, 0})
	dst.AppendSel(&column.Const{Value: src, N: 2}, nil)
	if got := column.HashColumns(nil, []column.Vector{dst}, 5, nil); got[0] != h[0] || got[1] != h[1] || got[2] != h[0] || got[4] != h[0] {
		t.Errorf("copies hash to %x", got)
	}
	dst.Truncate(1)
	if dst.Len() != 1 || dst.Elem.Len() != 2 {
		t.Errorf("truncated to %d maps with %d entries", dst.Len(), dst.Elem.Len())
	}
	dst.Reset()
	if dst.Len() != 0 || dst.Elem.Len() != 0 {
		t.Error("not empty after Reset")
	}
}

func TestSplitNulls(t *testing.T) {
	a, b := column.NewFixed[int64](arrow.PrimitiveTypes.Int64), column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for i := range 6 {
		for k, c := range []*column.Fixed[int64]{a, b} {
			if i%(k+2) == 0 {
				c.AppendNull()
			} else {
				c.Append(int64(i))
			}
		}
	}
	for _, c := range []struct {
		safe []bool
		want string
	}{{nil, "[1 5] [0 2 4 3]"}, {[]bool{true, false}, "[1 2 4 5] [0 3]"}, {[]bool{true, true}, "[0 1 2 3 4 5] []"}} {
		full, null := column.SplitNulls(nil, nil, []int32{0, 1, 2, 3, 4, 5}, []column.Vector{a, b}, c.safe)
		if got := fmt.Sprint(full, null); got != c.want {
			t.Errorf("%v: got %s, want %s", c.safe, got, c.want)
		}
	}
}

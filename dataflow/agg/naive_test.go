package agg_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/state"
)

// pairCall is an aggregate of the DOUBLE columns 0 and 1.
func pairCall(t interface{ Fatal(...any) }, name string, args int) agg.Call {
	types := slices.Repeat([]arrow.DataType{arrow.PrimitiveTypes.Float64}, args)
	r, err := agg.Builtin().Resolve(name, false, types, span)
	if err != nil {
		t.Fatal(err)
	}
	c := agg.Call{Name: r.Name, ArgTypes: r.ArgTypes, Filter: -1, Type: r.Type, Nullable: r.Nullable}
	for i := range args {
		c.Args = append(c.Args, i)
	}
	return c
}

func rat(x float64) *big.Rat { return new(big.Rat).SetFloat64(x) }

// around is the sum of products around the means, in fractions.
func around(a, b []float64) *big.Rat {
	n := big.NewRat(int64(len(a)), 1)
	sa, sb, sum := new(big.Rat), new(big.Rat), new(big.Rat)
	for i := range a {
		sa.Add(sa, rat(a[i]))
		sb.Add(sb, rat(b[i]))
		sum.Add(sum, new(big.Rat).Mul(rat(a[i]), rat(b[i])))
	}
	return sum.Sub(sum, sa.Mul(sa, sb).Quo(sa, n))
}

// Variances, covariances and regressions are the exact ones, rounded, however far from zero the values lie.
func TestMomentsAgainstFractions(t *testing.T) {
	value := rapid.OneOf(rapid.Map(rapid.IntRange(-9, 9), func(i int) float64 { return float64(i) }),
		rapid.Float64Range(-1e3, 1e3).Filter(func(x float64) bool { return x == 0 || math.Abs(x) > 1e-60 }), // see addProduct
		rapid.Map(rapid.IntRange(0, 9), func(i int) float64 { return 1e12 + float64(i)/8 }))
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(value, 2, 20).Draw(t, "y")
		x := rapid.SliceOfN(value, len(y), len(y)).Draw(t, "x")
		n := int64(len(y))
		xx, yy, xy := around(x, x), around(y, y), around(x, y)
		over := func(a *big.Rat, n int64) *big.Rat { return new(big.Rat).Quo(a, big.NewRat(n, 1)) }
		want := map[string]*big.Rat{
			"var": over(yy, n-1), "var_pop": over(yy, n), "covar_samp": over(xy, n-1), "covar_pop": over(xy, n),
			"regr_sxx": xx, "regr_syy": yy, "regr_sxy": xy,
		}
		if xx.Sign() != 0 {
			want["regr_slope"] = new(big.Rat).Quo(xy, xx)
			if yy.Sign() != 0 {
				want["regr_r2"] = new(big.Rat).Quo(new(big.Rat).Mul(xy, xy), new(big.Rat).Mul(xx, yy))
			}
		}
		for name, w := range want {
			args := 2
			if strings.HasPrefix(name, "var") {
				args = 1
			}
			o := newOne(t, pairCall(t, name, args), false)
			must(t, o.groups.Update(batchOf(nil, doubles(y...), doubles(x...)), make([]int32, n), column.AllRows(nil, int(n))))
			got, err := o.result()
			must(t, err)
			exp, _ := w.Float64()
			if v := got.(*column.Fixed[float64]).Values[0]; v != exp {
				t.Fatalf("%s of y = %v, x = %v is %v, want %v", name, y, x, v, exp)
			}
		}
	})
}

// Ordered collections against sorting by hand, with ties, nulls and both directions.
func TestArraysAgainstSorting(t *testing.T) {
	type pair struct{ x, y, time int64 }
	rapid.Check(t, func(t *rapid.T) {
		desc, first := rapid.Bool().Draw(t, "desc"), rapid.Bool().Draw(t, "nulls first")
		retract := rapid.Bool().Draw(t, "retract")
		var rows []pair
		x, y := ints(), ints()
		b := batchOf(nil, x, y)
		for range rapid.IntRange(0, 20).Draw(t, "n") {
			p := pair{rapid.Int64Range(-2, 2).Draw(t, "x"), rapid.Int64Range(-2, 2).Draw(t, "y"), rapid.Int64Range(-2, 2).Draw(t, "time")}
			x.Append(p.x)
			if p.y == 2 { // null
				y.AppendNull()
			} else {
				y.Append(p.y)
			}
			b.Time = append(b.Time, p.time)
			rows = append(rows, p)
		}
		b.N = len(rows)
		big := arrow.PrimitiveTypes.Int64
		r, err := agg.Builtin().ResolveOrdered(agg.Use{
			Name: "array_agg", Args: []agg.Argument{{Type: big}}, OrderBy: []agg.SortKey{{Type: big, Same: -1, Desc: desc, NullsFirst: first}},
		})
		must(t, err)
		o := newOne(t, agg.Call{Name: r.Name, Args: r.Args, ArgTypes: r.ArgTypes, OrderBy: r.OrderBy, Filter: -1, Type: r.Type}, retract)
		for i := range rows { // row by row in some order
			b.Sel = append(b.Sel, int32(i))
		}
		for _, at := range rapid.Permutation(b.Sel).Draw(t, "order") {
			must(t, o.groups.Update(b, []int32{0}, []int32{at}))
		}
		got, err := o.result()
		must(t, err)
		rank := func(p pair) int64 {
			switch {
			case p.y == 2 && first:
				return -100
			case p.y == 2:
				return 100
			case desc:
				return -p.y
			}
			return p.y
		}
		slices.SortFunc(rows, func(p, q pair) int {
			return slices.Compare([]int64{rank(p), p.time, p.x}, []int64{rank(q), q.time, q.x})
		})
		var parts []string
		for _, p := range rows {
			parts = append(parts, fmt.Sprint(p.x))
		}
		want := "[" + strings.Join(parts, " ") + "]"
		if len(rows) == 0 {
			want = "null"
		}
		if v := operatortest.Show(got, 0); v != want {
			t.Fatalf("got %s, want %s", v, want)
		}
	})
}

// The estimates are as close as their documentation says, and the same in whatever parts the values come.
func TestEstimates(t *testing.T) {
	for _, n := range []int{100, 256, 257, 3000, 200_000} {
		c := newCall(t, "approx_distinct", arrow.PrimitiveTypes.Int64, false)
		whole, merged := newOne(t, c, false), newOne(t, c, false)
		var all []int64
		for i := range n {
			all = append(all, int64(i)*1_000_003)
		}
		must(t, whole.add(ints(all...)))
		for part := range slices.Chunk(all, n/3+1) {
			o := newOne(t, c, false)
			must(t, o.add(ints(part...)), o.add(ints(part...)), merged.groups.Merge([]int32{0}, o.groups, []int32{0}))
		}
		a, err1 := whole.result()
		b, err2 := merged.result()
		must(t, err1, err2)
		got := a.(*column.Fixed[int64]).Values[0]
		if other := b.(*column.Fixed[int64]).Values[0]; other != got {
			t.Errorf("of %d values %d in one part, %d in three", n, got, other)
		}
		if diff := math.Abs(float64(got)/float64(n) - 1); diff > 0.02 || n <= 256 && diff > 0 {
			t.Errorf("%d distinct values are estimated as %d", n, got)
		}
	}
	o := newOne(t, newCall(t, "approx_median", arrow.PrimitiveTypes.Float64, false), true)
	var vals []float64
	for i := range 100_001 {
		vals = append(vals, 1000*math.Exp(float64(i)/1e4))
	}
	must(t, o.add(doubles(vals...)))
	v, err := o.result()
	must(t, err)
	if got, want := v.(*column.Fixed[float64]).Values[0], vals[50_000]; math.Abs(got/want-1) > 0.0005 {
		t.Errorf("the median %v is estimated as %v", want, got)
	}
	if o.groups.Size() > 4<<20 {
		t.Errorf("the estimate takes %d bytes", o.groups.Size())
	}
}

// Uses that make no sense are refused with a reason and a hint.
func TestUsesThatAreRefused(t *testing.T) {
	number, word := agg.Argument{Type: arrow.PrimitiveTypes.Float64}, agg.Argument{Type: arrow.BinaryTypes.String}
	literal := func(v any) agg.Argument {
		return agg.Argument{Type: arrow.PrimitiveTypes.Float64, Literal: true, Value: v}
	}
	by := func(a agg.Argument) []agg.SortKey { return []agg.SortKey{{Type: a.Type, Same: -1}} }
	for _, c := range []struct {
		use  agg.Use
		want string
	}{
		{agg.Use{Name: "string_agg", Args: []agg.Argument{word}}, "string_agg takes a value that has a text and a separator"},
		{agg.Use{Name: "string_agg", Args: []agg.Argument{word, word}}, "the separator of string_agg has to be a literal TEXT"},
		{agg.Use{Name: "nth_value", Args: []agg.Argument{word, literal(int64(0))}}, "the position of nth_value has to be a literal integer other than 0"},
		{agg.Use{Name: "percentile_cont", Args: []agg.Argument{literal(1.5)}, OrderBy: by(number), WithinGroup: true}, "the fraction of percentile_cont"},
		{agg.Use{Name: "percentile_cont", Args: []agg.Argument{literal(0.5)}, OrderBy: by(word), WithinGroup: true}, "percentile_cont takes a fraction"},
		{agg.Use{Name: "percentile_cont", Args: []agg.Argument{literal(0.5)}}, "percentile_cont takes a fraction"},
		{agg.Use{Name: "sum", Args: []agg.Argument{number}, OrderBy: by(number), WithinGroup: true}, "sum does not take WITHIN GROUP"},
		{agg.Use{Name: "median", OrderBy: append(by(number), by(number)...), WithinGroup: true}, "WITHIN GROUP of median takes one expression"},
		{agg.Use{Name: "array_agg", Args: []agg.Argument{word}, Distinct: true, OrderBy: by(number)}, "array_agg(DISTINCT) can be ordered only by its argument"},
		{agg.Use{Name: "corr", Args: []agg.Argument{number}}, "corr takes two numbers"},
		{agg.Use{Name: "median", Args: []agg.Argument{number, number}}, "median takes one number"},
	} {
		c.use.Span = span
		_, err := agg.Builtin().ResolveOrdered(c.use)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.use.Name, err, c.want)
		}
	}
	for _, c := range []agg.Call{
		{Name: "string_agg", Args: []int{0}, ArgTypes: []arrow.DataType{arrow.BinaryTypes.String}},
		{Name: "median", Args: []int{0}, ArgTypes: []arrow.DataType{arrow.PrimitiveTypes.Int64}, Params: []any{1.0}},
		{Name: "corr", Args: []int{0}, ArgTypes: []arrow.DataType{arrow.PrimitiveTypes.Float64}},
		{Name: "array_agg", Args: []int{0}, ArgTypes: []arrow.DataType{arrow.PrimitiveTypes.Int64}, OrderBy: []agg.Order{{Arg: 1}}},
	} {
		if _, err := agg.Compile([]agg.Call{c}, false); err == nil {
			t.Errorf("a plan with %v was compiled", c)
		}
	}
}

// A retraction takes its row back also when it has another event time, and before its insert has come.
func TestRetractionsWithAnotherTime(t *testing.T) {
	big := arrow.PrimitiveTypes.Int64
	for _, c := range []struct{ name, want string }{{"array_agg", "[1 3]"}, {"first_value", "1"}, {"last_value", "3"}, {"array_agg by", "[3 1]"}} {
		name, by, _ := strings.Cut(c.name, " ")
		u := agg.Use{Name: name, Args: []agg.Argument{{Type: big}}}
		if by != "" {
			u.OrderBy = []agg.SortKey{{Type: big, Same: -1, Desc: true}}
		}
		r, err := agg.Builtin().ResolveOrdered(u)
		must(t, err)
		for _, order := range [][]int32{{0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0}} {
			o := newOne(t, agg.Call{Name: r.Name, Args: r.Args, ArgTypes: r.ArgTypes, OrderBy: r.OrderBy, Filter: -1, Type: r.Type}, true)
			vals := ints(2, 1, 2, 2, 2, 3, 0)
			b := batchOf([]column.Change{1, 1, 1, -1, -1, 1, 1}, vals, vals)
			b.Time = []int64{0, 1, 2, 50, 60, 70, 80}
			for _, at := range order {
				must(t, o.groups.Update(b, []int32{0}, []int32{at}))
				if at != 3 { // in the middle, where there may be more retractions than inserts, nothing breaks
					_, err := o.result()
					must(t, err)
				}
			}
			gone := batchOf([]column.Change{-1}, ints(0), ints(0))
			gone.Time[0] = 90
			must(t, o.groups.Update(gone, []int32{0}, []int32{0}))
			got, err := o.result()
			must(t, err)
			if v := operatortest.Show(got, 0); v != c.want {
				t.Errorf("%s: got %s, want %s", c.name, v, c.want)
			}
		}
	}
}

// The logs behind arrays stay in proportion to what they hold, and damaged ones are refused.
func TestArraysDoNotLeak(t *testing.T) {
	c := newCall(t, "array_agg", arrow.BinaryTypes.String, false)
	set, err := agg.Compile([]agg.Call{c}, false)
	must(t, err)
	l := state.NewLayout([]arrow.Field{{Type: arrow.PrimitiveTypes.Int64}}, set.Words())
	g := set.NewGroups(l, 0)
	for round := range int64(2000) {
		key := ints(round)
		slot := g.Table.FindOrInsert([]uint64{uint64(round)}, []column.Vector{key}, 1, nil, nil)[0]
		v := columnOf(arrow.BinaryTypes.String, slices.Repeat([]int64{round % 40}, 100))
		must(t, g.Update(batchOf(nil, v), slices.Repeat([]int32{slot}, 100), column.AllRows(nil, 100)))
		out := column.NewAppender(c.Type)
		must(t, g.Result([]int32{slot}, []column.Appender{out}))
		if n := out.(*column.List).Elem.Len(); n != 100 {
			t.Fatalf("%d elements", n)
		}
		g.Delete(slot)
	}
	if g.Size() > 1<<18 {
		t.Errorf("%d bytes for nothing", g.Size())
	}
	o := newOne(t, c, false)
	must(t, o.add(columnOf(arrow.BinaryTypes.String, []int64{1, 2})))
	chunk := set.NewChunk(o.groups.Table.Layout())
	o.groups.Save(chunk, []int32{0}, 0)
	chunk.Bytes[0].Reset()
	chunk.Bytes[0].Append([]byte{200, 1, 2})
	if _, err := newOne(t, c, false).groups.Load(chunk, 0); err == nil {
		t.Error("a damaged log was accepted")
	}
	chunk.Bytes[0].Reset()
	chunk.Bytes[0].Append([]byte{2, 1, 2})
	bad := newOne(t, c, false)
	if _, err := bad.groups.Load(chunk, 0); err == nil {
		if _, err := bad.result(); err == nil {
			t.Error("a damaged entry was accepted")
		}
	}
}

// Whatever bytes stand in a state file, loading them and asking for the result gives an error or a value, and no panic.
func FuzzLoad(f *testing.F) {
	types := []arrow.DataType{arrow.BinaryTypes.String, arrow.ListOf(arrow.PrimitiveTypes.Int64), arrow.PrimitiveTypes.Float64, decimal}
	names := []string{"array_agg", "last_value", "median", "approx_distinct", "stddev", "mode"}
	for i := range len(types) * len(names) * 2 {
		f.Add(uint8(i), []byte{19, 128, 0, 0, 0, 0, 0, 0, 0, 1, 'a', 0, 0})
		f.Add(uint8(i), []byte{2, 1, 9, 128, 0, 0, 0, 0, 0, 0, 0, 1})
	}
	f.Fuzz(func(t *testing.T, which uint8, data []byte) {
		i := int(which)
		dt, name, retract := types[i%4], names[i/4%len(names)], i/4/len(names)%2 == 1
		r, err := agg.Builtin().Resolve(name, false, []arrow.DataType{dt}, span)
		if err != nil {
			return
		}
		c := agg.Call{Name: r.Name, Args: []int{0}, ArgTypes: r.ArgTypes, Filter: -1, Type: r.Type}
		set, err := agg.Compile([]agg.Call{c}, retract)
		must(t, err)
		o := newOne(t, c, retract)
		must(t, o.add(column.NewAppender(r.ArgTypes[0])))
		v := column.NewAppender(r.ArgTypes[0])
		if x, ok := v.(*column.List); ok {
			x.Append()
		} else {
			v.AppendSel(columnOf(r.ArgTypes[0], []int64{5}), nil)
		}
		must(t, o.add(v))
		chunk := set.NewChunk(o.groups.Table.Layout())
		o.groups.Save(chunk, []int32{0}, 0)
		chunk.Bytes[0].Reset()
		chunk.Bytes[0].Append(data)
		fresh := newOne(t, c, retract)
		if _, err := fresh.groups.Load(chunk, 0); err != nil {
			return
		}
		if _, err := fresh.result(); err != nil {
			return
		}
		must(t, fresh.add(v))
		_, _ = fresh.result()
	})
}

func BenchmarkUpdate(b *testing.B) {
	const n, groups = 8192, 1000
	x := uint64(3)
	vals, slots := ints(), make([]int32, n)
	for i := range n {
		x = x*6364136223846793005 + 1442695040888963407
		vals.Append(int64(x >> 40))
		slots[i] = int32(x >> 20 % groups)
	}
	texts := columnOf(arrow.BinaryTypes.String, make([]int64, n))
	for _, name := range []string{"sum", "array_agg", "median", "approx_distinct", "stddev", "last_value", "approx_median"} {
		b.Run(name, func(b *testing.B) {
			var cols []column.Vector = []column.Vector{vals, texts}
			types := []arrow.DataType{arrow.PrimitiveTypes.Int64}
			if name == "stddev" {
				types[0] = arrow.PrimitiveTypes.Float64
				f := doubles()
				for _, v := range vals.Values {
					f.Append(float64(v) / 8)
				}
				cols[0] = f
			}
			r, err := agg.Builtin().Resolve(name, false, types, span)
			must(b, err)
			set, err := agg.Compile([]agg.Call{{Name: r.Name, Args: []int{0}, ArgTypes: r.ArgTypes, Filter: -1, Type: r.Type}}, false)
			must(b, err)
			g := set.NewGroups(state.NewLayout([]arrow.Field{{Type: arrow.PrimitiveTypes.Int64}}, set.Words()), 0)
			key := ints()
			for k := range int64(groups) {
				key.Append(k)
			}
			keys := []column.Vector{key}
			batch := batchOf(nil, cols...)
			rounds := 0
			out := column.NewAppender(r.Type)
			for b.Loop() {
				if rounds%12 == 0 { // a window of about 100,000 rows
					if rounds > 0 {
						out.Reset()
						must(b, g.Result(g.Table.Slots(nil), []column.Appender{out}))
					}
					g.Reset()
					g.Table.FindOrInsert(column.HashColumns(nil, keys, groups, nil), keys, groups, nil, nil)
				}
				rounds++
				must(b, g.Update(batch, slots, column.AllRows(nil, n)))
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/row")
		})
	}
}

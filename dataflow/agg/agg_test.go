package agg_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

var (
	timestamp = &arrow.TimestampType{Unit: arrow.Nanosecond}
	decimal   = &arrow.Decimal128Type{Precision: 38, Scale: 2}
	interval  = arrow.FixedWidthTypes.MonthDayNanoInterval
	span      = fault.Span{Start: 3, End: 9}
)

// newCall resolves an aggregate over column 0 of this type.
func newCall(t interface{ Fatal(...any) }, name string, dt arrow.DataType, distinct bool) agg.Call {
	r, err := agg.Builtin().Resolve(name, distinct, []arrow.DataType{dt}, span)
	if err != nil {
		t.Fatal(err)
	}
	return agg.Call{Name: r.Name, Args: []int{0}, ArgTypes: r.ArgTypes, Filter: -1, Distinct: distinct, Type: r.Type, Nullable: r.Nullable, Span: span}
}

// one is an aggregate without keys.
type one struct {
	groups *agg.Groups
	out    column.Appender
}

func newOne(t interface{ Fatal(...any) }, c agg.Call, retract bool) *one {
	set, err := agg.Compile([]agg.Call{c}, retract)
	if err != nil {
		t.Fatal(err)
	}
	o := &one{groups: set.NewGroups(state.NewLayout(nil, set.Words()), 0), out: column.NewAppender(c.Type)}
	o.groups.Table.FindOrInsert([]uint64{1}, nil, 1, nil, nil)
	return o
}

func (o *one) add(v column.Vector, change ...column.Change) error {
	n := v.Len()
	return o.groups.Update(batchOf(change, v), make([]int32, n), column.AllRows(nil, n))
}

// batchOf makes a batch of these columns whose rows have the times 0, 1, ….
func batchOf(change []column.Change, cols ...column.Vector) *column.Batch {
	b := &column.Batch{N: cols[0].Len(), Cols: cols, Change: change}
	for i := range b.N {
		b.Time = append(b.Time, int64(i))
	}
	return b
}

func (o *one) result() (column.Appender, error) {
	o.out.Reset()
	err := o.groups.Result([]int32{0}, []column.Appender{o.out})
	return o.out, err
}

func doubles(vals ...float64) *column.Fixed[float64] {
	v := column.NewFixed[float64](arrow.PrimitiveTypes.Float64)
	for _, x := range vals {
		v.Append(x)
	}
	return v
}

func ints(vals ...int64) *column.Fixed[int64] {
	v := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for _, x := range vals {
		v.Append(x)
	}
	return v
}

// anyFloat draws doubles of all magnitudes.
func anyFloat() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.Float64(), rapid.Map(rapid.Int64Range(-500, 500), func(i int64) float64 { return float64(i) / 100 }),
		rapid.SampledFrom([]float64{0, 1e308, -1e308, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e-300, 1e16, 1}))
}

// Sums of doubles are the exact sum, rounded once, in whatever order rows come and panes merge.
func TestFloatSumsAreExactAndIndependentOfOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		vals := rapid.SliceOfN(anyFloat(), 1, 40).Draw(t, "values")
		exact := new(big.Float).SetPrec(4000)
		for _, v := range vals {
			exact.Add(exact, big.NewFloat(v))
		}
		want, _ := exact.Float64()
		c := newCall(t, "sum", arrow.PrimitiveTypes.Float64, false)
		for range 3 {
			order := rapid.Permutation(vals).Draw(t, "order")
			cut := rapid.IntRange(0, len(order)).Draw(t, "cut")
			a, b := newOne(t, c, false), newOne(t, c, false)
			must(t, a.add(doubles(order[:cut]...)), b.add(doubles(order[cut:]...)))
			set := a.groups
			must(t, set.Merge([]int32{0}, merged(b), []int32{0}))
			got, err := a.result()
			must(t, err)
			if v := got.(*column.Fixed[float64]).Values[0]; v != want {
				t.Fatalf("sum of %v is %v, want %v", order, v, want)
			}
		}
	})
}

func merged(o *one) *agg.Groups { return o.groups }

func must(t interface{ Fatal(...any) }, errs ...error) {
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// Retractions of doubles, infinities and NaNs among them, leave no trace.
func TestFloatRetractionsLeaveNoTrace(t *testing.T) {
	special := rapid.OneOf(anyFloat(), rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1)}))
	rapid.Check(t, func(t *rapid.T) {
		kept := rapid.SliceOfN(anyFloat(), 0, 10).Draw(t, "kept")
		gone := rapid.SliceOfN(special, 0, 10).Draw(t, "gone")
		c := newCall(t, rapid.SampledFrom([]string{"sum", "avg"}).Draw(t, "name"), arrow.PrimitiveTypes.Float64, false)
		a, b := newOne(t, c, true), newOne(t, c, false)
		must(t, b.add(doubles(kept...)))
		v := doubles(slices.Concat(gone, kept, gone)...)
		change := slices.Repeat([]column.Change{column.Insert}, v.Len())
		for i := len(gone) + len(kept); i < v.Len(); i++ {
			change[i] = column.Retract
		}
		must(t, a.add(v, change...))
		x, err1 := a.result()
		y, err2 := b.result()
		must(t, err1, err2)
		p, q := x.(*column.Fixed[float64]), y.(*column.Fixed[float64])
		if p.Valid.IsValid(0) != q.Valid.IsValid(0) || len(kept) > 0 && p.Values[0] != q.Values[0] {
			t.Fatalf("got %v, want %v", p.Values, q.Values)
		}
	})
}

func TestSpecialFloats(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		name string
		in   []float64
		want float64
	}{
		{"sum", []float64{1, inf}, inf}, {"sum", []float64{inf, -inf}, nan}, {"sum", []float64{nan, 1}, nan}, {"avg", []float64{-inf, 2}, -inf},
		{"max", []float64{1, nan}, nan}, {"min", []float64{1, nan}, 1}, {"min", []float64{nan}, nan},
		{"max", []float64{-inf, -1}, -1}, {"min", []float64{-inf, -1}, -inf}, {"sum", []float64{1e308, 1e308, -1e308}, 1e308},
	} {
		for _, retract := range []bool{false, true} {
			o := newOne(t, newCall(t, c.name, arrow.PrimitiveTypes.Float64, false), retract)
			must(t, o.add(doubles(c.in...)))
			v, err := o.result()
			must(t, err)
			if got := v.(*column.Fixed[float64]).Values[0]; got != c.want && (got == got || c.want == c.want) {
				t.Errorf("%s of %v is %v, want %v", c.name, c.in, got, c.want)
			}
		}
	}
}

// Only the result has to fit: no order of rows overflows on the way.
func TestIntegerOverflow(t *testing.T) {
	c := newCall(t, "sum", arrow.PrimitiveTypes.Int64, false)
	o := newOne(t, c, false)
	must(t, o.add(ints(math.MaxInt64, math.MaxInt64, math.MinInt64, math.MinInt64, 7)))
	if v, err := o.result(); err != nil || v.(*column.Fixed[int64]).Values[0] != 5 {
		t.Errorf("got %v, %v", v, err)
	}
	must(t, o.add(ints(math.MaxInt64)))
	_, err := o.result()
	if f := fault.As(err); err == nil || f.Code != fault.CodeOverflow || f.Span != span || f.Kind != fault.User {
		t.Errorf("got %#v", err)
	}
	u := column.NewFixed[uint64](arrow.PrimitiveTypes.Uint64)
	u.Append(math.MaxUint64)
	o = newOne(t, newCall(t, "sum", u.DataType, false), false)
	must(t, o.add(u))
	if v, err := o.result(); err != nil || v.(*column.Fixed[uint64]).Values[0] != math.MaxUint64 {
		t.Errorf("got %v, %v", v, err)
	}
	must(t, o.add(u))
	if _, err := o.result(); !fault.Is(err, fault.CodeOverflow) {
		t.Errorf("got %v", err)
	}
	o = newOne(t, newCall(t, "avg", u.DataType, false), false)
	must(t, o.add(u), o.add(u))
	if v, err := o.result(); err != nil || v.(*column.Fixed[float64]).Values[0] != math.MaxUint64 {
		t.Errorf("avg gives %v, %v", v, err)
	}
}

func TestDecimals(t *testing.T) {
	col := func(vals ...string) *column.Fixed[decimal128.Num] {
		v := column.NewFixed[decimal128.Num](decimal)
		for _, s := range vals {
			n, err := decimal128.FromString(s, 38, 2)
			must(t, err)
			v.Append(n)
		}
		return v
	}
	huge := strings.Repeat("9", 36) + ".99"
	for _, c := range []struct {
		name  string
		in    []string
		scale int32
		want  string
	}{
		{"sum", []string{"1.10", "-2.25"}, 2, "-1.15"}, {"sum", []string{huge, huge, "-" + huge}, 2, huge},
		{"avg", []string{"1.00", "1.00", "0.00"}, 6, "0.666666"}, {"avg", []string{"-1.00", "-1.00", "0.00"}, 6, "-0.666666"},
		{"min", []string{"2.00", "-7.01"}, 2, "-7.01"}, {"max", []string{"2.00", "-7.01", "2.01"}, 2, "2.01"},
	} {
		for _, retract := range []bool{false, true} {
			o := newOne(t, newCall(t, c.name, decimal, false), retract)
			must(t, o.add(col(c.in...)))
			v, err := o.result()
			must(t, err)
			if got := v.(*column.Fixed[decimal128.Num]).Values[0].ToString(c.scale); got != c.want {
				t.Errorf("%s of %v is %s, want %s", c.name, c.in, got, c.want)
			}
		}
	}
	o := newOne(t, newCall(t, "sum", decimal, false), false)
	must(t, o.add(col(huge, "0.01")))
	if _, err := o.result(); !fault.Is(err, fault.CodeOverflow) {
		t.Errorf("a sum of 39 digits gives %v", err)
	}
}

// Sums and means of intervals are those of their parts, whatever was taken back and merged.
func TestIntervals(t *testing.T) {
	col := func(vals ...arrow.MonthDayNanoInterval) *column.Fixed[arrow.MonthDayNanoInterval] {
		v := column.NewFixed[arrow.MonthDayNanoInterval](interval)
		for _, x := range vals {
			v.Append(x)
		}
		return v
	}
	const day, most = 24 * 3600e9, math.MaxInt32
	for _, c := range []struct {
		name string
		in   []arrow.MonthDayNanoInterval
		want arrow.MonthDayNanoInterval
	}{
		{"sum", []arrow.MonthDayNanoInterval{{Months: 1}, {Days: -2, Nanoseconds: 5}, {Months: 2, Nanoseconds: -7}}, arrow.MonthDayNanoInterval{Months: 3, Days: -2, Nanoseconds: -2}},
		{"sum", []arrow.MonthDayNanoInterval{{Months: most, Nanoseconds: math.MaxInt64}, {Months: most, Nanoseconds: math.MaxInt64}, {Months: -most, Nanoseconds: -math.MaxInt64}},
			arrow.MonthDayNanoInterval{Months: most, Nanoseconds: math.MaxInt64}},
		{"avg", []arrow.MonthDayNanoInterval{{Months: 1}, {}}, arrow.MonthDayNanoInterval{Days: 15}},
		{"avg", []arrow.MonthDayNanoInterval{{Days: -1}, {}}, arrow.MonthDayNanoInterval{Nanoseconds: -day / 2}},
		{"avg", []arrow.MonthDayNanoInterval{{Months: 4, Days: 1}, {}, {}}, arrow.MonthDayNanoInterval{Months: 1, Days: 10, Nanoseconds: day / 3}},
		{"avg", []arrow.MonthDayNanoInterval{{Nanoseconds: -3}, {}}, arrow.MonthDayNanoInterval{Nanoseconds: -2}},
	} {
		for _, retract := range []bool{false, true} {
			call := newCall(t, c.name, interval, false)
			o, other := newOne(t, call, retract), newOne(t, call, retract)
			must(t, o.add(col(c.in[0])), other.add(col(c.in[1:]...)))
			if retract {
				must(t, o.add(col(c.in[0], c.in[0]), column.Insert, column.Retract))
			}
			o = reload(t, o, call, retract)
			must(t, o.groups.Merge([]int32{0}, other.groups, []int32{0}))
			v, err := o.result()
			must(t, err)
			if got := v.(*column.Fixed[arrow.MonthDayNanoInterval]).Values[0]; got != c.want {
				t.Errorf("%s of %v is %v, want %v", c.name, c.in, got, c.want)
			}
		}
	}
	o := newOne(t, newCall(t, "sum", interval, false), false)
	must(t, o.add(col(arrow.MonthDayNanoInterval{Days: most}, arrow.MonthDayNanoInterval{Days: 1})))
	if _, err := o.result(); !fault.Is(err, fault.CodeOverflow) {
		t.Errorf("too many days give %v", err)
	}
}

// column of some type, made from small integers so that order and equality carry over.
func columnOf(dt arrow.DataType, vals []int64) column.Appender {
	c := column.NewAppender(dt)
	for _, x := range vals {
		switch c := c.(type) {
		case *column.Fixed[int8]:
			c.Append(int8(x))
		case *column.Fixed[int16]:
			c.Append(int16(x))
		case *column.Fixed[int32]:
			c.Append(int32(x))
		case *column.Fixed[int64]:
			c.Append(x)
		case *column.Fixed[uint8]:
			c.Append(uint8(x + 50))
		case *column.Fixed[uint16]:
			c.Append(uint16(x + 50))
		case *column.Fixed[uint32]:
			c.Append(uint32(x + 50))
		case *column.Fixed[uint64]:
			c.Append(uint64(x+50) << 57)
		case *column.Fixed[float32]:
			c.Append(float32(x) / 2)
		case *column.Fixed[float64]:
			c.Append(float64(x) / 2)
		case *column.Fixed[decimal128.Num]:
			c.Append(decimal128.FromI64(x))
		case *column.Fixed[arrow.MonthDayNanoInterval]:
			c.Append(arrow.MonthDayNanoInterval{Months: int32(x) / 4, Days: int32(x) % 4, Nanoseconds: x})
		case *column.Bool:
			c.Append(x > 0)
		case *column.Bytes:
			c.AppendString(fmt.Sprintf("%04d and what follows", x+1000)[:4+int(x&15)])
		default:
			panic(dt.String())
		}
	}
	return c
}

var orderable = []arrow.DataType{
	arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
	arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
	arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean, arrow.BinaryTypes.String,
	arrow.BinaryTypes.Binary, timestamp, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Time64ns, decimal, interval,
}

// min and max of every type are those of the rows that were not taken back, and none if there are none: also after a
// save and a load, and a merge with another part.
func TestExtremesOfEveryType(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dt := rapid.SampledFrom(orderable).Draw(t, "type")
		vals := rapid.SliceOfN(rapid.Int64Range(-40, 40), 0, 30).Draw(t, "values")
		retract := rapid.Bool().Draw(t, "retract")
		name := rapid.SampledFrom([]string{"min", "max"}).Draw(t, "name")
		c := newCall(t, name, dt, rapid.Bool().Draw(t, "distinct"))
		var gone []int64
		kept := vals
		if retract {
			cut := rapid.IntRange(0, len(vals)).Draw(t, "gone")
			gone, kept = vals[:cut], vals[cut:]
		}
		in := columnOf(dt, slices.Concat(vals, gone))
		change := slices.Repeat([]column.Change{column.Insert}, len(vals))
		change = append(change, slices.Repeat([]column.Change{column.Retract}, len(gone))...)
		o, other := newOne(t, c, retract), newOne(t, c, retract)
		must(t, o.add(in, change...))
		o = reload(t, o, c, retract)
		must(t, other.groups.Merge([]int32{0}, o.groups, []int32{0}), other.groups.Merge([]int32{0}, o.groups, []int32{0}))
		for _, x := range []*one{o, other} {
			got, err := x.result()
			must(t, err)
			if len(kept) == 0 {
				if got.Validity().IsValid(0) {
					t.Fatal("there is an extreme of nothing")
				}
				continue
			}
			want := slices.Min(kept)
			if name == "max" {
				want = slices.Max(kept)
			}
			if exp := columnOf(dt, []int64{want}); !same(got, exp) {
				t.Fatalf("%s of %s: got %v, want %v", name, dt, got, exp)
			}
		}
	})
}

func same(a, b column.Vector) bool {
	return slices.Equal(state.AppendValue(nil, a, 0), state.AppendValue(nil, b, 0))
}

// reload saves a group and loads it into another table.
func reload(t interface{ Fatal(...any) }, o *one, c agg.Call, retract bool) *one {
	fresh := newOne(t, c, retract)
	set, err := agg.Compile([]agg.Call{c}, retract)
	must(t, err)
	l := o.groups.Table.Layout()
	chunk := set.NewChunk(l)
	o.groups.Save(chunk, []int32{0}, 0)
	must(t, set.Check(l, chunk))
	_, err = fresh.groups.Load(chunk, 0)
	must(t, err)
	return fresh
}

// A long history of inserts and retractions in a few groups: DISTINCT and extremes hold what is there, and memory does
// not grow with what has gone.
func TestChurn(t *testing.T) {
	text := arrow.BinaryTypes.String
	calls := []agg.Call{newCall(t, "count", text, true), newCall(t, "min", text, false), newCall(t, "max", text, false)}
	set, err := agg.Compile(calls, true)
	must(t, err)
	l := state.NewLayout([]arrow.Field{{Type: arrow.PrimitiveTypes.Int64}}, set.Words())
	g := set.NewGroups(l, 0)
	key := ints(0)
	var size int64
	for round := range int64(400) {
		key.Values[0] = round % 3
		slot := g.Table.FindOrInsert([]uint64{uint64(round % 3)}, []column.Vector{key}, 1, nil, nil)[0]
		vals := make([]int64, 200)
		for i := range vals {
			vals[i] = round + int64(i)*7%900
		}
		v := columnOf(text, slices.Concat(vals, vals[:len(vals)-1]))
		change := slices.Repeat([]column.Change{column.Insert}, len(vals))
		change = append(change, slices.Repeat([]column.Change{column.Retract}, len(vals)-1)...)
		slots := slices.Repeat([]int32{slot}, len(change))
		must(t, g.Update(batchOf(change, v), slots, column.AllRows(nil, len(slots))))
		out := []column.Appender{column.NewAppender(calls[0].Type), column.NewAppender(text), column.NewAppender(text)}
		must(t, g.Result([]int32{slot}, out))
		last := columnOf(text, vals[len(vals)-1:])
		if out[0].(*column.Fixed[int64]).Values[0] != 1 || !same(out[1], last) || !same(out[2], last) {
			t.Fatalf("round %d: %v", round, out)
		}
		// The last value goes too, or the whole group.
		if round%2 == 0 {
			must(t, g.Update(batchOf([]column.Change{column.Retract}, last), []int32{slot}, []int32{0}))
		} else {
			g.Delete(slot)
		}
		if round%2 == 0 {
			g.Delete(slot)
		}
		if round == 50 {
			size = g.Size()
		}
	}
	if g.Size() > 2*size {
		t.Errorf("%d bytes grew to %d", size, g.Size())
	}
}

func TestDamagedStateIsRefused(t *testing.T) {
	text := arrow.BinaryTypes.String
	c := newCall(t, "count", text, true)
	set, err := agg.Compile([]agg.Call{c}, true)
	must(t, err)
	o := newOne(t, c, true)
	must(t, o.add(columnOf(text, []int64{1, 2, 3})))
	l := o.groups.Table.Layout()
	chunk := set.NewChunk(l)
	o.groups.Save(chunk, []int32{0}, 0)
	good := slices.Clone(chunk.Bytes[0].At(0))
	for cut := range good {
		fresh := newOne(t, c, true)
		chunk.Bytes[0].Reset()
		chunk.Bytes[0].Append(good[:cut])
		_, err := fresh.groups.Load(chunk, 0)
		_ = err // whole entries may be missing without anyone noticing; it must not panic
	}
	chunk.Bytes[0].Reset()
	chunk.Bytes[0].Append([]byte{0xff})
	if _, err := newOne(t, c, true).groups.Load(chunk, 0); err == nil {
		t.Error("damaged state was accepted")
	}
	chunk.Words = nil
	if set.Check(l, chunk) == nil {
		t.Error("a chunk of another shape was accepted")
	}
}

func TestResolve(t *testing.T) {
	f := agg.Builtin()
	if got := strings.Join(f.Names(), " "); got != `approx_distinct approx_median approx_percentile_cont approx_percentile_cont_with_weight array_agg avg bit_and bit_or `+
		`bit_xor bool_and bool_or corr count covar_pop covar_samp first_value last_value max median min mode nth_value percentile_cont `+
		`percentile_disc regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy stddev stddev_pop `+
		`string_agg sum var var_pop` {
		t.Errorf("names are %s", got)
	}
	for _, c := range []struct{ name, arg, want string }{
		{"SUM", "int16", "int64"}, {"sum", "uint8", "uint64"}, {"sum", "float", "float64"}, {"sum", "decimal", "decimal(38, 2)"}, {"sum", "narrow", "decimal(20, 2)"}, {"avg", "interval", "month_day_nano_interval"},
		{"mean", "int64", "float64"}, {"avg", "narrow", "decimal(14, 6)"}, {"min", "text", "utf8"}, {"count", "list", "int64"},
		{"max", "interval", "month_day_nano_interval"}, {"sum", "null", "int64"},
	} {
		r, err := f.Resolve(c.name, false, []arrow.DataType{typeNamed(c.arg)}, span)
		if err != nil || r.Type.String() != c.want {
			t.Errorf("%s(%s) is %v, %v; want %s", c.name, c.arg, r.Type, err, c.want)
		}
		if _, planned := f.Resolve(r.Name, false, r.ArgTypes, span); planned != nil {
			t.Errorf("%s does not take the types that it asked for: %v", r.Name, planned)
		}
	}
	for _, c := range []struct {
		name     string
		distinct bool
		args     []string
		want     string
	}{
		{"sun", false, []string{"int64"}, `unknown aggregate "sun"`}, {"grouping", false, []string{"int64"}, "aggregate grouping is not supported"},
		{"sum", false, []string{"text"}, "sum takes one number or INTERVAL, not TEXT"}, {"avg", false, nil, "avg takes one number or INTERVAL, not nothing"},
		{"min", false, []string{"list"}, "min takes one value of a type that has an order, not TEXT[]"},
		{"count", true, nil, "count(DISTINCT) needs an argument"}, {"sum", false, []string{"int64", "int64"}, "sum takes one number or INTERVAL, not BIGINT, BIGINT"},
	} {
		var args []arrow.DataType
		for _, a := range c.args {
			args = append(args, typeNamed(a))
		}
		_, err := f.Resolve(c.name, c.distinct, args, span)
		if e := fault.As(err); err == nil || e.Message != c.want || e.Kind != fault.User || e.Span != span || e.Hint == "" {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	if f.Nearest("cuont") != "count" || f.Nearest("zzzzzz") != "" {
		t.Errorf("nearest names are %q and %q", f.Nearest("cuont"), f.Nearest("zzzzzz"))
	}
	if !f.Has("Mean") || !f.Has("grouping") || f.Has("upper") {
		t.Error("Has is wrong")
	}
}

func typeNamed(s string) arrow.DataType {
	return map[string]arrow.DataType{
		"int16": arrow.PrimitiveTypes.Int16, "int64": arrow.PrimitiveTypes.Int64, "uint8": arrow.PrimitiveTypes.Uint8,
		"float": arrow.PrimitiveTypes.Float32, "decimal": decimal, "narrow": &arrow.Decimal128Type{Precision: 10, Scale: 2},
		"text": arrow.BinaryTypes.String, "list": arrow.ListOf(arrow.BinaryTypes.String), "interval": interval, "null": arrow.Null,
	}[s]
}

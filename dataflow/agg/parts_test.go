package agg_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// allCalls is every aggregate over a type in column 0, with and without DISTINCT and a filter in column 1.
func allCalls(t *rapid.T, dt arrow.DataType) (calls []agg.Call) {
	for _, name := range agg.Builtin().Names() {
		for _, distinct := range []bool{false, true} {
			for _, filter := range []int{-1, 1} {
				r, err := agg.Builtin().Resolve(name, distinct, []arrow.DataType{dt}, span)
				if err != nil || !arrow.TypeEqual(r.ArgTypes[0], dt) { // nobody casts here
					continue
				}
				c := newCall(t, name, dt, distinct)
				c.Filter = filter
				calls = append(calls, c)
			}
		}
	}
	for _, u := range parameterised(dt) {
		r, err := agg.Builtin().ResolveOrdered(u)
		if err != nil {
			continue
		}
		c := agg.Call{
			Name: r.Name, Distinct: u.Distinct, ArgTypes: r.ArgTypes, OrderBy: r.OrderBy, Params: r.Params, Filter: -1, Type: r.Type,
			Nullable: r.Nullable, Span: span,
		}
		for _, a := range r.Args { // the sort key of WITHIN GROUP and the first argument are the value, other columns numbers
			at := 2
			if a == 0 && !u.WithinGroup || u.WithinGroup && a == len(u.Args) {
				at = 0
			}
			c.Args = append(c.Args, at)
		}
		for i, at := range c.Args {
			if want := []arrow.DataType{dt, nil, arrow.PrimitiveTypes.Float64}[at]; !arrow.TypeEqual(c.ArgTypes[i], want) {
				c.Name = ""
			}
		}
		if c.Name != "" {
			calls = append(calls, c)
		}
	}
	two := newCall(t, "count", dt, rapid.Bool().Draw(t, "distinct pairs"))
	two.Args, two.ArgTypes = []int{0, 1}, []arrow.DataType{dt, arrow.FixedWidthTypes.Boolean}
	return append(calls, two)
}

// part is a table of groups by key and the rows that it was given.
type part struct {
	set    *agg.Set
	groups *agg.Groups
}

func newPart(t *rapid.T, calls []agg.Call, retract bool) *part {
	set, err := agg.Compile(calls, retract)
	must(t, err)
	l := state.NewLayout([]arrow.Field{{Type: arrow.PrimitiveTypes.Int64}}, set.Words())
	return &part{set, set.NewGroups(l, 0)}
}

// batch is rows of a key, a value and a condition.
type batch struct {
	key   *column.Fixed[int64]
	cols  []column.Vector
	times []int64
}

func (b *batch) pick(sel []int32) *batch {
	key, value, cond := column.NewFixed[int64](b.key.DataType), column.NewAppender(b.cols[0].Type()), &column.Bool{}
	key.AppendSel(b.key, sel)
	value.AppendSel(b.cols[0], sel)
	cond.AppendSel(b.cols[1], sel)
	other := column.NewFixed[float64](arrow.PrimitiveTypes.Float64)
	other.AppendSel(b.cols[2], sel)
	var times []int64
	for _, r := range sel {
		times = append(times, b.times[r])
	}
	return &batch{key, []column.Vector{value, cond, other}, times}
}

func (p *part) add(t *rapid.T, b *batch, change []column.Change) {
	n := b.key.Len()
	keys := []column.Vector{b.key}
	slots := p.groups.Table.FindOrInsert(column.HashColumns(nil, keys, n, nil), keys, n, nil, nil)
	must(t, p.groups.Update(&column.Batch{N: n, Cols: b.cols, Time: b.times, Change: change}, slots, column.AllRows(nil, n)))
}

func (p *part) merge(t *rapid.T, src *part, sign int) {
	from := src.groups.Table.Slots(nil)
	to := p.groups.Table.FindOrInsertFrom(src.groups.Table, from, nil)
	if sign > 0 {
		must(t, p.groups.Merge(to, src.groups, from))
	} else {
		must(t, p.groups.Subtract(to, src.groups, from))
	}
}

// results is one line per key, in the order of keys, for keys below n.
func (p *part) results(t *rapid.T, calls []agg.Call, n int64) string {
	key := column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	for k := range n {
		key.Append(k)
	}
	keys := []column.Vector{key}
	slots := p.groups.Table.FindOrInsert(column.HashColumns(nil, keys, int(n), nil), keys, int(n), nil, nil)
	var out []column.Appender
	for _, c := range calls {
		out = append(out, column.NewAppender(c.Type))
	}
	must(t, p.groups.Result(slots, out))
	var b strings.Builder
	for k := range int(n) {
		for i, c := range calls {
			fmt.Fprintf(&b, "%d: %s distinct=%v filter=%d = %x\n", k, c.Name, c.Distinct, c.Filter, state.AppendValue(nil, out[i], k))
		}
	}
	return b.String()
}

// reload writes all groups and reads them into a fresh part, each of them twice, as deltas do.
func (p *part) reload(t *rapid.T, calls []agg.Call, retract bool) *part {
	q := newPart(t, calls, retract)
	l := p.groups.Table.Layout()
	c := p.set.NewChunk(l)
	all := p.groups.Table.Slots(nil)
	p.groups.Save(c, all, 0)
	p.groups.Save(c, all, 0)
	must(t, q.set.Check(q.groups.Table.Layout(), c))
	for i := range c.Rows() {
		_, err := q.groups.Load(c, i)
		must(t, err)
	}
	return q
}

// Whatever way rows take into a group - in one go; in parts that merge and are subtracted again; with others that are
// retracted; through a save and a load; in a table used before - the aggregates of what is left are the same.
func TestManyWaysLeadToTheSameResult(t *testing.T) {
	types := append([]arrow.DataType{arrow.ListOf(arrow.BinaryTypes.String), arrow.PrimitiveTypes.Float64}, orderable...)
	rapid.Check(t, func(t *rapid.T) {
		dt := rapid.SampledFrom(types).Draw(t, "type")
		calls := allCalls(t, dt)
		b := drawBatch(t, dt)
		n := b.key.Len()
		cut := rapid.IntRange(0, n).Draw(t, "cut")
		all := column.AllRows(nil, n)
		kept, gone := b.pick(all[:cut]), b.pick(all[cut:])

		plain := newPart(t, calls, false)
		plain.add(t, kept, nil)
		want := plain.results(t, calls, 3)
		check := func(way string, p *part) {
			if got := p.results(t, calls, 3); got != want {
				t.Fatalf("%s, %s: got\n%swant\n%s", way, dt, got, want)
			}
		}
		check("loaded", plain.reload(t, calls, false))

		half := rapid.IntRange(0, cut).Draw(t, "half")
		first, second := newPart(t, calls, false), newPart(t, calls, false)
		first.add(t, b.pick(all[half:]), nil) // used before, then reset
		first.groups.Reset()
		first.add(t, b.pick(all[:half]), nil)
		second.add(t, b.pick(all[half:cut]), nil)
		second.merge(t, first.reload(t, calls, false), 1)
		check("merged", second)
		copied := newPart(t, calls, false)
		if copied.groups.CopyFrom(second.groups) {
			check("copied", copied)
		}

		retracted := newPart(t, calls, true)
		retracted.add(t, b, nil)
		retracted = retracted.reload(t, calls, true)
		back := make([]column.Change, gone.key.Len())
		for i := range back {
			back[i] = column.Retract
		}
		retracted.add(t, gone, back)
		check("retracted", retracted)

		whole, other := newPart(t, calls, true), newPart(t, calls, true)
		whole.add(t, b, nil)
		other.add(t, gone, nil)
		if !whole.set.Invertible() {
			t.Fatal("aggregates that can retract cannot subtract")
		}
		whole.merge(t, other, -1)
		check("subtracted", whole)
		for _, s := range whole.groups.Table.Slots(nil) {
			whole.groups.Delete(s)
		}
		whole.add(t, kept, nil)
		check("deleted and filled again", whole)
		if whole.groups.Size() <= 0 {
			t.Fatal("a table takes no memory")
		}
	})
}

func drawBatch(t *rapid.T, dt arrow.DataType) *batch {
	n := rapid.IntRange(0, 40).Draw(t, "n")
	key, cond := column.NewFixed[int64](arrow.PrimitiveTypes.Int64), &column.Bool{}
	value := column.NewAppender(dt)
	special := []float64{math.NaN(), math.Inf(1), math.Inf(-1), 1e308, -1e308, 1e-300, 1, 1e16, 0.1, 0, math.MaxFloat64}
	for range n {
		key.Append(rapid.Int64Range(0, 2).Draw(t, "key"))
		if rapid.IntRange(0, 3).Draw(t, "null") == 0 {
			value.AppendNull()
		} else if c, ok := value.(*column.Fixed[float64]); ok {
			c.Append(rapid.SampledFrom(special).Draw(t, "float"))
		} else if c, ok := value.(*column.List); ok {
			for range rapid.IntRange(0, 2).Draw(t, "length") {
				c.Elem.(*column.Bytes).AppendString(rapid.SampledFrom([]string{"", "a"}).Draw(t, "element"))
			}
			c.Append()
		} else if c, ok := value.(*column.Fixed[uint64]); ok { // small, so that sums fit
			c.Append(rapid.Uint64Range(0, 12).Draw(t, "value"))
		} else {
			value.AppendSel(columnOf(dt, []int64{rapid.Int64Range(-6, 6).Draw(t, "value")}), nil)
		}
		if rapid.IntRange(0, 3).Draw(t, "no condition") == 0 {
			cond.AppendNull()
		} else {
			cond.Append(rapid.Bool().Draw(t, "condition"))
		}
	}
	other := column.NewFixed[float64](arrow.PrimitiveTypes.Float64)
	var times []int64
	for range n {
		times = append(times, rapid.Int64Range(-3, 3).Draw(t, "time"))
		if rapid.IntRange(0, 4).Draw(t, "null") == 0 {
			other.AppendNull()
		} else {
			other.Append(rapid.SampledFrom(special[3:10]).Draw(t, "other"))
		}
	}
	return &batch{key, []column.Vector{value, cond, other}, times}
}

// The heap behind text extremes stays in proportion to what it has to hold, however often it changes.
func TestTextExtremesDoNotLeak(t *testing.T) {
	text := arrow.BinaryTypes.String
	o := newOne(t, newCall(t, "max", text, false), false)
	for i := range 20_000 {
		v := column.NewBytes(text)
		v.AppendString(fmt.Sprintf("%08d%s", i, strings.Repeat("x", i%100)))
		must(t, o.add(v))
	}
	v, err := o.result()
	must(t, err)
	if got := v.(*column.Bytes).Str(0); got != "00019999"+strings.Repeat("x", 99) || o.groups.Size() > 1<<20 {
		t.Errorf("%s in %d bytes", got, o.groups.Size())
	}
}

func TestDecimalMeansOfNegativeSums(t *testing.T) {
	v := column.NewFixed[decimal128.Num](decimal)
	v.Append(decimal128.FromI64(-1))
	v.Append(decimal128.FromI64(-2))
	o := newOne(t, newCall(t, "avg", decimal, false), true)
	must(t, o.add(v), o.add(v, column.Retract, column.Insert))
	out, err := o.result()
	must(t, err)
	if got := out.(*column.Fixed[decimal128.Num]).Values[0].ToString(6); got != "-0.020000" {
		t.Errorf("got %s", got)
	}
}

// parameterised is uses of aggregates with literal arguments, an order or two columns, of a value of this type and a
// DOUBLE.
func parameterised(dt arrow.DataType) (uses []agg.Use) {
	double := arrow.PrimitiveTypes.Float64
	literal := func(v any) agg.Argument { return agg.Argument{Type: arrow.Null, Literal: true, Value: v} }
	for _, distinct := range []bool{false, true} {
		for _, name := range []string{"string_agg", "array_agg", "nth_value", "first_value", "last_value"} {
			u := agg.Use{Name: name, Distinct: distinct, Args: []agg.Argument{{Type: dt}}, Span: span}
			switch name {
			case "string_agg":
				u.Args = append(u.Args, literal("-"))
			case "nth_value":
				u.Args = append(u.Args, literal(int64(-2)))
			}
			uses = append(uses, u)
			u.OrderBy = []agg.SortKey{{Type: dt, Same: 0, Desc: true, NullsFirst: true}}
			uses = append(uses, u)
			u.OrderBy = []agg.SortKey{{Type: double, Same: -1, Desc: true}, {Type: dt, Same: 0}}
			uses = append(uses, u)
		}
		for _, name := range []string{"percentile_cont", "percentile_disc", "approx_percentile_cont"} {
			for _, desc := range []bool{false, true} {
				uses = append(uses, agg.Use{
					Name: name, Distinct: distinct, Args: []agg.Argument{literal(0.3)}, WithinGroup: true, Span: span,
					OrderBy: []agg.SortKey{{Type: dt, Same: -1, Desc: desc}},
				})
			}
		}
		for _, name := range []string{"corr", "covar_samp", "regr_slope", "regr_intercept", "regr_r2", "regr_count", "regr_avgx"} {
			uses = append(uses, agg.Use{Name: name, Distinct: distinct, Args: []agg.Argument{{Type: dt}, {Type: double}}, Span: span})
		}
		uses = append(uses, agg.Use{
			Name: "approx_percentile_cont_with_weight", Distinct: distinct, WithinGroup: true, Span: span,
			Args: []agg.Argument{{Type: double}, literal(0.6), literal(int64(100))}, OrderBy: []agg.SortKey{{Type: dt, Same: -1}},
		})
	}
	return uses
}

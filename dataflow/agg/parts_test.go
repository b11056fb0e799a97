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
				if _, err := agg.Builtin().Resolve(name, distinct, []arrow.DataType{dt}, span); err != nil {
					continue
				}
				c := newCall(t, name, dt, distinct)
				c.Filter = filter
				calls = append(calls, c)
			}
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
	key  *column.Fixed[int64]
	cols []column.Vector
}

func (b *batch) pick(sel []int32) *batch {
	key, value, cond := column.NewFixed[int64](b.key.DataType), column.NewAppender(b.cols[0].Type()), &column.Bool{}
	key.AppendSel(b.key, sel)
	value.AppendSel(b.cols[0], sel)
	cond.AppendSel(b.cols[1], sel)
	return &batch{key, []column.Vector{value, cond}}
}

func (p *part) add(t *rapid.T, b *batch, change []column.Change) {
	n := b.key.Len()
	keys := []column.Vector{b.key}
	slots := p.groups.Table.FindOrInsert(column.HashColumns(nil, keys, n, nil), keys, n, nil, nil)
	must(t, p.groups.Update(b.cols, slots, column.AllRows(nil, n), change))
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
	return &batch{key, []column.Vector{value, cond}}
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

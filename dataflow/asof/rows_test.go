package asof_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/asof"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/operator/operatortest"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
	"wadi/dataflow/state/statetest"
)

// everyType is the types of columns, in a schema behind a key.
func everyType() *arrow.Schema {
	fields := []arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}}
	for i, dt := range []arrow.DataType{
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int8,
		arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint8,
		arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32, arrow.FixedWidthTypes.Boolean,
		&arrow.Decimal128Type{Precision: 20, Scale: 3}, arrow.FixedWidthTypes.MonthDayNanoInterval, arrow.BinaryTypes.String,
		arrow.ListOf(arrow.PrimitiveTypes.Int32), arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true}),
	} {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Type: dt, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}

// draw appends a value to a column, now and then a null.
func draw(r *rand.Rand, c column.Appender) {
	x := r.Int64() >> r.IntN(64)
	if r.IntN(5) == 0 {
		c.AppendNull()
		return
	}
	switch c := c.(type) {
	case *column.Fixed[int64]:
		c.Append(x)
	case *column.Fixed[int32]:
		c.Append(int32(x))
	case *column.Fixed[int16]:
		c.Append(int16(x))
	case *column.Fixed[int8]:
		c.Append(int8(x))
	case *column.Fixed[uint64]:
		c.Append(uint64(x))
	case *column.Fixed[uint32]:
		c.Append(uint32(x))
	case *column.Fixed[uint16]:
		c.Append(uint16(x))
	case *column.Fixed[uint8]:
		c.Append(uint8(x))
	case *column.Fixed[float64]:
		c.Append([]float64{0, math.Copysign(0, -1), math.NaN(), float64(x)}[r.IntN(4)])
	case *column.Fixed[float32]:
		c.Append(float32(x))
	case *column.Fixed[decimal128.Num]:
		c.Append(decimal128.New(x, uint64(-x)))
	case *column.Fixed[arrow.MonthDayNanoInterval]:
		c.Append(arrow.MonthDayNanoInterval{Months: int32(x), Days: int32(-x), Nanoseconds: x})
	case *column.Bool:
		c.Append(x > 0)
	case *column.Bytes:
		c.AppendString(strings.Repeat("abc", r.IntN(20)))
	case *column.List:
		for range r.IntN(4) {
			draw(r, c.Elem.(column.Appender))
		}
		c.Append()
	case *column.Struct:
		for _, m := range c.Children {
			draw(r, m.(column.Appender))
		}
		c.Append()
	default:
		panic(c.Type().String())
	}
}

// A right row comes out as it came in, whatever its types, also behind longer and shorter ones of its key and a restore.
func TestRightRowsComeOutAsTheyCameIn(t *testing.T) {
	leftSchema := arrow.NewSchema([]arrow.Field{{Name: "k", Type: arrow.PrimitiveTypes.Int64}}, nil)
	every := everyType().Fields()
	many := slices.Clone(every)
	for range 4 { // more nulls than a word has bits
		many = append(many, every[1:]...)
	}
	for i := range 8 {
		r := rand.New(rand.NewPCG(1, 2))
		// All columns, the key and two numbers, the key alone, or all columns a few times.
		schema, forward := arrow.NewSchema([][]arrow.Field{every, every[:3], every[:1], many}[i/2], nil), i%2 == 1
		spec := &graph.AsofJoinSpec{JoinOn: graph.JoinOn{Kind: graph.InnerJoin, LeftKeys: []int{0}, RightKeys: []int{0}}, Ended: -1, Forward: forward}
		out := operatortest.NewTable(false)
		out.Line = func(b *column.Batch, i int) string { return fmt.Sprintf("%x", ordered.AppendRow(nil, b.Cols[1:], i)) }
		c := &operatortest.Cluster[*operatortest.Table]{
			T: t,
			New: func(env operator.Env) (operator.Operator, error) {
				return asof.New(spec, [2]*arrow.Schema{leftSchema, schema}, [2]graph.Mode{}, expr.Builtin(), env)
			},
			Out: out.Twin,
		}
		c.Start(2)
		want := map[string]int{}
		for round := range int64(60) {
			rights, lefts := column.NewBuilder(schema, false), column.NewBuilder(leftSchema, false)
			at := round * 100
			for range 1 + r.IntN(30) {
				rights.Column(0).(*column.Fixed[int64]).Append(int64(r.IntN(40)))
				for i := 1; i < schema.NumFields(); i++ {
					draw(r, rights.Column(i))
				}
				rights.AppendTime(at+int64(rights.Rows()), column.Insert)
			}
			b := rights.Batch()
			for i := range b.N {
				k := b.Cols[0].(*column.Fixed[int64]).Values[i]
				lefts.Column(0).(*column.Fixed[int64]).Append(k)
				lefts.AppendTime(b.Time[i], column.Insert)
				want[fmt.Sprintf("%x", ordered.AppendRow(nil, b.Cols, i))]++
			}
			if !forward { // those of one key are found again later
				for k := range int64(40) {
					lefts.Column(0).(*column.Fixed[int64]).Append(k)
					lefts.AppendTime(at+int64(b.N), column.Insert)
				}
			}
			c.Send(1, b, []int{0})
			c.Send(0, lefts.Batch(), []int{0})
			c.Watermark(at + int64(b.N) + 1)
			switch r.IntN(4) {
			case 0:
				c.Checkpoint()
			case 1:
				c.Checkpoint()
				c.Start(1 + r.IntN(3))
			}
		}
		c.Watermark(operator.EndOfTime)
		for row, n := range want {
			if out.Rows[row] < n || forward && out.Rows[row] != n {
				t.Fatalf("%d columns, forward %v: a row came out %d times instead of %d", schema.NumFields(), forward, out.Rows[row], n)
			}
		}
		for row := range out.Rows {
			if want[row] == 0 {
				t.Fatalf("%d columns, forward %v: a row comes out that did not come in", schema.NumFields(), forward)
			}
		}
	}
}

// oracle answers left rows from all right rows.
type oracle map[int64][]aRow

func newOracle(rights []aRow) oracle {
	o := oracle{}
	for _, r := range rights {
		o[*r.a] = append(o[*r.a], r)
	}
	for _, rows := range o {
		slices.SortStableFunc(rows, func(a, b aRow) int { return cmp.Compare(a.time, b.time) })
	}
	return o
}

// line is what becomes of a left row; of right rows of one time the last counts looking backward, the first forward.
func (o oracle) line(l *aRow, forward bool) string {
	rows := o[*l.a]
	n, _ := slices.BinarySearchFunc(rows, l.time, func(r aRow, t int64) int {
		if r.time < t || !forward && r.time == t {
			return -1
		}
		return 1
	})
	if !forward {
		n--
	}
	if n < 0 || n == len(rows) {
		return fmt.Sprintf("%d null @%d", l.v, l.time)
	}
	return fmt.Sprintf("%d %d @%d", l.v, rows[n].v, max(l.time, rows[n].time))
}

// Far more rows than go into a chunk or a block, out of order, some of them far ahead of the others, at a few watermarks and
// at many, with checkpoints and restores.
func TestManyRows(t *testing.T) {
	for _, c := range []struct {
		forward      bool
		lefts, right int
	}{{false, 9000, 4000}, {false, 500, 20_000}, {false, 25_000, 3}, {true, 9000, 4000}, {true, 300, 20_000}} {
		r := rand.New(rand.NewPCG(3, uint64(c.lefts)))
		spec := nearestOf(graph.LeftJoin)
		spec.Forward, spec.Order = c.forward, []graph.Order{{Column: 0, Desc: !c.forward}}
		run := newCluster(t, spec, graph.Append)
		run.Start(2)
		var rights, lefts []aRow
		next := int64(0)
		rows := func(n int, mark int64) []aRow {
			out := make([]aRow, n)
			for i := range out {
				next++
				at := mark + int64(i)*1000/int64(n) + int64(r.IntN(50))
				if r.IntN(200) == 0 {
					at += 5000
				}
				out[i] = row(int64(r.IntN(3000)), next, at)
			}
			return out
		}
		for round := range int64(12) {
			mark := round * 1000
			for port, n := range [2]int{c.lefts, c.right} {
				part := rows(n, mark)
				run.send(port, part...)
				if port == 0 {
					lefts = append(lefts, part...)
				} else {
					rights = append(rights, part...)
				}
			}
			if r.IntN(3) > 0 {
				run.Watermark(mark)
				run.Watermark(mark + 300)
			}
			run.Checkpoint()
			if r.IntN(3) == 0 {
				run.Start(1 + r.IntN(3))
			}
		}
		run.Watermark(operator.EndOfTime)
		o, want := newOracle(rights), map[string]int{}
		for i := range lefts {
			want[o.line(&lefts[i], c.forward)]++
		}
		if d := operatortest.Difference(run.Outs[0].Rows, want); d != "" {
			t.Fatalf("%+v:\n%.2000s", c, d)
		}
		if n := run.Late(); n > 0 {
			t.Fatalf("%+v: %d late rows", c, n)
		}
	}
}

// Rows that are far ahead of the others do not keep the memory of those.
func TestRowsFarAheadWaitByThemselves(t *testing.T) {
	c := one(t, nearestOf(graph.LeftJoin))
	var most int64
	for i := range int64(60) {
		rows := make([]aRow, 8192)
		for k := range rows {
			rows[k] = row(int64(k%100), int64(k), i*8192+int64(k))
		}
		rows[100].time += 1 << 40
		c.send(0, rows...)
		c.send(1, rows...)
		c.Watermark(i * 8192)
		clear(c.Outs[0].Rows)
		c.Outs[0].Take()
		most = max(most, c.Envs[0].Metrics.StateBytes.Load())
	}
	if most > 8<<20 {
		t.Fatalf("%d bytes of state", most)
	}
}

// A key whose rows are of use for long takes no more memory for having many of them.
func TestManyRowsOfOneKeyWithinReach(t *testing.T) {
	spec := nearestOf(graph.LeftJoin)
	spec.Reach = 1 << 40
	c := one(t, spec)
	for i := range int64(40_000) {
		rows := make([]aRow, 10)
		for k := range rows {
			rows[k] = row(int64(k), int64(k), i*10+int64(k))
		}
		c.send(1, rows...)
		c.Watermark((i + 1) * 10)
	}
	if n := c.Envs[0].Metrics.StateBytes.Load(); n > 2<<20 {
		t.Fatalf("%d bytes of state for ten rows", n)
	}
	// Once none of them is of use, nothing is kept.
	c.Watermark(1 << 50)
	c.send(0, row(3, 1, 1<<50+1))
	c.Watermark(1<<50 + 2)
	c.expect(t, "1 null @1125899906842625")
}

// State of another shape, and rows of it that are none, are told apart from what this operator writes.
func TestStrangeStateIsRefused(t *testing.T) {
	bytes := func(rows ...string) []*column.Bytes {
		c := column.NewBytes(arrow.BinaryTypes.Binary)
		for _, r := range rows {
			c.AppendString(r)
		}
		return []*column.Bytes{c}
	}
	for name, c := range map[string]*state.Chunk{
		"left":     {Hash: []uint64{1}, Time: []int64{1}, Words: [][]int64{{1}, {2}}, Bytes: bytes("")},
		"right":    {Hash: []uint64{1}, Time: []int64{1}, Words: [][]int64{{1}}, Bytes: bytes("\x07")},
		"versions": {Hash: []uint64{1}, Time: []int64{1}, Words: [][]int64{{1}}, Bytes: bytes("")},
	} {
		var store statetest.Store
		store.Writer(column.Range(0, 1)).Keyed(name, true, c)
		if err := store.Complete(); err != nil {
			t.Fatal(err)
		}
		env := operator.Env{Parallelism: 1, Keys: column.Range(0, 1), Restore: store.Reader()}
		if _, err := asof.New(versioned(graph.LeftJoin), inputs, [2]graph.Mode{}, expr.Builtin(), env); err == nil || fault.As(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

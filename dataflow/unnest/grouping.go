package unnest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/state"
)

// CodeManyRows is the code of the fault that a second row is of a query that may have one.
const CodeManyRows fault.Code = "many-rows"

// grouping aggregates the rows of each input row. The input row is the first column of the key; groups are dropped at the end
// of each batch.
type grouping struct {
	next   stage
	spec   *graph.LateralAggregate
	set    *agg.Set
	groups *agg.Groups
	origin *column.Fixed[int32]
	keys   []column.Vector
	hashes []uint64
	slots  []int32
	all    []int32
	// seen counts rows: it is their time, so that aggregates have them in their order.
	seen  int64
	times []int64
	rows  column.Batch
	// The result.
	from    *column.Fixed[int32]
	results *column.Builder
	columns []column.Appender
	out     part
}

func newGrouping(s *graph.LateralStep, own *arrow.Schema, next stage) (stage, error) {
	g := &grouping{
		next: next, spec: s.Aggregate, origin: column.NewFixed[int32](arrow.PrimitiveTypes.Int32),
		from: column.NewFixed[int32](arrow.PrimitiveTypes.Int32), results: column.NewBuilder(s.Out, false),
	}
	var err error
	if g.set, err = agg.Compile(s.Aggregate.Aggs, false); err != nil {
		return nil, err
	}
	fields := []arrow.Field{{Name: "origin", Type: arrow.PrimitiveTypes.Int32}}
	for _, k := range s.Aggregate.Keys {
		fields = append(fields, own.Field(k))
	}
	// The operator's own word counts the rows of a group.
	g.groups = g.set.NewGroups(state.NewLayout(fields, 1+g.set.Words()), 1)
	for i := range s.Out.NumFields() {
		g.columns = append(g.columns, g.results.Column(i))
	}
	return g, nil
}

func (g *grouping) open(in *column.Batch) {
	g.next.open(in)
	g.seen = 0
}

// find gives the slots of the groups of some rows, which it makes if there are none.
func (g *grouping) find(keys []column.Vector, n int, sel []int32) {
	g.hashes = column.HashColumns(g.hashes, keys, n, sel)
	g.slots = g.groups.Table.FindOrInsert(g.hashes, keys, n, sel, g.slots)
}

func (g *grouping) push(p *part) error {
	b := p.rows
	g.origin.Values = append(g.origin.Values[:0], p.origin[:b.N]...)
	g.keys = append(g.keys[:0], g.origin)
	for _, k := range g.spec.Keys {
		g.keys = append(g.keys, b.Cols[k])
	}
	g.find(g.keys, b.N, b.Sel)
	g.times = g.times[:0]
	for range b.N {
		g.times = append(g.times, g.seen)
		g.seen++
	}
	g.rows = *b
	g.rows.Time = g.times
	if g.spec.Single {
		if err := g.count(); err != nil {
			return err
		}
	}
	g.all = column.AllRows(g.all, b.N)
	return g.groups.Update(&g.rows, g.slots, b.Selected(g.all))
}

// count counts the rows at hand, and refuses a second one of a group.
func (g *grouping) count() error {
	w, stride := g.groups.Table.Values()
	for _, slot := range g.slots {
		at := int(slot) * stride
		if w[at]++; w[at] > 1 {
			e := fault.Dataf("", "a subquery that is a value has more than one row").WithHint("take one of them, with LIMIT 1 or an aggregate such as max")
			e.Code = CodeManyRows
			if len(g.spec.Aggs) > 0 {
				e.Span = g.spec.Aggs[0].Span
			}
			return e
		}
	}
	return nil
}

func (g *grouping) end() error {
	g.slots = g.groups.Table.Slots(g.slots[:0])
	for slots := g.slots; len(slots) > 0; {
		n := min(len(slots), maxRows)
		if err := g.emit(slots[:n]); err != nil {
			return err
		}
		slots = slots[n:]
	}
	g.groups.Reset()
	return g.next.end()
}

func (g *grouping) emit(slots []int32) error {
	g.from.Reset()
	g.results.Reset()
	n := len(g.spec.Keys)
	g.groups.Table.AppendKeys(slots, append([]column.Appender{g.from}, g.columns[:n]...))
	if err := g.groups.Result(slots, g.columns[n:]); err != nil {
		return err
	}
	for range slots {
		g.results.AppendTime(0, column.Insert)
	}
	g.out = part{rows: g.results.Batch(), origin: g.from.Values}
	return g.next.push(&g.out)
}

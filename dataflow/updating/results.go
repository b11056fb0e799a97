package updating

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/operator"
)

// results holds the aggregates of touched groups, as they were at the last flush and, during a flush, as they are now,
// and puts rows of them out.
type results struct {
	// aggs has a column per aggregate: first the old rows, then the new ones. times is their event times.
	aggs  []column.Appender
	times []int64
	// pending are slots whose old rows have a place but are not computed yet.
	pending []int32
	rows    int32

	builder *column.Builder
	keys    []column.Appender
	outAggs []column.Appender
	// pick and slots are, per row of the next batch, the row of aggs and the group.
	pick, slots []int32
	change      []column.Change
}

func newResults(keys []arrow.Field, calls []agg.Call) *results {
	r := &results{}
	fields := append([]arrow.Field(nil), keys...)
	for _, c := range calls {
		fields = append(fields, arrow.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable})
		r.aggs = append(r.aggs, column.NewAppender(c.Type))
	}
	r.builder = column.NewBuilder(arrow.NewSchema(fields, nil), true)
	for i := range fields {
		if i < len(keys) {
			r.keys = append(r.keys, r.builder.Column(i))
		} else {
			r.outAggs = append(r.outAggs, r.builder.Column(i))
		}
	}
	return r
}

// reserve reserves a row for a group's result and returns it; compute fills it in.
func (r *results) reserve(slot int32) int32 {
	r.pending = append(r.pending, slot)
	r.rows++
	return r.rows - 1
}

// compute computes the rows reserved since the last call; word says where their event time is.
func (r *results) compute(g *agg.Groups, word int) error {
	w, stride := g.Table.Values()
	for _, s := range r.pending {
		r.times = append(r.times, unpackTime(w[int(s)*stride+word]))
	}
	err := g.Result(r.pending, r.aggs)
	r.pending = r.pending[:0]
	return err
}

// reset forgets all rows.
func (r *results) reset() {
	for _, c := range r.aggs {
		c.Reset()
	}
	r.times, r.rows = r.times[:0], 0
}

// put adds one group's change to the output: its old row is retracted and its new one inserted; -1 stands for no row.
func (r *results) put(g *agg.Groups, slot, old, now int32, out operator.Emitter) error {
	if len(r.pick) > maxRows-2 {
		if err := r.emit(g, out); err != nil {
			return err
		}
	}
	if old >= 0 {
		r.pick, r.slots, r.change = append(r.pick, old), append(r.slots, slot), append(r.change, column.Retract)
	}
	if now >= 0 {
		w, stride := g.Table.Values()
		w[int(slot)*stride+shownWord] = packTime(r.times[now])
		r.pick, r.slots, r.change = append(r.pick, now), append(r.slots, slot), append(r.change, column.Insert)
	}
	return nil
}

// emit puts out what put has collected.
func (r *results) emit(g *agg.Groups, out operator.Emitter) error {
	if len(r.pick) == 0 {
		return nil
	}
	g.Table.AppendKeys(r.slots, r.keys)
	for i, c := range r.outAggs {
		c.AppendSel(r.aggs[i], r.pick)
	}
	for i, p := range r.pick {
		r.builder.AppendTime(r.times[p], r.change[i])
	}
	err := out.Emit(r.builder.Batch())
	r.builder.Reset()
	r.pick, r.slots, r.change = r.pick[:0], r.slots[:0], r.change[:0]
	return err
}

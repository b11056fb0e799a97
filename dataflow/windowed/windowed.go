// Package windowed collects the results of windowed aggregates.
//
// In come groups that are complete, with the bounds of their windows; out go batches of the groups' keys, the window and the
// values, with the last moment of the window as event time. Batches are lent until the emitter returns. Nothing here blocks.
package windowed

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/operator"
)

// maxRows is the most rows in one batch.
const maxRows = 8192

// Results collects rows and emits them in batches.
type Results struct {
	builder    *column.Builder
	keys       []column.Appender
	window     *column.Struct
	start, end *column.Fixed[int64]
	aggs       []column.Appender
}

// New makes an empty collection for groups by these keys.
func New(keys []arrow.Field, calls []agg.Call) *Results {
	r := &Results{builder: column.NewBuilder(schema(keys, calls), false)}
	for i := range keys {
		r.keys = append(r.keys, r.builder.Column(i))
	}
	r.window = r.builder.Column(len(keys)).(*column.Struct)
	for i := range calls {
		r.aggs = append(r.aggs, r.builder.Column(len(keys)+1+i))
	}
	r.start = r.window.Children[0].(*column.Fixed[int64])
	r.end = r.window.Children[1].(*column.Fixed[int64])
	return r
}

// schema is that of the results. Columns are known by position; the names are for people.
func schema(keys []arrow.Field, calls []agg.Call) *arrow.Schema {
	fields := append([]arrow.Field(nil), keys...)
	fields = append(fields, arrow.Field{Name: "window", Type: expr.Window})
	for _, c := range calls {
		fields = append(fields, arrow.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable})
	}
	return arrow.NewSchema(fields, nil)
}

// Add appends the results of groups, emitting full batches. window appends the window of each of the groups that it is given,
// by Window.
func (r *Results) Add(g *agg.Groups, slots []int32, window func(slots []int32), out operator.Emitter) error {
	for len(slots) > 0 {
		n := min(len(slots), maxRows-r.builder.Rows())
		g.Table.AppendKeys(slots[:n], r.keys)
		if err := g.Result(slots[:n], r.aggs); err != nil {
			return err
		}
		window(slots[:n])
		slots = slots[n:]
		if r.builder.Rows() >= maxRows {
			if err := r.Flush(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// Window appends one window n times.
func (r *Results) Window(start, end int64, n int) {
	for range n {
		r.start.Append(start)
		r.end.Append(end)
		r.window.Append()
		r.builder.AppendTime(end-1, column.Insert)
	}
}

// Flush emits what is held.
func (r *Results) Flush(out operator.Emitter) error {
	if r.builder.Rows() == 0 {
		return nil
	}
	err := out.Emit(r.builder.Batch())
	r.builder.Reset()
	return err
}

package topn

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
)

// output collects results and emits them in batches.
type output struct {
	// schema is that of the input.
	schema  *arrow.Schema
	builder *column.Builder
	rows    *ordered.Rows
	cols    []column.Appender
	rank    *column.Fixed[int64]
	// step is how much the rank grows from one copy of a row to the next.
	step int64
}

func newOutput(spec *graph.TopNSpec, in *arrow.Schema, rows *ordered.Rows) *output {
	fields := append([]arrow.Field(nil), in.Fields()...)
	if spec.WithRank {
		fields = append(fields, arrow.Field{Name: "rank", Type: arrow.PrimitiveTypes.Int64})
	}
	o := &output{schema: in, builder: column.NewBuilder(arrow.NewSchema(fields, nil), !spec.PerTime), rows: rows}
	for i := range in.NumFields() {
		o.cols = append(o.cols, o.builder.Column(i))
	}
	if spec.WithRank {
		o.rank = o.builder.Column(in.NumFields()).(*column.Fixed[int64])
	}
	if spec.Rank == graph.RowNumber {
		o.step = 1
	}
	return o
}

// put appends the copies of a row, emitting full batches.
func (o *output) put(r result, time int64, change column.Change, out operator.Emitter) error {
	for i := range r.copies {
		if o.builder.Rows() >= maxRows {
			if err := o.emit(out); err != nil {
				return err
			}
		}
		o.rows.Append(r.id, o.cols)
		if o.rank != nil {
			o.rank.Append(r.rank + i*o.step)
		}
		o.builder.AppendTime(time, change)
	}
	return nil
}

// emit puts out what is held.
func (o *output) emit(out operator.Emitter) error {
	if o.builder.Rows() == 0 {
		return nil
	}
	err := out.Emit(o.builder.Batch())
	o.builder.Reset()
	return err
}

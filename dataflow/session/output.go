package session

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/operator"
)

// maxRows is the most rows in one batch of results.
const maxRows = 8192

// output collects results and emits them in batches.
type output struct {
	builder    *column.Builder
	keys       []column.Appender
	window     *column.Struct
	start, end *column.Fixed[int64]
	aggs       []column.Appender
}

func newOutput(schema *arrow.Schema, keys int) *output {
	o := &output{builder: column.NewBuilder(schema, false)}
	for i := range schema.NumFields() {
		c := o.builder.Column(i)
		switch {
		case i < keys:
			o.keys = append(o.keys, c)
		case i == keys:
			o.window = c.(*column.Struct)
		default:
			o.aggs = append(o.aggs, c)
		}
	}
	o.start = o.window.Children[0].(*column.Fixed[int64])
	o.end = o.window.Children[1].(*column.Fixed[int64])
	return o
}

// emit appends the results of sessions, emitting full batches.
func (o *output) emit(a *aggregate, slots []int32, out operator.Emitter) error {
	for len(slots) > 0 {
		n := min(len(slots), maxRows-o.builder.Rows())
		a.groups.Table.AppendKeys(slots[:n], o.keys)
		if err := a.groups.Result(slots[:n], o.aggs); err != nil {
			return err
		}
		for _, s := range slots[:n] {
			own := a.own(s)
			end := a.end(own)
			o.start.Append(own[startWord])
			o.end.Append(end)
			o.window.Append()
			o.builder.AppendTime(end-1, column.Insert)
		}
		slots = slots[n:]
		if o.builder.Rows() >= maxRows {
			if err := o.flush(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush emits what is held.
func (o *output) flush(out operator.Emitter) error {
	if o.builder.Rows() == 0 {
		return nil
	}
	err := out.Emit(o.builder.Batch())
	o.builder.Reset()
	return err
}

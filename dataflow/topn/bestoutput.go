package topn

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// bestOutput collects the changes of best and emits them in batches. Records are copied one behind the other, and then
// taken apart column by column.
type bestOutput struct {
	record  *ordered.Record
	builder *column.Builder
	cols    []column.Appender
	// keys are the columns of the keys; of those that do not come back as they were, the record has the values, and spare
	// ones take what nobody needs.
	keys, spare []column.Appender
	rank        *column.Fixed[int64]
	records     []int64
	slots, all  []int32
}

func newBestOutput(spec *graph.TopNSpec, in *arrow.Schema, record *ordered.Record, apart []int) *bestOutput {
	o := newOutput(spec, in, nil)
	b := &bestOutput{record: record, builder: o.builder, cols: o.cols, rank: o.rank}
	for i, k := range spec.Keys {
		if len(apart) > 0 && apart[0] == k {
			b.keys, apart = append(b.keys, o.cols[k]), apart[1:]
			continue
		}
		spare := column.NewAppender(in.Field(spec.Keys[i]).Type)
		b.keys, b.spare = append(b.keys, spare), append(b.spare, spare)
	}
	return b
}

// bestChanges is how many partitions' changes are taken apart together, while they are in the nearest cache.
const bestChanges = 256

// room is for how many partitions' changes there is room, two for each, in the batch that is being collected.
func (o *bestOutput) room() int { return min(bestChanges, (maxRows-o.builder.Rows())/2) }

// add adds the record w, behind which its event time is, of the partition in a slot.
func (o *bestOutput) add(w []int64, slot int32, change column.Change) {
	o.records = append(o.records, w...)
	o.slots = append(o.slots, slot)
	o.builder.AppendTime(w[len(w)-1], change)
}

// take takes the records apart.
func (o *bestOutput) take(partitions *state.Table) {
	n := len(o.slots)
	if n == 0 {
		return
	}
	o.all = column.AllRows(o.all, n)
	o.record.Append(o.records, o.record.Size+1, o.all, o.cols)
	partitions.AppendKeys(o.slots, o.keys)
	for _, s := range o.spare {
		s.Reset()
	}
	if o.rank != nil {
		for i, ranks := 0, o.rank.Extend(n); i < n; i++ {
			ranks[i] = 1
		}
	}
	o.records, o.slots = o.records[:0], o.slots[:0]
}

// emit puts out what is held.
func (o *bestOutput) emit(out operator.Emitter) error {
	if o.builder.Rows() == 0 {
		return nil
	}
	err := out.Emit(o.builder.Batch())
	o.builder.Reset()
	return err
}

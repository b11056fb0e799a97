package join

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state/multimap"
)

// output collects results and emits them in batches.
type output struct {
	builder *column.Builder
	// cols are the output columns of each port, nulls one null of each of their types.
	cols, nulls [2][]column.Appender
	zeros       []int32
	times       []int64
	// leftTime gives pairs the left row's event time.
	leftTime bool
}

func newOutput(kind graph.JoinKind, in [2]*arrow.Schema, updating bool) output {
	var o output
	var fields []arrow.Field
	ports := []int{left, right}
	if leftOnly(kind) {
		ports = ports[:1]
	}
	for _, port := range ports {
		padded := !leftOnly(kind) && showOf(kind, 1-port) == showUnmatched
		for _, f := range in[port].Fields() {
			f.Nullable = f.Nullable || padded
			fields = append(fields, f)
		}
	}
	o.builder = column.NewBuilder(arrow.NewSchema(fields, nil), updating)
	at := 0
	for _, port := range ports {
		for range in[port].NumFields() {
			o.cols[port] = append(o.cols[port], o.builder.Column(at))
			at++
		}
	}
	return o
}

// emitPairs puts out pairs of rows of b, a batch of own's, with rows of other's. The pairs themselves stay as they are.
func (o *output) emitPairs(own, other *side, b *column.Batch, p *multimap.Pairs, change column.Change, out operator.Emitter) error {
	rows, ids := p.Rows, p.IDs
	for len(ids) > 0 {
		k, err := o.room(len(ids), out)
		if err != nil {
			return err
		}
		for i, c := range o.cols[own.port] {
			c.AppendSel(b.Cols[i], rows[:k])
		}
		for i, c := range o.cols[other.port] {
			other.m.Gather(other.where[i], c, ids[:k])
		}
		if o.leftTime {
			o.leftTimes(own, other, b, rows[:k], ids[:k])
		} else {
			o.times = other.m.AppendLater(o.times[:0], b.Time, rows[:k], ids[:k])
		}
		o.builder.AppendTimes(o.times, change)
		rows, ids = rows[k:], ids[k:]
	}
	return nil
}

// leftTimes fills in the event times of the left rows of pairs.
func (o *output) leftTimes(own, other *side, b *column.Batch, rows, ids []int32) {
	o.times = o.times[:0]
	if own.port == left {
		for _, r := range rows {
			o.times = append(o.times, b.Time[r])
		}
		return
	}
	for _, id := range ids {
		o.times = append(o.times, other.m.Time(id))
	}
}

// emitRows puts out rows of b, a batch of own's, by themselves.
func (o *output) emitRows(own *side, b *column.Batch, rows []int32, change column.Change, out operator.Emitter) error {
	for len(rows) > 0 {
		k, err := o.room(len(rows), out)
		if err != nil {
			return err
		}
		for i, c := range o.cols[own.port] {
			c.AppendSel(b.Cols[i], rows[:k])
		}
		o.pad(1-own.port, k)
		o.times = o.times[:0]
		for _, r := range rows[:k] {
			o.times = append(o.times, b.Time[r])
		}
		o.builder.AppendTimes(o.times, change)
		rows = rows[k:]
	}
	return nil
}

// emitStored puts out rows that a side has kept by themselves.
func (o *output) emitStored(s *side, ids []int32, change column.Change, out operator.Emitter) error {
	for len(ids) > 0 {
		k, err := o.room(len(ids), out)
		if err != nil {
			return err
		}
		for i, c := range o.cols[s.port] {
			s.m.Gather(s.where[i], c, ids[:k])
		}
		o.pad(1-s.port, k)
		o.times = o.times[:0]
		for _, id := range ids[:k] {
			o.times = append(o.times, s.m.Time(id))
		}
		o.builder.AppendTimes(o.times, change)
		ids = ids[k:]
	}
	return nil
}

// pad appends n nulls to every column of a port.
func (o *output) pad(port, n int) {
	if o.nulls[port] == nil {
		for _, c := range o.cols[port] {
			v := column.NewAppender(c.Type())
			v.AppendNull()
			o.nulls[port] = append(o.nulls[port], v)
		}
	}
	if cap(o.zeros) < n {
		o.zeros = make([]int32, maxRows)
	}
	for i, c := range o.cols[port] {
		c.AppendSel(o.nulls[port][i], o.zeros[:n])
	}
}

// room makes room for up to n rows, at least one, and says for how many there is.
func (o *output) room(n int, out operator.Emitter) (int, error) {
	if o.builder.Rows() == maxRows {
		if err := o.flush(out); err != nil {
			return 0, err
		}
	}
	return min(n, maxRows-o.builder.Rows()), nil
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

// Package unnest makes many rows of one: a row for every element of its lists, entry of its maps and value of its series.
//
// Batches come in, and batches of at most the usual size go out, however long a list or series is: the values of a series are
// made as they go out. What is kept of the input is repeated by index, and text borrows the input's bytes while a batch is
// out. There is no state: the rows of an input row follow each other, have its event time and its kind of change, and are
// the same whenever the row comes again as a retraction.
package unnest

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// maxRows bounds an output batch where the environment names no size.
const maxRows = 8192

// Operator is an unnest.
type Operator struct {
	spec  *graph.UnnestSpec
	limit int
	keep  []column.Appender
	calls []call
	// number counts the rows of an input row; nil without ordinality.
	number *column.Fixed[int64]
	out    column.Batch
	change []column.Change
	times  []int64
	// from is the input row of each output row.
	from    []int32
	scratch []int32
}

// New makes an unnest of rows of this schema; out is the schema of its output.
func New(spec *graph.UnnestSpec, in, out *arrow.Schema, env operator.Env) (*Operator, error) {
	o := &Operator{spec: spec, limit: env.BatchRows}
	if o.limit <= 0 || o.limit > maxRows {
		o.limit = maxRows
	}
	o.out.Schema = out
	for _, c := range spec.Keep {
		if c >= in.NumFields() {
			return nil, fault.Internalf("unnest keeps column %d of %d", c, in.NumFields())
		}
		o.add(&o.keep, in.Field(c).Type)
	}
	for i := range spec.Calls {
		c, err := newCall(&spec.Calls[i], in)
		if err != nil {
			return nil, err
		}
		for _, a := range c.out {
			o.out.Cols = append(o.out.Cols, a)
		}
		o.calls = append(o.calls, c)
	}
	if spec.Ordinality {
		o.number = column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
		o.out.Cols = append(o.out.Cols, o.number)
	}
	if len(o.out.Cols) != out.NumFields() {
		return nil, fault.Internalf("unnest makes %d columns, not %d", len(o.out.Cols), out.NumFields())
	}
	return o, nil
}

func (o *Operator) add(list *[]column.Appender, dt arrow.DataType) {
	a := column.NewAppender(dt)
	*list = append(*list, a)
	o.out.Cols = append(o.out.Cols, a)
}

// Process implements operator.Operator.
func (o *Operator) Process(_ int, b *column.Batch, out operator.Emitter) error {
	o.scratch = column.AllRows(o.scratch, b.N)
	for i := range o.calls {
		o.calls[i].open(b)
	}
	for _, r := range b.Selected(o.scratch) {
		if err := o.row(b, r, out); err != nil {
			return err
		}
	}
	return o.flush(b, out)
}

// row makes the rows of input row r, in as many batches as it takes.
func (o *Operator) row(b *column.Batch, r int32, out operator.Emitter) error {
	for i := range o.calls {
		if err := o.calls[i].start(r); err != nil {
			return err
		}
	}
	for made := 0; ; {
		room := o.limit - len(o.from)
		n := 0
		for i := range o.calls {
			n = max(n, o.calls[i].take(room))
		}
		if n == 0 && made == 0 && o.spec.Outer {
			o.nulls(r)
			n = 1
		} else {
			o.rows(r, made, n)
		}
		if made += n; n < room {
			return nil
		}
		if err := o.flush(b, out); err != nil {
			return err
		}
	}
}

// rows completes n rows of input row r, of which some were made before.
func (o *Operator) rows(r int32, made, n int) {
	for i := range o.calls {
		o.calls[i].pad(n)
	}
	for range n {
		o.from = append(o.from, r)
	}
	if o.number != nil {
		for i := range n {
			o.number.Append(int64(made + i + 1))
		}
	}
}

// nulls makes the row of an input row that has none.
func (o *Operator) nulls(r int32) {
	for i := range o.calls {
		o.calls[i].pad(1)
	}
	o.from = append(o.from, r)
	if o.number != nil {
		o.number.AppendNull()
	}
}

// flush emits the rows made so far.
func (o *Operator) flush(b *column.Batch, out operator.Emitter) error {
	if len(o.from) == 0 {
		return nil
	}
	for i, k := range o.keep {
		src := b.Cols[o.spec.Keep[i]]
		if text, ok := k.(*column.Bytes); ok {
			text.ShareSel(src.(*column.Bytes), o.from)
		} else {
			k.AppendSel(src, o.from)
		}
	}
	o.times, o.change = o.times[:0], o.change[:0]
	for _, r := range o.from {
		o.times = append(o.times, b.Time[r])
	}
	if b.Change != nil {
		for _, r := range o.from {
			o.change = append(o.change, b.Change[r])
		}
		o.out.Change = o.change
	} else {
		o.out.Change = nil
	}
	for i := range o.calls {
		o.calls[i].copy()
	}
	o.out.N, o.out.Time = len(o.from), o.times
	err := out.Emit(&o.out)
	o.from = o.from[:0]
	for _, c := range o.out.Cols {
		c.(column.Appender).Reset()
	}
	return err
}

// Watermark implements operator.Operator.
func (o *Operator) Watermark(int64, operator.Emitter) error { return nil }

// Snapshot implements operator.Operator; there is no state.
func (o *Operator) Snapshot(state.Writer) error { return nil }

// Finish implements operator.Operator.
func (o *Operator) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (o *Operator) Close() error { return nil }

// Package assign gives every row its time windows: a row for each window that its event time is in.
//
// Batches come in, and the same rows go out with one column more, the window {start, end}, and the window's end − 1 ns as
// their event time: they are results of that window. The windows of a row follow each other, in the order of their ends.
// Columns are lent on where no row is in several windows, else copied, text aside, whose bytes are borrowed. There is no
// state, so a retraction gets the windows of the row that it takes back. Nothing here blocks.
package assign

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/grid"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// maxRows bounds an output batch.
const maxRows = 8192

// Operator is the assigner.
type Operator struct {
	grid  grid.Grid
	once  bool // a row is in one window
	limit int
	// first is the window of the row before.
	first  grid.Window
	valid  bool
	window *column.Struct
	start  *column.Fixed[int64]
	end    *column.Fixed[int64]
	out    column.Batch
	times  []int64
	change []column.Change
	// from is the input row of each output row, and copies hold the input's columns, where rows are in several windows.
	from   []int32
	copies []column.Appender
	all    []int32
}

// New makes an assigner; out is the schema of its output.
func New(spec *graph.AssignSpec, in, out *arrow.Schema, env operator.Env) (operator.Operator, error) {
	times, err := grid.New(spec.Window)
	if err != nil {
		return nil, err
	}
	o := &Operator{
		grid: times, once: spec.Window.Kind == graph.Tumble, limit: env.BatchRows,
		window: column.NewStruct(out.Field(out.NumFields() - 1).Type.(*arrow.StructType)),
	}
	if o.limit <= 0 || o.limit > maxRows {
		o.limit = maxRows
	}
	o.start, o.end = o.window.Children[0].(*column.Fixed[int64]), o.window.Children[1].(*column.Fixed[int64])
	o.out.Schema, o.out.Cols = out, make([]column.Vector, out.NumFields())
	o.out.Cols[in.NumFields()] = o.window
	if !o.once {
		for i, f := range in.Fields() {
			c := column.NewAppender(f.Type)
			o.copies, o.out.Cols[i] = append(o.copies, c), c
		}
	}
	return o, nil
}

// Process implements operator.Operator.
func (o *Operator) Process(_ int, b *column.Batch, out operator.Emitter) error {
	if o.once {
		return o.extend(b, out)
	}
	o.all = column.AllRows(o.all, b.N)
	for _, r := range b.Selected(o.all) {
		t := b.Time[r]
		for w, ok := o.around(t), true; ok && w.Start <= t; w, ok = o.grid.Next(w) {
			o.from = append(o.from, r)
			o.append(w)
			if len(o.from) == o.limit {
				if err := o.flush(b, out); err != nil {
					return err
				}
			}
		}
	}
	return o.flush(b, out)
}

// around is the first window that ends after t.
func (o *Operator) around(t int64) grid.Window {
	if !o.once || !o.valid || t < o.first.Start || t >= o.first.End {
		o.first, o.valid = o.grid.First(t), true
	}
	return o.first
}

func (o *Operator) append(w grid.Window) {
	o.start.Append(w.Start)
	o.end.Append(w.End)
	o.window.Append()
	o.times = append(o.times, w.End-1)
}

// extend puts a column behind those of a batch.
func (o *Operator) extend(b *column.Batch, out operator.Emitter) error {
	o.clear()
	for _, t := range b.Time[:b.N] {
		o.append(o.around(t))
	}
	copy(o.out.Cols, b.Cols)
	o.out.N, o.out.Time, o.out.Change, o.out.Sel = b.N, o.times, b.Change, b.Sel
	return out.Emit(&o.out)
}

func (o *Operator) clear() {
	o.window.Reset()
	o.times, o.change, o.from = o.times[:0], o.change[:0], o.from[:0]
}

// flush emits the rows made so far.
func (o *Operator) flush(b *column.Batch, out operator.Emitter) error {
	if len(o.from) == 0 {
		return nil
	}
	for i, c := range o.copies {
		if text, ok := c.(*column.Bytes); ok {
			text.ShareSel(b.Cols[i].(*column.Bytes), o.from)
		} else {
			c.AppendSel(b.Cols[i], o.from)
		}
	}
	o.out.Change = nil
	if b.Change != nil {
		for _, r := range o.from {
			o.change = append(o.change, b.Change[r])
		}
		o.out.Change = o.change
	}
	o.out.N, o.out.Time = len(o.from), o.times
	err := out.Emit(&o.out)
	o.clear()
	for _, c := range o.copies {
		c.Reset()
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

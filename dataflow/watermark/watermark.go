// Package watermark makes a table's watermarks from its rows.
//
// The watermark at a row is the greatest value of the watermark expression over the row and all rows before it in this
// subtask: it never goes back. Whether a row is late is decided by the rows before it, not by where a batch happens to
// end: when a row lies behind a watermark that could already have closed its window, the batch is cut before that row
// and the watermark goes first. So batch sizes do not change results.
package watermark

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/eventtime"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// table is the name of the global state table: per subtask the watermark reached.
const table = "w"

// none is the watermark before the first row.
const none = math.MinInt64

// idleCheck is how often an operator with an idle time looks at the clock.
const idleCheck = time.Second

// Operator is a watermark generator. Rows pass through unchanged.
type Operator struct {
	spec *graph.WatermarkSpec
	env  operator.Env
	eval *expr.Evaluator
	// granularity as graph.Program.WatermarkGranularity: batches are cut only where a multiple of it is crossed.
	granularity int64
	// reached is the running maximum, sent what the consumers know.
	reached, sent int64
	lastRow       time.Time
	idle          bool
	part          column.Batch
	sel           []int32
}

// New makes a generator; granularity as given by graph.Program.WatermarkGranularity.
func New(spec *graph.WatermarkSpec, in *arrow.Schema, functions *expr.Functions, granularity int64, env operator.Env) (*Operator, error) {
	o := &Operator{spec: spec, env: env, granularity: granularity, reached: none, sent: none, lastRow: env.Clock.Now()}
	if spec.Expr != nil {
		e, err := expr.Compile([]*expr.Node{spec.Expr}, in, functions, expr.WithClock(env.Clock))
		if err != nil {
			return nil, err
		}
		o.eval = e
	}
	if env.Restore != nil {
		if err := o.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// MakesWatermarks implements operator.WatermarkMaker.
func (o *Operator) MakesWatermarks() {}

// Process implements operator.Operator.
func (o *Operator) Process(_ int, b *column.Batch, out operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	o.lastRow, o.idle = o.env.Clock.Now(), false
	marks, valid, shift, err := o.marks(b)
	if err != nil {
		return err
	}
	if b.Sel == nil && valid == nil {
		err = o.scanAll(b, marks, shift, out)
	} else {
		err = o.scanSelected(b, marks, valid, shift, out)
	}
	if err != nil {
		return err
	}
	return o.send(out)
}

// marks gives the watermark at each row as values to which shift is to be added; valid is nil or says which rows have one.
func (o *Operator) marks(b *column.Batch) (vals []int64, valid column.Bitmap, shift int64, err error) {
	if o.eval == nil {
		return b.Time, nil, -o.spec.Delay, nil
	}
	cols, err := o.eval.Eval(b)
	if err != nil {
		return nil, nil, 0, err
	}
	v := cols[0].(*column.Fixed[int64])
	return v.Values, v.Valid, 0, nil
}

// scanAll advances over all rows of b, cutting it where needed.
func (o *Operator) scanAll(b *column.Batch, marks []int64, shift int64, out operator.Emitter) error {
	from := 0
	reached := o.reached
	times := b.Time[:b.N]
	marks = marks[:len(times)]
	for i, t := range times {
		if t < reached && o.crossed(reached) {
			o.reached = reached
			if err := o.cut(b, from, i, out); err != nil {
				return err
			}
			from = i
		}
		if m := eventtime.Add(marks[i], shift); m > reached {
			reached = m
		}
	}
	o.reached = reached
	if from == 0 {
		return out.Emit(b)
	}
	return o.emitRange(b, from, b.N, out)
}

func (o *Operator) scanSelected(b *column.Batch, marks []int64, valid column.Bitmap, shift int64, out operator.Emitter) error {
	o.sel = column.AllRows(o.sel, b.N)
	sel := b.Selected(o.sel)
	from := 0
	for k, r := range sel {
		i := int(r)
		if b.Time[i] < o.reached && o.crossed(o.reached) {
			if err := o.emitSelected(b, sel[from:k], out); err != nil {
				return err
			}
			if err := o.send(out); err != nil {
				return err
			}
			from = k
		}
		if valid.IsValid(i) {
			o.reached = max(o.reached, eventtime.Add(marks[i], shift))
		}
	}
	return o.emitSelected(b, sel[from:], out)
}

// crossed reports whether the watermark w would close windows that the consumers still have open.
func (o *Operator) crossed(w int64) bool {
	if o.granularity == 0 || w <= o.sent {
		return false
	}
	return o.sent == none || eventtime.FloorDiv(w, o.granularity) > eventtime.FloorDiv(o.sent, o.granularity)
}

// cut emits the rows from..to of b and then the watermark reached.
func (o *Operator) cut(b *column.Batch, from, to int, out operator.Emitter) error {
	if err := o.emitRange(b, from, to, out); err != nil {
		return err
	}
	return o.send(out)
}

func (o *Operator) emitRange(b *column.Batch, from, to int, out operator.Emitter) error {
	o.sel = o.sel[:0]
	for r := from; r < to; r++ {
		o.sel = append(o.sel, int32(r))
	}
	return o.emitSelected(b, o.sel, out)
}

func (o *Operator) emitSelected(b *column.Batch, sel []int32, out operator.Emitter) error {
	if len(sel) == 0 {
		return nil
	}
	o.part = *b
	o.part.Sel = sel
	if len(sel) == b.N {
		o.part.Sel = nil
	}
	return out.Emit(&o.part)
}

func (o *Operator) send(out operator.Emitter) error {
	if o.reached <= o.sent {
		return nil
	}
	o.sent = o.reached
	return out.Watermark(o.sent)
}

// TickInterval implements operator.Ticker; without an idle time there is nothing to look at.
func (o *Operator) TickInterval() time.Duration {
	if o.spec.Idle <= 0 {
		return 0
	}
	return idleCheck
}

// Tick implements operator.Ticker: a subtask that has been silent for the idle time says so once.
func (o *Operator) Tick(now time.Time, out operator.Emitter) error {
	if o.idle || now.Sub(o.lastRow) < time.Duration(o.spec.Idle) {
		return nil
	}
	o.idle = true
	return out.Idle()
}

// Watermark implements operator.Operator: only the end of the input passes.
func (o *Operator) Watermark(w int64, out operator.Emitter) error {
	if w == operator.EndOfTime {
		o.reached = w
		return o.send(out)
	}
	return nil
}

// Snapshot implements operator.Operator.
func (o *Operator) Snapshot(w state.Writer) error {
	w.Global(table, fmt.Appendf(nil, "%d/%d", o.env.Subtask, o.env.Parallelism), binary.LittleEndian.AppendUint64(nil, uint64(o.reached)))
	return nil
}

// restore takes the old subtask's own watermark when the parallelism is the same, and the least of all otherwise.
func (o *Operator) restore(r state.Reader) error {
	own, least, seen := int64(none), int64(math.MaxInt64), 0
	same := false
	err := r.Global(table, func(key, value []byte) error {
		if len(value) != 8 {
			return fault.Internalf("watermark state has %d bytes", len(value))
		}
		w := int64(binary.LittleEndian.Uint64(value))
		seen++
		least = min(least, w)
		if string(key) == fmt.Sprintf("%d/%d", o.env.Subtask, o.env.Parallelism) {
			own, same = w, true
		}
		return nil
	})
	switch {
	case err != nil || seen == 0:
		return err
	case same:
		o.reached = own
	default:
		o.reached = least
	}
	return nil
}

// Finish implements operator.Operator.
func (o *Operator) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (o *Operator) Close() error { return nil }

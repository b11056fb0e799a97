package engine

import (
	"time"

	"wadi/dataflow/column"
	"wadi/dataflow/eventtime"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// instance is one operator at one subtask index: a link of a task's chain. It is the Emitter that its operator sees.
type instance struct {
	task    *task
	node    *graph.Node
	op      operator.Operator // nil for a source
	outs    []output
	metrics *operator.Metrics
	// keys is the range of key hashes that the subtask owns.
	keys column.KeyRange
	// makes is set for operators that make their own watermarks.
	makes   bool
	flusher operator.Flusher
	// granularity as graph.Program.WatermarkGranularity.
	granularity int64
	ticker      operator.Ticker
	nextTick    time.Time
	// reached is the last watermark that came in (for sources and watermark makers, that went out).
	reached    int64
	hasReached bool
	ended      bool
	// owesCommit says that the last snapshot pre-committed something.
	owesCommit bool
}

// Emit implements operator.Emitter.
func (i *instance) Emit(b *column.Batch) error {
	rows := b.Rows()
	if rows == 0 {
		return nil
	}
	i.metrics.RowsOut.Add(int64(rows))
	for _, o := range i.outs {
		if err := o.batch(b); err != nil {
			return err
		}
	}
	return nil
}

// Watermark implements operator.Emitter.
func (i *instance) Watermark(w int64) error {
	i.setReached(w)
	return i.forwardWatermark(w)
}

// Idle implements operator.Emitter.
func (i *instance) Idle() error { return i.forwardIdle() }

func (i *instance) setReached(w int64) {
	i.reached, i.hasReached = w, true
	i.metrics.Watermark.Store(w)
}

func (i *instance) forwardWatermark(w int64) error {
	for _, o := range i.outs {
		if err := o.watermark(w); err != nil {
			return err
		}
	}
	return nil
}

func (i *instance) forwardIdle() error {
	for _, o := range i.outs {
		if err := o.idle(); err != nil {
			return err
		}
	}
	return nil
}

func (i *instance) process(port int, b *column.Batch) error {
	i.metrics.RowsIn.Add(int64(b.Rows()))
	prev := i.task.enter(i)
	err := i.op.Process(port, b, i)
	i.task.enter(prev)
	return i.blame(err)
}

func (i *instance) watermark(w int64) error {
	if i.makes {
		return i.blame(i.op.Watermark(w, i))
	}
	if i.flusher != nil && i.mattersBelow(w) {
		if err := i.flush(); err != nil {
			return err
		}
	}
	i.setReached(w)
	prev := i.task.enter(i)
	err := i.op.Watermark(w, i)
	i.task.enter(prev)
	if err != nil {
		return i.blame(err)
	}
	return i.forwardWatermark(w)
}

// mattersBelow reports whether the watermark w may close a window of an operator below, which must not miss results that
// this one holds back.
func (i *instance) mattersBelow(w int64) bool {
	switch {
	case i.granularity == 0:
		return false
	case w == operator.EndOfTime || !i.hasReached:
		return true
	}
	return eventtime.FloorDiv(w, i.granularity) > eventtime.FloorDiv(i.reached, i.granularity)
}

// barrier flushes and snapshots this operator, then passes the barrier on.
func (i *instance) barrier(b Barrier) error {
	if err := i.flush(); err != nil {
		return err
	}
	w := newSnapshotWriter(b)
	if i.op != nil {
		if err := i.op.Snapshot(w); err != nil {
			return i.blame(err)
		}
	} else if err := i.task.source.Snapshot(w); err != nil {
		return i.blame(err)
	}
	i.owesCommit = len(w.commits) > 0
	i.task.engine.snapshotted(i, w)
	for _, o := range i.outs {
		if err := o.barrier(b); err != nil {
			return err
		}
	}
	return nil
}

func (i *instance) flush() error {
	if i.flusher == nil {
		return nil
	}
	prev := i.task.enter(i)
	err := i.flusher.Flush(i)
	i.task.enter(prev)
	return i.blame(err)
}

// end finishes this operator, whose inputs have all ended, and passes the end on.
func (i *instance) end() error {
	if err := i.flush(); err != nil {
		return err
	}
	if i.op != nil {
		if err := i.op.Finish(i); err != nil {
			return i.blame(err)
		}
	}
	i.ended = true
	for _, o := range i.outs {
		if err := o.end(); err != nil {
			return err
		}
	}
	i.task.engine.config.Listener.TaskDrained(i.id())
	return nil
}

func (i *instance) id() Subtask { return Subtask{Operator: i.node.ID, Index: i.task.subtask} }

// tick calls the operator's Tick when it is due; next is when it wants to be called again.
func (i *instance) tick(now time.Time) (progress bool, err error) {
	if i.ticker == nil || i.ended || now.Before(i.nextTick) {
		return false, nil
	}
	i.nextTick = now.Add(i.ticker.TickInterval())
	out := i.metrics.RowsOut.Load()
	prev := i.task.enter(i)
	err = i.ticker.Tick(now, i)
	i.task.enter(prev)
	return i.metrics.RowsOut.Load() != out, i.blame(err)
}

// blame names the operator in an error that comes from its code.
func (i *instance) blame(err error) error {
	if err == nil {
		return nil
	}
	f := fault.As(err)
	if f.Operator != "" {
		return err
	}
	named := *f
	named.Operator = i.node.Description
	if named.Operator == "" {
		named.Operator = i.node.ID
	}
	if named.Span.IsZero() {
		named.Span = i.node.Span
	}
	return &named
}

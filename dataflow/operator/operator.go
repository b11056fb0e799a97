// Package operator is where operators, sources and the runtime meet: interfaces only.
//
// One goroutine owns an operator and calls its methods one at a time. Batches are lent (see package column): an operator
// may keep nothing of a batch beyond the call unless it copies it. An operator never starts goroutines that outlive
// Close, reads no clock but Env.Clock, and does no I/O in Process unless it is a sink or looks rows up.
package operator

import (
	"context"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// EndOfTime is the watermark after the last row of a finished input.
const EndOfTime int64 = 1<<63 - 1

// Emitter takes what an operator or a source puts out. Calls may block when the consumer is slow.
type Emitter interface {
	// Emit lends b to the consumers until it returns.
	Emit(b *column.Batch) error
	// Watermark promises that later rows have an event time at or after w, late ones aside. Only sources and operators that
	// implement WatermarkMaker call it.
	Watermark(w int64) error
	// Idle says that, until the next row or watermark, this subtask does not hold watermarks back. As Watermark.
	Idle() error
}

// Operator transforms batches. Inputs are numbered by port; several edges may lead to one port.
type Operator interface {
	// Process handles a batch of input port in.
	Process(in int, b *column.Batch, out Emitter) error
	// Watermark emits what the watermark w, the minimum over all inputs, releases. Watermarks only grow. The runtime
	// forwards w after it returns, except to the consumers of a WatermarkMaker. At the end of input w is EndOfTime.
	Watermark(w int64, out Emitter) error
	// Snapshot hands over the state as of now, the synchronous part of a checkpoint: it copies or gives away memory;
	// encoding and upload go on elsewhere.
	Snapshot(w state.Writer) error
	// Finish is called once, after the end of all inputs and after Watermark(EndOfTime). A last Snapshot follows.
	Finish(out Emitter) error
	// Close frees what the operator holds; it is called exactly once, also after an error.
	Close() error
}

// WatermarkMaker marks an operator that calls Emitter.Watermark itself; the runtime does not forward watermarks past it.
type WatermarkMaker interface{ MakesWatermarks() }

// Ticker is an operator that wants to act on the wall clock.
type Ticker interface {
	// TickInterval is how often, at most, Tick is called.
	TickInterval() time.Duration
	// Tick may emit.
	Tick(now time.Time, out Emitter) error
}

// Flusher is an operator that holds results back. Flush is called before Snapshot at a barrier and before Finish.
type Flusher interface {
	Flush(out Emitter) error
}

// Committer is a sink with a two-phase commit. Snapshot pre-commits and puts what identifies the pre-commit into the
// writer (Writer.Commit); when the checkpoint is durable, Commit is called with all such data of the operator's
// subtasks that this subtask is given, possibly more than once and possibly after a restart: it is idempotent.
type Committer interface {
	Commit(ctx context.Context, epoch uint64, data [][]byte) error
}

// Status is what a source has to say after a Read.
type Status uint8

const (
	// Ready: there may be more at once.
	Ready Status = iota
	// Waiting: nothing now; the runtime calls again when Env.Wake was called or the linger time has passed.
	Waiting
	// Done: the input has ended for this subtask. Read is not called again.
	Done
)

// Source makes batches. It is pulled: barriers and stop requests happen between two reads, so a Read emits everything
// that it has taken from its input and that Snapshot's position covers.
type Source interface {
	// Read emits at most a few batches and returns within the linger time. A source whose input blocks keeps a goroutine
	// with a bounded buffer behind it.
	Read(ctx context.Context, out Emitter) (Status, error)
	// Snapshot writes the position after the last row emitted.
	Snapshot(w state.Writer) error
	// Close frees what the source holds; it is called exactly once.
	Close() error
}

// Lookup says which row a key has. It belongs to one goroutine.
type Lookup interface {
	// Fetch gives the rows of n keys, which differ from each other and hold no nulls; keys has a column for each column of
	// the table's primary key. The batch has the table's columns, and at says for each key which of its rows is the key's, −1
	// where there is none; both are lent until the next call. Fetch blocks until the answer is there or ctx ends; that a
	// server does not answer is a transient fault.
	Fetch(ctx context.Context, keys []column.Vector, n int) (rows *column.Batch, at []int32, err error)
	// Close frees what the lookup holds; it is called exactly once.
	Close() error
}

// Stopper is a source that has taken input which it cannot read again. Stop is called before the last barrier of a
// clean stop: it emits whatever complete records it still holds and takes no more.
type Stopper interface {
	Stop(ctx context.Context, out Emitter) error
}

// Env is what an operator or source knows about where it runs.
type Env struct {
	JobID      string
	OperatorID string
	// Subtask is in 0..Parallelism-1.
	Subtask, Parallelism int
	// Keys is the range of key hashes that this subtask owns.
	Keys column.KeyRange
	// Context ends when the subtask has to stop, for what an operator asks of the outside world; nil never ends.
	Context context.Context
	Clock   clock.Clock
	// BatchRows and Linger bound how much a source collects before it emits.
	BatchRows int
	Linger    time.Duration
	// Restore is the state to start from; nil for a fresh start.
	Restore state.Reader
	// Wake makes the runtime poll the task soon; it never blocks and may be called from any goroutine.
	Wake func()
	// Report tells about an error that does not stop the job; the runtime counts and rate-limits it.
	Report func(err error)
	// Metrics are the subtask's counters.
	Metrics *Metrics
	// IO holds the streams of the process, for the connectors stdin and stdout.
	IO IO
}

package checkpoint

import (
	"fmt"
	"time"

	manifest "wadi/storage/checkpoint"
)

// Task is one subtask of one operator.
type Task struct {
	Operator string
	Index    int
}

// String gives "operator/index".
func (t Task) String() string { return fmt.Sprintf("%s/%d", t.Operator, t.Index) }

// From says who a message is from. Messages of another generation, or of a worker that the task does not run on, are
// ignored.
type From struct {
	Worker     uint64
	Generation uint64
	Task       Task
}

// Event is something that happened; the types below.
type Event interface{ event() }

// Start begins a run: all tasks are running. It comes first, and once.
type Start struct {
	Generation uint64
	// NextEpoch is the number of the first epoch of this run.
	NextEpoch uint64
	// Tasks are all subtasks, in the order of the program, with the worker that each runs on.
	Tasks []Placed
	// ProgramHash goes into every manifest.
	ProgramHash string
	// Restored is the checkpoint that the run started from; nil for a fresh start. It is not modified.
	Restored *manifest.Manifest
	// Replay says that the commits of Restored may be incomplete.
	Replay bool
}

// Placed is a task and the worker that it runs on.
type Placed struct {
	Task
	Worker uint64
}

// Tick only tells the time.
type Tick struct{}

// Configure changes the interval of a running job.
type Configure struct{ Interval time.Duration }

// StopRequest asks for a last checkpoint, in which all tasks end.
type StopRequest struct{}

// Drained says that a task has processed the end of all its inputs.
type Drained struct{ From From }

// Ack says that a task has written its state.
type Ack struct {
	From     From
	Epoch    uint64
	Snapshot Snapshot
}

// Committed says that a task has committed an epoch.
type Committed struct {
	From  From
	Epoch uint64
}

// Published says that the manifest of an epoch is durable. With an error it may be: Stale means that this generation has
// been replaced, and Final that trying again is of no use.
type Published struct {
	Epoch uint64
	Err   error
	Stale bool
	Final bool
}

// Marked says that storage knows of the commits of an epoch; errors as in Published.
type Marked struct {
	Epoch uint64
	Err   error
	Stale bool
	Final bool
}

func (Start) event()       {}
func (Tick) event()        {}
func (Configure) event()   {}
func (StopRequest) event() {}
func (Drained) event()     {}
func (Ack) event()         {}
func (Committed) event()   {}
func (Published) event()   {}
func (Marked) event()      {}

// Snapshot is what one task wrote for one epoch.
type Snapshot struct {
	// Watermark in nanoseconds; nil if there was none.
	Watermark *int64
	// StartMicros is when the barrier came, FinishMicros when the last file was written; microseconds since the epoch.
	StartMicros, FinishMicros int64
	// Bytes is the size of the files.
	Bytes  int64
	Tables []Table
	// Commit is what a two-phase sink has to commit; NeedsCommit that it waits for its commit even without data.
	Commit      [][]byte
	NeedsCommit bool
}

// Table is what one task wrote of one table.
type Table struct {
	Name string
	// Kind is manifest.Global or manifest.Keyed.
	Kind string
	// Base says that the files replace every earlier row whose key hash lies in their bounds.
	Base bool
	// ExpireBelow permits to drop files that only have rows below this time, as far as this task owns their keys.
	ExpireBelow *int64
	Files       []manifest.File
}

// Effect is something to do; the types below.
type Effect interface{ effect() }

// Barrier starts an epoch at every source.
type Barrier struct {
	Epoch uint64
	// ThenStop ends every task after the epoch; Final says that all inputs have ended.
	ThenStop, Final bool
}

// Publish makes a checkpoint durable; answered by Published.
type Publish struct{ Manifest manifest.Manifest }

// Commit tells tasks that an epoch is durable; each answers with Committed. It may be sent more than once.
type Commit struct {
	Epoch uint64
	Tasks []TaskCommit
}

// TaskCommit is what one task has to commit.
type TaskCommit struct {
	Placed
	Data [][]byte
}

// Mark records that an epoch is committed; answered by Marked.
type Mark struct{ Epoch uint64 }

// Completed says that an epoch is durable and committed. Replayed marks the commits of the checkpoint that the run
// started from.
type Completed struct {
	Epoch           uint64
	ThenStop, Final bool
	Replayed        bool
	Took            time.Duration
}

// Aborted says that an epoch was given up; its files become part of the next one.
type Aborted struct {
	Epoch  uint64
	Reason string
}

// Failed says that the run cannot go on: it has to be recovered, or, if Stale, left to whoever replaced it. The
// coordinator does nothing any more.
type Failed struct {
	Err   error
	Stale bool
}

// Ignored reports a message that was not expected, for the log.
type Ignored struct{ Reason string }

func (Barrier) effect()   {}
func (Publish) effect()   {}
func (Commit) effect()    {}
func (Mark) effect()      {}
func (Completed) effect() {}
func (Aborted) effect()   {}
func (Failed) effect()    {}
func (Ignored) effect()   {}

package job

import (
	"wadi/controller/checkpoint"
)

// Event is something that happened; the types below. Events of a run carry its generation, and those of another are
// ignored.
type Event interface{ event() }

// Tick only tells the time.
type Tick struct{}

// Desire says what is wanted of the job; it comes first, and at every change.
type Desire struct{ Desired Desired }

// Claimed answers Claim.
type Claimed struct {
	Generation uint64
	// Tasks are all subtasks, in the order of the program; Slots is how many slots they need.
	Tasks []checkpoint.Task
	Slots int
	// Complete says that the checkpoint to start from is the committed end of the job: there is nothing left to do.
	Complete bool
}

// Unclaimed answers Claim with an error, StartFailed answers StartWorkers or Execute with one.
type Unclaimed struct{ Err error }

// StartFailed says that workers or tasks could not be started.
type StartFailed struct {
	Generation uint64
	Err        error
}

// Registered says that a worker is ready for tasks.
type Registered struct {
	Worker, Generation uint64
	Slots              int
}

// Heartbeat says that a worker is alive. Every other message of a worker says so, too.
type Heartbeat struct{ Worker, Generation uint64 }

// Initialized says that a worker has built its tasks, or could not.
type Initialized struct {
	Worker, Generation uint64
	Err                error
}

// TaskStarted says that a task runs.
type TaskStarted struct{ From checkpoint.From }

// TaskDrained says that a task has processed the end of its inputs.
type TaskDrained struct{ From checkpoint.From }

// TaskFinished says that a task has ended without an error.
type TaskFinished struct{ From checkpoint.From }

// TaskFailed says that a task has ended with one.
type TaskFailed struct {
	From checkpoint.From
	Err  error
}

// WorkerExited says that a worker is gone for certain. Err tells why, if it is known.
type WorkerExited struct {
	Worker, Generation uint64
	Err                error
}

// WorkersStopped answers StopWorkers: they are all gone for certain.
type WorkersStopped struct{ Generation uint64 }

// Draining says that the last epoch, after the end of all inputs, has begun.
type Draining struct{ Generation uint64 }

// LastCheckpoint says that the epoch in which all tasks end is durable and committed. Final: it was that of the end of
// all inputs.
type LastCheckpoint struct {
	Generation uint64
	Final      bool
}

// CheckpointFailed says that the run cannot go on. Stale: another controller runs the job.
type CheckpointFailed struct {
	Generation uint64
	Err        error
	Stale      bool
}

func (Tick) event()             {}
func (Desire) event()           {}
func (Claimed) event()          {}
func (Unclaimed) event()        {}
func (StartFailed) event()      {}
func (Registered) event()       {}
func (Heartbeat) event()        {}
func (Initialized) event()      {}
func (TaskStarted) event()      {}
func (TaskDrained) event()      {}
func (TaskFinished) event()     {}
func (TaskFailed) event()       {}
func (WorkerExited) event()     {}
func (WorkersStopped) event()   {}
func (Draining) event()         {}
func (LastCheckpoint) event()   {}
func (CheckpointFailed) event() {}

// Effect is something to do; the types below.
type Effect interface{ effect() }

// Persist stores the status.
type Persist struct{ Status Status }

// Claim claims a generation and finds out what to start from; answered by Claimed or Unclaimed.
type Claim struct{ Parallelism int }

// StartWorkers starts workers with at least this many slots together; each answers with Registered.
type StartWorkers struct {
	Generation uint64
	Slots      int
}

// Execute hands every worker its tasks.
type Execute struct {
	Generation uint64
	Tasks      []checkpoint.Placed
}

// StartCheckpoints begins the work of the checkpoint coordinator: all tasks run.
type StartCheckpoints struct {
	Generation uint64
	Tasks      []checkpoint.Placed
}

// RequestLastCheckpoint asks the coordinator for the epoch in which all tasks end.
type RequestLastCheckpoint struct{}

// StopTasks tells all workers to stop their tasks.
type StopTasks struct {
	Generation uint64
	// Graceful lets all rows drain through.
	Graceful bool
}

// StopWorkers ends the generation: its workers are released if it ended well, else killed. Answered by WorkersStopped.
// The coordinator's work is over.
type StopWorkers struct {
	Generation uint64
	Kill       bool
}

// Fenced says that another controller runs this job now: everything of it here has to stop, and nothing may be stored.
type Fenced struct{ Err error }

// Ignored reports a message that was not expected, for the log.
type Ignored struct{ Reason string }

func (Persist) effect()               {}
func (Claim) effect()                 {}
func (StartWorkers) effect()          {}
func (Execute) effect()               {}
func (StartCheckpoints) effect()      {}
func (RequestLastCheckpoint) effect() {}
func (StopTasks) effect()             {}
func (StopWorkers) effect()           {}
func (Fenced) effect()                {}
func (Ignored) effect()               {}

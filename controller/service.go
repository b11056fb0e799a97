package controller

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/dataflow/fault"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

var _ wire.ControllerServiceHandler = (*Controller)(nil)

// sender finds the job of a message, and refuses messages of other generations than the present one. Workers and tasks
// are checked by the state machines.
func (c *Controller) sender(w *wire.WorkerContext) (*supervisor, error) {
	if w.GetWorkerId() == 0 || w.GetJobId() == "" {
		return nil, connect.NewError(connect.CodeInvalidArgument, errors.New("the message does not say which worker it is from"))
	}
	s := c.supervisor(w.JobId)
	if s == nil {
		return nil, refuse("job %s does not run here", w.JobId)
	}
	if now := s.generation(); now != w.Generation {
		return nil, refuse("the message is of generation %d of job %s, which is at generation %d", w.Generation, w.JobId, now)
	}
	return s, nil
}

// refuse tells a worker that it has been replaced.
func refuse(format string, args ...any) error {
	return connect.NewError(connect.CodeFailedPrecondition, &fault.Error{
		Kind: fault.Transient, Code: fault.CodeStaleRun, Message: fmt.Sprintf(format, args...),
	})
}

func (s *supervisor) generation() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.number
}

// from names a task and who speaks for it.
func from(w *wire.WorkerContext, operator string, subtask uint32) checkpoint.From {
	return checkpoint.From{Worker: w.WorkerId, Generation: w.Generation, Task: checkpoint.Task{Operator: operator, Index: int(subtask)}}
}

// RegisterWorker implements wire.ControllerServiceHandler.
func (c *Controller) RegisterWorker(_ context.Context, r *wire.RegisterWorkerRequest) (*wire.RegisterWorkerResponse, error) {
	s, err := c.sender(r.Context)
	if err != nil {
		return nil, err
	}
	id, gen, slots, address := r.Context.WorkerId, r.Context.Generation, int(r.Slots), r.RpcAddress
	s.post(func() {
		if g := s.present; g != nil && g.number == gen {
			g.addresses[id] = address
		}
		s.stepJob(job.Registered{Worker: id, Generation: gen, Slots: slots})
	})
	settings := c.config.Settings
	return &wire.RegisterWorkerResponse{LeaseTtlNanos: int64(settings.Job.LeaseTTL), HeartbeatIntervalNanos: int64(settings.HeartbeatInterval)}, nil
}

// WorkerInitializationComplete implements wire.ControllerServiceHandler.
func (c *Controller) WorkerInitializationComplete(_ context.Context, r *wire.WorkerInitializationCompleteRequest) (*wire.WorkerInitializationCompleteResponse, error) {
	s, err := c.sender(r.Context)
	if err != nil {
		return nil, err
	}
	ev := job.Initialized{Worker: r.Context.WorkerId, Generation: r.Context.Generation}
	if r.Failure != nil {
		ev.Err = r.Failure.Fault()
	}
	s.post(func() { s.stepJob(ev) })
	return &wire.WorkerInitializationCompleteResponse{}, nil
}

// Heartbeat implements wire.ControllerServiceHandler. The reply names the present generation even to a worker of another
// one, which stops then.
func (c *Controller) Heartbeat(_ context.Context, r *wire.HeartbeatRequest) (*wire.HeartbeatResponse, error) {
	s, err := c.sender(r.Context)
	if err != nil {
		return nil, err
	}
	ev := job.Heartbeat{Worker: r.Context.WorkerId, Generation: r.Context.Generation}
	s.post(func() { s.stepJob(ev) })
	return &wire.HeartbeatResponse{Generation: r.Context.Generation, LeaseTtlNanos: int64(c.config.Settings.Job.LeaseTTL)}, nil
}

// TaskStarted implements wire.ControllerServiceHandler.
func (c *Controller) TaskStarted(_ context.Context, r *wire.TaskStartedRequest) (*wire.TaskStartedResponse, error) {
	err := c.task(r.Context, r.OperatorIds, r.Subtask, func(s *supervisor, f checkpoint.From) {
		s.stepJob(job.TaskStarted{From: f})
	})
	return &wire.TaskStartedResponse{}, err
}

// task posts something for every operator of a task.
func (c *Controller) task(w *wire.WorkerContext, operators []string, subtask uint32, do func(*supervisor, checkpoint.From)) error {
	s, err := c.sender(w)
	if err != nil {
		return err
	}
	froms := make([]checkpoint.From, len(operators))
	for i, op := range operators {
		froms[i] = from(w, op, subtask)
	}
	for _, f := range froms {
		s.post(func() { do(s, f) })
	}
	return nil
}

// TaskCheckpointEvent implements wire.ControllerServiceHandler.
func (c *Controller) TaskCheckpointEvent(_ context.Context, r *wire.TaskCheckpointEventRequest) (*wire.TaskCheckpointEventResponse, error) {
	s, err := c.sender(r.Context)
	if err != nil {
		return nil, err
	}
	f := from(r.Context, r.OperatorId, r.Subtask)
	s.post(func() {
		s.heard(f)
		if s.story != nil {
			s.story.event(f.Task, r)
		}
		if r.Event == wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_FINISHED_COMMIT {
			s.stepCheckpoint(checkpoint.Committed{From: f, Epoch: r.Epoch})
		}
	})
	return &wire.TaskCheckpointEventResponse{}, nil
}

// heard counts a message as a sign of life.
func (s *supervisor) heard(f checkpoint.From) {
	s.stepJob(job.Heartbeat{Worker: f.Worker, Generation: f.Generation})
}

// TaskCheckpointCompleted implements wire.ControllerServiceHandler.
func (c *Controller) TaskCheckpointCompleted(_ context.Context, r *wire.TaskCheckpointCompletedRequest) (*wire.TaskCheckpointCompletedResponse, error) {
	s, err := c.sender(r.Context)
	if err != nil {
		return nil, err
	}
	snapshot, err := snapshotOf(r)
	if err != nil {
		return nil, connect.NewError(connect.CodeInvalidArgument, err)
	}
	f := from(r.Context, r.OperatorId, r.Subtask)
	s.post(func() {
		s.heard(f)
		if s.story != nil {
			s.story.ack(f.Task, r)
		}
		s.stepCheckpoint(checkpoint.Ack{From: f, Epoch: r.Epoch, Snapshot: snapshot})
	})
	return &wire.TaskCheckpointCompletedResponse{}, nil
}

// TaskDrained implements wire.ControllerServiceHandler.
func (c *Controller) TaskDrained(_ context.Context, r *wire.TaskDrainedRequest) (*wire.TaskDrainedResponse, error) {
	err := c.task(r.Context, r.OperatorIds, r.Subtask, func(s *supervisor, f checkpoint.From) {
		s.stepJob(job.TaskDrained{From: f})
		s.stepCheckpoint(checkpoint.Drained{From: f})
	})
	return &wire.TaskDrainedResponse{}, err
}

// TaskFinished implements wire.ControllerServiceHandler.
func (c *Controller) TaskFinished(_ context.Context, r *wire.TaskFinishedRequest) (*wire.TaskFinishedResponse, error) {
	err := c.task(r.Context, r.OperatorIds, r.Subtask, func(s *supervisor, f checkpoint.From) {
		s.stepJob(job.TaskFinished{From: f})
	})
	return &wire.TaskFinishedResponse{}, err
}

// TaskFailed implements wire.ControllerServiceHandler.
func (c *Controller) TaskFailed(_ context.Context, r *wire.TaskFailedRequest) (*wire.TaskFailedResponse, error) {
	failure := r.Failure.Fault()
	if failure == nil {
		failure = fault.Internalf("a task failed without saying why")
	}
	if failure.Operator == "" {
		failure.Operator = r.OperatorId
	}
	err := c.task(r.Context, []string{r.OperatorId}, r.Subtask, func(s *supervisor, f checkpoint.From) {
		s.stepJob(job.TaskFailed{From: f, Err: failure})
	})
	return &wire.TaskFailedResponse{}, err
}

// NonfatalError implements wire.ControllerServiceHandler.
func (c *Controller) NonfatalError(_ context.Context, r *wire.NonfatalErrorRequest) (*wire.NonfatalErrorResponse, error) {
	s, err := c.sender(r.Context)
	if err != nil {
		return nil, err
	}
	failure := r.Failure.Fault()
	if failure == nil {
		return &wire.NonfatalErrorResponse{}, nil
	}
	if r.Count > 1 {
		failure.Message = fmt.Sprintf("%s (%d times)", failure.Message, r.Count)
	}
	f := from(r.Context, r.OperatorId, r.Subtask)
	s.post(func() {
		s.heard(f)
		s.metrics.errors += max(1, r.Count)
		s.record(meta.LogError, f.Task.Operator, &f.Task.Index, failure)
	})
	return &wire.NonfatalErrorResponse{}, nil
}

// SendSinkData implements wire.ControllerServiceHandler.
func (c *Controller) SendSinkData(_ context.Context, r *wire.SendSinkDataRequest) (*wire.SendSinkDataResponse, error) {
	s, err := c.sender(r.Context)
	if err != nil {
		return nil, err
	}
	s.output.add(r)
	return &wire.SendSinkDataResponse{}, nil
}

// Sample is what the controller knows of a running job at a moment.
type Sample struct {
	// At is when the counters were taken; zero before the first time.
	At       time.Time
	Subtasks []*wire.SubtaskMetrics
	// Errors counts the errors that did not stop the job.
	Errors int64
}

// Sample gives the newest counters of a job; ok is false for a job that is not in memory. The slice must not be modified.
func (c *Controller) Sample(jobID string) (sample Sample, ok bool) {
	s := c.supervisor(jobID)
	if s == nil {
		return Sample{}, false
	}
	return s.metrics.sample(), true
}

// Metrics gives the rates of a job over the last minutes; nil for a job that is not in memory.
func (c *Controller) Metrics(jobID string) []OperatorMetricGroup {
	s := c.supervisor(jobID)
	if s == nil {
		return nil
	}
	return s.metrics.groups()
}

// Output follows the preview rows of a job, from the number after; ok is false for a job that is not in memory.
func (c *Controller) Output(jobID string) (*OutputReader, bool) {
	s := c.supervisor(jobID)
	if s == nil {
		return nil, false
	}
	return &OutputReader{s.output}, true
}

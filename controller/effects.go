package controller

import (
	"context"
	"time"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/controller/schedule"
	"wadi/dataflow/fault"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

// callTimeout bounds every call to a worker.
const callTimeout = 30 * time.Second

// doJob carries out an effect of the state machine.
func (s *supervisor) doJob(e job.Effect) {
	switch e := e.(type) {
	case job.Persist:
		s.logState(e.Status)
		s.persist()
	case job.Claim:
		s.claim(e.Parallelism)
	case job.StartWorkers:
		s.startWorkers(e)
	case job.Execute:
		s.execute(e.Tasks)
	case job.StartCheckpoints:
		s.startCheckpoints(e.Tasks)
	case job.RequestLastCheckpoint:
		s.pending = append(s.pending, func() { s.stepCheckpoint(checkpoint.StopRequest{}) })
	case job.StopTasks:
		s.stopTasks(e)
	case job.StopWorkers:
		s.stopWorkers(e)
	case job.Fenced:
		s.fence(e.Err)
	case job.Ignored:
		s.log.Debug().Str("reason", e.Reason).Msg("message ignored")
	}
}

func (s *supervisor) logState(now job.Status) {
	e := s.log.Info()
	if now.Failure != nil {
		// Whoever follows the job shows why it failed; a recovery is news to nobody but the log's reader.
		e = e.Err(now.Failure)
		if now.State == job.Recovering {
			e = s.log.Warn().Err(now.Failure)
		}
		if now.State == job.Failed || now.State == job.Recovering {
			s.record(meta.LogError, "", nil, now.Failure)
		}
	}
	e.Str("state", string(now.State)).Uint64("generation", now.Generation).Msg("job")
}

// record puts a fault into the job's messages.
func (s *supervisor) record(level meta.LogLevel, operator string, subtask *int, f *fault.Error) {
	m := meta.LogMessage{
		JobID: s.jobID, CreatedAt: s.now().UnixMicro(), OperatorID: operator, TaskIndex: subtask, Level: level,
		Message: f.Error(), Details: f.Hint, Domain: f.Kind.Domain(),
	}
	s.async(s.ctx, callTimeout, func(ctx context.Context) func() {
		if _, err := s.c.config.DB.AppendLog(ctx, m); err != nil && ctx.Err() == nil {
			s.log.Warn().Err(err).Msg("a message of the job could not be stored")
		}
		return nil
	})
}

func (s *supervisor) startWorkers(e job.StartWorkers) {
	r := schedule.Request{
		PipelineID: s.pipeline.ID, JobID: s.jobID, Name: s.pipeline.Name, Generation: e.Generation, Slots: e.Slots, Env: s.config.EnvVars,
		Exited: func(worker uint64, err error) {
			s.post(func() { s.stepJob(job.WorkerExited{Worker: worker, Generation: e.Generation, Err: err}) })
		},
	}
	s.async(s.present.ctx, callTimeout, func(ctx context.Context) func() {
		err := s.c.config.Scheduler.Start(ctx, r)
		if err == nil {
			return nil
		}
		return func() { s.stepJob(job.StartFailed{Generation: e.Generation, Err: err}) }
	})
}

// execute finds the workers, and then hands out the tasks: tasks may have started, and expect calls, before the last
// worker has answered.
func (s *supervisor) execute(tasks []checkpoint.Placed) {
	g := s.present
	g.tasks = tasks
	addresses := map[uint64]string{}
	for _, t := range tasks {
		addresses[t.Worker] = g.addresses[t.Worker]
	}
	failed := func(err error) {
		if err != nil {
			s.stepJob(job.StartFailed{Generation: g.number, Err: err})
		}
	}
	s.async(g.ctx, callTimeout, func(ctx context.Context) func() {
		workers := map[uint64]wire.WorkerServiceHandler{}
		for id, address := range addresses {
			w, err := s.c.config.Scheduler.Worker(ctx, s.jobID, id, address)
			if err != nil {
				return func() { failed(callFault(id, err)) }
			}
			workers[id] = w
		}
		return func() {
			g.workers = workers
			request := s.executionRequest(g)
			s.each(g, func(ctx context.Context, id uint64, w wire.WorkerServiceHandler) error {
				_, err := w.StartExecution(ctx, request(id))
				return err
			}, failed)
		}
	})
}

// executionRequest makes the request for each worker.
func (s *supervisor) executionRequest(g *generation) func(worker uint64) *wire.StartExecutionRequest {
	nodes := map[string]uint32{}
	for i := range g.program.Nodes {
		nodes[g.program.Nodes[i].ID] = uint32(i)
	}
	var tasks []*wire.TaskAssignment
	for _, t := range g.tasks {
		tasks = append(tasks, &wire.TaskAssignment{
			Node: nodes[t.Operator], OperatorId: t.Operator, Subtask: uint32(t.Index), WorkerId: t.Worker, WorkerAddr: g.addresses[t.Worker],
		})
	}
	config := s.c.config.Settings
	settings := &wire.ExecutionSettings{
		SourceBatchRows: uint32(max(0, config.SourceBatchRows)), SourceBatchLingerNanos: int64(config.SourceBatchLinger), QueueBytes: config.QueueBytes,
		HeartbeatIntervalNanos: int64(config.HeartbeatInterval), LeaseTtlNanos: int64(config.Job.LeaseTTL),
	}
	url := s.pipeline.StateURL
	if url == "" {
		url = s.c.config.Bucket.String()
	}
	return func(worker uint64) *wire.StartExecutionRequest {
		r := &wire.StartExecutionRequest{
			Context: s.context(g, worker), Program: g.encoded, ProgramHash: g.hash, Tasks: tasks, Parallelism: uint32(g.parallelism),
			CheckpointUrl: url, Settings: settings,
		}
		if m := g.restored; m != nil {
			r.RestoreManifest, r.RestoreGeneration, r.RestoreEpoch = m.Ref(), m.Generation, m.Epoch
		}
		return r
	}
}

func (s *supervisor) context(g *generation, worker uint64) *wire.WorkerContext {
	return &wire.WorkerContext{WorkerId: worker, JobId: s.jobID, Generation: g.number, PipelineId: s.pipeline.ID}
}

// callFault is the error of a call to a worker. Whatever a worker does not say about itself may go away.
func callFault(worker uint64, err error) error {
	if f := fault.As(err); f.Kind != fault.Internal || f.Code != fault.CodeInternal {
		return f
	}
	return fault.Transientf(err, "worker %d did not take a call", worker)
}

// each calls all workers at once; the first error is the answer to then, which runs on the supervisor's goroutine.
func (s *supervisor) each(g *generation, call func(ctx context.Context, id uint64, w wire.WorkerServiceHandler) error, then func(err error)) {
	workers := g.workers
	s.async(g.ctx, callTimeout, func(ctx context.Context) func() {
		failed := make(chan error, len(workers))
		for id, w := range workers {
			s.effects.Go(func() {
				err := call(ctx, id, w)
				if err != nil {
					err = callFault(id, err)
				}
				failed <- err
			})
		}
		var first error
		for range workers {
			if err := <-failed; first == nil {
				first = err
			}
		}
		if then == nil {
			return nil
		}
		return func() { then(first) }
	})
}

func (s *supervisor) stopTasks(e job.StopTasks) {
	s.coordinator = nil // neither a periodic epoch nor a last one
	if s.story != nil {
		s.story.abort("the job is stopped")
	}
	mode := wire.StopMode_STOP_MODE_IMMEDIATE
	if e.Graceful {
		mode = wire.StopMode_STOP_MODE_GRACEFUL
	}
	g := s.present
	s.each(g, func(ctx context.Context, id uint64, w wire.WorkerServiceHandler) error {
		_, err := w.StopExecution(ctx, &wire.StopExecutionRequest{Context: s.context(g, id), Mode: mode})
		return err
	}, func(err error) {
		if err != nil {
			s.log.Warn().Err(err).Msg("a worker was not told to stop")
		}
	})
}

// stopWorkers ends the generation.
func (s *supervisor) stopWorkers(e job.StopWorkers) {
	s.coordinator = nil
	if s.story != nil {
		s.story.abort("the run has ended")
	}
	g := s.present
	if g == nil || g.number != e.Generation {
		s.later(job.WorkersStopped{Generation: e.Generation})
		return
	}
	s.present = nil
	workers := g.workers
	// The generation's context must not end before its workers have been told.
	s.async(s.ctx, s.c.config.Settings.stopPatience(), func(ctx context.Context) func() {
		if !e.Kill {
			for id, w := range workers {
				if _, err := w.JobFinished(ctx, &wire.JobFinishedRequest{Context: s.context(g, id)}); err != nil {
					s.log.Debug().Err(err).Msg("a worker was not released")
				}
			}
		}
		g.cancel()
		if err := s.c.config.Scheduler.Stop(ctx, s.jobID, e.Generation, e.Kill); err != nil {
			s.log.Warn().Err(err).Uint64("generation", e.Generation).Msg("workers are still running")
			return nil
		}
		return func() { s.stepJob(job.WorkersStopped{Generation: e.Generation}) }
	})
}

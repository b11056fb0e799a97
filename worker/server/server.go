package server

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"time"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"

	"wadi/dataflow/clock"
	"wadi/dataflow/connector/preview"
	"wadi/dataflow/fault"
	graphwire "wadi/dataflow/graph/wire"
	"wadi/dataflow/operator"
	"wadi/storage/checkpoint"
	"wadi/worker/engine"
	"wadi/worker/wire"
)

// Controller is what a worker needs of its controller: in process the controller itself, else a generated client.
type Controller = wire.ControllerServiceHandler

// Params say which worker of which job this is.
type Params struct {
	WorkerID   uint64
	MachineID  string
	PipelineID string
	JobID      string
	Generation uint64
	Slots      int
	// RPCAddress and DataAddress are where the worker listens; empty in process.
	RPCAddress, DataAddress string
}

// Config is what a worker is made from.
type Config struct {
	Params
	Controller Controller
	// Constructor gives what makes operators; rows of previews go to the receiver.
	Constructor func(preview.Receiver) engine.Constructor
	// OpenStore opens the job's checkpoints.
	OpenStore func(ctx context.Context, url, pipelineID, jobID string) (*checkpoint.Store, error)
	Clock     clock.Clock
	IO        operator.IO
	Log       zerolog.Logger
	// Chaining as pipeline.chaining.enabled.
	NoChaining bool
}

// Defaults used until the controller has said otherwise.
const (
	defaultHeartbeat = 5 * time.Second
	defaultLease     = 30 * time.Second
)

// Server is a worker. It implements wire.WorkerServiceHandler.
type Server struct {
	config Config
	relay  *relay
	ctx    context.Context
	cancel context.CancelCauseFunc
	group  sync.WaitGroup

	mu       sync.Mutex
	phase    wire.WorkerPhase
	failure  error
	since    time.Time
	engine   *engine.Engine
	renewed  time.Time
	lease    time.Duration
	interval time.Duration

	nonfatal *nonfatal
}

// Start registers with the controller and keeps the lease. The server lives until Close or the end of ctx.
func Start(ctx context.Context, c Config) (*Server, error) {
	s := &Server{config: c, relay: newRelay(), phase: wire.WorkerPhase_WORKER_PHASE_IDLE, since: c.Clock.Now(), lease: defaultLease, interval: defaultHeartbeat}
	s.ctx, s.cancel = context.WithCancelCause(ctx)
	s.renewed = c.Clock.Now()
	s.nonfatal = &nonfatal{s: s, seen: map[nonfatalKey]*nonfatalCount{}}
	s.group.Go(func() { s.relay.run(s.ctx) })
	r, err := c.Controller.RegisterWorker(s.ctx, &wire.RegisterWorkerRequest{
		Context: s.context(), TimeMicros: s.now(), RpcAddress: c.RPCAddress, DataAddress: c.DataAddress, Slots: uint32(c.Slots),
		Resources: &wire.WorkerResources{Cpus: uint32(runtime.NumCPU())},
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	s.setLease(time.Duration(r.LeaseTtlNanos), time.Duration(r.HeartbeatIntervalNanos))
	s.group.Go(s.keepLease)
	return s, nil
}

// Close stops everything and waits for it.
func (s *Server) Close() {
	s.cancel(context.Canceled)
	s.mu.Lock()
	e := s.engine
	s.mu.Unlock()
	if e != nil {
		e.Stop()
	}
	s.relay.close()
	s.group.Wait()
}

// Done is closed when the worker has stopped by itself or was closed.
func (s *Server) Done() <-chan struct{} { return s.ctx.Done() }

func (s *Server) context() *wire.WorkerContext {
	p := s.config.Params
	return &wire.WorkerContext{WorkerId: p.WorkerID, JobId: p.JobID, Generation: p.Generation, PipelineId: p.PipelineID, MachineId: p.MachineID}
}

func (s *Server) now() int64 { return s.config.Clock.Now().UnixMicro() }

func (s *Server) setLease(ttl, interval time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.renewed = s.config.Clock.Now()
	if ttl > 0 {
		s.lease = ttl
	}
	if interval > 0 {
		s.interval = interval
	}
}

// keepLease renews the lease; a worker that cannot, or that has been replaced, fences itself.
func (s *Server) keepLease() {
	for {
		s.mu.Lock()
		interval, lease, renewed := s.interval, s.lease, s.renewed
		s.mu.Unlock()
		select {
		case <-s.config.Clock.After(interval):
		case <-s.ctx.Done():
			return
		}
		ctx, done := context.WithTimeout(s.ctx, lease)
		r, err := s.config.Controller.Heartbeat(ctx, &wire.HeartbeatRequest{Context: s.context(), TimeMicros: s.now()})
		done()
		switch {
		case err == nil && r.Generation > s.config.Generation, err != nil && fault.Is(err, fault.CodeStaleRun):
			s.fence(fault.Transientf(nil, "generation %d has been replaced", s.config.Generation))
			return
		case err == nil:
			s.setLease(time.Duration(r.LeaseTtlNanos), 0)
		case s.config.Clock.Now().Sub(renewed) > lease:
			s.fence(fault.Transientf(err, "the lease ran out: the controller has not answered for %s", lease))
			return
		}
	}
}

// fence stops all work at once, without telling the controller, which has given the job to somebody else.
func (s *Server) fence(err error) {
	s.config.Log.Warn().Err(err).Uint64("generation", s.config.Generation).Msg("worker stops itself")
	s.mu.Lock()
	e := s.engine
	s.mu.Unlock()
	if e != nil {
		e.Stop()
	}
	s.setPhase(wire.WorkerPhase_WORKER_PHASE_FAILED, err)
	s.cancel(err)
}

func (s *Server) setPhase(p wire.WorkerPhase, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.phase, s.failure, s.since = p, err, s.config.Clock.Now()
}

// check refuses a message for another worker, job or generation.
func (s *Server) check(c *wire.WorkerContext) error {
	p := s.config.Params
	switch {
	case c == nil:
		return connect.NewError(connect.CodeInvalidArgument, errors.New("the request has no worker context"))
	case c.Generation != p.Generation:
		return connect.NewError(connect.CodeFailedPrecondition, &fault.Error{Kind: fault.Transient, Code: fault.CodeStaleRun,
			Message: "the message is for another generation"})
	case c.JobId != p.JobID || c.WorkerId != p.WorkerID:
		return connect.NewError(connect.CodePermissionDenied, errors.New("the message is for another worker"))
	}
	return nil
}

// GetWorkerPhase implements wire.WorkerServiceHandler.
func (s *Server) GetWorkerPhase(_ context.Context, r *wire.GetWorkerPhaseRequest) (*wire.GetWorkerPhaseResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &wire.GetWorkerPhaseResponse{Phase: s.phase, SinceMicros: s.since.UnixMicro(), Failure: wire.NewFailure(s.failure)}
	if s.phase != wire.WorkerPhase_WORKER_PHASE_IDLE {
		out.Generation = s.config.Generation
	}
	return out, nil
}

// StartExecution implements wire.WorkerServiceHandler: it answers at once, and initialises in the background.
func (s *Server) StartExecution(_ context.Context, r *wire.StartExecutionRequest) (*wire.StartExecutionResponse, error) {
	if err := s.check(r.Context); err != nil {
		return nil, err
	}
	s.mu.Lock()
	phase := s.phase
	if phase == wire.WorkerPhase_WORKER_PHASE_IDLE {
		s.phase, s.since = wire.WorkerPhase_WORKER_PHASE_INITIALIZING, s.config.Clock.Now()
	}
	s.mu.Unlock()
	switch phase {
	case wire.WorkerPhase_WORKER_PHASE_IDLE:
	case wire.WorkerPhase_WORKER_PHASE_INITIALIZING:
		return nil, connect.NewError(connect.CodeUnavailable, errors.New("the worker is initializing"))
	default:
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("the worker is not idle"))
	}
	s.group.Go(func() { s.execute(r) })
	return &wire.StartExecutionResponse{}, nil
}

// execute initialises, reports, runs, and waits for the end.
func (s *Server) execute(r *wire.StartExecutionRequest) {
	e, err := s.initialize(r)
	if err == nil {
		s.setPhase(wire.WorkerPhase_WORKER_PHASE_RUNNING, nil)
	} else {
		s.setPhase(wire.WorkerPhase_WORKER_PHASE_FAILED, err)
	}
	failure := wire.NewFailure(err) // the call is made later, when err is another one
	s.tell(func(ctx context.Context) error {
		_, callErr := s.config.Controller.WorkerInitializationComplete(ctx, &wire.WorkerInitializationCompleteRequest{
			Context: s.context(), TimeMicros: s.now(), Failure: failure,
		})
		return callErr
	})
	if err != nil {
		return
	}
	e.Start()
	err = e.Wait()
	s.nonfatal.flush()
	if err == nil || s.ctx.Err() != nil {
		return
	}
	s.setPhase(wire.WorkerPhase_WORKER_PHASE_FAILED, err)
	if stack, ok := engine.Stack(err); ok {
		s.config.Log.Error().Str("stack", stack).Msg("panic in a task")
	}
}

func (s *Server) initialize(r *wire.StartExecutionRequest) (*engine.Engine, error) {
	program, err := graphwire.Decode(r.Program)
	if err != nil {
		return nil, err
	}
	store, err := s.config.OpenStore(s.ctx, r.CheckpointUrl, s.config.PipelineID, s.config.JobID)
	if err != nil {
		return nil, err
	}
	restore, err := s.restore(r, store)
	if err != nil {
		return nil, err
	}
	settings := r.GetSettings()
	e, err := engine.New(s.ctx, engine.Config{
		Program: program, JobID: s.config.JobID, Parallelism: int(r.Parallelism), Constructor: s.config.Constructor(previews{s}),
		Listener: &listener{s: s}, Store: &files{store: store, generation: s.config.Generation}, Clock: s.config.Clock,
		Restore: restore, BatchRows: int(settings.GetSourceBatchRows()), Linger: time.Duration(settings.GetSourceBatchLingerNanos()),
		QueueBytes: int(settings.GetQueueBytes()), IO: s.config.IO, NoChaining: s.config.NoChaining,
	})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.engine = e
	s.mu.Unlock()
	return e, nil
}

// tell queues a call to the controller. A controller that says that the generation is over ends the worker.
func (s *Server) tell(call func(ctx context.Context) error) {
	s.relay.say(func(ctx context.Context) {
		err := call(ctx)
		switch {
		case err == nil || ctx.Err() != nil:
		case fault.Is(err, fault.CodeStaleRun):
			s.fence(err)
		default:
			s.config.Log.Warn().Err(err).Msg("the controller did not take a message")
		}
	})
}

func (s *Server) running() (*engine.Engine, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.engine == nil || s.phase != wire.WorkerPhase_WORKER_PHASE_RUNNING {
		return nil, connect.NewError(connect.CodeFailedPrecondition, errors.New("the worker is not running"))
	}
	return s.engine, nil
}

// Checkpoint implements wire.WorkerServiceHandler.
func (s *Server) Checkpoint(_ context.Context, r *wire.CheckpointRequest) (*wire.CheckpointResponse, error) {
	if err := s.check(r.Context); err != nil {
		return nil, err
	}
	e, err := s.running()
	if err != nil {
		return nil, err
	}
	e.Checkpoint(engine.Barrier{Epoch: r.Epoch, Stop: r.ThenStop, Final: r.Final, StartMicros: r.TimestampMicros})
	return &wire.CheckpointResponse{}, nil
}

// Commit implements wire.WorkerServiceHandler.
func (s *Server) Commit(_ context.Context, r *wire.CommitRequest) (*wire.CommitResponse, error) {
	if err := s.check(r.Context); err != nil {
		return nil, err
	}
	e, err := s.running()
	if err != nil {
		return nil, err
	}
	for _, t := range r.Tasks {
		if err := e.Commit(engine.Subtask{Operator: t.OperatorId, Index: int(t.Subtask)}, r.Epoch, t.Data); err != nil {
			return nil, err
		}
	}
	return &wire.CommitResponse{}, nil
}

// StopExecution implements wire.WorkerServiceHandler.
func (s *Server) StopExecution(_ context.Context, r *wire.StopExecutionRequest) (*wire.StopExecutionResponse, error) {
	if err := s.check(r.Context); err != nil {
		return nil, err
	}
	e, err := s.running()
	if err != nil {
		return nil, err
	}
	if r.Mode == wire.StopMode_STOP_MODE_GRACEFUL {
		e.Drain()
	} else {
		e.Stop()
		s.group.Go(func() { s.reportStopped(e) })
	}
	return &wire.StopExecutionResponse{}, nil
}

// reportStopped tells the controller that all tasks have ended after an immediate stop.
func (s *Server) reportStopped(e *engine.Engine) {
	e.Join()
	for _, t := range e.Subtasks() {
		(&listener{s: s}).TaskFinished(t)
	}
}

// JobFinished implements wire.WorkerServiceHandler.
func (s *Server) JobFinished(_ context.Context, r *wire.JobFinishedRequest) (*wire.JobFinishedResponse, error) {
	if err := s.check(r.Context); err != nil {
		return nil, err
	}
	s.mu.Lock()
	e := s.engine
	s.engine = nil
	s.phase, s.failure, s.since = wire.WorkerPhase_WORKER_PHASE_IDLE, nil, s.config.Clock.Now()
	s.mu.Unlock()
	if e != nil {
		e.Stop()
	}
	s.cancel(context.Canceled)
	return &wire.JobFinishedResponse{}, nil
}

// GetMetrics implements wire.WorkerServiceHandler.
func (s *Server) GetMetrics(_ context.Context, _ *wire.GetMetricsRequest) (*wire.GetMetricsResponse, error) {
	s.mu.Lock()
	e := s.engine
	s.mu.Unlock()
	out := &wire.GetMetricsResponse{TimeMicros: s.now()}
	if e == nil {
		return out, nil
	}
	for _, t := range e.Subtasks() {
		out.Subtasks = append(out.Subtasks, subtaskMetrics(t, e.Metrics(t)))
	}
	return out, nil
}

// LoadCompactedData implements wire.WorkerServiceHandler. Operators keep their state in memory and name only files that
// they have written themselves, so there is nothing to swap.
func (s *Server) LoadCompactedData(_ context.Context, r *wire.LoadCompactedDataRequest) (*wire.LoadCompactedDataResponse, error) {
	if err := s.check(r.Context); err != nil {
		return nil, err
	}
	return &wire.LoadCompactedDataResponse{}, nil
}

func subtaskMetrics(t engine.Subtask, m *operator.Metrics) *wire.SubtaskMetrics {
	out := &wire.SubtaskMetrics{
		OperatorId: t.Operator, Subtask: uint32(t.Index),
		RowsIn: m.RowsIn.Load(), RowsOut: m.RowsOut.Load(), BytesIn: m.BytesIn.Load(), BytesOut: m.BytesOut.Load(),
		LateRows: m.LateRows.Load(), BadRecords: m.BadRecords.Load(), StateBytes: m.StateBytes.Load(), BusyNanos: m.BusyNanos.Load(),
	}
	if w := m.Watermark.Load(); w != -1<<63 {
		out.Watermark = &w
	}
	return out
}

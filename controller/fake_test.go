package controller_test

import (
	"context"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/rs/zerolog"

	"wadi/controller"
	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/controller/schedule/embedded"
	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	graphwire "wadi/dataflow/graph/wire"
	"wadi/storage/blob"
	manifest "wadi/storage/checkpoint"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

// fakeWorker does what a worker tells a controller, without any data. Tests look at what it was told, and make it fail.
type fakeWorker struct {
	embedded.Params
	c    wire.ControllerServiceHandler
	ctx  context.Context
	stop context.CancelFunc
	life sync.WaitGroup

	mu      sync.Mutex
	started *wire.StartExecutionRequest
	epochs  []*wire.CheckpointRequest
	commits []*wire.CommitRequest
	stops   []wire.StopMode
	// silent workers send no heartbeats; lazy ones do not answer barriers, and hold back their commits.
	silent, lazy, holdCommits bool
	drained                   bool
}

func (w *fakeWorker) context() *wire.WorkerContext {
	return &wire.WorkerContext{WorkerId: w.WorkerID, JobId: w.JobID, Generation: w.Generation, PipelineId: w.PipelineID}
}

func (w *fakeWorker) Done() <-chan struct{} { return w.ctx.Done() }
func (w *fakeWorker) Close()                { w.stop(); w.life.Wait() }

func (w *fakeWorker) set(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *fakeWorker) committed() []*wire.CommitRequest {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]*wire.CommitRequest(nil), w.commits...)
}

func (w *fakeWorker) say(f func(ctx context.Context)) { w.life.Go(func() { f(w.ctx) }) }

// tasks calls f for each task of this worker.
func (w *fakeWorker) tasks(f func(operator string, subtask uint32)) {
	for _, t := range w.started.Tasks {
		if t.WorkerId == w.WorkerID {
			f(t.OperatorId, t.Subtask)
		}
	}
}

func (w *fakeWorker) beat() {
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-time.After(time.Second):
		}
		w.mu.Lock()
		silent := w.silent
		w.mu.Unlock()
		if !silent {
			w.c.Heartbeat(w.ctx, &wire.HeartbeatRequest{Context: w.context()})
		}
	}
}

func (w *fakeWorker) StartExecution(_ context.Context, r *wire.StartExecutionRequest) (*wire.StartExecutionResponse, error) {
	w.set(func() { w.started = r })
	w.say(func(ctx context.Context) {
		w.c.WorkerInitializationComplete(ctx, &wire.WorkerInitializationCompleteRequest{Context: w.context()})
		w.tasks(func(op string, k uint32) {
			w.c.TaskStarted(ctx, &wire.TaskStartedRequest{Context: w.context(), OperatorIds: []string{op}, Subtask: k})
		})
		if w.drained {
			w.drain()
		}
	})
	return &wire.StartExecutionResponse{}, nil
}

// drain says that every task is at the end of its input.
func (w *fakeWorker) drain() {
	w.tasks(func(op string, k uint32) {
		w.c.TaskDrained(w.ctx, &wire.TaskDrainedRequest{Context: w.context(), OperatorIds: []string{op}, Subtask: k})
	})
}

func (w *fakeWorker) Checkpoint(_ context.Context, r *wire.CheckpointRequest) (*wire.CheckpointResponse, error) {
	lazy := false
	w.set(func() { w.epochs, lazy = append(w.epochs, r), w.lazy })
	if !lazy {
		w.say(func(context.Context) { w.ack(r) })
	}
	return &wire.CheckpointResponse{}, nil
}

func (w *fakeWorker) ack(r *wire.CheckpointRequest) {
	w.tasks(func(op string, k uint32) {
		done := &wire.TaskCheckpointCompletedRequest{Context: w.context(), OperatorId: op, Subtask: k, Epoch: r.Epoch, Bytes: 10}
		if op == "sink" {
			done.CommitData = [][]byte{[]byte("data")}
		}
		w.c.TaskCheckpointCompleted(w.ctx, done)
		if r.ThenStop && op != "sink" {
			w.finish(op, k)
		}
	})
}

func (w *fakeWorker) finish(op string, k uint32) {
	w.c.TaskFinished(w.ctx, &wire.TaskFinishedRequest{Context: w.context(), OperatorIds: []string{op}, Subtask: k})
}

func (w *fakeWorker) Commit(_ context.Context, r *wire.CommitRequest) (*wire.CommitResponse, error) {
	w.set(func() { w.commits = append(w.commits, r) })
	if w.holdCommits {
		return &wire.CommitResponse{}, nil
	}
	w.say(func(ctx context.Context) {
		for _, t := range r.Tasks {
			w.c.TaskCheckpointEvent(ctx, &wire.TaskCheckpointEventRequest{
				Context: w.context(), OperatorId: t.OperatorId, Subtask: t.Subtask, Epoch: r.Epoch,
				Event: wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_FINISHED_COMMIT,
			})
			w.mu.Lock()
			last := len(w.epochs) > 0 && w.epochs[len(w.epochs)-1].ThenStop
			w.mu.Unlock()
			if last {
				w.finish(t.OperatorId, t.Subtask)
			}
		}
	})
	return &wire.CommitResponse{}, nil
}

func (w *fakeWorker) StopExecution(_ context.Context, r *wire.StopExecutionRequest) (*wire.StopExecutionResponse, error) {
	w.set(func() { w.stops = append(w.stops, r.Mode) })
	w.say(func(context.Context) {
		if r.Mode == wire.StopMode_STOP_MODE_GRACEFUL {
			w.drain()
		} else {
			w.tasks(w.finish)
		}
	})
	return &wire.StopExecutionResponse{}, nil
}

func (w *fakeWorker) JobFinished(context.Context, *wire.JobFinishedRequest) (*wire.JobFinishedResponse, error) {
	w.stop()
	return &wire.JobFinishedResponse{}, nil
}

func (w *fakeWorker) GetMetrics(context.Context, *wire.GetMetricsRequest) (*wire.GetMetricsResponse, error) {
	r := &wire.GetMetricsResponse{}
	w.tasks(func(op string, k uint32) {
		s := &wire.SubtaskMetrics{OperatorId: op, Subtask: k, RowsIn: time.Now().Unix() % 1e6 * 100}
		if op == "sink" {
			s.LateRows = 3
		}
		r.Subtasks = append(r.Subtasks, s)
	})
	return r, nil
}

func (w *fakeWorker) GetWorkerPhase(context.Context, *wire.GetWorkerPhaseRequest) (*wire.GetWorkerPhaseResponse, error) {
	return &wire.GetWorkerPhaseResponse{}, nil
}

func (w *fakeWorker) LoadCompactedData(context.Context, *wire.LoadCompactedDataRequest) (*wire.LoadCompactedDataResponse, error) {
	return &wire.LoadCompactedDataResponse{}, nil
}

// house is a controller with its database and bucket, in a bubble of synctest: waiting costs no time.
type house struct {
	*testing.T
	db     *meta.DB
	bucket blob.Bucket
	c      *controller.Controller
	ended  chan error
	cancel context.CancelFunc
	// slow is how long a listing of the bucket takes.
	slow atomic.Int64
	// prepare may change a worker before it starts.
	prepare func(*fakeWorker)

	mu      sync.Mutex
	workers []*fakeWorker
}

// slowBucket takes its time to list.
type slowBucket struct {
	blob.Bucket
	slow *atomic.Int64
}

func (b slowBucket) Sub(prefix string) blob.Bucket { return slowBucket{b.Bucket.Sub(prefix), b.slow} }

func (b slowBucket) List(ctx context.Context, prefix string) ([]blob.Info, error) {
	time.Sleep(time.Duration(b.slow.Load()))
	return b.Bucket.List(ctx, prefix)
}

// program is source → sink, the source with the job's parallelism.
func program() *graph.Program {
	row := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil)
	return &graph.Program{
		Nodes: []graph.Node{
			{ID: "source", Description: "impulse", Out: row, Spec: &graph.SourceSpec{Table: "t", Connector: "impulse", Schema: row}},
			{ID: "sink", Description: "stdout", MaxParallelism: 1, Spec: &graph.SinkSpec{Table: "s", Connector: "stdout", Schema: row}},
		},
		Edges: []graph.Edge{{From: 0, To: 1, Kind: graph.Shuffle}},
	}
}

func inHouse(t *testing.T, f func(h *house)) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		h := &house{T: t}
		var err error
		if h.db, err = meta.Open(context.Background(), filepath.Join(dir, "state.sqlite")); err != nil {
			t.Fatal(err)
		}
		if h.bucket, err = blob.Open(context.Background(), filepath.Join(dir, "state")); err != nil {
			t.Fatal(err)
		}
		h.bucket = slowBucket{h.bucket, &h.slow}
		h.open()
		f(h)
		h.close()
		if err := h.db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// open starts a controller.
func (h *house) open() {
	var ctx context.Context
	ctx, h.cancel = context.WithCancel(context.Background())
	h.c = controller.New(controller.Config{
		DB: h.db, Bucket: h.bucket, Clock: clock.System{}, Scheduler: embedded.New(h.worker), Log: zerolog.Nop(),
		Planner: func(string) (controller.Planned, fault.List) { return controller.Planned{Program: program()}, nil },
		Settings: controller.Settings{
			Job: job.Config{AllowedRestarts: 3}, Checkpoint: checkpoint.Config{Timeout: time.Minute},
		},
	})
	h.ended = make(chan error, 1)
	c := h.c
	go func() { h.ended <- c.Run(ctx) }()
}

func (h *house) close() {
	h.cancel()
	if err := <-h.ended; err != nil {
		h.Error(err)
	}
}

func (h *house) worker(ctx context.Context, p embedded.Params) (embedded.Worker, error) {
	w := &fakeWorker{Params: p, c: h.c}
	w.ctx, w.stop = context.WithCancel(ctx)
	if h.prepare != nil {
		h.prepare(w)
	}
	h.mu.Lock()
	h.workers = append(h.workers, w)
	h.mu.Unlock()
	w.life.Go(w.beat)
	_, err := h.c.RegisterWorker(ctx, &wire.RegisterWorkerRequest{Context: w.context(), Slots: uint32(p.Slots)})
	return w, err
}

// last is the newest worker.
func (h *house) last() *fakeWorker {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.workers[len(h.workers)-1]
}

// create submits a pipeline.
func (h *house) create(parallelism int) meta.PipelineJob {
	b, err := graphwire.Encode(program())
	if err != nil {
		h.Fatal(err)
	}
	pj, err := h.db.CreatePipeline(context.Background(), meta.NewPipeline{
		Name: "p", Query: "SELECT", Program: b, Parallelism: parallelism, CheckpointIntervalMicros: 10e6,
	})
	if err != nil {
		h.Fatal(err)
	}
	h.c.Wake()
	return pj
}

func (h *house) job(pj meta.PipelineJob) meta.Job {
	j, err := h.db.GetJob(context.Background(), pj.Job.Config.ID)
	if err != nil {
		h.Fatal(err)
	}
	return j
}

// until waits for a state, at most for a while.
func (h *house) until(pj meta.PipelineJob, s job.State) meta.Job {
	h.Helper()
	for range 30_000 {
		if j := h.job(pj); j.Status.State == string(s) {
			return j
		}
		time.Sleep(20 * time.Millisecond)
	}
	h.Fatalf("the job is %s, not %s", h.job(pj).Status.State, s)
	return meta.Job{}
}

func (h *house) want(pj meta.PipelineJob, change func(*meta.JobConfig)) {
	_, err := h.db.UpdateJobConfig(context.Background(), pj.Job.Config.ID, func(c *meta.JobConfig) error {
		change(c)
		return nil
	})
	if err != nil {
		h.Fatal(err)
	}
	h.c.Wake()
}

func (h *house) store(pj meta.PipelineJob) *manifest.Store {
	s, err := manifest.Open(h.bucket, pj.Pipeline.ID, pj.Job.Config.ID)
	if err != nil {
		h.Fatal(err)
	}
	return s
}

func (h *house) latest(pj meta.PipelineJob) *manifest.Manifest {
	m, err := h.store(pj).Latest(context.Background())
	if err != nil {
		h.Fatal(err)
	}
	return m
}

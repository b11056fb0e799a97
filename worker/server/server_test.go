package server_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/rs/zerolog"

	"wadi/dataflow/agg"
	"wadi/dataflow/clock"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/connector/preview"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	graphwire "wadi/dataflow/graph/wire"
	"wadi/dataflow/operator"
	"wadi/sql"
	"wadi/storage/blob"
	"wadi/storage/checkpoint"
	"wadi/worker/engine"
	"wadi/worker/operators"
	"wadi/worker/server"
	"wadi/worker/wire"
)

// script is a controller that writes down what it hears and answers as told.
type script struct {
	mu         sync.Mutex
	heard      []string
	changed    chan struct{}
	completed  []*wire.TaskCheckpointCompletedRequest
	failure    *wire.Failure
	generation uint64
	silent     bool
}

func newScript() *script { return &script{changed: make(chan struct{}, 1), generation: 3} }

func (s *script) hear(c *wire.WorkerContext, format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	if c.Generation != 3 || c.JobId != "job_1" || c.WorkerId != 9 {
		line += " with a wrong context"
	}
	s.heard = append(s.heard, line)
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// await waits until a message has been heard n times.
func (s *script) await(t *testing.T, prefix string, n int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		count := 0
		for _, h := range s.heard {
			if strings.HasPrefix(h, prefix) {
				count++
			}
		}
		heard := strings.Join(s.heard, "\n")
		s.mu.Unlock()
		if count >= n {
			return
		}
		select {
		case <-s.changed:
		case <-deadline:
			t.Fatalf("%q was not heard %d times but %d; heard\n%s", prefix, n, count, heard)
		}
	}
}

func (s *script) RegisterWorker(_ context.Context, r *wire.RegisterWorkerRequest) (*wire.RegisterWorkerResponse, error) {
	s.hear(r.Context, "register %d slots", r.Slots)
	return &wire.RegisterWorkerResponse{LeaseTtlNanos: int64(30 * time.Second), HeartbeatIntervalNanos: int64(5 * time.Second)}, nil
}

func (s *script) WorkerInitializationComplete(_ context.Context, r *wire.WorkerInitializationCompleteRequest) (*wire.WorkerInitializationCompleteResponse, error) {
	s.mu.Lock()
	s.failure = r.Failure
	s.mu.Unlock()
	s.hear(r.Context, "initialized, failure %v", r.Failure != nil)
	return &wire.WorkerInitializationCompleteResponse{}, nil
}

func (s *script) Heartbeat(_ context.Context, r *wire.HeartbeatRequest) (*wire.HeartbeatResponse, error) {
	s.mu.Lock()
	generation, silent := s.generation, s.silent
	s.mu.Unlock()
	s.hear(r.Context, "heartbeat")
	if silent {
		return nil, connect.NewError(connect.CodeUnavailable, fmt.Errorf("gone"))
	}
	return &wire.HeartbeatResponse{Generation: generation, LeaseTtlNanos: int64(30 * time.Second)}, nil
}

func (s *script) TaskStarted(_ context.Context, r *wire.TaskStartedRequest) (*wire.TaskStartedResponse, error) {
	s.hear(r.Context, "started %s/%d", kind(r.OperatorIds[0]), r.Subtask)
	return &wire.TaskStartedResponse{}, nil
}

func (s *script) TaskCheckpointEvent(_ context.Context, r *wire.TaskCheckpointEventRequest) (*wire.TaskCheckpointEventResponse, error) {
	s.hear(r.Context, "event %s", strings.ToLower(strings.TrimPrefix(r.Event.String(), "CHECKPOINT_EVENT_TYPE_")))
	return &wire.TaskCheckpointEventResponse{}, nil
}

func (s *script) TaskCheckpointCompleted(_ context.Context, r *wire.TaskCheckpointCompletedRequest) (*wire.TaskCheckpointCompletedResponse, error) {
	s.mu.Lock()
	s.completed = append(s.completed, r)
	s.mu.Unlock()
	s.hear(r.Context, "completed epoch %d", r.Epoch)
	return &wire.TaskCheckpointCompletedResponse{}, nil
}

func (s *script) TaskDrained(_ context.Context, r *wire.TaskDrainedRequest) (*wire.TaskDrainedResponse, error) {
	s.hear(r.Context, "drained")
	return &wire.TaskDrainedResponse{}, nil
}

func (s *script) TaskFinished(_ context.Context, r *wire.TaskFinishedRequest) (*wire.TaskFinishedResponse, error) {
	s.hear(r.Context, "finished")
	return &wire.TaskFinishedResponse{}, nil
}

func (s *script) TaskFailed(_ context.Context, r *wire.TaskFailedRequest) (*wire.TaskFailedResponse, error) {
	s.mu.Lock()
	s.failure = r.Failure
	s.mu.Unlock()
	s.hear(r.Context, "failed")
	return &wire.TaskFailedResponse{}, nil
}

func (s *script) NonfatalError(_ context.Context, r *wire.NonfatalErrorRequest) (*wire.NonfatalErrorResponse, error) {
	s.hear(r.Context, "nonfatal %s ×%d", r.Failure.RecordColumn, r.Count)
	return &wire.NonfatalErrorResponse{}, nil
}

func (s *script) SendSinkData(_ context.Context, r *wire.SendSinkDataRequest) (*wire.SendSinkDataResponse, error) {
	s.hear(r.Context, "rows from %d: %s done %v", r.StartId, r.Batch, r.Done)
	return &wire.SendSinkDataResponse{}, nil
}

// kind is an operator id without its hash.
func kind(id string) string { return id[:strings.LastIndexByte(id, '_')] }

// rig is a worker with its controller and a program over a file.
type rig struct {
	script  *script
	worker  *server.Server
	bucket  blob.Bucket
	clock   *clock.Virtual
	program []byte
	tasks   int
}

const countPerKey = `
CREATE TABLE t (k TEXT NOT NULL, v BIGINT NOT NULL) WITH (connector = 'single_file', path = '%s', type = 'source', format = 'json'%s);
CREATE TABLE o WITH (connector = 'blackhole');
INSERT INTO o SELECT k, sum(v) FROM t GROUP BY k;`

func newRig(t *testing.T, lines, options string) *rig {
	t.Helper()
	return newRigFor(t, lines, options, countPerKey)
}

func newRigFor(t *testing.T, lines, options, query string) *rig {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.ndjson")
	if err := os.WriteFile(path, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	library := operators.Library{Connectors: builtin.Registry(), Functions: expr.Builtin(), Aggregates: agg.Builtin()}
	plan, problems := sql.Compile(fmt.Sprintf(query, path, options), sql.Options{
		DefaultSink: "preview", UpdateAggregateFlushInterval: time.Second, UpdatingTTL: time.Hour,
		Connectors: library.Connectors, Functions: library.Functions, Aggregates: library.Aggregates,
	})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	program, err := graphwire.Encode(plan.Program)
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blob.Open(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{script: newScript(), bucket: bucket, clock: clock.NewVirtual(time.Unix(1000, 0)), program: program}
	for _, n := range plan.Program.Subtasks(2) {
		r.tasks += n
	}
	r.worker, err = server.Start(context.Background(), server.Config{
		Params:     server.Params{WorkerID: 9, PipelineID: "pl_1", JobID: "job_1", Generation: 3, Slots: 2},
		Controller: r.script, Constructor: func(p preview.Receiver) engine.Constructor {
			watched := library
			watched.Connectors = builtin.RegistryWithPreview(p)
			return watched
		}, Clock: r.clock, Log: zerolog.Nop(), IO: operator.IO{},
		OpenStore: func(_ context.Context, _, pipeline, job string) (*checkpoint.Store, error) {
			return checkpoint.Open(bucket, pipeline, job)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.worker.Close)
	return r
}

func right() *wire.WorkerContext {
	return &wire.WorkerContext{WorkerId: 9, JobId: "job_1", Generation: 3}
}

func (r *rig) start(t *testing.T) {
	t.Helper()
	_, err := r.worker.StartExecution(context.Background(), &wire.StartExecutionRequest{Context: right(), Program: r.program, Parallelism: 2})
	if err != nil {
		t.Fatal(err)
	}
}

func (r *rig) phase(t *testing.T) wire.WorkerPhase {
	t.Helper()
	p, err := r.worker.GetWorkerPhase(context.Background(), &wire.GetWorkerPhaseRequest{})
	if err != nil {
		t.Fatal(err)
	}
	return p.Phase
}

func TestAWholeLife(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, `{"k":"a","v":1}`+"\n"+`{"k":"b","v":2}`+"\n", "")
	if r.phase(t) != wire.WorkerPhase_WORKER_PHASE_IDLE {
		t.Error("a new worker is not idle")
	}
	r.start(t)
	r.script.await(t, "initialized, failure false", 1)
	r.script.await(t, "drained", r.tasks)
	if r.phase(t) != wire.WorkerPhase_WORKER_PHASE_RUNNING {
		t.Error("a drained worker does not run")
	}
	if _, err := r.worker.Checkpoint(ctx, &wire.CheckpointRequest{Context: right(), Epoch: 1}); err != nil {
		t.Fatal(err)
	}
	r.script.await(t, "completed epoch 1", r.tasks)
	if _, err := r.worker.Checkpoint(ctx, &wire.CheckpointRequest{Context: right(), Epoch: 2, ThenStop: true, Final: true}); err != nil {
		t.Fatal(err)
	}
	r.script.await(t, "finished", r.tasks)
	r.script.await(t, "completed epoch 2", r.tasks)
	var rows int64
	for _, c := range r.script.completed {
		for _, table := range c.Tables {
			for _, f := range table.Files {
				rows += f.Rows
				if f.Epoch != c.Epoch || f.Crc32C == 0 || f.Ref == "" {
					t.Errorf("file %v", f)
				}
				if _, err := r.bucket.Get(ctx, "pl_1/job_1/"+f.Ref); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if rows == 0 {
		t.Error("no state was written")
	}
	m, err := r.worker.GetMetrics(ctx, &wire.GetMetricsRequest{Context: right()})
	if err != nil || len(m.Subtasks) != r.tasks {
		t.Errorf("metrics of %d subtasks, %v", len(m.GetSubtasks()), err)
	}
	if _, err := r.worker.JobFinished(ctx, &wire.JobFinishedRequest{Context: right()}); err != nil {
		t.Fatal(err)
	}
	<-r.worker.Done()
}

func TestPreviewsReachTheController(t *testing.T) {
	r := newRigFor(t, `{"k":"a","v":1}`+"\n", "", `
CREATE TABLE t (k TEXT NOT NULL, v BIGINT NOT NULL) WITH (connector = 'single_file', path = '%s', type = 'source', format = 'json'%s);
SELECT v FROM t;`)
	r.start(t)
	r.script.await(t, `rows from 0: [{"v":1}] done false`, 1)
	r.script.await(t, "drained", r.tasks)
}

func TestOtherGenerationsAndWorkersAreRefused(t *testing.T) {
	ctx := context.Background()
	r := newRig(t, "", "")
	old := &wire.WorkerContext{WorkerId: 9, JobId: "job_1", Generation: 2}
	stranger := &wire.WorkerContext{WorkerId: 8, JobId: "job_1", Generation: 3}
	_, err := r.worker.StartExecution(ctx, &wire.StartExecutionRequest{Context: old, Program: r.program})
	if connect.CodeOf(err) != connect.CodeFailedPrecondition || !fault.Is(err, fault.CodeStaleRun) {
		t.Errorf("an old generation got %v", err)
	}
	_, err = r.worker.StartExecution(ctx, &wire.StartExecutionRequest{Context: stranger, Program: r.program})
	if connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("a stranger got %v", err)
	}
	if _, err := r.worker.Commit(ctx, &wire.CommitRequest{Context: right()}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("a commit before the start got %v", err)
	}
	r.start(t)
	r.script.await(t, "initialized", 1)
	if _, err := r.worker.StartExecution(ctx, &wire.StartExecutionRequest{Context: right(), Program: r.program}); connect.CodeOf(err) != connect.CodeFailedPrecondition {
		t.Errorf("a second start got %v", err)
	}
}

func TestFailuresAreReportedWithTheirPlace(t *testing.T) {
	r := newRig(t, `{"k":"a","v":1}`+"\n"+`{"k":"b","v":"secret"}`+"\n", "")
	r.start(t)
	r.script.await(t, "failed", 1)
	f := r.script.failure
	if f.Kind != wire.FailureKind_FAILURE_KIND_DATA || f.RecordLine != 2 || f.RecordColumn != "v" || strings.Contains(f.Message, "secret") {
		t.Errorf("failure %v", f)
	}
	bad := newRig(t, "", "")
	bad.program = []byte("no program")
	bad.start(t)
	bad.script.await(t, "initialized, failure true", 1)
	if bad.phase(t) != wire.WorkerPhase_WORKER_PHASE_FAILED {
		t.Error("a worker that cannot initialise is not failed")
	}
}

func TestNonfatalErrorsAreCountedNotRepeated(t *testing.T) {
	r := newRig(t, strings.Repeat(`{"k":"a","v":"x"}`+"\n", 1000)+`{"k":"a","v":1}`+"\n", ", bad_data = 'drop'")
	r.start(t)
	r.script.await(t, "drained", r.tasks)
	if _, err := r.worker.Checkpoint(context.Background(), &wire.CheckpointRequest{Context: right(), Epoch: 1, ThenStop: true, Final: true}); err != nil {
		t.Fatal(err)
	}
	r.script.await(t, "nonfatal v", 2)
	total, reports := 0, 0
	r.script.mu.Lock()
	for _, h := range r.script.heard {
		n := 0
		if _, err := fmt.Sscanf(h, "nonfatal v ×%d", &n); err == nil {
			total += n
			reports++
		}
	}
	r.script.mu.Unlock()
	if total != 1000 || reports > 3 {
		t.Errorf("%d errors in %d reports", total, reports)
	}
}

func TestAReplacedWorkerStopsItself(t *testing.T) {
	r := newRig(t, "", "")
	r.script.mu.Lock()
	r.script.generation = 4
	r.script.mu.Unlock()
	r.beat()
	<-r.worker.Done()
}

// beat lets the time of one heartbeat pass; false when the worker has stopped.
func (r *rig) beat() bool {
	if !r.clock.AwaitTimers(1, r.worker.Done()) {
		return false
	}
	r.clock.Advance(5 * time.Second)
	return true
}

func TestAWorkerThatCannotRenewItsLeaseStopsItself(t *testing.T) {
	r := newRig(t, "", "")
	r.script.mu.Lock()
	r.script.silent = true
	r.script.mu.Unlock()
	beats := 0
	for r.beat() {
		beats++
	}
	if beats < 6 || beats > 8 {
		t.Errorf("stopped after %d heartbeats of 5 s; the lease is 30 s", beats)
	}
}

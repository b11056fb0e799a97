package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// Subtask names one operator at one subtask index.
type Subtask struct {
	Operator string
	Index    int
}

// Listener hears what happens. It is called from the tasks' goroutines and must not block on the engine.
type Listener interface {
	TaskStarted(s Subtask)
	// CheckpointStarted: the first barrier of the epoch has arrived and alignment begins; CheckpointSynced: the synchronous
	// part is over; CheckpointCompleted: the files are durable.
	CheckpointStarted(s Subtask, epoch uint64)
	CheckpointSynced(s Subtask, epoch uint64)
	CheckpointCompleted(snapshot Snapshot)
	CommitFinished(s Subtask, epoch uint64)
	// TaskDrained: the end of all inputs has passed the operator. TaskFinished: it has ended after a stopping barrier.
	TaskDrained(s Subtask)
	TaskFinished(s Subtask)
	// TaskFailed is called at most once per engine, for the first failure.
	TaskFailed(s Subtask, err error)
	// Nonfatal reports errors that do not stop the job.
	Nonfatal(s Subtask, err error)
}

// Constructor makes the operators of a program; package operators has the one that knows them all.
type Constructor interface {
	// Source makes what a node with a spec that is a source reads.
	Source(n *graph.Node, env operator.Env) (operator.Source, error)
	// Operator makes any operator that is not a source; in and mode describe its input rows.
	Operator(p *graph.Program, node int, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error)
}

// Config is what an engine runs and with what.
type Config struct {
	Program *graph.Program
	JobID   string
	// Parallelism of the job; see graph.Program.Subtasks.
	Parallelism int
	Constructor Constructor
	Listener    Listener
	Store       Store
	Clock       clock.Clock
	// Restore gives the state of an operator; nil, or a nil result, for a fresh start.
	Restore func(operatorID string) *OperatorState
	// BatchRows and Linger as in operator.Env; QueueBytes bounds what a subtask has waiting in its queues to the subtasks
	// of one consumer, together.
	BatchRows  int
	Linger     time.Duration
	QueueBytes int
	IO         operator.IO
	// NoChaining puts a queue on every edge.
	NoChaining bool
	// Synchronous makes uploads happen inside the barrier and queues unbounded, for Simulate.
	Synchronous bool
}

// Defaults for the sizes of Config that are left zero.
const (
	DefaultBatchRows  = 8192
	DefaultLinger     = 100 * time.Millisecond
	DefaultQueueBytes = 4 << 20
)

// minQueueBytes is the least bound of one queue, however many there are.
const minQueueBytes = 64 << 10

// Engine runs a program's subtasks. It is used once: New, Start, and Wait at the end.
type Engine struct {
	config  Config
	tasks   []*task
	byID    map[Subtask]*instance
	ctx     context.Context
	cancel  context.CancelCauseFunc
	group   sync.WaitGroup
	uploads errgroup.Group
	failing sync.Once
	failure error
	mu      sync.Mutex
	closed  bool
}

// errStopped is the cause of a context that Stop has cancelled.
var errStopped = errors.New("stopped")

// New builds the tasks and restores their state; it may read from the store. On an error everything is closed again.
func New(ctx context.Context, c Config) (*Engine, error) {
	if c.BatchRows <= 0 {
		c.BatchRows = DefaultBatchRows
	}
	if c.Linger <= 0 {
		c.Linger = DefaultLinger
	}
	if c.QueueBytes <= 0 {
		c.QueueBytes = DefaultQueueBytes
	}
	e := &Engine{config: c, byID: map[Subtask]*instance{}}
	e.ctx, e.cancel = context.WithCancelCause(ctx)
	e.uploads.SetLimit(max(2, runtime.GOMAXPROCS(0)))
	if err := e.build(); err != nil {
		e.cancel(err)
		e.close()
		return nil, err
	}
	return e, nil
}

// Start runs every task on a goroutine of its own. Failures go to the listener; Wait waits for the end.
func (e *Engine) Start() {
	for _, t := range e.tasks {
		e.group.Add(1)
		go func() {
			defer e.group.Done()
			for _, i := range t.links {
				e.config.Listener.TaskStarted(i.id())
			}
			if err := t.run(e.ctx); err != nil {
				e.fail(t.blamed(err), err)
			}
		}()
	}
}

// blamed is the operator of t that a failure belongs to.
func (t *task) blamed(err error) Subtask {
	name := fault.As(err).Operator
	for _, i := range t.links {
		if name == i.node.Description || name == i.node.ID {
			return i.id()
		}
	}
	return t.head.id()
}

// fail records the first failure and stops everything. What goes wrong after the context has ended is an echo.
func (e *Engine) fail(s Subtask, err error) {
	if e.ctx.Err() != nil {
		return
	}
	e.failing.Do(func() {
		e.mu.Lock()
		e.failure = err
		e.mu.Unlock()
		e.config.Listener.TaskFailed(s, err)
		e.cancel(err)
	})
}

// Wait waits until every task has ended, closes the operators, and gives the failure if there was one.
func (e *Engine) Wait() error {
	e.group.Wait()
	_ = e.uploads.Wait() // uploads report their errors through fail
	closeErr := e.close()
	e.cancel(errStopped)
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.failure != nil {
		return e.failure
	}
	return closeErr
}

// Join waits until every task has ended.
func (e *Engine) Join() { e.group.Wait() }

func (e *Engine) close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()
	var first error
	for _, t := range e.tasks {
		if err := t.close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Stop ends all tasks now, without a checkpoint. It does not wait.
func (e *Engine) Stop() { e.cancel(errStopped) }

// Checkpoint sends a barrier into every source.
func (e *Engine) Checkpoint(b Barrier) {
	for _, t := range e.tasks {
		if t.source != nil {
			t.ask(request{barrier: &b})
		}
	}
}

// Drain ends every source as if its input had ended.
func (e *Engine) Drain() {
	for _, t := range e.tasks {
		if t.source != nil {
			t.ask(request{drain: true})
		}
	}
}

// Commit tells an operator's subtask that the checkpoint of this epoch is durable.
func (e *Engine) Commit(s Subtask, epoch uint64, data [][]byte) error {
	i, ok := e.byID[s]
	if !ok {
		return fault.Internalf("commit for unknown subtask %s/%d", s.Operator, s.Index)
	}
	i.task.ask(request{commit: &commitRequest{epoch: epoch, instance: i, data: data}})
	return nil
}

// Subtasks lists what the engine runs, in the order of the program.
func (e *Engine) Subtasks() []Subtask {
	var out []Subtask
	for _, n := range e.config.Program.Nodes {
		for k := 0; ; k++ {
			s := Subtask{n.ID, k}
			if _, ok := e.byID[s]; !ok {
				break
			}
			out = append(out, s)
		}
	}
	return out
}

// Metrics gives the counters of a subtask, which live as long as the engine; nil for a stranger.
func (e *Engine) Metrics(s Subtask) *operator.Metrics {
	if i, ok := e.byID[s]; ok {
		return i.metrics
	}
	return nil
}

// Simulate polls tasks in an order drawn from r until all are over or nothing can make progress; it needs
// Config.Synchronous and does not use goroutines. It returns false when the tasks wait for time to pass.
func (e *Engine) Simulate(r *rand.Rand) (over bool, err error) {
	for {
		over, progress, err := e.Step(r)
		if over || err != nil || !progress {
			return over, err
		}
	}
}

// Step polls every task once, in an order drawn from r, as a part of Simulate.
func (e *Engine) Step(r *rand.Rand) (over, progress bool, err error) {
	over = true
	for _, k := range r.Perm(len(e.tasks)) {
		t := e.tasks[k]
		if t.over {
			continue
		}
		over = false
		if t.congested() {
			continue
		}
		p, err := t.pollSafely(e.ctx)
		if err == nil && !p && !t.over {
			err = t.flushExchanges()
		}
		if err != nil {
			e.fail(t.blamed(err), err)
			return true, false, err
		}
		progress = progress || p || t.over
	}
	return over, progress || e.pendingMessages(), nil
}

func (t *task) pollSafely(ctx context.Context) (progress bool, err error) {
	defer t.recoverPanic(&err)
	return t.poll(ctx)
}

// pendingMessages reports whether a task has something to read that it is not blocked on.
func (e *Engine) pendingMessages() bool {
	for _, t := range e.tasks {
		for _, in := range t.inputs {
			in.queue.mu.Lock()
			n := len(in.queue.items) - in.queue.head
			in.queue.mu.Unlock()
			if n > 0 && !in.blocked {
				return true
			}
		}
	}
	return false
}

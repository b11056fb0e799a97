// Package local runs a program on this machine without a controller: the LocalRunner of tests, benchmarks and tools.
//
// It takes checkpoints on request or on an interval, keeps what the engine writes in a Store, and can start from such a
// checkpoint with another parallelism. There are no manifests, no generations and no restarts: a failure ends the run.
package local

import (
	"context"
	"fmt"
	"hash/crc32"
	"sync"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/worker/engine"
)

// Config says how to run.
type Config struct {
	Program     *graph.Program
	Constructor engine.Constructor
	Parallelism int
	Clock       clock.Clock
	BatchRows   int
	Linger      time.Duration
	QueueBytes  int
	IO          operator.IO
	// Interval is the time between checkpoints; 0 is none but the last.
	Interval time.Duration
	// Restore is a checkpoint of an earlier run over the same Store.
	Restore *Checkpoint
	Store   engine.Store
	// Nonfatal hears errors that do not stop the run; nil ignores them.
	Nonfatal func(s engine.Subtask, err error)
	// Drained, if set, is called once when the whole input has passed, before the last checkpoint; it must not block.
	Drained func()
}

// Checkpoint is a complete checkpoint.
type Checkpoint struct {
	Epoch     uint64
	Operators map[string]*engine.OperatorState
}

// Runner is a running program.
type Runner struct {
	config  Config
	engine  *engine.Engine
	wanted  int
	mu      sync.Mutex
	epoch   uint64
	acks    map[engine.Subtask]engine.Snapshot
	current engine.Barrier
	busy    bool
	drained map[engine.Subtask]bool
	last    *Checkpoint
	waiting []chan *Checkpoint
	final   bool
	err     error
	done    chan struct{}
}

// Start builds and starts the program.
func Start(ctx context.Context, c Config) (*Runner, error) {
	if c.Store == nil {
		c.Store = &Memory{}
	}
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	r := &Runner{config: c, acks: map[engine.Subtask]engine.Snapshot{}, drained: map[engine.Subtask]bool{}, last: c.Restore, done: make(chan struct{})}
	ec := engine.Config{
		Program: c.Program, JobID: "local", Parallelism: max(1, c.Parallelism), Constructor: c.Constructor, Listener: (*listener)(r),
		Store: c.Store, Clock: c.Clock, BatchRows: c.BatchRows, Linger: c.Linger, QueueBytes: c.QueueBytes, IO: c.IO,
	}
	if c.Restore != nil {
		r.epoch = c.Restore.Epoch
		ec.Restore = func(id string) *engine.OperatorState { return c.Restore.Operators[id] }
	}
	e, err := engine.New(ctx, ec)
	if err != nil {
		return nil, err
	}
	r.engine = e
	r.wanted = len(e.Subtasks())
	e.Start()
	go r.end()
	if c.Interval > 0 {
		go r.checkpointRegularly()
	}
	return r, nil
}

// Run runs a program to the end of its input, with its last checkpoint.
func Run(ctx context.Context, c Config) (*Checkpoint, error) {
	r, err := Start(ctx, c)
	if err != nil {
		return nil, err
	}
	return r.Wait()
}

// end waits for the engine. The goroutine that runs it, and the one that takes checkpoints, end with the run.
func (r *Runner) end() {
	err := r.engine.Wait()
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	close(r.done)
}

// Wait waits for the end and gives the last complete checkpoint.
func (r *Runner) Wait() (*Checkpoint, error) {
	<-r.done
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last, r.err
}

// Checkpoint takes a checkpoint now and waits for it; with stop the run ends behind it. It gives nil if the run ended
// before. While another checkpoint is on its way it waits for that one instead, unless it is to stop.
func (r *Runner) Checkpoint(stop bool) *Checkpoint {
	for {
		ch := make(chan *Checkpoint, 1)
		r.mu.Lock()
		started := !r.busy && !r.final
		r.waiting = append(r.waiting, ch)
		if started {
			r.begin(stop, false)
		}
		r.mu.Unlock()
		var cp *Checkpoint
		select {
		case cp = <-ch:
		case <-r.done:
			return nil
		}
		if started || !stop || cp == nil {
			return cp
		}
	}
}

// Kill ends the run at once, as a crash would.
func (r *Runner) Kill() { r.engine.Stop() }

// Metrics gives the counters of a subtask.
func (r *Runner) Metrics(s engine.Subtask) *operator.Metrics { return r.engine.Metrics(s) }

// begin starts an epoch; the lock is held.
func (r *Runner) begin(stop, final bool) {
	r.epoch++
	r.busy = true
	r.final = r.final || stop
	clear(r.acks)
	r.current = engine.Barrier{Epoch: r.epoch, Stop: stop, Final: final, StartMicros: r.config.Clock.Now().UnixMicro()}
	r.engine.Checkpoint(r.current)
}

func (r *Runner) checkpointRegularly() {
	for {
		select {
		case <-r.config.Clock.After(r.config.Interval):
		case <-r.done:
			return
		}
		r.mu.Lock()
		if !r.busy && !r.final {
			r.begin(false, false)
		}
		r.mu.Unlock()
	}
}

// listener is the Runner as the engine sees it.
type listener Runner

func (l *listener) TaskStarted(engine.Subtask)               {}
func (l *listener) CheckpointStarted(engine.Subtask, uint64) {}
func (l *listener) CheckpointSynced(engine.Subtask, uint64)  {}
func (l *listener) CommitFinished(engine.Subtask, uint64)    {}
func (l *listener) TaskFinished(engine.Subtask)              {}
func (l *listener) TaskFailed(engine.Subtask, error)         {}

func (l *listener) Nonfatal(s engine.Subtask, err error) {
	if l.config.Nonfatal != nil {
		l.config.Nonfatal(s, err)
	}
}

func (l *listener) TaskDrained(s engine.Subtask) {
	r := (*Runner)(l)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drained[s] = true
	r.maybeFinal()
}

// maybeFinal starts the last epoch when everything has drained and nothing is on its way; the lock is held.
func (r *Runner) maybeFinal() {
	if r.engine != nil && len(r.drained) == r.wanted && !r.busy && !r.final {
		if r.config.Drained != nil {
			r.config.Drained()
		}
		r.begin(true, true)
	}
}

func (l *listener) CheckpointCompleted(s engine.Snapshot) {
	r := (*Runner)(l)
	r.mu.Lock()
	defer r.mu.Unlock()
	if s.Epoch != r.current.Epoch {
		return
	}
	r.acks[s.Subtask] = s
	if len(r.acks) < r.wanted {
		return
	}
	r.last = Merge(r.last, r.current.Epoch, r.acks)
	r.busy = false
	for sub, a := range r.acks {
		if len(a.Commit) > 0 {
			if err := r.engine.Commit(sub, s.Epoch, a.Commit); err != nil {
				panic(fmt.Sprintf("local: %v", err))
			}
		}
	}
	for _, w := range r.waiting {
		w <- r.last
	}
	r.waiting = nil
	r.maybeFinal()
}

// Merge makes the checkpoint of an epoch from the one before and the snapshots.
func Merge(prev *Checkpoint, epoch uint64, acks map[engine.Subtask]engine.Snapshot) *Checkpoint {
	cp := &Checkpoint{Epoch: epoch, Operators: map[string]*engine.OperatorState{}}
	missing := map[string]bool{}
	for s, a := range acks {
		o := cp.Operators[s.Operator]
		if o == nil {
			o = &engine.OperatorState{}
			cp.Operators[s.Operator] = o
			if prev != nil && prev.Operators[s.Operator] != nil {
				for _, t := range prev.Operators[s.Operator].Tables {
					if !t.Global {
						o.Tables = append(o.Tables, engine.Table{Name: t.Name, Files: append([]engine.File(nil), t.Files...)})
					}
				}
			}
		}
		if a.Watermark == nil {
			missing[s.Operator] = true
		} else if o.Watermark == nil || *a.Watermark < *o.Watermark {
			o.Watermark = a.Watermark
		}
		for _, t := range a.Tables {
			o.Tables = addFiles(o.Tables, t)
		}
	}
	for id := range missing {
		cp.Operators[id].Watermark = nil
	}
	return cp
}

func addFiles(tables []engine.Table, t engine.Table) []engine.Table {
	for i := range tables {
		if tables[i].Name == t.Name {
			tables[i].Files = append(tables[i].Files, t.Files...)
			return tables
		}
	}
	return append(tables, engine.Table{Name: t.Name, Global: t.Global, Files: append([]engine.File(nil), t.Files...)})
}

// Memory is a Store in memory.
type Memory struct {
	mu    sync.Mutex
	files map[string][]byte
}

// Write implements engine.Store.
func (m *Memory) Write(_ context.Context, n engine.FileName, data []byte) (string, uint32, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files == nil {
		m.files = map[string][]byte{}
	}
	ref := fmt.Sprintf("%d/%s/%s/%d/%d", n.Epoch, n.Operator, n.Table, n.Subtask, len(m.files))
	m.files[ref] = append([]byte(nil), data...)
	return ref, crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli)), nil
}

// Read implements engine.Store.
func (m *Memory) Read(_ context.Context, f engine.File) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.files[f.Ref]
	if !ok {
		return nil, &fault.Error{Kind: fault.Internal, Code: fault.CodeNotFound, Message: "no file " + f.Ref}
	}
	return data, nil
}

// Package embedded runs workers in this process: one per job, with as many slots as the job needs.
package embedded

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"os"
	"sync"

	"wadi/controller/schedule"
	"wadi/dataflow/fault"
	"wadi/worker/wire"
)

// Params say which worker of which job is to be made.
type Params struct {
	WorkerID                           uint64
	MachineID, PipelineID, JobID, Name string
	Generation                         uint64
	Slots                              int
}

// Worker is a running worker.
type Worker interface {
	wire.WorkerServiceHandler
	// Done is closed when the worker has ended, or is about to because of Close.
	Done() <-chan struct{}
	// Close ends the worker and waits for it. It may be called more than once.
	Close()
}

// Factory makes a worker and starts it; it has registered with the controller when Factory returns. The context ends
// when the worker has to.
type Factory func(ctx context.Context, p Params) (Worker, error)

// Scheduler implements schedule.Scheduler.
type Scheduler struct {
	factory Factory
	machine string

	mu      sync.Mutex
	running map[uint64]*running
}

type running struct {
	Params
	cancel context.CancelFunc
	// ready is closed when the factory has returned, ended when nothing of the worker is left.
	ready, ended chan struct{}
	worker       Worker
	err          error
	stopping     bool
}

// New makes a scheduler.
func New(f Factory) *Scheduler {
	machine, err := os.Hostname()
	if err != nil {
		machine = "localhost"
	}
	return &Scheduler{factory: f, machine: machine, running: map[uint64]*running{}}
}

// Start implements schedule.Scheduler. The factory's error is reported as the worker's exit.
func (s *Scheduler) Start(_ context.Context, r schedule.Request) error {
	// The worker outlives the call that starts it: its context ends with Stop.
	ctx, cancel := context.WithCancel(context.Background())
	w := &running{
		Params: Params{
			WorkerID: randomID(), MachineID: s.machine, PipelineID: r.PipelineID, JobID: r.JobID, Name: r.Name,
			Generation: r.Generation, Slots: r.Slots,
		},
		cancel: cancel, ready: make(chan struct{}), ended: make(chan struct{}),
	}
	s.mu.Lock()
	s.running[w.WorkerID] = w
	s.mu.Unlock()
	go s.run(ctx, w, r.Exited)
	return nil
}

// run is the life of one worker. Stop waits for it.
func (s *Scheduler) run(ctx context.Context, w *running, exited func(uint64, error)) {
	defer close(w.ended)
	worker, err := s.factory(ctx, w.Params)
	s.mu.Lock()
	w.worker, w.err = worker, err
	s.mu.Unlock()
	close(w.ready)
	if err == nil {
		select {
		case <-worker.Done():
		case <-ctx.Done():
		}
		worker.Close()
	}
	s.mu.Lock()
	delete(s.running, w.WorkerID)
	surprise := !w.stopping
	s.mu.Unlock()
	w.cancel()
	if surprise && exited != nil {
		exited(w.WorkerID, err)
	}
}

// randomID is never 0 and never repeats in practice, so that a message cannot reach a later worker.
func randomID() uint64 {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return binary.LittleEndian.Uint64(b[:]) | 1
}

// Worker implements schedule.Scheduler.
func (s *Scheduler) Worker(ctx context.Context, _ string, id uint64, _ string) (wire.WorkerServiceHandler, error) {
	s.mu.Lock()
	w := s.running[id]
	s.mu.Unlock()
	if w == nil {
		return nil, fault.Transientf(nil, "worker %d is gone", id)
	}
	select {
	case <-w.ready:
	case <-ctx.Done():
		return nil, fault.Transientf(ctx.Err(), "worker %d is not ready", id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return w.worker, w.err
}

// Stop implements schedule.Scheduler.
func (s *Scheduler) Stop(ctx context.Context, jobID string, generation uint64, _ bool) error {
	s.mu.Lock()
	var stopped []*running
	for _, w := range s.running {
		if w.JobID == jobID && w.Generation <= generation {
			w.stopping = true
			stopped = append(stopped, w)
		}
	}
	s.mu.Unlock()
	for _, w := range stopped {
		w.cancel()
	}
	for _, w := range stopped {
		select {
		case <-w.ended:
		case <-ctx.Done():
			return fault.Transientf(ctx.Err(), "worker %d has not ended", w.WorkerID)
		}
	}
	return nil
}

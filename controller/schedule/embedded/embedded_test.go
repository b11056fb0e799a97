package embedded_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"wadi/controller/schedule"
	"wadi/controller/schedule/embedded"
	"wadi/dataflow/fault"
	"wadi/worker/wire"
)

// worker ends when it is told to, or by itself.
type worker struct {
	wire.WorkerServiceHandler
	embedded.Params
	ctx    context.Context
	finish context.CancelFunc
	// slow is how long Close takes.
	slow   time.Duration
	closed int
}

func (w *worker) Done() <-chan struct{} { return w.ctx.Done() }
func (w *worker) Close() {
	w.closed++
	time.Sleep(w.slow)
}

// house is a scheduler whose workers are kept.
type house struct {
	*embedded.Scheduler
	workers []*worker
	exits   []error
	slow    time.Duration
	err     error
}

func newHouse() *house {
	h := &house{}
	h.Scheduler = embedded.New(func(ctx context.Context, p embedded.Params) (embedded.Worker, error) {
		time.Sleep(time.Second) // a worker takes its time
		if h.err != nil {
			return nil, h.err
		}
		w := &worker{Params: p, slow: h.slow}
		w.ctx, w.finish = context.WithCancel(ctx)
		h.workers = append(h.workers, w)
		return w, nil
	})
	return h
}

func (h *house) start(t *testing.T, generation uint64) {
	t.Helper()
	err := h.Start(t.Context(), schedule.Request{
		PipelineID: "pl", JobID: "job", Name: "n", Generation: generation, Slots: 5,
		Exited: func(_ uint64, err error) { h.exits = append(h.exits, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestOneWorkerWithAllSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.start(t, 3)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(h.workers) != 1 {
			t.Fatalf("%d workers", len(h.workers))
		}
		w := h.workers[0]
		if p := w.Params; p.Slots != 5 || p.Generation != 3 || p.JobID != "job" || p.PipelineID != "pl" || p.WorkerID == 0 || p.MachineID == "" {
			t.Errorf("params %+v", p)
		}
		if got, err := h.Worker(t.Context(), "job", w.WorkerID, ""); err != nil || got != wire.WorkerServiceHandler(w) {
			t.Errorf("%v, %v", got, err)
		}
		if _, err := h.Worker(t.Context(), "job", 42, ""); fault.As(err) == nil || fault.As(err).Kind != fault.Transient {
			t.Errorf("a worker that there is not: %v", err)
		}
		if err := h.Stop(t.Context(), "other", 9, true); err != nil || w.ctx.Err() != nil {
			t.Errorf("stopping another job: %v, %v", err, w.ctx.Err())
		}
		if err := h.Stop(t.Context(), "job", 2, true); err != nil || w.ctx.Err() != nil {
			t.Errorf("stopping an earlier generation: %v, %v", err, w.ctx.Err())
		}
		if err := h.Stop(t.Context(), "job", 3, false); err != nil || w.ctx.Err() == nil || w.closed != 1 || len(h.exits) != 0 {
			t.Errorf("stopped: %v, closed %d, exits %v", err, w.closed, h.exits)
		}
		if _, err := h.Worker(t.Context(), "job", w.WorkerID, ""); err == nil {
			t.Error("a stopped worker is still there")
		}
	})
}

func TestUnexpectedEndIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.start(t, 1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		h.workers[0].finish()
		synctest.Wait()
		if len(h.exits) != 1 || h.exits[0] != nil || h.workers[0].closed != 1 {
			t.Errorf("exits %v", h.exits)
		}
		h.err = errors.New("no room")
		h.start(t, 2)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(h.exits) != 2 || h.exits[1] != h.err {
			t.Errorf("exits %v", h.exits)
		}
	})
}

// A worker that is asked for while it starts is waited for, and one that is stopped while it starts is gone afterwards.
func TestWhileStarting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.start(t, 1)
		if err := h.Stop(t.Context(), "job", 1, true); err != nil {
			t.Fatal(err)
		}
		if len(h.workers) != 1 || h.workers[0].closed != 1 || len(h.exits) != 0 {
			t.Errorf("workers %d, exits %v", len(h.workers), h.exits)
		}
	})
}

func TestStopThatTakesTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHouse()
		h.slow = time.Minute
		h.start(t, 1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := h.Stop(ctx, "job", 1, true); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		if err := h.Stop(t.Context(), "job", 1, true); err != nil {
			t.Errorf("the second stop: %v", err)
		}
	})
}

package server

import (
	"context"
	"sync"
)

// relay carries what tasks say to the controller, in order, on a goroutine of its own, so that no task waits for the
// controller.
type relay struct {
	mu     sync.Mutex
	queue  []func(context.Context)
	signal chan struct{}
	closed bool
}

func newRelay() *relay { return &relay{signal: make(chan struct{}, 1)} }

// say queues a call.
func (r *relay) say(f func(context.Context)) {
	r.mu.Lock()
	if !r.closed {
		r.queue = append(r.queue, f)
	}
	r.mu.Unlock()
	r.poke()
}

func (r *relay) poke() {
	select {
	case r.signal <- struct{}{}:
	default:
	}
}

// close lets run return when it has made the calls that are queued.
func (r *relay) close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.poke()
}

// run makes the calls until close or the end of ctx.
func (r *relay) run(ctx context.Context) {
	for {
		r.mu.Lock()
		calls, closed := r.queue, r.closed
		r.queue = nil
		r.mu.Unlock()
		for _, f := range calls {
			if ctx.Err() != nil {
				return
			}
			f(ctx)
		}
		if len(calls) > 0 {
			continue
		}
		if closed {
			return
		}
		select {
		case <-r.signal:
		case <-ctx.Done():
			return
		}
	}
}

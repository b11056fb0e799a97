package run

import (
	"context"
	"os"
	"sync/atomic"
	"time"

	"wadi/dataflow/clock"
)

// interrupts turns signals into the steps of a shutdown. The first one asks for an orderly end, the second one ends the
// process, and so does the end of the time that an orderly one may take.
type interrupts struct {
	first, second, expired chan struct{}
	// dead delivers an error after which nothing here may go on, not even in order.
	dead chan error
	// orderly says that the command knows how to end in order; without it the first signal ends the process.
	orderly atomic.Bool
}

// echo is how soon after the first signal the same one once more still belongs to it: timeout(1) signals a process by
// itself and then again with its group.
const echo = 25 * time.Millisecond

// watch follows signals until the process ends.
func watch(signals <-chan os.Signal, clk clock.Clock) *interrupts {
	in := &interrupts{first: make(chan struct{}), second: make(chan struct{}), expired: make(chan struct{}), dead: make(chan error, 1)}
	go func() {
		signal, ok := <-signals
		if !ok {
			return
		}
		until := clk.Now().Add(echo)
		close(in.first)
		for in.orderly.Load() {
			next, ok := <-signals
			if !ok {
				return
			}
			if next != signal || clk.Now().After(until) {
				break
			}
		}
		close(in.second)
	}()
	return in
}

// drainWithin bounds the time from the first signal to the end of the process.
func (in *interrupts) drainWithin(d time.Duration, clk clock.Clock) {
	go func() {
		<-in.first
		<-clk.After(d)
		close(in.expired)
	}()
}

// context gives one that ends with the first signal.
func (in *interrupts) context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	go func() {
		select {
		case <-in.first:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}

// die ends the process with this error, at once.
func (in *interrupts) die(err error) {
	select {
	case in.dead <- err:
	default: // it is about to
	}
}

// asked reports whether the first signal has come.
func (in *interrupts) asked() bool {
	select {
	case <-in.first:
		return true
	default:
		return false
	}
}

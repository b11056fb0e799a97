// Package clock is the injected time of Wadi.
//
// Every wait and every wall-clock reading goes through a Clock, so that tests run on virtual time. Event time is not
// read from a clock; it comes from the data, as nanoseconds since the Unix epoch.
package clock

import (
	"sync"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	// Now is the present wall-clock time.
	Now() time.Time
	// After sends the time once on the returned channel when d has passed. The channel has room for it.
	After(d time.Duration) <-chan time.Time
}

// System is the machine's clock.
type System struct{}

// Now implements Clock.
func (System) Now() time.Time { return time.Now() }

// After implements Clock.
func (System) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Virtual is a clock that moves only when told. The zero value starts at the Unix epoch and is ready to use; it may be
// used from several goroutines.
type Virtual struct {
	mu     sync.Mutex
	now    time.Time
	timers []timer
	// set is closed, and replaced, when a timer is set.
	set chan struct{}
}

type timer struct {
	at time.Time
	ch chan time.Time
}

// NewVirtual gives a virtual clock that stands at start.
func NewVirtual(start time.Time) *Virtual { return &Virtual{now: start} }

// Now implements Clock.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.now.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return v.now
}

// After implements Clock.
func (v *Virtual) After(d time.Duration) <-chan time.Time {
	now := v.Now()
	v.mu.Lock()
	defer v.mu.Unlock()
	ch := make(chan time.Time, 1)
	if d <= 0 {
		ch <- now
		return ch
	}
	v.timers = append(v.timers, timer{now.Add(d), ch})
	if v.set != nil {
		close(v.set)
		v.set = nil
	}
	return ch
}

// AwaitTimers waits until at least n timers are set and not yet due, so that a test knows that a goroutine is waiting
// before it advances the clock. It returns false when done is closed first.
func (v *Virtual) AwaitTimers(n int, done <-chan struct{}) bool {
	for {
		v.mu.Lock()
		if len(v.timers) >= n {
			v.mu.Unlock()
			return true
		}
		if v.set == nil {
			v.set = make(chan struct{})
		}
		set := v.set
		v.mu.Unlock()
		select {
		case <-set:
		case <-done:
			return false
		}
	}
}

// Advance moves the clock by d and fires the timers that are due, in the order in which they were set.
func (v *Virtual) Advance(d time.Duration) {
	now := v.Now().Add(d)
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = now
	kept := v.timers[:0]
	for _, t := range v.timers {
		if t.at.After(now) {
			kept = append(kept, t)
			continue
		}
		t.ch <- now
	}
	v.timers = kept
}

package connector

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"wadi/dataflow/operator"
)

// Pacer releases the rows of a generator at a steady rate on the injected clock: row n, counted from 0 since the pacer
// was made, is due n·interval after that. Who is late catches up as fast as it can. Nothing blocks: Take says how many
// rows may go out now, and Rest arranges a wake-up for the next ones. Rows are collected for at most the linger time,
// and a row that is due on a quiet stream leaves at once. A Pacer belongs to one goroutine.
type Pacer struct {
	env      operator.Env
	interval float64
	start    time.Time
	last     time.Time
	taken    int64
	timing   atomic.Bool
	closing  chan struct{}
	timers   sync.WaitGroup
}

// NewPacer makes a pacer for one row per interval, in nanoseconds; 0 is no pacing. It has to be closed.
func NewPacer(env operator.Env, interval float64) *Pacer {
	now := env.Clock.Now()
	return &Pacer{env: env, interval: interval, start: now, last: now.Add(-env.Linger), closing: make(chan struct{})}
}

// Take gives how many rows may be emitted at once, 0 to want, and what time it is; the caller emits all of them. want is
// at least 1.
func (p *Pacer) Take(want int) (int, time.Time) {
	now := p.env.Clock.Now()
	n := int64(want)
	if p.interval > 0 {
		n = min(n, p.due(now)-p.taken)
	}
	if n < int64(want) && now.Sub(p.last) < p.env.Linger {
		return 0, now
	}
	if n > 0 {
		p.taken += n
		p.last = now
	}
	return int(n), now
}

// due is how many rows are due by now in all.
func (p *Pacer) due(now time.Time) int64 {
	elapsed := float64(now.Sub(p.start))
	k := math.Floor(elapsed / p.interval)
	// The quotient may have been rounded down to just below the row whose time has come.
	if (k+1)*p.interval <= elapsed {
		k++
	}
	if k >= math.MaxInt64/2 {
		return math.MaxInt64 / 2
	}
	return int64(k) + 1
}

// minRest keeps a rounding error from becoming a busy loop.
const minRest = 100 * time.Microsecond

// Rest tells what a Read that has emitted answers: Ready when want rows are due already, else Waiting, with a wake-up
// for the moment at which Take will give some.
func (p *Pacer) Rest(want int) operator.Status {
	if p.interval <= 0 {
		return operator.Ready
	}
	now := p.env.Clock.Now()
	if p.due(now)-p.taken >= int64(want) {
		return operator.Ready
	}
	next := p.at(p.taken)
	full := p.at(p.taken + int64(want) - 1)
	if linger := p.last.Add(p.env.Linger); next.Before(linger) {
		next = linger
	}
	if full.Before(next) {
		next = full
	}
	p.wakeAfter(max(next.Sub(now), minRest))
	return operator.Waiting
}

// at is when row n is due; far times are cut to a century.
func (p *Pacer) at(n int64) time.Time {
	const century = 100 * 365 * 24 * float64(time.Hour)
	return p.start.Add(time.Duration(math.Ceil(min(float64(n)*p.interval, century))))
}

// wakeAfter wakes the runtime after d. One timer runs at a time; the runtime looks in after the linger time anyway.
func (p *Pacer) wakeAfter(d time.Duration) {
	if p.env.Wake == nil || !p.timing.CompareAndSwap(false, true) {
		return
	}
	after := p.env.Clock.After(d)
	p.timers.Add(1)
	go func() {
		defer p.timers.Done()
		select {
		case <-after:
			p.timing.Store(false)
			p.env.Wake()
		case <-p.closing:
		}
	}()
}

// Close ends the timer and waits for it.
func (p *Pacer) Close() {
	close(p.closing)
	p.timers.Wait()
}

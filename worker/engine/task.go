package engine

import (
	"context"
	"fmt"
	"math"
	"runtime/debug"
	"sync"
	"time"

	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
)

// input is one queue that a task reads.
type input struct {
	queue *queue
	port  int
	// watermark of this input; idle inputs do not hold the task's watermark back.
	watermark int64
	idle      bool
	// blocked: its barrier has arrived and others are awaited.
	blocked bool
	ended   bool
}

// request is something that the engine asks of a task from another goroutine.
type request struct {
	barrier *Barrier
	commit  *commitRequest
	// drain ends the source as if its input had ended.
	drain bool
}

type commitRequest struct {
	epoch    uint64
	instance *instance
	data     [][]byte
}

// task is a chain of operators at one subtask index.
type task struct {
	engine  *Engine
	subtask int
	head    *instance
	links   []*instance // all operators, head first
	source  operator.Source
	sourceDone,
	waiting bool
	inputs    []*input
	turn      int // the input to try first
	exchanges []*exchange
	pending   Barrier // the barrier being aligned
	aligning  bool
	sentIdle  bool
	stopped   bool // a barrier with Stop has passed, that of stopEpoch
	stopEpoch uint64
	awaiting  int // commits to come before the task may end
	over      bool

	mu       sync.Mutex
	requests []request
	wakeup   chan struct{}

	current *instance
	since   time.Time
}

func (t *task) wake() {
	select {
	case t.wakeup <- struct{}{}:
	default:
	}
}

func (t *task) ask(r request) {
	t.mu.Lock()
	t.requests = append(t.requests, r)
	t.mu.Unlock()
	t.wake()
}

func (t *task) nextRequest() (request, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.requests) == 0 {
		return request{}, false
	}
	r := t.requests[0]
	t.requests = t.requests[1:]
	return r, true
}

// enter charges the time since the last change to the operator that was running, and lets i run; it returns who ran.
func (t *task) enter(i *instance) *instance {
	now := t.engine.config.Clock.Now()
	if t.current != nil {
		t.current.metrics.BusyNanos.Add(int64(now.Sub(t.since)))
	}
	prev := t.current
	t.current, t.since = i, now
	return prev
}

// run polls until the task is over or fails.
func (t *task) run(ctx context.Context) (err error) {
	defer t.recoverPanic(&err)
	for !t.over {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		progress, err := t.poll(ctx)
		if err != nil {
			return err
		}
		if progress || t.over {
			continue
		}
		if err := t.flushExchanges(); err != nil {
			return err
		}
		t.park(ctx)
	}
	return nil
}

func (t *task) recoverPanic(err *error) {
	if r := recover(); r != nil {
		f := fault.Internalf("panic: %v", r)
		f.Err = panicStack(debug.Stack())
		at := t.current
		if at == nil {
			at = t.head
		}
		*err = at.blame(f)
	}
}

// panicStack keeps the stack of a panic for the log; its text is not part of the message.
type panicStack []byte

func (p panicStack) Error() string { return "see the log for the stack" }

// Stack gives the stack of the panic behind err, if there was one.
func Stack(err error) (string, bool) {
	for e := err; e != nil; {
		if p, ok := e.(panicStack); ok {
			return string(p), true
		}
		u, ok := e.(interface{ Unwrap() error })
		if !ok {
			break
		}
		e = u.Unwrap()
	}
	return "", false
}

// park waits for a wake-up, a tick, or the linger time of a waiting source.
func (t *task) park(ctx context.Context) {
	t.enter(nil)
	var timer <-chan time.Time
	if d, ok := t.nextDeadline(); ok {
		timer = t.engine.config.Clock.After(d)
	}
	select {
	case <-t.wakeup:
	case <-timer:
	case <-ctx.Done():
	}
}

func (t *task) nextDeadline() (time.Duration, bool) {
	d := time.Duration(math.MaxInt64)
	if t.waiting && !t.sourceDone {
		d = t.engine.config.Linger
	}
	now := t.engine.config.Clock.Now()
	for _, i := range t.links {
		if i.ticker != nil && !i.ended {
			d = min(d, max(0, i.nextTick.Sub(now)))
		}
	}
	return d, d != math.MaxInt64
}

// poll does one piece of work and tells whether there was any.
func (t *task) poll(ctx context.Context) (bool, error) {
	if r, ok := t.nextRequest(); ok {
		return true, t.serve(ctx, r)
	}
	if t.stopped {
		return false, nil
	}
	progress, err := t.tick()
	if err != nil {
		return false, err
	}
	if t.source != nil {
		more, err := t.read(ctx)
		return progress || more, err
	}
	more, err := t.receive()
	return progress || more, err
}

func (t *task) serve(ctx context.Context, r request) error {
	if r.commit != nil {
		return t.commit(ctx, r.commit)
	}
	if t.stopped {
		return nil
	}
	if r.drain {
		if t.sourceDone {
			return nil
		}
		return t.endSource()
	}
	if r.barrier.Stop {
		if s, ok := t.source.(operator.Stopper); ok && !t.sourceDone {
			if err := s.Stop(ctx, t.head); err != nil {
				return t.head.blame(err)
			}
		}
	}
	return t.passBarrier(*r.barrier)
}

// passBarrier lets the barrier run through the chain and on to the next tasks.
func (t *task) passBarrier(b Barrier) error {
	if err := t.head.barrier(b); err != nil {
		return err
	}
	if !b.Stop {
		return nil
	}
	t.stopped = true
	t.stopEpoch = b.Epoch
	for _, i := range t.links {
		if i.owesCommit {
			t.awaiting++
		}
	}
	t.maybeOver()
	return nil
}

func (t *task) maybeOver() {
	if t.stopped && t.awaiting <= 0 && !t.over {
		t.over = true
		for _, i := range t.links {
			t.engine.config.Listener.TaskFinished(i.id())
		}
	}
}

func (t *task) commit(ctx context.Context, c *commitRequest) error {
	committer, ok := c.instance.op.(operator.Committer)
	if !ok {
		return fault.Internalf("operator %s was asked to commit and has nothing to commit", c.instance.node.ID)
	}
	if err := committer.Commit(ctx, c.epoch, c.data); err != nil {
		return c.instance.blame(err)
	}
	t.engine.config.Listener.CommitFinished(c.instance.id(), c.epoch)
	if t.stopped && c.epoch == t.stopEpoch {
		t.awaiting--
	}
	t.maybeOver()
	return nil
}

func (t *task) tick() (bool, error) {
	progress := false
	var now time.Time
	for _, i := range t.links {
		if i.ticker == nil {
			continue
		}
		if now.IsZero() {
			now = t.engine.config.Clock.Now()
		}
		p, err := i.tick(now)
		if err != nil {
			return false, err
		}
		progress = progress || p
	}
	return progress, nil
}

func (t *task) read(ctx context.Context) (bool, error) {
	if t.sourceDone {
		return false, nil
	}
	prev := t.enter(t.head)
	status, err := t.source.Read(ctx, t.head)
	t.enter(prev)
	if err != nil {
		return false, t.head.blame(err)
	}
	t.waiting = status == operator.Waiting
	if status != operator.Done {
		return status == operator.Ready, nil
	}
	return true, t.endSource()
}

// endSource tells the consumers that the input has ended.
func (t *task) endSource() error {
	t.sourceDone = true
	if err := t.head.forwardWatermark(operator.EndOfTime); err != nil {
		return err
	}
	return t.head.end()
}

// receive handles one message of the next input that has one.
func (t *task) receive() (bool, error) {
	n := len(t.inputs)
	for k := range n {
		in := t.inputs[(t.turn+k)%n]
		if in.blocked {
			continue
		}
		m, ok := in.queue.receive()
		if !ok {
			continue
		}
		t.turn = (t.turn + k + 1) % n
		return true, t.handle(in, m)
	}
	return false, nil
}

func (t *task) handle(in *input, m message) error {
	switch m.kind {
	case batchMessage:
		if in.idle {
			in.idle, t.sentIdle = false, false
		}
		err := t.head.process(in.port, m.rows.Batch())
		in.queue.giveBack(m.rows)
		return err
	case watermarkMessage:
		in.idle, t.sentIdle = false, false
		in.watermark = max(in.watermark, m.watermark)
		return t.advance()
	case idleMessage:
		in.idle = true
		return t.advance()
	case barrierMessage:
		return t.align(in, m.barrier)
	case endMessage:
		in.ended = true
		if t.allEnded() {
			return t.head.end()
		}
		return nil
	}
	return fault.Internalf("unknown message %d", m.kind)
}

// advance passes on the minimum over the inputs that are not idle, if it has grown; when all are idle, that.
func (t *task) advance() error {
	least, active := int64(math.MaxInt64), false
	for _, in := range t.inputs {
		if in.idle {
			continue
		}
		active = true
		least = min(least, in.watermark)
	}
	if !active {
		if t.sentIdle {
			return nil
		}
		t.sentIdle = true
		return t.head.forwardIdle()
	}
	if least == math.MinInt64 || (t.head.hasReached && least <= t.head.reached) {
		return nil
	}
	return t.head.watermark(least)
}

func (t *task) allEnded() bool {
	for _, in := range t.inputs {
		if !in.ended {
			return false
		}
	}
	return true
}

// align blocks the input until the barrier has come from all of them.
func (t *task) align(in *input, b Barrier) error {
	if !t.aligning {
		t.aligning, t.pending = true, b
		t.engine.config.Listener.CheckpointStarted(t.head.id(), b.Epoch)
	}
	if b.Epoch != t.pending.Epoch {
		return fault.Internalf("barrier of epoch %d while aligning epoch %d", b.Epoch, t.pending.Epoch)
	}
	in.blocked = true
	for _, other := range t.inputs {
		if !other.blocked {
			return nil
		}
	}
	for _, other := range t.inputs {
		other.blocked = false
	}
	t.aligning = false
	return t.passBarrier(b)
}

func (t *task) flushExchanges() error {
	for _, x := range t.exchanges {
		if err := x.flush(); err != nil {
			return err
		}
	}
	return nil
}

func (t *task) congested() bool {
	for _, x := range t.exchanges {
		if x.congested() {
			return true
		}
	}
	return false
}

// close closes the chain's operators and the source.
func (t *task) close() error {
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	if t.source != nil {
		keep(t.source.Close())
	}
	for _, i := range t.links {
		if i.op != nil {
			keep(i.op.Close())
		}
	}
	return first
}

// String names the task for logs.
func (t *task) String() string { return fmt.Sprintf("%s/%d", t.head.node.ID, t.subtask) }

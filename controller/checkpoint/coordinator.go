package checkpoint

import (
	"fmt"
	"time"

	"wadi/dataflow/fault"
	manifest "wadi/storage/checkpoint"
)

// Config says how patient a coordinator is.
type Config struct {
	// Interval is the time from the end of one epoch to the start of the next.
	Interval time.Duration
	// Timeout bounds the barrier phase of an epoch.
	Timeout time.Duration
	// SettleTimeout bounds publishing, committing and marking, each.
	SettleTimeout time.Duration
	// Retry is the time between two tries to publish or to mark.
	Retry time.Duration
	// MaxAborted is how many epochs in a row may be given up before the run fails.
	MaxAborted int
}

// withDefaults fills in what is zero.
func (c Config) withDefaults() Config {
	set := func(d *time.Duration, to time.Duration) {
		if *d <= 0 {
			*d = to
		}
	}
	set(&c.Interval, 10*time.Second)
	set(&c.Timeout, 10*time.Minute)
	set(&c.SettleTimeout, 5*time.Minute)
	set(&c.Retry, time.Second)
	if c.MaxAborted <= 0 {
		c.MaxAborted = 3
	}
	return c
}

type phase uint8

const (
	waiting phase = iota // for Start
	idle
	barrier
	publishing
	committing
	marking
	ended // after an epoch that stops, or a failure
)

// collection is what has come in for one epoch.
type collection struct {
	epoch uint64
	acks  map[Task]Snapshot
}

// Coordinator coordinates the checkpoints of one run of a job. Use New.
type Coordinator struct {
	config Config
	phase  phase
	run    Start
	owner  map[Task]uint64
	// drained are the tasks at the end of their input; stopWanted a request to stop.
	drained    map[Task]bool
	stopWanted bool
	early      []Drained
	// due is when the next periodic epoch starts.
	due time.Time

	// The epoch in flight, when it and its phase began, and when to try again what failed.
	epoch            uint64
	thenStop, final  bool
	replaying        bool
	started, entered time.Time
	retryAt          time.Time
	lastErr          error
	next             uint64
	aborted          int
	// open are the epochs that began since the last durable one, oldest first.
	open []*collection
	// last is the newest durable checkpoint, publishing the one on its way.
	last, publishing *manifest.Manifest
	commit           Commit
	uncommitted      map[Task]bool
}

// New makes a coordinator that waits for Start.
func New(c Config) *Coordinator { return &Coordinator{config: c.withDefaults()} }

// Last is the newest durable checkpoint that the coordinator knows; nil if there is none. It must not be modified.
func (c *Coordinator) Last() *manifest.Manifest { return c.last }

// InFlight tells which epoch is on its way, if one is.
func (c *Coordinator) InFlight() (epoch uint64, ok bool) {
	return c.epoch, c.phase == barrier || c.phase == publishing || c.phase == committing || c.phase == marking
}

// Draining reports whether the last epoch, after the end of all inputs, is on its way or over.
func (c *Coordinator) Draining() bool { return c.final }

// Step handles one event at this time and says what to do, in order.
func (c *Coordinator) Step(now time.Time, ev Event) []Effect {
	if c.phase == ended {
		return nil
	}
	if s, ok := ev.(Start); ok {
		return append(c.start(now, s), c.advance(now)...)
	}
	if c.phase == waiting {
		return c.before(ev)
	}
	var out []Effect
	switch ev := ev.(type) {
	case Configure:
		c.due = c.due.Add(ev.Interval - c.config.Interval)
		c.config.Interval = ev.Interval
	case StopRequest:
		c.stopWanted = true
	case Drained:
		out = c.drain(ev)
	case Ack:
		out = c.ack(now, ev)
	case Committed:
		out = c.committed(now, ev)
	case Published:
		out = c.published(now, ev)
	case Marked:
		out = c.marked(now, ev)
	}
	return append(out, c.advance(now)...)
}

// before keeps what may come before Start: a task can be drained while another has not yet started.
func (c *Coordinator) before(ev Event) []Effect {
	switch ev := ev.(type) {
	case Configure:
		c.config.Interval = ev.Interval
	case StopRequest:
		c.stopWanted = true
	case Drained:
		c.early = append(c.early, ev)
	case Tick:
	default:
		return ignored("%T before the run started", ev)
	}
	return nil
}

func (c *Coordinator) start(now time.Time, s Start) []Effect {
	if c.phase != waiting {
		return ignored("the run started twice")
	}
	c.run, c.last, c.next = s, s.Restored, max(1, s.NextEpoch)
	c.owner, c.drained = make(map[Task]uint64, len(s.Tasks)), map[Task]bool{}
	for _, t := range s.Tasks {
		c.owner[t.Task] = t.Worker
	}
	c.enter(idle, now)
	c.due = now.Add(c.config.Interval)
	var out []Effect
	for _, d := range c.early {
		out = append(out, c.drain(d)...)
	}
	c.early = nil
	if s.Replay && s.Restored != nil {
		out = append(out, c.replay(now)...)
	}
	return out
}

func (c *Coordinator) drain(d Drained) []Effect {
	if out := c.check(d.From, "drained"); out != nil {
		return out
	}
	c.drained[d.From.Task] = true
	return nil
}

func (c *Coordinator) enter(p phase, now time.Time) { c.phase, c.entered = p, now }

// advance does what the time, and the end of an epoch, allow.
func (c *Coordinator) advance(now time.Time) []Effect {
	age := now.Sub(c.entered)
	switch c.phase {
	case idle:
		return c.begin(now)
	case barrier:
		if age >= c.config.Timeout {
			return c.abort(now)
		}
	case committing:
		if age >= c.config.SettleTimeout {
			return c.fail(fault.Transientf(nil, "epoch %d: %d sink tasks have not committed within %v", c.epoch, len(c.uncommitted), age))
		}
	case publishing, marking:
		if age >= c.config.SettleTimeout {
			return c.fail(fault.Transientf(c.lastErr, "epoch %d could not be stored within %v", c.epoch, age))
		}
		if c.retryAt.IsZero() || now.Before(c.retryAt) {
			return nil
		}
		c.retryAt = time.Time{}
		if c.phase == marking {
			return []Effect{Mark{c.epoch}}
		}
		return []Effect{Publish{*c.publishing}}
	}
	return nil
}

// begin starts an epoch if there is a reason to.
func (c *Coordinator) begin(now time.Time) []Effect {
	c.final = len(c.drained) == len(c.owner) && len(c.owner) > 0
	c.thenStop = c.final || c.stopWanted
	if !c.thenStop && now.Before(c.due) {
		return nil
	}
	c.epoch, c.next, c.started = c.next, c.next+1, now
	c.open = append(c.open, &collection{epoch: c.epoch, acks: map[Task]Snapshot{}})
	c.enter(barrier, now)
	return []Effect{Barrier{c.epoch, c.thenStop, c.final}}
}

// check refuses messages of strangers; nil means that the sender is who it should be.
func (c *Coordinator) check(f From, what string) []Effect {
	worker, known := c.owner[f.Task]
	switch {
	case f.Generation != c.run.Generation:
		return ignored("%v %s in generation %d, this is generation %d", f.Task, what, f.Generation, c.run.Generation)
	case !known:
		return ignored("%v %s, but is not part of the program", f.Task, what)
	case worker != f.Worker:
		return ignored("%v %s on worker %d, but runs on worker %d", f.Task, what, f.Worker, worker)
	}
	return nil
}

func (c *Coordinator) ack(now time.Time, a Ack) []Effect {
	if out := c.check(a.From, fmt.Sprintf("wrote epoch %d", a.Epoch)); out != nil {
		return out
	}
	for _, o := range c.open {
		if o.epoch != a.Epoch {
			continue
		}
		if _, twice := o.acks[a.From.Task]; twice {
			return ignored("%v wrote epoch %d twice", a.From.Task, a.Epoch)
		}
		o.acks[a.From.Task] = a.Snapshot
		return c.complete(now)
	}
	return ignored("%v wrote epoch %d, which is not open", a.From.Task, a.Epoch)
}

// complete publishes when nothing is missing, neither of the epoch in flight nor of those given up before it.
func (c *Coordinator) complete(now time.Time) []Effect {
	if c.phase != barrier {
		return nil
	}
	for _, o := range c.open {
		if len(o.acks) < len(c.owner) {
			return nil
		}
	}
	m := c.merge(now)
	c.publishing = &m
	c.retryAt, c.lastErr = time.Time{}, nil
	c.enter(publishing, now)
	return []Effect{Publish{m}}
}

func (c *Coordinator) abort(now time.Time) []Effect {
	reason := fmt.Sprintf("%d of %d tasks have not written their state within %v", c.missing(), len(c.owner), c.config.Timeout)
	out := []Effect{Aborted{c.epoch, reason}}
	c.aborted++
	if c.thenStop {
		return append(out, c.fail(fault.Transientf(nil, "the last checkpoint is not complete: %s", reason))...)
	}
	if c.aborted >= c.config.MaxAborted {
		return append(out, c.fail(fault.Transientf(nil, "%d checkpoints in a row are not complete: %s", c.aborted, reason))...)
	}
	c.enter(idle, now)
	c.due = now.Add(c.config.Interval)
	return out
}

// missing counts the tasks that owe an ack.
func (c *Coordinator) missing() int {
	n := 0
	for t := range c.owner {
		for _, o := range c.open {
			if _, ok := o.acks[t]; !ok {
				n++
				break
			}
		}
	}
	return n
}

func (c *Coordinator) fail(err error) []Effect {
	c.phase = ended
	return []Effect{Failed{Err: err}}
}

func (c *Coordinator) published(now time.Time, p Published) []Effect {
	if c.phase != publishing || p.Epoch != c.epoch {
		return ignored("epoch %d was published unasked", p.Epoch)
	}
	if p.Err != nil {
		return c.unsettled(now, p.Err, p.Stale, p.Final)
	}
	c.last, c.publishing, c.aborted = c.publishing, nil, 0
	c.commit = c.commitOf(c.open)
	c.open = nil
	return c.sendCommit(now)
}

// unsettled decides what follows a failed try to publish or mark.
func (c *Coordinator) unsettled(now time.Time, err error, stale, final bool) []Effect {
	if stale || final {
		c.phase = ended
		return []Effect{Failed{Err: err, Stale: stale}}
	}
	c.lastErr, c.retryAt = err, now.Add(c.config.Retry)
	return nil
}

func (c *Coordinator) marked(now time.Time, m Marked) []Effect {
	if c.phase != marking || m.Epoch != c.epoch {
		return ignored("epoch %d was marked unasked", m.Epoch)
	}
	if m.Err != nil {
		return c.unsettled(now, m.Err, m.Stale, m.Final)
	}
	return c.done(now)
}

// done ends an epoch.
func (c *Coordinator) done(now time.Time) []Effect {
	e := Completed{Epoch: c.epoch, ThenStop: c.thenStop, Final: c.final, Replayed: c.replaying, Took: now.Sub(c.started)}
	c.replaying = false
	c.enter(idle, now)
	c.due = now.Add(c.config.Interval)
	if e.ThenStop {
		c.phase = ended
	}
	return []Effect{e}
}

func ignored(format string, args ...any) []Effect {
	return []Effect{Ignored{fmt.Sprintf(format, args...)}}
}

package job

import (
	"fmt"
	"math/rand/v2"
	"time"

	"wadi/controller/checkpoint"
	"wadi/dataflow/fault"
)

// step is where a state stands in what it does.
type step uint8

const (
	working   step = iota
	leasing        // Scheduling: workers of an earlier generation may still hold a lease
	claiming       // Scheduling: for Claimed
	starting       // Scheduling: for Registered
	launching      // Scheduling: for TaskStarted
	ending         // the last checkpoint is done, tasks end
	leaving        // StopWorkers is on its way
	backoff        // Recovering: workers are gone
)

type worker struct {
	slots int
	seen  time.Time
}

// Machine is one job. Use New.
type Machine struct {
	config  Config
	desired Desired
	status  Status
	jitter  *rand.Rand
	// booted: the first Desire has come; fenced: the job is another controller's.
	booted, fenced bool

	step step
	// entered and stepped are when the state and the step began; wait is how long the back-off takes.
	entered, stepped time.Time
	wait             time.Duration
	// next is the state after leaving.
	next State
	// notBefore is when the leases of workers that may still be alive have run out.
	notBefore time.Time

	// The present generation.
	live                       bool
	parallelism                int
	slots                      int
	workers                    map[uint64]*worker
	placed                     []checkpoint.Placed
	owner                      map[checkpoint.Task]uint64
	tasks                      []checkpoint.Task
	started, drained, finished map[checkpoint.Task]bool
	lastDone                   bool
}

// New makes a machine for a job with this stored status; the zero Status is a new job. It waits for Desire.
func New(c Config, s Status) *Machine {
	m := &Machine{config: c.withDefaults(), status: s, jitter: rand.New(rand.NewPCG(c.Seed, 0x77616469))}
	if s.State == "" {
		m.status.State = Created
	}
	m.forget()
	return m
}

// Status is the present status.
func (m *Machine) Status() Status { return m.status }

// Desired is what is wanted at present.
func (m *Machine) Desired() Desired { return m.desired }

// Step handles one event at this time and says what to do, in order.
func (m *Machine) Step(now time.Time, ev Event) []Effect {
	_, desire := ev.(Desire)
	if m.fenced || !m.booted && !desire {
		return nil
	}
	var out []Effect
	switch ev := ev.(type) {
	case Tick:
	case Desire:
		m.desired = ev.Desired
		if !m.booted {
			m.booted = true
			out = m.boot(now)
		}
	case Claimed:
		out = m.claimed(now, ev)
	case Unclaimed:
		out = m.unclaimed(now, ev.Err)
	case WorkersStopped:
		out = m.workersStopped(now, ev)
	case CheckpointFailed:
		out = m.checkpointFailed(now, ev)
	default:
		out = m.running(now, ev)
	}
	if m.fenced {
		return out
	}
	return append(out, m.advance(now)...)
}

// boot maps what was stored when the controller went down to what to do now that nothing of it runs any more.
func (m *Machine) boot(now time.Time) []Effect {
	switch m.status.State {
	case Created, Stopped, Finished, Failed:
		m.entered, m.stepped = now, now
		return nil
	case Failing:
		return m.enter(now, Failed)
	case Stopping, CheckpointStopping:
		return m.enter(now, Stopped)
	}
	if m.desired.Stop != StopNone || m.preview() {
		return m.enter(now, Stopped)
	}
	return m.enter(now, Scheduling)
}

func (m *Machine) preview() bool { return m.desired.TTL > 0 }

// forget drops everything of the last generation.
func (m *Machine) forget() {
	m.live, m.lastDone = false, false
	m.workers, m.owner = map[uint64]*worker{}, map[checkpoint.Task]uint64{}
	m.placed, m.tasks = nil, nil
	m.started, m.drained, m.finished = map[checkpoint.Task]bool{}, map[checkpoint.Task]bool{}, map[checkpoint.Task]bool{}
}

// enter begins a state.
func (m *Machine) enter(now time.Time, s State) []Effect {
	m.status.State, m.entered = s, now
	m.to(now, working)
	if s.Terminal() {
		m.status.Ended = now
	}
	switch s {
	case Scheduling:
		m.status.Ended = time.Time{}
		m.status.RestartNonce, m.parallelism = m.desired.RestartNonce, m.desired.Parallelism
		m.to(now, leasing)
	case Running:
		m.status.Failure = nil
		if m.status.Started.IsZero() {
			m.status.Started = now
		}
	}
	return []Effect{Persist{m.status}}
}

// enterWithCheckpoint begins a state that ends with a last checkpoint.
func (m *Machine) enterWithCheckpoint(now time.Time, s State) []Effect {
	return append(m.enter(now, s), RequestLastCheckpoint{})
}

func (m *Machine) to(now time.Time, s step) { m.step, m.stepped = s, now }

// advance does what time and wishes allow in the present state, until nothing more changes.
func (m *Machine) advance(now time.Time) []Effect {
	var out []Effect
	for range 16 {
		more := m.look(now)
		if len(more) == 0 {
			return out
		}
		out = append(out, more...)
	}
	return append(out, Ignored{fmt.Sprintf("the state %s does not come to rest", m.status.State)})
}

func (m *Machine) look(now time.Time) []Effect {
	if m.step == leaving {
		if now.Sub(m.stepped) >= m.config.KillTimeout {
			return m.left(now, false)
		}
		return nil
	}
	if m.live {
		if out := m.liveness(now); out != nil {
			return out
		}
	}
	switch m.status.State {
	case Created, Stopped, Failed:
		return m.resting(now)
	case Scheduling:
		return m.scheduling(now)
	case Running:
		return m.runningOn(now)
	case CheckpointStopping, Restarting, Rescaling, Finishing:
		return m.lastCheckpoint(now)
	case Stopping:
		return m.stopping(now)
	case Recovering:
		return m.recovering(now)
	}
	return nil
}

// resting looks whether the job is wanted to run.
func (m *Machine) resting(now time.Time) []Effect {
	wanted := m.desired.Stop == StopNone
	switch m.status.State {
	case Created:
		if !wanted {
			return m.enter(now, Stopped)
		}
	case Stopped:
		wanted = wanted && !m.preview()
	case Failed:
		wanted = wanted && !m.preview() && m.desired.RestartNonce != m.status.RestartNonce
	}
	if !wanted {
		return nil
	}
	m.status.Failure, m.status.Restarts = nil, 0
	return m.enter(now, Scheduling)
}

// fail decides what a failure leads to.
func (m *Machine) fail(now time.Time, err error) []Effect {
	if m.step == leaving {
		return nil
	}
	f := fault.As(err)
	switch m.status.State {
	case Stopping:
		return m.leave(now, Stopped, true)
	case CheckpointStopping:
		lost := *f
		if lost.Hint == "" {
			lost.Hint = "the job stopped without a last checkpoint; start it again to resume from the one before"
		}
		return m.failing(now, &lost)
	case Scheduling, Running, Restarting, Rescaling, Finishing:
	default:
		return nil
	}
	if f.Kind != fault.Transient || m.preview() {
		return m.failing(now, f)
	}
	m.status.Restarts++
	if m.config.AllowedRestarts >= 0 && m.status.Restarts > m.config.AllowedRestarts {
		m.status.Restarts--
		spent := *f
		if spent.Hint == "" {
			spent.Hint = fmt.Sprintf("the job was restarted %d times in vain; restart it when the cause is gone", m.status.Restarts)
		}
		return m.failing(now, &spent)
	}
	m.status.Failure = f
	m.wait = m.nextBackoff()
	return append(m.enter(now, Recovering), m.leave(now, Recovering, true)...)
}

func (m *Machine) failing(now time.Time, f *fault.Error) []Effect {
	m.status.Failure = f
	return append(m.enter(now, Failing), m.leave(now, Failed, true)...)
}

// nextBackoff is half fixed and half jitter, and doubles with every restart until it is at its maximum.
func (m *Machine) nextBackoff() time.Duration {
	d := m.config.InitialBackoff
	for i := 1; i < m.status.Restarts && d < m.config.MaxBackoff; i++ {
		d *= 2
	}
	d = min(d, m.config.MaxBackoff)
	return d/2 + time.Duration(m.jitter.Int64N(int64(d/2)+1))
}

func (m *Machine) checkpointFailed(now time.Time, ev CheckpointFailed) []Effect {
	if !m.live || ev.Generation != m.status.Generation {
		return ignored("a checkpoint failed in generation %d", ev.Generation)
	}
	if ev.Stale {
		return m.fence(ev.Err)
	}
	return m.fail(now, ev.Err)
}

// fence ends this machine: the job is somebody else's.
func (m *Machine) fence(err error) []Effect {
	m.fenced = true
	out := []Effect{Fenced{err}}
	if m.live {
		out = append([]Effect{StopWorkers{m.status.Generation, true}}, out...)
	}
	return out
}

func ignored(format string, args ...any) []Effect {
	return []Effect{Ignored{fmt.Sprintf(format, args...)}}
}

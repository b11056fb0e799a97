package job

import (
	"maps"
	"slices"
	"time"

	"wadi/controller/checkpoint"
	"wadi/dataflow/fault"
)

// running handles what workers and tasks say.
func (m *Machine) running(now time.Time, ev Event) []Effect {
	id, gen, what := origin(ev)
	if !m.live || gen != m.status.Generation {
		return ignored("%s of generation %d, in state %s of generation %d", what, gen, m.status.State, m.status.Generation)
	}
	if r, ok := ev.(Registered); ok {
		return m.registered(now, r)
	}
	if w := m.workers[id]; w != nil {
		w.seen = now
	} else if id != 0 {
		return m.unregistered(now, ev, id, what)
	}
	switch ev := ev.(type) {
	case StartFailed:
		return m.fail(now, ev.Err)
	case Initialized:
		if ev.Err != nil {
			return m.fail(now, ev.Err)
		}
	case WorkerExited:
		delete(m.workers, ev.Worker)
		return m.workerGone(now, ev)
	case TaskStarted:
		return m.task(ev.From, what, m.started)
	case TaskDrained:
		return m.task(ev.From, what, m.drained)
	case TaskFinished:
		return m.task(ev.From, what, m.finished)
	case TaskFailed:
		if out := m.task(ev.From, what, nil); out != nil {
			return out
		}
		return m.fail(now, ev.Err)
	case Draining:
		if m.status.State == Running && m.step == working {
			return m.enter(now, Finishing)
		}
	case LastCheckpoint:
		return m.lastCheckpointDone(now, ev, what)
	}
	return nil
}

func (m *Machine) lastCheckpointDone(now time.Time, ev LastCheckpoint, what string) []Effect {
	switch m.status.State {
	case CheckpointStopping, Restarting, Rescaling, Finishing:
	default:
		return ignored("%s in state %s", what, m.status.State)
	}
	if m.step != working {
		return ignored("%s too late in state %s", what, m.status.State)
	}
	m.lastDone = true
	m.to(now, ending)
	if ev.Final && m.status.State != Finishing {
		// The end of the input wins over a stop or a restart that was asked for meanwhile.
		out := m.enter(now, Finishing)
		m.to(now, ending)
		return out
	}
	return nil
}

// unregistered handles what a worker says, or what is said about it, that has not registered.
func (m *Machine) unregistered(now time.Time, ev Event, id uint64, what string) []Effect {
	if ev, ok := ev.(WorkerExited); ok {
		return m.workerGone(now, ev)
	}
	return ignored("%s of worker %d, which has not registered", what, id)
}

// workerGone is no surprise when all its tasks have ended.
func (m *Machine) workerGone(now time.Time, ev WorkerExited) []Effect {
	for _, p := range m.placed {
		if p.Worker == ev.Worker && !m.finished[p.Task] {
			return m.fail(now, lost(ev.Worker, ev.Err))
		}
	}
	if len(m.placed) == 0 {
		return m.fail(now, lost(ev.Worker, ev.Err))
	}
	return nil
}

// lost is the failure of a worker. A fault that says whose it is keeps its kind.
func lost(id uint64, err error) error {
	if f := fault.As(err); f != nil && f.Kind == fault.User {
		return f
	}
	return fault.Transientf(err, "worker %d is gone", id)
}

// origin tells who sent an event: worker 0 for events that are not of one worker.
func origin(ev Event) (worker, generation uint64, what string) {
	switch ev := ev.(type) {
	case Registered:
		return ev.Worker, ev.Generation, "registration"
	case Heartbeat:
		return ev.Worker, ev.Generation, "heartbeat"
	case Initialized:
		return ev.Worker, ev.Generation, "initialisation"
	case WorkerExited:
		return ev.Worker, ev.Generation, "exit of a worker"
	case TaskStarted:
		return ev.From.Worker, ev.From.Generation, "start of a task"
	case TaskDrained:
		return ev.From.Worker, ev.From.Generation, "end of the input of a task"
	case TaskFinished:
		return ev.From.Worker, ev.From.Generation, "end of a task"
	case TaskFailed:
		return ev.From.Worker, ev.From.Generation, "failure of a task"
	case StartFailed:
		return 0, ev.Generation, "failed start"
	case Draining:
		return 0, ev.Generation, "end of all inputs"
	case LastCheckpoint:
		return 0, ev.Generation, "last checkpoint"
	}
	return 0, 0, "event"
}

// task checks that a task belongs to the sender and, if there is a set, puts it there.
func (m *Machine) task(f checkpoint.From, what string, set map[checkpoint.Task]bool) []Effect {
	w, known := m.owner[f.Task]
	switch {
	case !known:
		return ignored("%s %v, which is not part of the program", what, f.Task)
	case w != f.Worker:
		return ignored("%s %v on worker %d, but it runs on worker %d", what, f.Task, f.Worker, w)
	case set != nil && set[f.Task]:
		return ignored("%s %v, again", what, f.Task)
	}
	if set != nil {
		set[f.Task] = true
	}
	return nil
}

// liveness looks for workers that have fallen silent.
func (m *Machine) liveness(now time.Time) []Effect {
	for _, id := range slices.Sorted(maps.Keys(m.workers)) {
		if silence := now.Sub(m.workers[id].seen); silence >= m.config.HeartbeatTimeout {
			out := m.fail(now, fault.Transientf(nil, "worker %d has been silent for %v", id, silence))
			if len(out) > 0 {
				return out
			}
		}
	}
	return nil
}

// runningOn looks for reasons to leave the state Running.
func (m *Machine) runningOn(now time.Time) []Effect {
	if m.preview() && now.Sub(m.entered) >= m.desired.TTL {
		return m.stop(now, StopImmediate)
	}
	switch {
	case m.desired.Stop != StopNone:
		return m.stop(now, m.desired.Stop)
	case m.desired.RestartNonce != m.status.RestartNonce:
		if m.desired.RestartForce {
			return append(m.enter(now, Restarting), m.leave(now, Scheduling, true)...)
		}
		return m.enterWithCheckpoint(now, Restarting)
	case m.desired.Parallelism != m.parallelism:
		return m.enterWithCheckpoint(now, Rescaling)
	}
	if m.status.Restarts > 0 && now.Sub(m.entered) >= m.config.Healthy {
		m.status.Restarts = 0
		return []Effect{Persist{m.status}}
	}
	return nil
}

// lastCheckpoint waits, in the states that end with one, until it is complete and all tasks have ended.
func (m *Machine) lastCheckpoint(now time.Time) []Effect {
	if m.lastDone {
		late := m.desired.Stop == StopForce || now.Sub(m.stepped) >= m.config.StopTimeout
		if all := len(m.finished) == len(m.tasks); all || late {
			return m.leave(now, m.after(), !all)
		}
		return nil
	}
	again := m.status.State == Restarting || m.status.State == Rescaling
	switch stop := m.desired.Stop; {
	case stop == StopGraceful || stop == StopImmediate || stop == StopForce:
		return m.stop(now, stop)
	case stop == StopCheckpoint && again:
		return m.enter(now, CheckpointStopping) // the checkpoint that is on its way serves
	case again && m.desired.RestartForce && m.desired.RestartNonce != m.status.RestartNonce:
		return m.leave(now, Scheduling, true)
	case now.Sub(m.entered) >= m.config.LastCheckpoint:
		return m.fail(now, fault.Transientf(nil, "the last checkpoint is not complete after %v", now.Sub(m.entered)))
	}
	return nil
}

// after is the state that follows a last checkpoint.
func (m *Machine) after() State {
	switch m.status.State {
	case Finishing:
		return Finished
	case CheckpointStopping:
		return Stopped
	}
	return Scheduling
}

package job

import "time"

// stop begins to stop a job whose tasks run.
func (m *Machine) stop(now time.Time, how Stop) []Effect {
	switch how {
	case StopCheckpoint:
		return m.enterWithCheckpoint(now, CheckpointStopping)
	case StopForce:
		return append(m.enter(now, Stopping), m.leave(now, Stopped, true)...)
	}
	return append(m.enter(now, Stopping), StopTasks{m.status.Generation, how == StopGraceful})
}

// stopping waits until all tasks have ended; who asked for more patience may ask for less.
func (m *Machine) stopping(now time.Time) []Effect {
	all := len(m.tasks)
	switch {
	case m.desired.Stop == StopForce, now.Sub(m.entered) >= m.config.StopTimeout:
		return m.leave(now, Stopped, true)
	case len(m.finished) == all || len(m.drained) == all:
		return m.leave(now, Stopped, false)
	}
	return nil
}

// leave stops the workers; next follows when they are gone.
func (m *Machine) leave(now time.Time, next State, kill bool) []Effect {
	m.next = next
	if !m.live {
		return m.left(now, true)
	}
	m.to(now, leaving)
	return []Effect{StopWorkers{m.status.Generation, kill}}
}

func (m *Machine) workersStopped(now time.Time, ev WorkersStopped) []Effect {
	if m.step != leaving || ev.Generation != m.status.Generation {
		return ignored("the workers of generation %d have stopped, in state %s of generation %d", ev.Generation, m.status.State, m.status.Generation)
	}
	return m.left(now, true)
}

// left goes on to the next state. If it is not certain that all workers are gone, their leases are waited for before the
// next generation.
func (m *Machine) left(now time.Time, certain bool) []Effect {
	if !certain {
		for _, w := range m.workers {
			if until := w.seen.Add(m.config.LeaseTTL); until.After(m.notBefore) {
				m.notBefore = until
			}
		}
		if until := m.entered.Add(m.config.LeaseTTL); len(m.workers) == 0 && until.After(m.notBefore) {
			m.notBefore = until
		}
	}
	m.forget()
	if m.next == Recovering {
		m.to(now, backoff)
		return nil
	}
	return m.enter(now, m.next)
}

// recovering waits for the back-off, unless the job is not wanted any more.
func (m *Machine) recovering(now time.Time) []Effect {
	if m.step != backoff {
		return nil
	}
	if m.desired.Stop != StopNone {
		return m.enter(now, Stopped)
	}
	if now.Sub(m.stepped) < m.wait {
		return nil
	}
	return m.enter(now, Scheduling)
}

package job

import (
	"maps"
	"slices"
	"time"

	"wadi/controller/checkpoint"
	"wadi/dataflow/fault"
)

// scheduling does the steps of the state Scheduling.
func (m *Machine) scheduling(now time.Time) []Effect {
	if m.desired.Stop != StopNone {
		return append(m.enter(now, Stopping), m.leave(now, Stopped, true)...)
	}
	if m.desired.RestartNonce != m.status.RestartNonce {
		m.status.RestartNonce = m.desired.RestartNonce
		if m.desired.RestartForce && m.live {
			return m.leave(now, Scheduling, true)
		}
	}
	age := now.Sub(m.stepped)
	switch m.step {
	case leasing:
		if now.Before(m.notBefore) {
			return nil
		}
		m.to(now, claiming)
		return []Effect{Claim{m.parallelism}}
	case claiming:
		if age >= m.config.ClaimTimeout {
			return m.fail(now, fault.Transientf(nil, "the checkpoints could not be read within %v", age))
		}
	case starting:
		if age >= m.config.WorkerStartup {
			return m.fail(now, fault.Transientf(nil, "workers with %d of %d slots have registered within %v", m.registeredSlots(), m.slots, age))
		}
	case launching:
		if len(m.started) == len(m.tasks) {
			return append(m.enter(now, Running), StartCheckpoints{m.status.Generation, m.placed})
		}
		if age >= m.config.TaskStartup {
			return m.fail(now, fault.Transientf(nil, "%d of %d tasks have started within %v", len(m.started), len(m.tasks), age))
		}
	}
	return nil
}

func (m *Machine) claimed(now time.Time, ev Claimed) []Effect {
	if m.status.State != Scheduling || m.step != claiming {
		return ignored("generation %d was claimed unasked", ev.Generation)
	}
	m.forget()
	m.status.Generation, m.tasks, m.slots = ev.Generation, ev.Tasks, ev.Slots
	m.status.Tasks = len(ev.Tasks)
	if ev.Complete {
		return m.enter(now, Finished)
	}
	m.live = true
	for _, t := range ev.Tasks {
		m.owner[t] = 0
	}
	m.to(now, starting)
	return []Effect{Persist{m.status}, StartWorkers{ev.Generation, ev.Slots}}
}

func (m *Machine) unclaimed(now time.Time, err error) []Effect {
	if m.status.State != Scheduling || m.step != claiming {
		return ignored("a claim failed unasked: %v", err)
	}
	if fault.Is(err, fault.CodeStaleRun) {
		return m.fence(err)
	}
	return m.fail(now, err)
}

func (m *Machine) registeredSlots() int {
	n := 0
	for _, w := range m.workers {
		n += w.slots
	}
	return n
}

// registered counts a worker's slots, and hands out the tasks when there are enough.
func (m *Machine) registered(now time.Time, ev Registered) []Effect {
	if _, twice := m.workers[ev.Worker]; twice {
		return ignored("worker %d registered twice", ev.Worker)
	}
	m.workers[ev.Worker] = &worker{slots: ev.Slots, seen: now}
	if m.status.State != Scheduling || m.step != starting || m.registeredSlots() < m.slots {
		return nil
	}
	slots := map[uint64]int{}
	for id, w := range m.workers {
		slots[id] = w.slots
	}
	m.placed = Place(m.tasks, m.slots, slots)
	for _, p := range m.placed {
		m.owner[p.Task] = p.Worker
	}
	m.to(now, launching)
	return []Effect{Execute{m.status.Generation, m.placed}}
}

// Place puts tasks on workers. A slot takes one subtask of every operator: subtask i of n goes to slot ⌊i·slots/n⌋, so that
// operators with fewer subtasks than slots spread over them, and equal ones meet. Slots follow the workers by id.
func Place(tasks []checkpoint.Task, slots int, workers map[uint64]int) []checkpoint.Placed {
	var slot []uint64
	for _, id := range slices.Sorted(maps.Keys(workers)) {
		for range workers[id] {
			if len(slot) < slots {
				slot = append(slot, id)
			}
		}
	}
	subtasks := map[string]int{}
	for _, t := range tasks {
		subtasks[t.Operator]++
	}
	out := make([]checkpoint.Placed, len(tasks))
	for i, t := range tasks {
		out[i] = checkpoint.Placed{Task: t, Worker: slot[t.Index*len(slot)/subtasks[t.Operator]]}
	}
	return out
}

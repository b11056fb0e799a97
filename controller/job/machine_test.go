package job_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/dataflow/fault"
)

// The back-off grows to its maximum and stays there, however long a job with unbounded restarts keeps failing.
func TestBackoffSaturates(t *testing.T) {
	m := job.New(job.Config{AllowedRestarts: -1, MaxBackoff: 8 * time.Second}, job.Status{})
	now := time.Unix(0, 0)
	m.Step(now, job.Desire{Desired: job.Desired{Stop: job.StopNone, Parallelism: 1}})
	for n := range 200 {
		m.Step(now, job.Unclaimed{Err: fault.Transientf(nil, "away")})
		if s := m.Status(); s.State != job.Recovering || s.Restarts != n+1 {
			t.Fatalf("after failure %d: %+v", n, s)
		}
		var waited time.Duration
		for m.Status().State == job.Recovering {
			waited += 10 * time.Millisecond
			now = now.Add(10 * time.Millisecond)
			m.Step(now, job.Tick{})
		}
		least := min(8*time.Second, 500*time.Millisecond<<min(n, 10)) / 2
		if waited < least || waited > 2*least+20*time.Millisecond {
			t.Fatalf("back-off %d took %v, not %v to %v", n, waited, least, 2*least)
		}
	}
}

// Whatever happens, in whatever order: the machine does not panic, comes to rest in every step, never has two generations
// at once, and ends when it is told to stop by force.
func TestAnyOrderOfEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := job.New(job.Config{AllowedRestarts: 2}, job.Status{})
		now := time.Unix(0, 0)
		tasks := []checkpoint.Task{{Operator: "a"}, {Operator: "b"}}
		var generation uint64
		alive := false
		step := func(ev job.Event) {
			for _, e := range m.Step(now, ev) {
				switch e := e.(type) {
				case job.StartWorkers:
					if alive {
						rt.Fatalf("generation %d starts beside another", e.Generation)
					}
					alive = true
				case job.StopWorkers:
					alive = false
				case job.Ignored:
					if e.Reason == "the state "+string(m.Status().State)+" does not come to rest" {
						rt.Fatal(e.Reason)
					}
				}
			}
		}
		step(job.Desire{Desired: job.Desired{Stop: job.StopNone, Parallelism: 1}})
		nonce := int64(0)
		for range rapid.IntRange(1, 60).Draw(rt, "steps") {
			from := checkpoint.From{Worker: 7, Generation: m.Status().Generation, Task: rapid.SampledFrom(tasks).Draw(rt, "task")}
			now = now.Add(time.Duration(rapid.IntRange(0, 20).Draw(rt, "seconds")) * time.Second)
			gen := from.Generation
			switch rapid.IntRange(0, 15).Draw(rt, "event") {
			case 0:
				step(job.Tick{})
			case 1, 2:
				generation++
				step(job.Claimed{Generation: generation, Tasks: tasks, Slots: 1})
			case 3, 4:
				step(job.Registered{Worker: 7, Generation: gen, Slots: 1})
			case 5, 6, 7:
				step(job.TaskStarted{From: from})
			case 8:
				step(job.TaskFinished{From: from})
			case 9:
				step(job.TaskFailed{From: from, Err: fault.Transientf(nil, "boom")})
			case 10:
				step(job.WorkersStopped{Generation: gen})
			case 11:
				step(job.Draining{Generation: gen})
			case 12:
				step(job.LastCheckpoint{Generation: gen, Final: rapid.Bool().Draw(rt, "final")})
			case 13:
				step(job.WorkerExited{Worker: 7, Generation: gen})
			case 14:
				step(job.Heartbeat{Worker: 7, Generation: gen})
			case 15:
				nonce += int64(rapid.IntRange(0, 1).Draw(rt, "nonce"))
				step(job.Desire{Desired: job.Desired{
					Stop:        rapid.SampledFrom([]job.Stop{job.StopNone, job.StopCheckpoint, job.StopGraceful, job.StopImmediate}).Draw(rt, "stop"),
					Parallelism: rapid.IntRange(1, 2).Draw(rt, "parallelism"), RestartNonce: nonce, RestartForce: rapid.Bool().Draw(rt, "force"),
				}})
			}
		}
		step(job.Desire{Desired: job.Desired{Stop: job.StopForce, Parallelism: 1}})
		now = now.Add(time.Hour)
		for range 4 {
			step(job.Tick{})
			now = now.Add(time.Hour)
		}
		if s := m.Status().State; !s.Terminal() {
			rt.Fatalf("after a stop by force and five hours the job is %s", s)
		}
	})
}

func TestPlace(t *testing.T) {
	var tasks []checkpoint.Task
	for op, n := range map[string]int{"wide": 4} {
		for i := range n {
			tasks = append(tasks, checkpoint.Task{Operator: op, Index: i})
		}
	}
	tasks = append(tasks, checkpoint.Task{Operator: "half", Index: 0}, checkpoint.Task{Operator: "half", Index: 1}, checkpoint.Task{Operator: "one", Index: 0})
	placed := job.Place(tasks, 4, map[uint64]int{9: 2, 5: 3})
	want := []uint64{5, 5, 5, 9, 5, 5, 5}
	for i, p := range placed {
		if p.Worker != want[i] {
			t.Errorf("%v is on worker %d, not %d", p.Task, p.Worker, want[i])
		}
	}
}

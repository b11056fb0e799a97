package job_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/dataflow/fault"
)

// The transcripts in testdata/transcripts are what a job does. Commands:
//
//	boot state=Running generation=3 restarts=1 nonce=2 allowed=2   a new machine over a stored status; the clock is at 0s
//	desire stop=none parallelism=2 nonce=1 force ttl=60s           what is wanted (stop=none parallelism=1)
//	tick 10s                                                       time passes; with "beat" all workers are heard
//	claimed 1 tasks=(a/0, a/1) slots=2 complete                    the answers to effects
//	unclaimed error=(…) kind=user stale, start-failed error=(…), workers-stopped
//	registered 7 slots=2, heartbeat 7, initialized 7 error=(…), exited 7
//	started a/0, drained a/0, finished a/0, failed a/0 error=(…) kind=user     "all" for all tasks; from=8 gen=2
//	draining, last-checkpoint final, checkpoint-failed error=(…) stale
//	up                                                             from Claim to Running, silently
type transcript struct {
	m       *job.Machine
	now     time.Time
	gen     uint64
	tasks   []checkpoint.Task
	placed  map[checkpoint.Task]uint64
	workers map[uint64]bool
}

func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		r := &transcript{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return r.run(t, d) })
	})
}

func (r *transcript) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "boot":
		*r = transcript{now: time.Unix(0, 0), placed: map[checkpoint.Task]uint64{}, workers: map[uint64]bool{}}
		r.m = job.New(job.Config{AllowedRestarts: int(number(d, "allowed", 3)), Seed: 1}, job.Status{
			State: job.State(text(d, "state", "")), Generation: number(d, "generation", 0), Restarts: int(number(d, "restarts", 0)),
			RestartNonce: int64(number(d, "nonce", 0)),
		})
		return ""
	case "desire":
		ttl, _ := time.ParseDuration(text(d, "ttl", "0s"))
		return r.step(job.Desire{Desired: job.Desired{
			Stop: job.Stop(text(d, "stop", "none")), Parallelism: int(number(d, "parallelism", 1)), TTL: ttl,
			RestartNonce: int64(number(d, "nonce", 0)), RestartForce: d.HasArg("force"),
		}})
	case "tick":
		p, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(p)
		var out string
		if d.HasArg("beat") {
			for w := range r.workers {
				out += r.step(job.Heartbeat{Worker: w, Generation: r.gen})
			}
		}
		return out + r.step(job.Tick{})
	case "up":
		return r.up()
	}
	return r.answer(t, d)
}

func (r *transcript) answer(t *testing.T, d *datadriven.TestData) string {
	gen := number(d, "gen", r.gen)
	switch d.Cmd {
	case "claimed":
		r.gen = first(d)
		r.tasks = nil
		a, _ := d.Arg("tasks")
		for _, v := range a.Vals {
			r.tasks = append(r.tasks, task(v))
		}
		return r.step(job.Claimed{Generation: r.gen, Tasks: r.tasks, Slots: int(number(d, "slots", 1)), Complete: d.HasArg("complete")})
	case "unclaimed":
		return r.step(job.Unclaimed{Err: failure(d)})
	case "start-failed":
		return r.step(job.StartFailed{Generation: gen, Err: failure(d)})
	case "workers-stopped":
		r.workers = map[uint64]bool{}
		return r.step(job.WorkersStopped{Generation: gen})
	case "registered":
		r.workers[first(d)] = true
		return r.step(job.Registered{Worker: first(d), Generation: gen, Slots: int(number(d, "slots", 1))})
	case "heartbeat":
		return r.step(job.Heartbeat{Worker: first(d), Generation: gen})
	case "initialized":
		return r.step(job.Initialized{Worker: first(d), Generation: gen, Err: failure(d)})
	case "exited":
		delete(r.workers, first(d))
		return r.step(job.WorkerExited{Worker: first(d), Generation: gen, Err: failure(d)})
	case "draining":
		return r.step(job.Draining{Generation: gen})
	case "last-checkpoint":
		return r.step(job.LastCheckpoint{Generation: gen, Final: d.HasArg("final")})
	case "checkpoint-failed":
		return r.step(job.CheckpointFailed{Generation: gen, Err: failure(d), Stale: d.HasArg("stale")})
	case "started":
		return r.each(d, func(f checkpoint.From) job.Event { return job.TaskStarted{From: f} })
	case "drained":
		return r.each(d, func(f checkpoint.From) job.Event { return job.TaskDrained{From: f} })
	case "finished":
		return r.each(d, func(f checkpoint.From) job.Event { return job.TaskFinished{From: f} })
	case "failed":
		return r.each(d, func(f checkpoint.From) job.Event { return job.TaskFailed{From: f, Err: failure(d)} })
	}
	t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	return ""
}

func (r *transcript) up() string {
	r.gen++
	r.tasks = []checkpoint.Task{{Operator: "a", Index: 0}, {Operator: "b", Index: 0}}
	r.step(job.Claimed{Generation: r.gen, Tasks: r.tasks, Slots: 1})
	r.workers = map[uint64]bool{7: true}
	r.step(job.Registered{Worker: 7, Generation: r.gen, Slots: 1})
	r.step(job.Initialized{Worker: 7, Generation: r.gen})
	var out string
	for _, t := range r.tasks {
		out = r.step(job.TaskStarted{From: checkpoint.From{Worker: 7, Generation: r.gen, Task: t}})
	}
	return out
}

func (r *transcript) each(d *datadriven.TestData, event func(checkpoint.From) job.Event) string {
	name := d.CmdArgs[0].Key
	tasks := r.tasks
	if name != "all" {
		tasks = []checkpoint.Task{task(name)}
	}
	var out string
	for _, t := range tasks {
		out += r.step(event(checkpoint.From{Worker: number(d, "from", r.placed[t]), Generation: number(d, "gen", r.gen), Task: t}))
	}
	return out
}

func (r *transcript) step(ev job.Event) string {
	var out strings.Builder
	for _, e := range r.m.Step(r.now, ev) {
		fmt.Fprintf(&out, "%s\n", r.show(e))
	}
	return out.String()
}

func (r *transcript) show(e job.Effect) string {
	switch e := e.(type) {
	case job.Persist:
		s := fmt.Sprintf("→ %s", e.Status.State)
		if e.Status.Generation > 0 {
			s += fmt.Sprintf(", generation %d", e.Status.Generation)
		}
		if e.Status.Restarts > 0 {
			s += fmt.Sprintf(", restarts %d", e.Status.Restarts)
		}
		if f := e.Status.Failure; f != nil {
			s += fmt.Sprintf(": %v", f)
			if f.Hint != "" {
				s += fmt.Sprintf(" (hint: %s)", f.Hint)
			}
		}
		return s
	case job.Claim:
		return fmt.Sprintf("claim a generation with parallelism %d", e.Parallelism)
	case job.StartWorkers:
		return fmt.Sprintf("start workers with %d slots", e.Slots)
	case job.Execute:
		r.placed = map[checkpoint.Task]uint64{}
		var parts []string
		for _, p := range e.Tasks {
			r.placed[p.Task] = p.Worker
			parts = append(parts, fmt.Sprintf("%v@%d", p.Task, p.Worker))
		}
		return "execute " + strings.Join(parts, " ")
	case job.StartCheckpoints:
		return "start checkpoints"
	case job.RequestLastCheckpoint:
		return "request the last checkpoint"
	case job.StopTasks:
		if e.Graceful {
			return "stop tasks, gracefully"
		}
		return "stop tasks"
	case job.StopWorkers:
		if e.Kill {
			return fmt.Sprintf("kill the workers of generation %d", e.Generation)
		}
		return fmt.Sprintf("release the workers of generation %d", e.Generation)
	case job.Fenced:
		return fmt.Sprintf("fenced: %v", e.Err)
	case job.Ignored:
		return "ignored: " + e.Reason
	}
	return fmt.Sprintf("%T", e)
}

func task(name string) checkpoint.Task {
	op, i, _ := strings.Cut(name, "/")
	n, _ := strconv.Atoi(i)
	return checkpoint.Task{Operator: op, Index: n}
}

func first(d *datadriven.TestData) uint64 {
	n, _ := strconv.ParseUint(d.CmdArgs[0].Key, 10, 64)
	return n
}

func failure(d *datadriven.TestData) error {
	a, ok := d.Arg("error")
	if !ok {
		return nil
	}
	message := strings.Join(a.Vals, " ")
	kinds := map[string]fault.Kind{"user": fault.User, "data": fault.Data, "internal": fault.Internal, "transient": fault.Transient}
	kind, known := kinds[text(d, "kind", "transient")]
	if !known {
		return errors.New(message)
	}
	e := &fault.Error{Kind: kind, Message: message}
	if d.HasArg("stale") {
		e.Code = fault.CodeStaleRun
	}
	return e
}

func text(d *datadriven.TestData, key, otherwise string) string {
	if a, ok := d.Arg(key); ok {
		return strings.Join(a.Vals, " ")
	}
	return otherwise
}

func number(d *datadriven.TestData, key string, otherwise uint64) uint64 {
	n, err := strconv.ParseUint(text(d, key, ""), 10, 64)
	if err != nil {
		return otherwise
	}
	return n
}

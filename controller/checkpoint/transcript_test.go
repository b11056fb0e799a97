package checkpoint_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"wadi/controller/checkpoint"
	"wadi/dataflow/column"
	manifest "wadi/storage/checkpoint"
)

// The transcripts in testdata/transcripts are what the coordinator does. Commands:
//
//	config interval=10s timeout=60s …      a new coordinator; the clock is at 0s
//	start tasks=(a/0, b/0@2) …             all tasks run, on worker 1 or the one named; generation=1 next=1 restored replay
//	tick 10s                               time passes
//	ack 1 a/0 …                            a task wrote epoch 1; "all" for every task
//	   global=t keyed=t base part=0/2 time=1-5 rows=3 expire=t:7 commit=(x, y) needs-commit generation=1 worker=1
//	published 1, marked 1                  storage answers; error=… stale final
//	committed 1 a/0, drained a/0, stop, interval 5s
//	restored                               keeps the newest manifest for a "start restored"
type transcript struct {
	c        *checkpoint.Coordinator
	now      time.Time
	tasks    []checkpoint.Placed
	restored *manifest.Manifest
	files    int
}

func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		r := &transcript{now: time.Unix(0, 0)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return r.run(t, d) })
	})
}

func (r *transcript) run(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "config":
		r.c, r.now = checkpoint.New(checkpoint.Config{
			Interval: duration(d, "interval", 10*time.Second), Timeout: duration(d, "timeout", time.Minute),
			SettleTimeout: duration(d, "settle", time.Minute), Retry: time.Second, MaxAborted: 2,
		}), time.Unix(0, 0)
		r.tasks = nil
		return ""
	case "start":
		return r.step(r.start(t, d))
	case "tick":
		d.CmdArgs[0].Key, _, _ = strings.Cut(d.CmdArgs[0].Key, " ")
		p, err := time.ParseDuration(d.CmdArgs[0].Key)
		if err != nil {
			t.Fatal(err)
		}
		r.now = r.now.Add(p)
		return r.step(checkpoint.Tick{})
	case "interval":
		p, _ := time.ParseDuration(d.CmdArgs[0].Key)
		return r.step(checkpoint.Configure{Interval: p})
	case "stop":
		return r.step(checkpoint.StopRequest{})
	case "restored":
		r.restored = r.c.Last()
		return describe(*r.restored)
	case "published":
		return r.step(checkpoint.Published{Epoch: epoch(d), Err: failure(d), Stale: d.HasArg("stale"), Final: d.HasArg("final")})
	case "marked":
		return r.step(checkpoint.Marked{Epoch: epoch(d), Err: failure(d), Stale: d.HasArg("stale"), Final: d.HasArg("final")})
	case "drained":
		return r.each(d, 0, func(f checkpoint.From) checkpoint.Event { return checkpoint.Drained{From: f} })
	case "committed":
		return r.each(d, 1, func(f checkpoint.From) checkpoint.Event { return checkpoint.Committed{From: f, Epoch: epoch(d)} })
	case "ack":
		s := r.snapshot(d)
		return r.each(d, 1, func(f checkpoint.From) checkpoint.Event {
			return checkpoint.Ack{From: f, Epoch: epoch(d), Snapshot: s}
		})
	}
	t.Fatalf("%s: unknown command %s", d.Pos, d.Cmd)
	return ""
}

func (r *transcript) start(t *testing.T, d *datadriven.TestData) checkpoint.Start {
	s := checkpoint.Start{Generation: number(d, "generation", 1), NextEpoch: number(d, "next", 1), ProgramHash: "p"}
	arg, ok := d.Arg("tasks")
	if !ok {
		t.Fatalf("%s: no tasks", d.Pos)
	}
	for _, v := range arg.Vals {
		name, worker, placed := strings.Cut(v, "@")
		p := checkpoint.Placed{Task: task(name), Worker: 1}
		if placed {
			p.Worker, _ = strconv.ParseUint(worker, 10, 64)
		}
		s.Tasks = append(s.Tasks, p)
	}
	if r.tasks == nil {
		r.tasks = s.Tasks
	}
	if d.HasArg("restored") {
		s.Restored, s.Replay = r.restored, d.HasArg("replay")
	}
	return s
}

// each steps an event for the task that argument i names, or for all.
func (r *transcript) each(d *datadriven.TestData, i int, event func(checkpoint.From) checkpoint.Event) string {
	var out strings.Builder
	name := d.CmdArgs[i].Key
	for _, p := range r.tasks {
		if name == "all" || p.String() == name {
			f := checkpoint.From{Worker: number(d, "worker", p.Worker), Generation: number(d, "generation", 1), Task: p.Task}
			out.WriteString(r.step(event(f)))
		}
	}
	if out.Len() == 0 && name != "all" {
		// Not one of the tasks, or nothing to say about it.
		f := checkpoint.From{Worker: 1, Generation: number(d, "generation", 1), Task: task(name)}
		known := false
		for _, p := range r.tasks {
			known = known || p.Task == f.Task
		}
		if !known {
			return r.step(event(f))
		}
	}
	return out.String()
}

func (r *transcript) snapshot(d *datadriven.TestData) checkpoint.Snapshot {
	s := checkpoint.Snapshot{NeedsCommit: d.HasArg("needs-commit")}
	if a, ok := d.Arg("commit"); ok {
		for _, v := range a.Vals {
			s.Commit = append(s.Commit, []byte(v))
		}
	}
	add := func(key, kind string) {
		a, ok := d.Arg(key)
		if !ok {
			return
		}
		r.files++
		f := manifest.File{Rows: int64(number(d, "rows", 1)), MaxHash: ^uint64(0), Ref: fmt.Sprintf("f%d", r.files)}
		if p, ok := d.Arg("part"); ok {
			i, n, _ := strings.Cut(p.Vals[0], "/")
			a, _ := strconv.Atoi(i)
			b, _ := strconv.Atoi(n)
			k := column.Range(a, b)
			f.MinHash, f.MaxHash = k.First, k.Last
		}
		if p, ok := d.Arg("time"); ok {
			from, to, _ := strings.Cut(p.Vals[0], "-")
			f.MinTimeNanos, _ = strconv.ParseInt(from, 10, 64)
			f.MaxTimeNanos, _ = strconv.ParseInt(to, 10, 64)
		}
		t := checkpoint.Table{Name: a.Vals[0], Kind: kind, Base: d.HasArg("base"), Files: []manifest.File{f}}
		s.Tables = append(s.Tables, t)
	}
	add("global", manifest.Global)
	add("keyed", manifest.Keyed)
	if a, ok := d.Arg("expire"); ok {
		name, at, _ := strings.Cut(a.Vals[0], ":")
		below, _ := strconv.ParseInt(at, 10, 64)
		if len(s.Tables) == 1 && s.Tables[0].Name == name {
			s.Tables[0].ExpireBelow = &below
		} else {
			s.Tables = append(s.Tables, checkpoint.Table{Name: name, Kind: manifest.Keyed, ExpireBelow: &below})
		}
	}
	return s
}

func (r *transcript) step(ev checkpoint.Event) string {
	var out strings.Builder
	for _, e := range r.c.Step(r.now, ev) {
		fmt.Fprintf(&out, "%s\n", show(e))
	}
	return out.String()
}

func show(e checkpoint.Effect) string {
	switch e := e.(type) {
	case checkpoint.Barrier:
		return fmt.Sprintf("barrier %d%s%s", e.Epoch, flag(e.ThenStop, " then stop"), flag(e.Final, ", final"))
	case checkpoint.Publish:
		return "publish " + describe(e.Manifest)
	case checkpoint.Commit:
		var parts []string
		for _, t := range e.Tasks {
			parts = append(parts, fmt.Sprintf("%v@%d %q", t.Task, t.Worker, t.Data))
		}
		return fmt.Sprintf("commit %d: %s", e.Epoch, strings.Join(parts, ", "))
	case checkpoint.Mark:
		return fmt.Sprintf("mark %d committed", e.Epoch)
	case checkpoint.Completed:
		return fmt.Sprintf("completed %d after %v%s%s%s", e.Epoch, e.Took, flag(e.ThenStop, ", stopping"), flag(e.Final, ", final"), flag(e.Replayed, ", replayed"))
	case checkpoint.Aborted:
		return fmt.Sprintf("aborted %d: %s", e.Epoch, e.Reason)
	case checkpoint.Failed:
		return fmt.Sprintf("failed%s: %v", flag(e.Stale, " (replaced)"), e.Err)
	case checkpoint.Ignored:
		return "ignored: " + e.Reason
	}
	return fmt.Sprintf("%T", e)
}

func describe(m manifest.Manifest) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%d", m.Epoch)
	if m.Parent != "" {
		fmt.Fprintf(&out, " on %s", strings.TrimSuffix(strings.TrimPrefix(m.Parent, "generations/"), "/manifest.json"))
	}
	for _, op := range m.Operators {
		fmt.Fprintf(&out, "\n  %s ×%d%s", op.ID, op.Parallelism, flag(op.NeedsCommit, " needs commit"))
		for _, t := range op.Tables {
			fmt.Fprintf(&out, "; %s table %s:", t.Kind, t.Name)
			for _, f := range t.Files {
				fmt.Fprintf(&out, " %s(epoch %d%s)", f.Ref, f.Epoch, flag(f.Base, " base"))
			}
		}
	}
	return out.String()
}

func flag(set bool, text string) string {
	if set {
		return text
	}
	return ""
}

func task(name string) checkpoint.Task {
	op, i, _ := strings.Cut(name, "/")
	n, _ := strconv.Atoi(i)
	return checkpoint.Task{Operator: op, Index: n}
}

func epoch(d *datadriven.TestData) uint64 {
	n, _ := strconv.ParseUint(d.CmdArgs[0].Key, 10, 64)
	return n
}

func failure(d *datadriven.TestData) error {
	if a, ok := d.Arg("error"); ok {
		return errors.New(strings.Join(a.Vals, " "))
	}
	return nil
}

func number(d *datadriven.TestData, key string, otherwise uint64) uint64 {
	if a, ok := d.Arg(key); ok {
		n, _ := strconv.ParseUint(a.Vals[0], 10, 64)
		return n
	}
	return otherwise
}

func duration(d *datadriven.TestData, key string, otherwise time.Duration) time.Duration {
	if a, ok := d.Arg(key); ok {
		p, _ := time.ParseDuration(a.Vals[0])
		return p
	}
	return otherwise
}

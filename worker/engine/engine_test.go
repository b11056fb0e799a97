package engine_test

import (
	"context"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/worker/engine"
	"wadi/worker/local"
)

func TestRunsToTheEndAtAnyParallelism(t *testing.T) {
	for _, p := range []int{1, 2, 3, 7} {
		for _, batch := range []int{1, 7, 500} {
			f := &fakes{rows: 3000, keys: 50}
			cp, err := local.Run(context.Background(), local.Config{Program: program(2), Constructor: f, Parallelism: p, BatchRows: batch, QueueBytes: 4096})
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(f.result, f.want(2)) {
				t.Errorf("parallelism %d, batches of %d: wrong totals", p, batch)
			}
			if cp == nil || cp.Epoch == 0 || f.commits[cp.Epoch] != 1 {
				t.Errorf("the last epoch was not committed: %v, %v", cp, f.commits)
			}
		}
	}
}

// A run that is killed again and again and restored with another parallelism ends with the same totals.
func TestRestoresWithAnotherParallelism(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	f := &fakes{rows: 60000, keys: 101}
	store := &local.Memory{}
	var cp *local.Checkpoint
	for round := range 40 {
		run, err := local.Start(context.Background(), local.Config{
			Program: program(2), Constructor: f, Parallelism: 1 + r.IntN(5), BatchRows: 16, QueueBytes: 2048, Store: store, Restore: cp,
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := round%3 == 0
		for range r.IntN(3) {
			run.Checkpoint(false)
		}
		if c := run.Checkpoint(stop); c == nil {
			run.Kill()
		} else if !stop {
			run.Kill()
		}
		last, err := run.Wait()
		if err != nil {
			t.Fatal(err)
		}
		cp = last
	}
	if _, err := local.Run(context.Background(), local.Config{Program: program(2), Constructor: f, Parallelism: 3, Store: store, Restore: cp}); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(f.result, f.want(2)) {
		t.Error("wrong totals after restores")
	}
}

func TestAFailureNamesTheOperatorAndEndsTheRun(t *testing.T) {
	for _, blowUp := range []bool{false, true} {
		f := &fakes{rows: 1000, keys: 10, fail: 500, blowUp: blowUp}
		_, err := local.Run(context.Background(), local.Config{Program: program(1), Constructor: f, Parallelism: 3, BatchRows: 8})
		e := fault.As(err)
		if e == nil || e.Operator != "total" {
			t.Fatalf("got %v", err)
		}
		if stack, ok := engine.Stack(err); ok != blowUp || (ok && !strings.Contains(stack, "fake_test.go")) {
			t.Errorf("stack of a panic: %v", ok)
		}
		if strings.Contains(e.Error(), "goroutine") {
			t.Errorf("the message holds a stack: %s", e.Error())
		}
	}
}

// quiet is a listener that drives checkpoints in a simulation.
type quiet struct {
	drained, finished, completed int
	failed                       error
}

func (q *quiet) TaskStarted(engine.Subtask)               {}
func (q *quiet) CheckpointStarted(engine.Subtask, uint64) {}
func (q *quiet) CheckpointSynced(engine.Subtask, uint64)  {}
func (q *quiet) CheckpointCompleted(engine.Snapshot)      { q.completed++ }
func (q *quiet) CommitFinished(engine.Subtask, uint64)    {}
func (q *quiet) TaskDrained(engine.Subtask)               { q.drained++ }
func (q *quiet) TaskFinished(engine.Subtask)              { q.finished++ }
func (q *quiet) TaskFailed(_ engine.Subtask, err error)   { q.failed = err }
func (q *quiet) Nonfatal(engine.Subtask, error)           {}

// The order in which tasks are polled does not matter.
func TestSimulationInAnyOrder(t *testing.T) {
	for seed := range uint64(50) {
		f := &fakes{rows: 400, keys: 13}
		q := &quiet{}
		e, err := engine.New(context.Background(), engine.Config{
			Program: program(2), Parallelism: 3, Constructor: f, Listener: q, Store: &local.Memory{},
			Clock: clock.NewVirtual(time.Unix(0, 0)), BatchRows: 5, QueueBytes: 1000, Synchronous: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		r := rand.New(rand.NewPCG(seed, 1))
		for epoch := uint64(1); epoch <= 3; epoch++ {
			e.Checkpoint(engine.Barrier{Epoch: epoch})
			over, err := e.Simulate(r)
			if err != nil || over {
				t.Fatalf("seed %d: over %v, error %v", seed, over, err)
			}
			if q.completed != int(epoch)*len(e.Subtasks()) {
				t.Fatalf("seed %d: %d snapshots after epoch %d", seed, q.completed, epoch)
			}
		}
		if q.drained != len(e.Subtasks()) || !reflect.DeepEqual(f.result, f.want(2)) {
			t.Fatalf("seed %d: %d drained, totals right: %v", seed, q.drained, reflect.DeepEqual(f.result, f.want(2)))
		}
		e.Checkpoint(engine.Barrier{Epoch: 4, Stop: true, Final: true})
		if over, err := e.Simulate(r); over || err != nil {
			t.Fatalf("seed %d: a sink that owes a commit has ended: %v", seed, err)
		}
		if err := e.Commit(engine.Subtask{Operator: "sink"}, 4, [][]byte{{4}}); err != nil {
			t.Fatal(err)
		}
		if over, err := e.Simulate(r); !over || err != nil || q.finished != len(e.Subtasks()) {
			t.Fatalf("seed %d: over %v, %d finished, error %v", seed, over, q.finished, err)
		}
	}
}

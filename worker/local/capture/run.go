package capture

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/graph"
	"wadi/worker/engine"
	"wadi/worker/local"
	"wadi/worker/operators"
)

// Variant is one way to run a program.
type Variant struct {
	Parallelism, Batch int
	// Restore is the parallelism after a crash; 0 runs through.
	Restore int
	// Tick is by how much the clock advances between steps; 0 stands still, so that updating operators flush at barriers
	// and at the end only.
	Tick time.Duration
	Seed uint64
}

// String names the variant in messages.
func (v Variant) String() string {
	return fmt.Sprintf("parallelism %d, batches of %d, restored with %d, seed %d", v.Parallelism, v.Batch, v.Restore, v.Seed)
}

// Run runs a program, planned with the connectors of Library(lines), to the end of its input. With a Restore it takes a
// checkpoint after some steps, runs on a little, stops without warning, and starts again from the checkpoint.
func Run(p *graph.Program, l operators.Library, lines *[]string, v Variant) error {
	r := rand.New(rand.NewPCG(v.Seed, 11))
	s := &simulation{
		program: p, library: l, variant: v, store: &local.Memory{}, random: r,
		clock: clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
	parallelism := v.Parallelism
	if v.Restore > 0 {
		over, err := s.crash(parallelism, 1+r.IntN(40))
		if err != nil {
			return err
		}
		if !over {
			parallelism = v.Restore
		}
		*lines = nil
	}
	return s.finish(parallelism)
}

// simulation runs one program, maybe in several lives.
type simulation struct {
	program *graph.Program
	library operators.Library
	variant Variant
	store   *local.Memory
	random  *rand.Rand
	clock   *clock.Virtual
	last    *local.Checkpoint
	acks    map[engine.Subtask]engine.Snapshot
}

func (s *simulation) start(parallelism int) (*engine.Engine, error) {
	s.acks = map[engine.Subtask]engine.Snapshot{}
	c := engine.Config{
		Program: s.program, JobID: "capture", Parallelism: parallelism, Constructor: s.library, Listener: s, Store: s.store,
		Clock: s.clock, BatchRows: s.variant.Batch, Synchronous: true,
	}
	if s.last != nil {
		c.Restore = func(id string) *engine.OperatorState { return s.last.Operators[id] }
	}
	return engine.New(context.Background(), c)
}

func (s *simulation) step(e *engine.Engine) (over, progress bool, err error) {
	if s.variant.Tick > 0 {
		s.clock.Advance(s.variant.Tick)
	}
	return e.Step(s.random)
}

// crash runs some steps, takes a checkpoint, runs on a little, and stops without warning. over is true if the input
// ended before.
func (s *simulation) crash(parallelism, steps int) (over bool, err error) {
	e, err := s.start(parallelism)
	if err != nil {
		return false, err
	}
	defer func() {
		e.Stop()
		e.Wait()
	}()
	for range steps {
		if _, _, err := s.step(e); err != nil {
			return false, err
		}
	}
	if err := s.checkpoint(e, engine.Barrier{Epoch: 1}); err != nil {
		return false, err
	}
	for range s.random.IntN(10) {
		if _, _, err := s.step(e); err != nil {
			return false, err
		}
	}
	return false, nil
}

func (s *simulation) checkpoint(e *engine.Engine, b engine.Barrier) error {
	clear(s.acks)
	e.Checkpoint(b)
	for len(s.acks) < len(e.Subtasks()) {
		_, progress, err := s.step(e)
		if err != nil {
			return err
		}
		if !progress {
			return fmt.Errorf("epoch %d hangs with %d of %d snapshots", b.Epoch, len(s.acks), len(e.Subtasks()))
		}
	}
	s.last = local.Merge(s.last, b.Epoch, s.acks)
	return nil
}

// finish runs to the end of the input.
func (s *simulation) finish(parallelism int) error {
	e, err := s.start(parallelism)
	if err != nil {
		return err
	}
	if err := s.drain(e); err != nil {
		return err
	}
	if err := s.checkpoint(e, engine.Barrier{Epoch: 2, Stop: true, Final: true}); err != nil {
		return err
	}
	over, err := s.idle(e)
	if err == nil && !over {
		err = fmt.Errorf("the tasks do not end")
	}
	if closeErr := e.Wait(); err == nil {
		err = closeErr
	}
	return err
}

// pace is how long a drain waits for generated rows, in steps of a tenth of a second.
const pace = 10

// drain runs until the sources have nothing more. Generators make their rows as time passes, so it passes for them.
func (s *simulation) drain(e *engine.Engine) error {
	over, err := s.idle(e)
	for n := 0; n < pace && s.generates() && !over && err == nil; n++ {
		s.clock.Advance(time.Second / 10)
		over, err = s.idle(e)
	}
	return err
}

// generates reports whether a source is a generator: one whose connector has columns of its own.
func (s *simulation) generates() bool {
	for _, n := range s.program.Nodes {
		if spec, ok := n.Spec.(*graph.SourceSpec); ok {
			if d, ok := s.library.Connectors.Lookup(spec.Connector); ok && d.Schema != nil {
				return true
			}
		}
	}
	return false
}

// idle runs until there is nothing more to do.
func (s *simulation) idle(e *engine.Engine) (over bool, err error) {
	for {
		over, progress, err := s.step(e)
		if over || err != nil || !progress {
			return over, err
		}
	}
}

func (s *simulation) TaskStarted(engine.Subtask)               {}
func (s *simulation) CheckpointStarted(engine.Subtask, uint64) {}
func (s *simulation) CheckpointSynced(engine.Subtask, uint64)  {}
func (s *simulation) CommitFinished(engine.Subtask, uint64)    {}
func (s *simulation) TaskDrained(engine.Subtask)               {}
func (s *simulation) TaskFinished(engine.Subtask)              {}
func (s *simulation) TaskFailed(engine.Subtask, error)         {}
func (s *simulation) Nonfatal(engine.Subtask, error)           {}
func (s *simulation) CheckpointCompleted(a engine.Snapshot)    { s.acks[a.Subtask] = a }

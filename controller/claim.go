package controller

import (
	"context"
	"time"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	graphwire "wadi/dataflow/graph/wire"
	"wadi/storage/blob"
	manifest "wadi/storage/checkpoint"
)

// claim claims a generation, finds out what it starts from, and plans its tasks.
func (s *supervisor) claim(parallelism int) {
	timeout := s.c.config.Settings.Job.ClaimTimeout
	if timeout <= 0 {
		timeout = 2 * time.Minute
	}
	preview := s.config.TTLMicros > 0
	s.claims++
	mine, before, done := s.claims, s.lastClaim, make(chan struct{})
	s.lastClaim = done
	s.async(s.ctx, timeout, func(ctx context.Context) func() {
		// One claim at a time: a later one must not find that an earlier one of ours has replaced it.
		defer close(done)
		if before != nil {
			select {
			case <-before:
			case <-ctx.Done():
			}
		}
		g, warnings, err := s.prepare(ctx, parallelism, preview)
		if err != nil && ctx.Err() != nil {
			err = fault.Transientf(err, "the checkpoints could not be read within %v", timeout)
		}
		return func() {
			if mine != s.claims || s.machine.Status().State != job.Scheduling {
				s.log.Debug().Msg("a generation was claimed too late")
				return
			}
			for _, w := range warnings {
				s.warn(w)
			}
			if err != nil {
				s.stepJob(job.Unclaimed{Err: err})
				return
			}
			s.claimed(g)
		}
	})
}

// prepare does the reading and writing of a claim.
func (s *supervisor) prepare(ctx context.Context, parallelism int, preview bool) (g *generation, warnings []error, err error) {
	g = &generation{parallelism: parallelism, addresses: map[uint64]string{}}
	if g.program, g.encoded, err = s.program(preview); err != nil {
		return nil, nil, err
	}
	g.hash = graphwire.HashBytes(g.encoded)
	bucket, err := s.bucket(ctx)
	if err != nil {
		return nil, nil, err
	}
	if g.store, err = manifest.Open(bucket, s.pipeline.ID, s.jobID, manifest.WithClock(s.c.config.Clock)); err != nil {
		return nil, nil, err
	}
	if g.number, g.restored, g.replay, warnings, err = g.store.StartGeneration(ctx); err != nil {
		return nil, warnings, err
	}
	if m := g.restored; m != nil && m.HashSeedVersion != column.HashVersion {
		return nil, warnings, fault.Userf(fault.CodeInvalid, fault.Span{}, "the state in %s is sharded by hash version %d, this release has %d", g.store, m.HashSeedVersion, column.HashVersion).
			WithHint("use the version of wadi that wrote this state, or start anew in another state directory")
	}
	if g.nextEpoch, err = g.store.NextEpoch(ctx); err != nil {
		return nil, warnings, err
	}
	return g, warnings, nil
}

// claimed goes on with the generation that the job is waiting for.
func (s *supervisor) claimed(g *generation) {
	g.ctx, g.cancel = context.WithCancel(s.ctx)
	s.present = g
	s.mu.Lock()
	s.number = g.number
	s.mu.Unlock()
	subtasks := g.program.Subtasks(g.parallelism)
	ev := job.Claimed{Generation: g.number, Complete: g.restored != nil && g.restored.Final && !g.replay}
	for i, n := range subtasks {
		ev.Slots = max(ev.Slots, n)
		for k := range n {
			ev.Tasks = append(ev.Tasks, checkpoint.Task{Operator: g.program.Nodes[i].ID, Index: k})
		}
	}
	config := s.c.config.Settings.Checkpoint
	config.Interval = s.interval()
	s.coordinator = checkpoint.New(config)
	s.story = newStory(s, g)
	s.story.restored()
	s.metrics.begin(g.program)
	s.output.begin(g.number, previewSubtasks(g.program, subtasks))
	s.stepJob(ev)
	if ev.Complete {
		g.cancel()
		s.present, s.coordinator = nil, nil
	}
}

// program is the pipeline's program; what another release has stored is planned again.
func (s *supervisor) program(preview bool) (*graph.Program, []byte, error) {
	if len(s.pipeline.Program) > 0 {
		if p, err := graphwire.Decode(s.pipeline.Program); err == nil {
			return p, s.pipeline.Program, nil
		}
	}
	planned, faults := s.c.config.Planner(s.pipeline.Query)
	if len(faults) > 0 {
		return nil, nil, faults[0]
	}
	p := planned.Program
	if preview {
		p = Preview(p, false)
	}
	b, err := graphwire.Encode(p)
	return p, b, err
}

// bucket is where the pipeline's state is.
func (s *supervisor) bucket(ctx context.Context) (blob.Bucket, error) {
	if s.pipeline.StateURL == "" {
		return s.c.config.Bucket, nil
	}
	if s.c.config.OpenBucket == nil {
		return nil, fault.Userf(fault.CodeUnsupported, fault.Span{}, "this controller keeps all state in %s", s.c.config.Bucket).
			WithHint("create the pipeline without state_url")
	}
	return s.c.config.OpenBucket(ctx, s.pipeline.StateURL)
}

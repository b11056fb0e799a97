package run

import (
	"context"
	"errors"
	"fmt"
	"time"

	"wadi/dataflow/connector/stdin"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/storage/blob"
	"wadi/storage/lease"
)

// run is one run of one query: plan it, find its state, start a cluster, submit the query, follow it to its end.
func (s *session) run(ctx context.Context, r request) error {
	s.interrupts.orderly.Store(true)
	s.interrupts.drainWithin(s.config.Run.DrainTimeout, s.clock)
	// Until there is a pipeline to stop, the first signal ends whatever goes on.
	setup, done := s.interrupts.context(ctx)
	defer done()
	err := s.prepare(setup, r)
	if err != nil && setup.Err() != nil && s.interrupts.asked() && !s.submitted {
		err = nil
	}
	code := s.report(err)
	if s.afterwards != "" {
		s.print(s.afterwards)
	}
	if code != exitOK {
		return exitCode(code)
	}
	return nil
}

// prepare does everything that comes before the first object in the state directory is written.
func (s *session) prepare(ctx context.Context, r request) error {
	if err := r.check(); err != nil {
		return err
	}
	q, err := s.readQuery(ctx, r.query)
	if err != nil {
		return err
	}
	parts := newRegistries()
	program, err := s.plan(ctx, parts, q, r.stateDir)
	if err != nil {
		return err
	}
	if err := notStdinTwice(program, q); err != nil {
		return err
	}
	opener := &blob.Opener{Clock: s.clock}
	p, err := s.openPlace(ctx, opener, r.stateDir)
	if err != nil {
		return err
	}
	defer p.bucket.Close()
	name := r.pipelineName(q)
	if err := s.firstLook(ctx, p); err != nil {
		return err
	}
	if err := p.admit(ctx, q, name, r.force); err != nil {
		return err
	}
	if over, err := s.alreadyFinished(ctx, p); over || err != nil {
		return err
	}
	if err := blob.ProbeConditionalPut(ctx, p.bucket); err != nil {
		return err
	}
	held, err := lease.Acquire(ctx, p.bucket, lease.Options{Clock: s.clock, Force: r.force})
	if err != nil {
		return err
	}
	_, s.local = p.bucket.Local()
	err = s.hold(ctx, held, func() error {
		// Another process may have been here between the first look and the lease.
		if err := p.admit(ctx, q, name, r.force); err != nil {
			return err
		}
		if over, err := s.alreadyFinished(ctx, p); over || err != nil {
			return err
		}
		return s.execute(ctx, r, &cluster{session: s, parts: parts, opener: opener, place: p, gauge: newGauge(program)}, q, program)
	})
	return s.tidy(p, q, err)
}

// firstLook reads from a state directory with little patience: a place that does not answer at the start is more often
// misspelt than out of order for a moment.
func (s *session) firstLook(ctx context.Context, p *place) error {
	if _, ok := p.bucket.Local(); ok {
		return nil
	}
	opener := blob.Opener{Clock: s.clock, Retry: blob.Retry{Attempts: 4, Base: 100 * time.Millisecond, Cap: time.Second}}
	bucket, err := opener.Open(ctx, p.url)
	if err != nil {
		return err
	}
	defer bucket.Close()
	_, err = readIdentity(ctx, bucket)
	return err
}

// takeoverEvery is how often a local state directory is looked at for another holder of its lease. Leases in object
// stores are only looked at when they are renewed, and when the job ends.
const takeoverEvery = time.Second

// hold does something under the lease of the state directory. The loss of the lease ends the process at once: somebody
// else is writing there.
func (s *session) hold(ctx context.Context, held *lease.Lease, do func() error) error {
	over := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		s.watchLease(held, over)
	}()
	err := do()
	if taken := held.Check(context.WithoutCancel(ctx)); fault.Is(taken, fault.CodeConflict) {
		err = taken // whatever became of the job, it was not this process's to say
	}
	close(over)
	<-watched
	release, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if err := held.Release(release); err != nil {
		s.log.Warn().Err(err).Msg("the lease of the state directory was not given back; it runs out by itself")
	}
	return err
}

// watchLease ends the process when the lease is lost.
func (s *session) watchLease(held *lease.Lease, over <-chan struct{}) {
	for {
		select {
		case <-held.Lost():
			s.interrupts.die(held.Err())
			return
		case <-over:
			return
		case <-s.clock.After(takeoverEvery):
		}
		if !s.local {
			continue
		}
		if err := held.Check(context.Background()); fault.Is(err, fault.CodeConflict) {
			s.interrupts.die(err)
			return
		}
	}
}

// alreadyFinished says so if the query has come to its end in an earlier run.
func (s *session) alreadyFinished(ctx context.Context, p *place) (bool, error) {
	over, err := p.finished(ctx)
	if !over || err != nil {
		return false, err
	}
	s.print(fmt.Sprintf("%s has already finished: its state is in %s\n", p.id.Name, p.url))
	s.print("  hint: to run it again from the start, use another --state-dir\n")
	return true, nil
}

// execute runs the query in a state directory that is this process's.
func (s *session) execute(ctx context.Context, r request, c *cluster, q query, program *graph.Program) (err error) {
	p := c.place
	if p.replaced != nil {
		s.log.Warn().Str("query", p.replaced.Name).
			Msg(fmt.Sprintf("put aside; its checkpoints stay in %s/%s/%s", p.url, p.replaced.PipelineID, p.replaced.JobID))
	}
	fresh := p.fresh
	if err := p.settle(ctx); err != nil {
		return err
	}
	db, removeCopy, err := s.openDatabase(ctx, p)
	if err != nil {
		return err
	}
	defer removeCopy()
	defer func() { err = errors.Join(err, db.Close()) }()
	known, err := align(ctx, db, p.id, program, s.config.CheckpointInterval)
	if err != nil {
		return err
	}
	copies := s.startBackup(p, db)
	c.backup = func() {}
	if copies != nil {
		c.backup = copies.Request
		defer func() {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
			defer cancel()
			if err := copies.Close(last); err != nil {
				s.log.Warn().Err(err).Msg("the last copy of the database was not stored; checkpoints are not in it")
			}
		}()
	}
	c.heard = func(f *fault.Error, count int64) { s.notice(c, f, count, q) }
	if err := c.start(db); err != nil {
		return err
	}
	defer c.stop()
	if err := c.submit(ctx, r, known, q); err != nil {
		return err
	}
	s.submitted = true
	if !fresh {
		s.log.Debug().Str("state", p.url).Msg("going on")
		s.warnOfLostInput(ctx, p, q, program)
	}
	return s.follow(context.WithoutCancel(ctx), c, q)
}

// warnOfLostInput says that lines of standard input may be lost where an earlier run left no checkpoint to tell of them.
// With a checkpoint, the source itself knows which lines.
func (s *session) warnOfLostInput(ctx context.Context, p *place, q query, program *graph.Program) {
	n := stdinSource(program)
	if n == nil {
		return
	}
	if m, err := p.latest(ctx); m != nil || err != nil {
		return
	}
	s.warn(fault.Userf(stdin.CodeResumed, n.Span, "standard input starts over: the earlier run ended before its first checkpoint, and the lines that it had read are lost").
		WithHint("pipe them again, from the first line on"), q)
}

// submit hands the query to the API: as a new pipeline, or the one that is there once more.
func (c *cluster) submit(ctx context.Context, r request, known bool, q query) error {
	id := c.place.id
	if known {
		return c.client.patch(ctx, id.PipelineID, pipelinePatch{Parallelism: r.parallelism, Stop: "none"})
	}
	return c.client.create(ctx, id.PipelineID, pipelinePost{Name: id.Name, Query: q.text, Parallelism: r.parallelism, JobID: id.JobID})
}

// tidy removes a state directory that nobody has named once nothing in it is of use, and says how to go on from one that
// is.
func (s *session) tidy(p *place, q query, err error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	m, latestErr := p.latest(ctx)
	if latestErr == nil && (m == nil || m.Final) {
		if discardErr := p.discard(); discardErr != nil {
			s.log.Warn().Err(discardErr).Msg("the state directory was not removed")
		}
		return err
	}
	var ended outcome
	if err == nil || errors.As(err, &ended) {
		s.afterwards = fmt.Sprintf("to go on from here: %s\n", resumeCommand(s.Args, p.url, q.name))
	}
	return err
}

package controller

import (
	"context"
	"encoding/json"
	"reflect"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	manifest "wadi/storage/checkpoint"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

// supervisor runs one job. Its fields belong to the goroutine of run, except for those below mu.
type supervisor struct {
	c        *Controller
	log      zerolog.Logger
	pipeline meta.Pipeline
	jobID    string
	box      *mailbox
	effects  sync.WaitGroup
	ctx      context.Context

	machine     *job.Machine
	coordinator *checkpoint.Coordinator
	pending     []func() // events to step when the effects of the present one are carried out
	config      meta.JobConfig
	dirty       bool // the status is not stored
	fenced      bool
	present     *generation
	story       *story
	metrics     *metrics
	polling     bool
	sampled     time.Time
	collecting  bool
	claims      int // numbers the claims: only the last one counts
	lastClaim   chan struct{}

	output *output
	ended  chan struct{}

	mu sync.Mutex
	// number is the present generation's, for who checks messages; resting since when the job is at rest and stored.
	number  uint64
	resting time.Time
}

// generation is what is known of the present run.
type generation struct {
	number      uint64
	ctx         context.Context
	cancel      context.CancelFunc
	program     *graph.Program
	encoded     []byte
	hash        string
	parallelism int
	store       *manifest.Store
	restored    *manifest.Manifest
	replay      bool
	nextEpoch   uint64
	addresses   map[uint64]string
	tasks       []checkpoint.Placed
	// workers are those that have tasks.
	workers map[uint64]wire.WorkerServiceHandler
}

func newSupervisor(c *Controller, p meta.Pipeline, j meta.Job) *supervisor {
	s := &supervisor{
		c: c, pipeline: p, jobID: j.Config.ID, box: newMailbox(), output: newOutput(), ended: make(chan struct{}),
		log:    c.config.Log.With().Str("job", j.Config.ID).Logger(),
		number: j.Status.RunID, metrics: newMetrics(),
	}
	settings := c.config.Settings.Job
	settings.Seed = seed(j.Config.ID)
	s.machine = job.New(settings, statusOf(j.Status))
	return s
}

// seed gives every job a jitter of its own (FNV-1a).
func seed(id string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	return h
}

func (s *supervisor) now() time.Time { return s.c.config.Clock.Now() }

// post puts something to do on the supervisor's goroutine into the mailbox.
func (s *supervisor) post(f func()) { s.box.post(f) }

// end lets run return; the job is at rest.
func (s *supervisor) end() {
	select {
	case <-s.ended:
	default:
		close(s.ended)
	}
}

// run owns the job until the controller ends or the job has been at rest for a while.
func (s *supervisor) run(ctx context.Context) {
	s.ctx = ctx
	defer s.output.close()
	defer s.effects.Wait()
	defer s.abandon()
	tick := s.c.config.Clock.After(s.c.config.Settings.Tick)
	for {
		for _, f := range s.box.take() {
			s.do(f)
		}
		select {
		case <-ctx.Done():
			return
		case <-s.ended:
			return
		case <-tick:
			tick = s.c.config.Clock.After(s.c.config.Settings.Tick)
			s.do(s.tick)
		case <-s.box.signal:
		}
	}
}

// do carries out one thing and everything that follows from it.
func (s *supervisor) do(f func()) {
	if s.fenced {
		return
	}
	f()
	for len(s.pending) > 0 {
		next := s.pending[0]
		s.pending = s.pending[1:]
		next()
	}
}

// abandon ends the present generation when the controller ends: the workers stop at once, and the job goes on from its
// last checkpoint in the next controller.
func (s *supervisor) abandon() {
	s.output.close()
	g := s.present
	if g == nil {
		return
	}
	g.cancel()
	// The context of run has ended; what is left to do gets a little time of its own.
	ctx, cancel := context.WithTimeout(context.Background(), s.c.config.Settings.stopPatience())
	defer cancel()
	if err := s.c.config.Scheduler.Stop(ctx, s.jobID, g.number, true); err != nil {
		s.log.Warn().Err(err).Msg("workers are still running")
	}
}

func (s Settings) stopPatience() time.Duration {
	if s.Job.KillTimeout > 0 {
		return s.Job.KillTimeout
	}
	return 30 * time.Second
}

// tick looks at the clock.
func (s *supervisor) tick() {
	s.stepJob(job.Tick{})
	s.stepCheckpoint(checkpoint.Tick{})
	s.pending = append(s.pending, func() {
		if s.dirty {
			s.persist()
		}
		s.pollMetrics()
	})
}

// want tells the job what is wanted of it. Configurations are compared as a whole: two changes may bear the same time,
// when they follow each other closely or when the clock was set back.
func (s *supervisor) want(c meta.JobConfig) {
	s.post(func() {
		if reflect.DeepEqual(s.config, c) {
			return
		}
		s.config = c
		s.stepJob(job.Desire{Desired: s.desired()})
		s.stepCheckpoint(checkpoint.Configure{Interval: s.interval()})
	})
}

// remove stops a job whose pipeline is gone.
func (s *supervisor) remove() {
	d := s.desired()
	d.Stop = job.StopForce
	s.stepJob(job.Desire{Desired: d})
}

func (s *supervisor) interval() time.Duration {
	if s.config.CheckpointIntervalMicros > 0 {
		return time.Duration(s.config.CheckpointIntervalMicros) * time.Microsecond
	}
	return s.c.config.Settings.Checkpoint.Interval
}

func (s *supervisor) desired() job.Desired {
	return job.Desired{
		Stop: job.Stop(s.config.Stop), Parallelism: Parallelism(s.pipeline, s.config), RestartNonce: int64(s.config.RestartNonce),
		RestartForce: s.config.RestartMode == meta.RestartForce, TTL: time.Duration(s.config.TTLMicros) * time.Microsecond,
	}
}

// Parallelism is the parallelism that is wanted of a job: the pipeline's, unless it was changed for the job.
func Parallelism(p meta.Pipeline, c meta.JobConfig) int {
	n := 0
	for _, v := range c.ParallelismOverrides {
		n = max(n, v)
	}
	if n > 0 {
		return n
	}
	return max(1, p.Parallelism)
}

// stepJob steps the state machine and carries out what it says.
func (s *supervisor) stepJob(ev job.Event) {
	for _, e := range s.machine.Step(s.now(), ev) {
		s.doJob(e)
	}
}

// later steps the state machine after the effects that are being carried out.
func (s *supervisor) later(ev job.Event) {
	s.pending = append(s.pending, func() { s.stepJob(ev) })
}

// stepCheckpoint steps the coordinator, if there is one, and carries out what it says.
func (s *supervisor) stepCheckpoint(ev checkpoint.Event) {
	c := s.coordinator
	if c == nil {
		return
	}
	draining := c.Draining()
	for _, e := range c.Step(s.now(), ev) {
		if s.coordinator == c {
			s.doCheckpoint(e)
		}
	}
	if s.coordinator == c && !draining && c.Draining() {
		s.later(job.Draining{Generation: s.present.number})
	}
}

// async runs f on a goroutine of its own; what f returns is done on the supervisor's. The context ends with the
// generation, or with the controller if there is none, and after the timeout.
func (s *supervisor) async(parent context.Context, timeout time.Duration, f func(ctx context.Context) func()) {
	s.effects.Go(func() {
		ctx, cancel := context.WithTimeout(parent, timeout)
		defer cancel()
		if then := f(ctx); then != nil {
			s.post(then)
		}
	})
}

// persist stores the status. What cannot be stored now is stored later.
func (s *supervisor) persist() {
	now := s.machine.Status()
	if s.c.config.Changed != nil {
		s.c.config.Changed(s.jobID, now)
	}
	_, err := s.c.config.DB.UpdateJobStatus(s.ctx, s.jobID, func(stored *meta.JobStatus) error {
		if stored.RunID > now.Generation {
			return &fault.Error{Kind: fault.Transient, Code: fault.CodeStaleRun, Message: "another controller has gone on with this job"}
		}
		store(stored, now)
		return nil
	})
	switch {
	case fault.Is(err, fault.CodeStaleRun):
		s.fence(err)
		return
	case fault.Is(err, fault.CodeNotFound):
		err = nil // deleted meanwhile
	case err != nil && !s.dirty && s.ctx.Err() == nil:
		s.log.Warn().Err(err).Msg("the status of the job could not be stored; trying again")
	}
	s.dirty = err != nil
	s.mu.Lock()
	defer s.mu.Unlock()
	s.resting = time.Time{}
	if !s.dirty && now.State.Terminal() {
		s.resting = s.now()
	}
}

// over reports whether the job has been at rest for a while.
func (s *supervisor) over(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.resting.IsZero() && now.Sub(s.resting) >= lingering
}

func (s *supervisor) fence(err error) {
	s.fenced = true
	s.log.Error().Err(err).Msg("another controller runs this job")
	s.c.fence(err)
}

func statusOf(m meta.JobStatus) job.Status {
	s := job.Status{
		State: job.State(m.State), Generation: m.RunID, Restarts: m.Restarts, RestartNonce: int64(m.RestartNonce), Tasks: m.Tasks,
		Failure: FailureOf(m),
	}
	if m.StartTime != 0 {
		s.Started = time.UnixMicro(m.StartTime)
	}
	if m.FinishTime != 0 {
		s.Ended = time.UnixMicro(m.FinishTime)
	}
	return s
}

// FailureOf is the failure that a stored status tells of; nil for none.
func FailureOf(m meta.JobStatus) *fault.Error {
	var f wire.Failure
	if len(m.FailureDetails) > 0 && json.Unmarshal(m.FailureDetails, &f) == nil {
		return f.Fault()
	}
	if m.FailureMessage == "" {
		return nil
	}
	return &fault.Error{Message: m.FailureMessage}
}

func store(to *meta.JobStatus, s job.Status) {
	to.State, to.RunID, to.Restarts, to.RestartNonce, to.Tasks = string(s.State), s.Generation, s.Restarts, int(s.RestartNonce), s.Tasks
	to.StartTime, to.FinishTime = micros(s.Started), micros(s.Ended)
	to.FailureMessage, to.FailureDomain, to.FailureDetails = "", "", nil
	if s.Failure != nil {
		to.FailureMessage, to.FailureDomain = s.Failure.Error(), s.Failure.Kind.Domain()
		to.FailureDetails, _ = json.Marshal(wire.NewFailure(s.Failure))
	}
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

package controller

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/controller/schedule"
	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/storage/blob"
	"wadi/storage/meta"
)

// Planned is a planned SQL text.
type Planned struct {
	Program *graph.Program
	// Tables are the names of the saved connection tables in it.
	Tables []string
}

// Planner plans a SQL text. A text with faults has no program.
type Planner func(text string) (Planned, fault.List)

// Settings are the configuration of jobs. What is zero gets the defaults of the packages concerned.
type Settings struct {
	Job        job.Config
	Checkpoint checkpoint.Config
	// SourceBatchRows, SourceBatchLinger and QueueBytes go to the workers.
	SourceBatchRows   int
	SourceBatchLinger time.Duration
	QueueBytes        int64
	// HeartbeatInterval [5s] is how often workers renew their leases.
	HeartbeatInterval time.Duration
	// KeepCheckpoints [10] is how many of the newest checkpoints stay; CollectEvery [4] after how many the others go.
	KeepCheckpoints, CollectEvery int
	// PollInterval [500ms] is how often the database is asked what is wanted, for changes that nobody announced.
	PollInterval time.Duration
	// MetricsInterval [1s] is how often workers are asked for their counters.
	MetricsInterval time.Duration
	// Tick [50ms] is how often a job looks at the clock.
	Tick time.Duration
}

func (s Settings) withDefaults() Settings {
	for d, to := range map[*time.Duration]time.Duration{
		&s.HeartbeatInterval: 5 * time.Second, &s.PollInterval: 500 * time.Millisecond, &s.MetricsInterval: time.Second,
		&s.Tick: 50 * time.Millisecond, &s.Job.LeaseTTL: 30 * time.Second,
	} {
		if *d <= 0 {
			*d = to
		}
	}
	if s.KeepCheckpoints <= 0 {
		s.KeepCheckpoints = 10
	}
	if s.CollectEvery <= 0 {
		s.CollectEvery = 4
	}
	return s
}

// Config is what a controller needs.
type Config struct {
	DB *meta.DB
	// Bucket is the state directory: checkpoints of pipelines that have no state URL of their own.
	Bucket blob.Bucket
	// OpenBucket gives the bucket of a pipeline that has a state URL of its own; nil if there is none of that. It keeps
	// owning the buckets that it gives.
	OpenBucket func(ctx context.Context, url string) (blob.Bucket, error)
	Clock      clock.Clock
	Scheduler  schedule.Scheduler
	// Planner plans again what was stored by another release.
	Planner  Planner
	Log      zerolog.Logger
	Settings Settings
	// Completed, if set, hears of every complete checkpoint. It does not block.
	Completed func(jobID string, epoch uint64)
	// Changed, if set, hears of every change of a job's status, also of one that the database cannot store. It does not
	// block.
	Changed func(jobID string, now job.Status)
	// Only, if set, decides which jobs run here; the others are left alone.
	Only func(jobID string) bool
}

// Controller runs the jobs of one database. It implements wire.ControllerServiceHandler.
type Controller struct {
	config Config
	wake   chan struct{}
	fenced chan error

	mu   sync.Mutex
	jobs map[string]*supervisor
	wait sync.WaitGroup
}

// New makes a controller; Run runs it. The caller keeps owning everything in the Config.
func New(c Config) *Controller {
	c.Settings = c.Settings.withDefaults()
	if c.Clock == nil {
		c.Clock = clock.System{}
	}
	return &Controller{config: c, wake: make(chan struct{}, 1), fenced: make(chan error, 1), jobs: map[string]*supervisor{}}
}

// Wake makes the controller look at the database now: what is wanted has changed. It does not block.
func (c *Controller) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// lingering is how long a job that has come to rest stays in memory, with its output and metrics.
const lingering = 2 * time.Minute

// Run runs jobs until ctx ends, then stops all workers, without a checkpoint, and waits for them. It returns an error
// only when another controller has taken over a job: then nothing here may go on.
func (c *Controller) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer c.wait.Wait()
	defer cancel()
	c.wait.Go(func() { c.purgeLoop(ctx) })
	var failing bool
	for {
		err := c.reconcile(ctx)
		if err != nil && ctx.Err() == nil && !failing {
			c.config.Log.Warn().Err(err).Msg("the database does not say what is wanted; asking again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return nil
		case err := <-c.fenced:
			return err
		case <-c.wake:
		case <-c.config.Clock.After(c.config.Settings.PollInterval):
		}
	}
}

// reconcile gives every job what is wanted of it, and forgets jobs that are gone or have been at rest for a while.
func (c *Controller) reconcile(ctx context.Context) error {
	jobs, err := c.config.DB.ListJobs(ctx, "")
	if err != nil {
		return err
	}
	busy := make(map[string]bool, len(jobs))
	for _, j := range jobs {
		if c.config.Only != nil && !c.config.Only(j.Config.ID) {
			continue
		}
		busy[j.Config.ID] = !atRest(j)
		s := c.supervisor(j.Config.ID)
		if s == nil {
			if atRest(j) {
				continue
			}
			if s, err = c.adopt(ctx, j); err != nil {
				return err
			}
		}
		s.want(j.Config)
	}
	c.forget(busy)
	return nil
}

// atRest reports whether nothing is to be done for a job.
func atRest(j meta.Job) bool {
	switch job.State(j.Status.State) {
	case job.Finished:
		return true
	case job.Stopped:
		return j.Config.Stop != meta.StopNone || j.Config.TTLMicros > 0
	case job.Failed:
		return j.Config.Stop != meta.StopNone || j.Config.RestartNonce == j.Status.RestartNonce || j.Config.TTLMicros > 0
	}
	return false
}

func (c *Controller) supervisor(jobID string) *supervisor {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jobs[jobID]
}

// adopt starts the supervisor of a job.
func (c *Controller) adopt(ctx context.Context, j meta.Job) (*supervisor, error) {
	pj, err := c.config.DB.GetPipeline(ctx, j.Config.PipelineID)
	if err != nil {
		return nil, err
	}
	s := newSupervisor(c, pj.Pipeline, j)
	c.mu.Lock()
	c.jobs[j.Config.ID] = s
	c.mu.Unlock()
	c.wait.Go(func() { s.run(ctx) })
	return s, nil
}

// forget stops jobs that are not in the database any more, and drops the supervisors of those that have been at rest for
// a while.
func (c *Controller) forget(busy map[string]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.config.Clock.Now()
	for id, s := range c.jobs {
		if _, there := busy[id]; !there {
			s.post(s.remove)
		}
		if !busy[id] && s.over(now) {
			delete(c.jobs, id)
			s.end()
		}
	}
}

// fence ends the controller: another one has taken over.
func (c *Controller) fence(err error) {
	select {
	case c.fenced <- err:
	default:
	}
}

// purgeLoop cleans up now and then.
func (c *Controller) purgeLoop(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.config.Clock.After(purgeInterval):
			c.purge(ctx)
		}
	}
}

package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"wadi/controller"
	"wadi/controller/api"
	coordinator "wadi/controller/checkpoint"
	"wadi/controller/connection"
	jobs "wadi/controller/job"
	"wadi/controller/schedule/embedded"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/sql"
	"wadi/storage/blob"
	"wadi/storage/checkpoint"
	"wadi/storage/meta"
	"wadi/worker/server"
	"wadi/worker/wire"
)

// cluster is a controller, its API and its workers, all in this process.
type cluster struct {
	session    *session
	parts      registries
	opener     *blob.Opener
	place      *place
	gauge      *gauge
	controller *controller.Controller
	client     *client
	// heard gets errors of workers that do not stop the job.
	heard func(f *fault.Error, count int64)
	// backup asks for a copy of the database.
	backup func()

	server *http.Server
	cancel context.CancelFunc
	group  sync.WaitGroup
}

// start brings everything up. Errors after which nothing may go on end the process.
func (c *cluster) start(db *meta.DB) error {
	s := c.session
	listener, err := net.Listen("tcp", net.JoinHostPort(s.config.API.BindAddress, fmt.Sprint(s.config.API.RunHTTPPort)))
	if err != nil {
		return fault.Userf(fault.CodeIO, fault.Span{}, "the API cannot listen: %s", err).
			WithHint("choose another api.run-http-port, or 0 for a free one")
	}
	options := func(ctx context.Context) (sql.Options, error) {
		o := s.options(c.parts, "stdout")
		err := connection.Saved(ctx, db, &o)
		return o, err
	}
	planner := func(text string) (controller.Planned, fault.List) {
		o, err := options(context.Background())
		if err != nil {
			return controller.Planned{}, fault.List{fault.As(err)}
		}
		plan, faults := sql.Compile(text, o)
		if len(faults) > 0 {
			return controller.Planned{}, faults
		}
		if len(plan.Program.Nodes) == 0 {
			return controller.Planned{}, fault.List{fault.Userf(fault.CodeInvalid, plan.Explained[0].Span, "the SQL only explains, and does not contain a query that runs").
				WithHint("leave EXPLAIN out")}
		}
		return controller.Planned{Program: plan.Program, Tables: plan.Tables}, nil
	}
	c.controller = controller.New(controller.Config{
		DB: db, Bucket: c.place.bucket, OpenBucket: c.opener.Open, Clock: s.clock, Scheduler: embedded.New(c.worker), Planner: planner,
		Log: s.logs.For("controller"), Settings: s.settings(),
		Changed: func(jobID string, now jobs.Status) {
			if jobID == c.place.id.JobID {
				c.gauge.changed(now, s.clock.Now())
			}
		},
		Completed: func(jobID string, epoch uint64) {
			if jobID == c.place.id.JobID {
				c.gauge.completed(epoch, s.clock.Now())
			}
			c.backup()
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.group.Go(func() {
		if err := c.controller.Run(ctx); err != nil {
			s.interrupts.die(err)
		}
	})
	key := ""
	if s.config.API.AuthMode == "static-api-key" {
		key = s.config.API.APIKey
	}
	c.client = newClient(c.url(listener.Addr())+"/api/v1", key)
	c.server = &http.Server{Handler: c.handler(db, planner, options), ReadHeaderTimeout: 10 * time.Second}
	c.group.Go(func() {
		if err := c.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.interrupts.die(fault.Transientf(err, "the API stopped"))
		}
	})
	return nil
}

// handler is the REST API.
func (c *cluster) handler(db *meta.DB, planner controller.Planner, options func(context.Context) (sql.Options, error)) http.Handler {
	s := c.session
	return api.New(api.Config{
		DB: db, Controller: c.controller, Planner: planner, Options: options, Connectors: c.parts.connectors, Clock: s.clock, Log: s.logs.For("api"),
		Saved: func() { c.backup() }, APIKey: c.client.key, DefaultInterval: s.config.CheckpointInterval.Microseconds(), MaxParallelism: graph.MaxParallelism, StateURLs: true,
	})
}

// url is where the API is, for this process and for people.
func (c *cluster) url(a net.Addr) string {
	host, port, _ := net.SplitHostPort(a.String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// settings are the controller's, from the configuration.
func (s *session) settings() controller.Settings {
	p := s.config.Pipeline
	return controller.Settings{
		Job: jobs.Config{
			WorkerStartup: p.WorkerStartupTime, TaskStartup: p.TaskStartupTime, HeartbeatTimeout: p.WorkerHeartbeatTimeout,
			Healthy: p.HealthyDuration, AllowedRestarts: p.AllowedRestarts, InitialBackoff: p.StateInitialBackoff, MaxBackoff: p.StateMaxBackoff,
		},
		Checkpoint:      coordinator.Config{Interval: s.config.CheckpointInterval, Timeout: p.CheckpointTimeout},
		SourceBatchRows: p.SourceBatchSize, SourceBatchLinger: p.SourceBatchLinger, QueueBytes: int64(s.config.Worker.QueueBytes),
		KeepCheckpoints: p.CheckpointsToKeep,
	}
}

// worker makes a worker in this process, for the embedded scheduler.
func (c *cluster) worker(ctx context.Context, p embedded.Params) (embedded.Worker, error) {
	s := c.session
	w, err := server.Start(ctx, server.Config{
		Params: server.Params{
			WorkerID: p.WorkerID, MachineID: p.MachineID, PipelineID: p.PipelineID, JobID: p.JobID, Generation: p.Generation, Slots: p.Slots,
		},
		Controller: ears{c.controller, c}, Constructor: c.parts.constructor, Clock: s.clock, Log: s.logs.For("worker"),
		IO:         operator.IO{Stdin: s.Stdin, Stdout: s.rows()},
		NoChaining: !s.config.Pipeline.ChainingEnabled,
		OpenStore: func(ctx context.Context, url, pipelineID, jobID string) (*checkpoint.Store, error) {
			bucket := c.place.bucket
			if url != bucket.String() {
				var err error
				if bucket, err = c.opener.Open(ctx, url); err != nil {
					return nil, err
				}
			}
			return checkpoint.Open(bucket, pipelineID, jobID, checkpoint.WithClock(s.clock))
		},
	})
	if err != nil {
		return nil, err
	}
	if p.JobID != c.place.id.JobID {
		return w, nil
	}
	return c.gauge.attach(w), nil
}

// ears is the controller as workers see it, listened to: errors that do not stop the job are shown as they come.
type ears struct {
	*controller.Controller
	cluster *cluster
}

// NonfatalError implements wire.ControllerServiceHandler.
func (e ears) NonfatalError(ctx context.Context, r *wire.NonfatalErrorRequest) (*wire.NonfatalErrorResponse, error) {
	if f := r.Failure.Fault(); f != nil && r.Context.GetJobId() == e.cluster.place.id.JobID {
		e.cluster.heard(f, r.Count)
	}
	return e.Controller.NonfatalError(ctx, r)
}

// stop ends workers, controller and API and waits for them. A job that still runs goes on from its last checkpoint in
// the next run.
func (c *cluster) stop() {
	c.cancel()
	_ = c.server.Close()
	c.group.Wait()
}

// address is where the API is, for people.
func (c *cluster) address() string { return strings.TrimSuffix(c.client.base, "/api/v1") }

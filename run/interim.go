package run

import (
	"context"
	"net/http"

	"wadi/controller"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	graphwire "wadi/dataflow/graph/wire"
	"wadi/storage/meta"
)

type interim struct {
	c  *cluster
	db *meta.DB
}

func (c *cluster) handler(db *meta.DB, planner func(string) (*graph.Program, fault.List)) http.Handler {
	c.interim = &interim{c, db}
	return http.NotFoundHandler()
}

func (i *interim) create(ctx context.Context, id string, p pipelinePost) error {
	b, err := graphwire.Encode(i.c.gauge.program)
	if err != nil {
		return err
	}
	_, err = i.db.CreatePipeline(ctx, meta.NewPipeline{ID: id, JobID: p.JobID, Name: p.Name, Query: p.Query, Parallelism: p.Parallelism, Program: b})
	i.c.controller.Wake()
	return err
}

func (i *interim) patch(ctx context.Context, id string, p pipelinePatch) error {
	j, err := i.db.GetPipeline(ctx, id)
	if err != nil {
		return err
	}
	_, err = i.db.UpdateJobConfig(ctx, j.Job.Config.ID, func(c *meta.JobConfig) error {
		c.Stop = meta.StopMode(p.Stop)
		if p.Parallelism > 0 {
			c.ParallelismOverrides = map[string]int{"x": p.Parallelism}
		}
		return nil
	})
	i.c.controller.Wake()
	return err
}

func (i *interim) job(ctx context.Context, id string) (*apiJob, error) {
	p, err := i.db.GetPipeline(ctx, id)
	if err != nil {
		return nil, err
	}
	out := &apiJob{ID: p.Job.Config.ID, State: p.Job.Status.State, RunID: p.Job.Status.RunID}
	if f := controller.FailureOf(p.Job.Status); f != nil {
		out.fault = f
	}
	return out, nil
}

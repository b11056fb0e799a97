package controller

import (
	"context"
	"time"

	"wadi/controller/job"
	"wadi/dataflow/fault"
	manifest "wadi/storage/checkpoint"
	"wadi/storage/meta"
)

const (
	// purgeInterval is how often deleted pipelines are looked for.
	purgeInterval = time.Minute
	// previewAge is how long a preview that has ended stays.
	previewAge = time.Hour
)

// purge removes the state and then the rows of deleted pipelines, and deletes previews that have ended a while ago.
func (c *Controller) purge(ctx context.Context) {
	now := c.config.Clock.Now()
	jobs, err := c.config.DB.ListJobs(ctx, "")
	c.log(err, "previews were not listed")
	for _, j := range jobs {
		age := now.Sub(time.UnixMicro(j.Config.CreatedAt))
		if j.Config.TTLMicros > 0 && age >= previewAge && job.State(j.Status.State).Terminal() {
			c.log(c.config.DB.DeletePipeline(ctx, j.Config.PipelineID), "a preview was not deleted")
		}
	}
	deleted, err := c.config.DB.DeletedPipelines(ctx)
	c.log(err, "deleted pipelines were not listed")
	for _, pj := range deleted {
		// A job that is still in memory may still be writing.
		if c.supervisor(pj.Job.Config.ID) == nil {
			c.log(c.purgePipeline(ctx, pj), "a deleted pipeline was not removed")
		}
	}
}

func (c *Controller) purgePipeline(ctx context.Context, pj meta.PipelineJob) error {
	bucket := c.config.Bucket
	if url := pj.Pipeline.StateURL; url != "" {
		if c.config.OpenBucket == nil {
			return nil
		}
		var err error
		if bucket, err = c.config.OpenBucket(ctx, url); err != nil {
			return err
		}
	}
	store, err := manifest.Open(bucket, pj.Pipeline.ID, pj.Job.Config.ID)
	if err != nil {
		return err
	}
	if _, err := store.Remove(ctx); err != nil {
		return err
	}
	err = c.config.DB.PurgePipeline(ctx, pj.Pipeline.ID)
	if fault.Is(err, fault.CodeNotFound) {
		return nil
	}
	return err
}

func (c *Controller) log(err error, what string) {
	if err != nil && !fault.Is(err, fault.CodeCanceled) {
		c.config.Log.Warn().Err(err).Msg(what)
	}
}

package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"wadi/controller/job"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	graphwire "wadi/dataflow/graph/wire"
	"wadi/storage/backup"
	"wadi/storage/meta"
)

// openDatabase opens the database of a state directory: a local one in place, else a copy in a temporary folder, which
// the returned function removes. A copy that is damaged is left alone and a new one begun: nothing that matters is lost.
func (s *session) openDatabase(ctx context.Context, p *place) (*meta.DB, func(), error) {
	if path, ok := p.local(backup.Object); ok {
		db, err := meta.OpenClock(ctx, path, s.clock)
		return db, func() {}, err
	}
	dir, err := os.MkdirTemp("", "wadi-")
	if err != nil {
		return nil, nil, asUser(err, os.TempDir())
	}
	remove := func() { _ = os.RemoveAll(dir) }
	db, err := s.openCopy(ctx, p, filepath.Join(dir, backup.Object))
	if err != nil {
		remove()
		return nil, nil, err
	}
	return db, remove, nil
}

func (s *session) openCopy(ctx context.Context, p *place, path string) (*meta.DB, error) {
	_, err := backup.Download(ctx, p.bucket, path)
	if err == nil {
		var db *meta.DB
		if db, err = meta.OpenClock(ctx, path, s.clock); err == nil {
			return db, nil
		}
	}
	if !fault.Is(err, backup.CodeCorrupt) && !fault.Is(err, meta.CodeCorrupt) {
		return nil, err
	}
	s.log.Warn().Str("object", backup.Object).Msg("the copy of the database is damaged; beginning a new one (checkpoints are not in it)")
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, asUser(err, path)
	}
	return meta.OpenClock(ctx, path, s.clock)
}

// startBackup keeps a copy of the database in a remote state directory; nil for a local one.
func (s *session) startBackup(p *place, db *meta.DB) *backup.Backup {
	if _, ok := p.bucket.Local(); ok {
		return nil
	}
	log := s.logs.For("backup")
	return backup.Start(backup.Options{
		Bucket: p.bucket, Source: db, Clock: s.clock,
		OnError: func(err error) {
			log.Warn().Err(err).Msg("the database could not be copied to the state directory; trying again")
		},
	})
}

// align brings what the database remembers into line with this run, before a controller sees it. The truth about a job
// is its checkpoints, and nothing of it runs any more: it counts as stopped, with the program as planned now. Other jobs
// in the directory stay stopped. It reports whether the database knows the pipeline.
func align(ctx context.Context, db *meta.DB, id *identity, program *graph.Program, interval time.Duration) (known bool, err error) {
	jobs, err := db.ListJobs(ctx, "")
	if err != nil {
		return false, err
	}
	for _, j := range jobs {
		if j.Config.PipelineID == id.PipelineID && j.Config.ID == id.JobID {
			known = true
		}
		if err := rest(ctx, db, j.Config.ID); err != nil {
			return false, err
		}
	}
	if !known {
		return false, nil
	}
	encoded, err := graphwire.Encode(program)
	if err != nil {
		return false, err
	}
	_, err = db.UpdateJobConfig(ctx, id.JobID, func(c *meta.JobConfig) error {
		c.CheckpointIntervalMicros, c.ParallelismOverrides = interval.Microseconds(), nil
		return nil
	})
	if err != nil {
		return false, err
	}
	_, err = db.UpdatePipeline(ctx, id.PipelineID, func(p *meta.Pipeline) error {
		p.Program = encoded
		return nil
	})
	return true, err
}

// rest makes a job one that is stopped and stays so until somebody asks for it.
func rest(ctx context.Context, db *meta.DB, jobID string) error {
	_, err := db.UpdateJobConfig(ctx, jobID, func(c *meta.JobConfig) error {
		c.Stop = meta.StopCheckpoint
		return nil
	})
	if err != nil {
		return err
	}
	_, err = db.UpdateJobStatus(ctx, jobID, func(s *meta.JobStatus) error {
		s.State, s.RunID, s.Restarts, s.FinishTime = string(job.Stopped), 0, 0, 0
		s.FailureMessage, s.FailureDomain, s.FailureDetails = "", "", nil
		return nil
	})
	return err
}

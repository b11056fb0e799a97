package controller

import (
	"context"
	"errors"
	"time"

	"wadi/controller/checkpoint"
	"wadi/controller/job"
	"wadi/dataflow/fault"
	manifest "wadi/storage/checkpoint"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

// storeTimeout bounds one try to write to the bucket.
const storeTimeout = time.Minute

func (s *supervisor) startCheckpoints(tasks []checkpoint.Placed) {
	g := s.present
	start := checkpoint.Start{
		Generation: g.number, NextEpoch: g.nextEpoch, Tasks: tasks, ProgramHash: g.hash, Restored: g.restored, Replay: g.replay,
	}
	s.pending = append(s.pending, func() { s.stepCheckpoint(start) })
}

// doCheckpoint carries out an effect of the coordinator.
func (s *supervisor) doCheckpoint(e checkpoint.Effect) {
	g := s.present
	switch e := e.(type) {
	case checkpoint.Barrier:
		s.barrier(g, e)
	case checkpoint.Publish:
		s.story.publishing()
		s.settle(e.Manifest.Epoch, func(ctx context.Context) error { return g.store.Publish(ctx, g.number, e.Manifest) },
			func(err error, stale, final bool) checkpoint.Event {
				return checkpoint.Published{Epoch: e.Manifest.Epoch, Err: err, Stale: stale, Final: final}
			})
	case checkpoint.Commit:
		s.story.committing()
		s.commit(g, e)
	case checkpoint.Mark:
		s.settle(e.Epoch, func(ctx context.Context) error { return g.store.MarkCommitted(ctx, g.number, e.Epoch) },
			func(err error, stale, final bool) checkpoint.Event {
				return checkpoint.Marked{Epoch: e.Epoch, Err: err, Stale: stale, Final: final}
			})
	case checkpoint.Completed:
		s.completed(g, e)
	case checkpoint.Aborted:
		s.story.abort(e.Reason)
		s.warn(fault.Transientf(nil, "checkpoint %d was given up: %s", e.Epoch, e.Reason))
	case checkpoint.Failed:
		s.story.abort(e.Err.Error())
		s.later(job.CheckpointFailed{Generation: g.number, Err: e.Err, Stale: e.Stale})
	case checkpoint.Ignored:
		s.log.Debug().Str("reason", e.Reason).Msg("message ignored")
	}
}

// warn tells the job's owner about something that does not stop it.
func (s *supervisor) warn(err error) {
	f := fault.As(err)
	s.log.Warn().Err(f).Str("hint", f.Hint).Msg("job")
	s.record(meta.LogWarn, f.Operator, nil, f)
}

func (s *supervisor) barrier(g *generation, e checkpoint.Barrier) {
	s.story.begin(e)
	now := s.now().UnixMicro()
	s.each(g, func(ctx context.Context, id uint64, w wire.WorkerServiceHandler) error {
		_, err := w.Checkpoint(ctx, &wire.CheckpointRequest{
			Context: s.context(g, id), Epoch: e.Epoch, TimestampMicros: now, ThenStop: e.ThenStop, Final: e.Final,
		})
		return err
	}, s.runFailed(g))
}

// runFailed tells the state machine about a failed call of this generation.
func (s *supervisor) runFailed(g *generation) func(error) {
	return func(err error) {
		if err != nil && s.present == g {
			s.stepJob(job.CheckpointFailed{Generation: g.number, Err: err})
		}
	}
}

// settle writes to the bucket and tells the coordinator what came of it.
func (s *supervisor) settle(epoch uint64, write func(context.Context) error, event func(err error, stale, final bool) checkpoint.Event) {
	c := s.coordinator
	s.async(s.present.ctx, storeTimeout, func(ctx context.Context) func() {
		err := write(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			err = fault.Transientf(err, "checkpoint %d could not be written within %v", epoch, storeTimeout)
		}
		return func() {
			if s.coordinator != c {
				return
			}
			stale := fault.Is(err, fault.CodeStaleRun)
			final := err != nil && fault.As(err).Kind != fault.Transient
			if err != nil {
				s.log.Warn().Err(err).Uint64("epoch", epoch).Msg("checkpoint not written")
			}
			s.stepCheckpoint(event(err, stale, final))
		}
	})
}

func (s *supervisor) commit(g *generation, e checkpoint.Commit) {
	byWorker := map[uint64][]*wire.TaskCommit{}
	for _, t := range e.Tasks {
		byWorker[t.Worker] = append(byWorker[t.Worker], &wire.TaskCommit{OperatorId: t.Operator, Subtask: uint32(t.Index), Data: t.Data})
	}
	s.each(g, func(ctx context.Context, id uint64, w wire.WorkerServiceHandler) error {
		if len(byWorker[id]) == 0 {
			return nil
		}
		_, err := w.Commit(ctx, &wire.CommitRequest{Context: s.context(g, id), Epoch: e.Epoch, Tasks: byWorker[id]})
		return err
	}, s.runFailed(g))
}

func (s *supervisor) completed(g *generation, e checkpoint.Completed) {
	if e.Replayed {
		s.log.Info().Uint64("epoch", e.Epoch).Msg("the commits of the last run are complete")
		return
	}
	s.story.completed(s.coordinator.Last())
	s.log.Info().Uint64("epoch", e.Epoch).Dur("took", e.Took).Bool("final", e.Final).Msg("checkpoint complete")
	if s.c.config.Completed != nil {
		s.c.config.Completed(s.jobID, e.Epoch)
	}
	if e.ThenStop {
		s.later(job.LastCheckpoint{Generation: g.number, Final: e.Final})
	}
	if e.Epoch%uint64(s.c.config.Settings.CollectEvery) == 0 {
		s.collect(g)
	}
}

// collect removes what old checkpoints have left, one pass at a time.
func (s *supervisor) collect(g *generation) {
	if s.collecting {
		return
	}
	s.collecting = true
	s.async(g.ctx, 10*time.Minute, func(ctx context.Context) func() {
		done, err := g.store.Collect(ctx, g.number, s.c.config.Settings.KeepCheckpoints)
		return func() {
			s.collecting = false
			if err != nil && ctx.Err() == nil {
				s.log.Warn().Err(err).Msg("old checkpoints were not removed")
				return
			}
			s.log.Debug().Int("objects", done.Objects).Int64("bytes", done.Bytes).Msg("old checkpoints removed")
		}
	})
}

// snapshotOf reads what a task reports of an epoch.
func snapshotOf(r *wire.TaskCheckpointCompletedRequest) (checkpoint.Snapshot, error) {
	s := checkpoint.Snapshot{
		Watermark: r.Watermark, StartMicros: r.StartMicros, FinishMicros: r.FinishMicros, Bytes: r.Bytes, Commit: r.CommitData, NeedsCommit: r.NeedsCommit,
	}
	for _, t := range r.Tables {
		table := checkpoint.Table{Name: t.Name, Base: t.Base, ExpireBelow: t.ExpireBelow}
		switch t.Kind {
		case wire.TableKind_TABLE_KIND_GLOBAL:
			table.Kind, table.Base = manifest.Global, false
		case wire.TableKind_TABLE_KIND_KEYED:
			table.Kind = manifest.Keyed
		default:
			return s, fault.Internalf("table %s has no kind", t.Name)
		}
		for _, f := range t.Files {
			table.Files = append(table.Files, manifest.File{
				Ref: f.Ref, Subtask: int(r.Subtask), Rows: f.Rows, Bytes: f.Bytes, MinHash: f.MinHash, MaxHash: f.MaxHash,
				MinTimeNanos: f.MinTime, MaxTimeNanos: f.MaxTime, Epoch: r.Epoch, CRC32C: f.Crc32C,
			})
		}
		s.Tables = append(s.Tables, table)
	}
	return s, nil
}

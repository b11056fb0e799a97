package server

import (
	"context"

	"wadi/dataflow/column"
	"wadi/dataflow/connector/preview"
	"wadi/storage/checkpoint"
	"wadi/worker/engine"
	"wadi/worker/wire"
)

// listener turns the engine's events into calls to the controller.
type listener struct {
	s *Server
}

func (l *listener) event(t engine.Subtask, epoch uint64, kind wire.CheckpointEventType) {
	l.s.tell(func(ctx context.Context) error {
		_, err := l.s.config.Controller.TaskCheckpointEvent(ctx, &wire.TaskCheckpointEventRequest{
			Context: l.s.context(), TimeMicros: l.s.now(), OperatorId: t.Operator, Subtask: uint32(t.Index), Epoch: epoch, Event: kind,
		})
		return err
	})
}

func (l *listener) TaskStarted(t engine.Subtask) {
	l.s.tell(func(ctx context.Context) error {
		_, err := l.s.config.Controller.TaskStarted(ctx, &wire.TaskStartedRequest{
			Context: l.s.context(), TimeMicros: l.s.now(), OperatorIds: []string{t.Operator}, Subtask: uint32(t.Index),
		})
		return err
	})
}

func (l *listener) CheckpointStarted(t engine.Subtask, epoch uint64) {
	l.event(t, epoch, wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_STARTED_ALIGNMENT)
}

func (l *listener) CheckpointSynced(t engine.Subtask, epoch uint64) {
	l.event(t, epoch, wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_FINISHED_SYNC)
}

func (l *listener) CommitFinished(t engine.Subtask, epoch uint64) {
	l.event(t, epoch, wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_FINISHED_COMMIT)
}

func (l *listener) CheckpointCompleted(s engine.Snapshot) {
	l.s.tell(func(ctx context.Context) error {
		_, err := l.s.config.Controller.TaskCheckpointCompleted(ctx, &wire.TaskCheckpointCompletedRequest{
			Context: l.s.context(), TimeMicros: l.s.now(), OperatorId: s.Subtask.Operator, Subtask: uint32(s.Subtask.Index), Epoch: s.Epoch,
			StartMicros: s.StartMicros, FinishMicros: s.FinishMicros, Watermark: s.Watermark, Bytes: s.Bytes,
			Tables: stateTables(s.Tables), CommitData: s.Commit, NeedsCommit: len(s.Commit) > 0,
		})
		return err
	})
}

func (l *listener) TaskDrained(t engine.Subtask) {
	l.s.tell(func(ctx context.Context) error {
		_, err := l.s.config.Controller.TaskDrained(ctx, &wire.TaskDrainedRequest{
			Context: l.s.context(), TimeMicros: l.s.now(), OperatorIds: []string{t.Operator}, Subtask: uint32(t.Index),
		})
		return err
	})
}

func (l *listener) TaskFinished(t engine.Subtask) {
	l.s.tell(func(ctx context.Context) error {
		_, err := l.s.config.Controller.TaskFinished(ctx, &wire.TaskFinishedRequest{
			Context: l.s.context(), TimeMicros: l.s.now(), OperatorIds: []string{t.Operator}, Subtask: uint32(t.Index),
		})
		return err
	})
}

func (l *listener) TaskFailed(t engine.Subtask, failure error) {
	l.s.tell(func(ctx context.Context) error {
		_, err := l.s.config.Controller.TaskFailed(ctx, &wire.TaskFailedRequest{
			Context: l.s.context(), TimeMicros: l.s.now(), OperatorId: t.Operator, Subtask: uint32(t.Index), Failure: wire.NewFailure(failure),
		})
		return err
	})
}

func (l *listener) Nonfatal(t engine.Subtask, failure error) { l.s.nonfatal.add(t, failure) }

// previews sends the rows of preview sinks to the controller.
type previews struct{ s *Server }

// Preview implements preview.Receiver.
func (p previews) Preview(o preview.Output) error {
	p.s.tell(func(ctx context.Context) error {
		_, err := p.s.config.Controller.SendSinkData(ctx, &wire.SendSinkDataRequest{
			Context: p.s.context(), OperatorId: o.OperatorID, Subtask: uint32(o.Subtask), StartId: uint64(o.StartID),
			TimestampsMicros: o.Timestamps, Batch: o.Batch, Done: o.Done,
		})
		return err
	})
	return nil
}

func stateTables(tables []engine.Table) []*wire.StateTable {
	var out []*wire.StateTable
	for _, t := range tables {
		w := &wire.StateTable{Name: t.Name, Kind: wire.TableKind_TABLE_KIND_KEYED, Base: t.Base || t.Global, ExpireBelow: t.ExpireBelow}
		if t.Global {
			w.Kind = wire.TableKind_TABLE_KIND_GLOBAL
		}
		for _, f := range t.Files {
			w.Files = append(w.Files, &wire.StateFile{
				Ref: f.Ref, Bytes: f.Bytes, Rows: f.Rows, MinHash: f.Keys.First, MaxHash: f.Keys.Last, MinTime: f.MinTime, MaxTime: f.MaxTime,
				Crc32C: f.CRC32C, Epoch: f.Epoch, Subtask: uint32(f.Subtask),
			})
		}
		out = append(out, w)
	}
	return out
}

// files is the job's checkpoint store as the engine sees it.
type files struct {
	store      *checkpoint.Store
	generation uint64
}

// Write implements engine.Store.
func (f *files) Write(ctx context.Context, n engine.FileName, data []byte) (string, uint32, error) {
	out, err := f.store.WriteFile(ctx, checkpoint.FileName{
		Generation: f.generation, Epoch: n.Epoch, Operator: n.Operator, Table: n.Table, Subtask: n.Subtask,
	}, data)
	return out.Ref, out.CRC32C, err
}

// Read implements engine.Store.
func (f *files) Read(ctx context.Context, e engine.File) ([]byte, error) {
	return f.store.ReadFile(ctx, checkpoint.File{Ref: e.Ref, Subtask: e.Subtask, Bytes: e.Bytes, Epoch: e.Epoch, CRC32C: e.CRC32C})
}

// restore gives the engine's view of the manifest to start from; nil for a fresh start.
func (s *Server) restore(r *wire.StartExecutionRequest, store *checkpoint.Store) (func(string) *engine.OperatorState, error) {
	if r.RestoreManifest == "" {
		return nil, nil
	}
	m, err := store.Manifest(s.ctx, r.RestoreGeneration, r.RestoreEpoch)
	if err != nil {
		return nil, err
	}
	states := map[string]*engine.OperatorState{}
	for i := range m.Operators {
		states[m.Operators[i].ID] = operatorState(&m.Operators[i])
	}
	return func(id string) *engine.OperatorState { return states[id] }, nil
}

// operatorState translates a manifest's entry; the watermark is the least, and none if a subtask had none.
func operatorState(o *checkpoint.Operator) *engine.OperatorState {
	s := &engine.OperatorState{}
	for k, t := range o.Subtasks {
		if t.WatermarkNanos == nil {
			s.Watermark = nil
			break
		}
		if k == 0 || *t.WatermarkNanos < *s.Watermark {
			s.Watermark = t.WatermarkNanos
		}
	}
	for _, t := range o.Tables {
		table := engine.Table{Name: t.Name, Global: t.Kind == checkpoint.Global}
		for _, f := range t.Files {
			table.Files = append(table.Files, engine.File{
				Ref: f.Ref, Epoch: f.Epoch, Subtask: f.Subtask, Base: f.Base, Keys: column.KeyRange{First: f.MinHash, Last: f.MaxHash},
				MinTime: f.MinTimeNanos, MaxTime: f.MaxTimeNanos, Rows: f.Rows, Bytes: f.Bytes, CRC32C: f.CRC32C,
			})
		}
		s.Tables = append(s.Tables, table)
	}
	return s
}

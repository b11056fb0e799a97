package controller

import (
	"encoding/json"
	"slices"

	"wadi/controller/checkpoint"
	manifest "wadi/storage/checkpoint"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

// EventSpan is a stretch of time in a checkpoint's life, in microseconds; FinishTime is 0 while it lasts.
type EventSpan struct {
	StartTime   int64  `json:"start_time"`
	FinishTime  int64  `json:"finish_time"`
	Event       string `json:"event"`
	Description string `json:"description"`
}

// OperatorGroup is one operator's part in a checkpoint.
type OperatorGroup struct {
	OperatorID           string         `json:"operator_id"`
	Bytes                int64          `json:"bytes"`
	StartedMetadataWrite *int64         `json:"started_metadata_write"`
	FinishTime           *int64         `json:"finish_time"`
	Subtasks             []SubtaskGroup `json:"subtasks"`
}

// SubtaskGroup is one subtask's part in a checkpoint.
type SubtaskGroup struct {
	Index      int         `json:"index"`
	Bytes      int64       `json:"bytes"`
	EventSpans []EventSpan `json:"event_spans"`
}

// story keeps the projection of checkpoints in the database: it tells, for people, what the coordinator and the tasks
// did. Losing a part of it loses nothing else.
type story struct {
	s    *supervisor
	g    *generation
	open bool
	row  meta.Checkpoint
	all  *EventSpan // the whole epoch
	last *EventSpan // the present phase
	// parts are the finished phases, tasks what subtasks told.
	parts   []*EventSpan
	tasks   map[checkpoint.Task]*taskStory
	written int64 // when the manifest was begun
}

type taskStory struct {
	alignment, sync, async, committing EventSpan
	bytes                              int64
}

func newStory(s *supervisor, g *generation) *story { return &story{s: s, g: g} }

func (y *story) now() int64 { return y.s.now().UnixMicro() }

// restored tells about the checkpoint that the run starts from, if the database does not know it, and ends the stories of
// runs before.
func (y *story) restored() {
	db := y.s.c.config.DB
	if err := db.FailCheckpoints(y.s.ctx, y.s.jobID, y.g.number); err != nil {
		y.trouble(err)
	}
	m := y.g.restored
	if m == nil {
		return
	}
	if known, err := db.GetCheckpoint(y.s.ctx, y.s.jobID, m.Epoch); err == nil && known.Generation == m.Generation && known.State == meta.CheckpointReady {
		return
	}
	_, err := db.InsertCheckpoint(y.s.ctx, meta.Checkpoint{
		JobID: y.s.jobID, Epoch: m.Epoch, Generation: m.Generation, State: meta.CheckpointReady, StartTime: m.CreatedAtMicros,
		FinishTime: m.CreatedAtMicros, Bytes: m.Bytes(), Stopping: m.Stopping, Operators: marshal(groupsOf(m)),
	})
	y.trouble(err)
}

// groupsOf tells what a manifest knows of its operators.
func groupsOf(m *manifest.Manifest) []OperatorGroup {
	out := []OperatorGroup{}
	for _, op := range m.Operators {
		g := OperatorGroup{OperatorID: op.ID, FinishTime: &m.CreatedAtMicros, Subtasks: []SubtaskGroup{}}
		for _, t := range op.Subtasks {
			g.Bytes += t.Bytes
			g.Subtasks = append(g.Subtasks, SubtaskGroup{Index: t.Index, Bytes: t.Bytes, EventSpans: []EventSpan{{t.StartMicros, t.FinishMicros, "Async", ""}}})
		}
		out = append(out, g)
	}
	return out
}

func (y *story) trouble(err error) {
	if err != nil && y.s.ctx.Err() == nil {
		y.s.log.Warn().Err(err).Msg("a checkpoint was not noted in the database")
	}
}

func (y *story) begin(e checkpoint.Barrier) {
	now := y.now()
	y.open, y.parts, y.tasks, y.written = true, nil, map[checkpoint.Task]*taskStory{}, 0
	y.row = meta.Checkpoint{JobID: y.s.jobID, Epoch: e.Epoch, Generation: y.g.number, State: meta.CheckpointInProgress, StartTime: now, Stopping: e.ThenStop}
	y.all = y.phase(now, "Checkpointing", "The entire checkpointing process")
	y.last = y.phase(now, "CheckpointingOperators", "The time spent checkpointing operator states")
	var err error
	y.row.ID, err = y.s.c.config.DB.InsertCheckpoint(y.s.ctx, y.row)
	y.trouble(err)
}

// phase ends the present phase and begins another.
func (y *story) phase(now int64, name, description string) *EventSpan {
	if y.last != nil && y.last.FinishTime == 0 {
		y.last.FinishTime = now
	}
	p := &EventSpan{StartTime: now, Event: name, Description: description}
	y.parts = append(y.parts, p)
	return p
}

func (y *story) publishing() {
	if y.open && y.written == 0 {
		y.written = y.now()
		y.last = y.phase(y.written, "WritingMetadata", "Writing the manifest")
	}
}

func (y *story) committing() {
	if y.open {
		y.last = y.phase(y.now(), "Committing", "Committing the two-phase sinks")
		y.update(meta.CheckpointCommitting)
	}
}

func (y *story) completed(m *manifest.Manifest) {
	if y.open {
		y.finish(meta.CheckpointReady)
	}
}

// abort ends the story of an epoch that is not complete. A durable one whose commits are open stays "committing".
func (y *story) abort(string) {
	if y.open && y.row.State == meta.CheckpointInProgress {
		y.finish(meta.CheckpointFailed)
	}
	y.open = false
}

func (y *story) finish(state meta.CheckpointState) {
	now := y.now()
	y.row.FinishTime, y.all.FinishTime, y.last.FinishTime = now, now, now
	y.update(state)
	y.open = false
}

func (y *story) update(state meta.CheckpointState) {
	y.row.State = state
	y.row.Events = marshal(y.parts)
	groups := y.groups()
	y.row.Operators, y.row.Bytes = marshal(groups), 0
	for _, g := range groups {
		y.row.Bytes += g.Bytes
	}
	if y.row.ID != "" {
		y.trouble(y.s.c.config.DB.UpdateCheckpoint(y.s.ctx, y.row))
	}
}

func (y *story) groups() []OperatorGroup {
	out := []OperatorGroup{}
	for _, t := range y.g.tasks {
		if len(out) == 0 || out[len(out)-1].OperatorID != t.Operator {
			g := OperatorGroup{OperatorID: t.Operator, Subtasks: []SubtaskGroup{}}
			if y.written != 0 {
				g.StartedMetadataWrite, g.FinishTime = &y.written, &y.written
			}
			out = append(out, g)
		}
		told := y.tasks[t.Task]
		if told == nil {
			continue
		}
		g := &out[len(out)-1]
		spans := slices.DeleteFunc([]EventSpan{told.alignment, told.sync, told.async, told.committing}, func(e EventSpan) bool { return e.StartTime == 0 })
		g.Subtasks = append(g.Subtasks, SubtaskGroup{Index: t.Index, Bytes: told.bytes, EventSpans: spans})
		g.Bytes += told.bytes
	}
	return out
}

func (y *story) task(t checkpoint.Task, epoch uint64) *taskStory {
	if !y.open || y.row.Epoch != epoch {
		return nil
	}
	told := y.tasks[t]
	if told == nil {
		told = &taskStory{}
		y.tasks[t] = told
	}
	return told
}

// event hears what a task tells on its way through an epoch.
func (y *story) event(t checkpoint.Task, r *wire.TaskCheckpointEventRequest) {
	told := y.task(t, r.Epoch)
	if told == nil {
		return
	}
	switch r.Event {
	case wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_STARTED_ALIGNMENT:
		told.alignment = EventSpan{StartTime: r.TimeMicros, Event: "Alignment", Description: "Waiting for the barrier on all inputs"}
	case wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_STARTED_CHECKPOINTING:
		told.alignment.FinishTime = r.TimeMicros
		told.sync = EventSpan{StartTime: r.TimeMicros, Event: "Sync", Description: "Taking the state"}
	case wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_FINISHED_SYNC:
		if told.alignment.FinishTime == 0 {
			told.alignment.FinishTime = r.TimeMicros
		}
		told.sync.FinishTime = r.TimeMicros
		told.async = EventSpan{StartTime: r.TimeMicros, Event: "Async", Description: "Writing the state"}
	case wire.CheckpointEventType_CHECKPOINT_EVENT_TYPE_FINISHED_COMMIT:
		told.committing = EventSpan{StartTime: y.last.StartTime, FinishTime: r.TimeMicros, Event: "Committing", Description: "Committing"}
	}
}

// ack hears that a task has written its state.
func (y *story) ack(t checkpoint.Task, r *wire.TaskCheckpointCompletedRequest) {
	told := y.task(t, r.Epoch)
	if told == nil {
		return
	}
	told.bytes = r.Bytes
	if told.async.StartTime == 0 {
		told.async = EventSpan{StartTime: r.StartMicros, Event: "Async", Description: "Writing the state"}
	}
	told.async.FinishTime = r.FinishMicros
	if told.sync.StartTime == 0 && told.sync.FinishTime != 0 {
		told.sync.StartTime, told.sync.Event, told.sync.Description = min(r.StartMicros, told.sync.FinishTime), "Sync", "Taking the state"
	}
}

func marshal(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // plain structs
	}
	return b
}

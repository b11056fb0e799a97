package api

import (
	"encoding/json"

	"wadi/controller"
	"wadi/controller/job"
	"wadi/dataflow/fault"
	"wadi/sql/picture"
	"wadi/storage/meta"
)

// The shapes of the API. Pointers and nil slices are null in JSON.

type list[T any] struct {
	Data []T `json:"data"`
}

type paginated[T any] struct {
	Data    []T  `json:"data"`
	HasMore bool `json:"hasMore"`
}

type udf struct {
	Definition string `json:"definition"`
	Language   string `json:"language,omitempty"`
}

type queryPost struct {
	Query string `json:"query"`
	UDFs  []udf  `json:"udfs"`
}

type previewPost struct {
	queryPost
	EnableSinks bool `json:"enable_sinks"`
}

type pipelinePost struct {
	Name                     string            `json:"name"`
	Query                    string            `json:"query"`
	Parallelism              *int64            `json:"parallelism"`
	UDFs                     []udf             `json:"udfs"`
	CheckpointIntervalMicros *int64            `json:"checkpoint_interval_micros"`
	StateURL                 *string           `json:"state_url"`
	Tags                     map[string]string `json:"tags"`
	EnvVars                  map[string]string `json:"env_vars"`
	SchedulerConfig          json.RawMessage   `json:"scheduler_config"`
	// JobID is ours: the id of the job, for who resumes a state directory.
	JobID string `json:"job_id,omitempty"`
}

type pipelinePatch struct {
	Parallelism              *int64            `json:"parallelism"`
	CheckpointIntervalMicros *int64            `json:"checkpoint_interval_micros"`
	Stop                     *string           `json:"stop"`
	EnvVars                  map[string]string `json:"env_vars"`
	SchedulerConfig          json.RawMessage   `json:"scheduler_config"`
}

type restartPost struct {
	Force       bool `json:"force"`
	IgnoreState bool `json:"ignore_state"`
}

type pipelineShape struct {
	ID                       string            `json:"id"`
	Name                     string            `json:"name"`
	Query                    string            `json:"query"`
	UDFs                     []udf             `json:"udfs"`
	CheckpointIntervalMicros int64             `json:"checkpoint_interval_micros"`
	Stop                     string            `json:"stop"`
	CreatedAt                int64             `json:"created_at"`
	Action                   *string           `json:"action"`
	ActionText               string            `json:"action_text"`
	ActionInProgress         bool              `json:"action_in_progress"`
	Graph                    picture.Graph     `json:"graph"`
	Preview                  bool              `json:"preview"`
	StateURL                 *string           `json:"state_url"`
	Tags                     map[string]string `json:"tags"`
	// Parallelism and State are ours.
	Parallelism int    `json:"parallelism"`
	State       string `json:"state"`
}

type failureShape struct {
	Error  string `json:"error"`
	Domain string `json:"domain"`
	// The rest is ours.
	Code      string `json:"code,omitempty"`
	Hint      string `json:"hint,omitempty"`
	SpanStart int    `json:"span_start,omitempty"`
	SpanEnd   int    `json:"span_end,omitempty"`
	Operator  string `json:"operator,omitempty"`
}

type jobShape struct {
	ID              string            `json:"id"`
	PipelineID      string            `json:"pipeline_id"`
	RunningDesired  bool              `json:"running_desired"`
	State           string            `json:"state"`
	RunID           uint64            `json:"run_id"`
	StartTime       *int64            `json:"start_time"`
	FinishTime      *int64            `json:"finish_time"`
	Tasks           *int              `json:"tasks"`
	FailureReason   *failureShape     `json:"failure_reason"`
	CreatedAt       int64             `json:"created_at"`
	SchedulerConfig json.RawMessage   `json:"scheduler_config"`
	EnvVars         map[string]string `json:"env_vars"`
	// Restarts is ours: recoveries since the job was last healthy.
	Restarts int `json:"restarts"`
}

type logShape struct {
	ID          string  `json:"id"`
	CreatedAt   int64   `json:"created_at"`
	OperatorID  *string `json:"operator_id"`
	TaskIndex   *int    `json:"task_index"`
	Level       string  `json:"level"`
	Message     string  `json:"message"`
	Details     string  `json:"details"`
	ErrorDomain *string `json:"error_domain"`
}

type checkpointShape struct {
	Epoch          uint64                 `json:"epoch"`
	Backend        string                 `json:"backend"`
	CheckpointType string                 `json:"checkpoint_type"`
	StartTime      int64                  `json:"start_time"`
	FinishTime     *int64                 `json:"finish_time"`
	Events         []controller.EventSpan `json:"events"`
	// State, Generation and Bytes are ours.
	State      string `json:"state"`
	Generation uint64 `json:"generation"`
	Bytes      int64  `json:"bytes"`
}

type position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

type spanShape struct {
	Start position `json:"start"`
	End   position `json:"end"`
}

type diagnostic struct {
	Message string     `json:"message"`
	Span    *spanShape `json:"span,omitempty"`
	// Code and Hint are ours.
	Code string `json:"code,omitempty"`
	Hint string `json:"hint,omitempty"`
}

type validation struct {
	Graph  *picture.Graph `json:"graph"`
	Errors []diagnostic   `json:"errors"`
}

func diagnosticOf(text string, f *fault.Error) diagnostic {
	d := diagnostic{Message: f.Error(), Code: string(f.Code), Hint: f.Hint}
	if !f.Span.IsZero() {
		start, end := fault.Locate(text, f.Span.Start), fault.Locate(text, f.Span.End)
		d.Span = &spanShape{position{start.Line, start.Column}, position{end.Line, end.Column}}
	}
	return d
}

func optional[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

func orEmpty(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

func jobOf(j meta.Job) jobShape {
	out := jobShape{
		ID: j.Config.ID, PipelineID: j.Config.PipelineID, RunningDesired: j.Config.Stop == meta.StopNone, State: j.Status.State,
		RunID: j.Status.RunID, StartTime: optional(j.Status.StartTime), FinishTime: optional(j.Status.FinishTime),
		Tasks: optional(j.Status.Tasks), CreatedAt: j.Config.CreatedAt, SchedulerConfig: j.Config.SchedulerConfig,
		EnvVars: orEmpty(j.Config.EnvVars), Restarts: j.Status.Restarts,
	}
	if out.SchedulerConfig == nil {
		out.SchedulerConfig = json.RawMessage("null")
	}
	state := job.State(j.Status.State)
	if f := controller.FailureOf(j.Status); f != nil && (state == job.Failed || state == job.Failing) {
		out.FailureReason = &failureShape{
			Error: f.Error(), Domain: j.Status.FailureDomain, Code: string(f.Code), Hint: f.Hint, SpanStart: f.Span.Start, SpanEnd: f.Span.End,
			Operator: f.Operator,
		}
	}
	return out
}

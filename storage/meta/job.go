package meta

import (
	"context"
	"database/sql"
	"encoding/json"
)

// StopMode is how a job is wanted to stop.
type StopMode string

// The stop modes.
const (
	StopNone       StopMode = "none"
	StopCheckpoint StopMode = "checkpoint"
	StopGraceful   StopMode = "graceful"
	StopImmediate  StopMode = "immediate"
	StopForce      StopMode = "force"
)

// RestartMode is how a job is restarted when its nonce changes.
type RestartMode string

// The restart modes.
const (
	RestartSafe  RestartMode = "safe"
	RestartForce RestartMode = "force"
)

// StateCreated is the state of a job that no controller has seen; the others are the controller's.
const StateCreated = "Created"

// Job is a run of a pipeline: what is wanted of it, and what it is.
type Job struct {
	Config JobConfig
	Status JobStatus
}

// JobConfig is what is wanted of a job. The API writes it.
type JobConfig struct {
	ID, PipelineID           string
	Stop                     StopMode
	CheckpointIntervalMicros int64
	// RestartNonce counts the restarts that were asked for.
	RestartNonce int
	RestartMode  RestartMode
	// ParallelismOverrides is by node id.
	ParallelismOverrides map[string]int
	// TTLMicros is zero unless the job is a preview.
	TTLMicros int64
	EnvVars   map[string]string
	// SchedulerConfig is JSON, nil for none.
	SchedulerConfig      json.RawMessage
	CreatedAt, UpdatedAt Micros
}

// JobStatus is what has become of a job. The controller writes it.
type JobStatus struct {
	ID, State string
	// RunID is the generation, 0 before the first.
	RunID uint64
	// StartTime and FinishTime are zero when they have not happened.
	StartTime, FinishTime Micros
	Tasks, Restarts       int
	// RestartNonce is the last one of the configuration that was acted on.
	RestartNonce                  int
	FailureMessage, FailureDomain string
	// FailureDetails is JSON about the failure, nil for none.
	FailureDetails json.RawMessage
	UpdatedAt      Micros
}

const configColumns = "c.id, c.pipeline_id, c.stop, c.checkpoint_interval_micros, c.restart_nonce, c.restart_mode, c.parallelism_overrides, coalesce(c.ttl_micros, 0), c.env_vars, c.scheduler_config, c.created_at, c.updated_at"

const statusColumns = "s.id, s.state, s.run_id, coalesce(s.start_time, 0), coalesce(s.finish_time, 0), coalesce(s.tasks, 0), s.restarts, s.restart_nonce, coalesce(s.failure_message, ''), coalesce(s.failure_domain, ''), s.failure_details, s.updated_at"

const jobColumns = configColumns + ", " + statusColumns

func (c *JobConfig) targets() []any {
	return []any{&c.ID, &c.PipelineID, &c.Stop, &c.CheckpointIntervalMicros, &c.RestartNonce, &c.RestartMode, jsonText{&c.ParallelismOverrides}, &c.TTLMicros, jsonText{&c.EnvVars}, rawText{&c.SchedulerConfig}, &c.CreatedAt, &c.UpdatedAt}
}

func (s *JobStatus) targets() []any {
	return []any{&s.ID, &s.State, &s.RunID, &s.StartTime, &s.FinishTime, &s.Tasks, &s.Restarts, &s.RestartNonce, &s.FailureMessage, &s.FailureDomain, rawText{&s.FailureDetails}, &s.UpdatedAt}
}

func (j *Job) targets() []any { return append(j.Config.targets(), j.Status.targets()...) }

func scanJob(row scanner) (j Job, err error) { return j, row.Scan(j.targets()...) }

const ofJob = ` FROM job_configs c JOIN job_statuses s ON s.id = c.id JOIN pipelines p ON p.id = c.pipeline_id WHERE p.deleted_at IS NULL `

// GetJob gives a job of a pipeline that is not deleted.
func (db *DB) GetJob(ctx context.Context, id string) (Job, error) {
	j, err := scanJob(db.reader.QueryRowContext(ctx, "SELECT "+jobColumns+ofJob+"AND c.id = ?", id))
	return j, db.fault(found(err, "job", id))
}

// ListJobs gives all jobs, previews included, oldest first; of one pipeline if pipelineID is not empty.
func (db *DB) ListJobs(ctx context.Context, pipelineID string) ([]Job, error) {
	rows, err := db.reader.QueryContext(ctx, "SELECT "+jobColumns+ofJob+"AND (? = '' OR c.pipeline_id = ?) ORDER BY c.created_at, c.id", pipelineID, pipelineID)
	if err != nil {
		return nil, db.fault(err)
	}
	jobs, err := collect(rows, scanJob)
	return jobs, db.fault(err)
}

// UpdateJobConfig reads what is wanted of a job, lets change alter it, and stores it, with nobody in between. Ids and
// times stay. An error of change leaves everything as it was and is returned.
func (db *DB) UpdateJobConfig(ctx context.Context, id string, change func(*JobConfig) error) (JobConfig, error) {
	var c JobConfig
	err := db.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT "+configColumns+" FROM job_configs c WHERE c.id = ?", id).Scan(c.targets()...)
		if err != nil {
			return found(err, "job", id)
		}
		before := c
		if err := change(&c); err != nil {
			return err
		}
		c.ID, c.PipelineID, c.CreatedAt, c.UpdatedAt = id, before.PipelineID, before.CreatedAt, db.now()
		_, err = tx.ExecContext(ctx, `UPDATE job_configs SET stop = ?, checkpoint_interval_micros = ?, restart_nonce = ?, restart_mode = ?, parallelism_overrides = ?, ttl_micros = ?, env_vars = ?, scheduler_config = ?, updated_at = ? WHERE id = ?`,
			c.Stop, c.CheckpointIntervalMicros, c.RestartNonce, c.RestartMode, jsonText{&c.ParallelismOverrides}, null(c.TTLMicros), jsonText{&c.EnvVars}, null(string(c.SchedulerConfig)), c.UpdatedAt, id)
		return err
	})
	return c, err
}

// UpdateJobStatus reads a job's status, lets change alter it, and stores it, with nobody in between. An error of change
// leaves everything as it was and is returned: change is where a controller finds that another one has gone on with a
// later run id.
func (db *DB) UpdateJobStatus(ctx context.Context, id string, change func(*JobStatus) error) (JobStatus, error) {
	var s JobStatus
	err := db.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT "+statusColumns+" FROM job_statuses s WHERE s.id = ?", id).Scan(s.targets()...)
		if err != nil {
			return found(err, "job", id)
		}
		if err := change(&s); err != nil {
			return err
		}
		s.ID, s.UpdatedAt = id, db.now()
		_, err = tx.ExecContext(ctx, `UPDATE job_statuses SET state = ?, run_id = ?, start_time = ?, finish_time = ?, tasks = ?, restarts = ?, restart_nonce = ?, failure_message = ?, failure_domain = ?, failure_details = ?, updated_at = ? WHERE id = ?`,
			s.State, s.RunID, null(s.StartTime), null(s.FinishTime), null(s.Tasks), s.Restarts, s.RestartNonce, null(s.FailureMessage), null(s.FailureDomain), null(string(s.FailureDetails)), s.UpdatedAt, id)
		return err
	})
	return s, err
}

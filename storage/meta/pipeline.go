package meta

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"

	"wadi/dataflow/fault"
)

// Pipeline is a named SQL text and its planned program.
type Pipeline struct {
	ID, Name, Query string
	// Program is the serialised graph.Program.
	Program                  []byte
	Parallelism              int
	CheckpointIntervalMicros int64
	// StateURL is empty when the pipeline keeps its state in the default place.
	StateURL             string
	Tags                 map[string]string
	CreatedAt, UpdatedAt Micros
	// DeletedAt is zero for a pipeline that is not deleted.
	DeletedAt Micros
}

// NewPipeline is what CreatePipeline makes a pipeline and its job of.
type NewPipeline struct {
	// ID and JobID are the caller's choice, or empty for new ones.
	ID, JobID                string
	Name, Query              string
	Program                  []byte
	Parallelism              int
	CheckpointIntervalMicros int64
	StateURL                 string
	Tags                     map[string]string
	// TTLMicros, if not zero, makes the pipeline a preview that ends by itself.
	TTLMicros       int64
	EnvVars         map[string]string
	SchedulerConfig json.RawMessage
	// Tables are the names of the connection tables that it was planned with.
	Tables []string
}

// PipelineJob is a pipeline with its newest job.
type PipelineJob struct {
	Pipeline Pipeline
	Job      Job
}

// Page chooses a part of a list.
type Page struct {
	// Limit is the most rows to give; 0 means 10.
	Limit int
	// After is the id of the row before the page; empty for the first page.
	After string
}

func (p Page) limit() int {
	if p.Limit <= 0 {
		return 10
	}
	return p.Limit
}

const pipelineColumns = "p.id, p.name, p.query, p.program, p.parallelism, p.checkpoint_interval_micros, coalesce(p.state_url, ''), p.tags, p.created_at, p.updated_at, coalesce(p.deleted_at, 0)"

// ofPipeline joins a pipeline with its newest job.
const ofPipeline = ` FROM pipelines p
	JOIN job_configs c ON c.id = (SELECT id FROM job_configs WHERE pipeline_id = p.id ORDER BY created_at DESC, rowid DESC LIMIT 1)
	JOIN job_statuses s ON s.id = c.id `

type scanner interface{ Scan(to ...any) error }

func (p *Pipeline) targets() []any {
	return []any{&p.ID, &p.Name, &p.Query, &p.Program, &p.Parallelism, &p.CheckpointIntervalMicros, &p.StateURL, jsonText{&p.Tags}, &p.CreatedAt, &p.UpdatedAt, &p.DeletedAt}
}

func scanPipelineJob(row scanner) (pj PipelineJob, err error) {
	return pj, row.Scan(append(pj.Pipeline.targets(), pj.Job.targets()...)...)
}

// CreatePipeline stores a pipeline, its job's configuration and its job's status in one transaction: all or nothing. An
// id that is taken, by a deleted pipeline too, is fault.CodeConflict.
func (db *DB) CreatePipeline(ctx context.Context, n NewPipeline) (PipelineJob, error) {
	if strings.TrimSpace(n.Name) == "" {
		return PipelineJob{}, fault.Userf(fault.CodeInvalid, fault.Span{}, "the pipeline has no name")
	}
	if n.Parallelism < 1 {
		return PipelineJob{}, fault.Userf(fault.CodeInvalid, fault.Span{}, "parallelism %d is not positive", n.Parallelism)
	}
	if n.ID == "" {
		n.ID = NewID(PipelinePrefix)
	}
	now, jobID := db.now(), n.JobID
	if jobID == "" {
		jobID = NewID(JobPrefix)
	}
	var created PipelineJob
	err := db.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO pipelines (id, name, query, program, parallelism, checkpoint_interval_micros, state_url, tags, created_at, updated_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			n.ID, n.Name, n.Query, blobOf(n.Program), n.Parallelism, n.CheckpointIntervalMicros, null(n.StateURL), jsonText{&n.Tags}, now, now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO job_configs (id, pipeline_id, stop, checkpoint_interval_micros, restart_nonce, restart_mode, parallelism_overrides, ttl_micros, env_vars, scheduler_config, created_at, updated_at)
			VALUES (?, ?, ?, ?, 0, ?, '{}', ?, ?, ?, ?, ?)`,
			jobID, n.ID, StopNone, n.CheckpointIntervalMicros, RestartSafe, null(n.TTLMicros), jsonText{&n.EnvVars}, null(string(n.SchedulerConfig)), now, now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO job_statuses (id, state, run_id, restarts, restart_nonce, updated_at) VALUES (?, ?, 0, 0, 0, ?)`, jobID, StateCreated, now)
		if err != nil {
			return err
		}
		for _, name := range n.Tables {
			_, err := tx.ExecContext(ctx, "INSERT OR IGNORE INTO connection_table_pipelines (table_id, pipeline_id) SELECT id, ? FROM connection_tables WHERE name = ?", n.ID, name)
			if err != nil {
				return err
			}
		}
		created, err = scanPipelineJob(tx.QueryRowContext(ctx, "SELECT "+pipelineColumns+", "+jobColumns+ofPipeline+"WHERE p.id = ?", n.ID))
		return err
	})
	return created, err
}

// GetPipeline gives a pipeline that is not deleted.
func (db *DB) GetPipeline(ctx context.Context, id string) (PipelineJob, error) {
	pj, err := scanPipelineJob(db.reader.QueryRowContext(ctx, "SELECT "+pipelineColumns+", "+jobColumns+ofPipeline+"WHERE p.id = ? AND p.deleted_at IS NULL", id))
	return pj, db.fault(found(err, "pipeline", id))
}

// ListPipelines gives pipelines that are neither deleted nor previews, newest first, and whether there are more after
// them. Pages neither skip nor repeat a row, however many share a timestamp and whatever is created meanwhile.
func (db *DB) ListPipelines(ctx context.Context, page Page) (pipelines []PipelineJob, more bool, err error) {
	where, args := "WHERE p.deleted_at IS NULL AND c.ttl_micros IS NULL", []any{}
	if page.After != "" {
		// Also a row that was deleted since it was seen still marks its place.
		var created Micros
		err := db.reader.QueryRowContext(ctx, "SELECT created_at FROM pipelines WHERE id = ?", page.After).Scan(&created)
		if err != nil {
			return nil, false, db.fault(found(err, "pipeline", page.After))
		}
		where += " AND (p.created_at, p.id) < (?, ?)"
		args = append(args, created, page.After)
	}
	rows, err := db.reader.QueryContext(ctx, "SELECT "+pipelineColumns+", "+jobColumns+ofPipeline+where+" ORDER BY p.created_at DESC, p.id DESC LIMIT ?", append(args, page.limit()+1)...)
	if err != nil {
		return nil, false, db.fault(err)
	}
	pipelines, err = collect(rows, scanPipelineJob)
	pipelines, more = cut(pipelines, page.limit())
	return pipelines, more, db.fault(err)
}

// UpdatePipeline reads a pipeline, lets change alter it, and stores it, with nobody in between. Id and times stay. An
// error of change leaves everything as it was and is returned.
func (db *DB) UpdatePipeline(ctx context.Context, id string, change func(*Pipeline) error) (Pipeline, error) {
	var p Pipeline
	err := db.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, "SELECT "+pipelineColumns+" FROM pipelines p WHERE p.id = ? AND p.deleted_at IS NULL", id).Scan(p.targets()...)
		if err != nil {
			return found(err, "pipeline", id)
		}
		created := p.CreatedAt
		if err := change(&p); err != nil {
			return err
		}
		p.ID, p.CreatedAt, p.UpdatedAt, p.DeletedAt = id, created, db.now(), 0
		_, err = tx.ExecContext(ctx, `UPDATE pipelines SET name = ?, query = ?, program = ?, parallelism = ?, checkpoint_interval_micros = ?, state_url = ?, tags = ?, updated_at = ? WHERE id = ?`,
			p.Name, p.Query, blobOf(p.Program), p.Parallelism, p.CheckpointIntervalMicros, null(p.StateURL), jsonText{&p.Tags}, p.UpdatedAt, id)
		return err
	})
	return p, err
}

// DeletePipeline hides a pipeline and its jobs; its rows stay until PurgePipeline, so that the state of its jobs can be
// found and removed first.
func (db *DB) DeletePipeline(ctx context.Context, id string) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		now := db.now()
		r, err := tx.ExecContext(ctx, "UPDATE pipelines SET deleted_at = ?, updated_at = ? WHERE id = ? AND deleted_at IS NULL", now, now, id)
		return affected(r, err, "pipeline", id)
	})
}

// DeletedPipelines gives the pipelines that wait for PurgePipeline.
func (db *DB) DeletedPipelines(ctx context.Context) ([]PipelineJob, error) {
	rows, err := db.reader.QueryContext(ctx, "SELECT "+pipelineColumns+", "+jobColumns+ofPipeline+"WHERE p.deleted_at IS NOT NULL ORDER BY p.deleted_at, p.id")
	if err != nil {
		return nil, db.fault(err)
	}
	deleted, err := collect(rows, scanPipelineJob)
	return deleted, db.fault(err)
}

// PurgePipeline removes every row of a deleted pipeline.
func (db *DB) PurgePipeline(ctx context.Context, id string) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "DELETE FROM pipelines WHERE id = ? AND deleted_at IS NOT NULL", id)
		return affected(r, err, "deleted pipeline", id)
	})
}

// affected makes fault.CodeNotFound of a change that met no row.
func affected(r sql.Result, err error, what, id string) error {
	if err != nil {
		return err
	}
	n, err := r.RowsAffected()
	if err == nil && n == 0 {
		err = found(sql.ErrNoRows, what, id)
	}
	return err
}

// collect scans all rows and closes them.
func collect[T any](rows *sql.Rows, scan func(scanner) (T, error)) ([]T, error) {
	defer rows.Close()
	var all []T
	for rows.Next() {
		one, err := scan(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, errors.Join(rows.Err(), rows.Close())
}

// cut takes off the row that was read only to see whether there is one.
func cut[T any](rows []T, limit int) ([]T, bool) {
	if len(rows) > limit {
		return rows[:limit], true
	}
	return rows, false
}

package meta

import (
	"context"
	"database/sql"
	"encoding/json"
)

// CheckpointState is how far a checkpoint has come.
type CheckpointState string

// The states of a checkpoint.
const (
	CheckpointInProgress CheckpointState = "inprogress"
	CheckpointCommitting CheckpointState = "committing"
	CheckpointReady      CheckpointState = "ready"
	CheckpointCompacted  CheckpointState = "compacted"
	CheckpointFailed     CheckpointState = "failed"
)

// Checkpoint is what the console shows of one checkpoint.
type Checkpoint struct {
	ID, JobID         string
	Epoch, Generation uint64
	State             CheckpointState
	StartTime         Micros
	// FinishTime is zero while the checkpoint is running.
	FinishTime Micros
	Bytes      int64
	// Operators and Events are JSON arrays.
	Operators, Events json.RawMessage
	Stopping          bool
}

// keptCheckpoints is how many epochs per job stay in the table.
const keptCheckpoints = 100

const checkpointColumns = "id, job_id, epoch, generation, state, start_time, coalesce(finish_time, 0), bytes, operators, events, is_stopping"

func scanCheckpoint(row scanner) (c Checkpoint, err error) {
	return c, row.Scan(&c.ID, &c.JobID, &c.Epoch, &c.Generation, &c.State, &c.StartTime, &c.FinishTime, &c.Bytes, rawText{&c.Operators}, rawText{&c.Events}, &c.Stopping)
}

// InsertCheckpoint stores a new checkpoint and gives its id. Rows of the job more than 100 epochs older go. A checkpoint
// of the same epoch and generation is replaced: a controller that starts again may tell the same story again.
func (db *DB) InsertCheckpoint(ctx context.Context, c Checkpoint) (id string, err error) {
	id = NewID(CheckpointPrefix)
	err = db.write(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `INSERT INTO checkpoints (id, job_id, epoch, generation, state, start_time, finish_time, bytes, operators, events, is_stopping)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (job_id, epoch, generation) DO UPDATE SET state = excluded.state, start_time = excluded.start_time, finish_time = excluded.finish_time,
				bytes = excluded.bytes, operators = excluded.operators, events = excluded.events, is_stopping = excluded.is_stopping
			RETURNING id`,
			id, c.JobID, c.Epoch, c.Generation, c.State, c.StartTime, null(c.FinishTime), c.Bytes, orArray(c.Operators), orArray(c.Events), c.Stopping).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM checkpoints WHERE job_id = ? AND epoch <= ? - ?", c.JobID, c.Epoch, keptCheckpoints)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// UpdateCheckpoint stores everything of a checkpoint but its id, job, epoch, generation and start.
func (db *DB) UpdateCheckpoint(ctx context.Context, c Checkpoint) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		r, err := tx.ExecContext(ctx, "UPDATE checkpoints SET state = ?, finish_time = ?, bytes = ?, operators = ?, events = ?, is_stopping = ? WHERE id = ?",
			c.State, null(c.FinishTime), c.Bytes, orArray(c.Operators), orArray(c.Events), c.Stopping, c.ID)
		return affected(r, err, "checkpoint", c.ID)
	})
}

// FailCheckpoints marks the unfinished checkpoints of a job's generations before one as failed.
func (db *DB) FailCheckpoints(ctx context.Context, jobID string, before uint64) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE checkpoints SET state = ?, finish_time = ? WHERE job_id = ? AND generation < ? AND state = ?",
			CheckpointFailed, db.now(), jobID, before, CheckpointInProgress)
		return err
	})
}

// ListCheckpoints gives the checkpoints of a job that are still in the table, oldest first.
func (db *DB) ListCheckpoints(ctx context.Context, jobID string) ([]Checkpoint, error) {
	rows, err := db.reader.QueryContext(ctx, "SELECT "+checkpointColumns+" FROM checkpoints WHERE job_id = ? ORDER BY epoch, generation", jobID)
	if err != nil {
		return nil, db.fault(err)
	}
	all, err := collect(rows, scanCheckpoint)
	return all, db.fault(err)
}

// GetCheckpoint gives one epoch of a job; of its newest generation, if several tried it.
func (db *DB) GetCheckpoint(ctx context.Context, jobID string, epoch uint64) (Checkpoint, error) {
	c, err := scanCheckpoint(db.reader.QueryRowContext(ctx, "SELECT "+checkpointColumns+" FROM checkpoints WHERE job_id = ? AND epoch = ? ORDER BY generation DESC LIMIT 1", jobID, epoch))
	return c, db.fault(found(err, "checkpoint of job", jobID))
}

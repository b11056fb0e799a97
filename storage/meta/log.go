package meta

import (
	"context"
	"database/sql"
)

// LogLevel is how bad a message is.
type LogLevel string

// The levels.
const (
	LogInfo  LogLevel = "info"
	LogWarn  LogLevel = "warn"
	LogError LogLevel = "error"
)

// LogMessage is something a job has to tell its owner.
type LogMessage struct {
	ID, JobID string
	// CreatedAt is filled in when it is zero.
	CreatedAt Micros
	// OperatorID is empty, and TaskIndex nil, when the message is about the whole job.
	OperatorID       string
	TaskIndex        *int
	Level            LogLevel
	Message, Details string
	// Domain is user, external or internal; empty for messages that are no errors.
	Domain string
}

// keptMessages is how many messages per job stay in the table.
const keptMessages = 1000

const logColumns = "id, job_id, created_at, coalesce(operator_id, ''), task_index, level, message, details, coalesce(error_domain, '')"

func scanLog(row scanner) (m LogMessage, err error) {
	return m, row.Scan(&m.ID, &m.JobID, &m.CreatedAt, &m.OperatorID, &m.TaskIndex, &m.Level, &m.Message, &m.Details, &m.Domain)
}

// AppendLog stores a message and gives its id. Of each job the newest 1000 stay.
func (db *DB) AppendLog(ctx context.Context, m LogMessage) (id string, err error) {
	id = NewID(LogPrefix)
	if m.CreatedAt == 0 {
		m.CreatedAt = db.now()
	}
	err = db.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO job_log_messages (id, job_id, created_at, operator_id, task_index, level, message, details, error_domain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			id, m.JobID, m.CreatedAt, null(m.OperatorID), m.TaskIndex, m.Level, m.Message, m.Details, null(m.Domain))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM job_log_messages WHERE job_id = ? AND seq <= (SELECT seq FROM job_log_messages WHERE job_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)",
			m.JobID, m.JobID, keptMessages)
		return err
	})
	if err != nil {
		return "", err
	}
	return id, nil
}

// ListLog gives messages of a job, newest first, and whether there are more after them; of one level, if it is not empty.
func (db *DB) ListLog(ctx context.Context, jobID string, level LogLevel, page Page) (messages []LogMessage, more bool, err error) {
	where, args := "WHERE job_id = ? AND (? = '' OR level = ?)", []any{jobID, level, level}
	if page.After != "" {
		var seq int64
		err := db.reader.QueryRowContext(ctx, "SELECT seq FROM job_log_messages WHERE id = ?", page.After).Scan(&seq)
		if err != nil {
			return nil, false, db.fault(found(err, "message", page.After))
		}
		where += " AND seq < ?"
		args = append(args, seq)
	}
	rows, err := db.reader.QueryContext(ctx, "SELECT "+logColumns+" FROM job_log_messages "+where+" ORDER BY seq DESC LIMIT ?", append(args, page.limit()+1)...)
	if err != nil {
		return nil, false, db.fault(err)
	}
	messages, err = collect(rows, scanLog)
	messages, more = cut(messages, page.limit())
	return messages, more, db.fault(err)
}

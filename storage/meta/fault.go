package meta

import (
	"context"
	"database/sql"
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"wadi/dataflow/fault"
	"wadi/storage/disk"
)

// fault turns an error of SQLite into a fault; nil stays nil, and faults stay what they are.
func (db *DB) fault(err error) error {
	var already *fault.Error
	if err == nil || errors.As(err, &already) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return &fault.Error{Kind: fault.Transient, Code: fault.CodeCanceled, Message: "database call given up", Err: err}
	}
	var se *sqlite.Error
	if !errors.As(err, &se) {
		return fault.Internalf("%s: %v", db.path, err)
	}
	user := func(code fault.Code, message, hint string) error {
		return fault.Userf(code, fault.Span{}, "%s: %s", db.path, message).WithHint("%s", hint)
	}
	switch se.Code() & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return db.damaged(CodeCorrupt, "the database is damaged")
	case sqlite3.SQLITE_FULL:
		return user(disk.CodeDiskFull, "the disk is full", "free some space on this disk, or choose a state directory on another one")
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_AUTH:
		return user(disk.CodePermission, "no permission to write", "check the owner and the mode of the file and of its folder, which SQLite has to write to as well")
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return fault.Transientf(nil, "%s is locked by another process", db.path).WithHint("stop the other program that has this file open")
	case sqlite3.SQLITE_IOERR:
		return fault.Transientf(err, "%s", db.path).WithHint("check the disk, its free space and its mount")
	case sqlite3.SQLITE_INTERRUPT:
		return &fault.Error{Kind: fault.Transient, Code: fault.CodeCanceled, Message: "database call given up", Err: context.Canceled}
	case sqlite3.SQLITE_CONSTRAINT:
		return constraintFault(se)
	}
	return fault.Internalf("%s: %v", db.path, err)
}

func constraintFault(se *sqlite.Error) error {
	switch se.Code() {
	case sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_UNIQUE:
		return fault.Userf(fault.CodeConflict, fault.Span{}, "there is one with this id already").WithHint("choose another id")
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return fault.Userf(fault.CodeNotFound, fault.Span{}, "the job or pipeline that this belongs to does not exist")
	}
	return fault.Internalf("a row breaks the schema: %v", se)
}

// found turns "no rows" into a fault that names what was looked for.
func found(err error, what, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.Userf(fault.CodeNotFound, fault.Span{}, "%s %q not found", what, id)
	}
	return err
}

package meta

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/storage/disk"
)

// Micros is a point in time in microseconds since the Unix epoch.
type Micros = int64

// DB is an open metadata database. Its methods may be called from several goroutines.
type DB struct {
	path   string
	clock  clock.Clock
	writer *sql.DB
	reader *sql.DB
}

// readers is how many queries read at the same time.
const readers = 4

// Codes of this package's faults, beside fault.CodeNotFound and fault.CodeConflict.
const (
	// CodeCorrupt is a file that SQLite cannot read, or not all of.
	CodeCorrupt fault.Code = "corrupt-database"
	// CodeForeign is a database of another program.
	CodeForeign fault.Code = "foreign-database"
	// CodeNewer is a database of a later version of this program.
	CodeNewer fault.Code = "newer-database"
)

// Open opens the database at path on the machine's clock, makes file and folders if they are not there, and brings the
// schema up to date. A file that is damaged or not ours is left exactly as it is.
func Open(ctx context.Context, path string) (*DB, error) {
	return OpenClock(ctx, path, clock.System{})
}

// OpenClock is Open with the clock that stamps rows.
func OpenClock(ctx context.Context, path string, clk clock.Clock) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, disk.Fault(path, err)
	}
	db := &DB{path: path, clock: clk}
	if err := db.prepareFile(); err != nil {
		return nil, err
	}
	if err := db.inspect(ctx); err != nil {
		return nil, err
	}
	if err := db.connect(ctx); err != nil {
		_ = db.Close()
		return nil, err
	}
	return db, nil
}

// OpenReader opens a database that exists for reading only: it is neither made nor brought up to date, and may be open
// elsewhere. One that is not there is fault.CodeNotFound.
func OpenReader(ctx context.Context, path string) (*DB, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, disk.Fault(path, err)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, disk.Fault(path, err)
	}
	db := &DB{path: path, clock: clock.System{}}
	if err := db.inspect(ctx); err != nil {
		return nil, err
	}
	if db.reader, err = sql.Open("sqlite", db.dsn("query_only(1)")); err != nil {
		return nil, db.fault(err)
	}
	db.reader.SetMaxOpenConns(1)
	return db, nil
}

// prepareFile lets the file system speak first: its errors say more than SQLite's.
func (db *DB) prepareFile() error {
	dir := filepath.Dir(db.path)
	if err := disk.MakeFolder(dir); err != nil {
		return disk.Fault(dir, err)
	}
	f, err := os.OpenFile(db.path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return disk.Fault(db.path, err)
	}
	head := make([]byte, len(magic))
	n, _ := f.ReadAt(head, 0)
	if err := f.Close(); err != nil {
		return disk.Fault(db.path, err)
	}
	if n > 0 && string(head[:n]) != magic {
		return db.damaged(CodeCorrupt, "it is not a SQLite database")
	}
	return disk.Fault(dir, disk.SyncFolder(dir))
}

// magic begins every SQLite file.
const magic = "SQLite format 3\x00"

func (db *DB) damaged(code fault.Code, format string, args ...any) *fault.Error {
	e := fault.Userf(code, fault.Span{}, format, args...)
	e.Message = db.path + " cannot be used: " + e.Message
	return e.WithHint("move this file away and start again; checkpoints are kept in manifests beside it, so no data is lost with it, only saved connections")
}

// inspect looks at the file without changing it: is it whole, is it ours, is it of a version we know?
func (db *DB) inspect(ctx context.Context) error {
	c, err := sql.Open("sqlite", db.dsn("query_only(1)"))
	if err != nil {
		return db.fault(err)
	}
	defer c.Close()
	var check string
	if err := c.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&check); err != nil {
		return db.fault(err)
	}
	if check != "ok" {
		return db.damaged(CodeCorrupt, "the database is damaged")
	}
	app, version, tables, err := identity(ctx, c)
	switch {
	case err != nil:
		return db.fault(err)
	case app == applicationID && version > len(migrations):
		return db.damaged(CodeNewer, "a later version of wadi wrote it (schema %d, this one knows %d)", version, len(migrations)).
			WithHint("use the version of wadi that wrote this file, or a later one")
	case app != applicationID && (app != 0 || tables > 0 || version != 0):
		return db.damaged(CodeForeign, "it is the database of another program").
			WithHint("choose another state directory, or move this file away")
	}
	return nil
}

// dsn is the file as a URI, with pragmas beside busy_timeout.
func (db *DB) dsn(pragmas ...string) string {
	q := url.Values{"_pragma": append([]string{"busy_timeout(10000)"}, pragmas...), "_txlock": {"immediate"}}
	return (&url.URL{Scheme: "file", OmitHost: true, Path: db.path, RawQuery: q.Encode()}).String()
}

func (db *DB) connect(ctx context.Context) (err error) {
	db.writer, err = sql.Open("sqlite", db.dsn("journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)"))
	if err != nil {
		return db.fault(err)
	}
	db.writer.SetMaxOpenConns(1)
	if err := db.migrate(ctx); err != nil {
		return err
	}
	db.reader, err = sql.Open("sqlite", db.dsn("query_only(1)"))
	if err != nil {
		return db.fault(err)
	}
	db.reader.SetMaxOpenConns(readers)
	db.reader.SetMaxIdleConns(readers)
	return db.fault(db.reader.PingContext(ctx))
}

// Path is the absolute path of the file.
func (db *DB) Path() string { return db.path }

// Close waits for running calls and closes the file. The write-ahead log is folded into it.
func (db *DB) Close() error {
	var errs []error
	for _, c := range []*sql.DB{db.reader, db.writer} {
		if c != nil {
			errs = append(errs, c.Close())
		}
	}
	return db.fault(errors.Join(errs...))
}

func (db *DB) now() Micros { return db.clock.Now().UnixMicro() }

// write runs f in the one writing transaction. Whatever f returns, nothing of it stays if it is an error.
func (db *DB) write(ctx context.Context, f func(tx *sql.Tx) error) error {
	tx, err := db.writer.BeginTx(ctx, nil)
	if err != nil {
		return db.fault(err)
	}
	if err := f(tx); err != nil {
		_ = tx.Rollback()
		return db.fault(err)
	}
	return db.fault(tx.Commit())
}

// Backup writes a consistent copy of the database to a file that must not exist yet, durably, while everything else goes
// on. The copy is one file without a log.
func (db *DB) Backup(ctx context.Context, toPath string) (err error) {
	toPath, err = filepath.Abs(toPath)
	if err != nil {
		return disk.Fault(toPath, err)
	}
	if _, err := os.Lstat(toPath); err == nil {
		return fault.Userf(fault.CodeConflict, fault.Span{}, "%s exists already", toPath).WithHint("choose another name for the copy")
	}
	// A connection of its own: the readers' refuse everything that looks like writing.
	c, err := sql.Open("sqlite", db.dsn())
	if err != nil {
		return db.fault(err)
	}
	defer c.Close()
	if _, err := c.ExecContext(ctx, "VACUUM INTO ?", toPath); err != nil {
		_ = os.Remove(toPath)
		return db.fault(err)
	}
	return disk.Fault(toPath, syncFile(toPath))
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

package meta

import (
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
)

// applicationID marks our files; it spells "WADI".
const applicationID = 0x57414449

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the texts of migrations/*.sql in the order of their names. The schema version of a database is the
// number of those that it has seen.
var migrations = readMigrations()

func readMigrations() []string {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("embedded migrations: %d, %v", len(names), err))
	}
	texts := make([]string, len(names))
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		texts[i] = string(text)
	}
	return texts
}

type queryer interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// identity reads what tells a database's origin: its mark, its schema version, its number of tables.
func identity(ctx context.Context, c queryer) (app, version, tables int, err error) {
	for _, q := range []struct {
		text string
		to   *int
	}{{"PRAGMA application_id", &app}, {"PRAGMA user_version", &version}, {"SELECT count(*) FROM sqlite_schema", &tables}} {
		if err := c.QueryRowContext(ctx, q.text).Scan(q.to); err != nil {
			return 0, 0, 0, err
		}
	}
	return app, version, tables, nil
}

// migrate applies the migrations that the database has not seen.
func (db *DB) migrate(ctx context.Context) error {
	for {
		done := false
		err := db.write(ctx, func(tx *sql.Tx) error {
			// Read inside the transaction: another process may be migrating the same file.
			_, version, _, err := identity(ctx, tx)
			if err != nil || version >= len(migrations) {
				done = true
				return err
			}
			if _, err := tx.ExecContext(ctx, migrations[version]); err != nil {
				return err
			}
			mark := fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", applicationID, version+1)
			_, err = tx.ExecContext(ctx, mark)
			return err
		})
		if err != nil || done {
			return err
		}
	}
}

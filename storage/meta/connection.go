package meta

import (
	"context"
	"database/sql"
	"encoding/json"

	"wadi/dataflow/fault"
)

// Profile is a saved connection profile.
type Profile struct {
	ID, Name, Connector string
	// Config is a JSON object.
	Config               json.RawMessage
	CreatedAt, UpdatedAt Micros
}

// Table is a saved connection table.
type Table struct {
	ID, Name, Connector string
	// Profile is nil for a table without one.
	Profile *Profile
	// Type is "source", "sink" or "lookup".
	Type string
	// Config and Schema are JSON, Definition is the CREATE TABLE statement that they stand for.
	Config, Schema json.RawMessage
	Definition     string
	CreatedAt      Micros
	// Consumers is the number of pipelines that were planned with the table and are not deleted.
	Consumers int
}

const profileColumns = "f.id, f.name, f.connector, f.config, f.created_at, f.updated_at"

func (p *Profile) targets() []any {
	return []any{&p.ID, &p.Name, &p.Connector, rawText{&p.Config}, &p.CreatedAt, &p.UpdatedAt}
}

func scanProfile(row scanner) (p Profile, err error) { return p, row.Scan(p.targets()...) }

// CreateProfile stores a profile under a new id. A name that is taken is fault.CodeConflict.
func (db *DB) CreateProfile(ctx context.Context, p Profile) (Profile, error) {
	p.ID, p.CreatedAt = NewID(ProfilePrefix), db.now()
	p.UpdatedAt = p.CreatedAt
	err := db.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO connection_profiles (id, name, connector, config, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
			p.ID, p.Name, p.Connector, string(p.Config), p.CreatedAt, p.UpdatedAt)
		return err
	})
	return p, err
}

// GetProfile gives a profile.
func (db *DB) GetProfile(ctx context.Context, id string) (Profile, error) {
	p, err := scanProfile(db.reader.QueryRowContext(ctx, "SELECT "+profileColumns+" FROM connection_profiles f WHERE f.id = ?", id))
	return p, db.fault(found(err, "connection profile", id))
}

// ListProfiles gives all profiles, newest first.
func (db *DB) ListProfiles(ctx context.Context) ([]Profile, error) {
	rows, err := db.reader.QueryContext(ctx, "SELECT "+profileColumns+" FROM connection_profiles f ORDER BY f.created_at DESC, f.id DESC")
	if err != nil {
		return nil, db.fault(err)
	}
	all, err := collect(rows, scanProfile)
	return all, db.fault(err)
}

// DeleteProfile removes a profile that no table uses; one in use is fault.CodeConflict.
func (db *DB) DeleteProfile(ctx context.Context, id string) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		var tables int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM connection_tables WHERE profile_id = ?", id).Scan(&tables); err != nil {
			return err
		}
		if tables > 0 {
			return fault.Userf(fault.CodeConflict, fault.Span{}, "the connection profile is used by %d connection tables", tables).
				WithHint("delete the tables first")
		}
		r, err := tx.ExecContext(ctx, "DELETE FROM connection_profiles WHERE id = ?", id)
		return affected(r, err, "connection profile", id)
	})
}

const tableColumns = `t.id, t.name, t.connector, t.table_type, t.config, t.schema, t.definition, t.created_at,
	(SELECT count(*) FROM connection_table_pipelines u JOIN pipelines p ON p.id = u.pipeline_id WHERE u.table_id = t.id AND p.deleted_at IS NULL),
	coalesce(f.id, ''), coalesce(f.name, ''), coalesce(f.connector, ''), f.config, coalesce(f.created_at, 0), coalesce(f.updated_at, 0)`

const ofTable = " FROM connection_tables t LEFT JOIN connection_profiles f ON f.id = t.profile_id "

func scanTable(row scanner) (t Table, err error) {
	var p Profile
	to := []any{&t.ID, &t.Name, &t.Connector, &t.Type, rawText{&t.Config}, rawText{&t.Schema}, &t.Definition, &t.CreatedAt, &t.Consumers}
	if err := row.Scan(append(to, p.targets()...)...); err != nil {
		return t, err
	}
	if p.ID != "" {
		t.Profile = &p
	}
	return t, nil
}

// CreateTable stores a table under a new id. A name that is taken, in any case, is fault.CodeConflict.
func (db *DB) CreateTable(ctx context.Context, t Table) (Table, error) {
	t.ID, t.CreatedAt = NewID(TablePrefix), db.now()
	var profile any
	if t.Profile != nil {
		profile = t.Profile.ID
	}
	err := db.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO connection_tables (id, name, connector, profile_id, table_type, config, schema, definition, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`, t.ID, t.Name, t.Connector, profile, t.Type, string(t.Config), string(t.Schema), t.Definition, t.CreatedAt)
		return err
	})
	return t, err
}

// GetTable gives a table.
func (db *DB) GetTable(ctx context.Context, id string) (Table, error) {
	t, err := scanTable(db.reader.QueryRowContext(ctx, "SELECT "+tableColumns+ofTable+"WHERE t.id = ?", id))
	return t, db.fault(found(err, "connection table", id))
}

// ListTables gives tables, newest first, and whether there are more after them.
func (db *DB) ListTables(ctx context.Context, page Page) (tables []Table, more bool, err error) {
	where, args := "", []any{}
	if page.After != "" {
		var created Micros
		err := db.reader.QueryRowContext(ctx, "SELECT created_at FROM connection_tables WHERE id = ?", page.After).Scan(&created)
		if err != nil {
			return nil, false, db.fault(found(err, "connection table", page.After))
		}
		where, args = "WHERE (t.created_at, t.id) < (?, ?)", []any{created, page.After}
	}
	rows, err := db.reader.QueryContext(ctx, "SELECT "+tableColumns+ofTable+where+" ORDER BY t.created_at DESC, t.id DESC LIMIT ?", append(args, page.limit()+1)...)
	if err != nil {
		return nil, false, db.fault(err)
	}
	tables, err = collect(rows, scanTable)
	tables, more = cut(tables, page.limit())
	return tables, more, db.fault(err)
}

// AllTables gives all tables, newest first.
func (db *DB) AllTables(ctx context.Context) ([]Table, error) {
	rows, err := db.reader.QueryContext(ctx, "SELECT "+tableColumns+ofTable+" ORDER BY t.created_at DESC, t.id DESC")
	if err != nil {
		return nil, db.fault(err)
	}
	tables, err := collect(rows, scanTable)
	return tables, db.fault(err)
}

// DeleteTable removes a table that no pipeline uses; one in use is fault.CodeConflict.
func (db *DB) DeleteTable(ctx context.Context, id string) error {
	return db.write(ctx, func(tx *sql.Tx) error {
		t, err := scanTable(tx.QueryRowContext(ctx, "SELECT "+tableColumns+ofTable+"WHERE t.id = ?", id))
		if err != nil {
			return found(err, "connection table", id)
		}
		if t.Consumers > 0 {
			return fault.Userf(fault.CodeConflict, fault.Span{}, "the connection table is used by %d pipelines", t.Consumers).
				WithHint("delete the pipelines first")
		}
		_, err = tx.ExecContext(ctx, "DELETE FROM connection_tables WHERE id = ?", id)
		return err
	})
}

// withConnections is the version of the schema that first had connections.
const withConnections = 2

// Connections gives all saved tables and profiles. A database of an early version, opened for reading, has none.
func (db *DB) Connections(ctx context.Context) (tables []Table, profiles []Profile, err error) {
	_, version, _, err := identity(ctx, db.reader)
	if err != nil || version < withConnections {
		return nil, nil, db.fault(err)
	}
	if tables, err = db.AllTables(ctx); err != nil {
		return nil, nil, err
	}
	profiles, err = db.ListProfiles(ctx)
	return tables, profiles, err
}

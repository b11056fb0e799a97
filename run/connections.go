package run

import (
	"context"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"wadi/controller/connection"
	"wadi/dataflow/fault"
	"wadi/sql"
	"wadi/sql/bind"
	"wadi/storage/backup"
	"wadi/storage/blob"
	"wadi/storage/meta"
)

// savedFlag is for commands that plan a query without running it.
func savedFlag() cli.Flag {
	return &cli.StringFlag{Name: "state-dir", Aliases: []string{"s"}, Usage: "know the connections that are saved at this `URL` or path"}
}

// withSaved compiles a query; if it names tables or profiles that it does not define, once more with the connections that
// are saved in the state directory. So a query that needs none is planned without looking there.
func (s *session) withSaved(ctx context.Context, o sql.Options, stateDir string, compile func(sql.Options) fault.List) (fault.List, error) {
	faults := compile(o)
	if stateDir == "" {
		stateDir = s.config.Run.StateDir
	}
	if stateDir == "" || !namesUnknown(faults) {
		return faults, nil
	}
	if err := s.readSaved(ctx, stateDir, &o); err != nil {
		return nil, err
	}
	if len(o.Tables)+len(o.Profiles) == 0 {
		return faults, nil
	}
	return compile(o), nil
}

func namesUnknown(faults fault.List) bool {
	for _, f := range faults {
		if f.Code == bind.CodeUnknownTable || f.Code == bind.CodeUnknownProfile {
			return true
		}
	}
	return false
}

// readSaved adds the saved connections of a state directory, which is not changed and need not be there.
func (s *session) readSaved(ctx context.Context, stateDir string, o *sql.Options) error {
	opener := blob.Opener{Clock: s.clock}
	p, err := s.openPlace(ctx, &opener, stateDir)
	if err != nil {
		return err
	}
	defer p.bucket.Close()
	path, local := p.local(backup.Object)
	if !local {
		dir, err := os.MkdirTemp("", "wadi-")
		if err != nil {
			return asUser(err, os.TempDir())
		}
		defer os.RemoveAll(dir)
		path = filepath.Join(dir, backup.Object)
		if found, err := backup.Download(ctx, p.bucket, path); err != nil || !found {
			return err
		}
	}
	db, err := meta.OpenReader(ctx, path)
	if fault.Is(err, fault.CodeNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer db.Close()
	return connection.Saved(ctx, db, o)
}

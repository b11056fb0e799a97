package meta_test

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"wadi/dataflow/fault"
	"wadi/storage/disk"
	"wadi/storage/meta"
)

func TestReopenAndOddNames(t *testing.T) {
	for _, name := range []string{"state.sqlite", "a b", "q?x=1", "h#f", "p%41", "ü", "file:x"} {
		path := filepath.Join(t.TempDir(), name, "state.sqlite")
		db, err := meta.Open(t.Context(), path)
		must(t, err)
		id := create(t, db, "p").Pipeline.ID
		must(t, db.Close())
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Errorf("%s: after Close there are %v, %v", name, entries, err)
		}
		db, err = meta.Open(t.Context(), path)
		must(t, err)
		if _, err := db.GetPipeline(t.Context(), id); err != nil || db.Path() != path {
			t.Errorf("%s: %v, %s", name, err, db.Path())
		}
		must(t, db.Close())
	}
}

// refused opens a file that cannot be used, and checks that it is left alone and that the fault helps.
func refused(t *testing.T, path string, code fault.Code) *fault.Error {
	t.Helper()
	before, err := os.ReadFile(path)
	must(t, err)
	db, err := meta.Open(t.Context(), path)
	if err == nil {
		_ = db.Close()
		t.Fatalf("%s is taken", path)
	}
	f := wantCode(t, err, code)
	if !strings.Contains(f.Error(), path) || f.Hint == "" || f.Kind != fault.User {
		t.Errorf("%v (%v, hint %q)", f, f.Kind, f.Hint)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed")
	}
	return f
}

func TestDamagedFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.sqlite")
	db, err := meta.Open(t.Context(), path)
	must(t, err)
	for range 50 {
		create(t, db, "p")
	}
	must(t, db.Close())
	whole, err := os.ReadFile(path)
	must(t, err)
	zeroed := bytes.Clone(whole)
	clear(zeroed[4096 : 3*4096])
	for name, content := range map[string][]byte{
		"text":          []byte("hello, this is not a database at all\n"),
		"one byte":      {0},
		"cut":           whole[:len(whole)/2],
		"cut in header": whole[:50],
		"zeroed":        zeroed,
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.sqlite")
			must(t, os.WriteFile(path, content, 0o600))
			f := refused(t, path, meta.CodeCorrupt)
			if !strings.Contains(f.Hint, "move this file away") || !strings.Contains(f.Hint, "manifests") {
				t.Errorf("hint: %s", f.Hint)
			}
		})
	}
	empty := filepath.Join(t.TempDir(), "state.sqlite")
	must(t, os.WriteFile(empty, nil, 0o600))
	db, err = meta.Open(t.Context(), empty)
	must(t, err)
	must(t, db.Close())
}

func TestForeignAndNewerFiles(t *testing.T) {
	for name, c := range map[string]struct {
		sql  string
		code fault.Code
	}{
		"other tables": {"CREATE TABLE t (a)", meta.CodeForeign},
		"other mark":   {"PRAGMA application_id = 5", meta.CodeForeign},
		"newer":        {"PRAGMA application_id = 0x57414449; PRAGMA user_version = 999; CREATE TABLE t (a)", meta.CodeNewer},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.sqlite")
			raw, err := sql.Open("sqlite", path)
			must(t, err)
			_, err = raw.Exec(c.sql)
			must(t, err)
			must(t, raw.Close())
			refused(t, path, c.code)
		})
	}
}

func TestPathsThatCannotBe(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	for path, code := range map[string]fault.Code{
		dir:                                 disk.CodeNotDirectory,
		filepath.Join(file, "state.sqlite"): disk.CodeNotDirectory,
		"/proc/wadi/state.sqlite":           fault.CodeNotFound,
	} {
		_, err := meta.Open(t.Context(), path)
		if f := wantCode(t, err, code); f.Hint == "" {
			t.Errorf("no hint: %v", f)
		}
	}
}

func TestBackupWhileWriting(t *testing.T) {
	db, _ := open(t)
	for range 20 {
		create(t, db, "p")
	}
	var writer sync.WaitGroup
	writer.Go(func() {
		for range 50 {
			if _, err := db.CreatePipeline(context.Background(), meta.NewPipeline{Name: "later", Parallelism: 1}); err != nil {
				t.Error(err)
			}
		}
	})
	copyPath := filepath.Join(t.TempDir(), "it's a copy?.sqlite")
	err := db.Backup(t.Context(), copyPath)
	writer.Wait()
	must(t, err)
	wantCode(t, db.Backup(t.Context(), copyPath), fault.CodeConflict)
	c, err := meta.Open(t.Context(), copyPath)
	must(t, err)
	got, _, err := c.ListPipelines(t.Context(), meta.Page{Limit: 1000})
	if err != nil || len(got) < 20 {
		t.Errorf("the copy has %d pipelines, %v", len(got), err)
	}
	must(t, c.Close())
}

// TestMain lets the test binary be the process that is killed while it writes.
func TestMain(m *testing.M) {
	path := os.Getenv("WADI_META_TEST_CHILD")
	if path == "" {
		os.Exit(m.Run())
	}
	// Ends with its parent, however that ends.
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}()
	ctx := context.Background()
	db, err := meta.Open(ctx, path)
	if err != nil {
		panic(err)
	}
	for {
		pj, err := db.CreatePipeline(ctx, meta.NewPipeline{Name: "p", Parallelism: 1})
		if err != nil {
			panic(err)
		}
		_, _ = os.Stdout.WriteString(pj.Pipeline.ID + "\n")
	}
}

func TestKilledWhileWriting(t *testing.T) {
	exe, err := os.Executable()
	must(t, err)
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "state.sqlite")
		cmd := exec.Command(exe)
		cmd.Env = append(os.Environ(), "WADI_META_TEST_CHILD="+path)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		_, err = cmd.StdinPipe()
		must(t, err)
		must(t, cmd.Start())
		var said bytes.Buffer
		buf := make([]byte, 14)
		for said.Len() < 14*(1+5*round) {
			n, err := out.Read(buf)
			must(t, err)
			said.Write(buf[:n])
		}
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		db, err := meta.Open(t.Context(), path)
		must(t, err)
		for id := range strings.FieldsSeq(said.String()) {
			if len(id) < 13 {
				continue
			}
			if _, err := db.GetPipeline(t.Context(), id); err != nil {
				t.Errorf("round %d: %s was reported and is lost: %v", round, id, err)
			}
		}
		must(t, db.Close())
	}
}

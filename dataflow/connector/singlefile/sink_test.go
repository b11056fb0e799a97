package singlefile_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"wadi/dataflow/connector"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/connector/singlefile"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

func openSink(t *testing.T, path string, from *connectortest.State) (operator.Operator, error) {
	t.Helper()
	h := connectortest.NewHost(t, 0, 1, 10)
	if from != nil {
		h.Env.Restore = from.Reader()
	}
	return singlefile.Declaration().NewSink(connector.SinkConfig{
		Spec: &graph.SinkSpec{Options: map[string]string{"path": path}}, In: connectortest.TextSchema, Env: h.Env,
		NewEncoder: func() (format.Encoder, error) { return connectortest.Plain{}, nil },
	})
}

func mustSink(t *testing.T, path string, from *connectortest.State) operator.Operator {
	t.Helper()
	s, err := openSink(t, path, from)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t *testing.T, s operator.Operator, rows ...string) {
	t.Helper()
	if err := s.Process(0, connectortest.Texts(rows...), nil); err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSinkRestoresAtEveryRow(t *testing.T) {
	rows := []string{"a", "bb", "", "cccc", "d"}
	want := strings.Join(rows, "\n") + "\n"
	path := filepath.Join(t.TempDir(), "new", "dir", "out.txt")
	for at := 0; at <= len(rows); at++ {
		for beyond := at; beyond <= len(rows); beyond++ {
			s := mustSink(t, path, nil)
			for _, r := range rows[:at] {
				put(t, s, r)
			}
			st := snapshot(t, s)
			for _, r := range rows[at:beyond] {
				put(t, s, r)
			}
			s.Close()
			s = mustSink(t, path, st)
			put(t, s, rows[at:]...)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if got := contents(t, path); got != want {
				t.Errorf("checkpoint after %d, crash after %d: got %q", at, beyond, got)
			}
		}
	}
}

func TestFreshStartEmptiesTheFile(t *testing.T) {
	path := file(t, "old\n")
	if err := mustSink(t, path, nil).Close(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestSinkOfAnotherPathStartsEmpty(t *testing.T) {
	s := mustSink(t, file(t, ""), nil)
	put(t, s, "a")
	st := snapshot(t, s)
	s.Close()
	other := file(t, "old")
	s = mustSink(t, other, st)
	defer s.Close()
	if got := contents(t, other); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestRemovedOutputIsNoticed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	s := mustSink(t, path, nil)
	put(t, s, "hello")
	st := snapshot(t, s)
	s.Close()
	for _, spoil := range []func(){func() { os.Truncate(path, 3) }, func() { os.Remove(path) }} {
		spoil()
		_, err := openSink(t, path, st)
		if f := fault.As(err); err == nil || f.Kind != fault.User || f.Code != singlefile.CodeChanged || f.Hint == "" {
			t.Errorf("got %v", err)
		}
	}
}

func TestOutputChangedUnderARunningSink(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"removed":  os.Remove,
		"cut":      func(p string) error { return os.Truncate(p, 0) },
		"replaced": func(p string) error { os.Rename(p, p+".1"); return os.WriteFile(p, []byte("hello\n"), 0o644) },
	} {
		path := filepath.Join(t.TempDir(), "out.txt")
		s := mustSink(t, path, nil)
		put(t, s, "hello")
		if err := spoil(path); err != nil {
			t.Fatal(err)
		}
		if err := s.Snapshot(connectortest.NewState()); !fault.Is(err, singlefile.CodeChanged) {
			t.Errorf("%s: got %v", name, err)
		}
		s.Close()
	}
}

func TestTwoSinksOfOneFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.txt")
	s := mustSink(t, path, nil)
	put(t, s, "a")
	if _, err := openSink(t, path, nil); err == nil || fault.As(err).Hint == "" {
		t.Errorf("got %v", err)
	}
	if got := contents(t, path); got != "a\n" {
		t.Errorf("the second sink changed the file to %q", got)
	}
	s.Close()
	s = mustSink(t, path, nil)
	s.Close()
}

func TestAJobDoesNotOverwriteWhatItReads(t *testing.T) {
	path := file(t, "a\n")
	other := path + ".link"
	if err := os.Symlink(path, other); err != nil {
		t.Fatal(err)
	}
	h := connectortest.NewHost(t, 0, 1, 10)
	d := singlefile.Declaration()
	src, err := d.NewSource(connector.SourceConfig{Env: h.Env, Spec: &graph.SourceSpec{Options: map[string]string{"path": path}},
		NewDecoder: func() (format.Decoder, error) { return connectortest.NewPlain(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	sink := func() error {
		s, err := d.NewSink(connector.SinkConfig{Env: h.Env, Spec: &graph.SinkSpec{Options: map[string]string{"path": other}},
			NewEncoder: func() (format.Encoder, error) { return connectortest.Plain{}, nil }})
		if err == nil {
			err = s.Close()
		}
		return err
	}
	if err := sink(); fault.As(err) == nil || fault.As(err).Kind != fault.User || contents(t, path) != "a\n" {
		t.Errorf("got %v, and the file holds %q", err, contents(t, path))
	}
	src.Close()
	if err := sink(); err != nil {
		t.Errorf("after the source was closed: %v", err)
	}
}

func TestSinksThatCannotBeWritten(t *testing.T) {
	dir := t.TempDir()
	for path, want := range map[string]string{
		dir:                                   "is a directory",
		"/dev/full":                           "not a file",
		filepath.Join(file(t, ""), "x", "y"):  "where a directory is needed",
		filepath.Join("/proc", "nodir", "x"):  "",
		strings.Repeat("x", 5000):             "cannot be followed",
		filepath.Join("/sys", "wadi", "test"): "",
	} {
		s, err := openSink(t, path, nil)
		if err == nil {
			s.Close()
			t.Errorf("%.40s: opened", path)
			continue
		}
		if f := fault.As(err); f.Kind == fault.Internal || f.Hint == "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: got %v", path, err)
		}
	}
}

package run_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"wadi/worker/racing"
)

// reading is a query over in.ndjson.
func reading(t *testing.T, dir, with string, data []byte) string {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "in.ndjson"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "read.sql")
	text := "CREATE TABLE t (a TEXT) WITH (connector = 'single_file', path = 'in.ndjson', type = 'source', format = 'json'" + with + ");\n" +
		"SELECT a FROM t;\n"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBytesThatAreNoText(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"NUL":           "{\"a\":\"sec\x00ret\"}\n",
		"invalid UTF-8": "{\"a\":\"sec\xffret\"}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			data := []byte("{\"a\":\"x\"}\n" + line + "{\"a\":\"y\"}\n")
			w := once(t, dir, nil, "run", reading(t, dir, "", data)).want(1)
			if text := w.stderr.String(); !strings.Contains(text, "in.ndjson:2: ") || strings.Contains(text, "ret") || !strings.Contains(text, "hint: ") {
				t.Errorf("stderr: %s", text)
			}
			w = once(t, dir, nil, "run", reading(t, dir, ", bad_data = 'drop'", data)).want(0)
			if got := w.stdout.String(); got != "{\"a\":\"x\"}\n{\"a\":\"y\"}\n" {
				t.Errorf("stdout: %s", got)
			}
		})
	}
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := append(append([]byte(`{"a":"`), bytes.Repeat([]byte("x"), 10<<20)...), []byte("\"}\n")...)
	w := once(t, dir, nil, "run", reading(t, dir, "", long)).want(0)
	if w.stdout.String() != string(long) {
		t.Errorf("a line of 10 MB came out as %d bytes", len(w.stdout.String()))
	}
	// A gigabyte without an end of line, none of it on the disk, is refused long before all of it is read.
	query := reading(t, dir, "", nil)
	if err := os.Truncate(filepath.Join(dir, "in.ndjson"), 1<<30); err != nil {
		t.Fatal(err)
	}
	w = once(t, dir, nil, "run", query).want(1)
	if text := w.stderr.String(); !strings.Contains(text, "in.ndjson:1: ") || !strings.Contains(text, "hint: ") {
		t.Errorf("stderr: %s", text)
	}
	if kb := maxRSS(w.cmd); kb > 512<<10 && !racing.On {
		t.Errorf("took %d MB for it", kb>>10)
	}
}

func TestFileThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		t.Skip("root may read everything")
	}
	dir := t.TempDir()
	query := reading(t, dir, "", []byte("{}\n"))
	if err := os.Chmod(filepath.Join(dir, "in.ndjson"), 0); err != nil {
		t.Fatal(err)
	}
	w := once(t, dir, nil, "run", query).want(1)
	if text := w.stderr.String(); !strings.Contains(text, "in.ndjson") || !strings.Contains(text, "hint: ") {
		t.Errorf("stderr: %s", text)
	}
}

func TestRowsThroughAPipe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "pipe.sql")
	text := "CREATE TABLE t (a BIGINT) WITH (connector = 'stdin', format = 'json'); SELECT a FROM t WHERE a % 2 = 0;"
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	data := "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n"
	for _, p := range []string{"1", "3"} {
		w := start(t, dir, nil, func(c *exec.Cmd) { c.Stdin = strings.NewReader(data) }, "run", "-p", p, path).want(0)
		if got := w.stdout.String(); got != "{\"a\":2}\n{\"a\":4}\n" {
			t.Errorf("at parallelism %s: %s", p, got)
		}
	}
}

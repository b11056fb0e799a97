package run_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// counting is a query over an endless, or a bounded, counter.
func counting(t *testing.T, dir string, options string) string {
	t.Helper()
	path := filepath.Join(dir, "count.sql")
	text := `CREATE TABLE c WITH (connector = 'impulse', ` + options + `);
SELECT counter FROM c;
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// counted parses the rows of counting.
func counted(t *testing.T, out string) []int {
	t.Helper()
	var ns []int
	for _, l := range strings.Split(strings.TrimSuffix(out, "\n"), "\n") {
		var row struct{ Counter *int }
		if err := json.Unmarshal([]byte(l), &row); err != nil || row.Counter == nil {
			t.Fatalf("standard output has a line that is no row: %q", l)
		}
		ns = append(ns, *row.Counter)
	}
	return ns
}

var frequent = []string{"WADI__DEFAULT_CHECKPOINT_INTERVAL=50ms", "WADI__PIPELINE__SOURCE_BATCH_LINGER=5ms"}

func TestFirstSignalStopsWithACheckpoint(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			query := counting(t, dir, "event_rate = '1000'")
			checkpoints := filepath.Join(dir, "checkpoints")
			env := []string{"WADI__CHECKPOINT_URL=" + checkpoints}
			w := start(t, dir, env, nil, "run", "--name", "my count", query).prints(`"counter":20`)
			w.signal(signal)
			w.want(0)
			first := counted(t, w.stdout.String())

			// What it says to go on with is a command that does so, without a gap and without a row twice.
			m := regexp.MustCompile(`to go on from here: wadi (.*)\n`).FindStringSubmatch(w.stderr.String())
			if m == nil {
				t.Fatalf("no word of how to go on: %s", w.stderr.String())
			}
			again := start(t, dir, env, func(c *exec.Cmd) {
				c.Args = append([]string{c.Path}, shellWords(t, m[1])...)
			})
			again.prints(fmt.Sprintf(`"counter":%d}`, len(first)+20))
			again.signal(signal)
			again.want(0)
			for i, n := range append(first, counted(t, again.stdout.String())...) {
				if n != i {
					t.Fatalf("row %d is %d", i, n)
				}
			}
		})
	}
}

// shellWords lets a shell split a command line.
func shellWords(t *testing.T, line string) []string {
	t.Helper()
	out, err := exec.Command("sh", "-c", `for w in `+line+`; do printf '%s\n' "$w"; done`).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
}

// blocked starts a pipeline whose output nobody reads, and waits until it has to wait for that.
func blocked(t *testing.T, env ...string) *wadi {
	t.Helper()
	dir := t.TempDir()
	query := counting(t, dir, "event_rate = '1000000000'")
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	w := start(t, dir, env, func(c *exec.Cmd) { c.Stdout = out }, "run", query)
	out.Close()
	w.says("is running")
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestSecondSignalEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := blocked(t)
	w.signal(syscall.SIGINT)
	w.says("a last checkpoint is taken")
	w.signal(syscall.SIGTERM) // another one than the first: a second at once
	w.want(128)
}

// timeout(1) and shells signal a process and its group: that is one signal, and the end is an orderly one.
func TestSignalThatComesTwiceAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := start(t, dir, nil, nil, "run", "--state-dir", "state", counting(t, dir, "event_rate = '1000'")).prints(`"counter":20`)
	w.signal(syscall.SIGTERM)
	w.signal(syscall.SIGTERM)
	w.want(0)
}

func TestDrainThatTakesTooLong(t *testing.T) {
	t.Parallel()
	w := blocked(t, "WADI__RUN__DRAIN_TIMEOUT=300ms")
	w.signal(syscall.SIGTERM)
	w.want(129)
	if !strings.Contains(w.stderr.String(), "did not stop in time") {
		t.Errorf("stderr: %s", w.stderr.String())
	}
}

func TestSignalBeforeThereIsAPipeline(t *testing.T) {
	t.Parallel()
	r, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	dir := t.TempDir()
	w := start(t, dir, []string{"WADI__CHECKPOINT_URL=" + dir + "/checkpoints"}, func(c *exec.Cmd) { c.Stdin = r }, "run", "--log-level", "debug")
	r.Close()
	w.says("reading the query")
	w.signal(syscall.SIGINT)
	w.want(0)
	if _, err := os.Stat(dir + "/checkpoints"); err == nil {
		t.Error("a state directory was made")
	}
}

func TestReaderOfTheOutputGoesAway(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	query := counting(t, dir, "event_rate = '100000', message_count = '30000'")
	r, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"run", "--state-dir", "state", query}
	w := start(t, dir, frequent, func(c *exec.Cmd) { c.Stdout = out }, args...)
	out.Close()
	if _, err := r.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	r.Close()
	w.want(1)
	if text := w.stderr.String(); !strings.Contains(text, "standard output was closed by its reader") || strings.Contains(text, "Recovering") {
		t.Errorf("stderr: %s", text)
	}
	// After the failure the same command goes on to the end.
	again := once(t, dir, frequent, args...).want(0)
	rows := counted(t, again.stdout.String())
	if last := rows[len(rows)-1]; last != 29999 {
		t.Errorf("the last row is %d", last)
	}
	once(t, dir, frequent, args...).want(0).says("already finished")
}

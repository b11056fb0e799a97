package run_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"testing"
)

func TestSecondRunIsRefusedAndForceTakesOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	query := counting(t, dir, "event_rate = '1000'")
	first := start(t, dir, frequent, nil, "run", "-s", "state", query).prints(`"counter":10`)
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	refused := once(t, dir, frequent, "run", "-s", "state", query).want(1)
	for _, want := range []string{host, fmt.Sprint(first.cmd.Process.Pid), "--force"} {
		if !strings.Contains(refused.stderr.String(), want) {
			t.Errorf("no %q in %s", want, refused.stderr.String())
		}
	}
	if refused.stdout.String() != "" {
		t.Error("the refused one wrote rows")
	}
	second := start(t, dir, frequent, nil, "run", "-s", "state", "--force", query).prints(`"counter":`)
	first.want(1) // it finds out and fences itself
	if !strings.Contains(first.stderr.String(), "error: ") {
		t.Errorf("the first one does not say why it ends: %s", first.stderr.String())
	}
	second.prints(fmt.Sprintf(`"counter":%d}`, counted(t, second.stdout.String())[0]+100))
	second.signal(syscall.SIGINT)
	second.want(0)
}

// killed runs the counter until it has taken some checkpoints, and kills it.
func killed(t *testing.T, dir string, env []string, state, query string) []int {
	t.Helper()
	w := start(t, dir, append(env, frequent...), nil, "run", "-s", state, query).prints(`"counter":500}`)
	if state == "state" {
		w.until("three checkpoints", func() bool { return len(checkpointsOf(t, dir)) >= 3 })
	}
	_ = w.cmd.Process.Kill()
	<-w.exited
	rows := w.stdout.String()
	return counted(t, rows[:strings.LastIndexByte(rows, '\n')+1])
}

func TestDamagedNewestCheckpointFallsBackLoudly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	query := counting(t, dir, "event_rate = '1000'")
	killed(t, dir, nil, "state", query)
	records := checkpointsOf(t, dir)
	if len(records) < 2 {
		t.Fatalf("checkpoints %v", records)
	}
	sort.Strings(records)
	// A manifest without a record is not durable, so the newest record says which one counts.
	epoch := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(records[len(records)-1]), "epoch-"), ".record")
	found, err := filepath.Glob(filepath.Join(dir, "state/pl_*/job_*/generations/1/checkpoints/checkpoint-"+epoch+"/manifest.json"))
	if err != nil || len(found) != 1 {
		t.Fatalf("manifests %v, %v", found, err)
	}
	newest := found[0]
	if err := os.WriteFile(newest, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	w := start(t, dir, frequent, nil, "run", "-s", "state", query)
	w.says(filepath.Base(filepath.Dir(newest))).prints(`"counter":`)
	w.signal(syscall.SIGINT)
	w.want(0)
	if first := counted(t, w.stdout.String())[0]; first == 0 {
		t.Error("it started from the beginning")
	}
}

func TestStateWithoutItsDatabase(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	query := counting(t, dir, "event_rate = '1000'")
	killed(t, dir, nil, "state", query)
	for _, name := range []string{"state.sqlite", "state.sqlite-wal", "state.sqlite-shm"} {
		if err := os.Remove(filepath.Join(dir, "state", name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	w := start(t, dir, frequent, nil, "run", "-s", "state", query).prints(`"counter":`)
	w.signal(syscall.SIGINT)
	w.want(0)
	if first := counted(t, w.stdout.String())[0]; first == 0 {
		t.Error("it started from the beginning")
	}
}

func TestObjectStoreHoldsEverything(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	env := startS3(t, "bucket")
	query := counting(t, dir, "event_rate = '1000', message_count = '1500'")
	const state = "s3://bucket/a/b"
	killed(t, dir, env, state, query)
	// Another machine has nothing but the bucket.
	elsewhere := t.TempDir()
	query = counting(t, elsewhere, "event_rate = '1000', message_count = '1500'")
	w := once(t, elsewhere, append(env, frequent...), "run", "-s", state, query).want(0)
	rows := counted(t, w.stdout.String())
	if rows[0] == 0 || rows[len(rows)-1] != 1499 {
		t.Errorf("rows %d to %d", rows[0], rows[len(rows)-1])
	}
	once(t, elsewhere, env, "run", "-s", state, query).want(0).says("already finished")
	if left, _ := filepath.Glob(os.TempDir() + "/wadi-*/state.sqlite"); len(left) > 0 && strings.HasPrefix(os.TempDir(), dir) {
		t.Errorf("left %v", left)
	}
	refused := once(t, dir, append(env, "AWS_ENDPOINT_URL=http://127.0.0.1:1"), "run", "-s", "s3://none/x", query)
	refused.want(1)
	if !strings.Contains(refused.stderr.String(), "hint: ") {
		t.Errorf("stderr: %s", refused.stderr.String())
	}
}

func TestUnwritableStateDirectory(t *testing.T) {
	t.Parallel()
	if os.Getuid() == 0 {
		// Root writes everywhere but to what is no real file system.
		dir := t.TempDir()
		w := once(t, dir, nil, "run", "-s", "/proc/wadi-state", counting(t, dir, "event_rate = '1', message_count = '1'"))
		w.want(1)
		if !strings.Contains(w.stderr.String(), "/proc/wadi-state") || !strings.Contains(w.stderr.String(), "hint: ") {
			t.Errorf("stderr: %s", w.stderr.String())
		}
		return
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "closed"), 0o500); err != nil {
		t.Fatal(err)
	}
	w := once(t, dir, nil, "run", "-s", "closed/state", counting(t, dir, "event_rate = '1', message_count = '1'")).want(1)
	if !strings.Contains(w.stderr.String(), "permission") || !strings.Contains(w.stderr.String(), "hint: ") {
		t.Errorf("stderr: %s", w.stderr.String())
	}
}

// stdinQuery counts lines of standard input in windows of a second.
func stdinQuery(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "stdin.sql")
	text := `CREATE TABLE events (at TIMESTAMP NOT NULL, WATERMARK FOR at) WITH (connector = 'stdin', format = 'json');
SELECT window.start AS start, n FROM (SELECT tumble(INTERVAL '1 second') AS window, count(*) AS n FROM events GROUP BY window);
`
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWindowsOverStandardInputComeWhileInputGoesOn(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	query := stdinQuery(t, dir)
	r, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	w := start(t, dir, nil, func(c *exec.Cmd) { c.Stdin = r }, "run", "-s", "state", query)
	r.Close()
	event := func(second int) {
		if _, err := fmt.Fprintf(in, `{"at":"2026-01-01T00:00:%02dZ"}`+"\n", second); err != nil {
			t.Fatal(err)
		}
	}
	w.says("is running")
	event(0)
	event(0)
	event(1)
	w.printsWithin(`{"start":"2026-01-01T00:00:00","n":2}`)
	event(2)
	w.printsWithin(`{"start":"2026-01-01T00:00:01","n":1}`)
	w.signal(syscall.SIGINT)
	w.want(0)
	in.Close()

	// A resumed one says what it may have lost: nothing after a clean stop. A closed input ends it.
	again := start(t, dir, nil, func(c *exec.Cmd) { c.Stdin = strings.NewReader(`{"at":"2026-01-01T00:00:02Z"}` + "\n") }, "run", "-s", "state", query)
	again.want(0)
	if !strings.Contains(again.stderr.String(), "none is lost") {
		t.Errorf("stderr: %s", again.stderr.String())
	}
	if got := again.stdout.String(); got != `{"start":"2026-01-01T00:00:02","n":2}`+"\n" {
		t.Errorf("stdout: %s", got)
	}
}

func TestStandardInputAfterAKillWithoutACheckpoint(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	query := stdinQuery(t, dir)
	r, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	w := start(t, dir, nil, func(c *exec.Cmd) { c.Stdin = r }, "run", "-s", "state", query)
	r.Close()
	w.says("is running")
	_ = w.cmd.Process.Kill()
	<-w.exited
	again := start(t, dir, nil, func(c *exec.Cmd) { c.Stdin = strings.NewReader(`{"at":"2026-01-01T00:00:06Z"}` + "\n") }, "run", "-s", "state", query)
	again.want(0)
	if text := again.stderr.String(); !strings.Contains(text, "standard input starts over") || !strings.Contains(text, "hint: ") {
		t.Errorf("stderr: %s", text)
	}
}

func TestStandardInputAfterAKill(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	query := stdinQuery(t, dir)
	r, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	w := start(t, dir, frequent, func(c *exec.Cmd) { c.Stdin = r }, "run", "-s", "state", query)
	r.Close()
	if _, err := fmt.Fprint(in, `{"at":"2026-01-01T00:00:00Z"}`+"\n"+`{"at":"2026-01-01T00:00:05Z"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	w.prints(`"n":1`)
	before := len(checkpointsOf(t, dir))
	w.until("two more checkpoints", func() bool { return len(checkpointsOf(t, dir)) >= before+2 })
	_ = w.cmd.Process.Kill()
	<-w.exited
	again := start(t, dir, nil, func(c *exec.Cmd) { c.Stdin = strings.NewReader(`{"at":"2026-01-01T00:00:06Z"}` + "\n") }, "run", "-s", "state", query)
	again.want(0)
	if text := again.stderr.String(); !strings.Contains(text, "lines after line 2 ") || !strings.Contains(text, "hint: ") {
		t.Errorf("stderr: %s", text)
	}
}

// checkpointsOf lists the records of durable checkpoints.
func checkpointsOf(t *testing.T, dir string) []string {
	t.Helper()
	records, err := filepath.Glob(filepath.Join(dir, "state/pl_*/job_*/epochs/*.record"))
	if err != nil {
		t.Fatal(err)
	}
	return records
}

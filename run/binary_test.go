package run_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"wadi/run"
	"wadi/worker/racing"
)

// asWadi makes the test binary the real one.
const asWadi = "WADI_TEST_IS_WADI"

func TestMain(m *testing.M) {
	if racing.On {
		patience *= 6
	}
	if os.Getenv(asWadi) != "" {
		os.Unsetenv(asWadi)
		os.Exit(run.Main(run.System()))
	}
	testscript.Main(m, map[string]func(){
		"wadi": func() { os.Exit(run.Main(run.System())) },
	})
}

// patience bounds every wait for something that is about to happen.
var patience = 30 * time.Second

// output collects what a process writes; it may be read while the process runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// wadi is a running binary.
type wadi struct {
	t              *testing.T
	cmd            *exec.Cmd
	stdout, stderr output
	exited         chan struct{}
}

// start runs the binary in dir. env is added to a clean environment; change may alter the command before it starts.
func start(t *testing.T, dir string, env []string, change func(*exec.Cmd), args ...string) *wadi {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := &wadi{t: t, exited: make(chan struct{})}
	w.cmd = exec.CommandContext(context.Background(), self, args...)
	w.cmd.Dir, w.cmd.Stdout, w.cmd.Stderr = dir, &w.stdout, &w.stderr
	w.cmd.Env = append([]string{
		asWadi + "=1", "PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TMPDIR=" + t.TempDir(), "WADI__CHECKPOINT_URL=" + t.TempDir() + "/checkpoints",
	}, env...)
	if change != nil {
		change(w.cmd)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = w.cmd.Wait() // its outcome is in ProcessState
		close(w.exited)
	}()
	t.Cleanup(func() {
		_ = w.cmd.Process.Kill()
		<-w.exited
	})
	return w
}

func (w *wadi) signal(s syscall.Signal) {
	w.t.Helper()
	if err := w.cmd.Process.Signal(s); err != nil {
		w.t.Fatal(err)
	}
}

// wait waits for the end and gives the exit code; -1 after a signal.
func (w *wadi) wait() int {
	w.t.Helper()
	select {
	case <-w.exited:
	case <-time.After(patience):
		_ = w.cmd.Process.Signal(syscall.SIGQUIT) // for the stacks
		<-w.exited
		w.t.Fatalf("%v still ran after %s:\n%s", w.cmd.Args, patience, w.stderr.String())
	}
	return w.cmd.ProcessState.ExitCode()
}

// want waits for the end and checks the exit code.
func (w *wadi) want(code int) *wadi {
	w.t.Helper()
	if got := w.wait(); got != code {
		w.t.Fatalf("exit code %d, want %d\nstdout: %s\nstderr: %s", got, code, clip(w.stdout.String()), w.stderr.String())
	}
	return w
}

// until waits for a condition.
func (w *wadi) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(patience); !ok(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("no %s after %s\nstdout: %s\nstderr: %s", what, patience, clip(w.stdout.String()), w.stderr.String())
		}
		select {
		case <-w.exited:
			if !ok() {
				w.t.Fatalf("no %s before the end (exit code %d)\nstdout: %s\nstderr: %s",
					what, w.cmd.ProcessState.ExitCode(), clip(w.stdout.String()), w.stderr.String())
			}
			return
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// says waits for a text on standard error.
func (w *wadi) says(text string) *wadi {
	w.t.Helper()
	w.until("“"+text+"” on stderr", func() bool { return strings.Contains(w.stderr.String(), text) })
	return w
}

// prints waits for a text on standard output.
func (w *wadi) prints(text string) *wadi {
	w.t.Helper()
	w.until("“"+text+"” on stdout", func() bool { return strings.Contains(w.stdout.String(), text) })
	return w
}

// printsWithin wants a text on standard output within a second.
func (w *wadi) printsWithin(text string) {
	w.t.Helper()
	began := time.Now()
	w.prints(text)
	if d := time.Since(began); d > time.Second {
		w.t.Errorf("%q came after %s", text, d)
	}
}

// once runs the binary to its end.
func once(t *testing.T, dir string, env []string, args ...string) *wadi {
	t.Helper()
	w := start(t, dir, env, nil, args...)
	w.wait()
	return w
}

func clip(s string) string {
	if len(s) > 2000 {
		return s[:1000] + "\n…\n" + s[len(s)-1000:]
	}
	return s
}

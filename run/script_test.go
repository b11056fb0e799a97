package run_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs testdata/script: the command line as a person uses it. Besides testscript's own commands there are
//
//	code N wadi …       runs it and wants this exit code
//	files DIR           wants DIR to be absent or empty
//
// $REPO is the root of the repository; state directories that nobody names come up in $WORK/checkpoints.
func TestScripts(t *testing.T) {
	repo, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("REPO", repo)
			e.Setenv("WADI__CHECKPOINT_URL", filepath.Join(e.WorkDir, "checkpoints"))
			e.Setenv("XDG_CONFIG_HOME", filepath.Join(e.WorkDir, "config"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   wantCode,
			"repeat": repeat,
		},
		RequireExplicitExec: true, RequireUniqueNames: true,
	})
}

func wantCode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N command …")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	if out := ts.ReadFile("stderr"); strings.Contains(out, "goroutine ") || strings.Contains(out, "panic") {
		ts.Fatalf("a stack trace")
	}
}

// repeat N FILE PREFIX BODY… writes a line of PREFIX, N times BODY.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 5 {
		ts.Fatalf("usage: repeat FILE N HEAD BODY TAIL")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(writeFile(ts.MkAbs(args[0]), args[2]+strings.Repeat(args[3], n)+args[4]+"\n"))
}

func writeFile(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }

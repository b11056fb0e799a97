package run

import (
	"strings"
	"testing"
)

func TestOptionsMayStandAnywhere(t *testing.T) {
	app := newApp(Process{})
	for in, want := range map[string]string{
		"run q.sql -p 4 --log-level debug":    "--log-level debug run -p 4 q.sql",
		"-c x.toml run -s=dir --force q.sql":  "-c x.toml run -s=dir --force q.sql",
		"run --name=a -":                      "run --name=a -",
		"run -- -odd.sql":                     "run -- -odd.sql",
		"run a.sql b.sql -f":                  "run -f -- a.sql b.sql",
		"visualize q.sql --format dot -c a.b": "-c a.b visualize --format dot -- q.sql",
		"--help":                              "--help",
		"run -p":                              "run -p",
	} {
		got := reorder(app, append([]string{"wadi"}, strings.Fields(in)...))
		// The library takes words after -- and words without it alike.
		if g := strings.ReplaceAll(strings.Join(got[1:], " "), " -- ", " "); g != strings.ReplaceAll(want, " -- ", " ") {
			t.Errorf("%s\n becomes %s\n    want %s", in, g, want)
		}
	}
}

func TestResumeCommandIsForAShell(t *testing.T) {
	for in, want := range map[string]string{
		"run q.sql":                          "wadi run q.sql --state-dir s3://b/x",
		"run -s old --force q.sql -p 2":      "wadi run q.sql -p 2 --state-dir s3://b/x",
		"run --state-dir=old -f my\u00a0q":   "wadi run 'my\u00a0q' --state-dir s3://b/x",
		"-c it's.toml --log-format json run": "wadi -c 'it'\\''s.toml' --log-format json run --state-dir s3://b/x < the same query",
	} {
		name := "q.sql"
		if strings.HasSuffix(in, "run") {
			name = fromStdin
		}
		args := append([]string{"/usr/bin/wadi"}, strings.Split(in, " ")...)
		if got := resumeCommand(args, "s3://b/x", name); got != want {
			t.Errorf("%s\n becomes %s\n    want %s", in, got, want)
		}
	}
}

func TestIdsAreUnlikeEachOther(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newIdentity("n", "q")
		if seen[id.PipelineID] || seen[id.JobID] || !strings.HasPrefix(id.JobID, "job_") || len(id.PipelineID) != len("pl_")+10 {
			t.Fatalf("ids %s and %s", id.PipelineID, id.JobID)
		}
		seen[id.PipelineID], seen[id.JobID] = true, true
	}
}

package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"wadi/run/config"
)

var update = flag.Bool("update", false, "write docs/configuration.md")

func TestReferenceIsUpToDate(t *testing.T) {
	path := filepath.Join("..", "..", "docs", "configuration.md")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(config.Reference()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != config.Reference() {
		t.Error("docs/configuration.md is stale: go test ./run/config -run TestReferenceIsUpToDate -update")
	}
}

// write makes a file below a fresh folder and gives both.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, w config.Where) (*config.Config, map[string]config.Setting) {
	t.Helper()
	c, settings, err := config.Load(w)
	if err != nil {
		t.Fatal(err)
	}
	byKey := map[string]config.Setting{}
	for _, s := range settings {
		byKey[s.Key] = s
	}
	return c, byKey
}

func TestDefaults(t *testing.T) {
	c, settings := load(t, config.Where{})
	if c.CheckpointInterval != 10*time.Second || c.API.BindAddress != "127.0.0.1" || c.Pipeline.AllowedRestarts != 20 || !c.Pipeline.ChainingEnabled {
		t.Errorf("defaults are %+v", c)
	}
	for key, s := range settings {
		if s.Source != "default" {
			t.Errorf("%s comes from %s", key, s.Source)
		}
	}
}

func TestLayersReplaceSingleKeys(t *testing.T) {
	user, work, dir := t.TempDir(), t.TempDir(), t.TempDir()
	w := config.Where{UserDir: user, WorkDir: work, Dir: dir}
	write(t, user, "wadi/config.yaml", "checkpoint-url: user-yaml\nworker: {task-slots: 1}\npipeline: {allowed-restarts: 1}\napi: {http-port: 1}\nrun: {query: q}\n")
	write(t, user, "wadi/config.toml", "checkpoint-url = 'user-toml'\n")
	write(t, work, "wadi.yaml", "checkpoint-url: work-yaml\n")
	workTOML := write(t, work, "wadi.toml", "checkpoint-url = 'work-toml'\n[worker]\ntask-slots = 2\n[api]\nhttp-port = 2\n")
	w.File = write(t, dir, "explicit.json", `{"checkpoint-url": "file", "api": {"http-port": 3}}`)
	write(t, dir, "b.yml", "checkpoint-url: dir-b\n")
	write(t, dir, "a.toml", "checkpoint-url = 'dir-a'\n")
	write(t, dir, "notes.txt", "not configuration")
	w.Env = []string{"ARROYO__PIPELINE__ALLOWED_RESTARTS=5", "ARROYO__WORKER__QUEUE_BYTES=65536", "WADI__WORKER__QUEUE_BYTES=131072", "PATH=/bin"}

	c, settings := load(t, w)
	if c.CheckpointURL != "dir-b" || c.Worker.TaskSlots != 2 || c.API.HTTPPort != 3 || c.Pipeline.AllowedRestarts != 5 ||
		c.Worker.QueueBytes != 131072 || c.Run.Query != "q" {
		t.Errorf("got %+v", c)
	}
	for key, source := range map[string]string{
		"worker.task-slots": workTOML, "pipeline.allowed-restarts": "ARROYO__PIPELINE__ALLOWED_RESTARTS",
		"worker.queue-bytes": "WADI__WORKER__QUEUE_BYTES", "run.state-dir": "default",
	} {
		if settings[key].Source != source {
			t.Errorf("%s comes from %s, want %s", key, settings[key].Source, source)
		}
	}
}

func TestEveryProblemIsNamedWithItsSource(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "bad.toml", "chekpoint-url = 'x'\n[worker]\ntask-slots = 'many'\n[api]\nhttp-port = 70000\n[run.query]\ntext = 'x'\n")
	_, _, err := config.Load(config.Where{File: file, Env: []string{
		"WADI__FOO=1", "WADI__DEFAULT_CHECKPOINT_INTERVAL=soon", "ARROYO__CONTROLLER__SCHEDULER=cron", "WADI__PIPELINE__CHAINING__ENABLED=perhaps",
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		file + ": there is no configuration key chekpoint-url", file + ": worker.task-slots takes a whole number from 1", file + ": api.http-port takes",
		file + ": there is no configuration key run.query.text",
		"WADI__FOO: there is no configuration key foo", "WADI__DEFAULT_CHECKPOINT_INTERVAL: default-checkpoint-interval takes a whole number with a unit",
		"ARROYO__CONTROLLER__SCHEDULER: controller.scheduler takes embedded", "WADI__PIPELINE__CHAINING__ENABLED: pipeline.chaining.enabled takes true or false",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestUnknownKeyHasTheNearestOneAsHint(t *testing.T) {
	_, _, err := config.Load(config.Where{Env: []string{"WADI__CHECKPOINT_ULR=x"}})
	hints := hintsOf(err)
	if !strings.Contains(hints, "checkpoint-url") {
		t.Errorf("hints are %q", hints)
	}
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	for name, w := range map[string]config.Where{
		"no file":      {File: filepath.Join(dir, "none.toml")},
		"no folder":    {Dir: filepath.Join(dir, "none")},
		"no such kind": {File: write(t, dir, "a.ini", "x=1")},
		"bad TOML":     {File: write(t, dir, "b.toml", "x = = 1")},
		"bad YAML":     {File: write(t, dir, "c.yaml", "a: [")},
		"a list":       {File: write(t, dir, "d.yaml", "- a\n")},
		"no key":       {Env: []string{"WADI__API__AUTH_MODE__TYPE=static-api-key"}},
	} {
		if _, _, err := config.Load(w); err == nil {
			t.Errorf("%s: no error", name)
		} else if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: more than a line: %v", name, err)
		}
	}
	// A file for all users may be absent or empty.
	work := t.TempDir()
	write(t, work, "wadi.yaml", "")
	load(t, config.Where{WorkDir: work, UserDir: filepath.Join(dir, "none")})
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5ns": 5, "5 nanos": 5, "2us": 2000, "2micros": 2000, "50ms": 50 * time.Millisecond, "7 millis": 7 * time.Millisecond,
		"10s": 10 * time.Second, "1secs": time.Second, "2m": 2 * time.Minute, "3hrs": 3 * time.Hour,
	} {
		c, _ := load(t, config.Where{Env: []string{"WADI__PIPELINE__TASK_STARTUP_TIME=" + text}})
		if c.Pipeline.TaskStartupTime != want {
			t.Errorf("%s is %s", text, c.Pipeline.TaskStartupTime)
		}
	}
	for _, text := range []string{"", "5", "s", "0s", "1.5s", "-1s", "1h30m", "99999999999999999999s", "9223372036854775807h"} {
		if _, _, err := config.Load(config.Where{Env: []string{"WADI__PIPELINE__TASK_STARTUP_TIME=" + text}}); err == nil {
			t.Errorf("%q was taken for a duration", text)
		}
	}
}

func TestSecretsAreNotShown(t *testing.T) {
	c, settings := load(t, config.Where{Env: []string{"WADI__API__AUTH_MODE__TYPE=static-api-key", "WADI__API__AUTH_MODE__API_KEY=hush"}})
	if c.API.APIKey != "hush" || strings.Contains(settings["api.auth-mode.api-key"].Value, "hush") {
		t.Errorf("key %q shown as %q", c.API.APIKey, settings["api.auth-mode.api-key"].Value)
	}
}

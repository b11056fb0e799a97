package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// key is one configuration key: its default, and how its value gets into a Config.
type key struct {
	name     string
	fallback any
	doc      string
	set      func(c *Config, v any) error
}

// keys lists every key there is, in the order of the documentation.
func keys() []key {
	return []key{
		text("checkpoint-url", "/tmp/wadi/checkpoints", "where checkpoints go when no state directory is given", func(c *Config) *string { return &c.CheckpointURL }),
		duration("default-checkpoint-interval", "10s", "time between two checkpoints", func(c *Config) *time.Duration { return &c.CheckpointInterval }),
		text("run.query", "", "the query of wadi run; wins over the command line", func(c *Config) *string { return &c.Run.Query }),
		text("run.state-dir", "", "the state directory of wadi run; --state-dir wins over it", func(c *Config) *string { return &c.Run.StateDir }),
		duration("run.drain-timeout", "60s", "longest time from the first signal to the end of wadi run", func(c *Config) *time.Duration { return &c.Run.DrainTimeout }),
		text("api.bind-address", "127.0.0.1", "address of the REST server", func(c *Config) *string { return &c.API.BindAddress }),
		number("api.http-port", 5115, 0, 65535, "port of the REST server", func(c *Config) *int { return &c.API.HTTPPort }),
		number("api.run-http-port", 0, 0, 65535, "port of the REST server in wadi run; 0 picks a free one", func(c *Config) *int { return &c.API.RunHTTPPort }),
		choice("api.auth-mode.type", "none", []string{"none", "static-api-key"}, "who may use the REST server", func(c *Config) *string { return &c.API.AuthMode }),
		text("api.auth-mode.api-key", "", "the key of static-api-key", func(c *Config) *string { return &c.API.APIKey }),
		text("controller.bind-address", "127.0.0.1", "address of the controller", func(c *Config) *string { return &c.Controller.BindAddress }),
		number("controller.rpc-port", 5116, 0, 65535, "port of the controller", func(c *Config) *int { return &c.Controller.RPCPort }),
		choice("controller.scheduler", "embedded", []string{"embedded"}, "how workers are started", func(c *Config) *string { return &c.Controller.Scheduler }),
		number("pipeline.source-batch-size", 8192, 1, 1<<20, "rows that a source collects before it sends them on", func(c *Config) *int { return &c.Pipeline.SourceBatchSize }),
		duration("pipeline.source-batch-linger", "100ms", "longest time that a source collects rows", func(c *Config) *time.Duration { return &c.Pipeline.SourceBatchLinger }),
		duration("pipeline.update-aggregate-flush-interval", "1s", "time between two flushes of an updating aggregate", func(c *Config) *time.Duration { return &c.Pipeline.UpdateAggregateFlush }),
		number("pipeline.allowed-restarts", 20, -1, 1<<30, "restarts before a job fails; -1 is no limit", func(c *Config) *int { return &c.Pipeline.AllowedRestarts }),
		duration("pipeline.worker-heartbeat-timeout", "30s", "silence after which a worker counts as lost", func(c *Config) *time.Duration { return &c.Pipeline.WorkerHeartbeatTimeout }),
		duration("pipeline.healthy-duration", "2m", "time of running after which restarts are forgotten", func(c *Config) *time.Duration { return &c.Pipeline.HealthyDuration }),
		duration("pipeline.worker-startup-time", "10m", "longest time that a worker may take to start", func(c *Config) *time.Duration { return &c.Pipeline.WorkerStartupTime }),
		duration("pipeline.task-startup-time", "2m", "longest time that tasks may take to start", func(c *Config) *time.Duration { return &c.Pipeline.TaskStartupTime }),
		duration("pipeline.state-initial-backoff", "500ms", "first wait before a restart", func(c *Config) *time.Duration { return &c.Pipeline.StateInitialBackoff }),
		duration("pipeline.state-max-backoff", "1m", "longest wait before a restart", func(c *Config) *time.Duration { return &c.Pipeline.StateMaxBackoff }),
		choice("pipeline.default-sink", "preview", []string{"preview", "stdout"}, "where the rows of a bare SELECT go; wadi run uses stdout", func(c *Config) *string { return &c.Pipeline.DefaultSink }),
		duration("pipeline.checkpoint.timeout", "10m", "longest time that a checkpoint may take", func(c *Config) *time.Duration { return &c.Pipeline.CheckpointTimeout }),
		boolean("pipeline.chaining.enabled", true, "whether operators call each other directly", func(c *Config) *bool { return &c.Pipeline.ChainingEnabled }),
		number("pipeline.checkpoints-to-keep", 4, 2, 1000, "checkpoints that are kept", func(c *Config) *int { return &c.Pipeline.CheckpointsToKeep }),
		text("worker.bind-address", "127.0.0.1", "address of a worker", func(c *Config) *string { return &c.Worker.BindAddress }),
		number("worker.rpc-port", 0, 0, 65535, "control port of a worker; 0 picks a free one", func(c *Config) *int { return &c.Worker.RPCPort }),
		number("worker.data-port", 0, 0, 65535, "data port of a worker; 0 picks a free one", func(c *Config) *int { return &c.Worker.DataPort }),
		number("worker.task-slots", 16, 1, 1<<20, "subtasks of one operator that a worker takes", func(c *Config) *int { return &c.Worker.TaskSlots }),
		number("worker.queue-bytes", 4<<20, 64<<10, 1<<30, "bytes that may wait between two subtasks", func(c *Config) *int { return &c.Worker.QueueBytes }),
		choice("database.type", "sqlite", []string{"sqlite"}, "kind of metadata database", func(c *Config) *string { return &c.Database.Type }),
		text("database.sqlite.path", "", "path of the SQLite file; wadi run keeps it in the state directory", func(c *Config) *string { return &c.Database.SQLitePath }),
		choice("logging.format", "console", []string{"console", "plaintext", "json", "logfmt"}, "form of log lines", func(c *Config) *string { return &c.Logging.Format }),
		text("logging.level", "", "level, or package=level pairs, as in WADI_LOG", func(c *Config) *string { return &c.Logging.Level }),
	}
}

func text(name, fallback, doc string, at func(*Config) *string) key {
	return key{name, fallback, doc, func(c *Config, v any) error {
		s, ok := scalar(v)
		if !ok {
			return fmt.Errorf("takes text")
		}
		*at(c) = s
		return nil
	}}
}

func choice(name, fallback string, of []string, doc string, at func(*Config) *string) key {
	return key{name, fallback, doc, func(c *Config, v any) error {
		s, _ := scalar(v)
		for _, o := range of {
			if s == o {
				*at(c) = s
				return nil
			}
		}
		return fmt.Errorf("takes %s", strings.Join(of, " or "))
	}}
}

func number(name string, fallback, least, most int, doc string, at func(*Config) *int) key {
	return key{name, fallback, doc, func(c *Config, v any) error {
		s, _ := scalar(v)
		n, err := strconv.Atoi(s)
		if err != nil || n < least || n > most {
			return fmt.Errorf("takes a whole number from %d to %d", least, most)
		}
		*at(c) = n
		return nil
	}}
}

func boolean(name string, fallback bool, doc string, at func(*Config) *bool) key {
	return key{name, fallback, doc, func(c *Config, v any) error {
		s, _ := scalar(v)
		b, err := strconv.ParseBool(s)
		if err != nil {
			return fmt.Errorf("takes true or false")
		}
		*at(c) = b
		return nil
	}}
}

func duration(name, fallback, doc string, at func(*Config) *time.Duration) key {
	return key{name, fallback, doc, func(c *Config, v any) error {
		s, _ := scalar(v)
		d, ok := parseDuration(s)
		if !ok {
			return fmt.Errorf("takes a whole number with a unit, such as 500ms, 10s, 2m or 1h")
		}
		if d == 0 {
			return fmt.Errorf("takes more than no time at all")
		}
		*at(c) = d
		return nil
	}}
}

// scalar gives the text of a value that is not a list or a table.
func scalar(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case bool, int, int64, uint64, float64:
		return fmt.Sprint(x), true
	}
	return "", false
}

// parseDuration reads an integer and a unit, with Arroyo's spellings of the units.
func parseDuration(s string) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	n, err := strconv.ParseInt(s[:i], 10, 64)
	if err != nil {
		return 0, false
	}
	var unit time.Duration
	switch strings.TrimSpace(s[i:]) {
	case "ns", "nanos":
		unit = time.Nanosecond
	case "us", "µs", "micros":
		unit = time.Microsecond
	case "ms", "millis":
		unit = time.Millisecond
	case "s", "secs", "seconds":
		unit = time.Second
	case "m", "mins", "minutes":
		unit = time.Minute
	case "h", "hrs", "hours":
		unit = time.Hour
	default:
		return 0, false
	}
	if n > int64((1<<63-1)/unit) {
		return 0, false
	}
	return time.Duration(n) * unit, true
}

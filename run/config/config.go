package config

import "time"

// Config is the effective configuration.
type Config struct {
	// CheckpointURL is where checkpoints go unless a state directory is given.
	CheckpointURL string
	// CheckpointInterval is the time between the end of one checkpoint and the start of the next.
	CheckpointInterval time.Duration
	Run                Run
	API                API
	Controller         Controller
	Pipeline           Pipeline
	Worker             Worker
	Database           Database
	Logging            Logging
}

// Run configures `wadi run`.
type Run struct {
	// Query, if set, wins over the command line's.
	Query string
	// StateDir loses against --state-dir.
	StateDir string
	// DrainTimeout bounds the time from the first signal to the end of the process.
	DrainTimeout time.Duration
}

// API configures the REST server.
type API struct {
	BindAddress string
	HTTPPort    int
	// RunHTTPPort is the port in `wadi run`; 0 picks a free one.
	RunHTTPPort int
	// AuthMode is "none" or "static-api-key", with APIKey.
	AuthMode string
	APIKey   string
}

// Controller configures the controller.
type Controller struct {
	BindAddress string
	RPCPort     int
	Scheduler   string
}

// Pipeline configures how jobs run.
type Pipeline struct {
	SourceBatchSize        int
	SourceBatchLinger      time.Duration
	UpdateAggregateFlush   time.Duration
	AllowedRestarts        int
	WorkerHeartbeatTimeout time.Duration
	HealthyDuration        time.Duration
	WorkerStartupTime      time.Duration
	TaskStartupTime        time.Duration
	StateInitialBackoff    time.Duration
	StateMaxBackoff        time.Duration
	DefaultSink            string
	CheckpointTimeout      time.Duration
	ChainingEnabled        bool
	CheckpointsToKeep      int
}

// Worker configures workers.
type Worker struct {
	BindAddress string
	RPCPort     int
	DataPort    int
	TaskSlots   int
	// QueueBytes bounds each queue between two subtasks.
	QueueBytes int
}

// Database configures the metadata database.
type Database struct {
	Type       string
	SQLitePath string
}

// Logging configures the log.
type Logging struct {
	// Format is console, plaintext, json or logfmt; Level as WADI_LOG.
	Format string
	Level  string
}

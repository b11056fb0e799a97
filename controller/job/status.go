package job

import (
	"time"

	"wadi/dataflow/fault"
)

// State is a state of the job, as the API shows it.
type State string

// The states of a job.
const (
	Created            State = "Created"
	Scheduling         State = "Scheduling"
	Running            State = "Running"
	CheckpointStopping State = "CheckpointStopping"
	Stopping           State = "Stopping"
	Restarting         State = "Restarting"
	Rescaling          State = "Rescaling"
	Recovering         State = "Recovering"
	Finishing          State = "Finishing"
	Failing            State = "Failing"
	Stopped            State = "Stopped"
	Finished           State = "Finished"
	Failed             State = "Failed"
)

// Terminal reports whether nothing happens in this state until somebody asks for it.
func (s State) Terminal() bool { return s == Stopped || s == Finished || s == Failed }

// Stop is how a job is wanted to stop.
type Stop string

// The stop modes.
const (
	// StopNone: the job is wanted running.
	StopNone Stop = "none"
	// StopCheckpoint: a last checkpoint, then stop.
	StopCheckpoint Stop = "checkpoint"
	// StopGraceful: the sources end and all rows drain through, without a checkpoint.
	StopGraceful Stop = "graceful"
	// StopImmediate: tasks stop as soon as they can.
	StopImmediate Stop = "immediate"
	// StopForce: workers are killed.
	StopForce Stop = "force"
)

// Valid reports whether s is one of the modes.
func (s Stop) Valid() bool {
	switch s {
	case StopNone, StopCheckpoint, StopGraceful, StopImmediate, StopForce:
		return true
	}
	return false
}

// Desired is what the job's owner wants.
type Desired struct {
	Stop        Stop
	Parallelism int
	// RestartNonce grows with every request to restart; RestartForce tears the job down without a checkpoint.
	RestartNonce int64
	RestartForce bool
	// TTL makes the job a preview: it runs for this long, once. 0 for an ordinary job.
	TTL time.Duration
}

// Status is what the job is; it is stored at every change and is all that a Machine needs to go on after a crash.
type Status struct {
	State      State
	Generation uint64
	// Restarts counts recoveries since the job was last healthy.
	Restarts int
	// RestartNonce is the last restart request that was honoured.
	RestartNonce int64
	// Failure is why the job is Failing or Failed, or is Recovering.
	Failure *fault.Error
	// Started is when the job first ran, Ended when it reached its terminal state; zero before.
	Started, Ended time.Time
	// Tasks is the number of subtasks of the present generation.
	Tasks int
}

// Config says how patient a Machine is. What is zero gets the default in brackets.
type Config struct {
	// WorkerStartup [10m] bounds the time until all workers have registered, TaskStartup [2m] that until all tasks run.
	WorkerStartup, TaskStartup time.Duration
	// ClaimTimeout [2m] bounds the claim of a generation, which reads checkpoints.
	ClaimTimeout time.Duration
	// HeartbeatTimeout [30s] is the silence after which a worker counts as lost, LeaseTTL [30s] after which it has
	// stopped by itself.
	HeartbeatTimeout, LeaseTTL time.Duration
	// StopTimeout [60s] is how long tasks may take to stop, KillTimeout [30s] how long workers may take to disappear.
	StopTimeout, KillTimeout time.Duration
	// LastCheckpoint [30m] bounds the states that wait for a last checkpoint.
	LastCheckpoint time.Duration
	// Healthy [2m] is how long a job runs before its failures are forgotten.
	Healthy time.Duration
	// AllowedRestarts is the number of recoveries without a healthy time between them; negative is no bound.
	AllowedRestarts int
	// InitialBackoff [500ms] doubles with every recovery, up to MaxBackoff [1m].
	InitialBackoff, MaxBackoff time.Duration
	// Seed makes the jitter of the back-off.
	Seed uint64
}

func (c Config) withDefaults() Config {
	for d, to := range map[*time.Duration]time.Duration{
		&c.WorkerStartup: 10 * time.Minute, &c.TaskStartup: 2 * time.Minute, &c.ClaimTimeout: 2 * time.Minute,
		&c.HeartbeatTimeout: 30 * time.Second, &c.LeaseTTL: 30 * time.Second, &c.StopTimeout: time.Minute,
		&c.KillTimeout: 30 * time.Second, &c.LastCheckpoint: 30 * time.Minute, &c.Healthy: 2 * time.Minute,
		&c.InitialBackoff: 500 * time.Millisecond, &c.MaxBackoff: time.Minute,
	} {
		if *d <= 0 {
			*d = to
		}
	}
	return c
}

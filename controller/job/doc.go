// Package job decides what happens to a job: when it is scheduled, what a failure leads to, how it stops.
//
// The Machine is pure: events and the time go in, effects come out. Its owner carries the effects out and feeds what comes
// of them back as events. It does no I/O, starts no goroutine, reads no clock, and draws its jitter from a seed.
//
// # States
//
//	Created            accepted, not yet looked at
//	Scheduling         a generation is claimed, workers start and register, tasks start
//	Running            all tasks run; checkpoints are taken
//	CheckpointStopping a last checkpoint, in which all tasks end, is on its way; then Stopped
//	Stopping           tasks are told to stop, or workers are killed; then Stopped
//	Restarting         a last checkpoint, or with force none; then Scheduling
//	Rescaling          a last checkpoint; then Scheduling with another parallelism
//	Recovering         after a failure: workers are stopped first, then a back-off; then Scheduling
//	Finishing          all inputs have ended and the last epoch is on its way; then Finished
//	Failing            after a failure that no restart helps: workers are stopped; then Failed
//	Stopped, Finished, Failed
//
// Stopped and Failed jobs can be started again; a Finished one stays finished. Every state that waits has a deadline, is
// interruptible by a stop request, and, as long as there are workers, watches their heartbeats and hears their failures.
//
// A generation starts only when every worker of the one before is known to be gone, or has lost its lease.
package job

// Package schedule is where the controller and the places that run workers meet: in this process, as processes, on nodes.
//
// A Scheduler starts workers for one generation of a job and makes sure that they are gone again. Workers register
// themselves with the controller; a Scheduler only knows where they are.
package schedule

import (
	"context"

	"wadi/worker/wire"
)

// Request asks for workers.
type Request struct {
	PipelineID, JobID, Name string
	Generation              uint64
	// Slots is how many slots the workers have to have together.
	Slots int
	// Env is for the workers' environment, where they have one of their own.
	Env map[string]string
	// Exited is called when a worker ends without having been stopped, from any goroutine; err tells why, if it is known. It
	// does not block.
	Exited func(worker uint64, err error)
}

// Scheduler starts and stops workers. Its methods may be called from several goroutines.
type Scheduler interface {
	// Start starts workers. It returns when they are on their way; those that come up register with the controller.
	Start(ctx context.Context, r Request) error
	// Worker gives the service of a worker that has registered from this address. It may wait for the worker to be ready.
	Worker(ctx context.Context, jobID string, worker uint64, address string) (wire.WorkerServiceHandler, error)
	// Stop ends all workers of a job up to a generation and returns nil when they are gone for certain. With kill they do
	// not get the time to end by themselves.
	Stop(ctx context.Context, jobID string, generation uint64, kill bool) error
}

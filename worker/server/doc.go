// Package server is a worker: it takes a share of a job from a controller, runs it in an engine, and tells the
// controller what happens.
//
// In come the calls of wire.WorkerService, in process or over the network; out go the calls of wire.ControllerService,
// made in order by one goroutine, so that no task ever waits for the controller. Phases: idle, initializing, running,
// failed. Calls answer at once; initialisation goes on in the background. The worker holds a lease with its generation:
// when it cannot renew it in time, or learns of a newer generation, it stops itself.
package server

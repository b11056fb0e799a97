// Package controller runs jobs: it carries out what the job's state machine (package job) and its checkpoint coordinator
// (package checkpoint) decide.
//
// In come what is wanted of jobs (the database, written by the API), and what workers say (wire.ControllerService). Out
// go calls to workers, checkpoint manifests, and what has become of the jobs (the database again).
//
// One goroutine per job, its supervisor, owns the two machines. Everything reaches it through a mailbox that never
// blocks who posts, and a ticker that messages cannot starve. Whatever takes long (storage, workers, schedulers) runs on
// goroutines that the supervisor waits for, and comes back through the mailbox. Manifests in the bucket are the truth
// about checkpoints, the database is a projection of them: an error of the database never ends a job, it is tried
// again.
//
// Lock order: Controller.mu before supervisor.mu; neither is held during a call to anything else.
package controller

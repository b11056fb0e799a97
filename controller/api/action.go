package api

import (
	"wadi/controller/job"
	"wadi/storage/meta"
)

// action tells a console what its button says, which stop mode it asks for (nil: none), and whether something is on its
// way.
func action(j meta.Job) (text string, does *string, inProgress bool) {
	stop := func(m meta.StopMode) *string { s := string(m); return &s }
	wanted := j.Config.Stop == meta.StopNone
	switch state := job.State(j.Status.State); state {
	case job.Created, job.Scheduling, job.Recovering, job.Rescaling, job.Restarting, "Compiling":
		if wanted {
			return "Stop", stop(meta.StopCheckpoint), true
		}
		if state == job.Created {
			return "Start", stop(meta.StopNone), false
		}
		return "Stopping", nil, true
	case job.Running:
		if wanted {
			return "Stop", stop(meta.StopCheckpoint), false
		}
		return "Stopping", nil, true
	case job.CheckpointStopping:
		return "Force Stop", stop(meta.StopImmediate), true
	case job.Stopping:
		if wanted {
			return "Stopping", stop(meta.StopCheckpoint), true
		}
		return "Stopping", nil, true
	case job.Stopped:
		if wanted {
			return "Starting", nil, true
		}
		return "Start", stop(meta.StopNone), false
	case job.Finishing, job.Failing:
		return string(state), nil, true
	case job.Finished:
		return "Finished", nil, false
	case job.Failed:
		if wanted {
			return "Failed", nil, false
		}
		return "Start", stop(meta.StopNone), false
	default:
		return string(state), nil, false
	}
}

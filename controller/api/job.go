package api

import (
	"encoding/json"
	"net/http"
	"strconv"

	"wadi/controller"
	"wadi/dataflow/fault"
	"wadi/storage/meta"
)

func (s *server) getJobs(w http.ResponseWriter, r *http.Request) error {
	jobs, err := s.DB.ListJobs(r.Context(), "")
	if err != nil {
		return err
	}
	out := list[jobShape]{Data: []jobShape{}}
	for _, j := range jobs {
		if j.Config.TTLMicros == 0 {
			out.Data = append(out.Data, jobOf(j))
		}
	}
	return ok(w, out)
}

func (s *server) getPipelineJobs(w http.ResponseWriter, r *http.Request) error {
	pj, err := s.pipeline(r)
	if err != nil {
		return err
	}
	jobs, err := s.DB.ListJobs(r.Context(), pj.Pipeline.ID)
	if err != nil {
		return err
	}
	out := list[jobShape]{Data: []jobShape{}}
	for _, j := range jobs {
		out.Data = append(out.Data, jobOf(j))
	}
	return ok(w, out)
}

// job finds the job of a request.
func (s *server) job(r *http.Request) (meta.Job, error) {
	j, err := s.DB.GetJob(r.Context(), r.PathValue("job"))
	if fault.Is(err, fault.CodeNotFound) || err == nil && j.Config.PipelineID != r.PathValue("id") {
		return j, notFound("Job")
	}
	return j, err
}

func (s *server) getJobErrors(w http.ResponseWriter, r *http.Request) error {
	p, err := page(r)
	if err != nil {
		return err
	}
	j, err := s.job(r)
	if err != nil {
		return err
	}
	messages, more, err := s.DB.ListLog(r.Context(), j.Config.ID, meta.LogError, p)
	if fault.Is(err, fault.CodeNotFound) {
		return badRequest("there is no message " + p.After)
	}
	if err != nil {
		return err
	}
	out := paginated[logShape]{Data: []logShape{}, HasMore: more}
	for _, m := range messages {
		out.Data = append(out.Data, logShape{
			ID: m.ID, CreatedAt: m.CreatedAt, OperatorID: optional(m.OperatorID), TaskIndex: m.TaskIndex, Level: string(m.Level),
			Message: m.Message, Details: m.Details, ErrorDomain: optional(m.Domain),
		})
	}
	return ok(w, out)
}

func (s *server) getCheckpoints(w http.ResponseWriter, r *http.Request) error {
	j, err := s.job(r)
	if err != nil {
		return err
	}
	rows, err := s.DB.ListCheckpoints(r.Context(), j.Config.ID)
	if err != nil {
		return err
	}
	out := list[checkpointShape]{Data: []checkpointShape{}}
	for _, c := range rows {
		shape := checkpointShape{
			Epoch: c.Epoch, Backend: "parquet", CheckpointType: "scheduled", StartTime: c.StartTime, FinishTime: optional(c.FinishTime),
			Events: []controller.EventSpan{}, State: string(c.State), Generation: c.Generation, Bytes: c.Bytes,
		}
		if c.Stopping {
			shape.CheckpointType = "stopping"
		}
		if len(c.Events) > 0 {
			if err := json.Unmarshal(c.Events, &shape.Events); err != nil {
				return fault.Internalf("the events of checkpoint %d: %v", c.Epoch, err)
			}
		}
		out.Data = append(out.Data, shape)
	}
	return ok(w, out)
}

func (s *server) getCheckpointDetails(w http.ResponseWriter, r *http.Request) error {
	epoch, err := strconv.ParseUint(r.PathValue("epoch"), 10, 63)
	if err != nil {
		return badRequest("the epoch is not a number")
	}
	j, err := s.job(r)
	if err != nil {
		return err
	}
	c, err := s.DB.GetCheckpoint(r.Context(), j.Config.ID, epoch)
	if fault.Is(err, fault.CodeNotFound) {
		return notFound("Checkpoint")
	}
	if err != nil {
		return err
	}
	out := list[controller.OperatorGroup]{Data: []controller.OperatorGroup{}}
	if len(c.Operators) > 0 {
		if err := json.Unmarshal(c.Operators, &out.Data); err != nil {
			return fault.Internalf("the operators of checkpoint %d: %v", c.Epoch, err)
		}
	}
	return ok(w, out)
}

func (s *server) getMetrics(w http.ResponseWriter, r *http.Request) error {
	j, err := s.job(r)
	if err != nil {
		return err
	}
	out := list[controller.OperatorMetricGroup]{Data: s.Controller.Metrics(j.Config.ID)}
	if out.Data == nil {
		out.Data = []controller.OperatorMetricGroup{}
	}
	return ok(w, out)
}

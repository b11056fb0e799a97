package api

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"wadi/controller"
	"wadi/controller/job"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	graphwire "wadi/dataflow/graph/wire"
	"wadi/sql/picture"
	"wadi/storage/blob"
	"wadi/storage/meta"
)

const (
	maxName = 255
	maxTags = 64
	// The interval of checkpoints that may be asked for, in microseconds; a new pipeline may go lower.
	minInterval, maxInterval = 1_000_000, 24 * 3600 * 1_000_000
	leastInterval            = 1_000
	previewTTL               = 60_000_000
)

func (s *server) validateQuery(w http.ResponseWriter, r *http.Request) error {
	var post queryPost
	if err := read(r, &post, false); err != nil {
		return err
	}
	if err := refuseUDFs(post.UDFs); err != nil {
		return err
	}
	out := validation{Errors: []diagnostic{}}
	planned, faults := s.Planner(post.Query)
	for _, f := range faults {
		out.Errors = append(out.Errors, diagnosticOf(post.Query, f))
	}
	if len(faults) == 0 {
		g := picture.API(planned.Program, 1)
		out.Graph = &g
	}
	return ok(w, out)
}

func refuseUDFs(udfs []udf) error {
	if len(udfs) > 0 {
		return badRequest("user-defined functions are not supported")
	}
	return nil
}

// plan plans a query for a pipeline.
func (s *server) plan(query string) (controller.Planned, error) {
	p, faults := s.Planner(query)
	if len(faults) == 0 {
		return p, nil
	}
	var lines []string
	for _, f := range faults {
		at := ""
		if !f.Span.IsZero() {
			pos := fault.Locate(query, f.Span.Start)
			at = fmt.Sprintf("%d:%d: ", pos.Line, pos.Column)
		}
		lines = append(lines, at+f.Error())
	}
	return p, badRequest(strings.Join(lines, "\n"))
}

func (s *server) createPipeline(w http.ResponseWriter, r *http.Request) error {
	return s.create(w, r, "")
}

func (s *server) putPipeline(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	if err := validID(id); err != nil {
		return err
	}
	return s.create(w, r, id)
}

func (s *server) create(w http.ResponseWriter, r *http.Request, id string) error {
	var post pipelinePost
	if err := read(r, &post, false); err != nil {
		return err
	}
	n, err := s.newPipeline(post)
	if err != nil {
		return err
	}
	n.ID = id
	return s.insert(w, r, n, http.StatusOK)
}

func (s *server) insert(w http.ResponseWriter, r *http.Request, n meta.NewPipeline, code int) error {
	pj, err := s.DB.CreatePipeline(r.Context(), n)
	if fault.Is(err, fault.CodeConflict) {
		return badRequest("a pipeline or a job with this id exists already")
	}
	if err != nil {
		return err
	}
	s.Controller.Wake()
	body, err := s.pipelineOf(pj)
	if err != nil {
		return err
	}
	reply(w, code, body)
	return nil
}

// newPipeline checks what is posted, and plans it.
func (s *server) newPipeline(post pipelinePost) (meta.NewPipeline, error) {
	n := meta.NewPipeline{
		JobID: post.JobID, Name: post.Name, Query: post.Query, Tags: post.Tags, EnvVars: post.EnvVars,
		CheckpointIntervalMicros: s.DefaultInterval,
	}
	if string(post.SchedulerConfig) != "null" {
		n.SchedulerConfig = post.SchedulerConfig
	}
	if err := s.checkPost(post); err != nil {
		return n, err
	}
	n.Parallelism = int(*post.Parallelism)
	if i := post.CheckpointIntervalMicros; i != nil && *i != 0 {
		n.CheckpointIntervalMicros = *i
	}
	if post.StateURL != nil {
		n.StateURL = *post.StateURL
	}
	p, err := s.plan(post.Query)
	if err != nil {
		return n, err
	}
	n.Tables = p.Tables
	n.Program, err = graphwire.Encode(p.Program)
	return n, err
}

func (s *server) checkPost(post pipelinePost) error {
	switch {
	case strings.TrimSpace(post.Name) == "":
		return badRequest("the pipeline needs a name")
	case utf8.RuneCountInString(post.Name) > maxName:
		return badRequest(fmt.Sprintf("the name is longer than %d characters", maxName))
	case post.Parallelism == nil:
		return badRequest("parallelism is missing")
	case strings.TrimSpace(post.Query) == "":
		return badRequest("the query is empty")
	case len(post.Tags) > maxTags:
		return badRequest(fmt.Sprintf("there are more than %d tags", maxTags))
	}
	for k, v := range post.Tags {
		if k == "" || len(k) > maxName || len(v) > 4*maxName {
			return badRequest("a tag has an empty name, or is too long")
		}
	}
	if i := post.CheckpointIntervalMicros; i != nil && *i != 0 && (*i < leastInterval || *i > maxInterval) {
		return badRequest("checkpoint_interval_micros must be between one millisecond and 24 hours")
	}
	if u := post.StateURL; u != nil && *u != "" {
		if !s.StateURLs {
			return badRequest("this server keeps all state in one place; leave out state_url")
		}
		if _, err := blob.Parse(*u); err != nil {
			return err
		}
	}
	if post.JobID != "" {
		if err := validID(post.JobID); err != nil {
			return err
		}
	}
	for _, check := range []error{s.checkParallelism(*post.Parallelism), checkEnv(post.EnvVars), refuseUDFs(post.UDFs)} {
		if check != nil {
			return check
		}
	}
	return nil
}

func (s *server) checkParallelism(n int64) error {
	if n < 1 || n > int64(s.MaxParallelism) {
		return badRequest(fmt.Sprintf("parallelism must be from 1 to %d", s.MaxParallelism))
	}
	return nil
}

func checkEnv(env map[string]string) error {
	for k, v := range env {
		if k == "" || strings.ContainsAny(k, "=\x00") || strings.ContainsRune(v, 0) {
			return badRequest("env_vars has a name that is empty or holds '=', or a value that holds a NUL byte")
		}
	}
	return nil
}

// validID keeps ids usable as names of folders and objects.
func validID(id string) error {
	plain := strings.IndexFunc(id, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && r != '_' && r != '-'
	}) < 0
	if id == "" || len(id) > 64 || !plain {
		return badRequest("an id has 1 to 64 letters, digits, '_' or '-'")
	}
	return nil
}

func (s *server) createPreview(w http.ResponseWriter, r *http.Request) error {
	var post previewPost
	if err := read(r, &post, false); err != nil {
		return err
	}
	if err := refuseUDFs(post.UDFs); err != nil {
		return err
	}
	p, err := s.plan(post.Query)
	if err != nil {
		return err
	}
	b, err := graphwire.Encode(controller.Preview(p.Program, post.EnableSinks))
	if err != nil {
		return err
	}
	return s.insert(w, r, meta.NewPipeline{
		Name: fmt.Sprintf("preview_%d", s.Clock.Now().UnixMilli()), Query: post.Query, Program: b, Parallelism: 1,
		CheckpointIntervalMicros: maxInterval, TTLMicros: previewTTL,
	}, http.StatusOK)
}

// pipeline finds the pipeline of a request.
func (s *server) pipeline(r *http.Request) (meta.PipelineJob, error) {
	pj, err := s.DB.GetPipeline(r.Context(), r.PathValue("id"))
	if fault.Is(err, fault.CodeNotFound) {
		return pj, notFound("Pipeline")
	}
	return pj, err
}

func (s *server) getPipeline(w http.ResponseWriter, r *http.Request) error {
	pj, err := s.pipeline(r)
	if err != nil {
		return err
	}
	body, err := s.pipelineOf(pj)
	if err != nil {
		return err
	}
	return ok(w, body)
}

func (s *server) getPipelines(w http.ResponseWriter, r *http.Request) error {
	p, err := page(r)
	if err != nil {
		return err
	}
	pipelines, more, err := s.DB.ListPipelines(r.Context(), p)
	if fault.Is(err, fault.CodeNotFound) {
		return badRequest("there is no pipeline " + p.After)
	}
	if err != nil {
		return err
	}
	out := paginated[pipelineShape]{Data: []pipelineShape{}, HasMore: more}
	for _, pj := range pipelines {
		one, err := s.pipelineOf(pj)
		if err != nil {
			return err
		}
		out.Data = append(out.Data, one)
	}
	return ok(w, out)
}

func (s *server) deletePipeline(w http.ResponseWriter, r *http.Request) error {
	pj, err := s.pipeline(r)
	if err != nil {
		return err
	}
	if state := job.State(pj.Job.Status.State); !state.Terminal() {
		return badRequest(fmt.Sprintf("the pipeline is %s; stop it before deleting it", state))
	}
	if err := s.DB.DeletePipeline(r.Context(), pj.Pipeline.ID); err != nil {
		return err
	}
	s.Controller.Wake()
	w.WriteHeader(http.StatusOK)
	return nil
}

func (s *server) patchPipeline(w http.ResponseWriter, r *http.Request) error {
	var patch pipelinePatch
	if err := read(r, &patch, false); err != nil {
		return err
	}
	if err := s.checkPatch(patch); err != nil {
		return err
	}
	pj, err := s.pipeline(r)
	if err != nil {
		return err
	}
	var overrides map[string]int
	if patch.Parallelism != nil {
		if overrides, err = s.overrides(pj, int(*patch.Parallelism)); err != nil {
			return err
		}
	}
	failed := job.State(pj.Job.Status.State) == job.Failed
	return s.change(w, r, pj, func(c *meta.JobConfig) error {
		apply(c, patch, overrides, failed)
		return nil
	})
}

// overrides gives every operator this parallelism, which is how a job's is changed.
func (s *server) overrides(pj meta.PipelineJob, parallelism int) (map[string]int, error) {
	p, err := s.program(pj)
	if err != nil {
		return nil, err
	}
	out := make(map[string]int, len(p.Nodes))
	for i := range p.Nodes {
		out[p.Nodes[i].ID] = parallelism
	}
	return out, nil
}

// apply changes what is wanted of a job, which may have failed.
func apply(c *meta.JobConfig, patch pipelinePatch, overrides map[string]int, failed bool) {
	if overrides != nil {
		c.ParallelismOverrides = overrides
	}
	if i := patch.CheckpointIntervalMicros; i != nil {
		c.CheckpointIntervalMicros = *i
	}
	if patch.EnvVars != nil {
		c.EnvVars = patch.EnvVars
	}
	if len(patch.SchedulerConfig) > 0 && string(patch.SchedulerConfig) != "null" {
		c.SchedulerConfig = patch.SchedulerConfig
	}
	if patch.Stop != nil {
		c.Stop = meta.StopMode(*patch.Stop)
		if failed && c.Stop == meta.StopNone {
			c.RestartNonce++ // starting a failed job restarts it
		}
	}
}

func (s *server) checkPatch(p pipelinePatch) error {
	if p.Parallelism != nil {
		if err := s.checkParallelism(*p.Parallelism); err != nil {
			return err
		}
	}
	if i := p.CheckpointIntervalMicros; i != nil && (*i < minInterval || *i > maxInterval) {
		return badRequest("checkpoint_interval_micros must be between 1 second and 24 hours")
	}
	if p.Stop != nil && !job.Stop(*p.Stop).Valid() {
		return badRequest("stop must be none, checkpoint, graceful, immediate or force")
	}
	return checkEnv(p.EnvVars)
}

// change stores what is wanted of a job, and answers with the pipeline.
func (s *server) change(w http.ResponseWriter, r *http.Request, pj meta.PipelineJob, f func(*meta.JobConfig) error) error {
	config, err := s.DB.UpdateJobConfig(r.Context(), pj.Job.Config.ID, f)
	if err != nil {
		return err
	}
	s.Controller.Wake()
	pj.Job.Config = config
	body, err := s.pipelineOf(pj)
	if err != nil {
		return err
	}
	return ok(w, body)
}

func (s *server) restartPipeline(w http.ResponseWriter, r *http.Request) error {
	var post restartPost
	if err := read(r, &post, true); err != nil {
		return err
	}
	pj, err := s.pipeline(r)
	switch {
	case err != nil:
		return err
	case post.IgnoreState:
		return badRequest("a pipeline cannot be restarted without its state; create another one")
	case job.State(pj.Job.Status.State) == job.Finished:
		return badRequest("the pipeline has finished")
	case pj.Job.Config.TTLMicros > 0:
		return badRequest("a preview cannot be restarted")
	}
	return s.change(w, r, pj, func(c *meta.JobConfig) error {
		c.RestartNonce++
		c.RestartMode = meta.RestartSafe
		if post.Force {
			c.RestartMode = meta.RestartForce
		}
		c.Stop = meta.StopNone
		return nil
	})
}

// program is a pipeline's program. What another release has stored is planned again.
func (s *server) program(pj meta.PipelineJob) (*graph.Program, error) {
	if p, err := graphwire.Decode(pj.Pipeline.Program); err == nil && len(pj.Pipeline.Program) > 0 {
		return p, nil
	}
	p, faults := s.Planner(pj.Pipeline.Query)
	if len(faults) > 0 {
		return nil, faults[0]
	}
	return p.Program, nil
}

func (s *server) pipelineOf(pj meta.PipelineJob) (pipelineShape, error) {
	p, j := pj.Pipeline, pj.Job
	out := pipelineShape{
		ID: p.ID, Name: p.Name, Query: p.Query, UDFs: []udf{}, CheckpointIntervalMicros: j.Config.CheckpointIntervalMicros,
		Stop: string(j.Config.Stop), CreatedAt: p.CreatedAt, Preview: j.Config.TTLMicros > 0, StateURL: optional(p.StateURL), Tags: orEmpty(p.Tags),
		Parallelism: controller.Parallelism(p, j.Config), State: j.Status.State,
		Graph: picture.Graph{Nodes: []picture.GraphNode{}, Edges: []picture.GraphEdge{}},
	}
	out.ActionText, out.Action, out.ActionInProgress = action(j)
	// A program that this release cannot plan has no picture, but can still be shown and deleted.
	if program, err := s.program(pj); err == nil {
		out.Graph = picture.API(program, out.Parallelism)
	}
	return out, nil
}

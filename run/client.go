package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"wadi/dataflow/fault"
)

// client talks to the process's own REST API, with Arroyo's routes and shapes.
type client struct {
	base string // http://host:port/api/v1
	key  string // for static-api-key
	http *http.Client
}

type span struct {
	Start struct{ Line, Column int } `json:"start"`
	End   struct{ Line, Column int } `json:"end"`
}

type diagnostic struct {
	Message string `json:"message"`
	Span    *span  `json:"span"`
}

type validation struct {
	Errors []diagnostic `json:"errors"`
}

type pipelinePost struct {
	Name                     string `json:"name"`
	Query                    string `json:"query"`
	Parallelism              int    `json:"parallelism"`
	CheckpointIntervalMicros int64  `json:"checkpoint_interval_micros"`
	JobID                    string `json:"job_id,omitempty"`
}

type pipelinePatch struct {
	Parallelism int    `json:"parallelism,omitempty"`
	Stop        string `json:"stop,omitempty"`
}

type pipeline struct {
	ID    string `json:"id"`
	Query string `json:"query"`
	Name  string `json:"name"`
}

type apiJob struct {
	ID            string `json:"id"`
	State         string `json:"state"`
	RunID         uint64 `json:"run_id"`
	fault         *fault.Error
	FailureReason *struct {
		Error     string `json:"error"`
		Domain    string `json:"domain"`
		Hint      string `json:"hint"`
		SpanStart int    `json:"span_start"`
		SpanEnd   int    `json:"span_end"`
		Operator  string `json:"operator"`
	} `json:"failure_reason"`
}

// failure is why the job failed or recovers; nil if it does not.
func (j *apiJob) failure() *fault.Error {
	if j.fault != nil {
		return j.fault
	}
	r := j.FailureReason
	if r == nil {
		return nil
	}
	return &fault.Error{
		Kind: kindOf(r.Domain), Message: r.Error, Hint: r.Hint, Operator: r.Operator, Span: fault.Span{Start: r.SpanStart, End: r.SpanEnd},
	}
}

func kindOf(domain string) fault.Kind {
	switch domain {
	case "user":
		return fault.User
	case "external":
		return fault.Transient
	}
	return fault.Internal
}

// apiError is an answer that is not a success.
type apiError struct {
	status int
	text   string
}

func (e *apiError) Error() string { return e.text }

func (c *client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return fault.Internalf("%v", err)
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return fault.Internalf("%v", err)
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fault.Transientf(err, "own API")
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fault.Transientf(err, "own API")
	}
	if resp.StatusCode >= 300 {
		var e struct {
			Error string `json:"error"`
		}
		if json.Unmarshal(data, &e) != nil || e.Error == "" {
			e.Error = fmt.Sprintf("%s %s: status %d", method, path, resp.StatusCode)
		}
		return &apiError{resp.StatusCode, e.Error}
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fault.Internalf("own API: %s %s: %v", method, path, err)
	}
	return nil
}

func (c *client) validate(ctx context.Context, text string) ([]diagnostic, error) {
	var v validation
	err := c.call(ctx, http.MethodPost, "/pipelines/validate_query", map[string]string{"query": text}, &v)
	return v.Errors, err
}

// pipeline gives nil when there is none with this id.
func (c *client) pipeline(ctx context.Context, id string) (*pipeline, error) {
	var p pipeline
	err := c.call(ctx, http.MethodGet, "/pipelines/"+id, nil, &p)
	if e, ok := err.(*apiError); ok && e.status == http.StatusNotFound {
		return nil, nil
	}
	return &p, err
}

func (c *client) create(ctx context.Context, id string, p pipelinePost) error {
	return c.call(ctx, http.MethodPut, "/pipelines/"+id, p, nil)
}

func (c *client) patch(ctx context.Context, id string, p pipelinePatch) error {
	return c.call(ctx, http.MethodPatch, "/pipelines/"+id, p, nil)
}

func (c *client) restart(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodPost, "/pipelines/"+id+"/restart", map[string]bool{"force": false}, nil)
}

func (c *client) job(ctx context.Context, pipelineID string) (*apiJob, error) {
	var out struct{ Data []apiJob }
	if err := c.call(ctx, http.MethodGet, "/pipelines/"+pipelineID+"/jobs", nil, &out); err != nil {
		return nil, err
	}
	if len(out.Data) == 0 {
		return nil, fault.Internalf("pipeline %s has no job", pipelineID)
	}
	return &out.Data[len(out.Data)-1], nil
}

package run

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"wadi/dataflow/fault"
)

// client talks to the process's own REST API, with Arroyo's routes and shapes.
type client struct {
	base string // http://host:port/api/v1
	key  string // for static-api-key
	http *http.Client
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

type apiJob struct {
	ID            string `json:"id"`
	State         string `json:"state"`
	RunID         uint64 `json:"run_id"`
	FailureReason *struct {
		Error     string `json:"error"`
		Domain    string `json:"domain"`
		Hint      string `json:"hint"`
		SpanStart int    `json:"span_start"`
		SpanEnd   int    `json:"span_end"`
		Operator  string `json:"operator"`
	} `json:"failure_reason"`
	// known is the failure where it does not come from the API.
	known *fault.Error
}

// failure is why the job failed or recovers; nil if it does not.
func (j *apiJob) failure() *fault.Error {
	r := j.FailureReason
	if j.known != nil {
		known := *j.known
		return &known
	}
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

// newClient makes a client of the API at base. It never goes through a proxy.
func newClient(base, key string) *client {
	return &client{base: base, key: key, http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}}
}

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
		var e struct{ Error, Hint string }
		if json.Unmarshal(data, &e) != nil || e.Error == "" {
			e.Error = fmt.Sprintf("%s %s: status %d", method, path, resp.StatusCode)
		}
		f := fault.Userf(fault.CodeInvalid, fault.Span{}, "%s", e.Error).WithHint("%s", e.Hint)
		if resp.StatusCode == http.StatusServiceUnavailable {
			f.Kind = fault.Transient
		}
		return f
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fault.Internalf("own API: %s %s: %v", method, path, err)
	}
	return nil
}

func (c *client) create(ctx context.Context, id string, p pipelinePost) error {
	return c.call(ctx, http.MethodPut, "/pipelines/"+id, p, nil)
}

func (c *client) patch(ctx context.Context, id string, p pipelinePatch) error {
	return c.call(ctx, http.MethodPatch, "/pipelines/"+id, p, nil)
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

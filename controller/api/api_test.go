package api_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/rs/zerolog"

	"wadi/controller"
	"wadi/controller/api"
	"wadi/controller/schedule"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/storage/blob"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

// nowhere is a scheduler without a single worker: jobs stay in Scheduling.
type nowhere struct{}

func (nowhere) Start(context.Context, schedule.Request) error    { return nil }
func (nowhere) Stop(context.Context, string, uint64, bool) error { return nil }
func (nowhere) Worker(context.Context, string, uint64, string) (wire.WorkerServiceHandler, error) {
	return nil, fault.Transientf(nil, "no worker")
}

type client struct {
	*testing.T
	db  *meta.DB
	c   *controller.Controller
	url string
	key string
}

func planner(text string) (controller.Planned, fault.List) {
	if i := strings.Index(text, "nope"); i >= 0 {
		return controller.Planned{}, fault.List{fault.Userf("unknown-table", fault.Span{Start: i, End: i + 4}, "there is no table nope").WithHint("create it")}
	}
	row := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil)
	return controller.Planned{Tables: tables(text), Program: &graph.Program{SQL: text,
		Nodes: []graph.Node{
			{ID: "source-1", Description: "impulse", Out: row, Spec: &graph.SourceSpec{Table: "t", Connector: "impulse", Schema: row}},
			{ID: "sink-1", Description: "rows", MaxParallelism: 1, Spec: &graph.SinkSpec{Table: "s", Connector: "stdout", Schema: row}},
		},
		Edges: []graph.Edge{{From: 0, To: 1, Kind: graph.Shuffle}},
	}}, nil
}

// tables are those that the test calls saved.
func tables(text string) []string {
	if strings.Contains(text, "saved") {
		return []string{"saved"}
	}
	return nil
}

func start(t *testing.T, change func(*api.Config)) *client {
	dir := t.TempDir()
	db, err := meta.Open(t.Context(), filepath.Join(dir, "state.sqlite"))
	if err != nil {
		t.Fatal(err)
	}
	bucket, err := blob.Open(t.Context(), filepath.Join(dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	c := controller.New(controller.Config{DB: db, Bucket: bucket, Scheduler: nowhere{}, Planner: planner, Log: zerolog.Nop(),
		Only: func(jobID string) bool { return !strings.HasPrefix(jobID, storedJob) }})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- c.Run(ctx) }()
	config := api.Config{
		DB: db, Controller: c, Planner: planner, Log: zerolog.Nop(),
		Connectors: connector.NewRegistry(&connector.Declaration{
			Name: "single_file", Doc: "Reads a file.", Uses: connector.Source | connector.Sink, Formats: true,
			Options: []connector.Option{
				{Name: "path", Type: connector.String, Required: true, Doc: "The path."},
				{Name: "lines", Type: connector.Uint, Default: "5"}, {Name: "loop", Type: connector.Bool, Default: "true", Values: []string{"true"}},
			},
		}),
	}
	if change != nil {
		change(&config)
	}
	srv := httptest.NewServer(api.New(config))
	t.Cleanup(func() {
		srv.Close()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &client{T: t, db: db, c: c, url: srv.URL}
}

// call gives the status and the body.
func (c *client) call(method, path, body string) (int, string) {
	c.Helper()
	req, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// get decodes an answer that has to be a success.
func (c *client) get(into any, method, path, body string) {
	c.Helper()
	code, text := c.call(method, "/api/v1"+path, body)
	if code != http.StatusOK {
		c.Fatalf("%s %s: %d %s", method, path, code, text)
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		c.Fatalf("%s %s: %v in %s", method, path, err, text)
	}
}

type object = map[string]any

func (c *client) create(name string) string {
	c.Helper()
	var p object
	c.get(&p, "POST", "/pipelines", fmt.Sprintf(`{"name":%q,"query":"SELECT a FROM t","parallelism":2}`, name))
	return p["id"].(string)
}

// status changes what has become of a pipeline's job. The pipeline must not be one that the controller is at work on.
func (c *client) status(id string, change func(*meta.JobStatus)) meta.PipelineJob {
	c.Helper()
	pj, err := c.db.GetPipeline(c.Context(), id)
	if err != nil {
		c.Fatal(err)
	}
	_, err = c.db.UpdateJobStatus(c.Context(), pj.Job.Config.ID, func(s *meta.JobStatus) error {
		change(s)
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
	return pj
}

// storedJob begins the ids of jobs that the controller leaves alone.
const storedJob = "job_stored_"

// stored makes a pipeline that is not the controller's business.
func (c *client) stored(state string, n meta.NewPipeline) string {
	c.Helper()
	if n.Name == "" {
		n.Name, n.Query, n.Parallelism = "p", "SELECT 1", 1
	}
	n.JobID = storedJob + meta.NewID("x")
	pj, err := c.db.CreatePipeline(c.Context(), n)
	if err != nil {
		c.Fatal(err)
	}
	_, err = c.db.UpdateJobConfig(c.Context(), pj.Job.Config.ID, func(j *meta.JobConfig) error {
		j.Stop = meta.StopCheckpoint
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
	c.status(pj.Pipeline.ID, func(s *meta.JobStatus) { s.State = state })
	return pj.Pipeline.ID
}

func TestPingAndStrayRequests(t *testing.T) {
	c := start(t, nil)
	for _, x := range []struct {
		method, path, body string
		code               int
		want               string
	}{
		{"GET", "/api/v1/ping", "", 200, `"Pong"`},
		{"GET", "/api/v1/nonsense", "", 404, `{"error":"Route not found"}`},
		{"GET", "/", "", 404, `{"error":"Route not found"}`},
		{"DELETE", "/api/v1/ping", "", 405, `{"error":"Method not allowed"}`},
		{"GET", "/api/v1/pipelines/pl_none", "", 404, `{"error":"Pipeline not found"}`},
		{"PATCH", "/api/v1/pipelines/pl_none", `{"stop":"none"}`, 404, `{"error":"Pipeline not found"}`},
		{"DELETE", "/api/v1/pipelines/pl_none", "", 404, `{"error":"Pipeline not found"}`},
		{"GET", "/api/v1/pipelines/pl_none/jobs", "", 404, `{"error":"Pipeline not found"}`},
		{"GET", "/api/v1/pipelines/pl_none/jobs/job_none/checkpoints", "", 404, `{"error":"Job not found"}`},
		{"GET", "/api/v1/pipelines?limit=0", "", 400, `{"error":"limit must be a number from 1 to 1000"}`},
		{"GET", "/api/v1/pipelines?limit=9999999999999999999", "", 400, `{"error":"limit must be a number from 1 to 1000"}`},
		{"GET", "/api/v1/pipelines?starting_after=pl_x", "", 400, `{"error":"there is no pipeline pl_x"}`},
	} {
		if code, body := c.call(x.method, x.path, x.body); code != x.code || body != x.want {
			t.Errorf("%s %s: %d %s", x.method, x.path, code, body)
		}
	}
}

func TestKey(t *testing.T) {
	c := start(t, func(a *api.Config) { a.APIKey = "secret" })
	for key, want := range map[string]int{"": 401, "wrong": 401, "secre": 401, "secret": 200} {
		c.key = key
		if code, body := c.call("GET", "/api/v1/ping", ""); code != want || code == 401 && body != "" {
			t.Errorf("key %q: %d %q", key, code, body)
		}
	}
}

func TestValidateQuery(t *testing.T) {
	c := start(t, nil)
	var good, bad object
	c.get(&good, "POST", "/pipelines/validate_query", `{"query":"SELECT a FROM t"}`)
	if good["graph"] == nil || len(good["errors"].([]any)) != 0 {
		t.Errorf("good: %v", good)
	}
	c.get(&bad, "POST", "/pipelines/validate_query", `{"query":"SELECT *\nFROM nope"}`)
	want := `[{"code":"unknown-table","hint":"create it","message":"there is no table nope","span":{"end":{"column":10,"line":2},"start":{"column":6,"line":2}}}]`
	if got, _ := json.Marshal(bad["errors"]); string(got) != want || bad["graph"] != nil {
		t.Errorf("bad: %s", got)
	}
}

func TestWhatIsPostedIsChecked(t *testing.T) {
	c := start(t, nil)
	long := strings.Repeat("x", 300)
	for _, x := range []struct {
		body string
		code int
		want string
	}{
		{`{`, 400, "not JSON"},
		{`[]`, 422, "expected an object"},
		{`{"name":1}`, 422, "name: expected a string, found number"},
		{`{"name":"p","query":"SELECT 1","parallelism":"2"}`, 422, "parallelism: expected an integer"},
		{`{"name":"","query":"SELECT 1","parallelism":1}`, 400, "needs a name"},
		{`{"name":"  ","query":"SELECT 1","parallelism":1}`, 400, "needs a name"},
		{`{"name":"` + long + `","query":"SELECT 1","parallelism":1}`, 400, "longer than 255"},
		{`{"name":"p","query":"SELECT 1"}`, 400, "parallelism is missing"},
		{`{"name":"p","query":"SELECT 1","parallelism":0}`, 400, "from 1 to 1024"},
		{`{"name":"p","query":"SELECT 1","parallelism":-1}`, 400, "from 1 to 1024"},
		{`{"name":"p","query":"SELECT 1","parallelism":10000000}`, 400, "from 1 to 1024"},
		{`{"name":"p","query":"SELECT 1","parallelism":99999999999999999999}`, 422, "parallelism"},
		{`{"name":"p","query":" ","parallelism":1}`, 400, "query is empty"},
		{`{"name":"p","query":"SELECT * FROM nope","parallelism":1}`, 400, "1:15: there is no table nope"},
		{`{"name":"p","query":"SELECT 1","parallelism":1,"checkpoint_interval_micros":-5}`, 400, "checkpoint_interval_micros"},
		{`{"name":"p","query":"SELECT 1","parallelism":1,"env_vars":{"":"x"}}`, 400, "env_vars"},
		{`{"name":"p","query":"SELECT 1","parallelism":1,"state_url":"s3://b"}`, 400, "state_url"},
		{`{"name":"p","query":"SELECT 1","parallelism":1,"udfs":[{"definition":"x"}]}`, 400, "not supported"},
		{`{"name":"p","query":"SELECT 1","parallelism":1,"job_id":"../x"}`, 400, "an id has"},
	} {
		code, body := c.call("POST", "/api/v1/pipelines", x.body)
		var e struct{ Error string }
		if code != x.code || json.Unmarshal([]byte(body), &e) != nil || !strings.Contains(e.Error, x.want) {
			t.Errorf("%.80s: %d %s", x.body, code, body)
		}
	}
	resp, err := http.Post(c.url+"/api/v1/pipelines", "text/plain", strings.NewReader("{}"))
	if err != nil || resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("text/plain: %v, %v", resp.Status, err)
	}
	resp.Body.Close()
	var all object
	if c.get(&all, "GET", "/pipelines", ""); len(all["data"].([]any)) != 0 {
		t.Errorf("left behind: %v", all)
	}
	if code, body := c.call("PUT", "/api/v1/pipelines/a%2Fb", `{}`); code != 400 || !strings.Contains(body, "an id has") {
		t.Errorf("id a/b: %d %s", code, body)
	}
}

func keys(o object) []string {
	var out []string
	for k := range o {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func TestPipelineShape(t *testing.T) {
	c := start(t, nil)
	var p object
	c.get(&p, "PUT", "/pipelines/pl_mine", `{"name":"p","query":"SELECT a FROM t","parallelism":3,"job_id":"job_mine","tags":{"a":"b"}}`)
	want := []string{"action", "action_in_progress", "action_text", "checkpoint_interval_micros", "created_at", "graph", "id", "name",
		"parallelism", "preview", "query", "state", "state_url", "stop", "tags", "udfs"}
	if got := keys(p); !slices.Equal(got, want) {
		t.Errorf("fields %v", got)
	}
	if p["id"] != "pl_mine" || p["checkpoint_interval_micros"] != 1e7 || p["stop"] != "none" || p["preview"] != false || p["state_url"] != nil {
		t.Errorf("pipeline %v", p)
	}
	g, _ := json.Marshal(p["graph"])
	wantGraph := `{"edges":[{"dest_id":1,"edge_type":"Shuffle","key_type":"()","src_id":0,"value_type":"()"}],` +
		`"nodes":[{"description":"impulse","node_id":0,"operator":"impulse","parallelism":3},{"description":"rows","node_id":1,"operator":"stdout","parallelism":1}]}`
	if string(g) != wantGraph {
		t.Errorf("graph %s", g)
	}
	if code, body := c.call("PUT", "/api/v1/pipelines/pl_mine", `{"name":"p","query":"SELECT a FROM t","parallelism":3}`); code != 400 {
		t.Errorf("the second PUT: %d %s", code, body)
	}
	var jobs struct{ Data []object }
	c.get(&jobs, "GET", "/pipelines/pl_mine/jobs", "")
	wantJob := []string{"created_at", "env_vars", "failure_reason", "finish_time", "id", "pipeline_id", "restarts", "run_id", "running_desired",
		"scheduler_config", "start_time", "state", "tasks"}
	if got := keys(jobs.Data[0]); !slices.Equal(got, wantJob) || jobs.Data[0]["id"] != "job_mine" {
		t.Errorf("job %v", jobs.Data[0])
	}
}

func TestPages(t *testing.T) {
	c := start(t, nil)
	var want []string
	for i := range 5 {
		want = append(want, c.create(fmt.Sprint("p", i)))
	}
	slices.Reverse(want)
	var got []string
	after := ""
	for {
		var page struct {
			Data    []struct{ ID string }
			HasMore bool
		}
		c.get(&page, "GET", "/pipelines?limit=2&starting_after="+after, "")
		for _, p := range page.Data {
			got = append(got, p.ID)
		}
		if !page.HasMore {
			break
		}
		after = got[len(got)-1]
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("pages %v, created %v", got, want)
	}
}

func TestPatchAndRestart(t *testing.T) {
	c := start(t, nil)
	id := c.stored("Failed", meta.NewPipeline{})
	config := func() meta.JobConfig {
		pj, err := c.db.GetPipeline(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return pj.Job.Config
	}
	for _, bad := range []string{
		`{"stop":"now"}`, `{"parallelism":0}`, `{"parallelism":10000000}`, `{"checkpoint_interval_micros":999999}`,
		`{"checkpoint_interval_micros":86400000001}`, `{"env_vars":{"a=b":""}}`,
	} {
		if code, body := c.call("PATCH", "/api/v1/pipelines/"+id, bad); code != 400 {
			t.Errorf("%s: %d %s", bad, code, body)
		}
	}
	var p object
	c.get(&p, "PATCH", "/pipelines/"+id, `{"parallelism":4,"checkpoint_interval_micros":1000000}`)
	if p["parallelism"] != 4.0 || config().CheckpointIntervalMicros != 1e6 || config().RestartNonce != 0 {
		t.Errorf("patched %v", p)
	}
	c.get(&p, "PATCH", "/pipelines/"+id, `{"stop":"none"}`)
	if n := config(); n.RestartNonce != 1 || n.Stop != meta.StopNone {
		t.Errorf("starting a failed job wants %+v", n)
	}
	c.get(&p, "POST", "/pipelines/"+id+"/restart", `{"force":true}`)
	if n := config(); n.RestartNonce != 2 || n.RestartMode != meta.RestartForce {
		t.Errorf("a restart wants %+v", n)
	}
	c.get(&p, "POST", "/pipelines/"+id+"/restart", "")
	finished := c.stored("Finished", meta.NewPipeline{})
	if code, body := c.call("POST", "/api/v1/pipelines/"+finished+"/restart", `{}`); code != 400 || !strings.Contains(body, "finished") {
		t.Errorf("restart of a finished job: %d %s", code, body)
	}
}

func TestDelete(t *testing.T) {
	c := start(t, nil)
	busy := c.create("busy")
	if code, body := c.call("DELETE", "/api/v1/pipelines/"+busy, ""); code != 400 {
		t.Errorf("a busy pipeline: %d %s", code, body)
	}
	for _, state := range []string{"Stopped", "Finished", "Failed"} {
		id := c.stored(state, meta.NewPipeline{})
		if code, body := c.call("DELETE", "/api/v1/pipelines/"+id, ""); code != 200 || body != "" {
			t.Errorf("%s: %d %s", state, code, body)
		}
		if code, _ := c.call("GET", "/api/v1/pipelines/"+id, ""); code != 404 {
			t.Errorf("%s: deleted, and still %d", state, code)
		}
	}
}

// The table of the console's main button, as Arroyo has it.
func TestActions(t *testing.T) {
	c := start(t, nil)
	for _, x := range []struct {
		state  string
		wanted bool
		want   string
	}{
		{"Finished", true, "Finished / null / false"}, {"Finished", false, "Finished / null / false"},
		{"Failed", true, "Failed / null / false"}, {"Failed", false, "Start / none / false"},
		{"Stopped", false, "Start / none / false"}, {"Martian", false, "Martian / null / false"},
	} {
		id := c.stored(x.state, meta.NewPipeline{})
		if x.wanted {
			pj, err := c.db.GetPipeline(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.db.UpdateJobConfig(t.Context(), pj.Job.Config.ID, func(j *meta.JobConfig) error {
				j.Stop = meta.StopNone
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var p struct {
			Action           *string `json:"action"`
			ActionText       string  `json:"action_text"`
			ActionInProgress bool    `json:"action_in_progress"`
		}
		c.get(&p, "GET", "/pipelines/"+id, "")
		action := "null"
		if p.Action != nil {
			action = *p.Action
		}
		if got := fmt.Sprintf("%s / %s / %v", p.ActionText, action, p.ActionInProgress); got != x.want {
			t.Errorf("%s, wanted %v: %s", x.state, x.wanted, got)
		}
	}
}

func TestFailureReason(t *testing.T) {
	c := start(t, nil)
	id := c.stored("Failed", meta.NewPipeline{})
	details, _ := json.Marshal(wire.NewFailure(&fault.Error{
		Kind: fault.User, Code: "no-file", Message: "there is no file a.json", Hint: "check the path", Span: fault.Span{Start: 3, End: 9}, Operator: "source-1",
	}))
	c.status(id, func(s *meta.JobStatus) {
		s.State, s.FailureMessage, s.FailureDomain, s.FailureDetails = "Failed", "there is no file a.json", "user", details
	})
	var jobs struct {
		Data []struct {
			FailureReason json.RawMessage `json:"failure_reason"`
		}
	}
	c.get(&jobs, "GET", "/pipelines/"+id+"/jobs", "")
	want := `{"error":"there is no file a.json","domain":"user","code":"no-file","hint":"check the path","span_start":3,"span_end":9,"operator":"source-1"}`
	if got := string(jobs.Data[0].FailureReason); got != want {
		t.Errorf("failure_reason %s", got)
	}
}

func TestJobDetails(t *testing.T) {
	c := start(t, nil)
	id := c.stored("Stopped", meta.NewPipeline{})
	pj := c.status(id, func(*meta.JobStatus) {})
	job := pj.Job.Config.ID
	base := "/pipelines/" + id + "/jobs/" + job
	one := 1
	for i, level := range []meta.LogLevel{meta.LogError, meta.LogWarn, meta.LogError} {
		_, err := c.db.AppendLog(t.Context(), meta.LogMessage{JobID: job, Level: level, Message: fmt.Sprint("m", i), TaskIndex: &one, OperatorID: "op", Domain: "user"})
		if err != nil {
			t.Fatal(err)
		}
	}
	var errs struct {
		Data    []object
		HasMore bool
	}
	c.get(&errs, "GET", base+"/errors", "")
	if len(errs.Data) != 2 || errs.Data[0]["message"] != "m2" || errs.Data[0]["task_index"] != 1.0 || errs.Data[0]["error_domain"] != "user" {
		t.Errorf("errors %v", errs.Data)
	}
	_, err := c.db.InsertCheckpoint(t.Context(), meta.Checkpoint{
		JobID: job, Epoch: 4, Generation: 2, State: meta.CheckpointReady, StartTime: 10, FinishTime: 20, Bytes: 5, Stopping: true,
		Events:    json.RawMessage(`[{"start_time":10,"finish_time":20,"event":"Checkpointing","description":"d"}]`),
		Operators: json.RawMessage(`[{"operator_id":"op","bytes":5,"started_metadata_write":15,"finish_time":null,"subtasks":[{"index":0,"bytes":5,"event_spans":[]}]}]`),
	})
	if err != nil {
		t.Fatal(err)
	}
	_, body := c.call("GET", "/api/v1"+base+"/checkpoints", "")
	want := `{"data":[{"epoch":4,"backend":"parquet","checkpoint_type":"stopping","start_time":10,"finish_time":20,` +
		`"events":[{"start_time":10,"finish_time":20,"event":"Checkpointing","description":"d"}],"state":"ready","generation":2,"bytes":5}]}`
	if body != want {
		t.Errorf("checkpoints %s", body)
	}
	_, body = c.call("GET", "/api/v1"+base+"/checkpoints/4/operator_checkpoint_groups", "")
	want = `{"data":[{"operator_id":"op","bytes":5,"started_metadata_write":15,"finish_time":null,"subtasks":[{"index":0,"bytes":5,"event_spans":[]}]}]}`
	if body != want {
		t.Errorf("details %s", body)
	}
	for path, code := range map[string]int{
		"/checkpoints/9/operator_checkpoint_groups": 404, "/checkpoints/x/operator_checkpoint_groups": 400, "/output": 400, "/errors?limit=0": 400,
	} {
		if got, body := c.call("GET", "/api/v1"+base+path, ""); got != code {
			t.Errorf("%s: %d %s", path, got, body)
		}
	}
	if _, body := c.call("GET", "/api/v1"+base+"/operator_metric_groups", ""); body != `{"data":[]}` {
		t.Errorf("metrics %s", body)
	}
	other := c.stored("Stopped", meta.NewPipeline{})
	if code, _ := c.call("GET", "/api/v1/pipelines/"+other+"/jobs/"+job+"/errors", ""); code != 404 {
		t.Errorf("the job of another pipeline: %d", code)
	}
}

func TestPreviewOutput(t *testing.T) {
	c := start(t, nil)
	var p struct {
		ID      string
		Name    string
		Preview bool
		Graph   struct{ Nodes []struct{ Operator string } }
	}
	c.get(&p, "POST", "/pipelines/preview", `{"query":"SELECT a FROM t"}`)
	if !p.Preview || !strings.HasPrefix(p.Name, "preview_") || p.Graph.Nodes[1].Operator != "preview" {
		t.Errorf("preview %+v", p)
	}
	var all struct{ Data []object }
	if c.get(&all, "GET", "/pipelines", ""); len(all.Data) != 0 {
		t.Errorf("previews are listed: %v", all.Data)
	}
	var jobs struct{ Data []struct{ ID string } }
	c.get(&jobs, "GET", "/pipelines/"+p.ID+"/jobs", "")
	job := jobs.Data[0].ID
	send := func(i int, done bool) error {
		_, err := c.c.SendSinkData(t.Context(), &wire.SendSinkDataRequest{
			Context: &wire.WorkerContext{WorkerId: 1, JobId: job, Generation: 1}, OperatorId: "sink-1-preview", StartId: uint64(i),
			TimestampsMicros: []int64{7}, Batch: fmt.Sprintf(`[{"a":%d}]`, i), Done: done,
		})
		return err
	}
	// The controller has to claim the first generation before it takes rows of it.
	for deadline := time.Now().Add(10 * time.Second); send(0, false) != nil; {
		if time.Now().After(deadline) {
			t.Fatal("the job does not start")
		}
	}
	read := func(last string, n int) []string {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", c.url+"/api/v1/pipelines/"+p.ID+"/jobs/"+job+"/output", nil)
		req.Header.Set("Last-Event-ID", last)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if ct := resp.Header.Get("Content-Type"); ct != "text/event-stream" {
			t.Errorf("content type %s", ct)
		}
		var out []string
		lines := bufio.NewScanner(resp.Body)
		for len(out) < n && lines.Scan() {
			if lines.Text() != "" {
				out = append(out, lines.Text())
			}
		}
		return out
	}
	want := `data: {"operator_id":"sink-1-preview","subtask_idx":0,"timestamps":[7],"start_id":0,"batch":"[{\"a\":0}]"}`
	if got := read("", 2); got[0] != "id: 1" || got[1] != want {
		t.Errorf("output %q", got)
	}
	if err := send(1, true); err != nil {
		t.Fatal(err)
	}
	// Later readers get what they have missed, and the end.
	if got := read("1", 100); len(got) != 2 || got[0] != "id: 2" {
		t.Errorf("output after 1: %q", got)
	}
}

func TestConnectors(t *testing.T) {
	c := start(t, nil)
	_, body := c.call("GET", "/api/v1/connectors", "")
	want := `{"data":[{"id":"single_file","name":"single file","icon":"","description":"Reads a file.","table_config":"{\"additionalProperties\":false,\"properties\":{` +
		`\"lines\":{\"default\":5,\"description\":\"\",\"type\":\"integer\"},\"loop\":{\"default\":true,\"description\":\"\",\"enum\":[\"true\"],\"type\":\"boolean\"},` +
		`\"path\":{\"description\":\"The path.\",\"type\":\"string\"}},\"required\":[\"path\"],\"title\":\"single_file\",\"type\":\"object\"}",` +
		`"enabled":true,"source":true,"sink":true,"custom_schemas":true,"testing":false,"hidden":false,"connection_config":null}]}`
	if body != want {
		t.Errorf("connectors %s", body)
	}
}

func TestOpenAPI(t *testing.T) {
	c := start(t, nil)
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]struct{ OperationID string }
		Components struct{ Schemas map[string]json.RawMessage }
	}
	_, body := c.call("GET", "/api/v1/api-docs/openapi.json", "")
	if err := json.Unmarshal([]byte(body), &doc); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"get /v1/ping": "ping", "post /v1/pipelines": "create_pipeline", "put /v1/pipelines/{id}": "put_pipeline",
		"patch /v1/pipelines/{id}": "patch_pipeline", "post /v1/pipelines/validate_query": "validate_query",
		"get /v1/pipelines/{id}/jobs/{job}/output": "get_job_output", "post /v1/pipelines/{id}/restart": "restart_pipeline",
	}
	for at, id := range want {
		method, path, _ := strings.Cut(at, " ")
		if got := doc.Paths[path][method].OperationID; got != id {
			t.Errorf("%s is %q", at, got)
		}
	}
	for _, ref := range strings.Split(body, `"#/components/schemas/`)[1:] {
		name, _, _ := strings.Cut(ref, `"`)
		if _, ok := doc.Components.Schemas[name]; !ok || !bytes.Contains(doc.Components.Schemas[name], []byte(`"properties"`)) {
			t.Errorf("there is no schema %s", name)
		}
	}
}

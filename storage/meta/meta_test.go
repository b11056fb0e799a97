package meta_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"regexp"
	"sync"
	"testing"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/fault"
	"wadi/storage/meta"
)

func open(t *testing.T) (*meta.DB, *clock.Virtual) {
	t.Helper()
	clk := clock.NewVirtual(time.UnixMicro(1_000_000))
	db, err := meta.OpenClock(t.Context(), filepath.Join(t.TempDir(), "state", "state.sqlite"), clk)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db, clk
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantCode(t *testing.T, err error, code fault.Code) *fault.Error {
	t.Helper()
	if !fault.Is(err, code) {
		t.Fatalf("got %v, want a fault %q", err, code)
	}
	return fault.As(err)
}

func create(t *testing.T, db *meta.DB, name string) meta.PipelineJob {
	t.Helper()
	pj, err := db.CreatePipeline(t.Context(), meta.NewPipeline{Name: name, Query: "SELECT 1", Parallelism: 1, CheckpointIntervalMicros: 10_000_000})
	must(t, err)
	return pj
}

func TestPipelineRoundTrip(t *testing.T) {
	db, _ := open(t)
	n := meta.NewPipeline{Name: "wörds", Query: "SELECT '\x01';\n-- ü", Program: []byte{0, 1, 255}, Parallelism: 3, CheckpointIntervalMicros: 5,
		StateURL: "s3://b/p", Tags: map[string]string{"a": "b"}, TTLMicros: 60, EnvVars: map[string]string{"K": ""}, SchedulerConfig: json.RawMessage(`{"x": 1}`)}
	pj, err := db.CreatePipeline(t.Context(), n)
	must(t, err)
	p := pj.Pipeline
	if !regexp.MustCompile(`^pl_[0-9A-Za-z]{10}$`).MatchString(p.ID) || !regexp.MustCompile(`^job_[0-9A-Za-z]{10}$`).MatchString(pj.Job.Config.ID) {
		t.Errorf("ids %s, %s", p.ID, pj.Job.Config.ID)
	}
	want := meta.Pipeline{ID: p.ID, Name: n.Name, Query: n.Query, Program: n.Program, Parallelism: 3, CheckpointIntervalMicros: 5, StateURL: n.StateURL, Tags: n.Tags, CreatedAt: 1_000_000, UpdatedAt: 1_000_000}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	wantJob := meta.Job{
		Config: meta.JobConfig{ID: pj.Job.Config.ID, PipelineID: p.ID, Stop: meta.StopNone, CheckpointIntervalMicros: 5, RestartMode: meta.RestartSafe, ParallelismOverrides: map[string]int{},
			TTLMicros: 60, EnvVars: n.EnvVars, SchedulerConfig: n.SchedulerConfig, CreatedAt: 1_000_000, UpdatedAt: 1_000_000},
		Status: meta.JobStatus{ID: pj.Job.Config.ID, State: meta.StateCreated, UpdatedAt: 1_000_000},
	}
	if !reflect.DeepEqual(pj.Job, wantJob) {
		t.Errorf("got  %+v\nwant %+v", pj.Job, wantJob)
	}
	again, err := db.GetPipeline(t.Context(), p.ID)
	if err != nil || !reflect.DeepEqual(again, pj) {
		t.Errorf("read back %+v, %v", again, err)
	}
	job, err := db.GetJob(t.Context(), pj.Job.Config.ID)
	if err != nil || !reflect.DeepEqual(job, pj.Job) {
		t.Errorf("read back %+v, %v", job, err)
	}
	bare := create(t, db, "bare").Pipeline
	if len(bare.Program) != 0 || bare.StateURL != "" || bare.Tags == nil || len(bare.Tags) != 0 {
		t.Errorf("%+v", bare)
	}
}

func TestCreatePipelineIsAllOrNothing(t *testing.T) {
	db, _ := open(t)
	n := meta.NewPipeline{ID: "pl_chosen", Name: "n", Parallelism: 1}
	_, err := db.CreatePipeline(t.Context(), n)
	must(t, err)
	_, err = db.CreatePipeline(t.Context(), n)
	wantCode(t, err, fault.CodeConflict)
	for _, bad := range []meta.NewPipeline{{Name: " ", Parallelism: 1}, {Name: "n"}, {Name: "n", Parallelism: -1}} {
		_, err := db.CreatePipeline(t.Context(), bad)
		wantCode(t, err, fault.CodeInvalid)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = db.CreatePipeline(ctx, meta.NewPipeline{Name: "n", Parallelism: 1})
	wantCode(t, err, fault.CodeCanceled)
	jobs, err := db.ListJobs(t.Context(), "")
	if err != nil || len(jobs) != 1 {
		t.Errorf("%d jobs, %v", len(jobs), err)
	}
}

func TestListPipelinesPages(t *testing.T) {
	db, clk := open(t)
	seen := map[string]bool{}
	for i := range 25 {
		seen[create(t, db, fmt.Sprint("p", i)).Pipeline.ID] = true
		if i%10 == 9 { // most share a timestamp
			clk.Advance(time.Second)
		}
	}
	_, err := db.CreatePipeline(t.Context(), meta.NewPipeline{Name: "preview", Parallelism: 1, TTLMicros: 1})
	must(t, err)
	var page meta.Page
	var last meta.Micros = 1 << 62
	for n := 0; ; n++ {
		got, more, err := db.ListPipelines(t.Context(), page)
		must(t, err)
		for _, pj := range got {
			if !seen[pj.Pipeline.ID] || pj.Pipeline.CreatedAt > last {
				t.Errorf("%s is repeated or out of order", pj.Pipeline.Name)
			}
			delete(seen, pj.Pipeline.ID)
			last = pj.Pipeline.CreatedAt
			page.After = pj.Pipeline.ID
		}
		if n == 0 {
			must(t, db.DeletePipeline(t.Context(), page.After)) // still marks the place
			create(t, db, "newer than the first page")
		}
		if want := n < 2; more != want || len(got) != min(10, 25-10*n) {
			t.Fatalf("page %d: %d rows, more %v", n, len(got), more)
		}
		if !more {
			break
		}
	}
	if len(seen) != 0 {
		t.Errorf("%d pipelines were skipped", len(seen))
	}
	_, _, err = db.ListPipelines(t.Context(), meta.Page{After: "pl_nobody"})
	wantCode(t, err, fault.CodeNotFound)
	empty, _ := open(t)
	if got, more, err := empty.ListPipelines(t.Context(), meta.Page{}); len(got) != 0 || more || err != nil {
		t.Error(got, more, err)
	}
}

func TestDeleteThenPurge(t *testing.T) {
	db, _ := open(t)
	pj := create(t, db, "p")
	id, job := pj.Pipeline.ID, pj.Job.Config.ID
	_, err := db.InsertCheckpoint(t.Context(), meta.Checkpoint{JobID: job, Epoch: 1, State: meta.CheckpointReady})
	must(t, err)
	_, err = db.AppendLog(t.Context(), meta.LogMessage{JobID: job, Level: meta.LogInfo})
	must(t, err)
	wantCode(t, db.PurgePipeline(t.Context(), id), fault.CodeNotFound)
	must(t, db.DeletePipeline(t.Context(), id))
	wantCode(t, db.DeletePipeline(t.Context(), id), fault.CodeNotFound)
	_, err = db.GetPipeline(t.Context(), id)
	wantCode(t, err, fault.CodeNotFound)
	_, err = db.GetJob(t.Context(), job)
	wantCode(t, err, fault.CodeNotFound)
	deleted, err := db.DeletedPipelines(t.Context())
	if err != nil || len(deleted) != 1 || deleted[0].Job.Config.ID != job || deleted[0].Pipeline.DeletedAt == 0 {
		t.Fatalf("%+v, %v", deleted, err)
	}
	must(t, db.PurgePipeline(t.Context(), id))
	checkpoints, err := db.ListCheckpoints(t.Context(), job)
	if err != nil || len(checkpoints) != 0 {
		t.Error(checkpoints, err)
	}
	messages, _, err := db.ListLog(t.Context(), job, "", meta.Page{})
	if err != nil || len(messages) != 0 {
		t.Error(messages, err)
	}
}

func TestUpdates(t *testing.T) {
	db, clk := open(t)
	pj := create(t, db, "p")
	job := pj.Job.Config.ID
	clk.Advance(time.Second)
	c, err := db.UpdateJobConfig(t.Context(), job, func(c *meta.JobConfig) error {
		c.ID, c.PipelineID, c.CreatedAt = "x", "y", 0
		c.Stop, c.RestartNonce, c.RestartMode, c.ParallelismOverrides = meta.StopCheckpoint, 7, meta.RestartForce, map[string]int{"n1": 4}
		return nil
	})
	must(t, err)
	s, err := db.UpdateJobStatus(t.Context(), job, func(s *meta.JobStatus) error {
		*s = meta.JobStatus{State: "Failed", RunID: 3, StartTime: 5, FinishTime: 6, Tasks: 8, Restarts: 2, RestartNonce: 7, FailureMessage: "m", FailureDomain: "user"}
		return nil
	})
	must(t, err)
	got, err := db.GetJob(t.Context(), job)
	if err != nil || !reflect.DeepEqual(got, meta.Job{Config: c, Status: s}) {
		t.Errorf("%+v, %v\nwant %+v %+v", got, err, c, s)
	}
	if c.ID != job || c.PipelineID != pj.Pipeline.ID || c.CreatedAt != 1_000_000 || c.UpdatedAt != 2_000_000 || s.ID != job || s.UpdatedAt != 2_000_000 {
		t.Errorf("%+v %+v", c, s)
	}
	p, err := db.UpdatePipeline(t.Context(), pj.Pipeline.ID, func(p *meta.Pipeline) error { p.Parallelism, p.Program = 9, nil; return nil })
	if err != nil || p.Parallelism != 9 || p.CreatedAt != 1_000_000 {
		t.Errorf("%+v, %v", p, err)
	}

	refuse := errors.New("a later run goes on")
	_, err = db.UpdateJobStatus(t.Context(), job, func(s *meta.JobStatus) error {
		s.State = "Running"
		return fault.Transientf(refuse, "stale")
	})
	if !errors.Is(err, refuse) {
		t.Error(err)
	}
	_, err = db.UpdateJobConfig(t.Context(), job, func(c *meta.JobConfig) error { c.Stop = "sideways"; return nil })
	if f := fault.As(err); f == nil || f.Kind != fault.Internal {
		t.Error(err)
	}
	again, err := db.GetJob(t.Context(), job)
	if err != nil || !reflect.DeepEqual(again, got) {
		t.Errorf("a refused change changed %+v", again)
	}
	for _, err := range []error{
		second(db.UpdateJobConfig(t.Context(), "job_no", func(*meta.JobConfig) error { return nil })),
		second(db.UpdateJobStatus(t.Context(), "job_no", func(*meta.JobStatus) error { return nil })),
		second(db.UpdatePipeline(t.Context(), "pl_no", func(*meta.Pipeline) error { return nil })),
		second(db.InsertCheckpoint(t.Context(), meta.Checkpoint{JobID: "job_no", State: meta.CheckpointReady})),
		second(db.AppendLog(t.Context(), meta.LogMessage{JobID: "job_no", Level: meta.LogInfo})),
		db.UpdateCheckpoint(t.Context(), meta.Checkpoint{ID: "chk_no", State: meta.CheckpointReady}),
	} {
		wantCode(t, err, fault.CodeNotFound)
	}
}

func second[T any](_ T, err error) error { return err }

func TestCheckpoints(t *testing.T) {
	db, _ := open(t)
	job := create(t, db, "p").Job.Config.ID
	c := meta.Checkpoint{JobID: job, Epoch: 1, Generation: 1, State: meta.CheckpointInProgress, StartTime: 10}
	id, err := db.InsertCheckpoint(t.Context(), c)
	must(t, err)
	c.ID, c.State, c.FinishTime, c.Bytes, c.Operators, c.Events, c.Stopping = id, meta.CheckpointReady, 20, 1<<40, json.RawMessage(`[{"a":1}]`), json.RawMessage(`[]`), true
	must(t, db.UpdateCheckpoint(t.Context(), c))
	got, err := db.GetCheckpoint(t.Context(), job, 1)
	if err != nil || !reflect.DeepEqual(got, c) {
		t.Errorf("%+v, %v\nwant %+v", got, err, c)
	}
	_, err = db.GetCheckpoint(t.Context(), job, 2)
	wantCode(t, err, fault.CodeNotFound)

	// Epoch 2 is tried by generation 1, which dies, and by generation 2; telling it twice changes nothing.
	for _, gen := range []uint64{1, 2, 2} {
		_, err := db.InsertCheckpoint(t.Context(), meta.Checkpoint{JobID: job, Epoch: 2, Generation: gen, State: meta.CheckpointInProgress})
		must(t, err)
	}
	must(t, db.FailCheckpoints(t.Context(), job, 2))
	all, err := db.ListCheckpoints(t.Context(), job)
	must(t, err)
	var story string
	for _, c := range all {
		story += fmt.Sprintf("%d/%d %s; ", c.Epoch, c.Generation, c.State)
	}
	if story != "1/1 ready; 2/1 failed; 2/2 inprogress; " {
		t.Error(story)
	}
	_, err = db.InsertCheckpoint(t.Context(), meta.Checkpoint{JobID: job, Epoch: 102, Generation: 2, State: meta.CheckpointReady})
	must(t, err)
	all, err = db.ListCheckpoints(t.Context(), job)
	if err != nil || len(all) != 1 {
		t.Errorf("%d rows are kept, %v", len(all), err)
	}
}

func TestLogIsBoundedAndPaged(t *testing.T) {
	db, _ := open(t)
	job, other := create(t, db, "p").Job.Config.ID, create(t, db, "q").Job.Config.ID
	task := 3
	first := meta.LogMessage{JobID: other, Level: meta.LogError, Message: "m", Details: "d", OperatorID: "op", TaskIndex: &task, Domain: "user"}
	id, err := db.AppendLog(t.Context(), first)
	must(t, err)
	for i := range 1005 {
		level := meta.LogInfo
		if i%2 == 0 {
			level = meta.LogError
		}
		_, err := db.AppendLog(t.Context(), meta.LogMessage{JobID: job, Level: level, Message: fmt.Sprint(i)})
		must(t, err)
	}
	all, more, err := db.ListLog(t.Context(), job, "", meta.Page{Limit: 2000})
	if err != nil || more || len(all) != 1000 || all[0].Message != "1004" || all[999].Message != "5" {
		t.Fatalf("%d messages, %v, %v", len(all), more, err)
	}
	page, more, err := db.ListLog(t.Context(), job, meta.LogError, meta.Page{Limit: 2, After: all[2].ID})
	if err != nil || !more || len(page) != 2 || page[0].Message != "1000" || page[1].Message != "998" {
		t.Fatalf("%+v, %v, %v", page, more, err)
	}
	rest, _, err := db.ListLog(t.Context(), other, "", meta.Page{})
	first.ID, first.CreatedAt = id, 1_000_000
	if err != nil || len(rest) != 1 || !reflect.DeepEqual(rest[0], first) {
		t.Errorf("%+v, %v", rest, err)
	}
}

func TestWritersQueue(t *testing.T) {
	db, _ := open(t)
	job := create(t, db, "p").Job.Config.ID
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, err := db.UpdateJobStatus(context.Background(), job, func(s *meta.JobStatus) error { s.Tasks++; return nil }); err != nil {
					t.Error(err)
				}
				if _, err := db.GetJob(context.Background(), job); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	j, err := db.GetJob(t.Context(), job)
	if err != nil || j.Status.Tasks != 160 {
		t.Errorf("%d of 160 updates stayed, %v", j.Status.Tasks, err)
	}
}

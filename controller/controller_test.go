package controller_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"wadi/controller"
	"wadi/controller/job"
	"wadi/dataflow/fault"
	"wadi/storage/meta"
	"wadi/worker/wire"
)

func TestFromTheFirstRowToFinished(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(2)
		h.until(pj, job.Running)
		w := h.last()
		if r := w.started; r.Parallelism != 2 || len(r.Tasks) != 3 || r.RestoreManifest != "" || w.Slots != 2 {
			t.Errorf("started with %v in %d slots", r, w.Slots)
		}
		time.Sleep(11 * time.Second)
		if m := h.latest(pj); m == nil || m.Epoch != 1 || m.Final || m.Stopping {
			t.Errorf("after an interval the checkpoint is %+v", m)
		}
		if done, err := h.store(pj).Committed(context.Background(), 1); err != nil || !done {
			t.Errorf("epoch 1 committed: %v, %v", done, err)
		}
		w.drain()
		j := h.until(pj, job.Finished)
		if j.Status.StartTime == 0 || j.Status.FinishTime < j.Status.StartTime || j.Status.Tasks != 3 || j.Status.RunID != 1 {
			t.Errorf("status %+v", j.Status)
		}
		if m := h.latest(pj); m.Epoch != 2 || !m.Final || !m.Stopping {
			t.Errorf("the last checkpoint is %+v", m)
		}
		rows, err := h.db.ListCheckpoints(context.Background(), pj.Job.Config.ID)
		if err != nil || len(rows) != 2 || rows[1].State != meta.CheckpointReady || rows[1].Bytes != 30 || !rows[1].Stopping {
			t.Errorf("checkpoints %+v, %v", rows, err)
		}
		// A finished job stays finished, also for the next controller.
		h.close()
		h.open()
		time.Sleep(time.Minute)
		if n := len(h.workers); n != 1 || h.job(pj).Status.State != string(job.Finished) {
			t.Errorf("%d workers, state %s", n, h.job(pj).Status.State)
		}
	})
}

func TestRecoversFromTheLastCheckpoint(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		time.Sleep(11 * time.Second)
		first := h.last()
		first.stop() // the worker vanishes
		h.until(pj, job.Recovering)
		j := h.until(pj, job.Running)
		w := h.last()
		if w == first || w.started.RestoreEpoch != 1 || w.started.RestoreGeneration != 1 || w.started.RestoreManifest == "" || j.Status.Restarts != 1 {
			t.Errorf("the second run started with %v, restarts %d", w.started, j.Status.Restarts)
		}
		// What the first worker says now is refused.
		_, err := h.c.TaskFailed(context.Background(), &wire.TaskFailedRequest{Context: first.context(), OperatorId: "source"})
		if !fault.Is(err, fault.CodeStaleRun) {
			t.Errorf("a message of generation 1: %v", err)
		}
		if _, err := h.c.Heartbeat(context.Background(), &wire.HeartbeatRequest{Context: first.context()}); !fault.Is(err, fault.CodeStaleRun) {
			t.Errorf("a heartbeat of generation 1: %v", err)
		}
		time.Sleep(11 * time.Second)
		if m := h.latest(pj); m.Epoch != 2 || m.Generation != 2 {
			t.Errorf("the next checkpoint is %d of generation %d", m.Epoch, m.Generation)
		}
	})
}

func TestSilentWorkersAreReplaced(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		w := h.last()
		w.set(func() { w.silent, w.lazy = true, true })
		h.until(pj, job.Recovering)
		h.until(pj, job.Running)
	})
}

func TestStopAndStartAgain(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopCheckpoint })
		h.until(pj, job.Stopped)
		if m := h.latest(pj); m == nil || !m.Stopping || m.Final {
			t.Fatalf("the last checkpoint is %+v", m)
		}
		h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopNone })
		h.until(pj, job.Running)
		if e := h.last().started.RestoreEpoch; e != 1 {
			t.Errorf("resumed from epoch %d", e)
		}
		for _, mode := range []meta.StopMode{meta.StopImmediate, meta.StopGraceful, meta.StopForce} {
			h.want(pj, func(c *meta.JobConfig) { c.Stop = mode })
			h.until(pj, job.Stopped)
			h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopNone })
			h.until(pj, job.Running)
		}
		if m := h.latest(pj); m.Epoch != 1 {
			t.Errorf("stops without a checkpoint took epoch %d", m.Epoch)
		}
	})
}

func TestFailureIsToldWithItsHint(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		w := h.last()
		_, err := h.c.TaskFailed(context.Background(), &wire.TaskFailedRequest{
			Context: w.context(), OperatorId: "source", Failure: wire.NewFailure(&fault.Error{
				Kind: fault.Data, Code: fault.CodeBadData, Message: "not a number", Hint: "set bad_data = 'drop'",
				Record: fault.Record{Source: "a.json", Line: 3, Column: "x"},
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		j := h.until(pj, job.Failed)
		f := controller.FailureOf(j.Status)
		if f == nil || f.Hint != "set bad_data = 'drop'" || f.Operator != "source" || f.Record.Line != 3 || j.Status.FailureDomain != "external" {
			t.Errorf("failure %+v", f)
		}
		time.Sleep(time.Second)
		log, _, err := h.db.ListLog(context.Background(), pj.Job.Config.ID, meta.LogError, meta.Page{})
		if err != nil || len(log) != 1 || log[0].Message != `a.json:3: column "x": not a number` {
			t.Errorf("messages %+v, %v", log, err)
		}
		// Asked to, it starts again.
		h.want(pj, func(c *meta.JobConfig) { c.RestartNonce++ })
		j = h.until(pj, job.Running)
		if j.Status.FailureMessage != "" {
			t.Errorf("the failure is still told: %+v", j.Status)
		}
	})
}

// A controller that dies between a durable manifest and the commits: the next one sends them again.
func TestInterruptedCommitIsReplayed(t *testing.T) {
	inHouse(t, func(h *house) {
		h.prepare = func(w *fakeWorker) { w.holdCommits = true }
		pj := h.create(1)
		h.until(pj, job.Running)
		time.Sleep(11 * time.Second)
		if n := len(h.last().committed()); n != 1 {
			t.Fatalf("%d commits", n)
		}
		h.close()
		h.prepare = nil
		h.open()
		h.until(pj, job.Running)
		time.Sleep(time.Second)
		if c := h.last().committed(); len(c) != 1 || c[0].Epoch != 1 || string(c[0].Tasks[0].Data[0]) != "data" {
			t.Errorf("replayed %v", c)
		}
		if done, err := h.store(pj).Committed(context.Background(), 1); err != nil || !done {
			t.Errorf("committed: %v, %v", done, err)
		}
		time.Sleep(11 * time.Second)
		if m := h.latest(pj); m.Epoch != 2 {
			t.Errorf("epoch %d", m.Epoch)
		}
	})
}

func TestRescale(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		h.want(pj, func(c *meta.JobConfig) { c.ParallelismOverrides = map[string]int{"source": 3, "sink": 3} })
		for h.job(pj).Status.RunID == 1 {
			time.Sleep(20 * time.Millisecond)
		}
		j := h.until(pj, job.Running)
		if w := h.last(); w.started.Parallelism != 3 || w.started.RestoreEpoch != 1 || j.Status.Tasks != 4 {
			t.Errorf("started with %v, %d tasks", w.started, j.Status.Tasks)
		}
	})
}

// A pipeline whose input has ended before all its tasks were seen to start.
func TestEmptyInput(t *testing.T) {
	inHouse(t, func(h *house) {
		h.prepare = func(w *fakeWorker) { w.drained = true }
		pj := h.create(3)
		start := time.Now()
		h.until(pj, job.Finished)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// The database was lost, the manifests were not: the job knows that it is finished.
func TestFinishedByItsManifests(t *testing.T) {
	inHouse(t, func(h *house) {
		h.prepare = func(w *fakeWorker) { w.drained = true }
		pj := h.create(1)
		h.until(pj, job.Finished)
		_, err := h.db.UpdateJobStatus(context.Background(), pj.Job.Config.ID, func(s *meta.JobStatus) error {
			*s = meta.JobStatus{ID: s.ID, State: meta.StateCreated}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		h.close()
		h.open()
		h.until(pj, job.Finished)
		if n := len(h.workers); n != 1 {
			t.Errorf("%d workers were started", n)
		}
	})
}

func TestAnotherControllerTakesOver(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		gen, _, _, _, err := h.store(pj).StartGeneration(context.Background())
		if err != nil || gen != 2 {
			t.Fatal(gen, err)
		}
		if err := <-h.ended; !fault.Is(err, fault.CodeStaleRun) {
			t.Errorf("the controller ended with %v", err)
		}
		if s := h.job(pj).Status; s.State != string(job.Running) {
			t.Errorf("a replaced controller stored %s", s.State)
		}
		if h.last().ctx.Err() == nil {
			t.Error("its worker still runs")
		}
		h.open()
		for h.job(pj).Status.RunID != 3 {
			time.Sleep(20 * time.Millisecond)
		}
		h.until(pj, job.Running)
	})
}

func TestBarrierThatIsNotAnswered(t *testing.T) {
	inHouse(t, func(h *house) {
		h.prepare = func(w *fakeWorker) { w.lazy = w.Generation == 1 }
		pj := h.create(1)
		h.until(pj, job.Running)
		h.until(pj, job.Recovering)
		h.until(pj, job.Running)
		time.Sleep(11 * time.Second)
		if m := h.latest(pj); m == nil || m.Generation != 2 {
			t.Errorf("checkpoint %+v", m)
		}
		rows, err := h.db.ListCheckpoints(context.Background(), pj.Job.Config.ID)
		if err != nil || len(rows) < 3 || rows[0].State != meta.CheckpointFailed {
			t.Errorf("checkpoints %+v, %v", rows, err)
		}
	})
}

func TestDeletedPipelineIsPurged(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		time.Sleep(11 * time.Second)
		if err := h.db.DeletePipeline(context.Background(), pj.Pipeline.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Minute)
		objects, err := h.bucket.List(context.Background(), "")
		if err != nil || len(objects) != 0 {
			t.Errorf("left: %v, %v", objects, err)
		}
		if deleted, err := h.db.DeletedPipelines(context.Background()); err != nil || len(deleted) != 0 {
			t.Errorf("left: %v, %v", deleted, err)
		}
	})
}

func TestPreviewRowsAndMetrics(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		h.until(pj, job.Running)
		w := h.last()
		for i := range 3 {
			_, err := h.c.SendSinkData(context.Background(), &wire.SendSinkDataRequest{
				Context: w.context(), OperatorId: "sink", StartId: uint64(i), TimestampsMicros: []int64{int64(i)}, Batch: `[{"a":1}]`, Done: i == 2,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		out, ok := h.c.Output(pj.Job.Config.ID)
		if !ok {
			t.Fatal("no output")
		}
		rows, first, done, _ := out.After(1)
		if len(rows) != 2 || first != 2 || !done || rows[0].StartID != 1 {
			t.Errorf("rows %v from %d, done %v", rows, first, done)
		}
		time.Sleep(5 * time.Second)
		groups := h.c.Metrics(pj.Job.Config.ID)
		if len(groups) != 2 || groups[0].NodeID != 0 || len(groups[0].MetricGroups) != 5 {
			t.Fatalf("metrics %+v", groups)
		}
		series := groups[0].MetricGroups[2].Subtasks[0].Metrics
		if len(series) < 3 || series[0].Value < 50 || series[0].Value > 200 {
			t.Errorf("messages_recv %v", series)
		}
		if late := groups[1].MetricGroups[5]; late.Name != "late_rows" || late.Subtasks[0].Metrics[0].Value != 3 {
			t.Errorf("rows left out %+v", late)
		}
		if s, ok := h.c.Sample(pj.Job.Config.ID); !ok || len(s.Subtasks) != 2 {
			t.Errorf("sample %+v", s)
		}
	})
}

// A claim that comes back after the job was stopped, or was started again meanwhile, is forgotten.
func TestStopAndStartWhileClaiming(t *testing.T) {
	inHouse(t, func(h *house) {
		h.slow.Store(int64(10 * time.Second))
		pj := h.create(1)
		h.until(pj, job.Scheduling)
		h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopCheckpoint })
		h.until(pj, job.Stopped)
		h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopNone })
		h.until(pj, job.Scheduling)
		h.slow.Store(0)
		j := h.until(pj, job.Running)
		time.Sleep(time.Minute)
		if n := len(h.workers); n != 1 || h.job(pj).Status.RunID != j.Status.RunID || h.job(pj).Status.State != string(job.Running) {
			t.Errorf("%d workers, %+v", n, h.job(pj).Status)
		}
		h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopCheckpoint })
		h.until(pj, job.Stopped)
	})
}

// Two changes of what is wanted in one instant both count.
func TestStopAndStartInOneInstant(t *testing.T) {
	inHouse(t, func(h *house) {
		pj := h.create(1)
		first := h.until(pj, job.Running).Status.RunID
		now := time.Now()
		h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopCheckpoint })
		synctest.Wait()
		h.want(pj, func(c *meta.JobConfig) { c.Stop = meta.StopNone })
		if !time.Now().Equal(now) {
			t.Fatal("the clock went on")
		}
		for range 1000 {
			if s := h.job(pj).Status; s.RunID > first && s.State == string(job.Running) {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("%+v", h.job(pj).Status)
	})
}

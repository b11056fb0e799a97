package run

import (
	"context"
	"sync"
	"time"

	jobs "wadi/controller/job"
	"wadi/controller/schedule/embedded"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/run/status"
	"wadi/worker/wire"
)

// settled is a job that has come to rest, as its controller knows it.
type settled struct {
	at      time.Time
	failure *fault.Error
}

// gauge reads the counters of the workers that run in this process. Counters of workers that have ended are kept, so that
// they only grow.
type gauge struct {
	program *graph.Program

	mu           sync.Mutex
	worker       wire.WorkerServiceHandler
	ended, last  status.Sample
	epoch        uint64
	checkpoints  int
	checkpointAt time.Time
	errors       int64
	rest         *settled
}

// newGauge makes one for the workers of a program.
func newGauge(p *graph.Program) *gauge { return &gauge{program: p} }

// count is the number of complete checkpoints.
func (g *gauge) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.checkpoints
}

// measured is a worker whose last counters the gauge keeps.
type measured struct {
	embedded.Worker
	gauge *gauge
}

// JobFinished implements wire.WorkerServiceHandler; a worker forgets its counters with the job.
func (m measured) JobFinished(ctx context.Context, r *wire.JobFinishedRequest) (*wire.JobFinishedResponse, error) {
	m.gauge.retire(m.Worker)
	return m.Worker.JobFinished(ctx, r)
}

// Close implements embedded.Worker.
func (m measured) Close() {
	m.gauge.retire(m.Worker)
	m.Worker.Close()
}

// attach makes w the worker to read.
func (g *gauge) attach(w embedded.Worker) embedded.Worker {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.worker = w
	return measured{w, g}
}

// retire keeps the counters of a worker that ends.
func (g *gauge) retire(w embedded.Worker) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.worker != w {
		return
	}
	g.ended = g.read()
	g.worker = nil
}

// completed hears of a complete checkpoint.
func (g *gauge) completed(epoch uint64, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.epoch, g.checkpointAt = epoch, at
	g.checkpoints++
}

// changed hears of the job's status from the controller itself: the API only knows what the database could store.
func (g *gauge) changed(now jobs.Status, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case now.State != jobs.Failed:
		g.rest = nil
	case g.rest == nil: // what cannot be stored is told again and again
		g.rest = &settled{at, now.Failure}
	}
}

// atRest gives the failure of a job that has failed for a while.
func (g *gauge) atRest(now time.Time) (failure *fault.Error, ok bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rest == nil || now.Sub(g.rest.at) < settleTime {
		return nil, false
	}
	return g.rest.failure, true
}

// settleTime is how long a failure may take to reach the API.
const settleTime = 2 * time.Second

func (g *gauge) failed(n int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.errors += max(1, n)
}

// sample is the state of things now.
func (g *gauge) sample(now time.Time, state string) status.Sample {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.read()
	s.At, s.State, s.Epoch, s.CheckpointAt, s.Errors = now, state, g.epoch, g.checkpointAt, g.errors
	return s
}

// read adds the counters of the present worker to those of the ended ones; the lock is held.
func (g *gauge) read() status.Sample {
	s := g.ended
	if g.worker == nil {
		return s
	}
	r, err := g.worker.GetMetrics(context.Background(), &wire.GetMetricsRequest{})
	if err != nil {
		return s
	}
	g.add(&s, r.Subtasks)
	return s
}

func (g *gauge) add(s *status.Sample, subtasks []*wire.SubtaskMetrics) {
	nodes := map[string]int{}
	for i := range g.program.Nodes {
		nodes[g.program.Nodes[i].ID] = i
	}
	s.StateBytes, s.HasWatermark, s.AtEnd, s.Operators = 0, false, false, append([]status.Operator(nil), s.Operators...)
	for i := range s.Operators {
		s.Operators[i].Subtasks = 0
	}
	least, all := int64(operator.EndOfTime), true
	for _, m := range subtasks {
		i, ok := nodes[m.OperatorId]
		if !ok {
			continue
		}
		n := &g.program.Nodes[i]
		s.StateBytes += m.StateBytes
		s.LateRows += m.LateRows
		s.BadRecords += m.BadRecords
		busy(s, name(n), time.Duration(m.BusyNanos))
		switch n.Spec.(type) {
		case *graph.SourceSpec, *graph.ValuesSpec, *graph.SeriesSpec:
			s.RowsIn += m.RowsOut
		case *graph.SinkSpec:
			s.RowsOut += m.RowsIn
			if m.Watermark == nil {
				all = false
			} else {
				least = min(least, *m.Watermark)
			}
		}
	}
	s.HasWatermark = all && len(subtasks) > 0
	s.Watermark, s.AtEnd = least, s.HasWatermark && least == operator.EndOfTime
}

// name is what an operator is called for people.
func name(n *graph.Node) string {
	if n.Description != "" {
		return n.Description
	}
	return n.ID
}

// busy adds to an operator's time.
func busy(s *status.Sample, name string, d time.Duration) {
	for i := range s.Operators {
		if s.Operators[i].Name == name {
			s.Operators[i].Busy += d
			s.Operators[i].Subtasks++
			return
		}
	}
	s.Operators = append(s.Operators, status.Operator{Name: name, Busy: d, Subtasks: 1})
}

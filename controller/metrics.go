package controller

import (
	"context"
	"slices"
	"sync"
	"time"

	"wadi/dataflow/graph"
	"wadi/worker/wire"
)

// OperatorMetricGroup is the metrics of one operator.
type OperatorMetricGroup struct {
	// NodeID is the operator's index in the graph.
	NodeID       int           `json:"node_id"`
	MetricGroups []MetricGroup `json:"metric_groups"`
}

// MetricGroup is one metric of all subtasks.
type MetricGroup struct {
	Name     string           `json:"name"`
	Subtasks []SubtaskMetrics `json:"subtasks"`
}

// SubtaskMetrics is one metric of one subtask over time.
type SubtaskMetrics struct {
	Index   int      `json:"index"`
	Metrics []Metric `json:"metrics"`
}

// Metric is a value at a time in microseconds.
type Metric struct {
	Time  int64   `json:"time"`
	Value float64 `json:"value"`
}

// keptSamples bounds how many samples of a job stay: five minutes at the default interval.
const keptSamples = 300

// metrics keeps the newest counters of a job's tasks. It is used from several goroutines, except errors, which is the
// supervisor's until it is sampled.
type metrics struct {
	errors int64

	mu      sync.Mutex
	order   []string
	samples []snapshot
}

type snapshot struct {
	at       time.Time
	errors   int64
	subtasks []*wire.SubtaskMetrics
}

func newMetrics() *metrics { return &metrics{} }

// begin starts with a new generation: counters begin at zero again.
func (m *metrics) begin(p *graph.Program) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.samples, m.order = nil, nil
	for i := range p.Nodes {
		m.order = append(m.order, p.Nodes[i].ID)
	}
}

func (m *metrics) add(at time.Time, errors int64, subtasks []*wire.SubtaskMetrics) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.samples) == keptSamples {
		m.samples = append(m.samples[:0], m.samples[1:]...)
	}
	m.samples = append(m.samples, snapshot{at, errors, subtasks})
}

func (m *metrics) sample() Sample {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.samples) == 0 {
		return Sample{}
	}
	s := m.samples[len(m.samples)-1]
	return Sample{At: s.at, Subtasks: s.subtasks, Errors: s.errors}
}

// rates are the counters behind each metric of the API.
var rates = []struct {
	name  string
	value func(*wire.SubtaskMetrics) int64
}{
	{"bytes_recv", (*wire.SubtaskMetrics).GetBytesIn},
	{"bytes_sent", (*wire.SubtaskMetrics).GetBytesOut},
	{"messages_recv", (*wire.SubtaskMetrics).GetRowsIn},
	{"messages_sent", (*wire.SubtaskMetrics).GetRowsOut},
}

// losses are counters of rows that an operator has left out. Few operators have any, so that only those that do show them.
var losses = []struct {
	name  string
	value func(*wire.SubtaskMetrics) int64
}{
	{"late_rows", (*wire.SubtaskMetrics).GetLateRows},
	{"bad_records", (*wire.SubtaskMetrics).GetBadRecords},
}

// groups computes rates per second from samples that follow each other, the backpressure, which is how full the queue in
// front of a task is, from 0 to 1, and how many rows have been left out so far.
func (m *metrics) groups() []OperatorMetricGroup {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []OperatorMetricGroup{}
	for i, op := range m.order {
		g := OperatorMetricGroup{NodeID: i, MetricGroups: []MetricGroup{}}
		for _, r := range rates {
			g.MetricGroups = append(g.MetricGroups, m.series(op, r.name, func(before, now *wire.SubtaskMetrics, seconds float64) float64 {
				return max(0, float64(r.value(now)-r.value(before))/seconds)
			}))
		}
		g.MetricGroups = append(g.MetricGroups, m.series(op, "backpressure", func(_, now *wire.SubtaskMetrics, _ float64) float64 {
			if now.QueueLimit <= 0 {
				return 0
			}
			return min(1, float64(now.QueuedBytes)/float64(now.QueueLimit))
		}))
		for _, l := range losses {
			if m.any(op, l.value) {
				g.MetricGroups = append(g.MetricGroups, m.series(op, l.name, func(_, now *wire.SubtaskMetrics, _ float64) float64 {
					return float64(l.value(now))
				}))
			}
		}
		out = append(out, g)
	}
	return out
}

// any reports whether a counter of an operator is above zero. Counters only grow, so that the newest sample tells.
func (m *metrics) any(op string, value func(*wire.SubtaskMetrics) int64) bool {
	return len(m.samples) > 0 && slices.ContainsFunc(m.samples[len(m.samples)-1].subtasks, func(s *wire.SubtaskMetrics) bool {
		return s.OperatorId == op && value(s) > 0
	})
}

func (m *metrics) series(op, name string, value func(before, now *wire.SubtaskMetrics, seconds float64) float64) MetricGroup {
	g := MetricGroup{Name: name, Subtasks: []SubtaskMetrics{}}
	var before map[uint32]*wire.SubtaskMetrics
	for i, sample := range m.samples {
		now := map[uint32]*wire.SubtaskMetrics{}
		for _, s := range sample.subtasks {
			if s.OperatorId == op {
				now[s.Subtask] = s
			}
		}
		if i > 0 {
			g.add(sample.at, sample.at.Sub(m.samples[i-1].at).Seconds(), before, now, value)
		}
		before = now
	}
	return g
}

// add adds a point to the series of every subtask that both samples know.
func (g *MetricGroup) add(at time.Time, seconds float64, before, now map[uint32]*wire.SubtaskMetrics, value func(before, now *wire.SubtaskMetrics, seconds float64) float64) {
	for k := range uint32(len(now)) {
		if seconds <= 0 || before[k] == nil || now[k] == nil {
			continue
		}
		for len(g.Subtasks) <= int(k) {
			g.Subtasks = append(g.Subtasks, SubtaskMetrics{Index: len(g.Subtasks), Metrics: []Metric{}})
		}
		t := &g.Subtasks[k]
		t.Metrics = append(t.Metrics, Metric{Time: at.UnixMicro(), Value: value(before[k], now[k], seconds)})
	}
}

// pollMetrics asks the workers for their counters now and then, one round at a time.
func (s *supervisor) pollMetrics() {
	g := s.present
	now := s.now()
	if g == nil || len(g.workers) == 0 || s.polling || now.Sub(s.sampled) < s.c.config.Settings.MetricsInterval {
		return
	}
	s.polling, s.sampled = true, now
	var mu sync.Mutex
	var all []*wire.SubtaskMetrics
	s.each(g, func(ctx context.Context, id uint64, w wire.WorkerServiceHandler) error {
		r, err := w.GetMetrics(ctx, &wire.GetMetricsRequest{Context: s.context(g, id)})
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		all = append(all, r.Subtasks...)
		return nil
	}, func(err error) {
		s.polling = false
		if err == nil && s.present == g {
			s.metrics.add(s.now(), s.metrics.errors, all)
		}
	})
}

package controller

import (
	"sync"

	"wadi/dataflow/graph"
	"wadi/worker/wire"
)

// Row batches of the preview that stay for who comes late, and how many bytes of them at most.
const (
	keptBatches     = 1000
	keptOutputBytes = 16 << 20
)

// OutputData is some rows of the preview, as the API sends them.
type OutputData struct {
	OperatorID string `json:"operator_id"`
	SubtaskIdx uint32 `json:"subtask_idx"`
	// Timestamps are microseconds.
	Timestamps []int64 `json:"timestamps"`
	StartID    uint64  `json:"start_id"`
	// Batch is a JSON array of row objects, as text.
	Batch string `json:"batch"`
}

// output is the ring of a job's preview rows. It is used from several goroutines.
type output struct {
	mu sync.Mutex
	// rows are numbered from first on.
	rows  []OutputData
	first uint64
	bytes int
	// left are the subtasks that will send more, of generation.
	left    map[graphSubtask]bool
	done    bool
	changed chan struct{}
}

type graphSubtask struct {
	operator string
	subtask  uint32
}

func newOutput() *output { return &output{changed: make(chan struct{}), first: 1} }

// previewSubtasks are the subtasks of preview sinks.
func previewSubtasks(p *graph.Program, subtasks []int) map[graphSubtask]bool {
	out := map[graphSubtask]bool{}
	for i := range p.Nodes {
		if s, ok := p.Nodes[i].Spec.(*graph.SinkSpec); ok && s.Connector == PreviewConnector {
			for k := range subtasks[i] {
				out[graphSubtask{p.Nodes[i].ID, uint32(k)}] = true
			}
		}
	}
	return out
}

// begin starts with a new generation, which may send rows again.
func (o *output) begin(_ uint64, left map[graphSubtask]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.left, o.done = left, false
}

func (o *output) add(r *wire.SendSinkDataRequest) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.Batch != "" && r.Batch != "[]" {
		o.rows = append(o.rows, OutputData{r.OperatorId, r.Subtask, append([]int64{}, r.TimestampsMicros...), r.StartId, r.Batch})
		o.bytes += len(r.Batch)
	}
	for len(o.rows) > keptBatches || len(o.rows) > 1 && o.bytes > keptOutputBytes {
		o.bytes -= len(o.rows[0].Batch)
		o.rows = append(o.rows[:0:0], o.rows[1:]...)
		o.first++
	}
	if r.Done {
		delete(o.left, graphSubtask{r.OperatorId, r.Subtask})
		o.done = len(o.left) == 0
	}
	o.wake()
}

// wake lets readers look again; the lock is held.
func (o *output) wake() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// close says that no more rows come.
func (o *output) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.done {
		o.done = true
		o.wake()
	}
}

// OutputReader reads a job's preview rows.
type OutputReader struct{ o *output }

// After gives the rows with numbers above after that are still there, and the number of the first of them. done says that
// none follow; else changed is closed when there may be more.
func (r *OutputReader) After(after uint64) (rows []OutputData, first uint64, done bool, changed <-chan struct{}) {
	r.o.mu.Lock()
	defer r.o.mu.Unlock()
	first = max(after+1, r.o.first)
	if skip := first - r.o.first; skip < uint64(len(r.o.rows)) {
		rows = append(rows, r.o.rows[skip:]...)
	}
	return rows, first, r.o.done, r.o.changed
}

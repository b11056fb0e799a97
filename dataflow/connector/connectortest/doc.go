// Package connectortest has what the tests of connectors stand on: an emitter that keeps rows, state in memory, and an
// Env with a virtual clock. It is imported by tests only.
package connectortest

import (
	"sync"
	"testing"
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/operator"
)

// Start is where the virtual clocks of Envs stand at first.
var Start = time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)

// Host is the surroundings of one subtask.
type Host struct {
	Env   operator.Env
	Clock *clock.Virtual
	// Wakes has room for one wake-up, as the runtime does.
	Wakes chan struct{}

	mu      sync.Mutex
	reports []error
}

// NewHost makes the surroundings of subtask i of n with batches of up to batch rows and a linger of 100 ms.
func NewHost(t testing.TB, i, n, batch int) *Host {
	t.Helper()
	h := &Host{Clock: clock.NewVirtual(Start), Wakes: make(chan struct{}, 1)}
	h.Env = operator.Env{
		JobID: "job", OperatorID: "op", Subtask: i, Parallelism: n, Keys: column.Range(i, n), Clock: h.Clock,
		BatchRows: batch, Linger: 100 * time.Millisecond, Metrics: &operator.Metrics{},
		Wake: func() {
			select {
			case h.Wakes <- struct{}{}:
			default:
			}
		},
		Report: func(err error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.reports = append(h.reports, err)
		},
	}
	return h
}

// Reports gives what was reported so far.
func (h *Host) Reports() []error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]error(nil), h.reports...)
}

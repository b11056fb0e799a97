package server

import (
	"context"
	"sync"
	"time"

	"wadi/dataflow/fault"
	"wadi/worker/engine"
	"wadi/worker/wire"
)

// nonfatalInterval is the least time between two reports of one kind of error at one subtask.
const nonfatalInterval = 5 * time.Second

// nonfatal counts errors that do not stop the job and reports each kind now and then, with its count.
type nonfatal struct {
	s    *Server
	mu   sync.Mutex
	seen map[nonfatalKey]*nonfatalCount
}

type nonfatalKey struct {
	subtask engine.Subtask
	code    fault.Code
	column  string
}

type nonfatalCount struct {
	last     error
	unsaid   int64
	reported time.Time
}

func (n *nonfatal) add(t engine.Subtask, err error) {
	f := fault.As(err)
	k := nonfatalKey{t, f.Code, f.Record.Column}
	now := n.s.config.Clock.Now()
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.seen[k]
	if c == nil {
		c = &nonfatalCount{}
		n.seen[k] = c
	}
	c.last = err
	c.unsaid++
	if c.reported.IsZero() || now.Sub(c.reported) >= nonfatalInterval {
		c.reported = now
		n.report(k, c)
	}
}

// flush reports what has been counted and not said.
func (n *nonfatal) flush() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for k, c := range n.seen {
		if c.unsaid > 0 {
			n.report(k, c)
		}
	}
}

// report says how many errors there were since the last report; the lock is held.
func (n *nonfatal) report(k nonfatalKey, c *nonfatalCount) {
	count, err := c.unsaid, c.last
	c.unsaid = 0
	n.s.tell(func(ctx context.Context) error {
		_, callErr := n.s.config.Controller.NonfatalError(ctx, &wire.NonfatalErrorRequest{
			Context: n.s.context(), TimeMicros: n.s.now(), OperatorId: k.subtask.Operator, Subtask: uint32(k.subtask.Index),
			Failure: wire.NewFailure(err), Count: count,
		})
		return callErr
	})
}

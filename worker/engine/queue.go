package engine

import (
	"context"
	"sync"

	"wadi/dataflow/column"
)

// Barrier separates the rows of one epoch from the next.
type Barrier struct {
	Epoch uint64
	// Stop ends the tasks behind the barrier; Final says that it is the last epoch of a finished input.
	Stop, Final bool
	// StartMicros is when the controller began the checkpoint.
	StartMicros int64
}

type messageKind uint8

const (
	batchMessage messageKind = iota
	watermarkMessage
	idleMessage
	barrierMessage
	endMessage
)

// message is what travels between tasks. rows belongs to the queue until the consumer gives it back.
type message struct {
	kind      messageKind
	rows      *column.Builder
	size      int
	watermark int64
	barrier   Barrier
}

// queue carries messages from one subtask to one other. One goroutine sends, one receives.
type queue struct {
	mu    sync.Mutex
	items []message
	head  int
	bytes int
	limit int
	free  []*column.Builder
	// room has a token when the consumer has taken something.
	room chan struct{}
	// wake makes the consumer look again.
	wake func()
	// unbounded lets send never wait, for simulation.
	unbounded bool
}

// messageOverhead is what a message without rows counts for.
const messageOverhead = 64

func newQueue(limit int, unbounded bool) *queue {
	return &queue{limit: limit, room: make(chan struct{}, 1), wake: func() {}, unbounded: unbounded}
}

// send appends m; it waits while the queue is full.
func (q *queue) send(ctx context.Context, m message) error {
	m.size += messageOverhead
	for {
		q.mu.Lock()
		if q.bytes == 0 || q.bytes+m.size <= q.limit || q.unbounded {
			q.items = append(q.items, m)
			q.bytes += m.size
			q.mu.Unlock()
			q.wake()
			return nil
		}
		q.mu.Unlock()
		select {
		case <-q.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// receive takes the oldest message.
func (q *queue) receive() (message, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.head == len(q.items) {
		return message{}, false
	}
	m := q.items[q.head]
	q.items[q.head] = message{}
	q.head++
	q.bytes -= m.size
	if q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	select {
	case q.room <- struct{}{}:
	default:
	}
	return m, true
}

// full reports whether a sender would wait.
func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.bytes >= q.limit
}

// maxFree bounds the builders kept for reuse per queue.
const maxFree = 8

// giveBack returns a builder for reuse.
func (q *queue) giveBack(b *column.Builder) {
	b.Reset()
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.free) < maxFree {
		q.free = append(q.free, b)
	}
}

// builder gives a used builder, or nil if there is none.
func (q *queue) builder() *column.Builder {
	q.mu.Lock()
	defer q.mu.Unlock()
	n := len(q.free)
	if n == 0 {
		return nil
	}
	b := q.free[n-1]
	q.free = q.free[:n-1]
	return b
}

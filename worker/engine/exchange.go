package engine

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// output is one consumer of an instance: the next operator of the chain, or an exchange.
type output interface {
	batch(b *column.Batch) error
	watermark(w int64) error
	idle() error
	barrier(b Barrier) error
	end() error
}

// direct hands over to the next operator of the same chain.
type direct struct {
	to   *instance
	port int
}

func (d direct) batch(b *column.Batch) error { return d.to.process(d.port, b) }
func (d direct) watermark(w int64) error     { return d.to.watermark(w) }
func (d direct) idle() error                 { return d.to.forwardIdle() }
func (d direct) barrier(b Barrier) error     { return d.to.barrier(b) }
func (d direct) end() error                  { return d.to.end() }

// exchange copies rows into batches per receiving subtask and queues them. Small batches are collected until the target
// size is reached, something other than rows follows, or the task has nothing else to do.
type exchange struct {
	ctx      context.Context
	queues   []*queue
	filling  []*column.Builder
	schema   *arrow.Schema
	updating bool
	// keys are the key columns; keyed says whether rows go to the owner of their key. Otherwise they go round-robin by batch
	// if they are only appended, and all to one receiver if not, since what takes a row back must not overtake it.
	keys  []int
	keyed bool
	next  int
	rows  int

	hashes  []uint64
	keyCols []column.Vector
	sels    [][]int32
	scratch []int32
}

func newExchange(ctx context.Context, queues []*queue, schema *arrow.Schema, updating, keyed bool, keys []int, first, rows int) *exchange {
	return &exchange{
		ctx: ctx, queues: queues, filling: make([]*column.Builder, len(queues)), schema: schema, updating: updating,
		keyed: keyed, keys: keys, next: first % len(queues), rows: rows, sels: make([][]int32, len(queues)),
	}
}

func (x *exchange) batch(b *column.Batch) error {
	if b.Rows() == 0 {
		return nil
	}
	if len(x.queues) == 1 {
		return x.add(0, b, b.Sel)
	}
	if !x.keyed {
		if !x.updating {
			x.next = (x.next + 1) % len(x.queues)
		}
		return x.add(x.next, b, b.Sel)
	}
	x.partition(b)
	for i, sel := range x.sels {
		if len(sel) == 0 {
			continue
		}
		if err := x.add(i, b, sel); err != nil {
			return err
		}
	}
	return nil
}

// partition fills sels with the rows that each receiver owns.
func (x *exchange) partition(b *column.Batch) {
	x.keyCols = x.keyCols[:0]
	for _, k := range x.keys {
		x.keyCols = append(x.keyCols, b.Cols[k])
	}
	x.hashes = column.HashColumns(x.hashes, x.keyCols, b.N, b.Sel)
	for i := range x.sels {
		x.sels[i] = x.sels[i][:0]
	}
	x.scratch = column.AllRows(x.scratch, b.N)
	n := len(x.queues)
	for _, r := range b.Selected(x.scratch) {
		o := column.Owner(x.hashes[r], n)
		x.sels[o] = append(x.sels[o], r)
	}
}

// add copies rows for receiver i and sends them when they are enough.
func (x *exchange) add(i int, b *column.Batch, sel []int32) error {
	f := x.filling[i]
	if f == nil {
		if f = x.queues[i].builder(); f == nil {
			f = column.NewBuilder(x.schema, x.updating)
		}
		x.filling[i] = f
	}
	f.AppendSel(b, sel)
	if f.Rows() >= x.rows {
		return x.sendRows(i)
	}
	return nil
}

func (x *exchange) sendRows(i int) error {
	f := x.filling[i]
	if f == nil {
		return nil
	}
	x.filling[i] = nil
	return x.queues[i].send(x.ctx, message{kind: batchMessage, rows: f, size: f.Batch().Size()})
}

// flush sends all rows collected.
func (x *exchange) flush() error {
	for i := range x.queues {
		if err := x.sendRows(i); err != nil {
			return err
		}
	}
	return nil
}

// broadcast sends m to every receiver, after the rows collected.
func (x *exchange) broadcast(m message) error {
	for i, q := range x.queues {
		if err := x.sendRows(i); err != nil {
			return err
		}
		if err := q.send(x.ctx, m); err != nil {
			return err
		}
	}
	return nil
}

func (x *exchange) watermark(w int64) error {
	return x.broadcast(message{kind: watermarkMessage, watermark: w})
}
func (x *exchange) idle() error { return x.broadcast(message{kind: idleMessage}) }
func (x *exchange) barrier(b Barrier) error {
	return x.broadcast(message{kind: barrierMessage, barrier: b})
}
func (x *exchange) end() error { return x.broadcast(message{kind: endMessage}) }

// congested reports whether a receiver's queue is full.
func (x *exchange) congested() bool {
	for _, q := range x.queues {
		if q.full() {
			return true
		}
	}
	return false
}

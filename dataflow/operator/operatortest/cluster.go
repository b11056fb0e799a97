// Package operatortest runs operators in tests as the engine does: in several subtasks, each with the rows of its keys, with
// checkpoints, and anew from a checkpoint with another number of subtasks.
//
// A Cluster is those subtasks. What they put out goes to an Output, most often a Table, which materialises it and checks
// what holds for every operator. Append and Show move values between columns and tests, Live draws retractions. A test ends
// at the first thing that is wrong. Everything here belongs to one goroutine.
package operatortest

import (
	"time"

	"wadi/dataflow/clock"
	"wadi/dataflow/column"
	"wadi/dataflow/operator"
	"wadi/dataflow/state/statetest"
)

// TB is what a Cluster needs of a *testing.T, *testing.B or *rapid.T.
type TB interface {
	Helper()
	Fatal(args ...any)
}

// Output takes what a subtask puts out.
type Output interface {
	operator.Emitter
	// Begin says that the subtask is called next.
	Begin()
	// Err is what has been wrong first, nil if nothing was.
	Err() error
}

// Cluster is an operator in some number of subtasks. T, New and Out are to be set before the first call.
type Cluster[O Output] struct {
	T TB
	// New makes the operator of a subtask.
	New func(env operator.Env) (operator.Operator, error)
	// Out makes the output of a subtask. Subtasks may share one.
	Out func() O
	// Clock is what the subtasks see; nil if they look at none. Report is as in operator.Env.
	Clock  *clock.Virtual
	Report func(err error)

	// Ops are the subtasks as they are now, Envs and Outs what belongs to each.
	Ops  []operator.Operator
	Envs []operator.Env
	Outs []O
	// Store has the checkpoints.
	Store statetest.Store

	saved bool
	marks []int64
	late  int64
}

// Start starts this many subtasks in the place of those that there are: from the last checkpoint, if there is one.
func (c *Cluster[O]) Start(parallelism int) {
	c.T.Helper()
	c.late = c.Late()
	c.Ops, c.Envs, c.Outs, c.marks = nil, nil, nil, nil
	for i := range parallelism {
		env := operator.Env{Subtask: i, Parallelism: parallelism, Keys: column.Range(i, parallelism), Metrics: &operator.Metrics{}, Report: c.Report}
		if c.Clock != nil {
			env.Clock = c.Clock
		}
		if c.saved {
			env.Restore = c.Store.Reader()
		}
		op, err := c.New(env)
		if err != nil {
			c.T.Fatal(err)
		}
		c.Ops, c.Envs, c.Outs, c.marks = append(c.Ops, op), append(c.Envs, env), append(c.Outs, c.Out()), append(c.marks, -1<<63)
	}
}

// Late counts the late rows of all subtasks so far.
func (c *Cluster[O]) Late() int64 {
	n := c.late
	for _, e := range c.Envs {
		n += e.Metrics.LateRows.Load()
	}
	return n
}

// Send brings a batch to a port, the rows to the subtasks that own the hashes of their values in the columns keys, as a
// shuffle does.
func (c *Cluster[O]) Send(port int, b *column.Batch, keys []int) {
	c.T.Helper()
	cols := make([]column.Vector, len(keys))
	for i, k := range keys {
		cols[i] = b.Cols[k]
	}
	hashes := column.HashColumns(nil, cols, b.N, nil)
	c.each(func(i int) error {
		part := *b
		if len(c.Ops) > 1 {
			part.Sel = []int32{}
			for _, r := range b.Selected(nil) {
				if column.Owner(hashes[r], len(c.Ops)) == i {
					part.Sel = append(part.Sel, r)
				}
			}
			if len(part.Sel) == b.N {
				part.Sel = nil
			}
		}
		return c.Ops[i].Process(port, &part, c.Outs[i])
	})
}

// Watermark brings a watermark to all subtasks. Behind those that make none themselves it goes on.
func (c *Cluster[O]) Watermark(w int64) {
	c.T.Helper()
	c.each(func(i int) error {
		if err := c.Ops[i].Watermark(w, c.Outs[i]); err != nil {
			return err
		}
		if _, makes := c.Ops[i].(operator.WatermarkMaker); makes || w <= c.marks[i] {
			return nil
		}
		c.marks[i] = w
		return c.Outs[i].Watermark(w)
	})
}

// Pass lets time go by and tells the subtasks.
func (c *Cluster[O]) Pass(d time.Duration) {
	c.T.Helper()
	c.Clock.Advance(d)
	c.each(func(i int) error { return c.Ops[i].(operator.Ticker).Tick(c.Clock.Now(), c.Outs[i]) })
}

// Flush lets the subtasks put out what they hold back.
func (c *Cluster[O]) Flush() {
	c.T.Helper()
	c.each(func(i int) error {
		if f, ok := c.Ops[i].(operator.Flusher); ok {
			return f.Flush(c.Outs[i])
		}
		return nil
	})
}

// Checkpoint makes a checkpoint, behind a flush.
func (c *Cluster[O]) Checkpoint() {
	c.T.Helper()
	c.Flush()
	c.each(func(i int) error { return c.Ops[i].Snapshot(c.Store.Writer(c.Envs[i].Keys)) })
	if err := c.Store.Complete(); err != nil {
		c.T.Fatal(err)
	}
	c.saved = true
}

// each calls every subtask and looks at what it put out.
func (c *Cluster[O]) each(call func(i int) error) {
	c.T.Helper()
	for i := range c.Ops {
		c.Outs[i].Begin()
		if err := call(i); err != nil {
			c.T.Fatal(err)
		}
		if err := c.Outs[i].Err(); err != nil {
			c.T.Fatal(err)
		}
	}
}

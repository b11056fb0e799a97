package checkpoint

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// commitOf collects what the tasks have to commit after these epochs, which became durable together.
func (c *Coordinator) commitOf(open []*collection) Commit {
	out := Commit{Epoch: c.epoch}
	for _, t := range c.run.Tasks {
		var data [][]byte
		needed := false
		for _, o := range open {
			s := o.acks[t.Task]
			needed = needed || s.NeedsCommit || len(s.Commit) > 0
			data = append(data, s.Commit...)
		}
		if needed {
			out.Tasks = append(out.Tasks, TaskCommit{t, data})
		}
	}
	return out
}

// replay sends the commits of the checkpoint that the run started from. Its subtasks may have been more or fewer than
// there are now: every piece of data goes to one of the present ones.
func (c *Coordinator) replay(now time.Time) []Effect {
	var out []Effect
	c.replaying, c.epoch, c.started = true, c.run.Restored.Epoch, now
	c.commit = Commit{Epoch: c.epoch}
	data := map[Task][][]byte{}
	for _, op := range c.run.Restored.Operators {
		n := c.parallelism(op.ID)
		if n == 0 && op.NeedsCommit {
			out = append(out, ignored("operator %s is no longer part of the program: what it had pre-committed in epoch %d is not committed", op.ID, c.epoch)...)
		}
		if n == 0 {
			continue
		}
		for _, s := range op.Subtasks {
			t := Task{op.ID, s.Index % n}
			data[t] = append(data[t], sortedValues(s.CommitData)...)
		}
	}
	for _, t := range c.run.Tasks {
		if len(data[t.Task]) > 0 {
			c.commit.Tasks = append(c.commit.Tasks, TaskCommit{t, data[t.Task]})
		}
	}
	if len(c.commit.Tasks) == 0 {
		return append(out, c.mark(now)...)
	}
	return append(out, c.sendCommit(now)...)
}

func (c *Coordinator) parallelism(operator string) int {
	n := 0
	for t := range c.owner {
		if t.Operator == operator {
			n++
		}
	}
	return n
}

// sendCommit asks for the commits, or ends the epoch if there are none.
func (c *Coordinator) sendCommit(now time.Time) []Effect {
	if len(c.commit.Tasks) == 0 {
		return c.done(now)
	}
	c.uncommitted = make(map[Task]bool, len(c.commit.Tasks))
	for _, t := range c.commit.Tasks {
		c.uncommitted[t.Task] = true
	}
	c.enter(committing, now)
	return []Effect{c.commit}
}

func (c *Coordinator) committed(now time.Time, ev Committed) []Effect {
	if out := c.check(ev.From, fmt.Sprintf("committed epoch %d", ev.Epoch)); out != nil {
		return out
	}
	if c.phase != committing || ev.Epoch != c.epoch {
		return ignored("%v committed epoch %d unasked", ev.From.Task, ev.Epoch)
	}
	if !c.uncommitted[ev.From.Task] {
		return ignored("%v committed epoch %d twice or unasked", ev.From.Task, ev.Epoch)
	}
	delete(c.uncommitted, ev.From.Task)
	if len(c.uncommitted) > 0 {
		return nil
	}
	return c.mark(now)
}

func (c *Coordinator) mark(now time.Time) []Effect {
	c.retryAt, c.lastErr = time.Time{}, nil
	c.enter(marking, now)
	return []Effect{Mark{c.epoch}}
}

// commitData gives the pieces keys that sort in their order.
func commitData(pieces [][]byte) map[string][]byte {
	if len(pieces) == 0 {
		return nil
	}
	out := make(map[string][]byte, len(pieces))
	for i, p := range pieces {
		out[fmt.Sprintf("%06d", i)] = p
	}
	return out
}

func sortedValues(m map[string][]byte) [][]byte {
	out := make([][]byte, 0, len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, m[k])
	}
	return out
}

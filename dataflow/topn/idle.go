package topn

import (
	"math"

	"wadi/dataflow/state"
)

// idle finds the partitions that were not touched for the time to live. Each waits in one bucket of deadlines; when that
// comes due, one that was touched meanwhile moves on to the bucket of its new deadline.
type idle struct {
	// ttl is 0 for never.
	ttl, grain int64
	buckets    state.Panes[*[]int32]
}

// buckets per time to live.
const bucketsPerTTL = 256

func newIdle(ttl int64) idle { return idle{ttl: max(0, ttl), grain: max(1, ttl/bucketsPerTTL)} }

// wait puts a partition into the bucket of its deadline.
func (d *idle) wait(w []int64, slot int32) {
	start := d.deadline(w[seenWord])
	start -= start % d.grain
	b, ok := d.buckets.Get(start)
	if !ok {
		b = new([]int32)
		d.buckets.Insert(start, b)
	}
	*b = append(*b, slot)
	w[dueWord] = start
}

func (d *idle) deadline(seen int64) int64 {
	if seen > math.MaxInt64-d.ttl {
		return math.MaxInt64
	}
	return seen + d.ttl
}

// expired calls f for the partitions whose deadline has passed.
func (d *idle) expired(now int64, t *state.Table, f func(slot int32)) {
	words, stride := t.Values()
	for d.buckets.Len() > 0 && d.buckets.At(0).Start <= now {
		start := d.buckets.At(0).Start
		again := false
		for _, slot := range *d.buckets.PopFront() {
			if !t.Alive(slot) || words[int(slot)*stride+dueWord] != start {
				continue // it has gone, and its slot may be another's
			}
			w := words[int(slot)*stride:]
			if d.deadline(w[seenWord]) > now {
				d.wait(w, slot)
				again = again || w[dueWord] == start
				continue
			}
			w[dueWord] = 0
			f(slot)
		}
		if again {
			return // what is left is due within the grain of now
		}
	}
}

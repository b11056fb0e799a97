package state

import "math"

// Idle finds the rows of a table that were not touched for a time to live. Each row waits in one bucket of deadlines; when
// that comes due, one that was touched meanwhile moves on to the bucket of its new deadline. So a touch costs a word, and a
// row is looked at about once per time to live.
type Idle struct {
	// ttl is 0 for never.
	ttl, grain int64
	// seen and due are value words of the rows: the time of the last touch, which is the caller's to set, and the bucket
	// that the row waits in, 0 for none.
	seen, due int
	buckets   Panes[*[]int32]
}

// buckets per time to live.
const bucketsPerTTL = 256

// NewIdle makes an Idle for rows with these value words; rows are never idle if ttl is not positive.
func NewIdle(ttl int64, seen, due int) Idle {
	return Idle{ttl: max(0, ttl), grain: max(1, ttl/bucketsPerTTL), seen: seen, due: due}
}

// Never reports whether rows are never idle.
func (d *Idle) Never() bool { return d.ttl == 0 }

// Touch notes that the rows in these slots were seen now, which is positive.
func (d *Idle) Touch(now int64, t *Table, slots []int32) {
	words, stride := t.Values()
	for _, slot := range slots {
		w := words[int(slot)*stride : int(slot)*stride+t.l.values]
		w[d.seen] = now
		if w[d.due] == 0 {
			d.Wait(w, slot)
		}
	}
	t.MarkDirty(slots)
}

// Wait puts the row of a slot, with these value words, into the bucket of its deadline.
func (d *Idle) Wait(w []int64, slot int32) {
	start := d.deadline(w[d.seen])
	start -= start % d.grain
	b, ok := d.buckets.Get(start)
	if !ok {
		b = new([]int32)
		d.buckets.Insert(start, b)
	}
	*b = append(*b, slot)
	w[d.due] = start
}

func (d *Idle) deadline(seen int64) int64 {
	if seen > math.MaxInt64-d.ttl {
		return math.MaxInt64
	}
	return seen + d.ttl
}

// Expired calls f for the slots of the rows whose deadline has passed. They wait no more.
func (d *Idle) Expired(now int64, t *Table, f func(slot int32)) {
	words, stride := t.Values()
	for d.buckets.Len() > 0 && d.buckets.At(0).Start <= now {
		start := d.buckets.At(0).Start
		again := false
		for _, slot := range *d.buckets.PopFront() {
			if !t.Alive(slot) || words[int(slot)*stride+d.due] != start {
				continue // it has gone, and its slot may be another's
			}
			w := words[int(slot)*stride:]
			if d.deadline(w[d.seen]) > now {
				d.Wait(w, slot)
				again = again || w[d.due] == start
				continue
			}
			w[d.due] = 0
			f(slot)
		}
		if again {
			return // what is left is due within the grain of now
		}
	}
}

package updating

import (
	"math"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

// idle finds the groups that were not touched for the time to live. Each group is in one bucket of deadlines; when the
// bucket comes due, a group that was touched meanwhile moves on to the bucket of its new deadline. So a touch costs
// nothing here, and a group is looked at about once per time to live.
type idle struct {
	// ttl is 0 for never.
	ttl, grain int64
	buckets    state.Panes[*bucket]
	spare      []*bucket
	// in marks slots that are in a bucket.
	in  column.Bitmap
	due []int32
}

type bucket struct{ slots []int32 }

// buckets per time to live.
const bucketsPerTTL = 256

func newIdle(ttl int64) idle {
	if ttl <= 0 {
		return idle{}
	}
	return idle{ttl: ttl, grain: max(1, ttl/bucketsPerTTL)}
}

// add makes sure that a group last seen at this time is in a bucket.
func (d *idle) add(slot int32, seen int64) {
	if d.ttl == 0 {
		return
	}
	if w := column.Words(int(slot) + 1); w > len(d.in) {
		d.in = d.in.Grow(64 * (w + w/2))
	}
	if !d.in.Get(int(slot)) {
		d.in.Set(int(slot))
		d.put(slot, d.deadline(seen))
	}
}

func (d *idle) deadline(seen int64) int64 {
	if seen > math.MaxInt64-d.ttl {
		return math.MaxInt64
	}
	return seen + d.ttl
}

func (d *idle) put(slot int32, deadline int64) {
	start := deadline - deadline%d.grain
	b, ok := d.buckets.Get(start)
	if !ok {
		b = &bucket{}
		if n := len(d.spare); n > 0 {
			b, d.spare = d.spare[n-1], d.spare[:n-1]
		}
		d.buckets.Insert(start, b)
	}
	b.slots = append(b.slots, slot)
}

// expired gives the slots of groups whose deadline has passed and that are not touched now. They leave their buckets.
func (d *idle) expired(now int64, a *aggregate) []int32 {
	d.due = d.due[:0]
	for d.ttl > 0 && d.buckets.Len() > 0 && d.buckets.At(0).Start <= now {
		start := d.buckets.At(0).Start
		b := d.buckets.PopFront()
		d.sort(b, now, a)
		b.slots = b.slots[:0]
		d.spare = append(d.spare, b)
		if next, ok := d.buckets.Get(start); ok && len(next.slots) > 0 {
			break // groups whose deadline is within the grain of now
		}
	}
	return d.due
}

// sort looks at each group of a bucket: it has gone, is due, or gets another deadline.
func (d *idle) sort(b *bucket, now int64, a *aggregate) {
	w, stride := a.groups.Table.Values()
	for _, s := range b.slots {
		switch {
		case !a.groups.Table.Alive(s):
			d.in.Clear(int(s))
		case a.touched.has(s):
			d.put(s, d.deadline(now))
		default:
			seen := w[int(s)*stride+seenWord]
			if deadline := d.deadline(seen); deadline > now {
				d.put(s, deadline)
				continue
			}
			d.in.Clear(int(s))
			d.due = append(d.due, s)
		}
	}
}

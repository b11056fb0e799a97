package session

import (
	"cmp"
	"math"
	"slices"
)

// timers is a heap of sessions by deadline, each node with four below it. A session has one entry that counts, under the end that it had when the
// entry was made; when that comes due and the session has been extended meanwhile, it moves on to its present end. So
// extending a session costs nothing here.
type timers struct{ heap []timer }

// fan is the number of nodes below one of the heap.
const fan = 4

type timer struct {
	deadline int64
	slot     int32
}

// counts reports whether an entry is that of the session in its slot: others are of sessions that are gone.
func (t timer) counts(a *aggregate) bool {
	return a.groups.Table.Alive(t.slot) && a.own(t.slot)[timerWord] == t.deadline
}

// add lets a session without an entry wait for its end.
func (h *timers) add(slot int32, end int64, a *aggregate) {
	a.own(slot)[timerWord] = end
	if len(h.heap) > 2*a.groups.Table.Len()+1024 {
		h.compact(a)
	}
	h.heap = append(h.heap, timer{end, slot})
	i := len(h.heap) - 1
	for i > 0 {
		up := (i - 1) / fan
		if h.heap[up].deadline <= h.heap[i].deadline {
			break
		}
		h.heap[up], h.heap[i] = h.heap[i], h.heap[up]
		i = up
	}
}

// due takes out the sessions that end at or before w and appends them to dst in the order of their ends.
func (h *timers) due(w int64, a *aggregate, dst []int32) []int32 {
	for len(h.heap) > 0 && h.heap[0].deadline <= w {
		top := h.heap[0]
		if top.counts(a) {
			own := a.own(top.slot)
			if end := a.end(own); end > w {
				own[timerWord], h.heap[0].deadline = end, end
				h.down(0)
				continue
			}
			// The entry may be there twice, after a slot was used again; the session goes out once.
			own[timerWord] = math.MinInt64
			dst = append(dst, top.slot)
		}
		n := len(h.heap) - 1
		h.heap[0] = h.heap[n]
		h.heap = h.heap[:n]
		h.down(0)
	}
	slices.SortFunc(dst, func(x, y int32) int {
		p, q := a.own(x), a.own(y)
		return cmp.Or(cmp.Compare(p[lastWord], q[lastWord]), cmp.Compare(p[startWord], q[startWord]), cmp.Compare(x, y))
	})
	return dst
}

func (h *timers) down(i int) {
	heap := h.heap
	if i >= len(heap) {
		return
	}
	x := heap[i]
	for {
		least, from := i, fan*i+1
		deadline := x.deadline
		for c := from; c < min(from+fan, len(heap)); c++ {
			if heap[c].deadline < deadline {
				least, deadline = c, heap[c].deadline
			}
		}
		if least == i {
			heap[i] = x
			return
		}
		heap[i] = heap[least]
		i = least
	}
}

// compact drops entries that do not count.
func (h *timers) compact(a *aggregate) {
	h.heap = slices.DeleteFunc(h.heap, func(t timer) bool { return !t.counts(a) })
	for i := len(h.heap) / fan; i >= 0; i-- {
		h.down(i)
	}
}

func (h *timers) size() int64 { return int64(16 * cap(h.heap)) }

package asof

import "math"

// queue holds rows by event time, those of one time by their numbers. Rows that come in order, as most do, cost next to
// nothing.
type queue struct {
	// inOrder is ascending from head on; the other rows are in heap.
	inOrder []entry
	head    int
	heap    []entry
}

// entry is a row.
type entry struct{ time, row int64 }

func (e entry) before(o entry) bool { return e.time < o.time || e.time == o.time && e.row < o.row }

// push adds a row. Of rows of one time, those with lower numbers come first.
func (q *queue) push(e entry) {
	if n := len(q.inOrder); n == q.head || q.inOrder[n-1].time <= e.time {
		if q.head > 1024 && q.head > n/2 {
			q.inOrder = q.inOrder[:copy(q.inOrder, q.inOrder[q.head:])]
			q.head = 0
		}
		q.inOrder = append(q.inOrder, e)
		return
	}
	s := append(q.heap, e)
	i := len(s) - 1
	for i > 0 && e.before(s[(i-1)/2]) {
		s[i] = s[(i-1)/2]
		i = (i - 1) / 2
	}
	s[i] = e
	q.heap = s
}

// first is the earliest row.
func (q *queue) first() (entry, bool) {
	switch {
	case q.head < len(q.inOrder) && (len(q.heap) == 0 || q.inOrder[q.head].before(q.heap[0])):
		return q.inOrder[q.head], true
	case len(q.heap) > 0:
		return q.heap[0], true
	}
	return entry{}, false
}

// pop removes the earliest row.
func (q *queue) pop() {
	if q.head < len(q.inOrder) && (len(q.heap) == 0 || q.inOrder[q.head].before(q.heap[0])) {
		q.head++
		return
	}
	s := q.heap
	n := len(s) - 1
	last := s[n]
	s = s[:n]
	for i := 0; n > 0; {
		c := 2*i + 1
		if c+1 < n && s[c+1].before(s[c]) {
			c++
		}
		if c >= n || last.before(s[c]) {
			s[i] = last
			break
		}
		s[i] = s[c]
		i = c
	}
	q.heap = s
}

// before moves the rows before a time to dst, in their order; math.MaxInt64 is after all of them.
func (q *queue) before(t int64, dst []entry) []entry {
	for len(q.heap) > 0 {
		e, ok := q.first()
		if !ok || e.time >= t && t != math.MaxInt64 {
			return dst
		}
		dst = append(dst, e)
		q.pop()
	}
	due := q.inOrder[q.head:]
	n := 0
	for n < len(due) && (due[n].time < t || t == math.MaxInt64) {
		n++
	}
	q.head += n
	return append(dst, due[:n]...)
}

// all appends the rows to dst, in no order.
func (q *queue) all(dst []entry) []entry {
	return append(append(dst, q.inOrder[q.head:]...), q.heap...)
}

func (q *queue) reset() { q.inOrder, q.head, q.heap = q.inOrder[:0], 0, q.heap[:0] }

func (q *queue) size() int64 { return int64(16 * (cap(q.inOrder) + cap(q.heap))) }

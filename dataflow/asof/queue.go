package asof

import "math"

// queue holds rows by event time. Those that come in order, as most do, cost next to nothing.
type queue struct {
	// inOrder is ascending from head on; the other rows are in heap.
	inOrder []entry
	head    int
	heap    []entry
}

// entry is a row; age tells it from later rows with the same number.
type entry struct {
	time int64
	age  int64
	id   int32
}

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
	for i > 0 && s[(i-1)/2].time > e.time {
		s[i] = s[(i-1)/2]
		i = (i - 1) / 2
	}
	s[i] = e
	q.heap = s
}

// first is the earliest row.
func (q *queue) first() (entry, bool) {
	switch {
	case q.head < len(q.inOrder) && (len(q.heap) == 0 || q.inOrder[q.head].time <= q.heap[0].time):
		return q.inOrder[q.head], true
	case len(q.heap) > 0:
		return q.heap[0], true
	}
	return entry{}, false
}

// pop removes the earliest row.
func (q *queue) pop() {
	if q.head < len(q.inOrder) && (len(q.heap) == 0 || q.inOrder[q.head].time <= q.heap[0].time) {
		q.head++
		return
	}
	s := q.heap
	n := len(s) - 1
	last := s[n]
	s = s[:n]
	for i := 0; n > 0; {
		c := 2*i + 1
		if c+1 < n && s[c+1].time < s[c].time {
			c++
		}
		if c >= n || s[c].time >= last.time {
			s[i] = last
			break
		}
		s[i] = s[c]
		i = c
	}
	q.heap = s
}

// before moves the numbers of the rows before a time to dst, in the order of their times; math.MaxInt64 is after all of
// them.
func (q *queue) before(t int64, dst []int32) []int32 {
	for {
		e, ok := q.first()
		if !ok || e.time >= t && t != math.MaxInt64 {
			return dst
		}
		dst = append(dst, e.id)
		q.pop()
	}
}

func (q *queue) size() int64 { return int64(24 * (cap(q.inOrder) + cap(q.heap))) }

package join

// timeHeap is a binary heap of rows, the earliest first. Rows that come in order cost nothing to add.
type timeHeap []timedRow

type timedRow struct {
	time int64
	id   int32
}

func (h *timeHeap) push(t int64, id int32) {
	s := append(*h, timedRow{t, id})
	i := len(s) - 1
	for i > 0 {
		up := (i - 1) / 2
		if s[up].time <= t {
			break
		}
		s[i] = s[up]
		i = up
	}
	s[i] = timedRow{t, id}
	*h = s
}

// pop removes the first row.
func (h *timeHeap) pop() {
	s := *h
	n := len(s) - 1
	last := s[n]
	s = s[:n]
	i := 0
	for {
		c := 2*i + 1
		if c >= n {
			break
		}
		if c+1 < n && s[c+1].time < s[c].time {
			c++
		}
		if s[c].time >= last.time {
			break
		}
		s[i] = s[c]
		i = c
	}
	if n > 0 {
		s[i] = last
	}
	*h = s
}

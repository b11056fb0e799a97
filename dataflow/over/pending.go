package over

import "wadi/dataflow/ordered"

// pending is a heap of rows by event time.
type pending struct {
	rows *ordered.Rows
	ids  []int32
}

func (h *pending) push(id int32) {
	h.ids = append(h.ids, id)
	i := len(h.ids) - 1
	for i > 0 && h.rows.Time(h.ids[i]) < h.rows.Time(h.ids[(i-1)/2]) {
		h.ids[i], h.ids[(i-1)/2] = h.ids[(i-1)/2], h.ids[i]
		i = (i - 1) / 2
	}
}

func (h *pending) pop() int32 {
	top := h.ids[0]
	n := len(h.ids) - 1
	h.ids[0] = h.ids[n]
	h.ids = h.ids[:n]
	for i := 0; ; {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < n; c++ {
			if h.rows.Time(h.ids[c]) < h.rows.Time(h.ids[least]) {
				least = c
			}
		}
		if least == i {
			return top
		}
		h.ids[i], h.ids[least] = h.ids[least], h.ids[i]
		i = least
	}
}

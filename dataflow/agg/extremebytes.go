package agg

import (
	"bytes"

	"wadi/dataflow/column"
)

// bytesExtreme is min or max of byte strings, by their bytes. Words: offset in the heap, and length + 1, or 0 if there is
// no value.
type bytesExtreme struct {
	arg int
	max bool
}

// heap holds the byte strings of all groups, with garbage between them.
type heap struct {
	data    []byte
	garbage int
}

func (a *bytesExtreme) words() int       { return 2 }
func (a *bytesExtreme) invertible() bool { return false }
func (a *bytesExtreme) newSide() side    { return &heap{} }

func (a *bytesExtreme) better(h *heap, w []int64, x []byte) bool {
	if w[1] == 0 {
		return true
	}
	c := bytes.Compare(x, h.at(w))
	return a.max && c > 0 || !a.max && c < 0
}

func (a *bytesExtreme) update(s states, in *input) error {
	v := in.cols[a.arg].(*column.Bytes)
	h := s.side.(*heap)
	for j, r := range in.rows {
		if !v.Valid.IsValid(int(r)) {
			continue
		}
		w := s.w[int(in.slots[j])*s.stride:]
		if x := v.At(int(r)); a.better(h, w, x) {
			h.set(w, x)
		}
	}
	h.collect(s)
	return nil
}

func (a *bytesExtreme) merge(s states, to []int32, src states, from []int32, _ int64) error {
	h, other := s.side.(*heap), src.side.(*heap)
	for i, t := range to {
		x := src.w[int(from[i])*src.stride:]
		w := s.w[int(t)*s.stride:]
		if x[1] != 0 && a.better(h, w, other.at(x)) {
			h.set(w, other.at(x))
		}
	}
	h.collect(s)
	return nil
}

func (a *bytesExtreme) result(s states, slots []int32, out column.Appender) error {
	o, h := out.(*column.Bytes), s.side.(*heap)
	for _, slot := range slots {
		if w := s.w[int(slot)*s.stride:]; w[1] != 0 {
			o.Append(h.at(w))
		} else {
			o.AppendNull()
		}
	}
	return nil
}

func (h *heap) at(w []int64) []byte { return h.data[w[0] : w[0]+w[1]-1] }

// set makes w refer to a copy of x, in the place of the old value if it fits there.
func (h *heap) set(w []int64, x []byte) {
	if w[1] > int64(len(x)) {
		h.garbage += int(w[1]) - 1 - len(x)
		copy(h.data[w[0]:], x)
	} else {
		h.free(w)
		w[0] = int64(len(h.data))
		h.data = append(h.data, x...)
	}
	w[1] = int64(len(x)) + 1
}

// collect rewrites the heap when most of it is garbage. Rows of deleted groups refer to nothing.
func (h *heap) collect(s states) {
	if h.garbage < 1<<16 || 2*h.garbage < len(h.data) {
		return
	}
	fresh := make([]byte, 0, len(h.data)-h.garbage+len(h.data)/8)
	for at := 0; at+1 < len(s.w); at += s.stride {
		w := s.w[at : at+2]
		if w[1] == 0 {
			continue
		}
		x := h.at(w)
		w[0] = int64(len(fresh))
		fresh = append(fresh, x...)
	}
	h.data, h.garbage = fresh, 0
}

func (h *heap) free(w []int64) {
	if w[1] > 0 {
		h.garbage += int(w[1]) - 1
	}
	w[0], w[1] = 0, 0
}

func (h *heap) save(w []int64, buf []byte) []byte {
	if w[1] == 0 {
		return buf
	}
	return append(buf, h.at(w)...)
}

func (h *heap) load(_ int32, w []int64, data []byte) bool {
	has := w[1] != 0
	w[0], w[1] = 0, 0
	if has {
		h.set(w, data)
	}
	return has || len(data) == 0
}

func (h *heap) reset() { h.data, h.garbage = h.data[:0], 0 }

func (h *heap) size() int64 { return int64(cap(h.data)) }

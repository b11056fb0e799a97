package asof

import (
	"math"

	"wadi/dataflow/enrich"
	"wadi/dataflow/operator"
)

// sweepForward lets the left rows that are due wait and gives each right one those of its key that do.
func (j *asof) sweepForward(out operator.Emitter) error {
	lefts, rights := j.sides[left].rows, j.sides[right].rows
	j.lefts, j.ids = j.lefts[:0], j.ids[:0]
	next := 0
	// The last of compare is the one that counts, so rows of one time are taken from behind.
	for from := 0; from < len(j.due[right]); {
		t := rights.Time(j.due[right][from])
		to := from + 1
		for to < len(j.due[right]) && rights.Time(j.due[right][to]) == t {
			to++
		}
		for ; next < len(j.due[left]); next++ {
			if at := lefts.Time(j.due[left][next]); at > t || at == t && j.spec.Strict {
				break
			}
			j.wait(j.due[left][next])
		}
		for i := to - 1; i >= from; i-- {
			j.release(j.due[right][i])
			if len(j.lefts) >= maxRows {
				if err := j.flush(out); err != nil {
					return err
				}
			}
		}
		from = to
	}
	for _, id := range j.due[left][next:] {
		j.wait(id)
	}
	return j.flush(out)
}

// wait puts a left row in front of those that wait for a right row of their key.
func (j *asof) wait(id int32) {
	own := j.sides[left].rows.Own(id)
	k := j.key(int32(own[slotWord]))
	own[nextWord], own[waitsWord] = k[rowWord], 1
	k[rowWord] = int64(id) + 1
}

// release pairs the left rows that wait for a right one with it.
func (j *asof) release(id int32) {
	k := j.key(int32(j.sides[right].rows.Own(id)[slotWord]))
	for at := int32(k[rowWord]) - 1; at >= 0; {
		j.lefts, j.ids = append(j.lefts, at), append(j.ids, id)
		own := j.sides[left].rows.Own(at)
		own[waitsWord] = 0
		at = int32(own[nextWord]) - 1
	}
	k[rowWord] = 0
	j.gone = append(j.gone, id)
}

// flush puts out the pairs found.
func (j *asof) flush(out operator.Emitter) error {
	all, ids := j.lefts, j.ids
	gone := j.gone
	j.gone = nil // the right rows stay until all pairs are out
	for len(all) > 0 {
		n := min(len(all), maxRows)
		j.ids = ids[:n]
		if err := j.emit(all[:n], out); err != nil {
			return err
		}
		all, ids = all[n:], ids[n:]
	}
	j.gone = gone
	j.dropGone()
	j.lefts, j.ids = j.lefts[:0], j.ids[:0]
	return nil
}

// holding is the operator when left rows without a match go out at the end: it holds the watermark back to the earliest of
// those that wait.
type holding struct {
	*asof
	waiting queue
	sent    int64
}

func newHolding(j *asof) *holding {
	h := &holding{asof: j, sent: math.MinInt64}
	rows := j.sides[left].rows
	rows.Each(func(id int32) {
		if rows.Own(id)[waitsWord] != 0 {
			h.waiting.push(entry{rows.Time(id), rows.Age(id), id})
		}
	})
	return h
}

// MakesWatermarks implements operator.WatermarkMaker.
func (h *holding) MakesWatermarks() {}

// Watermark implements operator.Operator.
func (h *holding) Watermark(w int64, out operator.Emitter) error {
	if err := h.asof.Watermark(w, out); err != nil {
		return err
	}
	rows := h.sides[left].rows
	for _, id := range h.due[left] {
		if rows.Alive(id) && rows.Own(id)[waitsWord] != 0 {
			h.waiting.push(entry{rows.Time(id), rows.Age(id), id})
		}
	}
	if w == math.MaxInt64 {
		if err := h.pad(out); err != nil {
			return err
		}
	}
	for {
		e, ok := h.waiting.first()
		if ok && !(rows.Alive(e.id) && rows.Age(e.id) == e.age && rows.Own(e.id)[waitsWord] != 0) {
			h.waiting.pop()
			continue
		}
		if ok {
			w = min(w, e.time)
		}
		break
	}
	if w <= h.sent {
		return nil
	}
	h.sent = w
	return out.Watermark(w)
}

// pad puts out the left rows that no right one can match any more.
func (h *holding) pad(out operator.Emitter) error {
	h.lefts, h.ids = h.lefts[:0], h.ids[:0]
	rows := h.sides[left].rows
	rows.Each(func(id int32) {
		h.lefts, h.ids = append(h.lefts, id), append(h.ids, enrich.None)
	})
	for _, id := range h.lefts {
		h.key(int32(rows.Own(id)[slotWord]))[rowWord] = 0
	}
	return h.flush(out)
}

var _ operator.WatermarkMaker = (*holding)(nil)

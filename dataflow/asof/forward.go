package asof

import (
	"wadi/dataflow/enrich"
	"wadi/dataflow/operator"
)

// sweepForward lets the left rows that are due wait, gives each right one those of its key that do, and gives up those that
// none can match any more.
func (j *asof) sweepForward(w int64, out operator.Emitter) error {
	lefts, rights := j.sides[left].rows, j.sides[right].rows
	j.lefts, j.ids = j.lefts[:0], j.ids[:0]
	next := 0
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
		// The last of compare is the one that counts, so rows of one time are taken from behind.
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
	j.giveUp(w)
	return j.flush(out)
}

// wait puts a left row in front of those that wait for a right row of their key.
func (j *asof) wait(id int32) {
	rows := j.sides[left].rows
	own := rows.Own(id)
	k := j.key(int32(own[slotWord]))
	own[beforeWord], own[behindWord], own[waitsWord] = 0, k[rowWord], 1
	if k[rowWord] != 0 {
		rows.Own(int32(k[rowWord]) - 1)[beforeWord] = int64(id) + 1
	}
	k[rowWord] = int64(id) + 1
	if j.outer || j.spec.Reach > 0 {
		j.swept.push(entry{rows.Time(id), rows.Age(id), id})
	}
}

// release pairs the left rows that wait for a right one with it. For those that are too far away every other is as well.
func (j *asof) release(id int32) {
	lefts, rights := j.sides[left].rows, j.sides[right].rows
	k := j.key(int32(rights.Own(id)[slotWord]))
	for at := int32(k[rowWord]) - 1; at >= 0; {
		match := id
		if !j.reaches(lefts.Time(at), rights.Time(id)) {
			match = enrich.None
		}
		j.lefts, j.ids = append(j.lefts, at), append(j.ids, match)
		own := lefts.Own(at)
		own[waitsWord] = 0
		at = int32(own[behindWord]) - 1
	}
	k[rowWord] = 0
	j.gone = append(j.gone, id)
}

// waits reports whether a row that was swept is still there and waits.
func (j *asof) waits(e entry) bool {
	rows := j.sides[left].rows
	return rows.Alive(e.id) && rows.Age(e.id) == e.age && rows.Own(e.id)[waitsWord] != 0
}

// giveUp takes the left rows that have waited too long out of their lists, to go without a match.
func (j *asof) giveUp(w int64) {
	rows := j.sides[left].rows
	for e, ok := j.swept.first(); ok; e, ok = j.swept.first() {
		if j.waits(e) {
			if w != operator.EndOfTime && j.reaches(e.time, w) {
				return
			}
			own := rows.Own(e.id)
			own[waitsWord] = 0
			if own[beforeWord] != 0 {
				rows.Own(int32(own[beforeWord]) - 1)[behindWord] = own[behindWord]
			} else {
				j.key(int32(own[slotWord]))[rowWord] = own[behindWord]
			}
			if own[behindWord] != 0 {
				rows.Own(int32(own[behindWord]) - 1)[beforeWord] = own[beforeWord]
			}
			j.lefts, j.ids = append(j.lefts, e.id), append(j.ids, enrich.None)
		}
		j.swept.pop()
	}
}

// flush puts out the pairs found.
func (j *asof) flush(out operator.Emitter) error {
	all, ids, gone := j.lefts, j.ids, j.gone
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

// holding is the operator when left rows that wait may go out without a match: it holds the watermark back to the earliest
// of these.
type holding struct {
	*asof
	sent int64
}

// MakesWatermarks implements operator.WatermarkMaker.
func (h *holding) MakesWatermarks() {}

// Watermark implements operator.Operator.
func (h *holding) Watermark(w int64, out operator.Emitter) error {
	if err := h.asof.Watermark(w, out); err != nil {
		return err
	}
	if e, ok := h.swept.first(); ok {
		w = min(w, e.time)
	}
	if w <= h.sent {
		return nil
	}
	h.sent = w
	return out.Watermark(w)
}

var _ operator.WatermarkMaker = (*holding)(nil)

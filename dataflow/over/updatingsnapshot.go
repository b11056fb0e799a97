package over

import (
	"encoding/binary"

	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// Tables of an updating operator's state beside the rows: when keys are forgotten, the keys with the time at which they
// were last seen, and per subtask the wall-clock time of the snapshot. What was put out follows from the rows.
const (
	keyTable   = "keys"
	clockTable = "clock"
)

// Snapshot implements operator.Operator. A flush has gone before, so that the results of the rows are what was put out.
func (u *updating) Snapshot(w state.Writer) error {
	u.rows.Save(w, rowTable)
	if u.idle.Never() {
		return nil
	}
	subtask := binary.BigEndian.AppendUint32(nil, uint32(u.env.Subtask))
	w.Global(clockTable, subtask, binary.LittleEndian.AppendUint64(nil, uint64(u.clock())))
	u.partitions.Save(w, keyTable, &u.inc)
	return nil
}

// restore reads the rows of this subtask's keys and computes again what was put out. The time between the snapshot and now
// does not count as idle.
func (u *updating) restore(r state.Reader) error {
	var taken int64
	err := r.Global(clockTable, func(_, value []byte) error {
		if len(value) != 8 {
			return fault.Internalf("stored time of functions over rows cannot be decoded").
				WithHint("start the pipeline from an empty state directory")
		}
		taken = max(taken, int64(binary.LittleEndian.Uint64(value)))
		return nil
	})
	if err != nil {
		return err
	}
	if !u.idle.Never() {
		err := u.partitions.Load(r, keyTable, u.env.Keys, func(w []int64) {
			seen := w[seenWord]
			clear(w)
			w[seenWord] = seen
		})
		if err != nil {
			return err
		}
	}
	loaded, err := u.rows.Load(r, rowTable, u.env.Keys, func(uint64, int64) bool { return true })
	if err != nil {
		return err
	}
	ids := make([]int32, len(loaded))
	for i, l := range loaded {
		own := u.rows.Own(l.ID)
		own[pinsWord], own[linkWord], own[countWord] = 0, 0, 0
		ids[i] = l.ID
	}
	f := newFinder(u.evaluator)
	f.find(ids, func(slot, id int32) {
		if insertErr := u.insert(slot, id); err == nil {
			err = insertErr
		}
	})
	if err != nil {
		return err
	}
	return u.resume(u.clock() - taken)
}

// resume computes the results of all rows, which have been put out, and lets the keys wait to be forgotten.
func (u *updating) resume(away int64) error {
	for i := range u.changed {
		c := &u.changed[i]
		if err := u.refresh(c); err != nil {
			return err
		}
		for _, p := range u.pieces {
			u.shown.set(p.id, u.fresh[p.from:p.until])
		}
		u.words(c.slot)[changedWord] = 0
	}
	u.changed = u.changed[:0]
	if u.idle.Never() {
		return nil
	}
	for _, slot := range u.partitions.Slots(nil) {
		w := u.words(slot)
		w[seenWord] = max(1, w[seenWord]+away)
		u.idle.Wait(w, slot)
	}
	return nil
}

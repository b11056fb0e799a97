package over

import "wadi/dataflow/state"

// keyTable is, beside the rows, the state of an updating operator that forgets keys: the keys with the time at which they were
// last seen. What was put out follows from the rows.
const keyTable = "keys"

// Snapshot implements operator.Operator. A flush has gone before, so that the results of the rows are what was put out.
func (u *updating) Snapshot(w state.Writer) error {
	u.rows.Save(w, rowTable)
	if u.idle.Never() {
		return nil
	}
	saveClock(w, &u.env)
	u.partitions.Save(w, keyTable, &u.inc)
	return nil
}

// restore reads the rows of this subtask's keys and computes again what was put out. The time between the snapshot and now
// does not count as idle.
func (u *updating) restore(r state.Reader) error {
	gone, err := away(r, &u.env)
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
	return u.resume(gone)
}

// resume computes the results of all rows, which have been put out, and lets the keys wait to be forgotten.
func (u *updating) resume(gone int64) error {
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
		w[seenWord] = max(1, w[seenWord]+gone)
		u.idle.Wait(w, slot)
	}
	return nil
}

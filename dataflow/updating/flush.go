package updating

import (
	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
)

// flush puts out what has changed since the last flush and what has been idle for too long.
func (a *aggregate) flush(now int64, out operator.Emitter) error {
	now = max(now, 1)
	if err := a.evict(now); err != nil {
		return err
	}
	if len(a.touched.slots) == 0 {
		return nil
	}
	if a.spec.Single && a.crowded() {
		e := fault.Dataf("", "a subquery that is a value has more than one row").WithHint("take one of them, with LIMIT 1 or an aggregate such as max")
		e.Code, e.Span = CodeManyRows, a.spec.Aggs[0].Span
		return e
	}
	fresh, err := a.compute()
	if err != nil {
		return err
	}
	for i, s := range a.touched.slots {
		old, cur := a.touched.old[i], fresh[i]
		if old < 0 && cur < 0 || old >= 0 && cur >= 0 && !a.differs[i] {
			continue
		}
		if err := a.results.put(a.groups, s, old, cur, out); err != nil {
			return err
		}
	}
	if err := a.results.emit(a.groups, out); err != nil {
		return err
	}
	a.settle(now)
	a.metrics.StateBytes.Store(a.groups.Size())
	return nil
}

// crowded reports whether a touched group has more than one row.
func (a *aggregate) crowded() bool {
	w, stride := a.groups.Table.Values()
	for _, s := range a.touched.slots {
		if w[int(s)*stride+rowsWord] > 1 {
			return true
		}
	}
	return false
}

// evict empties the groups whose time to live has passed, so that the flush retracts and settle deletes them.
func (a *aggregate) evict(now int64) error {
	expired := a.idle.expired(now, a)
	if len(expired) == 0 {
		return nil
	}
	if err := a.touch(expired); err != nil {
		return err
	}
	w, stride := a.groups.Table.Values()
	for _, s := range expired {
		w[int(s)*stride+rowsWord] = 0
	}
	return nil
}

// compute computes the present results of the touched groups, gives their rows, -1 for groups without rows, and notes in
// differs which of them are not what was put out last.
func (a *aggregate) compute() (fresh []int32, err error) {
	w, stride := a.groups.Table.Values()
	a.fresh = a.fresh[:0]
	for _, s := range a.touched.slots {
		row := int32(-1)
		if w[int(s)*stride+rowsWord] > 0 || a.global {
			row = a.results.reserve(s)
		}
		a.fresh = append(a.fresh, row)
	}
	if err := a.results.compute(a.groups, timeWord); err != nil {
		return nil, err
	}
	if cap(a.differs) < len(a.fresh) {
		a.differs = make([]bool, len(a.fresh)+len(a.fresh)/4)
	}
	a.differs = a.differs[:len(a.fresh)]
	clear(a.differs)
	for _, c := range a.results.aggs {
		markDifferent(c, a.touched.old, a.fresh, a.differs)
	}
	return a.fresh, nil
}

// settle deletes the groups without rows, notes for the others that they live, and forgets what was touched.
func (a *aggregate) settle(now int64) {
	w, stride := a.groups.Table.Values()
	a.groups.Table.MarkDirty(a.touched.slots)
	for _, s := range a.touched.slots {
		if w[int(s)*stride+rowsWord] == 0 && !a.global {
			a.groups.Delete(s)
			continue
		}
		w[int(s)*stride+seenWord] = now
		if !a.global {
			a.idle.add(s, now)
		}
	}
	a.touched.reset()
	a.results.reset()
}

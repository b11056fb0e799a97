package updating

import (
	"encoding/binary"

	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// Tables of the operator's state: the groups, and per subtask the wall-clock time of the snapshot.
const (
	groupTable = "groups"
	clockTable = "clock"
)

// Snapshot implements operator.Operator. A flush has gone before, so the groups' results are what was put out last.
func (a *aggregate) Snapshot(w state.Writer) error {
	subtask := binary.BigEndian.AppendUint32(nil, uint32(a.env.Subtask))
	w.Global(clockTable, subtask, binary.LittleEndian.AppendUint64(nil, uint64(a.now())))
	chunk, base := a.groups.Changes(&a.inc)
	if base || chunk.Rows() > 0 {
		w.Keyed(groupTable, base, chunk)
	}
	return nil
}

// restore reads the groups of this subtask's keys. The time between the snapshot and now does not count as idle.
func (a *aggregate) restore(r state.Reader) error {
	var taken int64
	err := r.Global(clockTable, func(_, value []byte) error {
		if len(value) != 8 {
			return fault.Internalf("stored time of an updating aggregate cannot be decoded").
				WithHint("start the pipeline from an empty state directory")
		}
		taken = max(taken, int64(binary.LittleEndian.Uint64(value)))
		return nil
	})
	if err != nil {
		return err
	}
	t := a.groups.Table
	err = r.Keyed(groupTable, a.env.Keys, func(c *state.Chunk) error {
		if err := a.set.Check(t.Layout(), c); err != nil {
			return err
		}
		for i := range c.Rows() {
			if _, err := a.groups.Load(c, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w, stride := t.Values()
	away := a.now() - taken
	for _, s := range t.Slots(nil) {
		seen := &w[int(s)*stride+seenWord]
		*seen = max(1, *seen+away)
		if len(a.spec.Keys) > 0 {
			a.idle.add(s, *seen)
		}
	}
	return nil
}

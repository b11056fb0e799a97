package window

import (
	"encoding/binary"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/state"
)

// Tables of the operator's state. The panes' rows have the pane's start as their time; the progress table has an entry
// per subtask.
const (
	paneTable     = "panes"
	progressTable = "progress"
)

// Snapshot implements operator.Operator.
func (a *aggregate) Snapshot(w state.Writer) error {
	a.writeProgress(w)
	rows, dirty := 0, 0
	for i := range a.panes.Len() {
		t := a.panes.At(i).Value.groups.Table
		rows += t.Len()
		dirty += t.Dirty()
	}
	base := a.inc.Base(rows, dirty)
	chunk := a.set.NewChunk(a.keys)
	var slots []int32
	for i := range a.panes.Len() {
		p := a.panes.At(i).Value
		slots = p.groups.Table.TakeDirty(slots[:0])
		if base {
			slots = p.groups.Table.Slots(slots[:0])
		}
		p.groups.Save(chunk, slots, p.start)
	}
	if base || chunk.Rows() > 0 {
		w.Keyed(paneTable, base, chunk)
	}
	w.Expire(paneTable, a.expired)
	return nil
}

// holdback keeps back what another subtask had put out before a restore: the rows of its keys in windows before next.
type holdback struct {
	keys column.KeyRange
	released
}

// writeProgress tells how far this subtask has gone with its keys, and with those keys that it holds back.
func (a *aggregate) writeProgress(w state.Writer) {
	own := holdback{keys: a.env.Keys, released: a.released}
	for i, h := range append([]holdback{own}, a.held...) {
		key := binary.BigEndian.AppendUint32(nil, uint32(a.env.Subtask))
		w.Global(progressTable, binary.BigEndian.AppendUint32(key, uint32(i)), h.encode())
	}
}

func (h holdback) encode() []byte {
	var b []byte
	for _, v := range []uint64{
		h.keys.First, h.keys.Last, uint64(h.watermark), uint64(h.closed), uint64(h.next),
	} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func decodeProgress(b []byte) (h holdback, err error) {
	if len(b) != 40 {
		return h, fault.Internalf("stored progress of a window cannot be decoded").
			WithHint("start the pipeline from an empty state directory")
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	h.keys = column.KeyRange{First: at(0), Last: at(1)}
	h.released = released{watermark: int64(at(2)), closed: int64(at(3)), next: int64(at(4))}
	return h, nil
}

// restore reads the state of the subtasks that owned this one's keys. They had usually come equally far. Where they had
// not, the operator goes on from the one that was furthest behind, and keeps back what the others had put out already.
func (a *aggregate) restore(r state.Reader) error {
	var old []holdback
	err := r.Global(progressTable, func(_, value []byte) error {
		h, err := decodeProgress(value)
		if err == nil && h.keys.Overlaps(a.env.Keys) {
			h.keys.First = max(h.keys.First, a.env.Keys.First)
			h.keys.Last = min(h.keys.Last, a.env.Keys.Last)
			old = append(old, h)
		}
		return err
	})
	if err != nil {
		return err
	}
	for i, h := range old {
		if i == 0 {
			a.released = h.released
			continue
		}
		a.watermark, a.closed, a.next = min(a.watermark, h.watermark), min(a.closed, h.closed), min(a.next, h.next)
	}
	for _, h := range old {
		if h.released != a.released {
			a.held = append(a.held, h)
		}
	}
	return r.Keyed(paneTable, a.env.Keys, func(c *state.Chunk) error { return a.load(c, old) })
}

// load takes over the rows of a chunk, those of panes that had been released left out.
func (a *aggregate) load(c *state.Chunk, old []holdback) error {
	if err := a.set.Check(a.keys, c); err != nil {
		return err
	}
	for i := range c.Rows() {
		if start := c.Time[i]; !a.gone(start, c.Hash[i], old) {
			if _, err := a.paneAt(start).groups.Load(c, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// gone reports whether the subtask that owned a hash had dropped the pane.
func (a *aggregate) gone(start int64, hash uint64, old []holdback) bool {
	for _, h := range old {
		if h.keys.Contains(hash) && start < a.bound(h.released) {
			return true
		}
	}
	return false
}

// bound is the start before which no window of one who had gone this far goes out.
func (a *aggregate) bound(r released) int64 {
	if a.width == a.slide {
		return r.closed
	}
	return r.next
}

// withhold removes the slots of keys whose window at start went out before the restore.
func (a *aggregate) withhold(g *agg.Groups, slots []int32, start int64) []int32 {
	kept := slots[:0]
	for _, s := range slots {
		if !a.gone(start, g.Table.Hash(s), a.held) {
			kept = append(kept, s)
		}
	}
	return kept
}

package window

import (
	"encoding/binary"
	"math"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
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

// holdback keeps back what another subtask had put out before a restore: the rows of its keys in windows that end at or
// before its watermark.
type holdback struct {
	keys      column.KeyRange
	watermark int64
}

// writeProgress tells how far this subtask has gone with its keys, and with those keys that it holds back.
func (a *aggregate) writeProgress(w state.Writer) {
	own := holdback{a.env.Keys, a.watermark}
	for i, h := range append([]holdback{own}, a.held...) {
		key := binary.BigEndian.AppendUint32(nil, uint32(a.env.Subtask))
		w.Global(progressTable, binary.BigEndian.AppendUint32(key, uint32(i)), h.encode())
	}
}

func (h holdback) encode() []byte {
	var b []byte
	for _, v := range []uint64{h.keys.First, h.keys.Last, uint64(h.watermark)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

// decodeProgress reads what encode wrote. Earlier versions wrote two more words behind it, which the watermark implies.
func decodeProgress(b []byte) (h holdback, err error) {
	if len(b) != 24 && len(b) != 40 {
		return h, fault.Internalf("stored progress of a window cannot be decoded").
			WithHint("start the pipeline from an empty state directory")
	}
	at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
	return holdback{column.KeyRange{First: at(0), Last: at(1)}, int64(at(2))}, nil
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
		if i == 0 || h.watermark < a.watermark {
			a.watermark = h.watermark
		}
	}
	if a.watermark > math.MinInt64 {
		a.closed = a.closedAt(a.watermark)
	}
	for _, h := range old {
		if h.watermark != a.watermark {
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
	needed := make([]int64, len(old))
	for i, h := range old {
		needed[i] = a.neededFrom(h.watermark)
	}
	for i := range c.Rows() {
		start := c.Time[i]
		gone := false
		for k, h := range old {
			gone = gone || start < needed[k] && h.keys.Contains(c.Hash[i])
		}
		if gone {
			continue
		}
		p, ok := a.panes.Get(start)
		if !ok {
			p = a.paneAt(a.grid.Pane(start))
		}
		if _, err := p.groups.Load(c, i); err != nil {
			return err
		}
	}
	return nil
}

// neededFrom is the start of the first window that is not out when the watermark is w.
func (a *aggregate) neededFrom(w int64) int64 {
	switch w {
	case math.MinInt64, operator.EndOfTime:
		return w
	}
	return a.grid.First(w).Start
}

// withhold removes the slots of keys whose window went out before the restore.
func (a *aggregate) withhold(g *agg.Groups, slots []int32, end int64) []int32 {
	kept := slots[:0]
	for _, s := range slots {
		gone := false
		for _, h := range a.held {
			gone = gone || end <= h.watermark && h.keys.Contains(g.Table.Hash(s))
		}
		if !gone {
			kept = append(kept, s)
		}
	}
	return kept
}

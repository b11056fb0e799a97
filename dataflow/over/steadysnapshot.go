package over

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// heldTable has the rows that no watermark has passed. The words and accumulators of partitions are in partitionTable.
const heldTable = "held"

// Snapshot implements operator.Operator.
func (s *steady) Snapshot(w state.Writer) error {
	s.progress.Save(w, progressTable, s.env.Subtask, s.env.Keys)
	if !s.idle.Never() {
		saveClock(w, &s.env)
	}
	s.saveHeld(w)
	t := s.groups.Table
	dirty := t.Dirty()
	if !s.idle.Never() && t.NeedsBase() {
		dirty += 4*t.Len() + 4096
	}
	base := s.inc.Base(t.Len(), dirty)
	chunk := s.set.NewChunk(t.Layout())
	slots := t.TakeDirty(nil)
	if t.TakeDeleted(chunk, 0); base {
		slots, chunk = t.Slots(slots[:0]), s.set.NewChunk(t.Layout())
	}
	s.groups.Save(chunk, slots, 0)
	if base || chunk.Rows() > 0 {
		w.Keyed(partitionTable, base, chunk)
	}
	return nil
}

// saveHeld writes all rows that are held, which are few: they replace those of the snapshot before.
func (s *steady) saveHeld(w state.Writer) {
	c := &state.Chunk{Bytes: []*column.Bytes{column.NewBytes(arrow.BinaryTypes.Binary)}}
	var buf []byte
	s.held.each(func(b *column.Batch, rows []int32) {
		for i, k := range s.spec.Keys {
			s.keys[i] = b.Cols[k]
		}
		s.hashes = column.HashColumns(s.hashes, s.keys, b.N, rows)
		for _, r := range rows {
			buf = ordered.AppendRow(buf[:0], b.Cols, int(r))
			c.Hash, c.Time = append(c.Hash, s.hashes[r]), append(c.Time, b.Time[r])
			c.Bytes[0].Append(buf)
		}
	})
	if s.pended || c.Rows() > 0 {
		w.Keyed(heldTable, true, c)
	}
	s.pended = c.Rows() > 0
}

func (s *steady) restore(r state.Reader) (err error) {
	if s.progress, err = ordered.LoadProgress(r, progressTable, s.env.Keys); err != nil {
		return err
	}
	s.pended = true
	if err := r.Keyed(heldTable, s.env.Keys, s.restoreHeld); err != nil {
		return err
	}
	layout := s.groups.Table.Layout()
	err = r.Keyed(partitionTable, s.env.Keys, func(c *state.Chunk) error {
		if err := s.set.Check(layout, c); err != nil {
			return err
		}
		for i := range c.Rows() {
			if _, err := s.groups.Load(c, i); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil || s.idle.Never() {
		return err
	}
	gone, err := away(r, &s.env)
	if err != nil {
		return err
	}
	words, stride := s.groups.Table.Values()
	for _, slot := range s.groups.Table.Slots(nil) {
		w := words[int(slot)*stride:][:steadyWords]
		w[lastSeenWord] = max(1, w[lastSeenWord]+gone)
		s.idle.Wait(w, slot)
	}
	return nil
}

func (s *steady) restoreHeld(c *state.Chunk) error {
	n := len(c.Hash)
	if len(c.Time) != n || len(c.Words) != 0 || len(c.Bytes) != 1 || c.Bytes[0].Len() != n {
		return fault.Internalf("stored state does not have the shape that this operator writes").
			WithHint("start the pipeline from an empty state directory")
	}
	b := column.NewBuilder(s.in, false)
	var cols []column.Appender
	for i := range s.in.NumFields() {
		cols = append(cols, b.Column(i))
	}
	for i := range n {
		if !ordered.TakeRow(c.Bytes[0].At(i), cols) {
			return damaged()
		}
		b.AppendTime(c.Time[i], column.Insert)
	}
	s.held.add(b.Batch(), column.AllRows(nil, n))
	return nil
}

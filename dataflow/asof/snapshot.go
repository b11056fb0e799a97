package asof

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Tables of the operator's state: the rows of each side, and the progress of event time. Keys are found again from the rows.
const progressTable = "progress"

var rowTables = [2]string{left: "left", right: "right"}

// Snapshot implements operator.Operator.
func (j *asof) Snapshot(w state.Writer) error {
	j.progress.Save(w, progressTable, j.env.Subtask, j.env.Keys)
	for port := range j.sides {
		j.sides[port].rows.Save(w, rowTables[port])
		if j.passes(port) {
			w.Expire(rowTables[port], j.progress.Watermark)
		}
	}
	return nil
}

// passes reports whether the rows of a side go when the watermark passes them.
func (j *asof) passes(port int) bool { return (port == left) != j.spec.Forward }

// restore reads the rows and sweeps again, without results, those that the watermark has passed.
func (j *asof) restore(r state.Reader, in [2]*arrow.Schema) (err error) {
	if j.progress, err = ordered.LoadProgress(r, progressTable, j.env.Keys); err != nil {
		return err
	}
	var swept [2]queue
	for port := range j.sides {
		s := &j.sides[port]
		loaded, err := s.rows.Load(r, rowTables[port], j.env.Keys, func(hash uint64, time int64) bool {
			return !j.passes(port) || !j.progress.Passed(hash, time)
		})
		if err != nil {
			return err
		}
		s.find(loaded, in[port], j.keys, func(id, slot int32) {
			own := s.rows.Own(id)
			if port == right {
				own[placeWord] = 0
				j.number = max(j.number, own[numberWord]+1)
			}
			if !j.progress.Passed(s.rows.Hash(id), s.rows.Time(id)) {
				j.keep(s, id, slot)
				return
			}
			j.use(s, id, slot)
			swept[port].push(entry{s.rows.Time(id), s.rows.Age(id), id})
		})
	}
	if j.spec.Forward {
		for _, id := range swept[left].before(operator.EndOfTime, nil) {
			j.wait(id)
		}
		return nil
	}
	j.due[right] = swept[right].before(operator.EndOfTime, nil)
	j.sort(j.due[right])
	for _, id := range j.due[right] {
		j.take(id)
	}
	j.dropGone()
	return nil
}

// find gives the keys of rows that were read back, which it makes where they are new.
func (s *side) find(loaded []ordered.Loaded, in *arrow.Schema, keys *state.Table, f func(id, slot int32)) {
	b := column.NewBuilder(in, false)
	cols := make([]column.Appender, in.NumFields())
	for i := range cols {
		cols[i] = b.Column(i)
	}
	for len(loaded) > 0 {
		n := min(len(loaded), maxRows)
		b.Reset()
		s.hashes = s.hashes[:0]
		for _, l := range loaded[:n] {
			s.rows.Append(l.ID, cols)
			s.hashes = append(s.hashes, s.rows.Hash(l.ID))
		}
		for i, k := range s.keys {
			s.cols[i] = cols[k]
		}
		s.slots = keys.FindOrInsert(s.hashes, s.cols, n, nil, s.slots)
		for i, l := range loaded[:n] {
			f(l.ID, s.slots[i])
		}
		loaded = loaded[n:]
	}
}

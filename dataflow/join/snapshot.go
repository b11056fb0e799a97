package join

import (
	"encoding/binary"
	"math"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// Tables of the operators' state: the rows of each side, and an entry per subtask with how far it had come.
const progressTable = "progress"

var rowTables = [2]string{left: "left", right: "right"}

// progress is how far a subtask had come at a checkpoint: the wall-clock time of an updating join, the watermark of an
// interval join, and for each side the time before which rows had expired.
type progress struct {
	keys column.KeyRange
	mark int64
	cut  [2]int64
}

func (j *joiner) snapshot(w state.Writer, mark int64, cut [2]int64) {
	var b []byte
	for _, v := range []uint64{j.env.Keys.First, j.env.Keys.Last, uint64(mark), uint64(cut[left]), uint64(cut[right])} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	w.Global(progressTable, binary.BigEndian.AppendUint32(nil, uint32(j.env.Subtask)), b)
	for port, s := range j.sides {
		s.m.Snapshot(w, rowTables[port], cut[port])
	}
	j.metrics.StateBytes.Store(j.size())
}

// progresses reads the entries of the subtasks that owned keys of this one's.
func (j *joiner) progresses(r state.Reader) ([]progress, error) {
	var all []progress
	err := r.Global(progressTable, func(_, b []byte) error {
		if len(b) != 40 {
			return fault.Internalf("stored progress of a join cannot be decoded").
				WithHint("start the pipeline from an empty state directory")
		}
		at := func(i int) uint64 { return binary.LittleEndian.Uint64(b[8*i:]) }
		p := progress{keys: column.KeyRange{First: at(0), Last: at(1)}, mark: int64(at(2)), cut: [2]int64{int64(at(3)), int64(at(4))}}
		if p.keys.Overlaps(j.env.Keys) {
			all = append(all, p)
		}
		return nil
	})
	return all, err
}

// load reads the rows of both sides that had not expired; shift moves the times at which they were used.
func (j *joiner) load(r state.Reader, old []progress, shift int64) error {
	for port := range j.sides {
		s := &j.sides[port]
		l := s.m.Load(shift, s.rehash)
		if err := r.Keyed(rowTables[port], j.env.Keys, l.Chunk); err != nil {
			return err
		}
		l.Done(func(route uint64) int64 {
			for _, p := range old {
				if p.keys.Contains(route) {
					return p.cut[port]
				}
			}
			return math.MinInt64
		})
	}
	return nil
}

// Snapshot implements operator.Operator.
func (j *updating) Snapshot(w state.Writer) error {
	cut := [2]int64{math.MinInt64, math.MinInt64}
	if j.cut > 0 {
		for port, s := range j.sides {
			cut[port] = s.m.BucketStart(j.cut)
		}
	}
	j.snapshot(w, j.now(), cut)
	return nil
}

// restoreUpdating reads the rows. The time between the snapshot and now does not count as idle.
func (j *updating) restoreUpdating(r state.Reader) error {
	old, err := j.progresses(r)
	if err != nil {
		return err
	}
	taken := int64(math.MinInt64)
	for _, p := range old {
		taken = max(taken, p.mark)
	}
	shift := int64(0)
	if len(old) > 0 {
		shift = subtract(j.now(), taken)
		j.forgetful = j.ttl > 0
	}
	return j.load(r, old, shift)
}

var _ operator.Ticker = (*updating)(nil)

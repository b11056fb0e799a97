package asof

import (
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Tables of the operator's state: the rows of each side that the watermark has not passed, and the progress of event time.
// What is kept behind it has a table of its own for each direction.
const progressTable = "progress"

var rowTables = [2]string{left: "left", right: "right"}

// Snapshot implements operator.Operator.
func (j *asof) Snapshot(w state.Writer) error {
	j.progress.Save(w, progressTable, j.env.Subtask, j.env.Keys)
	for port := range j.sides {
		j.sides[port].pen.save(w, rowTables[port], &j.progress)
	}
	j.way.save(w)
	return nil
}

func (j *asof) restore(r state.Reader) (err error) {
	if j.progress, err = ordered.LoadProgress(r, progressTable, j.env.Keys); err != nil {
		return err
	}
	for port := range j.sides {
		if err := j.sides[port].pen.load(r, rowTables[port], j.env.Keys, &j.progress); err != nil {
			return err
		}
	}
	return j.way.load(r)
}

// Package constant is the sources whose rows stand in the program: those of VALUES, and the values of a series.
//
// Nothing comes in. What goes out are batches of rows with the Unix epoch as event time, until the input ends behind the last
// one; one subtask makes them all. The position is the only state, and for a series its bounds, since these may depend on
// the time at which they were computed. Nothing blocks, and no more than one batch is in memory.
package constant

import (
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
)

// table is the global table with the position, under the key of the same name.
const (
	table    = "constant"
	position = "position"
)

// maxRows bounds a batch.
const maxRows = 8192

func batchRows(env operator.Env) int {
	if env.BatchRows <= 0 || env.BatchRows > maxRows {
		return maxRows
	}
	return env.BatchRows
}

// load gives the saved position; nil for a fresh start.
func load(env operator.Env, size int) ([]byte, error) {
	var found []byte
	if env.Restore == nil {
		return nil, nil
	}
	err := env.Restore.Global(table, func(key, value []byte) error {
		if string(key) != position || len(value) != size {
			return fault.Internalf("the saved position of a constant relation is not readable")
		}
		found = append([]byte(nil), value...)
		return nil
	})
	return found, err
}

// once is a batch of one row without columns, over which constants are computed.
func once() *column.Batch { return &column.Batch{N: 1, Time: []int64{0}} }

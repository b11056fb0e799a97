package over

import (
	"encoding/binary"

	"wadi/dataflow/fault"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// clockTable has, per subtask of an operator that forgets idle keys by the clock, the wall-clock time of the snapshot.
const clockTable = "clock"

// now is the wall-clock time, positive.
func now(env *operator.Env) int64 {
	if env.Clock == nil {
		return 1
	}
	return max(1, env.Clock.Now().UnixNano())
}

func saveClock(w state.Writer, env *operator.Env) {
	subtask := binary.BigEndian.AppendUint32(nil, uint32(env.Subtask))
	w.Global(clockTable, subtask, binary.LittleEndian.AppendUint64(nil, uint64(now(env))))
}

// away is how long ago the snapshot was taken, which does not count as idle.
func away(r state.Reader, env *operator.Env) (int64, error) {
	var taken int64
	err := r.Global(clockTable, func(_, value []byte) error {
		if len(value) != 8 {
			return fault.Internalf("stored time of functions over rows cannot be decoded").
				WithHint("start the pipeline from an empty state directory")
		}
		taken = max(taken, int64(binary.LittleEndian.Uint64(value)))
		return nil
	})
	return now(env) - taken, err
}

package constant

import (
	"context"
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// maxCells bounds the expressions that are compiled at once.
const maxCells = 4096

// values is the source of a ValuesSpec.
type values struct {
	spec      *graph.ValuesSpec
	functions *expr.Functions
	env       operator.Env
	out       *column.Builder
	// next is the first row that has not been emitted.
	next int
}

// NewValues makes the source of a ValuesSpec; out is the schema of the rows.
func NewValues(spec *graph.ValuesSpec, out *arrow.Schema, functions *expr.Functions, env operator.Env) (operator.Source, error) {
	v := &values{spec: spec, functions: functions, env: env, out: column.NewBuilder(out, false)}
	saved, err := load(env, 8)
	if err != nil {
		return nil, err
	}
	if saved != nil {
		v.next = int(binary.LittleEndian.Uint64(saved))
	}
	return v, nil
}

// Read implements operator.Source.
func (v *values) Read(_ context.Context, out operator.Emitter) (operator.Status, error) {
	rows := v.spec.Rows
	n := min(batchRows(v.env), len(rows)-v.next)
	if n <= 0 {
		return operator.Done, nil
	}
	n = min(n, max(1, maxCells/max(1, len(rows[v.next]))))
	v.out.Reset()
	if err := expr.AppendConstants(rows[v.next:v.next+n], v.functions, v.out, expr.WithClock(v.env.Clock)); err != nil {
		return operator.Ready, err
	}
	v.next += n
	if err := out.Emit(v.out.Batch()); err != nil || v.next < len(rows) {
		return operator.Ready, err
	}
	return operator.Done, nil
}

// Snapshot implements operator.Source.
func (v *values) Snapshot(w state.Writer) error {
	w.Global(table, []byte(position), binary.LittleEndian.AppendUint64(nil, uint64(v.next)))
	return nil
}

// Close implements operator.Source.
func (v *values) Close() error { return nil }

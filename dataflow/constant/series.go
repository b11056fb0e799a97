package constant

import (
	"context"
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// bounds are the values of a series' start, stop and step.
type bounds struct {
	start, stop int64
	// step is that of integers, every that of dates and times.
	step  int64
	every arrow.MonthDayNanoInterval
	// empty is set where one of them is null.
	empty bool
}

// series is the source of a SeriesSpec.
type series struct {
	spec   *graph.SeriesSpec
	env    operator.Env
	bounds bounds
	values *expr.Series
	// made counts them.
	made int64
	out  *column.Builder
}

// NewSeries makes the source of a SeriesSpec; out is the schema of the rows.
func NewSeries(spec *graph.SeriesSpec, out *arrow.Schema, functions *expr.Functions, env operator.Env) (operator.Source, error) {
	s := &series{spec: spec, env: env, values: expr.NewSeries(spec.Start.Type, spec.Including), out: column.NewBuilder(out, false)}
	saved, err := load(env, savedBytes)
	if err != nil {
		return nil, err
	}
	if saved != nil {
		return s, s.resume(saved)
	}
	if s.bounds, err = computeBounds(spec, functions, env); err != nil {
		return nil, err
	}
	return s, s.begin()
}

func computeBounds(spec *graph.SeriesSpec, functions *expr.Functions, env operator.Env) (bounds, error) {
	var b bounds
	e, err := expr.Compile([]*expr.Node{spec.Start, spec.Stop, spec.Step}, nil, functions, expr.WithClock(env.Clock))
	if err != nil {
		return b, err
	}
	cols, err := e.Eval(once())
	if err != nil {
		return b, err
	}
	for _, c := range cols {
		b.empty = b.empty || !c.Validity().IsValid(0)
	}
	if b.empty {
		return b, nil
	}
	b.start, b.stop = column.Integer(cols[0], 0), column.Integer(cols[1], 0)
	if every, ok := cols[2].(*column.Fixed[arrow.MonthDayNanoInterval]); ok {
		b.every = every.Values[0]
	} else {
		b.step = column.Integer(cols[2], 0)
	}
	return b, nil
}

// begin starts the series at its first value.
func (s *series) begin() error {
	b := &s.bounds
	switch {
	case b.empty:
		return nil
	case s.spec.Step.Type.ID() == arrow.INTERVAL_MONTH_DAY_NANO && s.values.Every(b.start, b.stop, b.every):
		return nil
	case s.spec.Step.Type.ID() != arrow.INTERVAL_MONTH_DAY_NANO && s.values.Count(b.start, b.stop, b.step):
		return nil
	}
	return fault.Userf(fault.CodeInvalid, s.spec.Step.Span, "%s", s.values.BadStep()).WithHint("a series needs a step that leads from its start to its stop")
}

// Read implements operator.Source.
func (s *series) Read(_ context.Context, out operator.Emitter) (operator.Status, error) {
	s.out.Reset()
	n := s.values.Append(s.out.Column(0), batchRows(s.env))
	if n == 0 {
		return operator.Done, nil
	}
	if s.spec.Ordinality {
		number := s.out.Column(1).(*column.Fixed[int64])
		for i := range n {
			number.Append(s.made + int64(i) + 1)
		}
	}
	s.made += int64(n)
	for range n {
		s.out.AppendTime(0, column.Insert)
	}
	return operator.Ready, out.Emit(s.out.Batch())
}

// savedBytes is the size of a saved position: eight words.
const savedBytes = 8 * 8

// Snapshot implements operator.Source.
func (s *series) Snapshot(w state.Writer) error {
	b := &s.bounds
	next, over := s.values.Position()
	flags := uint64(0)
	if over {
		flags |= 1
	}
	if b.empty {
		flags |= 2
	}
	days := uint64(uint32(b.every.Months))<<32 | uint64(uint32(b.every.Days))
	var data []byte
	for _, v := range []uint64{uint64(b.start), uint64(b.stop), uint64(b.step), days, uint64(b.every.Nanoseconds), uint64(next), uint64(s.made), flags} {
		data = binary.LittleEndian.AppendUint64(data, v)
	}
	w.Global(table, []byte(position), data)
	return nil
}

// resume goes on where Snapshot was.
func (s *series) resume(data []byte) error {
	word := func(i int) uint64 { return binary.LittleEndian.Uint64(data[8*i:]) }
	s.bounds = bounds{
		start: int64(word(0)), stop: int64(word(1)), step: int64(word(2)), empty: word(7)&2 != 0,
		every: arrow.MonthDayNanoInterval{Months: int32(word(3) >> 32), Days: int32(word(3)), Nanoseconds: int64(word(4))},
	}
	if err := s.begin(); err != nil {
		return err
	}
	s.values.Resume(int64(word(5)), word(7)&1 != 0)
	s.made = int64(word(6))
	return nil
}

// Close implements operator.Source.
func (s *series) Close() error { return nil }

// Package project filters rows, computes columns and sets event times: everything that a row decides for itself.
//
// Batches come in and go out one for one, sharing vectors where an expression is a plain column. There is no state.
package project

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// Operator is a filter and projection.
type Operator struct {
	spec   *graph.ProjectSpec
	filter *expr.Predicate
	exprs  *expr.Evaluator
	// hasTime says that the evaluator's last expression is the event time.
	hasTime bool
	env     operator.Env
	out     column.Batch
	valid   []int32
}

// New compiles spec for an input of this schema; out is the schema of its output.
func New(spec *graph.ProjectSpec, in, out *arrow.Schema, functions *expr.Functions, env operator.Env) (*Operator, error) {
	o := &Operator{spec: spec, env: env, hasTime: spec.EventTime != nil}
	o.out.Schema = out
	var err error
	if spec.Filter != nil {
		if o.filter, err = expr.CompilePredicate(spec.Filter, in, functions, expr.WithClock(env.Clock)); err != nil {
			return nil, err
		}
	}
	nodes := spec.Exprs
	if nodes == nil {
		for i, f := range in.Fields() {
			nodes = append(nodes, expr.NewColumn(i, f))
		}
	}
	if o.hasTime {
		nodes = append(nodes[:len(nodes):len(nodes)], spec.EventTime)
	}
	o.exprs, err = expr.Compile(nodes, in, functions, expr.WithClock(env.Clock))
	return o, err
}

// Process implements operator.Operator.
func (o *Operator) Process(_ int, b *column.Batch, out operator.Emitter) error {
	view := *b
	if o.filter != nil {
		sel, err := o.filter.Select(b)
		if err != nil {
			return err
		}
		if len(sel) == 0 {
			return nil
		}
		view.Sel = sel
		if len(sel) == b.N {
			view.Sel = nil
		}
	}
	cols, err := o.exprs.Eval(&view)
	if err != nil {
		return err
	}
	o.out.N, o.out.Cols, o.out.Time, o.out.Change, o.out.Sel = view.N, cols, view.Time, view.Change, view.Sel
	if o.hasTime {
		last := len(cols) - 1
		o.out.Cols = cols[:last]
		if err := o.setTime(cols[last].(*column.Fixed[int64])); err != nil {
			return err
		}
		if o.out.Rows() == 0 {
			return nil
		}
	}
	return out.Emit(&o.out)
}

// setTime makes t the event time of the output and deals with rows that have none.
func (o *Operator) setTime(t *column.Fixed[int64]) error {
	o.out.Time = t.Values
	if t.Valid == nil {
		return nil
	}
	if o.valid == nil { // a selection that is nil selects everything
		o.valid = make([]int32, 0, o.out.N)
	}
	o.valid = o.valid[:0]
	bad := 0
	check := func(r int32) {
		if t.Valid.Get(int(r)) {
			o.valid = append(o.valid, r)
		} else {
			bad++
		}
	}
	if o.out.Sel != nil {
		for _, r := range o.out.Sel {
			check(r)
		}
	} else {
		for r := range int32(o.out.N) {
			check(r)
		}
	}
	if bad == 0 {
		return nil
	}
	err := fault.Dataf(o.spec.EventTimeColumn, "the event time is null").
		WithHint("declare the column NOT NULL to have such rows refused where they are read, or set bad_data = 'drop'")
	if o.spec.EventTime.Kind == expr.TryCast {
		err = fault.Dataf(o.spec.EventTimeColumn, "the event time is null, or not between 1677-09-21 and 2262-04-11").
			WithHint("correct the rows, or set bad_data = 'drop'")
	}
	if !o.spec.DropBadTime {
		return err
	}
	o.env.Metrics.BadRecords.Add(int64(bad))
	if o.env.Report != nil {
		o.env.Report(err)
	}
	o.out.Sel = o.valid
	return nil
}

// Watermark implements operator.Operator.
func (o *Operator) Watermark(int64, operator.Emitter) error { return nil }

// Snapshot implements operator.Operator; there is no state.
func (o *Operator) Snapshot(state.Writer) error { return nil }

// Finish implements operator.Operator.
func (o *Operator) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (o *Operator) Close() error { return nil }

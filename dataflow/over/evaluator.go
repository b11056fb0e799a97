package over

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// evaluator computes the calls for the rows of partitions, one row after the other in their order.
type evaluator struct {
	spec   *graph.OverSpec
	in     *arrow.Schema
	calls  []call
	frames []frame
	// measure is how range frames measure distances.
	measure measure
	rows    *ordered.Rows
	// layout is that of all tables, partitions the table of the keys.
	layout     *state.Layout
	partitions *state.Table
	peers      peers
	slot       []int32
	// one holds the row that goes into accumulators, which read the needed columns.
	one     *column.Builder
	oneCols []column.Appender
	needed  []bool
}

// newEvaluator compiles the calls of a spec. Each partition has own value words in front of those for accumulators; rows
// have words for their owner.
func newEvaluator(spec *graph.OverSpec, in *arrow.Schema, own, rowWords int) (*evaluator, error) {
	e := &evaluator{spec: spec, in: in, peers: peers{slot: -1}, needed: make([]bool, in.NumFields())}
	e.rows = ordered.NewRows(in, ordered.NewKey(in, spec.Order, !spec.Updating), rowWords)
	for _, c := range spec.Calls {
		if err := e.add(c); err != nil {
			return nil, err
		}
	}
	fields := make([]arrow.Field, len(spec.Keys))
	for i, k := range spec.Keys {
		fields[i] = in.Field(k)
	}
	words := own
	for i := range e.frames {
		if err := e.compile(&e.frames[i]); err != nil {
			return nil, err
		}
		if f := &e.frames[i]; f.set != nil {
			words = max(words, f.set.Words())
		}
	}
	e.layout = state.NewLayout(fields, words)
	e.partitions = state.NewTable(e.layout)
	for i := range e.frames {
		if f := &e.frames[i]; f.set != nil {
			f.groups = f.set.NewGroups(e.layout, 0)
		}
	}
	e.one = column.NewBuilder(in, true)
	for i := range in.NumFields() {
		e.oneCols = append(e.oneCols, e.one.Column(i))
	}
	return e, nil
}

// add compiles a call and finds its frame.
func (e *evaluator) add(c graph.OverCall) error {
	k, err := newCall(c)
	if err != nil {
		return err
	}
	switch k.kind {
	case aggregate, firstValue, lastValue, nthValue:
		if k.frame, err = e.frameOf(&k); err != nil {
			return err
		}
		f := &e.frames[k.frame]
		if k.kind == aggregate {
			f.calls = append(f.calls, len(e.calls))
			e.need(c.Call)
			break
		}
		k.scans = f.running && f.Exclude == graph.NoExclusion && (k.kind != lastValue || c.IgnoreNulls)
		f.values = true
	}
	e.calls = append(e.calls, k)
	return nil
}

// need notes the columns that an aggregate reads.
func (e *evaluator) need(c agg.Call) {
	for _, a := range c.Args {
		e.needed[a] = true
	}
	if c.Filter >= 0 {
		e.needed[c.Filter] = true
	}
}

// compile makes the accumulators of a frame.
func (e *evaluator) compile(f *frame) (err error) {
	if len(f.calls) == 0 {
		return nil
	}
	var calls []agg.Call
	for _, c := range f.calls {
		calls = append(calls, e.calls[c].Call)
	}
	f.retracts = !f.running || f.Exclude != graph.NoExclusion || e.spec.Updating
	f.set, err = agg.Compile(calls, f.retracts)
	return err
}

// output is where the results of the calls go: the columns of a builder from first on.
func (e *evaluator) output(b *column.Builder, first int) {
	for i := range e.calls {
		e.calls[i].out = b.Column(first + i)
	}
	for i := range e.frames {
		for _, c := range e.frames[i].calls {
			e.frames[i].out = append(e.frames[i].out, e.calls[c].out)
		}
	}
}

// resultFields are the columns of the results.
func (e *evaluator) resultFields() []arrow.Field {
	out := make([]arrow.Field, len(e.calls))
	for i := range e.calls {
		out[i] = arrow.Field{Name: e.calls[i].Name, Type: e.calls[i].Type, Nullable: e.calls[i].Nullable}
	}
	return out
}

// put appends the results of the row at a position.
func (e *evaluator) put(p *partition, at int64) error {
	for i := range e.frames {
		if err := e.move(p, i, at); err != nil {
			return err
		}
		if e.frames[i].set == nil {
			continue
		}
		if err := e.result(p, i, at); err != nil {
			return err
		}
	}
	for i := range e.calls {
		if err := e.call(p, i, at); err != nil {
			return err
		}
	}
	return nil
}

// frameOf is the index of a call's frame, which equal ones share.
func (e *evaluator) frameOf(c *call) (int, error) {
	f := c.Frame
	bad := f.Unit < graph.Rows || f.Unit > graph.Groups || f.From.Kind < graph.UnboundedPreceding || f.To.Kind > graph.UnboundedFollowing ||
		f.From.Kind > f.To.Kind || f.From.Kind == graph.UnboundedFollowing || f.To.Kind == graph.UnboundedPreceding || f.From.N < 0 || f.To.N < 0
	if bad {
		return 0, fault.Userf(fault.CodeInvalid, c.Span, "the frame of %s ends before it begins", c.Name).
			WithHint("put the bound that comes first in front, as in ROWS BETWEEN 2 PRECEDING AND CURRENT ROW")
	}
	for _, b := range []graph.Bound{f.From, f.To} {
		if f.Unit == graph.Range && (b.Kind == graph.Preceding || b.Kind == graph.Following) {
			if e.measure = measureOf(e.spec, e.in); e.measure == unmeasured {
				return 0, fault.Userf(fault.CodeInvalid, c.Span, "RANGE with a distance needs one order key that is a time or a number").
					WithHint("order by one such column, or count rows with ROWS BETWEEN …")
			}
		}
	}
	for i := range e.frames {
		if e.frames[i].Frame == f {
			return i, nil
		}
	}
	e.frames = append(e.frames, frame{Frame: f, running: f.From.Kind == graph.UnboundedPreceding})
	return len(e.frames) - 1, nil
}

// size is the memory behind the rows, the partitions and the accumulators.
func (e *evaluator) size() int64 {
	n := e.rows.Size() + e.partitions.Size()
	for i := range e.frames {
		if g := e.frames[i].groups; g != nil {
			n += g.Size()
		}
	}
	return n
}

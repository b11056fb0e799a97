package window

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/grid"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
	"wadi/dataflow/windowed"
)

// aggregate is the operator for all kinds of window.
type aggregate struct {
	spec *graph.WindowAggregateSpec
	env  operator.Env
	set  *agg.Set
	keys *state.Layout
	grid grid.Grid

	panes state.Panes[*pane]
	// open are the panes that have a row in the batch at hand, for batches that spread over several.
	open  []*pane
	spare []*agg.Groups
	// watermark is the last one: windows that end at or before it are out. Rows before closed are late.
	watermark, closed int64
	merger            merger
	// growing is the view of windows that grow, which has to know of rows in panes that it has seen; else nil.
	growing *growing
	held    []holdback

	inc     state.Incremental
	expired int64

	in      inScratch
	out     *windowed.Results
	slots   []int32
	metrics *operator.Metrics
}

// pane is a slice of time, its last moment included, and its groups.
type pane struct {
	start, last int64
	groups      *agg.Groups
	// rows are the rows of the batch at hand.
	rows []int32
}

// inScratch is memory that Process reuses.
type inScratch struct {
	hashes []uint64
	all    []int32
	keep   []int32
	slots  []int32
	keys   []column.Vector
}

// ownWords are the operator's value words in front of the accumulators: the number of rows in the group.
const ownWords = 1

// New makes the operator for spec over rows of schema in, which are only ever appended. It reads env.Restore. The result's
// columns are the keys, the window {start, end} and the aggregates.
func New(spec *graph.WindowAggregateSpec, in *arrow.Schema, env operator.Env) (operator.Operator, error) {
	times, err := grid.New(spec.Window)
	if err != nil {
		return nil, err
	}
	set, err := agg.Compile(spec.Aggs, false)
	if err != nil {
		return nil, err
	}
	a := &aggregate{
		spec: spec, env: env, set: set, grid: times,
		watermark: math.MinInt64, closed: math.MinInt64, expired: math.MinInt64,
		metrics: env.Metrics,
	}
	if a.metrics == nil {
		a.metrics = &operator.Metrics{}
	}
	fields := make([]arrow.Field, len(spec.Keys))
	for i, k := range spec.Keys {
		fields[i] = in.Field(k)
	}
	a.keys = state.NewLayout(fields, ownWords+set.Words())
	a.in.keys = make([]column.Vector, len(spec.Keys))
	a.out = windowed.New(fields, spec.Aggs)
	a.merger = newMerger(a)
	if env.Restore != nil {
		if err := a.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	return a, nil
}

// Process implements operator.Operator.
func (a *aggregate) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	for i, k := range a.spec.Keys {
		a.in.keys[i] = b.Cols[k]
	}
	first, last := timeBounds(b)
	a.in.hashes = column.HashColumns(a.in.hashes, a.in.keys, b.N, b.Sel)
	if first >= a.closed {
		if start, until := a.grid.Pane(first); last <= until {
			return a.add(a.paneAt(start, until), b, b.Sel)
		}
	}
	return a.spread(b)
}

// timeBounds gives the earliest and latest event time of a batch with at least one row.
func timeBounds(b *column.Batch) (first, last int64) {
	if b.Sel == nil {
		first, last = b.Time[0], b.Time[0]
		for _, t := range b.Time[:b.N] {
			first, last = min(first, t), max(last, t)
		}
		return first, last
	}
	first = b.Time[b.Sel[0]]
	last = first
	for _, r := range b.Sel {
		first, last = min(first, b.Time[r]), max(last, b.Time[r])
	}
	return first, last
}

// spread adds a batch whose rows belong to several panes or are late.
func (a *aggregate) spread(b *column.Batch) error {
	a.in.all = b.Selected(a.in.all)
	late := int64(0)
	var p *pane
	from, to := int64(1), int64(0) // the times of p; at first none
	for _, r := range a.in.all {
		t := b.Time[r]
		if t < a.closed {
			late++
			continue
		}
		if p == nil || t < from || t > to {
			from, to = a.grid.Pane(t)
			p = a.paneAt(from, to)
			if len(p.rows) == 0 {
				a.open = append(a.open, p)
			}
		}
		p.rows = append(p.rows, r)
	}
	a.metrics.LateRows.Add(late)
	var err error
	for _, p := range a.open {
		if err == nil {
			err = a.add(p, b, p.rows)
		}
		p.rows = p.rows[:0]
	}
	a.open = a.open[:0]
	return err
}

func (a *aggregate) paneAt(start, last int64) *pane {
	if p, ok := a.panes.Get(start); ok {
		return p
	}
	p := &pane{start: start, last: last, groups: a.groups()}
	a.panes.Insert(start, p)
	return p
}

// groups gives an empty table, a used one if there is.
func (a *aggregate) groups() *agg.Groups {
	if n := len(a.spare); n > 0 {
		g := a.spare[n-1]
		a.spare = a.spare[:n-1]
		return g
	}
	return a.set.NewGroups(a.keys, ownWords)
}

// maxSpare bounds how many tables are kept for reuse.
const maxSpare = 4

func (a *aggregate) release(g *agg.Groups) {
	if len(a.spare) < maxSpare {
		g.Reset()
		a.spare = append(a.spare, g)
	}
}

// add accumulates the rows sel of b, all if nil, in a pane.
func (a *aggregate) add(p *pane, b *column.Batch, sel []int32) error {
	if a.growing != nil && p.start < a.growing.until {
		a.growing.stale = true
	}
	t := p.groups.Table
	a.in.slots = t.FindOrInsert(a.in.hashes, a.in.keys, b.N, sel, a.in.slots)
	if sel == nil {
		a.in.all = column.AllRows(a.in.all, b.N)
		sel = a.in.all
	}
	t.MarkDirty(a.in.slots)
	w, stride := t.Values()
	for _, s := range a.in.slots {
		w[int(s)*stride]++
	}
	return p.groups.Update(b, a.in.slots, sel)
}

// Watermark implements operator.Operator.
func (a *aggregate) Watermark(w int64, out operator.Emitter) error {
	if w <= a.watermark {
		return nil
	}
	before := a.watermark
	a.watermark = w
	if err := a.merger.release(before, w, out); err != nil {
		return err
	}
	a.closed = a.closedAt(w)
	a.metrics.StateBytes.Store(a.size())
	return a.out.Flush(out)
}

// closedAt is the time before which rows are late when the watermark is w.
func (a *aggregate) closedAt(w int64) int64 {
	if w == operator.EndOfTime {
		return w
	}
	return a.grid.Closed(w)
}

func (a *aggregate) size() int64 {
	n := a.merger.size()
	for i := range a.panes.Len() {
		n += a.panes.At(i).Value.groups.Size()
	}
	for _, g := range a.spare {
		n += g.Size()
	}
	return n
}

// Finish implements operator.Operator.
func (a *aggregate) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (a *aggregate) Close() error {
	a.spare = nil
	return nil
}

package over

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// maxRows is the most rows in one batch of results.
const maxRows = 8192

// over is the operator.
type over struct {
	spec    *graph.OverSpec
	env     operator.Env
	metrics *operator.Metrics
	in      *arrow.Schema
	calls   []call
	frames  []frame
	// measured is set if a range frame has a distance.
	measured bool

	order    *ordered.Key
	rows     *ordered.Rows
	pending  pending
	progress ordered.Progress
	// partitions has the keys, parts the partitions by slot; layout is that of all tables.
	layout     *state.Layout
	partitions *state.Table
	parts      []*partition
	// waiting are those with rows that are held until later ones come; mayWait says that there can be any. turns are the
	// partitions of the rows released last.
	waiting []*partition
	mayWait bool
	turns   []*partition
	inc     state.Incremental
	// complete is set while no more rows can come into the partitions at hand.
	complete bool
	peers    peers

	released []int32
	batch    *column.Builder
	batchIn  []column.Appender
	keys     []column.Vector
	hashes   []uint64
	all      []int32
	slots    []int32
	slot     []int32
	prefixes []uint64
	// one holds the row that goes into accumulators, which read the needed columns.
	one     *column.Builder
	oneCols []column.Appender
	needed  []bool
	out     *column.Builder
	outIn   []column.Appender
}

// holding is the operator when rows wait for later ones: it makes its own watermarks.
type holding struct {
	*over
	sent int64
}

// New makes the operator for spec over rows of schema in. It reads env.Restore.
func New(spec *graph.OverSpec, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	if mode == graph.Updating {
		return nil, fault.Internalf("functions over ordered rows take an append stream")
	}
	if env.Metrics == nil {
		env.Metrics = &operator.Metrics{}
	}
	o := &over{spec: spec, env: env, metrics: env.Metrics, in: in, progress: ordered.NewProgress(), peers: peers{slot: -1}}
	o.order = ordered.NewKey(in, spec.Order, true)
	o.rows = ordered.NewRows(in, o.order, rowWords)
	o.pending.rows = o.rows
	if err := o.compile(); err != nil {
		return nil, err
	}
	o.buffers()
	o.mayWait = !spec.PerTime && o.waits()
	if env.Restore != nil {
		if err := o.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	if o.mayWait {
		return &holding{over: o, sent: math.MinInt64}, nil
	}
	return o, nil
}

// compile makes the calls, their frames and the accumulators of each.
func (o *over) compile() error {
	o.needed = make([]bool, o.in.NumFields())
	for _, c := range o.spec.Calls {
		k, err := newCall(c)
		if err != nil {
			return err
		}
		switch k.kind {
		case aggregate, firstValue, lastValue, nthValue:
			if k.frame, err = o.frameOf(&k); err != nil {
				return err
			}
			k.scans = !o.frames[k.frame].bounded && (k.kind == firstValue || k.kind == nthValue || k.kind == lastValue && c.IgnoreNulls)
		}
		o.calls = append(o.calls, k)
		if k.kind == aggregate {
			f := &o.frames[k.frame]
			f.calls = append(f.calls, len(o.calls)-1)
			o.need(c.Call)
		}
	}
	fields := make([]arrow.Field, len(o.spec.Keys))
	for i, k := range o.spec.Keys {
		fields[i] = o.in.Field(k)
	}
	words := 0
	for i := range o.frames {
		f := &o.frames[i]
		if len(f.calls) == 0 {
			continue
		}
		var calls []agg.Call
		for _, c := range f.calls {
			calls = append(calls, o.calls[c].Call)
		}
		var err error
		if f.set, err = agg.Compile(calls, f.bounded); err != nil {
			return err
		}
		words = max(words, f.set.Words())
	}
	o.layout = state.NewLayout(fields, words)
	o.partitions = state.NewTable(o.layout)
	for i := range o.frames {
		if f := &o.frames[i]; f.set != nil {
			f.groups = f.set.NewGroups(o.layout, 0)
		}
	}
	return nil
}

// need notes the columns that an aggregate reads.
func (o *over) need(c agg.Call) {
	for _, a := range c.Args {
		o.needed[a] = true
	}
	if c.Filter >= 0 {
		o.needed[c.Filter] = true
	}
}

// frameOf is the index of a call's frame, which equal ones share.
func (o *over) frameOf(c *call) (int, error) {
	f := c.Frame
	bad := f.Unit < graph.Rows || f.Unit > graph.Groups || f.From.Kind < graph.UnboundedPreceding || f.To.Kind > graph.UnboundedFollowing ||
		f.From.Kind > f.To.Kind || f.From.Kind == graph.UnboundedFollowing || f.To.Kind == graph.UnboundedPreceding || f.From.N < 0 || f.To.N < 0
	if bad {
		return 0, fault.Userf(fault.CodeInvalid, c.Span, "the frame of %s ends before it begins", c.Name).
			WithHint("put the bound that comes first in front, as in ROWS BETWEEN 2 PRECEDING AND CURRENT ROW")
	}
	for _, b := range []graph.Bound{f.From, f.To} {
		if f.Unit == graph.Range && (b.Kind == graph.Preceding || b.Kind == graph.Following) {
			if err := o.measurable(c); err != nil {
				return 0, err
			}
		}
	}
	for i := range o.frames {
		if o.frames[i].Frame == f {
			return i, nil
		}
	}
	o.frames = append(o.frames, frame{Frame: f, bounded: f.From.Kind != graph.UnboundedPreceding})
	return len(o.frames) - 1, nil
}

// measurable reports whether there is one order key that has distances.
func (o *over) measurable(c *call) error {
	o.measured = true
	ok := len(o.spec.Order) == 0
	if o.spec.PerTime {
		ok = len(o.spec.Order) == 1 && measurable(o.in.Field(o.spec.Order[0].Column).Type)
	}
	if !ok {
		return fault.Userf(fault.CodeInvalid, c.Span, "RANGE with a distance needs one order key that is a time or an integer").
			WithHint("order by one such column, or count rows with ROWS BETWEEN …")
	}
	return nil
}

// buffers makes the columns that the operator fills.
func (o *over) buffers() {
	o.batch, o.one = column.NewBuilder(o.in, false), column.NewBuilder(o.in, true)
	fields := append([]arrow.Field(nil), o.in.Fields()...)
	for i := range o.calls {
		fields = append(fields, arrow.Field{Name: o.calls[i].Name, Type: o.calls[i].Type, Nullable: o.calls[i].Nullable})
	}
	o.out = column.NewBuilder(arrow.NewSchema(fields, nil), false)
	for i := range o.in.NumFields() {
		o.batchIn = append(o.batchIn, o.batch.Column(i))
		o.oneCols = append(o.oneCols, o.one.Column(i))
		o.outIn = append(o.outIn, o.out.Column(i))
	}
	for i := range o.calls {
		o.calls[i].out = o.out.Column(o.in.NumFields() + i)
	}
	for i := range o.frames {
		for _, c := range o.frames[i].calls {
			o.frames[i].out = append(o.frames[i].out, o.calls[c].out)
		}
	}
	o.keys = make([]column.Vector, len(o.spec.Keys))
}

// Process implements operator.Operator.
func (o *over) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	for i, k := range o.spec.Keys {
		o.keys[i] = b.Cols[k]
	}
	o.hashes = column.HashColumns(o.hashes, o.keys, b.N, b.Sel)
	rows := b.Sel
	if rows == nil {
		o.all = column.AllRows(o.all, b.N)
		rows = o.all
	}
	o.prefixes = o.order.Prefixes(o.prefixes, b, rows)
	late := int64(0)
	for _, r := range rows {
		if o.progress.Passed(o.hashes[r], b.Time[r]) {
			late++
			continue
		}
		id := o.rows.Put(o.hashes[r], b.Time[r], o.rows.Encode(b, int(r), o.prefixes[r]))
		if o.measured {
			o.measure(o.rows.Own(id), b, int(r))
		}
		o.pending.push(id)
	}
	o.metrics.LateRows.Add(late)
	return nil
}

func (o *over) measure(own []int64, b *column.Batch, r int) {
	if !o.spec.PerTime {
		own[valueWord] = b.Time[r]
		return
	}
	by := o.spec.Order[0]
	v := b.Cols[by.Column]
	switch {
	case v.Validity().IsValid(r):
		own[valueWord] = measure(v, r, by.Desc)
	case by.NullsFirst:
		own[classWord] = -1
	default:
		own[classWord] = 1
	}
}

// Watermark implements operator.Operator.
func (o *over) Watermark(w int64, out operator.Emitter) error {
	if !o.progress.Advance(w) {
		return nil
	}
	o.released = o.released[:0]
	for ids := &o.pending.ids; len(*ids) > 0 && (o.rows.Time((*ids)[0]) < w || w == operator.EndOfTime); {
		o.released = append(o.released, o.pending.pop())
	}
	slices.SortFunc(o.released, o.rows.CompareRows)
	o.peers.slot = -1
	o.complete = w == operator.EndOfTime || o.spec.PerTime
	var err error
	if o.spec.PerTime {
		err = o.panes(out)
	} else {
		err = o.advance(out)
	}
	if err != nil {
		return err
	}
	o.metrics.StateBytes.Store(o.size())
	return o.flush(out)
}

// panes puts out the rows of each event time by themselves.
func (o *over) panes(out operator.Emitter) error {
	for from := 0; from < len(o.released); {
		to := from + 1
		for to < len(o.released) && o.rows.Time(o.released[to]) == o.rows.Time(o.released[from]) {
			to++
		}
		o.partitions.Reset()
		o.parts = o.parts[:0]
		o.peers.slot = -1
		for i := range o.frames {
			if g := o.frames[i].groups; g != nil {
				g.Reset()
			}
		}
		o.find(o.released[from:to], o.join)
		for _, p := range o.parts {
			if err := o.run(p, p.end(), out); err != nil {
				return err
			}
			o.drop(p)
		}
		from = to
	}
	return nil
}

// advance lets the released rows join their partitions and puts out what is determined.
func (o *over) advance(out operator.Emitter) error {
	o.turns = o.turns[:0]
	o.find(o.released, func(p *partition, id int32) {
		o.join(p, id)
		o.turns = append(o.turns, p)
		if o.mayWait && !p.waiting {
			p.waiting = true
			o.waiting = append(o.waiting, p)
		}
	})
	if !o.mayWait { // one row per turn keeps the order of event times over all partitions
		for _, p := range o.turns {
			if err := o.run(p, p.next+1, out); err != nil {
				return err
			}
		}
		return nil
	}
	kept := o.waiting[:0]
	for _, p := range o.waiting {
		if err := o.run(p, p.end(), out); err != nil {
			return err
		}
		if p.waiting = p.next < p.end(); p.waiting {
			kept = append(kept, p)
		}
	}
	o.waiting = kept
	return nil
}

// run puts out the rows of a partition before a position that are determined.
func (o *over) run(p *partition, until int64, out operator.Emitter) error {
	o.slot = append(o.slot[:0], p.slot)
	o.partitions.MarkDirty(o.slot)
	for p.next < until && o.determined(p, p.next) {
		if err := o.put(p, p.next); err != nil {
			return err
		}
		id := p.row(p.next)
		o.rows.Append(id, o.outIn)
		o.out.AppendTime(o.rows.Time(id), column.Insert)
		p.next++
		o.trim(p)
		if o.out.Rows() >= maxRows {
			if err := o.flush(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// find gives the partitions of rows, which it makes where they are new.
func (o *over) find(ids []int32, f func(p *partition, id int32)) {
	for len(ids) > 0 {
		n := min(len(ids), maxRows)
		o.batch.Reset()
		o.hashes = o.hashes[:0]
		for _, id := range ids[:n] {
			o.rows.Append(id, o.batchIn)
			o.hashes = append(o.hashes, o.rows.Hash(id))
		}
		for i, k := range o.spec.Keys {
			o.keys[i] = o.batchIn[k]
		}
		o.slots = o.partitions.FindOrInsert(o.hashes, o.keys, n, nil, o.slots)
		for i, id := range ids[:n] {
			f(o.part(o.slots[i]), id)
		}
		ids = ids[n:]
	}
}

// part is the partition of a slot.
func (o *over) part(slot int32) *partition {
	for int(slot) >= len(o.parts) {
		o.parts = append(o.parts, o.newPartition(int32(len(o.parts))))
	}
	return o.parts[slot]
}

// flush emits what is held.
func (o *over) flush(out operator.Emitter) error {
	if o.out.Rows() == 0 {
		return nil
	}
	err := out.Emit(o.out.Batch())
	o.out.Reset()
	return err
}

func (o *over) size() int64 {
	n := o.rows.Size() + o.partitions.Size() + int64(4*cap(o.pending.ids)+8*o.rows.Len())
	n += int64(len(o.parts) * (136 + 24*len(o.frames) + 40*len(o.calls))) // the partitions, about
	for i := range o.frames {
		if g := o.frames[i].groups; g != nil {
			n += g.Size()
		}
	}
	return n
}

// held is the watermark up to which all rows are out.
func (o *over) held() int64 {
	w := o.progress.Watermark
	for _, p := range o.waiting {
		w = min(w, o.rows.Time(p.row(p.next)))
	}
	return w
}

// MakesWatermarks implements operator.WatermarkMaker.
func (h *holding) MakesWatermarks() {}

// Watermark implements operator.Operator.
func (h *holding) Watermark(w int64, out operator.Emitter) error {
	if err := h.over.Watermark(w, out); err != nil {
		return err
	}
	if w := h.held(); w > h.sent {
		h.sent = w
		return out.Watermark(w)
	}
	return nil
}

// Finish implements operator.Operator.
func (o *over) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (o *over) Close() error { return nil }

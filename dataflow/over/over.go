package over

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// maxRows is the most rows in one batch of results.
const maxRows = 8192

// Value words of a partition by event time: when it had its last row and the bucket in which it waits to be forgotten.
const (
	lastWord = iota
	waitWord
	partWords
)

// over is the operator for append streams by event time, and for windowed ones.
type over struct {
	*evaluator
	env      operator.Env
	metrics  *operator.Metrics
	pending  pending
	progress ordered.Progress
	// parts are the partitions by slot.
	parts []*partition
	// waiting are those with rows that are held until later ones come; mayWait says that there can be any. turns are the
	// partitions of the rows released last.
	waiting []*partition
	mayWait bool
	turns   []*partition
	inc     state.Incremental
	// idle finds partitions that no row will come to, as far as is known: near ones by event time, when their rows are out
	// of reach of all to come, others by the clock.
	idle state.Idle
	near bool
	// complete is set while no more rows can come into the partitions at hand.
	complete bool

	released []int32
	input    input
	finder   finder
	out      *column.Builder
	outIn    []column.Appender
}

// holding is the operator when rows wait for later ones: it makes its own watermarks.
type holding struct {
	*over
	sent int64
}

// New makes the operator for spec over rows of schema in; mode says whether they carry retractions. It reads env.Restore.
func New(spec *graph.OverSpec, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	if env.Metrics == nil {
		env.Metrics = &operator.Metrics{}
	}
	switch {
	case spec.Updating:
		return newUpdating(spec, in, env)
	case mode == graph.Updating:
		return nil, fault.Internalf("functions over rows by event time take an append stream")
	}
	if s, err := newSteady(spec, in, env); s != nil || err != nil {
		return s, err
	}
	e, err := newEvaluator(spec, in, partWords, rowWords)
	if err != nil {
		return nil, err
	}
	o := &over{evaluator: e, env: env, metrics: env.Metrics, progress: ordered.NewProgress()}
	o.pending.rows = o.rows
	o.input.keys = make([]column.Vector, len(spec.Keys))
	o.finder = newFinder(e)
	o.out = column.NewBuilder(arrow.NewSchema(append(in.Fields(), o.resultFields()...), nil), false)
	for i := range in.NumFields() {
		o.outIn = append(o.outIn, o.out.Column(i))
	}
	o.output(o.out, in.NumFields())
	o.mayWait = !spec.PerTime && o.waits()
	o.forgetting()
	if env.Restore != nil {
		if err := o.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	o.track()
	if o.mayWait {
		return &holding{over: o, sent: math.MinInt64}, nil
	}
	return o, nil
}

// Process implements operator.Operator.
func (o *over) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	late := int64(0)
	for _, r := range o.input.take(o.evaluator, b) {
		hash := o.input.hashes[r]
		if o.progress.Passed(hash, b.Time[r]) {
			late++
			continue
		}
		id := o.rows.Put(hash, b.Time[r], o.rows.Encode(b, int(r), o.input.prefixes[r]))
		o.measure.note(o.rows.Own(id), o.spec, b, int(r))
		o.pending.push(id)
	}
	o.metrics.LateRows.Add(late)
	return nil
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
	if o.near {
		o.idle.Expired(moment(w), o.partitions, o.forget)
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
			o.drop(p, false)
		}
		from = to
	}
	return nil
}

// advance lets the released rows join their partitions and puts out what is determined.
func (o *over) advance(out operator.Emitter) error {
	o.turns = o.turns[:0]
	at := now(&o.env)
	o.find(o.released, func(p *partition, id int32) {
		o.join(p, id)
		o.rows.Mark(id)
		o.touch(p, id, at)
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
	o.finder.find(ids, func(slot, id int32) { f(o.part(slot), id) })
}

// part is the partition of a slot.
func (o *over) part(slot int32) *partition {
	for int(slot) >= len(o.parts) {
		o.parts = append(o.parts, nil)
	}
	if o.parts[slot] == nil {
		o.parts[slot] = o.newPartition(slot)
	}
	return o.parts[slot]
}

// trim drops the rows that no later row needs.
func (o *over) trim(p *partition) {
	need := p.next - 1 // the row that the next one is compared with
	for i := range o.frames {
		f, c := &o.frames[i], &p.frames[i]
		switch {
		case !f.running || f.values && f.Exclude != graph.NoExclusion:
			need = min(need, c.lo)
		default:
			need = min(need, c.hi-1)
		}
		if f.Exclude != graph.NoExclusion { // the next row may be equal to the last
			need = min(need, o.word(p.row(p.next-1), peerWord))
		}
	}
	for i := range o.calls {
		c := &o.calls[i]
		switch {
		case c.kind == lag && !c.IgnoreNulls:
			need = min(need, p.next-c.n)
		case c.scans:
			need = min(need, p.scans[i].at)
		}
	}
	for p.base < need && p.base < p.end() {
		id := p.rows[p.head]
		p.head++
		p.base++
		if o.word(id, pinsWord) == 0 {
			o.rows.Free(id, !o.spec.PerTime)
		}
	}
	if p.head > 16 && p.head > len(p.rows)/2 {
		p.rows = p.rows[:copy(p.rows, p.rows[p.head:])]
		p.head = 0
	}
}

// drop frees all rows of a partition that is over; bury says that the next snapshot has to say so.
func (o *over) drop(p *partition, bury bool) {
	for _, s := range p.scans {
		for _, id := range s.pins {
			o.unpin(p, id)
		}
	}
	for _, id := range p.rows[p.head:] {
		o.rows.Free(id, bury)
	}
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
	n := o.evaluator.size() + int64(4*cap(o.pending.ids)+8*o.rows.Len())
	return n + int64(len(o.parts)*(136+24*len(o.frames)+40*len(o.calls))) // the partitions, about
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

package topn

import (
	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// perTime is the operator for windowed streams: it ranks the rows of each event time by themselves.
type perTime struct {
	spec     *graph.TopNSpec
	env      operator.Env
	metrics  *operator.Metrics
	layout   *state.Layout
	order    *ordered.Key
	rank     *ranking
	out      *output
	in       input
	panes    state.Panes[*pane]
	spare    []*state.Table
	open     []*pane
	now      []result
	slots    []int32
	progress ordered.Progress
}

// pane is the partitions of one event time.
type pane struct {
	time       int64
	partitions *state.Table
	// rows are those of the batch at hand.
	rows []int32
}

func newPerTime(spec *graph.TopNSpec, env operator.Env, layout *state.Layout, order *ordered.Key, rank *ranking, in input, out *output) (operator.Operator, error) {
	t := &perTime{
		spec: spec, env: env, metrics: env.Metrics, layout: layout, order: order, rank: rank, in: in, out: out,
		progress: ordered.NewProgress(),
	}
	if env.Restore != nil {
		if err := t.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Process implements operator.Operator.
func (t *perTime) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	t.in.hash(b)
	rows := rowsOf(b, &t.in.all)
	t.in.prefixes = t.order.Prefixes(t.in.prefixes, b, rows)
	var p *pane
	late := int64(0)
	for _, r := range rows {
		if t.progress.Passed(t.in.hashes[r], b.Time[r]) {
			late++
			continue
		}
		if p == nil || p.time != b.Time[r] {
			if p = t.paneAt(b.Time[r]); len(p.rows) == 0 {
				t.open = append(t.open, p)
			}
		}
		p.rows = append(p.rows, r)
	}
	t.metrics.LateRows.Add(late)
	for _, p := range t.open {
		t.add(p, b)
		p.rows = p.rows[:0]
	}
	t.open = t.open[:0]
	return nil
}

func (t *perTime) add(p *pane, b *column.Batch) {
	if t.spec.Limit == 0 {
		return
	}
	t.in.slots = p.partitions.FindOrInsert(t.in.hashes, t.in.cols, b.N, p.rows, t.in.slots)
	words, stride := p.partitions.Values()
	for j, r := range p.rows {
		at := int(t.in.slots[j]) * stride
		w := words[at : at+partitionWords]
		prefix := t.in.prefixes[r]
		if prefix > ^uint64(w[limitWord]) {
			continue
		}
		e := t.rank.rows.Encode(b, int(r), prefix)
		if b.Change != nil && b.Change[r] == column.Retract {
			t.rank.retract(w, e)
		} else {
			t.rank.add(w, t.in.hashes[r], b.Time[r], e)
		}
	}
}

func (t *perTime) paneAt(time int64) *pane {
	if p, ok := t.panes.Get(time); ok {
		return p
	}
	p := &pane{time: time}
	if n := len(t.spare); n > 0 {
		p.partitions, t.spare = t.spare[n-1], t.spare[:n-1]
	} else {
		p.partitions = state.NewTable(t.layout)
	}
	t.panes.Insert(time, p)
	return p
}

// maxSpare bounds how many tables are kept for reuse.
const maxSpare = 4

// Watermark implements operator.Operator.
func (t *perTime) Watermark(w int64, out operator.Emitter) error {
	if !t.progress.Advance(w) {
		return nil
	}
	for t.panes.Len() > 0 && (t.panes.At(0).Start < w || w == operator.EndOfTime) {
		p := t.panes.PopFront()
		if err := t.release(p, out); err != nil {
			return err
		}
		if p.partitions.Reset(); len(t.spare) < maxSpare {
			t.spare = append(t.spare, p.partitions)
		}
	}
	t.metrics.StateBytes.Store(t.size())
	return t.out.emit(out)
}

// release puts out the results of one event time and drops its rows.
func (t *perTime) release(p *pane, out operator.Emitter) error {
	words, stride := p.partitions.Values()
	t.slots = p.partitions.Slots(t.slots[:0])
	for _, slot := range t.slots {
		w := words[int(slot)*stride : int(slot)*stride+partitionWords]
		t.now = t.rank.results(w, t.now[:0])
		for _, r := range t.now {
			if err := t.out.put(r, p.time, column.Insert, out); err != nil {
				return err
			}
		}
		t.rank.clear(w)
	}
	return nil
}

func (t *perTime) size() int64 {
	n := t.rank.rows.Size()
	for i := range t.panes.Len() {
		n += t.panes.At(i).Value.partitions.Size()
	}
	for _, s := range t.spare {
		n += s.Size()
	}
	return n
}

// Snapshot implements operator.Operator.
func (t *perTime) Snapshot(w state.Writer) error {
	t.progress.Save(w, progressTable, t.env.Subtask, t.env.Keys)
	t.rank.rows.Save(w, rowTable)
	w.Expire(rowTable, t.progress.Watermark)
	return nil
}

func (t *perTime) restore(r state.Reader) (err error) {
	if t.progress, err = ordered.LoadProgress(r, progressTable, t.env.Keys); err != nil {
		return err
	}
	loaded, err := t.rank.rows.Load(r, rowTable, t.env.Keys, func(hash uint64, time int64) bool {
		return !t.progress.Passed(hash, time)
	})
	if err != nil {
		return err
	}
	byTime := map[int64][]ordered.Loaded{}
	for _, l := range loaded {
		time := t.rank.rows.Time(l.ID)
		byTime[time] = append(byTime[time], l)
	}
	for time, rows := range byTime {
		p := t.paneAt(time).partitions
		t.in.each(t.rank.rows, t.out.schema, rows, func(id, slot int32) {
			words, stride := p.Values()
			t.rank.restore(words[int(slot)*stride:], id)
		}, p)
		words, stride := p.Values()
		for _, slot := range p.Slots(nil) {
			t.rank.count(words[int(slot)*stride : int(slot)*stride+partitionWords])
		}
	}
	return nil
}

// Finish implements operator.Operator.
func (t *perTime) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (t *perTime) Close() error { return nil }

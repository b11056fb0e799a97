package session

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
	"wadi/dataflow/windowed"
)

// Value words of a session in front of its accumulators.
const (
	// rowsWord is the number of rows.
	rowsWord = iota
	// startWord and lastWord are the earliest and the latest event time.
	startWord
	lastWord
	// hashWord is the routing hash of the key, idWord what tells the sessions of a key apart. The table's own hash is made
	// from both, so that many sessions of one key are no collisions.
	hashWord
	idWord
	// linksWord holds the next newer and the next older session of the key as slots + 1, 0 for none; keyWord is the key's
	// slot in the index; timerWord the deadline under which the session waits. They are made anew on a restore.
	linksWord
	keyWord
	timerWord
	ownWords
)

// aggregate is the operator.
type aggregate struct {
	spec *graph.SessionAggregateSpec
	env  operator.Env
	set  *agg.Set
	gap  uint64
	// index has a row per key with open sessions, whose word is the newest session's slot + 1; groups has the sessions.
	index   *state.Table
	groups  *agg.Groups
	nextID  int64
	timers  timers
	metrics *operator.Metrics

	watermark int64
	// ahead are keys whose subtask had seen a later watermark than this before a restore.
	ahead []progress
	inc   state.Incremental
	out   *windowed.Results

	pending pending
	hashes  []uint64
	keys    []column.Vector
	heads   []int32
	all     []int32
	// empty are slots of the index whose key may have no session.
	empty   []int32
	closing []int32
	fresh   fresh
}

// pending is the rows of the batch at hand that have a session: slots[i] is that of physical row rows[i]. The first done
// of them are in the accumulators.
type pending struct {
	batch       *column.Batch
	slots, rows []int32
	done        int
}

// fresh is memory for the key of a new session.
type fresh struct {
	ids    *column.Fixed[int64]
	hashes []uint64
	keys   []column.Vector
	row    [1]int32
	slot   []int32
}

// New makes the operator for spec over rows of schema in, which are only ever appended. It reads env.Restore. The result's
// columns are the keys, the window {start, end} and the aggregates.
func New(spec *graph.SessionAggregateSpec, in *arrow.Schema, env operator.Env) (operator.Operator, error) {
	if spec.Gap <= 0 {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "the gap of a session must be positive").
			WithHint("write it as in session(INTERVAL '30 seconds')")
	}
	set, err := agg.Compile(spec.Aggs, false)
	if err != nil {
		return nil, err
	}
	fields := make([]arrow.Field, len(spec.Keys))
	for i, k := range spec.Keys {
		fields[i] = in.Field(k)
	}
	id := arrow.Field{Name: "session", Type: arrow.PrimitiveTypes.Int64}
	layout := state.NewLayout(append(append([]arrow.Field(nil), fields...), id), ownWords+set.Words())
	a := &aggregate{
		spec: spec, env: env, set: set, gap: uint64(spec.Gap), metrics: env.Metrics, watermark: math.MinInt64,
		index: state.NewTable(state.NewLayout(fields, 1)), groups: set.NewGroups(layout, ownWords),
		keys: make([]column.Vector, len(spec.Keys)), out: windowed.New(fields, spec.Aggs),
		fresh: fresh{ids: column.NewFixed[int64](id.Type)},
	}
	if a.metrics == nil {
		a.metrics = &operator.Metrics{}
	}
	if env.Restore != nil {
		if err := a.restore(env.Restore, fields); err != nil {
			return nil, err
		}
	}
	a.groups.Table.Track()
	return a, nil
}

// Process implements operator.Operator.
func (a *aggregate) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	for i, k := range a.spec.Keys {
		a.keys[i] = b.Cols[k]
	}
	a.hashes = column.HashColumns(a.hashes, a.keys, b.N, b.Sel)
	a.heads = a.index.FindOrInsert(a.hashes, a.keys, b.N, b.Sel, a.heads)
	rows := b.Sel
	if rows == nil {
		a.all = column.AllRows(a.all, b.N)
		rows = a.all
	}
	p := &a.pending
	*p = pending{batch: b, slots: p.slots[:0], rows: p.rows[:0]}
	for j := 0; j < len(rows); {
		if j = a.extend(b.Time, rows, j); j == len(rows) {
			break
		}
		if err := a.add(rows[j], a.heads[j]); err != nil {
			return err
		}
		j++
	}
	if err := a.flush(); err != nil {
		return err
	}
	a.dropEmpty()
	return nil
}

// extend adds rows from j on to the newest session of their key, as long as that is where they belong; it gives the first
// row that does not.
func (a *aggregate) extend(times []int64, rows []int32, j int) int {
	p := &a.pending
	slots, kept := p.slots, p.rows
	heads, headStride := a.index.Values()
	w, stride := a.groups.Table.Values()
	for ; j < len(rows); j++ {
		r := rows[j]
		s := int(heads[int(a.heads[j])*headStride]) - 1
		if s < 0 {
			break
		}
		at := s * stride
		own := w[at : at+lastWord+1 : at+lastWord+1]
		t, last := times[r], own[lastWord]
		if t < own[startWord] {
			break
		}
		if t > last {
			if uint64(t)-uint64(last) >= a.gap {
				break
			}
			own[lastWord] = t
		}
		own[rowsWord]++
		slots, kept = append(slots, int32(s)), append(kept, r)
	}
	p.slots, p.rows = slots, kept
	return j
}

// own gives the operator's words of a session.
func (a *aggregate) own(slot int32) []int64 {
	w, stride := a.groups.Table.Values()
	at := int(slot) * stride
	return w[at : at+ownWords : at+ownWords]
}

// flush brings the accumulators up to date with the rows that have a session.
func (a *aggregate) flush() error {
	p := &a.pending
	slots, rows := p.slots[p.done:], p.rows[p.done:]
	p.done = len(p.slots)
	a.groups.Table.MarkDirty(slots)
	return a.groups.Update(p.batch, slots, rows)
}

// Watermark implements operator.Operator.
func (a *aggregate) Watermark(w int64, out operator.Emitter) error {
	if w <= a.watermark {
		return nil
	}
	a.watermark = w
	a.ahead = slices.DeleteFunc(a.ahead, func(p progress) bool { return p.watermark <= w })
	a.closing = a.timers.due(w, a, a.closing[:0])
	if len(a.closing) == 0 {
		return nil
	}
	if err := a.out.Add(a.groups, a.closing, a.windows, out); err != nil {
		return err
	}
	for _, s := range a.closing {
		a.remove(s)
	}
	a.dropEmpty()
	a.metrics.StateBytes.Store(a.size())
	return a.out.Flush(out)
}

// windows appends the windows of sessions to the results.
func (a *aggregate) windows(slots []int32) {
	for _, s := range slots {
		own := a.own(s)
		a.out.Window(own[startWord], a.end(own), 1)
	}
}

func (a *aggregate) size() int64 {
	return a.groups.Size() + a.index.Size() + a.timers.size()
}

// Finish implements operator.Operator.
func (a *aggregate) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (a *aggregate) Close() error { return nil }

package topn

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// input finds the partitions of rows.
type input struct {
	keys     []int
	cols     []column.Vector
	hashes   []uint64
	slots    []int32
	all      []int32
	prefixes []uint64
	// part is the batch with those rows only that may be among the results, which near has.
	near []int32
	part column.Batch
	// ranks are prefixes out of which one is selected, key is the key of a row.
	ranks []uint64
	key   []byte
}

// hash takes a batch's key columns and hashes.
func (in *input) hash(b *column.Batch) {
	if len(in.keys) == 0 { // there is but one
		for len(in.hashes) < b.N {
			in.hashes = append(in.hashes, column.HashSeed)
		}
		return
	}
	for i, k := range in.keys {
		in.cols[i] = b.Cols[k]
	}
	in.hashes = column.HashColumns(in.hashes, in.cols, b.N, b.Sel)
}

// topN is the operator for streams without windows.
type topN struct {
	spec       *graph.TopNSpec
	env        operator.Env
	metrics    *operator.Metrics
	updating   bool
	partitions *state.Table
	rows       *ordered.Rows
	order      *ordered.Key
	rank       *ranking
	idle       state.Idle
	out        *output
	inc        state.Incremental
	in         input
	// ahead are rows that are about to be used.
	ahead []int32
	// changed are the partitions that have changed since the last flush.
	changed []int32
	// Of a flush: a partition's results as they were put out and as they are, and what leaves and comes.
	old, now    []result
	leave, come []piece
}

// New makes the operator for spec over rows of schema in; mode says whether they carry retractions. It reads env.Restore.
func New(spec *graph.TopNSpec, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	if spec.Offset < 0 || spec.Rank < graph.RowNumber || spec.Rank > graph.DenseRank {
		return nil, fault.Internalf("a top-N has the rank %d and the offset %d", spec.Rank, spec.Offset)
	}
	if env.Metrics == nil {
		env.Metrics = &operator.Metrics{}
	}
	if t, err := newBest(spec, in, mode, env); t != nil || err != nil {
		return t, err
	}
	order := ordered.NewKey(in, spec.Order, false)
	rows := ordered.NewRows(in, order, rowWords)
	rank := newRanking(spec, rows, mode)
	keys := make([]arrow.Field, len(spec.Keys))
	for i, k := range spec.Keys {
		keys[i] = in.Field(k)
	}
	layout := state.NewLayout(keys, partitionWords)
	input := input{keys: spec.Keys, cols: make([]column.Vector, len(keys)), near: []int32{}}
	if spec.PerTime {
		return newPerTime(spec, env, layout, order, rank, input, newOutput(spec, in, rows))
	}
	t := &topN{
		spec: spec, env: env, metrics: env.Metrics, updating: mode == graph.Updating, partitions: state.NewTable(layout),
		rows: rows, order: order, rank: rank, in: input, out: newOutput(spec, in, rows),
	}
	if len(spec.Keys) > 0 {
		t.idle = state.NewIdle(spec.TTL, seenWord, dueWord)
	}
	if env.Restore != nil {
		if err := t.restore(env.Restore, in); err != nil {
			return nil, err
		}
	}
	t.partitions.Track()
	return t, nil
}

// Process implements operator.Operator.
func (t *topN) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 || t.spec.Limit == 0 {
		return nil
	}
	if len(t.spec.Keys) == 0 {
		if b = t.within(b); b.Rows() == 0 {
			return nil
		}
	}
	rows := rowsOf(b, &t.in.all)
	t.in.prefixes = t.order.Prefixes(t.in.prefixes, b, rows)
	if len(t.spec.Keys) == 0 {
		rows = t.first(rows)
	}
	t.in.hash(b)
	t.in.slots = t.partitions.FindOrInsert(t.in.hashes, t.in.cols, b.N, rows, t.in.slots)
	if !t.idle.Never() {
		t.idle.Touch(max(t.clock(), 1), t.partitions, t.in.slots)
	}
	words, stride := t.partitions.Values()
	for j, r := range rows {
		if j%warmRows == 0 {
			to := min(j+warmRows, len(rows))
			t.warm(t.in.slots[j:to], lastWord, rows[j:to])
			t.rows.WarmFree(len(t.ahead))
		}
		slot := t.in.slots[j]
		w := words[int(slot)*stride : int(slot)*stride+partitionWords]
		prefix := t.in.prefixes[r]
		if limit := ^uint64(w[limitWord]); prefix > limit || prefix == limit && t.behind(b, r, w) {
			continue
		}
		e := t.rows.Encode(b, int(r), prefix)
		switch {
		case b.Change != nil && b.Change[r] == column.Retract:
			t.rank.retract(w, e)
			t.change(w, slot) // a partition that had no rows is dropped then
		case t.rank.add(w, t.in.hashes[r], b.Time[r], e):
			t.change(w, slot)
		}
	}
	return nil
}

// within leaves out rows that cannot be among the results, as far as their first order column tells, where there is but one
// partition.
func (t *topN) within(b *column.Batch) *column.Batch {
	slots := t.partitions.Slots(t.in.slots[:0])
	if len(slots) == 0 {
		return b
	}
	words, stride := t.partitions.Values()
	near, some := t.order.Within(t.in.near[:0], b, ^uint64(words[int(slots[0])*stride+limitWord]))
	t.in.near = near
	if !some {
		return b
	}
	t.in.part = *b
	t.in.part.Sel = near
	return &t.in.part
}

// first leaves out rows that as many others of the batch come before as there are results, where there is but one partition.
// They would come and go one by one when each row is better than those before it, as in the order of time.
func (t *topN) first(rows []int32) []int32 {
	if !t.rank.bounded || t.spec.Rank == graph.DenseRank || int64(len(rows))/4 < t.rank.bound {
		return rows
	}
	p := t.in.ranks[:0]
	for _, r := range rows {
		p = append(p, t.in.prefixes[r])
	}
	t.in.ranks = p
	last := nth(p, int(t.rank.bound)-1)
	near := t.in.near[:0] // rows may lie there, further behind
	for _, r := range rows {
		if t.in.prefixes[r] <= last {
			near = append(near, r)
		}
	}
	t.in.near = near
	return near
}

// nth is the word that would be at place n if they were sorted (Hoare: Algorithm 65, Find, 1961). It changes their order.
func nth(p []uint64, n int) uint64 {
	from, to := 0, len(p)-1
	for rounds := 0; from < to; rounds++ {
		if rounds > 40 { // made so that the pivots are bad
			slices.Sort(p)
			break
		}
		pivot := p[from+(to-from)/2]
		i, j := from, to
		for i <= j {
			for p[i] < pivot {
				i++
			}
			for p[j] > pivot {
				j--
			}
			if i <= j {
				p[i], p[j] = p[j], p[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			to = j
		case n >= i:
			from = i
		default:
			return p[n]
		}
	}
	return p[n]
}

// behind reports whether a row comes behind the last of a full partition, whose prefix is the same, by its key.
func (t *topN) behind(b *column.Batch, r int32, w []int64) bool {
	if w[limitWord] == 0 || t.order.Exact() {
		return false
	}
	t.in.key = t.order.Append(t.in.key[:0], b.Cols, b.Time[r], int(r))
	return t.rows.CompareKey(t.in.key, int32(w[lastWord])-1) > 0
}

// warmRows is how many partitions are read ahead together.
const warmRows = 256

// warm reads what is about to be used: partitions, and of each the row at its root and the one that another word names. With
// the rows that are to go in, it leaves out the partitions among whose results they cannot be.
func (t *topN) warm(slots []int32, word int, rows []int32) {
	words, stride := t.partitions.Values()
	t.ahead = t.ahead[:0]
	for j, slot := range slots {
		w := words[int(slot)*stride : int(slot)*stride+partitionWords]
		if rows == nil || t.in.prefixes[rows[j]] <= ^uint64(w[limitWord]) {
			t.aheadOf(w[word], w[rootWord])
		}
	}
	t.rows.Warm(t.ahead)
}

func (t *topN) aheadOf(a, b int64) {
	if a != 0 {
		t.ahead = append(t.ahead, int32(a)-1)
	}
	if b != 0 && b != a {
		t.ahead = append(t.ahead, int32(b)-1)
	}
}

func (t *topN) change(w []int64, slot int32) {
	if w[changedWord] == 0 {
		w[changedWord] = 1
		t.changed = append(t.changed, slot)
	}
}

func (t *topN) clock() int64 {
	if t.env.Clock == nil {
		return 0
	}
	return t.env.Clock.Now().UnixNano()
}

// Watermark implements operator.Operator. There is nothing that a watermark releases.
func (t *topN) Watermark(int64, operator.Emitter) error { return nil }

// TickInterval implements operator.Ticker.
func (t *topN) TickInterval() time.Duration { return time.Duration(t.spec.FlushInterval) }

// Tick implements operator.Ticker.
func (t *topN) Tick(now time.Time, out operator.Emitter) error { return t.flush(now.UnixNano(), out) }

// Flush implements operator.Flusher.
func (t *topN) Flush(out operator.Emitter) error { return t.flush(t.clock(), out) }

// Finish implements operator.Operator.
func (t *topN) Finish(out operator.Emitter) error { return t.flush(t.clock(), out) }

// Close implements operator.Operator.
func (t *topN) Close() error { return nil }

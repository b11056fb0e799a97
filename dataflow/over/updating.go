package over

import (
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// Words of a row of an updating operator behind the others: its links in the set of its partition's rows.
const (
	linkWord = rowWords + iota
	countWord
	updatingRowWords
)

// Words of a partition of an updating operator, in front of one per frame: how many rows, from the first on, the
// accumulators of a running frame hold.
const (
	// rootWord is the set of its rows.
	rootWord = iota
	// changedWord is its place among those that have changed since the last flush, + 1.
	changedWord
	// seenWord is the wall-clock time of the last row, dueWord the bucket in which it waits to be forgotten.
	seenWord
	dueWord
	heldWord
)

// updating is the operator whose results are a changelog. Rows join and leave the ordered set of their partition at once;
// a flush computes the results of the rows that the changes reach, and puts out those that differ from what was put out.
type updating struct {
	*evaluator
	env     operator.Env
	metrics *operator.Metrics
	tree    *ordered.Tree
	// shown has, per row that was put out, its results.
	shown notes
	idle  state.Idle
	inc   state.Incremental
	input input
	// changed are the partitions that have changed since the last flush.
	changed []change

	// Of a flush: the rows around those that are computed, their results as columns, and what differs.
	view    *partition
	results *column.Builder
	columns []column.Vector
	encoded []byte
	fresh   []byte
	pieces  []piece
	ranges  []span
	out     *column.Builder
	outRow  []column.Appender
	outCall []column.Appender
}

// change is what has happened in a partition since the last flush.
type change struct {
	slot int32
	// gone are rows that were put out and have gone; they stay in the store until the flush.
	gone   []int32
	places spans
}

// piece is a row with new results, bytes of updating.fresh.
type piece struct {
	id          int32
	from, until int
}

func newUpdating(spec *graph.OverSpec, in *arrow.Schema, env operator.Env) (operator.Operator, error) {
	e, err := newEvaluator(spec, in, heldWord+len(spec.Calls), updatingRowWords)
	if err != nil {
		return nil, err
	}
	u := &updating{evaluator: e, env: env, metrics: env.Metrics, tree: ordered.NewCountedTree(e.rows, linkWord, countWord)}
	u.view = u.newPartition(0)
	u.input.keys = make([]column.Vector, len(spec.Keys))
	u.results = column.NewBuilder(arrow.NewSchema(u.resultFields(), nil), false)
	u.output(u.results, 0)
	u.out = column.NewBuilder(arrow.NewSchema(append(in.Fields(), u.resultFields()...), nil), true)
	for i := range in.NumFields() {
		u.outRow = append(u.outRow, u.out.Column(i))
	}
	for i := range e.calls {
		u.columns = append(u.columns, u.results.Column(i))
		u.outCall = append(u.outCall, u.out.Column(in.NumFields()+i))
	}
	if len(spec.Keys) > 0 {
		u.idle = state.NewIdle(spec.TTL, seenWord, dueWord)
	}
	if env.Restore != nil {
		if err := u.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	u.partitions.Track()
	return u, nil
}

// Process implements operator.Operator.
func (u *updating) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	rows := u.input.take(u.evaluator, b)
	u.input.slots = u.partitions.FindOrInsert(u.input.hashes, u.input.keys, b.N, b.Sel, u.input.slots)
	if !u.idle.Never() {
		u.idle.Touch(now(&u.env), u.partitions, u.input.slots)
	}
	for j, r := range rows {
		slot := u.input.slots[j]
		encoded := u.rows.Encode(b, int(r), u.input.prefixes[r])
		if b.Change != nil && b.Change[r] == column.Retract {
			if err := u.retract(slot, encoded, b.Time[r]); err != nil {
				return err
			}
			continue
		}
		id := u.rows.Put(u.input.hashes[r], b.Time[r], encoded)
		u.measure.note(u.rows.Own(id), u.spec, b, int(r))
		if err := u.insert(slot, id); err != nil {
			return err
		}
	}
	return nil
}

// insert adds a row to its partition.
func (u *updating) insert(slot, id int32) error {
	w := u.words(slot)
	root := int32(w[rootWord])
	at := u.tree.Position(root, id+1) + 1
	w[rootWord] = int64(u.tree.Insert(root, id+1))
	c := u.change(w, slot)
	c.places = c.places.insert(at)
	for i := range u.frames {
		f := &u.frames[i]
		if held := &w[heldWord+i]; f.set != nil && f.running && (at <= *held || f.To.Kind == graph.UnboundedFollowing) {
			*held++
			if err := u.feed(f, u.accumulators(f, slot), id, column.Insert); err != nil {
				return err
			}
		}
	}
	return nil
}

// retract takes a row with these bytes out of its partition: one with this event time if there is one. A row that is not
// there, because it was forgotten, is ignored.
func (u *updating) retract(slot int32, e ordered.Encoded, time int64) error {
	w := u.words(slot)
	c := u.change(w, slot) // a partition that has no rows is dropped then
	id := u.copyOf(int32(w[rootWord]), e, time)
	if id < 0 {
		return nil
	}
	at := u.tree.Position(int32(w[rootWord]), id+1) + 1
	w[rootWord] = int64(u.tree.Remove(int32(w[rootWord]), id+1))
	c.places = c.places.remove(at)
	for i := range u.frames {
		f := &u.frames[i]
		if held := &w[heldWord+i]; f.set != nil && f.running && at <= *held {
			*held--
			if err := u.feed(f, u.accumulators(f, slot), id, column.Retract); err != nil {
				return err
			}
		}
	}
	u.leave(c, id)
	return nil
}

// copyOf finds one of the rows that are equal in all their bytes, −1 if there is none.
func (u *updating) copyOf(root int32, e ordered.Encoded, time int64) int32 {
	at := u.tree.Search(root, func(id int32) bool {
		c := u.rows.Compare(e, id)
		return c < 0 || c == 0 && u.rows.Time(id) >= time
	})
	for _, at := range [2]int64{at, at - 1} {
		if id := u.tree.At(root, at); id >= 0 && u.rows.Compare(e, id) == 0 {
			return id
		}
	}
	return -1
}

// leave drops a row that is in no set any more. If it was put out, it stays in the store until the next flush.
func (u *updating) leave(c *change, id int32) {
	if _, out := u.shown.get(id); out {
		c.gone = append(c.gone, id)
		return
	}
	u.rows.Free(id, true)
}

// accumulators gives the slot of a partition's accumulators for a frame.
func (u *updating) accumulators(f *frame, slot int32) int32 {
	u.slot = f.groups.Table.FindOrInsertFrom(u.partitions, []int32{slot}, u.slot)
	return u.slot[0]
}

// forget drops a partition's accumulators for a frame.
func (u *updating) forget(f *frame, slot int32) {
	u.slot = f.groups.Table.FindFrom(u.partitions, []int32{slot}, u.slot)
	if g := u.slot[0]; g >= 0 {
		f.groups.Delete(g)
	}
}

// words are a partition's, valid until a partition is added.
func (u *updating) words(slot int32) []int64 {
	words, stride := u.partitions.Values()
	return words[int(slot)*stride : int(slot)*stride+heldWord+len(u.frames)]
}

// change is what is noted of a partition since the last flush, valid until the next call.
func (u *updating) change(w []int64, slot int32) *change {
	if w[changedWord] == 0 {
		n := len(u.changed)
		if n < cap(u.changed) {
			u.changed = u.changed[:n+1]
		} else {
			u.changed = append(u.changed, change{})
		}
		c := &u.changed[n]
		c.slot, c.gone, c.places = slot, c.gone[:0], c.places[:0]
		w[changedWord] = int64(n + 1)
	}
	return &u.changed[w[changedWord]-1]
}

// Watermark implements operator.Operator. There is nothing that a watermark releases.
func (u *updating) Watermark(int64, operator.Emitter) error { return nil }

// TickInterval implements operator.Ticker.
func (u *updating) TickInterval() time.Duration { return time.Duration(u.spec.FlushInterval) }

// Tick implements operator.Ticker.
func (u *updating) Tick(now time.Time, out operator.Emitter) error {
	return u.flush(now.UnixNano(), out)
}

// Flush implements operator.Flusher.
func (u *updating) Flush(out operator.Emitter) error { return u.flush(now(&u.env), out) }

// Finish implements operator.Operator.
func (u *updating) Finish(out operator.Emitter) error { return u.flush(now(&u.env), out) }

// Close implements operator.Operator.
func (u *updating) Close() error { return nil }

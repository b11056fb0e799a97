package topn

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/ordered"
	"wadi/dataflow/state"
)

// best is the operator for the one best row of each key of an append stream, such as its last. A row that has been beaten
// never comes back, so that the best one lies beside its key, in words that the next best takes over.
type best struct {
	spec       *graph.TopNSpec
	env        operator.Env
	metrics    *operator.Metrics
	schema     *arrow.Schema
	partitions *state.Table
	// saved is the layout of what is saved of a partition: the first of its words.
	saved  *state.Layout
	words  bestWords
	record *ordered.Record
	order  *ordered.Key
	idle   state.Idle
	inc    state.Incremental
	in     input
	// won and rows are the partitions of a block whose row another beats, and the rows that do.
	won, rows []int32
	// changed are the partitions that have changed since the last flush. outdated are the records that are out of them, each
	// with its event time.
	changed  []change
	outdated []int64
	out      *bestOutput
}

// bestWords says where the words of a partition are: when it was last seen, in front of the record; the event time of its row,
// behind it; and the bucket in which it waits to be forgotten. Without that there are no words for it.
type bestWords struct {
	seen, record, time, due, all int
}

// Bits of a record's flags: there is a row; it has changed since the last flush; it is forgotten by the next.
const (
	bestThere = 1 << iota
	bestChanged
	bestGone
)

// change is a partition and the place of its record that is out in outdated, -1 if there is none.
type change struct {
	slot, old int32
}

// newBest makes the operator, if it is one for this ranking; nil if not.
func newBest(spec *graph.TopNSpec, in *arrow.Schema, mode graph.Mode, env operator.Env) (operator.Operator, error) {
	one := spec.Limit == 1 && spec.Offset == 0 && spec.Rank == graph.RowNumber && !spec.WithTies
	if !one || mode != graph.Append || spec.PerTime || len(spec.Keys) == 0 {
		return nil, nil
	}
	var apart []int
	keys := make([]arrow.Field, len(spec.Keys))
	for i, k := range spec.Keys {
		if keys[i] = in.Field(k); comesBack(keys[i].Type) && !slices.Contains(apart, k) {
			apart = append(apart, k)
		}
	}
	// All rows of a key are equal by what they are ranked within.
	order := ordered.NewKey(in, slices.DeleteFunc(slices.Clone(spec.Order), func(o graph.Order) bool {
		return slices.Contains(spec.Keys, o.Column)
	}), false)
	record := ordered.NewRecord(in, order, apart)
	if record == nil {
		return nil, nil
	}
	t := &best{spec: spec, env: env, metrics: env.Metrics, schema: in, record: record, order: order}
	t.in = input{keys: spec.Keys, cols: make([]column.Vector, len(keys))}
	if spec.TTL > 0 {
		t.words.record = 1
	}
	saved := t.words.record + record.Values
	if record.HasNulls {
		saved++
	}
	t.words.time = t.words.record + record.Size
	t.words.all = t.words.time + 1
	if spec.TTL > 0 {
		t.words.due = t.words.all
		t.words.all++
	}
	t.idle = state.NewIdle(spec.TTL, t.words.seen, t.words.due)
	t.saved = state.NewLayout(keys, saved)
	t.partitions = state.NewTable(state.NewLayout(keys, t.words.all))
	t.out = newBestOutput(spec, in, record, apart)
	if env.Restore != nil {
		if err := t.restore(env.Restore); err != nil {
			return nil, err
		}
	}
	t.partitions.Track()
	return t, nil
}

// comesBack reports whether a key of this type is the value that it was made of, to the bit.
func comesBack(dt arrow.DataType) bool {
	switch c := column.NewAppender(dt).(type) {
	case *column.Fixed[float64], *column.Fixed[float32], *column.Struct, *column.List:
		return false
	default:
		return c != nil
	}
}

// bestBlock is how many rows are compared while what was read of their partitions is in the nearest cache.
const bestBlock = 512

// Process implements operator.Operator.
func (t *best) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	t.in.hash(b)
	rows := rowsOf(b, &t.in.all)
	t.in.prefixes = t.order.Prefixes(t.in.prefixes, b, rows)
	now := max(t.clock(), 1)
	for len(rows) > 0 {
		n := min(len(rows), bestBlock)
		t.in.slots = t.partitions.FindOrInsert(t.in.hashes, t.in.cols, b.N, rows[:n], t.in.slots)
		if !t.idle.Never() {
			t.idle.Touch(now, t.partitions, t.in.slots)
		}
		t.compare(b, rows[:n])
		t.settle(b)
		rows = rows[n:]
	}
	return nil
}

// compare finds the rows that beat those of their partitions.
func (t *best) compare(b *column.Batch, rows []int32) {
	words, stride := t.partitions.Values()
	first, size, prefixes, slots := t.words.record, t.record.Size+1, t.in.prefixes, t.in.slots[:len(rows)]
	prefix, flags := t.record.Prefix, t.record.Flags
	for j, r := range rows {
		at := int(slots[j])*stride + first
		w := words[at : at+size]
		p, q, f := prefixes[r], uint64(w[prefix]), w[flags]
		switch {
		case f == 0:
			t.changed = append(t.changed, change{slots[j], -1})
		case p > q:
			continue
		case p == q && !t.wins(b, r, w):
			continue
		default:
			t.beaten(w, slots[j])
		}
		w[prefix], w[flags], w[size-1] = int64(p), bestThere|bestChanged, b.Time[r]
		t.won, t.rows = append(t.won, slots[j]), append(t.rows, r)
	}
}

// wins reports whether a row beats the record w of its partition, whose prefix is the same. Of two that are equal to the last
// bit, as long as they are not out, the later one counts.
func (t *best) wins(b *column.Batch, r int32, w []int64) bool {
	t.settle(b)
	c := t.record.Compare(b, int(r), w)
	if c == 0 && w[t.record.Flags]&bestChanged != 0 {
		w[t.record.Size] = max(w[t.record.Size], b.Time[r])
	}
	return c < 0
}

// beaten keeps the record w if it is out, and drops it if not.
func (t *best) beaten(w []int64, slot int32) {
	if w[t.record.Flags]&bestChanged != 0 {
		t.record.Free(w)
		return
	}
	t.keep(w, slot)
	if t.record.Loose > 0 {
		w[t.record.Loose] = 0
	}
}

// keep notes that the partition of the record w, which is out, changes.
func (t *best) keep(w []int64, slot int32) {
	t.changed = append(t.changed, change{slot, int32(len(t.outdated) / len(w))})
	t.outdated = append(t.outdated, w...)
}

// settle writes the rows that have won to their partitions.
func (t *best) settle(b *column.Batch) {
	if len(t.won) == 0 {
		return
	}
	words, stride := t.partitions.Values()
	words = words[t.words.record:]
	t.record.Put(words, stride, t.won, b, t.rows)
	t.record.Tidy(ordered.Records{Words: words, Stride: stride}, ordered.Records{Words: t.outdated, Stride: t.record.Size + 1})
	if t.idle.Never() {
		t.partitions.MarkDirty(t.won)
	}
	t.won, t.rows = t.won[:0], t.rows[:0]
}

// flush puts out what has changed since the last flush and what has been idle for too long.
func (t *best) flush(now int64, out operator.Emitter) error {
	now = max(now, 1)
	words, stride := t.partitions.Values()
	t.idle.Expired(now, t.partitions, func(slot int32) {
		at := int(slot)*stride + t.words.record
		w := words[at : at+t.record.Size+1]
		if w[t.record.Flags]&bestChanged == 0 {
			t.beaten(w, slot)
		}
		w[t.record.Flags] |= bestChanged | bestGone
	})
	for rest := t.changed; len(rest) > 0; {
		n := min(len(rest), t.out.room())
		if n == 0 {
			if err := t.out.emit(out); err != nil {
				return err
			}
			continue
		}
		t.put(rest[:n])
		rest = rest[n:]
	}
	t.changed, t.outdated = t.changed[:0], t.outdated[:0]
	t.metrics.StateBytes.Store(t.partitions.Size() + t.record.Memory() + int64(8*cap(t.changed)+8*cap(t.outdated)))
	return t.out.emit(out)
}

// put adds the changes of some partitions to the output.
func (t *best) put(changed []change) {
	words, stride := t.partitions.Values()
	words = words[t.words.record:]
	size, flags := t.record.Size+1, t.record.Flags
	for _, c := range changed {
		if c.old >= 0 {
			t.out.add(t.outdated[int(c.old)*size:int(c.old+1)*size], c.slot, column.Retract)
		}
		w := words[int(c.slot)*stride : int(c.slot)*stride+size]
		if w[flags]&bestGone == 0 {
			t.out.add(w, c.slot, column.Insert)
		}
		w[flags] &^= bestChanged
	}
	t.out.take(t.partitions)
	for _, c := range changed {
		if c.old >= 0 {
			t.record.Free(t.outdated[int(c.old)*size : int(c.old+1)*size])
		}
		if w := words[int(c.slot)*stride : int(c.slot)*stride+size]; w[flags]&bestGone != 0 {
			t.record.Free(w)
			t.partitions.Delete(c.slot)
		}
	}
}

func (t *best) clock() int64 {
	if t.env.Clock == nil {
		return 0
	}
	return t.env.Clock.Now().UnixNano()
}

// Watermark implements operator.Operator. There is nothing that a watermark releases.
func (t *best) Watermark(int64, operator.Emitter) error { return nil }

// TickInterval implements operator.Ticker.
func (t *best) TickInterval() time.Duration { return time.Duration(t.spec.FlushInterval) }

// Tick implements operator.Ticker.
func (t *best) Tick(now time.Time, out operator.Emitter) error { return t.flush(now.UnixNano(), out) }

// Flush implements operator.Flusher.
func (t *best) Flush(out operator.Emitter) error { return t.flush(t.clock(), out) }

// Finish implements operator.Operator.
func (t *best) Finish(out operator.Emitter) error { return t.flush(t.clock(), out) }

// Close implements operator.Operator.
func (t *best) Close() error { return nil }

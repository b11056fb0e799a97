package join

import (
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state/multimap"
)

// bucketsPerTTL is how finely the time of a row's last use is kept.
const bucketsPerTTL = 64

// minGrain keeps the number of a bucket within 32 bits for more than a year.
const minGrain = int64(10 * time.Millisecond)

// pending in place of a count of matches says that the last match has gone in this batch, and that what follows from it
// is put out at its end, unless another one comes.
const pending = -1

// updating is the join that does not know time.
type updating struct {
	*joiner
	ttl int64
	// bucket is that of the batch at hand; rows last used before cut have been forgotten, if forgetful there may have been
	// some.
	bucket, cut uint32
	forgetful   bool

	// once says that a left row is done with when it has matched: of semi and anti joins, if neither input takes rows back.
	once bool

	sums consolidator
	// Of the batch at hand, by row: how often it counts, whether it is new or vanishes from the state, its stored row, and
	// how many rows of the other side it matches. weights and changes are nil if each row counts once and is new.
	weights []int32
	changes []bool
	ids     []int32
	matched []int32
	flags   []bool // memory of changes

	expanded multimap.Pairs
	rows     []int32
	stored   []int32
	zeroed   []int32
	fresh    []int32
	done     []int32
	batches  int
}

// NewUpdating makes the operator for spec over rows of these schemas and modes, left and right. It reads env.Restore.
func NewUpdating(spec *graph.JoinSpec, in [2]*arrow.Schema, modes [2]graph.Mode, functions *expr.Functions, env operator.Env) (operator.Operator, error) {
	mode := spec.Mode(modes[left], modes[right])
	base, err := newJoiner(spec.JoinOn, in, mode == graph.Updating, functions, env)
	if err != nil {
		return nil, err
	}
	j := &updating{joiner: base, ttl: max(0, spec.TTL)}
	config := multimap.Config{Routed: spec.NullAware}
	if j.ttl > 0 {
		config.Grain = max(minGrain, j.ttl/bucketsPerTTL)
		config.Base = subtract(subtract(j.now(), j.ttl), j.ttl)
	}
	for port := range j.sides {
		s := &j.sides[port]
		s.counted = modes[port] == graph.Updating
		s.distinct = s.counted || port == right && leftOnly(spec.Kind)
		config.Types, config.Key = s.types(in[port]), s.firstKey()
		config.Distinct, config.Whole = s.distinct, s.distinct && s.whole
		s.m = multimap.New(config)
	}
	j.once = leftOnly(spec.Kind) && !j.sides[left].counted && !j.sides[right].counted
	if env.Restore != nil {
		if err := j.restoreUpdating(env.Restore); err != nil {
			return nil, err
		}
	}
	return j, nil
}

func (j *joiner) now() int64 {
	if j.env.Clock == nil {
		return 0
	}
	return j.env.Clock.Now().UnixNano()
}

// Process implements operator.Operator.
func (j *updating) Process(in int, b *column.Batch, out operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	if j.ttl > 0 {
		j.bucket = j.sides[left].m.Bucket(j.now())
	}
	own, other := &j.sides[in], &j.sides[1-in]
	own.take(b)
	j.all = column.AllRows(j.all, b.N)
	rows := b.Selected(j.all)
	if err := j.change(own, other, b, rows, out); err != nil {
		return err
	}
	if err := j.settle(other, out); err != nil {
		return err
	}
	own.m.Compact()
	other.m.Compact()
	if j.batches++; j.batches%64 == 0 {
		j.metrics.StateBytes.Store(j.size())
	}
	return j.out.flush(out)
}

// change applies the rows: retractions first, so that for every key the old goes out before the new.
func (j *updating) change(own, other *side, b *column.Batch, rows []int32, out operator.Emitter) error {
	j.weights, j.changes = nil, nil
	if own.distinct && cap(j.ids) < b.N {
		j.ids, j.flags = make([]int32, b.N+b.N/4), make([]bool, b.N+b.N/4)
	}
	switch {
	case !own.distinct:
		return j.insert(own, other, b, rows, out)
	case !own.counted:
		return j.meet(own, other, b, rows, out)
	}
	j.sums.run(&own.rows, b, rows)
	j.weights = j.sums.net
	j.ids, j.changes = j.ids[:b.N], j.flags[:b.N]
	if err := j.retract(own, other, b, j.sums.retracts, out); err != nil {
		return err
	}
	return j.insert(own, other, b, j.sums.inserts, out)
}

// retract takes rows back.
func (j *updating) retract(own, other *side, b *column.Batch, rows []int32, out operator.Emitter) error {
	if len(rows) == 0 {
		return nil
	}
	j.split(own, rows)
	if own.show == showUnmatched {
		if err := j.emitRows(own, b, j.null, column.Retract, out); err != nil {
			return err
		}
	}
	there := j.present(own, j.full)
	err := j.each(own, other, b, j.probing(own, there), func(p *multimap.Pairs) error {
		if other.show != showNone {
			j.lose(other, p)
		}
		return j.emitPairs(own, other, b, p, column.Retract, out)
	})
	if err != nil {
		return err
	}
	if own.show != showNone {
		j.rows = j.rows[:0]
		for _, r := range there {
			if own.m.Matches(j.ids[r]) > 0 == (own.show == showMatched) {
				j.rows = append(j.rows, r)
			}
		}
		if err := j.emitRows(own, b, j.rows, column.Retract, out); err != nil {
			return err
		}
	}
	j.stored = j.stored[:0]
	for _, r := range there {
		if id := j.ids[r]; j.changes[r] {
			j.stored = append(j.stored, id)
		} else {
			own.m.SetCount(id, own.m.Count(id)+j.weights[r])
		}
	}
	own.m.Delete(j.stored)
	return nil
}

// probing gives the rows that have to be compared with the other side's: on the right of a semi or anti join only those
// that are new or vanish.
func (j *updating) probing(own *side, rows []int32) []int32 {
	if own.port == left || !leftOnly(j.on.Kind) {
		return rows
	}
	j.rows = j.rows[:0]
	for _, r := range rows {
		if j.changes[r] {
			j.rows = append(j.rows, r)
		}
	}
	return j.rows
}

// present keeps the rows that are stored, and no more of each than there are; it notes which of them vanish.
func (j *updating) present(own *side, rows []int32) []int32 {
	own.m.Find(&own.rows, rows, j.ids)
	there, missing := rows[:0], int64(0)
	for _, r := range rows {
		if j.ids[r] < 0 {
			missing += int64(-j.weights[r])
			continue
		}
		n := own.m.Count(j.ids[r])
		if n < -j.weights[r] {
			missing += int64(-j.weights[r] - n)
			j.weights[r] = -n
		}
		j.changes[r] = n == -j.weights[r]
		there = append(there, r)
	}
	// What has expired may be retracted later, and is no mistake.
	if missing > 0 && !j.forgetful {
		j.metrics.BadRecords.Add(missing)
		if j.env.Report != nil {
			j.env.Report(&fault.Error{
				Kind: fault.Internal, Code: fault.CodeBadData,
				Message: "a changelog retracts a row that it did not insert before; the retraction is ignored",
				Hint:    "check that the table behind this join delivers whole rows before and after each change",
			})
		}
	}
	return there
}

// lose takes a match from the other side's rows for each row that vanishes.
func (j *updating) lose(other *side, p *multimap.Pairs) {
	for i, id := range p.IDs {
		if !j.changes[p.Rows[i]] {
			continue
		}
		switch n := other.m.Matches(id); {
		case n == 1:
			other.m.SetMatches(id, pending)
			j.zeroed = append(j.zeroed, id)
		case n > 1:
			other.m.SetMatches(id, n-1)
		}
	}
}

// insert adds rows.
func (j *updating) insert(own, other *side, b *column.Batch, rows []int32, out operator.Emitter) error {
	if len(rows) == 0 {
		return nil
	}
	j.split(own, rows)
	if own.show == showUnmatched {
		if err := j.emitRows(own, b, j.null, column.Insert, out); err != nil {
			return err
		}
	}
	if own.distinct {
		own.m.Find(&own.rows, j.full, j.ids)
		for _, r := range j.full {
			j.changes[r] = j.ids[r] < 0
		}
	}
	j.done = j.done[:0]
	if own.show != showNone {
		if cap(j.matched) < b.N {
			j.matched = make([]int32, b.N+b.N/4)
		}
		j.matched = j.matched[:b.N]
		for _, r := range j.full {
			j.matched[r] = 0
		}
	}
	err := j.each(own, other, b, j.probing(own, j.full), func(p *multimap.Pairs) error {
		if own.show != showNone {
			for _, r := range p.Rows {
				j.matched[r]++
			}
		}
		if j.ttl > 0 {
			other.m.Touch(p.IDs, j.bucket)
		}
		if other.show != showNone {
			if err := j.gain(other, p, out); err != nil {
				return err
			}
		}
		return j.emitPairs(own, other, b, p, column.Insert, out)
	})
	if err != nil {
		return err
	}
	other.m.Delete(j.done)
	j.keep(own, b)
	return j.showInserted(own, b, out)
}

// meet adds rows of the right side of a semi or anti join that are never taken back: only the first of equal ones says
// anything.
func (j *updating) meet(own, other *side, b *column.Batch, rows []int32, out operator.Emitter) error {
	j.split(own, rows)
	j.ids = j.ids[:b.N]
	own.m.Find(&own.rows, j.full, j.ids)
	j.fresh, j.stored, j.done = j.fresh[:0], j.stored[:0], j.done[:0]
	for _, r := range j.full {
		if j.ids[r] < 0 {
			j.fresh = append(j.fresh, r)
		} else {
			j.stored = append(j.stored, j.ids[r])
		}
	}
	if j.ttl > 0 {
		own.m.Touch(j.stored, j.bucket)
	}
	j.sums.distinct(&own.rows, j.fresh)
	fresh := j.sums.inserts
	err := j.each(own, other, b, fresh, func(p *multimap.Pairs) error {
		if j.ttl > 0 {
			other.m.Touch(p.IDs, j.bucket)
		}
		return j.gain(other, p, out)
	})
	if err != nil {
		return err
	}
	other.m.Delete(j.done)
	own.rows.Counts, own.rows.Matches = nil, nil
	j.stored = own.m.Insert(&own.rows, fresh, j.bucket, j.stored[:0])
	return nil
}

// gain gives a match to the other side's rows for each new row, and puts out what follows from first ones.
func (j *updating) gain(other *side, p *multimap.Pairs, out operator.Emitter) error {
	j.stored = j.stored[:0]
	for i, id := range p.IDs {
		if j.changes != nil && !j.changes[p.Rows[i]] {
			continue
		}
		switch n := other.m.Matches(id); n {
		case pending:
			other.m.SetMatches(id, 1)
		case 0:
			j.stored = append(j.stored, id)
			other.m.SetMatches(id, 1)
		default:
			other.m.SetMatches(id, n+1)
		}
	}
	if j.once {
		j.done = append(j.done, j.stored...)
	}
	change := column.Retract
	if other.show == showMatched {
		change = column.Insert
	}
	return j.emitStored(other, j.stored, change, out)
}

// keep stores the rows of j.full.
func (j *updating) keep(own *side, b *column.Batch) {
	fresh := j.full
	switch {
	case own.distinct:
		fresh = j.again(own, b)
	case own.port == left && j.once:
		_, fresh = j.divide()
	}
	own.rows.Counts, own.rows.Matches = j.weights, nil
	if own.show != showNone {
		own.rows.Matches = j.matched
	}
	j.stored = own.m.Insert(&own.rows, fresh, j.bucket, j.stored[:0])
}

// again counts those of the rows of j.full that are stored already, and gives the others.
func (j *updating) again(own *side, b *column.Batch) []int32 {
	j.fresh, j.stored = j.fresh[:0], j.stored[:0]
	for _, r := range j.full {
		if j.changes[r] {
			j.fresh = append(j.fresh, r)
			continue
		}
		id := j.ids[r]
		j.stored = append(j.stored, id)
		own.m.SetCount(id, own.m.Count(id)+j.weights[r])
		own.m.Advance(id, b.Time[r])
		if own.show != showNone {
			j.matched[r] = own.m.Matches(id)
		}
	}
	if j.ttl > 0 {
		own.m.Touch(j.stored, j.bucket)
	}
	return j.fresh
}

// showInserted puts out the rows of j.full by themselves where that is due.
func (j *updating) showInserted(own *side, b *column.Batch, out operator.Emitter) error {
	if own.show == showNone {
		return nil
	}
	rows, without := j.divide()
	if own.show == showUnmatched {
		rows = without
	}
	return j.emitRows(own, b, rows, column.Insert, out)
}

// divide divides the rows of j.full into those with and those without a match, until it is called again.
func (j *updating) divide() (with, without []int32) {
	j.rows = slices.Grow(j.rows[:0], len(j.full))[:len(j.full)]
	j.fresh = slices.Grow(j.fresh[:0], len(j.full))[:len(j.full)]
	with, without = j.rows, j.fresh
	k := 0
	for i, r := range j.full { // without a branch, which nobody could foretell
		with[k], without[i-k] = r, r
		k += int(uint32(-j.matched[r]) >> 31)
	}
	return with[:k], without[:len(j.full)-k]
}

// settle puts out what follows for the other side's rows that have lost their last match and have got no other.
func (j *updating) settle(other *side, out operator.Emitter) error {
	lost := j.zeroed[:0]
	for _, id := range j.zeroed {
		if other.m.Matches(id) == pending {
			other.m.SetMatches(id, 0)
			lost = append(lost, id)
		}
	}
	j.zeroed = j.zeroed[:0]
	change := column.Insert
	if other.show == showMatched {
		change = column.Retract
	}
	return j.emitStored(other, lost, change, out)
}

// emitPairs puts out pairs as often as both of their rows count.
func (j *updating) emitPairs(own, other *side, b *column.Batch, p *multimap.Pairs, change column.Change, out operator.Emitter) error {
	if leftOnly(j.on.Kind) {
		return nil
	}
	if j.weights == nil && !other.distinct {
		return j.out.emitPairs(own, other, b, p, change, out)
	}
	x := &j.expanded
	x.Reset()
	for i, id := range p.IDs {
		n := int64(j.weight(p.Rows[i])) * int64(other.m.Count(id))
		for range n {
			x.Rows, x.IDs = append(x.Rows, p.Rows[i]), append(x.IDs, id)
			if x.Len() < maxRows {
				continue
			}
			if err := j.out.emitPairs(own, other, b, x, change, out); err != nil {
				return err
			}
			x.Reset()
		}
	}
	return j.out.emitPairs(own, other, b, x, change, out)
}

// weight is how often a row of the batch counts.
func (j *updating) weight(row int32) int32 {
	if j.weights == nil {
		return 1
	}
	return max(j.weights[row], -j.weights[row])
}

// emitRows puts out rows of the batch as often as they count.
func (j *updating) emitRows(own *side, b *column.Batch, rows []int32, change column.Change, out operator.Emitter) error {
	if j.weights == nil || len(rows) == 0 {
		return j.out.emitRows(own, b, rows, change, out)
	}
	x := j.expanded.Rows[:0]
	for _, r := range rows {
		for range j.weight(r) {
			if x = append(x, r); len(x) < maxRows {
				continue
			}
			if err := j.out.emitRows(own, b, x, change, out); err != nil {
				return err
			}
			x = x[:0]
		}
	}
	j.expanded.Rows = x
	return j.out.emitRows(own, b, x, change, out)
}

// emitStored puts out stored rows as often as they count.
func (j *updating) emitStored(s *side, ids []int32, change column.Change, out operator.Emitter) error {
	if !s.distinct || len(ids) == 0 {
		return j.out.emitStored(s, ids, change, out)
	}
	x := j.expanded.IDs[:0]
	for _, id := range ids {
		for range s.m.Count(id) {
			if x = append(x, id); len(x) < maxRows {
				continue
			}
			if err := j.out.emitStored(s, x, change, out); err != nil {
				return err
			}
			x = x[:0]
		}
	}
	j.expanded.IDs = x
	return j.out.emitStored(s, x, change, out)
}

// Watermark implements operator.Operator. There is nothing that a watermark releases.
func (j *updating) Watermark(int64, operator.Emitter) error { return nil }

// TickInterval implements operator.Ticker; without a time to live there is nothing to do.
func (j *updating) TickInterval() time.Duration {
	if j.ttl == 0 {
		return 0
	}
	return time.Duration(max(minGrain, j.ttl/bucketsPerTTL))
}

// Tick implements operator.Ticker: it forgets the rows whose time to live has passed.
func (j *updating) Tick(now time.Time, _ operator.Emitter) error {
	for port := range j.sides {
		m := j.sides[port].m
		if cut := m.Bucket(subtract(now.UnixNano(), j.ttl)); cut > j.cut {
			j.cut = cut
		}
		before := m.Len()
		m.ExpireBuckets(j.cut)
		j.forgetful = j.forgetful || m.Len() < before
	}
	j.metrics.StateBytes.Store(j.size())
	return nil
}

// Finish implements operator.Operator.
func (j *updating) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator.
func (j *joiner) Close() error { return nil }

package join

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/eventtime"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
	"wadi/dataflow/state/multimap"
)

// interval is the join of rows that are near in event time.
//
// A row is settled when the watermark says that nothing can match it any more. Until then a row that may still go out by
// itself, at its own event time, holds back the watermark that is passed on. Pairs never do: they are as late as the later
// of the two rows, which comes at or after the watermark.
type interval struct {
	*joiner
	lower, upper int64
	// watermark is the last that came in, sent the last that went out.
	watermark, sent int64
	// waiting are, per side, the rows that have no match and may still go out by themselves.
	waiting [2]timeHeap

	rows, ids, gone []int32
	matched         []bool
}

// NewInterval makes the operator for spec over rows of these schemas, left and right. It reads env.Restore.
func NewInterval(spec *graph.IntervalJoinSpec, in [2]*arrow.Schema, functions *expr.Functions, env operator.Env) (operator.Operator, error) {
	if spec.Lower > spec.Upper {
		return nil, fault.Userf(fault.CodeInvalid, fault.Span{}, "the lower bound of an interval join lies above its upper bound")
	}
	base, err := newJoiner(spec.JoinOn, in, false, functions, env)
	if err != nil {
		return nil, err
	}
	j := &interval{joiner: base, lower: spec.Lower, upper: spec.Upper, watermark: math.MinInt64, sent: math.MinInt64}
	j.within = j.near
	for port := range j.sides {
		s := &j.sides[port]
		s.timed = spec.Lower == spec.Upper
		if port == left {
			s.offset = spec.Lower
		}
		s.m = multimap.New(multimap.Config{Types: s.types(in[port]), Key: s.firstKey(), Routed: s.timed || spec.NullAware})
	}
	if env.Restore != nil {
		if err := j.restoreInterval(env.Restore); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// NewWindow makes the operator for spec: an interval join without a distance.
func NewWindow(spec *graph.WindowJoinSpec, in [2]*arrow.Schema, functions *expr.Functions, env operator.Env) (operator.Operator, error) {
	return NewInterval(&graph.IntervalJoinSpec{JoinOn: spec.JoinOn}, in, functions, env)
}

// MakesWatermarks implements operator.WatermarkMaker.
func (j *interval) MakesWatermarks() {}

// near keeps the pairs whose times are near enough.
func (j *interval) near(own *side, b *column.Batch, p *multimap.Pairs) {
	m := j.sides[1-own.port].m
	k := 0
	for i, id := range p.IDs {
		r := p.Rows[i]
		x, y := b.Time[r], m.Time(id)
		if own.port == right {
			x, y = y, x
		}
		p.Rows[k], p.IDs[k] = r, id
		if y >= eventtime.Add(x, j.lower) && y <= eventtime.Add(x, j.upper) {
			k++
		}
	}
	p.Rows, p.IDs = p.Rows[:k], p.IDs[:k]
}

// Process implements operator.Operator.
func (j *interval) Process(in int, b *column.Batch, out operator.Emitter) error {
	if b.Rows() == 0 {
		return nil
	}
	own, other := &j.sides[in], &j.sides[1-in]
	own.take(b)
	j.split(own, j.inTime(b))
	if own.show == showUnmatched {
		if err := j.out.emitRows(own, b, j.null, column.Insert, out); err != nil {
			return err
		}
	}
	if cap(j.matched) < b.N {
		j.matched = make([]bool, b.N+b.N/4)
	}
	j.matched = j.matched[:b.N]
	clear(j.matched)
	j.gone = j.gone[:0]
	err := j.each(own, other, b, j.full, func(p *multimap.Pairs) error {
		for _, r := range p.Rows {
			j.matched[r] = true
		}
		if other.show != showNone {
			if err := j.match(other, p, out); err != nil {
				return err
			}
		}
		if leftOnly(j.on.Kind) {
			return nil
		}
		return j.out.emitPairs(own, other, b, p, column.Insert, out)
	})
	if err != nil {
		return err
	}
	other.m.Delete(j.gone)
	if err := j.keep(own, b, out); err != nil {
		return err
	}
	// Rows may be settled as they come, if what they match lies before them.
	if err := j.settle(own, j.cutoff(in, j.watermark), out); err != nil {
		return err
	}
	return j.out.flush(out)
}

// inTime gives the rows that are not late.
func (j *interval) inTime(b *column.Batch) []int32 {
	j.all = column.AllRows(j.all, b.N)
	rows := b.Selected(j.all)
	j.rows = j.rows[:0]
	for _, r := range rows {
		if b.Time[r] >= j.watermark {
			j.rows = append(j.rows, r)
		}
	}
	j.metrics.LateRows.Add(int64(len(rows) - len(j.rows)))
	return j.rows
}

// match notes that the other side's rows have matched. Left rows of a semi or anti join are then done with; those of a
// semi join go out.
func (j *interval) match(other *side, p *multimap.Pairs, out operator.Emitter) error {
	j.ids = j.ids[:0]
	for _, id := range p.IDs {
		if other.m.Matches(id) == 0 {
			other.m.SetMatches(id, 1)
			j.ids = append(j.ids, id)
		}
	}
	if !leftOnly(j.on.Kind) {
		return nil
	}
	j.gone = append(j.gone, j.ids...)
	if other.show == showMatched {
		return j.out.emitStored(other, j.ids, column.Insert, out)
	}
	return nil
}

// keep stores the rows of j.full. Left rows of a semi or anti join that have matched are done with.
func (j *interval) keep(own *side, b *column.Batch, out operator.Emitter) error {
	rows := j.full
	if own.show != showNone && leftOnly(j.on.Kind) {
		j.rows = j.rows[:0]
		kept := rows[:0]
		for _, r := range rows {
			if j.matched[r] {
				j.rows = append(j.rows, r)
			} else {
				kept = append(kept, r)
			}
		}
		rows = kept
		if own.show == showMatched {
			if err := j.out.emitRows(own, b, j.rows, column.Insert, out); err != nil {
				return err
			}
		}
	}
	j.ids = own.m.Insert(&own.rows, rows, 0, j.ids[:0])
	if own.show == showNone {
		return nil
	}
	for i, id := range j.ids {
		if j.matched[rows[i]] {
			own.m.SetMatches(id, 1)
		} else {
			j.waiting[own.port].push(own.m.Time(id), id)
		}
	}
	return nil
}

// reach is how much later than a row of a side its match may be.
func (j *interval) reach(port int) int64 {
	if port == left {
		return j.upper
	}
	return subtract(0, j.lower)
}

// cutoff is the time before which rows of a side are settled by a watermark.
func (j *interval) cutoff(port int, w int64) int64 {
	if w == operator.EndOfTime || w == math.MinInt64 {
		return w
	}
	return subtract(w, j.reach(port))
}

// Watermark implements operator.Operator: it puts out what has found no match and passes on what is left of w.
func (j *interval) Watermark(w int64, out operator.Emitter) error {
	if w <= j.watermark {
		return nil
	}
	j.watermark = w
	pass := w
	for port := range j.sides {
		s := &j.sides[port]
		if err := j.settle(s, j.cutoff(port, w), out); err != nil {
			return err
		}
		if h := &j.waiting[port]; len(*h) > 0 {
			pass = min(pass, (*h)[0].time)
		}
		s.m.ExpireTimes(j.cutoff(port, w))
	}
	j.metrics.StateBytes.Store(j.size())
	if err := j.out.flush(out); err != nil || pass <= j.sent {
		return err
	}
	j.sent = pass
	return out.Watermark(pass)
}

// settle takes the rows of a side before cut, and those that have matched, from the front of the waiting ones.
func (j *interval) settle(s *side, cut int64, out operator.Emitter) error {
	h := &j.waiting[s.port]
	j.ids = j.ids[:0]
	for len(*h) > 0 {
		top := (*h)[0]
		waits := s.m.Waiting(top.id)
		if waits && top.time >= cut && cut != operator.EndOfTime {
			break
		}
		h.pop()
		if waits && s.show == showUnmatched {
			j.ids = append(j.ids, top.id)
		}
	}
	return j.out.emitStored(s, j.ids, column.Insert, out)
}

// Snapshot implements operator.Operator.
func (j *interval) Snapshot(w state.Writer) error {
	j.snapshot(w, j.watermark, [2]int64{left: j.cutoff(left, j.watermark), right: j.cutoff(right, j.watermark)})
	return nil
}

// restoreInterval reads the rows that were not settled. Of several old subtasks the one furthest behind says what is
// late.
func (j *interval) restoreInterval(r state.Reader) error {
	old, err := j.progresses(r)
	if err != nil {
		return err
	}
	for i, p := range old {
		if i == 0 || p.mark < j.watermark {
			j.watermark = p.mark
		}
	}
	if err := j.load(r, old, 0); err != nil {
		return err
	}
	for port := range j.sides {
		s, h := &j.sides[port], &j.waiting[port]
		if s.show == showNone {
			continue
		}
		s.m.Each(func(id int32) {
			if s.m.Matches(id) == 0 {
				h.push(s.m.Time(id), id)
			}
		})
	}
	return nil
}

// Finish implements operator.Operator.
func (j *interval) Finish(operator.Emitter) error { return nil }

var _ operator.WatermarkMaker = (*interval)(nil)

package agg

import (
	"cmp"
	"math"
	"math/big"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/column"
	"wadi/dataflow/state"
)

func resolveMedian(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 {
		return Resolved{}, false
	}
	switch classOf(args[0]) {
	case nullClass:
		return one(arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float64), true
	case signedClass, unsignedClass, floatClass, decimalClass:
		return one(args[0], args[0]), true
	}
	return Resolved{}, false
}

// resolveDouble takes one number as a DOUBLE.
func resolveDouble(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 1 || !isNumber(args[0]) {
		return Resolved{}, false
	}
	return one(arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float64), true
}

func isNumber(dt arrow.DataType) bool {
	switch classOf(dt) {
	case nullClass, signedClass, unsignedClass, floatClass, decimalClass:
		return true
	}
	return false
}

// resolveApproxRank keeps the type of integers and floats; decimals are estimated as DOUBLE.
func resolveApproxRank(args []arrow.DataType) (Resolved, bool) {
	r, ok := resolveMedian(args)
	if ok && classOf(args[0]) == decimalClass {
		r = one(arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float64)
	}
	return r, ok
}

func resolveWeighted(args []arrow.DataType) (Resolved, bool) {
	if len(args) != 2 || !isNumber(args[1]) {
		return Resolved{}, false
	}
	r, ok := resolveApproxRank(args[:1])
	r.ArgTypes = append(r.ArgTypes, arrow.PrimitiveTypes.Float64)
	return r, ok
}

// ranked is the aggregates that pick values by their rank: it keeps the values of a group with their multiplicities, in
// order where they may be retracted, otherwise sorted when the result is asked for. Where each value of one word counts
// and stays, samples hold them.
type ranked struct {
	orderedExtreme
	sampled  bool
	less     *ordering
	distinct bool
	desc     bool
	weighted bool
	// round keeps values as rounded doubles.
	round bool
	pick  func(a *ranked, p picker, out column.Appender) error
	// at is the fraction of percentiles.
	at      float64
	rounded *column.Fixed[int64]
	doubles []float64
	weights []float64
	list    []int32
	counts  []int64
	sorted  []wordEntry
}

// weightUnit is how many times a row of weight 1 counts, so that weights may be fractions.
const weightUnit = 1 << 20

// maxWeight bounds the weight of a row.
const maxWeight = 1 << 32

func newRanked(c *Call, retract bool, pick func(*ranked, picker, column.Appender) error) *ranked {
	a := &ranked{orderedExtreme: *newOrderedExtreme(c, false).(*orderedExtreme), distinct: c.Distinct, pick: pick}
	if a.less = a.order; !retract {
		a.order = nil
	}
	a.desc = len(c.OrderBy) > 0 && c.OrderBy[0].Desc
	a.at = 0.5
	if len(c.Params) > 0 {
		a.at = c.Params[0].(float64)
	}
	return a
}

// newSampled makes ranked keep samples if it can.
func newSampled(c *Call, retract bool, pick func(*ranked, picker, column.Appender) error) *ranked {
	a := newRanked(c, retract, pick)
	a.sampled = a.words64 != nil && !retract && !c.Distinct
	return a
}

func compileMedian(c *Call, retract bool) accumulator {
	return newSampled(c, retract, (*ranked).median)
}
func compilePercentileCont(c *Call, retract bool) accumulator {
	return newSampled(c, retract, (*ranked).cont)
}
func compilePercentileDisc(c *Call, retract bool) accumulator {
	return newSampled(c, retract, (*ranked).disc)
}
func compileMode(c *Call, retract bool) accumulator { return newRanked(c, retract, (*ranked).mode) }

// The approximate aggregates are the exact ones over values with fewer digits, so that few of them differ. As opposed to
// sketches that merge clusters, the result does not depend on the order of rows, and values can be retracted.
func compileApproxMedian(c *Call, retract bool) accumulator {
	return compileApproxPercentile(c, retract)
}

func compileApproxPercentile(c *Call, retract bool) accumulator {
	kept := *c
	kept.ArgTypes = []arrow.DataType{arrow.PrimitiveTypes.Float64}
	a := newRanked(&kept, retract, (*ranked).approx)
	a.round, a.weighted = true, c.Name == "approx_percentile_cont_with_weight"
	a.call = *c
	a.rounded = column.NewFixed[int64](arrow.PrimitiveTypes.Int64)
	return a
}

// keptBits is the number of bits behind the first one that approximate aggregates keep.
const keptBits = 10

// roundDouble gives x with keptBits bits, rounded to even; small integers stay as they are.
func roundDouble(x float64) float64 {
	const drop = 52 - keptBits
	b := math.Float64bits(x)
	if x-x != 0 {
		return x
	}
	up := math.Float64frombits((b + 1<<(drop-1) - 1 + b>>drop&1) &^ (1<<drop - 1))
	if math.IsInf(up, 0) {
		return math.Float64frombits(b &^ (1<<drop - 1))
	}
	return up
}

func (a *ranked) words() int {
	if a.sampled {
		return sampleWords
	}
	return a.orderedExtreme.words()
}

func (a *ranked) invertible() bool { return !a.sampled }

func (a *ranked) newSide() side {
	if a.sampled {
		return &samples{}
	}
	return newMultiset([]arrow.DataType{a.kept}, a.order)
}

func (a *ranked) update(s states, in *input) error {
	v := in.cols[a.call.Args[0]]
	a.values = append(a.values[:0], v)
	if a.weighted {
		a.values = append(a.values, in.cols[a.call.Args[1]])
	}
	a.slots, a.rows, a.deltas = notNull(in, a.values, a.slots[:0], a.rows[:0], a.deltas[:0])
	if a.weighted {
		a.weigh(a.values[1])
	}
	kept := a.keepRanked(v)
	if a.sampled {
		s.side.(*samples).add(s, a.words64.Values, a.slots, a.rows)
		return nil
	}
	a.values = append(a.values[:0], kept)
	s.side.(*multiset).apply(s, a.values, v.Len(), a.slots, a.rows, a.deltas)
	return nil
}

// weigh multiplies the rows' multiplicities with their weights; rows whose weight is not positive are left out.
func (a *ranked) weigh(v column.Vector) {
	var weights []float64
	weights, a.weights = floats(a.weights, v, a.rows)
	n := 0
	for j, r := range a.rows {
		if w := weights[r]; w > 0 {
			d := max(1, int64(math.Round(min(w, maxWeight)*weightUnit)))
			a.slots[n], a.rows[n], a.deltas[n] = a.slots[j], r, d*a.deltas[j]
			n++
		}
	}
	a.slots, a.rows, a.deltas = a.slots[:n], a.rows[:n], a.deltas[:n]
}

func (a *ranked) keepRanked(v column.Vector) column.Vector {
	if !a.round {
		return a.keep(v, a.rows)
	}
	a.rounded.Resize(v.Len())
	switch classOf(v.Type()) {
	case floatClass:
		var vals []float64
		vals, a.doubles = floats(a.doubles, v, a.rows)
		for _, r := range a.rows {
			a.rounded.Values[r] = orderFloat(roundDouble(vals[r]))
		}
	default:
		var vals []int64
		vals, a.scratch = integers(a.scratch, v, a.rows)
		unsigned := classOf(v.Type()) == unsignedClass
		for _, r := range a.rows {
			x := float64(vals[r])
			if unsigned {
				x = float64(uint64(vals[r]))
			}
			a.rounded.Values[r] = orderFloat(roundDouble(x))
		}
	}
	return a.rounded
}

func (a *ranked) merge(s states, to []int32, src states, from []int32, sign int64) error {
	if !a.sampled {
		return a.orderedExtreme.merge(s, to, src, from, sign)
	}
	m, other := s.side.(*samples), src.side.(*samples)
	for i, t := range to {
		m.addGroup(s.w[int(t)*s.stride:][:sampleWords], other, src.w[int(from[i])*src.stride:][:sampleWords])
	}
	m.collect(s)
	return nil
}

// picker is a group's values in order. Value i, an entry of the table or one of words, occurs counts[i] times, or once
// without counts.
type picker struct {
	table  *state.Table
	list   []int32
	words  []int64
	counts []int64
	total  int64
	// desc says that words without counts are to be read from their end.
	desc bool
}

// at is the number of the value at rank r, from 0.
func (p picker) at(r int64) int {
	switch {
	case p.counts != nil:
		for i, n := range p.counts {
			if r < n {
				return i
			}
			r -= n
		}
		return len(p.counts) - 1
	case p.desc:
		return int(p.total - 1 - r)
	}
	return int(r)
}

// word is value i if it is one of one word; wide one of two, and bytes any other.
func (p picker) word(i int) int64 {
	if p.table == nil {
		return p.words[i]
	}
	return p.table.KeyWord(p.list[i], 0)
}

func (p picker) wide(i int) wide {
	e := p.list[i]
	return wide{p.table.KeyWord(e, 1), uint64(p.table.KeyWord(e, 0))}
}

func (p picker) bytes(i int) []byte { return entryBytes(p.table, p.list[i]) }

func (a *ranked) result(s states, slots []int32, out column.Appender) error {
	m, _ := s.side.(*multiset)
	for i, slot := range slots {
		if m != nil && i%aheadGroups == 0 {
			m.readAhead(s, slots[i:min(i+aheadGroups, len(slots))])
		}
		var p picker
		if m != nil {
			p = a.entries(m, s.w[int(slot)*s.stride])
		} else {
			p = a.samples(s.side.(*samples), s.w[int(slot)*s.stride:][:sampleWords])
		}
		if p.total == 0 {
			out.AppendNull()
			continue
		}
		if err := a.pick(a, p, out); err != nil {
			return err
		}
	}
	return nil
}

func (a *ranked) entries(m *multiset, root int64) picker {
	a.list, a.counts = m.list(root, a.list[:0]), a.counts[:0]
	if a.order == nil {
		a.sort(m.table)
	}
	p := picker{table: m.table, list: a.list[:0]}
	for _, e := range a.list {
		n := m.count(e)
		if a.distinct {
			n = min(n, 1)
		}
		if n > 0 {
			p.list, p.total = append(p.list, e), p.total+n
			a.counts = append(a.counts, n)
		}
	}
	if a.desc {
		slices.Reverse(p.list)
		slices.Reverse(a.counts)
	}
	p.counts = a.counts
	return p
}

func (a *ranked) samples(m *samples, w []int64) picker {
	p := picker{desc: a.desc}
	p.words, p.counts = m.sorted(w)
	if p.counts == nil {
		p.total = int64(len(p.words))
		return p
	}
	for _, n := range p.counts {
		p.total += n
	}
	if a.desc {
		slices.Reverse(p.words)
		slices.Reverse(p.counts)
	}
	return p
}

// sort orders the entries of list by their values.
func (a *ranked) sort(t *state.Table) {
	if a.words64 == nil {
		slices.SortFunc(a.list, func(x, y int32) int {
			if a.less.less(t, x, y) {
				return -1
			}
			return 1
		})
		return
	}
	a.sorted = a.sorted[:0]
	for _, e := range a.list {
		a.sorted = append(a.sorted, wordEntry{t.KeyWord(e, 0), e})
	}
	slices.SortFunc(a.sorted, func(x, y wordEntry) int { return cmp.Compare(x.word, y.word) })
	for i, x := range a.sorted {
		a.list[i] = x.entry
	}
}

// wordEntry is an entry with its value at hand.
type wordEntry struct {
	word  int64
	entry int32
}

func (a *ranked) appendValue(p picker, i int, out column.Appender) {
	switch {
	case a.wides != nil:
		appendWide(out, p.wide(i))
	case a.words64 != nil:
		appendOrdered(out, p.word(i))
	default:
		out.(*column.Bytes).Append(p.bytes(i))
	}
}

// disc is the first value whose cumulative share is at least the fraction, as in PostgreSQL.
func (a *ranked) disc(p picker, out column.Appender) error {
	rank := int64(math.Ceil(a.at*float64(p.total))) - 1
	a.appendValue(p, p.at(max(0, min(rank, p.total-1))), out)
	return nil
}

func (a *ranked) mode(p picker, out column.Appender) error {
	best := 0
	for i, n := range p.counts {
		if n > p.counts[best] {
			best = i
		}
	}
	a.appendValue(p, best, out)
	return nil
}

// double is the value between two ranks at the fraction, by linear interpolation.
func (a *ranked) double(p picker) float64 {
	last := float64(p.total - 1)
	if a.weighted { // between the weights' middles nothing is interpolated
		rank := int64(math.Ceil(a.at*float64(p.total))) - 1
		return unorderFloat(p.word(p.at(max(0, min(rank, p.total-1)))))
	}
	pos := a.at * last
	low := math.Floor(pos)
	x := unorderFloat(p.word(p.at(int64(low))))
	if pos == low {
		return x
	}
	y := unorderFloat(p.word(p.at(int64(low) + 1)))
	if x == y { // also infinities
		return x
	}
	return x + (y-x)*(pos-low)
}

func (a *ranked) cont(p picker, out column.Appender) error {
	out.(*column.Fixed[float64]).Append(a.double(p))
	return nil
}

func (a *ranked) approx(p picker, out column.Appender) error {
	appendNumber(out, a.double(p))
	return nil
}

// median is the mean of the two values in the middle, which for integers and decimals is cut towards zero.
func (a *ranked) median(p picker, out column.Appender) error {
	e, f := p.at((p.total-1)/2), p.at(p.total/2)
	if e == f || p.table == nil && p.word(e) == p.word(f) {
		a.appendValue(p, e, out)
		return nil
	}
	switch o := out.(type) {
	case *column.Fixed[float64]:
		x, y := unorderFloat(p.word(e)), unorderFloat(p.word(f))
		o.Append(x/2 + y/2)
	case *column.Fixed[float32]:
		o.Append(float32((unorderFloat(p.word(e)) + unorderFloat(p.word(f))) / 2))
	case *column.Fixed[decimal128.Num]:
		x, y := p.wide(e), p.wide(f)
		sum := decimal128.New(x.hi, x.lo).BigInt()
		sum.Add(sum, decimal128.New(y.hi, y.lo).BigInt())
		o.Append(decimal128.FromBigInt(sum.Quo(sum, big.NewInt(2))))
	case *column.Fixed[uint64]:
		x, y := uint64(p.word(e))^1<<63, uint64(p.word(f))^1<<63
		o.Append(x + (y-x)/2)
	default:
		appendOrdered(out, middle(p.word(e), p.word(f)))
	}
	return nil
}

// middle is the mean of x ≤ y, cut towards zero.
func middle(x, y int64) int64 {
	down := x>>1 + y>>1 + x&y&1 // the mean, cut towards minus infinity
	if (x^y)&1 != 0 && down < 0 {
		return down + 1
	}
	return down
}

// appendNumber appends x to a column of numbers, rounded and kept within the type's range for integers.
func appendNumber(out column.Appender, x float64) {
	switch o := out.(type) {
	case *column.Fixed[float64]:
		o.Append(x)
	case *column.Fixed[float32]:
		o.Append(float32(x))
	case *column.Fixed[int64]:
		o.Append(clamped[int64](x, math.MinInt64, math.MaxInt64))
	case *column.Fixed[int32]:
		o.Append(clamped[int32](x, math.MinInt32, math.MaxInt32))
	case *column.Fixed[int16]:
		o.Append(clamped[int16](x, math.MinInt16, math.MaxInt16))
	case *column.Fixed[int8]:
		o.Append(clamped[int8](x, math.MinInt8, math.MaxInt8))
	case *column.Fixed[uint64]:
		o.Append(clamped[uint64](x, 0, math.MaxUint64))
	case *column.Fixed[uint32]:
		o.Append(clamped[uint32](x, 0, math.MaxUint32))
	case *column.Fixed[uint16]:
		o.Append(clamped[uint16](x, 0, math.MaxUint16))
	case *column.Fixed[uint8]:
		o.Append(clamped[uint8](x, 0, math.MaxUint8))
	default:
		panic("agg: no number of type " + out.Type().String())
	}
}

func clamped[T number](x float64, low, high T) T {
	x = math.RoundToEven(x)
	switch {
	case x <= float64(low):
		return low
	case x >= float64(high):
		return high
	}
	return T(x)
}

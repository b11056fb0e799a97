package window

import (
	"math"

	"wadi/dataflow/agg"
	"wadi/dataflow/graph"
	"wadi/dataflow/grid"
)

// view gives the groups of one hopping window after the other.
type view interface {
	// window gives the groups of the panes that start in [start, end), borrowed until the next call. There is at least one
	// such pane; start and end never go back.
	window(start, end int64) (*agg.Groups, error)
	// evict is told of the earliest pane before it is dropped.
	evict(p *pane) error
	size() int64
}

// newView chooses by the number of panes per window. What can be taken back is added when a pane enters the window and
// subtracted when it leaves; other aggregates merge all panes of a window, or for long windows mostly those that are new.
// Only where windows end between two starts can a pane change after it went into a window, and then all are merged. Windows
// that grow are merged once for all their steps.
func newView(a *aggregate) view {
	k, aligned := grid.Slides(a.spec.Window)
	m := mergeScratch{set: a.set}
	switch {
	case a.spec.Window.Kind == graph.Cumulate:
		a.growing = &growing{a: a, m: m, groups: a.set.NewGroups(a.keys, ownWords), start: math.MinInt64, until: math.MinInt64}
		return a.growing
	case aligned && k >= 3 && a.set.Invertible():
		return &running{a: a, m: m, groups: a.set.NewGroups(a.keys, ownWords), until: math.MinInt64}
	case aligned && k >= 8:
		return newStacks(a, m, int(math.Sqrt(float64(k))))
	}
	return &remerge{a: a, m: m, groups: a.set.NewGroups(a.keys, ownWords)}
}

// mergeScratch is memory for merging.
type mergeScratch struct {
	set      *agg.Set
	from, to []int32
}

// add merges the groups of src into dst, or with sign -1 takes them back and deletes the groups that have no rows left.
func (m *mergeScratch) add(dst, src *agg.Groups, sign int64) error {
	if sign > 0 && dst.Table.Len() == 0 && dst.CopyFrom(src) {
		return nil
	}
	m.from = src.Table.Slots(m.from[:0])
	m.to = dst.Table.FindOrInsertFrom(src.Table, m.from, m.to)
	w, stride := dst.Table.Values()
	x, xStride := src.Table.Values()
	for i, t := range m.to {
		w[int(t)*stride] += sign * x[int(m.from[i])*xStride]
	}
	if sign > 0 {
		return dst.Merge(m.to, src, m.from)
	}
	if err := dst.Subtract(m.to, src, m.from); err != nil {
		return err
	}
	for _, t := range m.to {
		if w[int(t)*stride] == 0 {
			dst.Delete(t)
		}
	}
	return nil
}

// remerge merges all panes of every window.
type remerge struct {
	a      *aggregate
	m      mergeScratch
	groups *agg.Groups
}

func (v *remerge) window(start, end int64) (*agg.Groups, error) {
	a := v.a
	from, to := a.panes.Search(start), a.panes.Search(end)
	if to-from == 1 {
		return a.panes.At(from).Value.groups, nil
	}
	v.groups.Reset()
	for i := from; i < to; i++ {
		if err := v.m.add(v.groups, a.panes.At(i).Value.groups, 1); err != nil {
			return nil, err
		}
	}
	return v.groups, nil
}

func (v *remerge) evict(*pane) error { return nil }

func (v *remerge) size() int64 { return v.groups.Size() }

// running keeps the groups of the window: panes are added when they enter and subtracted when they leave.
type running struct {
	a      *aggregate
	m      mergeScratch
	groups *agg.Groups
	// panes is how many are in, all of them starting before until.
	panes int
	until int64
}

func (v *running) window(start, end int64) (*agg.Groups, error) {
	a := v.a
	for i := a.panes.Search(max(start, v.until)); i < a.panes.Len() && a.panes.At(i).Start < end; i++ {
		if err := v.m.add(v.groups, a.panes.At(i).Value.groups, 1); err != nil {
			return nil, err
		}
		v.panes++
	}
	v.until = end
	return v.groups, nil
}

func (v *running) evict(p *pane) error {
	if p.start >= v.until {
		return nil
	}
	if v.panes--; v.panes == 0 {
		v.groups.Reset()
		return nil
	}
	return v.m.add(v.groups, p.groups, -1)
}

func (v *running) size() int64 { return v.groups.Size() }

// growing keeps the groups of the window, which panes only enter until the next whole begins. Late rows of a pane that is
// in make it start anew.
type growing struct {
	a      *aggregate
	m      mergeScratch
	groups *agg.Groups
	// start is that of the window; the panes before until are in.
	start, until int64
	stale        bool
}

func (v *growing) window(start, end int64) (*agg.Groups, error) {
	if start != v.start || v.stale {
		v.groups.Reset()
		v.start, v.until, v.stale = start, start, false
	}
	p := &v.a.panes
	for i := p.Search(v.until); i < p.Len() && p.At(i).Start < end; i++ {
		if err := v.m.add(v.groups, p.At(i).Value.groups, 1); err != nil {
			return nil, err
		}
	}
	v.until = end
	return v.groups, nil
}

func (v *growing) evict(*pane) error { return nil }

func (v *growing) size() int64 { return v.groups.Size() }

// stacks is the two-stacks algorithm for sliding windows (Tangwongsan, Hirzel and Schneider, "Low-latency sliding-window
// aggregation in worst-case constant time", 2017, §2), thinned out: the front keeps the merged groups from every few
// panes to its end, the back those of the panes since. A window is the panes up to the next such point, the front from
// there, and the back.
type stacks struct {
	a     *aggregate
	m     mergeScratch
	every int
	// front is ordered by start, the first one last, and ends before frontEnd.
	front    []suffix
	frontEnd int64
	back     *agg.Groups
	// backEnd is where the panes in the back end; backUsed whether there are any.
	backEnd  int64
	backUsed bool
	result   *agg.Groups
}

// suffix is the groups of the panes from start to the end of the front.
type suffix struct {
	start  int64
	groups *agg.Groups
}

func newStacks(a *aggregate, m mergeScratch, every int) *stacks {
	return &stacks{
		a: a, m: m, every: every, frontEnd: math.MinInt64, backEnd: math.MinInt64,
		back: a.set.NewGroups(a.keys, ownWords), result: a.set.NewGroups(a.keys, ownWords),
	}
}

func (v *stacks) window(start, end int64) (*agg.Groups, error) {
	if err := v.extend(start, end); err != nil {
		return nil, err
	}
	v.result.Reset()
	to := v.frontEnd
	if n := len(v.front); n > 0 {
		to = v.front[n-1].start
	}
	for i := v.a.panes.Search(start); i < v.a.panes.Len() && v.a.panes.At(i).Start < to; i++ {
		if err := v.m.add(v.result, v.a.panes.At(i).Value.groups, 1); err != nil {
			return nil, err
		}
	}
	if n := len(v.front); n > 0 {
		if err := v.m.add(v.result, v.front[n-1].groups, 1); err != nil {
			return nil, err
		}
	}
	if !v.backUsed {
		return v.result, nil
	}
	return v.result, v.m.add(v.result, v.back, 1)
}

// extend takes the panes up to end in: into the back, or, when the front is used up, all panes into a new front.
func (v *stacks) extend(start, end int64) error {
	p := &v.a.panes
	if start >= v.frontEnd {
		return v.flip(start, end)
	}
	for i := p.Search(v.backEnd); i < p.Len() && p.At(i).Start < end; i++ {
		if err := v.m.add(v.back, p.At(i).Value.groups, 1); err != nil {
			return err
		}
		v.backUsed = true
	}
	v.backEnd = end
	return nil
}

func (v *stacks) flip(start, end int64) error {
	v.dropFront(math.MaxInt64)
	v.back.Reset()
	v.backUsed, v.frontEnd, v.backEnd = false, end, end
	p := &v.a.panes
	from, to := p.Search(start), p.Search(end)
	for i := to - 1; i >= from; i-- {
		if err := v.m.add(v.back, p.At(i).Value.groups, 1); err != nil {
			return err
		}
		if (i-from)%v.every == 0 {
			g := v.a.groups()
			if err := v.m.add(g, v.back, 1); err != nil {
				return err
			}
			v.front = append(v.front, suffix{p.At(i).Start, g})
		}
	}
	v.back.Reset()
	return nil
}

// dropFront releases the suffixes that start at or before t.
func (v *stacks) dropFront(t int64) {
	for n := len(v.front); n > 0 && v.front[n-1].start <= t; n-- {
		v.a.release(v.front[n-1].groups)
		v.front = v.front[:n-1]
	}
}

func (v *stacks) evict(p *pane) error {
	v.dropFront(p.start)
	return nil
}

func (v *stacks) size() int64 {
	n := v.back.Size() + v.result.Size()
	for _, s := range v.front {
		n += s.groups.Size()
	}
	return n
}

package window

import (
	"math"

	"wadi/dataflow/agg"
	"wadi/dataflow/grid"
	"wadi/dataflow/operator"
)

// merger puts windows together from panes. release emits, in order, every window that ends in (before, w] and holds a
// row, and drops the panes that no later window needs.
type merger interface {
	release(before, w int64, out operator.Emitter) error
	size() int64
}

func newMerger(a *aggregate) merger {
	if k, _ := grid.Slides(a.spec.Window); k == 1 {
		return &tumbler{a}
	}
	return &hopper{a: a, view: newView(a)}
}

// tumbler emits panes as they are.
type tumbler struct{ a *aggregate }

func (t *tumbler) size() int64 { return 0 }

func (t *tumbler) release(_, w int64, out operator.Emitter) error {
	a := t.a
	for a.panes.Len() > 0 {
		p := a.panes.At(0).Value
		end := p.last
		if end < math.MaxInt64 {
			end++
		}
		if end > w {
			return nil
		}
		if err := a.emitWindow(p.groups, p.start, end, out); err != nil {
			return err
		}
		a.release(a.panes.PopFront().groups)
		a.expired = end
	}
	return nil
}

// emitWindow emits the groups of a window.
func (a *aggregate) emitWindow(g *agg.Groups, start, end int64, out operator.Emitter) error {
	slots := g.Table.Slots(a.slots[:0])
	a.slots = slots
	if a.held != nil {
		slots = a.withhold(g, slots, end)
	}
	return a.out.Add(g, slots, func(slots []int32) { a.out.Window(start, end, len(slots)) }, out)
}

// hopper puts each window together from several panes.
type hopper struct {
	a    *aggregate
	view view
}

func (h *hopper) size() int64 { return h.view.size() }

func (h *hopper) release(before, w int64, out operator.Emitter) error {
	a := h.a
	next := grid.Window{Start: math.MinInt64, End: math.MinInt64}
	if before > math.MinInt64 {
		next = a.grid.First(before)
	}
	for a.panes.Len() > 0 {
		if first := a.panes.At(0).Start; first >= next.End {
			next = a.grid.First(first)
		}
		if next.End > w {
			return nil
		}
		if err := h.dropBefore(next.Start); err != nil {
			return err
		}
		if a.panes.Len() > 0 && (a.panes.At(0).Start < next.End || next.End == math.MaxInt64) {
			g, err := h.view.window(next.Start, next.End)
			if err != nil {
				return err
			}
			if err := a.emitWindow(g, next.Start, next.End, out); err != nil {
				return err
			}
		}
		later, ok := a.grid.Next(next)
		if !ok { // there is no later window
			for a.panes.Len() > 0 {
				a.release(a.panes.PopFront().groups)
			}
			return nil
		}
		if err := h.dropBefore(later.Start); err != nil {
			return err
		}
		next = later
	}
	return nil
}

// dropBefore releases the panes that start before t.
func (h *hopper) dropBefore(t int64) error {
	a := h.a
	for a.panes.Len() > 0 && a.panes.At(0).Start < t {
		if err := h.view.evict(a.panes.At(0).Value); err != nil {
			return err
		}
		a.release(a.panes.PopFront().groups)
	}
	a.expired = max(a.expired, t)
	return nil
}

package window

import (
	"math"

	"wadi/dataflow/agg"
	"wadi/dataflow/eventtime"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// merger puts windows together from panes. release emits, in order, every window that ends at or before w and holds a
// row, and drops the panes that no later window needs.
type merger interface {
	release(w int64, out operator.Emitter) error
	size() int64
}

func newMerger(a *aggregate, mode graph.Mode) merger {
	if a.width == a.slide {
		return &tumbler{a}
	}
	return &hopper{a: a, view: newView(a, mode)}
}

// tumbler emits panes as they are.
type tumbler struct{ a *aggregate }

func (t *tumbler) size() int64 { return 0 }

func (t *tumbler) release(w int64, out operator.Emitter) error {
	a := t.a
	for a.panes.Len() > 0 {
		p := a.panes.At(0).Value
		end := nextMultiple(p.start, a.width)
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

// emitWindow emits the groups that have rows.
func (a *aggregate) emitWindow(g *agg.Groups, start, end int64, out operator.Emitter) error {
	live := g.Table.Slots(a.out.live[:0])
	w, stride := g.Table.Values()
	kept := live[:0]
	for _, s := range live {
		if w[int(s)*stride] > 0 {
			kept = append(kept, s)
		}
	}
	a.out.live = kept
	if a.held != nil {
		kept = a.withhold(g, kept, start)
	}
	return a.out.emit(g, kept, start, end, out)
}

// hopper puts each window together from several panes.
type hopper struct {
	a    *aggregate
	view view
}

func (h *hopper) size() int64 { return h.view.size() }

func (h *hopper) release(w int64, out operator.Emitter) error {
	a := h.a
	for a.panes.Len() > 0 {
		start := h.nextWindow()
		end := eventtime.Add(start, a.width)
		if end > w {
			return nil
		}
		if err := h.dropBefore(start); err != nil {
			return err
		}
		if a.panes.Len() > 0 && a.panes.At(0).Start < end {
			g, err := h.view.window(start, end)
			if err != nil {
				return err
			}
			if err := a.emitWindow(g, start, end, out); err != nil {
				return err
			}
		}
		a.next = eventtime.Add(start, a.slide)
		if a.next == math.MaxInt64 { // there is no later window
			for a.panes.Len() > 0 {
				a.release(a.panes.PopFront().groups)
			}
		}
		if err := h.dropBefore(a.next); err != nil {
			return err
		}
	}
	return nil
}

// nextWindow is the start of the earliest window that is not out yet and holds the first pane or a later one.
func (h *hopper) nextWindow() int64 {
	a := h.a
	before := floorTo(eventtime.Add(a.panes.At(0).Start, -a.width), a.slide)
	return max(a.next, nextMultiple(before, a.slide))
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

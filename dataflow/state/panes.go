package state

import "sort"

// Panes is a small ordered map from the start of a pane of event time to what the pane holds. Its costs depend on the
// number of panes that exist, never on the distance between them.
type Panes[T any] struct {
	entries []Pane[T]
}

// Pane is one entry of Panes.
type Pane[T any] struct {
	Start int64
	Value T
}

// Len is the number of panes.
func (p *Panes[T]) Len() int { return len(p.entries) }

// At gives the i-th pane by time.
func (p *Panes[T]) At(i int) *Pane[T] { return &p.entries[i] }

// Search is the index of the first pane that starts at or after start; Len if there is none.
func (p *Panes[T]) Search(start int64) int {
	n := len(p.entries)
	// Most rows belong to the newest pane or the one before.
	if n == 0 || p.entries[n-1].Start < start {
		return n
	}
	if n == 1 || p.entries[n-2].Start < start {
		return n - 1
	}
	return sort.Search(n, func(i int) bool { return p.entries[i].Start >= start })
}

// Get gives the pane with this start.
func (p *Panes[T]) Get(start int64) (T, bool) {
	if i := p.Search(start); i < len(p.entries) && p.entries[i].Start == start {
		return p.entries[i].Value, true
	}
	var none T
	return none, false
}

// Insert adds a pane that does not exist yet.
func (p *Panes[T]) Insert(start int64, v T) {
	i := p.Search(start)
	p.entries = append(p.entries, Pane[T]{})
	copy(p.entries[i+1:], p.entries[i:])
	p.entries[i] = Pane[T]{start, v}
}

// PopFront removes the earliest pane and gives what it held.
func (p *Panes[T]) PopFront() T {
	v := p.entries[0].Value
	n := copy(p.entries, p.entries[1:])
	p.entries[n] = Pane[T]{}
	p.entries = p.entries[:n]
	return v
}

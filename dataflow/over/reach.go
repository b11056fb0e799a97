package over

import (
	"wadi/dataflow/graph"
)

// edge gives the first position that is not before a bound of the row at a position or, with behind, the first that is
// behind it.
func (u *updating) edge(root int32, at int64, unit graph.FrameUnit, b graph.Bound, behind bool) int64 {
	n := u.tree.Len(root)
	switch {
	case b.Kind == graph.UnboundedPreceding:
		return 1
	case b.Kind == graph.UnboundedFollowing:
		return n + 1
	case unit == graph.Rows:
		to := add(at, b.Distance())
		if behind {
			to = add(to, 1)
		}
		return min(max(to, 1), n+1)
	case unit == graph.Groups || b.Kind == graph.CurrentRow:
		return u.groupEdge(root, at, b.Distance(), behind)
	}
	own := u.rows.Own(u.tree.At(root, at-1))
	return 1 + u.tree.Search(root, func(id int32) bool {
		c := u.measure.compare(u.rows.Own(id), own, b)
		return c > 0 || c == 0 && !behind
	})
}

// groupEdge gives the first or, with behind, the last position + 1 of the group that is steps groups behind that of the row
// at a position.
func (u *updating) groupEdge(root int32, at, steps int64, behind bool) int64 {
	n := u.tree.Len(root)
	first, end := u.peersOf(root, at)
	for ; steps < 0 && first > 1; steps++ {
		first, end = u.peersOf(root, first-1)
	}
	for ; steps > 0 && end <= n; steps-- {
		first, end = u.peersOf(root, end)
	}
	switch {
	case steps < 0:
		return 1
	case steps > 0:
		return n + 1
	case behind:
		return end
	}
	return first
}

// peersOf gives the positions of the rows that are equal by the order to the row at a position: the first and that behind
// the last.
func (u *updating) peersOf(root int32, at int64) (first, end int64) {
	this := u.tree.At(root, at-1)
	first = 1 + u.tree.Search(root, func(id int32) bool { return u.rows.CompareRows(id, this) >= 0 || u.rows.SameKeys(id, this) })
	end = 1 + u.tree.Search(root, func(id int32) bool { return u.rows.CompareRows(id, this) > 0 && !u.rows.SameKeys(id, this) })
	return first, end
}

// affected gives the rows whose results a change at a place may have changed.
func (u *updating) affected(root int32, s span) span {
	n := u.tree.Len(root)
	r := s
	for i := range u.calls {
		c := &u.calls[i]
		switch {
		case c.whole:
			return span{1, n + 1}
		case c.kind == rowNumber || c.kind == rank || c.kind == denseRank:
			r.until = n + 1
		case c.kind == lag && c.IgnoreNulls && c.n > 0:
			r.until = max(r.until, min(n, u.counted(root, s.until, 1, c))+1)
		case c.kind == lag:
			r.until = max(r.until, min(n+1, add(s.until, c.n)))
		case c.kind == lead && c.IgnoreNulls && c.n > 0:
			r.from = min(r.from, max(1, u.counted(root, s.from-1, -1, c)))
		case c.kind == lead:
			r.from = min(r.from, max(1, s.from-c.n))
		}
	}
	for i := range u.frames {
		f := &u.frames[i]
		if s.from > 1 {
			r.from = min(r.from, u.before(root, f, s.from))
		}
		if s.until <= n {
			r.until = max(r.until, u.behind(root, f, s.until))
		}
	}
	return r
}

// counted is the position of the n-th row from a position on, in a direction, that does not hold null for lag or lead.
func (u *updating) counted(root int32, at, step int64, c *call) int64 {
	for n := c.n; at >= 1 && at <= u.tree.Len(root); at += step {
		if u.isNull(u.tree.At(root, at-1), c.Args[0]) {
			continue
		}
		if n--; n == 0 {
			break
		}
	}
	return at
}

// before gives the first row whose frame reaches the rows from a position on.
func (u *updating) before(root int32, f *frame, at int64) int64 {
	b := f.To
	switch {
	case b.Kind == graph.UnboundedFollowing:
		return 1
	case b.Kind == graph.Preceding && b.N > 0 || b.Kind == graph.CurrentRow && f.Unit == graph.Rows:
		return at
	case f.Unit == graph.Rows:
		return max(1, add(at, -b.N))
	case b.Kind == graph.Following:
		b.Kind = graph.Preceding
	}
	return min(at, u.edge(root, at-1, f.Unit, b, false))
}

// behind gives the first row behind those whose frames reach back to the rows before a position.
func (u *updating) behind(root int32, f *frame, at int64) int64 {
	n := u.tree.Len(root)
	b := f.From
	switch {
	case b.Kind == graph.UnboundedPreceding:
		return n + 1
	case b.Kind == graph.Following && b.N > 0 || b.Kind == graph.CurrentRow && f.Unit == graph.Rows:
		return at
	case f.Unit == graph.Rows:
		return min(n+1, add(at, b.N))
	case b.Kind == graph.Preceding:
		b.Kind = graph.Following
	}
	return max(at, u.edge(root, at, f.Unit, b, true))
}

// reach gives the rows that have to be seen to compute a range of results.
func (u *updating) reach(root int32, w []int64, r span) span {
	n := u.tree.Len(root)
	v := span{max(1, r.from-1), r.until}
	for i := range u.calls {
		c := &u.calls[i]
		switch {
		case c.whole:
			return span{1, n + 1}
		case c.kind == lag && !c.scans:
			v.from = min(v.from, r.from-c.n)
		case c.kind == lead && c.IgnoreNulls && c.n > 0:
			v.until = max(v.until, u.counted(root, r.until, 1, c)+1)
		case c.kind == lead:
			v.until = max(v.until, add(r.until, c.n))
		case c.kind == lastValue && !c.scans:
			v.from = min(v.from, u.edge(root, r.from, u.frames[c.frame].Unit, u.frames[c.frame].To, true)-1)
		}
	}
	for i := range u.frames {
		f := &u.frames[i]
		hi := u.edge(root, r.from, f.Unit, f.To, true)
		v.until = max(v.until, u.edge(root, r.until-1, f.Unit, f.To, true))
		v.from = min(v.from, hi)
		if f.Exclude == graph.ExcludeGroup || f.Exclude == graph.ExcludeTies {
			first, _ := u.peersOf(root, r.from)
			v.from = min(v.from, first)
		}
		switch held := w[heldWord+i]; {
		case !f.running:
			v.from = min(v.from, u.edge(root, r.from, f.Unit, f.From, false))
		case f.values && f.Exclude != graph.NoExclusion:
			v.from = 1
		case f.set == nil:
		case held < hi:
			v.from = min(v.from, held+1)
		case rebuilds(held, hi):
			v.from = 1
		default:
			v.until = max(v.until, held+1)
		}
	}
	return span{max(1, v.from), min(n+1, v.until)}
}

package bind

import (
	"cmp"
	"slices"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// group is the calls over the same rows in the same order, which one operator computes.
type group struct {
	calls []*overCall
	keys  []*expr.Node
	order []sortTerm
	kind  groupKind
}

// groupKind says how the results of a group come, in the order in which groups are computed: those that only append first,
// since what follows an updating one is updating. Lone ranks come last of their kind, where a condition on them becomes a
// limit, and of these the one that QUALIFY is about.
type groupKind uint8

const (
	perTime groupKind = iota
	perTimeRank
	byTime
	changing
	changingRank
	qualifyingRank
)

// compute adds the results of all calls to a relation. move rewrites an expression of the SELECT into one over the relation;
// nil if it was refused.
func (o *overs) compute(b *Binder, in logical.Node, qualify *expr.Node, move func(*expr.Node) *expr.Node) logical.Node {
	var groups []*group
	for _, c := range o.list {
		at := slices.IndexFunc(groups, func(g *group) bool { return g.calls[0].beside(c) })
		if at >= 0 {
			groups[at].calls = append(groups[at].calls, c)
			continue
		}
		groups = append(groups, &group{calls: []*overCall{c}})
	}
	for _, g := range groups {
		if !g.move(move) {
			return nil
		}
		g.kind = g.kindOver(in.Properties())
		if g.kind == changingRank && qualify != nil && o.names(qualify, g.calls[0]) {
			g.kind = qualifyingRank
		}
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return cmp.Compare(a.kind, b.kind) })
	o.at = make([]int, len(o.list))
	for _, g := range groups {
		if in = g.compute(b, in); in == nil {
			return nil
		}
		first := in.Schema().NumFields() - len(g.calls)
		for i, c := range g.calls {
			o.at[slices.Index(o.list, c)] = first + i
		}
	}
	return in
}

// names reports whether an expression of the SELECT holds a call.
func (o *overs) names(n *expr.Node, c *overCall) bool {
	found := false
	n.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.Column && x.Index == firstOver+slices.Index(o.list, c)
		return !found
	})
	return found
}

// move rewrites what the calls are made of into expressions over the relation; false if something was refused.
func (g *group) move(move func(*expr.Node) *expr.Node) bool {
	c := g.calls[0]
	for _, n := range c.partition {
		if n = move(n); n == nil {
			return false
		}
		g.keys = append(g.keys, n)
	}
	for _, t := range c.order {
		if t.value = move(t.value); t.value == nil {
			return false
		}
		g.order = append(g.order, t)
	}
	for _, c := range g.calls {
		f := c.function
		if f == nil {
			continue
		}
		moved := *f
		moved.args = nil
		for _, a := range f.args {
			if a = move(a); a == nil {
				return false
			}
			moved.args = append(moved.args, a)
		}
		if f.filter != nil {
			if moved.filter = move(f.filter); moved.filter == nil {
				return false
			}
		}
		c.function = &moved
	}
	return true
}

// kindOver decides how the results over a relation come.
func (g *group) kindOver(p logical.Properties) groupKind {
	rank := len(g.calls) == 1 && g.calls[0].function == nil
	_, windowed := perWindow(p, g.keys)
	switch {
	case windowed && rank:
		return perTimeRank
	case windowed:
		return perTime
	case p.Mode == graph.Append && g.known(p):
		return byTime
	case rank:
		return changingRank
	}
	return changing
}

// known reports whether the results of the rows of an append stream are known for good at some time: in the order of event
// time, or of what always lies as far from it, if no function looks at all rows to come.
func (g *group) known(p logical.Properties) bool {
	if len(g.order) == 0 || g.order[0].desc {
		return false
	}
	if _, ok := logical.MomentOf(g.order[0].value, p); !ok {
		return false
	}
	for _, c := range g.calls {
		if f := c.function; f != nil && (f.whole || f.call.Frame.To.Kind == graph.UnboundedFollowing) {
			return false
		}
	}
	return true
}

// perWindow tells whether keys hold the window that the rows of an append stream belong to, and gives the keys that tell
// rows of one event time apart.
func perWindow(p logical.Properties, keys []*expr.Node) ([]*expr.Node, bool) {
	if p.Mode == graph.Updating {
		return keys, false
	}
	var rest []*expr.Node
	found := false
	for _, k := range keys {
		part, is := p.WindowPart(k)
		found = found || is && part.Identifies(*p.Window)
		if !is || !logical.EndsApart(*p.Window) && part < logical.WindowEnd || !part.Identifies(*p.Window) {
			rest = append(rest, k)
		}
	}
	if !found {
		return keys, false
	}
	return rest, true
}

// compute adds the results of a group's calls behind the columns of a relation.
func (g *group) compute(b *Binder, in logical.Node) logical.Node {
	switch g.kind {
	case perTimeRank, changingRank, qualifyingRank:
		return b.rank(in, g.keys, g.order, logical.Ranking{Rank: g.calls[0].kind, Limit: -1, WithRank: true}, g.calls[0].span)
	}
	cols := &columns{in: in, span: g.calls[0].span}
	spec := graph.OverSpec{Updating: g.kind == changing, TTL: b.idle()}
	keys, order := g.keys, g.order
	switch g.kind {
	case perTime:
		keys, spec.PerTime = perWindow(in.Properties(), g.keys)
	case byTime:
		order = order[1:]
	default:
		spec.FlushInterval = int64(b.opts.UpdateAggregateFlushInterval)
	}
	for _, k := range keys {
		spec.Keys = append(spec.Keys, cols.add(k))
	}
	spec.Order = cols.order(order)
	for _, c := range g.calls {
		spec.Calls = append(spec.Calls, c.over(cols))
	}
	return logical.NewOver(cols.node(), spec, b.view, g.calls[0].span)
}

// over is the call over columns of the relation.
func (c *overCall) over(cols *columns) graph.OverCall {
	if c.function == nil {
		return logical.RankCall(c.kind, c.span)
	}
	call := c.function.call
	call.Args, call.ArgTypes, call.Filter = nil, nil, -1
	for _, a := range c.function.args {
		call.Args, call.ArgTypes = append(call.Args, cols.add(a)), append(call.ArgTypes, a.Type)
	}
	if f := c.function.filter; f != nil {
		call.Filter = cols.add(f)
	}
	return call
}

package rewrite

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// groupByWindow computes an aggregation by the window that rows were given as a windowed aggregation of the rows themselves,
// whose panes are smaller than all windows of all rows.
var groupByWindow = Rule{
	Name: "group-by-window",
	Doc:  "aggregate rows in panes instead of giving them windows first",
	Apply: func(c *Context, roots []logical.Node) []logical.Node {
		return logical.Rewrite(roots, func(_, n logical.Node) logical.Node {
			if a, ok := n.(*logical.Aggregate); ok {
				return c.intoPanes(a)
			}
			return n
		})
	},
}

func (c *Context) intoPanes(a *logical.Aggregate) logical.Node {
	in, ok := a.Input.(*logical.Assign)
	p := a.Properties()
	if !ok || a.Window == nil || p.Window == nil || *p.Window != in.Window {
		return a
	}
	g := a.Group
	g.Window, g.Of, g.Keys, g.KeyFields = &in.Window, nil, nil, nil
	parts, told := map[int]logical.WindowPart{}, *a.Window == in.Window
	for i, k := range a.Keys {
		if part, ok := in.Properties().WindowPart(k); ok {
			parts[i] = part
			told = told || logical.EndsApart(in.Window) || part < logical.WindowEnd || in.Window.Kind == logical.Session
			continue
		}
		if ofWindow(k, in) {
			return a
		}
		g.Keys, g.KeyFields = append(g.Keys, k), append(g.KeyFields, a.KeyFields[i])
	}
	for _, call := range a.Calls {
		for _, e := range append(call.Args[:len(call.Args):len(call.Args)], call.Filter) {
			if e != nil && ofWindow(e, in) {
				return a
			}
		}
	}
	if !told || in.Window.Kind == logical.Session && !sameKeys(g.Keys, in.Keys) {
		return a
	}
	return restored(a, logical.NewAggregate(in.Input, g, a.Span()), parts)
}

// ofWindow reports whether an expression looks at the window or the time that an assignment gives a row.
func ofWindow(e *expr.Node, in *logical.Assign) bool {
	found := false
	e.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.RowTime || x.Kind == expr.Column && x.Index == in.Input.Schema().NumFields()
		return !found
	})
	return found
}

// sameKeys reports whether keys are these columns, in any order.
func sameKeys(keys []*expr.Node, columns []int) bool {
	var found []int
	for _, k := range keys {
		if k.Kind != expr.Column || slices.Contains(found, k.Index) {
			return false
		}
		found = append(found, k.Index)
	}
	slices.Sort(found)
	return slices.Equal(found, slices.Sorted(slices.Values(columns)))
}

// restored gives the aggregation by panes the columns of the one by windows.
func restored(a, by *logical.Aggregate, parts map[int]logical.WindowPart) logical.Node {
	w := expr.NewColumn(len(by.Keys), by.Schema().Field(len(by.Keys)))
	var exprs []*expr.Node
	next := 0
	for i, f := range a.Schema().Fields() {
		part, is := parts[i]
		switch {
		case i < len(a.Keys) && !is:
			exprs = append(exprs, expr.NewColumn(next, f))
			next++
		case i < len(a.Keys):
			exprs = append(exprs, partOf(w, part))
		case i == len(a.Keys):
			exprs = append(exprs, w)
		default:
			exprs = append(exprs, expr.NewColumn(by.FirstCall()+i-a.FirstCall(), f))
		}
	}
	return logical.NewProject(by, exprs, a.Schema().Fields(), a.Span())
}

// partOf computes a part of a window of its results.
func partOf(w *expr.Node, part logical.WindowPart) *expr.Node {
	switch part {
	case logical.WholeWindow:
		return w
	case logical.WindowTime:
		return &expr.Node{Kind: expr.RowTime, Name: "row_time", Type: expr.Timestamp, Span: w.Span}
	}
	f, err := expr.FieldOf(w, [...]string{logical.WindowStart: "start", logical.WindowEnd: "end"}[part], w.Span)
	if err != nil {
		panic("rewrite: part of a window: " + err.Error())
	}
	return f
}

// collectSessions gives rows their sessions by collecting those of each, now that it is known what of them is read.
var collectSessions = Rule{
	Name: "collect-sessions",
	Doc:  "keep the rows of a session until it is over",
	Apply: func(c *Context, roots []logical.Node) []logical.Node {
		found := false
		roots = logical.Rewrite(roots, func(_, n logical.Node) logical.Node {
			a, ok := n.(*logical.Assign)
			if !ok || a.Window.Kind != logical.Session {
				return n
			}
			found = true
			return c.collected(a)
		})
		if !found {
			return roots
		}
		return mergeProjections.Apply(c, roots)
	},
}

// collected is an aggregation that collects the rows of each session, and makes rows of them again.
func (c *Context) collected(a *logical.Assign) logical.Node {
	in, span := a.Input.Schema(), a.Span()
	columns := make([]*expr.Node, in.NumFields())
	for i, f := range in.Fields() {
		columns[i] = expr.NewColumn(i, f).At(span)
	}
	row, err := c.Functions.Call("struct", columns, span)
	if err != nil {
		panic("rewrite: a row as a struct: " + err.Error())
	}
	rows := &logical.Call{Name: "array_agg", Args: []*expr.Node{row}, Type: arrow.ListOf(row.Type), Span: span}
	g := logical.Group{Window: &a.Window, Calls: []*logical.Call{rows}}
	for _, k := range a.Keys {
		g.Keys, g.KeyFields = append(g.Keys, columns[k]), append(g.KeyFields, in.Field(k))
	}
	sessions := logical.NewAggregate(a.Input, g, span)
	window, list := sessions.Schema().Field(len(a.Keys)), sessions.Schema().Field(sessions.FirstCall())
	each := logical.NewUnnest(sessions, logical.Unnesting{
		Keep: []*expr.Node{expr.NewColumn(len(a.Keys), window)}, KeepFields: []arrow.Field{window},
		Calls: []logical.UnnestCall{{Kind: graph.UnnestList, Args: []*expr.Node{expr.NewColumn(sessions.FirstCall(), list)}, Names: []string{"row"}}},
	}, span)
	element := expr.NewColumn(1, each.Schema().Field(1))
	element.Nullable = false // no row is null
	var exprs []*expr.Node
	for i, member := range row.Type.(*arrow.StructType).Fields() {
		m, err := expr.FieldOf(element, member.Name, span)
		if err != nil {
			panic("rewrite: member of a row: " + err.Error())
		}
		m.Nullable = in.Field(i).Nullable
		exprs = append(exprs, m)
	}
	return logical.NewProject(each, append(exprs, expr.NewColumn(0, window)), a.Schema().Fields(), span)
}

// throughAssign moves conditions that do not look at the window below an assignment: for sessions only those on their keys,
// since the others would change the sessions.
func (p *pusher) throughAssign(in *logical.Assign, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if p.consumers[in] > 1 {
		return p.filter(in, conds, origin)
	}
	return p.through(in, conds, origin, func(c *expr.Node) *expr.Node {
		if p.volatile(c) || ofWindow(c, in) || in.Window.Kind == logical.Session && !onlyColumns(c, in.Keys) {
			return nil
		}
		return c
	})
}

// demandAssign tells the input of an assignment what is read of it: at least one column, so that there are rows.
func (p *pruner) demandAssign(n *logical.Assign, mine need) {
	in := p.of(n.Input)
	for i, u := range mine {
		if i < n.Input.Schema().NumFields() {
			in.column(i).merge(u)
		}
	}
	for _, k := range n.Keys {
		in.column(k).merge(whole)
	}
	if len(in) == 0 {
		in.column(0).merge(&use{})
	}
}

// rebuildAssign keeps of the input what is needed, since it is repeated for every window.
func (p *pruner) rebuildAssign(n *logical.Assign) pruned {
	in, at := p.slim(n.Input, n.Span())
	w := n.Windows
	w.Keys = nil
	for _, k := range n.Keys {
		w.Keys = append(w.Keys, at[k])
	}
	return pruned{logical.NewAssign(in, w, n.Span()), append(at, in.Schema().NumFields())}
}

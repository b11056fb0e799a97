package bind

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// grouping is a GROUP BY being planned.
type grouping struct {
	b    *Binder
	in   logical.Node
	span fault.Span
	// exprs are the group expressions over the input, window calls among them; fields name them.
	exprs  []*expr.Node
	fields []arrow.Field

	// keys are the ordinary group expressions; keyOf maps exprs to them.
	keys      []*expr.Node
	keyFields []arrow.Field
	keyOf     []int
	// window is the time window, nil without one; of is the window that results belong to.
	window, of *graph.Window
	// windowed marks the group expressions that are the window; a struct member of it has its name in part.
	windowed []bool
	part     []string
	// called is the column that stands for the window call among the group expressions; 0 for none.
	called int
	// absent are the group expressions of other grouping sets, which are null in this one.
	absent []*expr.Node
	// instead holds, for a repeated hop, the input's column with the window.
	instead []*expr.Node
	// resolve moves keys and the arguments of calls over the subqueries that were joined for them; nil for none.
	resolve func(*expr.Node) *expr.Node
	// empty marks a grouping set without expressions.
	empty bool
	// single refuses, at run time, groups of more than one row.
	single bool
}

// grouped plans a SELECT with aggregation. ok says whether everything else was right, so that faults of the GROUP BY are
// found in any case.
func (b *Binder) grouped(s *ast.Select, p *place, in logical.Node, items []*item, having, qualify *expr.Node, ok bool) *relation {
	g := &grouping{b: b, in: in, span: s.Span()}
	if sets := groupingSets(s.GroupBy); sets != nil {
		return b.groupedBySets(s, p, g, sets, items, having, qualify, ok)
	}
	if s.GroupBy != nil && !g.bind(s.GroupBy, p, visible(items)) {
		return nil
	}
	for _, c := range p.scope.carried(s.Span()) {
		g.add(c.node, c.field)
	}
	if !ok || !g.joinFirst(p) || !g.split(p.aggregates.windows) {
		return nil
	}
	agg := g.aggregate(p.aggregates.calls)
	var node logical.Node = agg
	if s.GroupBy == nil && p.scope.outer != nil && !b.emptyRow(s, p, g, visible(items), having, qualify) {
		node = b.completed(p, g, agg)
	}
	return b.overGroups(s, p, g, agg, node, items, having, qualify)
}

// grouped are the results of a grouping: the group expressions, and from FirstCall the aggregates.
type grouped interface {
	Schema() *arrow.Schema
	FirstCall() int
}

// groups are those of several grouping sets.
type groups struct {
	logical.Node
	firstCall int
}

// FirstCall implements grouped.
func (g groups) FirstCall() int { return g.firstCall }

// overGroups plans what a SELECT computes of the results of a grouping, which node has.
func (b *Binder) overGroups(s *ast.Select, p *place, g *grouping, of grouped, node logical.Node, items []*item, having, qualify *expr.Node) *relation {
	move := func(n *expr.Node) *expr.Node { return g.over(p, of, n) }
	after := map[int]bool{}
	for _, n := range p.beyond(items, having, qualify) {
		g.needs(p, n, after)
	}
	for i := range p.scalars.late() {
		delete(after, i)
	}
	node, resolve := p.scalars.join(b, node, after, move)
	if node == nil {
		return nil
	}
	if having != nil {
		cond := move(having)
		if cond == nil {
			return nil
		}
		node = b.where(&relation{node: node}, resolve(cond), s.Having.Span())
	}
	return b.over(s, p, node, items, qualify, func(n *expr.Node) *expr.Node { return resolve(move(n)) })
}

// beyond are the expressions that are computed of the results of a grouping.
func (p *place) beyond(items []*item, having, qualify *expr.Node) []*expr.Node {
	out := append(append(p.overs.expressions(), p.unnests.expressions()...), having, qualify)
	for _, it := range items {
		out = append(out, it.node)
	}
	return out
}

// joinFirst joins the subqueries that group expressions and arguments of aggregates need.
func (g *grouping) joinFirst(p *place) bool {
	before := map[int]bool{}
	for _, e := range g.exprs {
		p.scalars.used(e, before)
	}
	for _, c := range p.aggregates.calls {
		for _, a := range c.Args {
			p.scalars.used(a, before)
		}
		if c.Filter != nil {
			p.scalars.used(c.Filter, before)
		}
	}
	if len(before) == 0 {
		return true
	}
	g.in, g.resolve = p.scalars.join(g.b, g.in, before, nil)
	return g.in != nil
}

// resolved is an expression over the input with what was joined for it.
func (g *grouping) resolved(n *expr.Node) *expr.Node {
	if g.resolve == nil || n == nil {
		return n
	}
	return g.resolve(n)
}

// needs marks the subqueries that an expression needs beside the results of the grouping.
func (g *grouping) needs(p *place, n *expr.Node, in map[int]bool) {
	if n == nil {
		return
	}
	for _, e := range append(g.exprs[:len(g.exprs):len(g.exprs)], g.absent...) {
		if expr.Equal(e, n) {
			return
		}
	}
	if len(n.Args) == 0 {
		p.scalars.used(n, in)
	}
	for _, a := range n.Args {
		g.needs(p, a, in)
	}
}

// emptyRow notes, for a subquery's own SELECT that aggregates without GROUP BY, its row where no row has the values around;
// false if that takes more than the aggregates and those values.
func (b *Binder) emptyRow(s *ast.Select, p *place, g *grouping, items []*item, having, qualify *expr.Node) bool {
	f := p.scope.outer[0].frame
	if s != f.top || f.rows || having != nil || qualify != nil || s.Distinct {
		return false
	}
	row, ok := make([]*expr.Node, len(items)), true
	for i, it := range items {
		row[i] = it.node.Map(func(x *expr.Node) *expr.Node {
			switch {
			case x.Kind == expr.RowTime:
				ok = false
			case x.Kind != expr.Column:
			case x.Index >= firstCall && x.Index < firstWindow:
				return ofNothing(p.aggregates.calls[x.Index-firstCall]).At(x.Span)
			default:
				at := -1
				for _, c := range p.scope.outer {
					if c.index == x.Index {
						at = c.at
					}
				}
				ok = ok && at >= 0
				x.Index = firstOuter + at
			}
			return x
		})
	}
	if ok {
		f.empty = row
	}
	return ok
}

// ofNothing is the result of an aggregate over no rows.
func ofNothing(c *logical.Call) *expr.Node {
	if c.Nullable {
		return expr.NewLiteral(c.Type, nil)
	}
	return expr.NewLiteral(c.Type, int64(0))
}

// completed gives an aggregation without GROUP BY in a correlated subquery a row for all values around, also for those that
// no row has.
func (b *Binder) completed(p *place, g *grouping, agg *logical.Aggregate) logical.Node {
	f := p.scope.outer[0].frame
	on := b.onValues(graph.LeftJoin)
	n := len(f.columns)
	exprs := make([]*expr.Node, agg.Schema().NumFields())
	for _, c := range p.scope.outer {
		for i, e := range g.exprs {
			if e.Kind != expr.Column || e.Index != c.index {
				continue
			}
			r := g.result(i, agg)
			x := expr.NewColumn(c.at, f.leaf.schema.Field(c.at)).At(g.span)
			on.Conds = append(on.Conds, b.same(x, logical.Shift(r, n), true, g.span))
			if r.Kind == expr.Column {
				exprs[r.Index] = x
			}
		}
	}
	for i, field := range agg.Schema().Fields() {
		if exprs[i] != nil {
			continue
		}
		exprs[i] = expr.NewColumn(n+i, field).At(g.span)
		if c := i - agg.FirstCall(); c >= 0 && !agg.Calls[c].Nullable {
			exprs[i].Nullable = true
			exprs[i] = (&place{b: b, scope: &scope{}}).function("coalesce", g.span, exprs[i], ofNothing(agg.Calls[c]))
		}
	}
	j := logical.NewJoin(f.leaf, agg, on, g.span)
	return logical.NewProject(j, exprs, agg.Schema().Fields(), g.span)
}

// bind resolves the items of GROUP BY: ordinals, aliases and expressions.
func (g *grouping) bind(gb *ast.GroupBy, p *place, items []*item) bool {
	if gb.All {
		for _, it := range items {
			if it.node == nil {
				return false
			}
			if hasUnnest(it.node) != nil {
				g.unnested(it.span)
				return false
			}
			if !hasCall(it.node) {
				g.add(it.node, it.field)
			}
		}
		return true
	}
	ok := true
	at := *p
	at.clause, at.grouped, at.overs, at.unnests = "GROUP BY", false, nil, nil
	for _, e := range gb.Items {
		if row, is := e.(*ast.Row); is {
			if len(row.Items) == 0 {
				continue
			}
			for _, x := range row.Items {
				ok = g.bindItem(x, &at, items) && ok
			}
			continue
		}
		ok = g.bindItem(e, &at, items) && ok
	}
	return ok
}

func (g *grouping) bindItem(e ast.Expr, p *place, items []*item) bool {
	if it, is, ok := g.named(e, p, items); is {
		if !ok || it.node == nil {
			return false
		}
		if hasUnnest(it.node) != nil {
			g.unnested(e.Span())
			return false
		}
		if hasCall(it.node) {
			g.b.errorf(CodeAggregate, e.Span(), "aggregates cannot stand in GROUP BY").WithHint("group by columns, and filter on aggregates in HAVING")
			return false
		}
		g.add(it.node, it.field)
		return true
	}
	before := len(p.aggregates.calls)
	n := p.expr(e)
	if n == nil {
		return false
	}
	if hasCall(n) {
		p.aggregates.calls = p.aggregates.calls[:before]
		g.b.errorf(CodeAggregate, e.Span(), "aggregates cannot stand in GROUP BY").WithHint("group by columns, and filter on aggregates in HAVING")
		return false
	}
	f := arrow.Field{Name: p.columnName(e, n)}
	if n.Kind == expr.Column && n.Index < g.in.Schema().NumFields() {
		f = g.in.Schema().Field(n.Index)
	}
	g.add(n, f)
	return true
}

// unnested refuses to group by the elements of a list of the select list.
func (g *grouping) unnested(span fault.Span) {
	g.b.errorf(CodeUnnest, span, "unnest cannot stand in GROUP BY").WithHint("unnest in FROM, and group by its column: FROM t, unnest(t.list) AS x GROUP BY x")
}

// named resolves an ordinal or an alias; is tells whether e is one. A column of the input goes before an alias.
func (g *grouping) named(e ast.Expr, p *place, items []*item) (it *item, is, ok bool) {
	switch e := e.(type) {
	case *ast.NumberLit:
		if !e.Integer {
			return nil, false, false
		}
		n, err := strconv.Atoi(e.Text)
		if err != nil || n < 1 || n > len(items) {
			g.b.errorf(fault.CodeInvalid, e.Span(), "the select list has no column %s", e.Text).WithHint("count from 1 to %d", len(items))
			return nil, true, false
		}
		return items[n-1], true, true
	case *ast.ColumnRef:
		if len(pick(p.scope.visible(), e.Path[0])) > 0 || len(e.Path) > 1 && len(p.scope.of(e.Path[0])) > 0 {
			return nil, false, false
		}
		for _, it := range items {
			if it.alias == "" || !exactly(e.Path[0], it.alias) && !loosely(e.Path[0], it.alias) {
				continue
			}
			if len(e.Path) == 1 || it.node == nil {
				return it, true, true
			}
			n := p.members(it, e.Path)
			return &item{node: n, field: arrow.Field{Name: p.scope.display(e)}}, true, n != nil
		}
	}
	return nil, false, false
}

func (g *grouping) add(n *expr.Node, f arrow.Field) {
	for _, o := range g.exprs {
		if expr.Equal(o, n) {
			return
		}
	}
	g.exprs, g.fields = append(g.exprs, n), append(g.fields, f)
}

// hasCall reports whether an expression contains an aggregate.
func hasCall(n *expr.Node) bool {
	found := false
	n.Walk(func(n *expr.Node) bool {
		found = found || n.Kind == expr.Column && n.Index >= firstCall && n.Index < firstWindow || n.Kind == expr.Call && n.Name == groupingCall
		return !found
	})
	return found
}

// hasWindow reports whether an expression contains a window call.
func hasWindow(n *expr.Node) bool {
	found := false
	n.Walk(func(n *expr.Node) bool {
		found = found || n.Kind == expr.Column && n.Index >= firstWindow
		return !found
	})
	return found
}

// split divides the group expressions into keys and the window.
func (g *grouping) split(calls []windowCall) bool {
	g.keyOf, g.windowed, g.part = make([]int, len(g.exprs)), make([]bool, len(g.exprs)), make([]string, len(g.exprs))
	g.instead = make([]*expr.Node, len(g.exprs))
	var found *windowCall
	for i, n := range g.exprs {
		of := n
		if n.Kind == expr.Field {
			of, g.part[i] = n.Args[0], n.Name
		}
		switch {
		case of.Kind == expr.Column && of.Index >= firstWindow:
			call := &calls[of.Index-firstWindow]
			if found != nil && found != call {
				g.b.unsupported(n.Span, "more than one time window in GROUP BY is not supported").
					WithHint("use one query for each window, and put them together with UNION ALL")
				return false
			}
			found, g.windowed[i], g.called = call, true, of.Index
		case hasWindow(n):
			g.b.unsupported(n.Span, "an expression over a time window cannot be a group").
				WithHint("group by the window itself, and use its start and end in the select list")
			return false
		}
	}
	if found != nil && found.window.Kind == logical.Session && !g.groupsByEnd() || !g.input(found) {
		return false
	}
	g.collectKeys()
	return true
}

// groupsByEnd refuses a session of which only the start is a group: sessions of different keys may begin together.
func (g *grouping) groupsByEnd() bool {
	var start *expr.Node
	for i, n := range g.exprs {
		switch {
		case g.windowed[i] && g.part[i] != "start":
			return true
		case g.windowed[i]:
			start = n
		}
	}
	g.b.unsupported(start.Span, "a session cannot be grouped by its start alone").
		WithHint("group by the session itself, and use its start in the select list")
	return false
}

// input decides the window from the call, if there is one, and from what the input is a result of. Rows that are results
// of a window, grouped by that window again, fall into the pane that ends where their window ends.
func (g *grouping) input(call *windowCall) bool {
	in := g.in.Properties()
	if in.Mode == graph.Updating {
		return call == nil || g.changing(call)
	}
	if call != nil {
		w := call.window
		g.window, g.of = &w, &w
	}
	if in.Window == nil || call != nil && call.window != *in.Window {
		return true
	}
	identified := call != nil
	for _, n := range g.exprs {
		part, is := in.WindowPart(n)
		identified = identified || is && part.Identifies(*in.Window)
	}
	if !identified {
		g.byWhole(in)
		return true
	}
	w := in.Window.Regroup()
	g.of, g.window = in.Window, &w
	if in.Window.Kind == graph.Tumble {
		g.regrouped(in)
		return true
	}
	return g.again(in.Window)
}

// changing groups the rows of a changelog by a window: each row is given its windows, which are keys like others then. The
// results change with the rows, so that they are those of the rows that remain.
func (g *grouping) changing(call *windowCall) bool {
	times := g.in.Properties().TimeColumns
	if len(times) == 0 {
		g.b.unsupported(call.span, "the rows under %s are updated, and none of their columns has the event time", call.name).
			WithHint("declare WATERMARK FOR ts in the table, or say which column is meant: FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1 minute'))")
		return false
	}
	in := g.b.timed(g.in, call.window, times[0], call.span)
	if in == nil {
		return false
	}
	assigned := logical.NewAssign(in, logical.Windows{Window: call.window}, call.span)
	g.in = assigned
	c := assigned.Schema().NumFields() - 1
	for i, n := range g.exprs {
		if g.windowed[i] {
			g.useInstead(i, expr.NewColumn(c, assigned.Schema().Field(c)).At(n.Span))
		}
	}
	return true
}

// useInstead groups by a window that is a column, or by the part of it that is called for, as by any other key.
func (g *grouping) useInstead(i int, w *expr.Node) {
	g.windowed[i], g.instead[i] = false, w
	if g.part[i] != "" {
		if f, err := expr.FieldOf(w, g.part[i], w.Span); err == nil {
			g.instead[i] = f
		}
	}
}

// regrouped marks the group expressions that are parts of the input's window, which comes out of the aggregation again.
func (g *grouping) regrouped(in logical.Properties) {
	for i, n := range g.exprs {
		if part, is := in.WindowPart(n); is && part != logical.WindowTime {
			g.windowed[i], g.part[i] = true, [...]string{"", "start", "end"}[part]
		}
	}
}

// byWhole groups the windows of cumulate by their start alone: they are in one group, which is over when the last one is.
func (g *grouping) byWhole(in logical.Properties) {
	w := *in.Window
	w.Kind, w.Slide, w.SlideUnit = graph.Tumble, w.Width, w.WidthUnit
	for i, n := range g.exprs {
		if part, is := in.WindowPart(n); is && part == logical.WindowStart && in.Window.Kind == graph.Cumulate {
			g.windowed[i], g.part[i], g.window, g.of = true, "start", &w, &w
		}
	}
}

// again replaces a repeated window call by the input's column with the window, which is made visible for it.
func (g *grouping) again(w *graph.Window) bool {
	for i, n := range g.exprs {
		if !g.windowed[i] {
			continue
		}
		in, c, ok := exposed(g.in)
		if !ok {
			g.b.unsupported(n.Span, "the %s of the inner query is grouped again without its window", windowName(w)).
				WithHint("select the window in the inner query, and group by that column")
			return false
		}
		g.in = in
		g.useInstead(i, expr.NewColumn(c, in.Schema().Field(c)).At(n.Span))
	}
	return true
}

// exposed gives a relation of windowed rows with a column that holds their window, behind the others if it was left out.
func exposed(n logical.Node) (out logical.Node, column int, ok bool) {
	for _, c := range n.Properties().WindowColumns {
		if c.Part == logical.WholeWindow {
			return n, c.Column, true
		}
	}
	switch n := n.(type) {
	case *logical.Filter:
		if in, c, ok := exposed(n.Input); ok {
			return logical.NewFilter(in, n.Cond, n.Span()), c, true
		}
	case *logical.Project:
		if in, c, ok := exposed(n.Input); ok && n.EventTime == nil {
			f := in.Schema().Field(c)
			exprs := append(n.Exprs[:len(n.Exprs):len(n.Exprs)], expr.NewColumn(c, f))
			return logical.NewProject(in, exprs, append(n.Schema().Fields(), f), n.Span()), len(n.Exprs), true
		}
	}
	return nil, 0, false
}

func windowName(w *graph.Window) string {
	switch w.Kind {
	case logical.Session:
		return "session"
	case graph.Cumulate:
		return "cumulate"
	}
	return "hop"
}

func (g *grouping) collectKeys() {
	for i, n := range g.exprs {
		g.keyOf[i] = -1
		if g.windowed[i] {
			continue
		}
		if o := g.instead[i]; o != nil {
			n = o
		}
		n = g.resolved(n)
		if n.Type.ID() == arrow.NULL {
			n = expr.NewLiteral(arrow.BinaryTypes.String, nil).At(n.Span)
		}
		g.keyOf[i] = len(g.keys)
		g.keys = append(g.keys, n)
		g.keyFields = append(g.keyFields, g.fields[i])
	}
}

func (g *grouping) aggregate(calls []*logical.Call) *logical.Aggregate {
	if g.resolve != nil {
		moved := make([]*logical.Call, len(calls))
		for i, c := range calls {
			m := *c
			m.Args = make([]*expr.Node, len(c.Args))
			for k, a := range c.Args {
				m.Args[k] = g.resolved(a)
			}
			m.Filter = g.resolved(c.Filter)
			moved[i] = &m
		}
		calls = moved
	}
	group := logical.Group{Keys: g.keys, KeyFields: g.keyFields, Calls: calls, Window: g.window, Of: g.of, Single: g.single, Pinned: g.b.view}
	if g.window == nil {
		group.Flush, group.TTL = int64(g.b.opts.UpdateAggregateFlushInterval), g.b.idle()
	}
	return logical.NewAggregate(g.in, group, g.span)
}

// result is group expression i over the columns of the aggregation.
func (g *grouping) result(i int, agg grouped) *expr.Node {
	at := g.keyOf[i]
	if g.windowed[i] {
		at = len(g.keys)
	}
	n := expr.NewColumn(at, agg.Schema().Field(at)).At(g.exprs[i].Span)
	if g.windowed[i] && g.part[i] != "" {
		if f, err := expr.FieldOf(n, g.part[i], n.Span); err == nil {
			return f.At(n.Span)
		}
	}
	return n
}

// over rewrites an expression over the input into one over the aggregation: what equals a group expression becomes its
// column, aggregates become theirs. Whatever else names a column of the input is refused.
func (g *grouping) over(p *place, agg grouped, n *expr.Node) *expr.Node {
	for i, e := range g.exprs {
		if expr.Equal(e, n) {
			return g.result(i, agg).At(n.Span)
		}
	}
	for _, e := range g.absent {
		if expr.Equal(e, n) {
			return expr.NewLiteral(n.Type, nil).At(n.Span)
		}
	}
	switch {
	case n.Kind == expr.Call && n.Name == groupingCall:
		return g.grouping(n)
	case n.Kind == expr.Column && n.Index >= firstWindow:
		if n.Index == g.called && g.window != nil && *g.window == p.aggregates.windows[n.Index-firstWindow].window {
			return expr.NewColumn(len(g.keys), agg.Schema().Field(len(g.keys))).At(n.Span)
		}
		p.misplacedWindow(n.Name, n.Span)
		return nil
	case n.Kind == expr.Column && n.Index >= firstCall:
		c := agg.FirstCall() + n.Index - firstCall
		return expr.NewColumn(c, agg.Schema().Field(c)).At(n.Span)
	case n.Kind == expr.Column && n.Index >= firstUnnest: // what is computed above the groups, or around the SELECT
		return n
	case n.Kind == expr.Column:
		g.b.errorf(CodeGrouping, n.Span, "column %q must appear in GROUP BY or inside an aggregate", n.Name).
			WithHint("add it to GROUP BY, or take max(%s)", n.Name)
		return nil
	case len(n.Args) == 0:
		return n
	}
	c := *n
	c.Args = make([]*expr.Node, len(n.Args))
	for i, a := range n.Args {
		if c.Args[i] = g.over(p, agg, a); c.Args[i] == nil {
			return nil
		}
	}
	return &c
}

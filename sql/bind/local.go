package bind

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// A subquery that reads no table, but only the elements of lists and the like of the row around it, needs no join: it runs
// for that row by itself, without state, and leaves the row what it is: appended, with its event time and its window. This
// file takes the plan of such a subquery, over the values around, to steps that do so.

// local is a subquery on its way to steps.
type local struct {
	b *Binder
	// values are those of the leaves over the query around.
	values map[*leaf][]*expr.Node
	outer  []*expr.Node
	steps  []graph.LateralStep
	// own are the columns that the last step has; columns of the query around stand at firstOuter in the expressions over
	// them, by their place in outer.
	own []arrow.Field
	// many is set where there may be more than one row.
	many bool
}

// localized plans a query over the values around in steps; false if it takes more than the row around.
func (b *Binder) localized(n logical.Node, values map[*leaf][]*expr.Node) (*local, []*expr.Node, bool) {
	l := &local{b: b, values: values}
	found := false
	for f := range values {
		found = found || f.in(n)
	}
	if !found {
		return nil, nil, false
	}
	cols, ok := l.convert(n)
	return l, cols, ok
}

// look gives what stands for a value over the query around.
func (l *local) look(e *expr.Node) *expr.Node {
	at := slices.IndexFunc(l.outer, func(o *expr.Node) bool { return expr.Equal(o, e) && o.Nullable == e.Nullable })
	if at < 0 {
		at = len(l.outer)
		l.outer = append(l.outer, e)
	}
	name := e.Name
	if e.Kind != expr.Column && e.Kind != expr.Field {
		name = fmt.Sprintf("value%d", at)
	}
	return &expr.Node{Kind: expr.Column, Index: firstOuter + at, Name: name, Type: e.Type, Nullable: e.Nullable, Span: e.Span}
}

// over puts an expression over a node's columns over those of the last step and the query around.
func (l *local) over(e *expr.Node, cols []*expr.Node) *expr.Node {
	return e.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			return cols[x.Index].At(x.Span)
		}
		return x
	})
}

// placed is an expression as a step has it: the values of the query around stand behind the step's own columns.
func (l *local) placed(e *expr.Node) *expr.Node {
	return e.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column && x.Index >= firstOuter {
			x.Index += len(l.own) - firstOuter
		}
		return x
	})
}

// add appends a step that has these columns.
func (l *local) add(s graph.LateralStep, own []arrow.Field) {
	s.Out = arrow.NewSchema(own, nil)
	l.steps = append(l.steps, s)
	l.own = own
}

// extend computes values beside the own columns and gives their places; what is a column already stays where it is.
func (l *local) extend(list []*expr.Node) []int {
	at := make([]int, len(list))
	step := &graph.ProjectSpec{}
	own := l.own[:len(l.own):len(l.own)]
	for i, f := range own {
		step.Exprs = append(step.Exprs, expr.NewColumn(i, f))
	}
	for i, e := range list {
		if e.Kind == expr.Column && e.Index < firstOuter {
			at[i] = e.Index
			continue
		}
		at[i] = slices.IndexFunc(step.Exprs, func(o *expr.Node) bool { return expr.Equal(o, l.placed(e)) })
		if at[i] < 0 {
			at[i] = len(step.Exprs)
			if e.Type.ID() == arrow.NULL {
				e = expr.NewLiteral(arrow.BinaryTypes.String, nil).At(e.Span)
			}
			step.Exprs = append(step.Exprs, l.placed(e))
			own = append(own, arrow.Field{Name: fmt.Sprintf("value%d", len(own)), Type: e.Type, Nullable: e.Nullable})
		}
		if e.Kind == expr.Column {
			own[at[i]].Name = e.Name
		}
	}
	if len(own) > len(l.own) {
		l.add(graph.LateralStep{Project: step}, own)
	}
	return at
}

// column is an own column.
func (l *local) column(i int, span fault.Span) *expr.Node {
	return expr.NewColumn(i, l.own[i]).At(span)
}

// simple reports whether expressions may be put into others: they are small and give the same each time, and do not look at
// the time of the row.
func (l *local) simple(list []*expr.Node) bool {
	size, ok := 0, true
	for _, e := range list {
		e.Walk(func(x *expr.Node) bool {
			size++
			ok = ok && (x.Kind != expr.Call || l.b.opts.Functions.Volatility(x.Name) == expr.Immutable)
			return ok
		})
	}
	return ok && size < 256
}

// timed reports whether an expression looks at the time of the row.
func timed(list ...*expr.Node) bool {
	found := false
	for _, e := range list {
		e.Walk(func(x *expr.Node) bool {
			found = found || x.Kind == expr.RowTime
			return !found
		})
	}
	return found
}

// convert appends the steps that put the rows of n beside those there are, and gives n's columns.
func (l *local) convert(n logical.Node) ([]*expr.Node, bool) {
	switch n := n.(type) {
	case *leaf:
		var cols []*expr.Node
		for _, v := range l.values[n] {
			cols = append(cols, l.look(v))
		}
		return cols, l.values[n] != nil
	case *logical.Project:
		cols, ok := l.convert(n.Input)
		if !ok || n.EventTime != nil || timed(n.Exprs...) {
			return nil, false
		}
		out := make([]*expr.Node, len(n.Exprs))
		for i, e := range n.Exprs {
			out[i] = l.over(e, cols)
		}
		if !l.simple(out) {
			for i, at := range l.extend(out) {
				out[i] = l.column(at, n.Span())
			}
		}
		return out, true
	case *logical.Filter:
		cols, ok := l.convert(n.Input)
		if !ok || timed(n.Cond) {
			return nil, false
		}
		l.filter(l.over(n.Cond, cols))
		return cols, true
	case *logical.Values:
		return l.constants(n)
	case *logical.Series:
		s := n.Spec
		call := logical.UnnestCall{Kind: graph.UnnestSeries, Args: []*expr.Node{s.Start, s.Stop, s.Step}, Including: s.Including, Names: []string{n.Schema().Field(0).Name}}
		return l.unnest(n, logical.Unnesting{Calls: []logical.UnnestCall{call}, Ordinality: s.Ordinality}, nil), true
	case *logical.Unnest:
		cols, ok := l.convert(n.Input)
		if !ok || timed(n.Exprs()...) {
			return nil, false
		}
		return l.unnest(n, n.Unnesting, cols), true
	case *logical.Lateral:
		return l.lateral(n)
	case *logical.Aggregate:
		return l.aggregate(n)
	case *logical.TopN:
		return l.top(n)
	case *logical.Join:
		return l.join(n)
	}
	return nil, false
}

// filter keeps the rows for which a condition is true.
func (l *local) filter(cond *expr.Node) {
	l.add(graph.LateralStep{Project: &graph.ProjectSpec{Filter: l.placed(cond)}}, l.own)
}

// constants puts rows that stand in the query beside those there are.
func (l *local) constants(n *logical.Values) ([]*expr.Node, bool) {
	for _, r := range n.Rows {
		if timed(r...) || !l.simple(r) {
			return nil, false
		}
	}
	if len(n.Rows) == 1 {
		return n.Rows[0], true
	}
	m := &graph.LateralMatch{Rows: n.Rows}
	own := l.own[:len(l.own):len(l.own)]
	for i := range own {
		m.Keep = append(m.Keep, i)
	}
	var cols []*expr.Node
	for i, f := range n.Schema().Fields() {
		cols = append(cols, expr.NewColumn(len(own)+i, f).At(n.Span()))
	}
	l.add(graph.LateralStep{Match: m}, append(own, n.Schema().Fields()...))
	l.many = true
	return cols, true
}

// unnest puts the elements of lists beside the rows; cols are the columns of the node's input.
func (l *local) unnest(n logical.Node, u logical.Unnesting, cols []*expr.Node) []*expr.Node {
	var out, args []*expr.Node
	for _, k := range u.Keep {
		out = append(out, l.over(k, cols))
	}
	for _, c := range u.Calls {
		for _, a := range c.Args {
			args = append(args, l.over(a, cols))
		}
	}
	kept := l.own[:len(l.own):len(l.own)]
	spec := &graph.UnnestSpec{Ordinality: u.Ordinality, Outer: u.Outer}
	for i := range kept {
		spec.Keep = append(spec.Keep, i)
	}
	at := l.extend(args)
	for _, c := range u.Calls {
		spec.Calls = append(spec.Calls, graph.UnnestCall{Kind: c.Kind, Args: at[:len(c.Args)], Including: c.Including, NullRow: c.NullRow})
		at = at[len(c.Args):]
	}
	made := n.Schema().Fields()[len(u.Keep):]
	l.add(graph.LateralStep{Unnest: spec}, append(kept, made...))
	l.many = true
	for i := range made {
		out = append(out, l.column(len(kept)+i, n.Span()))
	}
	return out
}

// lateral runs another small query for every row.
func (l *local) lateral(n *logical.Lateral) ([]*expr.Node, bool) {
	cols, ok := l.convert(n.Input)
	if !ok || timed(n.Exprs()...) {
		return nil, false
	}
	var out, outer []*expr.Node
	for _, k := range n.Keep {
		out = append(out, l.over(k, cols))
	}
	for _, o := range n.Outer {
		outer = append(outer, l.over(o, cols))
	}
	kept := l.own[:len(l.own):len(l.own)]
	spec := &graph.LateralSpec{Kind: n.Kind, Steps: n.OverInput(l.extend(outer))}
	for i := range kept {
		spec.Keep = append(spec.Keep, i)
	}
	made := n.Schema().Fields()[len(n.Keep):]
	l.add(graph.LateralStep{Lateral: spec}, append(kept, made...))
	l.many = l.many || !n.Single
	for i := range made {
		out = append(out, l.column(len(kept)+i, n.Span()))
	}
	return out, true
}

// outerOnly reports whether an expression looks at nothing but the query around.
func outerOnly(e *expr.Node) bool {
	ok := true
	e.Walk(func(x *expr.Node) bool {
		ok = ok && (x.Kind != expr.Column || x.Index >= firstOuter)
		return ok
	})
	return ok
}

// aggregate groups all rows of the row around. Keys that are the same for all of them are no keys.
func (l *local) aggregate(n *logical.Aggregate) ([]*expr.Node, bool) {
	if n.Window != nil || len(l.own) > 0 || l.many {
		return nil, false
	}
	cols, ok := l.convert(n.Input)
	if !ok || timed(n.Keys...) {
		return nil, false
	}
	out := make([]*expr.Node, n.Schema().NumFields())
	a := &graph.LateralAggregate{Single: n.Single}
	var values []*expr.Node
	var keys []int
	for i, k := range n.Keys {
		if k = l.over(k, cols); outerOnly(k) && l.simple([]*expr.Node{k}) {
			out[i] = k
			continue
		}
		keys, values = append(keys, i), append(values, k)
	}
	for _, c := range n.Calls {
		for _, x := range append(c.Args[:len(c.Args):len(c.Args)], filters(c)...) {
			if timed(x) {
				return nil, false
			}
			values = append(values, l.over(x, cols))
		}
	}
	at := l.extend(values)
	a.Keys, at = at[:len(keys)], at[len(keys):]
	for _, c := range n.Calls {
		call := agg.Call{Name: c.Name, Distinct: c.Distinct, OrderBy: c.OrderBy, Params: c.Params, Filter: -1, Type: c.Type, Nullable: c.Nullable, Span: c.Span}
		call.Args, at = at[:len(c.Args)], at[len(c.Args):]
		for _, x := range c.Args {
			call.ArgTypes = append(call.ArgTypes, x.Type)
		}
		if c.Filter != nil {
			call.Filter, at = at[0], at[1:]
		}
		a.Aggs = append(a.Aggs, call)
	}
	var own []arrow.Field
	for _, i := range keys {
		own = append(own, n.Schema().Field(i))
	}
	own = append(own, n.Schema().Fields()[n.FirstCall():]...)
	l.add(graph.LateralStep{Aggregate: a}, own)
	l.many = len(keys) > 0
	for k, i := range keys {
		out[i] = l.column(k, n.Span())
	}
	for i := range n.Calls {
		out[n.FirstCall()+i] = l.column(len(keys)+i, n.Span())
	}
	return out, true
}

func filters(c *logical.Call) []*expr.Node {
	if c.Filter == nil {
		return nil
	}
	return []*expr.Node{c.Filter}
}

// top ranks all rows of the row around.
func (l *local) top(n *logical.TopN) ([]*expr.Node, bool) {
	if n.PerTime || len(l.own) > 0 || l.many {
		return nil, false
	}
	cols, ok := l.convert(n.Input)
	if !ok {
		return nil, false
	}
	t := &graph.LateralTop{Rank: n.Rank, Limit: n.Limit, Offset: n.Offset, WithRank: n.WithRank, WithTies: n.WithTies}
	var values []*expr.Node
	for _, k := range n.Keys {
		if !outerOnly(cols[k]) {
			values = append(values, cols[k])
		}
	}
	keys := len(values)
	for _, o := range n.Order {
		values = append(values, cols[o.Column])
	}
	// Rows that are equal by the order are told apart by all columns.
	for _, c := range cols {
		if !outerOnly(c) {
			values = append(values, c)
		}
	}
	at := l.extend(values)
	t.Keys = at[:keys]
	for i, o := range n.Order {
		o.Column = at[keys+i]
		t.Order = append(t.Order, o)
	}
	own := l.own[:len(l.own):len(l.own)]
	if n.WithRank {
		own = append(own, n.Schema().Field(len(cols)))
	}
	l.add(graph.LateralStep{Top: t}, own)
	if n.WithRank {
		cols = append(cols[:len(cols):len(cols)], l.column(len(own)-1, n.Span()))
	}
	return cols, true
}

// join puts the rows of one side beside those of the other.
func (l *local) join(n *logical.Join) ([]*expr.Node, bool) {
	if n.Kind != graph.InnerJoin && !(n.Kind == graph.LeftJoin && l.one(n.Left) && len(l.own) == 0 && !l.many) {
		return nil, false
	}
	first, second := n.Left, n.Right
	swapped := n.Kind == graph.InnerJoin && gathers(n.Right)
	if swapped {
		first, second = second, first
	}
	a, ok := l.convert(first)
	if !ok {
		return nil, false
	}
	b, ok := l.convert(second)
	if !ok {
		return nil, false
	}
	if swapped {
		a, b = b, a
	}
	cols := append(a[:len(a):len(a)], b...)
	for _, c := range n.Conds {
		if timed(c) {
			return nil, false
		}
		for _, t := range rewrite.Conjuncts(l.over(c, cols)) {
			if !reflexive(t) {
				l.filter(t)
			}
		}
	}
	if n.Kind == graph.LeftJoin {
		at := l.extend(b)
		own := slices.Clone(l.own)
		for i := range own {
			own[i].Nullable = true
		}
		l.add(graph.LateralStep{Pad: true}, own)
		for i := range b {
			cols[len(a)+i] = l.column(at[i], n.Span())
		}
	}
	return cols, true
}

// one reports whether a relation has one row for the row around.
func (l *local) one(n logical.Node) bool {
	switch n := n.(type) {
	case *leaf:
		return true
	case *logical.Project:
		return l.one(n.Input)
	case *logical.Values:
		return len(n.Rows) == 1
	}
	return false
}

// gathers reports whether a relation looks at all rows of the row around at once.
func gathers(n logical.Node) bool {
	found := false
	logical.Walk([]logical.Node{n}, func(x logical.Node) {
		switch x := x.(type) {
		case *logical.Aggregate, *logical.TopN:
			found = true
		case *logical.Join:
			found = found || x.Kind == graph.LeftJoin
		}
	})
	return found
}

// reflexive reports whether a term says that a value equals itself.
func reflexive(t *expr.Node) bool {
	return t.Kind == expr.Call && (t.Name == "is_not_distinct_from" || t.Name == "eq" && !t.Nullable) && expr.Equal(t.Args[0], t.Args[1])
}

// where keeps the rows for which a condition is true, over a relation's columns followed by those of the query.
func (l *local) where(left logical.Node, cond *expr.Node, cols []*expr.Node) {
	n := left.Schema().NumFields()
	cond = cond.Map(func(x *expr.Node) *expr.Node {
		switch {
		case x.Kind != expr.Column:
			return x
		case x.Index < n:
			return l.look(x)
		}
		return cols[x.Index-n].At(x.Span)
	})
	for _, t := range rewrite.Conjuncts(cond) {
		if v := expr.Fold(t); !reflexive(t) && !(v.Kind == expr.Literal && v.Value == true) {
			l.filter(t)
		}
	}
}

// beside puts each row of a relation beside those of the query: the columns of kind Inner and Left are the relation's, then the
// query's.
func (l *local) beside(left logical.Node, kind graph.JoinKind, cols []*expr.Node, fields []arrow.Field, span fault.Span) *logical.Lateral {
	s := logical.Small{Kind: kind, Single: kind == graph.LeftJoin && !l.many}
	for i, f := range left.Schema().Fields() {
		s.Keep, s.KeepFields = append(s.Keep, expr.NewColumn(i, f).At(span)), append(s.KeepFields, f)
	}
	if kind == graph.InnerJoin || kind == graph.LeftJoin {
		step := &graph.ProjectSpec{}
		own := make([]arrow.Field, len(cols))
		for i, c := range cols {
			if c.Type.ID() == arrow.NULL {
				c = expr.NewLiteral(arrow.BinaryTypes.String, nil).At(c.Span)
			}
			own[i] = arrow.Field{Name: fields[i].Name, Type: c.Type, Nullable: c.Nullable, Metadata: fields[i].Metadata}
			s.Names = append(s.Names, fields[i].Name)
			step.Exprs = append(step.Exprs, l.placed(c))
		}
		l.add(graph.LateralStep{Project: step}, own)
	}
	s.Outer, s.Steps = l.looked()
	return logical.NewLateral(left, s, span)
}

// looked gives the steps with the values of the query around that they look at, and no others.
func (l *local) looked() ([]*expr.Node, []graph.LateralStep) {
	var outer []*expr.Node
	at := make([]int, len(l.outer))
	for i := range at {
		at[i] = -1
	}
	own := 0
	for _, s := range l.steps {
		if p := s.Project; p != nil {
			for _, e := range append(p.Exprs[:len(p.Exprs):len(p.Exprs)], p.Filter) {
				if e == nil {
					continue
				}
				e.Walk(func(x *expr.Node) bool {
					if i := x.Index - own; x.Kind == expr.Column && i >= 0 && at[i] < 0 {
						at[i] = len(outer)
						outer = append(outer, l.outer[i])
					}
					return true
				})
			}
		}
		own = s.Out.NumFields()
	}
	return outer, (&logical.Small{Steps: l.steps}).OverInput(at)
}

// localFunction is a LEFT JOIN with a function, which is bound over the columns of the left side, and a condition.
func (b *Binder) localFunction(left *relation, t *ast.TableFunction, on ast.Expr, e *env) *relation {
	f := newLeaf(left.node.Schema().Fields(), t.Span())
	r := b.rowFunction(t, &relation{node: f, scope: left.scope}, false, e)
	if r == nil {
		return nil
	}
	p := &place{b: b, scope: r.scope, clause: "ON"}
	cond := p.condition(on)
	if cond == nil || !b.joinable(cond) {
		return nil
	}
	n := left.node.Schema().NumFields()
	values := make([]*expr.Node, n)
	for i, c := range left.node.Schema().Fields() {
		values[i] = expr.NewColumn(i, c).At(t.Span())
	}
	l, cols, ok := b.localized(r.node, map[*leaf][]*expr.Node{f: values})
	if !ok {
		b.unsupported(t.Span(), "a LEFT JOIN of a function that depends on subqueries is supported only ON TRUE").WithHint("compute the subqueries in a query in FROM")
		return nil
	}
	for _, term := range rewrite.Conjuncts(l.over(cond, cols)) {
		l.filter(term)
	}
	node := l.beside(left.node, graph.LeftJoin, cols[n:], r.node.Schema().Fields()[n:], t.Span())
	b.fresh[node] = true
	return (&relation{node: node, scope: r.scope}).refreshed()
}

// localHalf is a semi or anti join with a subquery that looks at nothing but the row around it; nil if it looks at more.
func (b *Binder) localHalf(left, right logical.Node, f *frame, on logical.On, span fault.Span) logical.Node {
	if f == nil {
		return nil
	}
	l, cols, ok := b.localized(right, map[*leaf][]*expr.Node{f.leaf: f.values})
	if !ok {
		return nil
	}
	for i, c := range on.Conds {
		if on.NullAware && i == 0 {
			if c = (&place{b: b, scope: &scope{}}).function("is_not_false", span, c); c == nil {
				return nil
			}
		}
		l.where(left, c, cols)
	}
	n := l.beside(left, on.Kind, nil, nil, span)
	b.fresh[n] = true
	return n
}

// localScalar puts the results of a subquery that looks at nothing but the row around it beside that row; nil if it looks at
// more. over rewrites what the subquery looks at into expressions over the relation.
func (b *Binder) localScalar(left logical.Node, sc *scalar, over func(*expr.Node) *expr.Node) logical.Node {
	values := map[*leaf][]*expr.Node{}
	for _, f := range sc.frames {
		list := make([]*expr.Node, len(f.values))
		for i, v := range f.values {
			if list[i] = over(v); list[i] == nil {
				return nil
			}
		}
		values[f.leaf] = list
	}
	l, cols, ok := b.localized(sc.node, values)
	if !ok {
		return nil
	}
	for _, k := range sc.keys {
		x := over(k.outer)
		if x == nil {
			return nil
		}
		t := b.same(l.look(x), cols[k.inner], k.safe, sc.span)
		if t == nil {
			return nil
		}
		if !reflexive(t) {
			l.filter(t)
		}
	}
	n := l.beside(left, graph.LeftJoin, cols, sc.node.Schema().Fields(), sc.span)
	b.fresh[n] = true
	return n
}

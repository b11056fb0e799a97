package bind

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// joinKinds maps the kinds as written; those that look from the right are joins the other way round.
var joinKinds = map[ast.JoinKind]graph.JoinKind{
	ast.InnerJoin: graph.InnerJoin, ast.LeftJoin: graph.LeftJoin, ast.RightJoin: graph.RightJoin, ast.FullJoin: graph.FullJoin,
	ast.CrossJoin: graph.InnerJoin, ast.LeftSemiJoin: graph.SemiJoin, ast.RightSemiJoin: graph.SemiJoin,
	ast.LeftAntiJoin: graph.AntiJoin, ast.RightAntiJoin: graph.AntiJoin,
}

// idle is how long state without a window is kept, for what is being bound: nanoseconds.
func (b *Binder) idle() int64 {
	if b.view {
		return int64(b.ttl)
	}
	return int64(b.lastTTL)
}

// commaJoin pairs every row of each relation with every row of the others; WHERE makes it a join of another kind.
func (b *Binder) commaJoin(list []ast.TableExpr, e *env) *relation {
	out := b.tableExpr(list[0], e)
	for _, t := range list[1:] {
		if out != nil && looksLeft(t) {
			out = b.onto(out, t, e)
			continue
		}
		r := b.tableExpr(t, e)
		if out == nil || r == nil {
			out = nil
			continue
		}
		out = b.joined(out, r, graph.InnerJoin, nil, list[0].Span().Join(t.Span()))
	}
	return out
}

// join binds left … JOIN right ….
func (b *Binder) join(t *ast.Join, e *env) *relation {
	return b.joinTo(b.tableExpr(t.Left, e), t, e)
}

// joinTo binds what is joined to a left side, which is nil if it was refused.
func (b *Binder) joinTo(left *relation, t *ast.Join, e *env) *relation {
	if left != nil && looksLeft(t.Right) {
		return b.lateralJoin(left, t, e)
	}
	if ref, ok := t.Right.(*ast.TableRef); ok && ref.AsOf != nil {
		return b.temporal(left, t, ref, e)
	}
	right := b.tableExpr(t.Right, e)
	if left == nil || right == nil {
		return nil
	}
	if t.Asof {
		return b.asof(t, left, right, e)
	}
	if t.Kind == ast.RightSemiJoin || t.Kind == ast.RightAntiJoin {
		left, right = right, left
	}
	kind := joinKinds[t.Kind]
	return b.on(t, left, right, kind, e, func(terms []*expr.Node) *relation { return b.joined(left, right, kind, terms, t.Span()) })
}

// on binds the condition of a join and makes it from the terms.
func (b *Binder) on(t *ast.Join, left, right *relation, kind graph.JoinKind, e *env, join func([]*expr.Node) *relation) *relation {
	using := t.Using
	if t.Natural {
		using = common(left.scope, right.scope, t)
	}
	if len(using) > 0 {
		return b.using(t, left, right, kind, using, join)
	}
	var terms []*expr.Node
	for _, c := range []struct {
		cond   ast.Expr
		clause string
	}{{t.Match, "MATCH_CONDITION"}, {t.On, "ON"}} {
		if c.cond == nil {
			continue
		}
		p := &place{b: b, scope: beside(left, right), clause: c.clause, outer: e.beside()}
		cond := p.condition(c.cond)
		if cond == nil || !b.joinable(cond) {
			return nil
		}
		terms = append(terms, rewrite.Conjuncts(cond)...)
	}
	return join(terms)
}

// joinable refuses conditions that have no meaning between two rows.
func (b *Binder) joinable(cond *expr.Node) bool {
	ok := true
	cond.Walk(func(n *expr.Node) bool {
		if n.Kind == expr.RowTime && ok {
			b.unsupported(n.Span, "row_time() cannot stand in ON: there are two rows").WithHint("name the event time column of one of the tables")
			ok = false
		}
		return ok
	})
	return ok
}

// common gives the columns that both sides of a NATURAL join have.
func common(left, right *scope, t *ast.Join) []ast.Ident {
	var out []ast.Ident
	for _, c := range left.visible() {
		id := ast.Ident{Place: t.Place, Name: c.field.Name, Quoted: true}
		if len(pick(right.visible(), id)) > 0 {
			out = append(out, id)
		}
	}
	return out
}

// beside is the scope of two relations next to each other.
func beside(left, right *relation) *scope {
	s := &scope{columns: append([]scopeColumn(nil), left.scope.columns...)}
	n := left.node.Schema().NumFields()
	for _, c := range right.scope.columns {
		c.index += n
		s.columns = append(s.columns, c)
	}
	return s
}

// joined makes a join of two relations over terms of their columns.
func (b *Binder) joined(left, right *relation, kind graph.JoinKind, terms []*expr.Node, span fault.Span) *relation {
	s := beside(left, right)
	c := &rewrite.Context{Functions: b.opts.Functions}
	j := c.OnSides(left.node, right.node, logical.On{Kind: kind, Conds: terms, TTL: b.idle(), Pinned: b.view}, span)
	b.fresh[j] = true
	if !j.RightColumns() {
		s = left.scope
	}
	return (&relation{node: j, scope: s}).refreshed()
}

// refreshed takes over from the plan which columns can be null.
func (r *relation) refreshed() *relation {
	s := &scope{columns: append([]scopeColumn(nil), r.scope.columns...)}
	for i := range s.columns {
		s.columns[i].field.Nullable = r.node.Schema().Field(s.columns[i].index).Nullable
	}
	return &relation{node: r.node, scope: s, spans: r.spans}
}

// using joins on columns of the same name. The result has one column for each pair, which a bare name means; those of the
// two sides are reached through their tables. The last column of an ASOF JOIN is the one that is compared, as left >= right.
func (b *Binder) using(t *ast.Join, left, right *relation, kind graph.JoinKind, names []ast.Ident, join func([]*expr.Node) *relation) *relation {
	both := beside(left, right)
	p := &place{b: b, scope: both, clause: "USING"}
	before := left.node.Schema().NumFields()
	var terms, merged []*expr.Node
	var columns []scopeColumn
	taken := map[int]bool{}
	for i, id := range names {
		l, r, ok := b.pair(left.scope, right.scope, id)
		if !ok {
			return nil
		}
		r.index += before
		x, y := expr.NewColumn(l.index, l.field).At(id.Span()), expr.NewColumn(r.index, r.field).At(id.Span())
		name := "eq"
		if t.Asof && t.Match == nil && i == len(names)-1 {
			name = "gteq"
		}
		term := p.function(name, id.Span(), x, y)
		if term == nil {
			return nil
		}
		terms = append(terms, term)
		taken[l.index], taken[r.index] = true, true
		m := x
		switch kind {
		case graph.RightJoin:
			m = y
		case graph.FullJoin:
			if m = p.function("coalesce", id.Span(), x, y); m == nil {
				return nil
			}
		}
		merged = append(merged, m)
		columns = append(columns, scopeColumn{field: l.field, index: m.Index})
	}
	if t.Match != nil {
		p.clause = "MATCH_CONDITION"
		cond := p.condition(t.Match)
		if cond == nil || !b.joinable(cond) {
			return nil
		}
		terms = append(terms, rewrite.Conjuncts(cond)...)
	}
	out := join(terms)
	if out == nil || kind == graph.SemiJoin || kind == graph.AntiJoin {
		return out
	}
	out.scope = merge(out.scope, columns, taken)
	if kind == graph.FullJoin {
		return b.coalesced(out, merged, t.Span())
	}
	return out.refreshed()
}

// pair finds a USING column on both sides.
func (b *Binder) pair(left, right *scope, id ast.Ident) (l, r scopeColumn, ok bool) {
	for side, s := range []*scope{left, right} {
		c, _, err := s.find(ast.Name{id})
		if err != nil {
			b.errs = append(b.errs, err)
			return l, r, false
		}
		if side == 0 {
			l = c
		} else {
			r = c
		}
	}
	return l, r, true
}

// merge puts the columns of USING in front and hides those that they stand for.
func merge(s *scope, columns []scopeColumn, taken map[int]bool) *scope {
	out := &scope{columns: columns}
	for _, c := range s.columns {
		if taken[c.index] {
			if c.table == "" {
				continue
			}
			c.hidden = true
		}
		out.columns = append(out.columns, c)
	}
	return out
}

// coalesced computes the columns of a FULL JOIN USING: the value of whichever side there is.
func (b *Binder) coalesced(r *relation, merged []*expr.Node, span fault.Span) *relation {
	fields := r.node.Schema().Fields()
	exprs := make([]*expr.Node, len(fields))
	for i, f := range fields {
		exprs[i] = expr.NewColumn(i, f).At(span)
	}
	s := &scope{columns: append([]scopeColumn(nil), r.scope.columns...)}
	for i, m := range merged {
		s.columns[i].index = len(exprs)
		f := s.columns[i].field
		f.Type, f.Nullable = m.Type, m.Nullable
		s.columns[i].field = f
		exprs, fields = append(exprs, m), append(fields, f)
	}
	p := logical.NewProject(r.node, exprs, fields, span)
	b.fresh[p] = true
	return (&relation{node: p, scope: s}).refreshed()
}

// visible drops the columns that only their tables' names reach, before those names are lost.
func (b *Binder) visible(r *relation, span fault.Span) *relation {
	columns := r.scope.visible()
	if len(columns) == r.node.Schema().NumFields() {
		return r
	}
	var items []*item
	for _, c := range columns {
		items = append(items, &item{node: expr.NewColumn(c.index, c.field).At(span), field: c.field, table: c.table, span: span})
	}
	return b.projected(r.node, items, span)
}

// where filters a relation, in its joins where that can be.
func (b *Binder) where(in *relation, cond *expr.Node, span fault.Span) logical.Node {
	if !b.fresh[in.node] {
		return logical.NewFilter(in.node, cond, span)
	}
	c := &rewrite.Context{Functions: b.opts.Functions}
	return c.Where(in.node, rewrite.Conjuncts(cond), func(n logical.Node) bool { return !b.fresh[n] }, span)
}

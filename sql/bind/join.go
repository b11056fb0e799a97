package bind

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

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
		before := len(b.errs)
		r := b.tableExpr(t, e)
		b.hintLateral(out, t, before)
		if out == nil || r == nil {
			out = nil
			continue
		}
		span := list[0].Span().Join(t.Span())
		left, right, terms, ok := b.meeting(out, r, graph.InnerJoin, false, e, span)
		if !ok {
			return nil
		}
		out = b.joined(left, right, graph.InnerJoin, terms, span)
	}
	return out
}

// join binds left … JOIN right ….
func (b *Binder) join(t *ast.Join, e *env) *relation {
	return b.joinTo(b.tableExpr(t.Left, e), t, e)
}

// joinTo binds what is joined to a left side, which is nil if it was refused.
func (b *Binder) joinTo(left *relation, t *ast.Join, e *env) *relation {
	if left != nil && looksLeft(t.Right) && !standsAlone(t, left) {
		return b.lateralJoin(left, t, e)
	}
	if ref, table := b.lookedUp(t.Right, e); table != nil {
		return b.lookupJoin(left, t, ref, table, e)
	}
	if ref, ok := t.Right.(*ast.TableRef); ok && ref.AsOf != nil {
		return b.temporal(left, t, ref, e)
	}
	before := len(b.errs)
	right := b.tableExpr(t.Right, e)
	b.hintLateral(left, t.Right, before)
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
	return b.on(t, left, right, kind, e, func(left, right *relation, terms []*expr.Node) *relation {
		return b.joined(left, right, kind, terms, t.Span())
	})
}

// on binds the condition of a join and makes it from the terms.
func (b *Binder) on(t *ast.Join, left, right *relation, kind graph.JoinKind, e *env, join func(left, right *relation, terms []*expr.Node) *relation) *relation {
	using := t.Using
	if t.Natural {
		using = common(left.scope, right.scope, t)
	}
	f := e.around()
	named := f != nil && t.On != nil && f.namedIn(t.On, left.scope, right.scope)
	if named {
		f.tried = append(f.tried, t.On)
	}
	left, right, same, ok := b.meeting(left, right, kind, named, e, t.Span())
	if !ok {
		return nil
	}
	with := func(terms []*expr.Node) *relation { return join(left, right, append(terms, same...)) }
	if len(using) > 0 {
		return b.using(t, left, right, kind, using, with)
	}
	var terms []*expr.Node
	if t.Match != nil {
		if terms = b.pairs(left, right, "MATCH_CONDITION", t.Match); terms == nil {
			return nil
		}
	}
	ref, table := t.Right.(*ast.TableRef)
	switch {
	case t.On == nil:
		return with(terms)
	case t.Asof || table && ref.AsOf != nil || right.node == nil: // a lookup table has no plan
		more := b.pairs(left, right, "ON", t.On)
		if more == nil {
			return nil
		}
		return with(append(terms, more...))
	}
	return b.joinOn(t, left, right, kind, e, func(left, right *relation, terms []*expr.Node) *relation {
		return join(left, right, append(terms, same...))
	})
}

// pairs binds a condition between the rows of two relations.
func (b *Binder) pairs(left, right *relation, clause string, e ast.Expr) []*expr.Node {
	p := &place{b: b, scope: beside(left, right), clause: clause}
	cond := p.condition(e)
	if cond == nil || !b.joinable(cond) {
		return nil
	}
	return rewrite.Conjuncts(cond)
}

// joinOn joins on a condition. Subqueries in it filter the pairs of an inner join. Those of other joins are joined to the rows
// of the side that they depend on before; where one depends on both, the rows of one side are found for each row of the other.
func (b *Binder) joinOn(t *ast.Join, left, right *relation, kind graph.JoinKind, e *env, join func(left, right *relation, terms []*expr.Node) *relation) *relation {
	p := &place{b: b, scope: beside(left, right), clause: "ON", scalars: &scalars{env: e}}
	var on []*expr.Node
	var queries []ast.Expr
	ok := true
	list := []ast.Expr{t.On}
	if hasQuery(t.On) {
		list = terms(t.On)
	}
	for _, t := range list {
		if kind == graph.InnerJoin && hasQuery(t) {
			queries = append(queries, t)
			continue
		}
		n := p.condition(t)
		if ok = ok && n != nil && b.joinable(n); ok {
			on = append(on, rewrite.Conjuncts(n)...)
		}
	}
	if !ok {
		return nil
	}
	if n := left.node.Schema().NumFields(); slices.ContainsFunc(on, func(t *expr.Node) bool { return namesScalar(t) && p.scalars.side(t, n) < 0 }) {
		return b.perPair(t, left, right, kind, e)
	}
	if len(p.scalars.list) > 0 {
		if left, right, on = b.sideQueries(p.scalars, left, right, on); on == nil {
			return nil
		}
	}
	out := join(left, right, on)
	for _, t := range queries {
		if out == nil {
			return nil
		}
		if out.node = b.whereClause(out, t, e); out.node == nil {
			return nil
		}
	}
	return out
}

// perPair joins, by any join but an inner one, on a condition with subqueries that look at both sides.
func (b *Binder) perPair(t *ast.Join, left, right *relation, kind graph.JoinKind, e *env) *relation {
	l, r := t.Left, t.Right
	if t.Kind == ast.RightSemiJoin || t.Kind == ast.RightAntiJoin {
		l, r = r, l
	}
	switch kind {
	case graph.SemiJoin, graph.AntiJoin:
		return b.having(left, r, t.On, kind == graph.AntiJoin, e)
	case graph.LeftJoin:
		return b.perRow(left, r, t.On, kind, e)
	case graph.RightJoin:
		out := b.perRow(right, l, t.On, graph.LeftJoin, e)
		if out != nil {
			n := len(right.scope.columns)
			out.scope.columns = append(out.scope.columns[n:len(out.scope.columns):len(out.scope.columns)], out.scope.columns[:n]...)
		}
		return out
	}
	pairs, alone := b.perRow(left, r, t.On, graph.LeftJoin, e), b.having(right, l, t.On, true, e)
	if pairs == nil || alone == nil {
		return nil
	}
	var items [2][]*item
	n := len(left.scope.columns)
	own := alone.scope.visible()
	for i, c := range pairs.scope.columns {
		it := item{node: expr.NewColumn(c.index, c.field).At(t.Span()), field: c.field, table: c.table, span: t.Span()}
		missing := it
		if i < n {
			missing.node = expr.NewLiteral(c.field.Type, nil).At(t.Span())
		} else {
			missing.node = expr.NewColumn(own[i-n].index, own[i-n].field).At(t.Span())
		}
		items[0], items[1] = append(items[0], &it), append(items[1], &missing)
	}
	x, y := b.projected(pairs.node, items[0], t.Span()), b.projected(alone.node, items[1], t.Span())
	x.node = logical.NewUnion([]logical.Node{x.node, y.node}, t.Span())
	return x.refreshed()
}

// having keeps the rows that there is a row of another relation for, or with none those that there is none for.
func (b *Binder) having(in *relation, of ast.TableExpr, on ast.Expr, none bool, e *env) *relation {
	var exists ast.Expr = &ast.Exists{Place: ast.Place{Pos: of.Span()}, Query: matching(of, on)}
	if none {
		exists = &ast.Unary{Place: ast.Place{Pos: of.Span()}, Op: ast.Not, X: exists}
	}
	node := b.whereClause(in, exists, e)
	if node == nil {
		return nil
	}
	return (&relation{node: node, scope: in.scope}).refreshed()
}

// hasQuery reports whether an expression has a subquery.
func hasQuery(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		_, is := n.(*ast.Query)
		found = found || is
		return !found
	})
	return found
}

// sideQueries computes the terms of ON that have a subquery as columns of the side that they look at.
func (b *Binder) sideQueries(s *scalars, left, right *relation, on []*expr.Node) (l, r *relation, terms []*expr.Node) {
	n := left.node.Schema().NumFields()
	sides := [2]*columns{}
	moved := [2]*relation{left, right}
	for i := range sides {
		which := map[int]bool{}
		for _, t := range on {
			if namesScalar(t) && s.side(t, n) == i {
				s.used(t, which)
			}
		}
		own := func(t *expr.Node) *expr.Node {
			return t.Map(func(x *expr.Node) *expr.Node {
				if x.Kind == expr.Column && x.Index < firstUnnest {
					x.Index -= i * n
				}
				return x
			})
		}
		node, resolve := s.join(b, moved[i].node, which, own)
		if node == nil {
			return nil, nil, nil
		}
		sides[i] = &columns{in: node}
		for k, t := range on {
			if !namesScalar(t) || s.side(t, n) != i {
				continue
			}
			sides[i].span = t.Span
			at := sides[i].add(resolve(own(t)))
			on[k] = expr.NewColumn(firstWindow+2*at+i, arrow.Field{Name: "condition", Type: t.Type, Nullable: true}).At(t.Span)
		}
		moved[i] = &relation{node: sides[i].node(), scope: moved[i].scope}
	}
	wider := moved[0].node.Schema().NumFields() - n
	for k, t := range on {
		on[k] = t.Map(func(x *expr.Node) *expr.Node {
			switch {
			case x.Kind != expr.Column:
			case x.Index >= firstWindow:
				at := x.Index - firstWindow
				if x.Index = at / 2; at%2 == 1 {
					x.Index += n + wider
				}
			case x.Index >= n:
				x.Index += wider
			}
			return x
		})
	}
	return moved[0], moved[1], on
}

// side is 0 for an expression over the left n columns, also by its subqueries, 1 for one over the others, and -1 for both.
func (s *scalars) side(e *expr.Node, n int) int {
	left, right := false, false
	see := func(x *expr.Node) {
		x.Walk(func(x *expr.Node) bool {
			if x.Kind == expr.Column && x.Index < firstUnnest {
				left, right = left || x.Index < n, right || x.Index >= n
			}
			return true
		})
	}
	see(e)
	which := map[int]bool{}
	s.used(e, which)
	for i := range which {
		for _, k := range s.list[i].keys {
			see(k.outer)
		}
		for _, f := range s.list[i].frames {
			for _, v := range f.values {
				see(v)
			}
		}
	}
	switch {
	case left && right:
		return -1
	case right:
		return 1
	}
	return 0
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
	s := &scope{columns: append([]scopeColumn(nil), left.scope.columns...), outer: left.scope.outer}
	n := left.node.Schema().NumFields()
	for _, c := range right.scope.columns {
		c.index += n
		s.columns = append(s.columns, c)
	}
	if s.outer == nil {
		for _, c := range right.scope.outer {
			c.index += n
			s.outer = append(s.outer, c)
		}
	}
	return s
}

// joined makes a join of two relations over terms of their columns.
func (b *Binder) joined(left, right *relation, kind graph.JoinKind, terms []*expr.Node, span fault.Span) *relation {
	s := beside(left, right)
	c := &rewrite.Context{Functions: b.opts.Functions}
	j := c.OnSides(left.node, right.node, logical.On{Kind: kind, Conds: terms, TTL: b.idle(), Pinned: b.view}, span)
	b.fresh[j] = true
	switch {
	case !j.RightColumns():
		s = left.scope
	case kind == graph.RightJoin && right.scope.outer != nil:
		// Those of the left side may be padded.
		s.outer = beside(&relation{node: left.node, scope: &scope{}}, right).outer
	case kind == graph.FullJoin && s.outer != nil:
		return b.eitherOuter(&relation{node: j, scope: s}, beside(&relation{node: left.node, scope: &scope{}}, right).outer, span)
	}
	return (&relation{node: j, scope: s}).refreshed()
}

// eitherOuter computes the columns of the query around that a FULL JOIN carries: those of whichever side there is.
func (b *Binder) eitherOuter(r *relation, right []scopeColumn, span fault.Span) *relation {
	fields := r.node.Schema().Fields()
	exprs := make([]*expr.Node, len(fields))
	for i, f := range fields {
		exprs[i] = expr.NewColumn(i, f).At(span)
	}
	s := &scope{columns: r.scope.columns}
	for i, c := range r.scope.outer {
		either := (&place{b: b, scope: &scope{}}).function("coalesce", span, exprs[c.index], exprs[right[i].index])
		if either == nil {
			return nil
		}
		c.index = len(exprs)
		s.outer = append(s.outer, c)
		exprs, fields = append(exprs, either), append(fields, arrow.Field{Name: c.field.Name, Type: either.Type, Nullable: either.Nullable, Metadata: c.field.Metadata})
	}
	p := logical.NewProject(r.node, exprs, fields, span)
	b.fresh[p] = true
	return (&relation{node: p, scope: s}).refreshed()
}

// refreshed takes over from the plan which columns can be null.
func (r *relation) refreshed() *relation {
	s := &scope{columns: append([]scopeColumn(nil), r.scope.columns...), outer: append([]scopeColumn(nil), r.scope.outer...)}
	for _, columns := range [][]scopeColumn{s.columns, s.outer} {
		for i := range columns {
			columns[i].field.Nullable = r.node.Schema().Field(columns[i].index).Nullable
		}
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
	out := &scope{columns: columns, outer: s.outer}
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
	s := &scope{columns: append([]scopeColumn(nil), r.scope.columns...), outer: r.scope.outer}
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
	if len(columns)+len(r.scope.outer) == r.node.Schema().NumFields() {
		return r
	}
	var items []*item
	for _, c := range columns {
		items = append(items, &item{node: expr.NewColumn(c.index, c.field).At(span), field: c.field, table: c.table, span: span})
	}
	return b.projected(r.node, append(items, r.scope.carried(span)...), span)
}

// where filters a relation, in its joins where that can be.
func (b *Binder) where(in *relation, cond *expr.Node, span fault.Span) logical.Node {
	if !b.fresh[in.node] {
		return logical.NewFilter(in.node, cond, span)
	}
	c := &rewrite.Context{Functions: b.opts.Functions}
	return c.Where(in.node, rewrite.Conjuncts(cond), func(n logical.Node) bool { return !b.fresh[n] }, span)
}

package bind

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// looksLeft reports whether a relation may look at those that stand before it in FROM: it is a function that makes rows, a
// LATERAL query, or a join that begins with one.
func looksLeft(t ast.TableExpr) bool {
	switch t := t.(type) {
	case *ast.TableFunction:
		_, ok := rowFunctions[functionName(t)]
		return ok
	case *ast.Derived:
		return t.Lateral
	case *ast.Join:
		inside := t.Kind == ast.InnerJoin || t.Kind == ast.CrossJoin || t.Kind == ast.LeftJoin
		return inside && !t.Natural && len(t.Using) == 0 && looksLeft(t.Left)
	}
	return false
}

// standsAlone reports whether the right side of a join names nothing of the left one, where that matters: the join pairs
// columns by name, or has rows of the right side that have no match.
func standsAlone(t *ast.Join, left *relation) bool {
	if (t.Kind == ast.InnerJoin || t.Kind == ast.CrossJoin || t.Kind == ast.LeftJoin) && !t.Natural && len(t.Using) == 0 {
		return false
	}
	alone := true
	ast.Inspect(t.Right, func(n ast.Node) bool {
		if ref, ok := n.(*ast.ColumnRef); ok {
			_, _, err := left.scope.find(ref.Path)
			alone = alone && err != nil
		}
		return alone
	})
	return alone
}

// onto puts a relation that may look at those before it beside them.
func (b *Binder) onto(left *relation, t ast.TableExpr, e *env) *relation {
	switch t := t.(type) {
	case *ast.TableFunction:
		return b.rowFunction(t, left, false, e)
	case *ast.Derived:
		if t.Lateral {
			return b.lateralQuery(left, t, graph.InnerJoin, nil, e)
		}
	case *ast.Join:
		return b.joinTo(b.onto(left, t.Left, e), t, e)
	}
	return b.tableExpr(t, e)
}

// lateralQuery joins rows with those of a query that names columns of them: it is planned as a correlated subquery is. A
// query that only picks and computes, compared with the rows in WHERE, becomes a join on that comparison.
func (b *Binder) lateralQuery(left *relation, t *ast.Derived, kind graph.JoinKind, on ast.Expr, e *env) *relation {
	if f := e.around(); f != nil && left.scope.outer == nil && f.namedIn(t, left.scope) {
		f.tried = append(f.tried, t)
		left = b.beside(left, f)
	}
	q := b.framed(t.Query, left.scope, e, forRows)
	if q == nil {
		return nil
	}
	inner := b.alias(q.relation, t.Alias, "")
	if inner == nil {
		return nil
	}
	n := left.node.Schema().NumFields()
	var cond *expr.Node
	if on != nil {
		p := &place{b: b, scope: beside(&relation{node: left.node, scope: left.scope}, inner), clause: "ON", scalars: &scalars{env: e}}
		if cond = p.condition(on); cond == nil || !b.joinable(cond) {
			return nil
		}
		if namesScalar(cond) {
			return b.perRow(left, &ast.Derived{Place: t.Place, Query: t.Query, Alias: t.Alias}, on, kind, e)
		}
	}
	if r := b.localQuery(left, q, inner, kind, cond, t.Span()); r != nil {
		return r
	}
	right := q.node
	var out, terms []*expr.Node
	for i := range q.own {
		out = append(out, logical.Shift(q.field(i), n))
	}
	if f := q.frame; f != nil {
		d, ok := b.detach(right, f.leaf)
		if ok = ok && (kind == graph.InnerJoin || columnsOf(d.out[:q.own])); ok {
			right = d.in
			for i := range out {
				out[i] = f.around(d.out[i], n)
			}
			for _, c := range d.conds {
				terms = append(terms, f.around(c, n))
			}
		} else {
			if terms = q.keys(b, n); terms == nil {
				return nil
			}
			if f.leaf.in(right) {
				right = f.leaf.replaced(right, b.valuesAround(left.node, f.values, f.leaf))
			}
		}
	}
	if cond != nil {
		terms = append(terms, rewrite.Conjuncts(over(cond, n, out))...)
	}
	j := b.joined(&relation{node: left.node, scope: left.scope}, &relation{node: right, scope: &scope{}}, kind, terms, t.Span())
	cols := &columns{in: j.node, span: t.Span()}
	s := &scope{columns: append([]scopeColumn(nil), left.scope.columns...), outer: left.scope.outer}
	for i, c := range inner.scope.columns {
		c.index = cols.add(out[i])
		s.columns = append(s.columns, c)
	}
	node := cols.node()
	b.fresh[node] = true
	return (&relation{node: node, scope: s}).refreshed()
}

// over puts expressions in the place of the columns from n.
func over(cond *expr.Node, n int, out []*expr.Node) *expr.Node {
	return cond.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column && x.Index >= n && x.Index < firstUnnest {
			return out[x.Index-n]
		}
		return x
	})
}

// perRow joins rows with those of another relation that a condition holds for. It is planned as a LATERAL query, since the
// condition has subqueries that look at both.
func (b *Binder) perRow(left *relation, of ast.TableExpr, on ast.Expr, kind graph.JoinKind, e *env) *relation {
	return b.lateralQuery(left, &ast.Derived{Place: ast.Place{Pos: of.Span()}, Lateral: true, Query: matching(of, on)}, kind, nil, e)
}

// matching is the query of a relation's rows that a condition holds for.
func matching(of ast.TableExpr, on ast.Expr) *ast.Query {
	at := ast.Place{Pos: of.Span()}
	all := &ast.SelectItem{Place: at, Expr: &ast.Star{Place: at}}
	return &ast.Query{Place: at, Body: &ast.Select{Place: at, Items: []*ast.SelectItem{all}, From: []ast.TableExpr{of}, Where: on}}
}

// columnsOf reports whether expressions are nothing but columns of the rows, which are null beside a row without a match.
func columnsOf(list []*expr.Node) bool {
	for _, e := range list {
		if e.Kind != expr.Column || e.Index >= firstOuter {
			return false
		}
	}
	return true
}

// lateralJoin joins rows with what each of them gives.
func (b *Binder) lateralJoin(left *relation, t *ast.Join, e *env) *relation {
	f, ok := t.Right.(*ast.TableFunction)
	d, query := t.Right.(*ast.Derived)
	what := "a function"
	if query {
		what = "a LATERAL query"
	}
	switch {
	case !ok && !query && (t.Kind == ast.LeftJoin || t.Natural || len(t.Using) > 0):
		b.unsupported(t.Right.Span(), "an outer join of a function with other relations is not supported").WithHint("put them into a query: LEFT JOIN LATERAL (SELECT …) ON TRUE")
		return nil
	case t.Kind != ast.InnerJoin && t.Kind != ast.CrossJoin && t.Kind != ast.LeftJoin:
		b.unsupported(t.Right.Span(), "%s JOIN of %s is not supported", t.Kind, what).WithHint("write CROSS JOIN, or LEFT JOIN … ON TRUE")
		return nil
	case t.Natural || len(t.Using) > 0:
		b.unsupported(t.Right.Span(), "USING with %s is not supported", what).WithHint("write ON a.x = b.x")
		return nil
	}
	if query {
		return b.lateralQuery(left, d, joinKinds[t.Kind], t.On, e)
	}
	if ok && t.Kind == ast.LeftJoin && !isTrue(t.On) {
		return b.localFunction(left, f, t.On, e)
	}
	var r *relation
	if ok {
		r = b.rowFunction(f, left, t.Kind == ast.LeftJoin, e)
	} else {
		r = b.onto(left, t.Right, e)
	}
	if r == nil || t.On == nil {
		return r
	}
	p := &place{b: b, scope: r.scope, clause: "ON"}
	cond := p.condition(t.On)
	if cond == nil || !b.joinable(cond) {
		return nil
	}
	if c := expr.Fold(cond); c.Kind == expr.Literal && c.Value == true {
		return r
	}
	return &relation{node: b.where(r, cond, t.On.Span()), scope: r.scope}
}

// isTrue reports whether a condition is none.
func isTrue(e ast.Expr) bool {
	lit, ok := e.(*ast.BoolLit)
	return e == nil || ok && lit.Value
}

// localQuery joins rows with those of a query that looks at nothing but the row before it; nil if this is none. inner is the
// query as it is named, and cond the condition over both, nil for none.
func (b *Binder) localQuery(left *relation, q *bound, inner *relation, kind graph.JoinKind, cond *expr.Node, span fault.Span) *relation {
	if q.frame == nil {
		return nil
	}
	l, cols, ok := b.localized(q.node, map[*leaf][]*expr.Node{q.frame.leaf: q.frame.values})
	if !ok {
		return nil
	}
	s := beside(&relation{node: left.node, scope: left.scope}, &relation{node: inner.node, scope: &scope{columns: inner.scope.columns}})
	if cond != nil {
		l.where(left.node, cond, cols)
	}
	node := l.beside(left.node, kind, cols[:q.own], q.node.Schema().Fields(), span)
	b.fresh[node] = true
	return (&relation{node: node, scope: s}).refreshed()
}

// hintLateral tells, where a query in FROM was refused because it names a relation before it, what would let it.
func (b *Binder) hintLateral(left *relation, t ast.TableExpr, before int) {
	d, ok := t.(*ast.Derived)
	if !ok || d.Lateral || left == nil {
		return
	}
	for _, e := range b.errs[before:] {
		if e.Code != CodeUnknownColumn {
			continue
		}
		ast.Inspect(d.Query, func(n ast.Node) bool {
			if ref, ok := n.(*ast.ColumnRef); ok && ref.Span().Start == e.Span.Start && len(left.scope.of(ref.Path[0])) > 0 {
				e.WithHint("a query in FROM sees the relations before it behind the word LATERAL: FROM …, LATERAL (SELECT …)")
			}
			return true
		})
	}
}

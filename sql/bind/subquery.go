package bind

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// scalars are the scalar subqueries of one clause. Each becomes a left join; until then columns from firstScalar stand for
// them.
type scalars struct {
	env  *env
	list []*scalar
	// at is the column of each, once they are joined.
	at []int
}

// scalar is one of them.
type scalar struct {
	node logical.Node
	// column holds the value; keys are the equalities that correlate it, over its own columns and the outer ones.
	column int
	keys   []correlated
	// counts is set for a count, which is 0 where no row has the keys.
	counts bool
	span   fault.Span
}

// correlated is inner = outer, or with safe IS NOT DISTINCT FROM: inner over the subquery's columns, outer over those of the
// query around it.
type correlated struct {
	inner, outer *expr.Node
	safe         bool
}

// whereClause binds WHERE: subqueries that are its terms become semi and anti joins, the rest a filter.
func (b *Binder) whereClause(in *relation, where ast.Expr, e *env) logical.Node {
	var plain []ast.Expr
	var queries []ast.Expr
	for _, t := range terms(where) {
		if query, _ := membership(t); query != nil {
			queries = append(queries, t)
		} else {
			plain = append(plain, t)
		}
	}
	node, ok := in.node, true
	if len(plain) > 0 {
		p := &place{b: b, scope: in.scope, clause: "WHERE", outer: e.beside(), scalars: &scalars{env: e}}
		if len(queries) == 0 {
			plain = []ast.Expr{where}
		}
		conds := make([]*expr.Node, len(plain))
		for i, t := range plain {
			conds[i] = p.condition(t)
			ok = ok && conds[i] != nil
		}
		if ok {
			node = p.scalars.join(b, node, where.Span())
			cond := p.scalars.resolve(conds[0])
			for _, c := range conds[1:] {
				cond = p.function("and", where.Span(), cond, p.scalars.resolve(c))
			}
			node = b.where(&relation{node: node}, cond, where.Span())
		}
	}
	for _, t := range queries {
		var next logical.Node
		if next = b.membership((&relation{node: node, scope: in.scope}), t, e); next == nil {
			ok = false
		} else {
			node = next
		}
	}
	if !ok {
		return nil
	}
	return node
}

// terms splits a AND b AND c.
func terms(e ast.Expr) []ast.Expr {
	if and, ok := e.(*ast.Binary); ok && and.Op == ast.And {
		return append(terms(and.L), terms(and.R)...)
	}
	return []ast.Expr{e}
}

// membership recognises [NOT] EXISTS (query) and x [NOT] IN (query).
func membership(e ast.Expr) (query *ast.Query, not bool) {
	switch e := e.(type) {
	case *ast.Exists:
		return e.Query, false
	case *ast.In:
		return e.Query, e.Not
	case *ast.Unary:
		if e.Op == ast.Not {
			q, not := membership(e.X)
			return q, !not
		}
	}
	return nil, false
}

// membership joins with the query of an IN or EXISTS.
func (b *Binder) membership(in *relation, t ast.Expr, e *env) logical.Node {
	query, not := membership(t)
	sub := b.subquery(query, in.scope, e)
	inner := t
	for {
		u, ok := inner.(*ast.Unary)
		if !ok {
			break
		}
		inner = u.X
	}
	left := in.node.Schema().NumFields()
	on := logical.On{Kind: graph.SemiJoin, AcrossWindows: true, TTL: b.idle(), Pinned: b.view}
	if not {
		on.Kind = graph.AntiJoin
	}
	if is, ok := inner.(*ast.In); ok {
		x := (&place{b: b, scope: in.scope, clause: "IN"}).expr(is.X)
		if sub == nil || x == nil {
			return nil
		}
		cond := b.compared(x, sub, is, left)
		if cond == nil {
			return nil
		}
		on.Conds = append(on.Conds, cond)
		on.NullAware = not && (x.Nullable || sub.value.Nullable)
	}
	if sub == nil {
		return nil
	}
	for _, c := range sub.correlated {
		on.Conds = append(on.Conds, placed(c, left))
	}
	return b.halfJoin(in.node, sub.node, on, t.Span())
}

// halfJoin makes the semi or anti join of a subquery.
func (b *Binder) halfJoin(left, right logical.Node, on logical.On, span fault.Span) logical.Node {
	c := &rewrite.Context{Functions: b.opts.Functions}
	j := c.OnSides(left, right, on, span)
	if on.NullAware && (len(j.Residual) > 0 || len(j.Keys) == 0) {
		b.unsupported(span, "NOT IN is supported only of a column, and correlated only by equalities").
			WithHint("use NOT EXISTS (SELECT … WHERE …)")
		return nil
	}
	b.fresh[j] = true
	return j
}

// compared is x = the subquery's column.
func (b *Binder) compared(x *expr.Node, sub *subquery, is *ast.In, left int) *expr.Node {
	if sub.value == nil {
		b.errorf(fault.CodeInvalid, is.Query.Span(), "the query of IN has %d columns", sub.columns).WithHint("select one column")
		return nil
	}
	p := &place{b: b, scope: &scope{}, clause: "IN"}
	return p.function("eq", is.Span(), x, logical.Shift(sub.value, left))
}

// placed moves a correlated condition to where the outer columns are the left ones of a join.
func placed(n *expr.Node, left int) *expr.Node {
	return n.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			if x.Index >= firstOuter {
				x.Index -= firstOuter
			} else {
				x.Index += left
			}
		}
		return x
	})
}

// subquery is a query in an expression.
type subquery struct {
	node logical.Node
	// correlated are the terms of its WHERE that name outer columns.
	correlated []*expr.Node
	// value is its only column, over node; nil if it has several.
	value   *expr.Node
	columns int
}

// subquery binds the query of an IN or EXISTS; its WHERE may name columns of the query around it.
func (b *Binder) subquery(q *ast.Query, outer *scope, e *env) *subquery {
	s, simple := q.Body.(*ast.Select)
	if !simple || q.With != nil || len(q.OrderBy) > 0 || q.Limit != nil || q.Offset != nil || s.GroupBy != nil || s.Having != nil || s.Distinct ||
		len(s.Windows) > 0 || s.Qualify != nil || aggregates(b, s.Items) {
		return b.wholeQuery(q, e)
	}
	in := b.from(s, e)
	if in == nil {
		return nil
	}
	node, linked, ok := b.correlate(in, s.Where, outer, e)
	in = (&relation{node: node, scope: in.scope}).refreshed()
	p := &place{b: b, scope: in.scope, clause: "a subquery's select list"}
	items := p.items(s.Items)
	for _, it := range items {
		ok = ok && it.node != nil
	}
	if !ok {
		return nil
	}
	sub := &subquery{node: node, correlated: linked, columns: len(items)}
	if len(items) == 1 {
		sub.value = items[0].node
	}
	return sub
}

func (b *Binder) wholeQuery(q *ast.Query, e *env) *subquery {
	r := b.query(q, e)
	if r == nil {
		return nil
	}
	node := b.concrete(r.node)
	sub := &subquery{node: node, columns: node.Schema().NumFields()}
	if sub.columns == 1 {
		sub.value = expr.NewColumn(0, node.Schema().Field(0)).At(q.Span())
	}
	return sub
}

// aggregates reports whether a select list calls an aggregate, a function over rows or unnest, which make other rows of those
// of FROM.
func aggregates(b *Binder, items []*ast.SelectItem) bool {
	found := false
	for _, it := range items {
		ast.Inspect(it.Expr, func(n ast.Node) bool {
			if _, nested := n.(*ast.Query); nested {
				return false
			}
			if c, ok := n.(*ast.Call); ok && (c.Over != nil || strings.EqualFold(c.Name.Last().Name, "unnest") || b.opts.Aggregates.Has(c.Name.Last().Name) && !b.opts.Functions.Has(c.Name.Last().Name)) {
				found = true
			}
			return !found
		})
	}
	return found
}

// correlate binds a subquery's WHERE. Terms that name outer columns are given back, the others filter.
func (b *Binder) correlate(in *relation, where ast.Expr, outer *scope, e *env) (logical.Node, []*expr.Node, bool) {
	if where == nil {
		return in.node, nil, true
	}
	var linked []*expr.Node
	node, ok := in.node, true
	p := &place{b: b, scope: in.scope, clause: "WHERE", outer: outer, scalars: &scalars{env: e}}
	var plain []*expr.Node
	var queries []ast.Expr
	for _, t := range terms(where) {
		if q, _ := membership(t); q != nil {
			queries = append(queries, t)
			continue
		}
		n := p.condition(t)
		switch {
		case n == nil:
			ok = false
		case namesOuter(n):
			linked = append(linked, rewrite.Conjuncts(n)...)
		default:
			plain = append(plain, n)
		}
	}
	if !ok {
		return node, nil, false
	}
	node = p.scalars.join(b, node, where.Span())
	for i, n := range linked {
		linked[i] = p.scalars.resolve(n)
	}
	for i, n := range plain {
		if n = p.scalars.resolve(n); i > 0 {
			n = p.function("and", where.Span(), plain[0], n)
		}
		plain[0] = n
	}
	if len(plain) > 0 {
		node = b.where(&relation{node: node}, plain[0], where.Span())
	}
	for _, t := range queries {
		next := b.membership(&relation{node: node, scope: in.scope}, t, e)
		if next == nil {
			return node, nil, false
		}
		node = next
	}
	return node, linked, true
}

func namesOuter(n *expr.Node) bool {
	found := false
	n.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.Column && x.Index >= firstOuter && x.Index < firstScalar
		return !found
	})
	return found
}

// scalarQuery binds a query that is a value, and gives the column that stands for it.
func (p *place) scalarQuery(e *ast.Subquery) *expr.Node {
	if p.scalars == nil || p.inAggregate {
		p.b.unsupported(e.Span(), "a subquery cannot stand in %s", p.clause).WithHint("compute it in FROM: join the query, or CROSS JOIN it if it has one row")
		return nil
	}
	sc, ok := p.b.scalar(e, p.scope, p.scalars.env)
	if !ok {
		return nil
	}
	f := sc.node.Schema().Field(sc.column)
	p.scalars.list = append(p.scalars.list, sc)
	n := expr.NewColumn(firstScalar+len(p.scalars.list)-1, f).At(e.Span())
	n.Nullable = true
	if len(sc.keys) > 0 && sc.counts {
		return p.function("coalesce", e.Span(), n, expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(0)))
	}
	return n
}

// scalar plans a scalar subquery: an aggregation without keys, or one that outer columns are compared with.
func (b *Binder) scalar(e *ast.Subquery, outer *scope, env *env) (*scalar, bool) {
	s, simple := e.Query.Body.(*ast.Select)
	tail := len(e.Query.OrderBy) > 0 || e.Query.Limit != nil || e.Query.Offset != nil
	if simple && !tail && e.Query.With == nil && s.GroupBy == nil && s.Having == nil && !s.Distinct && s.Qualify == nil && s.Where != nil && aggregates(b, s.Items) && len(s.Items) == 1 {
		return b.correlatedScalar(e, s, outer, env)
	}
	r := b.query(e.Query, env)
	if r == nil {
		return nil, false
	}
	if n := r.node.Schema().NumFields(); n != 1 {
		b.errorf(fault.CodeInvalid, e.Span(), "a subquery that is a value has %d columns", n).WithHint("select one column")
		return nil, false
	}
	if !oneRow(r.node) {
		b.unsupported(e.Span(), "the subquery may have more than one row").WithHint("aggregate its column, as in (SELECT max(x) FROM t)")
		return nil, false
	}
	return &scalar{node: b.concrete(r.node), span: e.Span()}, true
}

// oneRow reports whether a relation never has more than one row.
func oneRow(n logical.Node) bool {
	switch n := n.(type) {
	case *logical.Values:
		return len(n.Rows) == 1
	case *logical.Project:
		return oneRow(n.Input)
	case *logical.Filter:
		return oneRow(n.Input)
	case *logical.Aggregate:
		return len(n.Keys) == 0 && n.Window == nil
	case *logical.Join:
		return oneRow(n.Left) && (oneRow(n.Right) || !n.RightColumns())
	}
	return false
}

// correlatedScalar plans an aggregation whose WHERE may compare with outer columns: it is grouped by what they are compared
// with.
func (b *Binder) correlatedScalar(e *ast.Subquery, s *ast.Select, outer *scope, env *env) (*scalar, bool) {
	in := b.from(s, env)
	if in == nil {
		return nil, false
	}
	node, linked, ok := b.correlate(in, s.Where, outer, env)
	in = (&relation{node: node, scope: in.scope}).refreshed()
	p := &place{b: b, scope: in.scope, clause: "a subquery's select list", aggregates: &collected{}}
	it := p.item(s.Items[0])
	if !ok || it.node == nil || !p.strayWindows([]*item{it}) {
		return nil, false
	}
	g := &grouping{b: b, in: node, span: e.Span()}
	sc := &scalar{span: e.Span()}
	for _, c := range linked {
		k, ok := link(c)
		if !ok {
			b.unsupported(c.Span, "a subquery that is a value can be correlated only by equalities").
				WithHint("write inner.x = outer.y, or join the tables and group by the outer columns")
			return nil, false
		}
		sc.keys = append(sc.keys, k)
		g.add(k.inner, arrow.Field{Name: "key"})
	}
	if !g.split(nil) {
		return nil, false
	}
	agg := g.aggregate(p.aggregates.calls)
	return b.scalarResult(sc, g, p, agg, it)
}

// scalarResult puts the value behind the keys.
func (b *Binder) scalarResult(sc *scalar, g *grouping, p *place, agg *logical.Aggregate, it *item) (*scalar, bool) {
	value := g.over(p, agg, it.node)
	if value == nil {
		return nil, false
	}
	sc.counts = it.node.Kind == expr.Column && it.node.Index >= firstCall && p.aggregates.calls[it.node.Index-firstCall].Name == "count"
	if len(sc.keys) > 0 && !sc.counts && neverNullOfNothing(it.node, p.aggregates.calls) {
		b.unsupported(sc.span, "an expression over count in a correlated subquery is not supported").
			WithHint("let the subquery give the count alone, and compute with it outside")
		return nil, false
	}
	var exprs []*expr.Node
	var fields []arrow.Field
	for i := range sc.keys {
		for x, e := range g.exprs {
			if expr.Equal(e, sc.keys[i].inner) {
				sc.keys[i].inner = expr.NewColumn(len(exprs), arrow.Field{Name: "key", Type: e.Type, Nullable: e.Nullable}).At(e.Span)
				exprs = append(exprs, g.result(x, agg))
				break
			}
		}
		fields = append(fields, arrow.Field{Name: "key"})
	}
	field := arrow.Field{Name: it.field.Name}
	sc.column = len(exprs)
	sc.node = logical.NewProject(agg, append(exprs, value), append(fields, field), sc.span)
	return sc, true
}

// neverNullOfNothing reports whether an expression has a value of its own where there are no rows: it counts them, or does
// not look at aggregates alone.
func neverNullOfNothing(n *expr.Node, calls []*logical.Call) bool {
	found := false
	n.Walk(func(x *expr.Node) bool {
		switch {
		case x.Kind == expr.Column && x.Index >= firstCall && x.Index < firstWindow:
			found = found || !calls[x.Index-firstCall].Nullable
		case x.Kind == expr.Case, x.Kind == expr.Call && !propagates[x.Name]:
			found = true
		}
		return !found
	})
	return found
}

// propagates names functions that give null when an argument is null.
var propagates = map[string]bool{
	"add": true, "subtract": true, "multiply": true, "divide": true, "modulo": true, "negate": true, "abs": true,
	"round": true, "floor": true, "ceil": true, "lower": true, "upper": true,
}

// link reads inner = outer.
func link(c *expr.Node) (correlated, bool) {
	if c.Kind != expr.Call || c.Name != "eq" && c.Name != "is_not_distinct_from" || !arrow.TypeEqual(c.Args[0].Type, c.Args[1].Type) {
		return correlated{}, false
	}
	a, b := c.Args[0], c.Args[1]
	if namesOuter(a) {
		a, b = b, a
	}
	pure := true
	b.Walk(func(x *expr.Node) bool {
		pure = pure && (x.Kind != expr.Column || x.Index >= firstOuter)
		return pure
	})
	return correlated{a, b, c.Name != "eq"}, !namesOuter(a) && namesOuter(b) && pure
}

// independent refuses correlated scalar subqueries over the results of a grouping.
func (s *scalars) independent(b *Binder) bool {
	if s == nil {
		return true
	}
	for _, sc := range s.list {
		if len(sc.keys) > 0 {
			b.unsupported(sc.span, "a correlated subquery is not supported beside GROUP BY and aggregates").
				WithHint("group in a subquery in FROM, and compare in the query around it")
			return false
		}
	}
	return true
}

// join puts the values of all subqueries beside the columns of a relation.
func (s *scalars) join(b *Binder, in logical.Node, span fault.Span) logical.Node {
	if s == nil {
		return in
	}
	p := &place{b: b, scope: &scope{}}
	for _, sc := range s.list {
		left := in.Schema().NumFields()
		on := logical.On{Kind: graph.LeftJoin, AcrossWindows: true, TTL: b.idle(), Pinned: b.view}
		for _, k := range sc.keys {
			name := "eq"
			if k.safe {
				name = "is_not_distinct_from"
			}
			outer := k.outer.Map(func(x *expr.Node) *expr.Node {
				if x.Kind == expr.Column {
					x.Index -= firstOuter
				}
				return x
			})
			on.Conds = append(on.Conds, p.function(name, sc.span, outer, logical.Shift(k.inner, left)))
		}
		j := logical.NewJoin(in, sc.node, on, sc.span)
		b.fresh[j] = true
		s.at = append(s.at, left+sc.column)
		in = j
	}
	return in
}

// resolve replaces what stands for subqueries by their columns.
func (s *scalars) resolve(n *expr.Node) *expr.Node {
	if s == nil || len(s.list) == 0 {
		return n
	}
	return n.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column && x.Index >= firstScalar && x.Index < firstCall {
			x.Index = s.at[x.Index-firstScalar]
		}
		return x
	})
}

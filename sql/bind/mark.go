package bind

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// Subqueries in expressions are left joins: each has at most one row for a row of the query around it, and columns from
// firstScalar stand for those of the join until it is made. A value is such a column itself; EXISTS asks whether there is a
// row; IN looks for the value in the distinct ones of the query, and where it is not found, three-valued logic asks whether
// there are any, and nulls among them; a comparison with ANY or ALL needs no more than the least and the greatest.

// scalars are the subqueries in the expressions of one SELECT.
type scalars struct {
	env  *env
	list []*scalar
	// columns says what the columns from firstScalar are.
	columns []scalarColumn
	// known are the expressions that were bound before.
	known []knownQuery
}

// scalarColumn is a column of one of the joined relations.
type scalarColumn struct{ scalar, column int }

// knownQuery is an expression with a subquery that has been bound; in HAVING names mean other things.
type knownQuery struct {
	at     ast.Expr
	having bool
	node   *expr.Node
}

// scalar is a relation to be joined.
type scalar struct {
	node logical.Node
	// frames are those whose leaf is in node.
	frames []*frame
	keys   []scalarKey
	span   fault.Span
}

// scalarKey says that column inner of the relation equals a value over the query around; with safe also if both are null.
type scalarKey struct {
	outer *expr.Node
	inner int
	safe  bool
}

// queryExpression binds an expression with a subquery.
func (p *place) queryExpression(e ast.Expr) *expr.Node {
	if p.scalars == nil {
		p.b.unsupported(e.Span(), "a subquery cannot stand in %s", p.clause).WithHint("compute it in FROM: join the query, or CROSS JOIN it if it has one row")
		return nil
	}
	having := p.aliases != nil
	for _, k := range p.scalars.known {
		if k.having == having && ast.Equal(k.at, e) {
			return k.node.At(e.Span())
		}
	}
	n := p.newQuery(e)
	if n != nil {
		n = n.At(e.Span())
		if !p.volatile(e) {
			p.scalars.known = append(p.scalars.known, knownQuery{e, having, n})
		}
	}
	return n
}

// volatile reports whether a part of the text calls a function that may give another result each time.
func (p *place) volatile(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if c, ok := n.(*ast.Call); ok {
			name := c.Name.Last().Name
			found = found || p.b.opts.Functions.Has(name) && p.b.opts.Functions.Volatility(name) != expr.Immutable
		}
		return !found
	})
	return found
}

func (p *place) newQuery(e ast.Expr) *expr.Node {
	switch e := e.(type) {
	case *ast.Subquery:
		return p.scalarQuery(e)
	case *ast.ArrayQuery:
		return p.arrayQuery(e)
	}
	if m := membershipOf(e); m != nil {
		xs, q := m.bind(p)
		if q == nil {
			return nil
		}
		return m.mark(p, xs, q)
	}
	return p.quantifiedQuery(e.(*ast.Quantified))
}

// comparable refuses the elements of lists, which do not exist yet where subqueries are joined.
func (p *place) comparable(xs []*expr.Node) bool {
	for _, x := range xs {
		ok := true
		x.Walk(func(n *expr.Node) bool {
			ok = ok && !isUnnest(n)
			return ok
		})
		if !ok {
			p.b.unsupported(x.Span, "the elements of a list cannot be compared with a subquery").WithHint("unnest in FROM, and compare its column: FROM t, unnest(t.list) AS x")
			return false
		}
	}
	return true
}

// column adds a relation, unless it is there, and gives what stands for one of its columns.
func (s *scalars) column(sc *scalar, c int) *expr.Node {
	at := -1
	for i, o := range s.list {
		if o == sc {
			at = i
		}
	}
	if at < 0 {
		at = len(s.list)
		s.list = append(s.list, sc)
	}
	i := len(s.columns)
	s.columns = append(s.columns, scalarColumn{at, c})
	n := expr.NewColumn(firstScalar+i, sc.node.Schema().Field(c)).At(sc.span)
	n.Nullable = true
	return n
}

func namesScalar(n *expr.Node) bool {
	found := false
	n.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.Column && x.Index >= firstScalar && x.Index < firstCall
		return !found
	})
	return found
}

// used marks the relations that an expression needs, and those that they need.
func (s *scalars) used(n *expr.Node, in map[int]bool) {
	n.Walk(func(x *expr.Node) bool {
		if x.Kind == expr.Column && x.Index >= firstScalar && x.Index < firstCall {
			at := s.columns[x.Index-firstScalar].scalar
			if !in[at] {
				in[at] = true
				for _, k := range s.list[at].keys {
					s.used(k.outer, in)
				}
			}
		}
		return true
	})
}

// late are the relations that are compared with what calls with OVER give, directly or through others.
func (s *scalars) late() map[int]bool {
	out := map[int]bool{}
	if s == nil {
		return out
	}
	for i, sc := range s.list {
		see := func(n *expr.Node) {
			n.Walk(func(x *expr.Node) bool {
				switch {
				case x.Kind != expr.Column:
				case x.Index >= firstOver && x.Index < firstOuter, x.Index >= firstScalar && x.Index < firstCall && out[s.columns[x.Index-firstScalar].scalar]:
					out[i] = true
				}
				return true
			})
		}
		for _, k := range sc.keys {
			see(k.outer)
		}
		for _, f := range sc.frames {
			for _, v := range f.values {
				see(v)
			}
		}
	}
	return out
}

// early are the others.
func (s *scalars) early() map[int]bool {
	late, out := s.late(), map[int]bool{}
	for i := range s.list {
		out[i] = !late[i]
	}
	return out
}

// join joins relations to the query around: those in which, or all. move rewrites expressions of the SELECT into ones over
// in, and gives nil if it has refused one. resolve puts the columns of the join in the place of those that stand for them.
func (s *scalars) join(b *Binder, in logical.Node, which map[int]bool, move func(*expr.Node) *expr.Node) (out logical.Node, resolve func(*expr.Node) *expr.Node) {
	if s == nil {
		return in, func(n *expr.Node) *expr.Node { return n }
	}
	at := map[int]int{}
	resolve = func(n *expr.Node) *expr.Node {
		if n == nil || len(s.list) == 0 {
			return n
		}
		return n.Map(func(x *expr.Node) *expr.Node {
			if x.Kind == expr.Column && x.Index >= firstScalar && x.Index < firstCall {
				c := s.columns[x.Index-firstScalar]
				if i, joined := at[c.scalar]; joined {
					x.Index = i + c.column
				}
			}
			return x
		})
	}
	over := func(n *expr.Node) *expr.Node {
		if move != nil {
			n = move(n)
		}
		return resolve(n)
	}
	base, node := in, in
	for i, sc := range s.list {
		if which != nil && !which[i] {
			continue
		}
		at[i] = node.Schema().NumFields()
		if node = b.joinScalar(base, node, sc, over); node == nil {
			return nil, nil
		}
	}
	return node, resolve
}

// joinScalar joins one relation to what has been joined before; base is the query around without any.
func (b *Binder) joinScalar(base, left logical.Node, sc *scalar, over func(*expr.Node) *expr.Node) logical.Node {
	errs := len(b.errs)
	if n := b.localScalar(left, sc, over); n != nil || len(b.errs) > errs {
		return n
	}
	on := b.onValues(graph.LeftJoin)
	on.LeftTime = true
	right := sc.node
	for _, f := range sc.frames {
		values := make([]*expr.Node, len(f.values))
		around := base
		for i, v := range f.values {
			if values[i] = over(v); values[i] == nil {
				return nil
			}
			values[i].Walk(func(x *expr.Node) bool {
				if x.Kind == expr.Column && x.Index >= base.Schema().NumFields() {
					around = left
				}
				return true
			})
		}
		right = f.leaf.replaced(right, b.valuesAround(around, values, f.leaf))
	}
	n := left.Schema().NumFields()
	for _, k := range sc.keys {
		x := over(k.outer)
		if x == nil {
			return nil
		}
		t := b.same(x, expr.NewColumn(n+k.inner, right.Schema().Field(k.inner)).At(sc.span), k.safe, sc.span)
		if t == nil {
			return nil
		}
		on.Conds = append(on.Conds, t)
	}
	j := logical.NewJoin(left, right, on, sc.span)
	b.fresh[j] = true
	return j
}

// groupedValues groups a query's rows by the values around, and by others, and gives a relation of the former, the latter
// and the results of calls; and which of its columns equal what in the query around.
func (b *Binder) groupedValues(q *bound, by []*expr.Node, calls []*logical.Call, single bool) *scalar {
	g := &grouping{b: b, in: q.node, span: q.span, single: single}
	var keys []*expr.Node
	for _, c := range q.scope.outer {
		keys = append(keys, expr.NewColumn(c.index, q.node.Schema().Field(c.index)).At(q.span))
	}
	keys = append(keys, by...)
	for _, k := range keys {
		g.add(k, arrow.Field{Name: "key"})
	}
	if !g.split(nil) {
		return nil
	}
	agg := g.aggregate(calls)
	var exprs []*expr.Node
	var fields []arrow.Field
	for _, k := range keys {
		for i, e := range g.exprs {
			if expr.Equal(e, k) {
				exprs, fields = append(exprs, g.result(i, agg)), append(fields, arrow.Field{Name: "key"})
				break
			}
		}
	}
	for i := range calls {
		c := agg.FirstCall() + i
		exprs, fields = append(exprs, expr.NewColumn(c, agg.Schema().Field(c)).At(q.span)), append(fields, arrow.Field{Name: calls[i].Name})
	}
	exprs, fields = append(exprs, expr.NewLiteral(arrow.FixedWidthTypes.Boolean, true).At(q.span)), append(fields, arrow.Field{Name: "found"})
	return q.scalar(logical.NewProject(agg, exprs, fields, q.span))
}

// scalar is a relation whose first columns are the values around.
func (q *bound) scalar(n logical.Node) *scalar {
	sc := &scalar{node: n, span: q.span}
	if q.frame == nil {
		return sc
	}
	whole := q.frame.leaf.in(n)
	if whole {
		sc.frames = append(sc.frames, q.frame)
	}
	for i, v := range q.frame.values {
		sc.keys = append(sc.keys, scalarKey{v, i, whole || q.frame.safe[i]})
	}
	return sc
}

// aggregateCall is a call of an aggregate over a query's columns.
func (p *place) aggregateCall(name string, span fault.Span, args ...*expr.Node) *logical.Call {
	e := &ast.Call{Place: ast.At(span), Name: ast.Name{{Place: ast.At(span), Name: name}}}
	c, _ := p.resolveCall(name, e, args, nil, nil)
	return c
}

// ready is a query whose own SELECT, if it is a plain one, has been shortened.
func (q *bound) ready(b *Binder) *bound {
	if q.frame == nil || !q.frame.leaf.in(q.node) {
		return q
	}
	c := *q
	c.relation = b.shortened(q.relation, q.frame)
	return &c
}

// truth is a constant.
func truth(v any, span fault.Span) *expr.Node {
	return expr.NewLiteral(arrow.FixedWidthTypes.Boolean, v).At(span)
}

// choice is CASE WHEN … THEN … ELSE … END over conditions and results in turn, the last one being the ELSE.
func (p *place) choice(span fault.Span, parts ...*expr.Node) *expr.Node {
	var conds, results []*expr.Node
	for i, n := range parts {
		switch {
		case n == nil:
			return nil
		case i%2 == 1:
			results = append(results, n)
		case i < len(parts)-1:
			conds = append(conds, n)
		}
	}
	n, err := expr.NewCase(conds, results, parts[len(parts)-1], span)
	if err != nil {
		p.b.report(err, span)
		return nil
	}
	return n
}

// mark is the truth value of a membership.
func (m *membership) mark(p *place, xs []*expr.Node, q *bound) *expr.Node {
	if !p.comparable(xs) {
		return nil
	}
	span := m.at.Span()
	var n *expr.Node
	switch {
	case m.x == nil && q.exactlyOne():
		n = truth(true, span)
	case m.x == nil:
		n = p.exists(q.ready(p.b), span)
	default:
		n = p.isIn(q, xs, span)
	}
	if m.not {
		return p.function("not", span, n)
	}
	return n
}

// exists asks whether a query has a row.
func (p *place) exists(q *bound, span fault.Span) *expr.Node {
	var calls []*logical.Call
	if q.frame == nil {
		calls = append(calls, p.aggregateCall("count", span))
	}
	sc := p.b.groupedValues(q, nil, calls, false)
	if sc == nil {
		return nil
	}
	if q.frame == nil {
		return p.function("gt", span, p.zero(p.scalars.column(sc, 0)), expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(0)))
	}
	return p.function("is_not_null", span, p.scalars.column(sc, sc.node.Schema().NumFields()-1))
}

// zero is a count, which is 0 where there is no group.
func (p *place) zero(n *expr.Node) *expr.Node {
	return p.function("coalesce", n.Span, n, expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(0)))
}

// isIn asks whether a query has a row that equals the values.
func (p *place) isIn(q *bound, xs []*expr.Node, span fault.Span) *expr.Node {
	if q.exactlyOne() {
		var all *expr.Node
		values := p.rowOf(q)
		if values == nil {
			return nil
		}
		for i, x := range xs {
			n := p.function("eq", span, x, values[i])
			if i > 0 {
				n = p.function("and", span, all, n)
			}
			if all = n; n == nil {
				return nil
			}
		}
		return all
	}
	q = q.ready(p.b)
	equal := &place{b: p.b, scope: &scope{}, clause: "IN"}
	ys, certain := make([]*expr.Node, len(xs)), true
	left := make([]*expr.Node, len(xs))
	for i, x := range xs {
		// Only the types count here; where the columns come from is told apart by the argument.
		cond := equal.function("eq", span, x, q.field(i))
		if cond == nil {
			return nil
		}
		left[i], ys[i] = cond.Args[0], cond.Args[1]
		certain = certain && !x.Nullable && !ys[i].Nullable
	}
	found := p.found(q, left, ys)
	switch {
	case found == nil || certain:
		return found
	case len(xs) > 1:
		may := p.pair(q, left, span, func(xs []*expr.Node) []*expr.Node {
			terms := make([]*expr.Node, len(xs))
			for i, x := range xs {
				if terms[i] = p.function("eq", span, x, ys[i]); terms[i].Nullable {
					terms[i] = p.function("is_not_false", span, terms[i])
				}
			}
			return terms
		})
		return p.choice(span, found, truth(true, span), may, truth(nil, span), truth(false, span))
	}
	sc := p.b.groupedValues(q, nil, []*logical.Call{p.aggregateCall("count", span), p.aggregateCall("count", span, ys[0])}, false)
	if sc == nil {
		return nil
	}
	k := len(q.scope.outer)
	rows, values := p.zero(p.scalars.column(sc, k)), p.scalars.column(sc, k+1)
	return p.choice(span, found, truth(true, span), p.function("eq", span, rows, expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(0))), truth(false, span),
		p.function("or", span, p.function("is_null", span, xs[0]), p.function("lt", span, values, rows)), truth(nil, span), truth(false, span))
}

// found looks the values up among the distinct ones of a query.
func (p *place) found(q *bound, xs, ys []*expr.Node) *expr.Node {
	var known []*expr.Node
	for _, y := range ys {
		if y.Nullable {
			known = append(known, p.function("is_not_null", y.Span, y))
		}
	}
	c := *q
	if cond := p.b.every(known, q.span); cond != nil {
		c.relation = &relation{node: logical.NewFilter(q.node, cond, q.span), scope: q.scope}
	}
	sc := p.b.groupedValues(&c, ys, nil, false)
	if sc == nil {
		return nil
	}
	for i, x := range xs {
		sc.keys = append(sc.keys, scalarKey{x, len(q.scope.outer) + i, false})
	}
	return p.function("is_not_null", q.span, p.scalars.column(sc, sc.node.Schema().NumFields()-1))
}

// pair asks whether a query has a row of which terms over it and the values are true: it joins the distinct values with the
// query.
func (p *place) pair(q *bound, xs []*expr.Node, span fault.Span, terms func(xs []*expr.Node) []*expr.Node) *expr.Node {
	f := &frame{safe: make([]bool, len(xs))}
	var fields []arrow.Field
	if q.frame != nil {
		f.values, f.safe = append(f.values, q.frame.values...), append(f.safe, q.frame.safe...)
		fields = append(fields, q.frame.leaf.schema.Fields()...)
	}
	for i, x := range xs {
		f.values = append(f.values, x)
		fields = append(fields, arrow.Field{Name: fmt.Sprintf("value%d", i), Type: x.Type, Nullable: x.Nullable})
	}
	f.leaf = newLeaf(fields, span)
	n := q.node.Schema().NumFields()
	at := func(i int) *expr.Node { return expr.NewColumn(n+i, fields[i]).At(span) }
	on := p.b.onValues(graph.InnerJoin)
	for i, c := range q.scope.outer {
		on.Conds = append(on.Conds, p.b.same(at(i), expr.NewColumn(c.index, q.node.Schema().Field(c.index)).At(span), true, span))
	}
	k := len(q.scope.outer)
	values := make([]*expr.Node, len(xs))
	for i := range xs {
		values[i] = at(k + i)
	}
	for _, t := range terms(values) {
		if t == nil {
			return nil
		}
		on.Conds = append(on.Conds, t)
	}
	j := logical.NewJoin(q.node, f.leaf, on, span)
	wide := &bound{relation: &relation{node: j, scope: &scope{}}, frame: f, span: span}
	for i, field := range fields {
		wide.scope.outer = append(wide.scope.outer, scopeColumn{field: field, index: n + i})
	}
	sc := p.b.groupedValues(wide, nil, nil, false)
	if sc == nil {
		return nil
	}
	if q.frame != nil && q.frame.leaf.in(sc.node) {
		sc.frames = append(sc.frames, q.frame)
	}
	return p.function("is_not_null", span, p.scalars.column(sc, sc.node.Schema().NumFields()-1))
}

// quantifiedQuery is x op ANY (query) or x op ALL (query), but for those that are IN.
func (p *place) quantifiedQuery(e *ast.Quantified) *expr.Node {
	span := e.Span()
	name := binaryFunctions[e.Op]
	if n := patternOperators[e.Op]; n != "" {
		name = n
	}
	bounds := map[ast.BinaryOp][2]string{ast.Lt: {"max", "min"}, ast.Le: {"max", "min"}, ast.Gt: {"min", "max"}, ast.Ge: {"min", "max"}, ast.Eq: {"", ""}, ast.Ne: {"", ""}}
	bound, ok := bounds[e.Op]
	pattern := patternOperators[e.Op]
	like := pattern != ""
	if !ok && !like {
		p.b.unsupported(span, "%s before ANY or ALL is not supported", e.Op).WithHint("the operators are = <> < <= > >= LIKE ILIKE ~ ~*")
		return nil
	}
	xs := p.all(rowValues(e.X))
	q := p.subquery(e.Query)
	if xs == nil || q == nil || !p.b.width(q, len(xs), e.Query.Span()) || !p.comparable(xs) {
		return nil
	}
	compare := func(xs, ys []*expr.Node) *expr.Node {
		if like {
			name = pattern
		}
		return p.compareRows(name, row{xs, e.X.Span()}, row{ys, q.span}, span)
	}
	if q.exactlyOne() {
		values := p.rowOf(q)
		if values == nil {
			return nil
		}
		return compare(xs, values)
	}
	q = q.ready(p.b)
	ys := make([]*expr.Node, len(xs))
	for i := range ys {
		ys[i] = q.field(i)
	}
	if compare(xs, ys) == nil {
		return nil
	}
	if like || len(xs) > 1 {
		return p.anyPair(e, xs, q, func(xs []*expr.Node) *expr.Node { return compare(xs, ys) })
	}
	x, y := xs[0], ys[0]
	calls := []*logical.Call{p.aggregateCall("count", span), p.aggregateCall("count", span, y), p.aggregateCall("min", span, y), p.aggregateCall("max", span, y)}
	for _, c := range calls {
		if c == nil {
			return nil
		}
	}
	sc := p.b.groupedValues(q, nil, calls, false)
	if sc == nil {
		return nil
	}
	k := len(q.scope.outer)
	rows, values := p.zero(p.scalars.column(sc, k)), p.scalars.column(sc, k+1)
	ends := map[string]*expr.Node{"min": p.scalars.column(sc, k+2), "max": p.scalars.column(sc, k+3)}
	decided := e.All
	var cond *expr.Node
	switch which := bound[0]; {
	case e.Op == ast.Eq || e.Op == ast.Ne:
		// Only = ALL and <> ANY get here: the values are all the same, or they are not.
		both := "and"
		if e.Op == ast.Ne {
			both = "or"
		}
		cond = p.function(both, span, p.function(name, span, x, ends["min"]), p.function(name, span, x, ends["max"]))
	case e.All:
		which = bound[1]
		fallthrough
	default:
		cond = p.function(name, span, x, ends[which])
	}
	if e.All {
		cond = p.function("not", span, cond)
	}
	return p.choice(span, p.function("eq", span, rows, expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(0))), truth(decided, span),
		cond, truth(!decided, span),
		p.function("or", span, p.function("is_null", span, x), p.function("lt", span, values, rows)), truth(nil, span), truth(decided, span))
}

// anyPair is x LIKE ANY (query), (x, y) < ALL (query) and their relatives, for which the least and the greatest say nothing: the
// values are compared with those of every row.
func (p *place) anyPair(e *ast.Quantified, xs []*expr.Node, q *bound, compare func(xs []*expr.Node) *expr.Node) *expr.Node {
	span := e.Span()
	ask := func(test string) *expr.Node {
		return p.pair(q, xs, span, func(xs []*expr.Node) []*expr.Node {
			return []*expr.Node{p.function(test, span, compare(xs))}
		})
	}
	decides := "is_true"
	if e.All {
		decides = "is_false"
	}
	return p.choice(span, ask(decides), truth(!e.All, span), ask("is_unknown"), truth(nil, span), truth(e.All, span))
}

// scalarQuery binds a query that is a value.
func (p *place) scalarQuery(e *ast.Subquery) *expr.Node {
	q := p.subquery(e.Query)
	if q == nil {
		return nil
	}
	if q.own != 1 {
		p.b.errorf(fault.CodeInvalid, e.Span(), "a subquery that is a value has %d columns", q.own).WithHint("select one column")
		return nil
	}
	values := p.values(e, q)
	if values == nil {
		return nil
	}
	return values[0]
}

// rowAndQuery recognises the comparison of (a, b) with (SELECT x, y …), either way round, and gives how the row compares with the
// query then.
func rowAndQuery(e *ast.Binary) (x *ast.Row, q *ast.Subquery, op ast.BinaryOp, ok bool) {
	turned, ok := map[ast.BinaryOp]ast.BinaryOp{
		ast.Eq: ast.Eq, ast.Ne: ast.Ne, ast.Lt: ast.Gt, ast.Le: ast.Ge, ast.Gt: ast.Lt, ast.Ge: ast.Le,
	}[e.Op]
	if !ok {
		return nil, nil, op, false
	}
	l, r, op := e.L, e.R, e.Op
	if _, is := l.(*ast.Subquery); is {
		l, r, op = r, l, turned
	}
	x, isRow := l.(*ast.Row)
	q, isQuery := r.(*ast.Subquery)
	return x, q, op, isRow && isQuery
}

// rowQuery compares a row with that of a query.
func (p *place) rowQuery(op ast.BinaryOp, x *ast.Row, query *ast.Subquery, span fault.Span) *expr.Node {
	if p.scalars == nil {
		return p.queryExpression(query)
	}
	xs := p.all(x.Items)
	q := p.subquery(query.Query)
	if xs == nil || q == nil || !p.b.width(q, len(xs), query.Query.Span()) {
		return nil
	}
	values := p.values(query, q)
	if values == nil {
		return nil
	}
	return p.compareRows(binaryFunctions[op], row{xs, x.Span()}, row{values, query.Span()}, span)
}

// values are the columns of the one row of a query, nulls if it has none.
func (p *place) values(e *ast.Subquery, q *bound) []*expr.Node {
	if out := p.b.inline(q); out != nil {
		return out
	}
	if q.exactlyOne() {
		return p.rowOf(q)
	}
	var columns []int
	for _, c := range q.scope.outer {
		columns = append(columns, c.index)
	}
	if oneRow(q.node, columns) {
		return p.plainValues(q)
	}
	if q.frame != nil && q.frame.shortened {
		// Only rows for the values that there are may be counted.
		if q = p.subqueryFor(e.Query, forCounting); q == nil {
			return nil
		}
	}
	calls := make([]*logical.Call, q.own)
	for i := range calls {
		if calls[i] = p.aggregateCall("first_value", e.Span(), q.field(i)); calls[i] == nil {
			return nil
		}
	}
	sc := p.b.groupedValues(q, nil, calls, true)
	if sc == nil {
		return nil
	}
	return p.columns(sc, len(q.scope.outer), q.own)
}

// columns are those that stand for n of a relation.
func (p *place) columns(sc *scalar, from, n int) []*expr.Node {
	out := make([]*expr.Node, n)
	for i := range out {
		out[i] = p.scalars.column(sc, from+i)
	}
	return out
}

// keyed is a query's columns behind the values around.
func (q *bound) keyed() (exprs []*expr.Node, fields []arrow.Field) {
	exprs = q.scope.carriedColumns(q.span)
	for range exprs {
		fields = append(fields, arrow.Field{Name: "key"})
	}
	for i := range q.own {
		exprs, fields = append(exprs, q.field(i)), append(fields, q.node.Schema().Field(i))
	}
	return exprs, fields
}

// plainValues are the columns of a query that has at most one row for the values around.
func (p *place) plainValues(q *bound) []*expr.Node {
	exprs, fields := q.keyed()
	return p.columns(q.scalar(logical.NewProject(q.node, exprs, fields, q.span)), len(q.scope.outer), q.own)
}

// rowOf is the columns of a query that has exactly one row for the values around.
func (p *place) rowOf(q *bound) []*expr.Node {
	k := len(q.scope.outer)
	exprs, fields := q.keyed()
	exprs, fields = append(exprs, truth(true, q.span)), append(fields, arrow.Field{Name: "found"})
	sc := q.scalar(logical.NewProject(q.node, exprs, fields, q.span))
	out := p.columns(sc, k, q.own)
	for i := range out {
		if q.frame == nil {
			continue
		}
		empty := q.frame.around(q.frame.empty[i], 0)
		switch {
		case empty.Kind == expr.Literal && empty.Value == nil:
		case !q.node.Schema().Field(i).Nullable:
			out[i] = p.function("coalesce", q.span, out[i], empty)
		default:
			out[i] = p.choice(q.span, p.function("is_null", q.span, p.scalars.column(sc, k+q.own)), empty, out[i])
		}
		if out[i] == nil {
			return nil
		}
	}
	return out
}

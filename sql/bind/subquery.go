package bind

import (
	"fmt"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// maxDepth bounds how deep subqueries in expressions may be nested: each is bound up to three times, and so are those in it.
const maxDepth = 8

// bound is a query in an expression.
type bound struct {
	*relation
	// own is the number of its own columns; those of the frame are behind them.
	own int
	// frame is nil if the query names no column of the query around it.
	frame *frame
	span  fault.Span
}

// field is one of its own columns.
func (q *bound) field(i int) *expr.Node {
	return expr.NewColumn(i, q.node.Schema().Field(i)).At(q.span)
}

// subquery binds a query in an expression.
func (p *place) subquery(q *ast.Query) *bound { return p.subqueryFor(q, forValues) }

func (p *place) subqueryFor(q *ast.Query, to purpose) *bound {
	around := *p.scope
	around.where = p.clause == "WHERE"
	if p.grouped && !p.inAggregate {
		around.calls = p.aggregates
	}
	return p.b.framed(q, &around, p.scalars.env, to)
}

// purpose is what a subquery is for.
type purpose uint8

const (
	// forValues: its rows are looked up by the values around.
	forValues purpose = iota
	// forCounting is the same, and there must be no row for other values.
	forCounting
	// forRows: its rows stand beside those around.
	forRows
)

func (b *Binder) framed(q *ast.Query, around *scope, e *env, to purpose) *bound {
	if b.depth >= maxDepth {
		b.unsupported(q.Span(), "subqueries are nested more than %d deep", maxDepth).WithHint("name the inner ones in WITH")
		return nil
	}
	b.depth++
	b.arounds = append(b.arounds, around)
	defer func() {
		b.depth--
		b.arounds = b.arounds[:len(b.arounds)-1]
	}()
	if len(q.OrderBy) > 0 && q.Limit == nil && q.Offset == nil && distinctOn(q) == nil {
		// An order that nobody sees.
		c := *q
		c.OrderBy = nil
		q = &c
	}
	carriers := e.carriers()
	columns := around.likelyIn(q, carriers)
	var exact map[ast.Node]bool
	for {
		errs, warnings := len(b.errs), len(b.warnings)
		var f *frame
		if len(columns) > 0 {
			f = newFrame(columns, q.Span())
			f.carriers = carriers
			f.exact, f.counted, f.rows, f.calls = exact, to == forCounting, to == forRows, around.calls
			f.where = around.where
			if s, ok := q.Body.(*ast.Select); ok && len(q.OrderBy) == 0 && q.Limit == nil && q.Offset == nil {
				f.top = s
			}
		}
		r := b.query(q, &env{outer: e, subquery: true, frame: f})
		if f != nil && exact == nil {
			if used, well := f.found(); !well {
				columns, exact = used, f.refs
				b.errs, b.warnings = b.errs[:errs], b.warnings[:warnings]
				continue
			}
		}
		if r == nil {
			return nil
		}
		out := &bound{relation: r, own: len(r.scope.columns), frame: f, span: q.Span()}
		if r.scope.outer == nil {
			out.frame = nil
			out.relation = &relation{node: b.concrete(r.node), scope: r.scope}
		}
		return out
	}
}

// whereClause binds WHERE: subqueries that are its terms become semi and anti joins where they can, everything else a filter.
func (b *Binder) whereClause(in *relation, where ast.Expr, e *env) logical.Node {
	p := &place{b: b, scope: in.scope, clause: "WHERE", scalars: &scalars{env: e}}
	var before, after []*expr.Node
	type half struct {
		query *bound
		on    logical.On
		span  fault.Span
	}
	var halves []half
	ok := true
	list := []ast.Expr{where}
	if hasQuery(where) {
		list = terms(where)
	}
	for _, t := range list {
		m := membershipOf(t)
		if m == nil {
			n := p.condition(t)
			switch {
			case n == nil:
				ok = false
			case namesScalar(n):
				after = append(after, n)
			default:
				before = append(before, n)
			}
			continue
		}
		xs, q := m.bind(p)
		if q == nil {
			ok = false
			continue
		}
		if on, right, is := b.half(in.node, m, xs, q); is {
			q.node = right
			halves = append(halves, half{q, on, t.Span()})
			continue
		}
		n := m.mark(p, xs, q)
		ok = ok && n != nil
		after = append(after, n)
	}
	if !ok {
		return nil
	}
	node := in.node
	if cond := b.every(before, where.Span()); cond != nil {
		node = b.where(&relation{node: node}, cond, where.Span())
	}
	for _, h := range halves {
		right := h.query.node
		if n := b.localHalf(node, right, h.query.frame, h.on, h.span); n != nil {
			node = n
			continue
		}
		if f := h.query.frame; f != nil && f.leaf.in(right) {
			right = f.leaf.replaced(right, b.valuesAround(node, f.values, f.leaf))
		}
		c := &rewrite.Context{Functions: b.opts.Functions}
		j := c.OnSides(node, right, h.on, h.span)
		b.fresh[j] = true
		node = j
	}
	node, resolve := p.scalars.join(b, node, nil, nil)
	if node == nil {
		return nil
	}
	for i, n := range after {
		after[i] = resolve(n)
	}
	if cond := b.every(after, where.Span()); cond != nil {
		node = b.where(&relation{node: node}, cond, where.Span())
	}
	return node
}

// every joins conditions with AND; nil for none.
func (b *Binder) every(conds []*expr.Node, span fault.Span) *expr.Node {
	var out *expr.Node
	p := &place{b: b, scope: &scope{}}
	for i, c := range conds {
		if i > 0 {
			c = p.function("and", span, out, c)
		}
		out = c
	}
	return out
}

// terms splits a AND b AND c.
func terms(e ast.Expr) []ast.Expr {
	if and, ok := e.(*ast.Binary); ok && and.Op == ast.And {
		return append(terms(and.L), terms(and.R)...)
	}
	return []ast.Expr{e}
}

// membership is [NOT] EXISTS (query) or x [NOT] IN (query), in any of its spellings.
type membership struct {
	query *ast.Query
	// x holds the values that IN compares, nil for EXISTS.
	x   []ast.Expr
	not bool
	at  ast.Expr
}

// membershipOf recognises one, perhaps under NOT; nil if e is something else.
func membershipOf(e ast.Expr) *membership {
	switch e := e.(type) {
	case *ast.Exists:
		return &membership{query: e.Query, at: e}
	case *ast.In:
		if e.Query != nil {
			return &membership{query: e.Query, x: rowValues(e.X), not: e.Not, at: e}
		}
	case *ast.Quantified:
		if e.Query != nil && (e.Op == ast.Eq && !e.All || e.Op == ast.Ne && e.All) {
			return &membership{query: e.Query, x: rowValues(e.X), not: e.All, at: e}
		}
	case *ast.Unary:
		if e.Op == ast.Not {
			if m := membershipOf(e.X); m != nil {
				m.not = !m.not
				return m
			}
		}
	}
	return nil
}

// rowValues gives the values of (a, b), or the one of anything else.
func rowValues(e ast.Expr) []ast.Expr {
	if r, ok := e.(*ast.Row); ok {
		return r.Items
	}
	return []ast.Expr{e}
}

// bind binds the compared values and the query; it is nil after a fault.
func (m *membership) bind(p *place) ([]*expr.Node, *bound) {
	var xs []*expr.Node
	if m.x != nil {
		if xs = p.all(m.x); xs == nil {
			p.subquery(m.query)
			return nil, nil
		}
	}
	query := m.query
	if m.x == nil {
		query = p.b.anyRow(query)
	}
	q := p.subquery(query)
	if q == nil || m.x == nil || p.b.width(q, len(xs), m.query.Span()) {
		return xs, q
	}
	return nil, nil
}

// anyRow leaves out a LIMIT that does not change whether there are rows.
func (b *Binder) anyRow(q *ast.Query) *ast.Query {
	n, ok := q.Limit.(*ast.NumberLit)
	if !ok || !n.Integer || n.Text == "0" || q.Offset != nil || distinctOn(q) != nil {
		return q
	}
	c := *q
	c.Limit, c.WithTies, c.OrderBy = nil, false, nil
	return &c
}

// width checks how many columns a compared query has.
func (b *Binder) width(q *bound, want int, span fault.Span) bool {
	if q.own == want {
		return true
	}
	columns, values := fmt.Sprintf("%d columns", q.own), fmt.Sprintf("%d values are", want)
	if q.own == 1 {
		columns = "one column"
	}
	if want == 1 {
		values = "one value is"
	}
	e := b.errorf(fault.CodeInvalid, span, "the query has %s, and %s compared with it", columns, values)
	if want == 1 {
		e.WithHint("select one column, or compare a row: (a, b) IN (SELECT x, y …)")
	} else {
		e.WithHint("select as many columns as the row on the left has values")
	}
	return false
}

// half says how a term of WHERE is a semi or anti join with a query, which is then the right side given.
func (b *Binder) half(left logical.Node, m *membership, xs []*expr.Node, q *bound) (logical.On, logical.Node, bool) {
	on := b.onValues(graph.SemiJoin)
	if m.not {
		on.Kind = graph.AntiJoin
	}
	for _, x := range xs {
		if namesScalar(x) {
			return on, nil, false
		}
	}
	if q.exactlyOne() {
		return on, nil, false
	}
	n := left.Schema().NumFields()
	right := q.node
	values := make([]*expr.Node, len(xs))
	for i := range xs {
		values[i] = logical.Shift(q.field(i), n)
	}
	var linked []*expr.Node
	switch f := q.frame; {
	case f == nil:
	case f.leaf.in(q.node):
		d, ok := b.detach(q.node, f.leaf)
		if !ok {
			if linked = q.keys(b, n); linked == nil {
				return on, nil, false
			}
			break
		}
		right = d.in
		for i := range xs {
			values[i] = f.around(d.out[i], n)
		}
		for _, c := range d.conds {
			linked = append(linked, f.around(c, n))
		}
	default:
		if linked = q.keys(b, n); linked == nil {
			return on, nil, false
		}
	}
	certain := true
	p := &place{b: b, scope: &scope{}, clause: "IN"}
	for i, x := range xs {
		before := len(b.errs)
		cond := p.function("eq", m.at.Span(), x, values[i])
		if cond == nil {
			// The mark says it again.
			b.errs = b.errs[:before]
			return on, nil, false
		}
		on.Conds = append(on.Conds, cond)
		certain = certain && !cond.Nullable
	}
	on.Conds = append(on.Conds, linked...)
	if m.not && !certain {
		on.NullAware = true
		j := logical.NewJoin(left, right, on, m.at.Span())
		if len(xs) > 1 || len(j.Residual) > 0 || len(j.Keys) == 0 || logical.SideOf(on.Conds[0], n) != logical.LeftSide|logical.RightSide {
			return on, nil, false
		}
	}
	return on, right, true
}

// around puts an expression over a detached relation into the condition of a join whose left side is the query around, with
// n columns.
func (f *frame) around(e *expr.Node, n int) *expr.Node {
	return e.Map(func(x *expr.Node) *expr.Node {
		switch {
		case x.Kind != expr.Column:
		case x.Index >= firstOuter:
			return f.values[x.Index-firstOuter]
		default:
			x.Index += n
		}
		return x
	})
}

// keys are the conditions that a query's frame has the values around, in a join whose left side is the query around, with n
// columns.
func (q *bound) keys(b *Binder, n int) []*expr.Node {
	var out []*expr.Node
	whole := q.frame.leaf.in(q.node)
	for i, c := range q.scope.outer {
		t := b.same(q.frame.values[i], expr.NewColumn(n+c.index, q.node.Schema().Field(c.index)).At(q.span), whole || q.frame.safe[i], q.span)
		if t == nil {
			return nil
		}
		out = append(out, t)
	}
	return out
}

// valuesAround is the relation of the distinct values of expressions over the query around.
func (b *Binder) valuesAround(around logical.Node, exprs []*expr.Node, l *leaf) logical.Node {
	p := logical.NewProject(around, exprs, l.schema.Fields(), l.span)
	return b.distinct(&relation{node: p, scope: scopeOf("", p)}, l.span).node
}

// exactlyOne reports whether the query has one row whatever there is: an aggregation without GROUP BY, or no FROM.
func (q *bound) exactlyOne() bool {
	if q.frame != nil {
		return q.frame.empty != nil
	}
	n := q.node
	for {
		p, ok := n.(*logical.Project)
		if !ok {
			break
		}
		n = p.Input
	}
	switch n := n.(type) {
	case *logical.Aggregate:
		return len(n.Keys) == 0 && n.Window == nil
	case *logical.Values:
		return len(n.Rows) == 1
	}
	return false
}

// inline gives the columns of a query without FROM, over the query around it; nil for other queries.
func (b *Binder) inline(q *bound) []*expr.Node {
	var out, conds []*expr.Node
	if f := q.frame; f != nil && f.leaf.in(q.node) {
		d, ok := b.detach(q.node, f.leaf)
		if !ok || !isOnce(d.in) {
			return nil
		}
		for _, e := range d.out[:q.own] {
			out = append(out, f.around(e, 0))
		}
		for _, c := range d.conds {
			conds = append(conds, f.around(c, 0))
		}
	} else if p, ok := q.node.(*logical.Project); ok && f == nil && isOnce(p.Input) {
		out = p.Exprs
	}
	if len(conds) == 0 {
		return out
	}
	cond := b.every(conds, q.span)
	p := &place{b: b, scope: &scope{}}
	for i, e := range out {
		if out[i] = p.choice(q.span, cond, e, expr.NewLiteral(e.Type, nil).At(q.span)); out[i] == nil {
			return nil
		}
	}
	return out
}

func isOnce(n logical.Node) bool {
	v, ok := n.(*logical.Values)
	return ok && len(v.Rows) == 1 && n.Schema().NumFields() == 1 && n.Schema().Field(0).Name == "row"
}

// oneRow reports whether a relation never has more than one row with the same values in these columns.
func oneRow(n logical.Node, columns []int) bool {
	has := map[int]bool{}
	for _, c := range columns {
		has[c] = true
	}
	switch n := n.(type) {
	case *leaf:
		for i := range n.schema.NumFields() {
			if !has[i] {
				return false
			}
		}
		return true
	case *logical.Project:
		var below []int
		for _, c := range columns {
			if e := n.Exprs[c]; e.Kind == expr.Column {
				below = append(below, e.Index)
			}
		}
		return oneRow(n.Input, below)
	case *logical.Filter:
		return oneRow(n.Input, columns)
	case *logical.Values:
		return len(n.Rows) <= 1
	case *logical.Aggregate:
		for i := range n.Keys {
			if !has[i] {
				return false
			}
		}
		return n.Window == nil
	case *logical.TopN:
		for _, k := range n.Keys {
			if !has[k] {
				return false
			}
		}
		return n.Rank == graph.RowNumber && n.Limit >= 0 && n.Limit <= 1 && !n.WithTies && !n.PerTime
	case *logical.Join:
		var left, right []int
		k := n.Left.Schema().NumFields()
		for _, c := range columns {
			if c < k {
				left = append(left, c)
			} else {
				right = append(right, c-k)
			}
		}
		if !n.RightColumns() {
			return oneRow(n.Left, left)
		}
		return n.Kind != graph.FullJoin && oneRow(n.Left, left) && oneRow(n.Right, right)
	}
	return false
}

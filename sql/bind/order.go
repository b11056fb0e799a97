package bind

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// CodeOrder marks an ORDER BY that has no effect.
const CodeOrder fault.Code = "order-ignored"

// sorting is ORDER BY and DISTINCT ON behind a SELECT. Their expressions may look at what the select list does not have:
// then they are items behind it, which go again once the rows are ranked.
type sorting struct {
	order []*ast.OrderItem
	on    []ast.Expr
	// orderAt and onAt are the items of the expressions; visible is the number of items that the query has.
	orderAt, onAt []int
	visible       int
	// whole is the SELECT with them.
	whole ast.Node
}

// sorted binds a query that is a SELECT with its order, and a limit if it has one. top says that nothing is around it.
func (b *Binder) sorted(q *ast.Query, s *ast.Select, e *env, top bool) *relation {
	so := &sorting{order: q.OrderBy, on: s.DistinctOn, whole: s}
	if len(q.OrderBy) > 0 {
		so.whole = &ast.Query{Place: ast.At(q.Span()), Body: s, OrderBy: q.OrderBy}
	}
	r := b.selectBlock(s, e, so)
	if r == nil {
		return nil
	}
	column := func(at int, span fault.Span) *expr.Node {
		return expr.NewColumn(at, r.node.Schema().Field(at)).At(span)
	}
	var terms []sortTerm
	for i, o := range q.OrderBy {
		terms = append(terms, sortTerm{column(so.orderAt[i], o.Expr.Span()), o.Desc, nullsFirst(o)})
	}
	var on []*expr.Node
	for i, x := range s.DistinctOn {
		on = append(on, column(so.onAt[i], x.Span()))
	}
	return b.limited(q, r, r.node, terms, on, so.visible, top)
}

// bind finds the items of all expressions, and adds those that are none; false after a fault.
func (so *sorting) bind(p *place, s *ast.Select, items *[]*item, aliases map[string]*item) bool {
	so.visible = len(*items)
	at := *p
	at.aliases, at.inputFirst, at.unnests = aliases, true, nil
	ok := true
	for _, o := range so.order {
		at.clause = "ORDER BY"
		n := so.item(&at, o.Expr, items, s.Distinct && len(so.on) == 0)
		ok = ok && n >= 0
		so.orderAt = append(so.orderAt, n)
	}
	for _, x := range so.on {
		at.clause, at.aggregates = "DISTINCT ON", p.aggregates
		n := so.item(&at, x, items, false)
		ok = ok && n >= 0
		so.onAt = append(so.onAt, n)
	}
	return ok
}

// item is the item of one expression: a position, a name of the select list, or what its columns are computed from. only
// says that the select list has to have it. It is −1 after a fault.
func (so *sorting) item(p *place, e ast.Expr, items *[]*item, only bool) int {
	visible := (*items)[:so.visible]
	switch e := e.(type) {
	case *ast.NumberLit:
		if e.Integer {
			return p.position(e, len(visible))
		}
	case *ast.ColumnRef:
		if len(e.Path) != 1 {
			break
		}
		found := -1
		for i, it := range visible {
			if !exactly(e.Path[0], it.field.Name) && !loosely(e.Path[0], it.field.Name) {
				continue
			}
			if it.node == nil {
				return -1
			}
			if found >= 0 && !expr.Equal(visible[found].node, it.node) {
				p.b.errorf(CodeAmbiguous, e.Span(), "the select list has more than one column %q", e.Path[0].Name).WithHint("write its position, as in ORDER BY %d", found+1)
				return -1
			}
			if found < 0 {
				found = i
			}
		}
		if found >= 0 {
			return found
		}
	}
	n := p.expr(e)
	if n == nil {
		return -1
	}
	for i, it := range *items {
		if it.node != nil && expr.Equal(it.node, n) {
			return i
		}
	}
	if only {
		p.b.errorf(fault.CodeInvalid, e.Span(), "with DISTINCT, ORDER BY takes columns of the select list").WithHint("add the expression to the select list, or leave DISTINCT out")
		return -1
	}
	*items = append(*items, &item{source: e, node: n, field: arrow.Field{Name: p.columnName(e, n), Type: n.Type, Nullable: n.Nullable}, span: e.Span(), hidden: true})
	return len(*items) - 1
}

// position reads the position of a column among n, from 1; −1 after a fault.
func (p *place) position(lit *ast.NumberLit, n int) int {
	if i, err := strconv.Atoi(lit.Text); err == nil && i >= 1 && i <= n {
		return i - 1
	}
	p.b.errorf(fault.CodeInvalid, lit.Span(), "the select list has no column %s", lit.Text).WithHint("count from 1 to %d", n)
	return -1
}

// ordered is ORDER BY, LIMIT, OFFSET and FETCH behind a query that is no SELECT: over its columns.
func (b *Binder) ordered(q *ast.Query, r *relation, e *env, top bool) *relation {
	var terms []sortTerm
	ok := true
	subs := &scalars{env: e}
	for _, o := range q.OrderBy {
		n := b.output(r, o.Expr, subs)
		ok = ok && n != nil
		terms = append(terms, sortTerm{n, o.Desc, nullsFirst(o)})
	}
	if !ok {
		return nil
	}
	in, resolve := subs.join(b, r.node, nil, nil)
	if in == nil {
		return nil
	}
	for i := range terms {
		terms[i].value = resolve(terms[i].value)
	}
	return b.limited(q, r, in, terms, nil, len(r.own()), top)
}

// limited keeps the first rows by an order: of each key of DISTINCT ON, and as many as LIMIT says. node is the relation with
// what the order needs beside it; of its columns the visible ones stay.
func (b *Binder) limited(q *ast.Query, r *relation, node logical.Node, order []sortTerm, on []*expr.Node, visible int, top bool) *relation {
	limit, okLimit := b.rows(q.Limit, "LIMIT")
	offset, okOffset := b.rows(q.Offset, "OFFSET")
	if !okLimit || !okOffset {
		return nil
	}
	carried := r.scope.carriedColumns(q.Span())
	if on != nil {
		if node = b.firstOfEach(node, on, carried, order); node == nil {
			return nil
		}
	}
	switch {
	case limit >= 0 || offset > 0:
		if q.WithTies && len(order) == 0 {
			b.errorf(fault.CodeInvalid, q.Limit.Span(), "WITH TIES needs an order").WithHint("add ORDER BY, or write FETCH FIRST %d ROWS ONLY", limit)
			return nil
		}
		k := logical.Ranking{Rank: graph.RowNumber, Limit: limit, Offset: max(offset, 0), WithTies: q.WithTies}
		node = b.rank(b.concrete(node), carried, order, k, q.Span())
	case len(order) > 0 && on == nil:
		span := q.OrderBy[0].Span().Join(q.OrderBy[len(q.OrderBy)-1].Span())
		if top {
			b.unsupported(span, "ORDER BY without LIMIT is not supported").WithHint("a stream has no last row to sort up to; add LIMIT, or sort what comes out")
			return nil
		}
		b.warn(CodeOrder, span, "this ORDER BY has no effect, since the rows of a subquery have no order").WithHint("leave it out, or add LIMIT")
	}
	return b.kept(r, node, visible, q.Span())
}

// output binds an expression of ORDER BY over a query's columns; a number is a column's position.
func (b *Binder) output(r *relation, e ast.Expr, subs *scalars) *expr.Node {
	p := &place{b: b, scope: r.scope, clause: "ORDER BY", scalars: subs}
	if lit, ok := e.(*ast.NumberLit); ok && lit.Integer {
		i := p.position(lit, len(r.own()))
		if i < 0 {
			return nil
		}
		return expr.NewColumn(i, r.node.Schema().Field(i)).At(e.Span())
	}
	before := len(b.errs)
	n := p.expr(e)
	if n == nil && len(b.errs) == before+1 && b.errs[before].Code == CodeUnknownColumn && !strings.Contains(b.errs[before].Hint, "did you mean") {
		b.errs[before].WithHint("ORDER BY sees the columns of the query in front of it; add the column there")
	}
	return n
}

// rows reads a number of rows; −1 without one, and for NULL.
func (b *Binder) rows(e ast.Expr, clause string) (int64, bool) {
	if e == nil {
		return -1, true
	}
	var n *expr.Node
	if !varies(e) {
		if n = (&place{b: b, scope: &scope{}, clause: clause}).expr(e); n == nil {
			return 0, false
		}
		n = expr.Fold(n)
	}
	v, ok := rowCount(n)
	switch {
	case n == nil:
		b.errorf(fault.CodeInvalid, e.Span(), "%s takes a constant whole number of rows", clause).WithHint("write %s 10", clause)
		return 0, false
	case n.Kind == expr.Literal && n.Value == nil:
		return -1, true
	case ok && v < 0:
		b.errorf(fault.CodeInvalid, e.Span(), "%s must not be negative", clause).WithHint("write %s 10", clause)
		return 0, false
	case !ok:
		b.errorf(fault.CodeInvalid, e.Span(), "%s takes a constant whole number of rows", clause).WithHint("write %s 10", clause)
		return 0, false
	}
	return v, true
}

// varies reports whether an expression names a column or reads a query, which it cannot where a constant is wanted.
func varies(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.ColumnRef, *ast.Query:
			found = true
		}
		return !found
	})
	return found
}

// rowCount is a literal that is a whole number.
func rowCount(n *expr.Node) (int64, bool) {
	if n == nil || n.Kind != expr.Literal {
		return 0, false
	}
	switch v := n.Value.(type) {
	case string:
		i, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
		return i, err == nil
	case decimal128.Num, float64, uint64:
		if r := constantNumber(n); r != nil && r.IsInt() && r.Num().IsInt64() {
			return r.Num().Int64(), true
		}
	case int64:
		return v, arrow.IsInteger(n.Type.ID())
	}
	return 0, false
}

// kept gives a ranked relation the columns that it had before: the visible ones, and those of the query around that it
// carries.
func (b *Binder) kept(r *relation, node logical.Node, visible int, span fault.Span) *relation {
	carried := r.scope.carried(span)
	if node == r.node && node.Schema().NumFields() == visible+len(carried) {
		return r
	}
	out := &scope{columns: r.scope.columns}
	var exprs []*expr.Node
	var fields []arrow.Field
	add := func(at int) {
		f := node.Schema().Field(at)
		exprs, fields = append(exprs, expr.NewColumn(at, f).At(span)), append(fields, f)
	}
	for i := range visible {
		add(i)
	}
	for _, it := range carried {
		c := *it.outer
		if c.index >= visible { // else it is kept already, as where a join carries columns beside its own
			add(c.index)
			c.index = len(exprs) - 1
		}
		out.outer = append(out.outer, c)
	}
	if len(exprs) < node.Schema().NumFields() {
		node = logical.NewProject(node, exprs, fields, span)
	}
	return (&relation{node: node, scope: out, spans: r.spans[:min(visible, len(r.spans))]}).refreshed()
}

// firstOfEach keeps the first row, by the rest of the order, of those that are equal in the expressions of DISTINCT ON and in
// what is carried of the query around.
func (b *Binder) firstOfEach(node logical.Node, keys, carried []*expr.Node, order []sortTerm) logical.Node {
	for i := 0; i < len(order) && i < len(keys); i++ {
		found := false
		for _, k := range keys {
			found = found || expr.Equal(k, order[i].value)
		}
		if !found {
			b.errorf(fault.CodeInvalid, order[i].value.Span, "ORDER BY has to begin with the expressions of DISTINCT ON").WithHint("put them in front of the others")
			return nil
		}
	}
	order = order[min(len(order), len(keys)):]
	span := keys[0].Span.Join(keys[len(keys)-1].Span)
	keys = append(keys, carried...)
	return b.rank(b.concrete(node), keys, order, logical.Ranking{Rank: graph.RowNumber, Limit: 1}, span)
}

// distinctOn gives the expressions of DISTINCT ON of a query that is a plain SELECT; nil without.
func distinctOn(q *ast.Query) []ast.Expr {
	if s, ok := q.Body.(*ast.Select); ok && len(s.DistinctOn) > 0 {
		return s.DistinctOn
	}
	return nil
}

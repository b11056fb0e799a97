package bind

import (
	"fmt"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// arrayQuery is ARRAY(query): all values, in the query's order, and an empty array where there are none.
func (p *place) arrayQuery(e *ast.ArrayQuery) *expr.Node {
	span := e.Span()
	query, extra := withOrder(e.Query)
	q := p.subquery(query)
	if q == nil {
		return nil
	}
	if q.own != 1+extra {
		p.b.errorf(fault.CodeInvalid, e.Query.Span(), "the query of an array has %d columns", q.own-extra).
			WithHint("select one column, or a struct of several: SELECT struct(a, b)")
		return nil
	}
	q = q.ready(p.b)
	call := &ast.Call{Place: ast.At(span), Name: ast.Name{{Place: ast.At(span), Name: "array_agg"}}, OrderBy: e.Query.OrderBy}
	by := make([]*expr.Node, len(call.OrderBy))
	for i := range by {
		// Without columns for them, the order is that of the values.
		by[i] = q.field(min(1+i, extra))
	}
	c, ok := p.resolveCall("array_agg", call, []*expr.Node{q.field(0)}, by, nil)
	if !ok {
		return nil
	}
	sc := p.b.groupedValues(q, nil, []*logical.Call{c}, false)
	if sc == nil {
		return nil
	}
	values := p.scalars.column(sc, len(q.scope.outer))
	empty := p.function("make_array", span)
	if empty == nil {
		return nil
	}
	if empty = p.castTo(empty, values.Type, false, span); empty == nil {
		return nil
	}
	return p.function("coalesce", span, values, empty)
}

// withOrder gives a query that selects what it is ordered by behind its own columns, and how many columns that adds. A query
// whose order can only be that of its column stays as it is.
func withOrder(q *ast.Query) (*ast.Query, int) {
	s, ok := q.Body.(*ast.Select)
	if !ok || len(q.OrderBy) == 0 || len(s.Items) != 1 || len(s.DistinctOn) > 0 {
		return q, 0
	}
	item := s.Items[0]
	if _, star := item.Expr.(*ast.Star); star {
		return q, 0
	}
	query, block := *q, *s
	block.Items, query.OrderBy = []*ast.SelectItem{item}, nil
	for i, o := range q.OrderBy {
		x := o.Expr
		if isItem(x, item) {
			x = item.Expr
		}
		block.Items = append(block.Items, &ast.SelectItem{Place: o.Place, Expr: x})
		by := *o
		by.Expr = &ast.NumberLit{Place: o.Place, Text: fmt.Sprint(i + 2), Integer: true}
		query.OrderBy = append(query.OrderBy, &by)
	}
	query.Body = &block
	return &query, len(q.OrderBy)
}

// isItem reports whether a term of ORDER BY means the only item of the select list.
func isItem(e ast.Expr, item *ast.SelectItem) bool {
	switch e := e.(type) {
	case *ast.NumberLit:
		return e.Integer && e.Text == "1"
	case *ast.ColumnRef:
		return item.Alias != nil && len(e.Path) == 1 && exactly(e.Path[0], item.Alias.Folded())
	}
	return false
}

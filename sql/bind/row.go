package bind

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
)

// Rows that are written out, (a, b), compare member by member, as PostgreSQL has it: an unknown comparison of members
// leaves that of the rows unknown unless other members decide it. Struct values, such as columns, compare as a whole, a
// null member being a value.

// row is a row that is written out, its members bound.
type row struct {
	items []*expr.Node
	span  fault.Span
}

// rows binds two expressions that are both written as rows of one length. ok is false if they are not; the rows are
// empty if one was refused.
func (p *place) rows(l, r ast.Expr, span fault.Span) (left, right row, ok bool) {
	a, isRow := l.(*ast.Row)
	b, isRow2 := r.(*ast.Row)
	if !isRow || !isRow2 || len(a.Items) == 0 {
		return row{}, row{}, false
	}
	if len(a.Items) != len(b.Items) {
		p.b.errorf(expr.CodeTypeMismatch, span, "the rows have %d and %d members", len(a.Items), len(b.Items)).
			WithHint("compare rows of the same length")
		return row{}, row{}, true
	}
	return row{p.all(a.Items), a.Span()}, row{p.all(b.Items), b.Span()}, true
}

// compareRows compares two rows by a comparison; nil if a comparison of members was refused.
func (p *place) compareRows(name string, l, r row, span fault.Span) *expr.Node {
	if len(l.items) == 0 || len(r.items) == 0 {
		return nil
	}
	last := len(l.items) - 1
	switch name {
	case "eq", "is_not_distinct_from":
		return p.eachMember(name, "and", l, r, span)
	case "neq", "is_distinct_from":
		return p.eachMember(name, "or", l, r, span)
	}
	strict := map[string]string{"lt": "lt", "lteq": "lt", "gt": "gt", "gteq": "gt"}[name]
	n := p.function(name, span, l.items[last], r.items[last])
	for i := last - 1; i >= 0; i-- {
		before := p.function(strict, span, l.items[i], r.items[i])
		same := p.function("eq", span, l.items[i], r.items[i])
		n = p.function("or", span, before, p.function("and", span, same, n))
	}
	return n
}

// eachMember joins the comparisons of the members.
func (p *place) eachMember(name, join string, l, r row, span fault.Span) *expr.Node {
	parts := make([]*expr.Node, len(l.items))
	for i := range parts {
		parts[i] = p.function(name, span, l.items[i], r.items[i])
	}
	return p.joined(join, parts, span)
}

// joined is a AND b AND c, or with OR.
func (p *place) joined(join string, parts []*expr.Node, span fault.Span) *expr.Node {
	if len(parts) == 1 {
		return parts[0]
	}
	return p.function(join, span, parts...)
}

// inRows is (a, b) [NOT] IN ((c, d), …); ok is false if it is not only rows.
func (p *place) inRows(e *ast.In) (n *expr.Node, ok bool) {
	x, isRow := e.X.(*ast.Row)
	if !isRow || len(x.Items) == 0 {
		return nil, false
	}
	for _, item := range e.List {
		if _, isRow := item.(*ast.Row); !isRow {
			return nil, false
		}
	}
	left := row{p.all(x.Items), x.Span()}
	size := 0
	for _, item := range left.items {
		item.Walk(func(*expr.Node) bool {
			size++
			return size <= maxRepeated
		})
	}
	// Members that are columns do not grow when they are compared with many rows.
	if size > len(left.items) && !p.small(size*len(e.List), e.Span()) {
		return nil, true
	}
	parts := make([]*expr.Node, len(e.List))
	for i, item := range e.List {
		r := item.(*ast.Row)
		if len(r.Items) != len(x.Items) {
			p.b.errorf(expr.CodeTypeMismatch, r.Span(), "the rows have %d and %d members", len(x.Items), len(r.Items)).
				WithHint("compare rows of the same length")
			return nil, true
		}
		if parts[i] = p.compareRows("eq", left, row{p.all(r.Items), r.Span()}, e.Span()); parts[i] == nil {
			return nil, true
		}
	}
	n = p.joined("or", parts, e.Span())
	if e.Not {
		n = p.function("not", e.Span(), n)
	}
	return n, true
}

// isRow is (a, b) IS [NOT] NULL, which holds if it holds for all members; ok is false for another test or value.
func (p *place) isRow(e *ast.Is) (n *expr.Node, ok bool) {
	x, isRow := e.X.(*ast.Row)
	if !isRow || len(x.Items) == 0 || e.Test != ast.IsNull {
		return nil, false
	}
	name := "is_null"
	if e.Not {
		name = "is_not_null"
	}
	items := p.all(x.Items)
	for i, item := range items {
		if items[i] = p.function(name, e.Span(), item); items[i] == nil {
			return nil, true
		}
	}
	if len(items) == 0 {
		return nil, true
	}
	return p.joined("and", items, e.Span()), true
}

// overlaps is (start, end) OVERLAPS (start, end): whether the periods, without their ends, have a moment in common. The
// ends may stand in either order, and may be intervals that are added to the starts. A period with one end is that moment.
func (p *place) overlaps(e *ast.Binary) *expr.Node {
	l, r, ok := p.rows(e.L, e.R, e.Span())
	if !ok || len(l.items) != 0 && len(l.items) != 2 {
		p.b.errorf(expr.CodeTypeMismatch, e.Span(), "OVERLAPS compares two periods").
			WithHint("write (start1, end1) OVERLAPS (start2, end2)")
		return nil
	}
	if len(l.items) == 0 || len(r.items) == 0 {
		return nil
	}
	s1, e1 := p.period(l)
	s2, e2 := p.period(r)
	if s1 == nil || e1 == nil || s2 == nil || e2 == nil || !p.repeatable(s1, e.Span()) || !p.repeatable(s2, e.Span()) {
		return nil
	}
	span := e.Span()
	compare := func(name string, a, b *expr.Node) *expr.Node { return p.function(name, span, a, b) }
	// An end is never before its start; such comparisons are there for ends that are unknown.
	first := compare("and", compare("lt", s1, s2), compare("or", compare("lt", s2, e1), compare("lt", e2, s2)))
	second := compare("and", compare("gt", s1, s2), compare("or", compare("lt", s1, e2), compare("lt", e1, s1)))
	same := p.function("and", span, compare("eq", s1, s2), compare("gteq", e1, s1), compare("gteq", e2, s2))
	return p.function("or", span, same, first, second)
}

// period gives the start and the end of a period in their order; one that is null makes the end unknown.
func (p *place) period(r row) (start, end *expr.Node) {
	a, b := r.items[0], r.items[1]
	if expr.TypeName(b.Type) == "INTERVAL" {
		b = p.function("add", r.span, a, b)
	}
	start = p.function("least", r.span, a, b)
	both := p.function("and", r.span, p.function("is_not_null", r.span, a), p.function("is_not_null", r.span, b))
	greatest := p.function("greatest", r.span, a, b)
	if start == nil || both == nil || greatest == nil {
		return nil, nil
	}
	end, err := expr.NewCase([]*expr.Node{both}, []*expr.Node{greatest}, nil, r.span)
	if err != nil {
		p.b.report(err, r.span)
		return nil, nil
	}
	return start, end
}

// betweenRows is (a, b) [NOT] BETWEEN (c, d) AND (e, f); ok is false if it is not only rows.
func (p *place) betweenRows(e *ast.Between) (n *expr.Node, ok bool) {
	x, isRow := e.X.(*ast.Row)
	_, isLow := e.Low.(*ast.Row)
	_, isHigh := e.High.(*ast.Row)
	if !isRow || !isLow || !isHigh || len(x.Items) == 0 {
		return nil, false
	}
	between := func(low, high ast.Expr) *expr.Node {
		x, l, _ := p.rows(e.X, low, e.Span())
		y, h, _ := p.rows(e.X, high, e.Span())
		return p.function("and", e.Span(), p.compareRows("gteq", x, l, e.Span()), p.compareRows("lteq", y, h, e.Span()))
	}
	n = between(e.Low, e.High)
	if e.Symmetric && n != nil {
		n = p.function("or", e.Span(), n, between(e.High, e.Low))
	}
	if e.Not && n != nil {
		n = p.function("not", e.Span(), n)
	}
	return n, true
}

package bind

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// once is what a SELECT without FROM reads: one row, without columns to name.
func once(span fault.Span) *relation {
	return &relation{node: logical.NewOnce(span), scope: &scope{}}
}

// values binds VALUES (…), (…). into, which may be nil, are the columns that the values are inserted
// into: as in PostgreSQL each value is then cast to its column's type by itself.
func (b *Binder) values(v *ast.Values, into []arrow.Field, e *env) *relation {
	if len(v.Rows) == 0 { // the parser has said why
		return nil
	}
	width := len(v.Rows[0].Items)
	for _, r := range v.Rows[1:] {
		if len(r.Items) != width {
			b.errorf(fault.CodeInvalid, r.Span(), "the rows of VALUES differ in length: this one has %d, the first %d", len(r.Items), width).
				WithHint("give every row as many values as the first, NULL for those that are missing")
			return nil
		}
	}
	p := &place{b: b, scope: &scope{}, clause: "VALUES", scalars: &scalars{env: e}}
	in := logical.Node(logical.NewOnce(v.Span()))
	if around, is := b.reading(v, e); is {
		in, p.scope = around.node, around.scope
	}
	if len(into) != width {
		into = nil
	}
	rows, ok := make([][]*expr.Node, len(v.Rows)), true
	for i, r := range v.Rows {
		rows[i] = p.cells(r, into)
		ok = ok && rows[i] != nil
	}
	fields := make([]arrow.Field, width)
	for c := 0; c < width && ok; c++ {
		fields[c] = arrow.Field{Name: "column" + strconv.Itoa(c+1), Nullable: true}
		if into != nil {
			fields[c].Type = into[c].Type
		} else {
			fields[c].Type, ok = p.unified(v, rows, c)
		}
	}
	if !ok {
		return nil
	}
	in, resolve := p.scalars.join(b, in, nil, nil)
	if in == nil {
		return nil
	}
	constant := p.scope.outer == nil
	for _, r := range rows {
		for c, n := range r {
			r[c] = resolve(n)
			constant = constant && looksAtNothing(r[c])
		}
	}
	var node logical.Node
	if constant {
		node = constantRows(rows, fields, v.Span())
	} else {
		return b.computedRows(&relation{node: in, scope: p.scope}, rows, fields, v.Span())
	}
	if node == nil {
		return nil
	}
	return &relation{node: node, scope: scopeOf("", node)}
}

// cells binds one row.
func (p *place) cells(r *ast.Row, into []arrow.Field) []*expr.Node {
	out, ok := make([]*expr.Node, len(r.Items)), true
	for c, e := range r.Items {
		n := p.expr(e)
		if n != nil && into != nil {
			n = p.castField(n, into[c], false, e.Span())
		}
		out[c], ok = n, ok && n != nil
	}
	if !ok {
		return nil
	}
	return out
}

// unified converts column c of all rows to one type, as PostgreSQL does: a quoted constant takes on the type of the others.
func (p *place) unified(v *ast.Values, rows [][]*expr.Node, c int) (arrow.DataType, bool) {
	dt := arrow.DataType(arrow.Null)
	quoted := func(i int) bool { _, is := v.Rows[i].Items[c].(*ast.StringLit); return is }
	for _, literals := range []bool{false, true} {
		for i, r := range rows {
			if quoted(i) != literals || literals && dt.ID() != arrow.NULL {
				continue
			}
			t, ok := expr.CommonType(dt, r[c].Type)
			if !ok {
				p.b.errorf(expr.CodeTypeMismatch, r[c].Span, "this value is %s, and those before it are %s", expr.TypeName(r[c].Type), expr.TypeName(dt)).
					WithHint("CAST one of them")
				return nil, false
			}
			dt = t
		}
	}
	for i, r := range rows {
		if quoted(i) {
			n, err := expr.Coerce(r[c], dt, r[c].Span)
			if err != nil {
				p.b.report(err, r[c].Span)
				return nil, false
			}
			r[c] = n
		} else if r[c] = p.castTo(r[c], dt, false, r[c].Span); r[c] == nil {
			return nil, false
		}
	}
	return dt, true
}

// looksAtNothing reports whether an expression is the same for every row around it.
func looksAtNothing(n *expr.Node) bool {
	found := false
	n.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.Column
		return !found
	})
	return !found
}

// constantRows makes the relation of constant rows. A column of nothing but NULL has no type yet, so it stands above.
func constantRows(rows [][]*expr.Node, fields []arrow.Field, span fault.Span) logical.Node {
	var typed []arrow.Field
	exprs := make([]*expr.Node, len(fields))
	cells := make([][]*expr.Node, len(rows))
	for c, f := range fields {
		if f.Type.ID() == arrow.NULL {
			exprs[c] = expr.NewLiteral(arrow.Null, nil).At(span)
			continue
		}
		f.Nullable = false
		for i, r := range rows {
			cells[i] = append(cells[i], r[c])
			f.Nullable = f.Nullable || r[c].Nullable
		}
		exprs[c] = expr.NewColumn(len(typed), f).At(span)
		typed = append(typed, f)
	}
	if len(typed) == len(fields) {
		return logical.NewValues(cells, typed, span)
	}
	if len(typed) == 0 {
		typed = []arrow.Field{{Name: "row", Type: arrow.FixedWidthTypes.Boolean}}
		for i := range cells {
			cells[i] = []*expr.Node{expr.NewLiteral(arrow.FixedWidthTypes.Boolean, true).At(span)}
		}
	}
	return logical.NewProject(logical.NewValues(cells, typed, span), exprs, fields, span)
}

// computedRows makes rows whose values depend on a row around them: each column is a list that has one element for each of
// them.
func (b *Binder) computedRows(in *relation, rows [][]*expr.Node, fields []arrow.Field, span fault.Span) *relation {
	p := &place{b: b, scope: &scope{}}
	var u logical.Unnesting
	for _, it := range in.scope.carried(span) {
		u.Keep, u.KeepFields = append(u.Keep, it.node), append(u.KeepFields, it.field)
	}
	for c, f := range fields {
		cells := make([]*expr.Node, len(rows))
		for i, r := range rows {
			cells[i] = r[c]
			if f.Type.ID() == arrow.NULL {
				cells[i] = expr.NewLiteral(arrow.BinaryTypes.String, nil).At(r[c].Span)
			}
		}
		list := p.function("make_array", span, cells...)
		if list == nil {
			return nil
		}
		u.Calls = append(u.Calls, logical.UnnestCall{Kind: graph.UnnestList, Args: []*expr.Node{list}, Names: []string{f.Name}})
	}
	n := logical.NewUnnest(in.node, u, span)
	// What is carried stands behind the values.
	exprs, names := make([]*expr.Node, 0, n.Schema().NumFields()), []arrow.Field(nil)
	s := &scope{}
	for i := range n.Schema().NumFields() {
		at := (i + n.FirstCall()) % n.Schema().NumFields()
		f := n.Schema().Field(at)
		exprs, names = append(exprs, expr.NewColumn(at, f).At(span)), append(names, f)
		if at >= n.FirstCall() {
			s.columns = append(s.columns, scopeColumn{field: f, index: i})
			continue
		}
		c := in.scope.outer[at]
		c.index = i
		s.outer = append(s.outer, c)
	}
	return &relation{node: logical.NewProject(n, exprs, names, span), scope: s}
}

package ast

func (p *printer) query(q *Query) {
	if q.With != nil {
		p.with(q.With)
		p.put(" ")
	}
	p.operand(q.Body, false)
	p.orderBy(" ORDER BY ", q.OrderBy)
	if q.Limit != nil && !q.WithTies {
		p.put(" LIMIT ")
		p.expr(q.Limit, 0)
	}
	if q.Offset != nil {
		p.put(" OFFSET ")
		p.expr(q.Offset, 0)
	}
	if q.Limit != nil && q.WithTies {
		p.put(" FETCH FIRST (")
		p.expr(q.Limit, 0)
		p.put(") ROWS WITH TIES")
	}
}

func (p *printer) with(w *With) {
	p.put("WITH ")
	p.putIf(w.Recursive, "RECURSIVE ")
	list(p, w.Tables, p.cte)
}

func (p *printer) cte(c *CTE) {
	p.ident(c.Name)
	p.columns(c.Columns)
	p.put(" AS ")
	p.nestedQuery(c.Query)
}

func (p *printer) nestedQuery(q *Query) {
	p.put("(")
	p.query(q)
	p.put(")")
}

// operand prints a body within a query or a set operation, in parentheses if asked for or if it is a query.
func (p *printer) operand(b QueryBody, parens bool) {
	q, nested := b.(*Query)
	switch {
	case nested:
		p.nestedQuery(q)
	case parens:
		p.put("(")
		p.body(b)
		p.put(")")
	default:
		p.body(b)
	}
}

func (p *printer) body(b QueryBody) {
	switch b := b.(type) {
	case *Select:
		p.selectBlock(b)
	case *SetOperation:
		p.setOperation(b)
	case *Values:
		p.put("VALUES ")
		list(p, b.Rows, func(r *Row) {
			p.put("(")
			p.exprs(r.Items)
			p.put(")")
		})
	case *Query:
		p.query(b)
	}
}

func (p *printer) setOperation(s *SetOperation) {
	left, leftIsSet := s.Left.(*SetOperation)
	right, rightIsSet := s.Right.(*SetOperation)
	p.operand(s.Left, leftIsSet && left.Op != Intersect && s.Op == Intersect)
	p.put(" ", s.Op.String(), " ")
	p.putIf(s.All, "ALL ")
	p.putIf(s.ByName, "BY NAME ")
	p.operand(s.Right, rightIsSet && (right.Op != Intersect || s.Op == Intersect))
}

func (p *printer) selectBlock(s *Select) {
	p.put("SELECT ")
	p.putIf(s.Distinct, "DISTINCT ")
	if len(s.DistinctOn) > 0 {
		p.put("ON (")
		p.exprs(s.DistinctOn)
		p.put(") ")
	}
	list(p, s.Items, p.item)
	if len(s.From) > 0 {
		p.put(" FROM ")
		list(p, s.From, p.table)
	}
	p.clause(" WHERE ", s.Where)
	if s.GroupBy != nil {
		p.put(" GROUP BY ")
		p.groupBy(s.GroupBy)
	}
	p.clause(" HAVING ", s.Having)
	if len(s.Windows) > 0 {
		p.put(" WINDOW ")
		list(p, s.Windows, p.namedWindow)
	}
	p.clause(" QUALIFY ", s.Qualify)
}

func (p *printer) clause(word string, e Expr) {
	if e != nil {
		p.put(word)
		p.expr(e, 0)
	}
}

func (p *printer) item(i *SelectItem) {
	p.expr(i.Expr, 0)
	if i.Alias != nil {
		p.put(" AS ")
		p.ident(*i.Alias)
	}
}

func (p *printer) groupBy(g *GroupBy) {
	if g.All {
		p.put("ALL")
		return
	}
	list(p, g.Items, p.groupItem)
}

func (p *printer) groupItem(e Expr) {
	switch e := e.(type) {
	case *GroupingSets:
		p.put(e.Kind.String(), " (")
		list(p, e.Items, p.groupItem)
		p.put(")")
	case *Row:
		if len(e.Items) == 0 {
			p.put("()")
			return
		}
		p.expr(e, 0)
	default:
		p.wrapped(e, "ROLLUP", "CUBE")
	}
}

func (p *printer) namedWindow(w *NamedWindow) {
	p.ident(w.Name)
	p.put(" AS ")
	p.windowSpec(w.Spec)
}

func (p *printer) orderBy(word string, items []*OrderItem) {
	if len(items) > 0 {
		p.put(word)
		list(p, items, p.orderItem)
	}
}

func (p *printer) orderItem(o *OrderItem) {
	p.expr(o.Expr, 0)
	p.putIf(o.Desc, " DESC")
	p.put([...]string{"", " NULLS FIRST", " NULLS LAST"}[o.Nulls])
}

func (p *printer) table(t TableExpr) {
	switch t := t.(type) {
	case *TableRef:
		p.name(t.Name)
		p.clause(" FOR SYSTEM_TIME AS OF ", t.AsOf)
		p.alias(t.Alias)
	case *Derived:
		p.putIf(t.Lateral, "LATERAL ")
		p.nestedQuery(t.Query)
		p.alias(t.Alias)
	case *TableFunction:
		p.putIf(t.Lateral, "LATERAL ")
		p.expr(t.Call, 0)
		p.putIf(t.Ordinality, " WITH ORDINALITY")
		p.alias(t.Alias)
	case *Join:
		p.join(t)
	case *Nested:
		p.put("(")
		p.table(t.Table)
		p.put(")")
		p.alias(t.Alias)
	}
}

func (p *printer) alias(a *TableAlias) {
	if a != nil {
		p.put(" AS ")
		p.ident(a.Name)
		p.columns(a.Columns)
	}
}

func (p *printer) join(j *Join) {
	p.table(j.Left)
	p.put(" ")
	p.putIf(j.Natural, "NATURAL ")
	p.putIf(j.Asof, "ASOF ")
	if k := j.Kind.String(); k != "" {
		p.put(k, " ")
	}
	p.put("JOIN ")
	if _, nested := j.Right.(*Join); nested {
		p.put("(")
		p.table(j.Right)
		p.put(")")
	} else {
		p.table(j.Right)
	}
	if j.Match != nil {
		p.put(" MATCH_CONDITION (")
		p.expr(j.Match, 0)
		p.put(")")
	}
	p.clause(" ON ", j.On)
	if len(j.Using) > 0 {
		p.put(" USING ")
		p.columnList(j.Using)
	}
}

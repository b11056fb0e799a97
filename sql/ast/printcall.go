package ast

func (p *printer) call(c *Call) {
	p.name(c.Name)
	p.put("(")
	p.putIf(c.Distinct, "DISTINCT ")
	list(p, c.Args, p.arg)
	p.orderBy(" ORDER BY ", c.OrderBy)
	p.put(")")
	p.orderedGroup(c.WithinGroup)
	if c.Filter != nil {
		p.put(" FILTER (WHERE ")
		p.expr(c.Filter, 0)
		p.put(")")
	}
	p.put([...]string{"", " IGNORE NULLS", " RESPECT NULLS"}[c.Nulls])
	if c.Over != nil {
		p.put(" OVER ")
		p.over(c.Over)
	}
}

func (p *printer) orderedGroup(items []*OrderItem) {
	if len(items) > 0 {
		p.orderBy(" WITHIN GROUP (ORDER BY ", items)
		p.put(")")
	}
}

func (p *printer) arg(a *Arg) {
	if a.Name != nil {
		p.ident(*a.Name)
		p.put(" => ")
	}
	switch a.Value.(type) {
	case *Descriptor:
		p.expr(a.Value, 0)
	default:
		p.wrapped(a.Value, "DESCRIPTOR")
	}
}

// tableArg prints its lists with parentheses everywhere, so that they end before the next argument.
func (p *printer) tableArg(a *TableArg) {
	p.put("TABLE ")
	if a.Query != nil {
		p.nestedQuery(a.Query)
	} else {
		p.name(a.Name)
	}
	if len(a.PartitionBy) > 0 {
		p.put(" PARTITION BY (")
		p.exprs(a.PartitionBy)
		p.put(")")
	}
	if len(a.OrderBy) > 0 {
		p.put(" ORDER BY ")
		list(p, a.OrderBy, func(o *OrderItem) {
			p.put("(")
			p.expr(o.Expr, 0)
			p.put(")")
			p.putIf(o.Desc, " DESC")
			p.put([...]string{"", " NULLS FIRST", " NULLS LAST"}[o.Nulls])
		})
	}
}

func (p *printer) over(o *Over) {
	if o.Name != nil {
		p.ident(*o.Name)
		return
	}
	p.windowSpec(o.Spec)
}

func (p *printer) windowSpec(w *WindowSpec) {
	p.put("(")
	gap := ""
	if w.Base != nil {
		p.ident(*w.Base)
		gap = " "
	}
	if len(w.PartitionBy) > 0 {
		p.put(gap, "PARTITION BY ")
		p.exprs(w.PartitionBy)
		gap = " "
	}
	if len(w.OrderBy) > 0 {
		p.orderBy(gap+"ORDER BY ", w.OrderBy)
		gap = " "
	}
	if w.Frame != nil {
		p.put(gap)
		p.frame(w.Frame)
	}
	p.put(")")
}

func (p *printer) frame(f *Frame) {
	p.put(f.Units.String(), " BETWEEN ")
	p.frameBound(f.Start)
	p.put(" AND ")
	p.frameBound(f.End)
	if f.Exclude != ExcludeNoOthers {
		p.put(" EXCLUDE ", f.Exclude.String())
	}
}

func (p *printer) frameBound(b FrameBound) {
	switch b.Offset.(type) {
	case nil:
	case *NumberLit, *StringLit, *IntervalLit:
		p.expr(b.Offset, 0)
		p.put(" ")
	default:
		p.put("(")
		p.expr(b.Offset, 0)
		p.put(") ")
	}
	p.put([...]string{"UNBOUNDED PRECEDING", "PRECEDING", "CURRENT ROW", "FOLLOWING", "UNBOUNDED FOLLOWING"}[b.Kind])
}

package ast

import "strings"

func (p *printer) statement(s Statement) {
	switch s := s.(type) {
	case *CreateTable:
		p.createTable(s)
	case *CreateView:
		p.create(s.OrReplace, s.Temporary, "VIEW ", s.IfNotExists, s.Name)
		p.columns(s.Columns)
		p.put(" AS ")
		p.query(s.Query)
	case *Insert:
		p.put([...]string{"INSERT INTO ", "INSERT OVERWRITE ", "INSERT REPLACE INTO "}[s.Mode])
		p.name(s.Table)
		p.columns(s.Columns)
		if s.Defaults {
			p.put(" DEFAULT VALUES")
			return
		}
		p.put(" ")
		p.query(s.Query)
	case *Set:
		p.put("SET ")
		p.name(s.Name)
		p.put(" = ")
		p.expr(s.Value, 0)
	case *Explain:
		p.explain(s)
	case *QueryStatement:
		p.query(s.Query)
	}
}

func (p *printer) explain(s *Explain) {
	p.put("EXPLAIN ")
	if s.Format != "" {
		p.put("(FORMAT ")
		p.ident(Ident{Name: s.Format, Quoted: true})
		p.put(") ")
	}
	p.putIf(s.Analyze, "ANALYZE ")
	p.putIf(s.Verbose, "VERBOSE ")
	p.statement(s.Statement)
}

func (p *printer) create(replace, temporary bool, what string, ifNot bool, name Name) {
	p.put("CREATE ")
	p.putIf(replace, "OR REPLACE ")
	p.putIf(temporary, "TEMPORARY ")
	p.put(what)
	p.putIf(ifNot, "IF NOT EXISTS ")
	p.name(name)
}

func (p *printer) createTable(c *CreateTable) {
	p.create(c.OrReplace, c.Temporary, "TABLE ", c.IfNotExists, c.Name)
	if len(c.Columns)+len(c.Watermarks)+len(c.Constraints) > 0 {
		p.put(" (")
		p.elements(c)
		p.put(")")
	}
	if len(c.Options) > 0 {
		p.put(" WITH (")
		list(p, c.Options, p.option)
		p.put(")")
	}
	if len(c.PartitionedBy) > 0 {
		p.put(" PARTITIONED BY (")
		p.exprs(c.PartitionedBy)
		p.put(")")
	}
	if c.Query != nil {
		p.put(" AS ")
		p.query(c.Query)
	}
}

func (p *printer) elements(c *CreateTable) {
	list(p, c.Columns, p.column)
	p.putIf(len(c.Columns) > 0 && len(c.Watermarks)+len(c.Constraints) > 0, ", ")
	list(p, c.Watermarks, p.watermark)
	p.putIf(len(c.Watermarks) > 0 && len(c.Constraints) > 0, ", ")
	list(p, c.Constraints, p.constraint)
}

func (p *printer) column(c *ColumnDef) {
	p.ident(c.Name)
	p.put(" ")
	p.dataType(c.Type)
	p.putIf(c.NotNull, " NOT NULL")
	p.putIf(c.PrimaryKey, " PRIMARY KEY")
	if c.Default != nil {
		p.put(" DEFAULT ")
		p.expr(c.Default, 0)
	}
	if c.Metadata != nil {
		p.put(" METADATA FROM ")
		p.text(c.Metadata.Value)
	}
	if c.Generated != nil {
		p.put(" GENERATED ALWAYS AS (")
		p.expr(c.Generated, 0)
		p.put(")", [...]string{"", " STORED", " VIRTUAL"}[c.Storage])
	}
	for _, k := range c.Constraints {
		p.put(" ")
		p.columnConstraint(k)
	}
}

func (p *printer) columnConstraint(c *ColumnConstraint) {
	switch c.Kind {
	case ConstraintCheck:
		p.check(c.Check)
	case ConstraintReferences:
		p.references(c.References, c.RefColumns)
	default:
		p.put(string(c.Kind))
	}
}

func (p *printer) check(e Expr) {
	p.put("CHECK (")
	p.expr(e, 0)
	p.put(")")
}

func (p *printer) references(n Name, cols []Ident) {
	p.put("REFERENCES ")
	p.name(n)
	p.columns(cols)
}

func (p *printer) constraint(c *TableConstraint) {
	if c.Name != nil {
		p.put("CONSTRAINT ")
		p.ident(*c.Name)
		p.put(" ")
	}
	if c.Kind == ConstraintCheck {
		p.check(c.Check)
		return
	}
	p.put(string(c.Kind))
	p.columns(c.Columns)
	if c.Kind == ConstraintForeignKey {
		p.put(" ")
		p.references(c.References, c.RefColumns)
	}
}

func (p *printer) watermark(w *Watermark) {
	p.put("WATERMARK FOR ")
	p.ident(w.Column)
	if w.As != nil {
		p.put(" AS ")
		p.expr(w.As, 0)
	}
}

func (p *printer) option(o *Option) {
	if o.Key.Quoted {
		p.text(o.Key.Name)
	} else {
		p.put(o.Key.Name)
	}
	p.put(" = ")
	p.expr(o.Value, 0)
}

// wrapped prints an expression in parentheses if its text would begin with one of the calls that have a meaning of
// their own in this place.
func (p *printer) wrapped(e Expr, calls ...string) {
	q := &printer{}
	q.expr(e, 0)
	s := q.String()
	for _, c := range calls {
		if len(s) > len(c) && strings.EqualFold(s[:len(c)], c) && s[len(c)] == '(' {
			s = "(" + s + ")"
			break
		}
	}
	p.put(s)
}

package bind

import (
	"wadi/sql/ast"
	"wadi/sql/catalog"
)

// createView names a query. Its body is planned once, and everyone who reads it shares that plan.
func (b *Binder) createView(v *ast.CreateView) {
	name, columns, q, span := v.Name, v.Columns, v.Query, v.Span()
	t := &catalog.Table{Name: tableKey(name), Kind: catalog.Broken, Span: span}
	defer func() { b.define(t, v.OrReplace, v.IfNotExists, name.Span()) }()
	outer := b.view
	b.view = true
	r := b.query(q, nil)
	b.view = outer
	if r != nil && len(columns) > 0 {
		r = b.rename(r, columns, span)
	}
	if r == nil || !b.distinctNames(r, q.Span()) {
		return
	}
	t.Kind, t.Stream = catalog.View, b.concrete(r.node)
}

// createTableAs is CREATE TABLE … AS query: a view, as in Arroyo.
func (b *Binder) createTableAs(s *ast.CreateTable) {
	switch {
	case len(s.Options) > 0:
		b.unsupported(s.Options[0].Span(), "CREATE TABLE … AS takes no WITH options").
			WithHint("create the sink without columns, and INSERT INTO it: the sink takes the columns of the query")
		b.broken(s)
		return
	case len(s.Columns)+len(s.Watermarks)+len(s.PartitionedBy) > 0:
		b.createTableOf(s)
		return
	}
	b.createView(&ast.CreateView{Place: ast.At(s.Span()), OrReplace: s.OrReplace, IfNotExists: s.IfNotExists, Name: s.Name, Query: s.Query})
}

// createTableOf is CREATE TABLE (columns) AS query: a memory table with its insert.
func (b *Binder) createTableOf(s *ast.CreateTable) {
	before := len(b.errs)
	t := &catalog.Table{Name: tableKey(s.Name), Span: s.Name.Span()}
	b.columns(t, s)
	b.memory(t, b.options(nil, t.Span), s)
	r := b.query(s.Query, nil)
	if r != nil && len(b.errs) == before {
		t.Stream = b.fit(t, r, &ast.Insert{Place: ast.At(s.Span()), Table: s.Name, Query: s.Query})
	}
	if t.Kind = catalog.View; t.Stream == nil {
		t.Kind = catalog.Broken
	}
	b.define(t, s.OrReplace, s.IfNotExists, s.Name.Span())
}

// broken remembers a table that was refused, so that using it says nothing more.
func (b *Binder) broken(s *ast.CreateTable) {
	b.catalog.Define(&catalog.Table{Name: tableKey(s.Name), Kind: catalog.Broken, Span: s.Span()})
}

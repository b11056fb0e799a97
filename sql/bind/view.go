package bind

import (
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/catalog"
)

// createView names a query. Its body is planned once, and everyone who reads it shares that plan.
func (b *Binder) createView(name ast.Name, columns []ast.Ident, q *ast.Query, span fault.Span) {
	t := &catalog.Table{Name: name.Last().Name, Kind: catalog.Broken, Span: span}
	defer b.catalog.Define(t)
	if len(name) > 1 {
		b.unsupported(name.Span(), "tables have no qualified names").WithHint("write %s", name.Last().Name)
		return
	}
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
	case len(s.Columns) > 0:
		b.unsupported(s.Columns[0].Span(), "CREATE TABLE … AS takes no column definitions").WithHint("leave them out: the query has them")
		b.broken(s)
		return
	}
	b.createView(s.Name, nil, s.Query, s.Span())
}

// broken remembers a table that was refused, so that using it says nothing more.
func (b *Binder) broken(s *ast.CreateTable) {
	b.catalog.Define(&catalog.Table{Name: s.Name.Last().Name, Kind: catalog.Broken, Span: s.Span()})
}

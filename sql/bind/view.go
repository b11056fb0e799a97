package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/logical"
	"wadi/sql/types"
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

// broken remembers a table that was refused. Where its columns are known, queries that read it are bound all the same, so
// that what is wrong with them is told as well; a column whose type was refused agrees with any use, as a NULL does. What
// only tables with keys can do, such as lookups and versions, is not told of.
func (b *Binder) broken(s *ast.CreateTable) {
	t := &catalog.Table{Name: tableKey(s.Name), Kind: catalog.Broken, Span: s.Span()}
	var fields []arrow.Field
	for _, c := range s.Columns {
		f, err := types.Column(c.Type)
		if err != nil {
			f.Type = arrow.Null
		}
		f.Name, f.Nullable = c.Name.Name, !c.NotNull
		fields = append(fields, f)
	}
	if len(fields) > 0 && !s.Temporary && !keyed(s) {
		spec := &graph.SourceSpec{Table: t.Name, Schema: arrow.NewSchema(fields, nil)}
		t.Stream = logical.NewScan(spec, graph.Append, 0, t.Name, t.Span)
	}
	b.catalog.Define(t)
}

// keyed reports whether a table says what identifies its rows.
func keyed(s *ast.CreateTable) bool {
	for _, c := range s.Columns {
		if c.PrimaryKey {
			return true
		}
	}
	return len(s.Constraints) > 0
}

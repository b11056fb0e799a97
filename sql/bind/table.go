package bind

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/types"
)

// createTable is CREATE TABLE without a query: a connector table, or a memory table.
func (b *Binder) createTable(s *ast.CreateTable) {
	before := len(b.errs)
	t := b.declare(s)
	if t == nil || len(b.errs) > before {
		for _, e := range b.errs[before:] {
			if e.Kind == fault.Internal {
				e.Message = "table " + s.Name.String() + ": " + e.Message
			}
		}
		b.broken(s)
		return
	}
	b.define(t, s.OrReplace, s.IfNotExists, s.Name.Span())
}

// tableKey is the name under which a table is known: its parts joined by dots, without the schema that all are in.
func tableKey(n ast.Name) string {
	if len(n) > 1 && n[0].Folded() == "public" {
		n = n[1:]
	}
	return n.String()
}

// define adds a table. A name that is defined already means the new table from here on, unless the statement says
// otherwise.
func (b *Binder) define(t *catalog.Table, orReplace, ifNotExists bool, span fault.Span) {
	if old, ok := b.catalog.Lookup(t.Name); ok && !orReplace {
		if ifNotExists {
			return
		}
		if old.Kind != catalog.Broken && !old.Saved {
			b.warn(CodeDuplicate, span, "%q is defined again; from here on the name means this definition", t.Name).
				WithHint("give it another name, or write CREATE OR REPLACE")
		}
	}
	b.catalog.Define(t)
}

func (b *Binder) declare(s *ast.CreateTable) *catalog.Table {
	t := &catalog.Table{Name: tableKey(s.Name), Span: s.Name.Span()}
	g := b.options(s.Options, s.Name.Span())
	decl := b.connectorOf(g, s)
	b.columns(t, s)
	if !g.ok {
		return nil
	}
	if decl == nil {
		b.memory(t, g, s)
		return t
	}
	b.connect(t, decl, g, s)
	return t
}

// connectorOf takes the option connector; nil for a memory table, or after a fault.
func (b *Binder) connectorOf(g *bag, s *ast.CreateTable) *connector.Declaration {
	name, span := g.text("connector", "memory")
	if name == "memory" {
		return nil
	}
	decl, ok := b.opts.Connectors.Lookup(name)
	if !ok && span.IsZero() {
		// The option has no value, which has been told.
		return nil
	}
	if !ok {
		g.fail(hintAmong(fault.Userf(connector.CodeOptionValue, span, "unknown connector %q", name), name, b.connectors(), "connectors"))
		return nil
	}
	g.profile(decl)
	return decl
}

// connectors lists those that are not hidden.
func (b *Binder) connectors() []string {
	var names []string
	for _, n := range b.opts.Connectors.Names() {
		if d, _ := b.opts.Connectors.Lookup(n); !d.Hidden {
			names = append(names, n)
		}
	}
	return names
}

// memory makes a table without a connector: a name for what one INSERT gives it.
func (b *Binder) memory(t *catalog.Table, g *bag, s *ast.CreateTable) {
	t.Kind = catalog.Memory
	if left := g.left(); len(left) > 0 {
		e := b.errorf(connector.CodeUnknownOption, g.raw[left[0]].Key, "a table without a connector takes no options: '%s'", strings.Join(left, "', '"))
		e.WithHint("add connector = '…'; the connectors are %s", strings.Join(b.connectors(), ", "))
	}
	for _, w := range s.Watermarks {
		b.errorf(CodeTable, w.Span(), "a table without a connector has no watermark").WithHint("its rows keep the event time of what is inserted")
	}
	for _, c := range t.Columns {
		if c.Virtual || c.Metadata != "" {
			b.errorf(CodeTable, c.Span, "a table without a connector has no virtual or metadata columns").WithHint("compute the column in the query that is inserted")
		}
	}
	b.columnConstraints(s, true)
	b.tableConstraints(t, s)
	b.partitions(t, s)
	if len(t.Columns) == 0 {
		b.errorf(CodeTable, t.Span, "table %q has neither columns nor a connector", t.Name).WithHint("add columns, or WITH (connector = '…')")
	}
}

// connect finishes a connector table: what it is used for, its options, format, columns, and for a source its stream.
func (b *Binder) connect(t *catalog.Table, decl *connector.Declaration, g *bag, s *ast.CreateTable) {
	t.Connector = decl
	if s.Temporary {
		if r, given := g.raw["type"]; given && (r.Kind != connector.RawString || r.Text != "lookup") {
			b.errorf(CodeTable, r.Span, "a TEMPORARY table is a lookup table and has no other type").WithHint("leave TEMPORARY or the option type out")
			return
		} else if !given {
			g.raw["type"] = connector.Raw{Text: "lookup", Span: t.Span}
		}
	}
	use, err := decl.UseOf(g.raw)
	if err != nil {
		b.report(err, t.Span)
		return
	}
	if !declares(decl, "type") {
		g.take("type")
	}
	t.Kind = map[connector.Use]catalog.Kind{connector.Source: catalog.Source, connector.Sink: catalog.Sink, connector.Lookup: catalog.Lookup}[use]
	t.Format = g.format(decl)
	times := g.timeOptions()
	g.strangers(t.Format.Name)
	g.onlyLookup(t)
	g.quoted(decl)
	options, err := decl.Resolve(use, g.raw)
	if err != nil {
		b.report(err, t.Span)
	}
	t.Options = options
	b.connectorColumns(t, s)
	b.columnConstraints(s, false)
	b.tableConstraints(t, s)
	b.partitions(t, s)
	if !g.ok || err != nil || !b.columnsFit(t) {
		return
	}
	if t.Kind != catalog.Sink {
		for _, c := range t.Columns {
			if c.Default != nil {
				b.warn(CodeTable, c.Default.Span, "table %q is a %s, which nobody inserts into; DEFAULT is ignored", t.Name, t.Kind).
					WithHint("use coalesce(%s, …) in the query", c.Field.Name)
			}
		}
	}
	if t.Kind == catalog.Source {
		t.Stream = b.stream(t, times, s)
		return
	}
	if t.Kind == catalog.Lookup {
		b.lookupTable(t)
	}
	for _, w := range s.Watermarks {
		b.warn(CodeTable, w.Span(), "table %q is a %s; its watermark is ignored", t.Name, t.Kind).WithHint("leave WATERMARK FOR out")
	}
}

// declares reports whether a connector has an option of this name.
func declares(decl *connector.Declaration, name string) bool {
	for i := range decl.Options {
		if decl.Options[i].Name == name {
			return true
		}
	}
	return false
}

// columns binds the declared columns' names and types.
func (b *Binder) columns(t *catalog.Table, s *ast.CreateTable) {
	seen := map[string]bool{}
	for _, c := range s.Columns {
		col := catalog.Column{Span: c.Span(), PrimaryKey: c.PrimaryKey}
		if seen[c.Name.Name] {
			b.errorf(CodeDuplicate, c.Name.Span(), "column %q is declared twice", c.Name.Name).WithHint("give it another name")
			continue
		}
		seen[c.Name.Name] = true
		f, err := types.Column(c.Type)
		if err != nil {
			if err.Record.Column != "" {
				err.Record.Column = c.Name.Name + "." + err.Record.Column
			}
			b.errs = append(b.errs, err)
			f.Type = arrow.BinaryTypes.String
		}
		f.Name, f.Nullable = c.Name.Name, !c.NotNull
		col.Field = f
		b.membersNotNull(c.Type)
		b.columnClauses(&col, c)
		t.Columns = append(t.Columns, col)
	}
}

// columnConstraints refuses those that no connector checks; in a table without one they are ignored.
func (b *Binder) columnConstraints(s *ast.CreateTable, ignored bool) {
	for _, c := range s.Columns {
		for _, x := range c.Constraints {
			b.constraint(x.Span(), x.Kind, ignored)
		}
	}
}

func (b *Binder) constraint(span fault.Span, kind ast.ConstraintKind, ignored bool) {
	if ignored {
		b.warn(CodeTable, span, "%s is not checked", kind).WithHint("leave it out")
		return
	}
	b.unsupported(span, "unsupported table constraint %s", kind).WithHint("a stream checks only NOT NULL")
}

// membersNotNull warns of NOT NULL inside of a type, which nobody checks: the members of a struct may always be null.
func (b *Binder) membersNotNull(t *ast.DataType) {
	if t == nil {
		return
	}
	b.membersNotNull(t.Elem)
	b.membersNotNull(t.Value)
	for _, f := range t.Fields {
		if f.NotNull {
			b.warn(CodeTable, f.Span(), "NOT NULL for a member of a struct is not checked").WithHint("leave it out; NOT NULL stands behind the type of a column")
		}
		b.membersNotNull(f.Type)
	}
}

func (b *Binder) columnClauses(col *catalog.Column, c *ast.ColumnDef) {
	if c.Metadata != nil {
		col.Metadata = c.Metadata.Value
	}
	if key, ok := metadataCall(c.Generated); ok {
		col.Metadata = key
		b.warn(CodeDeprecated, c.Generated.Span(), "metadata() in a generated column is deprecated").
			WithHint("write %s METADATA FROM '%s'", c.Name.Name, key)
	} else if c.Generated != nil {
		col.Virtual = true
	}
	if c.Default != nil {
		b.defaultOf(col, c)
	}
}

// defaultOf binds DEFAULT expr: an expression without columns, of the column's type.
func (b *Binder) defaultOf(col *catalog.Column, c *ast.ColumnDef) {
	span := c.Default.Span()
	if col.Virtual || col.Metadata != "" {
		b.errorf(CodeTable, span, "column %q is filled by itself and has no DEFAULT", c.Name.Name).WithHint("leave DEFAULT out")
		return
	}
	p := &place{b: b, scope: &scope{}, clause: "DEFAULT"}
	n := p.expr(c.Default)
	if n != nil && !arrow.TypeEqual(n.Type, col.Field.Type) {
		n = p.castField(n, col.Field, false, span)
	}
	if n == nil {
		return
	}
	if n = expr.Fold(n); n.Kind == expr.Cast && n.Args[0].Kind == expr.Literal {
		b.errorf(fault.CodeInvalid, span, "the DEFAULT of column %q is no %s", c.Name.Name, typeOf(col.Field)).WithHint("%s", formatHint(col.Field.Type))
		return
	}
	if n.Nullable && n.Kind == expr.Literal && !col.Field.Nullable {
		b.errorf(CodeTable, span, "column %q is NOT NULL, and its DEFAULT is null", c.Name.Name).WithHint("leave DEFAULT or NOT NULL out")
		return
	}
	col.Default = n
	col.DefaultText = &ast.Cast{Place: ast.At(span), X: c.Default, Type: c.Type}
}

// metadataCall recognises the older spelling of a metadata column, GENERATED ALWAYS AS (metadata('key')).
func metadataCall(e ast.Expr) (string, bool) {
	c, ok := e.(*ast.Call)
	if !ok || len(c.Name) != 1 || !strings.EqualFold(c.Name[0].Name, "metadata") || len(c.Args) != 1 {
		return "", false
	}
	key, ok := c.Args[0].Value.(*ast.StringLit)
	if !ok {
		return "", false
	}
	return key.Value, true
}

// connectorColumns checks the declared columns against the connector, or takes them from it.
func (b *Binder) connectorColumns(t *catalog.Table, s *ast.CreateTable) {
	decl := t.Connector
	var physical []catalog.Column
	for _, c := range t.Columns {
		switch {
		case c.Metadata != "":
			b.metadataColumn(t, c)
		case !c.Virtual:
			physical = append(physical, c)
		}
	}
	if decl.Schema != nil {
		b.ownSchema(t, physical)
		return
	}
	if len(t.Columns) > 0 {
		return
	}
	if t.Kind == catalog.Sink {
		t.Inferred = true
		return
	}
	b.errorf(CodeTable, t.Span, "table %q needs columns", t.Name).WithHint("declare them: CREATE TABLE %s (id BIGINT, name TEXT) WITH (…)", t.Name)
}

// ownSchema is for connectors that know their columns: those declared must be the same, or none.
func (b *Binder) ownSchema(t *catalog.Table, declared []catalog.Column) {
	own := t.Connector.Schema.Fields()
	if len(declared) == 0 {
		var columns []catalog.Column
		for _, f := range own {
			columns = append(columns, catalog.Column{Field: f, Span: t.Span})
		}
		t.Columns = append(columns, t.Columns...)
		return
	}
	same := len(declared) == len(own)
	for i := range own {
		same = same && declared[i].Field.Name == own[i].Name && arrow.TypeEqual(declared[i].Field.Type, own[i].Type)
	}
	if same {
		return
	}
	var want []string
	for _, f := range own {
		want = append(want, f.Name+" "+typeOf(f))
	}
	span := declared[0].Span
	for _, c := range declared[1:] {
		span = span.Join(c.Span)
	}
	b.errorf(CodeTable, span, "connector %q has columns of its own, and these are others", t.Connector.Name).
		WithHint("leave the columns out; they are %s", strings.Join(want, ", "))
}

func (b *Binder) metadataColumn(t *catalog.Table, c catalog.Column) {
	var keys []string
	for _, m := range t.Connector.Metadata {
		if m.Key != c.Metadata {
			keys = append(keys, m.Key)
			continue
		}
		if !arrow.TypeEqual(m.Type, c.Field.Type) {
			b.errorf(expr.CodeTypeMismatch, c.Span, "incorrect data type for metadata field %q; expected %s, found %s", m.Key, expr.TypeName(m.Type), typeOf(c.Field)).
				WithHint("declare it as %s %s METADATA FROM '%s'", c.Field.Name, expr.TypeName(m.Type), m.Key)
		}
		return
	}
	e := b.errorf(CodeTable, c.Span, "unknown metadata field %q for connector %q", c.Metadata, t.Connector.Name)
	hintAmong(e, c.Metadata, keys, "metadata fields")
}

// tableConstraints takes PRIMARY KEY (…) and refuses the others.
func (b *Binder) tableConstraints(t *catalog.Table, s *ast.CreateTable) {
	for _, c := range s.Constraints {
		if c.Kind != ast.ConstraintPrimaryKey {
			b.constraint(c.Span(), c.Kind, t.Kind == catalog.Memory)
			continue
		}
		for _, id := range c.Columns {
			if !markKey(t, id) {
				b.errorf(CodeUnknownColumn, id.Span(), "there is no column %q to be the primary key", id.Name).WithHint("name a declared column")
			}
		}
	}
}

func markKey(t *catalog.Table, id ast.Ident) bool {
	for _, same := range []func(ast.Ident, string) bool{exactly, loosely} {
		for i := range t.Columns {
			if same(id, t.Columns[i].Field.Name) {
				t.Columns[i].PrimaryKey = true
				return true
			}
		}
	}
	return false
}

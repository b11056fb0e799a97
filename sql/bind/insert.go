package bind

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/logical"
)

// insert is INSERT INTO table [(columns)] query: by position, each column cast to its target's type.
func (b *Binder) insert(s *ast.Insert) {
	t := b.table(s.Table, nil)
	if t != nil && t.Kind == catalog.Broken {
		t = nil
	}
	if s.Mode != ast.InsertInto {
		b.warn(CodeInsert, s.Span(), "a stream is only appended to: this INSERT does not take away what was there before").WithHint("write INSERT INTO")
	}
	if t != nil && !b.spellDefaults(t, s) {
		return
	}
	r := b.inserted(t, s)
	if t == nil || !b.insertable(t, s) || r == nil {
		return
	}
	var node logical.Node
	if t.Inferred && len(t.Columns) == 0 {
		node = b.infer(t, r, s)
	} else {
		node = b.fit(t, r, s)
	}
	if node == nil {
		return
	}
	if t.Kind == catalog.Memory {
		t.Stream = node
		return
	}
	if node.Properties().Mode == graph.Updating && t.Format.Name != "" && !updating(t.Format.Name) {
		b.errorf(CodeUpdating, s.Table.Span(), "the query updates its results, and table %q can only append", t.Name).
			WithHint("set format = 'debezium_json' on %s, or group by a time window", t.Name)
		return
	}
	t.Inserts = append(t.Inserts, node)
}

// inserted binds the query of an insert. VALUES alone know the columns that they go into.
func (b *Binder) inserted(t *catalog.Table, s *ast.Insert) *relation {
	v, ok := s.Query.Body.(*ast.Values)
	q := s.Query
	if !ok || t == nil || q.With != nil || len(q.OrderBy) > 0 || q.Limit != nil || q.Offset != nil || t.Inferred {
		return b.topQuery(s.Query)
	}
	targets := t.Writable()
	var into []arrow.Field
	for _, c := range targets {
		if len(s.Columns) == 0 {
			into = append(into, c.Field)
		}
	}
	for _, id := range s.Columns {
		for _, c := range targets {
			if exactly(id, c.Field.Name) || loosely(id, c.Field.Name) {
				into = append(into, c.Field)
				break
			}
		}
	}
	return b.values(v, into, nil)
}

// insertable refuses targets that cannot be written.
func (b *Binder) insertable(t *catalog.Table, s *ast.Insert) bool {
	span := s.Table.Span()
	switch t.Kind {
	case catalog.Sink:
		return true
	case catalog.Memory:
		if t.Stream == nil {
			return true
		}
		b.errorf(CodeInsert, span, "table %q has no connector and takes only one INSERT", t.Name).
			WithHint("put the queries together with UNION ALL")
	case catalog.Source:
		b.errorf(CodeInsert, span, "attempted to insert into %q, but it is a source", t.Name).
			WithHint("declare a table with type = 'sink'")
	case catalog.Lookup:
		b.errorf(CodeInsert, span, "lookup tables cannot be inserted into").WithHint("declare a table with type = 'sink'")
	default:
		b.errorf(CodeInsert, span, "%q is a view and cannot be inserted into", t.Name).
			WithHint("declare a table with a connector, and insert into that")
	}
	return false
}

// infer gives a sink without columns those of its first query.
func (b *Binder) infer(t *catalog.Table, r *relation, s *ast.Insert) logical.Node {
	if len(s.Columns) > 0 {
		b.errorf(CodeInsert, s.Columns[0].Span(), "table %q has no declared columns to name here", t.Name).
			WithHint("leave the column list out, or declare the columns")
		return nil
	}
	if !b.distinctNames(r, s.Query.Span()) {
		return nil
	}
	node := b.written(r.node)
	for _, f := range node.Schema().Fields() {
		t.Columns = append(t.Columns, catalog.Column{Field: f, Span: s.Query.Span()})
	}
	return node
}

// fit casts a query's columns to those of the table.
func (b *Binder) fit(t *catalog.Table, r *relation, s *ast.Insert) logical.Node {
	targets := t.Writable()
	at, ok := b.targets(t, targets, s)
	if !ok {
		return nil
	}
	in := r.node.Schema().Fields()
	if len(in) != len(at) {
		e := b.errorf(CodeInsert, s.Query.Span(), "column count doesn't match: the query has %d, %s takes %d", len(in), t.Name, len(at)).
			WithHint("%s takes %s", t.Name, names(targets, at))
		if len(in) < len(at) && len(s.Columns) == 0 {
			e.Hint += "; name those that the query fills, INSERT INTO " + t.Name + " (…), to leave out the others"
		}
		return nil
	}
	if t.Inferred && !b.sameAsFirst(t, in, s) {
		return nil
	}
	p := &place{b: b, scope: &scope{}}
	exprs := make([]*expr.Node, len(targets))
	for i, f := range in {
		target := targets[at[i]].Field
		c := expr.NewColumn(i, f).At(s.Query.Span())
		if !arrow.TypeEqual(f.Type, target.Type) {
			if c = p.castField(c, target, false, s.Query.Span()); c == nil {
				b.errs[len(b.errs)-1].Message += " (column \"" + target.Name + "\")"
				return nil
			}
		}
		exprs[at[i]] = c
	}
	b.mayBeNull(t, targets, exprs, s)
	for i, c := range targets {
		switch {
		case exprs[i] != nil:
		case c.Default != nil:
			exprs[i] = c.Default
		case c.Field.Nullable:
			exprs[i] = expr.NewLiteral(c.Field.Type, nil).At(s.Table.Span())
		default:
			b.errorf(CodeInsert, s.Table.Span(), "column %q of %s is NOT NULL and gets no value", c.Field.Name, t.Name).
				WithHint("add it to the column list, or give it a DEFAULT in CREATE TABLE")
			return nil
		}
	}
	return logical.NewProject(r.node, exprs, t.Schema().Fields(), s.Query.Span())
}

// mayBeNull warns of a query that can put a null where the sink says that there is none; rows are not checked one by one.
func (b *Binder) mayBeNull(t *catalog.Table, targets []catalog.Column, exprs []*expr.Node, s *ast.Insert) {
	if t.Kind != catalog.Sink {
		return
	}
	for i, c := range targets {
		if e := exprs[i]; e != nil && e.Nullable && !c.Field.Nullable {
			b.warn(CodeInsert, s.Query.Span(), "column %q of %s is NOT NULL, and this query may put a null there", c.Field.Name, t.Name).
				WithHint("wrap the value in coalesce, or leave NOT NULL out")
			return
		}
	}
}

// spellDefaults puts what it stands for in the place of each DEFAULT among the VALUES of an insert; false after a fault.
func (b *Binder) spellDefaults(t *catalog.Table, s *ast.Insert) bool {
	values, ok := s.Query.Body.(*ast.Values)
	if !ok {
		return true
	}
	targets := t.Writable()
	if s.Defaults {
		for range max(1, len(targets)) {
			values.Rows[0].Items = append(values.Rows[0].Items, &ast.DefaultValue{Place: ast.At(s.Query.Span())})
		}
	}
	var at []int
	for _, row := range values.Rows {
		for i, item := range row.Items {
			if _, ok := item.(*ast.DefaultValue); !ok {
				continue
			}
			if t.Inferred {
				b.errorf(CodeInsert, item.Span(), "table %q has no declared columns, and so no defaults", t.Name).WithHint("write a value, or declare the columns")
				return false
			}
			if at == nil {
				if at, ok = b.targets(t, targets, s); !ok {
					return false
				}
			}
			if i < len(at) && targets[at[i]].DefaultText != nil {
				row.Items[i] = targets[at[i]].DefaultText
			} else {
				row.Items[i] = &ast.NullLit{Place: ast.At(item.Span())}
			}
		}
	}
	return true
}

func names(targets []catalog.Column, at []int) string {
	var out string
	for i, c := range at {
		if i > 0 {
			out += ", "
		}
		out += targets[c].Field.Name
	}
	return out
}

// targets gives the position in the table of each column of the query.
func (b *Binder) targets(t *catalog.Table, targets []catalog.Column, s *ast.Insert) ([]int, bool) {
	var at []int
	if len(s.Columns) == 0 {
		for i := range targets {
			at = append(at, i)
		}
		return at, true
	}
	var columns []scopeColumn
	for i, c := range targets {
		columns = append(columns, scopeColumn{field: c.Field, index: i})
	}
	ok := true
	for _, id := range s.Columns {
		found := pick(columns, id)
		switch {
		case len(found) == 0:
			hintNearest(b.errorf(CodeUnknownColumn, id.Span(), "table %q has no column %q to insert into", t.Name, id.Name), id.Name, columns)
			ok = false
		case slices.Contains(at, found[0].index):
			b.errorf(CodeDuplicate, id.Span(), "column %q is named twice", id.Name).WithHint("name each column once")
			ok = false
		default:
			at = append(at, found[0].index)
		}
	}
	return at, ok
}

// sameAsFirst holds later inserts to the names and types of the first, which made the table.
func (b *Binder) sameAsFirst(t *catalog.Table, in []arrow.Field, s *ast.Insert) bool {
	for i, f := range in {
		first := t.Columns[i].Field
		if f.Name != first.Name || f.Type.ID() != arrow.NULL && !arrow.TypeEqual(f.Type, first.Type) {
			b.errorf(CodeInsert, s.Query.Span(), "all inserts into %q must share the same schema: column %d is %q %s, and was %q %s",
				t.Name, i+1, f.Name, expr.TypeName(f.Type), first.Name, expr.TypeName(first.Type)).
				WithHint("name and cast the columns alike, or declare the columns of %s", t.Name)
			return false
		}
	}
	return true
}

// tableSink puts all inserts into a table together.
func (b *Binder) tableSink(t *catalog.Table) *logical.Sink {
	spec := &graph.SinkSpec{Table: t.Name, Connector: t.Connector.Name, Options: t.Options, Format: t.Format, Schema: t.Schema()}
	spec.PrimaryKey = sinkKey(t)
	sink := logical.NewSink(t.Inserts, spec, t.Connector.MaxParallelism, t.Connector.Description(t.Options), false, t.Span)
	b.writable(spec, sink.Properties().Mode, t.ColumnSpan)
	return sink
}

// sinkKey is what identifies a row of the changelogs that reach a sink: what the queries group by if they agree, else the
// declared primary key.
func sinkKey(t *catalog.Table) []int {
	var key []int
	updating := false
	for i, n := range t.Inserts {
		p := n.Properties()
		updating = updating || p.Mode == graph.Updating
		if i == 0 {
			key = p.Key
		} else if !slices.Equal(key, p.Key) {
			key = nil
		}
	}
	if !updating {
		return nil
	}
	// Two queries may each have a row of the same key, so that only whole rows, or what was declared, tell them apart.
	if len(t.Inserts) > 1 || key == nil {
		key = t.PrimaryKey()
	}
	return key
}

package bind

import (
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/logical"
)

// from binds the relations of a SELECT. One that, with its order, names columns of the query around it has their values
// beside each row.
func (b *Binder) from(s *ast.Select, whole ast.Node, e *env) *relation {
	in := b.relations(s, e)
	if f := e.around(); in != nil && f != nil && in.scope.outer == nil && f.namedIn(whole, in.scope) {
		f.tried = append(f.tried, whole)
		in = b.beside(in, f)
	}
	return in
}

func (b *Binder) relations(s *ast.Select, e *env) *relation {
	switch len(s.From) {
	case 0:
		return once(s.Span())
	case 1:
		return b.tableExpr(s.From[0], e)
	}
	return b.commaJoin(s.From, e)
}

func (b *Binder) tableExpr(t ast.TableExpr, e *env) *relation {
	switch t := t.(type) {
	case *ast.TableRef:
		return b.tableRef(t, e)
	case *ast.Derived:
		r := b.query(t.Query, e)
		if r == nil {
			return nil
		}
		return b.alias(r, t.Alias, "")
	case *ast.Nested:
		r := b.tableExpr(t.Table, e)
		if r == nil {
			return nil
		}
		if t.Alias != nil {
			r = b.visible(r, t.Span())
		}
		return b.alias(r, t.Alias, "")
	case *ast.Join:
		return b.join(t, e)
	case *ast.TableFunction:
		return b.tableFunction(t, e)
	default:
		b.unsupported(t.Span(), "this relation is not supported").WithHint("FROM takes a table, a view or a query")
	}
	return nil
}

func (b *Binder) tableRef(t *ast.TableRef, e *env) *relation {
	if t.AsOf != nil {
		b.unsupported(t.AsOf.Span(), "FOR SYSTEM_TIME AS OF stands only behind JOIN").
			WithHint("write FROM stream s JOIN %s FOR SYSTEM_TIME AS OF s.ts AS t ON s.k = t.k, or leave it out to read the table's changes", t.Name.Last().Name)
		return nil
	}
	if len(t.Name) == 1 {
		if c, ok := e.lookup(t.Name[0]); ok {
			if c.rel == nil {
				return nil
			}
			r := b.carried(c.rel, t, e)
			if r == nil {
				return nil
			}
			return b.alias(r, t.Alias, t.Name[0].Name)
		}
	}
	table := b.table(t.Name, e)
	if table == nil {
		return nil
	}
	n := b.read(table, t.Span())
	if n == nil {
		return nil
	}
	r := &relation{node: n, scope: scopeOf(t.Name.Last().Name, n)}
	return b.alias(r, t.Alias, t.Name.Last().Name)
}

// table looks a name up; nil after a fault, also an earlier one. A table that was refused can only be read.
func (b *Binder) table(name ast.Name, e *env) *catalog.Table {
	key := tableKey(name)
	t, ok := b.lookup(key, name.Span())
	if !ok {
		names := append([]string(nil), b.catalog.Names()...)
		for _, s := range b.opts.Tables {
			names = append(names, s.Name)
		}
		for ; e != nil; e = e.outer {
			if !e.subquery {
				names = append(names, e.name.Name)
			}
		}
		hintAmong(b.errorf(CodeUnknownTable, name.Span(), "there is no table %q", key), key, names, "tables")
		return nil
	}
	if t.Kind == catalog.Broken && t.Stream == nil {
		return nil
	}
	return t
}

// read is what selecting from a table gives.
func (b *Binder) read(t *catalog.Table, span fault.Span) logical.Node {
	switch t.Kind {
	case catalog.Sink:
		b.errorf(fault.CodeInvalid, span, "table %q is a sink and cannot be read", t.Name).
			WithHint("declare another table over the same data with type = 'source'")
		return nil
	case catalog.Lookup:
		b.unsupported(span, "lookup table %q can only be on the right of a JOIN", t.Name).
			WithHint("write FROM stream JOIN %s ON stream.k = %s.k, or declare the table with type = 'source' to read it as a stream", t.Name, t.Name)
		return nil
	case catalog.Memory:
		if t.Stream == nil {
			b.errorf(fault.CodeInvalid, span, "table %q is read before something is inserted", t.Name).
				WithHint("put the INSERT INTO %s before this query, or give the table a connector", t.Name)
			return nil
		}
	}
	return t.Stream
}

// alias makes a relation known under a name, perhaps with other names for its columns.
func (b *Binder) alias(r *relation, a *ast.TableAlias, name string) *relation {
	if a != nil {
		name = a.Name.Name
		if len(a.Columns) > 0 {
			if r = b.rename(r, a.Columns, a.Span()); r == nil {
				return nil
			}
		}
	}
	out := &relation{node: r.node, scope: &scope{outer: r.scope.outer}}
	for _, c := range r.scope.columns {
		if name != "" {
			c.table = name
		}
		out.scope.columns = append(out.scope.columns, c)
	}
	return out
}

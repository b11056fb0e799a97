package bind

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/logical"
)

// lookupTable checks a table that is looked up, and finds out what joins will ask.
func (b *Binder) lookupTable(t *catalog.Table) {
	key := ""
	for _, c := range t.Columns {
		switch {
		case c.Virtual:
			b.errorf(CodeTable, c.Span, "a lookup table has no virtual columns").WithHint("compute the column in the query that joins with the table")
			return
		case c.PrimaryKey && c.Metadata != t.Connector.LookupKey:
			key = c.Field.Name
		}
	}
	src := &source{b: b, t: t}
	src.scanTable(false)
	spec := src.scan.Spec
	if must := t.Connector.LookupKey; must != "" && (key != "" || len(spec.PrimaryKey) != 1) {
		b.errorf(CodeTable, t.Span, "the primary key of a lookup table of connector %q is its metadata column '%s', and nothing else", t.Connector.Name, must).
			WithHint("declare it as: key TEXT METADATA FROM '%s' PRIMARY KEY", must)
		return
	}
	switch {
	case len(spec.PrimaryKey) == 0:
		b.errorf(CodeTable, t.Span, "a lookup table needs a PRIMARY KEY, by which it is asked").WithHint("put PRIMARY KEY behind the type of the column that identifies a row")
		return
	case updating(t.Format.Name):
		b.errorf(CodeTable, t.Span, "a lookup table has rows and no changes, as in format '%s'", t.Format.Name).WithHint("use format = 'json', or type = 'source' to follow the changes")
		return
	case !b.readable(spec, t):
		return
	}
	t.CacheBytes, _ = strconv.ParseInt(t.Options[connector.OptionCacheBytes], 10, 64)
	t.CacheTTL, _ = strconv.ParseInt(t.Options[connector.OptionCacheTTL], 10, 64)
	delete(t.Options, connector.OptionCacheBytes)
	delete(t.Options, connector.OptionCacheTTL)
	t.Asked = spec
}

// lookedUp gives the lookup table that a relation names; nil if it is something else.
func (b *Binder) lookedUp(t ast.TableExpr, e *env) (*ast.TableRef, *catalog.Table) {
	ref, ok := t.(*ast.TableRef)
	if !ok {
		return nil, nil
	}
	if len(ref.Name) == 1 {
		if _, named := e.lookup(ref.Name[0]); named {
			return nil, nil
		}
	}
	table, ok := b.lookup(tableKey(ref.Name), ref.Name.Span())
	if !ok || table.Kind != catalog.Lookup {
		return nil, nil
	}
	return ref, table
}

// lookupJoin binds stream JOIN table, where the table is asked for each row.
func (b *Binder) lookupJoin(left *relation, t *ast.Join, ref *ast.TableRef, table *catalog.Table, e *env) *relation {
	if left == nil || table.Asked == nil {
		return nil
	}
	switch {
	case t.Kind != ast.InnerJoin && t.Kind != ast.LeftJoin || t.Asof:
		b.unsupported(t.Span(), "a lookup table can only be on the right of an INNER or LEFT JOIN").
			WithHint("write stream LEFT JOIN %s ON stream.k = %s.%s", table.Name, table.Name, table.Asked.Schema.Field(table.Asked.PrimaryKey[0]).Name)
		return nil
	case left.node.Properties().Mode != graph.Append:
		b.unsupported(t.Left.Span(), "a lookup cannot be repeated when a row is retracted, and these rows are updating").
			WithHint("join the stream with the lookup table first, then group or rank the result")
		return nil
	case ref.AsOf != nil && !presentTime(ref.AsOf):
		b.unsupported(ref.AsOf.Span(), "a lookup table is read as it is, not as it was").WithHint("leave FOR SYSTEM_TIME AS OF out")
		return nil
	}
	right, ok := b.lookupScope(ref, table)
	if !ok {
		return nil
	}
	kind := joinKinds[t.Kind]
	return b.on(t, left, right, kind, e, func(left, right *relation, terms []*expr.Node) *relation {
		return b.ask(left, right, kind, terms, table, t)
	})
}

// presentTime reports whether an expression is the time of processing.
func presentTime(e ast.Expr) bool {
	c, ok := e.(*ast.Call)
	return ok && len(c.Name) == 1 && processingTime[strings.ToLower(c.Name[0].Name)]
}

// lookupScope names the columns of a lookup table; the relation has no plan of its own.
func (b *Binder) lookupScope(ref *ast.TableRef, table *catalog.Table) (*relation, bool) {
	name := ref.Name.Last().Name
	fields := table.Asked.Schema.Fields()
	if a := ref.Alias; a != nil {
		name = a.Name.Name
		if len(a.Columns) > len(fields) {
			b.errorf(fault.CodeInvalid, a.Columns[len(fields)].Span(), "there are %d names for %d columns", len(a.Columns), len(fields)).
				WithHint("leave out the names from here on")
			return nil, false
		}
		for i, id := range a.Columns {
			fields[i].Name = id.Folded()
		}
	}
	s := &scope{}
	for i, f := range fields {
		s.columns = append(s.columns, scopeColumn{table: name, field: f, index: i})
	}
	return &relation{scope: s}, true
}

// ask plans a lookup from the terms of its condition.
func (b *Binder) ask(left, right *relation, kind graph.JoinKind, terms []*expr.Node, table *catalog.Table, t *ast.Join) *relation {
	n := left.node.Schema().NumFields()
	a := logical.Asked{
		Kind: kind, Table: table.Asked, Keys: make([]*expr.Node, len(table.Asked.PrimaryKey)), CacheBytes: table.CacheBytes, CacheTTL: table.CacheTTL,
		Description: table.Connector.Description(table.Options),
	}
	var below []*expr.Node
	for _, term := range terms {
		if k, ok := equality(term, n); ok {
			if at, key := keyColumn(table.Asked, k); at >= 0 && a.Keys[at] == nil {
				a.Keys[at] = key
				continue
			}
		}
		if logical.SideOf(term, n) == logical.LeftSide && kind == graph.InnerJoin {
			below = append(below, term)
		} else {
			a.Residual = append(a.Residual, term)
		}
	}
	for i, k := range a.Keys {
		if k == nil {
			name := table.Asked.Schema.Field(table.Asked.PrimaryKey[i]).Name
			b.errorf(fault.CodeInvalid, t.Span(), "lookup table %q is asked by its PRIMARY KEY, and the join does not say what %q equals", table.Name, name).
				WithHint("add AND … = %s.%s: an expression over the stream on one side, the bare column on the other", table.Name, name)
			return nil
		}
	}
	l := logical.NewLookup(b.filtered(left.node, below), a, t.Span())
	b.fresh[l] = true
	return (&relation{node: l, scope: beside(left, right)}).refreshed()
}

// keyColumn tells which column of a table's key an equality is about, and what it has to equal, in the column's own type. A
// wider value that does not fit into the column has no match.
func keyColumn(table *graph.SourceSpec, k logical.JoinKey) (int, *expr.Node) {
	c, ok := logical.Identity(k.Right)
	if !ok {
		return -1, nil
	}
	for i, p := range table.PrimaryKey {
		if p != c {
			continue
		}
		own := table.Schema.Field(p).Type
		if arrow.TypeEqual(k.Left.Type, own) {
			return i, k.Left
		}
		if arrow.IsInteger(own.ID()) && arrow.IsInteger(k.Left.Type.ID()) {
			if n, err := expr.CastTo(k.Left, own, true, k.Left.Span); err == nil {
				return i, n
			}
		}
		return -1, nil
	}
	return -1, nil
}

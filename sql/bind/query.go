package bind

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// env is the named queries of WITH clauses around a place, innermost last, and the queries that it is a subquery of.
type env struct {
	outer *env
	name  ast.Ident
	// rel is nil if the query was refused.
	rel *relation
	// subquery is set for the entry that is no name but the beginning of a subquery in an expression; frame is nil if that
	// names no column of the query around it.
	subquery bool
	frame    *frame
}

// around gives the columns of the query around the innermost subquery; nil if there are none that it names.
func (e *env) around() *frame {
	for ; e != nil; e = e.outer {
		if e.subquery {
			return e.frame
		}
	}
	return nil
}

func (e *env) lookup(id ast.Ident) (*env, bool) {
	for ; e != nil; e = e.outer {
		if e.subquery {
			continue
		}
		if e.name.Folded() == id.Folded() || loosely(id, e.name.Name) {
			return e, true
		}
	}
	return nil, false
}

// query binds a query inside of another; nil means that a fault was reported.
func (b *Binder) query(q *ast.Query, e *env) *relation { return b.queryAt(q, e, false) }

// topQuery binds a query that nothing is around, whose rows go out.
func (b *Binder) topQuery(q *ast.Query) *relation { return b.queryAt(q, nil, true) }

func (b *Binder) queryAt(q *ast.Query, e *env, top bool) *relation {
	if q.With != nil {
		if q.With.Recursive {
			b.unsupported(q.With.Span(), "recursive queries are not supported").WithHint("leave RECURSIVE out if no query names itself; generate_series(1, n) counts without it")
			return nil
		}
		for i, c := range q.With.Tables {
			if slices.ContainsFunc(q.With.Tables[:i], func(o *ast.CTE) bool { return strings.EqualFold(o.Name.Name, c.Name.Name) }) {
				b.errorf(CodeTable, c.Name.Span(), "WITH names two queries %q", c.Name.Name).WithHint("give one of them another name")
				return nil
			}
			e = &env{outer: e, name: c.Name, rel: b.cte(c, e)}
			e.carry()
		}
	}
	if s, ok := q.Body.(*ast.Select); ok {
		return b.sorted(q, s, e, top)
	}
	r := b.body(q.Body, e)
	if r == nil {
		return nil
	}
	return b.ordered(q, r, e, top)
}

// cte binds a named query once, however often it is read.
func (b *Binder) cte(c *ast.CTE, e *env) *relation {
	r := b.query(c.Query, e)
	if r != nil && len(c.Columns) > 0 {
		r = b.rename(r, c.Columns, c.Name.Span())
	}
	return r
}

func (b *Binder) body(body ast.QueryBody, e *env) *relation {
	switch body := body.(type) {
	case *ast.Select:
		return b.sorted(&ast.Query{Place: ast.At(body.Span()), Body: body}, body, e, false)
	case *ast.SetOperation:
		return b.setOperation(body, e)
	case *ast.Query:
		return b.query(body, e)
	case *ast.Values:
		return b.values(body, nil, e)
	}
	b.unsupported(body.Span(), "this query is not supported").WithHint("a query is a SELECT, VALUES, or several of them with UNION, INTERSECT or EXCEPT")
	return nil
}

// castAll gives a node's columns the types and names of fields; nil after a fault.
func (b *Binder) castAll(n logical.Node, fields []arrow.Field, span fault.Span) logical.Node {
	p := &place{b: b, scope: &scope{}}
	exprs, same := make([]*expr.Node, len(fields)), true
	for i, f := range n.Schema().Fields() {
		c := expr.NewColumn(i, f).At(span)
		if !arrow.TypeEqual(f.Type, fields[i].Type) {
			same = false
			if c = p.castTo(c, fields[i].Type, false, span); c == nil {
				return nil
			}
		}
		same = same && f.Name == fields[i].Name
		exprs[i] = c
	}
	if same {
		return n
	}
	return logical.NewProject(n, exprs, fields, span)
}

// concrete gives columns of the type of a bare NULL a type that rows can have: TEXT.
func (b *Binder) concrete(n logical.Node) logical.Node {
	fields := append([]arrow.Field(nil), n.Schema().Fields()...)
	for i := range fields {
		fields[i].Type = definite(fields[i].Type)
	}
	if out := b.castAll(n, fields, n.Span()); out != nil {
		return out
	}
	return n
}

// definite is a type with TEXT for what is always null, at any depth.
func definite(dt arrow.DataType) arrow.DataType {
	switch t := dt.(type) {
	case *arrow.NullType:
		return arrow.BinaryTypes.String
	case *arrow.ListType:
		if elem := definite(t.Elem()); !arrow.TypeEqual(elem, t.Elem()) {
			f := t.ElemField()
			f.Type = elem
			return arrow.ListOfField(f)
		}
	case *arrow.MapType:
		if item := definite(t.ItemType()); !arrow.TypeEqual(item, t.ItemType()) {
			return arrow.MapOf(t.KeyType(), item)
		}
	case *arrow.StructType:
		fields := slices.Clone(t.Fields())
		same := true
		for i, f := range fields {
			fields[i].Type = definite(f.Type)
			same = same && arrow.TypeEqual(f.Type, fields[i].Type)
		}
		if !same {
			return arrow.StructOf(fields...)
		}
	}
	return dt
}

// written is concrete, with values that -> gives as JSON text, as Arroyo writes them: a text in quotes, and the text null
// where there is none. A sink with declared columns says by their types what becomes of such values.
func (b *Binder) written(n logical.Node) logical.Node {
	n = b.concrete(n)
	p := &place{b: b, scope: &scope{}}
	fields := append([]arrow.Field(nil), n.Schema().Fields()...)
	exprs := make([]*expr.Node, len(fields))
	same := true
	for i, f := range fields {
		exprs[i] = expr.NewColumn(i, f).At(n.Span())
		if !arrow.TypeEqual(f.Type, expr.JSON) {
			continue
		}
		same = false
		if exprs[i] = p.function("serialize_json_union", n.Span(), exprs[i]); exprs[i] == nil {
			return n
		}
		fields[i] = arrow.Field{Name: f.Name, Type: exprs[i].Type}
	}
	if same {
		return n
	}
	return logical.NewProject(n, exprs, fields, n.Span())
}

// distinct keeps one row of each kind: an aggregation without aggregates, by window if a column holds the window.
func (b *Binder) distinct(r *relation, span fault.Span) *relation {
	in := b.concrete(r.node)
	g := &grouping{b: b, in: in, span: span}
	for i, f := range in.Schema().Fields() {
		g.exprs = append(g.exprs, expr.NewColumn(i, f).At(span))
		g.fields = append(g.fields, f)
	}
	if !g.split(nil) {
		return nil
	}
	agg := g.aggregate(nil)
	exprs := make([]*expr.Node, len(g.exprs))
	for i := range g.exprs {
		exprs[i] = g.result(i, agg)
	}
	p := logical.NewProject(agg, exprs, in.Schema().Fields(), span)
	out := &relation{node: p, scope: &scope{outer: r.scope.outer}}
	for i, c := range r.scope.columns {
		c.field = p.Schema().Field(i)
		out.scope.columns = append(out.scope.columns, c)
	}
	return out
}

// renamed is the relation of a node with the same columns, known by their names alone.
func (r *relation) renamed(n logical.Node) *relation {
	s := scopeOf("", n)
	s.columns, s.outer = s.columns[:len(s.columns)-len(r.scope.outer)], r.scope.outer
	return &relation{node: n, scope: s}
}

// rename gives the columns of a relation other names.
func (b *Binder) rename(r *relation, names []ast.Ident, span fault.Span) *relation {
	fields := append([]arrow.Field(nil), r.node.Schema().Fields()...)
	if own := len(fields) - len(r.scope.outer); len(names) > own {
		b.errorf(fault.CodeInvalid, names[own].Span(), "there are %d names for %d columns", len(names), own).
			WithHint("leave out the names from here on")
		return nil
	}
	exprs := make([]*expr.Node, len(fields))
	for i := range fields {
		exprs[i] = expr.NewColumn(i, fields[i]).At(span)
		if i < len(names) {
			fields[i].Name = names[i].Folded()
		}
	}
	return r.renamed(logical.NewProject(r.node, exprs, fields, span))
}

// own are the columns of a relation without those that it carries along, which are behind them.
func (r *relation) own() []arrow.Field {
	fields := r.node.Schema().Fields()
	return fields[:len(fields)-len(r.scope.outer)]
}

// apart numbers columns of one name, as those of SELECT * FROM a JOIN b, for a sink that writes names: id and id_1.
func (b *Binder) apart(n logical.Node, r *relation, span fault.Span) logical.Node {
	fields := append([]arrow.Field(nil), n.Schema().Fields()...)
	taken := make(map[string]bool, len(fields))
	for _, f := range fields {
		taken[f.Name] = true
	}
	exprs := make([]*expr.Node, len(fields))
	seen := make(map[string]bool, len(fields))
	same := true
	for i, f := range fields {
		exprs[i] = expr.NewColumn(i, f).At(span)
		if !seen[f.Name] {
			seen[f.Name] = true
			continue
		}
		same = false
		name := f.Name
		for k := 1; taken[name]; k++ {
			name = fmt.Sprintf("%s_%d", f.Name, k)
		}
		taken[name], fields[i].Name = true, name
		at := span
		if i < len(r.spans) {
			at = r.spans[i]
		}
		b.warn(CodeDuplicate, at, "two columns are named %q; this one is written as %q", f.Name, name).WithHint("give one of them another name with AS")
	}
	if same {
		return n
	}
	return logical.NewProject(n, exprs, fields, span)
}

// distinctNames refuses two columns of one name where names are all that tells columns apart.
func (b *Binder) distinctNames(r *relation, span fault.Span) bool {
	seen := map[string]bool{}
	for i, f := range r.own() {
		if seen[f.Name] {
			if i < len(r.spans) {
				span = r.spans[i]
			}
			b.errorf(CodeDuplicate, span, "two columns are named %q", f.Name).WithHint("give one of them another name with AS")
			return false
		}
		seen[f.Name] = true
	}
	return true
}

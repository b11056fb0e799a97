package bind

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/types"
)

// item is one column of a select list.
type item struct {
	// source is the expression as written; nil for a column of a star.
	source ast.Expr
	// node is nil if the expression was refused.
	node *expr.Node
	// field has the name and the metadata of the column; table is the relation of a plain column.
	field arrow.Field
	table string
	// alias is empty without AS.
	alias string
	span  fault.Span
	// outer is set for a column of the query around that is carried along.
	outer *scopeColumn
	// hidden items are only sorted by.
	hidden bool
}

// visible are the items that were written.
func visible(items []*item) []*item {
	n := len(items)
	for n > 0 && items[n-1].hidden {
		n--
	}
	return items[:n]
}

// selectBlock binds one SELECT, and the expressions that its rows are sorted by as further columns.
func (b *Binder) selectBlock(s *ast.Select, e *env, so *sorting) *relation {
	in := b.from(s, so.whole, e)
	if in == nil {
		return nil
	}
	node := in.node
	named := map[string]bool{}
	for _, it := range s.Items {
		if it.Alias != nil {
			named[it.Alias.Folded()] = true
		}
	}
	in.scope.named = named
	ok := true
	if s.Where != nil {
		node = b.whereClause(in, s.Where, e)
		if ok = node != nil; !ok {
			node = in.node
		}
	}
	in = (&relation{node: node, scope: in.scope}).refreshed()
	if f := e.around(); in.scope.outer != nil && (s != f.top || !b.isPlain(s)) {
		in = b.shortened(in, f)
	}
	node = in.node
	in.scope.named = named
	p := &place{b: b, scope: in.scope, clause: "the select list", aggregates: &collected{}, scalars: &scalars{env: e}, overs: &overs{named: b.windows(s)}, unnests: &unnests{}, grouped: true}
	items := p.items(s.Items)
	aliases := aliasesOf(items)
	var having *expr.Node
	if s.Having != nil {
		h := *p
		h.clause, h.aliases, h.overs, h.unnests = "HAVING", aliases, nil, nil
		having = h.condition(s.Having)
		ok = ok && having != nil
	}
	var qualify *expr.Node
	if s.Qualify != nil {
		q := *p
		q.clause, q.aliases, q.unnests = "QUALIFY", aliases, nil
		qualify = q.condition(s.Qualify)
		ok = ok && qualify != nil
	}
	ok = so.bind(p, s, &items, aliases) && ok
	for _, it := range items {
		ok = ok && it.node != nil
	}
	var out *relation
	if grouped := s.GroupBy != nil || s.Having != nil || len(p.aggregates.calls) > 0; grouped {
		out = b.grouped(s, p, node, items, having, qualify, ok)
	} else if p.strayWindows(items) && ok {
		node, resolve := p.scalars.join(b, node, p.scalars.early(), nil)
		if node == nil {
			return nil
		}
		out = b.over(s, p, node, items, qualify, resolve)
	}
	if out == nil || !s.Distinct || len(s.DistinctOn) > 0 {
		return out
	}
	return b.distinct(out, s.Span())
}

// isPlain reports whether a SELECT only picks and computes, so that it may be taken apart again.
func (b *Binder) isPlain(s *ast.Select) bool {
	return s.GroupBy == nil && s.Having == nil && !s.Distinct && s.Qualify == nil && !aggregates(b, s.Items)
}

// aggregates reports whether a select list calls an aggregate, a function over rows or unnest, which make other rows of those
// of FROM.
func aggregates(b *Binder, items []*ast.SelectItem) bool {
	found := false
	for _, it := range items {
		ast.Inspect(it.Expr, func(n ast.Node) bool {
			if _, nested := n.(*ast.Query); nested {
				return false
			}
			if c, ok := n.(*ast.Call); ok && (c.Over != nil || strings.EqualFold(c.Name.Last().Name, "unnest") || b.opts.Aggregates.Has(c.Name.Last().Name) && !b.opts.Functions.Has(c.Name.Last().Name)) {
				found = true
			}
			return !found
		})
	}
	return found
}

// over computes calls with OVER, filters by QUALIFY and projects. move rewrites expressions of the SELECT into ones over in.
func (b *Binder) over(s *ast.Select, p *place, in logical.Node, items []*item, qualify *expr.Node, move func(*expr.Node) *expr.Node) *relation {
	ok := true
	items = append(items[:len(items):len(items)], p.scope.carried(s.Span())...)
	for _, it := range items {
		it.node = move(it.node)
		ok = ok && it.node != nil
	}
	if qualify != nil {
		qualify = move(qualify)
		ok = ok && qualify != nil
	}
	if !ok {
		return nil
	}
	node := p.overs.compute(b, in, qualify, move)
	if node == nil {
		return nil
	}
	node, resolve := p.scalars.join(b, node, p.scalars.late(), func(n *expr.Node) *expr.Node { return p.overs.resolve(move(n)) })
	if node == nil {
		return nil
	}
	if qualify != nil {
		node = logical.NewFilter(node, resolve(p.overs.resolve(qualify)), s.Qualify.Span())
	}
	whole := func(n *expr.Node) *expr.Node { return resolve(p.overs.resolve(move(n))) }
	if node = p.unnests.compute(b, node, whole, s.Span()); node == nil {
		return nil
	}
	for _, it := range items {
		it.node = p.unnests.resolve(resolve(p.overs.resolve(it.node)))
	}
	return b.projected(node, items, s.Span())
}

// aliasesOf maps what AS has named; a name given twice stands for nothing.
func aliasesOf(items []*item) map[string]*item {
	out, twice := map[string]*item{}, map[string]bool{}
	for _, it := range items {
		if it.alias == "" {
			continue
		}
		if out[it.alias] != nil {
			twice[it.alias] = true
		}
		out[it.alias] = it
	}
	for a := range twice {
		delete(out, a)
	}
	return out
}

// items binds the select list, stars expanded.
func (p *place) items(list []*ast.SelectItem) []*item {
	var out []*item
	for _, si := range list {
		if star, ok := si.Expr.(*ast.Star); ok {
			out = append(out, p.star(star)...)
			continue
		}
		out = append(out, p.item(si))
	}
	return out
}

func (p *place) item(si *ast.SelectItem) *item {
	if p.measure = si.Measure.Span(); si.Alias != nil {
		p.instead = strings.ToUpper(si.Alias.Name)
	}
	it := &item{source: si.Expr, span: si.Expr.Span(), node: p.expr(si.Expr)}
	p.measure = fault.Span{}
	if it.node == nil {
		it.nameIt(si, "")
		return it
	}
	it.field = arrow.Field{Type: it.node.Type, Nullable: it.node.Nullable}
	if c, ok := p.columnOf(it.node); ok {
		it.field.Metadata = c.field.Metadata
		it.table = c.table
	}
	if saysJSON(si.Expr) {
		it.field.Metadata = expr.JSONMetadata
	}
	if part, ok := partOf(it.node); ok {
		it.field.Metadata = part.Metadata
	}
	if saysText(si.Expr) {
		it.field.Metadata = arrow.Metadata{}
	}
	it.nameIt(si, p.columnName(si.Expr, it.node))
	return it
}

// columnOf gives the column of the relations around that an expression is.
func (p *place) columnOf(n *expr.Node) (scopeColumn, bool) {
	if n.Kind == expr.Column && n.Index < firstCall {
		for _, c := range p.scope.columns {
			if c.index == n.Index {
				return c, true
			}
		}
	}
	return scopeColumn{}, false
}

// isJSON reports whether the text that an expression gives is JSON by its type.
func (p *place) isJSON(e ast.Expr, n *expr.Node) bool {
	if saysText(e) {
		return false
	}
	if c, ok := p.columnOf(n); ok && expr.IsJSON(c.field) {
		return true
	}
	if part, ok := partOf(n); ok && expr.IsJSON(part) {
		return true
	}
	return saysJSON(e)
}

// saysText reports whether an expression is a cast to a type other than JSON, which makes a text of JSON.
func saysText(e ast.Expr) bool {
	c, ok := e.(*ast.Cast)
	return ok && !types.IsJSON(c.Type)
}

// saysJSON reports whether an expression is a cast to JSON, or makes JSON of a value.
func saysJSON(e ast.Expr) bool {
	var t *ast.DataType
	switch e := e.(type) {
	case *ast.Call:
		return len(e.Name) == 1 && strings.EqualFold(e.Name[0].Name, "to_json")
	case *ast.Cast:
		t = e.Type
	case *ast.TypedLit:
		t = e.Type
	}
	return t != nil && types.IsJSON(t)
}

// partOf gives the field of what an expression takes out of a struct, a list or a map.
func partOf(n *expr.Node) (arrow.Field, bool) {
	if len(n.Args) == 0 || n.Kind != expr.Field && (n.Kind != expr.Call || n.Name != "array_element") {
		return arrow.Field{}, false
	}
	switch t := n.Args[0].Type.(type) {
	case *arrow.StructType:
		return t.Field(n.Index), true
	case *arrow.ListType:
		return t.ElemField(), true
	case *arrow.MapType:
		return t.ItemField(), true
	}
	return arrow.Field{}, false
}

func (it *item) nameIt(si *ast.SelectItem, otherwise string) {
	it.field.Name = otherwise
	if si.Alias != nil {
		it.alias = si.Alias.Folded()
		it.field.Name, it.table = it.alias, ""
	}
}

// columnName is the name of an item without AS: a column's own, else the expression as it is displayed.
func (p *place) columnName(e ast.Expr, n *expr.Node) string {
	if ref, ok := e.(*ast.ColumnRef); ok && n.Kind == expr.Column {
		if c, _, err := p.scope.find(ref.Path); err == nil {
			return c.field.Name
		}
	}
	return p.scope.display(e)
}

// star expands *, t.* and their variants.
func (p *place) star(s *ast.Star) []*item {
	columns := p.scope.visible()
	if len(s.Qualifier) > 0 {
		columns = p.scope.of(s.Qualifier.Last())
		if first := s.Qualifier[:1]; len(columns) == 0 || len(s.Qualifier) > 1 && len(p.scope.of(first[0]))+len(pick(p.scope.visible(), first[0])) > 0 {
			return p.starOfStruct(s)
		}
	}
	if len(p.scope.columns) == 0 {
		p.b.errorf(CodeUnknownColumn, s.Span(), "there are no columns that * could stand for").WithHint("name a table: SELECT * FROM t")
		return []*item{{span: s.Span()}}
	}
	for _, id := range s.Except {
		if len(pick(columns, id)) == 0 {
			hintNearest(p.b.errorf(CodeUnknownColumn, id.Span(), "there is no column %q to leave out", id.Name), id.Name, columns)
			return []*item{{span: id.Span()}}
		}
	}
	var out []*item
	for _, c := range columns {
		if excepted(s.Except, c) {
			continue
		}
		out = append(out, &item{node: expr.NewColumn(c.index, c.field).At(s.Span()), field: c.field, table: c.table, span: s.Span()})
	}
	for _, r := range s.Replace {
		p.replaceItem(out, r, columns)
	}
	return out
}

func (p *place) replaceItem(out []*item, r *ast.SelectItem, columns []scopeColumn) {
	for i, it := range out {
		if r.Alias != nil && (exactly(*r.Alias, it.field.Name) || loosely(*r.Alias, it.field.Name)) {
			name := it.field.Name
			out[i] = p.item(r)
			out[i].field.Name, out[i].alias = name, ""
			return
		}
	}
	if r.Alias != nil {
		hintNearest(p.b.errorf(CodeUnknownColumn, r.Alias.Span(), "there is no column %q to replace", r.Alias.Name), r.Alias.Name, columns)
	}
}

// starOfStruct expands s.* of a struct column into its members.
func (p *place) starOfStruct(s *ast.Star) []*item {
	c, rest, err := p.scope.find(s.Qualifier)
	if err != nil {
		if len(s.Qualifier) == 1 {
			err = fault.Userf(CodeUnknownTable, s.Qualifier.Span(), "there is no table %q here", s.Qualifier.String())
			hintAmong(err, s.Qualifier.String(), p.scope.tables(), "tables")
		}
		p.b.errs = append(p.b.errs, err)
		return []*item{{span: s.Span()}}
	}
	n := expr.NewColumn(c.index, c.field).At(s.Span())
	for _, id := range rest {
		n = p.member(n, id)
	}
	if n == nil {
		return []*item{{span: s.Span()}}
	}
	t, ok := n.Type.(*arrow.StructType)
	if !ok {
		p.b.errorf(expr.CodeTypeMismatch, s.Span(), "%s has no members", expr.TypeName(n.Type)).WithHint("only tables and structs have a *")
		return []*item{{span: s.Span()}}
	}
	var out []*item
	for _, f := range t.Fields() {
		m := p.member(n, ast.Ident{Place: s.Place, Name: f.Name, Quoted: true})
		if m != nil {
			m = m.At(s.Span())
		}
		out = append(out, &item{node: m, field: arrow.Field{Name: f.Name, Type: f.Type, Nullable: f.Nullable, Metadata: f.Metadata}, span: s.Span()})
	}
	return out
}

func excepted(list []ast.Ident, c scopeColumn) bool {
	for _, id := range list {
		if exactly(id, c.field.Name) || loosely(id, c.field.Name) {
			return true
		}
	}
	return false
}

// projected is a SELECT without aggregation.
func (b *Binder) projected(in logical.Node, items []*item, span fault.Span) *relation {
	exprs, fields := make([]*expr.Node, len(items)), make([]arrow.Field, len(items))
	for i, it := range items {
		exprs[i], fields[i] = it.node, it.field
	}
	p := logical.NewProject(in, exprs, fields, span)
	r := &relation{node: p, scope: itemScope(p, items)}
	for _, it := range items {
		r.spans = append(r.spans, it.span)
	}
	return r
}

// itemScope names the columns of a select list for the query around it. Plain columns can still be named by their table,
// as long as the query has no alias.
func itemScope(n logical.Node, items []*item) *scope {
	s := &scope{}
	for i, f := range n.Schema().Fields() {
		if o := items[i].outer; o != nil {
			c := *o
			c.field, c.index = f, i
			s.outer = append(s.outer, c)
			continue
		}
		if items[i].hidden {
			continue
		}
		s.columns = append(s.columns, scopeColumn{table: items[i].table, field: f, index: i})
	}
	return s
}

// strayWindows refuses window calls that no GROUP BY has; it reports whether all is well.
func (p *place) strayWindows(items []*item) bool {
	ok := true
	for _, it := range items {
		if it.node == nil {
			continue
		}
		it.node.Walk(func(n *expr.Node) bool {
			if n.Kind == expr.Call && n.Name == groupingCall {
				p.b.errorf(CodeAggregate, n.Span, "grouping() needs GROUP BY").WithHint("write GROUP BY ROLLUP (…), CUBE (…) or GROUPING SETS (…)")
				ok = false
			}
			if n.Kind == expr.Column && n.Index >= firstWindow {
				p.misplacedWindow(strings.ToLower(n.Name), n.Span)
				ok = false
			}
			return ok
		})
	}
	return ok
}

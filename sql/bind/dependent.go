package bind

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// A subquery that names columns of the query around it is planned as one relation for all their values: every SELECT in it
// that names one carries the columns of a frame, as if FROM went on with the distinct values around, and groups, ranks and
// deduplicates by them too. The result has its own columns and behind them the frame's, by which it is joined with the
// query around it. Where the values must equal columns of the subquery's own, those stand for them, and the distinct
// values are not computed at all (see detach).

// frame is the columns of the query around that a subquery names.
type frame struct {
	// leaf stands for the distinct values until the query around is planned.
	leaf *leaf
	// columns are the names by which they are known; their indexes are those in the leaf. from are the same columns where
	// they come from, with the values over the query around.
	columns, from []scopeColumn
	values        []*expr.Node
	// exact holds the names that mean one of the columns. It is nil on the first try, which gives the columns to every
	// SELECT with a word like them: those are in tried, and refs and used are what was found.
	exact, refs map[ast.Node]bool
	used        []bool
	tried       []ast.Node
	// again is set on the first try when it takes the exact names to go on.
	again bool
	// carriers are the named queries around that carry columns of queries further out: to read one is to name those.
	carriers map[string]bool
	// top is the subquery's own SELECT. If that aggregates without GROUP BY, empty is its row where none has the values, over
	// the query around and the frame's columns at firstOuter.
	top   *ast.Select
	empty []*expr.Node
	// counted keeps to the values that there are around; else subqueries may have rows for others too, which shortened says.
	counted, shortened bool
	// calls collects the aggregates of the query around that the subquery names; nil if that has none. named are those that were
	// found on the first try.
	calls *collected
	// where is set if the subquery stands in WHERE.
	where bool
	named []scopeColumn
	// rows is set for a subquery whose rows stand beside those around, so that it has to have its own row of empty.
	rows bool
	// safe says for which columns a null around equals one in the subquery.
	safe []bool
}

// newFrame makes the frame of columns of the query around.
func newFrame(columns []scopeColumn, span fault.Span) *frame {
	f := &frame{from: columns, refs: map[ast.Node]bool{}, used: make([]bool, len(columns)), safe: make([]bool, len(columns))}
	var fields []arrow.Field
	for i, c := range columns {
		f.values = append(f.values, expr.NewColumn(c.index, c.field).At(span))
		fields = append(fields, c.field)
		c.index, c.frame, c.at = i, f, i
		f.columns = append(f.columns, c)
	}
	f.leaf = newLeaf(fields, span)
	return f
}

// use notes that a name means a column of a frame, and perhaps of one further out.
func (c scopeColumn) use(ref ast.Node) {
	for c.frame != nil {
		c.frame.refs[ref], c.frame.used[c.at] = true, true
		c = c.frame.from[c.at]
	}
}

// further is the frame of the subquery in which that of f stands; nil if none of f's columns is one of it.
func (f *frame) further() *frame {
	for _, c := range f.from {
		if c.frame != nil {
			return c.frame
		}
	}
	return nil
}

// namedIn reports whether a part of the text names a column of the frame. A name that one of the nearer scopes has means none.
func (f *frame) namedIn(part ast.Node, nearer ...*scope) bool {
	found := false
	ast.Inspect(part, func(n ast.Node) bool {
		switch ref := n.(type) {
		case *ast.ColumnRef:
			if f.exact == nil && slices.ContainsFunc(nearer, func(s *scope) bool { return s.has(ref.Path) }) {
				break
			}
			for _, c := range f.columns {
				found = found || f.exact == nil && c.likely(ref.Path)
			}
		case *ast.Call:
			for _, c := range f.columns {
				found = found || f.exact == nil && c.call == ref
			}
		case *ast.TableRef:
			found = found || f.exact == nil && reads(f.carriers, ref)
		}
		found = found || f.exact[n]
		return !found
	})
	return found
}

// likely reports whether a name may mean a column.
func (c scopeColumn) likely(path ast.Name) bool {
	is := func(id ast.Ident) bool { return exactly(id, c.field.Name) || loosely(id, c.field.Name) }
	if c.whole {
		return strings.EqualFold(path[0].Name, c.table)
	}
	if len(path) > 2 && c.likely(path[1:]) { // behind a schema
		return true
	}
	return is(path[0]) && !c.hidden || len(path) > 1 && strings.EqualFold(path[0].Name, c.table) && is(path[1])
}

// carriers are the named queries that carry columns of the queries around them.
func (e *env) carriers() map[string]bool {
	var out map[string]bool
	for ; e != nil; e = e.outer {
		if !e.subquery && e.rel != nil && e.rel.scope.outer != nil {
			if out == nil {
				out = map[string]bool{}
			}
			out[strings.ToLower(e.name.Name)] = true
		}
	}
	return out
}

// carry tells the frame whose columns a named query carries that reading it is to name them.
func (e *env) carry() {
	if e.rel == nil || e.rel.scope.outer == nil {
		return
	}
	f := e.rel.scope.outer[0].frame
	if f.carriers == nil {
		f.carriers = map[string]bool{}
	}
	f.carriers[strings.ToLower(e.name.Name)] = true
}

func reads(carriers map[string]bool, t *ast.TableRef) bool {
	return len(t.Name) == 1 && carriers[strings.ToLower(t.Name[0].Name)]
}

// likelyIn gives the columns that a part of the text may name.
func (s *scope) likelyIn(part ast.Node, carriers map[string]bool) []scopeColumn {
	all := append(s.columns[:len(s.columns):len(s.columns)], s.outer...)
	named := make([]bool, len(all))
	ast.Inspect(part, func(n ast.Node) bool {
		switch ref := n.(type) {
		case *ast.ColumnRef:
			for i, c := range all {
				named[i] = named[i] || c.likely(ref.Path)
			}
		case *ast.Call:
			for i, c := range all {
				named[i] = named[i] || c.call == ref
			}
		case *ast.TableRef:
			for i := len(s.columns); i < len(all) && reads(carriers, ref); i++ {
				named[i] = true
			}
		}
		return true
	})
	var out []scopeColumn
	for i, c := range all {
		if named[i] {
			out = append(out, c)
		}
	}
	return out
}

// exactly gives the columns that were used, and whether there is nothing to be done better: all were, and every SELECT that
// got them had a name for one.
func (f *frame) found() (columns []scopeColumn, well bool) {
	for i, c := range f.from {
		if f.used[i] {
			columns = append(columns, c)
		}
	}
	columns = append(columns, f.named...)
	sharp := &frame{exact: f.refs}
	for _, s := range f.tried {
		if !sharp.namedIn(s) {
			return columns, false
		}
	}
	return columns, len(columns) == len(f.from) && !f.again
}

// leaf is the relation of distinct values of a frame, until there is one.
type leaf struct {
	schema *arrow.Schema
	span   fault.Span
}

func newLeaf(fields []arrow.Field, span fault.Span) *leaf {
	return &leaf{arrow.NewSchema(fields, nil), span}
}

// Schema implements logical.Node.
func (l *leaf) Schema() *arrow.Schema { return l.schema }

// Inputs implements logical.Node.
func (l *leaf) Inputs() []logical.Node { return nil }

// WithInputs implements logical.Node.
func (l *leaf) WithInputs([]logical.Node) logical.Node { return l }

// Span implements logical.Node.
func (l *leaf) Span() fault.Span { return l.span }

// Properties implements logical.Node.
func (l *leaf) Properties() logical.Properties {
	p := logical.Properties{Mode: graph.Updating, State: logical.StateTTL}
	for i := range l.schema.NumFields() {
		p.Key = append(p.Key, i)
	}
	return p
}

// in reports whether the leaf is below a relation.
func (l *leaf) in(n logical.Node) bool {
	found := false
	logical.Walk([]logical.Node{n}, func(x logical.Node) { found = found || x == logical.Node(l) })
	return found
}

// replaced is a relation with the leaf's values computed from those around.
func (l *leaf) replaced(n logical.Node, by logical.Node) logical.Node {
	return logical.Rewrite([]logical.Node{n}, func(_, n logical.Node) logical.Node {
		if n == logical.Node(l) {
			return by
		}
		return n
	})[0]
}

// carried are the items that carry the columns of the query around through a select list.
func (s *scope) carried(span fault.Span) []*item {
	var out []*item
	for i := range s.outer {
		c := &s.outer[i]
		out = append(out, &item{node: expr.NewColumn(c.index, c.field).At(span), field: c.field, span: span, outer: c})
	}
	return out
}

// carriedColumns are those columns.
func (s *scope) carriedColumns(span fault.Span) []*expr.Node {
	var out []*expr.Node
	for _, c := range s.outer {
		out = append(out, expr.NewColumn(c.index, c.field).At(span))
	}
	return out
}

// beside puts the values of a frame beside each row of a relation.
func (b *Binder) beside(in *relation, f *frame) *relation {
	j := logical.NewJoin(in.node, f.leaf, b.onValues(graph.InnerJoin), f.leaf.span)
	b.fresh[j] = true
	s := &scope{columns: in.scope.columns}
	n := in.node.Schema().NumFields()
	for _, c := range f.columns {
		c.index += n
		s.outer = append(s.outer, c)
	}
	return &relation{node: j, scope: s, spans: in.spans}
}

func (b *Binder) onValues(kind graph.JoinKind) logical.On {
	return logical.On{Kind: kind, AcrossWindows: true, TTL: b.idle(), Pinned: b.view}
}

// reading is the relation that a function in FROM or VALUES reads that names columns of the query around: their values.
func (b *Binder) reading(n ast.Node, e *env) (*relation, bool) {
	f := e.around()
	if f == nil || !f.namedIn(n) {
		return nil, false
	}
	f.tried = append(f.tried, n)
	return &relation{node: f.leaf, scope: &scope{outer: f.columns}}, true
}

// carried is a named query that carries columns of a query further out than the one around the present subquery, which
// carries them itself: the values of its frame stand beside the rows that have the same ones.
func (b *Binder) carried(r *relation, t *ast.TableRef, e *env) *relation {
	f := e.around()
	if r.scope.outer == nil || r.scope.outer[0].frame == f {
		return r
	}
	if f == nil {
		b.unsupported(t.Span(), "a named query that depends on the query around cannot be read here").WithHint("put the named query into FROM")
		return nil
	}
	on := b.onValues(graph.InnerJoin)
	n := r.node.Schema().NumFields()
	for _, c := range r.scope.outer {
		at := -1
		for i, own := range f.from {
			for own.frame != nil && own.frame != c.frame {
				own = own.frame.from[own.at]
			}
			if own.frame == c.frame && own.at == c.at {
				at = i
			}
		}
		if at < 0 {
			b.unsupported(t.Span(), "a named query that depends on the query around cannot be read here").WithHint("put the named query into FROM")
			return nil
		}
		f.columns[at].use(t)
		on.Conds = append(on.Conds, b.same(expr.NewColumn(c.index, r.node.Schema().Field(c.index)).At(t.Span()), expr.NewColumn(n+at, f.leaf.schema.Field(at)).At(t.Span()), true, t.Span()))
	}
	j := logical.NewJoin(r.node, f.leaf, on, t.Span())
	s := &scope{columns: r.scope.columns}
	for _, c := range f.columns {
		c.index += n
		s.outer = append(s.outer, c)
	}
	return &relation{node: j, scope: s, spans: r.spans}
}

// carrying lets all branches of a set operation carry the frame's columns if one does, behind their own.
func (b *Binder) carrying(branches []*relation, e *env) []*relation {
	any := false
	for _, r := range branches {
		any = any || r.scope.outer != nil
	}
	if !any {
		return branches
	}
	out := make([]*relation, len(branches))
	for i, r := range branches {
		if out[i] = r; r.scope.outer == nil {
			out[i] = b.beside(r, e.around())
		}
	}
	return out
}

// meeting prepares the sides of a join of which one carries columns of the query around, or whose condition names some: the
// side whose rows are all kept has to carry them, and both sides' are the same. It gives the terms that say so.
func (b *Binder) meeting(left, right *relation, kind graph.JoinKind, named bool, e *env, span fault.Span) (l, r *relation, terms []*expr.Node, ok bool) {
	if left.scope.outer == nil && right.scope.outer == nil && !named {
		return left, right, nil, true
	}
	f := e.around()
	switch {
	case kind == graph.FullJoin:
		f.again = f.exact == nil
		if left.scope.outer == nil {
			left = b.beside(left, f)
		}
		if right.scope.outer == nil {
			right = b.beside(right, f)
		}
	case kind == graph.RightJoin && right.scope.outer == nil:
		right = b.beside(right, f)
	case kind != graph.RightJoin && left.scope.outer == nil && (kind != graph.InnerJoin || right.scope.outer == nil):
		left = b.beside(left, f)
	}
	if left.scope.outer != nil && right.scope.outer != nil {
		n := left.node.Schema().NumFields()
		for i, c := range left.scope.outer {
			d := right.scope.outer[i]
			t := b.same(expr.NewColumn(c.index, c.field).At(span), expr.NewColumn(n+d.index, d.field).At(span), true, span)
			if t == nil {
				return nil, nil, nil, false
			}
			terms = append(terms, t)
		}
	}
	return left, right, terms, true
}

// same is x = y, or with safe x IS NOT DISTINCT FROM y.
func (b *Binder) same(x, y *expr.Node, safe bool, span fault.Span) *expr.Node {
	name := "eq"
	if safe && (x.Nullable || y.Nullable) && !arrow.TypeEqual(x.Type, expr.Window) {
		name = "is_not_distinct_from"
	}
	return (&place{b: b, scope: &scope{}}).function(name, span, x, y)
}

// detached is a relation over pairs of a row and a leaf's values, taken apart: the rows, which pairs there are, and the
// relation's columns. Expressions are over the rows' columns, and the leaf's from firstOuter.
type detached struct {
	in         logical.Node
	conds, out []*expr.Node
}

// detach takes a relation apart, as far as it consists of filters, projections and joins of which the leaf is one side.
func (b *Binder) detach(n logical.Node, l *leaf) (*detached, bool) {
	c := &rewrite.Context{Functions: b.opts.Functions}
	switch n := n.(type) {
	case *logical.Project:
		d, ok := b.detach(n.Input, l)
		if !ok || n.EventTime != nil {
			return nil, false
		}
		cols := &columns{in: d.in, span: n.Span()}
		out := make([]*expr.Node, len(n.Exprs))
		for i, e := range n.Exprs {
			out[i] = d.over(e)
			if c.Movable(e) {
				continue
			}
			if namesOuter(out[i]) {
				return nil, false
			}
			out[i] = expr.NewColumn(cols.add(out[i]), arrow.Field{Name: "value", Type: e.Type, Nullable: e.Nullable}).At(e.Span)
		}
		return &detached{cols.node(), d.conds, out}, true
	case *logical.Filter:
		d, ok := b.detach(n.Input, l)
		if !ok {
			return nil, false
		}
		for _, t := range rewrite.Conjuncts(d.over(n.Cond)) {
			switch {
			case !namesOuter(t):
				d.in = logical.NewFilter(d.in, t, n.Span())
			case c.Movable(t):
				d.conds = append(d.conds[:len(d.conds):len(d.conds)], t)
			default:
				return nil, false
			}
		}
		return d, true
	case *logical.Join:
		if n.Kind == graph.InnerJoin && !l.in(n.Left) {
			return b.detachRight(n, l)
		}
		return b.detachLeft(n, l)
	}
	return nil, false
}

// over moves an expression over the relation to the rows and the leaf.
func (d *detached) over(n *expr.Node) *expr.Node {
	return n.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			return d.out[x.Index]
		}
		return x
	})
}

// detachRight is for the join with the leaf itself, perhaps filtered.
func (b *Binder) detachRight(j *logical.Join, l *leaf) (*detached, bool) {
	var conds []*expr.Node
	right := j.Right
	for {
		f, ok := right.(*logical.Filter)
		if !ok {
			break
		}
		conds = append(conds, logical.Shift(f.Cond, firstOuter))
		right = f.Input
	}
	if right != logical.Node(l) {
		return nil, false
	}
	d := &detached{in: j.Left, conds: conds}
	for i, f := range j.Left.Schema().Fields() {
		d.out = append(d.out, expr.NewColumn(i, f).At(j.Span()))
	}
	for i, f := range l.schema.Fields() {
		d.out = append(d.out, expr.NewColumn(firstOuter+i, f).At(j.Span()))
	}
	for _, c := range j.Conds {
		d.conds = append(d.conds, d.over(c))
	}
	return d, true
}

// detachLeft is for joins above it that do not look at the leaf: they are joins of the rows.
func (b *Binder) detachLeft(j *logical.Join, l *leaf) (*detached, bool) {
	d, ok := b.detach(j.Left, l)
	if !ok || l.in(j.Right) || j.Kind == graph.RightJoin || j.Kind == graph.FullJoin {
		return nil, false
	}
	pair := &detached{out: d.out[:len(d.out):len(d.out)]}
	n := d.in.Schema().NumFields()
	for i, f := range j.Right.Schema().Fields() {
		pair.out = append(pair.out, expr.NewColumn(n+i, f).At(j.Span()))
	}
	on := j.On
	on.Conds = nil
	for _, c := range j.Conds {
		if c = pair.over(c); namesOuter(c) {
			return nil, false
		}
		on.Conds = append(on.Conds, c)
	}
	in := logical.NewJoin(d.in, j.Right, on, j.Span())
	out := &detached{in: in, conds: d.conds, out: d.out}
	if j.RightColumns() {
		out.out = pair.out
		for i := len(d.out); i < len(out.out); i++ {
			out.out[i] = expr.NewColumn(n+i-len(d.out), in.Schema().Field(n+i-len(d.out))).At(j.Span())
		}
	}
	return out, true
}

func namesOuter(n *expr.Node) bool {
	found := false
	n.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.Column && x.Index >= firstOuter
		return !found
	})
	return found
}

// shortened lets columns of the subquery's own stand for those of the query around, where each must equal one.
func (b *Binder) shortened(in *relation, f *frame) *relation {
	if f.counted || in.scope.outer == nil {
		return in
	}
	d, ok := b.detach(in.node, f.leaf)
	if !ok {
		return in
	}
	links := make([]*expr.Node, len(f.columns))
	safe := make([]bool, len(f.columns))
	var rest []*expr.Node
	for _, c := range d.conds {
		i, x, null, ok := b.link(c, f)
		if !ok || links[i] != nil {
			rest = append(rest, c)
			continue
		}
		links[i], safe[i] = x, null
	}
	span := f.leaf.span
	p := &place{b: b, scope: &scope{}}
	for i, x := range links {
		if x == nil {
			return in
		}
		if x.Nullable && !safe[i] {
			rest = append(rest, p.function("is_not_null", span, x))
		}
	}
	own := func(n *expr.Node) *expr.Node {
		return n.Map(func(x *expr.Node) *expr.Node {
			if x.Kind == expr.Column && x.Index >= firstOuter {
				return links[x.Index-firstOuter]
			}
			return x
		})
	}
	node := d.in
	var cond *expr.Node
	for _, c := range rest {
		if c = own(c); cond != nil {
			c = p.function("and", span, cond, c)
		}
		cond = c
	}
	if cond != nil {
		node = b.where(&relation{node: node}, cond, span)
	}
	exprs := make([]*expr.Node, len(d.out))
	for i, x := range d.out {
		exprs[i] = own(x)
	}
	for i := range safe {
		f.safe[i] = f.safe[i] || safe[i]
	}
	f.shortened = true
	out := &relation{node: logical.NewProject(node, exprs, in.node.Schema().Fields(), span), scope: in.scope, spans: in.spans}
	return out.refreshed()
}

// link reads own = outer: column i of the frame must equal x, which is over the subquery's own rows.
func (b *Binder) link(c *expr.Node, f *frame) (i int, x *expr.Node, safe, ok bool) {
	if c.Kind != expr.Call || c.Name != "eq" && c.Name != "is_not_distinct_from" || !arrow.TypeEqual(c.Args[0].Type, c.Args[1].Type) {
		return 0, nil, false, false
	}
	x, o := c.Args[0], c.Args[1]
	if namesOuter(x) {
		x, o = o, x
	}
	at, whole := logical.Identity(o)
	if i = at - firstOuter; namesOuter(x) || !whole || i < 0 || i >= len(f.columns) {
		return 0, nil, false, false
	}
	if want := f.columns[i].field.Type; !arrow.TypeEqual(x.Type, want) {
		// The column was cast to a wider integer: a value that does not fit into it equals none.
		var err error
		if !arrow.IsInteger(x.Type.ID()) || !arrow.IsInteger(want.ID()) || c.Name != "eq" {
			return 0, nil, false, false
		}
		if x, err = expr.CastTo(x, want, true, c.Span); err != nil {
			return 0, nil, false, false
		}
	}
	return i, x, c.Name != "eq", true
}

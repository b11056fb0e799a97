package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// setOperation puts streams together. UNION without ALL is a DISTINCT over them.
func (b *Binder) setOperation(s *ast.SetOperation, e *env) *relation {
	if s.Op != ast.Union {
		if s.ByName {
			b.unsupported(s.Span(), "%s BY NAME is not supported", s.Op).WithHint("leave BY NAME out, and select the columns in the same order")
			return nil
		}
		return b.common(s, e)
	}
	parts := unionParts(s, s.All, s.ByName)
	var branches []*relation
	ok := true
	for _, p := range parts {
		r := b.body(p, e)
		ok = ok && r != nil
		branches = append(branches, r)
	}
	if !ok {
		return nil
	}
	branches = b.carrying(branches, e)
	if s.ByName && !b.byName(branches, parts) {
		return nil
	}
	nodes := b.align(branches, parts, s.Op)
	if nodes == nil {
		return nil
	}
	u := logical.NewUnion(nodes, s.Span())
	r := branches[0].renamed(u)
	if !s.All {
		return b.distinct(r, s.Span())
	}
	return r
}

// unionParts flattens a chain of unions of the same kind.
func unionParts(body ast.QueryBody, all, byName bool) []ast.QueryBody {
	var parts []ast.QueryBody
	for {
		s, ok := body.(*ast.SetOperation)
		if !ok || s.Op != ast.Union || s.ByName != byName || s.All != all {
			parts = append(parts, body)
			break
		}
		parts = append(parts, s.Right)
		body = s.Left
	}
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return parts
}

// byName gives all branches the columns of all of them, in the order in which they come up; NULL stands where a branch has
// none of a name.
func (b *Binder) byName(branches []*relation, parts []ast.QueryBody) bool {
	var fields []arrow.Field
	at := map[string]int{}
	for i, r := range branches {
		if !b.distinctNames(r, parts[i].Span()) {
			return false
		}
		for _, f := range r.own() {
			if _, known := at[f.Name]; !known {
				at[f.Name] = len(fields)
				fields = append(fields, f)
			}
		}
	}
	for i, r := range branches {
		span := parts[i].Span()
		exprs := make([]*expr.Node, len(fields))
		for k := range exprs {
			exprs[k] = expr.NewLiteral(arrow.Null, nil).At(span)
		}
		for k, f := range r.own() {
			exprs[at[f.Name]] = expr.NewColumn(k, f).At(span)
		}
		names, s := fields, &scope{}
		for _, it := range r.scope.carried(span) {
			c := *it.outer
			c.index = len(exprs)
			s.outer = append(s.outer, c)
			exprs, names = append(exprs, it.node), append(names[:len(names):len(names)], it.field)
		}
		branches[i] = &relation{node: logical.NewProject(r.node, exprs, names, span), scope: s}
	}
	return true
}

// align casts the columns of all branches to common types.
func (b *Binder) align(branches []*relation, parts []ast.QueryBody, op ast.SetOperator) []logical.Node {
	fields := append([]arrow.Field(nil), branches[0].node.Schema().Fields()...)
	for i, r := range branches[1:] {
		next := r.node.Schema().Fields()
		if len(next) != len(fields) {
			b.errorf(fault.CodeInvalid, parts[i+1].Span(), "this branch of the %s has %d columns, the first has %d", op, len(r.own()), len(branches[0].own())).
				WithHint("select the same number of columns in every branch")
			return nil
		}
		for c := range fields {
			dt, ok := expr.CommonType(fields[c].Type, next[c].Type)
			if !ok {
				b.errorf(expr.CodeTypeMismatch, parts[i+1].Span(), "column %d of this branch of the %s is %s, and %s before", c+1, op, expr.TypeName(next[c].Type), expr.TypeName(fields[c].Type)).
					WithHint("CAST one of them")
				return nil
			}
			fields[c].Type = dt
			if !expr.IsJSON(next[c]) {
				fields[c].Metadata = arrow.Metadata{}
			}
		}
	}
	var nodes []logical.Node
	for i, r := range branches {
		n := b.castAll(r.node, fields, parts[i].Span())
		if n == nil {
			return nil
		}
		nodes = append(nodes, n)
	}
	return nodes
}

// copies is INTERSECT ALL and EXCEPT ALL: both sides are counted together, row by row, and each row goes out as many times as
// its counts say.
func (b *Binder) copies(s *ast.SetOperation, like *relation, left, right logical.Node) *relation {
	left, right = b.concrete(left), b.concrete(right)
	u := logical.NewUnion([]logical.Node{b.marked(left, true, s.Span()), b.marked(right, false, s.Span())}, s.Span())
	width := left.Schema().NumFields()
	p := &place{b: b, scope: &scope{}}
	g := &grouping{b: b, in: u, span: s.Span()}
	for i, f := range left.Schema().Fields() {
		g.exprs = append(g.exprs, expr.NewColumn(i, u.Schema().Field(i)).At(s.Span()))
		g.fields = append(g.fields, f)
	}
	side := expr.NewColumn(width, u.Schema().Field(width)).At(s.Span())
	count := func(filter *expr.Node) *logical.Call {
		return &logical.Call{Name: "count", Filter: filter, Type: arrow.PrimitiveTypes.Int64, Span: s.Span()}
	}
	if !g.split(nil) {
		return nil
	}
	agg := g.aggregate([]*logical.Call{count(side), count(p.function("not", s.Span(), side))})
	first := agg.FirstCall()
	l, r := expr.NewColumn(first, agg.Schema().Field(first)).At(s.Span()), expr.NewColumn(first+1, agg.Schema().Field(first+1)).At(s.Span())
	n := p.function("subtract", s.Span(), l, r)
	if s.Op == ast.Intersect {
		n = p.function("least", s.Span(), l, r)
	}
	one := expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(1)).At(s.Span())
	times := logical.UnnestCall{Kind: graph.UnnestSeries, Args: []*expr.Node{one, n, one}, Including: true, Names: []string{"copy"}}
	copies := logical.Unnesting{KeepFields: left.Schema().Fields(), Calls: []logical.UnnestCall{times}}
	for i := range g.exprs {
		copies.Keep = append(copies.Keep, g.result(i, agg))
	}
	node := logical.NewUnnest(agg, copies, s.Span())
	exprs := make([]*expr.Node, width)
	for i := range exprs {
		exprs[i] = expr.NewColumn(i, node.Schema().Field(i)).At(s.Span())
	}
	out := logical.NewProject(node, exprs, left.Schema().Fields(), s.Span())
	return like.renamed(out)
}

// marked is one side of a set operation with a column that says which.
func (b *Binder) marked(n logical.Node, left bool, span fault.Span) logical.Node {
	c := &columns{in: n, span: span}
	at := c.add(expr.NewLiteral(arrow.FixedWidthTypes.Boolean, left).At(span))
	c.fields[at].Name = "left"
	return c.node()
}

// common is INTERSECT and EXCEPT: the distinct rows of the left side that the right one has, or has not.
func (b *Binder) common(s *ast.SetOperation, e *env) *relation {
	parts := []ast.QueryBody{s.Left, s.Right}
	left, right := b.body(s.Left, e), b.body(s.Right, e)
	if left == nil || right == nil {
		return nil
	}
	branches := b.carrying([]*relation{left, right}, e)
	nodes := b.align(branches, parts, s.Op)
	if nodes == nil {
		return nil
	}
	if s.All {
		return b.copies(s, branches[0], nodes[0], nodes[1])
	}
	out := b.distinct(branches[0].renamed(nodes[0]), s.Span())
	if out == nil {
		return nil
	}
	on := logical.On{Kind: graph.SemiJoin, AcrossWindows: true, TTL: b.idle(), Pinned: b.view}
	if s.Op == ast.Except {
		on.Kind = graph.AntiJoin
	}
	left1, right1 := out.node, b.concrete(nodes[1])
	n := left1.Schema().NumFields()
	for i, f := range left1.Schema().Fields() {
		l, r := expr.NewColumn(i, f).At(s.Span()), expr.NewColumn(n+i, right1.Schema().Field(i)).At(s.Span())
		cond := b.same(l, r, true, s.Span())
		if cond == nil {
			return nil
		}
		on.Conds = append(on.Conds, cond)
	}
	c := &rewrite.Context{Functions: b.opts.Functions}
	// Others may read it as well, so that no filter of one reader may go into it.
	return &relation{node: c.OnSides(left1, right1, on, s.Span()), scope: out.scope}
}

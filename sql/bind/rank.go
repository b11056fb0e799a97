package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// ranks are the functions that number rows.
var ranks = map[string]graph.RankKind{"row_number": graph.RowNumber, "rank": graph.Rank, "dense_rank": graph.DenseRank}

// overs are the calls with OVER of one SELECT. Until they are computed, columns from firstOver stand for them.
type overs struct {
	named map[string]*ast.WindowSpec
	list  []*overCall
	// at is the column of each, once they are computed.
	at []int
}

// overCall is one call over a partition: a rank, or another function.
type overCall struct {
	kind graph.RankKind
	// function is set for calls that are no rank.
	function  *function
	partition []*expr.Node
	order     []sortTerm
	span      fault.Span
}

// sortTerm is one term of an ORDER BY.
type sortTerm struct {
	value            *expr.Node
	desc, nullsFirst bool
}

// over binds f(…) OVER (…) and gives the column that stands for it.
func (p *place) over(name string, e *ast.Call) *expr.Node {
	kind, ok := ranks[name]
	switch {
	case !ok && !onlyOver(name) && !p.b.opts.Aggregates.Has(name):
		if p.b.opts.Functions.Has(name) {
			p.b.errorf(CodeAggregate, e.Span(), "%s looks at one row and takes no OVER", name).WithHint("leave OVER out")
			return nil
		}
		p.unknownFunction(name, e)
		return nil
	case p.overs == nil || p.inAggregate || p.inOver:
		p.b.errorf(CodeAggregate, e.Span(), "%s() OVER cannot stand in %s", name, p.clause).WithHint("compute it in a subquery in FROM, or filter on it with QUALIFY")
		return nil
	case ok && len(e.Args) > 0:
		p.b.errorf(fault.CodeInvalid, e.Span(), "%s takes no arguments", name).WithHint("write %s() OVER (PARTITION BY … ORDER BY …)", name)
		return nil
	case ok && (e.Distinct || e.Filter != nil || len(e.OrderBy) > 0 || len(e.WithinGroup) > 0 || e.Nulls != ast.NullsUntreated):
		p.b.errorf(fault.CodeInvalid, e.Span(), "%s takes nothing but OVER", name).WithHint("write %s() OVER (PARTITION BY … ORDER BY …)", name)
		return nil
	}
	ranked := ok
	spec, ok := p.overSpec(e.Over)
	if !ok {
		return nil
	}
	inner := *p
	inner.inOver, inner.clause = true, "OVER"
	c := &overCall{kind: kind, span: e.Span()}
	if c.partition = inner.all(spec.PartitionBy); c.partition == nil && len(spec.PartitionBy) > 0 {
		return nil
	}
	if c.order, ok = inner.sortTerms(spec.OrderBy); !ok {
		return nil
	}
	c.partition = append(c.partition[:len(c.partition):len(c.partition)], p.scope.carriedColumns(e.Span())...)
	dt, nullable := arrow.DataType(arrow.PrimitiveTypes.Int64), false
	if !ranked {
		if c.function, ok = inner.overFunction(name, e, spec); !ok {
			return nil
		}
		frame, ok := p.b.frame(spec, c.order)
		if !ok {
			return nil
		}
		if !c.function.unframed {
			c.function.call.Frame = frame
		}
		dt, nullable = c.function.call.Type, c.function.call.Nullable
	}
	at := -1
	for i, o := range p.overs.list {
		if o.same(c) {
			at = i
		}
	}
	if at < 0 {
		at = len(p.overs.list)
		p.overs.list = append(p.overs.list, c)
	}
	return &expr.Node{Kind: expr.Column, Index: firstOver + at, Name: name, Type: dt, Nullable: nullable, Span: e.Span()}
}

// same reports whether two calls have the same results.
func (c *overCall) same(o *overCall) bool {
	if (c.function == nil) != (o.function == nil) || !c.beside(o) {
		return false
	}
	if c.function == nil {
		return c.kind == o.kind
	}
	return c.function.same(o.function)
}

// beside reports whether two calls are over the same rows in the same order.
func (c *overCall) beside(o *overCall) bool {
	if len(c.partition) != len(o.partition) || len(c.order) != len(o.order) {
		return false
	}
	for i := range c.partition {
		if !expr.Equal(c.partition[i], o.partition[i]) {
			return false
		}
	}
	for i, a := range c.order {
		b := o.order[i]
		if !expr.Equal(a.value, b.value) || a.desc != b.desc || a.nullsFirst != b.nullsFirst {
			return false
		}
	}
	return true
}

// expressions are all that the calls look at.
func (o *overs) expressions() []*expr.Node {
	var out []*expr.Node
	for _, c := range o.list {
		out = append(out, c.partition...)
		for _, t := range c.order {
			out = append(out, t.value)
		}
		if c.function != nil {
			out = append(append(out, c.function.args...), c.function.filter)
		}
	}
	return out
}

// overSpec resolves OVER name, and windows that extend others.
func (p *place) overSpec(o *ast.Over) (*ast.WindowSpec, bool) {
	spec := o.Spec
	if o.Name != nil {
		spec = &ast.WindowSpec{Place: o.Place, Base: o.Name}
	}
	out := *spec
	for depth := 0; out.Base != nil; depth++ {
		base, ok := p.overs.named[out.Base.Folded()]
		if !ok || depth > len(p.overs.named) {
			p.b.once(p.scope, "window "+out.Base.Folded(), fault.Userf(fault.CodeInvalid, out.Base.Span(), "there is no window %q", out.Base.Name).
				WithHint("define it: WINDOW %s AS (PARTITION BY …)", out.Base.Name))
			return nil, false
		}
		if len(out.PartitionBy) > 0 || len(out.OrderBy) > 0 && len(base.OrderBy) > 0 {
			p.b.errorf(fault.CodeInvalid, out.Base.Span(), "window %q cannot be extended by what it has already", out.Base.Name).WithHint("write the window out in full")
			return nil, false
		}
		out.PartitionBy, out.Base = base.PartitionBy, base.Base
		if len(base.OrderBy) > 0 {
			out.OrderBy = base.OrderBy
		}
		if out.Frame == nil {
			out.Frame = base.Frame
		}
	}
	return &out, true
}

// windows collects the WINDOW clause.
func (b *Binder) windows(s *ast.Select) map[string]*ast.WindowSpec {
	out := map[string]*ast.WindowSpec{}
	for _, w := range s.Windows {
		if out[w.Name.Folded()] != nil {
			b.errorf(CodeDuplicate, w.Name.Span(), "window %q is defined twice", w.Name.Name).WithHint("give it another name")
			continue
		}
		out[w.Name.Folded()] = w.Spec
	}
	return out
}

func (p *place) sortTerms(list []*ast.OrderItem) ([]sortTerm, bool) {
	ok := true
	var out []sortTerm
	for _, o := range list {
		n := p.expr(o.Expr)
		ok = ok && n != nil
		out = append(out, sortTerm{n, o.Desc, nullsFirst(o)})
	}
	return out, ok
}

// resolve replaces what stands for calls by their columns.
func (o *overs) resolve(n *expr.Node) *expr.Node {
	if o == nil || len(o.list) == 0 || n == nil {
		return n
	}
	return n.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column && x.Index >= firstOver && x.Index < firstOuter {
			x.Index = o.at[x.Index-firstOver]
		}
		return x
	})
}

// rank makes a TopN over values of the relation's columns. Those that are no columns are computed behind the others, and
// stay there. A window among the keys makes a ranking of the rows of each window.
func (b *Binder) rank(in logical.Node, keys []*expr.Node, order []sortTerm, r logical.Ranking, span fault.Span) logical.Node {
	cols := &columns{in: in, span: span}
	var k []*expr.Node
	k, r.PerTime = perWindow(in.Properties(), keys)
	for _, n := range k {
		r.Keys = append(r.Keys, cols.add(n))
	}
	r.Order = cols.order(order)
	r.Flush, r.TTL, r.Pinned = int64(b.opts.UpdateAggregateFlushInterval), b.idle(), b.view
	return logical.NewTopN(cols.node(), r, span)
}

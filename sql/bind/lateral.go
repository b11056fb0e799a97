package bind

import (
	"wadi/dataflow/expr"
	"wadi/sql/ast"
)

// looksLeft reports whether a relation may look at those that stand before it in FROM: it is a function that makes rows, a
// LATERAL query, or a join that begins with one.
func looksLeft(t ast.TableExpr) bool {
	switch t := t.(type) {
	case *ast.TableFunction:
		_, ok := rowFunctions[functionName(t)]
		return ok
	case *ast.Join:
		inside := t.Kind == ast.InnerJoin || t.Kind == ast.CrossJoin || t.Kind == ast.LeftJoin
		return inside && !t.Natural && len(t.Using) == 0 && looksLeft(t.Left)
	}
	return false
}

// onto puts a relation that may look at those before it beside them.
func (b *Binder) onto(left *relation, t ast.TableExpr, e *env) *relation {
	switch t := t.(type) {
	case *ast.TableFunction:
		return b.rowFunction(t, left, false, e)
	case *ast.Join:
		return b.joinTo(b.onto(left, t.Left, e), t, e)
	}
	return b.tableExpr(t, e)
}

// lateralJoin joins rows with what each of them gives.
func (b *Binder) lateralJoin(left *relation, t *ast.Join, e *env) *relation {
	f, ok := t.Right.(*ast.TableFunction)
	switch {
	case !ok && (t.Kind == ast.LeftJoin || t.Natural || len(t.Using) > 0):
		b.unsupported(t.Right.Span(), "an outer join of a function with other relations is not supported").WithHint("put them into a query: LEFT JOIN LATERAL (SELECT …) ON TRUE")
		return nil
	case t.Kind != ast.InnerJoin && t.Kind != ast.CrossJoin && t.Kind != ast.LeftJoin:
		b.unsupported(t.Right.Span(), "%s JOIN of a function is not supported", t.Kind).WithHint("write CROSS JOIN, or LEFT JOIN … ON TRUE")
		return nil
	case t.Natural || len(t.Using) > 0:
		b.unsupported(t.Right.Span(), "USING with a function is not supported").WithHint("write ON a.x = b.x")
		return nil
	}
	var r *relation
	if ok {
		r = b.rowFunction(f, left, t.Kind == ast.LeftJoin, e)
	} else {
		r = b.onto(left, t.Right, e)
	}
	if r == nil || t.On == nil {
		return r
	}
	p := &place{b: b, scope: r.scope, clause: "ON", outer: e.beside()}
	cond := p.condition(t.On)
	if cond == nil || !b.joinable(cond) {
		return nil
	}
	if c := expr.Fold(cond); c.Kind == expr.Literal && c.Value == true {
		return r
	}
	if t.Kind == ast.LeftJoin {
		b.unsupported(t.On.Span(), "LEFT JOIN of a function is supported only ON TRUE").WithHint("join with a query: LEFT JOIN LATERAL (SELECT … WHERE …) ON TRUE")
		return nil
	}
	return &relation{node: b.where(r, cond, t.On.Span()), scope: r.scope}
}

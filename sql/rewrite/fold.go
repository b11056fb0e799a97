package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/sql/logical"
)

// foldConstants computes what does not depend on rows, and drops filters that let everything through. An expression that
// fails, such as 1/0, stays as it is: it fails when a row gets there.
var foldConstants = Rule{
	Name: "fold-constants",
	Doc:  "compute constant expressions while planning",
	Apply: func(c *Context, roots []logical.Node) []logical.Node {
		return logical.Rewrite(roots, func(_, n logical.Node) logical.Node { return c.foldNode(n) })
	},
}

func (c *Context) foldNode(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Project:
		return n.With(n.Input, foldAll(n.Exprs), n.Schema().Fields())
	case *logical.Values:
		rows := make([][]*expr.Node, len(n.Rows))
		for i, r := range n.Rows {
			rows[i] = foldAll(r)
		}
		return logical.NewValues(rows, n.Schema().Fields(), n.Span())
	case *logical.Series:
		spec := n.Spec
		spec.Start, spec.Stop, spec.Step = expr.Fold(spec.Start), expr.Fold(spec.Stop), expr.Fold(spec.Step)
		return logical.NewSeries(spec, n.Schema().Field(0).Name, n.Span())
	case *logical.Unnest:
		return n.Map(n.Input, expr.Fold)
	case *logical.Lateral:
		return n.Map(n.Input, expr.Fold)
	case *logical.Filter:
		return c.foldFilter(n)
	case *logical.Join:
		on := n.On
		on.Conds = foldTerms(n.Conds)
		return logical.NewJoin(n.Left, n.Right, on, n.Span())
	case *logical.Lookup:
		a := n.Asked
		a.Keys, a.Residual = foldAll(n.Keys), foldTerms(n.Residual)
		return logical.NewLookup(n.Input, a, n.Span())
	case *logical.Asof:
		k := n.Nearest
		k.Keys = append([]logical.JoinKey(nil), n.Keys...)
		for i := range k.Keys {
			k.Keys[i].Left, k.Keys[i].Right = expr.Fold(k.Keys[i].Left), expr.Fold(k.Keys[i].Right)
		}
		k.Residual = foldTerms(n.Residual)
		return logical.NewAsof(n.Left, n.Right, k, n.Span())
	case *logical.Aggregate:
		g := n.Group
		g.Keys = foldAll(g.Keys)
		g.Calls = make([]*logical.Call, len(n.Calls))
		for i, call := range n.Calls {
			folded := *call
			folded.Args = foldAll(call.Args)
			if call.Name == "count" && !call.Distinct && neverNull(call.Args) {
				folded.Args = nil
			}
			if call.Filter != nil {
				folded.Filter = expr.Fold(call.Filter)
			}
			g.Calls[i] = &folded
		}
		return logical.NewAggregate(n.Input, g, n.Span())
	}
	return n
}

// foldFilter drops the terms that are always true, and the filter if none is left.
func (c *Context) foldFilter(n *logical.Filter) logical.Node {
	terms := foldTerms(conjuncts(n.Cond))
	if len(terms) == 0 {
		return n.Input
	}
	return logical.NewFilter(n.Input, c.all(terms), n.Span())
}

// foldTerms folds the terms of an AND and drops those that are always true.
func foldTerms(list []*expr.Node) []*expr.Node {
	var out []*expr.Node
	for _, t := range list {
		if t = expr.Fold(t); t.Kind != expr.Literal || t.Value != true {
			out = append(out, t)
		}
	}
	return out
}

func foldAll(list []*expr.Node) []*expr.Node {
	out := make([]*expr.Node, len(list))
	for i, n := range list {
		out[i] = expr.Fold(n)
	}
	return out
}

// neverNull reports whether counting rows where none of these is null is counting rows.
func neverNull(args []*expr.Node) bool {
	for _, a := range args {
		if a.Nullable {
			return false
		}
	}
	return true
}

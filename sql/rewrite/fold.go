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
	Apply: func(_ *Context, roots []logical.Node) []logical.Node {
		return logical.Rewrite(roots, func(_, n logical.Node) logical.Node { return foldNode(n) })
	},
}

func foldNode(n logical.Node) logical.Node {
	switch n := n.(type) {
	case *logical.Project:
		return n.With(n.Input, foldAll(n.Exprs), n.Schema().Fields())
	case *logical.Filter:
		cond := expr.Fold(n.Cond)
		if cond.Kind == expr.Literal && cond.Value == true {
			return n.Input
		}
		return logical.NewFilter(n.Input, cond, n.Span())
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

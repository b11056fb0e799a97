// Package rewrite improves logical plans without changing what they mean.
//
// What comes in: the sinks of a plan. What goes out: sinks over rewritten inputs. A rule is a value, in a file of its own;
// rules run in the order of Rules, each once over the whole plan. Shared inputs stay shared. Nothing here blocks or keeps
// state.
package rewrite

import (
	"wadi/dataflow/expr"
	"wadi/sql/logical"
)

// Rule is one rewrite of a whole plan.
type Rule struct {
	Name string
	// Doc is one line.
	Doc string
	// Apply gives the plan after the rule; the roots keep their order.
	Apply func(c *Context, roots []logical.Node) []logical.Node
}

// Context is what rules may look at beside the plan.
type Context struct {
	Functions *expr.Functions
}

// Rules are all rules in the order in which they run. Merging puts constants into expressions, so they are folded again.
func Rules() []Rule {
	return []Rule{foldConstants, pushFilters, rankAll, mergeProjections, groupByWindow, mergeProjections, foldConstants, constantJoins, pruneColumns, collectSessions}
}

// Apply runs all rules.
func Apply(c *Context, sinks []*logical.Sink) []*logical.Sink {
	roots := make([]logical.Node, len(sinks))
	for i, s := range sinks {
		roots[i] = s
	}
	for _, r := range Rules() {
		roots = r.Apply(c, roots)
	}
	out := make([]*logical.Sink, len(roots))
	for i, r := range roots {
		out[i] = r.(*logical.Sink)
	}
	return out
}

// substitute puts expressions in the place of columns.
func substitute(n *expr.Node, columns []*expr.Node) *expr.Node {
	return n.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			return columns[x.Index]
		}
		return x
	})
}

// volatile reports whether computing an expression twice may give two results.
func (c *Context) volatile(n *expr.Node) bool {
	found := false
	n.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.Call && c.Functions.Volatility(x.Name) != expr.Immutable
		return !found
	})
	return found
}

// cheap reports whether an expression only picks a value: a column, a member of one, the row's time or a constant.
func cheap(n *expr.Node) bool {
	for n.Kind == expr.Field {
		n = n.Args[0]
	}
	return n.Kind == expr.Column || n.Kind == expr.Literal || n.Kind == expr.RowTime
}

// weigh counts, for each column, how often an expression names it.
func weigh(n *expr.Node, uses []int) int {
	size := 0
	n.Walk(func(x *expr.Node) bool {
		size++
		if x.Kind == expr.Column {
			uses[x.Index]++
		}
		return true
	})
	return size
}

// maxSize bounds the expressions of one projection, in nodes, so that nested queries which use a column many times do not
// grow without end when they are merged.
const maxSize = 4096

package bind

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// columns are a relation's columns and values computed behind them.
type columns struct {
	in     logical.Node
	exprs  []*expr.Node
	fields []arrow.Field
	span   fault.Span
}

// add gives the column of a value.
func (c *columns) add(n *expr.Node) int {
	if c.exprs == nil {
		c.fields = c.in.Schema().Fields()
		for i, f := range c.fields {
			c.exprs = append(c.exprs, expr.NewColumn(i, f).At(c.span))
		}
	}
	for i, e := range c.exprs {
		if expr.Equal(e, n) {
			return i
		}
	}
	c.exprs, c.fields = append(c.exprs, n), append(c.fields, arrow.Field{Name: "key"})
	return len(c.exprs) - 1
}

// order gives an order by columns. What is the same for all rows is left out.
func (c *columns) order(terms []sortTerm) []graph.Order {
	var out []graph.Order
	for _, t := range terms {
		if expr.Fold(t.value).Kind != expr.Literal {
			out = append(out, graph.Order{Column: c.add(t.value), Desc: t.desc, NullsFirst: t.nullsFirst})
		}
	}
	return out
}

// node is the relation with what was added.
func (c *columns) node() logical.Node {
	if len(c.exprs) <= c.in.Schema().NumFields() {
		return c.in
	}
	return logical.NewProject(c.in, c.exprs, c.fields, c.span)
}

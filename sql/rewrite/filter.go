package rewrite

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/sql/logical"
)

// pushFilters moves conditions towards the sources: through projections, into the branches of unions, and below
// aggregations where they only look at keys. They stop above a table's watermark, which no query may change, and above
// what others read as well where it is costly to have twice.
var pushFilters = Rule{
	Name: "push-filters",
	Doc:  "filter rows as early as possible",
	Apply: func(c *Context, roots []logical.Node) []logical.Node {
		p := &pusher{Context: c, consumers: map[logical.Node]int{}}
		before := logical.Consumers(roots)
		return logical.Rewrite(roots, func(old, n logical.Node) logical.Node {
			if f, ok := n.(*logical.Filter); ok {
				n = p.push(f.Input, conjuncts(f.Cond), f)
			}
			p.consumers[n] += before[old]
			return n
		})
	},
}

type pusher struct {
	*Context
	// consumers counts who reads a node that has been rewritten.
	consumers map[logical.Node]int
}

// conjuncts splits a AND b AND c.
func conjuncts(n *expr.Node) []*expr.Node {
	if n.Kind == expr.Call && n.Name == "and" {
		var out []*expr.Node
		for _, a := range n.Args {
			out = append(out, conjuncts(a)...)
		}
		return out
	}
	return []*expr.Node{n}
}

// all joins conditions with AND, in their order: the first one that is false keeps the others from failing.
func (c *Context) all(conds []*expr.Node) *expr.Node {
	if len(conds) == 1 {
		return conds[0]
	}
	// Leaning to the left like what people write, but in halves when long, so that the tree stays low.
	half := len(conds) - 1
	if len(conds) > 16 {
		half = len(conds) / 2
	}
	l, r := c.all(conds[:half]), c.all(conds[half:])
	n, err := c.Functions.Call("and", []*expr.Node{l, r}, l.Span.Join(r.Span))
	if err != nil {
		panic("rewrite: AND of two conditions: " + err.Error())
	}
	return n
}

func (p *pusher) filter(in logical.Node, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if len(conds) == 0 {
		return in
	}
	return logical.NewFilter(in, p.all(conds), origin.Span())
}

// push puts conditions over in, or below it.
func (p *pusher) push(in logical.Node, conds []*expr.Node, origin *logical.Filter) logical.Node {
	switch in := in.(type) {
	case *logical.Filter:
		return p.push(in.Input, append(conjuncts(in.Cond), conds...), in)
	case *logical.Project:
		return p.throughProject(in, conds, origin)
	case *logical.Union:
		branches := make([]logical.Node, len(in.In))
		for i, b := range in.In {
			branches[i] = p.push(b, conds, origin)
		}
		return in.WithInputs(branches)
	case *logical.Aggregate:
		return p.throughAggregate(in, conds, origin)
	case *logical.Join:
		return p.throughJoin(in, conds, origin)
	case *logical.Asof:
		if p.consumers[in] <= 1 {
			return p.into(origin).asof(in, conds)
		}
	case *logical.Lookup:
		if p.consumers[in] <= 1 {
			return p.into(origin).lookup(in, conds)
		}
	case *logical.TopN:
		return p.throughTopN(in, conds, origin)
	case *logical.Assign:
		return p.throughAssign(in, conds, origin)
	case *logical.Unnest:
		return p.throughKept(in, in.Keep, conds, origin)
	case *logical.Lateral:
		return p.throughKept(in, in.Keep, conds, origin)
	case *logical.Over:
		return p.throughOver(in, conds, origin)
	}
	return p.filter(in, conds, origin)
}

// throughProject rewrites conditions over the projection's input. What reads the row's time stays above a projection that
// sets it, and what would compute a random number twice stays above that.
func (p *pusher) throughProject(in *logical.Project, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if in.EventTime != nil {
		return p.filter(in, conds, origin)
	}
	return p.through(in, conds, origin, func(cond *expr.Node) *expr.Node {
		uses := make([]int, len(in.Exprs))
		size, volatile := weigh(cond, uses), false
		for i, n := range uses {
			if n > 0 {
				size += n * weigh(in.Exprs[i], make([]int, in.Input.Schema().NumFields()))
				volatile = volatile || p.volatile(in.Exprs[i])
			}
		}
		if volatile || size > maxSize {
			return nil
		}
		return substitute(cond, in.Exprs)
	})
}

// through moves conditions below a relation of one input. below gives a condition as it is there, nil for one that stays above.
func (p *pusher) through(in logical.Node, conds []*expr.Node, origin *logical.Filter, below func(*expr.Node) *expr.Node) logical.Node {
	var down, stay []*expr.Node
	for _, c := range conds {
		if d := below(c); d != nil {
			down = append(down, d)
		} else {
			stay = append(stay, c)
		}
	}
	if len(down) > 0 {
		in = in.WithInputs([]logical.Node{p.push(in.Inputs()[0], down, origin)})
	}
	return p.filter(in, stay, origin)
}

// throughJoin moves conditions on one side below the join. One that is pinned or that others read as well stays as it is.
func (p *pusher) throughJoin(in *logical.Join, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if in.Pinned || p.consumers[in] > 1 {
		return p.filter(in, conds, origin)
	}
	return p.into(origin).join(in, conds)
}

// into moves terms of a filter below a join.
func (p *pusher) into(origin *logical.Filter) *where {
	w := &where{Context: p.Context, span: origin.Span()}
	w.down = func(n logical.Node, terms []*expr.Node) logical.Node { return p.push(n, terms, origin) }
	return w
}

// throughAggregate moves conditions on keys below the aggregation, where they leave out whole groups. A group that is
// pinned or that others read as well keeps all its rows; so does one without keys, which has a row for no input.
func (p *pusher) throughAggregate(in *logical.Aggregate, conds []*expr.Node, origin *logical.Filter) logical.Node {
	if in.Pinned || p.consumers[in] > 1 || len(in.Keys) == 0 {
		return p.filter(in, conds, origin)
	}
	return p.through(in, conds, origin, func(cond *expr.Node) *expr.Node {
		if !onlyKeys(cond, len(in.Keys)) || p.volatile(cond) {
			return nil
		}
		return substitute(cond, in.Keys)
	})
}

// onlyKeys reports whether a condition looks at keys alone; constants and the row's time do not count as keys.
func onlyKeys(cond *expr.Node, keys int) bool {
	some, ok := false, cond.Type.ID() == arrow.BOOL
	cond.Walk(func(n *expr.Node) bool {
		switch n.Kind {
		case expr.Column:
			some, ok = true, ok && n.Index < keys
		case expr.RowTime:
			ok = false
		}
		return ok
	})
	return some && ok
}

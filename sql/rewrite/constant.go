package rewrite

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// constantJoins lets rows meet rows that stand in the query without state: those are looked up for each row by itself, and
// never forgotten.
var constantJoins = Rule{
	Name: "constant-joins",
	Doc:  "look rows up that stand in the query",
	Apply: func(c *Context, roots []logical.Node) []logical.Node {
		return logical.Rewrite(roots, func(_, n logical.Node) logical.Node {
			if j, ok := n.(*logical.Join); ok {
				return c.constantJoin(j)
			}
			return n
		})
	},
}

// maxConstants bounds the rows that are looked up, since every subtask has them all.
const maxConstants = 1 << 16

// constantRows gives the rows of a relation that looks at no other.
func (c *Context) constantRows(n logical.Node) ([][]*expr.Node, bool) {
	switch n := n.(type) {
	case *logical.Values:
		for _, r := range n.Rows {
			for _, e := range r {
				if c.volatile(e) {
					return nil, false
				}
			}
		}
		return n.Rows, len(n.Rows) <= maxConstants
	case *logical.Project:
		rows, ok := c.constantRows(n.Input)
		if !ok || n.EventTime != nil {
			return nil, false
		}
		out := make([][]*expr.Node, len(rows))
		for i, r := range rows {
			for _, e := range n.Exprs {
				if !c.constant(e) {
					return nil, false
				}
				out[i] = append(out[i], expr.Fold(substitute(e, r)))
			}
		}
		return out, true
	case *logical.Filter:
		rows, ok := c.constantRows(n.Input)
		if !ok || !c.constant(n.Cond) {
			return nil, false
		}
		var out [][]*expr.Node
		for _, r := range rows {
			v := expr.Fold(substitute(n.Cond, r))
			if v.Kind != expr.Literal {
				return nil, false
			}
			if v.Value == true {
				out = append(out, r)
			}
		}
		return out, true
	case *logical.Union:
		var out [][]*expr.Node
		for _, in := range n.In {
			rows, ok := c.constantRows(in)
			if !ok {
				return nil, false
			}
			out = append(out, rows...)
		}
		return out, len(out) <= maxConstants
	}
	return nil, false
}

// constant reports whether an expression over constants is one.
func (c *Context) constant(e *expr.Node) bool {
	ok := !c.volatile(e)
	e.Walk(func(x *expr.Node) bool {
		ok = ok && x.Kind != expr.RowTime
		return ok
	})
	return ok
}

func (c *Context) constantJoin(j *logical.Join) logical.Node {
	switch j.Kind {
	case graph.InnerJoin, graph.LeftJoin, graph.SemiJoin, graph.AntiJoin:
		if rows, ok := c.constantRows(j.Right); ok {
			if n := c.lookUp(j, rows); n != nil {
				return n
			}
		}
	}
	if j.Kind != graph.InnerJoin && j.Kind != graph.RightJoin {
		return j
	}
	rows, ok := c.constantRows(j.Left)
	if !ok {
		return j
	}
	left, right := j.Left.Schema().NumFields(), j.Right.Schema().NumFields()
	on := j.On
	if on.Kind == graph.RightJoin {
		on.Kind = graph.LeftJoin
	}
	on.Conds = make([]*expr.Node, len(j.Conds))
	for i, t := range j.Conds {
		on.Conds[i] = t.Map(func(x *expr.Node) *expr.Node {
			if x.Kind == expr.Column {
				x.Index = (x.Index + right) % (left + right)
			}
			return x
		})
	}
	n := c.lookUp(logical.NewJoin(j.Right, j.Left, on, j.Span()), rows)
	if n == nil {
		return j
	}
	exprs := make([]*expr.Node, left+right)
	for i := range exprs {
		at := (i + right) % (left + right)
		exprs[i] = expr.NewColumn(at, n.Schema().Field(at)).At(j.Span())
	}
	return logical.NewProject(n, exprs, j.Schema().Fields(), j.Span())
}

// lookUp is a join whose right side has these rows; nil if it cannot be.
func (c *Context) lookUp(j *logical.Join, rows [][]*expr.Node) logical.Node {
	l := &lookup{c: c, width: j.Right.Schema().NumFields(), left: j.Left.Schema().NumFields(), fields: j.Right.Schema().Fields()}
	for _, f := range l.fields {
		if f.Type.ID() == arrow.NULL {
			return nil
		}
	}
	for _, r := range rows {
		l.rows = append(l.rows, r[:len(r):len(r)])
	}
	keys, residual := j.Keys, j.Residual
	if j.NullAware {
		// The comparison that may be unknown is no key: it excludes a row unless it is false.
		known, err := c.Functions.Call("is_not_false", j.Conds[:1], j.Span())
		if err != nil {
			return nil
		}
		on := j.On
		on.NullAware, on.Conds = false, append([]*expr.Node{known}, j.Conds[1:]...)
		plain := logical.NewJoin(j.Left, j.Right, on, j.Span())
		keys, residual = plain.Keys, plain.Residual
	}
	if !l.match(keys) {
		return nil
	}
	s := logical.Small{Kind: j.Kind, Single: len(rows) == 1 && len(j.Conds) == 0}
	for _, t := range residual {
		l.filter(t)
	}
	l.trim()
	for i, f := range j.Left.Schema().Fields() {
		s.Keep, s.KeepFields = append(s.Keep, expr.NewColumn(i, f).At(j.Span())), append(s.KeepFields, f)
	}
	for _, f := range j.Right.Schema().Fields() {
		s.Names = append(s.Names, f.Name)
	}
	s.Outer, s.Steps = l.outer, l.steps
	return logical.NewLateral(j.Left, s, j.Span())
}

// lookup is such a join in the making.
type lookup struct {
	c     *Context
	rows  [][]*expr.Node
	outer []*expr.Node
	steps []graph.LateralStep
	// fields are the columns of the rows, the first width of which are those of the relation; left is the width of the left
	// side.
	fields      []arrow.Field
	width, left int
}

// look gives the number of a value of the left side among those that the steps look at.
func (l *lookup) look(e *expr.Node) int {
	for i, o := range l.outer {
		if expr.Equal(o, e) {
			return i
		}
	}
	l.outer = append(l.outer, e)
	return len(l.outer) - 1
}

// match finds the rows with the keys of each left row.
func (l *lookup) match(keys []logical.JoinKey) bool {
	m := &graph.LateralMatch{}
	project := graph.LateralStep{Project: &graph.ProjectSpec{}}
	var fields []arrow.Field
	for i, k := range keys {
		at := k.Right.Index
		if k.Right.Kind != expr.Column {
			if !l.c.constant(k.Right) {
				return false
			}
			at = len(l.fields)
			for r := range l.rows {
				l.rows[r] = append(l.rows[r], expr.Fold(substitute(k.Right, l.rows[r])))
			}
			l.fields = append(l.fields, arrow.Field{Name: fmt.Sprintf("key%d", i), Type: k.Right.Type, Nullable: k.Right.Nullable})
		}
		f := arrow.Field{Name: fmt.Sprintf("key%d", i), Type: k.Left.Type, Nullable: k.Left.Nullable}
		project.Project.Exprs = append(project.Project.Exprs, expr.NewColumn(l.look(k.Left), f))
		fields = append(fields, f)
		m.Keys, m.RowKeys, m.NullSafe = append(m.Keys, i), append(m.RowKeys, at), append(m.NullSafe, k.NullSafe)
	}
	if len(keys) > 0 {
		project.Out = arrow.NewSchema(fields, nil)
		l.steps = append(l.steps, project)
	}
	m.Rows = l.rows
	l.steps = append(l.steps, graph.LateralStep{Match: m, Out: arrow.NewSchema(l.fields, nil)})
	return true
}

// filter checks one more term of the condition.
func (l *lookup) filter(t *expr.Node) {
	t = t.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column && x.Index >= l.left {
			x.Index -= l.left
		} else if x.Kind == expr.Column {
			c := *x
			x.Index = len(l.fields) + l.look(&c)
		}
		return x
	})
	l.steps = append(l.steps, graph.LateralStep{Project: &graph.ProjectSpec{Filter: t}, Out: arrow.NewSchema(l.fields, nil)})
}

// trim drops the columns that were made for keys.
func (l *lookup) trim() {
	if len(l.fields) == l.width {
		return
	}
	p := &graph.ProjectSpec{}
	for i, f := range l.fields[:l.width] {
		p.Exprs = append(p.Exprs, expr.NewColumn(i, f))
	}
	l.steps = append(l.steps, graph.LateralStep{Project: p, Out: arrow.NewSchema(l.fields[:l.width], nil)})
}

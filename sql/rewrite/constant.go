package rewrite

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
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

func (c *Context) constantJoin(j *logical.Join) logical.Node {
	if j.By != logical.ByRows {
		return j
	}
	side, _ := j.ConstantSide()
	if side == logical.RightSide {
		return c.lookUp(j)
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
	n := c.lookUp(logical.NewJoin(j.Right, j.Left, on, j.Span()))
	exprs := make([]*expr.Node, left+right)
	for i := range exprs {
		at := (i + right) % (left + right)
		exprs[i] = expr.NewColumn(at, n.Schema().Field(at)).At(j.Span())
	}
	return logical.NewProject(n, exprs, j.Schema().Fields(), j.Span())
}

// lookUp is a join whose right side is constant.
func (c *Context) lookUp(j *logical.Join) logical.Node {
	l := &lookup{c: c, width: j.Right.Schema().NumFields(), left: j.Left.Schema().NumFields(), fields: j.Right.Schema().Fields()}
	l.take(logical.ConstantRows(j.Right), j.Span())
	keys, residual := j.Keys, j.Residual
	if j.NullAware {
		// The comparison that may be unknown is no key: it excludes a row unless it is false.
		known, err := c.Functions.Call("is_not_false", j.Conds[:1], j.Span())
		if err != nil {
			panic("rewrite: a comparison is no condition: " + err.Error())
		}
		on := j.On
		on.NullAware, on.Conds = false, append([]*expr.Node{known}, j.Conds[1:]...)
		plain := logical.NewJoin(j.Left, j.Right, on, j.Span())
		keys, residual = plain.Keys, plain.Residual
	}
	l.match(keys)
	s := logical.Small{Kind: j.Kind}
	for _, t := range append(residual[:len(residual):len(residual)], l.rest...) {
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
	// rest are terms over both sides that are to be checked for each pair, beside the residual.
	rest []*expr.Node
}

// take takes over the rows. Conditions of theirs become a column.
func (l *lookup) take(rows []logical.ConstantRow, span fault.Span) {
	conditional := false
	for _, r := range rows {
		l.rows = append(l.rows, r.Cells[:len(r.Cells):len(r.Cells)])
		conditional = conditional || len(r.Conds) > 0
	}
	for i, f := range l.fields {
		if f.Type.ID() != arrow.NULL {
			continue
		}
		l.fields[i].Type = arrow.BinaryTypes.String
		for r := range l.rows {
			l.rows[r] = append([]*expr.Node(nil), l.rows[r]...)
			l.rows[r][i] = expr.NewLiteral(arrow.BinaryTypes.String, nil).At(span)
		}
	}
	if !conditional {
		return
	}
	f := arrow.Field{Name: "there", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}
	for i, r := range rows {
		cond := expr.NewLiteral(f.Type, true).At(span)
		if len(r.Conds) > 0 {
			cond = l.c.all(r.Conds)
		}
		l.rows[i] = append(l.rows[i], cond)
	}
	l.rest = append(l.rest, expr.NewColumn(l.left+len(l.fields), f).At(span))
	l.fields = append(l.fields, f)
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
func (l *lookup) match(keys []logical.JoinKey) {
	m := &graph.LateralMatch{}
	project := graph.LateralStep{Project: &graph.ProjectSpec{}}
	var fields []arrow.Field
	for i, k := range keys {
		k.Left, k.Right = expr.EqualMoments(k.Left, k.Right)
		at := k.Right.Index
		if k.Right.Kind != expr.Column {
			if l.c.volatile(k.Right) || timed(k.Right) {
				name := map[bool]string{false: "eq", true: "is_not_distinct_from"}[k.NullSafe]
				l.rest = append(l.rest, &expr.Node{
					Kind: expr.Call, Name: name, Type: arrow.FixedWidthTypes.Boolean, Nullable: !k.NullSafe,
					Args: []*expr.Node{k.Left, logical.Shift(k.Right, l.left)}, Span: k.Left.Span,
				})
				continue
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
		m.Keys, m.RowKeys, m.NullSafe = append(m.Keys, len(m.Keys)), append(m.RowKeys, at), append(m.NullSafe, k.NullSafe)
	}
	if len(m.Keys) > 0 {
		project.Out = arrow.NewSchema(fields, nil)
		l.steps = append(l.steps, project)
	}
	m.Rows = l.rows
	l.steps = append(l.steps, graph.LateralStep{Match: m, Out: arrow.NewSchema(l.fields, nil)})
}

// timed reports whether an expression looks at the time of the row.
func timed(e *expr.Node) bool {
	found := false
	e.Walk(func(x *expr.Node) bool {
		found = found || x.Kind == expr.RowTime
		return !found
	})
	return found
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

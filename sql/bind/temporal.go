package bind

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
	"wadi/sql/rewrite"
)

// temporal binds left JOIN table FOR SYSTEM_TIME AS OF time: each left row with the version that the table had at the row's
// time.
func (b *Binder) temporal(left *relation, t *ast.Join, ref *ast.TableRef, e *env) *relation {
	now := *ref
	now.AsOf = nil
	right := b.tableRef(&now, e)
	if left == nil || right == nil {
		return nil
	}
	switch {
	case t.Kind != ast.InnerJoin && t.Kind != ast.LeftJoin || t.Asof:
		b.unsupported(t.Span(), "a join FOR SYSTEM_TIME AS OF is INNER or LEFT").WithHint("put the stream whose rows are answered on the left: stream LEFT JOIN table FOR SYSTEM_TIME AS OF …")
		return nil
	case left.node.Properties().Mode != graph.Append:
		b.unsupported(t.Left.Span(), "rows that are joined FOR SYSTEM_TIME AS OF their time cannot change later, and these are updating").
			WithHint("leave FOR SYSTEM_TIME AS OF out: the join then follows the changes of both sides")
		return nil
	case !b.rowTime(left, ref.AsOf):
		return nil
	}
	v, ok := b.versions(right.node, ref)
	if !ok {
		return nil
	}
	kind := joinKinds[t.Kind]
	return b.on(t, left, right, kind, e, func(left, right *relation, terms []*expr.Node) *relation {
		if left.node.Properties().Mode != graph.Append { // the rows are beside the values around, which can change
			b.unsupported(t.On.Span(), "the condition of a join FOR SYSTEM_TIME AS OF cannot name columns of the query around").
				WithHint("put what names them into the WHERE of this query, behind the join")
			return nil
		}
		return b.versioned(left, right, kind, terms, v, ref, t.Span())
	})
}

// rowTime checks that an expression is the event time of a relation's rows.
func (b *Binder) rowTime(left *relation, e ast.Expr) bool {
	if c, ok := e.(*ast.Call); ok && len(c.Name) == 1 && processingTime[strings.ToLower(c.Name[0].Name)] {
		b.unsupported(e.Span(), "the versions of a table are found by event time, not by the time of processing").
			WithHint("%s, or leave FOR SYSTEM_TIME AS OF out to join with the table as it is", hintOfTime(left))
		return false
	}
	n := (&place{b: b, scope: left.scope, clause: "FOR SYSTEM_TIME AS OF"}).expr(e)
	if n == nil {
		return false
	}
	if logical.IsEventTime(n, left.node.Properties()) {
		return true
	}
	b.errorf(fault.CodeInvalid, e.Span(), "FOR SYSTEM_TIME AS OF takes the event time of the row on the left, and this is another value").
		WithHint("%s", hintOfTime(left))
	return false
}

// processingTime are names of the present time.
var processingTime = map[string]bool{"proctime": true, "now": true, "current_timestamp": true}

func hintOfTime(left *relation) string {
	for _, t := range left.node.Properties().TimeColumns {
		for _, c := range left.scope.columns {
			if c.index == t && !c.hidden {
				return "write FOR SYSTEM_TIME AS OF " + c.qualified()
			}
		}
	}
	return "write FOR SYSTEM_TIME AS OF row_time()"
}

// versions is what a relation says about the versions of a table.
type versions struct {
	// base has the changes: rows with the event time from which they are valid.
	base logical.Node
	// columns are those of the relation, over base; a version counts only if all of pass are true.
	columns, pass []*expr.Node
	// key are the columns of base that identify a row.
	key []int
	// order, latest and ended are as in logical.Nearest.
	order  []graph.Order
	latest bool
	ended  int
}

// versions looks for the versions behind a relation: through projections and filters to a table with a primary key, or to
// the newest row of each key.
func (b *Binder) versions(n logical.Node, ref *ast.TableRef) (*versions, bool) {
	v := &versions{ended: -1}
	for i, f := range n.Schema().Fields() {
		v.columns = append(v.columns, expr.NewColumn(i, f).At(ref.Span()))
	}
	for {
		switch in := n.(type) {
		case *logical.Project:
			if in.EventTime != nil {
				return nil, b.noVersions(ref)
			}
			v.through(in.Exprs)
			n = in.Input
			continue
		case *logical.Filter:
			v.pass = append(v.pass, rewrite.Conjuncts(in.Cond)...)
			n = in.Input
			continue
		case *logical.Watermark:
			return v, b.tableVersions(v, in, ref)
		case *logical.TopN:
			if v.newest(in) {
				return v, true
			}
		}
		return nil, b.noVersions(ref)
	}
}

// through rewrites expressions over a projection into ones over its input.
func (v *versions) through(exprs []*expr.Node) {
	move := func(n *expr.Node) *expr.Node {
		return n.Map(func(x *expr.Node) *expr.Node {
			if x.Kind == expr.Column {
				return exprs[x.Index]
			}
			return x
		})
	}
	for i := range v.columns {
		v.columns[i] = move(v.columns[i])
	}
	for i := range v.pass {
		v.pass[i] = move(v.pass[i])
	}
}

func (b *Binder) noVersions(ref *ast.TableRef) bool {
	b.unsupported(ref.Span(), "%q has no versions to look back at", ref.Name.Last().Name).
		WithHint("FOR SYSTEM_TIME AS OF takes a table with PRIMARY KEY and WATERMARK FOR, or a view of the newest row of each key: " +
			"SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts DESC) AS n FROM t) WHERE n = 1, where ts is the event time")
	return false
}

// tableVersions takes the rows of a table: they replace each other by its primary key.
func (b *Binder) tableVersions(v *versions, w *logical.Watermark, ref *ast.TableRef) bool {
	scan, columns := scanOf(w.Input)
	switch {
	case scan == nil:
		return b.noVersions(ref)
	case len(scan.Spec.PrimaryKey) == 0:
		b.errorf(CodeTable, ref.Span(), "the rows of table %q do not replace each other: it has no PRIMARY KEY", w.Table).
			WithHint("declare the primary key, or join with the latest row by ASOF JOIN … ON a.k = b.k AND a.ts >= b.ts")
		return false
	case len(w.Properties().TimeColumns) == 0:
		b.errorf(CodeTable, ref.Span(), "the versions of table %q have no times: it has no WATERMARK FOR", w.Table).
			WithHint("add WATERMARK FOR updated_at to CREATE TABLE %s, where updated_at says from when on a row is valid", w.Table)
		return false
	}
	v.base, v.latest = w, true
	for _, k := range scan.Spec.PrimaryKey {
		v.key = append(v.key, columns[k])
	}
	for i, m := range scan.Spec.Metadata {
		if m == format.Ended {
			v.ended = columns[i]
		}
	}
	return true
}

// scanOf gives the scan of a table and where its columns are.
func scanOf(n logical.Node) (*logical.Scan, []int) {
	var exprs []*expr.Node
	if p, ok := n.(*logical.Project); ok {
		exprs, n = p.Exprs, p.Input
	}
	scan, ok := n.(*logical.Scan)
	if !ok {
		return nil, nil
	}
	at := make([]int, scan.Schema().NumFields())
	for i := range at {
		at[i] = i
	}
	for i, e := range exprs {
		if e.Kind == expr.Column {
			at[e.Index] = i
		}
	}
	return scan, at
}

// newest takes the input of a ranking that keeps the newest row of each key; its rows are the versions.
func (v *versions) newest(t *logical.TopN) bool {
	p := t.Input.Properties()
	if p.Mode != graph.Append || t.Rank != graph.RowNumber || t.PerTime || t.WithTies || t.Offset != 0 || len(t.Keys) == 0 || len(t.Order) == 0 {
		return false
	}
	if o := t.Order[0]; !o.Desc || !logical.IsEventTime(expr.NewColumn(o.Column, t.Input.Schema().Field(o.Column)), p) {
		return false
	}
	width := t.Input.Schema().NumFields()
	first := t.Limit == 1
	var pass []*expr.Node
	for _, c := range v.pass {
		if n, exact, ok := rewrite.RankBound(c, t); ok && n == 1 && exact {
			first = true
			continue
		}
		pass = append(pass, c)
	}
	if !first {
		return false
	}
	// What is left of the rank is 1.
	one := make([]*expr.Node, t.Schema().NumFields())
	for i, f := range t.Schema().Fields() {
		one[i] = expr.NewColumn(i, f)
		if i >= width {
			one[i] = expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(1))
		}
	}
	v.pass = pass
	v.through(one)
	v.base, v.key, v.order = t.Input, t.Keys, t.Order[1:]
	return true
}

// versioned joins with the version that was valid at the time of a row.
func (b *Binder) versioned(left, right *relation, kind graph.JoinKind, terms []*expr.Node, v *versions, ref *ast.TableRef, span fault.Span) *relation {
	n := left.node.Schema().NumFields()
	near := logical.Nearest{Kind: kind, Order: append([]graph.Order(nil), v.order...), Latest: v.latest, Versioned: true, Ended: -1}
	keys := make([]*logical.JoinKey, len(v.key))
	var below []*expr.Node
	var times logical.Properties
	for i, c := range v.columns {
		if logical.IsEventTime(c, v.base.Properties()) {
			times.TimeColumns = append(times.TimeColumns, i)
		}
	}
	for _, t := range terms {
		if k, ok := equality(t, n); ok {
			if at := v.keyAt(k.Right); at >= 0 && keys[at] == nil {
				keys[at] = &k
				continue
			}
		}
		if logical.SideOf(t, n) == logical.LeftSide && kind == graph.InnerJoin {
			below = append(below, t)
			continue
		}
		if d, ok := logical.DistanceOf(t, n, left.node.Properties(), times); ok && !d.Upper && d.At < 0 && (near.Reach == 0 || -d.At < near.Reach) {
			near.Reach = -d.At
		}
		near.Residual = append(near.Residual, t)
	}
	for i, k := range keys {
		if k == nil {
			name := v.base.Schema().Field(v.key[i]).Name
			b.errorf(fault.CodeInvalid, span, "the join does not name the whole key of %q: %q is missing", ref.Name.Last().Name, name).
				WithHint("add AND … = %s: a row is joined with the one version of a key", name)
			return nil
		}
		near.Keys = append(near.Keys, *k)
	}
	// The right side has the relation's columns, then what the join needs beside them.
	exprs, fields := v.columns, right.node.Schema().Fields()
	column := func(e *expr.Node, name string) int {
		exprs, fields = append(exprs[:len(exprs):len(exprs)], e), append(fields[:len(fields):len(fields)], arrow.Field{Name: name})
		return len(exprs) - 1
	}
	for i, o := range near.Order {
		near.Order[i].Column = column(expr.NewColumn(o.Column, v.base.Schema().Field(o.Column)), "order")
	}
	if v.ended >= 0 {
		near.TTL = b.idle()
		near.Ended = column(expr.NewColumn(v.ended, v.base.Schema().Field(v.ended)), "ended")
	}
	for _, t := range v.pass {
		at := column(t, "pass")
		near.Residual = append(near.Residual, expr.NewColumn(n+at, arrow.Field{Name: "pass", Type: t.Type, Nullable: true}).At(t.Span))
	}
	r := logical.NewProject(v.base, exprs, fields, ref.Span())
	return b.nearestRelation(left, right, logical.NewAsof(b.filtered(left.node, below), r, near, span))
}

// keyAt tells which column of the key an expression over the relation's columns is; −1 if it is none.
func (v *versions) keyAt(e *expr.Node) int {
	moved := e.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			return v.columns[x.Index]
		}
		return x
	})
	c, ok := logical.Identity(moved)
	if !ok {
		return -1
	}
	for i, k := range v.key {
		if k == c {
			return i
		}
	}
	return -1
}

package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Values is rows that stand in the query; expressions look at no columns and have the columns' types.
type Values struct {
	base
	Rows [][]*expr.Node
	// fixed is set where every computation of the rows gives the same.
	fixed bool
}

// NewValues makes a Values; fields gives the names and types of the columns.
func NewValues(rows [][]*expr.Node, fields []arrow.Field, span fault.Span) *Values {
	v := &Values{Rows: rows, fixed: true}
	for i := range fields {
		fields[i].Nullable = false
		for _, r := range rows {
			fields[i].Nullable = fields[i].Nullable || r[i].Nullable
			v.fixed = v.fixed && fixed(r[i])
		}
	}
	v.base = base{arrow.NewSchema(fields, nil), Properties{}, span}
	return v
}

// NewOnce makes the relation of one row, which a SELECT without FROM reads.
func NewOnce(span fault.Span) *Values {
	row := []*expr.Node{expr.NewLiteral(arrow.FixedWidthTypes.Boolean, true).At(span)}
	return NewValues([][]*expr.Node{row}, []arrow.Field{{Name: "row", Type: arrow.FixedWidthTypes.Boolean}}, span)
}

// Inputs implements Node.
func (v *Values) Inputs() []Node { return nil }

// WithInputs implements Node.
func (v *Values) WithInputs([]Node) Node { return v }

// Series is the values of a generate_series or range whose bounds look at no columns.
type Series struct {
	base
	Spec graph.SeriesSpec
}

// NewSeries makes a Series; name is that of the values.
func NewSeries(spec graph.SeriesSpec, name string, span fault.Span) *Series {
	fields := []arrow.Field{{Name: name, Type: spec.Start.Type}}
	if spec.Ordinality {
		fields = append(fields, ordinality(false))
	}
	return &Series{base: base{arrow.NewSchema(fields, nil), Properties{}, span}, Spec: spec}
}

// Inputs implements Node.
func (s *Series) Inputs() []Node { return nil }

// WithInputs implements Node.
func (s *Series) WithInputs([]Node) Node { return s }

// ordinality is the column of WITH ORDINALITY.
func ordinality(nullable bool) arrow.Field {
	return arrow.Field{Name: "ordinality", Type: arrow.PrimitiveTypes.Int64, Nullable: nullable}
}

// ConstantRow is a row of a relation that reads no table: its values, and conditions over no columns under which it is there.
type ConstantRow struct {
	Cells []*expr.Node
	Conds []*expr.Node
}

// maxConstants bounds the rows of a constant relation that is known by its rows.
const maxConstants = 1 << 16

// Constant reports whether the rows of a relation stand in the query, so that ConstantRows gives them.
func Constant(n Node) bool {
	switch n := n.(type) {
	case *Values:
		return n.fixed && len(n.Rows) <= maxConstants
	case *Project:
		return n.EventTime == nil && fixed(n.Exprs...) && Constant(n.Input)
	case *Filter:
		return fixed(n.Cond) && Constant(n.Input)
	case *Union:
		for _, in := range n.In {
			if !Constant(in) {
				return false
			}
		}
		return true
	case *Series:
		_, ok := elements(graph.UnnestSeries, []*expr.Node{n.Spec.Start, n.Spec.Stop, n.Spec.Step}, n.Spec.Including)
		return ok
	case *Unnest:
		v, ok := n.Input.(*Values)
		return ok && len(v.Rows) == 1 && v.fixed && n.rows(v.Rows[0]) != nil
	}
	return false
}

// ConstantRows gives the rows of a relation that is Constant.
func ConstantRows(n Node) []ConstantRow {
	var out []ConstantRow
	switch n := n.(type) {
	case *Values:
		for _, r := range n.Rows {
			out = append(out, ConstantRow{Cells: r})
		}
	case *Project:
		for _, r := range ConstantRows(n.Input) {
			cells := make([]*expr.Node, len(n.Exprs))
			for i, e := range n.Exprs {
				cells[i] = over(e, r.Cells)
			}
			out = append(out, ConstantRow{cells, r.Conds})
		}
	case *Filter:
		for _, r := range ConstantRows(n.Input) {
			switch c := over(n.Cond, r.Cells); {
			case c.Kind != expr.Literal:
				out = append(out, ConstantRow{r.Cells, append(r.Conds[:len(r.Conds):len(r.Conds)], c)})
			case c.Value == true:
				out = append(out, r)
			}
		}
	case *Union:
		for _, in := range n.In {
			out = append(out, ConstantRows(in)...)
		}
	case *Series:
		values, _ := elements(graph.UnnestSeries, []*expr.Node{n.Spec.Start, n.Spec.Stop, n.Spec.Step}, n.Spec.Including)
		for i, v := range values {
			cells := []*expr.Node{v}
			if n.Spec.Ordinality {
				cells = append(cells, expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(i+1)).At(n.span))
			}
			out = append(out, ConstantRow{Cells: cells})
		}
	case *Unnest:
		for _, cells := range n.rows(n.Input.(*Values).Rows[0]) {
			out = append(out, ConstantRow{Cells: cells})
		}
	}
	return out
}

// rows gives what an unnest makes of one constant row, nil if its lists are not spelled out.
func (u *Unnest) rows(cells []*expr.Node) [][]*expr.Node {
	lists := make([][]*expr.Node, len(u.Calls))
	n := 0
	for i, c := range u.Calls {
		args := make([]*expr.Node, len(c.Args))
		for k, a := range c.Args {
			if !fixed(a) {
				return nil
			}
			args[k] = over(a, cells)
		}
		var ok bool
		if lists[i], ok = elements(c.Kind, args, c.Including); !ok {
			return nil
		}
		n = max(n, len(lists[i]))
	}
	if n == 0 || !fixed(u.Keep...) {
		return nil
	}
	out := make([][]*expr.Node, n)
	for r := range out {
		for _, k := range u.Keep {
			out[r] = append(out[r], over(k, cells))
		}
		for i := range u.Calls {
			if f := u.Schema().Field(u.FirstCall() + i); r < len(lists[i]) {
				out[r] = append(out[r], lists[i][r])
			} else {
				out[r] = append(out[r], expr.NewLiteral(f.Type, nil).At(u.span))
			}
		}
		if u.Ordinality {
			out[r] = append(out[r], expr.NewLiteral(arrow.PrimitiveTypes.Int64, int64(r+1)).At(u.span))
		}
	}
	return out
}

// elements gives the elements of a list that is spelled out, or the values of a short series.
func elements(kind graph.UnnestKind, args []*expr.Node, including bool) ([]*expr.Node, bool) {
	if kind == graph.UnnestList {
		l := args[0]
		return l.Args, l.Kind == expr.Call && l.Name == "make_array" && len(l.Args) > 0 && arrow.TypeEqual(l.Args[0].Type, l.Type.(*arrow.ListType).Elem())
	}
	if kind != graph.UnnestSeries {
		return nil, false
	}
	var bounds [3]*expr.Node
	for i, a := range args {
		if bounds[i] = expr.Fold(a); bounds[i].Kind != expr.Literal || bounds[i].Value == nil {
			return nil, false
		}
	}
	s := expr.NewSeries(args[0].Type, including)
	start, stop := bounds[0].Value.(int64), bounds[1].Value.(int64)
	switch step := bounds[2].Value.(type) {
	case int64:
		if !s.Count(start, stop, step) {
			return nil, false
		}
	case arrow.MonthDayNanoInterval:
		if !s.Every(start, stop, step) {
			return nil, false
		}
	}
	values := make([]int64, maxSeries+1)
	n := s.Fill(values)
	var out []*expr.Node
	for _, v := range values[:n] {
		out = append(out, expr.NewLiteral(args[0].Type, v).At(args[0].Span))
	}
	return out, n <= maxSeries
}

// maxSeries bounds the values of a series that is known by them.
const maxSeries = 1 << 10

// over is an expression over a constant row.
func over(e *expr.Node, cells []*expr.Node) *expr.Node {
	return expr.Fold(e.Map(func(x *expr.Node) *expr.Node {
		if x.Kind == expr.Column {
			return cells[x.Index]
		}
		return x
	}))
}

// fixed reports whether expressions give the same each time and do not look at the row's time.
func fixed(list ...*expr.Node) bool {
	ok := true
	for _, e := range list {
		e.Walk(func(x *expr.Node) bool {
			ok = ok && x.Kind != expr.RowTime && (x.Kind != expr.Call || expr.Builtin().Volatility(x.Name) == expr.Immutable)
			return ok
		})
	}
	return ok
}

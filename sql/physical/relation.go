package physical

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// values lays out rows that stand in the query. One subtask makes them.
func (p *planner) values(n *logical.Values) []int {
	return []int{p.add("values", p.meaningOf(n).base, graph.Node{
		Description: describeValues(n), MaxParallelism: 1, Spec: &graph.ValuesSpec{Rows: n.Rows}, Out: n.Schema(), Span: n.Span(),
	}, nil)}
}

func describeValues(n *logical.Values) string {
	if len(n.Rows) == 1 {
		return "one row"
	}
	return strconv.Itoa(len(n.Rows)) + " rows"
}

func valuesText(rows [][]*expr.Node) string {
	var b strings.Builder
	for _, r := range rows {
		for _, e := range r {
			b.WriteString(exprText(e) + " ")
		}
		b.WriteByte(';')
	}
	return digest(b.String())
}

// valuesMeaning identifies rows by all that stands in them, since which columns are read may differ.
func valuesMeaning(n *logical.Values) meaning {
	m := meaning{base: digest("values", valuesText(n.Rows))}
	for i, f := range n.Schema().Fields() {
		m.columns = append(m.columns, digest("value", m.base, strconv.Itoa(i), typeText(f.Type)))
	}
	return m
}

// series lays out a series whose bounds are constants.
func (p *planner) series(n *logical.Series) []int {
	spec := n.Spec
	return []int{p.add("series", p.meaningOf(n).base, graph.Node{
		Description: describeSeries(spec.Start, spec.Stop, spec.Step, spec.Including), MaxParallelism: 1, Spec: &spec, Out: n.Schema(), Span: n.Span(),
	}, nil)}
}

func describeSeries(start, stop, step *expr.Node, including bool) string {
	name := "range"
	if including {
		name = "generate_series"
	}
	return shorten(name + "(" + expr.Format(start) + ", " + expr.Format(stop) + ", " + expr.Format(step) + ")")
}

func seriesText(s *graph.SeriesSpec) string {
	return fmt.Sprintf("%s %s %s %t", exprText(s.Start), exprText(s.Stop), exprText(s.Step), s.Including)
}

func seriesMeaning(n *logical.Series) meaning {
	m := meaning{base: digest("series", seriesText(&n.Spec))}
	for i := range n.Schema().Fields() {
		m.columns = append(m.columns, digest("value", m.base, strconv.Itoa(i)))
	}
	return m
}

// unnest lays out an unnest: a projection to what is kept, the lists and the bounds of series, and the operator.
func (p *planner) unnest(n *logical.Unnest) []int {
	args := &arguments{exprs: []*expr.Node{}}
	spec := &graph.UnnestSpec{Ordinality: n.Ordinality, Outer: n.Outer}
	for i, k := range n.Keep {
		spec.Keep = append(spec.Keep, args.add(k, n.KeepFields[i]))
	}
	for i, c := range n.Calls {
		call := graph.UnnestCall{Kind: c.Kind, Including: c.Including, NullRow: c.NullRow}
		for k, a := range c.Args {
			call.Args = append(call.Args, args.add(a, arrow.Field{Name: argumentName(a, fmt.Sprintf("arg%d_%d", i, k))}))
		}
		spec.Calls = append(spec.Calls, call)
	}
	project := &graph.ProjectSpec{Exprs: args.exprs}
	below := n.Input
	if f, ok := below.(*logical.Filter); ok {
		project.Filter, below = f.Cond, f.Input
	}
	from := p.apply(project, args.fields, below, n.Input.Properties().Mode, n.Span())
	node := graph.Node{Description: describeUnnest(n), Spec: spec, Out: withText(n.Schema()), Mode: n.Properties().Mode, Span: n.Span()}
	return []int{p.add("unnest", p.meaningOf(n).base, node, forward(from))}
}

// withText gives columns of the type of a bare NULL a type that batches have, as concrete does.
func withText(s *arrow.Schema) *arrow.Schema {
	fields := s.Fields()
	for i := range fields {
		if fields[i].Type.ID() == arrow.NULL {
			fields[i].Type = arrow.BinaryTypes.String
		}
	}
	return arrow.NewSchema(fields, nil)
}

func unnestText(s *graph.UnnestSpec) string {
	return fmt.Sprintf("%v %v %t %t", s.Keep, s.Calls, s.Ordinality, s.Outer)
}

func (p *planner) unnestMeaning(n *logical.Unnest) meaning {
	in := p.meaningOf(n.Input)
	parts := []string{"unnest", in.rows(), strconv.FormatBool(n.Outer)}
	for _, c := range n.Calls {
		parts = append(parts, fmt.Sprintf("%d %t %t", c.Kind, c.Including, c.NullRow))
		for _, a := range c.Args {
			parts = append(parts, exprDigest(a, in.columns))
		}
	}
	m := meaning{base: digest(parts...)}
	for _, k := range n.Keep {
		m.columns = append(m.columns, digest("of", m.base, exprDigest(k, in.columns)))
	}
	for i := n.FirstCall(); i < n.Schema().NumFields(); i++ {
		m.columns = append(m.columns, digest("element", m.base, strconv.Itoa(i-n.FirstCall())))
	}
	return m
}

func describeUnnest(n *logical.Unnest) string {
	parts := make([]string, len(n.Calls))
	for i, c := range n.Calls {
		if c.Kind == graph.UnnestSeries {
			parts[i] = describeSeries(c.Args[0], c.Args[1], c.Args[2], c.Including)
		} else {
			parts[i] = "unnest(" + expr.Format(c.Args[0]) + ")"
		}
	}
	s := strings.Join(parts, ", ")
	if n.Ordinality {
		s += " with ordinality"
	}
	if n.Outer {
		s += ", rows without elements too"
	}
	return shorten(s)
}

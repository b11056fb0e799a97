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

// lateral lays out a lateral query: a projection to what is kept and what it looks at, and the operator.
func (p *planner) lateral(n *logical.Lateral) []int {
	args := &arguments{exprs: []*expr.Node{}}
	spec := &graph.LateralSpec{Kind: n.Kind}
	for i, k := range n.Keep {
		spec.Keep = append(spec.Keep, args.add(k, n.KeepFields[i]))
	}
	outer := make([]int, len(n.Outer))
	for i, o := range n.Outer {
		outer[i] = args.add(o, arrow.Field{Name: argumentName(o, fmt.Sprintf("arg%d", i))})
	}
	spec.Steps = n.OverInput(outer)
	project := &graph.ProjectSpec{Exprs: args.exprs}
	below := n.Input
	if f, ok := below.(*logical.Filter); ok {
		project.Filter, below = f.Cond, f.Input
	}
	from := p.apply(project, args.fields, below, n.Input.Properties().Mode, n.Span())
	node := graph.Node{Description: describeLateral(n), Spec: spec, Out: withText(n.Schema()), Mode: n.Properties().Mode, Span: n.Span()}
	return []int{p.add("lateral", p.meaningOf(n).base, node, forward(from))}
}

func stepsText(steps []graph.LateralStep) string {
	var b strings.Builder
	for _, s := range steps {
		switch {
		case s.Unnest != nil:
			b.WriteString("unnest " + unnestText(s.Unnest))
		case s.Project != nil:
			b.WriteString("project " + projectText(s.Project))
		case s.Match != nil:
			fmt.Fprintf(&b, "match %v %v %v %v %s", s.Match.Keep, s.Match.Keys, s.Match.RowKeys, s.Match.NullSafe, valuesText(s.Match.Rows))
		case s.Lateral != nil:
			fmt.Fprintf(&b, "lateral %v %d (%s)", s.Lateral.Keep, s.Lateral.Kind, stepsText(s.Lateral.Steps))
		case s.Pad:
			b.WriteString("pad")
		case s.Aggregate != nil:
			fmt.Fprintf(&b, "aggregate %v %t %s", s.Aggregate.Keys, s.Aggregate.Single, callsText(s.Aggregate.Aggs))
		case s.Top != nil:
			fmt.Fprintf(&b, "top %v", *s.Top)
		}
		b.WriteString("; ")
	}
	return b.String()
}

func (p *planner) lateralMeaning(n *logical.Lateral) meaning {
	in := p.meaningOf(n.Input)
	parts := []string{"lateral", in.rows(), n.Kind.String(), stepsText(n.Steps)}
	for _, o := range n.Outer {
		parts = append(parts, exprDigest(o, in.columns))
	}
	m := meaning{base: digest(parts...)}
	for _, k := range n.Keep {
		m.columns = append(m.columns, digest("of", m.base, exprDigest(k, in.columns)))
	}
	for i := len(n.Keep); i < n.Schema().NumFields(); i++ {
		m.columns = append(m.columns, digest("result", m.base, strconv.Itoa(i-len(n.Keep))))
	}
	return m
}

// describeLateral names the steps of a lateral query.
func describeLateral(n *logical.Lateral) string {
	return shorten(n.Kind.String() + ", for each row: " + strings.Join(describeSteps(n.Steps), ", "))
}

func describeSteps(steps []graph.LateralStep) []string {
	var parts []string
	columns := func(below *arrow.Schema, list []int) string {
		names := make([]string, len(list))
		for i, c := range list {
			names[i] = below.Field(c).Name
		}
		return strings.Join(names, ", ")
	}
	below := arrow.NewSchema(nil, nil)
	for _, s := range steps {
		switch {
		case s.Lateral != nil:
			parts = append(parts, s.Lateral.Kind.String()+" ("+strings.Join(describeSteps(s.Lateral.Steps), ", ")+")")
		case s.Unnest != nil:
			for _, c := range s.Unnest.Calls {
				name := "unnest"
				if c.Kind == graph.UnnestSeries {
					name = "series"
				}
				parts = append(parts, name+"("+columns(below, c.Args)+")")
			}
		case s.Match != nil:
			text := fmt.Sprintf("one of %d rows", len(s.Match.Rows))
			if len(s.Match.RowKeys) > 0 {
				text += " by " + columns(s.Out, s.Match.RowKeys)
			}
			parts = append(parts, text)
		case s.Project != nil && s.Project.Filter != nil:
			parts = append(parts, "where "+expr.Format(s.Project.Filter))
		case s.Aggregate != nil:
			calls := make([]string, len(s.Aggregate.Aggs))
			for i, c := range s.Aggregate.Aggs {
				calls[i] = c.Name + "(" + columns(below, c.Args) + ")"
			}
			text := strings.Join(calls, ", ")
			if len(s.Aggregate.Keys) > 0 {
				text += " by " + columns(below, s.Aggregate.Keys)
			}
			parts = append(parts, text)
		case s.Top != nil:
			parts = append(parts, "top")
		}
		below = s.Out
	}
	return parts
}

package physical

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// over lays out functions over ordered rows: a shuffle by the keys, and the operator.
func (p *planner) over(n *logical.Over) []int {
	from := p.build(n.Input)
	in := make([]input, len(from))
	for i, f := range from {
		in[i] = input{from: f, kind: graph.Shuffle, keys: n.Spec.Keys}
	}
	spec := n.Spec
	node := graph.Node{Description: describeOver(n), MaxParallelism: unsharded(spec.Keys), Spec: &spec, Out: n.Schema(), Mode: n.Properties().Mode, Span: n.Span()}
	return []int{p.add("over", p.meaningOf(n).base, node, in)}
}

func overText(s *graph.OverSpec) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %v %t", s.Keys, s.Order, s.PerTime)
	if s.Updating {
		b.WriteString(" updating")
	}
	for _, c := range s.Calls {
		fmt.Fprintf(&b, "; %s %t %v %v %#v %d %s %v %t", c.Name, c.Distinct, c.Args, c.OrderBy, c.Params, c.Filter, c.Type, c.Frame, c.IgnoreNulls)
	}
	return b.String()
}

func (p *planner) overMeaning(n *logical.Over) meaning {
	in := p.meaningOf(n.Input)
	m := meaning{base: digest(append([]string{"over", in.rows(), overText(&n.Spec)}, in.columns...)...)}
	for i := range n.Schema().NumFields() {
		if i < len(in.columns) {
			m.columns = append(m.columns, digest("of", m.base, in.columns[i]))
		} else {
			m.columns = append(m.columns, digest("call", m.base, fmt.Sprint(i-len(in.columns))))
		}
	}
	return m
}

func describeOver(n *logical.Over) string {
	var b strings.Builder
	s := n.Input.Schema()
	for i, c := range n.Spec.Calls {
		if i > 0 {
			b.WriteString(", ")
		}
		args := make([]string, len(c.Args))
		for k, a := range c.Args {
			args[k] = s.Field(a).Name
		}
		for _, v := range c.Params {
			args = append(args, fmt.Sprint(v))
		}
		b.WriteString(c.Name + "(" + strings.Join(args, ", ") + ")")
	}
	for i, k := range n.Spec.Keys {
		b.WriteString(map[bool]string{true: " by ", false: ", "}[i == 0] + s.Field(k).Name)
	}
	first := true
	switch {
	case n.Spec.PerTime:
		b.WriteString(" in each window")
	case !n.Spec.Updating:
		b.WriteString(" order by event time")
		first = false
	}
	for _, o := range n.Spec.Order {
		b.WriteString(map[bool]string{true: " order by ", false: ", "}[first] + orderText(s, o))
		first = false
	}
	return shorten(b.String())
}

// orderText is a key of an order as it is written.
func orderText(s *arrow.Schema, o graph.Order) string {
	text := s.Field(o.Column).Name
	if o.Desc {
		text += " desc"
	}
	if o.NullsFirst != o.Desc {
		text += map[bool]string{true: " nulls first", false: " nulls last"}[o.NullsFirst]
	}
	return text
}

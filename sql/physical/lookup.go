package physical

import (
	"fmt"
	"strings"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// lookup lays out a lookup: the input with the keys to ask for, shuffled by them so that each key is asked for and
// remembered at one place, and the operator.
func (p *planner) lookup(n *logical.Lookup) []int {
	in := &side{node: n.Input}
	spec := &graph.LookupJoinSpec{Kind: n.Kind, Table: *n.Table, CacheBytes: n.CacheBytes, CacheTTL: n.CacheTTL}
	for _, k := range n.Keys {
		spec.Keys = append(spec.Keys, in.key(k))
	}
	before, after := n.Input.Schema().NumFields(), n.Input.Schema().NumFields()+len(in.keys)
	spec.Residual = widened(n.Residual, before, after)
	node := graph.Node{
		Description: describeLookup(n), Spec: spec, Mode: n.Properties().Mode, Span: n.Span(),
		Out: joined(n.Kind, in, &side{node: tableOf(n)}),
	}
	at := p.add("lookup_"+n.Table.Table, p.meaningOf(n).base, node, p.side(in, spec.Keys, 0))
	if len(in.keys) == 0 {
		return []int{at}
	}
	return []int{p.without(at, n, before, after)}
}

// tableOf is the table that a lookup asks as if it were scanned.
func tableOf(n *logical.Lookup) *logical.Scan {
	return logical.NewScan(n.Table, graph.Append, 0, n.Description, n.Span())
}

func (p *planner) lookupMeaning(n *logical.Lookup) meaning {
	l, r := p.meaningOf(n.Input), tableMeaning(n.Table)
	both := bothSides(l, r)
	parts := append([]string{"lookup", fmt.Sprint(n.Kind), l.rows(), r.rows()}, both...)
	for _, k := range n.Keys {
		parts = append(parts, exprDigest(k, l.columns))
	}
	for _, t := range n.Residual {
		parts = append(parts, conditions(t, both)...)
	}
	m := meaning{base: digest(parts...)}
	for _, c := range both {
		m.columns = append(m.columns, digest("of", m.base, c))
	}
	return m
}

func describeLookup(n *logical.Lookup) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s, %s", n.Kind, n.Table.Table, n.Description)
	if n.Table.Format.Name != "" {
		b.WriteString(" as " + n.Table.Format.Name)
	}
	for i, k := range n.Keys {
		b.WriteString(map[bool]string{true: " on ", false: " and "}[i == 0])
		b.WriteString(expr.Format(k) + " = " + n.Table.Schema.Field(n.Table.PrimaryKey[i]).Name)
	}
	writeTerms(&b, n.Residual)
	switch {
	case n.CacheBytes == 0:
		b.WriteString("; no cache")
	case n.CacheTTL > 0:
		fmt.Fprintf(&b, "; cache of %d bytes for %s", n.CacheBytes, Duration(n.CacheTTL))
	default:
		fmt.Fprintf(&b, "; cache of %d bytes", n.CacheBytes)
	}
	return shorten(b.String())
}

package physical

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// meaning identifies what a relation is, whatever way it is computed: which rows it has, and what each column holds. Two
// plans of the same query text have equal meanings, and so do parts of different texts that mean the same, however their
// columns are ordered, named or pruned.
type meaning struct {
	// base is the relation whose rows these are; conditions, sorted, say which of them.
	base       string
	conditions []string
	columns    []string
}

// rows identifies the rows alone.
func (m meaning) rows() string {
	if len(m.conditions) == 0 {
		return m.base
	}
	return digest("filter", m.base, strings.Join(m.conditions, " "))
}

// digest hashes parts, which are told apart from each other.
func digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// meaningOf gives the meaning of a node, computed once.
func (p *planner) meaningOf(n logical.Node) meaning {
	if m, ok := p.meanings[n]; ok {
		return m
	}
	m := p.newMeaning(n)
	p.meanings[n] = m
	return m
}

func (p *planner) newMeaning(n logical.Node) meaning {
	switch n := n.(type) {
	case *logical.Scan:
		return scanMeaning(n)
	case *logical.Values:
		return valuesMeaning(n)
	case *logical.Series:
		return seriesMeaning(n)
	case *logical.Assign:
		return p.assignMeaning(n)
	case *logical.Unnest:
		return p.unnestMeaning(n)
	case *logical.Lateral:
		return p.lateralMeaning(n)
	case *logical.Watermark:
		return p.meaningOf(n.Input)
	case *logical.Filter:
		m := p.meaningOf(n.Input)
		out := meaning{base: m.base, columns: m.columns}
		out.conditions = append(append(out.conditions, m.conditions...), conditions(n.Cond, m.columns)...)
		sort.Strings(out.conditions)
		return out
	case *logical.Project:
		m := p.meaningOf(n.Input)
		out := meaning{base: m.base, conditions: m.conditions}
		if n.EventTime != nil {
			out.base, out.conditions = digest("time", m.rows(), exprDigest(n.EventTime, m.columns)), nil
		}
		for _, e := range n.Exprs {
			out.columns = append(out.columns, exprDigest(e, m.columns))
		}
		return out
	case *logical.Union:
		return p.unionMeaning(n)
	case *logical.Aggregate:
		return p.aggregateMeaning(n)
	case *logical.Join:
		return p.joinMeaning(n)
	case *logical.Asof:
		return p.asofMeaning(n)
	case *logical.Lookup:
		return p.lookupMeaning(n)
	case *logical.TopN:
		return p.topNMeaning(n)
	case *logical.Over:
		return p.overMeaning(n)
	}
	panic(fmt.Sprintf("physical: no meaning for %T", n))
}

func scanMeaning(n *logical.Scan) meaning { return tableMeaning(n.Spec) }

func tableMeaning(s *graph.SourceSpec) meaning {
	parts := append([]string{"scan", strings.ToLower(s.Table), s.Connector, s.Format.Name}, options(s.Options)...)
	m := meaning{base: digest(parts...)}
	for i, f := range s.Schema.Fields() {
		key := ""
		if s.Metadata != nil {
			key = s.Metadata[i]
		}
		m.columns = append(m.columns, digest("column", m.base, f.Name, f.Type.Fingerprint(), f.Type.String(), key))
	}
	return m
}

func options(o map[string]string) []string {
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	var out []string
	for _, k := range keys {
		out = append(out, k, o[k])
	}
	return out
}

func (p *planner) unionMeaning(n *logical.Union) meaning {
	rows := []string{"union"}
	columns := make([][]string, n.Schema().NumFields())
	for _, in := range n.In {
		m := p.meaningOf(in)
		rows = append(rows, m.rows())
		for i, c := range m.columns {
			columns[i] = append(columns[i], c)
		}
	}
	out := meaning{base: digest(rows...)}
	for _, c := range columns {
		out.columns = append(out.columns, digest(append([]string{"union"}, c...)...))
	}
	return out
}

func (p *planner) aggregateMeaning(n *logical.Aggregate) meaning {
	in := p.meaningOf(n.Input)
	parts := []string{"aggregate", in.rows()}
	if n.Window != nil {
		parts = append(parts, windowDigest(*n.Window))
	}
	var columns []string
	for _, k := range n.Keys {
		columns = append(columns, exprDigest(k, in.columns))
	}
	if n.Window != nil {
		columns = append(columns, "window")
	}
	for _, c := range n.Calls {
		columns = append(columns, callDigest(c, in.columns))
	}
	if n.Single {
		parts = append(parts, "single")
	}
	m := meaning{base: digest(append(parts, columns...)...)}
	for _, c := range columns {
		m.columns = append(m.columns, digest("of", m.base, c))
	}
	return m
}

// windowDigest spells a window; those of fixed length without an offset are as short as they have always been, so that their
// operators keep their ids.
func windowDigest(w graph.Window) string {
	s := fmt.Sprintf("window %d %d %d", w.Kind, w.Width, w.Slide)
	if w.Fixed() && w.Offset == (graph.Offset{}) {
		return s
	}
	return s + fmt.Sprintf(" %d %d %v %s", w.WidthUnit, w.SlideUnit, w.Offset, w.Zone)
}

func callDigest(c *logical.Call, columns []string) string {
	parts := []string{"call", c.Name, fmt.Sprint(c.Distinct)}
	for _, a := range c.Args {
		parts = append(parts, exprDigest(a, columns))
	}
	if len(c.OrderBy) > 0 || len(c.Params) > 0 {
		parts = append(parts, fmt.Sprintf("%v %#v", c.OrderBy, c.Params))
	}
	if c.Filter != nil {
		parts = append(parts, "filter", exprDigest(c.Filter, columns))
	}
	return digest(parts...)
}

// conditions gives the digests of the terms of an AND.
func conditions(n *expr.Node, columns []string) []string {
	if n.Kind != expr.Call || n.Name != "and" {
		return []string{exprDigest(n, columns)}
	}
	var out []string
	for _, a := range n.Args {
		out = append(out, conditions(a, columns)...)
	}
	return out
}

// exprDigest identifies what an expression computes; columns are the digests of the input's.
func exprDigest(n *expr.Node, columns []string) string {
	if n.Kind == expr.Column {
		return columns[n.Index]
	}
	parts := []string{fmt.Sprint(n.Kind), typeText(n.Type)}
	switch n.Kind {
	case expr.Call, expr.Field:
		parts = append(parts, n.Name)
	case expr.Literal:
		parts = append(parts, fmt.Sprintf("%T %v", n.Value, n.Value))
	}
	for _, a := range n.Args {
		parts = append(parts, exprDigest(a, columns))
	}
	return digest(parts...)
}

// typeText spells a type completely; fingerprints alone leave out some parameters.
func typeText(dt arrow.DataType) string { return dt.Fingerprint() + dt.String() }

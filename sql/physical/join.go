package physical

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// join lays out a join: on each side a projection to its columns and the values of the keys, shuffled by those, then the
// operator, then what drops the computed keys again.
func (p *planner) join(n *logical.Join) []int {
	left, right := &side{node: n.Left}, &side{node: n.Right}
	on := graph.JoinOn{Kind: n.Kind, NullAware: n.NullAware, LeftTime: n.LeftTime}
	on.LeftKeys, on.RightKeys, on.NullSafe = keyColumns(n.Keys, left, right)
	before, after := n.Left.Schema().NumFields(), n.Left.Schema().NumFields()+len(left.keys)
	on.Residual = widened(n.Residual, before, after)
	by := 0 // rows of a NOT IN are shuffled by the other keys
	if n.NullAware {
		by = 1
	}
	in := append(p.side(left, on.LeftKeys[by:], 0), p.side(right, on.RightKeys[by:], 1)...)
	node := graph.Node{Description: describeJoin(n), Mode: n.Properties().Mode, Span: n.Span(), Out: joined(n.Kind, left, right)}
	if len(on.LeftKeys) == 0 || n.NullAware && len(on.LeftKeys) == 1 {
		node.MaxParallelism = 1
	}
	name := "join"
	switch n.By {
	case logical.ByWindow:
		name, node.Spec = "window_join", &graph.WindowJoinSpec{JoinOn: on}
	case logical.ByInterval:
		name, node.Spec = "interval_join", &graph.IntervalJoinSpec{JoinOn: on, Lower: n.Lower, Upper: n.Upper}
	default:
		node.Spec = &graph.JoinSpec{JoinOn: on, TTL: n.TTL}
	}
	at := p.add(name, p.meaningOf(n).base, node, in)
	if len(left.keys) == 0 && (len(right.keys) == 0 || !n.RightColumns()) {
		return []int{at}
	}
	return []int{p.without(at, n, before, after)}
}

// asof lays out a join of nearest rows like any other.
func (p *planner) asof(n *logical.Asof) []int {
	left, right := &side{node: n.Left}, &side{node: n.Right}
	spec := &graph.AsofJoinSpec{
		JoinOn: graph.JoinOn{Kind: n.Kind}, Forward: n.Forward, Strict: n.Strict, Reach: n.Reach, Order: n.Order,
		Latest: n.Latest, Versioned: n.Versioned, Ended: n.Ended, TTL: n.TTL,
	}
	spec.LeftKeys, spec.RightKeys, spec.NullSafe = keyColumns(n.Keys, left, right)
	before, after := n.Left.Schema().NumFields(), n.Left.Schema().NumFields()+len(left.keys)
	spec.Residual = widened(n.Residual, before, after)
	in := append(p.side(left, spec.LeftKeys, 0), p.side(right, spec.RightKeys, 1)...)
	node := graph.Node{
		Description: describeAsof(n), MaxParallelism: unsharded(spec.LeftKeys), Spec: spec, Mode: n.Properties().Mode, Span: n.Span(),
		Out: joined(n.Kind, left, right),
	}
	name := "asof_join"
	if n.Versioned {
		name = "temporal_join"
	}
	at := p.add(name, p.meaningOf(n).base, node, in)
	if len(left.keys) == 0 && len(right.keys) == 0 {
		return []int{at}
	}
	return []int{p.without(at, n, before, after)}
}

// keyColumns gives the columns of the keys on both sides, and which of them take null for null; nil if none does.
func keyColumns(keys []logical.JoinKey, left, right *side) (l, r []int, safe []bool) {
	for i, k := range keys {
		a, b := expr.EqualMoments(k.Left, k.Right)
		l, r = append(l, left.key(a)), append(r, right.key(b))
		if k.NullSafe {
			if safe == nil {
				safe = make([]bool, len(keys))
			}
			safe[i] = true
		}
	}
	return l, r, safe
}

// side is one input of a join and the key values that are not among its columns.
type side struct {
	node logical.Node
	keys []*expr.Node
}

// key gives the column of a key value.
func (s *side) key(e *expr.Node) int {
	if e.Kind == expr.Column {
		return e.Index
	}
	n := s.node.Schema().NumFields()
	for i, k := range s.keys {
		if expr.Equal(k, e) {
			return n + i
		}
	}
	s.keys = append(s.keys, e)
	return n + len(s.keys) - 1
}

// fields are the columns of a side with its keys.
func (s *side) fields() []arrow.Field {
	fields := s.node.Schema().Fields()
	for i, k := range s.keys {
		fields = append(fields, arrow.Field{Name: argumentName(k, fmt.Sprintf("key%d", i)), Type: k.Type, Nullable: k.Nullable})
	}
	return fields
}

// side lays out one input and gives the edges from it.
func (p *planner) side(s *side, keys []int, port int) []input {
	var from []int
	if len(s.keys) == 0 {
		from = p.build(s.node)
	} else {
		from = p.withKeys(s)
	}
	in := make([]input, len(from))
	for i, f := range from {
		in[i] = input{from: f, kind: graph.Shuffle, keys: keys, port: port}
	}
	return in
}

// withKeys computes the keys in the projection that the side ends in, if it does, else in one of their own.
func (p *planner) withKeys(s *side) []int {
	spec := &graph.ProjectSpec{}
	below := s.node
	if pr, ok := below.(*logical.Project); ok && pr.EventTime == nil {
		spec.Exprs = append(spec.Exprs, pr.Exprs...)
		for _, k := range s.keys {
			spec.Exprs = append(spec.Exprs, k.Map(func(x *expr.Node) *expr.Node {
				if x.Kind == expr.Column {
					return pr.Exprs[x.Index]
				}
				return x
			}))
		}
		below = pr.Input
	} else {
		for i, f := range below.Schema().Fields() {
			spec.Exprs = append(spec.Exprs, expr.NewColumn(i, f))
		}
		spec.Exprs = append(spec.Exprs, s.keys...)
	}
	if f, ok := below.(*logical.Filter); ok {
		spec.Filter, below = f.Cond, f.Input
	}
	return p.apply(spec, s.fields(), below, s.node.Properties().Mode, s.node.Span())
}

// joined is the output of the operator: both sides with their keys.
func joined(kind graph.JoinKind, left, right *side) *arrow.Schema {
	l, r := left.fields(), right.fields()
	for i := range l {
		l[i].Nullable = l[i].Nullable || kind == graph.RightJoin || kind == graph.FullJoin
	}
	for i := range r {
		r[i].Nullable = r[i].Nullable || kind == graph.LeftJoin || kind == graph.FullJoin
	}
	if kind == graph.SemiJoin || kind == graph.AntiJoin {
		r = nil
	}
	return arrow.NewSchema(append(l, r...), nil)
}

// without drops the computed keys behind a join.
func (p *planner) without(at int, n logical.Node, before, after int) int {
	var exprs []*expr.Node
	for i, f := range n.Schema().Fields() {
		if i >= before {
			i += after - before
		}
		exprs = append(exprs, expr.NewColumn(i, f))
	}
	return p.project(&graph.ProjectSpec{Exprs: exprs}, n.Schema(), n.Properties().Mode, n.Span(), []int{at})
}

// widened is the residual over sides of which the left one has grown.
func widened(terms []*expr.Node, before, after int) *expr.Node {
	var out *expr.Node
	for _, t := range terms {
		t = t.Map(func(x *expr.Node) *expr.Node {
			if x.Kind == expr.Column && x.Index >= before {
				x.Index += after - before
			}
			return x
		})
		if out == nil {
			out = t
			continue
		}
		out = &expr.Node{Kind: expr.Call, Name: "and", Type: t.Type, Nullable: out.Nullable || t.Nullable, Args: []*expr.Node{out, t}, Span: out.Span.Join(t.Span)}
	}
	return out
}

func joinText(on *graph.JoinOn) string {
	return fmt.Sprintf("%d %v %v %v %t %t %s", on.Kind, on.LeftKeys, on.RightKeys, on.NullSafe, on.NullAware, on.LeftTime, exprText(on.Residual))
}

// joinMeaning identifies a join by its sides, with the columns that it keeps of them, and its condition.
func (p *planner) joinMeaning(n *logical.Join) meaning {
	l, r := p.meaningOf(n.Left), p.meaningOf(n.Right)
	both := bothSides(l, r)
	parts := []string{"join", fmt.Sprint(n.Kind, n.By, n.NullAware, n.Lower, n.Upper), l.rows(), r.rows()}
	parts = append(parts, both...)
	if n.LeftTime {
		parts = append(parts, "left time")
	}
	for _, c := range n.Conds {
		parts = append(parts, conditions(c, both)...)
	}
	m := meaning{base: digest(parts...)}
	if !n.RightColumns() {
		both = both[:len(l.columns)]
	}
	for _, c := range both {
		m.columns = append(m.columns, digest("of", m.base, c))
	}
	return m
}

// bothSides are the columns of two relations next to each other.
func bothSides(l, r meaning) []string {
	var both []string
	for _, c := range l.columns {
		both = append(both, digest("left", c))
	}
	for _, c := range r.columns {
		both = append(both, digest("right", c))
	}
	return both
}

func (p *planner) asofMeaning(n *logical.Asof) meaning {
	l, r := p.meaningOf(n.Left), p.meaningOf(n.Right)
	both := bothSides(l, r)
	parts := []string{"asof", fmt.Sprint(n.Kind, n.Forward, n.Strict, n.Reach, n.Latest), l.rows(), r.rows()}
	parts = append(parts, both...)
	for _, k := range n.Keys {
		parts = append(parts, exprDigest(k.Left, l.columns), exprDigest(k.Right, r.columns), fmt.Sprint(k.NullSafe))
	}
	for _, o := range n.Order {
		parts = append(parts, r.columns[o.Column], fmt.Sprint(o.Desc, o.NullsFirst))
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

func describeAsof(n *logical.Asof) string {
	var b strings.Builder
	b.WriteString(n.Kind.String())
	switch {
	case n.Versioned:
		b.WriteString(" with the version at the row's time")
	case n.Forward:
		b.WriteString(" with the first row at or after the row's time")
	default:
		b.WriteString(" with the last row at or before the row's time")
	}
	if n.Strict {
		return shorten(strings.Replace(b.String(), "at or ", "", 1) + asofTerms(n))
	}
	return shorten(b.String() + asofTerms(n))
}

func asofTerms(n *logical.Asof) string {
	var b strings.Builder
	if n.Reach > 0 {
		b.WriteString(", at most " + Duration(n.Reach) + " away")
	}
	writeKeys(&b, n.Keys)
	writeTerms(&b, n.Residual)
	return b.String()
}

func describeJoin(n *logical.Join) string {
	var b strings.Builder
	b.WriteString(n.Kind.String())
	switch n.By {
	case logical.ByWindow:
		b.WriteString(" by window")
	case logical.ByInterval:
		fmt.Fprintf(&b, " within %s to %s", Duration(n.Lower), Duration(n.Upper))
	}
	if n.NullAware {
		b.WriteString(", nulls unknown")
	}
	writeKeys(&b, n.Keys)
	writeTerms(&b, n.Residual)
	if len(n.Keys) == 0 && len(n.Residual) == 0 {
		b.WriteString(" of every pair")
	}
	return shorten(b.String())
}

func writeKeys(b *strings.Builder, keys []logical.JoinKey) {
	for i, k := range keys {
		if i == 0 {
			b.WriteString(" on ")
		} else {
			b.WriteString(" and ")
		}
		op := " = "
		if k.NullSafe {
			op = " is not distinct from "
		}
		b.WriteString(expr.Format(k.Left) + op + expr.Format(k.Right))
	}
}

func writeTerms(b *strings.Builder, terms []*expr.Node) {
	for i, t := range terms {
		if i == 0 {
			b.WriteString(" where ")
		} else {
			b.WriteString(" and ")
		}
		b.WriteString(expr.Format(t))
	}
}

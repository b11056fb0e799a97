// Package physical lays logical plans out as programs: operators, edges and their keys.
//
// What comes in: rewritten logical sinks. What goes out: a graph.Program in topological order. Operator ids come from what
// an operator means (see meaning), never from its place in the text, and two operators that are the same are one. Nothing
// here blocks or keeps state.
package physical

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/logical"
)

// Plan lays out all sinks as one program.
func Plan(sinks []*logical.Sink, text string) *graph.Program {
	p := &planner{
		program:  &graph.Program{SQL: text},
		built:    map[logical.Node][]int{},
		meanings: map[logical.Node]meaning{},
		same:     map[string]int{},
		ids:      map[string]string{},
	}
	for _, s := range sinks {
		p.sink(s)
	}
	return p.program
}

type planner struct {
	program *graph.Program
	// built maps a relation to the nodes whose outputs, put together, are its rows.
	built    map[logical.Node][]int
	meanings map[logical.Node]meaning
	// same finds a node by all that it is.
	same map[string]int
	// ids maps each id given to the digest it was given for.
	ids map[string]string
}

// build lays out a relation.
func (p *planner) build(n logical.Node) []int {
	if out, ok := p.built[n]; ok {
		return out
	}
	var out []int
	switch n := n.(type) {
	case *logical.Scan:
		out = p.scan(n)
	case *logical.Values:
		out = p.values(n)
	case *logical.Series:
		out = p.series(n)
	case *logical.Assign:
		out = p.assign(n)
	case *logical.Unnest:
		out = p.unnest(n)
	case *logical.Lateral:
		out = p.lateral(n)
	case *logical.Watermark:
		out = p.watermark(n)
	case *logical.Filter, *logical.Project:
		out = p.stage(n)
	case *logical.Union:
		for _, in := range n.In {
			out = append(out, p.build(in)...)
		}
	case *logical.Aggregate:
		out = p.aggregate(n)
	case *logical.Join:
		out = p.join(n)
	case *logical.Asof:
		out = p.asof(n)
	case *logical.Lookup:
		out = p.lookup(n)
	case *logical.TopN:
		out = p.topN(n)
	case *logical.Over:
		out = p.over(n)
	default:
		panic(fmt.Sprintf("physical: no operator for %T", n))
	}
	p.built[n] = out
	return out
}

func (p *planner) scan(n *logical.Scan) []int {
	return []int{p.add("source_"+n.Spec.Table, p.meaningOf(n).base, graph.Node{
		Description: n.Description, MaxParallelism: n.MaxParallelism, Spec: n.Spec, Out: n.Schema(), Mode: n.Properties().Mode, Span: n.Span(),
	}, nil)}
}

func (p *planner) watermark(n *logical.Watermark) []int {
	m := p.meaningOf(n.Input)
	what := fmt.Sprint(n.Delay)
	if n.Expr != nil {
		what = exprDigest(n.Expr, m.columns)
	}
	from := p.build(n.Input)
	return []int{p.add("watermark", digest("watermark", m.rows(), what), graph.Node{
		Description: describeWatermark(n), Spec: &graph.WatermarkSpec{Expr: n.Expr, Delay: n.Delay, Idle: n.Idle},
		Out: p.program.Nodes[from[0]].Out, Mode: n.Properties().Mode, Span: n.Span(),
	}, forward(from))}
}

// input is an edge to a node that is being added.
type input struct {
	from int
	kind graph.EdgeKind
	keys []int
	port int
}

func forward(from []int) []input {
	out := make([]input, len(from))
	for i, f := range from {
		out[i] = input{from: f}
	}
	return out
}

// add appends a node with its edges, or finds the one that is the same. what is the digest that the id is made from.
func (p *planner) add(name, what string, n graph.Node, in []input) int {
	in = p.spread(in)
	key := contents(&n, in)
	if i, ok := p.same[key]; ok {
		return i
	}
	n.ID = p.id(name, what)
	at := len(p.program.Nodes)
	p.program.Nodes = append(p.program.Nodes, n)
	for _, e := range in {
		p.program.Edges = append(p.program.Edges, graph.Edge{From: e.from, To: at, Input: e.port, Kind: e.kind, Keys: e.keys})
	}
	p.same[key] = at
	return at
}

// spread gives each of several equal edges a node of its own to come from, so that an edge is known by its ends.
func (p *planner) spread(in []input) []input {
	out := make([]input, 0, len(in))
	seen := map[int]int{}
	for _, e := range in {
		seen[e.from]++
		if k := seen[e.from]; k > 1 {
			from := p.program.Nodes[e.from]
			e.from = p.copyOf(e.from, from, k)
		}
		out = append(out, e)
	}
	return out
}

// copyOf adds a node that passes the rows of another on.
func (p *planner) copyOf(at int, from graph.Node, k int) int {
	n := graph.Node{Description: "once more", Spec: &graph.ProjectSpec{}, Out: from.Out, Mode: from.Mode, Span: from.Span}
	key := fmt.Sprintf("copy %d of %s", k, from.ID)
	if i, ok := p.same[key]; ok {
		return i
	}
	n.ID = p.id("project", digest(key))
	i := len(p.program.Nodes)
	p.program.Nodes = append(p.program.Nodes, n)
	p.program.Edges = append(p.program.Edges, graph.Edge{From: at, To: i})
	p.same[key] = i
	return i
}

// id makes a name with as many digits of the digest as it takes to be the only one. Equal operators that must not be one,
// such as the sinks of two equal SELECTs, are numbered.
func (p *planner) id(name, what string) string {
	name = readable(name)
	for digits := 6; digits <= len(what); digits += 2 {
		id := name + "_" + what[:digits]
		if _, taken := p.ids[id]; !taken {
			p.ids[id] = what
			return id
		}
		if p.ids[id] == what {
			break
		}
	}
	for k := 2; ; k++ {
		id := fmt.Sprintf("%s_%s_%d", name, what[:6], k)
		if _, taken := p.ids[id]; !taken {
			p.ids[id] = what
			return id
		}
	}
}

// readable makes a name fit for ids: lower-case letters, digits and underscores, not too long.
func readable(name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		if b.Len() >= 40 {
			break
		}
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			b.WriteRune(r)
		} else {
			b.WriteByte('_')
		}
	}
	return b.String()
}

// sink lays out a sink and everything above it.
func (p *planner) sink(s *logical.Sink) {
	var from []int
	parts := append([]string{"sink", strings.ToLower(s.Spec.Table), s.Spec.Connector}, options(s.Spec.Options)...)
	for _, in := range s.In {
		for _, f := range p.build(in) {
			from = append(from, p.named(f, s.Schema()))
		}
		if s.Anonymous {
			m := p.meaningOf(in)
			parts = append(append(parts, m.rows()), m.columns...)
		}
	}
	n := graph.Node{Description: s.Description, MaxParallelism: s.MaxParallelism, Spec: s.Spec, Mode: s.Properties().Mode, Span: s.Span()}
	in := p.spread(forward(from))
	n.ID = p.id("sink_"+s.Spec.Table, digest(parts...))
	at := len(p.program.Nodes)
	p.program.Nodes = append(p.program.Nodes, n)
	for _, e := range in {
		p.program.Edges = append(p.program.Edges, graph.Edge{From: e.from, To: at})
	}
}

// named makes sure that rows arrive at a sink under the sink's names.
func (p *planner) named(from int, schema *arrow.Schema) int {
	have := p.program.Nodes[from].Out
	fields := schema.Fields()
	if sameNames(fields, have.Fields()) {
		return from
	}
	exprs := make([]*expr.Node, len(fields))
	for i, f := range have.Fields() {
		exprs[i] = expr.NewColumn(i, f)
	}
	for i := range fields {
		fields[i].Nullable = have.Field(i).Nullable
	}
	up := p.program.Nodes[from]
	return p.project(&graph.ProjectSpec{Exprs: exprs}, arrow.NewSchema(fields, nil), up.Mode, up.Span, []int{from})
}

// project adds a ProjectSpec; its id comes from its contents, since it has no state.
func (p *planner) project(spec *graph.ProjectSpec, out *arrow.Schema, mode graph.Mode, span fault.Span, from []int) int {
	n := graph.Node{Description: describeProject(spec, out), Spec: spec, Out: out, Mode: mode, Span: span}
	in := forward(from)
	parts := []string{"project", projectText(spec)}
	for _, f := range from {
		parts = append(parts, p.program.Nodes[f].ID)
	}
	return p.add("project", digest(parts...), n, in)
}

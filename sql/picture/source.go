package picture

import (
	"encoding/json"
	"fmt"
	"strings"

	"wadi/dataflow/graph"
)

// Mermaid gives the program as the source of a mermaid flow chart.
func Mermaid(p *graph.Program) string { return (&drawing{program: p}).mermaid() }

func (d *drawing) mermaid() string {
	var b strings.Builder
	p := d.program
	b.WriteString("flowchart TD\n")
	for i := range p.Nodes {
		n := &p.Nodes[i]
		open, end := shape(n.Spec)
		fmt.Fprintf(&b, "  n%d%s\"%s\"%s\n", i, open, mermaidText(d.title(i)+"\n"+details(n)), end)
	}
	for _, e := range p.Edges {
		arrow := "-->"
		if e.Kind == graph.Shuffle {
			arrow = "==>"
		}
		fmt.Fprintf(&b, "  n%d %s|\"%s\"| n%d\n", e.From, arrow, mermaidText(d.label(e)), e.To)
	}
	return b.String()
}

// shape gives the brackets of a mermaid node: round ends for the outside world, a drum for state.
func shape(s graph.Spec) (string, string) {
	switch s.(type) {
	case *graph.SourceSpec, *graph.ValuesSpec, *graph.SeriesSpec, *graph.SinkSpec:
		return "([", "])"
	case *graph.WindowAggregateSpec, *graph.SessionAggregateSpec, *graph.UpdatingAggregateSpec,
		*graph.JoinSpec, *graph.WindowJoinSpec, *graph.IntervalJoinSpec, *graph.AsofJoinSpec, *graph.TopNSpec, *graph.OverSpec:
		return "[(", ")]"
	}
	return "[", "]"
}

func (d *drawing) title(i int) string {
	n := &d.program.Nodes[i]
	title := Kind(n.Spec) + " " + n.ID
	if d.full {
		title += " [state: " + State(d.program, i) + "]"
	}
	return title
}

// label is what flows along an edge, in full.
func (d *drawing) label(e graph.Edge) string {
	from := &d.program.Nodes[e.From]
	parts := append(d.port(e), from.Mode.String())
	if e.Kind == graph.Shuffle {
		parts = append(parts, "shuffle by "+names(from.Out, e.Keys))
	}
	parts = append(parts, d.row(e.From))
	if d.full && len(d.keys[e.From]) > 0 {
		parts = append(parts, "key "+names(from.Out, d.keys[e.From]))
	}
	return strings.Join(parts, " ")
}

func mermaidText(s string) string {
	return strings.NewReplacer("&", "&amp;", `"`, "&quot;", "<", "&lt;", ">", "&gt;", "\n", "<br/>").Replace(s)
}

// Dot gives the program as the source of a Graphviz picture.
func Dot(p *graph.Program) string { return (&drawing{program: p}).dot() }

func (d *drawing) dot() string {
	var b strings.Builder
	p := d.program
	b.WriteString("digraph plan {\n  rankdir=TB;\n  node [shape=box, fontname=\"sans-serif\"];\n  edge [fontname=\"sans-serif\", fontsize=10];\n")
	for i := range p.Nodes {
		n := &p.Nodes[i]
		style := ""
		switch n.Spec.(type) {
		case *graph.SourceSpec, *graph.ValuesSpec, *graph.SeriesSpec, *graph.SinkSpec:
			style = ", shape=oval"
		case *graph.WindowAggregateSpec, *graph.SessionAggregateSpec, *graph.UpdatingAggregateSpec,
			*graph.JoinSpec, *graph.WindowJoinSpec, *graph.IntervalJoinSpec, *graph.AsofJoinSpec, *graph.TopNSpec, *graph.OverSpec:
			style = ", shape=cylinder"
		}
		fmt.Fprintf(&b, "  n%d [label=%s%s];\n", i, dotText(d.title(i)+"\n"+details(n)), style)
	}
	for _, e := range p.Edges {
		style := ""
		if e.Kind == graph.Shuffle {
			style = ", style=bold"
		}
		fmt.Fprintf(&b, "  n%d -> n%d [label=%s%s];\n", e.From, e.To, dotText(d.label(e)), style)
	}
	b.WriteString("}\n")
	return b.String()
}

func dotText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s) + `"`
}

// Graph is a program in the shape of the REST API.
type Graph struct {
	Nodes []GraphNode `json:"nodes"`
	Edges []GraphEdge `json:"edges"`
}

// GraphNode is an operator. NodeID is its index in the program; Operator is the connector of a source or sink, and the
// operator's id for all others.
type GraphNode struct {
	NodeID      int    `json:"node_id"`
	Operator    string `json:"operator"`
	Description string `json:"description"`
	Parallelism int    `json:"parallelism"`
}

// GraphEdge leads from one operator to another; EdgeType is "Forward" or "Shuffle".
type GraphEdge struct {
	SrcID     int    `json:"src_id"`
	DestID    int    `json:"dest_id"`
	KeyType   string `json:"key_type"`
	ValueType string `json:"value_type"`
	EdgeType  string `json:"edge_type"`
}

// API gives the program in the shape of the REST API, for a job of this parallelism.
func API(p *graph.Program, parallelism int) Graph {
	g := Graph{Nodes: []GraphNode{}, Edges: []GraphEdge{}}
	subtasks := p.Subtasks(parallelism)
	for i := range p.Nodes {
		n := &p.Nodes[i]
		node := GraphNode{NodeID: i, Operator: n.ID, Description: n.Description, Parallelism: subtasks[i]}
		switch s := n.Spec.(type) {
		case *graph.SourceSpec:
			node.Operator = s.Connector
		case *graph.SinkSpec:
			node.Operator = s.Connector
		}
		if node.Description == "" {
			node.Description = Kind(n.Spec)
		}
		g.Nodes = append(g.Nodes, node)
	}
	for _, e := range p.Edges {
		kind := "Forward"
		if e.Kind == graph.Shuffle {
			kind = "Shuffle"
		}
		g.Edges = append(g.Edges, GraphEdge{SrcID: e.From, DestID: e.To, KeyType: "()", ValueType: "()", EdgeType: kind})
	}
	return g
}

// JSON gives the program as indented JSON in the shape of the REST API, for a job of this parallelism.
func JSON(p *graph.Program, parallelism int) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(API(p, parallelism)); err != nil {
		panic("picture: " + err.Error())
	}
	return b.String()
}

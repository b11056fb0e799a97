package controller

import (
	"slices"

	"wadi/dataflow/graph"
)

// PreviewConnector is the connector whose rows go to the API.
const PreviewConnector = "preview"

// Preview gives the program of a preview: its sinks are replaced by preview sinks, or, if they are to be kept, get one
// beside them. p is not modified.
func Preview(p *graph.Program, keepSinks bool) *graph.Program {
	out := &graph.Program{SQL: p.SQL, Nodes: slices.Clone(p.Nodes), Edges: slices.Clone(p.Edges)}
	for i := range p.Nodes {
		sink, ok := p.Nodes[i].Spec.(*graph.SinkSpec)
		if !ok || sink.Connector == PreviewConnector {
			continue
		}
		n := p.Nodes[i]
		n.Spec = &graph.SinkSpec{Table: sink.Table, Connector: PreviewConnector, Schema: sink.Schema, PrimaryKey: sink.PrimaryKey}
		n.ID, n.Description, n.MaxParallelism = n.ID+"-preview", PreviewConnector, 1
		if !keepSinks {
			out.Nodes[i] = n
			continue
		}
		out.Nodes = append(out.Nodes, n)
		for _, e := range p.In(i) {
			e.To = len(out.Nodes) - 1
			out.Edges = append(out.Edges, e)
		}
	}
	return out
}

package graph_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/graph"
)

func TestInputOfSeveralEdges(t *testing.T) {
	row := func(nullable bool) *arrow.Schema {
		return arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: nullable}}, nil)
	}
	p := &graph.Program{
		Nodes: []graph.Node{{Out: row(false)}, {Out: row(true), Mode: graph.Updating}, {}},
		Edges: []graph.Edge{{From: 0, To: 2}, {From: 1, To: 2}, {From: 0, To: 2, Input: 1}},
	}
	if s, m := p.Input(2, 0); !s.Field(0).Nullable || m != graph.Updating {
		t.Errorf("the input of both has the schema %s and is %s", s, m)
	}
	if s, m := p.Input(2, 1); s.Field(0).Nullable || m != graph.Append {
		t.Errorf("the input of one has the schema %s and is %s", s, m)
	}
	if s, _ := p.Input(2, 2); s != nil {
		t.Errorf("a port without an edge has the schema %s", s)
	}
}

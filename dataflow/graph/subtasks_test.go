package graph_test

import (
	"reflect"
	"testing"

	"wadi/dataflow/graph"
)

func window(width, slide int64) *graph.WindowAggregateSpec {
	return &graph.WindowAggregateSpec{Window: graph.Window{Kind: graph.Hop, Width: width, Slide: slide}}
}

func TestSubtasks(t *testing.T) {
	p := &graph.Program{
		Nodes: []graph.Node{
			{ID: "all", Spec: &graph.SourceSpec{}},
			{ID: "one", Spec: &graph.SourceSpec{}, MaxParallelism: 1},
			{ID: "map", Spec: &graph.ProjectSpec{}},
			{ID: "union", Spec: &graph.ProjectSpec{}},
			{ID: "window", Spec: window(10, 10)},
			{ID: "sink", Spec: &graph.SinkSpec{}, MaxParallelism: 2},
		},
		Edges: []graph.Edge{{From: 1, To: 2}, {From: 0, To: 3}, {From: 2, To: 3}, {From: 3, To: 4, Kind: graph.Shuffle}, {From: 4, To: 5}},
	}
	for job, want := range map[int][]int{1: {1, 1, 1, 1, 1, 1}, 4: {4, 1, 1, 4, 4, 2}} {
		if got := p.Subtasks(job); !reflect.DeepEqual(got, want) {
			t.Errorf("parallelism %d gives %v, want %v", job, got, want)
		}
	}
}

func TestWatermarkGranularity(t *testing.T) {
	p := &graph.Program{
		Nodes: []graph.Node{
			{Spec: &graph.WatermarkSpec{}}, {Spec: &graph.ProjectSpec{}}, {Spec: window(60, 60)}, {Spec: window(50, 20)}, {Spec: &graph.SinkSpec{}},
		},
		Edges: []graph.Edge{{From: 0, To: 1}, {From: 1, To: 2}, {From: 1, To: 3}, {From: 2, To: 4}, {From: 3, To: 4}},
	}
	if g := p.WatermarkGranularity(0); g != 10 {
		t.Errorf("granularity %d, want 10", g)
	}
	if g := p.WatermarkGranularity(2); g != 0 {
		t.Errorf("granularity below the window is %d, want 0", g)
	}
	p.Nodes[4].Spec = &graph.TopNSpec{PerTime: true} // looks at the times that the windows make
	if g := p.WatermarkGranularity(0); g != 10 {
		t.Errorf("granularity above windows and a ranking of theirs is %d, want 10", g)
	}
	if g := p.WatermarkGranularity(2); g != 1 {
		t.Errorf("granularity above a ranking per event time is %d, want 1", g)
	}
	p.Nodes[4].Spec = &graph.OverSpec{}
	if g := p.WatermarkGranularity(0); g != 1 {
		t.Errorf("granularity above functions by event time is %d, want 1", g)
	}
	p.Nodes[2].Spec = &graph.SessionAggregateSpec{Gap: 60}
	if g := p.WatermarkGranularity(0); g != 1 {
		t.Errorf("granularity above a session is %d, want 1", g)
	}
	p.Nodes[2].Spec = &graph.IntervalJoinSpec{Upper: 60}
	if g := p.WatermarkGranularity(0); g != 1 {
		t.Errorf("granularity above an interval join is %d, want 1", g)
	}
}

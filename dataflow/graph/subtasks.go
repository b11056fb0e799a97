package graph

// MaxParallelism is the largest parallelism that a job may have; a shuffle has as many queues as its square.
const MaxParallelism = 1024

// Subtasks gives the number of subtasks of every node when the job runs with this parallelism. It is the one place that
// decides it: a node has the job's parallelism, bounded by its MaxParallelism; a node that only has Forward inputs of
// one common parallelism stays at that, so that a stream which one subtask reads keeps its order up to the next shuffle.
func (p *Program) Subtasks(parallelism int) []int {
	out := make([]int, len(p.Nodes))
	for i := range p.Nodes {
		n := parallelism
		if k := p.forwardParallelism(i, out); k > 0 {
			n = k
		}
		if m := p.Nodes[i].MaxParallelism; m > 0 && m < n {
			n = m
		}
		out[i] = n
	}
	return out
}

// forwardParallelism is the parallelism that all inputs of node i share if all of them are Forward edges; else 0.
func (p *Program) forwardParallelism(i int, subtasks []int) int {
	k := 0
	for _, e := range p.Edges {
		if e.To != i {
			continue
		}
		from := subtasks[e.From]
		if e.Kind != Forward || (k != 0 && k != from) {
			return 0
		}
		k = from
	}
	return k
}

// Parallelism is the number of subtasks of node i when the job runs with this parallelism.
func (p *Program) Parallelism(i, job int) int { return p.Subtasks(job)[i] }

// In lists the edges that lead to node i, in the order of Edges.
func (p *Program) In(i int) []Edge {
	var in []Edge
	for _, e := range p.Edges {
		if e.To == i {
			in = append(in, e)
		}
	}
	return in
}

// WatermarkGranularity tells how finely the operators below node i look at watermarks: every window boundary is a
// multiple of it, so watermarks that differ by less are the same to them. 0 means that nobody below looks at all.
func (p *Program) WatermarkGranularity(i int) int64 {
	var g int64
	waits := false // for watermarks at times that operators above it make
	reached := make([]bool, len(p.Nodes))
	reached[i] = true
	for _, e := range p.Edges {
		if !reached[e.From] {
			continue
		}
		reached[e.To] = true
		switch s := p.Nodes[e.To].Spec.(type) {
		case *WindowAggregateSpec:
			g = gcd(g, s.Window.Grain())
		case *AssignSpec:
			g = gcd(g, s.Window.Grain())
		case *SessionAggregateSpec:
			g = 1 // sessions end anywhere
		case *TopNSpec:
			waits = waits || s.PerTime
		case *OverSpec:
			if waits = waits || s.PerTime; !s.PerTime && !s.Updating {
				g = 1
			}
		case *IntervalJoinSpec, *AsofJoinSpec:
			g = 1 // rows are late by their own time
		}
	}
	if g == 0 && waits {
		return 1
	}
	return g
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

package run

import (
	"context"
	"strings"
	"time"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/connector/preview"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql"
	"wadi/worker/engine"
	"wadi/worker/operators"
)

// registries are the connectors, functions and aggregates that this process has, for planning and for running.
type registries struct {
	connectors *connector.Registry
	functions  *expr.Functions
	aggregates *agg.Functions
}

func newRegistries() registries {
	return registries{builtin.Registry(), expr.Builtin(), agg.Builtin()}
}

// constructor makes the operators of a worker; the rows of its previews go to the receiver.
func (r registries) constructor(p preview.Receiver) engine.Constructor {
	return operators.Library{Connectors: builtin.RegistryWithPreview(p), Functions: r.functions, Aggregates: r.aggregates}
}

// options are what texts are compiled with; sink takes the rows of bare SELECTs.
func (s *session) options(r registries, sink string) sql.Options {
	return sql.Options{
		DefaultSink: sink, UpdateAggregateFlushInterval: s.config.Pipeline.UpdateAggregateFlush, UpdatingTTL: 24 * time.Hour,
		Connectors: r.connectors, Functions: r.functions, Aggregates: r.aggregates,
	}
}

// plan compiles a query to run or to draw. A script that only explains is over then: the error is exit code 0.
func (s *session) plan(ctx context.Context, r registries, q query, stateDir string) (*graph.Program, error) {
	plan, err := s.compile(ctx, r, q, stateDir)
	if err != nil {
		return nil, err
	}
	if len(plan.Program.Nodes) == 0 {
		return nil, exitCode(exitOK)
	}
	return plan.Program, nil
}

// warn shows a fault that stops nothing.
func (s *session) warn(f *fault.Error, q query) {
	text := fault.Render(f, q.name, q.text)
	s.print(strings.Replace(text, "error:", "warning:", 1))
}

// stdinSource is the node that reads rows from standard input; nil if none does.
func stdinSource(p *graph.Program) *graph.Node {
	for i := range p.Nodes {
		if spec, ok := p.Nodes[i].Spec.(*graph.SourceSpec); ok && spec.Connector == "stdin" {
			return &p.Nodes[i]
		}
	}
	return nil
}

// notStdinTwice refuses a query that came over standard input and wants to read its rows there, too.
func notStdinTwice(p *graph.Program, q query) error {
	n := stdinSource(p)
	if n == nil || q.name != fromStdin {
		return nil
	}
	err := fault.Userf(fault.CodeInvalid, n.Span, "table %s reads its rows from standard input, which the query came from", n.Spec.(*graph.SourceSpec).Table).
		WithHint("put the query into a file: … | wadi run query.sql")
	return located{err, q}
}

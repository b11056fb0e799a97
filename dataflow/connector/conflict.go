package connector

import (
	"path/filepath"

	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// CodeSharedOutput is the code of the fault for a program that writes something which it also reads, or writes twice.
const CodeSharedOutput fault.Code = "shared-output"

// CheckOutputs refuses a program in which a sink writes what another sink writes or a source or lookup reads, as far as options
// tell (Declaration.Exclusive). Every node has to be a connector's that the registry knows.
func (r *Registry) CheckOutputs(p *graph.Program) error {
	type place struct{ connector, value string }
	written := map[place]int{}
	for i := range p.Nodes {
		s, ok := p.Nodes[i].Spec.(*graph.SinkSpec)
		if !ok {
			continue
		}
		value, ok := r.exclusive(s.Connector, s.Options)
		if !ok {
			continue
		}
		at := place{s.Connector, value}
		if k, twice := written[at]; twice {
			first := p.Nodes[k].Spec.(*graph.SinkSpec)
			return sharedOutput(&p.Nodes[i], "table %q writes what %s writes too: %s", s.Table, named(first.Table, s.Table), value)
		}
		written[at] = i
	}
	for i := range p.Nodes {
		s, ok := p.Nodes[i].Spec.(*graph.SourceSpec)
		if l, asks := p.Nodes[i].Spec.(*graph.LookupJoinSpec); asks {
			s, ok = &l.Table, true
		}
		if !ok {
			continue
		}
		if value, ok := r.exclusive(s.Connector, s.Options); ok {
			if k, both := written[place{s.Connector, value}]; both {
				sink := p.Nodes[k].Spec.(*graph.SinkSpec)
				return sharedOutput(&p.Nodes[k], "table %q writes what table %q reads: %s", sink.Table, s.Table, value)
			}
		}
	}
	return nil
}

// named tells whether two sinks are those of one table.
func named(table, other string) string {
	if table == other {
		return "another INSERT into it"
	}
	return "table \"" + table + "\""
}

func sharedOutput(n *graph.Node, format string, args ...any) error {
	return fault.Userf(CodeSharedOutput, n.Span, format, args...).WithHint("give every sink an output of its own; several queries for one are joined by UNION ALL")
}

func (r *Registry) exclusive(name string, options map[string]string) (string, bool) {
	d, ok := r.Lookup(name)
	if !ok || d.Exclusive == "" || options[d.Exclusive] == "" {
		return "", false
	}
	return filepath.Clean(options[d.Exclusive]), true
}

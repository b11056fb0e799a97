package connector_test

import (
	"strings"
	"testing"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

func TestOutputsAreNotShared(t *testing.T) {
	r := connector.NewRegistry(&connector.Declaration{Name: "file", Exclusive: "path"}, &connector.Declaration{Name: "queue"})
	source := func(name, table, path string) graph.Node {
		return graph.Node{Spec: &graph.SourceSpec{Connector: name, Table: table, Options: map[string]string{"path": path}}}
	}
	sink := func(name, table, path string) graph.Node {
		return graph.Node{Spec: &graph.SinkSpec{Connector: name, Table: table, Options: map[string]string{"path": path}}, Span: fault.Span{Start: 1, End: 2}}
	}
	for _, c := range []struct {
		nodes []graph.Node
		want  string
	}{
		{[]graph.Node{source("file", "a", "in"), source("file", "b", "in"), sink("file", "c", "out")}, ""},
		{[]graph.Node{source("file", "a", "x"), sink("file", "b", "./x")}, `table "b" writes what table "a" reads`},
		{[]graph.Node{{Spec: &graph.LookupJoinSpec{Table: *source("file", "a", "x").Spec.(*graph.SourceSpec)}}, sink("file", "b", "./x")}, `table "b" writes what table "a" reads`},
		{[]graph.Node{sink("file", "a", "d/../x"), sink("file", "b", "x")}, `table "b" writes what table "a" writes too`},
		{[]graph.Node{sink("file", "a", "x"), sink("file", "a", "x")}, `table "a" writes what another INSERT into it writes too`},
		{[]graph.Node{source("queue", "a", "x"), sink("queue", "b", "x"), sink("queue", "c", "x")}, ""},
		{[]graph.Node{sink("file", "a", ""), sink("file", "b", "")}, ""},
		{[]graph.Node{sink("queue", "a", "x"), sink("file", "b", "x")}, ""},
	} {
		err := r.CheckOutputs(&graph.Program{Nodes: c.nodes})
		if c.want == "" {
			if err != nil {
				t.Errorf("got %v", err)
			}
			continue
		}
		if f := fault.As(err); err == nil || f.Kind != fault.User || f.Span.IsZero() || !strings.HasPrefix(f.Message, c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func FuzzCoerce(f *testing.F) {
	for _, s := range []string{"", "1", "-1", "1e6", "1e999999", "64mb", "1 hour 3 minutes", "yes", "a,b", "NaN", "0x10", "9223372036854775808"} {
		f.Add(s)
	}
	d := declaration()
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []connector.RawKind{connector.RawString, connector.RawNumber, connector.RawIdent, connector.RawBool} {
			for _, o := range []string{"wait", "offset", "count", "rate", "buffer", "every", "key", "topics"} {
				raw := map[string]connector.Raw{"path": str("p"), o: {Kind: kind, Text: text}}
				got, err := d.Resolve(connector.Source, raw)
				if err != nil {
					if fault.As(err).Kind != fault.User {
						t.Fatalf("%s: %v", o, err)
					}
					continue
				}
				if o == "every" {
					continue
				}
				raw[o] = str(got[o])
				if again, err := d.Resolve(connector.Source, raw); err != nil || again[o] != got[o] {
					t.Fatalf("%s: %q resolves to %q and that to %q, %v", o, text, got[o], again[o], err)
				}
			}
		}
	})
}

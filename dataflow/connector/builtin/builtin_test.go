package builtin_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

func TestDeclarationsAreComplete(t *testing.T) {
	r := builtin.Registry()
	if !sort.StringsAreSorted(r.Names()) {
		t.Errorf("names out of order: %v", r.Names())
	}
	for _, n := range r.Names() {
		d, _ := r.Lookup(n)
		if d.Doc == "" || !strings.HasSuffix(d.Doc, ".") && !strings.HasSuffix(d.Doc, ".)") || strings.Contains(d.Doc, "\n") {
			t.Errorf("%s: doc %q is not a line", n, d.Doc)
		}
		if (d.NewSource != nil) != (d.Uses&connector.Source != 0) || (d.NewSink != nil) != (d.Uses&connector.Sink != 0) {
			t.Errorf("%s: the uses %s do not agree with the constructors", n, d.Uses)
		}
		if !json.Valid([]byte(d.TableSchemaJSON())) {
			t.Errorf("%s: bad schema %s", n, d.TableSchemaJSON())
		}
		for _, o := range d.Options {
			if o.Doc == "" || o.Required && o.Default != "" {
				t.Errorf("%s: option %s is not well declared", n, o.Name)
			}
			if o.Default != "" {
				for _, u := range []connector.Use{connector.Source, connector.Sink} {
					if d.Uses&u == 0 || o.For != 0 && o.For&u == 0 {
						continue
					}
					raw := map[string]connector.Raw{o.Name: connector.StringValue(o.Default)}
					if _, err := d.Resolve(u, raw); err != nil && strings.Contains(err.Error(), o.Name) {
						t.Errorf("%s: the default of %s is refused: %v", n, o.Name, err)
					}
				}
			}
		}
		if d.Description(map[string]string{"path": "p", "event_rate": "1"}) == "" {
			t.Errorf("%s: no description", n)
		}
	}
}

func schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		{Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
}

func source(t *testing.T, name string, h *connectortest.Host, spec *graph.SourceSpec) operator.Source {
	t.Helper()
	d, _ := builtin.Registry().Lookup(name)
	s, err := d.NewSource(connector.SourceConfig{Spec: spec, Env: h.Env, NewDecoder: func() (format.Decoder, error) {
		return format.NewDecoder(spec)
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func sink(t *testing.T, name string, h *connectortest.Host, spec *graph.SinkSpec, in *arrow.Schema, mode graph.Mode) operator.Operator {
	t.Helper()
	d, _ := builtin.Registry().Lookup(name)
	s, err := d.NewSink(connector.SinkConfig{Spec: spec, In: in, InMode: mode, Env: h.Env, NewEncoder: func() (format.Encoder, error) {
		return format.NewEncoder(spec.Format, in, mode, spec.PrimaryKey)
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// pass lets every batch of a source into a sink until the source ends.
func pass(t *testing.T, from operator.Source, to operator.Operator, h *connectortest.Host) {
	t.Helper()
	out := &connectortest.Emitter{OnEmit: func(b *column.Batch) error { return to.Process(0, b, nil) }}
	for deadline := 0; deadline < 100_000; deadline++ {
		st, err := from.Read(context.Background(), out)
		if err != nil {
			t.Fatal(err)
		}
		switch st {
		case operator.Done:
			return
		case operator.Waiting:
			select {
			case <-h.Wakes:
			case <-time.After(10 * time.Second):
				t.Fatal("nothing woke the source")
			}
			h.Clock.Advance(time.Second)
		}
	}
	t.Fatal("no end")
}

const lines = `{"id":1,"name":"a"}` + "\n" + `{"id":2,"name":null}` + "\n" + `{"id":3,"name":"a rather long name, not inline"}` + "\n"

func TestJSONThroughFilesAndStreams(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.json"), filepath.Join(dir, "out.json")
	if err := os.WriteFile(in, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	jsonFormat := graph.FormatSpec{Name: "json"}
	for _, batch := range []int{1, 2, 8192} {
		h := connectortest.NewHost(t, 0, 1, batch)
		to := sink(t, "single_file", h, &graph.SinkSpec{Options: map[string]string{"path": out}, Format: jsonFormat}, schema(), graph.Append)
		pass(t, source(t, "single_file", h, &graph.SourceSpec{Options: map[string]string{"path": in}, Format: jsonFormat, Schema: schema()}), to, h)
		if err := to.Close(); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.ReadFile(out); string(got) != lines {
			t.Errorf("files, batches of %d: got %s", batch, got)
		}
		var stdout bytes.Buffer
		h.Env.IO.Stdin, h.Env.IO.Stdout = strings.NewReader(lines), &stdout
		pass(t, source(t, "stdin", h, &graph.SourceSpec{Format: jsonFormat, Schema: schema()}),
			sink(t, "stdout", h, &graph.SinkSpec{Format: jsonFormat}, schema(), graph.Append), h)
		if stdout.String() != lines {
			t.Errorf("streams, batches of %d: got %s", batch, stdout.String())
		}
	}
}

func TestBadJSONNamesFileLineAndColumn(t *testing.T) {
	for text, want := range map[string]fault.Record{
		`{"id":1}` + "\n" + `{"id":"x y","name":"a"}` + "\n": {Line: 2, Column: "id"},
		`{"id":1}` + "\n" + `{"name":"a"}` + "\n":            {Line: 2, Column: "id"},
		`{"id":1}` + "\n\n" + `{"id":2}`:                     {Line: 2},
		`{"id":1}` + "\n" + `{"id":2,"name":"a`:              {Line: 2},
		`{"id":1}` + "\n" + `{"id":2,"name":"a` + "\x00\"}":  {Line: 2},
		`{"id":99999999999999999999}`:                        {Line: 1, Column: "id"},
	} {
		path := filepath.Join(t.TempDir(), "in.json")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		spec := &graph.SourceSpec{Options: map[string]string{"path": path}, Format: graph.FormatSpec{Name: "json"}, Schema: schema()}
		_, err := source(t, "single_file", connectortest.NewHost(t, 0, 1, 10), spec).Read(context.Background(), &connectortest.Emitter{})
		f := fault.As(err)
		if err == nil || f.Kind != fault.Data || f.Record.Source != path || f.Record.Line != want.Line || want.Column != "" && f.Record.Column != want.Column {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestNexmarkPrintsAsJSON(t *testing.T) {
	d, _ := builtin.Registry().Lookup("nexmark")
	h := connectortest.NewHost(t, 0, 1, 100)
	var stdout bytes.Buffer
	h.Env.IO.Stdout = &stdout
	spec := &graph.SourceSpec{Options: map[string]string{"event_rate": "1000", "message_count": "150", "paced": "false"}, Schema: d.Schema}
	pass(t, source(t, "nexmark", h, spec), sink(t, "stdout", h, &graph.SinkSpec{Format: graph.FormatSpec{Name: "json"}}, d.Schema, graph.Append), h)
	counts := map[string]int{}
	for line := range strings.Lines(stdout.String()) {
		var row map[string]map[string]any
		if err := json.Unmarshal([]byte(line), &row); err != nil {
			t.Fatalf("%v in %s", err, line)
		}
		for k, v := range row {
			if v != nil {
				counts[k]++
			}
		}
	}
	if counts["person"] != 3 || counts["auction"] != 9 || counts["bid"] != 138 {
		t.Errorf("got %v", counts)
	}
}

func TestBlackholeTakesAnything(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 100)
	s := sink(t, "blackhole", h, &graph.SinkSpec{}, connectortest.TextSchema, graph.Updating)
	if err := s.Process(0, connectortest.Texts("a"), nil); err != nil {
		t.Error(err)
	}
	st := connectortest.NewState()
	if err := s.Snapshot(st); err != nil || s.Finish(nil) != nil || s.Close() != nil {
		t.Error("a blackhole failed")
	}
}

package stdout_test

import (
	"bytes"
	"os"
	"testing"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/connector/stdout"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/operator"
)

// writes remembers each Write call.
type writes struct{ calls []string }

func (w *writes) Write(p []byte) (int, error) {
	w.calls = append(w.calls, string(p))
	return len(p), nil
}

func open(t *testing.T, h *connectortest.Host) operator.Operator {
	t.Helper()
	s, err := stdout.Declaration().NewSink(connector.SinkConfig{Env: h.Env, NewEncoder: func() (format.Encoder, error) { return connectortest.Plain{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOneWriteOfWholeLinesPerBatch(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 10)
	w := &writes{}
	h.Env.IO.Stdout = w
	s := open(t, h)
	for _, b := range []*column.Batch{connectortest.Texts("a", "b"), connectortest.Texts(), connectortest.Texts("c")} {
		if err := s.Process(0, b, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.calls) != 2 || w.calls[0] != "a\nb\n" || w.calls[1] != "c\n" {
		t.Errorf("got writes %q", w.calls)
	}
	if n := h.Env.Metrics.BytesOut.Load(); n != 6 {
		t.Errorf("counted %d bytes", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func TestSelectionIsRespected(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 10)
	var out bytes.Buffer
	h.Env.IO.Stdout = &out
	b := *connectortest.Texts("a", "b", "c")
	b.Sel = []int32{1}
	if err := open(t, h).Process(0, &b, nil); err != nil || out.String() != "b\n" {
		t.Errorf("got %q, %v", out.String(), err)
	}
}

func TestReaderThatWentAwayIsAUserFault(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 10)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	h.Env.IO.Stdout = w
	err = open(t, h).Process(0, connectortest.Texts("a"), nil)
	if f := fault.As(err); f.Kind != fault.User || f.Code != stdout.CodeOutputClosed || f.Hint == "" {
		t.Errorf("got %#v", err)
	}
}

func TestNoStandardOutput(t *testing.T) {
	h := connectortest.NewHost(t, 0, 1, 10)
	if _, err := stdout.Declaration().NewSink(connector.SinkConfig{Env: h.Env}); fault.As(err).Kind != fault.User {
		t.Errorf("got %v", err)
	}
}

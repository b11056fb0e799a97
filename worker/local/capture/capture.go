// Package capture runs programs for tests and keeps what they write.
//
// In come a program and a way to run it (parallelism, batch size, a crash in the middle), out come the lines that its
// capture sinks wrote, encoded by their format. Everything runs on the caller's goroutine and on a virtual clock, with
// the tasks polled in an order drawn from a seed, so that a run can be repeated. Nothing here blocks.
package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"wadi/dataflow/agg"
	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/builtin"
	"wadi/dataflow/expr"
	"wadi/dataflow/format"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
	"wadi/worker/operators"
)

// Name is the connector of sinks that keep their lines.
const Name = "capture"

// Library gives the connectors there are and one more, Name, a sink whose lines are part of its state. When it finishes
// it appends them to *lines.
func Library(lines *[]string) operators.Library {
	registry := builtin.Registry()
	var decls []*connector.Declaration
	for _, n := range registry.Names() {
		d, _ := registry.Lookup(n)
		decls = append(decls, d)
	}
	decls = append(decls, &connector.Declaration{
		Name: Name, Doc: "keeps rows for a test", Uses: connector.Sink, Formats: true, MaxParallelism: 1,
		NewSink: func(sc connector.SinkConfig) (operator.Operator, error) { return newSink(sc, lines) },
	})
	return operators.Library{Connectors: connector.NewRegistry(decls...), Functions: expr.Builtin(), Aggregates: agg.Builtin()}
}

// sink is that sink.
type sink struct {
	encoder format.Encoder
	lines   []byte
	out     *[]string
}

func newSink(c connector.SinkConfig, out *[]string) (operator.Operator, error) {
	e, err := c.NewEncoder()
	if err != nil {
		return nil, err
	}
	k := &sink{encoder: e, out: out}
	if c.Env.Restore == nil {
		return k, nil
	}
	return k, c.Env.Restore.Global("rows", func(_, v []byte) error {
		k.lines = append(k.lines, v...)
		return nil
	})
}

func (k *sink) Process(_ int, b *column.Batch, _ operator.Emitter) (err error) {
	k.lines, err = k.encoder.Encode(k.lines, b)
	return err
}

func (k *sink) Watermark(int64, operator.Emitter) error { return nil }
func (k *sink) Close() error                            { return nil }

func (k *sink) Snapshot(w state.Writer) error {
	w.Global("rows", []byte("rows"), bytes.Clone(k.lines))
	return nil
}

func (k *sink) Finish(operator.Emitter) error {
	for l := range strings.SplitSeq(strings.TrimSuffix(string(k.lines), "\n"), "\n") {
		if l != "" {
			*k.out = append(*k.out, l)
		}
	}
	return nil
}

// Materialise sorts lines; the events of a changelog become the rows that they leave. A row that was taken back more
// often than it was there gives a line that says so.
func Materialise(lines []string) []string {
	left := map[string]int{}
	var rows []string
	for _, l := range lines {
		var e struct {
			Before, After json.RawMessage
			Op            string
		}
		if !strings.HasPrefix(l, `{"before":`) || json.Unmarshal([]byte(l), &e) != nil || e.Op == "" {
			rows = append(rows, l)
			continue
		}
		if len(e.Before) > 0 && string(e.Before) != "null" {
			left[string(e.Before)]--
		}
		if len(e.After) > 0 && string(e.After) != "null" {
			left[string(e.After)]++
		}
	}
	for row, n := range left {
		for range n {
			rows = append(rows, row)
		}
		if n < 0 {
			rows = append(rows, fmt.Sprintf("taken back %d times too often: %s", -n, row))
		}
	}
	sort.Strings(rows)
	return rows
}

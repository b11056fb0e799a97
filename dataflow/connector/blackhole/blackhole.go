// Package blackhole is the sink that drops its rows.
//
// Batches come in, nothing goes out, nothing is kept and nothing blocks.
package blackhole

import (
	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// Declaration declares the connector.
func Declaration() *connector.Declaration {
	return &connector.Declaration{
		Name: "blackhole", Doc: "Drops all rows; for tests and benchmarks.", Uses: connector.Sink,
		NewSink: func(connector.SinkConfig) (operator.Operator, error) { return sink{}, nil },
	}
}

type sink struct{}

func (sink) Process(int, *column.Batch, operator.Emitter) error { return nil }
func (sink) Watermark(int64, operator.Emitter) error            { return nil }
func (sink) Snapshot(state.Writer) error                        { return nil }
func (sink) Finish(operator.Emitter) error                      { return nil }
func (sink) Close() error                                       { return nil }

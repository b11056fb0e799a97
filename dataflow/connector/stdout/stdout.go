// Package stdout is the sink that writes rows as lines to the process's standard output.
//
// Batches come in, whole lines go to Env.IO.Stdout, in one Write per batch, so that the lines of several subtasks do not
// tear. Nothing is held back between batches. The Write blocks while the reader of the output is slow, which is how
// backpressure reaches the sources. It is not transactional: after a crash, rows since the last checkpoint come again.
package stdout

import (
	"errors"
	"os"
	"syscall"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// CodeOutputClosed is the code of the fault for an output that nobody reads any more.
const CodeOutputClosed fault.Code = "output-closed"

// Declaration declares the connector.
func Declaration() *connector.Declaration {
	return &connector.Declaration{
		Name: "stdout", Doc: "Writes rows as lines to standard output.", Uses: connector.Sink, Formats: true,
		NewSink: newSink,
	}
}

type sink struct {
	env     operator.Env
	encoder format.Encoder
	buf     []byte
}

// maxKept bounds the buffer that is kept for the next batch, in bytes.
const maxKept = 4 << 20

func newSink(c connector.SinkConfig) (operator.Operator, error) {
	if c.Env.IO.Stdout == nil {
		return nil, fault.Userf(fault.CodeUnsupported, fault.Span{}, "this process has no standard output for rows").
			WithHint("write to a file (connector = 'single_file') or to a message system instead")
	}
	e, err := c.NewEncoder()
	if err != nil {
		return nil, err
	}
	return &sink{env: c.Env, encoder: e}, nil
}

// Process implements operator.Operator.
func (s *sink) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	var err error
	if s.buf, err = s.encoder.Encode(s.buf[:0], b); err != nil {
		return err
	}
	if len(s.buf) == 0 {
		return nil
	}
	n, err := s.env.IO.Stdout.Write(s.buf)
	s.env.Metrics.BytesOut.Add(int64(n))
	if cap(s.buf) > maxKept {
		s.buf = nil
	}
	return explain(err)
}

// explain turns an error of the output into a fault. None is retried: an output that cannot be rewound may hold a part of
// what failed, and a restart would write it again. A reader that went away (`wadi run … | head`) is the user's choice.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE), errors.Is(err, os.ErrClosed):
		return fault.Userf(CodeOutputClosed, fault.Span{}, "standard output was closed by its reader").
			WithHint("run again with the same state directory to go on from the last checkpoint")
	case errors.Is(err, syscall.ENOSPC):
		return fault.Userf(fault.CodeIO, fault.Span{}, "standard output cannot take more rows").WithCause(err).
			WithHint("free some space on the disk that it is redirected to")
	}
	return fault.Userf(fault.CodeIO, fault.Span{}, "standard output cannot be written").WithCause(err).
		WithHint("check where standard output leads to")
}

// Watermark implements operator.Operator.
func (s *sink) Watermark(int64, operator.Emitter) error { return nil }

// Snapshot implements operator.Operator: there is no state.
func (s *sink) Snapshot(state.Writer) error { return nil }

// Finish implements operator.Operator.
func (s *sink) Finish(operator.Emitter) error { return nil }

// Close implements operator.Operator; the stream belongs to the process.
func (s *sink) Close() error { return nil }

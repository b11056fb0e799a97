// Package preview is the sink behind a query without a sink in the API: it hands its rows to whoever watches.
//
// Batches come in; each goes to a Receiver as a JSON array of rows. The Receiver is given to Declaration by whoever puts
// the process together; it must not block for long, since it holds up the pipeline. State is only the number of rows so
// far, so that a watcher sees the numbering go on after a restart.
package preview

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// Output is a piece of a pipeline's output.
type Output struct {
	JobID, OperatorID string
	Subtask           int
	// Timestamps are the event times of the rows in microseconds since the Unix epoch, one per element of Batch.
	Timestamps []int64
	// StartID is how many rows the subtask gave before these.
	StartID int64
	// Batch is a JSON array of rows as objects, nulls explicit. Rows of an updating query are Debezium events.
	Batch string
	// Done says that nothing follows from this subtask; Batch is then empty: [].
	Done bool
}

// Receiver takes output. It is called from the tasks' goroutines; what it is given is its own.
type Receiver interface {
	Preview(o Output) error
}

// Declaration declares the connector; with a nil receiver, output is made and dropped.
func Declaration(r Receiver) *connector.Declaration {
	return &connector.Declaration{
		Name: "preview", Doc: "Shows rows to whoever watches the pipeline through the API.", Uses: connector.Sink, Hidden: true,
		NewSink: func(c connector.SinkConfig) (operator.Operator, error) { return newSink(c, r) },
	}
}

// Format is the format of a preview's rows, for the planner: preview tables declare none.
func Format(mode graph.Mode) graph.FormatSpec {
	if mode == graph.Updating {
		return graph.FormatSpec{Name: "debezium_json"}
	}
	return graph.FormatSpec{Name: "json"}
}

// table is the global table of row counts: subtask in decimal → a little-endian 64-bit word.
const table = "s"

type sink struct {
	env      operator.Env
	receiver Receiver
	encoder  format.Encoder
	frames   []byte
	rows     int64
	done     bool
}

func newSink(c connector.SinkConfig, r Receiver) (operator.Operator, error) {
	s := &sink{env: c.Env, receiver: r}
	newEncoder := c.NewEncoder
	if c.Spec.Format.Name == "" {
		newEncoder = func() (format.Encoder, error) {
			return format.NewEncoder(Format(c.InMode), c.In, c.InMode, c.Spec.PrimaryKey)
		}
	}
	var err error
	if s.encoder, err = newEncoder(); err != nil {
		return nil, err
	}
	if c.Env.Restore == nil {
		return s, nil
	}
	own := strconv.Itoa(c.Env.Subtask)
	err = c.Env.Restore.Global(table, func(key, value []byte) error {
		if len(value) != 8 {
			return fault.Internalf("preview: the saved state is not readable")
		}
		if string(key) == own {
			s.rows = int64(binary.LittleEndian.Uint64(value))
		}
		return nil
	})
	return s, err
}

// Process implements operator.Operator.
func (s *sink) Process(_ int, b *column.Batch, _ operator.Emitter) error {
	var err error
	if s.frames, err = s.encoder.Encode(s.frames[:0], b); err != nil {
		return err
	}
	records := bytes.Count(s.frames, []byte{'\n'})
	if records == 0 {
		return nil
	}
	o := Output{Timestamps: timestamps(b, records), Batch: array(s.frames)}
	return s.send(o, records)
}

func (s *sink) send(o Output, records int) error {
	o.JobID, o.OperatorID, o.Subtask, o.StartID = s.env.JobID, s.env.OperatorID, s.env.Subtask, s.rows
	s.rows += int64(records)
	s.env.Metrics.BytesOut.Add(int64(len(o.Batch)))
	if s.receiver == nil {
		return nil
	}
	return s.receiver.Preview(o)
}

// array turns frames, one JSON value per line, into a JSON array.
func array(frames []byte) string {
	text := slices.Concat([]byte{'['}, frames)
	for i, c := range text {
		// JSON text on one line has no newline but the one at its end.
		if c == '\n' {
			text[i] = ','
		}
	}
	text[len(text)-1] = ']'
	return string(text)
}

// timestamps gives one event time per record. Events of a changelog may stand for several rows; all of them then get the
// latest time of the batch.
func timestamps(b *column.Batch, records int) []int64 {
	out := make([]int64, 0, records)
	if records == b.Rows() {
		for _, i := range b.Selected(nil) {
			out = append(out, b.Time[i]/1000)
		}
		return out
	}
	latest := int64(0)
	for k, i := range b.Selected(nil) {
		if k == 0 || b.Time[i] > latest {
			latest = b.Time[i]
		}
	}
	for range records {
		out = append(out, latest/1000)
	}
	return out
}

// Watermark implements operator.Operator.
func (s *sink) Watermark(int64, operator.Emitter) error { return nil }

// Snapshot implements operator.Operator.
func (s *sink) Snapshot(w state.Writer) error {
	w.Global(table, strconv.AppendInt(nil, int64(s.env.Subtask), 10), binary.LittleEndian.AppendUint64(nil, uint64(s.rows)))
	return nil
}

// Finish implements operator.Operator.
func (s *sink) Finish(operator.Emitter) error { return s.end() }

// Close implements operator.Operator: watchers are told, however the pipeline ended.
func (s *sink) Close() error { return s.end() }

func (s *sink) end() error {
	if s.done {
		return nil
	}
	s.done = true
	return s.send(Output{Timestamps: []int64{}, Batch: "[]", Done: true}, 0)
}

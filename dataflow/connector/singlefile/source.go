package singlefile

import (
	"context"
	"errors"
	"io"
	"os"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/framing"
	"wadi/dataflow/operator"
	"wadi/dataflow/state"
)

// maxHeld bounds the memory behind the lines of one batch, in bytes; a longer line makes a batch of its own.
const maxHeld = 4 << 20

type source struct {
	env     operator.Env
	path    string
	drop    bool
	decoder format.Decoder
	file    *os.File
	claim   *claim
	lines   *framing.Lines
	// counted is the offset up to which bytes have been counted in the metrics.
	counted int64
	done    bool
}

func newSource(c connector.SourceConfig, open *claims) (operator.Source, error) {
	s := &source{env: c.Env, path: c.Spec.Options["path"], drop: c.Spec.Format.DropBadData}
	if c.Env.Subtask != 0 {
		s.done = true
		return s, nil
	}
	var err error
	if s.decoder, err = c.NewDecoder(); err != nil {
		return nil, err
	}
	if m, ok := s.decoder.(format.MetadataDecoder); ok && c.Spec.Metadata != nil {
		m.SetMetadata(s.fill)
	}
	if err := s.open(int(c.Spec.Format.MaxLength), open); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (s *source) fill(_ int, to column.Appender) { fill(to, s.path, s.lines.Line()) }

// fill appends the metadata of the line being decoded: its number if the column is a BIGINT, else the path.
func fill(to column.Appender, path string, line int64) {
	switch c := to.(type) {
	case *column.Fixed[int64]:
		c.Append(line)
	case *column.Bytes:
		c.AppendString(path)
	default:
		to.AppendNull()
	}
}

// open opens the file at the saved position. A file that has been read to its end is not needed any more.
func (s *source) open(truncate int, open *claims) error {
	p, err := s.saved()
	if err != nil {
		return err
	}
	if s.done = p.done; s.done {
		s.lines = framing.NewLines(nil, framing.Options{Offset: p.offset, Lines: p.lines})
		return nil
	}
	// Opening a pipe would wait for its writer, so the kind is looked at first.
	info, err := os.Stat(s.path)
	if err != nil {
		return explain(err, s.path, "read")
	}
	if err := notRegular(info, s.path); err != nil {
		return err
	}
	if s.file, err = os.Open(s.path); err != nil {
		return explain(err, s.path, "read")
	}
	if s.claim, err = open.take(s.file, s.path, s.env.JobID, false); err != nil {
		return err
	}
	if err := p.verify(s.file, s.path); err != nil {
		return err
	}
	if _, err := s.file.Seek(p.offset, io.SeekStart); err != nil {
		return explain(err, s.path, "read")
	}
	s.counted = p.offset
	s.lines = framing.NewLines(s.file, framing.Options{Source: s.path, Offset: p.offset, Lines: p.lines, Truncate: truncate})
	return nil
}

// saved is the position to start from.
func (s *source) saved() (p position, err error) {
	if s.env.Restore == nil {
		return p, nil
	}
	err = s.env.Restore.Global(table, func(key, value []byte) error {
		if string(key) != s.path {
			return nil
		}
		return p.decode(value)
	})
	return p, err
}

// Read implements operator.Source: it emits one batch, of lines that all have the present time as event time.
func (s *source) Read(ctx context.Context, out operator.Emitter) (operator.Status, error) {
	if s.done {
		return operator.Done, nil
	}
	now := s.env.Clock.Now().UnixNano()
	// A line that alone is longer than the bound has to be read to its end.
	for taken := 0; s.decoder.Rows() < s.env.BatchRows && (taken == 0 || s.lines.Held() < maxHeld); {
		frame, ok := s.lines.Next()
		if ok {
			taken++
			if err := s.decoder.Decode(frame, now); err != nil {
				if err := s.bad(err, s.lines.Line()); err != nil {
					return operator.Ready, err
				}
			}
			continue
		}
		err := s.lines.Fill(ctx)
		if errors.Is(err, io.EOF) {
			return s.finish(out)
		}
		if err := s.readError(ctx, err); err != nil {
			return operator.Ready, err
		}
	}
	return operator.Ready, s.emit(out)
}

// readError sorts out an error of Fill; nil means that reading goes on.
func (s *source) readError(ctx context.Context, err error) error {
	var f *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f) && f.Kind == fault.Data:
		return s.bad(f, f.Record.Line)
	case ctx.Err() != nil && errors.Is(err, ctx.Err()):
		return err
	}
	return explain(err, s.path, "read")
}

// bad applies the table's policy to a record that could not be decoded.
func (s *source) bad(err error, line int64) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	f.Record.Source, f.Record.Line = s.path, line
	if !s.drop || f.Kind != fault.Data {
		return f
	}
	s.env.Metrics.BadRecords.Add(1)
	s.env.Report(f)
	return nil
}

func (s *source) emit(out operator.Emitter) error {
	offset, _ := s.lines.Position()
	s.env.Metrics.BytesIn.Add(offset - s.counted)
	s.counted = offset
	if s.decoder.Rows() > 0 {
		if err := out.Emit(s.decoder.Take()); err != nil {
			return err
		}
	}
	s.lines.Release()
	return nil
}

// finish emits the last batch. A file that is now shorter than what was read of it was cut meanwhile.
func (s *source) finish(out operator.Emitter) (operator.Status, error) {
	if err := s.emit(out); err != nil {
		return operator.Ready, err
	}
	info, err := s.file.Stat()
	if err != nil {
		return operator.Ready, explain(err, s.path, "read")
	}
	if offset, _ := s.lines.Position(); info.Size() < offset {
		return operator.Ready, shortened(s.path, info.Size(), offset)
	}
	s.done = true
	return operator.Done, nil
}

// Snapshot implements operator.Source. It reads a few kilobytes of the file, to know it again.
func (s *source) Snapshot(w state.Writer) error {
	if s.lines == nil {
		return nil
	}
	p := position{done: s.done}
	p.offset, p.lines = s.lines.Position()
	if !s.done {
		if err := p.mark(s.file, s.path); err != nil {
			return err
		}
	}
	w.Global(table, []byte(s.path), p.encode())
	return nil
}

// Close implements operator.Source.
func (s *source) Close() error {
	s.claim.release()
	if s.file != nil {
		s.file.Close()
	}
	return nil
}

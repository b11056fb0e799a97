package stdin

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"syscall"
	"time"

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
	drop    bool
	decoder format.Decoder
	pump    *pump
	lines   *framing.Lines

	// taken is the block that is being cut into lines, rest what is left of it, ended why nothing follows it. fed counts
	// the bytes that went into lines, counted those that the metrics know.
	taken, rest  []byte
	ended        error
	fed, counted int64
	// more says that lines are waiting to be cut, last when rows were last emitted.
	more bool
	last time.Time
	// before is what earlier runs have read; done and clean are part of the state.
	before      position
	done, clean bool
}

func newSource(c connector.SourceConfig) (operator.Source, error) {
	s := &source{env: c.Env, drop: c.Spec.Format.DropBadData, done: c.Env.Subtask != 0}
	if s.done {
		return s, nil
	}
	var err error
	if s.decoder, err = c.NewDecoder(); err != nil {
		return nil, err
	}
	if m, ok := s.decoder.(format.MetadataDecoder); ok && c.Spec.Metadata != nil {
		m.SetMetadata(func(_ int, to column.Appender) { to.(*column.Fixed[int64]).Append(s.lines.Line()) })
	}
	if err := s.restore(); err != nil {
		return nil, err
	}
	s.lines = framing.NewLines((*feeder)(s), framing.Options{Source: name, Truncate: int(c.Spec.Format.MaxLength)})
	if s.done {
		return s, nil
	}
	if c.Env.IO.Stdin == nil {
		return nil, fault.Userf(fault.CodeUnsupported, fault.Span{}, "this process has no standard input for rows").
			WithHint("read from a file (connector = 'single_file') or from a message system instead")
	}
	s.last = c.Env.Clock.Now().Add(-c.Env.Linger)
	wake := c.Env.Wake
	if wake == nil {
		wake = func() {}
	}
	s.pump = startPump(newInput(c.Env.IO.Stdin), wake)
	return s, nil
}

// feeder gives lines the bytes of the block taken. It is only read when there are some, or when nothing follows.
type feeder source

func (f *feeder) Read(p []byte) (int, error) {
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	f.fed += int64(n)
	if len(f.rest) > 0 {
		return n, nil
	}
	if f.taken != nil && f.ended == nil {
		f.pump.free <- f.taken
		f.taken = nil
	}
	return n, f.ended
}

// take makes sure that the feeder has something to give; false means that nothing has been read yet.
func (s *source) take() bool {
	if len(s.rest) > 0 || s.ended != nil {
		return true
	}
	select {
	case b, ok := <-s.pump.full:
		return s.accept(b, ok)
	default:
		return false
	}
}

func (s *source) accept(b block, ok bool) bool {
	if ok {
		s.taken, s.rest, s.ended = b.data[:cap(b.data)], b.data, b.err
	}
	return ok
}

// Read implements operator.Source: it emits at most one batch of lines that have been read. Lines that arrive within the
// linger time of the batch before are left in the buffers until it has passed or the buffers are full.
func (s *source) Read(ctx context.Context, out operator.Emitter) (operator.Status, error) {
	if s.done || s.clean {
		return s.atRest(), nil
	}
	now := s.env.Clock.Now()
	full := len(s.pump.full) == cap(s.pump.full)
	if !s.more && !full && s.ended == nil && now.Sub(s.last) < s.env.Linger {
		return operator.Waiting, nil
	}
	if err := s.batch(ctx, now, out, s.take); err != nil {
		return operator.Ready, err
	}
	switch {
	case s.done:
		return operator.Done, nil
	case s.more:
		return operator.Ready, nil
	}
	return operator.Waiting, nil
}

// atRest is what Read says once it has nothing to do any more: a source that was stopped waits for its end.
func (s *source) atRest() operator.Status {
	if s.done {
		return operator.Done
	}
	return operator.Waiting
}

// batch decodes lines until a batch is full or take has nothing more, and emits them.
func (s *source) batch(ctx context.Context, now time.Time, out operator.Emitter, take func() bool) error {
	s.more = true
	at := now.UnixNano()
	// A line that alone is longer than the bound has to be read to its end.
	for taken := 0; s.decoder.Rows() < s.env.BatchRows && (taken == 0 || s.lines.Held() < maxHeld); {
		frame, ok := s.lines.Next()
		if ok {
			taken++
			if err := s.decoder.Decode(frame, at); err != nil {
				if err := s.bad(err, s.lines.Line()); err != nil {
					return err
				}
			}
			continue
		}
		if !take() {
			s.more = false
			break
		}
		err := s.lines.Fill(ctx)
		if errors.Is(err, io.EOF) {
			s.more, s.done = false, true
			break
		}
		if err := s.readError(ctx, err); err != nil {
			return err
		}
	}
	return s.emit(now, out)
}

func (s *source) emit(now time.Time, out operator.Emitter) error {
	offset, _ := s.lines.Position()
	s.env.Metrics.BytesIn.Add(offset - s.counted)
	s.counted = offset
	if s.decoder.Rows() > 0 {
		s.last = now
		if err := out.Emit(s.decoder.Take()); err != nil {
			return err
		}
	}
	s.lines.Release()
	return nil
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
	case errors.Is(err, syscall.EISDIR):
		return fault.Userf(fault.CodeIO, fault.Span{}, "standard input is a directory").WithHint("redirect it from a file or a pipe")
	case errors.Is(err, syscall.EBADF):
		return fault.Userf(fault.CodeIO, fault.Span{}, "standard input is closed").WithHint("redirect it from a file or a pipe")
	}
	return fault.Transientf(err, "standard input cannot be read").WithHint("check where it comes from")
}

// bad applies the table's policy to a record that could not be decoded.
func (s *source) bad(err error, line int64) error {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err
	}
	f.Record.Source, f.Record.Line = name, line
	if !s.drop || f.Kind != fault.Data {
		return f
	}
	s.env.Metrics.BadRecords.Add(1)
	s.env.Report(f)
	return nil
}

// Stop implements operator.Stopper: it reads no more and emits every complete line that has been read.
func (s *source) Stop(ctx context.Context, out operator.Emitter) error {
	if s.done || s.clean {
		return nil
	}
	s.pump.halt()
	take := s.take
	if s.pump.interruptible {
		// What the goroutine has in its hands is waited for: it ends at once.
		take = func() bool {
			if len(s.rest) > 0 || s.ended != nil {
				return true
			}
			b, ok := <-s.pump.full
			return s.accept(b, ok)
		}
	}
	s.more = true
	for s.more {
		if err := s.batch(ctx, s.env.Clock.Now(), out, take); err != nil {
			return err
		}
	}
	s.clean = true
	if offset, lines := s.lines.Position(); !s.done && s.fed > offset {
		s.env.Report(&fault.Error{Kind: fault.Data, Code: CodePartialLine, Record: fault.Record{Source: name, Line: lines + 1},
			Message: partialLine(s.fed - offset), Hint: "pipe that line again from its start"})
	}
	return nil
}

// position is how much has been read, and how the reading ended.
type position struct {
	lines, bytes int64
	done, clean  bool
}

// table is the global table with the one entry "stdin": three little-endian 64-bit words.
const table = "i"

// Snapshot implements operator.Source.
func (s *source) Snapshot(w state.Writer) error {
	if s.lines == nil {
		return nil
	}
	offset, lines := s.lines.Position()
	flags := uint64(0)
	if s.done {
		flags |= 1
	}
	if s.clean {
		flags |= 2
	}
	value := binary.LittleEndian.AppendUint64(nil, uint64(s.before.lines+lines))
	value = binary.LittleEndian.AppendUint64(value, uint64(s.before.bytes+offset))
	w.Global(table, []byte(name), binary.LittleEndian.AppendUint64(value, flags))
	return nil
}

// restore takes over what earlier runs have read, and reports what of it is lost.
func (s *source) restore() error {
	if s.env.Restore == nil {
		return nil
	}
	found := false
	err := s.env.Restore.Global(table, func(_, value []byte) error {
		if len(value) != 3*8 {
			return fault.Internalf("stdin: the saved state is not readable")
		}
		word := func(i int) uint64 { return binary.LittleEndian.Uint64(value[8*i:]) }
		s.before = position{lines: int64(word(0)), bytes: int64(word(1)), done: word(2)&1 != 0, clean: word(2)&2 != 0}
		found = true
		return nil
	})
	if err != nil || !found {
		return err
	}
	s.done = s.before.done
	if !s.done {
		s.env.Report(s.before.notice())
	}
	return nil
}

// Close implements operator.Source.
func (s *source) Close() error {
	if s.pump != nil {
		s.pump.close()
	}
	return nil
}

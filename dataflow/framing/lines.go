// Package framing splits bytes into frames, one record each, and lets columns keep values where their frames are.
//
// What comes in: a stream (Lines) or a message (Split). What goes out: frames without their newline, which are slices of
// the reader's buffers. Lines owns those buffers: frames stay valid until Release. Only Fill may block, in the reader
// that it was given. A Lines belongs to one goroutine. Decoders fill columns of text out of frames by Memory, and rows of one
// value per frame by Values.
package framing

import (
	"bytes"
	"context"
	"errors"
	"io"

	"wadi/dataflow/fault"
)

// Options say how a stream is cut into lines. The zero value is ready for use.
type Options struct {
	// Source names the stream in faults: a path or "stdin".
	Source string
	// Offset and Lines are the position that the stream starts at: bytes and lines before it.
	Offset, Lines int64
	// BufferSize is how much is read at once, in bytes; 0 is DefaultBufferSize.
	BufferSize int
	// MaxLength is the longest line that is taken, in bytes without the newline; longer ones are refused. 0 is
	// DefaultMaxLength.
	MaxLength int
	// Truncate cuts longer lines to this many bytes and forgets the rest of the line (framing.newline.max_length). 0 is
	// never.
	Truncate int
	// KeepCR leaves a carriage return before the newline in the frame.
	KeepCR bool
}

// The defaults of Options.
const (
	DefaultBufferSize = 256 << 10
	DefaultMaxLength  = 64 << 20
)

// CodeLineTooLong is the code of the fault for a refused line.
const CodeLineTooLong fault.Code = "line-too-long"

// Lines cuts a stream into lines. The loop of its user is: Next until there is no frame, then Fill until io.EOF; Release
// whenever all frames handed out have been used up, and in any case before Held grows beyond what the user wants to keep
// in memory.
type Lines struct {
	r    io.Reader
	o    Options
	free [][]byte
	// used are buffers that frames handed out may lie in, besides buf.
	used [][]byte
	buf  []byte
	// buf[start:] has not been handed out; buf[start:searched] holds no newline.
	start, searched int
	// lent says that frames handed out lie in buf.
	lent bool
	held int

	offset, lines int64
	// dropped counts the bytes of the current line that have been read and thrown away.
	dropped int64
	// tooLong is set when the current line must be refused, dropping while what is left of it is skipped.
	tooLong, dropping bool
	ended             bool
	unterminated      bool
}

// NewLines makes a reader of lines from r.
func NewLines(r io.Reader, o Options) *Lines {
	if o.BufferSize <= 0 {
		o.BufferSize = DefaultBufferSize
	}
	if o.MaxLength <= 0 {
		o.MaxLength = DefaultMaxLength
	}
	o.Truncate = min(o.Truncate, o.MaxLength)
	return &Lines{r: r, o: o, offset: o.Offset, lines: o.Lines}
}

// Position is where the stream stands after the last frame handed out: bytes from its beginning, and lines.
func (l *Lines) Position() (offset, lines int64) { return l.offset, l.lines }

// Line is the number of the line handed out last, counted from 1.
func (l *Lines) Line() int64 { return l.lines }

// Held is the memory in bytes behind frames that have not been released.
func (l *Lines) Held() int { return l.held + len(l.buf) }

// Release says that no frame handed out is used any more, nor a batch with text columns that point into frames: a source
// calls it after it has emitted the batch that its decoder made of them.
func (l *Lines) Release() {
	for _, b := range l.used {
		l.keep(b)
	}
	l.used = l.used[:0]
	l.held = 0
	l.lent = false
}

// keep saves a buffer for reuse unless one line made it huge.
func (l *Lines) keep(b []byte) {
	if cap(b) > 0 && cap(b) <= 2*l.o.BufferSize {
		l.free = append(l.free, b[:0])
	}
}

// Unterminated reports whether the line handed out last was not followed by a newline, because the stream ended there.
func (l *Lines) Unterminated() bool { return l.unterminated }

// Next hands out the next line that has been read; ok is false when Fill has to read more. The last line of a stream
// that does not end in a newline is handed out once the end has been seen.
func (l *Lines) Next() (frame []byte, ok bool) {
	for {
		i := bytes.IndexByte(l.buf[l.searched:], '\n')
		if i < 0 {
			l.searched = len(l.buf)
			if !l.ended || (l.start == len(l.buf) && l.dropped == 0) {
				return nil, false
			}
			i = 0
		}
		end := l.searched + i
		if end-l.start > l.o.MaxLength && l.o.Truncate == 0 && !l.dropping {
			l.tooLong = true
			return nil, false
		}
		line := l.buf[l.start:end]
		l.unterminated = end == len(l.buf)
		l.start = end
		if !l.unterminated {
			l.start++
		}
		l.searched = l.start
		l.offset += l.dropped + int64(l.start-end+len(line))
		l.dropped = 0
		l.lines++
		if !l.dropping {
			return l.trim(line), true
		}
		l.dropping = false
	}
}

// byteOrderMark is what some editors put in front of UTF-8 text; it is not part of the first line.
var byteOrderMark = []byte("\xef\xbb\xbf")

func (l *Lines) trim(line []byte) []byte {
	l.lent = true
	if l.lines == 1 {
		line = bytes.TrimPrefix(line, byteOrderMark)
	}
	if n := len(line); !l.o.KeepCR && n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if l.o.Truncate > 0 && len(line) > l.o.Truncate {
		line = line[:l.o.Truncate]
	}
	return line
}

// Fill reads more; it may block in the reader. Call it when Next has no frame. It gives io.EOF at the end of the stream,
// and once for each line that is too long a data fault, after which the rest of that line is skipped without being kept.
// Any other error is the reader's.
func (l *Lines) Fill(ctx context.Context) error {
	if l.tooLong {
		return l.refuse()
	}
	if bytes.IndexByte(l.buf[l.searched:], '\n') >= 0 {
		return nil
	}
	l.searched = len(l.buf)
	if l.ended {
		return io.EOF
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := l.bound(); err != nil {
		return err
	}
	l.makeRoom()
	return l.read()
}

// bound keeps an unfinished line from growing without end.
func (l *Lines) bound() error {
	pending := len(l.buf) - l.start
	keep := pending
	switch {
	case l.dropping:
		keep = 0
	case l.o.Truncate > 0:
		keep = min(pending, l.o.Truncate)
	case pending > l.o.MaxLength:
		return l.refuse()
	}
	l.dropped += int64(pending - keep)
	l.buf = l.buf[:l.start+keep]
	l.searched = len(l.buf)
	return nil
}

func (l *Lines) refuse() error {
	l.tooLong, l.dropping = false, true
	e := fault.Dataf("", "the line is longer than %d bytes", l.o.MaxLength).
		WithHint("check that records are separated by newlines, or set bad_data = 'drop' to skip such lines")
	e.Code = CodeLineTooLong
	e.Record.Source, e.Record.Line = l.o.Source, l.lines+1
	return e
}

// minRead is the least room worth a read.
const minRead = 4 << 10

// makeRoom leaves free capacity behind buf: at its end if there is enough, by moving the unfinished line to the front if
// no frame lies there, else in another buffer.
func (l *Lines) makeRoom() {
	pending := len(l.buf) - l.start
	if !l.lent && l.start > 0 {
		copy(l.buf, l.buf[l.start:])
		l.buf, l.start, l.searched = l.buf[:pending], 0, pending
	}
	if cap(l.buf)-len(l.buf) >= min(minRead, l.o.BufferSize) {
		return
	}
	next := l.buffer(2 * pending)
	next = append(next, l.buf[l.start:]...)
	if l.lent {
		l.used = append(l.used, l.buf)
		l.held += len(l.buf)
		l.lent = false
	} else {
		l.keep(l.buf)
	}
	l.buf, l.start, l.searched = next, 0, pending
}

// buffer gives an empty buffer of at least this size.
func (l *Lines) buffer(size int) []byte {
	if n := len(l.free); n > 0 && cap(l.free[n-1]) >= size {
		b := l.free[n-1]
		l.free = l.free[:n-1]
		return b
	}
	return make([]byte, 0, max(size, l.o.BufferSize))
}

func (l *Lines) read() error {
	const tries = 100
	for range tries {
		n, err := l.r.Read(l.buf[len(l.buf):cap(l.buf)])
		l.buf = l.buf[:len(l.buf)+n]
		switch {
		case errors.Is(err, io.EOF):
			l.ended = true
			if len(l.buf) == l.start && l.dropped == 0 {
				return io.EOF
			}
			return nil
		case err != nil:
			return err
		case n > 0:
			return nil
		}
	}
	return io.ErrNoProgress
}

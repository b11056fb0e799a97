package stdin

import (
	"errors"
	"io"
	"os"
	"time"
)

// errInterrupted is what a read gives that was interrupted before there was anything to read.
var errInterrupted = errors.New("interrupted")

// input is a reader that blocks.
type input interface {
	io.Reader
	// interrupt makes a Read that waits, and every later one, return errInterrupted. It gives false if that is impossible.
	interrupt() bool
	// release frees what the input has taken for itself, after the last Read.
	release()
}

// deadliner is what os.File and net.Conn have.
type deadliner interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// newInput finds out how r can be interrupted.
func newInput(r io.Reader) input {
	if d, ok := r.(deadliner); ok && d.SetReadDeadline(time.Time{}) == nil {
		return deadlineInput{d}
	}
	if f, ok := r.(*os.File); ok {
		if in, ok := newPollInput(f); ok {
			return in
		}
	}
	return plainInput{r}
}

// deadlineInput is interrupted by a deadline that has passed.
type deadlineInput struct{ r deadliner }

func (d deadlineInput) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errInterrupted
	}
	return n, err
}

func (d deadlineInput) interrupt() bool { return d.r.SetReadDeadline(time.Unix(1, 0)) == nil }

func (d deadlineInput) release() {
	// Whoever uses the stream next finds it as it was; a stream that is closed by now has no deadline to take back.
	_ = d.r.SetReadDeadline(time.Time{})
}

// plainInput cannot be interrupted.
type plainInput struct{ io.Reader }

func (plainInput) interrupt() bool { return false }

func (plainInput) release() {}

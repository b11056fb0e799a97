//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package stdin

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// pollInput waits with poll(2) for the file or for the end of a pipe of its own, which is how an ordinary blocking file
// descriptor is read without being stuck in it.
type pollInput struct {
	f          *os.File
	wake, hang *os.File
}

func newPollInput(f *os.File) (input, bool) {
	wake, hang, err := os.Pipe()
	if err != nil {
		return nil, false
	}
	return &pollInput{f: f, wake: wake, hang: hang}, true
}

func (p *pollInput) Read(b []byte) (int, error) {
	for {
		fds := []unix.PollFd{
			{Fd: int32(p.f.Fd()), Events: unix.POLLIN},
			{Fd: int32(p.wake.Fd()), Events: unix.POLLIN},
		}
		if _, err := unix.Poll(fds, -1); err != nil {
			if errors.Is(err, unix.EINTR) {
				continue
			}
			return 0, err
		}
		if fds[1].Revents != 0 {
			return 0, errInterrupted
		}
		n, err := p.f.Read(b)
		// Another process may have made the descriptor, which it shares with us, non-blocking.
		if n <= 0 && errors.Is(err, unix.EAGAIN) {
			continue
		}
		return n, err
	}
}

func (p *pollInput) interrupt() bool { return p.hang.Close() == nil }

func (p *pollInput) release() {
	p.wake.Close()
	p.hang.Close()
}

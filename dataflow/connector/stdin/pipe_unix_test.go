//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package stdin_test

import (
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// blockingPipe is a pipe as a shell hands it over: its reads block and have no deadline.
func blockingPipe(t *testing.T) (io.Reader, io.WriteCloser) {
	var fds [2]int
	if err := unix.Pipe(fds[:]); err != nil {
		t.Fatal(err)
	}
	r, w := os.NewFile(uintptr(fds[0]), "in"), os.NewFile(uintptr(fds[1]), "out")
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

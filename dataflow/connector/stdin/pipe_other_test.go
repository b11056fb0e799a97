//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package stdin_test

import (
	"io"
	"os"
	"testing"
)

func blockingPipe(t *testing.T) (io.Reader, io.WriteCloser) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

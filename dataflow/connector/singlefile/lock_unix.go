//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package singlefile

import (
	"errors"
	"os"
	"syscall"
)

// lock takes the file for this sink alone until it is closed, also against other processes. ok is false when somebody
// else has it. File systems without locks give it to everybody.
func lock(f *os.File) (ok bool) {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	return !errors.Is(err, syscall.EWOULDBLOCK)
}

package run_test

import (
	"os/exec"
	"syscall"
)

// maxRSS is the most memory that a process had, in KiB.
func maxRSS(c *exec.Cmd) int64 {
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		return u.Maxrss
	}
	return 0
}

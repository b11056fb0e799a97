//go:build !linux

package run_test

import "os/exec"

// maxRSS is not known here: systems count in units of their own.
func maxRSS(*exec.Cmd) int64 { return 0 }

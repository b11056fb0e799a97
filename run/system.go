package run

import (
	"os"
	"os/signal"
	"syscall"
)

// System is this process as the operating system started it. It takes SIGINT and SIGTERM over, and lets a reader of the
// output that goes away be an error of the write, reported like others, rather than the end of the process.
func System() Process {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	signal.Ignore(syscall.SIGPIPE)
	return Process{Args: os.Args, Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals}
}

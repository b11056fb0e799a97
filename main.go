// Command wadi is a streaming SQL engine in one binary.
package main

import (
	"os"
	"os/signal"
	"syscall"

	"wadi/run"
)

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	// A reader of the output that goes away is an error of the write, which is reported like others.
	signal.Ignore(syscall.SIGPIPE)
	os.Exit(run.Main(run.Process{
		Args: os.Args, Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
	}))
}

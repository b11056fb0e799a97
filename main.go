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
	os.Exit(run.Main(run.Process{
		Args: os.Args, Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
	}))
}

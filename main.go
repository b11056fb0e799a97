// Command wadi is a streaming SQL engine in one binary.
package main

import (
	"os"

	"wadi/run"
)

func main() { os.Exit(run.Main(run.System())) }

// Package stdin is the source that reads records from the process's standard input, one per line.
//
// Bytes come from Env.IO.Stdin, rows go out. A goroutine reads ahead into a few buffers, because reading blocks; Read
// takes lines from them and never blocks, except in the emitter. The goroutine belongs to the source: Close ends it and
// waits for it, if the input can be interrupted (files and pipes on Unix, whatever has SetReadDeadline). Any other reader
// cannot be; its goroutine is then left behind, ends with the read that it is in, and what that read takes is lost.
//
// Standard input cannot be read twice. A clean stop (operator.Stopper) emits every complete line that was taken, so
// nothing is lost, and reports a last line that was cut off. After a crash, what had been read since the last checkpoint
// is gone. Either way the source says so when it is restored, by reporting a fault with the code CodeResumed, which a
// command line should show to its user.
package stdin

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
)

// Codes of the faults that this package reports.
const (
	// CodeResumed is reported, with kind User, when a source is restored; the message says what is lost, if anything.
	CodeResumed fault.Code = "stdin-resumed"
	// CodePartialLine is reported, with kind Data, when a clean stop cuts off a line.
	CodePartialLine fault.Code = "stdin-partial-line"
)

// name is what errors call the input.
const name = "stdin"

// Declaration declares the connector.
func Declaration() *connector.Declaration {
	return &connector.Declaration{
		Name: "stdin", Doc: "Reads records from standard input, one per line (an addition to Arroyo's connectors).", Uses: connector.Source,
		Formats: true, MaxParallelism: 1,
		Metadata:  []connector.MetadataColumn{{Key: "line", Type: arrow.PrimitiveTypes.Int64, Doc: "number of the line, from 1"}},
		NewSource: newSource,
	}
}

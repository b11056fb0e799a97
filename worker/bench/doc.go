// Package bench measures whole pipelines, from SQL text to a blackhole, in a local runner with checkpoints on.
//
//	go test ./worker/bench -bench .                      one figure per pipeline
//	go test ./worker/bench -run TestTable -table -v      the table of docs/benchmarks.md
//
// A checkpoint is taken ten times a second.
//
// A figure is events per second per core: one subtask per operator, one processor.
package bench

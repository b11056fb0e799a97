// Package bench measures whole pipelines, from SQL text to a blackhole, in a local runner with checkpoints on.
//
//	go test ./worker/bench -bench Pipelines              one figure per pipeline
//	go test ./worker/bench -run TestTable -table -v      the first table of docs/benchmarks.md, against the design
//	go test ./worker/bench -run TestBeside -beside -v    the second, beside DuckDB; -shapes picks some by name
//
// The pipelines take a checkpoint ten times a second, the shapes every ten seconds. A figure is of one core: one subtask per
// operator, one processor.
package bench

// Package generate runs random scripts (see sql/sqlgen) and checks what has to be true of all of them: what is refused is
// refused under a caret and with a hint, what is planned survives its way over the wire, ends well or with a fault of the
// data, never as unsupported or with a panic, and gives the same rows however it runs. It consists of tests.
//
// A short run is part of go test; "task generate" goes on for hours and says which seed failed, with which the test is run
// again: go test ./worker/generate -generate.seed N -generate.seeds 1.
package generate

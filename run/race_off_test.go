//go:build !race

package run_test

// racing says that the race detector is on, which takes memory of its own.
const racing = false

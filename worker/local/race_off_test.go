//go:build !race

package local_test

// racing says that the race detector is on, which makes everything many times slower.
const racing = false

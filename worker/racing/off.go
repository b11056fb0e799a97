//go:build !race

// Package racing tells tests whether the race detector is on, which makes everything many times slower and takes memory of
// its own.
package racing

// On says that it is.
const On = false

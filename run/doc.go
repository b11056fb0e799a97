// Package run is the command line and the composition root: the only place that knows every part of Wadi.
//
// In come arguments, environment, standard streams and signals as a Process; out go rows on standard output, everything
// else on standard error, and an exit code that tells the outcome: 0 finished or stopped cleanly, 1 failed or bad input,
// 2 a misspelt command line, 128 second signal, 129 the drain took longer than 60 seconds.
package run

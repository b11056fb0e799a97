// Package automaton finds the matches of regular expressions in time that is linear in the text, without an allocation.
//
// In come a regular expression that package regexp has compiled and texts; out come the bounds of matches, the same as
// that package gives: the leftmost match, and of those the one that it would find by trying alternatives in order. A
// match is found by an automaton that reads the text once and whose states are sets of places in the expression, made
// when they are first reached (K. Thompson, "Regular Expression Search Algorithm", 1968; R. Cox, "Regular Expression
// Matching in the Wild", 2010). It gives the end of a match; a second one, for the reversed expression, walks back to its
// start. What stands in groups inside of a match is not known here.
//
// Texts are borrowed for the call. A Regexp belongs to one goroutine. Its memory is bounded: automata with too many
// states start afresh, and if that happens again and again package regexp does the work. Nothing blocks.
package automaton

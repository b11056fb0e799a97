// Package sqlgen makes random scripts whose parts fit together: tables of all types with rows, and queries over them that use
// whatever the dialect has. It is for tests.
//
// What comes in: the functions, aggregates and connectors that there are, and a seed. What goes out: a script and the files
// that it reads; the same seed gives the same. The functions are not listed here but learnt from their declarations (see
// Library), so that a new one is generated from the day it is declared. Not every script is one that can be planned: which
// types an expression takes is known, but not every rule of every clause, and what is refused is worth testing too. Nothing
// here blocks or keeps state beyond a Library, which is read-only once made.
package sqlgen

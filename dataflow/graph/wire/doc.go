// Package wire turns a planned program into protobuf and back.
//
// What comes in is a graph.Program, what goes out are bytes that are the same for equal programs, in every process and
// release that writes the same format version; Hash of a program is therefore stable too. Decode takes bytes from anywhere:
// it validates what it reads and never panics. Nothing here blocks, and nothing is shared with the arguments.
package wire

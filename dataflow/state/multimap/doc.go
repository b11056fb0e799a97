// Package multimap keeps the rows of one input of a join, many per key.
//
// Rows lie in chunks of up to 8,192; a row's id is its chunk and its place there. What is read of a row when it is found
// is one line of the cache: its place in a list, its event time, a count of matches, which is the caller's, the bucket of
// time in which it was last touched, and the values of the key and of other columns of up to 8 bytes, as far as there is
// room. Other columns lie beside it, and in a distinct map the number of equal rows that it stands for.
//
// A hash index leads from the hash of a key to the newest of the rows that have it, and every row to the next older one.
// Rows of different keys share a list if the low halves of their hashes are equal, so whoever probes compares the keys of
// the pairs it gets, a column at a time (Same). The way back, which only removals need, is found when the first row of a
// list is removed, so that a new row does not touch the older one.
//
// Chunks belong to one bucket of time each, so that what has expired is dropped by whole chunks; rows of an expired
// bucket that were touched since move on. Apart from the values of nested types nothing here has pointers per row.
//
// Snapshots are incremental. A row has a sequence number that is unique among the rows of its routing hash and stays
// with it; a checkpoint holds new rows whole, those whose counts have changed without their columns, and deleted ones by
// number. The memory of vectors that come in is borrowed for the call. A Map belongs to one goroutine. Nothing blocks.
package multimap

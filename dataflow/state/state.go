// Package state holds what operators remember, and the form in which it goes to disk and comes back.
//
// Global tables are small maps of bytes that every subtask reads whole on a restore: offsets, positions. Keyed tables
// are rows with a key hash, written by the subtask that owns the hash and read back by whichever subtask owns it after
// a restart with any parallelism. Writers take over the memory that they are given; encoding and upload happen after
// Snapshot has returned, on other goroutines.
package state

import "wadi/dataflow/column"

// Writer takes one subtask's state at a barrier. Its methods only collect; they do no I/O.
type Writer interface {
	// Epoch is the number of the checkpoint.
	Epoch() uint64
	// Global puts an entry of a global table. Every entry is written at every checkpoint; nothing is inherited from
	// earlier ones. Keys of different subtasks must differ, for example by starting with the subtask's index or the name
	// of the partition.
	Global(table string, key, value []byte)
	// Keyed adds rows to a keyed table. The chunk belongs to the writer afterwards. base says that the rows of this
	// checkpoint are all there is for this subtask and replace everything before; all chunks of one table and checkpoint
	// have the same base flag. Without any call the table keeps what it had.
	Keyed(table string, base bool, c *Chunk)
	// Expire drops files of a keyed table that only have rows with a Time below t. It is a permission: rows below t may
	// still come back on restore.
	Expire(table string, t int64)
	// Commit records what a two-phase sink has to commit once the checkpoint is durable.
	Commit(data []byte)
}

// Reader gives the restored state to one subtask.
type Reader interface {
	// Watermark is the watermark of the operator at the checkpoint; ok is false if it had none.
	Watermark() (w int64, ok bool)
	// Global calls f for every entry of the table, of all old subtasks.
	Global(table string, f func(key, value []byte) error) error
	// Keyed calls f with chunks that together hold every row whose hash lies in r, oldest files first, so that a later row
	// replaces an earlier one with the same key. Chunks are lent until f returns. Rows outside r are left out.
	Keyed(table string, r column.KeyRange, f func(c *Chunk) error) error
}

// Chunk is a set of rows of a keyed table in columns. All slices have one length. How a table uses Words and Bytes is
// its own business; by convention keys come first.
type Chunk struct {
	// Hash is the routing hash of each row's key.
	Hash []uint64
	// Time is an event time per row (a pane's start, a row's time); 0 where the table has none.
	Time []int64
	// Words are columns of 64-bit words, Bytes columns of byte strings without nulls.
	Words [][]int64
	Bytes []*column.Bytes
	// Deleted marks rows that take back an earlier row with the same key; nil if there are none.
	Deleted []bool
}

// Rows is the number of rows.
func (c *Chunk) Rows() int { return len(c.Hash) }

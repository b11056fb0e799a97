package state

// Incremental decides, checkpoint by checkpoint, whether a keyed table writes what has changed or everything. It writes
// everything the first time, which after a restore also releases the files of the run before, and whenever the deltas
// since the last base hold more rows than the table does.
type Incremental struct {
	started bool
	written int
}

// Base reports whether the next checkpoint is to be a base, given the number of rows there are and the number that a
// delta would hold.
func (x *Incremental) Base(rows, dirty int) bool {
	if !x.started || x.written+dirty > 2*rows+1024 {
		x.started = true
		x.written = 0
		return true
	}
	x.written += dirty
	return false
}

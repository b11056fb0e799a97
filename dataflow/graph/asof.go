package graph

// AsofJoinSpec puts beside each left row the one right row of its key that is nearest in event time: the latest at or
// before it. The left input is an append stream; so is the output, whose columns are those of the left input (0) and then
// those of the right one (1). A left row is answered once, when the watermark has passed what may be nearer; its event time
// is the later of the two rows'. Left rows behind the watermark are late and dropped; right ones count for the left rows that
// are not answered yet.
type AsofJoinSpec struct {
	// JoinOn is of kind InnerJoin or LeftJoin, and not NullAware. Residual, which cannot be together with Forward, has to be
	// true of the pair that was found, else the left row has no match.
	JoinOn
	// Forward looks for the earliest right row at or after the left one instead.
	Forward bool
	// Strict leaves out right rows of the left row's own event time.
	Strict bool
	// Reach is how far away, ns, a right row may be; 0 is no bound. With a bound the watermark clears all state, without one
	// the newest right row of each key stays, or looking forward the left rows that have found none.
	Reach int64
	// Order says which of the right rows of one key and event time counts: the first. Rows that are equal by it are told
	// apart by their whole value. With Latest, the last to come counts, and Order is empty.
	Order  []Order
	Latest bool
	// Versioned says that the right rows of a key are the versions of one row of a table: a temporal join. If they come as a
	// changelog, which has to be Latest, retractions are passed over, but for those with a value in the column Ended: from
	// that time on, or if that is later their event time, the key has no row.
	Versioned bool
	// Ended is a TIMESTAMP column of the right input, −1 for none.
	Ended int
	// TTL is for how long after it, ns of event time, an end is remembered, so that versions from before it that come late
	// are not valid after it; 0 is for good.
	TTL int64
}

func (*AsofJoinSpec) spec() {}

package operator

import (
	"io"
	"sync/atomic"
)

// Metrics are counters of one operator at one subtask, updated once per batch and read from any goroutine.
type Metrics struct {
	// RowsIn, RowsOut and BytesIn, BytesOut count rows and estimated bytes; for sources BytesIn and for sinks BytesOut are
	// bytes of the outside world.
	RowsIn, RowsOut, BytesIn, BytesOut atomic.Int64
	// LateRows were dropped because their window had closed; BadRecords because they could not be decoded.
	LateRows, BadRecords atomic.Int64
	// StateBytes is the memory behind the operator's state.
	StateBytes atomic.Int64
	// BusyNanos is the time spent in the operator.
	BusyNanos atomic.Int64
	// Watermark is the last watermark, ns; math.MinInt64 before the first.
	Watermark atomic.Int64
}

// IO holds the process's own streams. Stdout is shared: one Write call is one or more whole lines and is not torn.
type IO struct {
	Stdin  io.Reader
	Stdout io.Writer
}

// Package graph holds the planned program: operators and edges as plain data.
//
// The planner makes a Program, the controller decides parallelism and places its subtasks, the worker builds operators
// from it. It holds no code and no connection; package wire turns it into protobuf and back, deterministically.
package graph

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// Mode is the kind of rows on an operator's output.
type Mode uint8

const (
	// Append streams only ever add rows.
	Append Mode = iota
	// Updating streams are changelogs: inserts and retractions of whole rows.
	Updating
)

// String gives "append" or "updating".
func (m Mode) String() string {
	if m == Updating {
		return "updating"
	}
	return "append"
}

// Program is a planned pipeline. Nodes are in topological order: an edge always leads to a later node.
type Program struct {
	Nodes []Node
	Edges []Edge
	// SQL is the text it was planned from, for errors at run time.
	SQL string
}

// Node is one operator.
type Node struct {
	// ID names the operator in state and metrics. It is made from the operator's meaning (kind, settings, inputs), so that
	// an unrelated edit of the query keeps it, and is unique in the program.
	ID string
	// Description is a short line for people, for example "tumble(10s) by auction: count(*)".
	Description string
	// MaxParallelism bounds the number of subtasks; 0 is no bound. A sink into one file has 1.
	MaxParallelism int
	// Spec says what the operator does.
	Spec Spec
	// Out is the schema of the output; nil for a sink.
	Out *arrow.Schema
	// Mode is the kind of rows on the output.
	Mode Mode
	// Span is the place in the SQL text that the operator comes from.
	Span fault.Span
}

// EdgeKind says which subtask of the target gets a row.
type EdgeKind uint8

const (
	// Forward keeps a row on the subtask with the same index; both ends have the same parallelism. Where they do not (one
	// end is bounded by MaxParallelism, or unites inputs of different parallelism), the edge spreads appended rows round-robin
	// by batch, and leads rows that can change from each subtask to a fixed one, so that they stay in order.
	Forward EdgeKind = iota
	// Shuffle sends a row to the owner of the hash of its Keys; with no keys, everything to subtask 0's owner of the empty
	// key.
	Shuffle
)

// Edge leads from one node's output to one input of another.
type Edge struct {
	// From and To are indices in Program.Nodes.
	From, To int
	// Input is the input port of To: 0, or for a join 0 left and 1 right. Several edges may lead to one port (a union).
	Input int
	Kind  EdgeKind
	// Keys are columns of From's output, for a Shuffle.
	Keys []int
}

// Spec is what an operator does: one of the *Spec types of this package.
type Spec interface{ spec() }

// SourceSpec reads a table. Its output columns are the declared ones that the connector or the format fills (metadata
// columns included), not the virtual ones.
type SourceSpec struct {
	// Table is the table's name in the query.
	Table     string
	Connector string
	// Options are the connector's options, validated, as text.
	Options map[string]string
	Format  FormatSpec
	// Schema is the full declared row, whatever Columns says.
	Schema *arrow.Schema
	// Metadata names the connector's metadata key for each column of Schema that is filled from it; "" elsewhere. Nil when
	// there is none.
	Metadata []string
	// Needed lists what the query reads, as dotted paths ("bid.price"); a source may leave everything else null. Nil
	// means everything.
	Needed []string
	// PrimaryKey holds columns of Schema, for updating sources.
	PrimaryKey []int
}

// FormatSpec is how bytes become rows and rows bytes.
type FormatSpec struct {
	// Name is "json", "debezium_json", "raw_string", "raw_bytes" or empty for connectors without a format.
	Name string
	// Options are the format's options without their prefix ("timestamp_format"), validated, as text.
	Options map[string]string
	// DropBadData is bad_data = 'drop': bad records are counted and skipped.
	DropBadData bool
	// Framing is "newline" or empty; MaxLength is framing.newline.max_length, 0 for none.
	Framing   string
	MaxLength int64
}

// ProjectSpec filters rows and computes columns: the output has one column per expression. Both may be absent (nil
// Exprs: all input columns).
type ProjectSpec struct {
	Filter *expr.Node
	Exprs  []*expr.Node
	// EventTime, if set, becomes the event time of each row; a null there is bad data.
	EventTime *expr.Node
	// EventTimeColumn names the column behind EventTime, for errors; DropBadTime applies bad_data = 'drop' to its nulls.
	EventTimeColumn string
	DropBadTime     bool
}

// WatermarkSpec makes watermarks from the rows of one table.
type WatermarkSpec struct {
	// Expr gives the watermark at each row, a TIMESTAMP. Nil: the event time minus Delay.
	Expr *expr.Node
	// Delay is in nanoseconds.
	Delay int64
	// Idle is how long, in nanoseconds of wall-clock time, the table may be silent before it no longer holds watermarks
	// back; 0 is for ever.
	Idle int64
}

// WindowAggregateSpec groups by key and window. The output columns are the keys in order, then the window struct
// {start, end}, then one column per aggregate; the event time of a result is the window's end − 1 ns.
type WindowAggregateSpec struct {
	Window Window
	// Keys are input columns.
	Keys []int
	Aggs []agg.Call
}

// UpdatingAggregateSpec groups by key without a window. The output columns are the keys in order, then one column per
// aggregate; it is a changelog. The event time of a result is the latest of the rows in the group.
type UpdatingAggregateSpec struct {
	Keys []int
	Aggs []agg.Call
	// FlushInterval is the wall-clock time between flushes, TTL the idle time after which a key is forgotten; nanoseconds.
	FlushInterval, TTL int64
	// Single makes a group of more than one row a fault of the data: the groups are the answers of a subquery that is a value.
	Single bool
}

// SessionAggregateSpec groups by key and session: a maximal run of rows of a key in which the next row by event time is
// always less than Gap away. The output columns are the keys in order, then the window struct {start, end}, from the
// earliest event time of the session to its latest plus Gap, then one column per aggregate; the event time of a result is
// the window's end − 1 ns.
type SessionAggregateSpec struct {
	// Gap is in nanoseconds, positive.
	Gap int64
	// Keys are input columns.
	Keys []int
	Aggs []agg.Call
}

// Order is one key of an order of rows. Floats order with NaN last and -0 equal to 0.
type Order struct {
	// Column is an input column.
	Column int
	// Desc is descending; NullsFirst puts nulls before all values, whichever the direction.
	Desc, NullsFirst bool
}

// RankKind says how rows that are equal by the order are numbered.
type RankKind uint8

// The kinds of rank. RowNumber tells equal rows apart by their whole value.
const (
	RowNumber RankKind = iota + 1
	Rank
	DenseRank
)

// TopNSpec keeps, per key, the rows whose rank by the order is in (Offset, Offset+Limit]. The output columns are the
// input's, then the rank if WithRank; the event time of a row is its own. It is a changelog, unless PerTime.
type TopNSpec struct {
	// Keys are input columns; with none, all rows are ranked together.
	Keys  []int
	Order []Order
	Rank  RankKind
	// Limit is negative for no limit. Offset is at least 0.
	Limit, Offset int64
	// WithRank appends the rank as a BIGINT.
	WithRank bool
	// WithTies also keeps the rows that are equal to the last one by the order; for RowNumber only, the others always do.
	WithTies bool
	// PerTime ranks the rows of each event time by themselves, for windowed inputs: results go out once, as an append
	// stream, when the watermark has passed the event time.
	PerTime bool
	// FlushInterval is the wall-clock time between flushes, TTL the idle time after which a key is forgotten; nanoseconds.
	// They mean nothing with PerTime.
	FlushInterval, TTL int64
}

// FrameUnit is what the bounds of a frame count.
type FrameUnit uint8

// The units of frames: rows, values of the first order key, and groups of rows that are equal by the order.
const (
	Rows FrameUnit = iota + 1
	Range
	Groups
)

// BoundKind is the kind of one end of a frame.
type BoundKind uint8

// The kinds of bounds, from the first to the last.
const (
	UnboundedPreceding BoundKind = iota + 1
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is one end of a frame.
type Bound struct {
	Kind BoundKind
	// N is how far Preceding and Following reach, at least 0: rows, groups, or for Range the distance of the values of the
	// order key: units of its type for times, days for dates, units of the last digit for decimals, and for floats the bits of the
	// distance.
	N int64
}

// Distance is how far behind the current row a bound lies: negative for Preceding.
func (b Bound) Distance() int64 {
	switch b.Kind {
	case Preceding:
		return -b.N
	case Following:
		return b.N
	}
	return 0
}

// Exclusion is what is left out of a frame.
type Exclusion uint8

// The exclusions: nothing, the row itself, it and the rows that are equal to it by the order, and those without it.
const (
	NoExclusion Exclusion = iota
	ExcludeCurrentRow
	ExcludeGroup
	ExcludeTies
)

// Frame is the rows around the current one that a function sees.
type Frame struct {
	Unit     FrameUnit
	From, To Bound
	Exclude  Exclusion
}

// OverCall is one function over ordered rows.
type OverCall struct {
	// Call names an aggregate or one of row_number, rank, dense_rank, percent_rank, cume_dist, ntile(n), lag(x [, n [,
	// default]]), lead(x [, n [, default]]), first_value(x), last_value(x) and nth_value(x, n). Args are x and the default,
	// Params hold n as int64. With an order of its own, a call is of the aggregate of that name.
	agg.Call
	// Frame is for aggregates and first_value, last_value and nth_value; the others look at the whole partition.
	Frame Frame
	// IgnoreNulls skips nulls of x, for lag, lead, first_value, last_value and nth_value.
	IgnoreNulls bool
}

// OverSpec computes functions over the rows that share a key. The output columns are the input's, then one per call; the
// event time of a row is its own. On an append stream each row goes out once, when the watermark has passed all that its
// results depend on: in the order of event times, but for rows that wait for later ones of their key. With Updating, which
// takes changelogs too, rows go out at once and again whenever their results change.
type OverSpec struct {
	// Keys are input columns.
	Keys []int
	// Order is the order of rows. With neither PerTime nor Updating, rows are ordered by event time before it.
	Order []Order
	Calls []OverCall
	// PerTime makes a partition of the rows of one key and one event time, for windowed inputs.
	PerTime bool
	// Updating makes a changelog.
	Updating bool
	// FlushInterval is the wall-clock time between flushes of an Updating one, TTL the idle time after which a key is
	// forgotten; nanoseconds. With PerTime, and where Near is true, the watermark clears keys.
	FlushInterval, TTL int64
}

// Near tells how far back, in nanoseconds of event time, the results of any row reach; ok is false if that has no bound.
func (s *OverSpec) Near() (reach int64, ok bool) {
	for _, c := range s.Calls {
		if s.Updating || c.Frame.Unit != Range || c.Frame.From.Kind == UnboundedPreceding {
			return 0, false
		}
		reach = max(reach, -c.Frame.From.Distance())
	}
	return reach, true
}

// SinkSpec writes a table.
type SinkSpec struct {
	Table     string
	Connector string
	Options   map[string]string
	Format    FormatSpec
	// Schema is the row as written.
	Schema *arrow.Schema
	// PrimaryKey holds columns of Schema that identify a row of an updating input; empty when nothing does (then whole
	// rows identify themselves).
	PrimaryKey []int
}

func (*SourceSpec) spec()            {}
func (*ProjectSpec) spec()           {}
func (*WatermarkSpec) spec()         {}
func (*WindowAggregateSpec) spec()   {}
func (*UpdatingAggregateSpec) spec() {}
func (*SessionAggregateSpec) spec()  {}
func (*TopNSpec) spec()              {}
func (*OverSpec) spec()              {}
func (*SinkSpec) spec()              {}

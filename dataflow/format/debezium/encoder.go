// Package debezium turns Debezium change events, {"before": row, "after": row, "op": "c"|"u"|"d"|"r"}, into the rows of a
// changelog and back.
//
// What comes in: frames or batches. What goes out: batches with a change kind per row, or one event per line. How a row
// itself is written and read is up to a RowWriter and a Reader that the caller hands in (those of package json). Nothing
// here blocks.
package debezium

import (
	"bytes"

	"wadi/dataflow/column"
)

// RowWriter writes single rows.
type RowWriter interface {
	// Bind makes AppendRow write rows of b.
	Bind(b *column.Batch)
	// AppendRow appends physical row r.
	AppendRow(dst []byte, r int) []byte
}

// Encoder turns rows into events. It belongs to one goroutine.
//
// The rows of one batch that belong to one logical row become at most one event, which leads from the state before them to
// the state after them; none if both are the same. Events come in the order in which the logical rows first occur. Rows of one logical row that came
// through several subtasks may be in any order, so that an insert is before the retraction that it follows: what counts is
// what all of them come to, and if that is more than one row, there is more than one event.
type Encoder struct {
	rows   RowWriter
	key    []int
	prefix string
	suffix string

	sel    []int32
	groups grouping
}

// NewEncoder makes an encoder. key holds the columns that identify a logical row; without any, a retraction directly
// followed by an insert counts as an update of one row. If schema, the JSON text of a Kafka Connect schema, is not empty,
// events are wrapped as {"schema": schema, "payload": event}.
func NewEncoder(rows RowWriter, key []int, schema string) *Encoder {
	e := &Encoder{rows: rows, key: key, suffix: "\n"}
	if schema != "" {
		e.prefix = `{"schema":` + schema + `,"payload":`
		e.suffix = "}\n"
	}
	return e
}

// Encode appends the events for the rows of b that count. A batch without change kinds consists of inserts, and each is
// an event of its own.
func (e *Encoder) Encode(dst []byte, b *column.Batch) ([]byte, error) {
	e.rows.Bind(b)
	e.sel = b.Selected(e.sel)
	switch {
	case b.Change == nil:
		for _, r := range e.sel {
			dst = e.event(dst, -1, r)
		}
	case len(e.key) == 0:
		dst = e.pairs(dst, b.Change)
	default:
		e.groups.fill(b, e.key, e.sel)
		for _, g := range e.groups.list {
			dst = e.logical(dst, b, g)
		}
	}
	return dst, nil
}

// logical writes the events of one logical row.
func (e *Encoder) logical(dst []byte, b *column.Batch, g group) []byte {
	switch {
	case g.rows == 1 && b.Change[g.first] == column.Insert:
		return e.event(dst, -1, g.first)
	case g.rows == 1:
		return e.event(dst, g.first, -1)
	case g.rows == 2 && b.Change[g.first] == column.Retract && b.Change[g.last] == column.Insert:
		return e.event(dst, g.first, g.last)
	}
	e.groups.settle(b, g)
	before, now := e.groups.before, e.groups.now
	for i := range max(len(before), len(now)) {
		from, to := int32(-1), int32(-1)
		if i < len(before) {
			from = before[i]
		}
		if i < len(now) {
			to = now[i]
		}
		dst = e.event(dst, from, to)
	}
	return dst
}

// pairs writes rows without a key.
func (e *Encoder) pairs(dst []byte, change []column.Change) []byte {
	for i := 0; i < len(e.sel); i++ {
		r := e.sel[i]
		switch {
		case change[r] == column.Insert:
			dst = e.event(dst, -1, r)
		case i+1 < len(e.sel) && change[e.sel[i+1]] == column.Insert:
			dst = e.event(dst, r, e.sel[i+1])
			i++
		default:
			dst = e.event(dst, r, -1)
		}
	}
	return dst
}

// event appends the event from row before to row after, where -1 is no row. From none to none, and from a row to the same
// one, nothing has happened: a computation over a changelog often does not see what has changed.
func (e *Encoder) event(dst []byte, before, after int32) []byte {
	op := "u"
	switch {
	case before < 0 && after < 0:
		return dst
	case before < 0:
		op = "c"
	case after < 0:
		op = "d"
	}
	start := len(dst)
	dst = append(dst, e.prefix...)
	dst = append(dst, `{"before":`...)
	old := len(dst)
	dst = e.image(dst, before)
	end := len(dst)
	dst = append(dst, `,"after":`...)
	now := len(dst)
	dst = e.image(dst, after)
	if bytes.Equal(dst[old:end], dst[now:]) {
		return dst[:start]
	}
	dst = append(dst, `,"op":"`...)
	dst = append(dst, op...)
	dst = append(dst, `"}`...)
	return append(dst, e.suffix...)
}

func (e *Encoder) image(dst []byte, r int32) []byte {
	if r < 0 {
		return append(dst, "null"...)
	}
	return e.rows.AppendRow(dst, int(r))
}

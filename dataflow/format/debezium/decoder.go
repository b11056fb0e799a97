package debezium

import (
	"bytes"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// Reader reads frames as rows of the columns before STRUCT, after STRUCT and op TEXT (see Envelope).
type Reader interface {
	// Decode appends the row of one frame, or gives a data fault and leaves nothing behind.
	Decode(frame []byte, eventTime int64) error
	// Member gives the text of a member of the object that a frame is; nil if it has none. It is a slice of the frame.
	Member(frame []byte, name string) []byte
	// Rows is the number of rows held, Peek shows them, Truncate drops those from n on.
	Rows() int
	Peek() *column.Batch
	Truncate(n int)
	// Take lends the rows held until the next Decode.
	Take() *column.Batch
}

// The columns of an envelope. The last is there for tables with a column of Ended.
const (
	columnBefore = iota
	columnAfter
	columnOp
	columnTime
)

// Ended is the metadata key of a TIMESTAMP column that the decoder fills by itself: on the retraction of a row whose key
// goes out of use, by a deletion or an update of the key, the ts_ms of the event; else null.
const Ended = "debezium.ended"

// Envelope gives the schema of the events for rows of this schema, without its columns that are metadata, and what
// must be read of an event so that the columns needed can be read of its rows; nil means everything.
func Envelope(schema *arrow.Schema, meta, needed []string) (*arrow.Schema, []string) {
	var members []arrow.Field
	for i, f := range schema.Fields() {
		if !isMeta(meta, i) {
			members = append(members, f)
		}
	}
	row := arrow.StructOf(members...)
	fields := []arrow.Field{
		{Name: "before", Type: row, Nullable: true},
		{Name: "after", Type: row, Nullable: true},
		{Name: "op", Type: arrow.BinaryTypes.String, Nullable: true},
	}
	timed := endedColumn(schema, meta, needed) >= 0
	if timed {
		fields = append(fields, arrow.Field{Name: "ts_ms", Type: arrow.PrimitiveTypes.Int64, Nullable: true})
	}
	envelope := arrow.NewSchema(fields, nil)
	if needed == nil {
		return envelope, nil
	}
	// The images themselves are always read, since their absence is an error; a path below them that names no column
	// keeps them from being read whole.
	paths := []string{"op", "before.", "after."}
	if timed {
		paths = append(paths, "ts_ms")
	}
	for _, p := range needed {
		paths = append(paths, "before."+p, "after."+p)
	}
	return envelope, paths
}

func isMeta(meta []string, i int) bool { return i < len(meta) && meta[i] != "" }

// endedColumn is the column of Ended, if there is one that is needed; else -1.
func endedColumn(schema *arrow.Schema, meta, needed []string) int {
	i := slices.Index(meta, Ended)
	if i < 0 || !isNeeded(schema.Field(i).Name, needed) {
		return -1
	}
	return i
}

// Decoder turns events into rows of a changelog. It belongs to one goroutine.
type Decoder struct {
	events Reader
	out    *column.Builder
	// members holds, for each column of the output, its member of the images; -1 for columns that the source fills.
	members []int
	// required are members that are NOT NULL and read.
	required []int
	names    []string
	meta     []string
	// key are the members that identify a row.
	key []int
	// ended is the column of Ended, or -1.
	ended int
	fill  func(column int, to column.Appender)
	// images lists the rows of the output as rows of before or after.
	images []image
	// wrapped says that the last event was the payload of a Kafka Connect envelope.
	wrapped bool
	taken   bool
}

type image struct {
	event  int32
	column uint8
}

// NewDecoder makes a decoder for rows of this schema, which the columns of key identify, from a reader of Envelope(schema,
// meta, needed).
func NewDecoder(events Reader, schema *arrow.Schema, meta, needed []string, key []int) *Decoder {
	d := &Decoder{events: events, out: column.NewBuilder(schema, true), meta: meta, ended: endedColumn(schema, meta, needed)}
	n := 0
	for i, f := range schema.Fields() {
		if isMeta(meta, i) {
			d.members = append(d.members, -1)
			continue
		}
		if !f.Nullable && isNeeded(f.Name, needed) {
			d.required = append(d.required, n)
		}
		d.names = append(d.names, f.Name)
		d.members = append(d.members, n)
		n++
	}
	for _, k := range key {
		if m := d.members[k]; m >= 0 {
			d.key = append(d.key, m)
		}
	}
	return d
}

func isNeeded(name string, needed []string) bool {
	for _, p := range needed {
		if p == name || strings.HasPrefix(p, name+".") {
			return true
		}
	}
	return needed == nil
}

// SetMetadata sets the function that appends one value to each column that the source fills, for each row of the record
// being decoded. Without one those columns are null.
func (d *Decoder) SetMetadata(fill func(column int, to column.Appender)) { d.fill = fill }

// Rows is the number of rows held.
func (d *Decoder) Rows() int {
	if d.taken {
		return 0
	}
	return len(d.images)
}

// Decode appends the rows of one event: an insert for c and r, a retraction and an insert for u, a retraction for d. Any
// other operation is a user fault, since to drop it would leave wrong rows behind. An event may be the payload of
// {"schema": …, "payload": …}. Tombstones and the borders of transactions give no rows.
func (d *Decoder) Decode(frame []byte, eventTime int64) error {
	if d.taken {
		d.reset()
	}
	frame = d.unwrap(frame)
	if isTombstone(frame) {
		return nil
	}
	n := d.events.Rows()
	if err := d.events.Decode(frame, eventTime); err != nil {
		return err
	}
	if !d.events.Peek().Cols[columnOp].Validity().IsValid(n) {
		switch {
		case !d.wrapped && d.events.Member(frame, "payload") != nil:
			d.events.Truncate(n)
			d.wrapped = true
			return d.Decode(frame, eventTime)
		case d.isBorder(frame):
			d.events.Truncate(n)
			return nil
		}
	}
	before, after, err := d.operation(n)
	if err == nil && before {
		err = d.complete(n, columnBefore)
	}
	if err == nil && after {
		err = d.complete(n, columnAfter)
	}
	ends := false
	if err == nil && before && d.ended >= 0 {
		if ends = !after || !d.sameKey(n); ends {
			err = d.dated(n)
		}
	}
	if err != nil {
		d.events.Truncate(n)
		return err
	}
	if before {
		d.add(image{int32(n), columnBefore}, eventTime, column.Retract, ends)
	}
	if after {
		d.add(image{int32(n), columnAfter}, eventTime, column.Insert, false)
	}
	return nil
}

// maxMillis is the greatest number of milliseconds that fits into nanoseconds.
const maxMillis = 1<<63/1_000_000 - 1

// dated checks that event n says when it happened.
func (d *Decoder) dated(n int) error {
	c := d.events.Peek().Cols[columnTime].(*column.Fixed[int64])
	if !c.Valid.IsValid(n) {
		return fault.Dataf("ts_ms", "expected the time of a deletion in milliseconds, got none").
			WithHint("the query joins the versions of this table, and ts_ms says when a deleted one ends: keep the field in the events")
	}
	if v := c.Values[n]; v > maxMillis || v < -maxMillis {
		return fault.Dataf("ts_ms", "the time of a deletion in milliseconds is out of range")
	}
	return nil
}

// sameKey reports whether both images of event n have the same key.
func (d *Decoder) sameKey(n int) bool {
	events := d.events.Peek()
	before, after := events.Cols[columnBefore].(*column.Struct), events.Cols[columnAfter].(*column.Struct)
	for _, m := range d.key {
		if !same(before.Children[m], after.Children[m], n) {
			return false
		}
	}
	return true
}

// same reports whether row n has the same value in two columns of one type.
func same(a, b column.Vector, n int) bool {
	if valid := a.Validity().IsValid(n); !valid || !b.Validity().IsValid(n) {
		return valid == b.Validity().IsValid(n)
	}
	switch x := a.(type) {
	case *column.Bytes:
		return x.Str(n) == b.(*column.Bytes).Str(n)
	case *column.Fixed[int64]:
		return x.Values[n] == b.(*column.Fixed[int64]).Values[n]
	case *column.Fixed[int32]:
		return x.Values[n] == b.(*column.Fixed[int32]).Values[n]
	}
	// Keys of other types are rare; their hashes are as good as they.
	row := []int32{int32(n)}
	x := column.HashColumns(nil, []column.Vector{a}, a.Len(), row)
	y := column.HashColumns(nil, []column.Vector{b}, b.Len(), row)
	return x[n] == y[n]
}

// unwrap gives the payload of a frame while events come wrapped.
func (d *Decoder) unwrap(frame []byte) []byte {
	if !d.wrapped {
		return frame
	}
	payload := d.events.Member(frame, "payload")
	if d.wrapped = payload != nil; !d.wrapped {
		return frame
	}
	return payload
}

// isTombstone recognises the message that follows a deletion so that Kafka forgets the key: none, or null.
func isTombstone(frame []byte) bool {
	frame = bytes.TrimSpace(frame)
	return len(frame) == 0 || string(frame) == "null"
}

// isBorder recognises the message at the beginning or the end of a transaction.
func (d *Decoder) isBorder(frame []byte) bool {
	status := string(d.events.Member(frame, "status"))
	return (status == `"BEGIN"` || status == `"END"`) && d.events.Member(frame, "id") != nil
}

// operation says which images event n needs.
func (d *Decoder) operation(n int) (before, after bool, err error) {
	c := d.events.Peek().Cols[columnOp].(*column.Bytes)
	if !c.Valid.IsValid(n) {
		return false, false, fault.Dataf("op", "expected a Debezium operation, got none").
			WithHint("events must be {\"before\": …, \"after\": …, \"op\": …}, or that as the payload of {\"schema\": …, \"payload\": …}")
	}
	switch c.Str(n) {
	case "c", "r":
		return false, true, nil
	case "u":
		return true, true, nil
	case "d":
		return true, false, nil
	}
	e := fault.Userf(fault.CodeUnsupported, fault.Span{}, "a Debezium event has an operation other than c, r, u and d").
		WithHint("truncations and messages cannot be applied to a stream: leave them out at the producer (skipped.operations=t)")
	e.Record.Column = "op"
	return false, false, e
}

// complete checks that an image of event n is there, with its required columns.
func (d *Decoder) complete(n int, which int) error {
	name := "before"
	if which == columnAfter {
		name = "after"
	}
	c := d.events.Peek().Cols[which].(*column.Struct)
	if !c.Valid.IsValid(n) {
		return fault.Dataf(name, "expected the row that the operation is about, got none").
			WithHint("the producer must send whole rows: in PostgreSQL, ALTER TABLE … REPLICA IDENTITY FULL")
	}
	for _, m := range d.required {
		if !c.Children[m].Validity().IsValid(n) {
			return fault.Dataf(name+"."+d.names[m], "expected a value for a NOT NULL column, got none").
				WithHint("the producer must send whole rows: in PostgreSQL, ALTER TABLE … REPLICA IDENTITY FULL")
		}
	}
	return nil
}

// add notes a row of the output; ends says that its key goes out of use.
func (d *Decoder) add(i image, eventTime int64, c column.Change, ends bool) {
	d.images = append(d.images, i)
	d.out.AppendTime(eventTime, c)
	for k, m := range d.members {
		switch {
		case m >= 0:
		case k == d.ended && ends:
			millis := d.events.Peek().Cols[columnTime].(*column.Fixed[int64]).Values[i.event]
			d.out.Column(k).(*column.Fixed[int64]).Append(millis * 1_000_000)
		case k == d.ended || d.fill == nil || d.meta[k] == Ended:
			d.out.Column(k).AppendNull()
		default:
			d.fill(k, d.out.Column(k))
		}
	}
}

// Take lends the rows held until the next Decode.
func (d *Decoder) Take() *column.Batch {
	if d.taken {
		d.reset()
	}
	d.taken = true
	events := d.events.Take()
	row := []int32{0}
	for k, m := range d.members {
		if m < 0 {
			continue
		}
		sides := [2]column.Vector{
			events.Cols[columnBefore].(*column.Struct).Children[m],
			events.Cols[columnAfter].(*column.Struct).Children[m],
		}
		to := d.out.Column(k)
		for _, i := range d.images {
			row[0] = i.event
			to.AppendSel(sides[i.column], row)
		}
	}
	return d.out.Batch()
}

func (d *Decoder) reset() {
	d.taken = false
	d.out.Reset()
	d.images = d.images[:0]
}

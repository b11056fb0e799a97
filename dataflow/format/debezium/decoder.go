package debezium

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// Reader reads frames as rows of the columns before STRUCT, after STRUCT and op TEXT (see Envelope).
type Reader interface {
	// Decode appends the row of one frame, or gives a data fault and leaves nothing behind.
	Decode(frame []byte, eventTime int64) error
	// Rows is the number of rows held, Peek shows them, Truncate drops those from n on.
	Rows() int
	Peek() *column.Batch
	Truncate(n int)
	// Take lends the rows held until the next Decode.
	Take() *column.Batch
}

// The columns of an envelope.
const (
	columnBefore = iota
	columnAfter
	columnOp
)

// Envelope gives the schema of the events for rows of this schema, without its columns that the source fills, and what
// must be read of an event so that the columns needed can be read of its rows; nil means everything.
func Envelope(schema *arrow.Schema, meta, needed []string) (*arrow.Schema, []string) {
	var members []arrow.Field
	for i, f := range schema.Fields() {
		if !isMeta(meta, i) {
			members = append(members, f)
		}
	}
	row := arrow.StructOf(members...)
	envelope := arrow.NewSchema([]arrow.Field{
		{Name: "before", Type: row, Nullable: true},
		{Name: "after", Type: row, Nullable: true},
		{Name: "op", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	if needed == nil {
		return envelope, nil
	}
	// The images themselves are always read, since their absence is an error; a path below them that names no column
	// keeps them from being read whole.
	paths := []string{"op", "before.", "after."}
	for _, p := range needed {
		paths = append(paths, "before."+p, "after."+p)
	}
	return envelope, paths
}

func isMeta(meta []string, i int) bool { return i < len(meta) && meta[i] != "" }

// Decoder turns events into rows of a changelog. It belongs to one goroutine.
type Decoder struct {
	events Reader
	out    *column.Builder
	// members holds, for each column of the output, its member of the images; -1 for columns that the source fills.
	members []int
	// required are members that are NOT NULL and read.
	required []int
	names    []string
	fill     func(column int, to column.Appender)
	// images lists the rows of the output as rows of before or after.
	images []image
	taken  bool
}

type image struct {
	event  int32
	column uint8
}

// NewDecoder makes a decoder for rows of this schema from a reader of Envelope(schema, meta, needed).
func NewDecoder(events Reader, schema *arrow.Schema, meta, needed []string) *Decoder {
	d := &Decoder{events: events, out: column.NewBuilder(schema, true)}
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
// other operation is a user fault, since to drop it would leave wrong rows behind.
func (d *Decoder) Decode(frame []byte, eventTime int64) error {
	if d.taken {
		d.reset()
	}
	n := d.events.Rows()
	if err := d.events.Decode(frame, eventTime); err != nil {
		return err
	}
	before, after, err := d.operation(n)
	if err == nil && before {
		err = d.complete(n, columnBefore)
	}
	if err == nil && after {
		err = d.complete(n, columnAfter)
	}
	if err != nil {
		d.events.Truncate(n)
		return err
	}
	if before {
		d.add(image{int32(n), columnBefore}, eventTime, column.Retract)
	}
	if after {
		d.add(image{int32(n), columnAfter}, eventTime, column.Insert)
	}
	return nil
}

// operation says which images event n needs.
func (d *Decoder) operation(n int) (before, after bool, err error) {
	c := d.events.Peek().Cols[columnOp].(*column.Bytes)
	if !c.Valid.IsValid(n) {
		return false, false, fault.Dataf("op", "expected a Debezium operation, got none").
			WithHint("events must be {\"before\": …, \"after\": …, \"op\": …} without a schema: set value.converter.schemas.enable=false at the producer")
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

func (d *Decoder) add(i image, eventTime int64, c column.Change) {
	d.images = append(d.images, i)
	d.out.AppendTime(eventTime, c)
	for k, m := range d.members {
		if m >= 0 {
			continue
		}
		if d.fill != nil {
			d.fill(k, d.out.Column(k))
		} else {
			d.out.Column(k).AppendNull()
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

package json

import (
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
)

// failure is a value that does not fit its column. It never holds the value.
type failure struct {
	// field is nil when the text is not a JSON object.
	field *field
	// at is where the value starts; negative when it is absent.
	at int
	// reason continues the sentence "expected T, got a string (5 bytes)"; for absent values it is what follows "got".
	reason string
}

// misfit records that the value at i does not fit f.
func (d *Decoder) misfit(f *field, i int, reason string) int {
	d.failure = failure{field: f, at: i, reason: reason}
	return -1
}

// mismatch records that the value at i is of the wrong kind for f, unless it is no value at all.
func (d *Decoder) mismatch(f *field, i int) int {
	if d.skip(i, 0) < 0 {
		return -1
	}
	return d.misfit(f, i, "")
}

// notObject records that the frame does not start with an object.
func (d *Decoder) notObject(i int) bool {
	switch {
	case i >= d.n:
		d.bad(0, "it is blank")
	case d.skip(i, 0) >= 0:
		d.bad(i, startName(load1(d.p, i))+" instead of an object")
	}
	return false
}

func startName(c byte) string {
	switch startOf(c) {
	case startString:
		return "a string"
	case startNumber:
		return "a number"
	case startBool:
		return "a boolean"
	case startObject:
		return "an object"
	case startArray:
		return "an array"
	}
	return "null"
}

// fault says what was wrong with the frame that the careful pass has refused.
func (d *Decoder) fault() error {
	f := d.failure.field
	if f == nil {
		return fault.Dataf("", "not a JSON object (byte %d): %s", d.where+1, d.why).
			WithHint("each record must be one JSON object; set bad_data = 'drop' to skip those that are not")
	}
	return fault.Dataf(f.path, "expected %s, got %s", f.wanted(), d.received()).
		WithHint("correct the record or the column's type, or set bad_data = 'drop' to skip such records")
}

func (f *field) wanted() string {
	if f.nullable {
		return f.sql
	}
	return f.sql + " NOT NULL"
}

// received describes the value behind the failure by its kind and length.
func (d *Decoder) received() string {
	at := d.failure.at
	if at < 0 {
		return d.failure.reason
	}
	s := startName(d.buf[at])
	if end := d.skip(at, 0); end >= 0 {
		n := end - at
		if d.buf[at] == '"' {
			n -= 2
		}
		unit := " bytes)"
		if n == 1 {
			unit = " byte)"
		}
		s += " (" + strconv.Itoa(n) + unit
	}
	if d.failure.reason != "" {
		s += " " + d.failure.reason
	}
	return s
}

// unsupported is the fault of a column whose type has no place in JSON.
func unsupported(path, format string, args ...any) *fault.Error {
	e := fault.Userf(fault.CodeUnsupported, fault.Span{}, format, args...)
	e.Record.Column = path
	return e
}

// supported refuses types that no JSON value stands for.
func supported(f arrow.Field, path string) error {
	m := &field{path: path, sql: sqlType(f)}
	if err := m.setKind(f); err != nil {
		return err
	}
	switch t := f.Type.(type) {
	case *arrow.StructType:
		for _, member := range t.Fields() {
			if err := supported(member, path+"."+member.Name); err != nil {
				return err
			}
		}
	case *arrow.ListType:
		return supported(t.ElemField(), path+"[]")
	case *arrow.MapType:
		if err := wordyKeys(t, path); err != nil {
			return err
		}
		return supported(t.ItemField(), path+"[]")
	}
	return nil
}

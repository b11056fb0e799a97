package connector

import "wadi/dataflow/fault"

// RawKind is the shape in which an option's value was written.
type RawKind uint8

// The shapes of a value in a WITH clause.
const (
	RawString RawKind = iota
	RawNumber
	RawBool
	RawInterval
	RawIdent
	RawArray
)

// String names the shape for messages.
func (k RawKind) String() string {
	switch k {
	case RawString:
		return "a string"
	case RawNumber:
		return "a number"
	case RawBool:
		return "a boolean"
	case RawInterval:
		return "an interval"
	case RawIdent:
		return "a name"
	}
	return "a list"
}

// Raw is one value of a WITH clause as the binder found it, before its option's type is known.
type Raw struct {
	Kind RawKind
	// Text is a string's contents, a number as written (with its sign), "true" or "false", or a name. Intervals and lists
	// have none.
	Text string
	// Nanos is the length of an interval in nanoseconds; an interval with months never gets here.
	Nanos int64
	// Items are the elements of a list.
	Items []Raw
	// Span is the place of the value, Key that of the option's name; both may be zero.
	Span, Key fault.Span
}

// StringValue makes the value of an option that was not written in SQL, for example in a test or by the API.
func StringValue(text string) Raw { return Raw{Kind: RawString, Text: text} }

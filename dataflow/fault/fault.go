// Package fault defines the one error type of Wadi.
//
// What comes in: a code, a sentence, and as much about the place as the caller knows (a span of the SQL text, an
// operator, the position of a record). What goes out: an error that a person can act on. Nothing here blocks.
//
// A fault's Kind says whose fault it is, and with that decides, once, what the engine does about it: user faults stop
// the job, data faults go through the table's bad-data policy, transient faults restart the job with back-off, and
// internal faults are broken invariants.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says whose fault an error is.
type Kind uint8

const (
	// Internal is a broken invariant of Wadi itself.
	Internal Kind = iota
	// User is something the author of the query or of the configuration has to change.
	User
	// Data is a record that does not fit its declared columns.
	Data
	// Transient is an outside system that may work again on the next try.
	Transient
)

// String names the kind as it appears in logs.
func (k Kind) String() string {
	switch k {
	case User:
		return "user"
	case Data:
		return "data"
	case Transient:
		return "transient"
	}
	return "internal"
}

// Domain is the kind in the vocabulary of the REST API: user, external or internal.
func (k Kind) Domain() string {
	switch k {
	case User:
		return "user"
	case Data, Transient:
		return "external"
	}
	return "internal"
}

// Code names an error in a stable, greppable way, for example "unknown-column".
type Code string

// Codes used by more than one package. Packages may define codes of their own beside these.
const (
	CodeInternal     Code = "internal"
	CodeUnsupported  Code = "unsupported"
	CodeInvalid      Code = "invalid"
	CodeSyntax       Code = "syntax"
	CodeBadData      Code = "bad-data"
	CodeIO           Code = "io"
	CodeNotFound     Code = "not-found"
	CodeConflict     Code = "conflict"
	CodeStaleRun     Code = "stale-generation"
	CodeCanceled     Code = "canceled"
	CodeOverflow     Code = "overflow"
	CodeDivideByZero Code = "division-by-zero"
)

// Span is a half-open range of bytes [Start, End) of a SQL text. The zero Span is "no place known".
type Span struct {
	Start, End int
}

// IsZero reports whether no place is known.
func (s Span) IsZero() bool { return s == Span{} }

// Join is the smallest span that covers both; a zero span counts for nothing.
func (s Span) Join(o Span) Span {
	if s.IsZero() {
		return o
	}
	if o.IsZero() {
		return s
	}
	return Span{min(s.Start, o.Start), max(s.End, o.End)}
}

// Record is the position of an offending record in its source.
type Record struct {
	// Source is a file's path, "stdin", or a topic.
	Source string
	// Line is 1-based; 0 when unknown.
	Line int64
	// Column is the name of the offending column; empty when the record as a whole is at fault.
	Column string
}

// String gives "file:line: column c".
func (r Record) String() string {
	var b strings.Builder
	b.WriteString(r.Source)
	if r.Line > 0 {
		fmt.Fprintf(&b, ":%d", r.Line)
	}
	if r.Column != "" {
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		fmt.Fprintf(&b, "column %q", r.Column)
	}
	return b.String()
}

// Error is an error with a place and a hint. Message is a lower-case sentence without a full stop and never holds a
// value of user data.
type Error struct {
	Kind     Kind
	Code     Code
	Message  string
	Span     Span
	Operator string
	Record   Record
	// Hint names the next thing to try.
	Hint string
	// Err is the cause, if there is one.
	Err error
}

// Error gives the place, the message and the cause on one line; the hint is left to whoever prints for a person.
func (e *Error) Error() string {
	var b strings.Builder
	if r := e.Record.String(); r != "" {
		b.WriteString(r)
		b.WriteString(": ")
	}
	b.WriteString(e.Message)
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(e.Err.Error())
	}
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Userf makes a user fault.
func Userf(code Code, span Span, format string, args ...any) *Error {
	return &Error{Kind: User, Code: code, Span: span, Message: fmt.Sprintf(format, args...)}
}

// Dataf makes a data fault. The record's position is filled in by whoever knows it.
func Dataf(column, format string, args ...any) *Error {
	return &Error{Kind: Data, Code: CodeBadData, Record: Record{Column: column}, Message: fmt.Sprintf(format, args...)}
}

// Transientf makes a transient fault with a cause, which may be nil.
func Transientf(err error, format string, args ...any) *Error {
	return &Error{Kind: Transient, Code: CodeIO, Err: err, Message: fmt.Sprintf(format, args...)}
}

// Internalf makes an internal fault.
func Internalf(format string, args ...any) *Error {
	return &Error{Kind: Internal, Code: CodeInternal, Message: fmt.Sprintf(format, args...)}
}

// WithHint sets the hint and returns e, for use at the place where e is made.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithCause sets the cause and returns e.
func (e *Error) WithCause(err error) *Error {
	e.Err = err
	return e
}

// As finds the first *Error in err's chain; any other error counts as an internal fault.
func As(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Code: CodeInternal, Message: err.Error(), Err: nil}
}

// Is reports whether err's chain holds a fault with this code.
func Is(err error, code Code) bool {
	var e *Error
	for errors.As(err, &e) {
		if e.Code == code {
			return true
		}
		err = e.Err
		if err == nil {
			return false
		}
	}
	return false
}

// List is several faults reported together, for example all diagnostics of one SQL text.
type List []*Error

// Error joins the messages with "; ".
func (l List) Error() string {
	parts := make([]string, len(l))
	for i, e := range l {
		parts[i] = e.Error()
	}
	return strings.Join(parts, "; ")
}

// Unwrap gives every fault of the list.
func (l List) Unwrap() []error {
	out := make([]error, len(l))
	for i, e := range l {
		out[i] = e
	}
	return out
}

package wire

import (
	"math"
	"strings"

	"wadi/dataflow/fault"
)

// NewFailure puts an error on the wire. Whatever is not a fault.Error counts as internal; a cause becomes part of the
// message. A nil error gives nil.
func NewFailure(err error) *Failure {
	f := fault.As(err)
	if f == nil {
		return nil
	}
	message := f.Message
	if f.Err != nil {
		message += ": " + f.Err.Error()
	}
	return &Failure{
		Kind:         failureKind(f.Kind),
		Code:         string(f.Code),
		Message:      text(message),
		Hint:         text(f.Hint),
		SpanStart:    offset(f.Span.Start),
		SpanEnd:      offset(f.Span.End),
		OperatorId:   text(f.Operator),
		RecordSource: text(f.Record.Source),
		RecordLine:   f.Record.Line,
		RecordColumn: text(f.Record.Column),
	}
}

// Fault is the error that the failure stands for; nil for a nil failure.
func (f *Failure) Fault() *fault.Error {
	if f == nil {
		return nil
	}
	return &fault.Error{
		Kind:     faultKind(f.Kind),
		Code:     fault.Code(f.Code),
		Message:  f.Message,
		Hint:     f.Hint,
		Span:     fault.Span{Start: int(f.SpanStart), End: int(f.SpanEnd)},
		Operator: f.OperatorId,
		Record:   fault.Record{Source: f.RecordSource, Line: f.RecordLine, Column: f.RecordColumn},
	}
}

// text makes s fit for a protobuf string: paths and messages of the operating system may hold any bytes.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func offset(n int) uint32 { return uint32(max(0, min(int64(n), math.MaxUint32))) }

func failureKind(k fault.Kind) FailureKind {
	switch k {
	case fault.User:
		return FailureKind_FAILURE_KIND_USER
	case fault.Data:
		return FailureKind_FAILURE_KIND_DATA
	case fault.Transient:
		return FailureKind_FAILURE_KIND_TRANSIENT
	}
	return FailureKind_FAILURE_KIND_INTERNAL
}

func faultKind(k FailureKind) fault.Kind {
	switch k {
	case FailureKind_FAILURE_KIND_USER:
		return fault.User
	case FailureKind_FAILURE_KIND_DATA:
		return fault.Data
	case FailureKind_FAILURE_KIND_TRANSIENT:
		return fault.Transient
	}
	return fault.Internal
}

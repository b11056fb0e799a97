package wire_test

import (
	"errors"
	"reflect"
	"testing"

	"google.golang.org/protobuf/proto"

	"wadi/dataflow/fault"
	"wadi/worker/wire"
)

func TestFailureRoundTrip(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Internal, fault.User, fault.Data, fault.Transient} {
		want := &fault.Error{
			Kind: kind, Code: fault.CodeBadData, Message: "not a number", Hint: "declare the column TEXT",
			Span: fault.Span{Start: 3, End: 9}, Operator: "source-1",
			Record: fault.Record{Source: "events.json", Line: 7, Column: "price"},
		}
		if got := wire.NewFailure(want).Fault(); !reflect.DeepEqual(got, want) {
			t.Errorf("kind %v: got %+v", kind, got)
		}
	}
}

func TestFailureKeepsTheCauseAndPlainErrors(t *testing.T) {
	f := wire.NewFailure(fault.Transientf(errors.New("disk full"), "cannot write the checkpoint"))
	if f.Message != "cannot write the checkpoint: disk full" {
		t.Errorf("message %q", f.Message)
	}
	p := wire.NewFailure(errors.New("odd"))
	if p.Kind != wire.FailureKind_FAILURE_KIND_INTERNAL || p.Message != "odd" || p.Code != string(fault.CodeInternal) {
		t.Errorf("plain error became %v", p)
	}
	if wire.NewFailure(nil) != nil || (*wire.Failure)(nil).Fault() != nil {
		t.Error("no error must stay no error")
	}
}

func TestFailureOfAnyBytesMarshals(t *testing.T) {
	f := wire.NewFailure(&fault.Error{Message: "bad path \xff", Record: fault.Record{Source: "a\xfeb"}})
	if _, err := proto.Marshal(f); err != nil {
		t.Fatal(err)
	}
}

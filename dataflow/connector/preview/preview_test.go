package preview_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/connector"
	"wadi/dataflow/connector/connectortest"
	"wadi/dataflow/connector/preview"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

type receiver struct{ got []preview.Output }

func (r *receiver) Preview(o preview.Output) error {
	r.got = append(r.got, o)
	return nil
}

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
}, nil)

func open(t *testing.T, h *connectortest.Host, r preview.Receiver, mode graph.Mode) operator.Operator {
	t.Helper()
	s, err := preview.Declaration(r).NewSink(connector.SinkConfig{
		Spec: &graph.SinkSpec{PrimaryKey: []int{0}}, In: schema, InMode: mode, Env: h.Env})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rows(updating bool) *column.Batch {
	b := column.NewBuilder(schema, updating)
	b.Column(0).(*column.Fixed[int64]).Append(1)
	b.Column(1).(*column.Bytes).AppendString("a\nb")
	b.AppendTime(5_000_999, column.Insert)
	b.Column(0).(*column.Fixed[int64]).Append(2)
	b.Column(1).AppendNull()
	b.AppendTime(7_000_000, column.Insert)
	return b.Batch()
}

func TestBatchesBecomeArrays(t *testing.T) {
	r := &receiver{}
	h := connectortest.NewHost(t, 0, 1, 10)
	s := open(t, h, r, graph.Append)
	selected := *rows(false)
	selected.Sel = []int32{1}
	empty := selected
	empty.Sel = []int32{}
	for _, b := range []*column.Batch{rows(false), &empty, &selected} {
		if err := s.Process(0, b, nil); err != nil {
			t.Fatal(err)
		}
	}
	st := connectortest.NewState()
	if err := s.Snapshot(st); err != nil {
		t.Fatal(err)
	}
	if err := s.Finish(nil); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	out := func(start int64, times []int64, batch string) preview.Output {
		return preview.Output{JobID: "job", OperatorID: "op", StartID: start, Timestamps: times, Batch: batch, Done: batch == "[]"}
	}
	want := []preview.Output{
		out(0, []int64{5000, 7000}, `[{"n":1,"s":"a\nb"},{"n":2,"s":null}]`),
		out(2, []int64{7000}, `[{"n":2,"s":null}]`),
		out(3, []int64{}, "[]"),
	}
	if !reflect.DeepEqual(r.got, want) {
		t.Errorf("got %+v", r.got)
	}
	h.Env.Restore = st.Reader()
	r.got = nil
	again := open(t, h, r, graph.Append)
	if err := again.Process(0, rows(false), nil); err != nil || r.got[0].StartID != 3 {
		t.Errorf("after a restore: %+v, %v", r.got, err)
	}
}

func TestUpdatesAreShownAsEvents(t *testing.T) {
	r := &receiver{}
	s := open(t, connectortest.NewHost(t, 0, 1, 10), r, graph.Updating)
	b := rows(true)
	b.Cols[0].(*column.Fixed[int64]).Values[1] = 1
	b.Change[0] = column.Retract
	if err := s.Process(0, b, nil); err != nil {
		t.Fatal(err)
	}
	var events []map[string]any
	if err := json.Unmarshal([]byte(r.got[0].Batch), &events); err != nil {
		t.Fatal(err)
	}
	if len(events) != 1 || events[0]["op"] != "u" || !reflect.DeepEqual(r.got[0].Timestamps, []int64{7000}) {
		t.Errorf("got %v at %v", events, r.got[0].Timestamps)
	}
}

func TestWithoutAReceiver(t *testing.T) {
	s := open(t, connectortest.NewHost(t, 0, 1, 10), nil, graph.Append)
	if err := s.Process(0, rows(false), nil); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

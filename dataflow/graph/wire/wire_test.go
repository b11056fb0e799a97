package wire_test

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/graph/wire"
)

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		want := filler{rt}.program()
		b, err := wire.Encode(want)
		if err != nil {
			rt.Fatal(err)
		}
		got, err := wire.Decode(b)
		if err != nil {
			rt.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			rt.Fatalf("got %#v\nwant %#v", got, want)
		}
		again, err := wire.Encode(got)
		if err != nil || !bytes.Equal(b, again) {
			rt.Fatalf("the second encoding differs (%v)", err)
		}
	})
}

func small() *graph.Program {
	row := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64},
		{Name: "doc", Type: arrow.BinaryTypes.String, Nullable: true, Metadata: expr.JSONMetadata},
	}, nil)
	return &graph.Program{
		SQL: "SELECT count(*) FROM t",
		Nodes: []graph.Node{
			{ID: "source", Out: row, Spec: &graph.SourceSpec{
				Table: "t", Connector: "impulse", Schema: row, Options: map[string]string{"b": "2", "a": "1", "c": "3"},
			}},
			{ID: "project", Out: row, Spec: &graph.ProjectSpec{Exprs: []*expr.Node{}}},
			{ID: "aggregate", Mode: graph.Updating, Out: row, Spec: &graph.UpdatingAggregateSpec{
				Aggs: []agg.Call{{Name: "count", Filter: -1, Type: arrow.PrimitiveTypes.Int64}},
			}},
		},
		Edges: []graph.Edge{{From: 0, To: 1}, {From: 1, To: 2, Kind: graph.Shuffle, Keys: []int{1}}},
	}
}

// The hash is part of what is stored: it may only change together with the format version.
func TestHashIsFrozen(t *testing.T) {
	const want = "496617b7740f5c7a8edd93e469f6795c70a4e4728b411ed3740860d8642c1e91"
	for range 20 {
		if got := wire.Hash(small()); got != want {
			t.Fatalf("hash %s", got)
		}
	}
}

func TestEmptyProjectionIsNotTheIdentity(t *testing.T) {
	b, err := wire.Encode(small())
	if err != nil {
		t.Fatal(err)
	}
	p, err := wire.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	if s := p.Nodes[1].Spec.(*graph.ProjectSpec); s.Exprs == nil || len(s.Exprs) != 0 {
		t.Errorf("no expressions became %v", s.Exprs)
	}
	if !expr.IsJSON(p.Nodes[0].Out.Field(1)) {
		t.Error("the JSON mark is lost")
	}
}

func TestFloatBitsSurvive(t *testing.T) {
	for _, f := range []float64{math.Inf(-1), math.Copysign(0, -1), math.NaN(), math.MaxFloat64} {
		p := small()
		p.Nodes[1].Spec = &graph.ProjectSpec{Filter: expr.NewLiteral(arrow.PrimitiveTypes.Float64, f)}
		b, err := wire.Encode(p)
		if err != nil {
			t.Fatal(err)
		}
		q, err := wire.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		got := q.Nodes[1].Spec.(*graph.ProjectSpec).Filter.Value.(float64)
		if math.Float64bits(got) != math.Float64bits(f) {
			t.Errorf("%v became %v", f, got)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for name, spoil := range map[string]func(*graph.Program){
		"negative column": func(p *graph.Program) { p.Edges[1].Keys = []int{-1} },
		"no spec":         func(p *graph.Program) { p.Nodes[0].Spec = nil },
		"text not UTF-8":  func(p *graph.Program) { p.SQL = "\xff" },
		"literal of a map": func(p *graph.Program) {
			p.Nodes[1].Spec = filter(&expr.Node{Kind: expr.Literal, Type: arrow.Null, Value: 1})
		},
		"expression no type": func(p *graph.Program) { p.Nodes[1].Spec = filter(&expr.Node{Kind: expr.RowTime}) },
		"missing expression": func(p *graph.Program) { p.Nodes[1].Spec = &graph.ProjectSpec{Exprs: []*expr.Node{nil}} },
		"unknown expression": func(p *graph.Program) { p.Nodes[1].Spec = filter(&expr.Node{Kind: 99, Type: arrow.Null}) },
		"unknown window":     func(p *graph.Program) { p.Nodes[1].Spec = &graph.WindowAggregateSpec{} },
		"order by nothing": func(p *graph.Program) {
			p.Nodes[2].Spec.(*graph.UpdatingAggregateSpec).Aggs[0].OrderBy = []agg.Order{{Arg: 0}}
		},
		"unknown rank": func(p *graph.Program) { p.Nodes[1].Spec = &graph.TopNSpec{} },
		"offset below zero": func(p *graph.Program) {
			p.Nodes[1].Spec = &graph.TopNSpec{Rank: graph.Rank, Offset: -1}
		},
		"unknown frame": func(p *graph.Program) {
			p.Nodes[1].Spec = &graph.OverSpec{Calls: []graph.OverCall{{Call: agg.Call{Type: arrow.Null}, Frame: graph.Frame{Unit: 9}}}}
		},
		"null parameter": func(p *graph.Program) {
			p.Nodes[2].Spec.(*graph.UpdatingAggregateSpec).Aggs[0].Params = []any{nil}
		},
		"run-end encoding": func(p *graph.Program) {
			p.Nodes[0].Out = arrow.NewSchema([]arrow.Field{{Type: arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.Null)}}, nil)
		},
	} {
		p := small()
		spoil(p)
		if _, err := wire.Encode(p); err == nil {
			t.Errorf("%s: no error", name)
		}
		if wire.Hash(p) != "" {
			t.Errorf("%s: a hash", name)
		}
	}
}

func filter(n *expr.Node) graph.Spec { return &graph.ProjectSpec{Filter: n} }

func TestDecodeRefuses(t *testing.T) {
	b, err := wire.Encode(small())
	if err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*wire.Program){
		"later version":   func(p *wire.Program) { p.Version = 2 },
		"repeated id":     func(p *wire.Program) { p.Nodes[1].Id = "source" },
		"no id":           func(p *wire.Program) { p.Nodes[1].Id = "" },
		"edge backwards":  func(p *wire.Program) { p.Edges[0].From, p.Edges[0].To = 1, 0 },
		"edge to nowhere": func(p *wire.Program) { p.Edges[0].To = 9 },
		"edge of a sink":  func(p *wire.Program) { p.Nodes[0].Out = nil },
		"key to nowhere":  func(p *wire.Program) { p.Edges[1].Keys = []uint32{2} },
		"no spec":         func(p *wire.Program) { p.Nodes[2].Spec = nil },
		"huge number":     func(p *wire.Program) { p.Nodes[2].MaxParallelism = math.MaxUint32 },
		"unknown type":    func(p *wire.Program) { p.Nodes[0].Out.Fields[0].Type.Kind = 99 },
		"list of nothing": func(p *wire.Program) { p.Nodes[0].Out.Fields[0].Type.Kind = wire.TypeKind_TYPE_KIND_LIST },
		"half a case": func(p *wire.Program) {
			p.Nodes[1].GetProject().Filter = &wire.Expr{Kind: wire.ExprKind_EXPR_KIND_CASE, Type: &wire.Type{Kind: 1}}
		},
		"session without a gap": func(p *wire.Program) {
			p.Nodes[2].Spec = &wire.Node_SessionAggregate{SessionAggregate: &wire.SessionAggregateSpec{}}
		},
		"order by nothing": func(p *wire.Program) {
			p.Nodes[2].GetUpdatingAggregate().Aggs[0].OrderBy = []*wire.AggregateOrder{{Arg: 0}}
		},
		"unknown rank": func(p *wire.Program) {
			p.Nodes[2].Spec = &wire.Node_TopN{TopN: &wire.TopNSpec{Rank: 258}}
		},
		"offset below zero": func(p *wire.Program) {
			p.Nodes[2].Spec = &wire.Node_TopN{TopN: &wire.TopNSpec{Rank: 1, Offset: -1}}
		},
		"half a frame": func(p *wire.Program) {
			p.Nodes[2].Spec = &wire.Node_Over{Over: &wire.OverSpec{Calls: []*wire.OverCall{{
				Call: &wire.AggregateCall{Type: &wire.Type{Kind: 1}}, Frame: &wire.Frame{Unit: 1},
			}}}}
		},
		"null parameter": func(p *wire.Program) {
			p.Nodes[2].GetUpdatingAggregate().Aggs[0].Params = []*wire.Value{{}}
		},
		"repeated option": func(p *wire.Program) {
			s := p.Nodes[0].GetSource()
			s.Options = append(s.Options, s.Options[0])
		},
	} {
		var msg wire.Program
		if err := proto.Unmarshal(b, &msg); err != nil {
			t.Fatal(err)
		}
		spoil(&msg)
		bad, err := proto.Marshal(&msg)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wire.Decode(bad); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := wire.Decode([]byte("garbage")); err == nil {
		t.Error("garbage is a program")
	}
}

// Whatever Decode accepts is a program that Encode writes and that reads back the same.
func FuzzDecode(f *testing.F) {
	b, err := wire.Encode(small())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := wire.Decode(b)
		if err != nil {
			return
		}
		c, err := wire.Encode(p)
		if err != nil {
			t.Fatalf("a program that was read cannot be written: %v", err)
		}
		if _, err := wire.Decode(c); err != nil {
			t.Fatalf("a program that was written cannot be read: %v", err)
		}
	})
}

package wire_test

import (
	"fmt"
	"reflect"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"pgregory.net/rapid"

	"wadi/dataflow/agg"
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
)

// filler draws values of every field by reflection, so that a field that is added to a spec and forgotten in the format
// fails the round trip.
type filler struct{ *rapid.T }

func (f filler) program() *graph.Program {
	p := &graph.Program{SQL: f.text()}
	n := f.n(1, 6)
	for i := range n {
		node := graph.Node{Spec: f.spec()}
		f.fill(reflect.ValueOf(&node).Elem())
		node.ID = fmt.Sprintf("%s-%d", node.ID, i)
		if node.Out == nil && i < n-1 {
			node.Out = f.schema()
		}
		p.Nodes = append(p.Nodes, node)
	}
	for to := 1; to < n; to++ {
		e := graph.Edge{From: f.n(0, to-1), To: to, Input: f.n(0, 1), Kind: graph.EdgeKind(f.n(0, 1))}
		e.Keys = f.columns(p.Nodes[e.From].Out.NumFields())
		p.Edges = append(p.Edges, e)
	}
	return p
}

func (f filler) spec() graph.Spec {
	specs := []graph.Spec{
		&graph.SourceSpec{}, &graph.ProjectSpec{}, &graph.WatermarkSpec{}, &graph.WindowAggregateSpec{}, &graph.AssignSpec{},
		&graph.UpdatingAggregateSpec{}, &graph.SessionAggregateSpec{}, &graph.SinkSpec{}, &graph.TopNSpec{}, &graph.OverSpec{},
		&graph.JoinSpec{}, &graph.WindowJoinSpec{}, &graph.IntervalJoinSpec{}, &graph.AsofJoinSpec{}, &graph.LookupJoinSpec{},
		&graph.ValuesSpec{}, &graph.SeriesSpec{}, &graph.UnnestSpec{}, &graph.LateralSpec{},
	}
	s := rapid.SampledFrom(specs).Draw(f.T, "spec")
	f.fill(reflect.ValueOf(s).Elem())
	switch s := s.(type) {
	case *graph.SourceSpec:
		s.PrimaryKey = f.columns(s.Schema.NumFields())
		if s.Metadata != nil {
			s.Metadata = make([]string, s.Schema.NumFields())
		}
	case *graph.SessionAggregateSpec:
		s.Gap = int64(f.n(1, 1e9))
	case *graph.TopNSpec:
		s.Offset = int64(f.n(0, 9))
	case *graph.AsofJoinSpec:
		s.Ended, s.Reach, s.TTL = f.n(-1, 9), int64(f.n(0, 1e9)), int64(f.n(0, 1e9))
	case *graph.LookupJoinSpec:
		s.Table.PrimaryKey = f.columns(s.Table.Schema.NumFields())
		s.Keys = append([]int(nil), s.Table.PrimaryKey...)
		if s.Table.Metadata != nil {
			s.Table.Metadata = make([]string, s.Table.Schema.NumFields())
		}
	case *graph.ValuesSpec:
		for i := range s.Rows {
			s.Rows[i] = []*expr.Node{f.expr(2), f.expr(1)}
		}
	case *graph.SeriesSpec:
		s.Start, s.Stop, s.Step = f.expr(2), f.expr(1), f.expr(0)
	case *graph.SinkSpec:
		s.PrimaryKey = f.columns(s.Schema.NumFields())
	}
	return s
}

func (f filler) fill(v reflect.Value) {
	switch x := v.Addr().Interface().(type) {
	case *graph.Spec:
		return
	case **arrow.Schema:
		*x = f.schema()
	case *arrow.DataType:
		*x = f.dataType(2)
	case **expr.Node:
		if f.bool() {
			*x = f.expr(3)
		}
	case *[]*expr.Node:
		*x = f.exprs()
	case *graph.JoinKind:
		*x = graph.InnerJoin
	case *graph.RankKind:
		*x = graph.RankKind(f.n(1, 3))
	case *graph.LateralStep:
		step := graph.LateralStep{Out: f.schema()}
		switch f.n(0, 6) {
		case 6:
			step.Pad = true
		case 5:
			step.Lateral = &graph.LateralSpec{Keep: f.columns(3), Kind: graph.SemiJoin, Steps: []graph.LateralStep{{Pad: true, Out: f.schema()}}}
		case 4:
			step.Match = &graph.LateralMatch{Rows: [][]*expr.Node{{f.expr(1), f.expr(0)}, {f.expr(0), f.expr(0)}}}
			if f.bool() {
				step.Match.Keys, step.Match.RowKeys = []int{f.n(0, 9), 0}, []int{1, f.n(0, 1)}
			}
			if f.bool() && step.Match.Keys != nil {
				step.Match.NullSafe = []bool{f.bool(), f.bool()}
			}
		case 0:
			step.Unnest = &graph.UnnestSpec{}
			f.fillStruct(reflect.ValueOf(step.Unnest).Elem())
		case 1:
			step.Project = &graph.ProjectSpec{}
			f.fillStruct(reflect.ValueOf(step.Project).Elem())
		case 2:
			step.Aggregate = &graph.LateralAggregate{}
			f.fillStruct(reflect.ValueOf(step.Aggregate).Elem())
		default:
			step.Top = &graph.LateralTop{}
			f.fillStruct(reflect.ValueOf(step.Top).Elem())
			step.Top.Offset = int64(f.n(0, 9))
		}
		*x = step
	case *graph.UnnestKind:
		*x = graph.UnnestKind(f.n(1, 3))
	case *graph.UnnestCall:
		f.fillStruct(v)
		x.Args = []int{f.n(0, 9)}
		if x.Kind == graph.UnnestSeries {
			x.Args = []int{f.n(0, 9), f.n(0, 9), f.n(0, 9)}
		}
	case *graph.Frame:
		if f.bool() {
			f.fillStruct(v)
		}
	case *graph.FrameUnit:
		*x = graph.FrameUnit(f.n(1, 3))
	case *graph.Exclusion:
		*x = graph.Exclusion(f.n(0, 3))
	case *graph.Bound:
		*x = graph.Bound{Kind: graph.BoundKind(f.n(1, 5)), N: int64(f.n(0, 9))}
	case *graph.WindowKind:
		*x = graph.WindowKind(f.n(1, 3))
	case *graph.Mode:
		*x = graph.Mode(f.n(0, 1))
	case *graph.JoinOn:
		f.fillStruct(v)
		x.Kind = graph.JoinKind(f.n(1, 6))
		x.RightKeys, x.NullSafe = nil, nil
		for range x.LeftKeys {
			x.RightKeys = append(x.RightKeys, f.n(0, 9))
		}
		if f.bool() {
			for range x.LeftKeys {
				x.NullSafe = append(x.NullSafe, f.bool())
			}
		}
	case *graph.Window:
		*x = graph.Window{
			Kind: graph.WindowKind(f.n(1, 3)), Width: int64(f.n(1, 1e9)), Slide: int64(f.n(1, 1e9)),
			WidthUnit: graph.Unit(f.n(0, 2)), SlideUnit: graph.Unit(f.n(0, 2)), Zone: []string{"", "Europe/Berlin"}[f.n(0, 1)],
			Offset: graph.Offset{Months: int64(f.n(-5, 5)), Days: int64(f.n(-50, 50)), Nanos: int64(f.n(-1e9, 1e9))},
		}
	case *agg.Call:
		f.fillStruct(v)
		x.ArgTypes = nil
		for range x.Args {
			x.ArgTypes = append(x.ArgTypes, f.dataType(1))
		}
		x.Filter = f.n(-1, 3)
		if x.OrderBy = nil; len(x.Args) > 0 && f.bool() {
			x.OrderBy = []agg.Order{{Arg: f.n(0, len(x.Args)-1), Desc: f.bool(), NullsFirst: f.bool()}}
		}
	case *any:
		if *x = f.literal(); *x == nil {
			*x = int64(1)
		}
	default:
		f.fillPlain(v)
	}
}

func (f filler) fillStruct(v reflect.Value) {
	for i := range v.NumField() {
		f.fill(v.Field(i))
	}
}

func (f filler) fillPlain(v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		f.fillStruct(v)
	case reflect.String:
		v.SetString(f.text())
	case reflect.Bool:
		v.SetBool(f.bool())
	case reflect.Int:
		v.SetInt(int64(f.n(0, 1<<31-1)))
	case reflect.Int64:
		v.SetInt(rapid.Int64().Draw(f.T, "int64"))
	case reflect.Slice:
		if n := f.n(0, 3); n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
			for i := range n {
				f.fill(v.Index(i))
			}
		}
	case reflect.Map:
		m := rapid.MapOfN(rapid.StringN(0, 4, -1), rapid.StringN(0, 4, -1), 0, 4).Draw(f.T, "map")
		if len(m) > 0 {
			v.Set(reflect.ValueOf(m))
		}
	default:
		f.Fatalf("a program now holds a %v: teach the test to draw one", v.Type())
	}
}

func (f filler) n(lo, hi int) int { return rapid.IntRange(lo, hi).Draw(f.T, "n") }
func (f filler) bool() bool       { return rapid.Bool().Draw(f.T, "bool") }
func (f filler) text() string     { return rapid.StringN(0, 6, -1).Draw(f.T, "text") }

func (f filler) columns(n int) []int {
	if n == 0 || f.bool() {
		return nil
	}
	return rapid.SliceOfN(rapid.IntRange(0, n-1), 1, 3).Draw(f.T, "columns")
}

func (f filler) schema() *arrow.Schema {
	md := f.metadata()
	return arrow.NewSchema(f.fields(f.n(0, 3), 2), &md)
}

func (f filler) metadata() arrow.Metadata {
	if f.bool() {
		return arrow.Metadata{}
	}
	return arrow.MetadataFrom(map[string]string{f.text(): f.text(), "k": f.text()})
}

func (f filler) fields(n, depth int) []arrow.Field {
	out := make([]arrow.Field, n)
	for i := range out {
		out[i] = arrow.Field{Name: f.text(), Type: f.dataType(depth), Nullable: f.bool(), Metadata: f.metadata()}
	}
	return out
}

func (f filler) dataType(depth int) arrow.DataType {
	unit := arrow.TimeUnit(f.n(0, 3))
	plain := []arrow.DataType{
		arrow.Null, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32,
		arrow.PrimitiveTypes.Uint64, arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64,
		arrow.BinaryTypes.String, arrow.BinaryTypes.LargeString, arrow.BinaryTypes.StringView, arrow.BinaryTypes.Binary,
		arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.BinaryView, arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64,
		arrow.FixedWidthTypes.MonthInterval, arrow.FixedWidthTypes.DayTimeInterval, arrow.FixedWidthTypes.MonthDayNanoInterval,
		expr.Timestamp, expr.Interval, expr.Window,
		&arrow.TimestampType{Unit: unit, TimeZone: f.text()}, &arrow.Time32Type{Unit: unit}, &arrow.Time64Type{Unit: unit},
		&arrow.DurationType{Unit: unit}, &arrow.FixedSizeBinaryType{ByteWidth: f.n(0, 9)},
		&arrow.Decimal128Type{Precision: int32(f.n(1, 38)), Scale: int32(f.n(-3, 9))},
		&arrow.Decimal256Type{Precision: int32(f.n(1, 76)), Scale: int32(f.n(-3, 9))},
	}
	k := f.n(0, len(plain)+5)
	if k < len(plain) {
		return plain[k]
	}
	if depth == 0 {
		return arrow.Null
	}
	switch k - len(plain) {
	case 0:
		return arrow.ListOfField(f.fields(1, depth-1)[0])
	case 1:
		return arrow.LargeListOfField(f.fields(1, depth-1)[0])
	case 2:
		return arrow.FixedSizeListOfField(int32(f.n(1, 5)), f.fields(1, depth-1)[0])
	case 3:
		fs := f.fields(2, depth-1)
		fs[0].Nullable = false
		m := arrow.MapOfFields(fs[0], fs[1])
		m.KeysSorted = f.bool()
		return m
	case 4:
		return &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int16, ValueType: f.dataType(depth - 1), Ordered: f.bool()}
	}
	return arrow.StructOf(f.fields(f.n(0, 3), depth-1)...)
}

func (f filler) exprs() []*expr.Node {
	switch n := f.n(-1, 3); {
	case n < 0:
		return nil
	default:
		out := make([]*expr.Node, n)
		for i := range out {
			out[i] = f.expr(2)
		}
		return out
	}
}

func (f filler) expr(depth int) *expr.Node {
	n := &expr.Node{Kind: expr.Kind(f.n(1, 8)), Type: f.dataType(1), Nullable: f.bool(), Name: f.text(), Index: f.n(0, 9)}
	f.fill(reflect.ValueOf(&n.Span).Elem())
	args := map[expr.Kind]int{expr.Call: f.n(0, 3), expr.Cast: 1, expr.TryCast: 1, expr.Case: f.n(2, 5), expr.Field: 1}[n.Kind]
	if depth == 0 && args > 0 {
		n.Kind, args = expr.RowTime, 0
	}
	for range args {
		n.Args = append(n.Args, f.expr(depth-1))
	}
	if n.Kind == expr.Field {
		n.Args[0].Type, n.Index = expr.Window, f.n(0, 1)
	}
	if n.Kind == expr.Literal {
		n.Value = f.literal()
	}
	return n
}

func (f filler) literal() any {
	i := rapid.Int64().Draw(f.T, "int")
	return rapid.SampledFrom([]any{
		nil, f.bool(), i, uint64(i), rapid.Float64().Draw(f.T, "float"), f.text(), "\xff\x00", []byte{}, []byte{0, 255},
		decimal128.New(i, uint64(i)*3), arrow.MonthDayNanoInterval{Months: int32(i), Days: -3, Nanoseconds: i},
	}).Draw(f.T, "literal")
}

package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Values is rows that stand in the query; expressions look at no columns and have the columns' types.
type Values struct {
	base
	Rows [][]*expr.Node
}

// NewValues makes a Values; fields gives the names and types of the columns.
func NewValues(rows [][]*expr.Node, fields []arrow.Field, span fault.Span) *Values {
	for i := range fields {
		fields[i].Nullable = false
		for _, r := range rows {
			fields[i].Nullable = fields[i].Nullable || r[i].Nullable
		}
	}
	return &Values{base: base{arrow.NewSchema(fields, nil), Properties{}, span}, Rows: rows}
}

// NewOnce makes the relation of one row, which a SELECT without FROM reads.
func NewOnce(span fault.Span) *Values {
	row := []*expr.Node{expr.NewLiteral(arrow.FixedWidthTypes.Boolean, true).At(span)}
	return NewValues([][]*expr.Node{row}, []arrow.Field{{Name: "row", Type: arrow.FixedWidthTypes.Boolean}}, span)
}

// Inputs implements Node.
func (v *Values) Inputs() []Node { return nil }

// WithInputs implements Node.
func (v *Values) WithInputs([]Node) Node { return v }

// Series is the values of a generate_series or range whose bounds look at no columns.
type Series struct {
	base
	Spec graph.SeriesSpec
}

// NewSeries makes a Series; name is that of the values.
func NewSeries(spec graph.SeriesSpec, name string, span fault.Span) *Series {
	fields := []arrow.Field{{Name: name, Type: spec.Start.Type}}
	if spec.Ordinality {
		fields = append(fields, ordinality(false))
	}
	return &Series{base: base{arrow.NewSchema(fields, nil), Properties{}, span}, Spec: spec}
}

// Inputs implements Node.
func (s *Series) Inputs() []Node { return nil }

// WithInputs implements Node.
func (s *Series) WithInputs([]Node) Node { return s }

// ordinality is the column of WITH ORDINALITY.
func ordinality(nullable bool) arrow.Field {
	return arrow.Field{Name: "ordinality", Type: arrow.PrimitiveTypes.Int64, Nullable: nullable}
}

package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Small is a query that runs for every row by itself, as graph.LateralSpec says.
type Small struct {
	// Kind is Inner, Left, Semi or Anti.
	Kind graph.JoinKind
	// Keep is computed for every input row and stands in front of its results; KeepFields names it.
	Keep       []*expr.Node
	KeepFields []arrow.Field
	// Outer is what the steps look at of the input row, computed for every input row.
	Outer []*expr.Node
	// Steps are those of graph.LateralSpec, but that Outer stands where the input columns are there. Names are those of the
	// last step's columns.
	Steps []graph.LateralStep
	Names []string
	// Single says that there is exactly one row of results for every input row.
	Single bool
}

// Lateral puts each input row beside the rows of its small query. Its columns are the kept ones and then, but for semi and
// anti joins, those of the last step.
type Lateral struct {
	base
	Small
	Input Node
}

// NewLateral makes a Lateral.
func NewLateral(in Node, s Small, span fault.Span) *Lateral {
	var fields []arrow.Field
	for i, k := range s.Keep {
		fields = append(fields, arrow.Field{Name: s.KeepFields[i].Name, Type: k.Type, Nullable: k.Nullable, Metadata: s.KeepFields[i].Metadata})
	}
	p := in.Properties().project(s.Keep)
	if s.pairs() {
		for i, f := range s.Steps[len(s.Steps)-1].Out.Fields() {
			f.Name, f.Nullable = s.Names[i], f.Nullable || s.Kind == graph.LeftJoin
			fields = append(fields, f)
		}
		if !s.Single {
			p.Key = nil
		}
	}
	return &Lateral{base: base{arrow.NewSchema(fields, nil), p, span}, Small: s, Input: in}
}

// pairs reports whether the results of the small query are among the columns.
func (s *Small) pairs() bool { return s.Kind == graph.InnerJoin || s.Kind == graph.LeftJoin }

// Inputs implements Node.
func (l *Lateral) Inputs() []Node { return []Node{l.Input} }

// WithInputs implements Node.
func (l *Lateral) WithInputs(in []Node) Node { return NewLateral(in[0], l.Small, l.span) }

// Map is the same node over another input, with f applied to every expression over it.
func (l *Lateral) Map(in Node, f func(*expr.Node) *expr.Node) *Lateral {
	s := l.Small
	s.Keep, s.Outer = mapped(l.Keep, f), mapped(l.Outer, f)
	return NewLateral(in, s, l.span)
}

// Exprs are all expressions over the input.
func (l *Lateral) Exprs() []*expr.Node {
	return append(l.Keep[:len(l.Keep):len(l.Keep)], l.Outer...)
}

// OverInput gives the steps as graph.LateralSpec has them: the values that they look at are input columns with these numbers.
func (s *Small) OverInput(columns []int) []graph.LateralStep {
	steps := make([]graph.LateralStep, len(s.Steps))
	own := 0
	for i, t := range s.Steps {
		if t.Project != nil {
			t.Project = overInput(t.Project, own, columns)
		}
		own = t.Out.NumFields()
		steps[i] = t
	}
	return steps
}

func overInput(p *graph.ProjectSpec, own int, columns []int) *graph.ProjectSpec {
	move := func(n *expr.Node) *expr.Node {
		return n.Map(func(x *expr.Node) *expr.Node {
			if x.Kind == expr.Column && x.Index >= own {
				x.Index = own + columns[x.Index-own]
			}
			return x
		})
	}
	out := *p
	if p.Filter != nil {
		out.Filter = move(p.Filter)
	}
	if p.Exprs != nil {
		out.Exprs = mapped(p.Exprs, move)
	}
	return &out
}

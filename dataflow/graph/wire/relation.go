package wire

import (
	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
)

func (e *encoder) values(s *graph.ValuesSpec) *ValuesSpec {
	msg := &ValuesSpec{}
	for _, row := range s.Rows {
		if len(row) != len(s.Rows[0]) {
			e.fail("the rows of a constant relation have %d and %d values", len(s.Rows[0]), len(row))
		}
		msg.Rows = append(msg.Rows, &Exprs{Exprs: e.exprs(row)})
	}
	return msg
}

func (d *decoder) values(msg *ValuesSpec) graph.Spec {
	s := &graph.ValuesSpec{}
	for _, row := range msg.GetRows() {
		s.Rows = append(s.Rows, d.exprs(row.GetExprs()))
		if last := len(s.Rows) - 1; len(s.Rows[last]) != len(s.Rows[0]) {
			d.fail("the rows of a constant relation have %d and %d values", len(s.Rows[0]), len(s.Rows[last]))
		}
	}
	return s
}

func (e *encoder) series(s *graph.SeriesSpec) *SeriesSpec {
	b := e.exprs([]*expr.Node{s.Start, s.Stop, s.Step})
	return &SeriesSpec{Start: b[0], Stop: b[1], Step: b[2], Including: s.Including, Ordinality: s.Ordinality}
}

func (d *decoder) series(msg *SeriesSpec) graph.Spec {
	b := d.exprs([]*Expr{msg.GetStart(), msg.GetStop(), msg.GetStep()})
	return &graph.SeriesSpec{Start: b[0], Stop: b[1], Step: b[2], Including: msg.GetIncluding(), Ordinality: msg.GetOrdinality()}
}

// unnestArgs gives the number of arguments of each kind of call. The kinds have the same numbers in a program and in its
// message.
var unnestArgs = map[graph.UnnestKind]int{graph.UnnestList: 1, graph.UnnestMap: 1, graph.UnnestSeries: 3}

func (e *encoder) unnest(s *graph.UnnestSpec) *UnnestSpec {
	msg := &UnnestSpec{Keep: e.uints(s.Keep), Ordinality: s.Ordinality, Outer: s.Outer}
	for _, c := range s.Calls {
		if n, known := unnestArgs[c.Kind]; !known || n != len(c.Args) {
			e.fail("an unnest of kind %d has %d arguments", c.Kind, len(c.Args))
		}
		msg.Calls = append(msg.Calls, &UnnestCall{Kind: UnnestKind(c.Kind), Args: e.uints(c.Args), Including: c.Including, NullRow: c.NullRow})
	}
	return msg
}

func (d *decoder) unnest(msg *UnnestSpec) graph.Spec {
	s := &graph.UnnestSpec{Keep: d.ints(msg.GetKeep()), Ordinality: msg.GetOrdinality(), Outer: msg.GetOuter()}
	for _, m := range msg.GetCalls() {
		c := graph.UnnestCall{Kind: graph.UnnestKind(m.GetKind()), Args: d.ints(m.GetArgs()), Including: m.GetIncluding(), NullRow: m.GetNullRow()}
		if n, known := unnestArgs[c.Kind]; !known || n != len(c.Args) {
			d.fail("an unnest of kind %d has %d arguments", m.GetKind(), len(c.Args))
		}
		s.Calls = append(s.Calls, c)
	}
	return s
}

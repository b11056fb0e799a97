package logical

import (
	"slices"

	"wadi/dataflow/expr"
	"wadi/dataflow/graph"
	"wadi/dataflow/grid"
)

// WindowPart is what a column holds of the window that its row is a result of.
type WindowPart uint8

// The parts of a window: the struct {start, end}, its members, and the event time of its results, end − 1 ns.
const (
	WholeWindow WindowPart = iota
	WindowStart
	WindowEnd
	WindowTime
)

// WindowColumn is a column that holds a part of its row's window.
type WindowColumn struct {
	Column int
	Part   WindowPart
}

// WindowPart tells what an expression over the columns is of the row's window; ok is false if it is nothing of it.
func (p Properties) WindowPart(n *expr.Node) (part WindowPart, ok bool) {
	if p.Window == nil {
		return 0, false
	}
	switch n.Kind {
	case expr.RowTime:
		return WindowTime, true
	case expr.Column:
		return partOf(p.WindowColumns, n.Index)
	case expr.Field:
		if part, ok := p.WindowPart(n.Args[0]); !ok || part != WholeWindow {
			return 0, false
		}
		if n.Name == "start" {
			return WindowStart, true
		}
		return WindowEnd, n.Name == "end"
	case expr.Call:
		return p.coalesced(n)
	}
	return 0, false
}

func partOf(columns []WindowColumn, c int) (WindowPart, bool) {
	for _, w := range columns {
		if w.Column == c {
			return w.Part, true
		}
	}
	return 0, false
}

// Padded is the window columns of a full join: of every row, those of one side hold the row's window, those of the other may
// be null.
type Padded struct{ Left, Right []WindowColumn }

// coalesced recognises coalesce(left, right) over the same part of both sides of a full join.
func (p Properties) coalesced(n *expr.Node) (WindowPart, bool) {
	if n.Name != "coalesce" || len(n.Args) != 2 {
		return 0, false
	}
	for _, sides := range [][2][]WindowColumn{{p.Padded.Left, p.Padded.Right}, {p.Padded.Right, p.Padded.Left}} {
		a, okA := Properties{Window: p.Window, WindowColumns: sides[0]}.WindowPart(n.Args[0])
		b, okB := Properties{Window: p.Window, WindowColumns: sides[1]}.WindowPart(n.Args[1])
		if okA && okB && a == b {
			return a, true
		}
	}
	return 0, false
}

// projected carries window columns over to a node that computes exprs.
func projected(columns []WindowColumn, exprs []*expr.Node, w *graph.Window) []WindowColumn {
	var out []WindowColumn
	for i, e := range exprs {
		if part, ok := (Properties{Window: w, WindowColumns: columns}).WindowPart(e); ok && e.Kind != expr.RowTime {
			out = append(out, WindowColumn{i, part})
		}
	}
	return out
}

// commonWindows are the columns that hold the same part in both lists.
func commonWindows(a, b []WindowColumn) []WindowColumn {
	var out []WindowColumn
	for _, c := range a {
		if slices.Contains(b, c) {
			out = append(out, c)
		}
	}
	return out
}

func shiftedWindows(columns []WindowColumn, by int) []WindowColumn {
	out := slices.Clone(columns)
	for i := range out {
		out[i].Column += by
	}
	return out
}

// Identifies reports whether rows that agree in this part of their windows are results at the same event time. Sessions, and
// the windows of cumulate, begin together and end at different times.
func (p WindowPart) Identifies(w graph.Window) bool {
	return p != WindowStart || w.Kind == graph.Tumble || w.Kind == graph.Hop
}

// EndsApart reports whether no two windows end at the same time, so that the event time of a result tells its window.
func EndsApart(w graph.Window) bool {
	switch w.Kind {
	case Session:
		return false
	case graph.Hop: // whose ends may fall together at the end of a short month
		_, slides := grid.Slides(w)
		return slides || w.WidthUnit == graph.Nanoseconds
	}
	return true
}

// Package logical is the plan as relations: what a query means, before it is decided how it runs.
//
// What comes in: nodes that the binder makes, with expressions over the columns of their inputs. What goes out: the same
// nodes, rewritten by package rewrite and laid out by package physical. Nodes are not modified once built: a rewrite makes
// new ones. A node may be the input of several others (a view, a CTE, a table that is read twice): then it is the same
// pointer, and stays one when rewritten. Nothing here blocks or keeps state.
package logical

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
)

// Session is the kind of window that session(gap) makes: Width is the gap. Its results end anywhere, which is a Slide of
// 1 ns. It is a kind of the logical plan alone; the program has an operator of its own for it.
const Session graph.WindowKind = 255

// Node is a relation: one of *Scan, *Values, *Series, *Watermark, *Project, *Filter, *Aggregate, *Assign, *Union, *Unnest,
// *Lateral, *Join, *Asof, *Lookup, *TopN, *Over, *Sink.
type Node interface {
	// Schema is the row; names are for people and sinks, expressions go by position.
	Schema() *arrow.Schema
	Inputs() []Node
	// WithInputs is the same node over other inputs of the same number, whose columns mean the same at the same positions.
	WithInputs(in []Node) Node
	Properties() Properties
	Span() fault.Span
}

// StateBound says what bounds the state that an operator keeps.
type StateBound uint8

// The state bounds.
const (
	// StateNone: nothing is kept beyond a position or a watermark.
	StateNone StateBound = iota
	// StateWindow: the watermark clears it.
	StateWindow
	// StateTTL: idle keys are forgotten after updating_ttl.
	StateTTL
	// StateUnbounded: nothing clears it.
	StateUnbounded
)

// String is the bound as plans show it.
func (b StateBound) String() string { return [...]string{"none", "window", "ttl", "unbounded"}[b] }

// Properties are what is known about a node's rows.
type Properties struct {
	// Mode says whether rows can be retracted.
	Mode graph.Mode
	// Key holds the columns that identify a row of an updating stream; nil when nothing does.
	Key []int
	// Window is the time window that every row is a result of, so that its event time is the window's end − 1 ns; nil for
	// other streams. WindowColumns are the columns that hold that window or a part of it, Padded those of a full join.
	Window        *graph.Window
	WindowColumns []WindowColumn
	Padded        Padded
	// TimeColumns hold the row's event time, unchanged.
	TimeColumns []int
	// State is what the node itself keeps.
	State StateBound
}

// project carries properties of columns over to a node that computes exprs.
func (p Properties) project(exprs []*expr.Node) Properties {
	at := make(map[int]int, len(exprs))
	for i, e := range exprs {
		if c, ok := Identity(e); ok {
			if _, dup := at[c]; !dup {
				at[c] = i
			}
		}
	}
	out := Properties{Mode: p.Mode, Window: p.Window}
	out.Key = mapAll(p.Key, at)
	out.Padded = Padded{projected(p.Padded.Left, exprs, p.Window), projected(p.Padded.Right, exprs, p.Window)}
	for i, e := range exprs {
		if part, ok := p.WindowPart(e); ok {
			out.WindowColumns = append(out.WindowColumns, WindowColumn{i, part})
		}
		if e.Kind == expr.RowTime || e.Kind == expr.Column && contains(p.TimeColumns, e.Index) {
			out.TimeColumns = append(out.TimeColumns, i)
		}
	}
	return out
}

// staying is what identifies a row behind an operator that sees the rows of each partition by themselves. A row whose key
// does not name its partition may move to another one, and its insertion may come before its retraction then, which would
// look like a deletion: such a key identifies it no more.
func (p Properties) staying(partition []int) []int {
	for _, c := range partition {
		if !contains(p.Key, c) {
			return nil
		}
	}
	return p.Key
}

// Identity reports the column whose values e has, one for one: the column itself or a cast that loses nothing.
func Identity(e *expr.Node) (int, bool) {
	for e.Kind == expr.Cast && lossless(e.Args[0].Type, e.Type) {
		e = e.Args[0]
	}
	return e.Index, e.Kind == expr.Column
}

// lossless reports whether a cast maps different values to different values.
func lossless(from, to arrow.DataType) bool {
	if arrow.IsInteger(from.ID()) && to.ID() == arrow.STRING {
		return true
	}
	a, okA := from.(arrow.FixedWidthDataType)
	b, okB := to.(arrow.FixedWidthDataType)
	if !okA || !okB {
		return false
	}
	switch {
	case arrow.IsSignedInteger(from.ID()) && arrow.IsSignedInteger(to.ID()), arrow.IsUnsignedInteger(from.ID()) && arrow.IsUnsignedInteger(to.ID()):
		return b.BitWidth() >= a.BitWidth()
	case arrow.IsUnsignedInteger(from.ID()) && arrow.IsSignedInteger(to.ID()):
		return b.BitWidth() > a.BitWidth()
	}
	return false
}

// mapAll maps every column, or gives nil if one has no place.
func mapAll(columns []int, at map[int]int) []int {
	var out []int
	for _, c := range columns {
		i, ok := at[c]
		if !ok {
			return nil
		}
		out = append(out, i)
	}
	return out
}

func contains(columns []int, c int) bool {
	for _, x := range columns {
		if x == c {
			return true
		}
	}
	return false
}

// Name is what people call an operator.
func Name(n Node) string {
	switch n.(type) {
	case *Scan:
		return "source"
	case *Aggregate:
		return "aggregation"
	case *Assign:
		return "assignment of windows"
	case *Union:
		return "union"
	case *Join, *Asof, *Lookup:
		return "join"
	case *TopN:
		return "ranking"
	case *Over:
		return "function over rows"
	case *Sink:
		return "sink"
	}
	return "operator"
}

// Bounding names the clause that would bound the state of an operator whose state is unbounded.
func Bounding(n Node) string {
	if o, ok := n.(*Over); ok && len(o.Spec.Keys) == 0 {
		return "add PARTITION BY, whose keys updating_ttl forgets when they are idle; or a limit: QUALIFY row_number() OVER (…) <= 10"
	}
	if a, ok := n.(*Asof); ok && a.Forward {
		return "bound the wait: ON … AND b.ts <= a.ts + INTERVAL '1' HOUR"
	} else if ok {
		return "bound the distance: ON … AND b.ts >= a.ts - INTERVAL '1' HOUR"
	}
	if _, ok := n.(*Join); ok {
		return "SET updating_ttl = INTERVAL '1' DAY forgets rows that have not matched for so long; or bound the distance of the event times: " +
			"ON … AND a.ts BETWEEN b.ts - INTERVAL '1' HOUR AND b.ts"
	}
	return "SET updating_ttl = INTERVAL '1' DAY forgets keys that have been idle for so long; or group by a time window"
}

// Walk calls f once for every node at or below the roots, inputs before their consumers.
func Walk[N Node](roots []N, f func(Node)) {
	seen := map[Node]bool{}
	var visit func(Node)
	visit = func(n Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.Inputs() {
			visit(in)
		}
		f(n)
	}
	for _, r := range roots {
		visit(r)
	}
}

// Rewrite rebuilds a plan bottom-up: f gets every node as it was and with its inputs rewritten, and returns what replaces
// it. A node with several consumers is rewritten once and stays shared.
func Rewrite(roots []Node, f func(old, n Node) Node) []Node {
	done := map[Node]Node{}
	var visit func(Node) Node
	visit = func(n Node) Node {
		if r, ok := done[n]; ok {
			return r
		}
		in := n.Inputs()
		moved, same := make([]Node, len(in)), true
		for i, c := range in {
			moved[i] = visit(c)
			same = same && moved[i] == c
		}
		r := n
		if !same {
			r = n.WithInputs(moved)
		}
		r = f(n, r)
		done[n] = r
		return r
	}
	out := make([]Node, len(roots))
	for i, r := range roots {
		out[i] = visit(r)
	}
	return out
}

// Consumers counts, for every node at or below the roots, how many inputs of others it is.
func Consumers(roots []Node) map[Node]int {
	out := map[Node]int{}
	Walk(roots, func(n Node) {
		for _, in := range n.Inputs() {
			out[in]++
		}
	})
	return out
}

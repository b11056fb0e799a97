package expr

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/fault"
)

// Kind tells what a Node is.
type Kind uint8

// The kinds of expression. Operators (a + b, a AND b, a IS NULL) are calls of functions with the names that Builtin
// declares ("add", "and", "is_null").
const (
	// Column reads input column Index.
	Column Kind = iota + 1
	// Literal is the constant Value; a nil Value is NULL.
	Literal
	// Call applies function Name to Args.
	Call
	// Cast converts Args[0] to Type and fails on a value that does not fit.
	Cast
	// TryCast converts Args[0] to Type and gives NULL for a value that does not fit.
	TryCast
	// Case is a searched CASE: Args are condition, result, condition, result, … and, if their number is odd, the ELSE.
	Case
	// Field is member Index of the struct Args[0].
	Field
	// RowTime is the event time of the row, a TIMESTAMP in nanoseconds.
	RowTime
)

// Node is an expression as plain data: it serialises, compares and prints. It holds no compiled state; Compile makes an
// Evaluator from it. Nodes are not modified once built and may be shared.
type Node struct {
	Kind Kind
	// Type is the result type; Nullable whether the result can be null.
	Type     arrow.DataType
	Nullable bool
	// Index is the column of a Column, the member of a Field.
	Index int
	// Name is the function of a Call; for a Column or Field the name, kept for people.
	Name string
	// Value is the constant of a Literal: nil, bool, int64 (all signed integers, dates, times, timestamps in the type's
	// unit), uint64 (all unsigned), float64 (both float types), string (TEXT, JSON), []byte, decimal128.Num or
	// arrow.MonthDayNanoInterval.
	Value any
	Args  []*Node
	// digits is how a DOUBLE constant was written, so that a cast to DECIMAL loses none of them; it is no part of the plan.
	digits string
	// Span is the place in the SQL text, for errors at run time.
	Span fault.Span
}

// NewColumn reads input column index.
func NewColumn(index int, f arrow.Field) *Node {
	return &Node{Kind: Column, Index: index, Name: f.Name, Type: f.Type, Nullable: f.Nullable}
}

// NewLiteral is a constant of this type; value as described at Node.Value.
func NewLiteral(dt arrow.DataType, value any) *Node {
	return &Node{Kind: Literal, Type: dt, Value: value, Nullable: value == nil}
}

// NewDouble is a DOUBLE constant that was written with these digits; v is the nearest DOUBLE.
func NewDouble(v float64, digits string) *Node {
	return &Node{Kind: Literal, Type: typeDouble, Value: v, digits: digits}
}

// At returns a copy of n with this span.
func (n *Node) At(span fault.Span) *Node {
	c := *n
	c.Span = span
	return &c
}

// Walk calls f for n and everything below it, parents first, until f returns false for a node, whose arguments are then
// skipped.
func (n *Node) Walk(f func(*Node) bool) {
	if !f(n) {
		return
	}
	for _, a := range n.Args {
		a.Walk(f)
	}
}

// Map rebuilds the expression bottom-up: f gets a copy of every node whose arguments have been rewritten already, and
// returns what replaces it.
func (n *Node) Map(f func(*Node) *Node) *Node {
	c := *n
	if len(n.Args) > 0 {
		c.Args = make([]*Node, len(n.Args))
		for i, a := range n.Args {
			c.Args[i] = a.Map(f)
		}
	}
	return f(&c)
}

// Equal reports whether two expressions compute the same: spans and names of columns do not count.
func Equal(a, b *Node) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.Kind != b.Kind || a.Index != b.Index || len(a.Args) != len(b.Args) || !arrow.TypeEqual(a.Type, b.Type) {
		return false
	}
	if a.Kind == Call && a.Name != b.Name {
		return false
	}
	if a.Kind == Literal && !sameValue(a.Value, b.Value) {
		return false
	}
	for i := range a.Args {
		if !Equal(a.Args[i], b.Args[i]) {
			return false
		}
	}
	return true
}

func sameValue(a, b any) bool {
	if x, ok := a.([]byte); ok {
		y, ok := b.([]byte)
		return ok && string(x) == string(y)
	}
	switch a.(type) {
	case nil, bool, int64, uint64, string, decimal128.Num, arrow.MonthDayNanoInterval:
		return a == b
	case float64:
		x, y := a.(float64), b
		f, ok := y.(float64)
		// 0 and -0 are equal numbers, but 1/0 and 1/-0 are not.
		return ok && (math.Float64bits(x) == math.Float64bits(f) || x != x && f != f)
	}
	return false
}

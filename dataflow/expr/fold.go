package expr

import (
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

var builtin = sync.OnceValue(newBuiltin)

// Fold replaces the calls of immutable functions with constant arguments by their values, bottom-up. What fails stays as
// it is, so that the error comes when, and only if, a row needs the value.
func Fold(n *Node) *Node {
	return n.Map(func(m *Node) *Node {
		if !foldable(m) {
			return m
		}
		e, err := Compile([]*Node{m}, nil, builtin())
		if err != nil {
			return m
		}
		if folded, ok := evalConstant(e, m); ok {
			return folded
		}
		return m
	})
}

func foldable(n *Node) bool {
	switch n.Kind {
	case Case, Cast, TryCast:
	case Call:
		if builtin().Volatility(n.Name) != Immutable || !builtin().Has(n.Name) {
			return false
		}
	default:
		return false
	}
	for _, a := range n.Args {
		if a.Kind != Literal {
			return false
		}
	}
	return true
}

// Failure is how a call of an immutable function with constant arguments, a cast of a constant, or a division by a constant zero,
// fails for every row; nil if n is none of these or has a value. Of a division it is how it fails unless the dividend is null.
func Failure(n *Node) *fault.Error {
	if n.Kind == Call && (n.Name == "divide" || n.Name == "modulo") && n.Args[0].Kind != Literal {
		n = &Node{Kind: n.Kind, Name: n.Name, Type: n.Type, Span: n.Span, Args: []*Node{one(n.Args[0].Type), n.Args[1]}}
	}
	if !foldable(n) {
		return nil
	}
	e, err := Compile([]*Node{n}, nil, builtin())
	if err == nil {
		_, err = e.Eval(&column.Batch{N: 1, Time: make([]int64, 1)})
	}
	if err == nil {
		return nil
	}
	f := fault.As(err)
	if f.Kind == fault.Internal {
		return nil
	}
	out := fault.Userf(f.Code, n.Span, "%s", f.Message)
	out.Hint = f.Hint
	return out
}

// one is a constant of a type that is not null: 1 of a number's.
func one(dt arrow.DataType) *Node {
	n, ok := foldCast(&Node{Kind: Cast, Type: dt, Args: []*Node{NewLiteral(typeInt64, int64(1))}})
	if !ok {
		return &Node{}
	}
	return n
}

// Always calls f for n and for the arguments below it that are computed whenever n is; often for those that rows may not come
// to: the other terms of AND and OR. What CASE and the like choose between belongs to neither.
func (n *Node) Always(f, often func(*Node)) {
	f(n)
	args := n.Args
	switch {
	case n.Kind == Case, n.Kind == Call && chooses[n.Name]:
		args = args[:1]
	case n.Kind == Call && (n.Name == "and" || n.Name == "or"):
		if decided(n) {
			return
		}
		f = often
	}
	for _, a := range args {
		if coarse := widened(a); coarse != nil && n.Kind == Call && comparesMoments[n.Name] {
			// Times of different units are compared without the conversion.
			a = coarse
		}
		a.Always(f, often)
	}
}

// comparesMoments names the functions that compare times of different units as they are.
var comparesMoments = map[string]bool{"eq": true, "neq": true, "lt": true, "lteq": true, "gt": true, "gteq": true,
	"is_distinct_from": true, "is_not_distinct_from": true, "in_list": true, "not_in_list": true}

// chooses names the functions that look at later arguments only as the first has no value.
var chooses = map[string]bool{"coalesce": true, "nvl": true, "ifnull": true, "nvl2": true}

// decided reports whether a constant among the terms of AND or OR decides without the others.
func decided(n *Node) bool {
	for _, a := range n.Args {
		if a.Kind == Call && a.Name == n.Name && decided(a) {
			return true
		}
		if v := Fold(a); v.Kind == Literal && v.Value == (n.Name == "or") {
			return true
		}
	}
	return false
}

package expr

import "sync"

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

package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
)

// conditionalFunctions declares the functions that choose among their arguments.
func conditionalFunctions() []*function {
	const category = "conditional"
	return []*function{
		{
			name: "coalesce", category: category, doc: "The first argument that is not null; the others are not evaluated.",
			example: "coalesce(NULL, 2, 3)", result: "2", callsNull: true,
			takes: "coalesce(any, …)", bind: bindUnified(1), special: newCoalesceStep,
		},
		{
			name: "nvl", aliases: []string{"ifnull"}, category: category, doc: "The first argument, or the second where the first is null.",
			example: "nvl(NULL, 'x')", result: "x", callsNull: true, takes: "nvl(any, any)", bind: bindUnified(2),
			special: newCoalesceStep,
		},
		{
			name: "nvl2", category: category, doc: "The second argument where the first is not null, else the third.",
			example: "nvl2(NULL, 1, 2)", result: "2", callsNull: true, mayNull: true, takes: "nvl2(any, any, any)",
			bind: bindChoice, expand: func(n *Node) *Node {
				test := &Node{Kind: Call, Name: "is_not_null", Type: typeBool, Args: n.Args[:1], Span: n.Span}
				return &Node{Kind: Case, Type: n.Type, Nullable: n.Nullable, Span: n.Span,
					Args: []*Node{test, n.Args[1], n.Args[2]}}
			},
		},
		{
			name: "nullif", category: category, doc: "NULL where both arguments are equal, else the first.",
			example: "nullif(0, 0)", result: "NULL", callsNull: true, mayNull: true, takes: "nullif(any, any)",
			bind: bindNullif, expand: func(n *Node) *Node {
				a, b, _ := comparable(n.Args[0], n.Args[1], "eq")
				test := &Node{Kind: Call, Name: "eq", Type: typeBool, Nullable: true, Args: []*Node{a, b}, Span: n.Span}
				return &Node{Kind: Case, Type: n.Type, Nullable: true, Span: n.Span,
					Args: []*Node{test, NewLiteral(n.Type, nil), n.Args[0]}}
			},
		},
		{
			name: "greatest", category: category, doc: "The greatest of the arguments that are not null.",
			example: "greatest(1, 3, NULL, 2)", result: "3", callsNull: true, mayNull: true, takes: "greatest(any, …)",
			bind: bindUnified(1), make: func(n *Node) kernel { return extreme(n, opGt) },
			expand: func(n *Node) *Node { return extremeMoment(n, "gt") },
		},
		{
			name: "least", category: category, doc: "The least of the arguments that are not null.",
			example: "least(1, 3, NULL, 2)", result: "1", callsNull: true, mayNull: true, takes: "least(any, …)",
			bind: bindUnified(1), make: func(n *Node) kernel { return extreme(n, opLt) },
			expand: func(n *Node) *Node { return extremeMoment(n, "lt") },
		},
	}
}

// bindUnified converts all arguments, at least this many, to their common type.
func bindUnified(least int) func(*callSite, []*Node) ([]*Node, arrow.DataType, error) {
	return func(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
		if len(args) < least || least > 1 && len(args) != least {
			return nil, nil, s.mismatch(args)
		}
		return unify(args, s.span)
	}
}

func bindChoice(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 3 {
		return nil, nil, s.mismatch(args)
	}
	results, dt, err := unify(args[1:], s.span)
	if err != nil {
		return nil, nil, err
	}
	return append([]*Node{args[0]}, results...), dt, nil
}

func bindNullif(s *callSite, args []*Node) ([]*Node, arrow.DataType, error) {
	if len(args) != 2 {
		return nil, nil, s.mismatch(args)
	}
	if _, _, ok := comparable(args[0], args[1], "eq"); !ok {
		return nil, nil, s.mismatch(args)
	}
	dt := args[0].Type
	if isNull(dt) {
		if dt = args[1].Type; isNull(dt) {
			dt = typeText
		}
		return []*Node{NewLiteral(dt, nil), args[1]}, dt, nil
	}
	return args, dt, nil
}

// extreme gives the argument for which o holds against all others.
func extreme(n *Node, o comparison) kernel {
	out, cmp := newAssigner(n.Type), newComparer(n.Type)
	var picked, rows, fresh, first []int32
	var both column.Bitmap
	return func(c *call) (column.Vector, error) {
		out.start(c.n)
		out.setNull(c.sel)
		for _, a := range c.args {
			k, constant := a.(*column.Const)
			if constant && k.IsNull() {
				continue
			}
			best := out.result()
			// Where nothing has been found yet, the argument is the best so far.
			fresh = invalidRows(fresh, best.Validity(), c.sel, c.n)
			first = validRows(first, a.Validity(), fresh, c.n)
			rows = validRows(rows, best.Validity(), c.sel, c.n)
			if v := a.Validity(); v != nil {
				both = column.And(both, best.Validity(), v, c.n)
				rows = validRows(rows, both, c.sel, c.n)
			}
			if constant {
				picked = cmp.pick(o.flip(), picked, best, a, rows, c.n)
			} else {
				picked = cmp.pick(o, picked, a, best, rows, c.n)
			}
			out.assign(a, first)
			out.assign(a, picked)
		}
		return out.result(), nil
	}
}

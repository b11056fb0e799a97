package agg

import (
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"wadi/dataflow/fault"
)

// Use is an aggregate as a query writes it.
type Use struct {
	// Name may have any case.
	Name     string
	Distinct bool
	// Args are the arguments between the parentheses; count(*) has none.
	Args []Argument
	// OrderBy is ORDER BY between the parentheses, or what stands in WITHIN GROUP.
	OrderBy     []SortKey
	WithinGroup bool
	Span        fault.Span
}

// Argument is one argument. An argument that is the bare literal NULL has type arrow.Null.
type Argument struct {
	Type arrow.DataType
	// Literal is set for a literal; Value is its value as expr.Node has it, nil for NULL.
	Literal bool
	Value   any
}

// SortKey is one expression to order by.
type SortKey struct {
	Type arrow.DataType
	// Same is the index of the argument that is the same expression; -1 if there is none.
	Same             int
	Desc, NullsFirst bool
}

// ResolvedUse is a use that the planner can make a Call from. ArgTypes belong to Args.
type ResolvedUse struct {
	Resolved
	// Args are the expressions that become the Call's Args: i below len(Use.Args) is that argument, len(Use.Args)+k is
	// sort key k.
	Args    []int
	OrderBy []Order
	Params  []any
}

// Resolve finds an aggregate by name, in any case, for arguments of these types without an order; count(*) has none. An
// argument that is the bare literal NULL has type arrow.Null. Aggregates with literal arguments need ResolveOrdered.
func (f *Functions) Resolve(name string, distinct bool, args []arrow.DataType, span fault.Span) (Resolved, error) {
	u := Use{Name: name, Distinct: distinct, Span: span}
	for _, a := range args {
		u.Args = append(u.Args, Argument{Type: a})
	}
	r, err := f.ResolveOrdered(u)
	return r.Resolved, err
}

// ResolveOrdered finds the aggregate of a use with all that it can have. An order that cannot change the result is left
// out.
func (f *Functions) ResolveOrdered(u Use) (ResolvedUse, error) {
	lower := strings.ToLower(u.Name)
	fn := f.byName[lower]
	if fn == nil {
		return ResolvedUse{}, f.unknown(lower, u.Span)
	}
	if u.Distinct && len(u.Args) == 0 && !u.WithinGroup {
		return ResolvedUse{}, fault.Userf(CodeWrongArguments, u.Span, "%s(DISTINCT) needs an argument", fn.name).
			WithHint("name the columns whose distinct values count, or write %s(*)", fn.name)
	}
	r := resolver{fn: fn, use: &u}
	if err := r.split(); err != nil {
		return ResolvedUse{}, err
	}
	own := make([]arrow.DataType, len(r.out.Args))
	for i, a := range r.out.Args {
		own[i] = r.typeOf(a)
	}
	t, ok := fn.resolve(own)
	if !ok || fn.args != variadic && len(own) != fn.args {
		return ResolvedUse{}, wrongArguments(fn, r.given(), u.Span)
	}
	t.Name = fn.name
	r.out.Resolved = t
	return r.out, r.order()
}

// resolver takes the arguments of a use apart.
type resolver struct {
	fn  *function
	use *Use
	out ResolvedUse
}

func (r *resolver) typeOf(i int) arrow.DataType {
	if n := len(r.use.Args); i >= n {
		return r.use.OrderBy[i-n].Type
	}
	return r.use.Args[i].Type
}

// given are the types of all arguments, those of WITHIN GROUP last.
func (r *resolver) given() (types []arrow.DataType) {
	for _, a := range r.use.Args {
		types = append(types, a.Type)
	}
	if r.use.WithinGroup {
		for _, k := range r.use.OrderBy {
			types = append(types, k.Type)
		}
	}
	return types
}

// split tells the arguments that are computed per row from the literal ones.
func (r *resolver) split() error {
	u, fn := r.use, r.fn
	if u.WithinGroup {
		if !fn.within {
			return fault.Userf(CodeWrongArguments, u.Span, "%s does not take WITHIN GROUP", fn.name).
				WithHint("write the arguments between the parentheses, as in %s", fn.example.Call)
		}
		if len(u.OrderBy) != 1 {
			return fault.Userf(CodeWrongArguments, u.Span, "WITHIN GROUP of %s takes one expression to order by", fn.name).
				WithHint("write it as in %s", fn.example.Call)
		}
		r.out.Args = append(r.out.Args, len(u.Args))
	}
	rows := len(u.Args)
	if fn.args != variadic {
		rows = min(rows, fn.args-len(r.out.Args))
	}
	for i := range max(rows, 0) {
		r.out.Args = append(r.out.Args, i)
	}
	return r.params(u.Args[max(rows, 0):])
}

func (r *resolver) params(args []Argument) error {
	if len(args) > len(r.fn.params) {
		return wrongArguments(r.fn, r.given(), r.use.Span)
	}
	for i, p := range r.fn.params {
		if i >= len(args) {
			if !p.optional {
				return wrongArguments(r.fn, r.given(), r.use.Span)
			}
			break
		}
		v, ok := p.value(args[i])
		if !ok {
			return fault.Userf(CodeWrongArguments, r.use.Span, "%s of %s has to be %s", p.name, r.fn.name, p.want).
				WithHint("write it as in %s", r.fn.example.Call)
		}
		if !p.optional {
			r.out.Params = append(r.out.Params, v)
		}
	}
	return nil
}

// order adds the sort keys to the result.
func (r *resolver) order() error {
	u, n := r.use, len(r.use.Args)
	if u.WithinGroup {
		if u.OrderBy[0].Desc {
			r.out.OrderBy = []Order{{Arg: 0, Desc: true}}
		}
		return nil
	}
	if !r.fn.ordered {
		return nil
	}
	for i, k := range u.OrderBy {
		at := -1
		for a, from := range r.out.Args {
			// What is cast for the aggregate may have another order then.
			if from == n+i || k.Same >= 0 && from == k.Same && arrow.TypeEqual(r.out.ArgTypes[a], sortable(k.Type)) {
				at = a
			}
		}
		if at < 0 {
			if u.Distinct && r.fn.knowsDistinct {
				err := fault.Userf(CodeWrongArguments, u.Span, "%s(DISTINCT) can be ordered only by its argument", r.fn.name)
				if k.Same >= 0 {
					return err.WithHint("values count by their text here: cast both, as in %s(DISTINCT CAST(x AS TEXT), ',' ORDER BY CAST(x AS TEXT))", r.fn.name)
				}
				return err.WithHint("leave out DISTINCT, or order by the expression that is aggregated")
			}
			at = len(r.out.Args)
			r.out.Args = append(r.out.Args, n+i)
			r.out.ArgTypes = append(r.out.ArgTypes, sortable(k.Type))
		}
		r.out.OrderBy = append(r.out.OrderBy, Order{Arg: at, Desc: k.Desc, NullsFirst: k.NullsFirst})
	}
	return nil
}

// sortable is the type in which a column is sorted: NULL has none of its own.
func sortable(dt arrow.DataType) arrow.DataType {
	if classOf(dt) == nullClass {
		return arrow.PrimitiveTypes.Int64
	}
	return dt
}

// param declares a literal argument.
type param struct {
	name, want string
	kind       paramKind
	optional   bool
}

type paramKind uint8

const (
	textKind paramKind = iota
	fractionKind
	positionKind
)

// The literal arguments that there are.
var (
	textParam     = param{name: "the separator", want: "a literal TEXT", kind: textKind}
	fractionParam = param{name: "the fraction", want: "a literal number from 0 to 1", kind: fractionKind}
	positionParam = param{name: "the position", want: "a literal integer other than 0", kind: positionKind}
	// centroidsParam sizes the estimate of other engines; here the error does not depend on it.
	centroidsParam = param{name: "the number of centroids", want: "a literal integer other than 0", kind: positionKind, optional: true}
)

// value is the parameter's value in the form that a Call has it.
func (p param) value(a Argument) (any, bool) {
	if !a.Literal {
		return nil, false
	}
	switch p.kind {
	case textKind:
		if a.Value == nil { // as PostgreSQL, which puts nothing between the values then
			return "", true
		}
		v, ok := a.Value.(string)
		return v, ok
	case positionKind:
		v, ok := number64(a)
		return int64(v), ok && v == math.Trunc(v) && v != 0 && math.Abs(v) < 1<<53
	}
	v, ok := number64(a)
	return v, ok && v >= 0 && v <= 1
}

func number64(a Argument) (float64, bool) {
	switch v := a.Value.(type) {
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, true
	case decimal128.Num:
		if d, ok := storage(a.Type).(*arrow.Decimal128Type); ok {
			return v.ToFloat64(d.Scale), true
		}
	}
	return 0, false
}

// checkCall reports whether the parameters and the order of a call from a plan are as the aggregate declares.
func (fn *function) checkCall(c *Call) bool {
	need := 0
	for _, p := range fn.params {
		if p.optional {
			continue
		}
		if need >= len(c.Params) {
			return false
		}
		if _, ok := p.value(Argument{Literal: true, Value: c.Params[need]}); !ok {
			return false
		}
		need++
	}
	for _, o := range c.OrderBy {
		if o.Arg < 0 || o.Arg >= len(c.Args) {
			return false
		}
	}
	return need == len(c.Params)
}

package expr

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/column"
	"wadi/dataflow/fault"
)

// Codes of the faults that resolving an expression gives.
const (
	CodeUnknownFunction fault.Code = "unknown-function"
	CodeUnknownColumn   fault.Code = "unknown-column"
	CodeTypeMismatch    fault.Code = "type-mismatch"
)

// Volatility says when a function may give another result for the same arguments.
type Volatility uint8

const (
	// Immutable functions never do; Fold computes them at plan time when their arguments are constant.
	Immutable Volatility = iota
	// Stable functions give one result per batch: now().
	Stable
	// Volatile functions may give another result per row: random().
	Volatile
)

// FunctionDoc describes a function to a person.
type FunctionDoc struct {
	Name string
	// Aliases are other names for it.
	Aliases []string
	// Operator is the operator that the function stands for, "" for a function that is called by its name.
	Operator string
	// Category is "mathematics", "text", … the heading under which documentation lists it.
	Category string
	// Signatures are spelled "name(TYPE, TYPE)".
	Signatures []string
	// Summary is one line.
	Summary string
	// Example is an expression and Result what it gives, cast to TEXT.
	Example, Result string
	Volatility      Volatility
}

// kernel computes a call for a batch; see call.
type kernel func(c *call) (column.Vector, error)

// function is the declaration of a function: what documentation, resolution and compilation know about it.
type function struct {
	name       string
	aliases    []string
	category   string
	doc        string
	example    string
	result     string
	volatility Volatility
	// operator is set for functions that stand for an operator of the language; its text is the operator.
	operator string
	// callsNull says that the function sees nulls; otherwise a null argument makes the result null without a call.
	callsNull bool
	// mayNull says that the result can be null though no argument is; neverNull that it never is.
	mayNull, neverNull bool
	overloads          []overload
	// bind, if set, resolves a call instead of matching it with the overloads' parameters: it gives the coerced
	// arguments and the result's type.
	bind func(c *callSite, args []*Node) ([]*Node, arrow.DataType, error)
	// check, if set, refuses constant arguments that cannot work.
	check check
	// takes says for an error message what bind accepts.
	takes string
	// make gives the kernel of a function with bind.
	make func(n *Node) kernel
	// special, if set, makes the step that evaluates the call, for functions that do not evaluate all arguments or that
	// give a selection directly.
	special func(c *compiler, n *Node) (step, error)
	// instead, if set, names the function that a call with these arguments stands for, or is "" for this one.
	instead func(args []*Node) string
	// expand, if set, rewrites a call into simpler nodes when it is compiled; nil leaves it as it is.
	expand func(n *Node) *Node
}

// overload is one signature of a function.
type overload struct {
	params []param
	// variadic says that the last parameter may occur any number of times, also not at all.
	variadic bool
	// result gives the result's type from the coerced arguments.
	result func(args []*Node) arrow.DataType
	make   func(n *Node) kernel
}

// callSite is the place of a call that is being resolved.
type callSite struct {
	fn *function
	// name is the function as the query calls it: by one of its names, or as an operator.
	name string
	span fault.Span
}

// Functions is a table of functions. It is immutable and safe for use by several goroutines.
type Functions struct {
	byName map[string]*function
	names  []string
}

// Builtin gives the functions of the language, always the same table.
func Builtin() *Functions { return builtin() }

func newBuiltin() *Functions {
	fs := &Functions{byName: make(map[string]*function)}
	for _, group := range [][]*function{
		operatorFunctions(), logicFunctions(), conditionalFunctions(), mathFunctions(), textFunctions(),
		sliceFunctions(), patternFunctions(), timeFunctions(), timeConversionFunctions(), encodingFunctions(),
		listFunctions(), seriesFunctions(), structFunctions(), mapFunctions(), jsonFunctions(), typeFunctions(), icebergFunctions(),
	} {
		for _, f := range group {
			fs.add(f)
		}
	}
	slices.Sort(fs.names)
	return fs
}

func (f *Functions) add(fn *function) {
	for _, name := range append([]string{fn.name}, fn.aliases...) {
		if f.byName[name] != nil {
			panic("expr: function " + name + " is declared twice")
		}
		f.byName[name] = fn
	}
	f.names = append(f.names, fn.name)
}

func (f *Functions) lookup(name string) *function { return f.byName[strings.ToLower(name)] }

// Names lists the primary names of all functions and operators, sorted.
func (f *Functions) Names() []string { return slices.Clone(f.names) }

// Has reports whether name, in any case, is a function's primary name or alias.
func (f *Functions) Has(name string) bool { return f.lookup(name) != nil }

// Nearest gives the function name nearest to name, or "".
func (f *Functions) Nearest(name string) string { return fault.Nearest(name, f.Callable()) }

// Callable lists the names by which functions are called, aliases included and operators left out, sorted.
func (f *Functions) Callable() []string {
	var names []string
	for n, fn := range f.byName {
		if fn.operator == "" {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// Doc describes the function of this name or alias.
func (f *Functions) Doc(name string) (FunctionDoc, bool) {
	fn := f.lookup(name)
	if fn == nil {
		return FunctionDoc{}, false
	}
	d := FunctionDoc{
		Name: fn.name, Aliases: slices.Clone(fn.aliases), Operator: fn.operator, Category: fn.category, Summary: fn.doc,
		Example: fn.example, Result: fn.result, Volatility: fn.volatility,
	}
	if fn.takes != "" {
		d.Signatures = append(d.Signatures, fn.takes)
	}
	for i := range fn.overloads {
		d.Signatures = append(d.Signatures, fn.overloads[i].signature(fn.name))
	}
	return d, true
}

// IsOperator reports whether the function of this name stands for an operator of the language; such functions are left
// out of lists of functions for people.
func (f *Functions) IsOperator(name string) bool {
	fn := f.lookup(name)
	return fn != nil && fn.operator != ""
}

// Volatility gives the volatility of a function; Immutable for a name that there is not.
func (f *Functions) Volatility(name string) Volatility {
	if fn := f.lookup(name); fn != nil {
		return fn.volatility
	}
	return Immutable
}

// Call resolves a call: it picks the signature, casts the arguments where that is implied, and sets the type and the
// nullability of the result. Faults are unknown-function and type-mismatch.
func (f *Functions) Call(name string, args []*Node, span fault.Span) (*Node, error) {
	fn := f.lookup(name)
	if fn == nil {
		err := fault.Userf(CodeUnknownFunction, span, "there is no function %q", name)
		if near := f.Nearest(name); near != "" {
			return nil, err.WithHint("did you mean %q?", near)
		}
		return nil, err
	}
	if fn.instead != nil {
		if other := fn.instead(args); other != "" {
			fn = f.lookup(other)
		}
	}
	site := &callSite{fn, fn.display(), span}
	if lower := strings.ToLower(name); fn.operator == "" && slices.Contains(fn.aliases, lower) {
		site.name = lower
	}
	var (
		dt  arrow.DataType
		err error
	)
	if fn.bind != nil {
		args, dt, err = fn.bind(site, args)
	} else {
		args, dt, err = site.match(args)
	}
	if err != nil {
		return nil, err
	}
	if fn.check != nil {
		if err := fn.check(site, args); err != nil {
			return nil, err
		}
	}
	n := &Node{Kind: Call, Name: fn.name, Args: args, Type: dt, Span: span}
	n.Nullable = fn.nullable(args)
	return n, nil
}

// display is what people call the function: the operator that it stands for, or its name.
func (fn *function) display() string {
	if fn.operator != "" {
		return fn.operator
	}
	return fn.name
}

func (fn *function) nullable(args []*Node) bool {
	switch {
	case fn.neverNull:
		return false
	case fn.mayNull:
		return true
	case fn.name == "coalesce", fn.name == "nvl":
		return !slices.ContainsFunc(args, func(a *Node) bool { return !a.Nullable })
	}
	return slices.ContainsFunc(args, func(a *Node) bool { return a.Nullable })
}

// match picks the overload that needs the least conversion.
func (s *callSite) match(args []*Node) ([]*Node, arrow.DataType, error) {
	best, bestCost := s.fn.find(args)
	if best == nil || bestCost < 0 {
		return nil, nil, s.mismatch(args)
	}
	out := make([]*Node, len(args))
	for i, a := range args {
		to, _ := best.param(i).accept(a)
		c, err := Coerce(a, to, s.span)
		if err != nil {
			return nil, nil, err
		}
		out[i] = c
	}
	return out, best.result(out), nil
}

// find gives the overload with the least cost, the first among equals, and the cost; nil when none fits.
func (fn *function) find(args []*Node) (*overload, int) {
	var best *overload
	bestCost := -1
	for i := range fn.overloads {
		if c := fn.overloads[i].cost(args); c >= 0 && (best == nil || c < bestCost) {
			best, bestCost = &fn.overloads[i], c
		}
	}
	return best, bestCost
}

func (o *overload) param(i int) param {
	if i >= len(o.params) {
		return o.params[len(o.params)-1]
	}
	return o.params[i]
}

func (o *overload) cost(args []*Node) int {
	least := len(o.params)
	if o.variadic {
		least--
	}
	if len(args) < least || len(args) > len(o.params) && !o.variadic {
		return -1
	}
	sum := 0
	for i, a := range args {
		_, c := o.param(i).accept(a)
		if c < 0 {
			return -1
		}
		sum += c
	}
	return sum
}

func (o *overload) signature(name string) string {
	var b strings.Builder
	b.WriteString(name + "(")
	for i, p := range o.params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.name)
	}
	if o.variadic {
		b.WriteString(", …")
	}
	b.WriteString(")")
	return b.String()
}

// mismatch is the error for arguments that no signature takes.
func (s *callSite) mismatch(args []*Node) error {
	types := make([]string, len(args))
	for i, a := range args {
		types[i] = TypeName(a.Type)
	}
	given := strings.Join(types, ", ")
	subject := s.name
	var takes []string
	if s.fn.takes != "" {
		takes = append(takes, strings.ReplaceAll(s.fn.takes, s.fn.name+"(", s.name+"("))
	}
	for i := range s.fn.overloads {
		takes = append(takes, s.spelled(&s.fn.overloads[i]))
	}
	err := fault.Userf(CodeTypeMismatch, s.span, "%s does not take %s", subject, given)
	if given == "" {
		err = fault.Userf(CodeTypeMismatch, s.span, "%s needs arguments", subject)
	}
	if instead := insteadOf(s.fn.name, args); instead != "" {
		return err.WithHint("%s", instead)
	}
	if len(takes) > 0 && len(args) == 0 {
		return err.WithHint("it takes %s", strings.Join(takes, " or "))
	}
	if len(takes) > 0 {
		if slices.ContainsFunc(args, func(a *Node) bool { return isJSONValue(a.Type) }) {
			as := "bigint"
			if slices.ContainsFunc(args, func(a *Node) bool { return isText(a.Type) }) {
				as = "text"
			}
			return err.WithHint("it takes %s; cast the JSON value, as in (x -> 'key')::%s", strings.Join(takes, " or "), as)
		}
		return err.WithHint("it takes %s; CAST converts types", strings.Join(takes, " or "))
	}
	return err
}

// spelled writes a signature as the query writes the call: upper(TEXT), TEXT LIKE TEXT, BOOLEAN IS TRUE.
func (s *callSite) spelled(o *overload) string {
	op := s.fn.operator
	switch {
	case op == "":
		return o.signature(s.name)
	case len(o.params) == 1 && strings.HasPrefix(op, "IS "):
		return o.params[0].name + " " + op
	case len(o.params) == 1:
		return op + " " + o.params[0].name
	case len(o.params) == 3:
		return o.params[0].name + " " + op + " " + o.params[1].name + " ESCAPE " + o.params[2].name
	}
	return o.params[0].name + " " + op + " " + o.params[1].name
}

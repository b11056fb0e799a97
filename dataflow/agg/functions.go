package agg

import (
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
)

// Codes of the faults that resolving an aggregate gives, beside those of package fault.
const (
	CodeUnknownFunction fault.Code = "unknown-function"
	CodeWrongArguments  fault.Code = "wrong-arguments"
)

// Functions is the set of aggregates that there are. It is a value, read-only after it was made.
type Functions struct {
	byName map[string]*function
}

// function declares one aggregate.
type function struct {
	name    string
	aliases []string
	// doc is one line for people.
	doc string
	// takes says in words what arguments it takes.
	takes   string
	example Example
	// args is the number of arguments that are computed per row; variadic for any number. params are the literal ones
	// after them.
	args   int
	params []param
	// resolve gives the type of the result, the types that the per-row arguments are cast to, and whether the result can
	// be null; ok is false when it does not take these arguments.
	resolve func(args []arrow.DataType) (r Resolved, ok bool)
	compile func(c *Call, retract bool) accumulator
	// plain names an aggregate that gives the same with DISTINCT as without, knowsDistinct one that sees to it itself.
	plain, knowsDistinct bool
	// ordered is set if the result depends on the order of rows, within if the first argument may stand in WITHIN GROUP.
	ordered, within bool
}

// variadic stands for any number of arguments.
const variadic = -1

// Resolved is a use of an aggregate whose types are known.
type Resolved struct {
	// Name is the primary name.
	Name string
	// ArgTypes are the types that the arguments have to be cast to.
	ArgTypes []arrow.DataType
	// Type is the type of the result; Nullable whether the result can be null.
	Type     arrow.DataType
	Nullable bool
}

// Example is a use of an aggregate over a few rows, for the documentation.
type Example struct {
	// Call is an aggregate over the columns x and y.
	Call string
	// X and Y are the values of the columns, separated by spaces; Y may be empty.
	X, Y string
	// Result is what it gives, as text.
	Result string
}

// Builtin is the aggregates of the dialect.
func Builtin() *Functions {
	f := &Functions{byName: map[string]*function{}}
	for _, fn := range builtins() {
		f.byName[fn.name] = fn
		for _, a := range fn.aliases {
			f.byName[a] = fn
		}
	}
	return f
}

// isPlanned reports a name of the dialect that looks like an aggregate's but is the planner's to compute, so that the
// error says so instead of guessing at a misspelling.
func isPlanned(name string) bool { return name == "grouping" }

// Names are the primary names, sorted.
func (f *Functions) Names() []string {
	var names []string
	for n, fn := range f.byName {
		if n == fn.name {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}

// Doc is the one-line documentation of an aggregate, empty for an unknown name.
func (f *Functions) Doc(name string) string {
	if fn := f.byName[strings.ToLower(name)]; fn != nil {
		return fn.doc
	}
	return ""
}

// Takes says in words what arguments an aggregate takes, empty for an unknown name.
func (f *Functions) Takes(name string) string {
	if fn := f.byName[strings.ToLower(name)]; fn != nil {
		return fn.takes
	}
	return ""
}

// Example is an example of an aggregate, the zero value for an unknown name.
func (f *Functions) Example(name string) Example {
	if fn := f.byName[strings.ToLower(name)]; fn != nil {
		return fn.example
	}
	return Example{}
}

// Aliases are the other names of an aggregate.
func (f *Functions) Aliases(name string) []string {
	if fn := f.byName[strings.ToLower(name)]; fn != nil {
		return append([]string(nil), fn.aliases...)
	}
	return nil
}

// Has reports whether a name, in any case, is an aggregate's: one that Resolve knows, if only to refuse it by name.
func (f *Functions) Has(name string) bool {
	name = strings.ToLower(name)
	return f.byName[name] != nil || isPlanned(name)
}

// Ordered reports whether the result of an aggregate depends on the order of rows.
func (f *Functions) Ordered(name string) bool {
	fn := f.byName[strings.ToLower(name)]
	return fn != nil && fn.ordered
}

// Nearest is the known name that looks most like an unknown one; empty if none does.
func (f *Functions) Nearest(name string) string {
	name = strings.ToLower(name)
	best, bestDist := "", 2+len(name)/3
	for n := range f.byName {
		if d := distance(name, n); d < bestDist || d == bestDist && best != "" && n < best {
			best, bestDist = n, d
		}
	}
	return best
}

// distance is the Levenshtein distance of two short strings.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := diag
			if a[i] != b[j] {
				d++
			}
			diag = row[j+1]
			row[j+1] = min(d, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}

func (f *Functions) unknown(name string, span fault.Span) error {
	if isPlanned(name) {
		return fault.Userf(fault.CodeUnsupported, span, "aggregate %s is not supported", name).
			WithHint("it belongs to GROUPING SETS, ROLLUP and CUBE")
	}
	err := fault.Userf(CodeUnknownFunction, span, "unknown aggregate %q", name)
	if near := f.Nearest(name); near != "" {
		return err.WithHint("did you mean %q?", near)
	}
	return err.WithHint("aggregates are %s", strings.Join(f.Names(), ", "))
}

func wrongArguments(fn *function, args []arrow.DataType, span fault.Span) error {
	got := make([]string, len(args))
	for i, a := range args {
		got[i] = expr.TypeName(a)
	}
	given := strings.Join(got, ", ")
	if len(args) == 0 {
		given = "nothing"
	}
	err := fault.Userf(CodeWrongArguments, span, "%s takes %s, not %s", fn.name, fn.takes, given)
	if fn.args > 1 || len(fn.params) > 0 {
		return err.WithHint("write it as in %s", fn.example.Call)
	}
	return err.WithHint("cast the argument, as in %s(CAST(x AS …))", fn.name)
}

package sqlgen

import (
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql"
	"wadi/sql/ast"
	"wadi/sql/parse"
)

// Library is what there is to be used, with the types that it takes: learnt from the declarations, once.
type Library struct {
	options sql.Options
	// byResult are the calls that give a type; templates the examples of functions, with holes.
	byResult  map[string][]signature
	templates map[string][]template
	// aggregates are the calls of aggregates by their results.
	aggregates map[string][]signature
	// results are the types of byResult, aggregated those of aggregates, in a fixed order.
	results, aggregated []string
}

// signature is a way to call a function or an aggregate: spelled with $1, $2 for the arguments.
type signature struct {
	name, spelling string
	args           []string
}

// template is an example of a function in which constants can be replaced.
type template struct {
	name, text string
	holes      []hole
}

// hole is a constant in an example: where it is, and its type.
type hole struct {
	at   fault.Span
	kind string
}

// New makes a Library. It tries every function with arguments of all types, so that it takes a moment.
func New(functions *expr.Functions, aggregates *agg.Functions, connectors *connector.Registry, sink string) *Library {
	l := &Library{
		options: sql.Options{
			Name: "query.sql", DefaultSink: sink, UpdateAggregateFlushInterval: time.Second, UpdatingTTL: 24 * time.Hour,
			Connectors: connectors, Functions: functions, Aggregates: aggregates,
		},
		byResult: map[string][]signature{}, templates: map[string][]template{}, aggregates: map[string][]signature{},
	}
	for _, name := range functions.Names() {
		if d, _ := functions.Doc(name); d.Volatility == expr.Immutable {
			l.learnFunction(d)
			l.learnExample(d)
		}
	}
	for _, name := range aggregates.Names() {
		l.learnAggregate(name)
	}
	for t := range l.byResult {
		l.results = append(l.results, t)
	}
	for t := range l.aggregates {
		l.aggregated = append(l.aggregated, t)
	}
	slices.Sort(l.results)
	slices.Sort(l.aggregated)
	return l
}

// Options are what the scripts are compiled with.
func (l *Library) Options() sql.Options { return l.options }

// learnFunction tries a function with arguments of all types.
func (l *Library) learnFunction(d expr.FunctionDoc) {
	spell := spelling(d)
	if spell == "" {
		return
	}
	var known [][]string
	try := func(args []string) bool {
		nodes := make([]*expr.Node, len(args))
		for i, a := range args {
			nodes[i] = expr.NewColumn(i, arrow.Field{Type: typeOf(a), Nullable: true})
		}
		n, err := l.options.Functions.Call(d.Name, nodes, fault.Span{})
		if err != nil {
			return false
		}
		t := expr.TypeName(n.Type)
		if typeOf(t) == nil {
			return true
		}
		s := signature{name: d.Name, args: args}
		if s.spelling = spell; spell == "()" {
			s.spelling = d.Name + "(" + strings.Join(dollars(len(args)), ", ") + ")"
		} else if strings.Count(spell, "$") != len(args) {
			return true
		}
		l.byResult[t] = append(l.byResult[t], s)
		return true
	}
	if d.Operator == "" {
		try(nil)
	}
	for _, a := range argumentTypes {
		if try([]string{a}) {
			known = append(known, []string{a})
		}
	}
	for _, a := range argumentTypes {
		for _, b := range argumentTypes {
			if a != b && (a == "INT" || b == "INT" || a == "TIMESTAMP(3)" || b == "TIMESTAMP(3)") {
				continue // conversions between integers, and between times, are tried often enough
			}
			if try([]string{a, b}) {
				known = append(known, []string{a, b})
			}
		}
	}
	if d.Operator != "" {
		return
	}
	// Of three arguments, the first two are like those of a call with two or one, or all are alike.
	for i, k := range known {
		if i >= 12 {
			break
		}
		for _, c := range []string{"BIGINT", "TEXT", "BOOLEAN", k[0]} {
			if len(k) == 2 {
				try([]string{k[0], k[1], c})
			}
		}
	}
	for _, a := range argumentTypes {
		try([]string{a, a, a})
		try([]string{a, "BIGINT", "BIGINT"})
		try([]string{"BOOLEAN", a, a})
	}
}

func dollars(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = "$" + string(rune('1'+i))
	}
	return out
}

// infix are the operators that stand between two values, postfix those behind one.
var (
	infix = []string{
		"+", "-", "*", "/", "%", "&", "|", "#", "<<", ">>", "=", "<>", "<", "<=", ">", ">=", "AND", "OR", "LIKE", "NOT LIKE", "ILIKE", "NOT ILIKE",
		"SIMILAR TO", "NOT SIMILAR TO", "~", "~*", "!~", "!~*", "@>", "<@", "&&", "||", "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "AT TIME ZONE",
	}
	postfix = []string{
		"IS NULL", "IS NOT NULL", "IS TRUE", "IS NOT TRUE", "IS FALSE", "IS NOT FALSE", "IS UNKNOWN", "IS NOT UNKNOWN",
	}
)

// spelling is how a function is called: "()" by its name, "" not at all.
func spelling(d expr.FunctionDoc) string {
	switch op := d.Operator; {
	case op == "":
		return "()"
	case op == "-" && d.Name == "negate", op == "~" && d.Name == "bitwise_not", op == "NOT":
		return "(" + op + " $1)"
	case slices.Contains(infix, op):
		return "($1 " + op + " $2)"
	case slices.Contains(postfix, op):
		return "($1 " + op + ")"
	case op == "IN" || op == "NOT IN":
		return "($1 " + op + " ($2))"
	case strings.HasSuffix(op, " ANY") || strings.HasSuffix(op, " ALL"):
		return "($1 " + op + "($2))"
	}
	return ""
}

// learnExample keeps the example of a function.
func (l *Library) learnExample(d expr.FunctionDoc) {
	t := l.typeOfText(d.Example)
	if t == "" {
		return
	}
	e := template{name: d.Name, text: d.Example}
	if x, err := parse.ParseExpr(d.Example); err == nil {
		ast.Inspect(x, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.NumberLit:
				if n.Integer {
					e.holes = append(e.holes, hole{n.Span(), "BIGINT"})
				} else {
					e.holes = append(e.holes, hole{n.Span(), "DOUBLE"})
				}
			case *ast.StringLit:
				e.holes = append(e.holes, hole{n.Span(), "TEXT"})
			case *ast.BoolLit:
				e.holes = append(e.holes, hole{n.Span(), "BOOLEAN"})
			case *ast.TypedLit, *ast.IntervalLit:
				return false
			}
			return true
		})
	}
	slices.SortFunc(e.holes, func(a, b hole) int { return a.at.Start - b.at.Start })
	l.templates[t] = append(l.templates[t], e)
}

// typeOfText gives the type of an expression without columns; "" if it is refused or has none to speak of.
func (l *Library) typeOfText(text string) string { return l.typeIn("SELECT " + text + " AS v") }

func (l *Library) typeIn(script string) string {
	plan, errs := sql.Compile(script, l.options)
	if len(errs) > 0 {
		return ""
	}
	nodes := plan.Program.Nodes
	s, ok := nodes[len(nodes)-1].Spec.(*graph.SinkSpec)
	if !ok {
		return ""
	}
	t := expr.TypeName(s.Schema.Field(0).Type)
	if typeOf(t) == nil {
		return ""
	}
	return t
}

// learnAggregate tries an aggregate with columns of all types in the place of those of its example.
func (l *Library) learnAggregate(name string) {
	example := l.options.Aggregates.Example(name)
	if name == "count" {
		l.aggregates["BIGINT"] = append(l.aggregates["BIGINT"], signature{name: name, spelling: "count(*)"})
	}
	call, two := example.Call, example.Y != ""
	for _, mark := range []struct{ name, dollar string }{{"x", "$1"}, {"y", "$2"}} {
		call = replaceWord(call, mark.name, mark.dollar)
	}
	two = two && strings.Contains(call, "$2")
	for i, a := range argumentTypes {
		b := argumentTypes[(i*7+3)%len(argumentTypes)]
		if strings.Contains(call, "($2, $1)") || strings.Contains(call, "($1, $2)") {
			b = a
		}
		s := signature{name: name, spelling: call, args: []string{a}}
		columns := "CAST(NULL AS " + a + ")"
		if two {
			s.args = append(s.args, b)
		}
		columns += ", CAST(NULL AS " + b + ")"
		text := strings.ReplaceAll(strings.ReplaceAll(call, "$1", "x"), "$2", "y")
		if t := l.typeIn("SELECT " + text + " AS v FROM (VALUES (" + columns + ")) AS t(x, y)"); t != "" {
			l.aggregates[t] = append(l.aggregates[t], s)
		}
	}
}

// replaceWord replaces a name of one letter where it stands alone.
func replaceWord(text, word, by string) string {
	letter := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '_' || text[i] >= 'a' && text[i] <= 'z' || text[i] >= '0' && text[i] <= '9')
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i:i+1] == word && !letter(i-1) && !letter(i+1) {
			b.WriteString(by)
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// Learnt lists the functions and aggregates that scripts can use, and those that they cannot.
func (l *Library) Learnt() (known, unknown []string) {
	has := map[string]bool{}
	for _, list := range l.byResult {
		for _, s := range list {
			has[s.name] = true
		}
	}
	for _, list := range l.templates {
		for _, t := range list {
			has[t.name] = true
		}
	}
	for _, list := range l.aggregates {
		for _, s := range list {
			has[s.name] = true
		}
	}
	for _, n := range append(l.options.Functions.Names(), l.options.Aggregates.Names()...) {
		if d, ok := l.options.Functions.Doc(n); ok && d.Volatility != expr.Immutable {
			continue
		}
		if has[n] {
			known = append(known, n)
		} else {
			unknown = append(unknown, n)
		}
	}
	return known, unknown
}

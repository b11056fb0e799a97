// Package sql turns a script into a program: parse, bind, rewrite, lay out.
//
// What comes in: the text, and the connectors, functions and aggregates that there are, as values. What goes out: a
// graph.Program, which is plain data, or all that is wrong with the text. Compiling is a pure function: no I/O, no clock, no
// goroutine; the same text gives the same program.
package sql

import (
	"sort"
	"time"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/bind"
	"wadi/sql/logical"
	"wadi/sql/parse"
	"wadi/sql/physical"
	"wadi/sql/rewrite"
)

// Options are what a script is compiled with.
type Options struct {
	// Name is how the user called the text, for diagnostics.
	Name string
	// DefaultSink is the connector that bare SELECTs write to: "stdout", "preview" or "blackhole".
	DefaultSink string
	// UpdateAggregateFlushInterval is the wall-clock time between flushes of updating aggregates; UpdatingTTL is how long
	// they keep idle keys unless the script sets updating_ttl.
	UpdateAggregateFlushInterval, UpdatingTTL time.Duration
	Connectors                                *connector.Registry
	Functions                                 *expr.Functions
	Aggregates                                *agg.Functions
}

// Plan is a compiled script.
type Plan struct {
	// Program is what runs; it has no nodes when the script only explains.
	Program *graph.Program
	// Logical is the rewritten logical plan that the program was laid out from.
	Logical []*logical.Sink
	// Explained are the EXPLAIN statements, in the order of the text.
	Explained []Explained
	// Warnings do not keep the script from running.
	Warnings []*fault.Error
}

// Explained is the plan of one EXPLAIN statement, which does not run.
type Explained struct {
	Program *graph.Program
	// Format is "text", "mermaid", "dot" or "json".
	Format string
	Span   fault.Span
}

// Compile plans a script. The list holds all diagnostics that can be found at once, in the order of the text; the plan is
// nil when there are any.
func Compile(text string, o Options) (*Plan, fault.List) {
	plan, errs, _ := compile(text, o)
	return plan, errs
}

// Check gives all diagnostics of a script, each list in the order of the text: what keeps it from running, and what does
// not.
func Check(text string, o Options) (errs, warnings fault.List) {
	_, errs, warnings = compile(text, o)
	return errs, warnings
}

func compile(text string, o Options) (*Plan, fault.List, fault.List) {
	statements, errs := parse.Parse(text)
	b := bind.New(bind.Options{
		DefaultSink: o.DefaultSink, UpdateAggregateFlushInterval: o.UpdateAggregateFlushInterval, UpdatingTTL: o.UpdatingTTL,
		Connectors: o.Connectors, Functions: o.Functions, Aggregates: o.Aggregates,
	})
	b.Statements(statements)
	sinks, bindErrs, warnings := b.Finish()
	errs = append(errs, besides(errs, bindErrs)...)
	if len(errs) > 0 {
		return nil, ordered(errs), ordered(warnings)
	}
	c := &rewrite.Context{Functions: o.Functions}
	sinks = rewrite.Apply(c, sinks)
	plan := &Plan{Program: physical.Plan(sinks, text), Logical: sinks}
	all := sinks
	for _, e := range b.Explained() {
		only := rewrite.Apply(c, []*logical.Sink{e.Sink})
		all = append(all[:len(all):len(all)], only...)
		plan.Explained = append(plan.Explained, Explained{physical.Plan(only, text), e.Format, e.Span})
	}
	plan.Warnings = ordered(append(warnings, unbounded(all)...))
	if err := o.Connectors.CheckOutputs(plan.Program); err != nil {
		return nil, fault.List{fault.As(err)}, plan.Warnings
	}
	return plan, nil, plan.Warnings
}

func ordered(list fault.List) fault.List {
	sort.SliceStable(list, func(i, j int) bool { return list[i].Span.Start < list[j].Span.Start })
	return list
}

// CodeUnbounded marks warnings of state that nothing clears.
const CodeUnbounded fault.Code = "unbounded-state"

// unbounded warns of every operator whose state nothing bounds, once for each place in the text.
func unbounded(sinks []*logical.Sink) fault.List {
	roots := make([]logical.Node, len(sinks))
	for i, s := range sinks {
		roots[i] = s
	}
	var out fault.List
	told := map[fault.Span]bool{}
	logical.Walk(roots, func(n logical.Node) {
		if n.Properties().State != logical.StateUnbounded || told[n.Span()] {
			return
		}
		told[n.Span()] = true
		out = append(out, fault.Userf(CodeUnbounded, n.Span(), "the state of this %s grows without bound", logical.Name(n)).
			WithHint("%s", logical.Bounding(n)))
	})
	return out
}

// besides leaves out what may only follow from a statement that could not be read: a table that is not there, a script
// without a query.
func besides(syntax, found fault.List) fault.List {
	if len(syntax) == 0 {
		return found
	}
	var out fault.List
	for _, e := range found {
		if e.Code != bind.CodeUnknownTable && e.Code != bind.CodeEmpty {
			out = append(out, e)
		}
	}
	return out
}

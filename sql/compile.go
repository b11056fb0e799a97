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
	Program *graph.Program
	// Logical is the rewritten logical plan that the program was laid out from.
	Logical []*logical.Sink
	// Warnings do not keep the script from running.
	Warnings []*fault.Error
}

// Compile plans a script. The list holds all diagnostics that can be found at once, in the order of the text; the plan is
// nil when there are any.
func Compile(text string, o Options) (*Plan, fault.List) {
	statements, errs := parse.Parse(text)
	b := bind.New(bind.Options{
		DefaultSink: o.DefaultSink, UpdateAggregateFlushInterval: o.UpdateAggregateFlushInterval, UpdatingTTL: o.UpdatingTTL,
		Connectors: o.Connectors, Functions: o.Functions, Aggregates: o.Aggregates,
	})
	b.Statements(statements)
	sinks, bindErrs, warnings := b.Finish()
	errs = append(errs, besides(errs, bindErrs)...)
	if len(errs) > 0 {
		sort.SliceStable(errs, func(i, j int) bool { return errs[i].Span.Start < errs[j].Span.Start })
		return nil, errs
	}
	sinks = rewrite.Apply(&rewrite.Context{Functions: o.Functions}, sinks)
	program := physical.Plan(sinks, text)
	if err := o.Connectors.CheckOutputs(program); err != nil {
		return nil, fault.List{fault.As(err)}
	}
	return &Plan{Program: program, Logical: sinks, Warnings: warnings}, nil
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

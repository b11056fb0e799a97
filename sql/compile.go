// Package sql turns a script into a program: parse, bind, rewrite, lay out.
//
// What comes in: the text, and the connectors, functions and aggregates that there are, as values. What goes out: a
// graph.Program, which is plain data, or all that is wrong with the text. Compiling is a pure function: no I/O, no clock, no
// goroutine; the same text gives the same program.
package sql

import (
	"slices"
	"sort"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/bind"
	"wadi/sql/catalog"
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
	// Tables and Profiles were saved outside of the script, which may use them by name.
	Tables   []SavedTable
	Profiles []Profile
}

// SavedTable is a connection table with its definition, a CREATE TABLE statement.
type SavedTable struct{ Name, Definition string }

// Profile is a connection profile: options of a connector under a name.
type Profile = bind.Profile

// Plan is a compiled script.
type Plan struct {
	// Program is what runs; it has no nodes when the script only explains.
	Program *graph.Program
	// Logical is the rewritten logical plan that the program was laid out from.
	Logical []*logical.Sink
	// Tables are the names of the saved tables that the script uses.
	Tables []string
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

// Table is what a definition of a table turned out to be.
type Table struct {
	// Use is what the table can be used for; 0 is a table without a connector.
	Use     connector.Use
	Columns []arrow.Field
}

// CheckTable binds the definition of a saved table by itself.
func CheckTable(t SavedTable, o Options) (Table, fault.List) {
	s := savedTables([]SavedTable{t})[0]
	if s.Err != nil {
		return Table{}, fault.List{s.Err}
	}
	b := bind.New(bind.Options{Connectors: o.Connectors, Functions: o.Functions, Aggregates: o.Aggregates, Profiles: o.Profiles})
	found, errs := b.Definition(s.Statement)
	if len(errs) > 0 {
		return Table{}, errs
	}
	out := Table{Use: map[catalog.Kind]connector.Use{catalog.Source: connector.Source, catalog.Sink: connector.Sink, catalog.Lookup: connector.Lookup}[found.Kind]}
	for _, c := range found.Columns {
		out.Columns = append(out.Columns, c.Field)
	}
	return out, nil
}

func compile(text string, o Options) (*Plan, fault.List, fault.List) {
	statements, errs := parse.Parse(text)
	b := bind.New(bind.Options{
		DefaultSink: o.DefaultSink, UpdateAggregateFlushInterval: o.UpdateAggregateFlushInterval, UpdatingTTL: o.UpdatingTTL,
		Connectors: o.Connectors, Functions: o.Functions, Aggregates: o.Aggregates, Tables: savedTables(o.Tables), Profiles: o.Profiles,
	})
	b.Statements(statements)
	sinks, bindErrs, warnings := b.Finish()
	errs = append(errs, besides(errs, bindErrs)...)
	c := &rewrite.Context{Functions: o.Functions}
	sinks = rewrite.Apply(c, sinks)
	if len(errs) > 0 {
		// The other statements may have constants without a value.
		more, doubts := failing(sinks)
		return nil, ordered(append(errs, more...)), ordered(append(warnings, doubts...))
	}
	plan := &Plan{Program: physical.Plan(sinks, text), Logical: sinks, Tables: b.UsedTables()}
	all := sinks
	for _, e := range b.Explained() {
		only := rewrite.Apply(c, []*logical.Sink{e.Sink})
		all = append(all[:len(all):len(all)], only...)
		plan.Explained = append(plan.Explained, Explained{physical.Plan(only, text), e.Format, e.Span})
	}
	errs, doubts := failing(all)
	warnings = append(warnings, doubts...)
	plan.Warnings = ordered(append(append(warnings, unbounded(all)...), pairs(all)...))
	if len(errs) > 0 {
		return nil, ordered(errs), plan.Warnings
	}
	if err := o.Connectors.CheckOutputs(plan.Program); err != nil {
		return nil, fault.List{fault.As(err)}, plan.Warnings
	}
	return plan, nil, plan.Warnings
}

// savedTables parses the definitions of saved tables. What is wrong with one is told when it is used.
func savedTables(list []SavedTable) []bind.SavedTable {
	out := make([]bind.SavedTable, len(list))
	for i, t := range list {
		out[i] = bind.SavedTable{Name: t.Name}
		statements, errs := parse.Parse(t.Definition)
		if len(errs) > 0 {
			out[i].Err = errs[0]
			continue
		}
		var ok bool
		if len(statements) == 1 {
			out[i].Statement, ok = statements[0].(*ast.CreateTable)
		}
		if !ok || out[i].Statement.Query != nil {
			out[i].Err = fault.Internalf("the definition of %q is no CREATE TABLE", t.Name)
		}
	}
	return out
}

// ordered sorts diagnostics by their places and leaves out what was said before: an expression that is planned twice is
// refused twice.
func ordered(list fault.List) fault.List {
	sort.SliceStable(list, func(i, j int) bool { return list[i].Span.Start < list[j].Span.Start })
	return slices.CompactFunc(list, func(a, b *fault.Error) bool { return a.Span == b.Span && a.Message == b.Message })
}

// CodeUnbounded marks warnings of state that nothing clears.
const CodeUnbounded fault.Code = "unbounded-state"

// unbounded warns of every operator whose state nothing bounds, once for each place in the text.
func unbounded(sinks []*logical.Sink) fault.List {
	var out fault.List
	told := map[fault.Span]bool{}
	logical.Walk(sinks, func(n logical.Node) {
		if n.Properties().State != logical.StateUnbounded || told[n.Span()] {
			return
		}
		told[n.Span()] = true
		out = append(out, fault.Userf(CodeUnbounded, n.Span(), "the state of this %s grows without bound", logical.Name(n)).
			WithHint("%s", logical.Bounding(n)))
	})
	return out
}

// pairs warns of joins that compare every row of one side with every row of the other, once for each place in the text. Those
// that subqueries make are not meant: their other side is small.
func pairs(sinks []*logical.Sink) fault.List {
	var out fault.List
	told := map[fault.Span]bool{}
	logical.Walk(sinks, func(n logical.Node) {
		j, ok := n.(*logical.Join)
		if !ok || j.By != logical.ByKey || len(j.Keys) > 0 || j.AcrossWindows || told[n.Span()] {
			return
		}
		told[n.Span()] = true
		out = append(out, fault.Userf(bind.CodeCost, n.Span(), "the join compares every row of one side with every row of the other, on one subtask").
			WithHint("add an equality: AND a.k = b.k, or bound the distance of the event times"))
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

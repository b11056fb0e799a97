// Package bind turns syntax trees into logical plans: names become columns, functions and types are resolved, and what
// has no plan is refused under a caret.
//
// What comes in: statements in the order of the script. What goes out: one logical sink for each table that is written and
// for each bare SELECT, and all the faults that were found. A fault in one place does not hide those in others: a function
// that cannot make its result has reported why and returns nil, and whoever gets nil goes on without a word. Nothing here
// does I/O, blocks, or keeps state between compilations.
package bind

import (
	"time"

	"wadi/dataflow/agg"
	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/logical"
)

// Codes of faults that the binder gives, beside those of the packages it calls.
const (
	CodeUnknownTable  fault.Code = "unknown-table"
	CodeUnknownColumn            = expr.CodeUnknownColumn
	CodeAmbiguous     fault.Code = "ambiguous-column"
	CodeDuplicate     fault.Code = "duplicate-name"
	CodeGrouping      fault.Code = "not-grouped"
	CodeUnnest        fault.Code = "misplaced-unnest"
	CodeWindow        fault.Code = "window"
	CodeAggregate     fault.Code = "misplaced-aggregate"
	CodeInsert        fault.Code = "insert"
	CodeUpdating      fault.Code = "updating-sink"
	CodeTable         fault.Code = "table-definition"
	CodeOption        fault.Code = "option"
	CodeDeprecated    fault.Code = "deprecated"
	// CodeUnknownProfile marks a connection profile that is not there.
	CodeUnknownProfile fault.Code = "unknown-profile"
	CodeEmpty          fault.Code = "no-query"
	CodeCost           fault.Code = "costly"
	CodeNever          fault.Code = "never-true"
)

// Options are what a binder needs to know beside the text.
type Options struct {
	DefaultSink                               string
	UpdateAggregateFlushInterval, UpdatingTTL time.Duration
	Connectors                                *connector.Registry
	Functions                                 *expr.Functions
	Aggregates                                *agg.Functions
	// Tables and Profiles were saved outside of the script.
	Tables   []SavedTable
	Profiles []Profile
}

// Binder binds the statements of one script.
type Binder struct {
	opts    Options
	catalog *catalog.Catalog
	// ttl is updating_ttl as the script has set it so far, which holds for views; lastTTL is what it sets in the end,
	// which holds for all queries that write.
	ttl, lastTTL time.Duration
	errs         fault.List
	warnings     []*fault.Error
	// bare holds the sinks of bare SELECTs.
	bare      []*logical.Sink
	explained []Explained
	// queries counts statements that move rows, planned or refused; statements counts all.
	queries, statements int
	// told holds what has been reported of a scope and is not reported again while it is among the errors.
	told map[scopeName]*fault.Error
	// arounds are the columns of the queries around the subquery being bound, the innermost last.
	arounds []*scope
	// fresh are the joins, and the projections over them, that the FROM being bound has made.
	fresh map[logical.Node]bool
	// used are the saved tables that have been bound.
	used []string
	// view is set while the body of a view is bound.
	view bool
	// depth counts the subqueries in expressions around the one being bound.
	depth int
}

// New makes a Binder with an empty catalog.
func New(o Options) *Binder {
	return &Binder{opts: o, catalog: catalog.New(), ttl: o.UpdatingTTL, lastTTL: o.UpdatingTTL, fresh: map[logical.Node]bool{}}
}

// Statements binds a whole script.
func (b *Binder) Statements(list []ast.Statement) {
	b.statements = len(list)
	for _, s := range list {
		if set, ok := s.(*ast.Set); ok {
			b.set(set)
		}
	}
	b.lastTTL, b.ttl, b.errs, b.warnings = b.ttl, b.opts.UpdatingTTL, nil, nil
	for _, s := range list {
		b.statement(s)
	}
}

func (b *Binder) statement(s ast.Statement) {
	switch s := s.(type) {
	case *ast.Set:
		b.set(s)
	case *ast.CreateTable:
		if s.Query != nil {
			b.createTableAs(s)
		} else {
			b.createTable(s)
		}
	case *ast.CreateView:
		b.createView(s)
	case *ast.Insert:
		b.queries++
		b.insert(s)
	case *ast.QueryStatement:
		b.queries++
		b.bareSelect(s)
	case *ast.Explain:
		b.queries++
		b.explain(s)
	default:
		b.unsupported(s.Span(), "this statement is not supported").WithHint("statements are CREATE TABLE, CREATE VIEW, INSERT INTO, SELECT and SET")
	}
}

// Finish gives the sinks of the script, those of tables first, each in the order of their definition, and what was found
// wrong or worth a warning.
func (b *Binder) Finish() ([]*logical.Sink, fault.List, []*fault.Error) {
	var sinks []*logical.Sink
	for _, t := range b.catalog.Sinks() {
		if len(t.Inserts) > 0 {
			sinks = append(sinks, b.tableSink(t))
		}
	}
	sinks = append(sinks, b.bare...)
	if b.queries == 0 && len(b.errs) == 0 {
		what := "the SQL does not contain a query"
		if b.statements == 0 {
			what = "the query is empty"
		}
		b.errs = append(b.errs, fault.Userf(CodeEmpty, fault.Span{}, "%s", what).WithHint("add a SELECT, or an INSERT INTO a sink"))
	}
	return sinks, b.errs, b.warnings
}

// errorf reports a user fault and returns it, so that a hint can be added.
func (b *Binder) errorf(code fault.Code, span fault.Span, format string, args ...any) *fault.Error {
	e := fault.Userf(code, span, format, args...)
	b.errs = append(b.errs, e)
	return e
}

func (b *Binder) unsupported(span fault.Span, format string, args ...any) *fault.Error {
	return b.errorf(fault.CodeUnsupported, span, format, args...)
}

// report adds what another package found; faults without a place get this one.
func (b *Binder) report(err error, span fault.Span) {
	if list, ok := err.(fault.List); ok {
		for _, e := range list {
			b.report(e, span)
		}
		return
	}
	e := *fault.As(err)
	if e.Span.IsZero() {
		e.Span = span
	}
	b.errs = append(b.errs, &e)
}

func (b *Binder) warn(code fault.Code, span fault.Span, format string, args ...any) *fault.Error {
	e := fault.Userf(code, span, format, args...)
	b.warnings = append(b.warnings, e)
	return e
}

// set is SET updating_ttl = interval.
func (b *Binder) set(s *ast.Set) {
	if name := s.Name.String(); len(s.Name) != 1 || s.Name[0].Folded() != "updating_ttl" {
		b.errorf(CodeOption, s.Name.Span(), "unknown setting %q", name).WithHint("the only setting is updating_ttl")
		return
	}
	if _, ok := s.Value.(*ast.DefaultValue); ok {
		b.ttl = b.opts.UpdatingTTL
		return
	}
	d, err := b.duration(s.Value)
	if text, ok := s.Value.(*ast.StringLit); ok && err == nil {
		b.warn(CodeDeprecated, text.Span(), "a quoted duration is deprecated").WithHint("write SET updating_ttl = INTERVAL '%s'", text.Value)
	}
	switch {
	case err != nil:
		b.errs = append(b.errs, err)
	case d <= 0:
		b.errorf(CodeOption, s.Value.Span(), "updating_ttl must be longer than zero").WithHint("write SET updating_ttl = INTERVAL '1' DAY")
	default:
		b.ttl = time.Duration(d)
	}
}

// bareSelect gives the query a sink of its own.
func (b *Binder) bareSelect(s *ast.QueryStatement) {
	r := b.topQuery(s.Query)
	if r == nil {
		return
	}
	decl, ok := b.opts.Connectors.Lookup(b.opts.DefaultSink)
	if !ok {
		b.errs = append(b.errs, fault.Internalf("there is no connector %q for the default sink", b.opts.DefaultSink))
		return
	}
	options, err := decl.Resolve(connector.Sink, nil)
	if err != nil {
		b.report(err, s.Span())
		return
	}
	node := b.apart(b.written(r.node), r, s.Span())
	spec := &graph.SinkSpec{Table: decl.Name, Connector: decl.Name, Options: options, Schema: node.Schema()}
	name := "json"
	if node.Properties().Mode == graph.Updating {
		name, spec.PrimaryKey = "debezium_json", node.Properties().Key
	}
	if decl.Formats {
		if spec.Format, err = format.Resolve(name, nil); err != nil {
			b.report(err, s.Span())
			return
		}
	}
	if !b.writable(spec, node.Properties().Mode, func(string) fault.Span { return s.Span() }) {
		return
	}
	b.bare = append(b.bare, logical.NewSink([]logical.Node{node}, spec, decl.MaxParallelism, decl.Description(options), true, s.Span()))
}

// Package catalog is what a script has defined so far: tables and views by name.
//
// What comes in: definitions, in the order of the script. What goes out: look-ups, and the nearest name of one that there
// is not. A Catalog belongs to one compilation; nothing here blocks.
package catalog

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/connector"
	"wadi/dataflow/expr"
	"wadi/dataflow/fault"
	"wadi/dataflow/graph"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// Kind says what a name stands for.
type Kind uint8

const (
	// Source is a connector table that is read.
	Source Kind = iota
	// Sink is a connector table that is written.
	Sink
	// Lookup is a connector table that joins ask for single rows.
	Lookup
	// Memory is a table without a connector: a name for what is inserted into it.
	Memory
	// View is a named query, made by CREATE VIEW or CREATE TABLE … AS.
	View
	// Broken is a definition that was refused; writing to it says nothing more, and reading it only what is wrong with the
	// query itself, if its columns are known.
	Broken
)

// String names the kind for messages.
func (k Kind) String() string {
	return [...]string{"source", "sink", "lookup table", "memory table", "view", "broken table"}[k]
}

// Column is one declared column.
type Column struct {
	Field arrow.Field
	// Virtual columns are computed from others.
	Virtual bool
	// Metadata is the connector's key that fills the column; else empty.
	Metadata   string
	PrimaryKey bool
	// Default is what an insert that leaves the column out fills it with, of the column's type; nil is null. DefaultText is
	// the same as written, with its cast.
	Default     *expr.Node
	DefaultText ast.Expr
	Span        fault.Span
}

// Table is a named relation.
type Table struct {
	Name string
	Kind Kind
	Span fault.Span
	// Connector, Options and Format are set for connector tables.
	Connector *connector.Declaration
	Options   map[string]string
	Format    graph.FormatSpec
	// Columns are the declared columns; a sink without any takes them from its first insert.
	Columns  []Column
	Inferred bool
	// Saved tables come from outside of the script.
	Saved bool
	// Stream is what reading the table gives; nil for sinks, and for memory tables before the insert.
	Stream logical.Node
	// Asked is what joins ask a lookup table; CacheBytes and CacheTTL are as in graph.LookupJoinSpec.
	Asked                *graph.SourceSpec
	CacheBytes, CacheTTL int64
	// Inserts are the streams written into a sink.
	Inserts []logical.Node
}

// Writable are the columns that an insert fills: those that are neither computed nor metadata.
func (t *Table) Writable() []Column {
	var out []Column
	for _, c := range t.Columns {
		if !c.Virtual && c.Metadata == "" {
			out = append(out, c)
		}
	}
	return out
}

// Schema is that of the rows that an insert writes.
func (t *Table) Schema() *arrow.Schema {
	var fields []arrow.Field
	for _, c := range t.Writable() {
		fields = append(fields, c.Field)
	}
	return arrow.NewSchema(fields, nil)
}

// ColumnSpan gives the place of the column that a dotted path leads into, or that of the table.
func (t *Table) ColumnSpan(path string) fault.Span {
	for _, c := range t.Columns {
		rest, ok := strings.CutPrefix(path, c.Field.Name)
		if ok && (rest == "" || rest[0] == '.' || rest[0] == '[') {
			return c.Span
		}
	}
	return t.Span
}

// PrimaryKey gives the positions of the key columns among the writable ones.
func (t *Table) PrimaryKey() []int {
	var out []int
	i := 0
	for _, c := range t.Columns {
		if c.Virtual || c.Metadata != "" {
			continue
		}
		if c.PrimaryKey {
			out = append(out, i)
		}
		i++
	}
	return out
}

// Catalog maps names, compared without case, to tables.
type Catalog struct {
	byName map[string]*Table
	names  []string
	sinks  []*Table
}

// New makes an empty catalog.
func New() *Catalog { return &Catalog{byName: map[string]*Table{}} }

// Define adds a table; a later definition of a name replaces the earlier one for what follows.
func (c *Catalog) Define(t *Table) {
	key := strings.ToLower(t.Name)
	if c.byName[key] == nil {
		c.names = append(c.names, t.Name)
	}
	c.byName[key] = t
	if t.Kind == Sink {
		c.sinks = append(c.sinks, t)
	}
}

// Lookup finds a table.
func (c *Catalog) Lookup(name string) (*Table, bool) {
	t, ok := c.byName[strings.ToLower(name)]
	return t, ok
}

// Sinks lists all sinks in the order of their definition.
func (c *Catalog) Sinks() []*Table { return c.sinks }

// Nearest gives the defined name nearest to name; "" if none is near.
func (c *Catalog) Nearest(name string) string { return fault.Nearest(name, c.names) }

// Names lists what is defined, in order.
func (c *Catalog) Names() []string { return c.names }

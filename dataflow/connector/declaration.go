// Package connector is where the planner, the API and the worker meet a connector: its declaration.
//
// A connector is declared once: name, options with types and documentation, what it can be, and how to make its source
// and sink. Validation, documentation and the API's JSON schemas come from that declaration. A Registry is a value that
// the composition root builds; there is no registration by init. Each connector is a package below this one.
package connector

import (
	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/format"
	"wadi/dataflow/graph"
	"wadi/dataflow/operator"
)

// Use is one of the ways to use a connector, as a bit.
type Use uint8

// The ways to use a connector.
const (
	Source Use = 1 << iota
	Sink
	Lookup
)

// OptionType is the type of an option's value.
type OptionType uint8

// The option types. Text is the canonical text in a program: strings as they are, "true"/"false", decimal numbers, sizes
// in bytes, durations in nanoseconds, lists joined by commas.
const (
	String OptionType = iota
	Bool
	Int
	Uint
	Float
	Size
	Duration
	Column
	List
)

// Option declares one option of the WITH clause.
type Option struct {
	Name string
	Type OptionType
	Doc  string
	// For says in which uses the option exists; 0 is all.
	For Use
	// Required has no Default.
	Required bool
	Default  string
	// Values, if set, are the only ones allowed.
	Values []string
	// Check, if set, refuses a value (given as canonical text) with a fault.
	Check func(value string) error
}

// MetadataColumn is something a source knows about a record beside its payload.
type MetadataColumn struct {
	Key  string
	Type arrow.DataType
	Doc  string
}

// Declaration is everything there is to know about a connector.
type Declaration struct {
	Name string
	// Doc is one line.
	Doc  string
	Uses Use
	// Hidden connectors are not listed for people.
	Hidden  bool
	Options []Option
	// Schema is the fixed schema of connectors that bring their own (impulse, nexmark); else nil.
	Schema   *arrow.Schema
	Metadata []MetadataColumn
	// Formats says whether tables need a format; a connector with its own schema or a blackhole has none.
	Formats bool
	// MaxParallelism bounds the subtasks of a source or sink; 0 is no bound.
	MaxParallelism int
	// Exclusive names the option that says where a sink writes, a path, if nobody else may read or write there; see
	// Registry.CheckOutputs.
	Exclusive string
	// Describe gives a short line for plans from the options; nil: the name.
	Describe func(options map[string]string) string

	// LookupKey is the metadata column that has to be the primary key of a table that is looked up; empty where any declared
	// columns may be it.
	LookupKey string
	// Validate, if set, refuses options that do not go together, for a use; each by itself is right.
	Validate func(use Use, options map[string]string) error

	// NewSource, NewSink and NewLookup open the connector at one subtask; nil if the connector has no such use.
	NewSource func(SourceConfig) (operator.Source, error)
	NewSink   func(SinkConfig) (operator.Operator, error)
	NewLookup func(LookupConfig) (operator.Lookup, error)
}

// LookupConfig is what a lookup is made from.
type LookupConfig struct {
	// Table is the table, with the columns that are needed of it.
	Table *graph.SourceSpec
	Env   operator.Env
	// NewDecoder makes a decoder for the table's format.
	NewDecoder func() (format.Decoder, error)
}

// Options of every lookup, which the planner takes out of a table's options.
const (
	OptionCacheBytes = "lookup.cache.max_bytes"
	OptionCacheTTL   = "lookup.cache.ttl"
)

// LookupOptions are the options that a connector with the use Lookup declares beside its own.
func LookupOptions() []Option {
	return []Option{
		{Name: OptionCacheBytes, Type: Size, Default: "8388608", For: Lookup, Doc: "memory for answers that are remembered, in each subtask; 0 remembers none"},
		{Name: OptionCacheTTL, Type: Duration, For: Lookup, Doc: "how long an answer is remembered; without it, as long as there is room"},
	}
}

// SourceConfig is what a source is made from.
type SourceConfig struct {
	Spec *graph.SourceSpec
	Env  operator.Env
	// NewDecoder makes a decoder for the table's format.
	NewDecoder func() (format.Decoder, error)
}

// SinkConfig is what a sink is made from.
type SinkConfig struct {
	Spec *graph.SinkSpec
	// In is the schema of the rows; InMode their kind.
	In     *arrow.Schema
	InMode graph.Mode
	Env    operator.Env
	// NewEncoder makes an encoder for the table's format.
	NewEncoder func() (format.Encoder, error)
}

// Registry is the set of connectors that there are.
type Registry struct {
	byName map[string]*Declaration
	names  []string
}

// NewRegistry makes a registry; a name that occurs twice is a broken invariant.
func NewRegistry(decls ...*Declaration) *Registry {
	r := &Registry{byName: make(map[string]*Declaration, len(decls))}
	for _, d := range decls {
		if _, dup := r.byName[d.Name]; dup {
			panic("connector: declared twice: " + d.Name)
		}
		r.byName[d.Name] = d
		r.names = append(r.names, d.Name)
	}
	return r
}

// Lookup finds a connector by name.
func (r *Registry) Lookup(name string) (*Declaration, bool) {
	d, ok := r.byName[name]
	return d, ok
}

// Names lists the connectors in the order of their declaration.
func (r *Registry) Names() []string { return r.names }

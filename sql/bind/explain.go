package bind

import (
	"slices"
	"strings"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/catalog"
	"wadi/sql/logical"
)

// Explained is the plan of one EXPLAIN statement.
type Explained struct {
	Sink *logical.Sink
	// Format is one of pictures.
	Format string
	Span   fault.Span
}

// pictures are the formats of EXPLAIN.
var pictures = []string{"text", "mermaid", "dot", "json"}

// Explained lists the EXPLAIN statements, in the order of the script.
func (b *Binder) Explained() []Explained { return b.explained }

// explain plans a query as if it ran, and leaves no trace of it in the catalog.
func (b *Binder) explain(s *ast.Explain) {
	format := s.Format
	if format == "" {
		format = pictures[0]
	}
	if s.Analyze {
		b.unsupported(s.Span(), "EXPLAIN ANALYZE is not supported").WithHint("a stream has no end to measure up to; leave ANALYZE out")
		return
	}
	if !slices.Contains(pictures, format) {
		b.errorf(CodeOption, s.Span(), "EXPLAIN has no format %q", format).WithHint("the formats are %s", strings.Join(pictures, ", "))
		return
	}
	var sink *logical.Sink
	switch q := s.Statement.(type) {
	case *ast.QueryStatement:
		before := len(b.bare)
		b.bareSelect(q)
		if len(b.bare) > before {
			sink, b.bare = b.bare[before], b.bare[:before]
		}
	case *ast.Insert:
		sink = b.explainInsert(q)
	default:
		b.unsupported(s.Statement.Span(), "EXPLAIN takes a query").WithHint("write EXPLAIN SELECT …, or EXPLAIN INSERT INTO …")
	}
	if sink != nil {
		b.explained = append(b.explained, Explained{sink, format, s.Span()})
	}
}

// explainInsert plans an insert as the only one of its sink.
func (b *Binder) explainInsert(s *ast.Insert) *logical.Sink {
	if len(s.Table) == 1 {
		if t, ok := b.catalog.Lookup(tableKey(s.Table)); ok && t.Kind == catalog.Memory {
			b.unsupported(s.Table.Span(), "table %q has no connector, so nothing runs that could be explained", t.Name).
				WithHint("explain the query that reads it")
			return nil
		}
	}
	t := b.table(s.Table, nil)
	if t == nil {
		return nil
	}
	before := *t
	defer func() { *t = before }()
	t.Inserts = nil
	b.insert(s)
	if len(t.Inserts) == 0 {
		return nil
	}
	return b.tableSink(t)
}

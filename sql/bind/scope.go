package bind

import (
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/logical"
)

// relation is a bound query or table: a plan and the names by which its columns are known.
type relation struct {
	node  logical.Node
	scope *scope
	// spans are the places of the columns, if they are known.
	spans []fault.Span
}

// scope is the columns that expressions can name.
type scope struct {
	// calls are those of the SELECT over the groups of which this is the input, for subqueries; nil for none.
	calls *collected
	// named are the aliases of the select list over this input, which expressions of the input cannot name.
	named map[string]bool
	// where is set for subqueries in WHERE, whose query around has no aggregates there.
	where   bool
	columns []scopeColumn
	// outer are the columns of the queries around a correlated subquery that the relation carries along (see frame): a name
	// means one of them if it means none of columns.
	outer []scopeColumn
}

// scopeColumn is one column of a scope.
type scopeColumn struct {
	// table is the name or alias of the relation it comes from; empty for an expression's.
	table string
	field arrow.Field
	index int
	// hidden columns are reached only through their table: USING has put another in their place.
	hidden bool
	// whole is the row of a relation of structs, whose members are columns beside it; the relation's name means it.
	whole bool
	// frame is set for columns of a query around: they are column at of it.
	frame *frame
	at    int
	// call is set for what is no column of the query around but an aggregate of it.
	call *ast.Call
}

// scopeOf names all columns of a node after one table.
func scopeOf(table string, n logical.Node) *scope {
	s := &scope{}
	for i, f := range n.Schema().Fields() {
		s.columns = append(s.columns, scopeColumn{table: table, field: f, index: i})
	}
	return s
}

// exactly reports whether id, as written, means name. The case counts for a quoted id; an unquoted one is compared in
// lower case first, and without case (loosely) only if nothing else fits.
func exactly(id ast.Ident, name string) bool { return id.Folded() == name }

func loosely(id ast.Ident, name string) bool {
	return !id.Quoted && strings.EqualFold(id.Name, name)
}

// pick gives the columns that id names, exactly if there are any.
func pick(columns []scopeColumn, id ast.Ident) []scopeColumn {
	for _, same := range []func(ast.Ident, string) bool{exactly, loosely} {
		var out []scopeColumn
		for _, c := range columns {
			if same(id, c.field.Name) {
				out = append(out, c)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// of gives the columns of the relation that id names. Names of relations are compared without case.
func (s *scope) of(id ast.Ident) []scopeColumn {
	var out []scopeColumn
	for _, c := range s.columns {
		if c.table != "" && !c.whole && strings.EqualFold(c.table, id.Name) {
			out = append(out, c)
		}
	}
	return out
}

// wholes gives the rows of relations of this name that have one.
func (s *scope) wholes(id ast.Ident) []scopeColumn {
	var out []scopeColumn
	for _, c := range s.columns {
		if c.whole && strings.EqualFold(c.table, id.Name) {
			out = append(out, c)
		}
	}
	return out
}

// visible gives the columns that need no table before their name.
func (s *scope) visible() []scopeColumn {
	for _, c := range s.columns {
		if c.hidden || c.whole {
			var out []scopeColumn
			for _, c := range s.columns {
				if !c.hidden && !c.whole {
					out = append(out, c)
				}
			}
			return out
		}
	}
	return s.columns
}

// find resolves a compound name to a column and the members below it.
func (s *scope) find(path ast.Name) (scopeColumn, []ast.Ident, *fault.Error) {
	var inTable []scopeColumn
	if len(path) > 1 {
		inTable = s.of(path[0])
		if c := pick(inTable, path[1]); len(c) > 0 {
			return one(c, path[:2], path[2:])
		}
	}
	if c := pick(s.visible(), path[0]); len(c) > 0 {
		if outer := (&scope{columns: s.outer}).of(path[0]); len(path) > 1 && !anyStruct(c) {
			// A column without members may be called like a table of the query around.
			if o := pick(outer, path[1]); len(o) > 0 {
				return one(o, path[:2], path[2:])
			}
		}
		return one(c, path[:1], path[1:])
	}
	if c := s.wholes(path[0]); len(c) > 0 && len(path) == 1 {
		return one(c, path, nil)
	}
	if len(path) > 2 && len(inTable) == 0 && len(s.of(path[1])) > 0 {
		// A schema stands before the table.
		return s.find(path[1:])
	}
	if len(inTable) == 0 && len(s.outer) > 0 {
		if c, rest, err := (&scope{columns: s.outer}).find(path); err == nil || err.Code == CodeAmbiguous {
			return c, rest, err
		}
	}
	if len(inTable) > 0 {
		e := fault.Userf(CodeUnknownColumn, path[1].Span(), "table %q has no column %q", path[0].Name, path[1].Name)
		return scopeColumn{}, nil, hintNearest(e, path[1].Name, inTable)
	}
	if len(path) > 1 {
		e := fault.Userf(CodeUnknownColumn, path[0].Span(), "there is no table or column %q", path[0].Name)
		if near := nearColumn(path[0].Name, s.columns); near != "" {
			return scopeColumn{}, nil, e.WithHint("did you mean %q?", near)
		}
		return scopeColumn{}, nil, hintAmong(e, path[0].Name, s.tables(), "tables")
	}
	e := fault.Userf(CodeUnknownColumn, path[0].Span(), "there is no column %q", path[0].Name)
	if len(inTable) == 0 && len(s.of(path[0])) > 0 {
		return scopeColumn{}, nil, e.WithHint("it is a table; %s.* names its columns", path[0].Name)
	}
	return scopeColumn{}, nil, hintNearest(e, path[0].Name, s.columns)
}

// has reports whether a name means a column here, whatever there is further out.
func (s *scope) has(path ast.Name) bool {
	if len(path) == 1 {
		return len(pick(s.visible(), path[0])) > 0
	}
	return len(pick(s.of(path[0]), path[1])) > 0
}

func anyStruct(columns []scopeColumn) bool {
	for _, c := range columns {
		if c.field.Type.ID() == arrow.STRUCT {
			return true
		}
	}
	return false
}

func one(found []scopeColumn, name ast.Name, rest []ast.Ident) (scopeColumn, []ast.Ident, *fault.Error) {
	if len(found) == 1 {
		return found[0], rest, nil
	}
	e := fault.Userf(CodeAmbiguous, name.Span(), "column %q is ambiguous", name.String())
	var full []string
	for _, c := range found {
		if c.table != "" && !slices.Contains(full, c.qualified()) {
			full = append(full, c.qualified())
		}
	}
	switch {
	case len(full) == 0 || len(full) == 1 && found[0].table == found[1].table:
		return scopeColumn{}, nil, e.WithHint("two columns have this name; give them different aliases")
	case len(full) < len(found):
		return scopeColumn{}, nil, e.WithHint("write %s, or give the other column an alias", strings.Join(full, " or "))
	}
	return scopeColumn{}, nil, e.WithHint("write %s", strings.Join(full, " or "))
}

// nearColumn gives the column nearest to a word; "" if none is near.
func nearColumn(word string, columns []scopeColumn) string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.field.Name
	}
	if len(word) < 2 {
		return ""
	}
	return fault.Nearest(word, names)
}

func hintNearest(e *fault.Error, word string, columns []scopeColumn) *fault.Error {
	var names []string
	for _, c := range columns {
		if !slices.Contains(names, c.field.Name) {
			names = append(names, c.field.Name)
		}
	}
	return hintAmong(e, word, names, "columns")
}

// hintAmong points at the nearest of some names, or lists them while they are few.
func hintAmong(e *fault.Error, word string, names []string, what string) *fault.Error {
	// One letter is near to every other.
	if near := fault.Nearest(word, names); near != "" && len(word) > 1 {
		return e.WithHint("did you mean %q?", near)
	}
	switch {
	case len(names) == 0:
		return e.WithHint("there are no %s here", what)
	case len(names) > 12:
		return e.WithHint("the %s are %s, …", what, strings.Join(names[:12], ", "))
	}
	return e.WithHint("the %s are %s", what, strings.Join(names, ", "))
}

func (s *scope) tables() []string {
	var out []string
	for _, c := range s.columns {
		if c.table != "" && (len(out) == 0 || out[len(out)-1] != c.table) {
			out = append(out, c.table)
		}
	}
	return out
}

func (c scopeColumn) qualified() string {
	if c.table == "" {
		return c.field.Name
	}
	return c.table + "." + c.field.Name
}

// member finds a struct's member by a name as written.
func member(t *arrow.StructType, id ast.Ident) (string, bool) {
	for _, same := range []func(ast.Ident, string) bool{exactly, loosely} {
		for _, f := range t.Fields() {
			if same(id, f.Name) {
				return f.Name, true
			}
		}
	}
	return "", false
}

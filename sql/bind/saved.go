package bind

import (
	"strings"

	"wadi/dataflow/connector"
	"wadi/dataflow/fault"
	"wadi/sql/ast"
	"wadi/sql/catalog"
)

// SavedTable is a connection table that was saved outside of the script. A table of the script goes before a saved one of
// the same name.
type SavedTable struct {
	Name string
	// Statement defines the table; Err says instead why it cannot be used.
	Statement *ast.CreateTable
	Err       *fault.Error
}

// Profile is a connection profile: options of a connector under a name.
type Profile struct {
	Name, Connector string
	Options         map[string]connector.Raw
}

// lookup finds a table of the script or, if there is none, a saved one, which is bound when it is first used, at span.
func (b *Binder) lookup(key string, span fault.Span) (*catalog.Table, bool) {
	if t, ok := b.catalog.Lookup(key); ok {
		return t, true
	}
	for _, s := range b.opts.Tables {
		if strings.EqualFold(s.Name, key) {
			t := b.saved(s, span)
			b.catalog.Define(t)
			b.used = append(b.used, s.Name)
			return t, true
		}
	}
	return nil, false
}

// Definition binds the definition of a table by itself.
func (b *Binder) Definition(s *ast.CreateTable) (*catalog.Table, fault.List) {
	t := b.declare(s)
	if len(b.errs) > 0 || t == nil {
		return nil, b.errs
	}
	return t, nil
}

// UsedTables are the saved tables that the script uses, in the order of their first use.
func (b *Binder) UsedTables() []string { return b.used }

// saved binds a saved table. All faults in it, also those found later, have the place where it was used first.
func (b *Binder) saved(s SavedTable, span fault.Span) *catalog.Table {
	broken := &catalog.Table{Name: s.Name, Kind: catalog.Broken, Saved: true, Span: span}
	before, warnings := len(b.errs), len(b.warnings)
	var t *catalog.Table
	if s.Err != nil {
		b.errs = append(b.errs, s.Err)
	} else {
		ast.Move(s.Statement, span)
		t = b.declare(s.Statement)
	}
	// Nobody can do anything about warnings here.
	b.warnings = b.warnings[:warnings]
	for i, e := range b.errs[before:] {
		moved := *e
		moved.Span = span
		moved.Message = "the saved table \"" + s.Name + "\" cannot be used: " + moved.Error()
		moved.Record = fault.Record{}
		b.errs[before+i] = &moved
	}
	if t == nil || len(b.errs) > before {
		return broken
	}
	t.Saved = true
	return t
}

// profile takes the option connection_profile and puts the profile's options into the bag.
func (g *bag) profile(decl *connector.Declaration) {
	name, span := g.text("connection_profile", "")
	if span.IsZero() || name == "" && !g.ok {
		return
	}
	var names []string
	for _, p := range g.b.opts.Profiles {
		names = append(names, p.Name)
		if p.Name != name {
			continue
		}
		if p.Connector != decl.Name {
			g.fail(fault.Userf(CodeOption, span, "the connection profile %q is for connector %q, not for %q", name, p.Connector, decl.Name).
				WithHint("choose a profile for connector %q", decl.Name))
			return
		}
		for key, r := range p.Options {
			if inline, twice := g.raw[key]; twice {
				g.fail(fault.Userf(connector.CodeUnknownOption, inline.Key, "option %q comes from the connection profile %q", key, name).
					WithHint("leave it out, or leave out connection_profile"))
				continue
			}
			r.Span, r.Key = span, span
			g.raw[key] = r
		}
		return
	}
	e := fault.Userf(CodeUnknownProfile, span, "there is no connection profile %q", name)
	if len(names) == 0 {
		g.fail(e.WithHint("save one through the API (POST /api/v1/connection_profiles), or write the connector's options here"))
		return
	}
	g.fail(hintAmong(e, name, names, "profiles"))
}
